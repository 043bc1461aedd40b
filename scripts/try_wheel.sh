#!/bin/sh
# try_wheel.sh BIN: an installed package, without extras, does what the plain install promises.
# BIN is the folder of the environment's programs. Nothing of the checkout is on the way.
set -eu
bin=$(cd "$1" && pwd)
cd "$(mktemp -d)"

"$bin/spinetrack-synth" --version
"$bin/spinetrack-synth" rules SPT353 >/dev/null
"$bin/spinetrack-synth" scenes | grep -q yoga
"$bin/spinetrack-synth" poses | grep -q sukhasana

# The model travels inside the package: markers of its own default pose fit without error.
"$bin/python" - <<'PYTHON'
from pathlib import Path
import numpy as np
from spinetrack_synth.anatomy.kinematics import all_coordinates, marker_positions
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.files import write_motion

tree = load_model(fullbody_path())
rest_m = marker_positions(tree, all_coordinates(tree, tree.default_coordinates[tree.free_index]))
motion = MarkerMotion(tree.marker_names, np.arange(3) / 30, np.array([rest_m] * 3))
write_motion(Path("rest.trc"), motion, tree)
PYTHON
"$bin/spinetrack-synth" ik --markers rest.trc --out rest.mot

# A file that is no dataset is refused in one line, with exit code 2; so is a missing extra.
echo '{}' >empty.json
code=0
"$bin/spinetrack-synth" validate empty.json >/dev/null 2>&1 || code=$?
[ "$code" = 1 ] || [ "$code" = 2 ]
code=0
"$bin/spinetrack-synth" render --scenes yoga --count 1 --out out 2>told || code=$?
[ "$code" = 2 ] && grep -q "pip install 'spinetrack-synth\[render\]'" told
echo "The wheel works."

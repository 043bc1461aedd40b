"""No command makes a second signature of a function: each would be compiled again."""

import json
from pathlib import Path

import numpy as np
import pytest
from clean import clean
from compiled_functions import signatures

from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.trc import write_trc

TASKS = """<OpenSimDocument Version="40000"><IKTaskSet><objects>
<IKCoordinateTask name="knee_angle_r"><apply>true</apply><weight>2</weight>
<value_type>manual_value</value_type><value>10</value></IKCoordinateTask>
</objects></IKTaskSet></OpenSimDocument>"""


def recorded(folder: Path, *, coupled: bool) -> tuple[Path, Path]:
    """A model and a recording of it, with noise."""
    model = fullbody_path(coupled)
    tree = load_model(model)
    rng = np.random.default_rng(0)
    at_rest = marker_positions(tree, tree.default_coordinates)
    positions_m = at_rest + rng.normal(0, 0.002, (24, *at_rest.shape))
    path = folder / f"{tree.name}.trc"
    write_trc(path, MarkerMotion(tree.marker_names, np.arange(24) / 100, positions_m))
    return model, path


@pytest.mark.slow
def test_inverse_kinematics_has_one_signature_of_every_function(tmp_path):
    tasks, out = tmp_path / "tasks.xml", tmp_path / "out.mot"
    tasks.write_text(TASKS)
    (model, trc), (free, free_trc) = (recorded(tmp_path, coupled=c) for c in (True, False))
    found = signatures([
        ["ik", "--markers", trc, "--out", out],
        ["ik", "--model", free, "--markers", free_trc, "--out", out],
        ["ik", "--model", model, "--markers", trc, "--prior", 5, "--tasks", tasks, "--out", out],
        ["ik", "--markers", trc, "--filter", "auto", "--threads", 2, "--out", out],
    ])  # fmt: skip
    assert len(found["spinetrack_synth.anatomy.ik.frame_solver.solve_frame"]) == 1
    assert {name: many for name, many in found.items() if len(many) > 1} == {}


@pytest.mark.slow
def test_fitting_pictures_has_one_signature_of_every_function(tmp_path):
    file = tmp_path / "people.json"
    file.write_text(json.dumps(clean()))
    found = signatures([["validate", file]])
    assert len(found["spinetrack_synth.anatomy.fit2d.solver.place"]) == 1
    assert {name: many for name, many in found.items() if len(many) > 1} == {}

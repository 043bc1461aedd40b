"""The model of a fit: markers added from files, for our solver and for OpenSim."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from leg import MARKERS, marker_set, write_leg, write_marker_set

from spinetrack_synth.anatomy.kinematics import all_coordinates, marker_positions
from spinetrack_synth.anatomy.model import load_model
from spinetrack_synth.cli.ik import command
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.models import open_model, write_model
from spinetrack_synth.motion.trc import write_trc


def run_ik(*arguments: object) -> str:
    result = CliRunner().invoke(command, [*map(str, arguments)])
    if result.exception:
        raise result.exception
    return result.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_leg(tmp_path / "leg.osim")
    write_marker_set(tmp_path / "markers.xml")
    tree = open_model(tmp_path / "leg.osim", (tmp_path / "markers.xml",)).tree
    z = np.zeros(10)
    frames = []
    for t in np.linspace(0, 1, 20):
        z[4], z[6:] = 0.9, [0.3 * t, 0.1, 0.1 * t, -0.5 * t]
        frames.append(marker_positions(tree, all_coordinates(tree, z)))
    recording = MarkerMotion(tree.marker_names, np.arange(20) / 100, np.array(frames))
    write_trc(tmp_path / "walk.trc", recording)
    return tmp_path


@pytest.mark.parametrize("version", [20302, 30000, 30501, 40000])
def test_a_model_without_markers_is_fitted_with_a_set(folder: Path, version: int) -> None:
    write_marker_set(folder / "markers.xml", version)
    files = ("--model", folder / "leg.osim", "--markers", folder / "walk.trc")
    with pytest.raises(UserError, match=r"it has none: .*a marker set .*\(--markers-on\)"):
        run_ik(*files, "--out", folder / "out.mot")
    said = run_ik(*files, "--markers-on", folder / "markers.xml", "--out", folder / "out.mot")
    assert "20 frames, 8 markers: RMS 0.00 mm" in said


def test_opensim_gets_the_markers_too(folder: Path) -> None:
    pytest.importorskip("opensim", reason="OpenSim's tool is compared with")
    files = (
        "--model", folder / "leg.osim", "--markers", folder / "walk.trc",
        "--markers-on", folder / "markers.xml", "--out", folder / "out.mot",
    )  # fmt: skip
    said = run_ik(*files, "--check", 3)
    assert "OpenSim on frames 9 to 11: coordinates differ by 0.0" in said
    assert "read back by OpenSim, the motion puts markers within" in said
    assert "20 frames, 8 markers: RMS 0.0" in run_ik(*files, "--engine", "opensim")


@pytest.mark.parametrize(
    "named",
    ['<MarkerSet file="markers.xml"/>', "<marker_set_file> markers.xml </marker_set_file>"],
)
def test_a_set_that_the_model_names_is_found_beside_it(folder: Path, named: str) -> None:
    model = open_model(write_leg(folder / "leg.osim", named))
    assert model.tree.marker_names == tuple(MARKERS)
    assert model.fixed == {name for name, (_, _, fixed) in MARKERS.items() if fixed}


def test_a_set_that_a_setup_names_is_put_on(folder: Path) -> None:
    (folder / "ik.xml").write_text(
        "<InverseKinematicsTool><model_file>leg.osim</model_file>"
        "<marker_set_file>markers.xml</marker_set_file><marker_file>walk.trc</marker_file>"
        "<output_motion_file>out.mot</output_motion_file></InverseKinematicsTool>"
    )
    assert "8 markers: RMS 0.00 mm" in run_ik("--setup", folder / "ik.xml")
    with pytest.raises(UserError, match="names no model: give --model"):
        text = (folder / "ik.xml").read_text().replace("leg.osim", "Unassigned")
        (folder / "none.xml").write_text(text)
        run_ik("--setup", folder / "none.xml")


def test_the_written_model_holds_what_was_added(folder: Path) -> None:
    pytest.importorskip("opensim", reason="OpenSim writes the model")
    write_leg(folder / "leg.osim", marker_set().replace(" 0.15 -0.43 0.02 ", " 9 9 9 "))
    model = open_model(folder / "leg.osim", (folder / "markers.xml",))
    write_model(model, folder / "with.osim")
    back = load_model(folder / "with.osim")
    order = [back.marker_index[name] for name in model.tree.marker_names]
    np.testing.assert_allclose(back.marker_offset_m[order], model.tree.marker_offset_m, atol=1e-12)
    assert back.marker_names and open_model(folder / "leg.osim").is_of_file

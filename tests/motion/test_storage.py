"""MOT and STO files: OpenSim's rules of degrees, whose model a file is of, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion, Residuals
from spinetrack_synth.motion.model_motion import full_coordinates
from spinetrack_synth.motion.storage import (
    Storage,
    header_of,
    in_degrees_for_opensim,
    read_coordinates,
    read_storage,
    residuals_of,
    write_coordinates,
    write_storage,
)

ROWS = "time\tknee_angle_r\n0\t0.5\n0.1\t0.75\n"
FOUND = Residuals(37, "SpineTrack", 7.25, 11.5, 0.4, 42.0, "left_ear", 0.3, "the spine is a guess")


def written(tmp_path: Path, header: str, rows: str = ROWS, name: str = "a.mot") -> Path:
    path = tmp_path / name
    path.write_text(f"motion\n{header}endheader\n{rows}")
    return path


# What opensim.Storage says of these headers (4.6).
@pytest.mark.parametrize(
    ("ending", "header", "degrees"),
    [
        (".mot", "", True),
        (".mot", "Angles are in degrees.\n", True),
        (".mot", "version=1\n", False),
        (".mot", "version=1\ninDegrees=yes\n", True),
        (".mot", "version=1\ninDegrees=y\n", True),
        (".mot", "version=1\ninDegrees=no\n", False),
        (".mot", "version=3\n", False),
        (".sto", "", False),
        (".sto", "Angles are in degrees.\n", True),
        (".sto", "inDegrees=yes\n", True),
        (".sto", "version=1\n", False),
        (".sto", "version=1\ninDegrees=no\t\t\n", False),
    ],
)
def test_degrees_are_where_opensim_sees_them(
    tmp_path: Path, ending: str, header: str, degrees: bool
) -> None:
    path = written(tmp_path, header, name=f"a{ending}")
    assert read_storage(path).in_degrees == degrees
    opensim = pytest.importorskip("opensim", reason="comparing with OpenSim")
    path = written(tmp_path, header + "nRows=2\nnColumns=2\n", name=f"b{ending}")
    opensim.Logger.setLevelString("Off")
    assert opensim.Storage(str(path)).isInDegrees() == degrees


def test_radians_without_a_version_are_told(tmp_path: Path) -> None:
    found = read_storage(written(tmp_path, "inDegrees=no\n"))
    assert not found.in_degrees
    assert "OpenSim takes such a .mot file for degrees" in found.notes[0]


def test_states_without_a_line_are_radians(tmp_path: Path, tree: Tree) -> None:
    knee = "/jointset/knee_r/knee_angle_r"
    rows = f"time\t{knee}/value\t{knee}/speed\t/forceset/knee_angle_r\n0\t0.5\t9\t1\n"
    motion = read_coordinates(written(tmp_path, "", rows, "states.sto"), tree)
    assert motion.names == ("knee_angle_r",)
    np.testing.assert_allclose(motion.values, [[0.5]])


def test_simm_files_are_read(tmp_path: Path, tree: Tree) -> None:
    path = tmp_path / "simm.mot"
    path.write_text(
        "name walk\ndatacolumns 1\ndatarows 3\nrange 1.0 2.0\nendheader\n\n"
        "knee_angle_r\n10\n20\n30\n"
    )
    motion = read_coordinates(path, tree)
    np.testing.assert_allclose(motion.times_s, [1.0, 1.5, 2.0])
    np.testing.assert_allclose(np.degrees(motion.values[:, 0]), [10, 20, 30])
    assert motion.notes == ()


def test_another_models_angles_are_degrees(tmp_path: Path, tree: Tree) -> None:
    rows = "time\tpelvis_tilt\tlumbar_extension\tknee_angle_r\n0\t5\t-20\t30\n1\t6\t-21\t31\n"
    path = written(tmp_path, "version=1\ninDegrees=yes\n", rows)
    motion = read_coordinates(path, tree)
    np.testing.assert_allclose(np.degrees(motion.values[0]), [5, -20, 30])
    assert "read as degrees, as the file says: lumbar_extension" in motion.notes[0]
    assert "--model" in motion.notes[0]


def test_small_angles_of_another_model_are_degrees_too(tmp_path: Path, tree: Tree) -> None:
    rows = "time\tlumbar_extension\tknee_angle_r\n0\t-0.4\t30\n1\t-0.5\t31\n"
    motion = read_coordinates(written(tmp_path, "version=1\ninDegrees=yes\n", rows), tree)
    np.testing.assert_allclose(np.degrees(motion.values[0]), [-0.4, 30])


def complete(tmp_path: Path, tree: Tree, steps: CoordinateMotion, masters_deg: bool) -> Path:
    """All coordinates in a file in degrees, the masters as OpenSim leaves them or in degrees."""
    q = full_coordinates(tree, steps)
    turning = tree.rotational if masters_deg else in_degrees_for_opensim(tree)
    values = np.where(turning, np.degrees(q), q)
    path = tmp_path / "complete.mot"
    write_storage(path, Storage(tree.coordinates, steps.times_s, values), "Coordinates")
    return path


@pytest.mark.parametrize("masters_deg", [False, True])
def test_a_complete_file_of_this_model_is_read_as_opensim_meant_it(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion, masters_deg: bool
) -> None:
    motion = read_coordinates(complete(tmp_path, tree, steps, masters_deg), tree)
    np.testing.assert_allclose(motion.values, full_coordinates(tree, steps), atol=1e-7)
    assert bool(motion.notes) == masters_deg


def test_small_masters_of_a_complete_file_in_degrees_are_degrees(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion
) -> None:
    upright = np.zeros_like(steps.values)
    upright[:, steps.names.index("lumbar_extension")] = np.radians(-8.0)
    quiet = replace(steps, values=upright)
    motion = read_coordinates(complete(tmp_path, tree, quiet, masters_deg=True), tree)
    np.testing.assert_allclose(motion.values, full_coordinates(tree, quiet), atol=1e-7)


def test_degrees_that_are_told_to_be_radians_are_refused(tmp_path: Path, tree: Tree) -> None:
    rows = "time\tknee_angle_r\n0\t55\n1\t60\n"
    with pytest.raises(UserError, match=r"has no line inDegrees=yes, but knee_angle_r reaches 60"):
        read_coordinates(written(tmp_path, "version=1\n", rows), tree)
    with pytest.raises(UserError, match="header says so, but"):
        read_coordinates(written(tmp_path, "version=1\ninDegrees=no\n", rows), tree)


def test_radians_that_are_told_to_be_degrees_are_noted(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion
) -> None:
    path = tmp_path / "a.mot"
    kept = [i for i, name in enumerate(steps.names) if "_r" in name[-2:] or "_l" in name[-2:]]
    names = tuple(steps.names[i] for i in kept)
    write_storage(path, Storage(names, steps.times_s, steps.values[:, kept]), "a")
    assert "they may be radians" in " ".join(read_coordinates(path, tree).notes)


def test_what_is_left_out_or_odd_is_told(tmp_path: Path, tree: Tree) -> None:
    rows = "time\tknee_angle_r\tknee_angle_pat_r\tpelvis_ty\n0\t-70\t1\t950\n1\t-60\t1\t951\n"
    path = written(tmp_path, "version=1\nnRows=3\nnColumns=4\ninDegrees=yes\n", rows)
    notes = "\n".join(read_coordinates(path, tree).notes)
    assert "its header says 3 rows, there are 2: the file may be cut off" in notes
    assert "left out: knee_angle_pat_r" in notes
    assert "knee_angle_r goes 70 degrees beyond its range" in notes
    rows = "time\tpelvis_ty\n0\t9500\n"
    assert (
        "pelvis_ty reaches 9500 m" in read_coordinates(written(tmp_path, "", rows), tree).notes[0]
    )


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("", "time\tknee_angle_r\n0\tnan\n", "row 1: knee_angle_r has no value"),
        ("", "time\tknee_angle_r\n0\t1e400\n", "row 1, knee_angle_r: inf is beyond"),
        ("", "time\tknee_angle_r\n0\t1e30\n", "row 1, knee_angle_r: 1e\\+30 is beyond"),
        ("", "time\tknee_angle_r\tknee_angle_r\n0\t1\t1\n", "stands in two columns"),
        ("", "knee_angle_r\n1\n", "line 3: the first column must be 'time'"),
        ("", "time\n0\n", "has no column but the time"),
        ("", "time\tknee_angle_r\n0\t1\n1\t", "line 5: the file ends within this row"),
        ("DataType=Vec3\n", "time\tpelvis\n0\t1,2,3\n", "holds Vec3 in every field"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_cannot_be_read_is_one_line(
    tmp_path: Path, tree: Tree, header: str, rows: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        read_coordinates(written(tmp_path, header, rows), tree)


@pytest.mark.parametrize("name", ["Speeds", "Accelerations", "PositionErrors"])
def test_results_that_are_no_coordinates_are_refused(tmp_path: Path, tree: Tree, name: str) -> None:
    path = tmp_path / "walk_Kinematics_u.sto"
    path.write_text(f"{name}\nversion=1\ninDegrees=yes\nendheader\n{ROWS}")
    with pytest.raises(UserError, match=f"holds {name}, by its first line"):
        read_coordinates(path, tree)


def test_residuals_stay_with_the_motion(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion
) -> None:
    path = tmp_path / "fitted.mot"
    write_coordinates(path, replace(steps, residuals=FOUND), tree)
    again = read_coordinates(path, tree)
    assert again.residuals == FOUND
    np.testing.assert_allclose(again.values, steps.values, atol=1e-8)
    assert residuals_of({**header_of(FOUND), "fit_points": "many"}) is None
    opensim = pytest.importorskip("opensim", reason="comparing with OpenSim")
    opensim.Logger.setLevelString("Off")
    assert opensim.Storage(str(path)).getSize() == len(steps.times_s)
    table = opensim.TimeSeriesTable(str(path))
    assert table.getNumRows() == len(steps.times_s)
    column = table.getDependentColumn("knee_angle_r").to_numpy()
    np.testing.assert_allclose(column, steps.values[:, steps.names.index("knee_angle_r")])

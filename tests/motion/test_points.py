"""Points and coordinates in CSV, Parquet and NPZ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import Convention
from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion
from spinetrack_synth.motion.points import (
    coordinates_from_table,
    points_from_table,
    read_archive,
    read_table,
    write_coordinate_table,
    write_points,
)

WIDE = pd.DataFrame(
    {"time": [0.0, 0.1], **{f"{n}_{a}_mm": [1.0, 2.0] for n in ("nose", "hip") for a in "xyz"}}
)
LONG = pd.DataFrame(
    {
        "frame": [3, 3, 4],
        "keypoint": ["nose", "hip", "nose"],
        "x": [1.0, 2.0, 3.0], "y": [0.0, 0.0, 0.0], "z": [5.0, 6.0, 7.0],
    }
)  # fmt: skip
metres = st.floats(-20, 20).map(lambda x: round(x, 6))


@given(arrays(float, (3, 2, 3), elements=metres), arrays(bool, (3, 2)))
def test_points_survive_a_round_trip(
    tmp_path_factory: pytest.TempPathFactory, positions_m: np.ndarray, missing: np.ndarray
) -> None:
    positions_m[missing] = np.nan
    path = tmp_path_factory.mktemp("points") / "points.csv"
    motion = MarkerMotion(("nose", "left_hip"), np.array([0.0, 0.5, 1.0]), positions_m)
    write_points(path, motion)
    again = points_from_table(read_table(path), str(path))
    assert again.names == motion.names
    np.testing.assert_allclose(again.times_s, motion.times_s)
    np.testing.assert_allclose(again.positions_m, positions_m, atol=1e-9)


def test_coordinates_survive_a_round_trip(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion
) -> None:
    write_coordinate_table(tmp_path / "steps.csv", steps)
    again = coordinates_from_table(read_table(tmp_path / "steps.csv"), tree, "steps.csv")
    assert again is not None
    assert again.names == steps.names
    np.testing.assert_allclose(again.values, steps.values, atol=1e-8)


def test_a_wide_table_tells_its_unit() -> None:
    motion = points_from_table(WIDE, "wide.csv")
    assert motion.names == ("nose", "hip")
    np.testing.assert_allclose(motion.positions_m[1, 0], [0.002] * 3)


def test_a_long_table_leaves_gaps(tmp_path: Path) -> None:
    LONG.to_parquet(tmp_path / "long.parquet")
    motion = points_from_table(
        read_table(tmp_path / "long.parquet"), "long", Convention(axes="z-up", rate_hz=10)
    )
    np.testing.assert_allclose(motion.times_s, [0.3, 0.4])
    np.testing.assert_allclose(motion.positions_m[0, 1], [2, 6, 0])
    assert np.isnan(motion.positions_m[1, 1]).all()


def test_archives_may_leave_points_unnamed(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    positions = np.arange(12.0).reshape(2, 2, 3)
    np.savez(path, keypoints=positions, fps=20)
    motion = read_archive(path, {2: ("a", "b")}, Convention(unit="cm"))
    assert motion.names == ("a", "b")
    np.testing.assert_allclose(motion.positions_m, positions / 100)
    np.testing.assert_allclose(motion.times_s, [0, 0.05])
    with pytest.raises(UserError, match="2 points without names"):
        read_archive(path, {17: ("nose",) * 17})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"a": [1]}), "no points"),
        (WIDE.drop(columns="hip_y_mm"), "point 'hip' lacks the column hip_y"),
        (WIDE.assign(time=[0.1, 0.1]), "row 2: its time does not follow"),
        (WIDE.assign(nose_x_mm=["1", "one"]), "row 2, column 'nose_x_mm': 'one' is no number"),
        (WIDE.rename(columns={"hip_x_mm": "hip_x_m"}), "mix units"),
        (pd.concat([LONG, LONG]), "a point stands twice in one frame"),
        (LONG.drop(columns="frame"), "no column frame or time"),
    ],
)
def test_wrong_tables_are_told(table: pd.DataFrame, message: str) -> None:
    with pytest.raises(UserError, match=message):
        points_from_table(table, "t.csv")


def test_wrong_coordinates_are_told(tree: Tree) -> None:
    table = pd.DataFrame({"time": [0.0, 1.0], "knee_angle_r_deg": [5.0, None]})
    with pytest.raises(UserError, match="row 2: knee_angle_r has no value"):
        coordinates_from_table(table, tree, "t.csv")
    with pytest.raises(UserError, match="'m' is no unit of this coordinate"):
        coordinates_from_table(pd.DataFrame({"knee_angle_r_m": [5.0]}), tree, "t.csv")
    assert coordinates_from_table(WIDE, tree, "t.csv") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"poses": np.zeros((2, 72)), "trans": np.zeros((2, 3))}, "save its joints instead"),
        ({"joints": np.zeros((2, 24))}, r"joints: shape \(2, 24\)"),
        ({"joints": np.zeros((2, 1, 3)), "names": ["a"], "times": [0.0]}, "1 times for 2 frames"),
        ({"joints": np.zeros((2, 1, 3)), "names": ["a"], "times": [[0], [1]]}, "expected seconds"),
        ({"joints": np.zeros((2, 1, 3)), "names": ["a"], "times": ["a", "b"]}, "expected seconds"),
        ({"joints": np.zeros((2, 2, 3)), "names": ["a", "a"]}, "1 different ones for 2 points"),
    ],
)
def test_wrong_archives_are_told(tmp_path: Path, content: dict, message: str) -> None:
    np.savez(tmp_path / "a.npz", **content)
    with pytest.raises(UserError, match=message):
        read_archive(tmp_path / "a.npz", {})


def test_a_text_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_text("text")
    with pytest.raises(UserError, match="is no NumPy archive"):
        read_archive(tmp_path / "a.npz", {})


@pytest.mark.parametrize(
    "encoded",
    [
        "time;nose_x;nose_y;nose_z\n0;1,5;2;3\n",
        "\ufefftime\tnose_x\tnose_y\tnose_z\n0\t1.5\t2\t3\n",
        "time,nose_x [mm],nose_y [mm],nose_z [mm]\r\n0,1500,2000,3000\r\n",
        "time,nose_x,nose_y,nose_z,\r0,1.5,2,3,\r",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_tables_of_many_programs_are_read(tmp_path: Path, encoded: str, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(encoded.encode(encoding))
    motion = points_from_table(read_table(tmp_path / "a.csv"), "a.csv")
    assert motion.names == ("nose",)
    np.testing.assert_allclose(motion.positions_m[0, 0], [1.5, 2, 3])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,nose_x,nose_y,nose_z\n0,1,2,3\n1,1,2", "line 3: the file ends within this row"),
        ("time,nose_x,nose_y,nose_z\n0,1,2\n1,1,2,3\n", "line 2: 3 fields, expected 4"),
        ("time,nose_x,nose_y,nose_z\n0,1,2,3,4\n", "line 2: 5 fields, expected 4"),
        ("time,nose_x,nose_x,nose_z\n0,1,2,3\n", "column 'nose_x' stands twice"),
        ("time,nose_x,nose_y,nose_z\n0,1e400,2,3\n", "column 'nose_x': inf is beyond"),
        ("\n", "is empty"),
        (
            "time,nose_x,nose_y,nose_z\n0,1,2,1.234\n1,1,2,1.235\n2,1,2,1.236\n3,1,2,1",
            "the number seems cut off",
        ),
    ],
)
@pytest.mark.filterwarnings("error")
def test_broken_tables_are_located(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        points_from_table(read_table(tmp_path / "a.csv"), "a.csv")


def test_an_archives_unit_is_understood_or_named(tmp_path: Path) -> None:
    positions = np.full((2, 2, 3), 1000.0)
    np.savez(tmp_path / "a.npz", keypoints=positions, unit="Millimeters")
    motion = read_archive(tmp_path / "a.npz", {2: ("a", "b")})
    np.testing.assert_allclose(motion.positions_m, 1.0)
    np.savez(tmp_path / "a.npz", keypoints=positions, unit="furlong")
    with pytest.raises(UserError, match="unit 'furlong': choose m, cm"):
        read_archive(tmp_path / "a.npz", {2: ("a", "b")})
    np.savez(tmp_path / "a.npz", keypoints=positions * 1e30)
    with pytest.raises(UserError, match="row 1, a x: 1e\\+33 is beyond"):
        read_archive(tmp_path / "a.npz", {2: ("a", "b")})


def test_odd_coordinates_are_noted(tree: Tree) -> None:
    table = pd.DataFrame({"time": [0.0], "knee_angle_r": [-90.0]})
    motion = coordinates_from_table(table, tree, "t.csv")
    assert motion is not None
    assert "knee_angle_r goes 90 degrees beyond its range" in motion.notes[0]


@pytest.mark.filterwarnings("error")
def test_archives_of_other_programs_are_read_or_told(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    positions = np.ones((3, 2, 3))
    np.savez(path, keypoints=positions, names=np.array([b"a", b"b"]), fps=np.array([20.0]))
    motion = read_archive(path, {})
    assert motion.names == ("a", "b")
    np.testing.assert_allclose(motion.times_s, [0, 0.05, 0.1])
    np.savez(path, keypoints=positions, names=["a", "b"], fps=0)
    with pytest.raises(UserError, match="fps 0: give frames a second, above 0"):
        read_archive(path, {})
    np.savez(path, keypoints=positions, names=["a", "b"], fps=[1, 2])
    with pytest.raises(UserError, match="fps: give one number"):
        read_archive(path, {})
    np.savez(path, keypoints=positions.astype(complex), names=["a", "b"])
    with pytest.raises(UserError, match="of complex128, expected numbers"):
        read_archive(path, {})
    np.savez_compressed(path, keypoints=np.random.default_rng(0).normal(size=(50, 2, 3)))
    whole = path.read_bytes()
    path.write_bytes(whole[:600] + b"\0" * 40 + whole[640:])
    with pytest.raises(UserError, match="is no NumPy archive"):
        read_archive(path, {2: ("a", "b")})


@pytest.mark.parametrize("column", ["time_ms", "Time [s]", "t_us", "seconds", "timestamp_ns"])
def test_times_in_another_unit_are_not_passed_over(column: str) -> None:
    table = pd.DataFrame({column: [0, 33], "nose_x": [0, 0], "nose_y": [1, 1], "nose_z": [0, 0]})
    with pytest.raises(UserError, match="call it time, in seconds"):
        points_from_table(table, "a.csv")


def test_points_called_like_times_are_points() -> None:
    columns = {f"{name}_{axis}": [0, 1] for name in ("T10", "t", "time") for axis in "xyz"}
    motion = points_from_table(pd.DataFrame({"frame": [0, 1], **columns}), "a.csv")
    assert motion.names == ("T10", "t", "time")


def test_dates_are_no_seconds() -> None:
    days = pd.to_datetime(["2020-01-01", "2020-01-02"])
    table = pd.DataFrame({"time": days, "nose_x": [0, 0], "nose_y": [1, 1], "nose_z": [0, 0]})
    with pytest.raises(UserError, match="column 'time': holds dates"):
        points_from_table(table, "a.csv")


def test_a_coordinate_in_two_units_is_told(tree: Tree) -> None:
    table = pd.DataFrame({"time": [0, 1], "knee_angle_r_deg": [1, 2], "knee_angle_r_rad": [3, 4]})
    with pytest.raises(UserError, match="'knee_angle_r' stands in two columns"):
        coordinates_from_table(table, tree, "a.csv")

"""Any motion file in, any out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion, JointMotion, MarkerMotion
from spinetrack_synth.motion.files import read_motion, write_motion
from spinetrack_synth.motion.model_motion import full_coordinates, marker_motion


@pytest.mark.parametrize("ending", [".mot", ".sto", ".csv"])
def test_coordinates_survive_a_round_trip(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion, ending: str
) -> None:
    path = tmp_path / f"steps{ending}"
    write_motion(path, steps, tree)
    again = read_motion(path, tree)
    assert isinstance(again, CoordinateMotion)
    np.testing.assert_allclose(again.values, steps.values, atol=1e-7)
    np.testing.assert_allclose(again.times_s, steps.times_s, atol=1e-8)


def test_a_bvh_file_gives_back_the_coordinates(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion
) -> None:
    write_motion(tmp_path / "steps.bvh", steps, tree)
    joints = read_motion(tmp_path / "steps.bvh", tree)
    assert isinstance(joints, JointMotion)
    write_motion(tmp_path / "again.mot", joints, tree)
    again = read_motion(tmp_path / "again.mot", tree)
    assert isinstance(again, CoordinateMotion)
    expected = full_coordinates(tree, steps)
    np.testing.assert_allclose(full_coordinates(tree, again), expected, atol=1e-5)


@pytest.mark.parametrize("ending", [".trc", ".csv"])
def test_coordinates_become_markers_and_come_back(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion, ending: str
) -> None:
    path = tmp_path / f"markers{ending}"
    write_motion(path, marker_motion(tree, steps), tree)
    markers = read_motion(path, tree)
    assert isinstance(markers, MarkerMotion)
    at_m = marker_motion(tree, steps).positions_m
    np.testing.assert_allclose(markers.positions_m, at_m, atol=1e-8)
    write_motion(tmp_path / "again.mot", markers, tree)
    again = read_motion(tmp_path / "again.mot", tree)
    assert isinstance(again, CoordinateMotion)
    np.testing.assert_allclose(marker_motion(tree, again).positions_m, at_m, atol=2e-3)


def test_unnamed_arrays_are_named_by_their_number(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion
) -> None:
    markers = marker_motion(tree, steps)
    seventeen = markers.positions_m[:, :17] * 1000
    np.savez(tmp_path / "coco.npz", keypoints=seventeen, fps=30)
    read = read_motion(tmp_path / "coco.npz", tree, unit="mm")
    assert isinstance(read, MarkerMotion)
    assert read.names == markers.names[:17]
    np.testing.assert_allclose(read.positions_m, markers.positions_m[:, :17])


def test_what_is_usual_for_a_skeleton_is_taken(tmp_path: Path, tree: Tree) -> None:
    names = (
        "pelvis spine_01 spine_02 spine_03 neck_01 head clavicle_l upperarm_l lowerarm_l hand_l "
        "thigh_l calf_l foot_l ball_l clavicle_r upperarm_r lowerarm_r hand_r thigh_r calf_r "
        "foot_r ball_r index_01_l index_01_r pinky_01_l pinky_01_r"
    ).split()
    header = ["time", *(f"{name}_{axis}" for name in names for axis in "xyz")]
    row = ["0", *["10", "20", "30"] * len(names)]
    (tmp_path / "u.csv").write_text(",".join(header) + "\n" + ",".join(row) + "\n")
    unreal = read_motion(tmp_path / "u.csv", tree)
    assert isinstance(unreal, MarkerMotion)  # centimetres, left-handed, Z up
    np.testing.assert_allclose(unreal.positions_m[0, 0], [0.1, 0.3, 0.2])
    told = read_motion(tmp_path / "u.csv", tree, unit="m", axes="y-up")
    assert isinstance(told, MarkerMotion)
    np.testing.assert_allclose(told.positions_m[0, 0], [10, 20, 30])


def test_unit_and_axes_of_a_table_of_ones_own_count(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion
) -> None:
    from spinetrack_synth.motion.skeletons import parse_skeleton

    table = parse_skeleton(
        'name = "mine"\ntitle = "Mine"\nunit = "cm"\naxes = "z-up"\n[points]\n'
        'Knee = { marker = "left_knee" }\nHip = { marker = "left_hip" }',
        "mine.toml",
    )
    row = "0,10,20,30,10,20,70"
    header = "time,Knee_x,Knee_y,Knee_z,Hip_x,Hip_y,Hip_z"
    (tmp_path / "a.csv").write_text(f"{header}\n{row}\n")
    motion = read_motion(tmp_path / "a.csv", tree, skeleton=table)
    assert isinstance(motion, MarkerMotion)
    np.testing.assert_allclose(motion.positions_m[0], [[0.1, 0.3, -0.2], [0.1, 0.7, -0.2]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda tree: read_motion(Path("a.fbx"), tree), "no motion format ends in '.fbx'"),
        (lambda tree: read_motion(Path("a.bhv"), tree), "did you mean .bvh"),
        (lambda tree: read_motion(Path("a.csv"), tree), "a.csv: no such file"),
        (lambda tree: read_motion(Path("a.csv"), tree, rate_hz=0), "rate 0"),
    ],
)
def test_mistakes_are_told(tree: Tree, call, message: str) -> None:
    with pytest.raises(UserError, match=message):
        call(tree)


def test_unknown_units_and_axes_are_told(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion
) -> None:
    write_motion(tmp_path / "a.csv", marker_motion(tree, steps), tree)
    with pytest.raises(UserError, match="unit 'furlong': choose m, cm, mm"):
        read_motion(tmp_path / "a.csv", tree, unit="furlong")
    with pytest.raises(UserError, match="axes 'up': choose y-up, z-up"):
        read_motion(tmp_path / "a.csv", tree, axes="up")


def test_an_unknown_ending_is_refused_before_work(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion
) -> None:
    with pytest.raises(UserError, match=r"no motion format ends in '\.fbx'"):
        write_motion(tmp_path / "a.fbx", steps, tree)
    assert not list(tmp_path.iterdir())


def test_times_that_are_no_seconds_are_noted(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion
) -> None:
    import dataclasses

    markers = marker_motion(tree, steps)
    slow = dataclasses.replace(markers, times_s=1000 * markers.times_s)
    write_motion(tmp_path / "ms.trc", slow, tree)
    assert read_motion(tmp_path / "ms.trc", tree).notes == (
        "its times make 0.03 frames a second: are they seconds?",
    )

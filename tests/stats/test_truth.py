"""Views and distances to the library, of the model in poses that are known."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.camera import look_at
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import pose_coordinates
from spinetrack_synth.rotations import about_x, about_y, about_z
from spinetrack_synth.stats.measures import JOINTS
from spinetrack_synth.stats.truth import columns_of, joint_angles, library_distance_m, views


def points_of(q: np.ndarray, scale: float = 1.0) -> np.ndarray:
    tree = scale_tree(fullbody(), np.full((len(fullbody().bodies), 3), scale))
    markers = [tree.marker_index[name] for name in skeleton.NAMES]
    return marker_positions(tree, q)[markers]


@pytest.mark.parametrize(
    ("towards", "azimuth", "elevation"),
    [
        ((1, 0, 0), 0, 0),  # X is forward
        ((0, 0, 1), 90, 0),  # Z is the subject's right
        ((-1, 0, 0), 180, 0),
        ((0, 0, -1), -90, 0),
        ((1, 1, 0), 0, 45),
        ((-1, -1, 0), 180, -45),
    ],
)
@pytest.mark.parametrize("turn", [np.eye(3), about_z(1.2) @ about_x(0.4) @ about_y(2.0)])
def test_the_camera_is_told_from_the_trunk_however_it_lies(
    towards: tuple[float, ...], azimuth: float, elevation: float, turn: np.ndarray
) -> None:
    points = points_of(np.zeros(len(fullbody().coordinates)))
    hips, shoulders = (
        (points[skeleton.INDEX[f"left_{part}"]] + points[skeleton.INDEX[f"right_{part}"]]) / 2
        for part in ("hip", "shoulder")
    )
    middle, lean = (hips + shoulders) / 2, shoulders - hips
    # The trunk's own up leans a little against the world's: the camera goes with it.
    own = about_z(-np.arctan2(lean[0], lean[1]))
    at = middle + 4 * own @ (np.array(towards) / np.linalg.norm(towards))
    camera = look_at(turn @ at, turn @ middle, focal_px=500, width=64, height=48)
    found = views((points @ turn.T)[None], camera.world2cam[None])
    assert (found["azimuth_deg"][0] - azimuth + 180) % 360 == pytest.approx(180, abs=0.5)
    assert found["elevation_deg"][0] == pytest.approx(elevation, abs=0.5)
    assert found["distance_m"][0] == pytest.approx(4)
    rise = np.degrees(np.arcsin((turn @ (at - middle))[1] / 4))
    assert found["above_horizon_deg"][0] == pytest.approx(rise, abs=1e-6)


def test_poses_of_the_library_are_at_no_distance_at_any_size_and_mirrored() -> None:
    tree = fullbody()
    poses = [
        pose_coordinates(tree, library()[name]) for name in ("tadasana", "navasana", "jog_toe_off")
    ]
    points = np.array([points_of(q, scale) for q, scale in zip(poses, (1.0, 0.8, 1.2))])
    mirrored = points[:, list(skeleton.MIRROR)] * [1, 1, -1]
    assert library_distance_m(np.concatenate([points, mirrored])).max() < 1e-6


def test_a_bent_elbow_is_as_far_from_standing_as_its_points_have_moved() -> None:
    tree = fullbody()
    q = pose_coordinates(tree, library()["tadasana"])
    before = points_of(q)
    q[tree.coordinate_index["elbow_flex_r"]] += 0.3
    after = points_of(q)
    moved = np.sqrt(((after - before) ** 2).sum() / len(skeleton.NAMES))
    assert 0.005 < library_distance_m(after[None])[0] <= moved + 1e-9


def test_joint_angles_are_degrees_of_both_sides() -> None:
    tree = fullbody()
    q = np.zeros((2, len(tree.coordinates)))
    q[0, tree.coordinate_index["knee_angle_r"]] = np.radians(30)
    q[1, tree.coordinate_index["knee_angle_l"]] = np.radians(70)
    found = joint_angles(q, list(tree.coordinates))
    assert set(found) == {f"{name}_deg" for name in JOINTS}
    np.testing.assert_allclose(sorted(found["knee_angle_deg"]), [0, 0, 30, 70])


def test_clothes_are_counted_together_and_one_by_one() -> None:
    pa = pytest.importorskip("pyarrow")
    worn = ["shorts, t-shirt", "", "gi trousers, gi jacket", "shorts, tank"]
    found = columns_of(pa.record_batch({"clothes": worn, "beard": ["", None, "full", ""]}), [])
    assert found["clothes"] == [worn[0], "none", *worn[2:]]
    assert found["garments"].count("shorts") == 2 and "gi jacket" in found["garments"]
    assert found["beard"] == ["none", "none", "full", "none"]

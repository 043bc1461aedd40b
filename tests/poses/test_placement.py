import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.placement import angles_zxy, moved, rotation_zxy, turned
from spinetrack_synth.poses.sampling import pose_coordinates

angle = st.floats(-3.1, 3.1)


@given(st.tuples(angle, st.floats(-1.5, 1.5), angle))
def test_angles_come_back_from_their_rotation(angles):
    assert angles_zxy(rotation_zxy(angles), near_rad=angles) == pytest.approx(angles, abs=1e-6)


@given(angle, angle, st.sampled_from([-1, 1]))
def test_a_locked_gimbal_gives_the_same_rotation(z, y, sign):
    rotation = rotation_zxy((z, sign * np.pi / 2, y))
    again = rotation_zxy(angles_zxy(rotation, near_rad=(0.3, 0.0, 0.7)))
    assert again == pytest.approx(rotation, abs=1e-6)


def test_order_is_z_then_x_then_y():
    tilted = rotation_zxy((np.pi / 2, 0.0, 0.0))
    assert tilted @ [0, 1, 0] == pytest.approx([-1, 0, 0])  # positive tilt leans back
    listed = rotation_zxy((0.0, np.pi / 2, 0.0))
    assert listed @ [0, 1, 0] == pytest.approx([0, 0, 1])  # positive list leans to the right
    assert rotation_zxy((0.3, 0.4, 0.5)) == pytest.approx(
        rotation_zxy((0.3, 0, 0)) @ rotation_zxy((0, 0.4, 0)) @ rotation_zxy((0, 0, 0.5))
    )


@given(st.sampled_from(sorted(library())), angle)
def test_turning_turns_every_body_about_the_vertical(tree, name, yaw):
    q = moved(tree, pose_coordinates(tree, library()[name]), (0.4, 0.9, -0.3))
    turn = np.eye(4)
    turn[:3, :3] = rotation_zxy((0.0, 0.0, yaw))
    assert body_transforms(tree, turned(tree, q, yaw)) == pytest.approx(
        turn @ body_transforms(tree, q), abs=1e-9
    )


def test_moving_moves_every_body(tree):
    q = pose_coordinates(tree, library()["tadasana"])
    before, after = body_transforms(tree, q), body_transforms(tree, moved(tree, q, (1, 2, 3)))
    assert after[:, :3, 3] - before[:, :3, 3] == pytest.approx(
        np.tile([1.0, 2, 3], (len(before), 1))
    )

"""Between OpenSim's world and Unreal's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from spinetrack_synth.camera import look_at
from spinetrack_synth.rendering.unreal import axes
from spinetrack_synth.rotations import quaternion_matrix

coordinate = st.floats(-5, 5)
point = st.tuples(coordinate, coordinate, coordinate)
quaternion = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1)
rotator = st.tuples(st.floats(-89, 89), st.floats(-179, 179), st.floats(-179, 179))


def frame_of(quaternion, place):
    frame = np.eye(4)
    frame[:3, :3] = Rotation.from_quat(quaternion).as_matrix()
    frame[:3, 3] = place
    return frame


def test_forward_up_and_right_are_where_unreal_has_them() -> None:
    np.testing.assert_array_equal(axes.to_unreal([1, 0, 0]), [100, 0, 0])
    np.testing.assert_array_equal(axes.to_unreal([0, 1, 0]), [0, 0, 100])  # up is Z
    np.testing.assert_array_equal(axes.to_unreal([0, 0, 1]), [0, 100, 0])  # right is Y


@given(point)
def test_points_come_back(place) -> None:
    np.testing.assert_allclose(axes.to_world(axes.to_unreal(place)), place, atol=1e-12)


@given(quaternion, point, point)
def test_a_point_of_a_body_is_at_one_place_in_both_worlds(turn, place, local) -> None:
    frame = frame_of(turn, place)
    location, unreal_turn = axes.frames_to_unreal(frame)
    there = quaternion_matrix(unreal_turn) @ axes.to_unreal(local) + location
    here = frame[:3, :3] @ local + frame[:3, 3]
    np.testing.assert_allclose(there, axes.to_unreal(here), atol=1e-9)


@given(quaternion, point)
def test_frames_come_back(turn, place) -> None:
    frame = frame_of(turn, place)
    np.testing.assert_allclose(
        axes.frames_to_world(*axes.frames_to_unreal(frame)), frame, atol=1e-12
    )


def test_many_frames_at_once_are_the_frames_one_by_one() -> None:
    rng = np.random.default_rng(5)
    frames = np.array([frame_of(rng.normal(size=4), rng.normal(size=3)) for _ in range(6)])
    locations, turns = axes.frames_to_unreal(frames.reshape(2, 3, 4, 4))
    for k, frame in enumerate(frames):
        location, turn = axes.frames_to_unreal(frame)
        np.testing.assert_array_equal(locations.reshape(-1, 3)[k], location)
        np.testing.assert_array_equal(turns.reshape(-1, 4)[k], turn)


@given(rotator)
def test_rotators_come_back(angles) -> None:
    back = axes.matrix_rotator(axes.rotator_matrix(angles))
    np.testing.assert_allclose(back, angles, atol=1e-7)


@pytest.mark.parametrize(
    ("angles", "forward", "up"),
    [
        ((90, 0, 0), (0, 0, 1), (-1, 0, 0)),  # pitch looks up
        ((0, 90, 0), (0, 1, 0), (0, 0, 1)),  # yaw looks right
        ((0, 0, 90), (1, 0, 0), (0, 1, 0)),  # roll turns clockwise, seen from behind: up goes right
    ],
)
def test_rotators_turn_as_unreal_does(angles, forward, up) -> None:
    matrix = axes.rotator_matrix(angles)
    np.testing.assert_allclose(matrix @ [1, 0, 0], forward, atol=1e-12)
    np.testing.assert_allclose(matrix @ [0, 0, 1], up, atol=1e-12)


@given(st.sampled_from([-90.0, 90.0]), st.floats(-170, 170), st.floats(-170, 170))
def test_straight_up_and_down_keep_their_rotation(pitch, yaw, roll) -> None:
    matrix = axes.rotator_matrix([pitch, yaw, roll])
    back = axes.rotator_matrix(axes.matrix_rotator(matrix))
    np.testing.assert_allclose(back, matrix, atol=1e-6)


@given(st.floats(-3, 3))
def test_a_yaw_turns_the_floor_alike_in_both_worlds(turn) -> None:
    cos, sin = np.cos(turn), np.sin(turn)
    about_y = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    there = axes.rotator_matrix([0, axes.yaw_deg(turn), 0])
    np.testing.assert_allclose(there, axes.rotations_swapped(about_y), atol=1e-12)
    assert axes.yaw_rad(axes.yaw_deg(turn)) == pytest.approx(turn)


@given(st.floats(-3, 3), st.floats(-1.5, 1.5), st.floats(-3, 3))
def test_a_tilted_thing_is_turned_alike_in_both_worlds(yaw, pitch, roll) -> None:
    (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cp, -sp, 0], [sp, cp, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    there = axes.rotator_matrix(axes.rotator_deg(yaw, pitch, roll))
    here = axes.rotations_swapped(about_y @ about_z @ about_x)
    np.testing.assert_allclose(there, here, atol=1e-12)


@given(point, st.floats(-3, 3), st.sampled_from([(640, 480), (480, 640)]), point)
def test_cameras_see_the_same_in_both_worlds(offset, roll, size, seen) -> None:
    position = np.array([9.0, 1.0, 0.0]) + np.array(offset) * 0.3
    camera = look_at(
        position, [0, 1, 0], focal_px=700, width=size[0], height=size[1], roll_rad=roll
    )
    unreal = axes.camera_to_unreal(camera)
    back = axes.camera_to_world(unreal)
    np.testing.assert_allclose(back.K, camera.K, atol=1e-9)
    np.testing.assert_allclose(back.world2cam, camera.world2cam, atol=1e-9)
    # Unreal's way to a pixel: along the turned axes, the field of view across the larger side.
    local = axes.rotator_matrix(unreal.rotator_deg).T @ (axes.to_unreal(seen) - unreal.location)
    half = max(size) / 2 / np.tan(np.radians(unreal.fov_deg) / 2)
    pixel = [size[0] / 2 + half * local[1] / local[0], size[1] / 2 - half * local[2] / local[0]]
    np.testing.assert_allclose(pixel, camera.project(seen), atol=1e-6)

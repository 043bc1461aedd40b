"""The pinhole camera."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.camera import look_at

CAMERA = look_at([4.0, 1.5, 0.5], [0.0, 1.0, 0.0], focal_px=700.0, width=640, height=480)
coordinate = st.floats(-3, 3)


def test_the_target_is_in_the_middle_of_the_picture() -> None:
    np.testing.assert_allclose(CAMERA.project([0.0, 1.0, 0.0]), [320, 240], atol=1e-9)


def test_up_is_up_and_the_subjects_left_is_on_the_right_seen_from_the_front() -> None:
    above, left = CAMERA.project([[0.0, 1.5, 0.0], [0.0, 1.0, -0.5]])
    assert above[1] < 240
    assert left[0] > 320


def test_the_optical_centre_is_where_the_camera_was_put() -> None:
    np.testing.assert_allclose(CAMERA.position_world, [4.0, 1.5, 0.5], atol=1e-12)


@given(st.tuples(coordinate, coordinate, coordinate))
def test_unprojecting_undoes_projecting(point: tuple[float, float, float]) -> None:
    depth = CAMERA.to_camera(point)[2]
    if depth < 0.1:
        assert depth > 0 or np.isnan(CAMERA.project(point)).all()
    else:
        np.testing.assert_allclose(CAMERA.unproject(CAMERA.project(point), depth), point, atol=1e-9)


def test_points_at_or_behind_the_camera_become_nan() -> None:
    assert np.isnan(CAMERA.project([[4.0, 1.5, 0.5], [8.0, 1.5, 0.5]])).all()


def test_shapes_are_kept() -> None:
    points = np.zeros((2, 5, 3))
    assert CAMERA.project(points).shape == (2, 5, 2)
    assert CAMERA.unproject(np.zeros((2, 5, 2)), np.ones((2, 5))).shape == (2, 5, 3)


def test_roll_turns_the_picture_about_its_middle() -> None:
    def view(roll: float):
        return look_at([4, 1, 0], [0, 1, 0], focal_px=700, width=640, height=480, roll_rad=roll)

    point = [0.0, 1.4, 0.3]
    offset = view(0.0).project(point) - [320, 240]
    turned = view(np.pi / 2).project(point) - [320, 240]
    np.testing.assert_allclose(turned, [offset[1], -offset[0]], atol=1e-9)


def test_looking_straight_down_has_no_up() -> None:
    with pytest.raises(ValueError, match="no up direction"):
        look_at([0, 3, 0], [0, 0, 0], focal_px=700, width=640, height=480)

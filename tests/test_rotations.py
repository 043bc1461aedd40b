"""Rotations as matrices and quaternions, held against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from spinetrack_synth.rotations import (
    about_x,
    about_y,
    about_z,
    matrix_quaternion,
    quaternion_matrix,
    yaw_xz,
)

quaternion = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1)


@pytest.mark.parametrize("axis, about", [("x", about_x), ("y", about_y), ("z", about_z)])
@given(angle=st.floats(-7, 7))
def test_rotations_about_an_axis_are_those_of_scipy(axis, about, angle) -> None:
    expected = Rotation.from_euler(axis, angle).as_matrix()
    np.testing.assert_allclose(about(angle), expected, atol=1e-12)


@given(st.floats(-7, 7))
def test_a_yaw_does_the_same_to_x_and_z(angle) -> None:
    np.testing.assert_array_equal(yaw_xz(angle), about_y(angle)[np.ix_([0, 2], [0, 2])])


@given(quaternion)
def test_quaternions_are_those_of_scipy(q) -> None:
    matrix = Rotation.from_quat(q).as_matrix()
    np.testing.assert_allclose(quaternion_matrix(q), matrix, atol=1e-12)
    np.testing.assert_allclose(
        Rotation.from_quat(matrix_quaternion(matrix)).as_matrix(), matrix, atol=1e-12
    )


def test_half_turns_have_their_quaternion() -> None:
    for axis in np.eye(3):
        matrix = Rotation.from_rotvec(np.pi * axis).as_matrix()
        np.testing.assert_allclose(np.abs(matrix_quaternion(matrix)), [*axis, 0], atol=1e-12)

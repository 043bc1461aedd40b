"""Scaled models: what grows, what stays."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import coordinates_from, marker_positions
from spinetrack_synth.anatomy.scaling import scale_tree, with_marker_offsets
from spinetrack_synth.errors import UserError


def test_uniform_scaling_grows_every_distance(coupled):
    q = coordinates_from(
        coupled, {"lumbar_extension": -0.5, "knee_angle_r": 1.0, "arm_add_l": -1.2}
    )
    q[coupled.coordinate_index["pelvis_ty"]] = 0.0
    scaled = scale_tree(coupled, np.full((len(coupled.bodies), 3), 1.1))
    np.testing.assert_allclose(
        marker_positions(scaled, q), 1.1 * marker_positions(coupled, q), atol=1e-12
    )


def test_a_longer_thigh_moves_the_knee_alone(coupled):
    factors = np.ones((len(coupled.bodies), 3))
    factors[coupled.body_index["femur_r"], 1] = 1.2
    q = coupled.default_coordinates
    moved = marker_positions(scale_tree(coupled, factors), q) - marker_positions(coupled, q)
    below = {"right_knee", "right_ankle", "right_heel", "right_big_toe", "right_small_toe"}
    for name, step in zip(coupled.marker_names, moved):
        expected = [0, -0.2 * 0.420, 0] if name in below else [0, 0, 0]
        np.testing.assert_allclose(step, expected, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("factors", [np.ones(3), np.zeros((47, 3)), np.full((47, 3), np.nan)])
def test_impossible_factors_are_refused(coupled, factors):
    with pytest.raises(ValueError, match="positive"):
        scale_tree(coupled, factors)


def test_marker_offsets_are_replaced(coupled):
    moved = with_marker_offsets(coupled, {"nose": (0.1, 0.02, 0.0)})
    changed = moved.marker_offset_m != coupled.marker_offset_m
    np.testing.assert_array_equal(
        np.flatnonzero(changed.any(axis=1)), [coupled.marker_index["nose"]]
    )
    np.testing.assert_array_equal(
        moved.marker_offset_m[coupled.marker_index["nose"]], [0.1, 0.02, 0]
    )
    with pytest.raises(UserError, match="'tail'"):
        with_marker_offsets(coupled, {"tail": (0, 0, 0)})

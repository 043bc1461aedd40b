"""The model's own motion as points and as BVH."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import body_transforms_batch, marker_positions
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.bvh import joint_motion
from spinetrack_synth.motion.data import CoordinateMotion
from spinetrack_synth.motion.model_motion import as_bvh, full_coordinates, marker_motion


def test_driven_coordinates_follow(tree: Tree, steps: CoordinateMotion) -> None:
    q = full_coordinates(tree, steps)
    z = steps.values
    np.testing.assert_allclose(q, z @ tree.coupling.T + tree.offset, atol=1e-12)


def test_a_motion_without_a_free_coordinate_is_refused(tree: Tree, steps: CoordinateMotion) -> None:
    renamed = dataclasses.replace(steps, names=tuple(f"x{i}" for i in range(len(steps.names))))
    with pytest.raises(UserError, match="no free coordinate"):
        full_coordinates(tree, renamed)


def test_markers_are_those_of_the_model(tree: Tree, steps: CoordinateMotion) -> None:
    markers = marker_motion(tree, steps)
    at_m = marker_positions(tree, full_coordinates(tree, steps)[5])
    np.testing.assert_allclose(markers.positions_m[5], at_m)


def test_joints_of_a_bvh_stand_where_the_bodies_are(tree: Tree, steps: CoordinateMotion) -> None:
    motion = joint_motion(as_bvh(tree, steps))
    bodies = body_transforms_batch(tree, full_coordinates(tree, steps))
    count = len(tree.bodies)
    assert motion.names[:count] == tree.bodies
    np.testing.assert_allclose(motion.positions_m[:, :count], bodies[:, :, :3, 3], atol=1e-9)
    assert any(name == "skull_end" for name in motion.names)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from spinetrack_synth.avatars.skinning import bind, deform, swings, vertex_normals, vertex_rings

ORDER = np.array([[0, -1], [1, 0]], dtype=np.int32)
angles = st.floats(-3.0, 3.0)
places = st.floats(-2.0, 2.0)


def cylinder(rows: int = 21, around: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """A limb of radius 0.05 m along Y from 0 to 1 m, (V, 3) and quads (F, 4)."""
    height, turn = np.meshgrid(
        np.linspace(0, 1, rows), np.arange(around) * 2 * np.pi / around, indexing="ij"
    )
    vertices = np.stack([0.05 * np.cos(turn), height, 0.05 * np.sin(turn)], axis=-1).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(around), indexing="ij")
    a, b = row * around + column, row * around + (column + 1) % around
    quads = np.stack([a, b, b + around, a + around], axis=-1).reshape(-1, 4)
    return vertices, quads.astype(np.int32)


def two_bone_binding(softness: float = 1.0):
    vertices, quads = cylinder()
    upper = np.clip((vertices[:, 1] - 0.3) / 0.4, 0, 1)
    bone = np.tile(np.array([0, 1]), (len(vertices), 1))
    weight = np.stack([1 - upper, upper], axis=1)
    return bind(
        vertices, bone, weight, vertex_rings(quads, len(vertices)), np.full(len(vertices), softness)
    ), vertices


def rigid(rotation_vector, translation) -> np.ndarray:
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_rotvec(rotation_vector).as_matrix()
    motion[:3, 3] = translation
    return motion


@settings(deadline=None, max_examples=30)
@given(st.tuples(angles, angles, angles), st.tuples(places, places, places))
def test_a_common_rigid_motion_moves_the_skin_rigidly(rotation_vector, translation):
    binding, vertices = two_bone_binding()
    motion = rigid(rotation_vector, translation)
    moved, _ = deform(binding, np.stack([motion, motion]), ORDER)
    np.testing.assert_allclose(moved, vertices @ motion[:3, :3].T + motion[:3, 3], atol=1e-9)


def test_ends_that_follow_one_bone_move_exactly_with_it():
    binding, vertices = two_bone_binding()
    motion = rigid([0, 0, 1.2], [0.1, 0.2, 0.3])
    moved, _ = deform(binding, np.stack([np.eye(4), motion]), ORDER)
    far_below, far_above = vertices[:, 1] < 0.05, vertices[:, 1] > 0.95
    # Smoothing reaches ten rows; the outermost rows are kept from it by the rest detail.
    np.testing.assert_allclose(moved[far_below], vertices[far_below], atol=5e-3)
    wanted = vertices[far_above] @ motion[:3, :3].T + motion[:3, 3]
    np.testing.assert_allclose(moved[far_above], wanted, atol=5e-3)


@pytest.mark.parametrize("twist_deg", [90, 150, 175])
def test_a_twisted_limb_keeps_its_thickness(twist_deg):
    binding, _ = two_bone_binding(softness=0.0)
    motion = rigid([0, np.radians(twist_deg), 0], [0, 0, 0])
    moved, _ = deform(binding, np.stack([np.eye(4), motion]), ORDER)
    radius = np.hypot(moved[:, 0], moved[:, 2])
    assert radius.min() > 0.049 and radius.max() < 0.051


def test_blending_goes_the_short_way_round_whatever_the_sign_of_the_quaternion():
    binding, _ = two_bone_binding(softness=0.0)
    before, _ = deform(
        binding,
        np.stack(
            [rigid([0, np.radians(179), 0], [0, 0, 0]), rigid([0, np.radians(181), 0], [0, 0, 0])]
        ),
        ORDER,
    )
    radius = np.hypot(before[:, 0], before[:, 2])
    assert radius.min() > 0.049


@settings(deadline=None, max_examples=50)
@given(st.tuples(angles, angles, angles), st.tuples(angles, angles, angles))
def test_swing_points_the_limb_the_same_way_without_twist(parent_vector, child_vector):
    axis = np.array([0.6, -0.8, 0.0])
    joint = np.array([0.1, 1.4, 0.2])
    parent = rigid(parent_vector, [0.3, 0.0, -0.1])
    local = rigid(child_vector, [0, 0, 0])
    local[:3, 3] = joint - local[:3, :3] @ joint
    motion = parent @ local
    motions = np.stack([parent, motion])
    swing = swings(motions, np.array([[0, 1]]), joint[None], axis[None])[0]
    tip = joint + 0.3 * axis
    for point in (joint, tip):
        np.testing.assert_allclose(
            swing[:3, :3] @ point + swing[:3, 3], motion[:3, :3] @ point + motion[:3, 3], atol=1e-9
        )
    relative = Rotation.from_matrix((np.linalg.inv(parent) @ swing)[:3, :3]).as_rotvec()
    assert abs(relative @ axis) < 1e-6


def test_normals_point_outward_and_are_shared_across_a_seam():
    vertices, quads = cylinder()
    faces = np.concatenate([quads[:, [0, 2, 1]], quads[:, [0, 3, 2]]])
    doubled = np.concatenate([vertices, vertices])
    weld = np.tile(np.arange(len(vertices)), 2)
    half = len(faces) // 2
    split = np.concatenate([faces[:half], faces[half:] + len(vertices)])
    normals = vertex_normals(doubled, split, weld)
    np.testing.assert_allclose(normals[: len(vertices)], normals[len(vertices) :])
    outward = np.einsum("ij,ij->i", normals[: len(vertices)], vertices * [1, 0, 1])
    assert (np.abs(outward) > 0.045).all() and (np.sign(outward) == np.sign(outward[0])).all()

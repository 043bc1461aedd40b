import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.scenes.props import furniture, gear, outdoors
from spinetrack_synth.scenes.shapes import (
    Mesh,
    box,
    cylinder,
    joined,
    leaves,
    moved,
    rectangle,
    rounded_rectangle,
    slab,
    sphere,
    terrain,
    tube,
    tubes,
    turned,
    wall,
)

lengths = st.floats(0.02, 5)


def volume(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def face_normals(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def test_tubes_are_so_many_tubes():
    paths = np.array([[[0, 0, 0], [0, 1, 0], [0.2, 2, 0.3]], [[1, 0, 0], [3, 0.5, 0], [4, 0, 0]]])
    radii = np.array([[0.2, 0.1, 0.05], [0.3, 0.3, 0.2]])
    both, alone = tubes(paths, radii, 5), joined(tube(p, r, 5) for p, r in zip(paths, radii))
    for name in ("vertices", "faces", "uv", "normals"):
        np.testing.assert_array_equal(getattr(both, name), getattr(alone, name))
    for path, radius, ring in zip(paths, radii, both.vertices.reshape(2, 3, 6, 3)):
        away = np.linalg.norm(ring - path[:, None], axis=2)
        np.testing.assert_allclose(away, np.tile(radius[:, None], 6))


@given(x=lengths, y=lengths, z=lengths)
def test_a_box_has_its_size_and_is_closed(x, y, z):
    edge = 0.1 * min(x, y, z)
    mesh = box((x, y, z), (1, 2, 3), edge=edge)
    np.testing.assert_allclose(mesh.bounds, np.array([1, 2, 3]) + np.outer([-0.5, 0.5], [x, y, z]))
    # Rounding takes off the corners, no more than what lies outside an inner box.
    inner = (x - 2 * edge) * (y - 2 * edge) * (z - 2 * edge)
    assert inner < volume(moved(mesh, (-1, -2, -3))) < x * y * z


@pytest.mark.parametrize(
    "mesh",
    [
        box((1, 2, 3)),
        cylinder(0.5, 1),
        sphere(1.0, 24),
        tube([[0, 0, 0], [0, 1, 0], [0.2, 2, 0.3]], [0.2, 0.1, 0.05]),
        slab(rounded_rectangle(1.8, 0.6, 0.03), 0.005),
        wall((0, 0, 0), (5, 0, 0), 3, [(1, 2, 0.5, 2)]),
        terrain([1, 2, 3], 16, np.zeros((3, 17))),
        turned(box((1, 2, 3)), yaw=1, pitch=0.3, roll=0.4),
    ],
    ids=["box", "cylinder", "sphere", "tube", "slab", "wall", "terrain", "turned"],
)
def test_normals_are_unit_and_on_the_side_of_the_faces(mesh):
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-9)
    facing = face_normals(mesh)
    proper = np.linalg.norm(facing, axis=1) > 1e-12
    agree = (facing[:, None] * mesh.normals[mesh.faces]).sum(-1).mean(1)
    assert (agree[proper] > 0).all()


def test_a_ball_is_round():
    assert volume(sphere(1.0, 64)) == pytest.approx(4 / 3 * np.pi, rel=0.02)


def test_ground_faces_up():
    assert (face_normals(terrain([1, 2, 3], 16, np.zeros((3, 17))))[:, 1] > 0).all()
    assert (face_normals(rectangle((0, 0, 0), (0, 0, 1), (1, 0, 0)))[:, 1] > 0).all()


def test_a_wall_faces_along_cross_up_and_leaves_its_openings_out():
    mesh = wall((0, 0, 0), (5, 0, 0), 3, [(1, 2, 0.5, 2)])
    facing = face_normals(mesh)
    np.testing.assert_allclose(facing.sum(0) / 2, [0, 0, 5 * 3 - 1.5], atol=1e-9)


def test_joining_keeps_the_parts_apart():
    one, other = box((1, 1, 1)), box((1, 1, 1), (5, 0, 0))
    both = joined([one, other])
    assert volume(both) == pytest.approx(volume(one) + volume(other), rel=1e-9)


def test_leaves_shade_outwards():
    rng = np.random.default_rng(1)
    outward = rng.normal(size=(500, 3))
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    mesh = leaves(outward, outward, 0.1, rng)
    assert ((mesh.normals.reshape(-1, 4, 3) * outward[:, None]).sum(-1) > 0).all()


@pytest.mark.parametrize(
    ("prop", "height"),
    [
        (gear.block(), 0.075),
        (gear.bolster(), 0.23),
        (gear.bottle(), 0.262),
        (furniture.bench(), 0.445),
        (gear.rolled_mat(), 0.11),
        (outdoors.park_bench(), 0.9),
        (outdoors.lamp_post(), 3.58),
    ],
)
def test_things_stand_on_the_floor_at_their_true_height(prop, height):
    low = min(mesh.bounds[0, 1] for _, mesh in prop)
    high = max(mesh.bounds[1, 1] for _, mesh in prop)
    assert abs(low) < 0.012
    assert high == pytest.approx(height, rel=0.08)

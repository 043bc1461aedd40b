"""A shot as flat arrays."""

from __future__ import annotations

import numpy as np
import pytest
from plain_shapes import GREY, ball, make_shot, person, rectangle, triangles

from spinetrack_synth.rendering.packing import owners, pack, smooth, texels
from spinetrack_synth.shot import AreaLight, Material, Sun


def test_every_face_keeps_its_corners_surface_and_person() -> None:
    floor = rectangle("floor", (0, 0, 0), (0, 0, 2), (2, 0, 0))
    first, second = ball("a", (0, 1, 0), 0.3, rings=4), ball("b", (0, 1, 1), 0.3, rings=5)
    hat = triangles("hat", np.arange(18).reshape(2, 3, 3))
    shot = make_shot([person(first), person(second, hat)], [floor])
    packed = pack(shot)
    assert packed.keys == ("floor", "a", "b", "hat")
    np.testing.assert_array_equal(owners(shot), [0, 1, 2, 2])
    for number, surface in enumerate((floor, first, second, hat)):
        faces = packed.faces[packed.face_surface == number]
        np.testing.assert_array_equal(packed.vertices[faces], surface.vertices_world[surface.faces])
        np.testing.assert_array_equal(packed.uv[faces], surface.uv[surface.faces])


def test_flat_surfaces_get_the_normals_of_their_triangles() -> None:
    bent = rectangle("bent", (0, 0, 0), (1, 0, 0), (0, 1, 0))
    bent.vertices_world[3] = (0, 0, 1)
    flat = smooth(bent)
    corners = flat.vertices_world[flat.faces]
    expected = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert flat.normals_world is not None
    for corner in range(3):
        np.testing.assert_allclose(flat.normals_world[flat.faces[:, corner]], expected, atol=1e-6)
    round_one = ball("round", (0, 0, 0), 1)
    assert smooth(round_one) is round_one


def test_lamps_come_last_glow_and_face_along_u_x_v() -> None:
    lamp = AreaLight((1, 2, 3), (0, 0, 0.5), (0.25, 0, 0), (4, 5, 6))
    shot = make_shot((), [rectangle("floor", (0, 0, 0), (1, 0, 0), (0, 0, 1))])
    packed = pack(make_shot((), shot.surroundings, (Sun((0, 1, 0)), lamp)))
    np.testing.assert_array_equal(packed.emission, [(0, 0, 0), (4, 5, 6)])
    faces = packed.faces[packed.face_surface == 1]
    np.testing.assert_allclose(packed.normals[faces], np.broadcast_to((0, 1, 0), (2, 3, 3)))
    np.testing.assert_allclose(packed.vertices[faces].reshape(-1, 3).min(0), (0.75, 2, 2.5))
    np.testing.assert_allclose(packed.vertices[faces].reshape(-1, 3).max(0), (1.25, 2, 3.5))


@pytest.mark.parametrize("color_size", [(1, 1), (4, 6), (8, 6)])
@pytest.mark.parametrize("opacity_size", [None, (4, 6), (2, 12)])
def test_texels_start_at_v_0_and_keep_the_finer_image(color_size, opacity_size) -> None:
    rng = np.random.default_rng(0)
    color = rng.integers(0, 255, (*color_size, 3), dtype=np.uint8)
    opacity = None if opacity_size is None else rng.integers(0, 255, opacity_size, dtype=np.uint8)
    image = texels(Material(color, opacity=opacity))
    height, width = image.shape[:2]
    sizes = [color_size] if opacity_size is None else [color_size, opacity_size]
    assert (height, width) == tuple(np.max(sizes, axis=0))
    for row in range(height):
        for column in range(width):
            place = (height - 1 - row) / height, column / width
            here = tuple(int(p * s) for p, s in zip(place, color_size))
            np.testing.assert_array_equal(image[row, column, :3], color[here])
            if opacity is not None and opacity_size is not None:
                here = tuple(int(p * s) for p, s in zip(place, opacity_size))
                assert image[row, column, 3] == opacity[here]
    if opacity is None:
        assert (image[..., 3] == 255).all()


def test_a_plain_colour_is_one_texel() -> None:
    assert texels(GREY).tolist() == [[[128, 128, 128, 255]]]

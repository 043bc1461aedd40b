"""A map of normals lights a surface as normals of its vertices do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plain_shapes import make_shot, rectangle

from spinetrack_synth.camera import look_at
from spinetrack_synth.shot import Material, Sun

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("toward", [(0.5, 0.0), (0.0, -0.5)])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_tilted_map_lights_as_a_tilted_surface(any_renderer, toward, mirrored) -> None:
    if mirrored and any_renderer.variant.startswith("scalar"):
        pytest.skip("Mitsuba's own plugin takes the second axis for the cross product")
    grey = Material((0.5, 0.5, 0.5), roughness=0.9, specular=0.0)
    flat = rectangle("floor", (0, 0, 0), (0, 0, 3), (3, 0, 0), grey)
    uv = flat.uv * [-1, 1] + [1, 0] if mirrored else flat.uv
    flat = replace(flat, uv=uv.astype(np.float32))
    points = flat.vertices_world[flat.faces[0]].astype(float)
    # Directions of growing u and v, by solving for them.
    edges, steps = points[1:] - points[0], np.diff(flat.uv[flat.faces[0]].astype(float), axis=0)
    steps = np.stack([steps[0], steps[0] + steps[1]])
    along = np.linalg.solve(steps, edges)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    normal = np.array([*toward, 1.0]) / np.linalg.norm([*toward, 1.0])
    tilted = normal[0] * along[0] + normal[1] * along[1] + normal[2] * np.array([0, 1.0, 0])
    texel = np.rint(255 * (0.5 + 0.5 * normal)).astype(np.uint8)
    mapped = Material((0.5, 0.5, 0.5), 0.9, 0.0, normals=np.tile(texel, (2, 2, 1)))
    by_map = replace(flat, key="map", material=mapped)
    by_vertex = replace(
        flat, key="vertex", normals_world=np.tile(tilted, (len(flat.uv), 1)).astype(np.float32)
    )
    camera = look_at((1, 4, 0.5), (0, 0, 0), focal_px=100, width=9, height=9)
    lights = (Sun((0.4, 0.8, 0.45), sky_scale=0.0),)

    def light(floor) -> float:
        shot = make_shot((), [floor], lights, camera)
        image = any_renderer._staged(shot).light(shot.camera, spp=16, seed=3, depth=1)[0]
        return float(image[4, 4].mean())

    assert light(by_map) == pytest.approx(light(by_vertex), rel=0.03)
    assert abs(light(by_map) / light(flat) - 1) > 0.05

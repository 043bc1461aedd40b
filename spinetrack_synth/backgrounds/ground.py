"""The ground that people stand on before a background: not seen, it catches their shadows."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.scenes.mats import THICKNESS_M
from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.shapes import terrain
from spinetrack_synth.shot import Material, Surface

REACH_M: Final = 80.0
"""Radius of the ground; its rim lies a degree below the horizon."""

LENS_M: Final = (0.9, 1.8)
"""Height of the lens above the ground: as people hold cameras and panoramas are taken."""

_NAME: Final = "ground"


@cache
def open_ground() -> Place:
    """Level ground with room on all sides."""
    return Place(
        name=_NAME,
        variant=0,
        surfaces=(ground_surface((0.2, 0.2, 0.2)),),
        mat_area=np.array([[-3.0, -3.0], [3.0, 3.0]]),
        camera_room=np.array([[-14.0, LENS_M[0], -14.0], [14.0, LENS_M[1], 14.0]]),
        obstacles=np.zeros((0, 2, 3)),
    )


def ground_surface(albedo: ArrayLike) -> Surface:
    """The ground with an albedo (3,), linear RGB."""
    linear = np.clip(np.asarray(albedo, float), 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = (float(channel) for channel in encoded)
    shape = _disc()
    return Surface(
        key=_NAME,
        vertices_world=shape.vertices.astype(np.float32),
        faces=shape.faces,
        uv=shape.uv.astype(np.float32),
        material=Material((red, green, blue), roughness=1.0, specular=0.0),
        normals_world=shape.normals.astype(np.float32),
    )


@cache
def _disc():  # type: ignore[no-untyped-def]
    rings = np.array([0.01, 4.0, 20.0, REACH_M])
    return terrain(rings, 48, np.full((len(rings), 49), -THICKNESS_M))

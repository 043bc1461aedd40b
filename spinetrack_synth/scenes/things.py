"""All movable things by the names of their assets, around the origin and as they lie."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.scenes import mats
from spinetrack_synth.scenes.props import held, supports
from spinetrack_synth.scenes.shapes import Array, rotation
from spinetrack_synth.shot import Surface, Thing

ASSETS: Final = (
    *mats.ASSETS,
    *(f"support/{name}/{style}" for name in supports.MAKERS for style in range(supports.STYLES)),
    *(f"held/{name}/{style}" for name in held.MAKERS for style in range(held.STYLES)),
)
"""Names of all things: what a ``Thing`` may be."""


def unit_surfaces(asset: str) -> tuple[Surface, ...]:
    """An asset as it is made, around the origin. Raises KeyError where there is no such asset."""
    if asset not in ASSETS:
        raise KeyError(asset)
    kind, _, rest = asset.partition("/")
    if kind in ("support", "held"):
        name, style = rest.split("/")
        unit = supports.unit_support if kind == "support" else held.unit_held
        return unit(name, int(style))
    return mats.unit_surfaces(asset)


def thing_surfaces(thing: Thing) -> tuple[Surface, ...]:
    """A thing as it lies. Raises KeyError where there is no such asset."""
    return tuple(lying(part, thing) for part in unit_surfaces(thing.asset))


def thing_points(thing: Thing) -> Array:
    """Corners (N, 3) m of a thing's surfaces as it lies."""
    return np.concatenate([part.vertices_world for part in thing_surfaces(thing)]).astype(float)


def screened(position: Array, points: Array, boxes: Array) -> NDArray[np.bool_]:
    """Which of the points (N, 3) a box (B, 2, 3) stands before, seen from a position (3,)."""
    if not len(boxes):
        return np.zeros(len(points), dtype=bool)
    way = (points - position)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = ((boxes[None, :, k] - position) / way for k in (0, 1))
    enter = np.nanmax(np.minimum(first, second), axis=2)
    leave = np.nanmin(np.maximum(first, second), axis=2)
    before: NDArray[np.bool_] = ((enter < leave) & (leave > 0) & (enter < 1)).any(axis=1)
    return before


def screened_by(thing: Thing, position: Array, points: Array) -> NDArray[np.bool_]:
    """Which of the points (N, 3) a support stands before, seen from a position (3,); what is held
    covers too little to count."""
    kind, name, _ = thing.asset.split("/")
    if kind != "support":
        return np.zeros(len(points), dtype=bool)
    turn = rotation(thing.yaw_rad, thing.pitch_rad, thing.roll_rad)
    camera, local = (
        (p - np.asarray(thing.position_world)) @ turn / thing.scale for p in (position, points)
    )
    return screened(camera, local, np.array(supports.furniture(name).solids))


def lying(unit: Surface, thing: Thing) -> Surface:
    """A surface around the origin as that of a thing where it lies."""
    turn = rotation(thing.yaw_rad, thing.pitch_rad, thing.roll_rad)
    upright = not thing.pitch_rad and not thing.roll_rad

    def turned(vectors: Array) -> Array:
        out = np.array(vectors, dtype=np.float64)
        if upright:  # heights stay what they are to the last bit
            out[:, [0, 2]] = out[:, [0, 2]] @ turn[::2, ::2].T
            return out
        return out @ turn.T

    assert unit.normals_world is not None
    scale, normals = np.asarray(thing.scale), unit.normals_world
    if scale[1] != 1.0:  # of what is only widened, a mat, the edge is too low to show
        normals = normals / scale
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    vertices = turned(unit.vertices_world * scale) + np.asarray(thing.position_world)
    return replace(
        unit,
        vertices_world=vertices.astype(np.float32),
        normals_world=turned(normals).astype(np.float32),
    )

"""Simple solids that things worn on a head are made of: slabs, tubes and turned bodies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.shot import Material


@dataclass(frozen=True, eq=False)
class Solid:
    """Triangles: ``points`` (P, 3) m, ``faces`` (F, 3), ``uv`` (P, 2)."""

    points: Array
    faces: Ints
    uv: Array


def joined(solids: Sequence[Solid]) -> Solid:
    """Several as one."""
    starts = np.cumsum([0, *(len(solid.points) for solid in solids[:-1])])
    return Solid(
        np.concatenate([solid.points for solid in solids]),
        np.concatenate([solid.faces + start for solid, start in zip(solids, starts)]),
        np.concatenate([solid.uv for solid in solids]),
    )


def part_of(name: str, solid: Solid, material: Material) -> Part:
    """A solid about a head at rest, as a part that the skull carries."""
    points = solid.points.astype(np.float32)
    _, weld = np.unique(np.round(points, 6), axis=0, return_inverse=True)
    return Part(
        name=name,
        faces=solid.faces.astype(np.int32),
        uv=solid.uv.astype(np.float32),
        material=material,
        weld=weld.ravel().astype(np.int32),
        body="skull",
        rest_world=points,
    )


def sheet(grid: Array, around: bool = False) -> Solid:
    """A grid of points (M, N, 3) as a surface whose front is on the side of (d/dM) x (d/dN); it
    closes ``around`` its rows, whose first and last points then are the same place. uv: N, M."""
    rows, columns = grid.shape[:2]
    if around:
        grid = np.concatenate([grid, grid[:, :1]], axis=1)
        columns += 1
    row, column = np.mgrid[0 : rows - 1, 0 : columns - 1]
    corner = (row * columns + column).ravel()
    faces = np.concatenate(
        [
            np.stack([corner, corner + columns, corner + columns + 1], axis=1),
            np.stack([corner, corner + columns + 1, corner + 1], axis=1),
        ]
    )
    v, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    return Solid(grid.reshape(-1, 3), faces, np.stack([u.ravel(), v.ravel()], axis=1))


def slab(grid: Array, other: Array, around: bool = False) -> Solid:
    """What lies between a front (M, N, 3) and a back of the same shape, closed at its edges."""
    loop = np.concatenate([grid[:, 0], grid[-1, 1:], grid[-2::-1, -1], grid[0, -2:0:-1]])
    back = np.concatenate([other[:, 0], other[-1, 1:], other[-2::-1, -1], other[0, -2:0:-1]])
    edges = [sheet(np.stack([back, loop]), around=True)]
    if around:
        edges = [
            sheet(np.stack([grid[-1], other[-1]]), around=True),
            sheet(np.stack([other[0], grid[0]]), around=True),
        ]
    return joined([sheet(grid, around), sheet(other[:, ::-1], around), *edges])


def tube(path: Array, radius_m: float | Array, sides: int = 7, closed: bool = False) -> Solid:
    """A rod about a path (K, 3) m; a ``closed`` one runs back to its start, an open one has caps.

    ``radius_m``: one number, or the half width and half height about +Y (2,).
    """
    half = np.broadcast_to(radius_m, 2)
    if closed:
        along = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    else:
        along = np.gradient(path, axis=0)
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    up = np.where(np.abs(along[:, 1:2]) > 0.95, [[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    side = np.cross(along, up)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(side, along)
    turn = np.arange(sides) * 2 * np.pi / sides
    ring = (
        path[:, None]
        + half[0] * np.cos(turn)[:, None] * side[:, None]
        + half[1] * np.sin(turn)[:, None] * up[:, None]
    )
    if closed:
        ring = np.concatenate([ring, ring[:1]])
        return sheet(ring, around=True)
    ends = [np.repeat(path[[end]], sides, axis=0)[None] for end in (0, -1)]
    return sheet(np.concatenate([ends[0], ring, ends[1]]), around=True)


def turned(profile: Sequence[tuple[float, float]], center: Array, axis: Array, across: Array,
           squeeze: float = 1.0, sides: int = 28) -> Solid:  # fmt: skip
    """A body of revolution: radii and heights m along ``axis`` (3,) from a centre (3,), top first;
    ``across`` (3,) is the direction that ``squeeze`` scales."""
    axis = axis / np.linalg.norm(axis)
    u = across / np.linalg.norm(across)
    v = np.cross(axis, u)
    turn = np.arange(sides) * 2 * np.pi / sides
    circle = squeeze * np.cos(turn)[:, None] * u + np.sin(turn)[:, None] * v
    grid = np.stack([center + height * axis + radius * circle for radius, height in profile])
    return sheet(grid, around=True)

"""What the pixels of a frame show of a shot: which surface, whose, and where on its triangles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.camera import Camera
from spinetrack_synth.shot import Hits, Shot, Surface

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Patch:
    """The pixels among those asked for that show one surface.

    ``which`` (N,) of the pixels; ``owner`` the number of the person, 0 for a thing; ``vertices``
    (N, 3) are the corners of the triangles met, ``weights`` (N, 3) the barycentric coordinates of
    the points met.
    """

    surface: Surface
    owner: int
    which: Ints
    vertices: Ints
    weights: Array


def drawn_surfaces(shot: Shot) -> list[tuple[int, Surface]]:
    """All surfaces of a shot but its lamps, with the numbers of their people, in the order in which
    `Hits` count them."""
    things = [(0, surface) for surface in shot.surroundings]
    return things + [(k, s) for k, p in enumerate(shot.people, start=1) for s in p.surfaces]


def patches(
    shot: Shot, camera: Camera, hits: Hits, depth_m: NDArray[np.float32], rows: Ints, columns: Ints
) -> Iterator[Patch]:
    """The surfaces that pixels (N,) show, one after the other; lamps and nothing are left out."""
    surface, face = hits.surface[rows, columns], hits.face[rows, columns]
    depth = np.where(surface >= 0, depth_m[rows, columns], 0).astype(float)
    points = camera.unproject(np.stack([columns, rows], axis=-1) + 0.5, depth)
    drawn = drawn_surfaces(shot)
    order = np.argsort(surface, kind="stable")
    numbers, starts = np.unique(surface[order], return_index=True)
    for number, which in zip(numbers.tolist(), np.split(order, starts[1:])):
        if not 0 <= number < len(drawn):
            continue
        owner, seen = drawn[number]
        vertices = seen.faces[face[which]].astype(np.int64)
        weights = _barycentric(seen.vertices_world[vertices].astype(float), points[which])
        yield Patch(seen, owner, which, vertices, weights)


def _barycentric(corners: Array, points: Array) -> Array:
    """Weights (N, 3) of the corners (N, 3, 3) that give the points (N, 3) on triangles."""
    ab, ac = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    across = np.cross(ab, ac)
    area2 = np.maximum((across**2).sum(axis=1), 1e-30)
    ap = points - corners[:, 0]
    b = (np.cross(ap, ac) * across).sum(axis=1) / area2
    c = (np.cross(ab, ap) * across).sum(axis=1) / area2
    weights = np.clip(np.stack([1 - b - c, b, c], axis=1), 0, 1)
    normalized: Array = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    return normalized

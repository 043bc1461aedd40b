"""Normals of meshes that bring none: smooth, but for sharp edges."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Array = npt.NDArray[np.float64]

CREASE_RAD: Final = np.radians(30.0)
"""Edges that bend more are sharp: what modelling programs smooth by default."""


def creased_normals(points: Array, faces: npt.NDArray[np.integer]) -> Array:
    """Unit normals (F, 3, 3) at the corners of faces over points (V, 3).

    Faces that meet in a point and hang together over edges that bend little share a normal, their
    mean by area. Faces without an area have none: zeros where they stand alone.
    """
    _, weld = np.unique(points, axis=0, return_inverse=True)
    corner = weld.reshape(-1)[faces].astype(np.int64)
    spread = np.cross(points[faces[:, 1]] - points[faces[:, 0]],
                      points[faces[:, 2]] - points[faces[:, 0]])  # fmt: skip
    length = np.linalg.norm(spread, axis=1, keepdims=True)
    unit = spread / np.maximum(length, 1e-300)
    number, size = len(faces), int(corner.max()) + 1
    edges: npt.NDArray[np.int64] = np.sort(
        corner[:, [[0, 1], [1, 2], [2, 0]]].swapaxes(0, 1).reshape(-1, 2)
    )
    key = edges[:, 0] * size + edges[:, 1]
    order = np.argsort(key, kind="stable")
    face = np.tile(np.arange(number), 3)[order]
    meet = key[order][1:] == key[order][:-1]
    one, other = face[:-1][meet], face[1:][meet]
    smooth = (unit[one] * unit[other]).sum(axis=1) > np.cos(CREASE_RAD)
    links = (np.ones(int(smooth.sum())), (one[smooth], other[smooth]))
    patch = connected_components(coo_array(links, shape=(number, number)), directed=False)[1]
    where = corner * number + patch[:, None]
    _, group = np.unique(where.ravel(), return_inverse=True)
    sums = [np.bincount(group, weights=np.repeat(spread[:, axis], 3)) for axis in range(3)]
    total: Array = np.stack(sums, axis=1).astype(float)
    total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-300)
    normals: Array = total[group].reshape(-1, 3, 3)
    return normals

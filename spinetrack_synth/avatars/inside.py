"""Is a point inside the skin, and how deep: independent checks of where the labels lie."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Floats, Indices
from spinetrack_synth.avatars.assets import BodyData


def skin_triangles(data: BodyData) -> NDArray[np.int32]:
    """Triangles (F, 3) of the skin, facing outward, without the inside of the mouth.

    The base mesh has a mouth that reaches back to the spine; what lies behind it is inside.
    """
    body = data.faces_of("body")
    centre = data.uv[data.quads_uv[body]].mean(axis=1)
    quads = data.quads[body][data.mask_at("inside-mouth", centre) < 128]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    distinct = (triangles[:, 0] != triangles[:, 2]) & (triangles[:, 1] != triangles[:, 2])
    outward: NDArray[np.int32] = triangles[distinct]
    return outward


def winding_number(points: Floats, vertices: Floats, triangles: Indices) -> Array:
    """How often the surface winds round each point (N,): about 1 inside, 0 outside.

    The solid angle of every triangle (Van Oosterom & Strackee 1983), summed; small holes such as
    eye sockets do little harm.
    """
    corners = vertices[triangles].astype(float)
    total = np.empty(len(points))
    for k, point in enumerate(np.asarray(points, dtype=float)):
        a, b, c = (corners[:, i] - point for i in range(3))
        la, lb, lc = (np.linalg.norm(x, axis=1) for x in (a, b, c))
        volume = np.einsum("ij,ij->i", a, np.cross(b, c))
        spread = (
            la * lb * lc
            + np.einsum("ij,ij->i", a, b) * lc
            + np.einsum("ij,ij->i", b, c) * la
            + np.einsum("ij,ij->i", c, a) * lb
        )
        total[k] = np.arctan2(volume, spread).sum() / (2 * np.pi)
    return total


def distance_along(origin: Array, direction: Array, vertices: Floats, triangles: Indices) -> float:
    """Distance (m) from a point to the first surface along a direction (3,), inf for none."""
    a, b, c = (vertices[triangles[:, i]].astype(float) for i in range(3))
    edge1, edge2 = b - a, c - a
    p = np.cross(direction, edge2)
    determinant = np.einsum("ij,ij->i", edge1, p)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_origin = origin - a
        u = np.einsum("ij,ij->i", to_origin, p) / determinant
        q = np.cross(to_origin, edge1)
        v = (q @ direction) / determinant
        t = np.einsum("ij,ij->i", edge2, q) / determinant
        # A ray in the plane of symmetry runs along edges: let neither side miss it.
        hit = (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9) & (t > 1e-6)
    return float(t[hit].min()) if hit.any() else float("inf")

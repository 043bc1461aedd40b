"""The centre of mass, and how far it lies outside the polygon that the contacts span."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.compiled import apart, inner
from spinetrack_synth.poses.contact_solver.problem import Masses

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@apart()
def center_of_mass(body2world: Array, masses: Masses) -> Array:
    """Centre of mass of the whole model seen from above, x and z (2,) m."""
    center = np.zeros(2)
    total = 0.0
    for b in range(len(masses.kg)):
        x, _, z = point_world(body2world, b, masses.center_m[b])
        center[0] += masses.kg[b] * x
        center[1] += masses.kg[b] * z
        total += masses.kg[b]
    center[0] /= total
    center[1] /= total
    return center


@apart()
def hull(points: Array) -> Array:
    """Corners of the convex hull of points (P, 2), counterclockwise (Andrew's monotone chain)."""
    along = np.empty(len(points))
    for p in range(len(points)):
        along[p] = points[p, 0] + 1e-9 * points[p, 1]
    order = ascending(along)
    corners = np.empty((2 * len(order) + 1, 2))
    size = 0
    for sweep in range(2):
        least = size + 1
        for i in range(len(order)):
            p = order[i] if sweep == 0 else order[len(order) - 1 - i]
            x, y = points[p, 0], points[p, 1]
            while size > least:
                # The corner before stays where the point lies to the left of the line through it.
                ax, ay = corners[size - 2, 0], corners[size - 2, 1]
                bx, by = corners[size - 1, 0], corners[size - 1, 1]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0.0:
                    break
                size -= 1
            corners[size, 0], corners[size, 1] = x, y
            size += 1
        size -= 1
    return corners[: max(size, 1)]


@apart()
def beyond_support(corners: Array, point: Array, margin: float) -> tuple[float, Array]:
    """How far a point (2,) lies outside a convex polygon (P, 2) drawn in by a margin, negative
    inside, and the direction (2,) outward. Where the polygon is thinner than the margin its middle
    counts."""
    count = len(corners)
    cx, cy = 0.0, 0.0
    for i in range(count):
        cx += corners[i, 0] / count
        cy += corners[i, 1] / count
    x, y = point[0] - cx, point[1] - cy
    nearest = np.sqrt(x * x + y * y) + 1e-9
    to_nearest = (x / nearest, y / nearest)
    farthest, outward = -np.inf, to_nearest
    for i in range(count):
        ax, ay = corners[i, 0], corners[i, 1]
        ex, ey = corners[(i + 1) % count, 0] - ax, corners[(i + 1) % count, 1] - ay
        length = np.sqrt(ex * ex + ey * ey)
        if length < 1e-9:
            continue
        nx, ny = ey / length, -ex / length
        x, y = point[0] - ax, point[1] - ay
        beyond = x * nx + y * ny + min(margin, 0.9 * max(0.0, (ax - cx) * nx + (ay - cy) * ny))
        if beyond > farthest:
            farthest, outward = beyond, (nx, ny)
        along = min(max((x * ex + y * ey) / length**2, 0.0), 1.0)
        x, y = point[0] - (ax + along * ex), point[1] - (ay + along * ey)
        distance = np.sqrt(x * x + y * y)
        if distance < nearest:
            nearest, to_nearest = distance, (x / (distance + 1e-9), y / (distance + 1e-9))
    if farthest > margin or farthest == -np.inf:
        farthest, outward = nearest + margin, to_nearest
    direction = np.empty(2)
    direction[0], direction[1] = outward
    return farthest, direction


@inner(apart=True)
def ascending(values: Array) -> Ints:
    """Indices that sort values (Shell's sort: numba's own takes a second to compile)."""
    order = np.empty(len(values), dtype=np.int64)
    for i in range(len(values)):
        order[i] = i
    gap = len(values) // 2
    while gap > 0:
        for i in range(gap, len(values)):
            moved, j = order[i], i
            while j >= gap and values[order[j - gap]] > values[moved]:
                order[j] = order[j - gap]
                j -= gap
            order[j] = moved
        gap //= 2
    return order


@inner(apart=True)
def point_world(body2world: Array, body: int, offset: Array) -> tuple[float, float, float]:
    a, b, c = offset[0], offset[1], offset[2]
    return (
        body2world[body, 0, 0] * a
        + body2world[body, 0, 1] * b
        + body2world[body, 0, 2] * c
        + body2world[body, 0, 3],
        body2world[body, 1, 0] * a
        + body2world[body, 1, 1] * b
        + body2world[body, 1, 2] * c
        + body2world[body, 1, 3],
        body2world[body, 2, 0] * a
        + body2world[body, 2, 1] * b
        + body2world[body, 2, 2] * c
        + body2world[body, 2, 3],
    )

"""What blending bones leaves wrong is mended on the skin: its volume and the stretch of its edges.

After position-based dynamics (Muller 2007): bent places swell or sink along their normals until the
body has its volume again, then edges that are drawn too long or pressed too short give way to their
neighbours. Whatever else rides on the body follows the skin next to it. Compiled with numba.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import body_vertices
from spinetrack_synth.compiled import njit

_LONGEST: Final = 1.75
_SHORTEST: Final = 0.3
"""Of its length at rest an edge is brought back to these; between them it is left alone."""
_FAULT: Final = (0.2, 2.0)
"""As long as there are edges beyond these."""
_WATCHED: Final = (0.45, 1.4)
"""Edges beyond these may come to give way, as their neighbours do."""
_PASSES: Final = 2
_ROUNDS: Final = 16
_SWEEPS: Final = 8
_OVER: Final = 1.4
"""Over-relaxation: a sweep corrects an edge by so much of its fault."""
_SLACK: Final = 0.015
"""A body's volume may be off by this share."""
_MOST_M: Final = 0.025
"""Farther no place swells or sinks."""
_NEAR_M: Final = (0.09, 0.04)
"""What rides farther from the skin does not follow it, what rides nearer follows it wholly."""
_METRES: Final = 0.1  # MakeHuman's unit


@dataclass(frozen=True)
class Flesh:
    """What a skin of n vertices keeps in every pose.

    ``triangles`` (F, 3) close it about ``volume_m3``; ``fleshy`` (n,) 0..1 is high where much soft
    flesh takes up what is missing, on trunk and thighs; ``spring`` (E, 2) are its edges and the
    quads' diagonals where it is soft, of ``length_m`` (E,) at rest; ``give`` (n,) 0..1 how easily a
    vertex yields. ``near`` (H, 3) are the vertices next to each of H that ride on it and
    ``near_share`` (H, 3) how much of each it takes.
    """

    triangles: NDArray[np.int32]
    volume_m3: float
    fleshy: Array
    spring: NDArray[np.int32]
    length_m: Array
    give: Array
    near: Ints
    near_share: Array


def flesh(data: BodyData, skin_world: Array, softness: Array) -> Flesh:
    """The flesh under a skin at rest (n, 3) m, yielding where it is soft (n,)."""
    triangles, springs = _topology(data)
    near, near_share = riders(data)
    spring = springs[(softness[springs] > 0).any(axis=1)]
    ends = skin_world[spring]
    return Flesh(
        triangles=triangles,
        volume_m3=_volume_m3(np.ascontiguousarray(skin_world), triangles),
        fleshy=_fleshy(data),
        spring=spring,
        length_m=np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1),
        give=np.ascontiguousarray(softness, dtype=np.float64),
        near=near,
        near_share=near_share,
    )


def mend(flesh: Flesh, vertices: Array, bent: Array) -> Array:
    """Vertices (V, 3) m, the skin's first, as flesh leaves them; ``bent`` (V,) says where."""
    count = len(flesh.give)
    skin = np.ascontiguousarray(vertices[:count])
    mended = skin.copy()
    fleshy = bent[:count] * flesh.fleshy
    for _ in range(_PASSES):
        _swell(mended, flesh.triangles, fleshy, flesh.volume_m3)
        if not _relax(mended, flesh.spring, flesh.length_m, flesh.give):
            break  # nothing has changed the volume since
    if len(vertices) == count:
        return mended
    moved = np.einsum("hk,hki->hi", flesh.near_share, (mended - skin)[flesh.near])
    return np.concatenate([mended, vertices[count:] + moved])


@lru_cache(maxsize=1)
def riders(data: BodyData) -> tuple[Ints, Array]:
    """For each of H vertices beyond the skin's the three nearest of the skin (H, 3), and their
    shares in what it does (H, 3), which sum to 0 far from the skin."""
    from scipy.spatial import KDTree

    skin = body_vertices(data)
    vertices = data.vertices.astype(np.float64) * _METRES
    distance_m, near = KDTree(vertices[skin]).query(vertices[skin.stop :], k=3)
    share = 1 / np.maximum(distance_m, 1e-4) ** 2
    far, close = _NEAR_M
    follows = np.clip((far - distance_m[:, :1]) / (far - close), 0.0, 1.0)
    return near, follows * share / share.sum(axis=1, keepdims=True)


@lru_cache(maxsize=1)
def _topology(data: BodyData) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Triangles (F, 3) of the skin, and the edges and diagonals (E, 2) of its quads."""
    quads = data.quads[data.faces_of("body")]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    distinct = (triangles[:, 0] != triangles[:, 2]) & (triangles[:, 1] != triangles[:, 2])
    sides = [quads[:, [i, (i + 1) % 4]] for i in range(4)]
    springs = np.concatenate([*sides, quads[:, [0, 2]], quads[:, [1, 3]]])
    springs = np.unique(np.sort(springs, axis=1), axis=0)
    springs = springs[springs[:, 0] != springs[:, 1]]
    return triangles[distinct].astype(np.int32), springs.astype(np.int32)


@lru_cache(maxsize=1)
def _fleshy(data: BodyData) -> Array:
    bones = data.bones_named("root", "pelvis", "spine", "breast", "upperleg")
    share: Array = data.share_of(bones)[body_vertices(data)].astype(np.float64)
    return share


@njit(fastmath=True)
def _volume_m3(points: Array, triangles: NDArray[np.int32]) -> float:  # pragma: no cover - compiled
    total = 0.0
    for f in range(len(triangles)):
        a, b, c = points[triangles[f, 0]], points[triangles[f, 1]], points[triangles[f, 2]]
        total += a[0] * (b[1] * c[2] - b[2] * c[1])
        total += a[1] * (b[2] * c[0] - b[0] * c[2])
        total += a[2] * (b[0] * c[1] - b[1] * c[0])
    return total / 6


@njit(fastmath=True)
def _swell(
    points: Array, triangles: NDArray[np.int32], bent: Array, volume_m3: float
) -> None:  # pragma: no cover - compiled
    """Move points (n, 3) along their normals, each by its share, to nearly the volume wanted."""
    outward = np.zeros_like(points)
    found = 0.0
    ox, oy, oz = points[0, 0], points[0, 1], points[0, 2]
    for f in range(len(triangles)):
        i, j, k = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        ax, ay, az = points[j, 0] - x, points[j, 1] - y, points[j, 2] - z
        bx, by, bz = points[k, 0] - x, points[k, 1] - y, points[k, 2] - z
        nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        found += nx * (x - ox) + ny * (y - oy) + nz * (z - oz)
        for corner in (i, j, k):
            outward[corner, 0] += nx
            outward[corner, 1] += ny
            outward[corner, 2] += nz
    least, most = (1 - _SLACK) * 6 * volume_m3, (1 + _SLACK) * 6 * volume_m3
    missing = min(max(found, least), most) - found
    if missing == 0:
        return
    area = 0.0
    for v in range(len(points)):
        x, y, z = outward[v, 0], outward[v, 1], outward[v, 2]
        size = np.sqrt(x * x + y * y + z * z)
        area += bent[v] * size
        if size > 0:
            outward[v, 0], outward[v, 1], outward[v, 2] = x / size, y / size, z / size
    if area > 1e-9:
        rate = missing / area
        for v in range(len(points)):
            step = min(max(rate * bent[v], -_MOST_M), _MOST_M)
            for c in range(3):
                points[v, c] += step * outward[v, c]


@njit(fastmath=True)
def _relax(
    points: Array, spring: NDArray[np.int32], length_m: Array, give: Array
) -> int:  # pragma: no cover - compiled
    """Bring what is drawn too long or pressed too short back, in sweeps to and fro; how many edges
    there were at first that had to give."""
    first = 0
    watched = np.empty(len(spring), np.int64)
    for turn in range(_ROUNDS):
        count, faults = 0, 0
        for s in range(len(spring)):
            i, j = spring[s, 0], spring[s, 1]
            x, y = points[j, 0] - points[i, 0], points[j, 1] - points[i, 1]
            z = points[j, 2] - points[i, 2]
            ratio = np.sqrt(x * x + y * y + z * z) / length_m[s]
            if ratio < _WATCHED[0] or ratio > _WATCHED[1]:
                watched[count] = s
                count += 1
                if ratio < _FAULT[0] or ratio > _FAULT[1]:
                    faults += 1
        if turn == 0:
            first = faults
        if faults == 0:
            break
        for sweep in range(_SWEEPS):
            for n in range(count):
                s = watched[n] if sweep % 2 == 0 else watched[count - 1 - n]
                i, j = spring[s, 0], spring[s, 1]
                x, y = points[j, 0] - points[i, 0], points[j, 1] - points[i, 1]
                z = points[j, 2] - points[i, 2]
                now_m = np.sqrt(x * x + y * y + z * z) + 1e-12
                wanted_m = min(max(now_m, _SHORTEST * length_m[s]), _LONGEST * length_m[s])
                both = give[i] + give[j]
                if wanted_m == now_m or both <= 0:
                    continue
                pull = _OVER * (now_m - wanted_m) / (now_m * both)
                points[i, 0] += pull * give[i] * x
                points[i, 1] += pull * give[i] * y
                points[i, 2] += pull * give[i] * z
                points[j, 0] -= pull * give[j] * x
                points[j, 1] -= pull * give[j] * y
                points[j, 2] -= pull * give[j] * z
    return first

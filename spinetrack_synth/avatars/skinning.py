"""Deforming the skin: dual quaternions, then smoothing that keeps the detail.

Dual-quaternion blending (Kavan 2007) keeps the volume of twisted forearms and bent hips; where it
would swell, at the flanks of raised arms, it is mixed with linear blending. A little smoothing with
the rest detail turned along (after "Delta Mush", Mancewicz 2014) takes out the creases. Compiled
with numba.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Floats, Indices, Ints
from spinetrack_synth.compiled import njit

_STRENGTH = 0.7
_ITERATIONS = 4


@dataclass(frozen=True)
class Binding:
    """How V vertices follow S bones.

    ``rest_world`` (V, 3) m; ``bone`` (V, K) and ``weight`` (V, K), rows sum to 1;
    ``ring_start`` (V + 1,) and ``ring`` list the neighbours of each vertex; ``detail`` (V, 3) is
    the rest position less its smoothed self; ``softness`` (V,) 0..1 how much of the smoothing a
    vertex takes; ``chord`` (V,) 0..1 how much of it is blended linearly.
    """

    rest_world: Array
    bone: NDArray[np.int32]
    weight: Array
    ring_start: NDArray[np.int32]
    ring: NDArray[np.int32]
    detail: Array
    softness: Array
    chord: Array


Rings = tuple[NDArray[np.int32], NDArray[np.int32]]
"""``ring_start`` and ``ring`` as ``Binding`` has them."""


def bind(
    rest_world: Array,
    bone: Indices,
    weight: Array,
    rings: Rings,
    softness: Array,
    chord: Array | None = None,
) -> Binding:
    """Bind vertices (V, 3) to bones; ``rings`` tell which vertices are neighbours."""
    ring_start, ring = rings
    rest = np.ascontiguousarray(rest_world, dtype=np.float64)
    soft = np.ascontiguousarray(softness, dtype=np.float64)
    smooth = _smoothed(rest, ring_start, ring, soft)
    return Binding(
        rest_world=rest,
        bone=np.ascontiguousarray(bone, dtype=np.int32),
        weight=np.ascontiguousarray(weight, dtype=np.float64),
        ring_start=ring_start,
        ring=ring,
        detail=rest - smooth,
        softness=soft,
        chord=np.zeros(len(rest)) if chord is None else np.ascontiguousarray(chord, np.float64),
    )


def deform(binding: Binding, motion: Array, bone_order: NDArray[np.int32]) -> tuple[Array, Array]:
    """Vertices (V, 3) m after the bones' rigid motions (S, 4, 4) from rest, and how much each is
    bent (V,): 0 where its bones turn alike.

    ``bone_order`` (S, 2) lists bone and the bone it hangs on (-1 for none), parents first:
    quaternions are turned into the parent's half space, so a vertex is blended along the joint's
    own rotation.
    """
    motion = np.ascontiguousarray(motion, dtype=np.float64)
    dual = _dual_quaternions(motion, bone_order)
    moved, detail, bent = _blend(
        binding.rest_world, binding.bone, binding.weight, dual, motion, binding.detail,
        binding.chord,
    )  # fmt: skip
    smooth = _smoothed(moved, binding.ring_start, binding.ring, binding.softness)
    return smooth + detail, bent


def first_vertices(binding: Binding, count: int) -> Binding:
    """The first vertices of a binding alone; none of them is a neighbour of the others."""
    start = binding.ring_start[: count + 1]
    return Binding(
        rest_world=binding.rest_world[:count],
        bone=binding.bone[:count],
        weight=binding.weight[:count],
        ring_start=start,
        ring=binding.ring[: start[-1]],
        detail=binding.detail[:count],
        softness=binding.softness[:count],
        chord=binding.chord[:count],
    )


def vertex_normals(vertices: Floats, faces: Indices, weld: Indices) -> NDArray[np.float32]:
    """Area-weighted unit normals (P, 3); vertices with the same ``weld`` index share one."""
    normals: NDArray[np.float32] = _normals(
        np.ascontiguousarray(vertices, dtype=np.float64),
        np.ascontiguousarray(faces, dtype=np.int32),
        np.ascontiguousarray(weld, dtype=np.int32),
        int(weld.max()) + 1,
    )
    return normals


def inside_box(points: Array, low: Array, high: Array) -> Ints:
    """Indices of the points (P, 3) inside a box with corners (3,)."""
    return np.flatnonzero(((low < points) & (points < high)).all(axis=1))


def swings(motion: Array, hangs: Ints, joint_world: Array, axis_world: Array) -> Array:
    """The motions (L, 4, 4) of L limbs without their twist about their own long axes.

    ``hangs`` (L, 2) lists the bone that a limb hangs on and the limb among the motions (S, 4, 4);
    ``joint_world`` (L, 3) and ``axis_world`` (L, 3) are the joints and the limbs' directions at
    rest.
    """
    above, own = motion[hangs[:, 0]], motion[hangs[:, 1]]
    rotation, joint = above[:, :3, :3], joint_world[:, :, None]
    turn = rotation.transpose(0, 2, 1)
    relative = turn @ own[:, :3, :3]
    swing = _swing(axis_world, (relative @ axis_world[:, :, None])[:, :, 0])
    shift = turn @ (own[:, :3, 3:] - above[:, :3, 3:])
    swung = np.zeros((len(hangs), 4, 4))
    swung[:, :3, :3] = rotation @ swing
    swung[:, :3, 3:] = rotation @ (relative @ joint + shift - swing @ joint) + above[:, :3, 3:]
    swung[:, 3, 3] = 1.0
    return swung


def _swing(axis: Array, turned: Array) -> Array:
    """The shortest rotations (L, 3, 3) from one direction (L, 3) each to another."""
    cosine = (axis * turned).sum(axis=1)
    k = np.zeros((len(axis), 3, 3))
    for row, column in ((2, 1), (0, 2), (1, 0)):
        part = axis[:, column] * turned[:, row] - axis[:, row] * turned[:, column]
        k[:, row, column], k[:, column, row] = part, -part
    swing = np.eye(3) + k + k @ k / np.maximum(1 + cosine, 1e-9)[:, None, None]
    for limb in np.flatnonzero(cosine < -1 + 1e-9):  # straight back: any perpendicular axis will do
        p = np.cross(axis[limb], np.eye(3)[np.argmin(np.abs(axis[limb]))])
        swing[limb] = 2 * np.outer(p, p) / (p @ p) - np.eye(3)
    return np.asarray(swing)


def vertex_rings(quads: Indices, count: int) -> Rings:
    """The neighbours of each of ``count`` vertices along the sides of quads (F, 4)."""
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    edges = edges[edges[:, 0] != edges[:, 1]].astype(np.int64)
    keys = np.unique(np.concatenate([edges @ [count, 1], edges @ [1, count]]))
    start = np.searchsorted(keys // count, np.arange(count + 1)).astype(np.int32)
    return start, np.ascontiguousarray(keys % count, dtype=np.int32)


@njit()
def _dual_quaternions(
    motion: Array, bone_order: NDArray[np.int32]
) -> Array:  # pragma: no cover - compiled
    dual = np.empty((len(motion), 8))
    for i in range(len(motion)):
        r00, r01, r02, tx = motion[i, 0, 0], motion[i, 0, 1], motion[i, 0, 2], motion[i, 0, 3]
        r10, r11, r12, ty = motion[i, 1, 0], motion[i, 1, 1], motion[i, 1, 2], motion[i, 1, 3]
        r20, r21, r22, tz = motion[i, 2, 0], motion[i, 2, 1], motion[i, 2, 2], motion[i, 2, 3]
        trace = r00 + r11 + r22
        if trace > 0:
            s = 2 * np.sqrt(trace + 1)
            w, x, y, z = 0.25 * s, (r21 - r12) / s, (r02 - r20) / s, (r10 - r01) / s
        elif r00 > r11 and r00 > r22:
            s = 2 * np.sqrt(1 + r00 - r11 - r22)
            w, x, y, z = (r21 - r12) / s, 0.25 * s, (r01 + r10) / s, (r02 + r20) / s
        elif r11 > r22:
            s = 2 * np.sqrt(1 + r11 - r00 - r22)
            w, x, y, z = (r02 - r20) / s, (r01 + r10) / s, 0.25 * s, (r12 + r21) / s
        else:
            s = 2 * np.sqrt(1 + r22 - r00 - r11)
            w, x, y, z = (r10 - r01) / s, (r02 + r20) / s, (r12 + r21) / s, 0.25 * s
        dual[i, 0], dual[i, 1], dual[i, 2], dual[i, 3] = w, x, y, z
        dual[i, 4] = -0.5 * (tx * x + ty * y + tz * z)
        dual[i, 5] = 0.5 * (tx * w + ty * z - tz * y)
        dual[i, 6] = 0.5 * (-tx * z + ty * w + tz * x)
        dual[i, 7] = 0.5 * (tx * y - ty * x + tz * w)
    for bone in range(len(bone_order)):
        child, other = bone_order[bone, 0], bone_order[bone, 1]
        if other >= 0:
            along = 0.0
            for c in range(4):
                along += dual[child, c] * dual[other, c]
            if along < 0:
                for c in range(8):
                    dual[child, c] *= -1
    return dual


@njit(fastmath=True)
def _blend(
    rest: Array, bone: NDArray[np.int32], weight: Array, dual: Array, motion: Array, detail: Array,
    chord: Array,
) -> tuple[Array, Array, Array]:  # fmt: skip # pragma: no cover - compiled
    moved = np.empty_like(rest)
    turned = np.empty_like(rest)
    bent = np.empty(len(rest))
    q = np.empty(8)
    for v in range(len(rest)):
        for c in range(8):
            q[c] = 0.0
        for k in range(bone.shape[1]):
            w = weight[v, k]
            if w > 0:
                for c in range(8):
                    q[c] += w * dual[bone[v, k], c]
        w, x, y, z = q[0], q[1], q[2], q[3]
        length = np.sqrt(w**2 + x**2 + y**2 + z**2)
        bent[v] = max(1 - length, 0.0)
        w, x, y, z = w / length, x / length, y / length, z / length
        q4, q5, q6, q7 = q[4] / length, q[5] / length, q[6] / length, q[7] / length
        r00, r01, r02 = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
        r10, r11, r12 = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
        r20, r21, r22 = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
        tx = 2 * (-q4 * x + q5 * w - q6 * z + q7 * y)
        ty = 2 * (-q4 * y + q5 * z + q6 * w - q7 * x)
        tz = 2 * (-q4 * z - q5 * y + q6 * x + q7 * w)
        a, b, c = rest[v, 0], rest[v, 1], rest[v, 2]
        moved[v, 0] = r00 * a + r01 * b + r02 * c + tx
        moved[v, 1] = r10 * a + r11 * b + r12 * c + ty
        moved[v, 2] = r20 * a + r21 * b + r22 * c + tz
        if chord[v] > 0:
            for i in range(3):
                straight = 0.0
                for k in range(bone.shape[1]):
                    m = motion[bone[v, k], i]
                    straight += weight[v, k] * (m[0] * a + m[1] * b + m[2] * c + m[3])
                moved[v, i] += chord[v] * (straight - moved[v, i])
        a, b, c = detail[v, 0], detail[v, 1], detail[v, 2]
        turned[v, 0] = r00 * a + r01 * b + r02 * c
        turned[v, 1] = r10 * a + r11 * b + r12 * c
        turned[v, 2] = r20 * a + r21 * b + r22 * c
    return moved, turned, bent


def _smoothed(
    points: Array, ring_start: NDArray[np.int32], ring: NDArray[np.int32], softness: Array
) -> Array:
    current, following = points.copy(), points.copy()
    soft = np.flatnonzero(softness > 0)
    _smooth(current, following, ring_start, ring, softness, soft, _STRENGTH, _ITERATIONS)
    return current


@njit(fastmath=True)
def _smooth(
    current: Array, following: Array, ring_start: NDArray[np.int32], ring: NDArray[np.int32],
    softness: Array, soft: Ints, strength: float, iterations: int,
) -> None:  # fmt: skip # pragma: no cover - compiled
    """Smooth an even number of times, to and fro between two copies."""
    for _ in range(iterations):
        for v in soft:
            start, stop = ring_start[v], ring_start[v + 1]
            rate = softness[v] * strength
            if stop > start:
                x, y, z = 0.0, 0.0, 0.0
                for k in range(start, stop):
                    x += current[ring[k], 0]
                    y += current[ring[k], 1]
                    z += current[ring[k], 2]
                share = rate / (stop - start)
                following[v, 0] = (1 - rate) * current[v, 0] + share * x
                following[v, 1] = (1 - rate) * current[v, 1] + share * y
                following[v, 2] = (1 - rate) * current[v, 2] + share * z
        current, following = following, current


@njit()
def _normals(
    vertices: Array, faces: NDArray[np.int32], weld: NDArray[np.int32], count: int
) -> NDArray[np.float32]:  # pragma: no cover - compiled
    total = np.zeros((count, 3))
    for f in range(len(faces)):
        i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        ax, ay, az = vertices[j, 0] - x, vertices[j, 1] - y, vertices[j, 2] - z
        bx, by, bz = vertices[k, 0] - x, vertices[k, 1] - y, vertices[k, 2] - z
        nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        for corner in (i, j, k):
            total[weld[corner], 0] += nx
            total[weld[corner], 1] += ny
            total[weld[corner], 2] += nz
    normals = np.empty((len(vertices), 3), np.float32)
    for v in range(len(vertices)):
        x, y, z = total[weld[v], 0], total[weld[v], 1], total[weld[v], 2]
        length = np.sqrt(x * x + y * y + z * z)
        if length > 0:
            normals[v, 0], normals[v, 1], normals[v, 2] = x / length, y / length, z / length
        else:
            normals[v, 0], normals[v, 1], normals[v, 2] = 0.0, 1.0, 0.0
    return normals

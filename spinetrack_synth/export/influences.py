"""Which few bones move a vertex, and by what shares: engines read one set of glTF's joints.

Unreal's reader of glTF takes the first set alone. With the four largest weights of the body data
and no others, vertices land up to centimetres from where all their bones would put them; but bones
of neighbouring bodies move much alike, so four of them, with shares of their own, can stand for
all. They are fitted over motions that the avatar makes.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.export.glb import SET, Skin

Array = NDArray[np.float64]

MOST: Final = 8
"""Bones that are weighed against each other: as many as the body data bind a vertex of skin to."""

STIFF_M: Final = 0.001
"""What a change of a share by 1 costs, as a distance: shares that hardly matter stay theirs."""

_AT_ONCE: Final = 2000
"""Vertices whose matrices are held in memory together."""


def strongest(weight: Array, count: int) -> Skin:
    """The ``count`` largest weights of each vertex, of weights (P, S) on all bones."""
    bone = np.argsort(-weight, axis=1, kind="stable")[:, :count]
    kept = np.take_along_axis(weight, bone, axis=1)
    return Skin(bone.astype(np.int32), kept / kept.sum(axis=1, keepdims=True))


def spread(motions: Array) -> Array:
    """How bones move apart: (S, 4, S, 4) for motions (F, S, 4, 4) from rest.

    With ``p`` (x, y, z, 1) a point at rest and ``d`` (S,) changes of its weights that sum to 0, the
    mean square of its displacement over all motions is the sum of ``d[s] p[i] spread[s, i, t, j]
    p[j] d[t]``.
    """
    frames, bones = motions.shape[:2]
    apart = (motions - motions[:, :1])[:, :, :3].transpose(0, 2, 1, 3).reshape(-1, 4 * bones)
    mean_square: Array = apart.T @ apart / frames
    return mean_square.reshape(bones, 4, bones, 4)


def fitted(weight: Array, rest_m: Array, spread: Array) -> Skin:
    """At most four bones for each vertex that move it nearest to how all would.

    ``weight`` (P, S) on all bones, ``rest_m`` (P, 3) the vertices at rest, ``spread`` of the
    motions over which the mean square of the distance is least. Shares are positive and sum to 1;
    vertices that follow four bones or fewer keep theirs.
    """
    found = strongest(weight, SET)
    many = np.flatnonzero(np.count_nonzero(weight, axis=1) > SET)
    for rows in np.split(many, range(_AT_ONCE, len(many), _AT_ONCE)):
        all_of_them = strongest(weight[rows], MOST)
        point = np.concatenate([rest_m[rows], np.ones((len(rows), 1))], axis=1)
        share = _least(_cost(all_of_them.bone, point, spread), all_of_them.weight)
        order = np.argsort(-share, axis=1, kind="stable")[:, :SET]
        found.bone[rows] = np.take_along_axis(all_of_them.bone, order, axis=1)
        found.weight[rows] = np.take_along_axis(share, order, axis=1)
    return found


def _cost(bone: NDArray[np.int32], point: Array, spread: Array) -> Array:
    """The quadratic form (P, K, K) of what changes of shares cost, m2."""
    count = bone.shape[1]
    cost = np.empty((len(bone), count, count))
    for k in range(count):
        for other in range(count):
            between = spread[bone[:, k], :, bone[:, other]]
            cost[:, k, other] = np.einsum("pi,pij,pj->p", point, between, point)
    return cost + STIFF_M**2 * np.eye(count)


def _least(cost: Array, share: Array) -> Array:
    """Shares (P, K) of at most four bones, not negative, sum 1, at the least cost from ``share``.

    Every set of bones is tried. In each the least cost of shares that sum to 1 has one solution; it
    counts where none of its shares is negative, and the best set's counts for all.
    """
    pull = np.einsum("pkl,pl->pk", cost, share)
    best = np.full(len(share), np.inf)
    found = np.zeros_like(share)
    for size in range(1, SET + 1):
        # Minimise x' C x - 2 x' C share where the sum of x is 1.
        matrix = np.ones((len(share), size + 1, size + 1))
        matrix[:, size, size] = 0
        wanted = np.ones((len(share), size + 1, 1))
        for chosen in map(list, combinations(range(share.shape[1]), size)):
            matrix[:, :size, :size] = cost[:, chosen][:, :, chosen]
            wanted[:, :size, 0] = pull[:, chosen]
            x = np.linalg.solve(matrix, wanted)[:, :size, 0]
            rise = np.einsum("pk,pkl,pl->p", x, matrix[:, :size, :size], x)
            rise -= 2 * np.einsum("pk,pk->p", x, pull[:, chosen])
            better = (rise < best) & (x >= 0).all(axis=1) & (share[:, chosen] > 0).all(axis=1)
            best[better] = rise[better]
            found[better] = 0
            found[np.ix_(better, chosen)] = x[better]
    return found

"""Points that come and go: where they were while out of sight, as far as their neighbours tell.

A point whose place in the model is not quite its place in the person draws the fit a little to its
side. If it vanishes for some frames, the fit springs back, and a neck that nobody moved bends. So
a gap is filled, where possible, with where the point was, seen from its neighbours, at other
moments when these stood alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

NEIGHBOURS: Final = 6
"""Points from which another one is told: those whose distances from it change least."""

SPREAD_M: Final = 0.02
"""Neighbours spread at least so much in two directions, or they tell no rotation."""

ALIKE_M: Final = 0.003
"""Difference of shape (RMS) by which a moment counts less: the noise of good recordings."""

TOLD_M: Final = 0.01
"""Neighbours tell a point that they would have found, where it is seen, within so much (RMS)."""

MOMENTS: Final = 40
"""Frames, spread over those in which a point is seen, that are compared with."""

TESTS: Final = 20
"""Frames in which it is tried whether neighbours tell a point."""

FEWEST: Final = 5
"""A point that is seen in fewer frames tells nothing but how it differs."""

LONG: Final = 50
"""Frames of a recording from which on that is so."""


@dataclass(frozen=True)
class Filled:
    """``positions_m`` (F, P, 3) without the gaps that could be filled; ``filled`` (F, P) where they
    were; ``notes`` on what was done."""

    positions_m: Array
    filled: Bools
    notes: tuple[str, ...] = ()


def fill_gaps(names: tuple[str, ...], positions_m: Array) -> Filled:
    """Fill the gaps of points (F, P, 3), NaN where missing, that their neighbours tell.

    Points at 0 0 0 are missing there: so some programs write them (`at_zero`). One that is hardly
    ever seen is left out. What neighbours do not tell, as a hand's place, stays missing.
    """
    nowhere = at_zero(positions_m)
    positions_m = np.where(nowhere[:, :, None], np.nan, positions_m)
    seen: Bools = np.all(np.isfinite(positions_m), axis=2)
    result = positions_m.copy()
    filled: Bools = np.zeros_like(seen)
    frames = len(positions_m)
    count = seen.sum(axis=0)
    rare = (count > 0) & (count < FEWEST) & (frames >= LONG)
    rare &= rare.mean() < 0.5  # where hardly anything is seen, all of it counts
    result[:, rare] = np.nan
    seen = seen & ~rare
    shares = []
    for point in np.flatnonzero((count >= FEWEST) & (count < frames)):
        order = _nearest(positions_m, seen, int(point))
        error_m = _error_m(positions_m, seen, int(point), order)
        if error_m > TOLD_M:
            continue
        gap = np.flatnonzero(~seen[:, point])
        told = _told(positions_m, seen, int(point), order, gap, seen[:, point])
        found = np.isfinite(told).all(axis=1)
        result[gap[found], point] = told[found]
        filled[gap[found], point] = True
        if found.any():
            shares.append((float(found.sum()) / frames, names[point]))
    notes = []
    zero_once: Bools = np.any(nowhere, axis=0)
    if zero_once.any():
        where = ", ".join(name for name, some in zip(names, zero_once) if some)
        notes.append(
            f"at 0 0 0 in up to {nowhere.sum(axis=0).max()} frames, taken for missing: {where}"
        )
    if shares:
        largest = sorted(shares, reverse=True)
        told_of = ", ".join(f"{name} {share:.0%}" for share, name in largest[:5])
        more = f" and {len(largest) - 5} more" if len(largest) > 5 else ""
        notes.append(f"gaps filled from neighbouring points: {told_of}{more} of the frames")
    if rare.any():
        left = ", ".join(name for name, out in zip(names, rare.tolist()) if out)
        notes.append(f"seen in fewer than {FEWEST} frames, left out: {left}")
    return Filled(result, filled, tuple(notes))


def at_zero(positions_m: Array) -> Bools:
    """Where points (F, P, 3) are at 0 0 0 because they are missing (F, P): in some frames alone, or
    several of them. One that is always there, by itself, is the origin of the others."""
    zero: Bools = np.all(positions_m == 0, axis=2)
    always: Bools = np.all(zero, axis=0)
    nowhere: Bools = zero & (~always if always.sum() == 1 else True)
    return nowhere


def _nearest(positions_m: Array, seen: Bools, point: int) -> list[int]:
    """Other points, those first whose distance from a point changes least."""
    both = seen & seen[:, [point]]
    apart_m = np.linalg.norm(positions_m - positions_m[:, [point]], axis=2)
    order = []
    for other in range(positions_m.shape[1]):
        if other != point and both[:, other].sum() >= FEWEST:
            distances_m = apart_m[both[:, other], other]
            order.append((float(np.std(distances_m)), float(np.mean(distances_m)), other))
    return [other for _, _, other in sorted(order)]


def _error_m(positions_m: Array, seen: Bools, point: int, order: list[int]) -> float:
    """How far from a point its neighbours would have found it, RMS over frames where it is seen,
    told from moments no nearer than half the longest gap; inf where they tell nothing."""
    here = np.flatnonzero(seen[:, point])
    tests = here[:: max(1, len(here) // TESTS)]
    apart = int(np.diff(here, prepend=-1, append=len(seen)).max()) // 2
    squares = []
    for frame in tests:
        others = seen[:, point].copy()
        others[max(0, frame - apart) : frame + apart + 1] = False
        told = _told(positions_m, seen, point, order, np.array([frame]), others)[0]
        if np.isfinite(told).all():
            squares.append(float(np.sum((told - positions_m[frame, point]) ** 2)))
    return float(np.sqrt(np.mean(squares))) if squares else np.inf


def _told(
    positions_m: Array, seen: Bools, point: int, order: list[int], frames: NDArray[np.int64],
    moments: Bools,
) -> Array:  # fmt: skip
    """Where a point is in some frames (n, 3) by its neighbours, as seen at ``moments`` (F,); NaN
    where too few of them are seen."""
    found = np.full((len(frames), 3), np.nan)
    visible = seen[frames][:, order]
    nearest = visible & (np.cumsum(visible, axis=1) <= NEIGHBOURS)
    # Frames with the same neighbours go together.
    patterns, which = np.unique(nearest, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        neighbours = [other for other, is_seen in zip(order, pattern) if is_seen]
        if len(neighbours) < 3:
            continue
        known = np.flatnonzero(moments & seen[:, neighbours].all(axis=1))
        if not len(known):
            continue
        known = known[:: max(1, len(known) // MOMENTS)]
        shapes_m = positions_m[known][:, neighbours]
        rows = np.flatnonzero(which.ravel() == number)
        for start in range(0, len(rows), 200):
            some = rows[start : start + 200]
            there_m = positions_m[frames[some]][:, neighbours]
            found[some] = _carried(shapes_m, positions_m[known, point], there_m)
    return found


def _carried(shapes_m: Array, points_m: Array, there_m: Array) -> Array:
    """Points (n, 3) carried along by neighbours: from moments with the neighbours at ``shapes_m``
    (N, K, 3) and the point at ``points_m`` (N, 3) to frames with them at ``there_m`` (n, K, 3); the
    mean over moments, the more alike the more. NaN where the neighbours lie along a line."""
    from_m, to_m = shapes_m.mean(axis=1), there_m.mean(axis=1)
    a, b = shapes_m - from_m[:, None], there_m - to_m[:, None]
    u, s, vt = np.linalg.svd(np.einsum("nki,fkj->fnij", a, b))
    proper = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    vt[..., 2, :] *= proper[..., None]
    turns = np.einsum("fnij,fnjk->fnki", u, vt)
    s[..., 2] *= proper
    squares = (a**2).sum(axis=(1, 2)) + (b**2).sum(axis=(1, 2))[:, None] - 2 * s.sum(axis=-1)
    unlike_m2 = np.maximum(squares, 0.0) / shapes_m.shape[1]
    weights = np.exp(-(unlike_m2 - unlike_m2.min(axis=1, keepdims=True)) / (2 * ALIKE_M**2))
    weights /= weights.sum(axis=1, keepdims=True)
    carried = np.einsum("fnij,nj->fni", turns, points_m - from_m) + to_m[:, None]
    found: Array = np.einsum("fn,fni->fi", weights, carried)
    spread = np.linalg.svd(b, compute_uv=False)[:, 1]
    found[spread < SPREAD_M] = np.nan
    return found

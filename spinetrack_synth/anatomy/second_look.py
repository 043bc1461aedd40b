"""A second look at limbs of a tracked recording that stay at the end of a joint.

A fit that follows its predecessor can follow the wrong one of two: noise turns a straight arm half
round with its elbow bent the wrong way, as far as it goes, and when the arm bends again the fit
stays where it is, makes up for it with the trunk, and grows worse too slowly to be noticed. What
gives it away is a joint at its end. So wherever a limb has one for a while, it is begun anew at the
frame that it fits worst, and where that fits better, its neighbours are led from there both ways.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinetrack_synth.anatomy.least_squares import (
    Problem,
    Scratch,
    evaluate,
    solve_frame,
    weigh,
)
from spinetrack_synth.anatomy.tracking import (
    COLD_DAMPING,
    END_COST_M2,
    EXACT_M,
    ROUNDS,
    SAME,
    Restarts,
    limb_anew,
    nearest_angles,
)

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

LONG: Final = 8
"""Frames that a joint must be at its end, with gaps no longer than that."""

STRETCH: Final = 128
"""A limb is looked at once in so many frames."""

EVIDENCE: Final = 3.0
"""Logarithm of how much more likely the markers must be for another fit to be followed."""

STARTS: Final = 6
"""Other places from which a limb is begun anew."""

PROMISING: Final = 4.0
"""A limb alone, begun anew, may fit this much worse (cost) than before, since the trunk still makes
up for its old place."""

ALIKE: Final = 0.05
"""Fits of a limb alone no further apart (rad) lead to the same place."""


class Looked(NamedTuple):
    """A stretch of one limb: frames ``begin`` to ``end``."""

    limb: int
    begin: int
    end: int


def stretches(problem: Problem, restarts: Restarts, z: Array, changed: Bools) -> list[Looked]:
    """Where limbs have a joint at its end, among frames that have ``changed`` (F,).

    A trunk, which carries other limbs, is left out: it has no twin, and much to be begun anew.
    """
    at_end = (z <= problem.lower) | (z >= problem.upper)
    found = []
    for limb, columns in enumerate(restarts.limb_columns):
        within = (restarts.limb_columns & ~columns).sum(axis=1) == 0
        trunk = within[1:].sum() > 1 and not columns.all()
        if limb == 0 or trunk:
            continue
        there = np.flatnonzero(at_end[:, columns].any(axis=1) & changed)
        for run in np.split(there, np.flatnonzero(np.diff(there) > LONG) + 1):
            if len(run) < LONG:
                continue
            begin, end = int(run[0]), int(run[-1]) + 1
            cuts = np.linspace(begin, end, 1 + -(-(end - begin) // STRETCH)).round().astype(int)
            found += [Looked(limb, int(a), int(b)) for a, b in zip(cuts, cuts[1:])]
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def _evidence(problem: Problem, target_m: Array, old: float, new: float) -> float:
    """How much likelier markers are under the cost ``new`` than under ``old``: the logarithm, for
    an error of the markers that is not known but the same for both."""
    count = -len(problem.lower)
    for p in range(len(target_m)):
        if np.isfinite(target_m[p, 0] + target_m[p, 1] + target_m[p, 2]):
            count += 3
    return 0.5 * max(count, 1) * np.log((old + END_COST_M2) / (new + END_COST_M2))


@njit(cache=True, nogil=True, error_model="numpy")
def _worst_frame(
    problem: Problem,
    restarts: Restarts,
    limb: int,
    begin: int,
    end: int,
    targets_m: Array,
    task_values: Array,
    z: Array,
    scratch: Scratch,
) -> int:
    """The frame whose markers on the limb are met worst, -1 where all are met exactly."""
    everything = np.ones(targets_m.shape[1], dtype=np.bool_)
    worst, largest_m = -1, EXACT_M
    for t in range(begin, end):
        seen = weigh(problem, targets_m[t], everything, scratch)
        evaluate(problem, z[t], targets_m[t], task_values[t], seen, scratch)
        total, weight = 0.0, 0.0
        for p in range(targets_m.shape[1]):
            if restarts.limb_markers[limb, p] and scratch.kept[p] > 0:
                weight += scratch.kept[p]
                for i in range(3):
                    away = scratch.points[p, i] - targets_m[t, p, i]
                    total += scratch.kept[p] * away * away
        error_m = np.sqrt(total / weight) if weight > 0 else 0.0
        if error_m > largest_m:
            worst, largest_m = t, error_m
    return worst


@njit(cache=True, nogil=True, error_model="numpy")
def _look(
    problem: Problem,
    restarts: Restarts,
    limb: int,
    target_m: Array,
    task_values: Array,
    z: Array,
    cost: float,
    scratch: Scratch,
) -> tuple[float, int]:
    """Begin a limb anew; z (k,) becomes the best fit, ``cost`` is its objective so far.

    Only the limb is fitted from every starting point, which is quick; the whole body where that
    leads to another place that fits about as well. Returns the objective and the steps.
    """
    columns, markers = restarts.limb_columns[limb], restarts.limb_markers[limb]
    everything = np.ones(len(target_m), dtype=np.bool_)
    all_columns = np.ones(len(z), dtype=np.bool_)
    count = min(STARTS, len(restarts.starts))
    tried, trial, best = np.empty((count + 1, len(z))), np.empty(len(z)), z.copy()
    tried[0] = z
    limb_cost, steps = solve_frame(
        problem, target_m, markers, task_values, columns, tried[0], 0.0, scratch
    )
    for start in range(count):
        here = tried[start + 1]
        trial_cost, more = limb_anew(
            problem, problem, restarts, limb, start, target_m, task_values, z, here, scratch
        )
        steps += more
        seen_before = False
        for i in range(start + 1):
            apart = 0.0
            for k in range(len(z)):
                apart = max(apart, abs(here[k] - tried[i, k]))
            seen_before |= apart < ALIKE
        if seen_before or trial_cost > PROMISING * limb_cost:
            continue
        trial[:] = here
        trial_cost, more = solve_frame(
            problem, target_m, everything, task_values, all_columns, trial, COLD_DAMPING, scratch
        )
        steps += more
        if trial_cost < cost:
            cost = trial_cost
            best[:] = trial
    nearest_angles(problem, restarts, z, best)
    z[:] = best
    return cost, steps


@njit(cache=True, nogil=True, error_model="numpy")
def _lead(
    problem: Problem,
    targets_m: Array,
    task_values: Array,
    frame: int,
    ahead: int,
    now: Array,
    z: Array,
    cost: Array,
    other: Array,
    other_cost: Array,
    steps: Ints,
    scratch: Scratch,
) -> int:
    """Follow the fit ``now`` (k,) of a frame forward (``ahead`` 1) or back (-1).

    Fills ``other`` (F, k) and its cost for the frames after it, until it meets what z holds, or has
    been none the better for long. Returns the last frame up to which it is the likelier one.
    """
    all_markers = np.ones(targets_m.shape[1], dtype=np.bool_)
    all_columns = np.ones(len(now), dtype=np.bool_)
    total, most, last = 0.0, 0.0, frame
    t = frame + ahead
    while 0 <= t < len(z) and abs(t - last) <= STRETCH:
        if np.isnan(cost[t]):
            other[t], other_cost[t] = now, np.nan
            t += ahead
            continue
        other_cost[t], more = solve_frame(
            problem, targets_m[t], all_markers, task_values[t], all_columns, now, 0.0, scratch
        )
        steps[t] += more
        other[t] = now
        apart = 0.0
        for k in range(len(now)):
            apart = max(apart, abs(now[k] - z[t, k]))
        if apart < SAME:
            break
        total += _evidence(problem, targets_m[t], cost[t], other_cost[t])
        if total > most:
            most, last = total, t
        t += ahead
    return last


def look_again(
    problem: Problem,
    restarts: Restarts,
    targets_m: Array,
    task_values: Array,
    z: Array,
    cost: Array,
    steps: Ints,
    scratch: Scratch,
) -> int:
    """Improve a tracked recording, z (F, k) and cost (F,), in place; returns the frames changed."""
    changed = np.ones(len(z), dtype=np.bool_)
    other, other_cost = np.empty_like(z), np.empty_like(cost)
    every = np.zeros(len(z), dtype=np.bool_)
    for _ in range(ROUNDS):
        wanted = stretches(problem, restarts, z, changed)
        changed[:] = False
        for limb, begin, end in wanted:
            t = _worst_frame(
                problem, restarts, limb, begin, end, targets_m, task_values, z, scratch
            )
            if t < 0:
                continue
            now = z[t].copy()
            found, more = _look(
                problem, restarts, limb, targets_m[t], task_values[t], now, cost[t], scratch
            )
            steps[t] += more
            if _evidence(problem, targets_m[t], cost[t], found) < EVIDENCE:
                continue
            other[t], other_cost[t] = now, found
            ends = [
                _lead(
                    problem, targets_m, task_values, t, ahead, now.copy(), z, cost,
                    other, other_cost, steps, scratch,
                )
                for ahead in (-1, 1)
            ]  # fmt: skip
            led = slice(ends[0], ends[1] + 1)
            z[led], cost[led] = other[led], other_cost[led]
            changed[led] = True
        if not changed.any():
            break
        every |= changed
    dark = np.isnan(cost)
    first = int(np.argmin(dark))
    for frame in np.flatnonzero(dark):
        z[frame] = z[frame - 1] if frame > first else z[first]
    return int(every.sum())

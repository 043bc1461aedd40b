"""Compiled search over frames: warm starts along a sequence, restarts where a fit is bad."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spinetrack_synth.anatomy.least_squares import (
    Problem,
    Scratch,
    coordinates,
    evaluate,
    solve_frame,
    weigh,
)

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

COLD_DAMPING: Final = 1e-3
GOOD_M: Final = 0.01
"""A limb whose markers are met to this (RMS) is not searched again."""

BETTER: Final = 0.81
"""A restart counts when its cost is below this share of the old one: errors smaller by a tenth."""

JUMP: Final = 2.0
"""A frame whose error is more than this many times its predecessor's, and `GOOD_M`, is suspect."""

ROUNDS: Final = 3


class Restarts(NamedTuple):
    """Where else to begin: ``starts`` (S, k); limb 0 is the base with everything on it, then the
    limbs from the trunk outward: ``limb_columns`` (L, k), ``limb_markers`` (L, P)."""

    starts: Array
    limb_columns: Bools
    limb_markers: Bools


@njit(cache=True, nogil=True)
def _limb_error_m(scratch: Scratch, target_m: Array, counted: Bools) -> float:
    """RMS distance of the counted markers where `evaluate` was, unweighted."""
    total, count = 0.0, 0
    for p in range(len(target_m)):
        if counted[p] and scratch.kept[p] > 0:
            for i in range(3):
                total += (scratch.points[p, i] - target_m[p, i]) ** 2
            count += 1
    return np.sqrt(total / count) if count else 0.0


@njit(cache=True, nogil=True)
def _worst_limb_m(
    problem: Problem,
    restarts: Restarts,
    target_m: Array,
    task_values: Array,
    z: Array,
    scratch: Scratch,
) -> float:
    """The largest `_limb_error_m`; leaves the kinematics at z and all markers in force."""
    everything = np.ones(len(target_m), dtype=np.bool_)
    seen = weigh(problem, target_m, everything, scratch)
    evaluate(problem, z, target_m, task_values, seen, scratch)
    worst = _limb_error_m(scratch, target_m, everything)
    for limb in range(len(restarts.limb_columns)):
        worst = max(worst, _limb_error_m(scratch, target_m, restarts.limb_markers[limb]))
    return worst


@njit(cache=True, nogil=True)
def _from(start: Array, columns: Bools, z: Array) -> Array:
    """z with some columns taken from a start."""
    mixed = z.copy()
    for k in range(len(z)):
        if columns[k]:
            mixed[k] = start[k]
    return mixed


@njit(cache=True, nogil=True)
def solve_cold(
    problem: Problem,
    restarts: Restarts,
    target_m: Array,
    task_values: Array,
    z: Array,
    scratch: Scratch,
) -> tuple[float, int]:
    """Fit a frame of which nothing is known; z (k,) is where to begin and becomes the solution.

    First from z itself. Where that is no good fit, the base is turned other ways, then each limb
    that fits badly is begun anew on its own. Returns the objective and the number of steps.
    """
    markers, columns = len(target_m), len(z)
    all_markers = np.ones(markers, dtype=np.bool_)
    all_columns = np.ones(columns, dtype=np.bool_)
    begin = z.copy()
    cost, steps = solve_frame(
        problem, target_m, all_markers, task_values, all_columns, z, COLD_DAMPING, scratch
    )
    if _worst_limb_m(problem, restarts, target_m, task_values, z, scratch) < GOOD_M:
        return cost, steps
    for s in range(len(restarts.starts)):
        trial = _from(restarts.starts[s], restarts.limb_columns[0], begin)
        _, more = solve_frame(
            problem, target_m, all_markers, task_values, restarts.limb_columns[0], trial,
            COLD_DAMPING, scratch,
        )  # fmt: skip
        trial_cost, still_more = solve_frame(
            problem, target_m, all_markers, task_values, all_columns, trial, COLD_DAMPING, scratch
        )
        steps += more + still_more
        if trial_cost < BETTER * cost:
            cost = trial_cost
            z[:] = trial
            if _worst_limb_m(problem, restarts, target_m, task_values, z, scratch) < GOOD_M:
                return cost, steps
    for _ in range(ROUNDS):
        found = False
        for limb in range(1, len(restarts.limb_columns)):
            moved, counted = restarts.limb_columns[limb], restarts.limb_markers[limb]
            _worst_limb_m(problem, restarts, target_m, task_values, z, scratch)
            if _limb_error_m(scratch, target_m, counted) < GOOD_M:
                continue
            best, best_cost = z.copy(), np.inf
            for s in range(len(restarts.starts)):
                trial = _from(restarts.starts[s], moved, z)
                limb_cost, more = solve_frame(
                    problem, target_m, counted, task_values, moved, trial, COLD_DAMPING, scratch
                )
                steps += more
                if limb_cost < best_cost:
                    best[:] = trial
                    best_cost = limb_cost
            trial_cost, more = solve_frame(
                problem, target_m, all_markers, task_values, all_columns, best, COLD_DAMPING,
                scratch,
            )  # fmt: skip
            steps += more
            if trial_cost < BETTER * cost:
                cost = trial_cost
                z[:] = best
                found = True
        if not found:
            break
    return cost, steps


@njit(cache=True, nogil=True)
def track(
    problem: Problem,
    restarts: Restarts,
    targets_m: Array,
    task_values: Array,
    default: Array,
    begin: int,
    end: int,
    fresh: bool,
    cold: bool,
    until_met: bool,
    z: Array,
    cost: Array,
    steps: NDArray[np.int64],
    scratch: Scratch,
) -> int:
    """Fit the frames ``begin`` to ``end`` of ``targets_m`` (F, P, 3) into z (F, k), cost and steps.

    A frame begins where its predecessors in z lead; the first one where ``fresh``, and every one
    where ``cold``, at ``default``. ``until_met`` ends where the solution is the one that z holds
    already. A frame without a marker repeats its predecessor. Returns the frame after the last one
    fitted.
    """
    markers, columns = targets_m.shape[1], z.shape[1]
    all_markers = np.ones(markers, dtype=np.bool_)
    all_columns = np.ones(columns, dtype=np.bool_)
    now, other = np.empty(columns), np.empty(columns)
    for t in range(begin, end):
        target, tasks = targets_m[t], task_values[t]
        unknown = cold or (fresh and t == begin)
        if unknown:
            now[:] = default
        else:
            now[:] = z[t - 1]
        seen = weigh(problem, target, all_markers, scratch)
        if seen == 0:
            z[t], cost[t], steps[t] = now, np.nan, 0
            continue
        if unknown:
            cost[t], steps[t] = solve_cold(problem, restarts, target, tasks, now, scratch)
        else:
            if t > begin + 1 or (t > 1 and not fresh):
                stay, _ = evaluate(problem, now, target, tasks, seen, scratch)
                for k in range(columns):
                    ahead = 2 * z[t - 1, k] - z[t - 2, k]
                    other[k] = min(max(ahead, problem.lower[k]), problem.upper[k])
                go, _ = evaluate(problem, other, target, tasks, seen, scratch)
                if go < stay:
                    now[:] = other
            cost[t], steps[t] = solve_frame(
                problem, target, all_markers, tasks, all_columns, now, 0.0, scratch
            )
            before = cost[t - 1]
            if cost[t] > GOOD_M**2 and not cost[t] < JUMP**2 * before:
                other[:] = z[t - 1]
                again, more = solve_cold(problem, restarts, target, tasks, other, scratch)
                steps[t] += more
                if again < BETTER * cost[t]:
                    cost[t] = again
                    now[:] = other
        if until_met:
            apart = 0.0
            for k in range(columns):
                apart = max(apart, abs(now[k] - z[t, k]))
            if apart < 1e-6:
                return t
        z[t] = now
    return end


@njit(cache=True, nogil=True)
def read_out(
    problem: Problem,
    targets_m: Array,
    task_values: Array,
    z: Array,
    q: Array,
    error_m: Array,
    scratch: Scratch,
) -> None:
    """All coordinates q (F, n) and the distance (F, P) of each marker, NaN where it is missing."""
    everything = np.ones(targets_m.shape[1], dtype=np.bool_)
    for t in range(len(z)):
        coordinates(problem, z[t], scratch)
        q[t] = scratch.q
        seen = weigh(problem, targets_m[t], everything, scratch)
        scratch.points[:] = np.nan
        evaluate(problem, z[t], targets_m[t], task_values[t], seen, scratch)
        for p in range(targets_m.shape[1]):
            away = scratch.points[p] - targets_m[t, p]
            error_m[t, p] = np.sqrt(away[0] ** 2 + away[1] ** 2 + away[2] ** 2)

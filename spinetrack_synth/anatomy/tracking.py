"""Compiled search over frames: warm starts along a sequence, restarts where a fit is bad."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.least_squares import (
    Problem,
    Scratch,
    coordinates,
    evaluate,
    solve_frame,
    weigh,
)
from spinetrack_synth.compiled import apart, assign, by_reference, inner, njit

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

COLD_DAMPING: Final = 1e-3
GOOD_M: Final = 0.01
"""A limb whose markers are met to this (RMS) fits, unless another fits far better."""

UNLIKE: Final = 3.0
EXACT_M: Final = 2e-6
"""A limb that fits this many times worse than the best one, and worse than exactly, is suspect:
recordings are as noisy at one limb as at another."""

BETTER: Final = 0.81
"""A restart counts when its cost is below this share of the old one: errors smaller by a tenth."""

JUMP: Final = 2.0
"""A frame whose error is more than this many times its predecessor's, and `GOOD_M`, is suspect; so
is one after a frame not even met to `BASE_M` that is this many times better: it began nowhere."""

END_COST_M2: Final = 1e-10
END_SHARE: Final = 0.5
"""What a joint at its end counts for, added to the cost and as a share of it."""

FEW_STARTS: Final = 12

BASE_M: Final = 0.05
"""A body met to this (RMS, all markers) stands the right way round; limbs may still be wrong."""

AGAIN: Final = 32
"""Where frames stay as bad as that, every such one is looked at afresh."""

ROUNDS: Final = 3

ROUNDING: Final = 2.0**20

REMEMBERED: Final = 3
"""Frames before it that a frame's start depends on."""


@by_reference
class Restarts(NamedTuple):
    """Where else to begin: ``starts`` (S, k); limb 0 is the base with everything on it, then the
    limbs from the trunk outward: ``limb_columns`` (L, k), ``limb_markers`` (L, P).
    ``round_columns`` (k,) are angles that are the same a full circle on, ``gliding_columns`` (k,)
    such that move something else besides, so that a circle on they are almost the same;
    ``twin_columns`` (T, 3) the angles about three axes, the second at right angles to the others,
    which reach every place in two ways: half a turn more for the first and the third, and
    ``twin_fold`` (T,) less the second. ``shown_by`` (k, P) are the markers that a column moves,
    ``has_task`` (k,) says on which a coordinate task depends."""

    starts: Array
    limb_columns: Bools
    limb_markers: Bools
    round_columns: Bools
    gliding_columns: Bools
    twin_columns: NDArray[np.int64]
    twin_fold: Array
    shown_by: Bools
    has_task: Bools


@inner(error_model="numpy")
def _judge(
    problem: Problem,
    restarts: Restarts,
    target_m: Array,
    task_values: Array,
    z: Array,
    limb_error_m: Array,
    scratch: Scratch,
) -> float:
    """RMS distance of each limb's markers at z, unweighted, NaN without any; returns the largest
    that is a good fit."""
    everything = np.ones(len(target_m), dtype=np.bool_)
    seen = weigh(problem, target_m, everything, scratch)
    evaluate(problem, z, target_m, task_values, seen, scratch)
    least = np.inf
    for limb in range(len(limb_error_m)):
        total, count = 0.0, 0
        for p in range(len(target_m)):
            if restarts.limb_markers[limb, p] and scratch.kept[p] > 0:
                for i in range(3):
                    total += (scratch.points[p, i] - target_m[p, i]) ** 2
                count += 1
        limb_error_m[limb] = np.sqrt(total / count) if count else np.nan
        if count:
            least = min(least, limb_error_m[limb])
    return min(GOOD_M, max(UNLIKE * least, EXACT_M))


@inner(error_model="numpy")
def _settle(
    problem: Problem,
    broad: Problem,
    target_m: Array,
    counted: Bools,
    task_values: Array,
    movable: Bools,
    z: Array,
    scratch: Scratch,
) -> tuple[float, int]:
    """Fit from afar: first under the broad prior, which keeps joints off their ends."""
    steps = 0
    cost = 0.0
    for stage in range(2):
        cost, more = solve_frame(
            broad if stage == 0 else problem, target_m, counted, task_values, movable, z,
            COLD_DAMPING, scratch,
        )  # fmt: skip
        steps += more
    return cost, steps


@inner(error_model="numpy")
def _score(problem: Problem, columns: Bools, z: Array, cost: float) -> float:
    """The cost, raised for every one of some columns that is at its end.

    Fits that the markers hardly tell apart are told apart by this: an arm turned half round with
    the elbow bent the wrong way, as far as it goes, looks like a straight one.
    """
    ends = 0
    for k in range(len(z)):
        if columns[k] and (z[k] <= problem.lower[k] or z[k] >= problem.upper[k]):
            ends += 1
    return (cost + END_COST_M2) * (1.0 + END_SHARE * ends)


@inner(error_model="numpy")
def limb_anew(
    problem: Problem,
    broad: Problem,
    restarts: Restarts,
    limb: int,
    start: int,
    target_m: Array,
    task_values: Array,
    z: Array,
    trial: Array,
    scratch: Scratch,
) -> tuple[float, int]:
    """Fit one limb alone from a starting point into ``trial`` (k,), the rest as in z.

    Returns the objective of the limb's markers and the number of steps.
    """
    columns, markers = restarts.limb_columns[limb], restarts.limb_markers[limb]
    assign(trial, z)
    for k in range(len(z)):
        if columns[k]:
            trial[k] = restarts.starts[start, k]
    # Every other start without the broad prior, which would lead all to one place.
    return solve_frame(
        broad if start % 2 == 0 else problem, target_m, markers, task_values, columns, trial,
        COLD_DAMPING, scratch,
    )  # fmt: skip


@apart(error_model="numpy")
def solve_cold(
    problem: Problem,
    broad: Problem,
    restarts: Restarts,
    target_m: Array,
    task_values: Array,
    z: Array,
    scratch: Scratch,
) -> tuple[float, int]:
    """Fit a frame of which nothing is known; z (k,) is where to begin and becomes the solution.

    First from z itself. Where that is no good fit, the base is turned other ways, then each limb
    that fits badly or has a joint at its end is begun anew on its own. Of angles that mean the
    same, those nearest to where z began are taken. Returns the objective and the number of steps.
    """
    columns, limbs = len(z), len(restarts.limb_columns)
    everything = np.ones(len(target_m), dtype=np.bool_)
    all_columns = np.ones(columns, dtype=np.bool_)
    limb_error_m = np.empty(limbs)
    begin, trial = z.copy(), np.empty(columns)
    cost, steps = np.inf, 0
    # Attempt 0 is z itself. While the body as a whole fits badly, others turn its base (limb 0),
    # then begin with all joints elsewhere.
    count = len(restarts.starts)
    for attempt in range(1 + 2 * count):
        assign(trial, begin)
        if attempt > 0:
            for k in range(columns):
                if restarts.limb_columns[0, k] or attempt > count:
                    trial[k] = restarts.starts[(attempt - 1) % count, k]
            _, more = solve_frame(
                broad, target_m, everything, task_values, restarts.limb_columns[0], trial,
                COLD_DAMPING, scratch,
            )  # fmt: skip
            steps += more
        trial_cost, more = _settle(
            problem, broad, target_m, everything, task_values, all_columns, trial, scratch
        )
        steps += more
        if trial_cost < BETTER * cost:
            cost = trial_cost
            assign(z, trial)
            good_m = _judge(problem, restarts, target_m, task_values, z, limb_error_m, scratch)
            # A base at its end may have been stopped there on its way round.
            stuck = _score(problem, restarts.limb_columns[0], z, 0.0) > END_COST_M2
            if limb_error_m[0] < BASE_M and not stuck:
                break
    good_m = _judge(problem, restarts, target_m, task_values, z, limb_error_m, scratch)
    for round_ in range(ROUNDS):
        found = False
        for limb in range(1, limbs):
            misfit = limb_error_m[limb] > good_m
            at_end = _score(problem, restarts.limb_columns[limb], z, 0.0) > END_COST_M2
            # A joint at its end may be the twin of one that is not: an elbow bent the wrong way.
            if not (misfit or (at_end and round_ == 0)):
                continue
            for start in range(count if misfit else FEW_STARTS):
                _, more = limb_anew(
                    problem, broad, restarts, limb, start, target_m, task_values, z, trial, scratch
                )
                trial_cost, still_more = solve_frame(
                    problem, target_m, everything, task_values, all_columns, trial, COLD_DAMPING,
                    scratch,
                )  # fmt: skip
                steps += more + still_more
                columns_of_limb = restarts.limb_columns[limb]
                if _score(problem, columns_of_limb, trial, trial_cost) < BETTER * _score(
                    problem, columns_of_limb, z, cost
                ):
                    cost = trial_cost
                    assign(z, trial)
                    found = True
                    good_m = _judge(
                        problem, restarts, target_m, task_values, z, limb_error_m, scratch
                    )
        if not found:
            break
    nearest_angles(problem, restarts, begin, z)
    for k in range(columns):
        circles = np.round((z[k] - begin[k]) / (2 * np.pi))
        if restarts.gliding_columns[k] and circles != 0:
            assign(trial, z)
            trial[k] -= 2 * np.pi * circles
            trial_cost, more = solve_frame(
                problem,
                target_m,
                everything,
                task_values,
                all_columns,
                trial,
                COLD_DAMPING,
                scratch,
            )
            steps += more
            if trial_cost < cost + END_COST_M2:
                cost = trial_cost
                assign(z, trial)
    return cost, steps


@njit(error_model="numpy")
def shown_columns(restarts: Restarts, target_m: Array, columns: Bools) -> None:
    """Write which columns (k,) a frame's markers (P, 3) or a task say anything about.

    The others stay where the frame before had them, and at their defaults where nothing ever moved
    them.
    """
    markers = len(target_m)
    everything = True
    for p in range(markers):
        everything &= np.isfinite(target_m[p, 0] + target_m[p, 1] + target_m[p, 2])
    for k in range(len(columns)):
        columns[k] = everything or restarts.has_task[k]
        if columns[k]:
            continue
        for p in range(markers):
            if restarts.shown_by[k, p] and np.isfinite(
                target_m[p, 0] + target_m[p, 1] + target_m[p, 2]
            ):
                columns[k] = True
                break


@njit(error_model="numpy")
def nearest_angles(problem: Problem, restarts: Restarts, wanted: Array, z: Array) -> None:
    """Write z (k,) with the angles nearest to ``wanted`` that put the model in the same place."""
    turn = 2 * np.pi
    other = np.empty(3)
    for k in range(len(z)):
        if restarts.round_columns[k]:
            angle = z[k] - turn * np.round((z[k] - wanted[k]) / turn)
            if problem.lower[k] <= angle <= problem.upper[k]:
                z[k] = angle
    for twin in range(len(restarts.twin_columns)):
        allowed, here, there = True, 0.0, 0.0
        for i in range(3):
            k = restarts.twin_columns[twin, i]
            other[i] = restarts.twin_fold[twin] - z[k] if i == 1 else z[k] + np.pi
            other[i] -= turn * np.round((other[i] - wanted[k]) / turn)
            allowed &= problem.lower[k] <= other[i] <= problem.upper[k]
            here += (z[k] - wanted[k]) ** 2
            there += (other[i] - wanted[k]) ** 2
        if allowed and there < here:
            for i in range(3):
                z[restarts.twin_columns[twin, i]] = other[i]


@inner(error_model="numpy")
def largest_difference(one: Array, other: Array) -> float:
    """By how much the most different columns (k,) of two fits differ."""
    apart = 0.0
    for k in range(len(one)):
        apart = max(apart, abs(one[k] - other[k]))
    return apart


@inner(error_model="numpy")
def _round(problem: Problem, z: Array) -> None:
    """Round where a frame begins, so that fits which differ by less go on as one and the same."""
    for k in range(len(z)):
        if problem.lower[k] < z[k] < problem.upper[k]:
            z[k] = np.round(z[k] * ROUNDING) / ROUNDING


@njit(error_model="numpy")
def track(
    problem: Problem,
    broad: Problem,
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

    A frame begins where its predecessors in z lead, frame 0 at what z holds of it; the first one
    where ``fresh``, and every one where ``cold``, at ``default``. ``until_met`` ends where the
    solutions are those that z holds already. A frame without a marker repeats its predecessor.
    Returns the frame after the last one fitted.
    """
    markers, columns = targets_m.shape[1], z.shape[1]
    all_markers = np.ones(markers, dtype=np.bool_)
    shown = np.ones(columns, dtype=np.bool_)
    now, other = np.empty(columns), np.empty(columns)
    met = 0
    for t in range(begin, end):
        target, tasks = targets_m[t], task_values[t]
        unknown = cold or (fresh and t == begin)
        if unknown:
            assign(now, default)
        else:
            assign(now, z[max(t - 1, 0)])
        seen = weigh(problem, target, all_markers, scratch)
        if seen == 0:
            assign(z[t], now)
            cost[t], steps[t] = np.nan, 0
            continue
        if unknown:
            cost[t], steps[t] = solve_cold(problem, broad, restarts, target, tasks, now, scratch)
        else:
            # Whether the way ahead can be told from the last two frames: could it, just before?
            if t > begin + 2 or (t > 2 and not fresh):
                moved, missed = 0.0, 0.0
                for k in range(columns):
                    moved += (z[t - 1, k] - z[t - 2, k]) ** 2
                    missed += (z[t - 1, k] - 2 * z[t - 2, k] + z[t - 3, k]) ** 2
                steady = missed < moved
            else:
                steady = False
            shown_columns(restarts, target, shown)
            if steady:
                for k in range(columns):
                    if shown[k]:
                        ahead = 2 * z[t - 1, k] - z[t - 2, k]
                        now[k] = min(max(ahead, problem.lower[k]), problem.upper[k])
            _round(problem, now)
            cost[t], steps[t] = solve_frame(
                problem, target, all_markers, tasks, shown, now, 0.0, scratch
            )
            nearest_angles(problem, restarts, z[max(t - 1, 0)], now)
            before = cost[max(t - 1, 0)]
            jumped = cost[t] > GOOD_M**2 and not cost[t] < JUMP**2 * before
            misled = before > BASE_M**2 and (cost[t] < before / JUMP**2 or t % AGAIN == 0)
            if jumped or misled:
                assign(other, z[max(t - 1, 0)])
                again, more = solve_cold(problem, broad, restarts, target, tasks, other, scratch)
                steps[t] += more
                if again < BETTER * cost[t]:
                    cost[t] = again
                    for k in range(columns):
                        if shown[k]:
                            now[k] = other[k]
        if until_met:
            met = met + 1 if largest_difference(now, z[t]) == 0.0 else 0
            if met == REMEMBERED:
                return t
        assign(z[t], now)
    return end


@njit(error_model="numpy")
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
        for i in range(q.shape[1]):  # the coordinates stand first among the quantities
            q[t, i] = scratch.q[i]
        seen = weigh(problem, targets_m[t], everything, scratch)
        scratch.points[:] = np.nan
        evaluate(problem, z[t], targets_m[t], task_values[t], seen, scratch)
        for p in range(targets_m.shape[1]):
            square_m2 = 0.0
            for i in range(3):
                square_m2 += (scratch.points[p, i] - targets_m[t, p, i]) ** 2
            error_m[t, p] = np.sqrt(square_m2)

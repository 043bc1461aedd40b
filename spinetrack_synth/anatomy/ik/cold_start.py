"""A frame of which nothing is known, compiled: the base turned, badly fitting limbs begun anew."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik.equivalent_angles import nearest_angles
from spinetrack_synth.anatomy.ik.frame_solver import solve_frame
from spinetrack_synth.anatomy.ik.objective import evaluate, weigh
from spinetrack_synth.anatomy.ik.problem import Problem
from spinetrack_synth.anatomy.ik.solver import Solver
from spinetrack_synth.anatomy.ik.trajectory import END_COST_M2
from spinetrack_synth.compiled import apart, assign, inner

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

END_SHARE: Final = 0.5
"""What a joint at its end counts for, as a share of the cost."""

FEW_STARTS: Final = 12

BASE_M: Final = 0.05
"""A body met to this (RMS, all markers) stands the right way round; limbs may still be wrong."""

ROUNDS: Final = 3


@apart(error_model="numpy")
def solve_cold(solver: Solver, target_m: Array, task_values: Array, z: Array) -> tuple[float, int]:
    """Fit a frame of which nothing is known; z (k,) is where to begin and becomes the solution.

    First from z itself. Where that is no good fit, the base is turned other ways, then each limb
    that fits badly or has a joint at its end is begun anew on its own. Of angles that mean the
    same, those nearest to where z began are taken. Returns the objective and the number of steps.
    """
    begin = z.copy()
    cost, steps = _turn_base(solver, target_m, task_values, z)
    cost, more = _restart_limbs(solver, target_m, task_values, cost, z)
    steps += more
    nearest_angles(solver.problem, solver.angles, begin, z)
    cost, more = _take_out_circles(solver, target_m, task_values, begin, cost, z)
    return cost, steps + more


@inner(apart=True, error_model="numpy")
def _turn_base(solver: Solver, target_m: Array, task_values: Array, z: Array) -> tuple[float, int]:
    """Fit from z (k,), which becomes the solution, and while the body as a whole fits badly with
    its base (limb 0) turned other ways, then with all joints elsewhere."""
    problem, broad, restarts = solver.problem, solver.broad, solver.restarts
    everything = np.ones(len(target_m), dtype=np.bool_)
    all_columns = np.ones(len(z), dtype=np.bool_)
    limb_error_m = np.empty(len(restarts.limb_columns))
    begin, trial = z.copy(), np.empty(len(z))
    cost, steps, count = np.inf, 0, len(restarts.starts)
    for attempt in range(1 + 2 * count):
        assign(trial, begin)
        if attempt > 0:
            for k in range(len(z)):
                if restarts.limb_columns[0, k] or attempt > count:
                    trial[k] = restarts.starts[(attempt - 1) % count, k]
            _, more = solve_frame(
                broad, target_m, everything, task_values, restarts.limb_columns[0], trial,
                COLD_DAMPING, solver.scratch,
            )  # fmt: skip
            steps += more
        trial_cost = 0.0
        for stage in range(2):  # first under the broad prior, which keeps joints off their ends
            trial_cost, more = solve_frame(
                broad if stage == 0 else problem, target_m, everything, task_values, all_columns,
                trial, COLD_DAMPING, solver.scratch,
            )  # fmt: skip
            steps += more
        if trial_cost < BETTER * cost:
            cost = trial_cost
            assign(z, trial)
            _limb_errors(solver, target_m, task_values, z, limb_error_m)
            # A base at its end may have been stopped there on its way round.
            stuck = _score(problem, restarts.limb_columns[0], z, 0.0) > END_COST_M2
            if limb_error_m[0] < BASE_M and not stuck:
                break
    return cost, steps


@inner(apart=True, error_model="numpy")
def _restart_limbs(
    solver: Solver, target_m: Array, task_values: Array, cost: float, z: Array
) -> tuple[float, int]:
    """Begin the limbs of a fit z (k,) anew that fit badly or have a joint at its end, each on its
    own; the whole body's fit from there is taken where it is better."""
    problem, restarts = solver.problem, solver.restarts
    everything = np.ones(len(target_m), dtype=np.bool_)
    all_columns = np.ones(len(z), dtype=np.bool_)
    limb_error_m, trial = np.empty(len(restarts.limb_columns)), np.empty(len(z))
    steps, count = 0, len(restarts.starts)
    good_m = _limb_errors(solver, target_m, task_values, z, limb_error_m)
    for round_ in range(ROUNDS):
        found = False
        for limb in range(1, len(limb_error_m)):
            columns = restarts.limb_columns[limb]
            misfit = limb_error_m[limb] > good_m
            at_end = _score(problem, columns, z, 0.0) > END_COST_M2
            # A joint at its end may be the twin of one that is not: an elbow bent the wrong way.
            if not (misfit or (at_end and round_ == 0)):
                continue
            for start in range(count if misfit else FEW_STARTS):
                # Every other start without the broad prior, which would lead all to one place.
                _, more = solve_limb(
                    solver, limb, start, start % 2 == 0, target_m, task_values, z, trial
                )
                trial_cost, still_more = solve_frame(
                    problem, target_m, everything, task_values, all_columns, trial, COLD_DAMPING,
                    solver.scratch,
                )  # fmt: skip
                steps += more + still_more
                if _score(problem, columns, trial, trial_cost) < BETTER * _score(
                    problem, columns, z, cost
                ):
                    cost = trial_cost
                    assign(z, trial)
                    found = True
                    good_m = _limb_errors(solver, target_m, task_values, z, limb_error_m)
        if not found:
            break
    return cost, steps


@inner(apart=True, error_model="numpy")
def _take_out_circles(
    solver: Solver, target_m: Array, task_values: Array, begin: Array, cost: float, z: Array
) -> tuple[float, int]:
    """Turn angles of a fit z (k,) that are almost the same a full circle on back towards ``begin``
    (k,) where that costs next to nothing."""
    everything = np.ones(len(target_m), dtype=np.bool_)
    all_columns = np.ones(len(z), dtype=np.bool_)
    trial = np.empty(len(z))
    steps = 0
    for k in range(len(z)):
        circles = np.round((z[k] - begin[k]) / (2 * np.pi))
        if solver.angles.gliding_columns[k] and circles != 0:
            assign(trial, z)
            trial[k] -= 2 * np.pi * circles
            trial_cost, more = solve_frame(
                solver.problem, target_m, everything, task_values, all_columns, trial,
                COLD_DAMPING, solver.scratch,
            )  # fmt: skip
            steps += more
            if trial_cost < cost + END_COST_M2:
                cost = trial_cost
                assign(z, trial)
    return cost, steps


@inner(apart=True, error_model="numpy")
def solve_limb(
    solver: Solver,
    limb: int,
    start: int,
    broadly: bool,
    target_m: Array,
    task_values: Array,
    z: Array,
    trial: Array,
) -> tuple[float, int]:
    """Fit one limb alone from a starting point into ``trial`` (k,), the rest as in z (k,), and
    under the broad prior if so told.

    Returns the objective of the limb's markers and the number of steps.
    """
    restarts = solver.restarts
    columns, markers = restarts.limb_columns[limb], restarts.limb_markers[limb]
    assign(trial, z)
    for k in range(len(z)):
        if columns[k]:
            trial[k] = restarts.starts[start, k]
    return solve_frame(  # type: ignore[no-any-return]  # compiled
        solver.broad if broadly else solver.problem, target_m, markers, task_values, columns,
        trial, COLD_DAMPING, solver.scratch,
    )  # fmt: skip


@inner(apart=True, error_model="numpy")
def _limb_errors(
    solver: Solver, target_m: Array, task_values: Array, z: Array, limb_error_m: Array
) -> float:
    """Write the RMS distance of each limb's markers at z, unweighted, NaN without any, into
    ``limb_error_m`` (L,); returns the largest that is a good fit."""
    problem, scratch = solver.problem, solver.scratch
    everything = np.ones(len(target_m), dtype=np.bool_)
    seen = weigh(problem, target_m, everything, scratch)
    evaluate(problem, z, target_m, task_values, seen, scratch)
    least = np.inf
    for limb in range(len(limb_error_m)):
        total, count = 0.0, 0
        for p in range(len(target_m)):
            if solver.restarts.limb_markers[limb, p] and scratch.kept[p] > 0:
                for i in range(3):
                    total += (scratch.points[p, i] - target_m[p, i]) ** 2
                count += 1
        limb_error_m[limb] = np.sqrt(total / count) if count else np.nan
        if count:
            least = min(least, limb_error_m[limb])
    return min(GOOD_M, max(UNLIKE * least, EXACT_M))


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

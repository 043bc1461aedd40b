"""Frames that follow one another: each is fitted from where its predecessors lead."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik.cold_start import BASE_M, BETTER, GOOD_M, solve_cold
from spinetrack_synth.anatomy.ik.equivalent_angles import nearest_angles
from spinetrack_synth.anatomy.ik.frame_solver import solve_frame
from spinetrack_synth.anatomy.ik.objective import weigh
from spinetrack_synth.anatomy.ik.observability import shown_columns
from spinetrack_synth.anatomy.ik.problem import Problem
from spinetrack_synth.anatomy.ik.solver import Solver, for_thread
from spinetrack_synth.anatomy.ik.trajectory import Recording, Trajectory, largest_difference
from spinetrack_synth.compiled import assign, by_reference, inner, njit

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]

BLOCK_FRAMES: Final = 256
"""Frames between two calls of ``progress``."""

JUMP: Final = 2.0
"""A frame whose error is more than this many times its predecessor's, and `GOOD_M`, is suspect; so
is one after a frame not even met to `BASE_M` that is this many times better: it began nowhere."""

AGAIN: Final = 32
"""Where frames stay as bad as that, every such one is looked at afresh."""

ROUNDING: Final = 2.0**20

REMEMBERED: Final = 3
"""Frames before it that a frame's start depends on."""


@by_reference
class Stretch(NamedTuple):
    """The frames ``begin`` to ``end``, and how they are to be fitted: the first one ``fresh``, as
    if nothing were known of those before it; every one ``cold``; ``until_met`` only as far as the
    solutions are others than those that were found before."""

    begin: int
    end: int
    fresh: bool
    cold: bool
    until_met: bool


def fit_frames(
    solver: Solver,
    recording: Recording,
    trajectory: Trajectory,
    *,
    cold: bool,
    threads: int,
    progress: Progress,
) -> None:
    """Fit all frames into z, cost and steps of a trajectory, in as many stretches as there are
    threads; ``cold`` each by itself. ``progress`` gets the frames done and those wanted."""
    frames = len(recording.targets_m)
    threads = max(1, min(threads, frames // BLOCK_FRAMES))
    bounds = [frames * i // threads for i in range(threads + 1)]
    done = [0] * threads

    def fit(index: int, fresh: bool, until_met: bool) -> None:
        own = for_thread(solver)
        begin, end = bounds[index], bounds[index + 1]
        while begin < end:
            stop = min(begin + BLOCK_FRAMES, end)
            stretch = Stretch(begin, stop, fresh, cold, until_met)
            reached = _fit_stretch(own, recording, stretch, trajectory)
            if until_met and reached < stop:
                return
            fresh = fresh and bool(np.isnan(trajectory.cost[begin:stop]).all())
            begin = stop
            done[index] = stop - bounds[index]
            if index == 0:
                progress(sum(done), frames)

    progress(0, frames)
    if threads == 1:
        fit(0, True, False)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda i: fit(i, True, False), range(threads)))
    if not cold:
        # A stretch that began on another branch than its predecessor ended on is fitted again.
        for index in range(1, threads):
            fit(index, False, True)
    progress(frames, frames)


@njit(error_model="numpy")
def _fit_stretch(
    solver: Solver, recording: Recording, stretch: Stretch, trajectory: Trajectory
) -> int:
    """Fit the frames of a stretch into z, cost and steps of a trajectory.

    A frame begins where its predecessors in z lead, frame 0 at what z holds of it; one of which
    nothing is known at the defaults. A frame without a marker repeats its predecessor. Returns the
    frame after the last one fitted.
    """
    problem, scratch = solver.problem, solver.scratch
    z, cost, steps = trajectory.z, trajectory.cost, trajectory.steps
    all_markers = np.ones(recording.targets_m.shape[1], dtype=np.bool_)
    now = np.empty(z.shape[1])
    met = 0
    for t in range(stretch.begin, stretch.end):
        target_m, task_values = recording.targets_m[t], recording.task_values[t]
        unknown = stretch.cold or (stretch.fresh and t == stretch.begin)
        if unknown:
            assign(now, problem.prior.center)
        else:
            assign(now, z[max(t - 1, 0)])
        if weigh(problem, target_m, all_markers, scratch) == 0:
            assign(z[t], now)
            cost[t], steps[t] = np.nan, 0
            continue
        if unknown:
            cost[t], steps[t] = solve_cold(solver, target_m, task_values, now)
        else:
            begin = stretch.begin if stretch.fresh else 0
            _continue(solver, recording, t, t > begin + 2, trajectory, now)
        if stretch.until_met:
            met = met + 1 if largest_difference(now, z[t]) == 0.0 else 0
            if met == REMEMBERED:
                return t
        assign(z[t], now)
    return stretch.end


@inner(apart=True, error_model="numpy")
def _continue(
    solver: Solver,
    recording: Recording,
    t: int,
    extrapolate: bool,
    trajectory: Trajectory,
    now: Array,
) -> None:
    """Fit frame t from ``now`` (k,), its predecessor's z, which becomes the solution, and write its
    cost and steps; where it jumps, as a frame of which nothing is known."""
    problem, z, cost = solver.problem, trajectory.z, trajectory.cost
    target_m, task_values = recording.targets_m[t], recording.task_values[t]
    before, cost_before = z[max(t - 1, 0)], cost[max(t - 1, 0)]
    all_markers = np.ones(len(target_m), dtype=np.bool_)
    shown = np.empty(len(now), dtype=np.bool_)
    shown_columns(solver.observability, target_m, shown)
    if extrapolate and _is_steady(z, t):
        for k in range(len(now)):
            if shown[k]:
                ahead = 2 * z[t - 1, k] - z[t - 2, k]
                now[k] = min(max(ahead, problem.lower[k]), problem.upper[k])
    _round(problem, now)
    cost[t], trajectory.steps[t] = solve_frame(
        problem, target_m, all_markers, task_values, shown, now, 0.0, solver.scratch
    )
    nearest_angles(problem, solver.angles, before, now)
    jumped = cost[t] > GOOD_M**2 and not cost[t] < JUMP**2 * cost_before
    misled = cost_before > BASE_M**2 and (cost[t] < cost_before / JUMP**2 or t % AGAIN == 0)
    if jumped or misled:
        other = before.copy()
        again, more = solve_cold(solver, target_m, task_values, other)
        trajectory.steps[t] += more
        if again < BETTER * cost[t]:
            cost[t] = again
            for k in range(len(now)):
                if shown[k]:
                    now[k] = other[k]


@inner(error_model="numpy")
def _is_steady(z: Array, t: int) -> bool:
    """Whether the way ahead can be told from the last two frames: could it, just before?"""
    moved, missed = 0.0, 0.0
    for k in range(z.shape[1]):
        moved += (z[t - 1, k] - z[t - 2, k]) ** 2
        missed += (z[t - 1, k] - 2 * z[t - 2, k] + z[t - 3, k]) ** 2
    return missed < moved


@inner(error_model="numpy")
def _round(problem: Problem, z: Array) -> None:
    """Round where a frame begins, so that fits which differ by less go on as one and the same."""
    for k in range(len(z)):
        if problem.lower[k] < z[k] < problem.upper[k]:
            z[k] = np.round(z[k] * ROUNDING) / ROUNDING

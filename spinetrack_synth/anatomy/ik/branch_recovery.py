"""Limbs of a tracked recording that are on a wrong branch, found and led back.

A fit that follows its predecessor can follow the wrong one of two: noise turns a straight arm half
round with its elbow bent the wrong way, as far as it goes, and when the arm bends again the fit
stays where it is, makes up for it with the trunk, and grows worse too slowly to be noticed. What
gives it away is a joint at its end, or a limb that is met worse than it is elsewhere. So where that
lasts, the limb is begun anew at the frame that it fits worst, the neighbours are led from there
both ways, and where the markers are the likelier for it, that is taken.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik.cold_start import COLD_DAMPING, EXACT_M, solve_limb
from spinetrack_synth.anatomy.ik.equivalent_angles import nearest_angles, turn_to_twin
from spinetrack_synth.anatomy.ik.frame_solver import solve_frame
from spinetrack_synth.anatomy.ik.observability import shown_columns
from spinetrack_synth.anatomy.ik.restarts import Restarts
from spinetrack_synth.anatomy.ik.solver import Solver
from spinetrack_synth.anatomy.ik.trajectory import (
    Recording,
    Trajectory,
    evidence,
    largest_difference,
    read_residuals,
    repeat_over_gaps,
)
from spinetrack_synth.compiled import assign, inner, njit

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

ROUNDS: Final = 3

LONG: Final = 8
"""Frames that it must last, with gaps no longer than that."""

STRETCH: Final = 16
"""A limb is looked at once in so many frames."""

WORSE: Final = 2.25
MUCH_WORSE: Final = 4.0
"""A limb is suspect whose mean square error is that many times its own lower quartile over the
recording, or the median of all limbs and frames."""

EVIDENCE: Final = 3.0
"""Logarithm of how much more likely the markers must be for another fit to be taken."""

HINT: Final = 1.0
PATIENCE: Final = 12
SHORT_PATIENCE: Final = 3
"""Frames that another fit is followed without becoming the likelier one, and how many while there
is less evidence for it than a hint."""

LONGEST_REST: Final = 7
"""Stretches of a limb that are passed over at most, after others where it had no other place."""

STARTS: Final = 5
"""Places spread over the ranges from which a limb is begun anew, besides its joints' twins and the
other ends of joints at their ends."""

PROMISING: Final = 4.0
"""A limb alone, begun anew, may fit this much worse (cost) than before, since the trunk still makes
up for its old place."""

ALIKE: Final = 0.05
"""Fits no further apart (rad) lead to the same place."""

SAME: Final = 1e-6
"""Fits no further apart (rad, m) are one."""


class Suspect(NamedTuple):
    """Frames ``begin`` to ``end`` of one limb, the one to begin at, and whether the limb fits worse
    there than elsewhere."""

    limb: int
    begin: int
    end: int
    frame: int
    misfit: bool


def recover_branches(solver: Solver, recording: Recording, trajectory: Trajectory) -> None:
    """Improve a tracked recording, of which the residuals are read, in place: all of it."""
    frames = len(trajectory.cost)
    changed, every = np.ones(frames, dtype=np.bool_), np.zeros(frames, dtype=np.bool_)
    other = trajectory._replace(z=np.empty_like(trajectory.z), cost=np.empty_like(trajectory.cost))
    for _ in range(ROUNDS):
        wanted = _suspects(solver, trajectory, changed & ~np.isnan(trajectory.cost))
        changed[:] = False
        fruitless, rest = np.zeros((2, len(solver.restarts.limb_columns)), dtype=np.int64)
        for suspect in wanted:
            limb = suspect.limb
            if rest[limb] > 0 and not suspect.misfit:
                rest[limb] -= 1
                continue
            found, led = _lead_back(solver, recording, suspect, trajectory, other)
            # A limb that has no other place at its end is looked at ever more rarely.
            fruitless[limb] = 0 if found else min(2 * fruitless[limb] + 1, LONGEST_REST)
            rest[limb] = fruitless[limb]
            if led is not None:
                every[led] = True
                changed[suspect.begin : suspect.end] = changed[led] = True
        if not changed.any():
            break
        for run in _runs(np.flatnonzero(every & changed), 1):
            read_residuals(solver, recording, run.start, run.stop, trajectory)
    repeat_over_gaps(trajectory)


def _lead_back(
    solver: Solver,
    recording: Recording,
    suspect: Suspect,
    trajectory: Trajectory,
    other: Trajectory,
) -> tuple[bool, slice | None]:
    """Begin a suspect limb anew and lead its neighbours from there, through ``other``; what is
    likelier is written into the trajectory.

    Returns whether the limb has another place, and the frames that were written, if any.
    """
    frame = suspect.frame
    target_m, task_values = recording.targets_m[frame], recording.task_values[frame]
    now = trajectory.z[frame].copy()
    other.cost[frame], steps = _other_branch(solver, suspect.limb, target_m, task_values, now)
    trajectory.steps[frame] += steps
    other.z[frame] = now
    found = bool(np.isfinite(other.cost[frame]))
    total = evidence(solver.problem, target_m, trajectory.cost[frame], other.cost[frame])
    if total < 0:
        return found, None
    ends = []
    for ahead in (-1, 1):
        gained, last = _follow(solver, recording, frame, ahead, now.copy(), trajectory, other)
        total += gained
        ends.append(last)
    if total < EVIDENCE:
        return found, None
    led = slice(ends[0], ends[1] + 1)
    trajectory.z[led], trajectory.cost[led] = other.z[led], other.cost[led]
    return found, led


def _suspects(solver: Solver, trajectory: Trajectory, among: Bools) -> list[Suspect]:
    """What is to be looked at, ``among`` these frames (F,).

    A trunk, which carries other limbs, is left out: it has no twin, and much to be begun anew.
    """
    problem, restarts, z = solver.problem, solver.restarts, trajectory.z
    at_end = (z <= problem.lower) | (z >= problem.upper)
    squares = {
        limb: square
        for limb in _limbs(restarts)
        if np.isfinite(
            square := _limb_square(restarts.limb_markers[limb], trajectory.marker_error_m)
        ).any()
    }
    usual = np.nanmedian([*squares.values()]) if squares else 0.0
    found = []
    for limb, square in squares.items():
        columns = restarts.limb_columns[limb]
        misfit = square > min(WORSE * np.nanquantile(square, 0.25), MUCH_WORSE * usual)
        suspect = at_end[:, columns].any(axis=1) | misfit
        suspect &= among & (square > EXACT_M**2)
        for run in _runs(np.flatnonzero(suspect), LONG):
            if run.stop - run.start < LONG:
                continue
            parts = -(-(run.stop - run.start) // STRETCH)
            cuts = np.linspace(run.start, run.stop, 1 + parts).round().astype(int).tolist()
            for begin, end in zip(cuts, cuts[1:]):
                worst = begin + int(np.argmax(np.where(suspect, square, -1.0)[begin:end]))
                found.append(Suspect(limb, begin, end, worst, bool(misfit[worst])))
    return found


def _limbs(restarts: Restarts) -> list[int]:
    """The limbs that carry no other limb, or are all there is."""
    columns = restarts.limb_columns
    carried = [(columns & ~own).sum(axis=1) == 0 for own in columns]
    return [
        limb
        for limb in range(1, len(columns))
        if carried[limb][1:].sum() == 1 or columns[limb].all()
    ]


def _limb_square(members: Bools, error_m: Array) -> Array:
    """Mean square error (F,) of a limb's markers over the frames around each; NaN where none is
    seen."""
    part = error_m[:, members]
    window = np.ones(LONG)
    around = slice(LONG // 2, LONG // 2 + len(part))
    total = np.convolve(np.nansum(part**2, axis=1), window)[around]
    count = np.convolve(np.isfinite(part).sum(axis=1), window)[around]
    mean: Array = np.divide(total, count, out=np.full(len(part), np.nan), where=count > 0.5)
    return mean


def _runs(frames: Ints, gap: int) -> list[slice]:
    """Ascending frames as runs whose gaps are at most so many frames."""
    runs = np.split(frames, np.flatnonzero(np.diff(frames) > gap) + 1)
    return [slice(int(run[0]), int(run[-1]) + 1) for run in runs if len(run)]


@njit(error_model="numpy")
def _other_branch(
    solver: Solver, limb: int, target_m: Array, task_values: Array, z: Array
) -> tuple[float, int]:
    """Begin a limb anew; z (k,) becomes the best fit in another place, if any.

    Only the limb is fitted from every starting point, which is quick; the whole body where that
    leads to another place that fits about as well. Returns the objective, infinite if none, and
    the steps.
    """
    problem, angles = solver.problem, solver.angles
    everything = np.ones(len(target_m), dtype=np.bool_)
    shown, columns = np.empty(len(z), dtype=np.bool_), np.empty(len(z), dtype=np.bool_)
    shown_columns(solver.observability, target_m, shown)
    at_end, ends = np.empty(len(z), dtype=np.int64), 0
    for k in range(len(z)):
        columns[k] = solver.restarts.limb_columns[limb, k] and shown[k]
        if columns[k] and (z[k] <= problem.lower[k] or z[k] >= problem.upper[k]):
            at_end[ends] = k
            ends += 1
    starts = len(angles.twin_columns) + min(STARTS, len(solver.restarts.starts)) + ends
    tried = np.empty((1 + starts, len(z)))
    trial, best = np.empty(len(z)), z.copy()
    assign(tried[0], z)
    limb_cost, steps = solve_frame(
        problem, target_m, solver.restarts.limb_markers[limb], task_values, columns, tried[0], 0.0,
        solver.scratch,
    )  # fmt: skip
    cost, count = np.inf, 1
    for start in range(starts):
        here = tried[count]
        limb_trial_cost, more = _begin_elsewhere(
            solver, limb, start, at_end, columns, target_m, task_values, z, here
        )
        steps += more
        if np.isinf(limb_trial_cost):
            continue
        for k in range(len(z)):
            if not shown[k]:
                here[k] = z[k]
        nearest_angles(problem, angles, z, here)
        if limb_trial_cost > PROMISING * limb_cost or _is_among(here, tried[:count]):
            continue
        count += 1
        assign(trial, here)
        trial_cost, more = solve_frame(
            problem, target_m, everything, task_values, shown, trial, COLD_DAMPING, solver.scratch
        )
        nearest_angles(problem, angles, z, trial)
        steps += more
        if trial_cost < cost and not _is_among(trial, tried[:1]):
            cost = trial_cost
            assign(best, trial)
    assign(z, best)
    return cost, steps


@inner(apart=True, error_model="numpy")
def _begin_elsewhere(
    solver: Solver,
    limb: int,
    start: int,
    at_end: Ints,
    columns: Bools,
    target_m: Array,
    task_values: Array,
    z: Array,
    here: Array,
) -> tuple[float, int]:
    """Fit a limb alone, from one of its starting points, into ``here`` (k,), the rest as in z: from
    its joints' twins, from places spread over the ranges, from the other ends of the columns
    ``at_end``.

    Returns the objective of its markers, infinite where there is no such start, and the steps.
    """
    problem, angles, restarts = solver.problem, solver.angles, solver.restarts
    twins, spread = len(angles.twin_columns), min(STARTS, len(restarts.starts))
    if twins <= start < twins + spread:
        return solve_limb(  # type: ignore[no-any-return]  # compiled
            solver, limb, start - twins, False, target_m, task_values, z, here
        )
    assign(here, z)
    if start < twins:
        if not columns[angles.twin_columns[start, 0]]:
            return np.inf, 0
        turn_to_twin(problem, angles, start, here)
    else:
        k = at_end[start - twins - spread]
        here[k] = problem.upper[k] if z[k] <= problem.lower[k] else problem.lower[k]
        if np.isinf(here[k]):
            return np.inf, 0
    return solve_frame(  # type: ignore[no-any-return]  # compiled
        problem, target_m, restarts.limb_markers[limb], task_values, columns, here, COLD_DAMPING,
        solver.scratch,
    )  # fmt: skip


@inner(error_model="numpy")
def _is_among(z: Array, others: Array) -> bool:
    """Whether z (k,) is the same place as one of the others (N, k)."""
    nearest = np.inf
    for i in range(len(others)):
        nearest = min(nearest, largest_difference(z, others[i]))
    return nearest < ALIKE


@njit(error_model="numpy")
def _follow(
    solver: Solver,
    recording: Recording,
    frame: int,
    ahead: int,
    now: Array,
    trajectory: Trajectory,
    other: Trajectory,
) -> tuple[float, int]:
    """Follow the fit ``now`` (k,) of a frame forward (``ahead`` 1) or back (-1).

    Fills z and cost of ``other`` for the frames after it, until it meets what the trajectory holds,
    or has been none the likelier for long. Returns the evidence for it and the last frame that adds
    to it.
    """
    problem, z, cost = solver.problem, trajectory.z, trajectory.cost
    all_markers = np.ones(recording.targets_m.shape[1], dtype=np.bool_)
    shown = np.empty(len(now), dtype=np.bool_)
    total, most, last = 0.0, 0.0, frame
    t = frame + ahead
    while 0 <= t < len(z) and abs(t - last) <= (PATIENCE if most > HINT else SHORT_PATIENCE):
        if np.isnan(cost[t]):
            assign(other.z[t], now)
            other.cost[t] = np.nan
            t += ahead
            continue
        target_m, task_values = recording.targets_m[t], recording.task_values[t]
        shown_columns(solver.observability, target_m, shown)
        other.cost[t], more = solve_frame(
            problem, target_m, all_markers, task_values, shown, now, 0.0, solver.scratch
        )
        trajectory.steps[t] += more
        assign(other.z[t], now)
        if largest_difference(now, z[t]) < SAME:
            break
        total += evidence(problem, target_m, cost[t], other.cost[t])
        if total > most:
            most, last = total, t
        t += ahead
    return most, last

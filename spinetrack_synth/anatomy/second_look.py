"""A second look at limbs of a tracked recording that stay at the end of a joint.

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

from spinetrack_synth.anatomy.least_squares import Problem, Scratch, solve_frame
from spinetrack_synth.anatomy.tracking import (
    COLD_DAMPING,
    END_COST_M2,
    EXACT_M,
    ROUNDS,
    Restarts,
    largest_difference,
    limb_anew,
    nearest_angles,
    read_out,
    shown_columns,
)
from spinetrack_synth.compiled import assign, inner, njit

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

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


class Stretch(NamedTuple):
    """Frames ``begin`` to ``end`` of one limb, the one to begin at, and whether the limb fits worse
    there than elsewhere."""

    limb: int
    begin: int
    end: int
    frame: int
    misfit: bool


def look_again(
    problem: Problem,
    restarts: Restarts,
    targets_m: Array,
    task_values: Array,
    z: Array,
    cost: Array,
    steps: Ints,
    q: Array,
    error_m: Array,
    scratch: Scratch,
) -> None:
    """Improve a tracked recording in place: z (F, k), cost and steps (F,), and what `read_out` made
    of it, q (F, n) and error_m (F, P)."""
    changed, every = np.ones(len(z), dtype=np.bool_), np.zeros(len(z), dtype=np.bool_)
    other, other_cost = np.empty_like(z), np.empty_like(cost)
    for _ in range(ROUNDS):
        wanted = _suspects(problem, restarts, z, error_m, changed & ~np.isnan(cost))
        changed[:] = False
        fruitless, rest = np.zeros((2, len(restarts.limb_columns)), dtype=np.int64)
        for limb, begin, end, frame, misfit in wanted:
            if rest[limb] > 0 and not misfit:
                rest[limb] -= 1
                continue
            now = z[frame].copy()
            other_cost[frame], more = _look(
                problem, restarts, limb, targets_m[frame], task_values[frame], now, scratch
            )
            steps[frame] += more
            other[frame] = now
            # A limb that has no other place at its end is looked at ever more rarely.
            found = np.isfinite(other_cost[frame])
            fruitless[limb] = 0 if found else min(2 * fruitless[limb] + 1, LONGEST_REST)
            rest[limb] = fruitless[limb]
            total = evidence(problem, targets_m[frame], cost[frame], other_cost[frame])
            if total < 0:
                continue
            ends = []
            for ahead in (-1, 1):
                gained, last = _lead(
                    problem, restarts, targets_m, task_values, frame, ahead, now.copy(), z, cost,
                    other, other_cost, steps, scratch,
                )  # fmt: skip
                total += gained
                ends.append(last)
            if total < EVIDENCE:
                continue
            led = slice(ends[0], ends[1] + 1)
            z[led], cost[led] = other[led], other_cost[led]
            every[led] = True
            changed[begin:end] = changed[led] = True
        if not changed.any():
            break
        for run in _runs(np.flatnonzero(every & changed), 1):
            read_out(
                problem, targets_m[run], task_values[run], z[run], q[run], error_m[run], scratch
            )
    fill_dark_frames(z, q, cost)


def _suspects(
    problem: Problem, restarts: Restarts, z: Array, error_m: Array, among: Bools
) -> list[Stretch]:
    """What is to be looked at, ``among`` these frames (F,).

    A trunk, which carries other limbs, is left out: it has no twin, and much to be begun anew.
    """
    at_end = (z <= problem.lower) | (z >= problem.upper)
    squares = {
        limb: square
        for limb in _limbs(restarts)
        if np.isfinite(square := _limb_square(restarts.limb_markers[limb], error_m)).any()
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
                found.append(Stretch(limb, begin, end, worst, bool(misfit[worst])))
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
    return np.divide(total, count, out=np.full(len(part), np.nan), where=count > 0.5)


def _runs(frames: Ints, gap: int) -> list[slice]:
    """Ascending frames as runs whose gaps are at most so many frames."""
    runs = np.split(frames, np.flatnonzero(np.diff(frames) > gap) + 1)
    return [slice(int(run[0]), int(run[-1]) + 1) for run in runs if len(run)]


def fill_dark_frames(z: Array, q: Array, cost: Array) -> None:
    """Frames without a marker repeat the one before them, the first ones the one after."""
    dark = np.isnan(cost)
    first = int(np.argmin(dark))
    for frame in np.flatnonzero(dark):
        like = frame - 1 if frame > first else first
        z[frame], q[frame] = z[like], q[like]


@njit(error_model="numpy")
def evidence(problem: Problem, target_m: Array, old: float, new: float) -> float:
    """How much likelier markers are under the cost ``new`` than under ``old``: the logarithm, for
    an error of the markers that is not known but the same for both."""
    seen = 0
    for p in range(len(target_m)):
        if np.isfinite(target_m[p, 0] + target_m[p, 1] + target_m[p, 2]):
            seen += 1
    freedom = max(3 * seen - len(problem.lower), seen)
    return 0.5 * freedom * np.log((old + END_COST_M2) / (new + END_COST_M2))


@njit(error_model="numpy")
def _look(
    problem: Problem,
    restarts: Restarts,
    limb: int,
    target_m: Array,
    task_values: Array,
    z: Array,
    scratch: Scratch,
) -> tuple[float, int]:
    """Begin a limb anew; z (k,) becomes the best fit in another place, if any.

    Only the limb is fitted from every starting point, which is quick; the whole body where that
    leads to another place that fits about as well. Returns the objective, infinite if none, and
    the steps.
    """
    markers = restarts.limb_markers[limb]
    everything = np.ones(len(target_m), dtype=np.bool_)
    shown = np.empty(len(z), dtype=np.bool_)
    shown_columns(restarts, target_m, shown)
    columns = np.empty(len(z), dtype=np.bool_)
    at_end, ends = np.empty(len(z), dtype=np.int64), 0
    for k in range(len(z)):
        columns[k] = restarts.limb_columns[limb, k] and shown[k]
        if columns[k] and (z[k] <= problem.lower[k] or z[k] >= problem.upper[k]):
            at_end[ends] = k
            ends += 1
    twins, spread = len(restarts.twin_columns), min(STARTS, len(restarts.starts))
    tried = np.empty((1 + twins + spread + ends, len(z)))
    trial, best = np.empty(len(z)), z.copy()
    assign(tried[0], z)
    limb_cost, steps = solve_frame(
        problem, target_m, markers, task_values, columns, tried[0], 0.0, scratch
    )
    cost, count = np.inf, 1
    for start in range(twins + spread + ends):
        here = tried[count]
        if start < twins:
            if not columns[restarts.twin_columns[start, 0]]:
                continue
            assign(here, z)
            _turn_to_twin(problem, restarts, start, here)
            limb_trial_cost, more = solve_frame(
                problem, target_m, markers, task_values, columns, here, COLD_DAMPING, scratch
            )
        elif start >= twins + spread:
            k = at_end[start - twins - spread]
            assign(here, z)
            here[k] = problem.upper[k] if z[k] <= problem.lower[k] else problem.lower[k]
            if np.isinf(here[k]):
                continue
            limb_trial_cost, more = solve_frame(
                problem, target_m, markers, task_values, columns, here, COLD_DAMPING, scratch
            )
        else:
            limb_trial_cost, more = limb_anew(
                problem, problem, restarts, limb, start - twins, target_m, task_values, z, here,
                scratch,
            )  # fmt: skip
        for k in range(len(z)):
            if not shown[k]:
                here[k] = z[k]
        nearest_angles(problem, restarts, z, here)
        steps += more
        if limb_trial_cost > PROMISING * limb_cost or _is_among(here, tried[:count]):
            continue
        count += 1
        assign(trial, here)
        trial_cost, more = solve_frame(
            problem, target_m, everything, task_values, shown, trial, COLD_DAMPING, scratch
        )
        nearest_angles(problem, restarts, z, trial)
        steps += more
        if trial_cost < cost and not _is_among(trial, tried[:1]):
            cost = trial_cost
            assign(best, trial)
    assign(z, best)
    return cost, steps


@njit(error_model="numpy")
def _turn_to_twin(problem: Problem, restarts: Restarts, twin: int, z: Array) -> None:
    """Write the other angles that turn a joint to the same place, as far as it may go."""
    for i in range(3):
        k = restarts.twin_columns[twin, i]
        angle = restarts.twin_fold[twin] - z[k] if i == 1 else z[k] + np.pi
        centre = 0.5 * (problem.lower[k] + problem.upper[k])
        if np.isfinite(centre):
            angle -= 2 * np.pi * np.round((angle - centre) / (2 * np.pi))
        z[k] = min(max(angle, problem.lower[k]), problem.upper[k])


@inner(error_model="numpy")
def _is_among(z: Array, others: Array) -> bool:
    """Whether z (k,) is the same place as one of the others (N, k)."""
    nearest = np.inf
    for i in range(len(others)):
        nearest = min(nearest, largest_difference(z, others[i]))
    return nearest < ALIKE


@njit(error_model="numpy")
def _lead(
    problem: Problem,
    restarts: Restarts,
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
) -> tuple[float, int]:
    """Follow the fit ``now`` (k,) of a frame forward (``ahead`` 1) or back (-1).

    Fills ``other`` (F, k) and its cost for the frames after it, until it meets what z holds, or has
    been none the likelier for long. Returns the evidence for it and the last frame that adds to it.
    """
    all_markers = np.ones(targets_m.shape[1], dtype=np.bool_)
    shown = np.empty(len(now), dtype=np.bool_)
    total, most, last = 0.0, 0.0, frame
    t = frame + ahead
    while 0 <= t < len(z) and abs(t - last) <= (PATIENCE if most > HINT else SHORT_PATIENCE):
        if np.isnan(cost[t]):
            assign(other[t], now)
            other_cost[t] = np.nan
            t += ahead
            continue
        shown_columns(restarts, targets_m[t], shown)
        other_cost[t], more = solve_frame(
            problem, targets_m[t], all_markers, task_values[t], shown, now, 0.0, scratch
        )
        steps[t] += more
        assign(other[t], now)
        if largest_difference(now, z[t]) < SAME:
            break
        total += evidence(problem, targets_m[t], cost[t], other_cost[t])
        if total > most:
            most, last = total, t
        t += ahead
    return most, last

"""Coordinates that go on: of angles that say the same, those that change the least over time.

Three angles reach every place in two ways, and a full turn on is the same place. Which of them a
frame gets decides what goes on from the frames around it. Where a coordinate leaps all the same
while its bones hardly turn, the fit of one side is led on over the other, as long as the markers
are about as likely for it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik.branch_recovery import EVIDENCE
from spinetrack_synth.anatomy.ik.equivalent_angles import (
    EquivalentAngles,
    nearest_angles,
    twin_angle,
)
from spinetrack_synth.anatomy.ik.frame_solver import solve_frame
from spinetrack_synth.anatomy.ik.objective import Scratch, coordinates
from spinetrack_synth.anatomy.ik.observability import shown_columns
from spinetrack_synth.anatomy.ik.problem import Problem
from spinetrack_synth.anatomy.ik.solver import Solver
from spinetrack_synth.anatomy.ik.trajectory import (
    Recording,
    Trajectory,
    evidence,
    largest_difference,
    read_residuals,
)
from spinetrack_synth.anatomy.kinematics import forward
from spinetrack_synth.compiled import assign, inner, njit

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAP: Final = 0.5
"""Change of an angle from one frame to the next (rad) that is worth a look."""

TIMES_THE_TURN: Final = 2.0
"""It is a leap where it is so many times what the turning of the bones that the angle moves can
take."""

MET: Final = 1e-3
"""Fits no further apart (rad, m) go on as one."""

FRAMES_LED: Final = 4
"""Frames that are fitted again at most, as a multiple of the recording's."""

ROUNDS: Final = 3


class Leap(NamedTuple):
    """From ``frame`` to the next one a column changes by ``change_rad``, the bones that it moves by
    ``turn_rad``."""

    frame: int
    column: int
    change_rad: float
    turn_rad: float


def remove_leaps(solver: Solver, recording: Recording, trajectory: Trajectory) -> tuple[Leap, ...]:
    """Let a fitted recording, of which the residuals are read, go on without leaps where it can, in
    place: all of it. Returns the leaps left."""
    problem, z = solver.problem, trajectory.z
    before = z.copy()
    _unwrap(problem, solver.angles, z)
    left = _leaps(problem, trajectory, solver.scratch)
    may_fit = FRAMES_LED * len(z)
    for _ in range(ROUNDS):
        led = False
        for leap in left:
            fitted = _lead_over(solver, recording, leap, trajectory, may_fit)
            may_fit -= abs(fitted)
            led |= fitted > 0
        if not led:
            break
        _unwrap(problem, solver.angles, z)
        left = _leaps(problem, trajectory, solver.scratch)
    changed = np.flatnonzero(np.any(z != before, axis=1))
    if len(changed):
        read_residuals(solver, recording, int(changed[0]), int(changed[-1]) + 1, trajectory)
    return left


@njit(error_model="numpy")
def _unwrap(problem: Problem, angles: EquivalentAngles, z: Array) -> None:
    """Write z (F, k) with the angles that make the least of all ways through the same places.

    Each frame of a three-axis joint may stand as it is or as its twin; of all sequences the one
    with the least sum of squared changes is found (Viterbi). Then full turns are taken out.
    """
    frames, turn = len(z), 2 * np.pi
    other, least, origin = np.empty((frames, 3)), np.empty(2), np.empty((frames, 2), np.int64)
    for twin in range(len(angles.twin_columns)):
        columns = angles.twin_columns[twin]
        least[0], least[1] = 0.0, 1e-6  # as they are, where either is as good
        for t in range(frames):
            allowed = True
            for i in range(3):
                k = columns[i]
                other[t, i] = twin_angle(angles, twin, i, z[t])
                centre = 0.5 * (problem.lower[k] + problem.upper[k])
                centre = centre if np.isfinite(centre) else 0.0
                other[t, i] -= turn * np.round((other[t, i] - centre) / turn)
                allowed &= problem.lower[k] <= other[t, i] <= problem.upper[k]
            if t > 0:
                stay, change = least[0], least[1]
                for now in range(2):
                    best = np.inf
                    for past in range(2):
                        way = stay if past == 0 else change
                        for i in range(3):
                            k = columns[i]
                            step = other[t, i] if now else z[t, k]
                            step -= other[t - 1, i] if past else z[t - 1, k]
                            if np.isinf(problem.lower[k]) and np.isinf(problem.upper[k]):
                                step -= turn * np.round(step / turn)
                            way += step * step
                        if way < best:
                            best = way
                            origin[t, now] = past
                    least[now] = best
            if not allowed:
                least[1] = np.inf
        now = 1 if least[1] < least[0] else 0
        for t in range(frames - 1, -1, -1):
            if now == 1:
                for i in range(3):
                    z[t, columns[i]] = other[t, i]
            now = origin[t, now]
    for t in range(1, frames):
        for k in range(z.shape[1]):
            if angles.round_columns[k]:
                angle = z[t, k] - turn * np.round((z[t, k] - z[t - 1, k]) / turn)
                if problem.lower[k] <= angle <= problem.upper[k]:
                    z[t, k] = angle


def _leaps(problem: Problem, trajectory: Trajectory, scratch: Scratch) -> tuple[Leap, ...]:
    """Where angles change a lot and the bones that they move hardly turn; not where a frame has no
    marker."""
    z, seen = trajectory.z, ~np.isnan(trajectory.cost)
    change = np.abs(np.diff(z, axis=0)) * (seen[1:] & seen[:-1])[:, None]
    change[:, ~_turning(problem)] = 0.0
    found = []
    for t in np.flatnonzero(change.max(axis=1, initial=0.0) > LEAP).tolist():
        before, after = (_joints(problem, row, scratch) for row in z[t : t + 2])
        for k in np.flatnonzero(change[t] > LEAP).tolist():
            turn, taken = _turn(problem, k, before, after, scratch)
            if change[t, k] > TIMES_THE_TURN * taken:
                found.append(Leap(t, k, float(z[t + 1, k] - z[t, k]), turn))
    return tuple(found)


def _turning(problem: Problem) -> Bools:
    """Columns (k,) that turn something."""
    turning = np.zeros(len(problem.lower), dtype=np.bool_)
    for motion, column in enumerate(problem.motions.column):
        parts = problem.motions.part_axis[
            problem.motions.part_start[motion] : problem.motions.part_start[motion + 1]
        ]
        turning[column] |= bool(np.any(problem.chain.axis_is_rotation[parts]))
    return turning


def _turn(
    problem: Problem,
    column: int,
    before: tuple[Array, Array],
    after: tuple[Array, Array],
    scratch: Scratch,
) -> tuple[float, float]:
    """By how much the bones that a column moves directly turn in their joints, the one that turns
    most, and what change of the column that can account for.

    Where the axes of a joint come to lie on one another, a small turn takes much of each.
    ``before`` and ``after`` are what `_joints` tells of the two fits.
    """
    chain = problem.chain
    turn, taken = 0.0, 0.0
    for motion in np.flatnonzero(problem.motions.column == column).tolist():
        body = problem.motions.body[motion]
        parts = slice(problem.motions.part_start[motion], problem.motions.part_start[motion + 1])
        axes, entries = problem.motions.part_axis[parts], problem.motions.part_entry[parts]
        slopes = scratch.axis_slope[axes] * scratch.slope_of_entry[entries]
        slope = float(np.abs(slopes * chain.axis_is_rotation[axes]).max())
        if slope == 0:
            continue
        cosine = 0.5 * (np.sum(before[0][body] * after[0][body]) - 1.0)
        angle = float(np.arccos(np.clip(cosine, -1.0, 1.0)))
        own = np.arange(chain.axis_start[body], chain.axis_start[body + 1])
        own = own[chain.axis_is_rotation[own]]
        apart = min(np.linalg.svd(one[1][own], compute_uv=False)[-1] for one in (before, after))
        turn = max(turn, angle)
        taken = max(taken, angle / max(float(apart) * slope, 1e-9))
    return turn, taken


def _joints(problem: Problem, z: Array, scratch: Scratch) -> tuple[Array, Array]:
    """Each body's rotation in its parent (B, 3, 3) and the directions of all axes (A, 3)."""
    coordinates(problem, z, scratch)
    forward(
        problem.chain, scratch.q, scratch.body2world,
        scratch.axis_world, scratch.origin_world, scratch.axis_slope,
    )  # fmt: skip
    rotations = scratch.body2world[:, :3, :3]
    parents = problem.chain.parent
    base = np.where((parents >= 0)[:, None, None], rotations[parents], np.eye(3))
    return base.transpose(0, 2, 1) @ rotations, scratch.axis_world.copy()


@njit(error_model="numpy")
def _lead_over(
    solver: Solver, recording: Recording, leap: Leap, trajectory: Trajectory, most: int
) -> int:
    """Lead the fit before a leap on over the frames after it, and the one after it back; the
    likelier of the two is taken if it is about as likely as what stands.

    No more than ``most`` frames are fitted. Returns how many were, negative where nothing changed.
    """
    z, cost = trajectory.z, trajectory.cost
    if abs(z[leap.frame + 1, leap.column] - z[leap.frame, leap.column]) < LEAP:
        return 0
    other, other_cost = np.empty((2, *z.shape)), np.empty((2, len(z)))
    loss, ends = np.full(2, np.inf), np.empty(2, np.int64)
    fitted = 0
    for side in range(2):
        loss[side], ends[side], more = _lead_on(
            solver, recording, leap.frame + side, 1 if side == 0 else -1, most - fitted,
            trajectory, other[side], other_cost[side],
        )  # fmt: skip
        fitted += more
    side = 0 if loss[0] <= loss[1] else 1
    if not loss[side] < np.inf:
        return -fitted
    first, last = leap.frame + 1, ends[0]
    if side == 1:
        first, last = ends[1] + 1, leap.frame + 1
    for t in range(first, last):
        assign(z[t], other[side, t])
        cost[t] = other_cost[side, t]
    return fitted


@inner(apart=True, error_model="numpy")
def _lead_on(
    solver: Solver,
    recording: Recording,
    frame: int,
    ahead: int,
    most: int,
    trajectory: Trajectory,
    other: Array,
    other_cost: Array,
) -> tuple[float, int, int]:
    """Lead the fit of a frame on, forward (``ahead`` 1) or back (-1), into ``other`` (F, k) and
    ``other_cost`` (F,), until it meets what the trajectory holds or the recording ends.

    Returns the evidence against it, infinite where it is too much or takes more than ``most``
    frames, the frame at which it ended, and how many were fitted.
    """
    problem, angles = solver.problem, solver.angles
    z, cost = trajectory.z, trajectory.cost
    all_markers = np.ones(recording.targets_m.shape[1], dtype=np.bool_)
    shown, there = np.empty(z.shape[1], dtype=np.bool_), np.empty(z.shape[1])
    now = z[frame].copy()
    t, total, fitted = frame, 0.0, 0
    while True:
        t += ahead
        if not 0 <= t < len(z):
            return -total, t, fitted
        if np.isnan(cost[t]):
            assign(other[t], now)
            other_cost[t] = np.nan
            continue
        if fitted >= most:
            return np.inf, t, fitted
        before = now.copy()
        target_m, task_values = recording.targets_m[t], recording.task_values[t]
        shown_columns(solver.observability, target_m, shown)
        other_cost[t], more = solve_frame(
            problem, target_m, all_markers, task_values, shown, now, 0.0, solver.scratch
        )
        fitted += 1
        trajectory.steps[t] += more
        nearest_angles(problem, angles, before, now)
        assign(other[t], now)
        assign(there, now)
        nearest_angles(problem, angles, z[t], there)
        if largest_difference(there, z[t]) < MET:
            return -total, t, fitted
        total += evidence(problem, target_m, cost[t], other_cost[t])
        if total < -EVIDENCE:
            return np.inf, t, fitted

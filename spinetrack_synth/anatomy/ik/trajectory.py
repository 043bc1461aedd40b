"""A recording while it is fitted: what its frames ask for, and what is found for them so far."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik.objective import coordinates, evaluate, weigh
from spinetrack_synth.anatomy.ik.problem import Problem
from spinetrack_synth.anatomy.ik.solver import Solver
from spinetrack_synth.compiled import by_reference, inner, njit

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

END_COST_M2: Final = 1e-10
"""What is added to costs before they are compared: markers met to 10 micrometres."""


@by_reference
class Recording(NamedTuple):
    """What F frames ask for: ``targets_m`` (F, P, 3) the measured markers, NaN where missing, and
    ``task_values`` (F, T) the values of the coordinate tasks, rad or m."""

    targets_m: Array
    task_values: Array


@by_reference
class Trajectory(NamedTuple):
    """What is found for F frames, changed in place as it gets better.

    ``z`` (F, k) the columns of the problem, rad and m; ``cost`` (F,) the objective, m^2, NaN where
    a frame has no marker; ``steps`` (F,) how many were taken. From z follow, once `read_residuals`
    was there, all ``coordinates`` (F, n), rad and m, and ``marker_error_m`` (F, P), NaN where a
    marker is missing.
    """

    z: Array
    cost: Array
    steps: Ints
    coordinates: Array
    marker_error_m: Array


def empty_trajectory(recording: Recording, columns: int, coordinates: int) -> Trajectory:
    """Room for what will be found; its numbers mean nothing yet."""
    frames, markers = recording.targets_m.shape[:2]
    return Trajectory(
        z=np.empty((frames, columns)),
        cost=np.empty(frames),
        steps=np.zeros(frames, dtype=np.int64),
        coordinates=np.empty((frames, coordinates)),
        marker_error_m=np.empty((frames, markers)),
    )


@njit(error_model="numpy")
def read_residuals(
    solver: Solver, recording: Recording, begin: int, end: int, trajectory: Trajectory
) -> None:
    """Fill ``coordinates`` and ``marker_error_m`` of the frames ``begin`` to ``end`` from their z:
    the distance of each of the model's markers from the measured one."""
    problem, scratch = solver.problem, solver.scratch
    markers, columns = recording.targets_m.shape[1], trajectory.coordinates.shape[1]
    everything = np.ones(markers, dtype=np.bool_)
    for t in range(begin, end):
        z, target_m = trajectory.z[t], recording.targets_m[t]
        coordinates(problem, z, scratch)
        for i in range(columns):  # the coordinates stand first among the quantities
            trajectory.coordinates[t, i] = scratch.q[i]
        seen = weigh(problem, target_m, everything, scratch)
        scratch.points[:] = np.nan
        evaluate(problem, z, target_m, recording.task_values[t], seen, scratch)
        for p in range(markers):
            square_m2 = 0.0
            for i in range(3):
                square_m2 += (scratch.points[p, i] - target_m[p, i]) ** 2
            trajectory.marker_error_m[t, p] = np.sqrt(square_m2)


def repeat_over_gaps(trajectory: Trajectory) -> None:
    """Let frames without a marker repeat the one before them, the first ones the one after."""
    unseen = np.isnan(trajectory.cost)
    first = int(np.argmin(unseen))
    for frame in np.flatnonzero(unseen):
        like = frame - 1 if frame > first else first
        trajectory.z[frame] = trajectory.z[like]
        trajectory.coordinates[frame] = trajectory.coordinates[like]


@njit(error_model="numpy")
def evidence(problem: Problem, target_m: Array, old: float, new: float) -> float:
    """How much likelier markers (P, 3) are under the cost ``new`` than under ``old``: the
    logarithm, for an error of the markers that is not known but the same for both."""
    seen = 0
    for p in range(len(target_m)):
        if np.isfinite(target_m[p, 0] + target_m[p, 1] + target_m[p, 2]):
            seen += 1
    freedom = max(3 * seen - len(problem.lower), seen)
    return 0.5 * freedom * np.log((old + END_COST_M2) / (new + END_COST_M2))  # type: ignore[no-any-return]  # compiled


@inner(error_model="numpy")
def largest_difference(one: Array, other: Array) -> float:
    """By how much the most different columns (k,) of two fits differ, rad or m."""
    apart = 0.0
    for k in range(len(one)):
        apart = max(apart, abs(one[k] - other[k]))
    return apart

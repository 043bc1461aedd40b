"""Which coordinates markers show: in a frame, and by how much markers of a certain error."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik.objective import (
    Scratch,
    differentiate,
    evaluate,
    make_scratch,
    weigh,
)
from spinetrack_synth.anatomy.ik.problem import Problem, has_task
from spinetrack_synth.anatomy.ik.ranges import BASE_PRIOR, FAINT_PRIOR_M, RANGE_PER_DEVIATION
from spinetrack_synth.compiled import by_reference, inner

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

A_LITTLE: Final = 1e-3
ON_AXIS: Final = 1e-6
"""A step (rad, m), and what share of it moves a marker: less is none."""


@by_reference
class Observability(NamedTuple):
    """``shown_by`` (k, P) are the markers that a column moves, ``has_task`` (k,) says on which a
    coordinate task depends."""

    shown_by: Bools
    has_task: Bools


def find_observability(problem: Problem, z: Array) -> Observability:
    """Which markers each column moves at z (k,): not those that lie on its axis."""
    scratch = make_scratch(problem)
    goals = np.zeros(len(problem.tasks.coordinate))
    nowhere = np.zeros((len(problem.markers.body), 3))
    weigh(problem, nowhere, np.ones(len(nowhere), dtype=np.bool_), scratch)

    def placed_m(at: Array) -> Array:
        evaluate(problem, at, nowhere, goals, 1, scratch)
        return scratch.points.copy()

    here_m = placed_m(z)
    moved_m = [np.abs(placed_m(z + row) - here_m).max(axis=1) for row in A_LITTLE * np.eye(len(z))]
    shown_by: Bools = np.array(moved_m).reshape(len(z), -1) > ON_AXIS * A_LITTLE
    return Observability(shown_by, has_task(problem))


@inner(apart=True, error_model="numpy")
def shown_columns(observability: Observability, target_m: Array, columns: Bools) -> None:
    """Write which columns (k,) a frame's markers (P, 3) or a task say anything about.

    The others stay where the frame before had them, and at their defaults where nothing ever moved
    them.
    """
    markers = len(target_m)
    everything = True
    for p in range(markers):
        everything &= np.isfinite(target_m[p, 0] + target_m[p, 1] + target_m[p, 2])
    for k in range(len(columns)):
        columns[k] = everything or observability.has_task[k]
        if columns[k]:
            continue
        for p in range(markers):
            if observability.shown_by[k, p] and np.isfinite(
                target_m[p, 0] + target_m[p, 1] + target_m[p, 2]
            ):
                columns[k] = True
                break


def unshown_share(
    problem: Problem,
    poses: Array,
    target_m: Array,
    task_values: Array,
    unit_weight: Array,
    error_m: float,
) -> Array:
    """The standard error that markers wrong by ``error_m`` on an axis leave to each column (k,), as
    a share of its range; 0 where its range is not known or the error next to none.

    The least over some ``poses`` (N, k): an arm that hangs straight does not show its rotation, but
    the markers are such as would. ``target_m`` (P, 3) are those of a frame, ``task_values`` (T,)
    its tasks'; ``unit_weight`` (k,) is the prior's weight for an error of 1 m.
    """
    scratch = make_scratch(problem)
    count = weigh(problem, target_m, np.ones(len(target_m), dtype=np.bool_), scratch)
    variance = np.full(len(unit_weight), np.inf)
    for pose in poses:
        evaluate(problem, pose, target_m, task_values, count, scratch)
        differentiate(problem, pose, target_m, task_values, count, False, scratch)
        variance = np.minimum(variance, _variance(scratch))
    variance /= max(count, 1)
    known = (unit_weight > BASE_PRIOR) & (error_m > FAINT_PRIOR_M)
    share = error_m * np.sqrt(variance * unit_weight) / RANGE_PER_DEVIATION
    return np.where(known, share, 0.0)


def _variance(scratch: Scratch) -> Array:
    """Diagonal (k,) of the inverse of the Hessian that `differentiate` left, infinite where it is
    not positive: the variance of each column for markers of unit error, up to their number."""
    upper = np.triu(scratch.hessian)
    hessian = upper + np.triu(upper, 1).T
    diagonal = np.diag(hessian)
    # Equal diagonals let a turn and a length be weighed together; the floor is for what is unseen.
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = hessian * scale[:, None] * scale + 1e-14 * np.eye(len(scale))
    try:
        factor = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        return np.full(len(scale), np.inf)
    half = np.linalg.solve(factor, np.eye(len(scale)))
    variance: Array = np.sum(half**2, axis=0) * scale**2
    return variance

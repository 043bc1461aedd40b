"""Inverse kinematics: the coordinates at which a model's markers lie where markers were measured.

The objective is the one of OpenSim's InverseKinematicsTool, plus a prior so weak that it decides
only what the markers leave open.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.ik.branch_recovery import recover_branches
from spinetrack_synth.anatomy.ik.continuity import Leap, remove_leaps
from spinetrack_synth.anatomy.ik.observability import unshown_share
from spinetrack_synth.anatomy.ik.problem import CoordinateGoal, make_problem, with_prior
from spinetrack_synth.anatomy.ik.ranges import FAINT_PRIOR_M, prior_weight
from spinetrack_synth.anatomy.ik.sequence import Progress, fit_frames
from spinetrack_synth.anatomy.ik.solution import CoordinateLeap, Solution
from spinetrack_synth.anatomy.ik.solver import Solver, make_solver
from spinetrack_synth.anatomy.ik.trajectory import (
    Recording,
    empty_trajectory,
    read_residuals,
    repeat_over_gaps,
)
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]

OPEN_SHARE: Final = 0.5
"""A coordinate is open where markers of the recording's error leave it a standard error larger than
this share of its range: they say next to nothing about it that the range does not say."""

OPEN_POSES: Final = 5
"""Poses in which it is asked what markers show: the default and some that fill the ranges."""


def solve(
    tree: Tree,
    markers: Sequence[str],
    positions_m: ArrayLike,
    *,
    weights: Mapping[str, float] | None = None,
    goals: Sequence[CoordinateGoal] = (),
    prior_m: float | None = None,
    prior_share: float = 0.0,
    cold: bool = False,
    threads: int = 1,
    progress: Progress | None = None,
) -> Solution:
    """Fit a model to markers (F, M, 3) m over time, NaN where a marker is missing.

    Markers that the model does not have are left out, and so are those whose weight is zero;
    ``weights`` are 1 where not given, their scale means nothing. ``prior_m`` is the error (m) that
    the markers are taken to have: coordinates are drawn to their defaults as far as such an error
    leaves them open, each in proportion to its range. When left out it is next to nothing and
    decides only what the markers leave open altogether. ``prior_share`` keeps it to coordinates
    to which such markers leave a standard error larger than that share of their range. ``cold``
    takes every frame by itself, as for pictures; otherwise frames follow one another. Clamped
    coordinates stay in their range, unclamped ones near where the curves that they drive are known.
    ``progress`` is called with the frames done and those wanted. Nothing that is given is changed.

    Raises UserError where no marker is in the model, a goal names no coordinate, or a number is
    not finite.
    """
    names, marker_weights, targets_m = _used(tree, markers, positions_m, weights or {})
    assumed_m = FAINT_PRIOR_M if prior_m is None else prior_m
    problem = make_problem(tree, names, marker_weights, goals, assumed_m)
    recording = Recording(targets_m, _values(goals, len(targets_m)))
    solver = make_solver(tree, problem, assumed_m)
    if prior_share > 0:
        solver = _with_prior_on_open(tree, solver, recording, assumed_m, prior_share)
    trajectory = empty_trajectory(recording, len(problem.free), len(tree.coordinates))
    show = progress or (lambda done, wanted: None)
    fit_frames(solver, recording, trajectory, cold=cold, threads=threads, progress=show)
    read_residuals(solver, recording, 0, len(targets_m), trajectory)
    leaps: tuple[Leap, ...] = ()
    if not cold:
        recover_branches(solver, recording, trajectory)
        leaps = remove_leaps(solver, recording, trajectory)
        repeat_over_gaps(trajectory)
    free = [tree.free[i] for i in problem.free]
    found = Solution(
        coordinates=trajectory.coordinates,
        markers=names,
        weights=marker_weights,
        marker_error_m=trajectory.marker_error_m,
        objective=trajectory.cost,
        steps=trajectory.steps,
        leaps=tuple(CoordinateLeap(free[k], t, change, turn) for t, k, change, turn in leaps),
        goals=tuple(goals),
    )
    if prior_m is not None:
        return found
    is_open = _open_share(tree, solver, recording, found.axis_error_m) > OPEN_SHARE
    return replace(found, open_coordinates=tuple(n for n, is_one in zip(free, is_open) if is_one))


def _used(
    tree: Tree, markers: Sequence[str], positions_m: ArrayLike, weights: Mapping[str, float]
) -> tuple[tuple[str, ...], Array, Array]:
    """The markers that count: names (P,), weights (P,) and positions (F, P, 3) m."""
    positions_m = np.asarray(positions_m, dtype=float)
    used = [
        i
        for i, name in enumerate(markers)
        if name in tree.marker_index and weights.get(name, 1.0) > 0
    ]
    names = tuple(markers[i] for i in used)
    if not names:
        raise UserError(_no_overlap(tree, markers))
    marker_weights = np.array([weights.get(name, 1.0) for name in names])
    if not np.all(np.isfinite(marker_weights)):
        raise UserError("marker weights must be finite numbers")
    everything = used == list(range(len(markers)))
    targets_m = np.ascontiguousarray(positions_m if everything else positions_m[:, used])
    return names, marker_weights, targets_m


def _no_overlap(tree: Tree, markers: Sequence[str]) -> str:
    near = [
        f"'{name}' (nearest: '{match[0]}')"
        for name in markers
        if (match := difflib.get_close_matches(name, tree.marker_names, n=1))
    ]
    hint = f": {', '.join(near[:3])}" if near else f" {', '.join(tree.marker_names[:5])}, ..."
    return f"none of the {len(markers)} markers is in the model {tree.name}, which has{hint}"


def _values(goals: Sequence[CoordinateGoal], frames: int) -> Array:
    """What the goals ask for in every frame (F, T), rad or m."""
    values = np.empty((frames, len(goals)))
    for i, goal in enumerate(goals):
        values[:, i] = np.asarray(goal.values, dtype=float)
    if not np.all(np.isfinite(values)):
        bad = goals[int(np.flatnonzero(~np.isfinite(values).all(axis=0))[0])]
        raise UserError(f"coordinate task {bad.coordinate}: its value is not a finite number")
    return values


def _with_prior_on_open(
    tree: Tree, solver: Solver, recording: Recording, prior_m: float, share: float
) -> Solver:
    """The solver with its prior kept to columns to which markers wrong by ``prior_m`` leave a
    standard error larger than a share of their range."""
    problem = solver.problem
    faint = prior_weight(tree, FAINT_PRIOR_M)[problem.free]

    faintly = solver._replace(problem=with_prior(problem, faint))
    is_open = _open_share(tree, faintly, recording, prior_m) > share
    weight = np.where(is_open, problem.prior.weight, faint)
    return solver._replace(problem=with_prior(problem, weight))


def _open_share(tree: Tree, solver: Solver, recording: Recording, error_m: float) -> Array:
    """What markers wrong by ``error_m`` leave open of each column's range (k,), as the first frame
    shows it that has the most of them."""
    problem = solver.problem
    seen = np.all(np.isfinite(recording.targets_m), axis=2)
    best = int(np.argmax(seen.sum(axis=1)))
    return unshown_share(
        problem,
        solver.restarts.starts[:OPEN_POSES],
        recording.targets_m[best],
        recording.task_values[best],
        prior_weight(tree, 1.0)[problem.free],
        error_m,
    )

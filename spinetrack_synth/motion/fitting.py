"""A trial fitted: by our solver, each rendered person alone, or by OpenSim's tool."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

import numpy as np

from spinetrack_synth.anatomy.ik import Solution, solve
from spinetrack_synth.anatomy.kinematics import constraint_errors
from spinetrack_synth.motion.coordinate_trajectories import trajectory_goals
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.opensim_reference import solve_by_opensim
from spinetrack_synth.motion.rendered_people import RenderedPeople
from spinetrack_synth.motion.smoothing import Smoothed
from spinetrack_synth.motion.trial import Trial

Progress = Callable[[int, int], None]
ProgressBar = Callable[[str], AbstractContextManager[Progress]]

SMOOTHED_PRIOR_SHARE: Final = 0.1
"""Where markers are smoothed as they ask for, coordinates that they leave a larger share of the
range are drawn to their defaults: the objective is our own there, elsewhere it is OpenSim's."""


@contextmanager
def _no_bar(unit: str) -> Iterator[Progress]:
    yield lambda done, wanted: None


def fit(trial: Trial, bar: ProgressBar = _no_bar) -> Solution:
    """Solve a trial with the engine that was asked for.

    Where markers were smoothed as they asked for, they are first fitted as recorded and as
    smoothed, and what the coordinates do over time are goals of the fit (`trajectory_goals`), which
    the solution tells. ``bar`` opens a progress bar for a unit ("frames").
    """
    if trial.people is not None:
        with bar("frames") as progress:
            return _fit_people(trial, trial.people, progress)
    if trial.request.engine == "opensim":
        return solve_by_opensim(trial)
    if trial.smoothed is not None:
        with bar("frames, beforehand") as progress:
            trial = _with_trajectory_goals(trial, trial.smoothed, progress)
    with bar("frames") as progress:
        return _fit_markers(trial, trial.markers, progress)


def _with_trajectory_goals(trial: Trial, smoothed: Smoothed, progress: Progress) -> Trial:
    """The trial with goals for what its coordinates do over time."""
    as_recorded = _fit_markers(
        trial, smoothed.recorded, lambda done, wanted: progress(done, 2 * wanted)
    )
    as_smoothed = _fit_markers(
        trial, trial.markers, lambda done, wanted: progress(wanted + done, 2 * wanted)
    )
    taken = [goal.coordinate for goal in trial.goals]
    goals = trajectory_goals(trial.tree, as_recorded, as_smoothed, smoothed, taken)
    return dataclasses.replace(trial, goals=(*trial.goals, *goals))


def _fit_markers(trial: Trial, markers: MarkerMotion, progress: Progress) -> Solution:
    prior_m, prior_share = trial.request.prior_m, 0.0
    if prior_m is None and trial.smoothed is not None:
        as_recorded = markers is trial.smoothed.recorded
        prior_m = trial.smoothed.taken_m if as_recorded else trial.smoothed.error_m
        prior_share = SMOOTHED_PRIOR_SHARE
    solution = solve(
        trial.tree,
        markers.names,
        markers.positions_m,
        weights=trial.weights,
        goals=trial.goals,
        prior_m=prior_m,
        prior_share=prior_share,
        threads=trial.request.threads,
        progress=progress,
    )
    errors = constraint_errors(trial.tree, solution.coordinates)
    violations = {name: float(error.max()) for name, error in errors.items()}
    return dataclasses.replace(solution, violations=violations)


def _fit_people(trial: Trial, people: RenderedPeople, progress: Progress) -> Solution:
    """Every row by itself, each with the model of its own subject."""
    frames = len(people.subject)
    parts: list[Solution] = []
    order = []
    for name, tree in people.trees.items():
        rows = np.flatnonzero(np.array(people.subject) == name)
        order.append(rows)
        parts.append(
            solve(
                tree,
                people.markers.names,
                people.markers.positions_m[rows],
                weights=trial.weights,
                goals=[
                    dataclasses.replace(g, values=np.broadcast_to(g.values, frames)[rows])
                    for g in trial.goals
                ],
                prior_m=trial.request.prior_m,
                cold=True,
            )
        )
        progress(sum(map(len, order)), frames)
    back = np.argsort(np.concatenate(order))
    return Solution(
        coordinates=np.concatenate([part.coordinates for part in parts])[back],
        markers=parts[0].markers,
        weights=parts[0].weights,
        marker_error_m=np.concatenate([part.marker_error_m for part in parts])[back],
        objective=np.concatenate([part.objective for part in parts])[back],
        steps=np.concatenate([part.steps for part in parts])[back],
        goals=trial.goals,
    )

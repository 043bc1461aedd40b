"""OpenSim as the reference: a trial solved by its tool, and a fit of ours checked against it."""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik import Solution
from spinetrack_synth.anatomy.kinematics import body_transforms_batch, points_world
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion
from spinetrack_synth.motion.models import model_file
from spinetrack_synth.motion.opensim_tool import ToolInput, pose, run_tool
from spinetrack_synth.motion.storage import write_coordinates
from spinetrack_synth.motion.trial import Trial

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Check:
    """What OpenSim makes of a fit: its own ``solution`` of the ``frames``, ``apart`` (count, n) its
    coordinates less ours, rad and m, and how far (m) a marker lies at most from where we have it
    when OpenSim reads our motion file."""

    solution: Solution
    frames: NDArray[np.int64]
    apart: Array
    read_back_m: float


def check_against_opensim(trial: Trial, solution: Solution, written: Path, count: int) -> Check:
    """OpenSim's solution of ``count`` frames that follow one another from the middle, and ours as
    OpenSim reads it from the motion file ``written``."""
    frames = len(trial.markers.times_s)
    count = min(count, frames)
    chosen = np.arange((frames - count) // 2, (frames - count) // 2 + count)
    with model_file(trial.model) as file:
        posed = pose(file, written, chosen.tolist())
    tree = trial.tree
    ground = len(posed.body_names)
    at = [posed.body_names.index(tree.bodies[i]) if i >= 0 else ground for i in tree.stands_for]
    ours = body_transforms_batch(tree, solution.coordinates[chosen])
    read_back_m = max(
        float(np.linalg.norm(_placed_m(tree, here) - _placed_m(tree, there[at]), axis=1).max())
        for here, bodies in zip(ours, posed.body2world)
        for there in [np.concatenate([bodies, np.eye(4)[None]])]
    )
    part = dataclasses.replace(
        trial,
        markers=MarkerMotion(
            trial.markers.names,
            trial.markers.times_s[chosen],
            trial.markers.positions_m[chosen],
            trial.markers.source,
        ),
        goals=tuple(
            dataclasses.replace(goal, values=np.broadcast_to(goal.values, frames)[chosen])
            for goal in solution.goals
        ),
    )
    theirs = solve_by_opensim(part)
    return Check(theirs, chosen, theirs.coordinates - solution.coordinates[chosen], read_back_m)


def tool_input(trial: Trial, model: Path) -> ToolInput:
    """The trial as OpenSim's tool takes it."""
    if trial.people is not None:
        raise UserError("rendered people have a model each: --check needs a marker file")
    return ToolInput(
        model, trial.tree, trial.markers, trial.weights, trial.goals, trial.request.accuracy
    )


def solve_by_opensim(trial: Trial) -> Solution:
    """OpenSim's solution, and the errors where OpenSim itself puts the markers."""
    with model_file(trial.model) as model, tempfile.TemporaryDirectory() as folder:
        motion = run_tool(tool_input(trial, model))
        write_coordinates(file := Path(folder) / "found.mot", motion, trial.tree)
        posed = pose(model, file)
    names = _fitted(trial)
    placed_m = posed.markers_m[:, [posed.marker_names.index(name) for name in names]]
    found = _solution_of(trial, motion, placed_m)
    return dataclasses.replace(found, violations=posed.violations)


def solution_at(trial: Trial, motion: CoordinateMotion) -> Solution:
    """The errors that somebody's coordinates make on the markers of a trial."""
    tree = trial.tree
    rows = [tree.marker_index[name] for name in _fitted(trial)]
    bodies = body_transforms_batch(tree, _coordinates_of(tree, motion))
    return _solution_of(trial, motion, np.array([_placed_m(tree, frame)[rows] for frame in bodies]))


def _placed_m(tree: Tree, body2world: Array) -> Array:
    """The model's markers (M, 3) in the world."""
    return points_world(body2world, tree.marker_body, tree.marker_offset_m)


def _fitted(trial: Trial) -> tuple[str, ...]:
    """The markers that count."""
    return tuple(name for name in trial.markers.names if trial.weights.get(name, 0.0) > 0)


def _coordinates_of(tree: Tree, motion: CoordinateMotion) -> Array:
    """All coordinates (F, n), those that the motion lacks at their defaults."""
    q = np.tile(tree.default_coordinates, (len(motion.times_s), 1))
    q[:, [tree.coordinate_index[name] for name in motion.names]] = motion.values
    return q


def _solution_of(trial: Trial, motion: CoordinateMotion, placed_m: Array) -> Solution:
    """Coordinates that put the fitted markers at (F, P, 3), and what that costs."""
    tree, names = trial.tree, _fitted(trial)
    q = _coordinates_of(tree, motion)
    measured_m = trial.markers.positions_m[:, [trial.markers.names.index(name) for name in names]]
    error_m = np.linalg.norm(placed_m - measured_m, axis=2)
    weights = np.array([trial.weights[name] for name in names])
    solution = Solution(q, names, weights, error_m, np.zeros(len(q)), np.zeros(len(q), np.int64))
    goals = sum(
        goal.weight
        * (q[:, tree.coordinate_index[goal.coordinate]] - np.asarray(goal.values, dtype=float)) ** 2
        for goal in trial.goals
    )
    objective = solution.frame_weighted_rms_m**2 + goals
    return dataclasses.replace(solution, objective=objective, goals=trial.goals)

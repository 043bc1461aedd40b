"""Anybody's skeleton onto a model: its joints become markers, the model takes its size, and
inverse kinematics finds the coordinates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik import FAINT_PRIOR_M, Solution, solve
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.motion.data import CoordinateMotion, JointMotion, MarkerMotion, Residuals
from spinetrack_synth.motion.retargeting_task import (
    PRIOR_M,
    TRUNK,
    FittedPoint,
    KnownPoints,
    known_points,
    task_by_motion,
    task_by_rest,
)
from spinetrack_synth.motion.skeletons import (
    Skeleton,
    known_skeletons,
    namespace,
    own_skeletons,
    recognise,
    unrecognised,
)

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]

MEASURED_SPINE: Final = 3
"""As many of the model's own markers on the spine measure it."""

MIDLINE_M: Final = 0.02
"""A point of a vertebra that lies further to the side is one of the shoulder girdle."""

_POSITIONS_ALONE: Final = (
    "the spine is a guess: of the rig's spine positions alone count, and its joints lie off the "
    "vertebrae (regions are off by 5 to 15 degrees)"
)


@dataclass(frozen=True)
class Retargeted:
    """A foreign motion on a model.

    ``motion`` its coordinates, with their residuals; ``tree`` the model scaled to the foreign body,
    with the points that were fitted as its markers; ``skeleton`` the table used; ``solution`` how
    well they are met, and ``points`` (P,) what they are, in its order; ``factors`` (B, 3).
    """

    motion: CoordinateMotion
    tree: Tree
    skeleton: Skeleton
    solution: Solution
    points: tuple[FittedPoint, ...]
    factors: Array

    @property
    def columns(self) -> dict[str, int]:
        """Points of the foreign skeleton by name, with their columns in the solution: without
        those that carry rotations."""
        return _columns(self.points)


def retarget(
    motion: MarkerMotion | JointMotion,
    tree: Tree,
    skeleton: Skeleton | None = None,
    progress: Progress | None = None,
) -> CoordinateMotion:
    """The coordinates of the model that perform a foreign motion. See `fit_skeleton`."""
    return fit_skeleton(motion, tree, skeleton, progress).motion


def skeleton_of(names: tuple[str, ...], tree: Tree, source: str) -> Skeleton:
    """The table that fits a set of names; raises UserError, with the nearest, where none does."""
    candidates = (*own_skeletons(tree), *known_skeletons())
    found = recognise(names, candidates)
    if found is None:
        raise unrecognised(names, candidates, source or "motion")
    return found


def fit_skeleton(
    motion: MarkerMotion | JointMotion,
    tree: Tree,
    skeleton: Skeleton | None = None,
    progress: Progress | None = None,
) -> Retargeted:
    """Fit a model to the points of a foreign skeleton.

    The model is scaled by the lengths of the segments. Where the motion knows how its bones turn,
    its pose of rest is fitted first: it tells where points that are only near a body really lie,
    and how bones stand to bodies, so that the bones' rotations count as well. Where it does not,
    points near the spine are placed by the motion itself, not far from where the table has them.

    Raises UserError where no table fits, a table names what the model does not have, or the size
    is out of all reason (wrong units). A model none of whose segments is measured keeps its size.
    """
    where = motion.source or "motion"
    skeleton = skeleton or skeleton_of(motion.names, tree, where)
    known = known_points(motion, skeleton, tree, where)
    notes = [*motion.notes, *known.filled.notes, *_of_whom(motion, known.found[0])]
    spine = _guessed_spine(tree, skeleton, known, motion)
    if isinstance(motion, JointMotion):
        task = task_by_rest(tree, motion, skeleton, known, where)
        if task.odd_rest:
            notes.append(task.odd_rest)
            spine = spine and _POSITIONS_ALONE
    else:
        task = task_by_motion(tree, known, where)
    solution = solve(
        task.tree,
        [point.marker for point in task.points],
        task.targets_m,
        weights={point.marker: point.weight for point in task.points},
        goals=task.goals,
        prior_m=FAINT_PRIOR_M if skeleton.exact else PRIOR_M,
        progress=progress,
    )
    solution = _of_seen(solution, known)
    by_marker = {point.marker: point for point in task.points}
    points = tuple(by_marker[marker] for marker in solution.markers)
    columns = _columns(points)
    errors_m = solution.marker_error_m[:, list(columns.values())]
    residuals = Residuals.of_fit(tuple(columns), errors_m, motion.times_s, skeleton.title, spine)
    coordinates = CoordinateMotion(
        tree.coordinates,
        motion.times_s,
        solution.coordinates,
        tree.rotational,
        motion.source,
        tuple(notes),
        residuals,
    )
    return Retargeted(coordinates, task.tree, skeleton, solution, points, task.factors)


def _of_whom(motion: MarkerMotion | JointMotion, first_name: str) -> list[str]:
    """A note where several people are in a motion, of whom the one with a point is taken."""
    people = {namespace(name) for name in motion.names}
    if len({name.rpartition(":")[2] for name in motion.names}) == len(motion.names):
        return []
    chosen = namespace(first_name) or "the one without a name"
    return [f"of {len(people)} people in it, {chosen} is taken"]


def _of_seen(solution: Solution, known: KnownPoints) -> Solution:
    """A solution without the errors of points that were filled in."""
    filled = known.filled.filled
    if not filled.any():
        return solution
    error_m = solution.marker_error_m.copy()
    for column, name in enumerate(known.markers):
        error_m[filled[:, column], solution.markers.index(name)] = np.nan
    return dataclasses.replace(solution, marker_error_m=error_m)


def _columns(points: tuple[FittedPoint, ...]) -> dict[str, int]:
    return {p.name: column for column, p in enumerate(points) if not p.carries_rotation}


def _guessed_spine(
    tree: Tree, skeleton: Skeleton, known: KnownPoints, motion: MarkerMotion | JointMotion
) -> str:
    """What to say of a spine that the points ever seen do not measure; "" else."""
    if skeleton.exact:
        return ""
    measured = near = 0
    for point, is_seen in zip(known.table, known.ever_seen):
        if point.marker:
            index = tree.marker_index[point.marker]
            body = tree.bodies[tree.marker_body[index]]
            measured += bool(is_seen) and body in TRUNK - {"pelvis", "sacrum"}
        elif point.body in TRUNK - {"pelvis", "sacrum"} and abs(point.offset_m[2]) < MIDLINE_M:
            near += bool(is_seen)
    if measured >= MEASURED_SPINE:
        return ""
    turned = sum(bool(p.turn_weight) and p.turn_body in TRUNK - {"pelvis"} for p in known.table)
    if isinstance(motion, JointMotion) and turned:
        return (
            "the spine is shared out by the model over its 24 vertebrae: of the rig's bones "
            f"{turned} tell how it turns"
        )
    if near >= MEASURED_SPINE:
        return _POSITIONS_ALONE
    along = measured + near or "no"
    return (
        f"the spine is a guess: of {skeleton.title}, {along} points lie along it; it follows hips, "
        "shoulders and head, and the model's neutral curve where they leave it open"
    )

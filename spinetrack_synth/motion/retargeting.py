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
from spinetrack_synth.anatomy.kinematics import body_transforms, marker_positions
from spinetrack_synth.anatomy.measure import (
    KEYPOINT_MEASUREMENTS,
    Measurement,
    measured_factors,
)
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion, JointMotion, MarkerMotion
from spinetrack_synth.motion.skeletons import (
    Skeleton,
    known_skeletons,
    own_skeletons,
    recognise,
    unrecognised,
)

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]

PRIOR_M: Final = 0.005
"""Marker error that the prior assumes: foreign joint centres lie within a centimetre or so."""

REST_PRIOR_M: Final = 0.02
"""The same for a pose of rest, which is drawn, not measured."""

WORST_REST_RMS_M: Final = 0.05
"""A pose of rest that the model meets no better is no posture (all bones along one axis, say):
what it would tell about the bones' rotations is then left out."""

TURN_ARM_M: Final = 0.1
"""Distance from a body's origin of the points that carry a foreign bone's rotation."""

LARGEST_SCALE: Final = 3.0

_MIDDLES: Final = (("middle of the hips", "hip"), ("middle of the shoulders", "shoulder"))

SUBSTITUTES: Final = (
    Measurement(
        "trunk", (("middle of the hips", "middle of the shoulders"),),
        ("sacrum", *(f"L{k}" for k in range(5, 0, -1)), *(f"T{k}" for k in range(12, 0, -1))), "XY",
    ),
    Measurement(
        "shoulder width", (("left_shoulder", "right_shoulder"),), ("clavicle_r", "clavicle_l"), "Z"
    ),
)  # fmt: skip
"""Measured where a skeleton lacks the points of the nearer measurements."""


@dataclass(frozen=True)
class Retargeted:
    """A foreign motion on a model.

    ``motion`` its coordinates; ``tree`` the model scaled to the foreign body, with the points that
    were fitted as its markers; ``skeleton`` the table used; ``solution`` how well the points are
    met, by the names of ``tree.marker_names``; ``factors`` (B, 3).
    """

    motion: CoordinateMotion
    tree: Tree
    skeleton: Skeleton
    solution: Solution
    factors: Array


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
    and how bones stand to bodies, so that the bones' rotations count as well.

    Raises UserError where no table fits, a table names what the model does not have, or the size
    is out of all reason (wrong units).
    """
    where = motion.source or "motion"
    skeleton = skeleton or skeleton_of(motion.names, tree, where)
    found = skeleton.found_in(motion.names)
    if not found:
        raise UserError(f"{where}: has none of the points of skeleton {skeleton.name}")
    columns = [motion.names.index(name) for name in found]
    points = [skeleton.points[name] for name in found.values()]
    _check_points(skeleton, tree)
    targets_m = motion.positions_m[:, columns]
    seen = np.isfinite(targets_m).all(axis=2)
    if not seen.any():
        raise UserError(f"{where}: its points have no positions in any frame")
    # A point that is a marker keeps its name, which the measurements know.
    names = [point.marker or f"~{name}" for name, point in zip(found.values(), points)]
    marked = _with_markers(
        tree,
        {
            name: (tree.body_index[point.body], np.array(point.offset_m))
            for name, point in zip(names, points)
            if not point.marker
        },
    )
    rest_m = motion.rest_m[None, columns] if isinstance(motion, JointMotion) else None
    factors = _measured(marked, names, targets_m if rest_m is None else rest_m, where)
    scaled = scale_tree(marked, factors)
    weights = {name: point.weight for name, point in zip(names, points)}
    if isinstance(motion, JointMotion) and rest_m is not None:
        at_rest = solve(scaled, names, rest_m, weights=weights, prior_m=REST_PRIOR_M, cold=True)
        if at_rest.frame_weighted_rms_m[0] <= WORST_REST_RMS_M:
            body2rest = body_transforms(scaled, at_rest.coordinates[0])
            scaled = _placed_by_rest(scaled, names, points, rest_m[0], body2rest)
            scaled, extra = _turning_points(scaled, motion, columns, points, body2rest)
            names += [name for name, _, _ in extra]
            weights |= {name: weight for name, weight, _ in extra}
            targets_m = np.concatenate([targets_m, *(moved[:, None] for _, _, moved in extra)], 1)
    prior_m = FAINT_PRIOR_M if skeleton.exact else PRIOR_M
    solution = solve(scaled, names, targets_m, weights=weights, prior_m=prior_m, progress=progress)
    coordinates = CoordinateMotion(
        tree.coordinates, motion.times_s, solution.coordinates, tree.rotational, motion.source
    )
    return Retargeted(coordinates, scaled, skeleton, solution, factors)


def _check_points(skeleton: Skeleton, tree: Tree) -> None:
    for name, point in skeleton.points.items():
        for body in (point.body, point.turn_body):
            if body and body not in tree.body_index:
                raise UserError(
                    f"skeleton {skeleton.name}: points.{name}: the model {tree.name} has no body "
                    f"'{body}'"
                )
        if point.marker and point.marker not in tree.marker_index:
            raise UserError(
                f"skeleton {skeleton.name}: points.{name}: the model {tree.name} has no marker "
                f"'{point.marker}'"
            )


def _with_markers(tree: Tree, markers: dict[str, tuple[int, Array]]) -> Tree:
    """The model with more markers, name to body and offset; one of a known name replaces it."""
    kept = [i for i, name in enumerate(tree.marker_names) if name not in markers]
    bodies = [body for body, _ in markers.values()]
    offsets = np.array([offset for _, offset in markers.values()]).reshape(-1, 3)
    return dataclasses.replace(
        tree,
        marker_names=(*(tree.marker_names[i] for i in kept), *markers),
        marker_body=np.concatenate([tree.marker_body[kept], np.array(bodies, dtype=np.int64)]),
        marker_offset_m=np.concatenate([tree.marker_offset_m[kept], offsets]),
    )


# -- size -----------------------------------------------------------------------------------------


def _measured(tree: Tree, names: list[str], positions_m: Array, where: str) -> Array:
    """Scale factors (B, 3) from points (F, P, 3), those of the frames with the longest trunk."""
    positions_m, names = positions_m, list(names)
    at_rest = marker_positions(tree, tree.default_coordinates)
    rest_of = dict(zip(tree.marker_names, at_rest))
    body2world = body_transforms(tree, tree.default_coordinates)
    extra = {}
    for middle, joint in _MIDDLES:
        sides = [f"{side}_{joint}" for side in ("left", "right")]
        if all(side in names for side in sides):
            pair = positions_m[:, [names.index(side) for side in sides]]
            positions_m = np.concatenate([positions_m, pair.mean(axis=1, keepdims=True)], axis=1)
            names.append(middle)
            body = tree.body_index["pelvis" if joint == "hip" else "T3"]
            center = np.append((rest_of[sides[0]] + rest_of[sides[1]]) / 2, 1.0)
            extra[middle] = (body, (np.linalg.inv(body2world[body]) @ center)[:3])
    with_middles = _with_markers(tree, extra)
    ends = [names.index(middle) for middle, _ in _MIDDLES if middle in names]
    if len(ends) == 2:
        trunk_m = np.linalg.norm(positions_m[:, ends[0]] - positions_m[:, ends[1]], axis=1)
        if np.isfinite(trunk_m).any():
            # Bent trunks look short from end to end.
            positions_m = positions_m[trunk_m >= np.nanquantile(trunk_m, 0.9) - 1e-9]
    factors = measured_factors(
        with_middles, names, positions_m, (*SUBSTITUTES, *KEYPOINT_MEASUREMENTS)
    )
    overall = float(np.median(factors))
    if not 1 / LARGEST_SCALE < overall < LARGEST_SCALE:
        units = {1000.0: "mm", 100.0: "cm", 0.001: "m", 0.01: "m", 39.37: "in", 17.72: "cmu"}
        near = min(units, key=lambda ratio: abs(np.log(overall / ratio)))
        raise UserError(
            f"{where}: the body is {overall:.3g} times the model's size: wrong units, "
            f"try --unit {units[near]}"
        )
    return factors


# -- what the pose of rest tells ------------------------------------------------------------------


def _placed_by_rest(
    tree: Tree, names: list[str], points: list, rest_m: Array, body2rest: Array
) -> Tree:
    """The model with the points that are only near a body put where the pose of rest has them."""
    placed = {}
    for name, point, at_m in zip(names, points, rest_m):
        if not point.marker:
            body = tree.body_index[point.body]
            rest2body = np.linalg.inv(body2rest[body])
            placed[name] = (body, rest2body[:3, :3] @ at_m + rest2body[:3, 3])
    return _with_markers(tree, placed)


def _turning_points(
    tree: Tree, motion: JointMotion, columns: list[int], points: list, body2rest: Array
) -> tuple[Tree, list[tuple[str, float, Array]]]:
    """Points of a body that a foreign bone carries along rigidly from the pose of rest on.

    The model with these points as markers, and of each name, weight and positions (F, 3).
    """
    markers: dict[str, tuple[int, Array]] = {}
    carried = []
    for column, point in zip(columns, points):
        if not point.turn_weight:
            continue
        body = tree.body_index[point.turn_body]
        for axis, arm_m in zip("xyz", np.eye(3) * TURN_ARM_M):
            name = f"~{point.turn_body} {axis}"
            markers[name] = (body, arm_m)
            start_m = body2rest[body, :3, :3] @ arm_m + body2rest[body, :3, 3]
            from_joint_m = start_m - motion.rest_m[column]
            moved_m = motion.positions_m[:, column] + motion.turns[:, column] @ from_joint_m
            carried.append((name, point.turn_weight, moved_m))
    return _with_markers(tree, markers), carried

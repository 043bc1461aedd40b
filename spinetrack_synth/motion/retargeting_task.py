"""What inverse kinematics is asked for a foreign skeleton: a model of its size with its points as
markers, and where these are to go."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik import CoordinateGoal, solve
from spinetrack_synth.anatomy.kinematics import (
    body_transforms,
    body_transforms_batch,
    marker_positions,
)
from spinetrack_synth.anatomy.measure import (
    KEYPOINT_MEASUREMENTS,
    Measurement,
    measured_factors,
)
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import METRES
from spinetrack_synth.motion.data import JointMotion, MarkerMotion
from spinetrack_synth.motion.gaps import Filled, fill_gaps
from spinetrack_synth.motion.skeletons import Point, Skeleton

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

PRIOR_M: Final = 0.005
"""Marker error that the prior assumes: foreign joint centres lie within a centimetre or so."""

REST_PRIOR_M: Final = 0.02
"""The same for a pose of rest, which is drawn, not measured."""

WORST_REST_RMS_M: Final = 0.05
"""A pose of rest that the model meets no better is no posture (all bones along one axis, say):
what it would tell about the bones' rotations is then left out."""

TURN_ARM_M: Final = 0.1
"""Distance from a body's origin of the points that carry a foreign bone's rotation."""

NEAR_M: Final = 0.05
"""A point that is only near its vertebra lies within so much of where its table says."""

REST_SPINE_WEIGHT: Final = 0.03
SPINE_WEIGHT: Final = 1e-5
"""Weight (m^2 / rad^2) that holds the spine neutral: 10 degrees count as an RMS error of 30 mm in a
pose of rest, which is drawn upright, of 0.6 mm in motions of a rig of which only positions are
known. Without it the spine would zigzag by 60 degrees to meet joints that the rig has before or
behind the vertebrae; with more, true bending would be lost."""

A_RIGS_SPINE: Final = 3
"""As many points near the spine make a rig, whose spine is a matter of its maker's taste."""

FRAMES_TO_PLACE: Final = 200
"""Frames, spread over the motion, that show where such points lie."""

LARGEST_SCALE: Final = 3.0

TRUNK: Final = frozenset(
    ["pelvis", "sacrum"]
    + [f"L{k}" for k in range(1, 6)]
    + [f"T{k}" for k in range(1, 13)]
    + [f"C{k}" for k in range(1, 8)]
)
"""Bodies that no rig agrees upon."""

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
class FittedPoint:
    """A point that the model is fitted to.

    ``name`` what people call it; ``marker`` its marker in the fitted model; ``weight`` in the fit.
    ``carries_rotation`` where it is no point of the motion but one a little away from a body's
    origin, which a foreign bone's rotation carries along.
    """

    name: str
    marker: str
    weight: float
    carries_rotation: bool = False


@dataclass(frozen=True)
class KnownPoints:
    """The points (P,) of a motion that a skeleton knows.

    ``found`` their names in the motion, ``columns`` there, ``table`` where the skeleton has them;
    ``fitted`` what they are in the fit; ``ever_seen`` (P,) bool; ``filled`` their positions.
    """

    found: list[str]
    columns: list[int]
    table: list[Point]
    fitted: list[FittedPoint]
    ever_seen: Bools
    filled: Filled

    @property
    def markers(self) -> list[str]:
        return [point.marker for point in self.fitted]

    @property
    def firm(self) -> dict[str, float]:
        """Weights by marker without the spine: where a rig has it is a matter of taste, so limbs
        and head tell the posture at first."""
        return {
            fitted.marker: 0.0 if point.body in TRUNK else fitted.weight
            for fitted, point in zip(self.fitted, self.table)
        }


@dataclass(frozen=True)
class RetargetingTask:
    """What inverse kinematics is asked: a ``tree`` scaled by ``factors`` (B, 3) with ``points``
    (P,) as markers, their ``targets_m`` (F, P, 3) and ``goals``. ``odd_rest`` says why the pose of
    rest is left out."""

    tree: Tree
    factors: Array
    points: list[FittedPoint]
    targets_m: Array
    goals: Sequence[CoordinateGoal] = ()
    odd_rest: str = ""


def known_points(
    motion: MarkerMotion | JointMotion, skeleton: Skeleton, tree: Tree, where: str
) -> KnownPoints:
    """The points of a motion that a skeleton knows, gaps of bare points filled.

    Raises UserError where there are none, the model lacks what the skeleton names, or none is ever
    seen; ``where`` names the motion in errors.
    """
    found = skeleton.found_in(motion.names)
    if not found:
        raise UserError(f"{where}: has none of the points of skeleton {skeleton.name}")
    columns = [motion.names.index(name) for name in found]
    table = [skeleton.points[name] for name in found.values()]
    _check_points(skeleton, tree)
    targets_m = motion.positions_m[:, columns]
    seen: Bools = np.all(np.isfinite(targets_m), axis=2)
    if not seen.any():
        raise UserError(f"{where}: its points have no positions in any frame")
    filled = Filled(targets_m, np.zeros(seen.shape, dtype=bool))
    if not isinstance(motion, JointMotion):
        filled = fill_gaps(tuple(found), targets_m)
    # A point that is a marker keeps its name, which the measurements know.
    fitted = [
        FittedPoint(point.marker or name, point.marker or f"~{name}", point.weight)
        for name, point in zip(found.values(), table)
    ]
    ever_seen: Bools = np.any(seen, axis=0)
    return KnownPoints(list(found), columns, table, fitted, ever_seen, filled)


def task_by_motion(tree: Tree, known: KnownPoints, where: str) -> RetargetingTask:
    """The task where positions alone are known: they tell the size and where the spine lies."""
    marked = _with_points(tree, known)
    targets_m = known.filled.positions_m
    factors = _measured(marked, known.markers, targets_m, where)
    scaled = scale_tree(marked, factors)
    goals: list[CoordinateGoal] = []
    if list(known.firm.values()).count(0.0) >= A_RIGS_SPINE:
        goals = _upright(tree, SPINE_WEIGHT)
        scaled = _placed_by_motion(scaled, known, goals)
    return RetargetingTask(scaled, factors, known.fitted, targets_m, goals)


def task_by_rest(
    tree: Tree, motion: JointMotion, skeleton: Skeleton, known: KnownPoints, where: str
) -> RetargetingTask:
    """The task where a pose of rest is known: it tells the size, where points lie, and how bones
    stand to bodies. One that is no posture is left out."""
    marked = _with_points(tree, known)
    targets_m = known.filled.positions_m
    rest_m = motion.rest_m[None, known.columns]
    factors = _measured(marked, known.markers, rest_m, where)
    scaled = scale_tree(marked, factors)
    at_rest = solve(
        scaled,
        known.markers,
        rest_m,
        weights=known.firm,
        goals=_upright(tree, REST_SPINE_WEIGHT),
        prior_m=REST_PRIOR_M,
        cold=True,
    )
    rms_m = at_rest.frame_weighted_rms_m[0]
    if rms_m > WORST_REST_RMS_M:
        odd_rest = (
            f"its pose of rest is no posture of a body (RMS {1000 * rms_m:.0f} mm): what its "
            "bones' rotations tell is left out"
        )
        factors = _measured(marked, known.markers, targets_m, where)
        scaled = scale_tree(marked, factors)
        return RetargetingTask(scaled, factors, known.fitted, targets_m, odd_rest=odd_rest)
    body2rest = body_transforms(scaled, at_rest.coordinates[0])
    if not skeleton.exact:
        scaled = _placed_by_rest(scaled, known, rest_m[0], body2rest)
    scaled, carried = _turning_points(scaled, motion, known, body2rest)
    points = [*known.fitted, *(point for point, _ in carried)]
    targets_m = np.concatenate([targets_m, *(moved_m[:, None] for _, moved_m in carried)], axis=1)
    return RetargetingTask(scaled, factors, points, targets_m)


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


def _with_points(tree: Tree, known: KnownPoints) -> Tree:
    """The model with the points that are none of its markers."""
    return _with_markers(
        tree,
        {
            fitted.marker: (tree.body_index[point.body], np.array(point.offset_m))
            for fitted, point in zip(known.fitted, known.table)
            if not point.marker
        },
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
    measurements = (*SUBSTITUTES, *KEYPOINT_MEASUREMENTS)
    known = set(names) & set(with_middles.marker_names)
    if not any(set(pair) <= known for m in measurements for pair in m.pairs):
        return np.ones((len(tree.bodies), 3))
    factors = measured_factors(with_middles, names, positions_m, measurements)
    overall = float(np.median(factors))
    if not 1 / LARGEST_SCALE < overall < LARGEST_SCALE:
        # Read in metres, a file in mm is a thousand times too large.
        near = min(METRES, key=lambda unit: abs(np.log(overall * METRES[unit])))
        raise UserError(
            f"{where}: the body is {overall:.3g} times the model's size: wrong units, "
            f"try --unit {near if overall > 1 else 'm'}"
        )
    return factors


# -- what the pose of rest tells ------------------------------------------------------------------


def _placed_by_rest(tree: Tree, known: KnownPoints, rest_m: Array, body2rest: Array) -> Tree:
    """The model with shoulders and points that are only near a body where the rest has them."""
    placed = {}
    for name, point, at_m in zip(known.markers, known.table, rest_m):
        # A shoulder of the rig moves with its clavicle, wherever the model's own shoulder is.
        shoulder = point.marker.endswith("_shoulder") and f"clavicle_{point.marker[0]}"
        if shoulder or not point.marker:
            body = tree.body_index[shoulder or point.body]
            rest2body = np.linalg.inv(body2rest[body])
            placed[name] = (body, rest2body[:3, :3] @ at_m + rest2body[:3, 3])
    return _with_markers(tree, placed)


def _upright(tree: Tree, weight: float) -> list[CoordinateGoal]:
    """The spine at rest: its free coordinates near their defaults."""
    chain = tree.chain
    goals = []
    for body, name in enumerate(tree.bodies):
        if name in TRUNK and name != "pelvis":
            for axis in range(chain.axis_start[body], chain.axis_start[body + 1]):
                moved_by = tree.quantities[chain.axis_coordinate[axis]]
                if chain.axis_coordinate[axis] >= 0 and moved_by in tree.free:
                    default = tree.default_coordinates[tree.coordinate_index[moved_by]]
                    goals.append(CoordinateGoal(moved_by, weight, default))
    return goals


def _placed_by_motion(tree: Tree, known: KnownPoints, goals: list[CoordinateGoal]) -> Tree:
    """The model with the points near the spine moved to where they lie on average in their bodies
    when limbs and head alone tell the posture, by no more than `NEAR_M`."""
    targets_m, firm = known.filled.positions_m, known.firm
    some_m = targets_m[:: max(1, len(targets_m) // FRAMES_TO_PLACE)]
    first = solve(tree, known.markers, some_m, weights=firm, goals=goals, prior_m=PRIOR_M)
    body2world = body_transforms_batch(tree, first.coordinates)
    placed = {}
    for i, (name, point) in enumerate(zip(known.markers, known.table)):
        if point.body and firm[name] == 0.0:
            body = tree.body_index[point.body]
            frame = body2world[:, body]
            from_body_m = some_m[:, i] - frame[:, :3, 3]
            offsets_m = np.einsum("fji,fj->fi", frame[:, :3, :3], from_body_m)
            seen = np.isfinite(offsets_m).all(axis=1)
            if seen.any():
                told_m = tree.marker_offset_m[tree.marker_index[name]]
                away_m = np.median(offsets_m[seen], axis=0) - told_m
                away_m *= min(1.0, NEAR_M / max(float(np.linalg.norm(away_m)), 1e-9))
                placed[name] = (body, told_m + away_m)
    return _with_markers(tree, placed)


def _turning_points(
    tree: Tree, motion: JointMotion, known: KnownPoints, body2rest: Array
) -> tuple[Tree, list[tuple[FittedPoint, Array]]]:
    """Points of a body that a foreign bone carries along rigidly from the pose of rest on.

    The model with these points as markers, and each with its positions (F, 3).
    """
    markers: dict[str, tuple[int, Array]] = {}
    carried = []
    for column, point in zip(known.columns, known.table):
        if not point.turn_weight:
            continue
        body = tree.body_index[point.turn_body]
        for axis, arm_m in zip("xyz", np.eye(3) * TURN_ARM_M):
            name = f"{point.turn_body} {axis}"
            arm = FittedPoint(name, f"~{name}", point.turn_weight, carries_rotation=True)
            markers[arm.marker] = (body, arm_m)
            start_m = body2rest[body, :3, :3] @ arm_m + body2rest[body, :3, 3]
            from_joint_m = start_m - motion.rest_m[column]
            moved_m = motion.positions_m[:, column] + motion.turns[:, column] @ from_joint_m
            carried.append((arm, moved_m))
    return _with_markers(tree, markers), carried

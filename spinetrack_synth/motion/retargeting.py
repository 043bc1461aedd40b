"""Anybody's skeleton onto a model: its joints become markers, the model takes its size, and
inverse kinematics finds the coordinates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik import FAINT_PRIOR_M, CoordinateGoal, Solution, solve
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
from spinetrack_synth.motion.data import CoordinateMotion, JointMotion, MarkerMotion, Residuals
from spinetrack_synth.motion.gaps import Filled, fill_gaps
from spinetrack_synth.motion.skeletons import (
    Point,
    Skeleton,
    known_skeletons,
    namespace,
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

MEASURED_SPINE: Final = 3
"""As many of the model's own markers on the spine measure it."""

MIDLINE_M: Final = 0.02
"""A point of a vertebra that lies further to the side is one of the shoulder girdle."""

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
class Retargeted:
    """A foreign motion on a model.

    ``motion`` its coordinates, with their residuals; ``tree`` the model scaled to the foreign body,
    with the points that were fitted as its markers; ``skeleton`` the table used; ``solution`` how
    well the points are met, by the names of ``tree.marker_names``; ``factors`` (B, 3).
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
    and how bones stand to bodies, so that the bones' rotations count as well. Where it does not,
    points near the spine are placed by the motion itself, not far from where the table has them.

    Raises UserError where no table fits, a table names what the model does not have, or the size
    is out of all reason (wrong units). A model none of whose segments is measured keeps its size.
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
    whole: NDArray[np.bool_] = np.zeros(seen.shape, dtype=bool)
    filled = Filled(targets_m, whole)
    if not isinstance(motion, JointMotion):
        filled = fill_gaps(tuple(found), targets_m)
        targets_m = filled.positions_m
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
    # Where a rig has its spine is a matter of taste: limbs and head tell the posture at first.
    firm = {
        name: 0.0 if point.body in TRUNK else point.weight for name, point in zip(names, points)
    }
    notes = [*motion.notes, *filled.notes]
    ever: NDArray[np.bool_] = np.any(seen, axis=0)
    spine = _guessed_spine(tree, skeleton, points, ever, motion)
    people = list(dict.fromkeys(namespace(name) for name in motion.names))
    if len({name.rpartition(":")[2] for name in motion.names}) < len(motion.names):
        chosen = namespace(next(iter(found))) or "the one without a name"
        notes.append(f"of {len(people)} people in it, {chosen} is taken")
    if isinstance(motion, JointMotion) and rest_m is not None:
        upright = _upright(tree, REST_SPINE_WEIGHT)
        at_rest = solve(
            scaled, names, rest_m, weights=firm, goals=upright, prior_m=REST_PRIOR_M, cold=True
        )
        if at_rest.frame_weighted_rms_m[0] > WORST_REST_RMS_M:
            notes.append(
                "its pose of rest is no posture of a body "
                f"(RMS {1000 * at_rest.frame_weighted_rms_m[0]:.0f} mm): what its bones' rotations "
                "tell is left out"
            )
            spine = spine and _POSITIONS_ALONE
            factors = _measured(marked, names, targets_m, where)
            scaled = scale_tree(marked, factors)
        else:
            body2rest = body_transforms(scaled, at_rest.coordinates[0])
            if not skeleton.exact:
                scaled = _placed_by_rest(scaled, names, points, rest_m[0], body2rest)
            scaled, extra = _turning_points(scaled, motion, columns, points, body2rest)
            names += [name for name, _, _ in extra]
            weights |= {name: weight for name, weight, _ in extra}
            targets_m = np.concatenate([targets_m, *(moved[:, None] for _, _, moved in extra)], 1)
    goals: list[CoordinateGoal] = []
    of_spine = list(firm.values()).count(0.0)
    if not isinstance(motion, JointMotion) and of_spine >= A_RIGS_SPINE:
        goals = _upright(tree, SPINE_WEIGHT)
        scaled = _placed_by_motion(scaled, names, points, firm, targets_m, goals)
    prior_m = FAINT_PRIOR_M if skeleton.exact else PRIOR_M
    solution = solve(
        scaled, names, targets_m, weights=weights, goals=goals, prior_m=prior_m, progress=progress
    )
    solution = _of_seen(solution, names, filled.filled)
    coordinates = CoordinateMotion(
        tree.coordinates,
        motion.times_s,
        solution.coordinates,
        tree.rotational,
        motion.source,
        tuple(notes),
        _residuals(solution, motion.times_s, skeleton, spine),
    )
    return Retargeted(coordinates, scaled, skeleton, solution, factors)


def _of_seen(solution: Solution, names: list[str], filled: NDArray[np.bool_]) -> Solution:
    """A solution without the errors of points that were filled in (F, P)."""
    if not filled.any():
        return solution
    error_m = solution.marker_error_m.copy()
    for column, name in enumerate(names[: filled.shape[1]]):
        error_m[filled[:, column], solution.markers.index(name)] = np.nan
    return dataclasses.replace(solution, marker_error_m=error_m)


def shown_points(solution: Solution) -> dict[str, int]:
    """Points of the foreign skeleton by name, with their columns in a solution: without the arms
    that carry rotations."""
    return {
        name.removeprefix("~"): i
        for i, name in enumerate(solution.markers)
        if not (name.startswith("~") and name.endswith((" x", " y", " z")))
    }


def _residuals(solution: Solution, times_s: Array, skeleton: Skeleton, spine: str) -> Residuals:
    shown = shown_points(solution)
    errors_m = solution.marker_error_m[:, list(shown.values())]
    return Residuals.of_fit(tuple(shown), errors_m, times_s, skeleton.title, spine)


_POSITIONS_ALONE: Final = (
    "the spine is a guess: of the rig's spine positions alone count, and its joints lie off the "
    "vertebrae (regions are off by 5 to 15 degrees)"
)


def _guessed_spine(
    tree: Tree,
    skeleton: Skeleton,
    points: list[Point],
    seen: NDArray[np.bool_],
    motion: MarkerMotion | JointMotion,
) -> str:
    """What to say of a spine that the points (P,), those ever ``seen``, do not measure; "" else."""
    if skeleton.exact:
        return ""
    measured = near = 0
    for point, is_seen in zip(points, seen):
        if point.marker:
            index = tree.marker_index[point.marker]
            body = tree.bodies[tree.marker_body[index]]
            measured += bool(is_seen) and body in TRUNK - {"pelvis", "sacrum"}
        elif point.body in TRUNK - {"pelvis", "sacrum"} and abs(point.offset_m[2]) < MIDLINE_M:
            near += bool(is_seen)
    if measured >= MEASURED_SPINE:
        return ""
    turned = sum(bool(p.turn_weight) and p.turn_body in TRUNK - {"pelvis"} for p in points)
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


def _placed_by_rest(
    tree: Tree, names: list[str], points: list[Point], rest_m: Array, body2rest: Array
) -> Tree:
    """The model with shoulders and points that are only near a body where the rest has them."""
    placed = {}
    for name, point, at_m in zip(names, points, rest_m):
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


def _placed_by_motion(
    tree: Tree,
    names: list[str],
    points: list[Point],
    firm: dict[str, float],
    targets_m: Array,
    goals: list[CoordinateGoal],
) -> Tree:
    """The model with the points near the spine moved to where they lie on average in their bodies
    when limbs and head alone tell the posture, by no more than `NEAR_M`."""
    some_m = targets_m[:: max(1, len(targets_m) // FRAMES_TO_PLACE)]
    first = solve(tree, names, some_m, weights=firm, goals=goals, prior_m=PRIOR_M)
    body2world = body_transforms_batch(tree, first.coordinates)
    placed = {}
    for i, (name, point) in enumerate(zip(names, points)):
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
    tree: Tree, motion: JointMotion, columns: list[int], points: list[Point], body2rest: Array
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

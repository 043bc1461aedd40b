"""Is a motion that of a body? Marker errors, joint limits, segment lengths, symmetry, the spine:
measured, and held against thresholds that each have a source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import coordinates_from, marker_positions
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.anatomy.spine import RegionalAngles, regional_angles
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import (
    CoordinateMotion,
    JointMotion,
    MarkerMotion,
    Motion,
    Residuals,
)
from spinetrack_synth.motion.gaps import at_zero
from spinetrack_synth.motion.model_motion import full_coordinates
from spinetrack_synth.motion.rendered_people import read_rendered_people
from spinetrack_synth.motion.retargeting import fit_skeleton
from spinetrack_synth.motion.skeletons import Skeleton

Array = NDArray[np.float64]

IK_GUIDANCE: Final = "OpenSim, Getting Started with Inverse Kinematics: RMS below 2 cm, maximum 2-4"
LENGTH_GUIDANCE: Final = "OpenSim, scaling guidance: bony landmarks within 1 cm RMS"
LEG_GUIDANCE: Final = "Knutson 2005 (leg-length inequality, a review): below 2 cm without effect"
RANGE_GUIDANCE: Final = "ranges of the model's coordinates, sources in opensim_models/tables"
MEASURING_GUIDANCE: Final = "3-5 degrees is the error of markerless systems (OpenCap, Pose2Sim)"

RMS_MM: Final = 20.0
WORST_MM: Final = 40.0
LENGTH_SD_MM: Final = 10.0
SIDES_MM: Final = 20.0
OUTSIDE_DEG: Final = 0.1
"""Beyond a range by less is rounding in the file."""
SIDES_DEG: Final = 5.0

SEGMENTS: Final = {
    "upper arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
    "thigh": ("hip", "knee"),
    "shank": ("knee", "ankle"),
    "foot": ("heel", "big_toe"),
    "clavicle": ("clavicle", "shoulder"),
}
"""Segments of both sides between keypoints."""
WIDTHS: Final = {"pelvis": ("left_hip", "right_hip"), "head": ("left_ear", "right_ear")}

_MASTERS: Final = {
    "lumbar_lordosis_deg": "lumbar_extension",
    "thoracic_kyphosis_deg": "thoracic_extension",
    "cervical_lordosis_deg": "cervical_extension",
    "lumbar_bending_deg": "lumbar_bending",
    "thoracic_bending_deg": "thoracic_bending",
    "cervical_bending_deg": "cervical_bending",
    "lumbar_rotation_deg": "lumbar_rotation",
    "thoracic_rotation_deg": "thoracic_rotation",
    "cervical_rotation_deg": "cervical_rotation",
}
"""The coordinate whose range bounds each regional angle."""


@dataclass(frozen=True)
class Check:
    """A measure against its threshold.

    ``worst`` says where it is found. ``remark`` where beyond the threshold is unusual but no
    fault: people do move one side more than the other.
    """

    title: str
    value: float
    threshold: float
    unit: str
    source: str
    worst: str = ""
    remark: bool = False

    @property
    def passed(self) -> bool:
        """Whether the value keeps to the threshold."""
        return self.value <= self.threshold


@dataclass(frozen=True)
class Curves:
    """Values (F, n) of ``names`` (n,) over time; between ``low`` and ``high`` all is well."""

    title: str
    unit: str
    times_s: Array
    names: tuple[str, ...]
    values: Array
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Inspection:
    """What was looked at, what was found, what could not be told."""

    source: str
    subject: str
    frames: int
    checks: tuple[Check, ...]
    curves: tuple[Curves, ...]
    notes: tuple[str, ...] = ()


def inspect_motion(motion: Motion, tree: Tree, skeleton: Skeleton | None = None) -> Inspection:
    """Inspect a motion of any kind; points are fitted by the model first.

    Raises UserError where no skeleton fits the points.
    """
    checks: list[Check] = []
    curves: list[Curves] = []
    if isinstance(motion, CoordinateMotion):
        q = full_coordinates(tree, motion)
        notes = (
            *motion.notes,
            *_of_residuals(motion.residuals),
            "segment lengths are the model's: coordinates cannot change them",
            *_notes(tree),
        )
        checks += _fitted(motion.residuals)
        _add(checks, curves, _limits(tree, motion.times_s, _told(tree, motion, q)))
        checks += _movement_sides(tree, q)
        _add(checks, curves, _spine(tree, motion.times_s, q, lambda row: tree, motion.residuals))
        subject = f"{len(motion.names)} coordinates of {tree.name}"
        return Inspection(motion.source, subject, len(q), tuple(checks), tuple(curves), notes)
    fit = fit_skeleton(motion, tree, skeleton)
    named = motion.markers if isinstance(motion, JointMotion) else _without_zeros(motion)
    keypoints = _as_keypoints(named, fit.skeleton)
    q = fit.solution.coordinates
    errors_mm = 1000 * fit.solution.marker_error_m[:, list(fit.columns.values())]
    _add(checks, curves, _marker_errors(motion.times_s, tuple(fit.columns), errors_mm))
    _add(checks, curves, _limits(tree, motion.times_s, q))
    _add(checks, curves, _lengths(keypoints, ["body"] * len(q)))
    checks += _movement_sides(tree, q)
    residuals = fit.motion.residuals
    _add(checks, curves, _spine(fit.tree, motion.times_s, q, lambda row: fit.tree, residuals))
    subject = f"{len(motion.names)} points, {fit.skeleton.title}, fitted by {tree.name}"
    notes = (*fit.motion.notes, *_of_residuals(residuals), *_notes(tree))
    return Inspection(motion.source, subject, len(q), tuple(checks), tuple(curves), notes)


def inspect_rendered(path: Path, tree: Tree) -> Inspection:
    """Inspect the ground truth of rendered people: a frame a person, each with their own model.

    ``path`` is a dataset's folder or its ``ground_truth/<split>.parquet``. Raises UserError where
    it is neither, or where a folder holds several splits.
    """
    if path.is_dir():
        found = sorted((path / "ground_truth").glob("*.parquet"))
        if len(found) != 1:
            splits = ", ".join(str(file) for file in found) or "none"
            raise UserError(f"{path}: give one ground truth file; there is {splits}")
        path = found[0]
    from spinetrack_synth.motion.files import read_motion

    people = read_rendered_people(path, tree)
    posed = read_motion(path, tree, coordinates=True)
    assert isinstance(posed, CoordinateMotion)
    q, markers = posed.values, people.markers
    trees = [people.trees[subject] for subject in people.subject]
    errors_mm = np.empty(markers.positions_m.shape[:2])
    for row, own in enumerate(trees):
        at_m = marker_positions(own, q[row])[[own.marker_index[name] for name in markers.names]]
        errors_mm[row] = 1000 * np.linalg.norm(at_m - markers.positions_m[row], axis=1)
    checks: list[Check] = []
    curves: list[Curves] = []
    _add(checks, curves, _marker_errors(markers.times_s, markers.names, errors_mm))
    _add(checks, curves, _limits(tree, markers.times_s, q))
    _add(checks, curves, _lengths(markers, people.subject))
    _add(checks, curves, _spine(tree, markers.times_s, q, lambda row: trees[row]))
    subject = f"{len(q)} rendered people, {len(people.trees)} subjects (a frame a person)"
    return Inspection(str(path), subject, len(q), tuple(checks), tuple(curves), _notes(tree))


def _add(
    checks: list[Check], curves: list[Curves], found: tuple[list[Check], list[Curves]]
) -> None:
    checks += found[0]
    curves += found[1]


def _notes(tree: Tree) -> tuple[str, ...]:
    if _has_endplates(tree):
        return ()
    return (f"the model {tree.name} has no endplate frames: no spine angles",)


def _of_residuals(residuals: Residuals | None) -> tuple[str, ...]:
    return (residuals.spine,) if residuals and residuals.spine else ()


# -- the measures ---------------------------------------------------------------------------------


def _marker_errors(
    times_s: Array, names: tuple[str, ...], errors_mm: Array
) -> tuple[list[Check], list[Curves]]:
    seen = np.isfinite(errors_mm)
    squares = np.where(seen, errors_mm, 0.0) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        frame_rms = np.sqrt(squares.sum(axis=1) / seen.sum(axis=1))
        marker_rms = np.sqrt(squares.sum(axis=0) / seen.sum(axis=0))
    worst_frame = int(np.nanargmax(frame_rms))
    flat = int(np.nanargmax(np.where(seen, errors_mm, -1.0)))
    row, column = divmod(flat, len(names))
    order = np.argsort(-np.nan_to_num(marker_rms))[:3]
    worst_markers = ", ".join(f"{names[i]} {marker_rms[i]:.1f}" for i in order)
    checks = [
        Check(
            "marker error, RMS of a frame", float(frame_rms[worst_frame]), RMS_MM, "mm",
            IK_GUIDANCE,
            f"at {times_s[worst_frame]:.3f} s; worst markers by RMS: {worst_markers}",
        ),
        Check(
            "marker error, largest", float(errors_mm[row, column]), WORST_MM, "mm", IK_GUIDANCE,
            f"{names[column]} at {times_s[row]:.3f} s",
        ),
    ]  # fmt: skip
    both = np.stack([frame_rms, np.nanmax(np.where(seen, errors_mm, 0.0), axis=1)], axis=1)
    curve = Curves("Marker error", "mm", times_s, ("RMS", "largest"), both, high=RMS_MM)
    return checks, [curve]


def _fitted(residuals: Residuals | None) -> list[Check]:
    """Marker errors of the fit that coordinates came of, as their file keeps them."""
    if residuals is None:
        return []
    of = f"{residuals.points} points, {residuals.skeleton}, as the file says of its fit"
    return [
        Check(
            "marker error, RMS of a frame", residuals.worst_rms_mm, RMS_MM, "mm", IK_GUIDANCE,
            f"at {residuals.worst_rms_time_s:.3f} s; of all {residuals.rms_mm:.1f}; {of}",
        ),
        Check(
            "marker error, largest", residuals.largest_mm, WORST_MM, "mm", IK_GUIDANCE,
            f"{residuals.largest_point} at {residuals.largest_time_s:.3f} s",
        ),
    ]  # fmt: skip


def _told(tree: Tree, motion: CoordinateMotion, q: Array) -> Array:
    """q (F, n) with what the file says of driven coordinates in place of what follows."""
    told = q.copy()
    for i, name in enumerate(motion.names):
        if name in tree.coordinate_index:
            told[:, tree.coordinate_index[name]] = motion.values[:, i]
    return told


def _limits(tree: Tree, times_s: Array, q: Array) -> tuple[list[Check], list[Curves]]:
    bound = tree.clamped & tree.rotational
    beyond_deg = np.degrees(np.maximum(tree.lower - q, q - tree.upper))[:, bound]
    names = [name for name, held in zip(tree.coordinates, bound) if held]
    worst = beyond_deg.max(axis=0)
    outside = [i for i in np.argsort(-worst) if worst[i] > OUTSIDE_DEG]
    frames = float(np.mean(beyond_deg.max(axis=1) > OUTSIDE_DEG)) if names else 0.0
    told = ", ".join(f"{names[i]} by {worst[i]:.1f}" for i in outside[:5])
    more = f" and {len(outside) - 5} more" if len(outside) > 5 else ""
    check = Check(
        "outside the range of a joint",
        float(max(worst.max(initial=0.0), 0.0)),
        OUTSIDE_DEG,
        "deg",
        RANGE_GUIDANCE,
        f"{told}{more}; in {frames:.1%} of the frames" if outside else "",
    )
    if not outside:
        return [check], []
    shown = outside[:8]
    curve = Curves(
        "Beyond the range of a joint",
        "deg",
        times_s,
        tuple(names[i] for i in shown),
        np.maximum(beyond_deg[:, shown], 0.0),
        high=OUTSIDE_DEG,
    )
    return [check], [curve]


def _lengths(markers: MarkerMotion, subjects: Iterable[str]) -> tuple[list[Check], list[Curves]]:
    """Constancy of segment lengths, and left against right, within each subject."""
    names, lengths_mm = _segment_lengths(markers)
    if not names:
        return [], []
    subject = np.array(list(subjects))
    deviation, deviation_at, sides, sides_at = 0.0, "", 0.0, ""
    for who in dict.fromkeys(subject.tolist()):
        rows = lengths_mm[subject == who]
        told = "" if who == "body" else f" of {who}"
        with np.errstate(invalid="ignore"):
            spread = np.array([np.std(c[np.isfinite(c)]) if np.isfinite(c).any() else 0.0
                               for c in rows.T])  # fmt: skip
            middle = np.array([np.median(c[np.isfinite(c)]) if np.isfinite(c).any() else np.nan
                               for c in rows.T])  # fmt: skip
        k = int(np.argmax(spread))
        if spread[k] > deviation:
            deviation, deviation_at = float(spread[k]), f"{names[k]}{told}, {middle[k]:.0f} mm long"
        for i, name in enumerate(names):
            if name.startswith("left "):
                twin = names.index("right " + name.removeprefix("left "))
                apart = abs(middle[i] - middle[twin])
                if apart > sides:
                    sides = float(apart)
                    sides_at = (
                        f"{name.removeprefix('left ')}{told}: left {middle[i]:.0f}, "
                        f"right {middle[twin]:.0f} mm"
                    )
    checks = [
        Check(
            "segment length, standard deviation", deviation, LENGTH_SD_MM, "mm", LENGTH_GUIDANCE,
            deviation_at,
        ),
        Check("segment length, left against right", sides, SIDES_MM, "mm", LEG_GUIDANCE, sides_at),
    ]  # fmt: skip
    middle = np.array([np.median(c[np.isfinite(c)]) for c in lengths_mm.T])
    curve = Curves(
        "Segment length against its median",
        "mm",
        markers.times_s,
        names,
        lengths_mm - middle,
        -2 * LENGTH_SD_MM,
        2 * LENGTH_SD_MM,
    )
    return checks, [curve]


def _segment_lengths(markers: MarkerMotion) -> tuple[tuple[str, ...], Array]:
    ends = {
        f"{side} {segment}": (f"{side}_{a}", f"{side}_{b}")
        for segment, (a, b) in SEGMENTS.items()
        for side in ("left", "right")
    } | WIDTHS
    column = {name: i for i, name in enumerate(markers.names)}
    lengths_mm = {}
    for name, (a, b) in ends.items():
        if {a, b} <= column.keys():
            apart_m = markers.positions_m[:, column[a]] - markers.positions_m[:, column[b]]
            length_mm = 1000 * np.linalg.norm(apart_m, axis=1)
            if np.isfinite(length_mm).any():
                lengths_mm[name] = length_mm
    # A limb of one side alone has nothing to be held against.
    for name in [name for name in lengths_mm if name not in WIDTHS]:
        side, _, segment = name.partition(" ")
        if f"{'right' if side == 'left' else 'left'} {segment}" not in lengths_mm:
            del lengths_mm[name]
    table = np.array(list(lengths_mm.values())).reshape(-1, len(markers.times_s)).T
    return tuple(lengths_mm), table


def _without_zeros(motion: MarkerMotion) -> MarkerMotion:
    missing = at_zero(motion.positions_m)[:, :, None]
    return replace(motion, positions_m=np.where(missing, np.nan, motion.positions_m))


def _as_keypoints(motion: MarkerMotion, skeleton: Skeleton) -> MarkerMotion:
    """The points of a foreign skeleton that are keypoints, under the keypoints' names."""
    found = {
        name: skeleton.points[match].marker
        for name, match in skeleton.found_in(motion.names).items()
        if skeleton.points[match].marker
    }
    columns = [motion.names.index(name) for name in found]
    return MarkerMotion(
        tuple(found.values()), motion.times_s, motion.positions_m[:, columns], motion.source
    )


def _movement_sides(tree: Tree, q: Array) -> list[Check]:
    pairs = [
        (name[:-2], tree.coordinate_index[name], tree.coordinate_index[name[:-2] + "_l"])
        for name in tree.free
        if name.endswith("_r") and name[:-2] + "_l" in tree.coordinate_index
    ]
    if not pairs or len(q) < 2:
        return []
    apart = [
        abs(float(np.degrees(np.ptp(q[:, right]) - np.ptp(q[:, left])))) for _, right, left in pairs
    ]
    worst = int(np.argmax(apart))
    name, right, left = pairs[worst]
    ranges = np.degrees([np.ptp(q[:, left]), np.ptp(q[:, right])])
    return [
        Check(
            "range of movement, left against right", apart[worst], SIDES_DEG, "deg",
            MEASURING_GUIDANCE, f"{name}: left {ranges[0]:.1f}, right {ranges[1]:.1f} deg",
            remark=True,
        )
    ]  # fmt: skip


def _has_endplates(tree: Tree) -> bool:
    return "L1/superior_endplate" in tree.frame_index and "lumbar_extension" in tree.free


def _spine(
    tree: Tree,
    times_s: Array,
    q: Array,
    tree_of: Callable[[int], Tree],
    residuals: Residuals | None = None,
) -> tuple[list[Check], list[Curves]]:
    """Regional angles over time, each against what the model's ranges let it reach alone."""
    if not _has_endplates(tree):
        return [], []
    names = [field.name for field in fields(RegionalAngles)]
    values = np.array([astuple(regional_angles(tree_of(row), q[row])) for row in range(len(q))])
    reach = np.array([_reach(tree, name) for name in names])
    beyond = np.maximum(reach[:, 0] - values, values - reach[:, 1])
    row, column = divmod(int(np.argmax(beyond)), len(names))
    said = names[column].removesuffix("_deg").replace("_", " ")
    if residuals and residuals.spine.startswith("the spine is a guess"):
        said = f"a guess: {said}"
    check = Check(
        "spine angle beyond the range of its region",
        float(max(beyond.max(), 0.0)),
        SIDES_DEG,
        "deg",
        "ranges of every level by White and Panjabi (opensim_models/tables); " + MEASURING_GUIDANCE,
        f"{said} {values[row, column]:.1f} deg at {times_s[row]:.3f} s, "
        f"range {reach[column, 0]:.0f} to {reach[column, 1]:.0f}",
    )
    curves = []
    for kind in ("lordosis and kyphosis", "bending", "rotation"):
        columns = [i for i, name in enumerate(names) if name.split("_")[1] in kind.split()]
        labels = tuple(names[i].removesuffix("_deg").replace("_", " ") for i in columns)
        curves.append(Curves(f"Spine: {kind}", "deg", times_s, labels, values[:, columns]))
    return [check], curves


def _reach(tree: Tree, angle: str) -> tuple[float, float]:
    """The least and greatest of a regional angle, its region moved alone through its range."""
    master = _MASTERS[angle]
    index = tree.coordinate_index[master]
    ends = [
        getattr(regional_angles(tree, coordinates_from(tree, {master: float(value)})), angle)
        for value in (tree.lower[index], tree.upper[index])
    ]
    return min(ends), max(ends)

"""A model made a person's: scaled to a static trial, its markers moved to where that has them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik import FAINT_PRIOR_M, Solution, solve
from spinetrack_synth.anatomy.ik.setup_files import Tasks
from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.markers import only_markers
from spinetrack_synth.anatomy.measure import (
    Measurement,
    measure,
    measures_nothing,
    scale_to_person,
)
from spinetrack_synth.anatomy.model import GROUND, Tree
from spinetrack_synth.anatomy.scale_setup import Placer, Scaler, ScaleSetup, Span
from spinetrack_synth.anatomy.scaling import with_marker_offsets
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import METRES
from spinetrack_synth.motion.coordinate_tasks import coordinate_goals
from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion
from spinetrack_synth.motion.landmark_scaling import fitted_factors
from spinetrack_synth.motion.marker_matching import check_units

Array = NDArray[np.float64]
ReadMarkers = Callable[[Path], MarkerMotion]

STILL_M: Final = 0.03
"""Markers of somebody who stands still stay within so much."""

NAMED: Final = 8
"""So many names stand in a remark."""


@dataclass(frozen=True)
class Person:
    """A model of somebody's size.

    ``tree`` the model; ``factors`` (B, 3) along each body's axes; ``measured`` (B,) whether the
    trial shows a body's size, or somebody set it; ``mass_kg`` and ``preserve_mass`` as they were
    asked for; ``static`` how well the static pose is met and ``pose`` its coordinates, where
    markers were placed; ``remarks`` what there is to say.
    """

    tree: Tree
    factors: Array
    measured: NDArray[np.bool_]
    mass_kg: float | None
    preserve_mass: bool = True
    static: Solution | None = None
    pose: CoordinateMotion | None = None
    remarks: tuple[str, ...] = ()


def scaled_to_trial(
    tree: Tree, static: MarkerMotion, mass_kg: float | None, measurements: tuple[Measurement, ...]
) -> Person:
    """The model scaled by the lengths between the markers of a static trial.

    Raises UserError where the trial measures nothing or is in other units.
    """
    check_units(tree, static)
    measured = measure(tree, static.names, static.positions_m, measurements)
    if not measured.ratios:
        error = measures_nothing(tree, measurements)
        raise UserError(f"{static.source}: {error}; for a model of your own give --scale-setup")
    return _person(tree, measured.factors, mass_kg, preserve_mass=True)


def scaled_by_setup(
    tree: Tree,
    setup: ScaleSetup,
    fixed: Collection[str],
    read: ReadMarkers,
    static: Path | None = None,
    mass_kg: float | None = None,
) -> Person:
    """The model scaled, and its markers placed, as a set-up of OpenSim's ScaleTool asks for.

    ``fixed`` markers stay where they are in their bodies; ``static`` is a trial to be taken in
    place of those that the set-up names, ``mass_kg`` a mass in place of its own; ``read`` reads
    marker files. Raises UserError where a trial is missing, is in other units, or holds none of
    the markers.
    """
    mass_kg = mass_kg or setup.mass_kg
    factors = np.full((len(tree.bodies), 3), np.nan)
    remarks: tuple[str, ...] = ()
    person = Person(tree, np.ones_like(factors), np.zeros(len(factors), bool), None)
    if setup.scaler is not None:
        trial = static or setup.scaler.static
        factors, remarks = _factors(tree, setup, setup.scaler, trial, read, static is not None)
        person = _person(tree, factors, mass_kg, setup.scaler.preserve_mass)
    person = dataclasses.replace(person, remarks=(*remarks, *person.remarks))
    if setup.placer is None:
        return person
    trial = static or setup.placer.static
    if trial is None:
        raise UserError(f"{setup.path}: MarkerPlacer names no marker_file: give --scale FILE")
    recording = read(trial)
    tree = only_markers(person.tree, recording.names)  # OpenSim deletes the others
    if not tree.marker_names:
        raise UserError(f"{recording.source}: none of its markers is in the model {tree.name}")
    person = dataclasses.replace(person, tree=tree)
    return _placed(person, setup.placer, setup.path, recording, trial, fixed, static is not None)


def scaled_to_landmarks(
    tree: Tree,
    static: MarkerMotion,
    weights: Mapping[str, float],
    fixed: Collection[str],
    mass_kg: float | None,
) -> Person:
    """The project's own model scaled to a static trial of markers over landmarks, those that are
    not ``fixed`` placed; ``weights`` of the markers, 1 over a landmark.

    Raises UserError where the trial is in other units or holds none of the markers.
    """
    check_units(tree, static)
    mean_m = dict(zip(static.names, _mean_position(static.positions_m)))
    points_m = {n: p for n, p in mean_m.items() if n in weights and np.all(np.isfinite(p))}
    if not points_m:
        raise UserError(f"{static.source}: none of its markers is in the model {tree.name}")
    factors = fitted_factors(tree, points_m, weights)
    person = _person(tree, factors, mass_kg, preserve_mass=True)
    person = dataclasses.replace(person, measured=_carries(tree, points_m))
    restless = STILL_M / METRES["mm"]
    placer = Placer(Tasks(dict(weights)), None, None, None, restless, None, None)
    source = Path(static.source)
    return _placed(person, placer, source, static, source, fixed, replaced=False)


def _carries(tree: Tree, names: Collection[str]) -> NDArray[np.bool_]:
    """The bodies (B,) that have one of the markers, or from which one further out hangs."""
    carries = np.zeros(len(tree.bodies), dtype=np.bool_)
    carries[[tree.marker_body[tree.marker_index[name]] for name in names]] = True
    for body in range(len(carries) - 1, 0, -1):
        if carries[body] and tree.chain.parent[body] != GROUND:
            carries[tree.chain.parent[body]] = True
    return carries


def _person(tree: Tree, factors: Array, mass_kg: float | None, preserve_mass: bool) -> Person:
    measured: NDArray[np.bool_] = np.any(np.isfinite(factors), axis=1)
    factors = np.where(np.isnan(factors), 1.0, factors)
    scaled = scale_to_person(tree, factors, mass_kg, preserve_mass=preserve_mass)
    return Person(scaled, factors, measured, mass_kg, preserve_mass)


def _factors(
    tree: Tree,
    setup: ScaleSetup,
    scaler: Scaler,
    trial: Path | None,
    read: ReadMarkers,
    replaced: bool,
) -> tuple[Array, tuple[str, ...]]:
    """Factors (B, 3), NaN where the set-up says nothing of a body, and remarks."""
    factors = np.full((len(tree.bodies), 3), np.nan)
    remarks: list[str] = []
    for step in scaler.order:
        if step == "manualScale":
            for body, row in scaler.manual.items():
                if body in tree.body_index:
                    factors[tree.body_index[body]] = row
            continue
        if not scaler.measurements:
            continue
        if trial is None:
            raise UserError(f"{setup.path}: ModelScaler names no marker_file: give --scale FILE")
        static = read(trial)
        check_units(tree, static)
        rows, said = _rows_around(static, scaler.time_range_s, replaced)
        measured = measure(
            tree, static.names, static.positions_m[rows], scaler.measurements, whole=True
        )
        factors = np.where(np.isnan(measured.factors), factors, measured.factors)
        remarks += said
        for name, pairs in measured.pairs_missing.items():
            a, b = pairs[0]
            remarks.append(
                f"measurement {name} is left out, as OpenSim does: {_lacking(tree, static, a, b)}"
            )
    asked = {body for m in scaler.measurements for body in m.bodies} | scaler.manual.keys()
    strange = sorted(body for body in asked if body not in tree.body_index)
    if strange:
        remarks.append(
            f"scaled by {setup.path.name}, not in the model {tree.name}: "
            f"{', '.join(strange[:NAMED])}{', ...' if len(strange) > NAMED else ''}"
        )
    return factors, tuple(remarks)


def _lacking(tree: Tree, static: MarkerMotion, a: str, b: str) -> str:
    for name in (a, b):
        if name not in tree.marker_index:
            return f"the model has no marker {name}"
        if name not in static.names:
            return f"{static.source} has no marker {name}"
    return f"{a} and {b} are never seen together in {static.source}, or in one place in the model"


def _placed(
    person: Person,
    placer: Placer,
    path: Path,
    static: MarkerMotion,
    trial: Path,
    fixed: Collection[str],
    replaced: bool,
) -> Person:
    """The person with the markers that are not fixed where the static pose has them."""
    tree = person.tree
    check_units(tree, static)
    rows, said = _rows_around(static, placer.time_range_s, replaced)
    remarks = [*said]
    within = _rows_within(static, placer.time_range_s, rows)
    mean_m = _mean_position(static.positions_m[rows])
    times_s = static.times_s[within[:1]]
    weights = placer.tasks.marker_weights
    chosen = {name: weights.get(name, 0.0) if weights else 1.0 for name in static.names}
    if not any(chosen.get(name, 0.0) for name in tree.marker_names):
        raise UserError(
            f"{path}: the tasks of its MarkerPlacer give none of the markers of "
            f"{static.source} a weight"
        )
    solution = solve(
        tree,
        static.names,
        _mean_position(static.positions_m[within])[None],
        weights=chosen,
        goals=coordinate_goals(tree, placer.tasks, placer.coordinates, times_s),
        prior_m=FAINT_PRIOR_M,
        cold=True,
    )
    q = solution.coordinates[0]
    moved = offsets_at(tree, q, {n: p for n, p in zip(static.names, mean_m) if n not in fixed})
    if placer.largest_movement is not None:
        remarks += _said_of_movement(static, rows, placer.largest_movement * _unit_m(trial))
    return dataclasses.replace(
        person,
        tree=with_marker_offsets(tree, moved),
        static=solution,
        pose=CoordinateMotion(tree.coordinates, times_s, q[None], tree.rotational, str(trial)),
        remarks=(*person.remarks, *remarks),
    )


def offsets_at(tree: Tree, q: Array, points_m: Mapping[str, Array]) -> dict[str, Array]:
    """Where in their bodies the model's markers are (3,) m if at q they are at ``points_m`` (3,) m
    in the world; those that are nowhere (NaN) or none of the model's are left out."""
    body2world = body_transforms(tree, q)
    offsets = {}
    for name, point in points_m.items():
        if name not in tree.marker_index or not np.all(np.isfinite(point)):
            continue
        body = int(tree.marker_body[tree.marker_index[name]])
        if body != GROUND:
            rotation, origin = body2world[body, :3, :3], body2world[body, :3, 3]
            point = rotation.T @ (point - origin)
        offsets[name] = point
    return offsets


def _rows_around(
    static: MarkerMotion, span: Span | None, replaced: bool
) -> tuple[NDArray[np.int64], list[str]]:
    """The frames of a time range with those just outside of it, as OpenSim's MarkerData takes them.

    A range that is not of this trial, which was given in place of the set-up's own, is not heeded,
    and that is told.
    """
    times = static.times_s
    everything = np.arange(len(times))
    if span is None:
        return everything, []
    if span[1] < times[0] or span[0] > times[-1]:
        said = (
            f"{static.source}: holds {times[0]:g} to {times[-1]:g} s, nothing of the set-up's time "
            f"range {span[0]:g} to {span[1]:g} s"
        )
        if not replaced:
            raise UserError(said)
        return everything, [f"{said}: all of it is taken"]
    before = np.flatnonzero(times <= span[0])
    first = int(before[-1]) if len(before) else 0
    after = np.flatnonzero(times[first:] >= span[1] - 1e-14)
    last = first + int(after[0]) if len(after) else len(times) - 1
    return everything[first : last + 1], []


def _rows_within(
    static: MarkerMotion, span: Span | None, around: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Of the frames around a time range those within."""
    if span is None:
        return around
    times = static.times_s[around]
    kept = around[(times >= span[0]) & (times <= span[1])]
    return kept if len(kept) else around


def _mean_position(positions_m: Array) -> Array:
    """Mean positions (M, 3) over the frames in which a marker is seen, NaN for one never seen."""
    seen: NDArray[np.bool_] = np.all(np.isfinite(positions_m), axis=2, keepdims=True)
    with np.errstate(invalid="ignore"):
        total: Array = np.where(seen, positions_m, 0.0).sum(axis=0) / seen.sum(axis=0)
    return total


def _said_of_movement(static: MarkerMotion, rows: NDArray[np.int64], largest_m: float) -> list[str]:
    """The markers that move more than they should while they are averaged."""
    part = static.positions_m[rows]
    unseen = np.isnan(part)
    highest, lowest = np.where(unseen, -np.inf, part), np.where(unseen, np.inf, part)
    reach_m = (highest.max(axis=0) - lowest.min(axis=0)).max(axis=1)
    restless = [i for i in np.argsort(-reach_m) if reach_m[i] > largest_m]
    if not restless:
        return []
    said = ", ".join(f"{static.names[i]} {1000 * reach_m[i]:.0f} mm" for i in restless[:NAMED])
    limit = f"moved by more than {1000 * largest_m:g} mm while they are averaged"
    return [f"{static.source}: {limit}: {said}"]


def _unit_m(path: Path) -> float:
    """The length of a marker file's unit; millimetres where it is no .trc."""
    if path.suffix.lower() != ".trc":
        return METRES["mm"]
    with path.open(encoding="utf-8", errors="replace") as stream:
        _, names, values = (stream.readline().split() for _ in range(3))
    return METRES.get(dict(zip(names, values)).get("Units", "mm"), METRES["mm"])

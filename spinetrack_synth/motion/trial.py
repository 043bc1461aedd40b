"""A recording ready to be fitted to a model: all files read, checked and matched to one another."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik import CoordinateGoal
from spinetrack_synth.anatomy.ik.setup_files import Setup, Tasks
from spinetrack_synth.anatomy.measure import KEYPOINT_MEASUREMENTS
from spinetrack_synth.anatomy.model import Tree, fullbody_path
from spinetrack_synth.anatomy.scale_setup import ScaleSetup
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.c3d import read_c3d
from spinetrack_synth.motion.coordinate_tasks import coordinate_goals
from spinetrack_synth.motion.data import MarkerMotion, odd_rate
from spinetrack_synth.motion.gaps import fill_gaps
from spinetrack_synth.motion.marker_matching import (
    as_in_model,
    check_left_out,
    check_names,
    check_units,
    is_left_out,
    respelt,
    without,
    without_nought,
)
from spinetrack_synth.motion.models import Model, open_model, with_lab_markers
from spinetrack_synth.motion.rendered_people import RenderedPeople, read_rendered_people
from spinetrack_synth.motion.scaling import scaled_by_setup, scaled_to_landmarks, scaled_to_trial
from spinetrack_synth.motion.smoothing import SHORTEST, Smoothed, jitter_m, low_pass, smooth
from spinetrack_synth.motion.trc import read_trc

Bools = NDArray[np.bool_]
Engine = Literal["fast", "opensim"]

JITTER_M: Final = 1e-3
"""Noise from frame to frame that is worth a word."""

UNRELATED_M: Final = 0.03
"""The same where it is no noise of a tracker any more."""


@dataclass(frozen=True)
class Request:
    """What is to be fitted. ``marker_sets`` are put on the model; ``scale_setup``, ``static`` and
    ``mass_kg`` make it a person's; ``leave_out`` names markers that do not count; ``filter_hz``
    smooths the markers over time, at a frequency or ``"auto"`` at one of the markers' own;
    ``prior_m`` see `anatomy.ik.solve`."""

    model: Path
    markers: Path | None = None
    tasks: Tasks | None = None
    marker_sets: tuple[Path, ...] = ()
    scale_setup: ScaleSetup | None = None
    leave_out: tuple[str, ...] = ()
    coordinates: Path | None = None
    time_range_s: tuple[float, float] | None = None
    static: Path | None = None
    mass_kg: float | None = None
    prior_m: float | None = None
    filter_hz: float | Literal["auto"] | None = None
    engine: Engine = "fast"
    accuracy: float = 1e-5
    threads: int = 1


def request_from_setups(
    setup: Setup | None,
    scale_setup: ScaleSetup | None = None,
    model: Path | None = None,
    markers: Path | None = None,
    tasks: Tasks | None = None,
    marker_sets: tuple[Path, ...] = (),
) -> Request:
    """What OpenSim's set-ups ask for. ``model``, ``markers`` and ``tasks`` count in place of those
    that they name, ``marker_sets`` besides; without set-ups the model is our own.

    Raises UserError where set-ups are given and no model is named.
    """
    setups = [given for given in (scale_setup, setup) if given is not None]
    named = [given.model for given in setups if given.model is not None]
    if model is None and setups and not named:
        raise UserError(f"{setups[0].path}: names no model: give --model")
    sets = tuple(given.marker_set for given in setups if given.marker_set is not None)
    request = Request(
        model=model or (named[0] if named else fullbody_path()),
        markers=markers,
        tasks=tasks,
        marker_sets=(*sets, *marker_sets),
        scale_setup=scale_setup,
    )
    if setup is None:
        return request
    return dataclasses.replace(
        request,
        markers=markers or setup.markers,
        tasks=tasks or setup.tasks,
        coordinates=setup.coordinates,
        time_range_s=setup.time_range_s,
        accuracy=setup.accuracy,
    )


@dataclass(frozen=True)
class Trial:
    """A recording ready to be fitted: all files read and checked.

    ``smoothed`` is how ``markers`` came about, where they were smoothed as they asked for.
    """

    request: Request
    model: Model
    tree: Tree
    markers: MarkerMotion
    weights: dict[str, float]
    goals: tuple[CoordinateGoal, ...]
    remarks: tuple[str, ...]
    people: RenderedPeople | None
    smoothed: Smoothed | None = None


def prepare(request: Request) -> Trial:
    """Read and check everything. Raises UserError with one line for whatever is wrong."""
    model, markers, people, remarks = _opened(request)
    tree = model.tree
    if not tree.free and request.engine != "opensim":
        raise UserError(
            f"{request.model}: nothing in it moves: it has no coordinate that is neither locked, "
            "prescribed nor driven by others; unlock one"
        )
    tasks = request.tasks or Tasks({})
    if model.lab is not None and not tasks.marker_weights:
        tasks = dataclasses.replace(tasks, marker_weights=lab_weights(model, markers))
    wanted = _wanted(tasks, markers, request.leave_out)
    remarks += check_names(tree, markers, [name for name, weight in wanted.items() if weight > 0])
    weights = {name: wanted.get(name, 0.0) for name in markers.names if name in tree.marker_index}
    if not any(weights.values()):
        raise UserError(f"{markers.source}: the tasks give none of its markers a weight")
    check_units(tree, markers)
    seen: Bools = np.all(np.isfinite(markers.positions_m), axis=2)
    if not seen.any():
        raise UserError(f"{markers.source}: every marker is missing in every frame")
    smoothed = None
    if people is None:
        markers, smoothed, said = _filtered(markers, request.filter_hz)
        remarks += said
    remarks += _said_of_missing(markers, seen, weights)
    goals = coordinate_goals(tree, tasks, request.coordinates, markers.times_s)
    return Trial(request, model, tree, markers, weights, goals, remarks, people, smoothed)


class _Opened(NamedTuple):
    model: Model
    markers: MarkerMotion
    people: RenderedPeople | None
    remarks: tuple[str, ...]


def _opened(request: Request) -> _Opened:
    """The model and the markers that a request names, as they are or a person's."""
    if request.markers is None:
        raise UserError(f"{request.model}: no markers are given to fit it to")
    scales = request.static is not None or request.scale_setup is not None
    by_opensim = request.engine == "opensim" and not scales  # what we cannot move we cannot scale
    model = open_model(request.model, request.marker_sets, by_opensim)
    if request.markers.suffix.lower() == ".parquet":
        people = read_rendered_people(request.markers, model.tree)
        check_left_out(request.leave_out, people.markers)
        if scales or request.engine == "opensim" or request.filter_hz is not None:
            raise UserError(
                f"{request.markers}: rendered people bring their own sizes and are fitted one by "
                "one: leave out --scale, --scale-setup, --filter and --engine opensim"
            )
        return _Opened(model, people.markers, people, ())
    remarks: tuple[str, ...] = ()
    markers = _within(read_markers(request.markers), request.time_range_s)
    notes = markers.notes
    check_left_out(request.leave_out, markers)
    markers = without(markers, request.leave_out)
    if not (request.tasks and request.tasks.marker_weights):
        markers, remarks = without_nought(markers)
    if not request.marker_sets:
        static = read_markers(request.static).names if request.static else ()
        model = with_lab_markers(model, markers.names, static)
    markers, said = as_in_model(model.tree, markers)
    model = as_person(model, request)
    remarks += notes + odd_rate(markers.times_s) + said + _said_of_lab(model)
    if isinstance(request.filter_hz, str):
        filled = fill_gaps(markers.names, markers.positions_m)
        markers = dataclasses.replace(markers, positions_m=filled.positions_m)
        remarks += filled.notes
    remarks += model.person.remarks if model.person else ()
    return _Opened(model, markers, None, remarks)


def read_markers(path: Path) -> MarkerMotion:
    """Markers over time from a .trc or .c3d file. Raises UserError where they cannot be read."""
    ending = path.suffix.lower()
    if ending not in (".trc", ".c3d"):
        raise UserError(
            f"{path}: give markers as .trc or .c3d, or a dataset's ground truth as .parquet"
        )
    return read_c3d(path) if ending == ".c3d" else read_trc(path)


def as_person(model: Model, request: Request) -> Model:
    """The model made the person of a request's static trial or scale set-up; itself without one."""
    tree = model.tree

    def read(path: Path) -> MarkerMotion:
        return as_in_model(tree, without(read_markers(path), request.leave_out))[0]

    if request.scale_setup is not None:
        person = scaled_by_setup(
            tree, request.scale_setup, model.fixed, read, request.static, request.mass_kg
        )
    elif request.static is not None and model.lab is not None:
        static, _ = without_nought(read(request.static))
        weights = model.lab.weights(static.names)
        person = scaled_to_landmarks(tree, static, weights, model.fixed, request.mass_kg)
    elif request.static is not None:
        static, _ = without_nought(read(request.static))
        person = scaled_to_trial(tree, static, request.mass_kg, KEYPOINT_MEASUREMENTS)
    else:
        return model
    return dataclasses.replace(model, tree=person.tree, person=person)


def lab_weights(model: Model, markers: MarkerMotion) -> dict[str, float]:
    """The weights of a laboratory's markers: those that a static trial placed count as the rest."""
    if model.lab is None:
        return {}
    weights = model.lab.weights(markers.names)
    placed = model.person is not None and model.person.static is not None
    return dict.fromkeys(weights, 1.0) if placed else weights


def _said_of_lab(model: Model) -> tuple[str, ...]:
    if model.lab is None:
        return ()
    count = sum(marker.name in model.lab.landmarks for marker in model.added)
    said = f"{count} markers are those of {model.lab.title} and put on the model by their landmarks"
    if model.person is None:
        said += "; the model has its own size: give a static trial of the person as --scale"
    return (said,)


def _wanted(tasks: Tasks, markers: MarkerMotion, leave_out: tuple[str, ...]) -> dict[str, float]:
    """The weights of markers by their names in the recording; all alike where tasks name none."""
    given = tasks.marker_weights or dict.fromkeys(markers.names, 1.0)
    meant = respelt(given, markers.names)
    weights = {meant.get(name, name): weight for name, weight in given.items()}
    return {name: w for name, w in weights.items() if not is_left_out(name, leave_out)}


def _within(markers: MarkerMotion, span: tuple[float, float] | None) -> MarkerMotion:
    if span is None:
        return markers
    times = markers.times_s
    kept = (times >= span[0] - 1e-6) & (times <= span[1] + 1e-6)
    if not kept.any():
        raise UserError(
            f"{markers.source}: holds {times[0]:g} to {times[-1]:g} s, nothing of the time range "
            f"{span[0]:g} to {span[1]:g} s"
        )
    return dataclasses.replace(markers, times_s=times[kept], positions_m=markers.positions_m[kept])


def _filtered(
    markers: MarkerMotion, filter_hz: float | Literal["auto"] | None
) -> tuple[MarkerMotion, Smoothed | None, tuple[str, ...]]:
    """The markers smoothed as told, how they were where they asked for it, and remarks."""
    if isinstance(filter_hz, str):
        smoothed = _smoothed(markers)
        return smoothed.markers if smoothed else markers, smoothed, _said_of(smoothed)
    if filter_hz is not None:
        return low_pass(markers, filter_hz), None, ()
    return markers, None, _said_of_noise(markers)


def _smoothed(markers: MarkerMotion) -> Smoothed | None:
    """The markers smoothed as they ask for; None where there are too few frames."""
    smoothed = smooth(markers)
    if not np.isfinite(smoothed.cutoff_hz).any():
        return None
    if (taken_m := smoothed.taken_m) > UNRELATED_M:
        raise UserError(
            f"{markers.source}: --filter auto would take {1000 * taken_m:.0f} mm off the markers: "
            "the frames do not seem to follow one another; leave it out"
        )
    return smoothed


def _said_of(smoothed: Smoothed | None) -> tuple[str, ...]:
    if smoothed is None:
        return (f"too few frames to smooth: {SHORTEST} without a gap are needed",)
    known = smoothed.cutoff_hz[np.isfinite(smoothed.cutoff_hz)]
    return (
        f"markers smoothed as they ask for (cut-off {known.min():.1f} to {known.max():.1f} Hz): "
        f"{1000 * smoothed.taken_m:.1f} mm an axis taken off; errors are of the smoothed ones",
    )


def _said_of_noise(markers: MarkerMotion) -> tuple[str, ...]:
    noise_m = jitter_m(markers)
    if noise_m < JITTER_M or len(markers.times_s) < SHORTEST:
        return ()
    if noise_m > UNRELATED_M:
        return (
            f"the markers move by {1000 * noise_m:.0f} mm from frame to frame without a course: "
            "the frames do not seem to follow one another",
        )
    return (
        f"the markers jitter by {1000 * noise_m:.1f} mm from frame to frame; --filter auto takes "
        "off what is noise",
    )


def _said_of_missing(
    markers: MarkerMotion, seen: Bools, weights: dict[str, float]
) -> tuple[str, ...]:
    """Remarks on markers of a weight that are ``seen`` (F, M) in no frame, or not at all."""
    remarks: tuple[str, ...] = ()
    empty = np.flatnonzero(~seen[:, [name in weights for name in markers.names]].any(axis=1))
    if len(empty):
        remarks += (
            f"{len(empty)} frames without a marker repeat their predecessor, "
            f"the first at {markers.times_s[empty[0]]:g} s",
        )
    at_zero = np.sum(~np.any(markers.positions_m, axis=2), axis=0)
    nought = [n for n, count in zip(markers.names, at_zero) if n in weights and count]
    if nought:
        remarks += (
            f"at 0 0 0, where some programs put a missing marker: {', '.join(nought[:8])} (up to "
            f"{at_zero.max()} frames); fitted as they stand: empty the fields, or give --leave-out",
        )
    ever: Bools = np.any(seen, axis=0)
    never = [n for n, once in zip(markers.names, ever) if n in weights and not once]
    if never:
        remarks += (f"missing in every frame: {', '.join(never[:8])}",)
    return remarks

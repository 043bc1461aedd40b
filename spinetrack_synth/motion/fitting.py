"""A recording fitted to a model: files in, coordinates and errors out."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik import CoordinateGoal, Solution, solve
from spinetrack_synth.anatomy.kinematics import (
    body_transforms_batch,
    constraint_errors,
    points_world,
)
from spinetrack_synth.anatomy.measure import KEYPOINT_MEASUREMENTS
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.anatomy.scale_setup import ScaleSetup
from spinetrack_synth.anatomy.tasks import Tasks
from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.c3d import read_c3d
from spinetrack_synth.motion.courses import courses
from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion, Residuals, odd_rate
from spinetrack_synth.motion.gaps import fill_gaps
from spinetrack_synth.motion.goals import coordinate_goals
from spinetrack_synth.motion.models import (
    Model,
    model_file,
    open_model,
    with_lab_markers,
    write_model,
)
from spinetrack_synth.motion.opensim_tool import ToolInput, pose, run_tool
from spinetrack_synth.motion.overlap import (
    as_in_model,
    check_left_out,
    check_names,
    check_units,
    is_left_out,
    respelt,
    without,
    without_nought,
)
from spinetrack_synth.motion.scaling import scaled_by_setup, scaled_to_landmarks, scaled_to_trial
from spinetrack_synth.motion.smoothing import SHORTEST, Smoothed, jitter_m, low_pass, smooth
from spinetrack_synth.motion.storage import write_coordinates
from spinetrack_synth.motion.subjects import RenderedPeople, read_rendered_people
from spinetrack_synth.motion.trc import read_trc

Array = NDArray[np.float64]
Engine = Literal["fast", "opensim"]

JITTER_M: Final = 1e-3
"""Noise from frame to frame that is worth a word."""

UNRELATED_M: Final = 0.03
"""The same where it is no noise of a tracker any more."""

SMOOTHED_PRIOR_SHARE: Final = 0.1
"""Where markers are smoothed as they ask for, coordinates that they leave a larger share of the
range are drawn to their defaults: the objective is our own there, elsewhere it is OpenSim's."""


NO_MOTIONS: Final = (".trc", ".c3d", ".bvh", ".csv", ".parquet", ".npz", ".osim", ".xml")
"""Endings of other files, among them those that are read: one of them may be overwritten."""


@dataclass(frozen=True)
class Request:
    """What is to be fitted. ``marker_sets`` are put on the model; ``scale_setup``, ``static`` and
    ``mass_kg`` make it a person's; ``leave_out`` names markers that do not count; ``filter_hz``
    smooths the markers over time, at a frequency or ``"auto"`` at one of the markers' own;
    ``prior_m`` see `anatomy.ik.solve`."""

    model: Path
    markers: Path
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
    scales = request.static is not None or request.scale_setup is not None
    by_opensim = request.engine == "opensim" and not scales  # what we cannot move we cannot scale
    model = open_model(request.model, request.marker_sets, by_opensim)
    people: RenderedPeople | None = None
    remarks: tuple[str, ...] = ()
    if request.markers.suffix.lower() == ".parquet":
        people = read_rendered_people(request.markers, model.tree)
        markers = people.markers
        check_left_out(request.leave_out, markers)
        if (
            request.static is not None
            or request.scale_setup is not None
            or request.engine == "opensim"
            or request.filter_hz is not None
        ):
            raise UserError(
                f"{request.markers}: rendered people bring their own sizes and are fitted one by "
                "one: leave out --scale, --scale-setup, --filter and --engine opensim"
            )
    else:
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
    seen: NDArray[np.bool_] = np.all(np.isfinite(markers.positions_m), axis=2)
    if not seen.any():
        raise UserError(f"{markers.source}: every marker is missing in every frame")
    smoothed = None
    if people is None:
        if isinstance(request.filter_hz, str):
            smoothed = _smoothed(markers)
            markers = smoothed.markers if smoothed else markers
            remarks += _said_of(smoothed)
        elif request.filter_hz is not None:
            markers = low_pass(markers, request.filter_hz)
        else:
            remarks += _said_of_noise(markers)
    dark = np.flatnonzero(~seen[:, [name in weights for name in markers.names]].any(axis=1))
    if len(dark):
        remarks += (
            f"{len(dark)} frames without a marker repeat their predecessor, "
            f"the first at {markers.times_s[dark[0]]:g} s",
        )
    at_zero = np.sum(~np.any(markers.positions_m, axis=2), axis=0)
    nought = [n for n, count in zip(markers.names, at_zero) if n in weights and count]
    if nought:
        remarks += (
            f"at 0 0 0, where some programs put a missing marker: {', '.join(nought[:8])} (up to "
            f"{at_zero.max()} frames); fitted as they stand: empty the fields, or give --leave-out",
        )
    ever: NDArray[np.bool_] = np.any(seen, axis=0)
    never = [n for n, once in zip(markers.names, ever) if n in weights and not once]
    if never:
        remarks += (f"missing in every frame: {', '.join(never[:8])}",)
    goals = coordinate_goals(tree, tasks, request.coordinates, markers.times_s)
    return Trial(request, model, tree, markers, weights, goals, remarks, people, smoothed)


def with_courses(trial: Trial, progress: Callable[[int, int], None] | None = None) -> Trial:
    """The trial with tasks for what its coordinates do over time, where markers were smoothed as
    they asked for (`courses`); otherwise the same. Fits the markers as recorded and as smoothed."""
    if trial.smoothed is None or trial.request.engine == "opensim":
        return trial
    show = progress or (lambda done, wanted: None)
    recorded = _fit_markers(
        trial, trial.smoothed.recorded, lambda done, wanted: show(done, 2 * wanted)
    )
    smoothed = _fit_markers(
        trial, trial.markers, lambda done, wanted: show(wanted + done, 2 * wanted)
    )
    taken = [goal.coordinate for goal in trial.goals]
    goals = courses(trial.tree, recorded, smoothed, trial.smoothed, taken)
    return dataclasses.replace(trial, goals=(*trial.goals, *goals))


def fit(trial: Trial, progress: Callable[[int, int], None] | None = None) -> Solution:
    """Solve a trial with the engine that was asked for, after `with_courses` where it applies."""
    if trial.people is not None:
        return _fit_people(trial, trial.people, progress)
    if trial.request.engine == "opensim":
        return _solve_by_opensim(trial)
    return _fit_markers(trial, trial.markers, progress)


def _fit_markers(
    trial: Trial, markers: MarkerMotion, progress: Callable[[int, int], None] | None
) -> Solution:
    prior_m, prior_share = trial.request.prior_m, 0.0
    if prior_m is None and trial.smoothed is not None:
        as_recorded = markers is trial.smoothed.recorded
        prior_m = _taken_m(trial.smoothed) if as_recorded else _left_m(trial.smoothed)
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
            for goal in trial.goals
        ),
    )
    theirs = _solve_by_opensim(part)
    return Check(theirs, chosen, theirs.coordinates - solution.coordinates[chosen], read_back_m)


def _placed_m(tree: Tree, body2world: Array) -> Array:
    """The model's markers (M, 3) in the world."""
    return points_world(body2world, tree.marker_body, tree.marker_offset_m)


def tool_input(trial: Trial, model: Path) -> ToolInput:
    """The trial as OpenSim's tool takes it."""
    if trial.people is not None:
        raise UserError("rendered people have a model each: --check needs a marker file")
    return ToolInput(
        model, trial.tree, trial.markers, trial.weights, trial.goals, trial.request.accuracy
    )


def _solve_by_opensim(trial: Trial) -> Solution:
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
    return dataclasses.replace(solution, objective=solution.frame_weighted_rms_m**2 + goals)


def check_out(out: Path) -> None:
    """Raises UserError where a motion and its errors cannot be meant to be written to ``out``."""
    if out.suffix.lower() in NO_MOTIONS:
        raise UserError(f"{out}: a motion is written: end its name in .mot")
    for path in (out, _errors_beside(out)) if out.name else (out,):
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "no plain file"
            raise UserError(f"{path}: is {kind}: give --out another name")


def _errors_beside(out: Path) -> Path:
    return out.with_name(f"{out.stem}_marker_errors.csv")


def write_results(trial: Trial, solution: Solution, out: Path) -> tuple[Path, ...]:
    """Write the motion, the marker errors beside it and, where the model was scaled, the model."""
    written = [out]
    times_s, model = trial.markers.times_s, f"markers of {trial.tree.name}"
    motion = CoordinateMotion(
        trial.tree.coordinates,
        times_s,
        solution.coordinates,
        trial.tree.rotational,
        residuals=Residuals.of_fit(solution.markers, solution.marker_error_m, times_s, model),
    )
    errors = _errors_beside(out)
    if trial.model.person is not None:
        scaled = out.with_name(f"{out.stem}_scaled.osim")
        try:
            write_model(trial.model, scaled)
            written.append(scaled)
        except ModuleNotFoundError:
            pass  # the motion is worth having; the command says that the model is missing
    write_atomic(errors, _error_table(trial, solution))
    write_coordinates(out, motion, trial.tree)
    return (*written, errors)


def write_person(model: Model, out: Path, motion: Path | None) -> tuple[Path, ...]:
    """Write the model that became a person's and, with ``motion``, its static pose."""
    written = []
    try:
        write_model(model, out)
        written.append(out)
    except ModuleNotFoundError:
        pass  # the command says that the model is missing
    if motion is not None and model.person is not None and model.person.pose is not None:
        write_coordinates(motion, model.person.pose, model.tree)
        written.append(motion)
    return tuple(written)


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


def _smoothed(markers: MarkerMotion) -> Smoothed | None:
    """The markers smoothed as they ask for; None where there are too few frames."""
    smoothed = smooth(markers)
    if not np.isfinite(smoothed.cutoff_hz).any():
        return None
    if (taken_m := _taken_m(smoothed)) > UNRELATED_M:
        raise UserError(
            f"{markers.source}: --filter auto would take {1000 * taken_m:.0f} mm off the markers: "
            "the frames do not seem to follow one another; leave it out"
        )
    return smoothed


def _taken_m(smoothed: Smoothed) -> float:
    taken = smoothed.markers.positions_m - smoothed.recorded.positions_m
    return float(np.sqrt(np.nanmean(taken**2)))


def _left_m(smoothed: Smoothed) -> float:
    """Error of the smoothed markers on one axis."""
    return float(np.sqrt(np.nanmean(smoothed.left_m**2)))


def _said_of(smoothed: Smoothed | None) -> tuple[str, ...]:
    if smoothed is None:
        return (f"too few frames to smooth: {SHORTEST} without a gap are needed",)
    known = smoothed.cutoff_hz[np.isfinite(smoothed.cutoff_hz)]
    return (
        f"markers smoothed as they ask for (cut-off {known.min():.1f} to {known.max():.1f} Hz): "
        f"{1000 * _taken_m(smoothed):.1f} mm an axis taken off; errors are of the smoothed ones",
    )


def _fit_people(
    trial: Trial, people: RenderedPeople, progress: Callable[[int, int], None] | None
) -> Solution:
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
        if progress:
            progress(sum(map(len, order)), frames)
    back = np.argsort(np.concatenate(order))
    return Solution(
        coordinates=np.concatenate([part.coordinates for part in parts])[back],
        markers=parts[0].markers,
        weights=parts[0].weights,
        marker_error_m=np.concatenate([part.marker_error_m for part in parts])[back],
        objective=np.concatenate([part.objective for part in parts])[back],
        steps=np.concatenate([part.steps for part in parts])[back],
    )


def _error_table(trial: Trial, solution: Solution) -> Iterator[bytes]:
    """CSV: a row a frame with RMS, largest error and its marker, then every marker's error, mm."""
    people = trial.people
    first = ("annotation_id", "subject") if people else ("time_s",)
    yield (",".join((*first, "rms_mm", "max_mm", "worst", *solution.markers)) + "\n").encode()
    rms_mm = 1000 * solution.frame_rms_m
    for frame, error_m in enumerate(solution.marker_error_m):
        row = 1000 * error_m
        seen = np.isfinite(row)
        worst = int(np.nanargmax(row)) if seen.any() else -1
        where = (
            (str(people.annotation_id[frame]), people.subject[frame])
            if people
            else (f"{trial.markers.times_s[frame]:.9g}",)
        )
        said = (
            (f"{rms_mm[frame]:.4f}", f"{row[worst]:.4f}", solution.markers[worst])
            if worst >= 0
            else ("", "", "")
        )
        cells = ("" if x != x else f"{x:.4f}" for x in row.tolist())
        yield (",".join((*where, *said, *cells)) + "\n").encode()

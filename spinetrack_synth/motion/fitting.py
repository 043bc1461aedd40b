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
from spinetrack_synth.anatomy.kinematics import body_transforms_batch, points_world
from spinetrack_synth.anatomy.measure import measured_factors, scale_to_person
from spinetrack_synth.anatomy.model import Tree, load_model
from spinetrack_synth.anatomy.tasks import Tasks
from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.courses import courses
from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion
from spinetrack_synth.motion.opensim_tool import (
    ToolInput,
    pose,
    run_tool,
    stiff_tree,
    write_scaled_model,
)
from spinetrack_synth.motion.overlap import check_names, check_units
from spinetrack_synth.motion.smoothing import SHORTEST, Smoothed, jitter_m, low_pass, smooth
from spinetrack_synth.motion.storage import read_coordinates, write_coordinates
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


@dataclass(frozen=True)
class Request:
    """What is to be fitted. ``static`` and ``mass_kg`` scale the model first; ``filter_hz``
    smooths the markers over time, at a frequency or ``"auto"`` at one of the markers' own;
    ``prior_m`` see `anatomy.ik.solve`."""

    model: Path
    markers: Path
    tasks: Tasks | None = None
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
    tree: Tree
    markers: MarkerMotion
    weights: dict[str, float]
    goals: tuple[CoordinateGoal, ...]
    remarks: tuple[str, ...]
    factors: Array | None
    people: RenderedPeople | None
    smoothed: Smoothed | None = None


def prepare(request: Request) -> Trial:
    """Read and check everything. Raises UserError with one line for whatever is wrong."""
    tree = _read_model(request)
    people = None
    if request.markers.suffix.lower() == ".parquet":
        people = read_rendered_people(request.markers, tree)
        markers = people.markers
        if (
            request.static is not None
            or request.engine == "opensim"
            or request.filter_hz is not None
        ):
            raise UserError(
                f"{request.markers}: rendered people bring their own sizes and are fitted one by "
                "one: leave out --scale, --filter and --engine opensim"
            )
    else:
        markers = _within(_read_markers(request.markers), request.time_range_s)
    tasks = request.tasks or Tasks({})
    wanted = tasks.marker_weights or dict.fromkeys(markers.names, 1.0)
    remarks = check_names(tree, markers, [name for name, weight in wanted.items() if weight > 0])
    weights = {name: wanted.get(name, 0.0) for name in markers.names if name in tree.marker_index}
    if not any(weights.values()):
        raise UserError(f"{markers.source}: the tasks give none of its markers a weight")
    check_units(tree, markers)
    factors = None
    if request.static is not None:
        static = _read_markers(request.static)
        check_units(tree, static)
        factors = measured_factors(tree, static.names, static.positions_m)
        tree = scale_to_person(tree, factors, request.mass_kg)
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
            f"{at_zero.max()} frames); fitted as they stand: empty the fields, or leave them out "
            "of the tasks",
        )
    ever: NDArray[np.bool_] = np.any(seen, axis=0)
    never = [n for n, once in zip(markers.names, ever) if n in weights and not once]
    if never:
        remarks += (f"missing in every frame: {', '.join(never[:8])}",)
    goals = _goals(tree, tasks, request.coordinates, markers.times_s)
    return Trial(request, tree, markers, weights, goals, remarks, factors, people, smoothed)


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
    return solve(
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
    posed = pose(trial.request.model, written, chosen.tolist())
    tree = trial.tree
    at = [posed.body_names.index(name) for name in tree.bodies]
    ours = body_transforms_batch(tree, solution.coordinates[chosen])
    read_back_m = max(
        float(np.linalg.norm(_placed_m(tree, here) - _placed_m(tree, there[at]), axis=1).max())
        for here, there in zip(ours, posed.body2world)
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
    if trial.factors is not None:
        raise UserError(
            "OpenSim needs the scaled model as a file: scale with --scale first, then give the "
            "scaled .osim that is written beside --out as --model"
        )
    return ToolInput(
        model, trial.tree, trial.markers, trial.weights, trial.goals, trial.request.accuracy
    )


def _solve_by_opensim(trial: Trial) -> Solution:
    """OpenSim's solution, and the errors where OpenSim itself puts the markers."""
    model = trial.request.model
    motion = run_tool(tool_input(trial, model))
    with tempfile.TemporaryDirectory() as folder:
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


def write_results(trial: Trial, solution: Solution, out: Path) -> tuple[Path, ...]:
    """Write the motion, the marker errors beside it and, where the model was scaled, the model."""
    written = [out]
    motion = CoordinateMotion(
        trial.tree.coordinates, trial.markers.times_s, solution.coordinates, trial.tree.rotational
    )
    errors = out.with_name(f"{out.stem}_marker_errors.csv")
    if trial.factors is not None:
        scaled = out.with_name(f"{out.stem}_scaled.osim")
        try:
            write_scaled_model(
                trial.request.model, trial.tree, trial.factors, trial.request.mass_kg, scaled
            )
            written.append(scaled)
        except ModuleNotFoundError:
            pass  # the motion is worth having; the command says that the model is missing
    write_atomic(errors, _error_table(trial, solution))
    write_coordinates(out, motion, trial.tree)
    return (*written, errors)


def _read_model(request: Request) -> Tree:
    """The model; stiff where only OpenSim can move it and is to."""
    try:
        return load_model(request.model)
    except UserError as error:
        if request.engine == "fast" and "not supported" not in str(error):
            raise  # a file that is no model: OpenSim may crash on it
        try:
            tree = stiff_tree(request.model)
        except (UserError, ModuleNotFoundError):
            raise error from None
        if request.engine == "opensim":
            return tree
        raise UserError(f"{error}; OpenSim's own tool solves it: --engine opensim") from None


def _read_markers(path: Path) -> MarkerMotion:
    if path.suffix.lower() != ".trc":
        raise UserError(f"{path}: give markers as .trc, or a dataset's ground truth as .parquet")
    return read_trc(path)


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


def _goals(
    tree: Tree, tasks: Tasks, file: Path | None, times_s: Array
) -> tuple[CoordinateGoal, ...]:
    """The coordinate tasks with their values; those of coordinates that cannot move are dropped."""
    goals = []
    motion = None
    for task in tasks.coordinates:
        if task.weight == 0:
            continue
        if task.name in tree.coordinate_index:
            i = tree.coordinate_index[task.name]
            if not np.any(tree.coupling[i]) and all(c.driven != i for c in tree.curves):
                continue  # held
        value: float | Array = task.value
        if task.kind == "default_value" and task.name in tree.coordinate_index:
            value = float(tree.default_coordinates[tree.coordinate_index[task.name]])
        elif task.kind == "from_file":
            if file is None:
                raise UserError(f"task {task.name}: takes its value from a file, but none is given")
            motion = motion or read_coordinates(file, tree)
            if task.name not in motion.names:
                raise UserError(f"{file}: has no column {task.name}, which a task asks for")
            value = np.interp(
                times_s, motion.times_s, motion.values[:, motion.names.index(task.name)]
            )
        goals.append(CoordinateGoal(task.name, task.weight, value))
    return tuple(goals)


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

"""Inverse kinematics of published models and trials: ours and OpenSim's, judged by OpenSim.

    python benchmarks/published.py FOLDER [--only NAME ...] [--frames 150] [--engine-cache DIR]
    python benchmarks/published.py --models FOLDER [--poses 5]

Every folder in FOLDER that holds a ``trial.json`` is a trial. Paths in it are relative to it:

    {"model": "subject.osim", "markers": "walk.trc", "tasks": "tasks.xml"}
    {"setup": "setup_ik.xml", "published": "walk_ik.mot", "label": "synthetic trial"}

``setup`` is OpenSim's set-up file; ``model``, ``markers``, ``tasks`` and ``coordinates`` go before
what it names. ``time_range_s`` narrows the trial, ``published`` is a motion to compare with,
``label`` goes into the table. No more than ``--frames`` frames from the middle are solved, or as
many as the trial's ``frames`` says.

Both get one set-up file: the whole command ``ik --setup`` in a process of its own, and OpenSim's
InverseKinematicsTool in another. What they write is read by OpenSim as its own tools read it, and
everything in the table is computed by OpenSim's model; our kinematics have no say.
``--engine-cache`` keeps OpenSim's solutions from run to run.

``--models`` loads every .osim file below a folder and holds our body frames against OpenSim's in
random poses; each model in a process of its own, since OpenSim crashes on some.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WORSE_SHARE = 1e-3
WORSE_M2 = 1e-9
"""A frame counts as worse where its objective is above OpenSim's by both."""

LEAP_SHARE = 0.1
"""A coordinate leaps where it changes and the body that it moves turns by less than this of it."""

TOOL_LIMIT_S = 900

OURS = """
import json, sys, time
from spinetrack_synth.cli import main
from spinetrack_synth.motion import fitting

def timed(*given, fit=fitting.fit):
    begin = time.process_time()
    solution = fit(*given)
    seconds["solver_s"] = time.process_time() - begin
    return solution

fitting.fit, seconds = timed, {}
sys.argv = ["spinetrack-synth", "ik", "--setup", sys.argv[1], "--out", sys.argv[2]]
try:
    main()
finally:
    seconds["process_s"] = time.process_time()
    with open(sys.argv[-1] + ".json", "w") as file:
        json.dump(seconds, file)
"""

THEIRS = """
import json, sys, time
import opensim

opensim.Logger.setLevelString("Error")
opensim.Logger.removeFileSink()
opensim.Model(opensim.InverseKinematicsTool(sys.argv[1], False).get_model_file())  # or it crashes
tool = opensim.InverseKinematicsTool(sys.argv[1])
tool.set_output_motion_file(sys.argv[2])
begin = time.process_time()
tool.run()
seconds = {"solver_s": time.process_time() - begin, "process_s": time.process_time()}
with open(sys.argv[2] + ".json", "w") as file:
    json.dump(seconds, file)
"""


class Failed(Exception):
    """A trial that cannot be judged; says why in one line."""


@dataclass(frozen=True)
class Motion:
    """Coordinates as OpenSim reads them: ``values`` (F, n) in rad and m."""

    names: tuple[str, ...]
    times_s: Array
    values: Array


@dataclass(frozen=True)
class Verdict:
    """What OpenSim's model says of a motion, by frame.

    ``objective`` (F,) m^2; ``marker_rms_m`` (F,) weighted; ``violation`` (F,) of constraints, rad
    and m; ``beyond`` (F,) what clamped coordinates lie outside their ranges, rad or m;
    ``errors_m`` (F, M) distances of markers, ``assembled_m`` the same after OpenSim has assembled
    the pose; ``turns`` (F, n) by what angle in rad the child of each coordinate's joint has turned
    against the parent since the frame before.
    """

    motion: Motion
    objective: Array
    marker_rms_m: Array
    violation: Array
    beyond: Array
    errors_m: Array
    assembled_m: Array
    turns: Array


@dataclass
class Row:
    """A line of the table; ``failure`` instead of figures where there is none."""

    name: str
    frames: int = 0
    free: int = 0
    failure: str = ""
    cells: dict[str, str] = field(default_factory=dict)


class Judge:
    """OpenSim's own model, markers and tasks of a set-up."""

    def __init__(self, setup: Path) -> None:
        import opensim

        self.opensim = opensim
        self.tool = opensim.InverseKinematicsTool(str(setup), False)
        self.model = opensim.Model(self.tool.get_model_file())
        self.state = self.model.initSystem()
        self.matter = self.model.getMatterSubsystem()
        self.engine = self.model.getSimbodyEngine()
        coordinates = self.model.getCoordinateSet()
        self.coordinates = [coordinates.get(i) for i in range(coordinates.getSize())]
        self.names = tuple(c.getName() for c in self.coordinates)
        self.free = [not c.isConstrained(self.state) for c in self.coordinates]
        self.turns = np.array(
            [c.getMotionType() != opensim.Coordinate.Translational for c in self.coordinates]
        )
        self._read_markers()
        self._read_goals()

    def _read_markers(self) -> None:
        """Markers as OpenSim's tool tracks them: those of its tasks; all where there are none."""
        opensim = self.opensim
        tasks = self.tool.getIKTaskSet()
        weights = opensim.SetMarkerWeights()
        self.goal_tasks = []
        for i in range(tasks.getSize()):
            task = tasks.get(i)
            if not task.getApply():
                continue
            if task.getConcreteClassName() == "IKMarkerTask":
                weight = opensim.MarkerWeight(task.getName(), task.getWeight())
                weights.cloneAndAppend(weight)
            else:
                self.goal_tasks.append(opensim.IKCoordinateTask.safeDownCast(task))
        reference = opensim.MarkersReference()
        units = opensim.Units(opensim.Units.Meters)
        reference.initializeFromMarkersFile(self.tool.get_marker_file(), weights, units)
        table = reference.getMarkerTable()
        labels = list(table.getColumnLabels())
        weight_of = dict.fromkeys(labels, reference.get_default_weight())
        if weights.getSize():
            found = [weights.get(i) for i in range(weights.getSize())]
            weight_of = {weight.getName(): weight.getWeight() for weight in found}
        ours = self.model.getMarkerSet()
        kept = [n for n in labels if ours.contains(n) and weight_of.get(n, 0.0) > 0]
        self.markers = [ours.get(name) for name in kept]
        self.marker_names = tuple(kept)
        self.weights = np.array([weight_of[name] for name in kept])
        self.times_s = np.array(table.getIndependentColumn())
        columns = [labels.index(name) for name in kept]
        self.measured_m = np.empty((len(self.times_s), len(kept), 3))
        for frame in range(len(self.times_s)):
            row = table.getRowAtIndex(frame)
            for at, column in enumerate(columns):
                point = row.getElt(0, column)
                self.measured_m[frame, at] = point[0], point[1], point[2]

    def _read_goals(self) -> None:
        """Coordinate tasks as functions of time."""
        opensim = self.opensim
        self.goals: list[tuple[int, float, Any]] = []
        splines: Any = None
        storage: Any = None
        for task in self.goal_tasks:
            if task.getName() not in self.names or task.getWeight() == 0:
                continue
            at = self.names.index(task.getName())
            kind = task.getValueType()
            if kind == opensim.IKCoordinateTask.FromFile:
                if splines is None:
                    storage = opensim.Storage(self.tool.get_coordinate_file())
                    self.engine.convertDegreesToRadians(storage)
                    splines = opensim.GCVSplineSet(5, storage)
                value = splines.get(task.getName())
            elif kind == opensim.IKCoordinateTask.DefaultValue:
                value = opensim.Constant(self.coordinates[at].getDefaultValue())
            else:
                value = opensim.Constant(task.getValue())
            self.goals.append((at, task.getWeight(), value))

    def read(self, path: Path) -> Motion:
        """A motion file read as OpenSim's tools do: degrees where it says so, but not coupled
        coordinates; columns that are no coordinates are left out."""
        opensim = self.opensim
        storage = opensim.Storage(str(path))
        if storage.isInDegrees():
            self.engine.convertDegreesToRadians(storage)
        labels = storage.getColumnLabels()
        columns = {}
        for i in range(1, labels.getSize()):
            steps = labels.get(i).split("/")
            name = steps[-2] if steps[-1] == "value" and len(steps) > 1 else steps[-1]
            if name in self.names:
                columns[name] = i - 1
        rows = [storage.getStateVector(i) for i in range(storage.getSize())]
        times_s = np.array([row.getTime() for row in rows])
        values = np.array([[row.getData().get(i) for i in columns.values()] for row in rows])
        return Motion(tuple(columns), times_s, values)

    def judge(self, motion: Motion) -> Verdict:
        """Set every frame on the model, look at it, let OpenSim assemble it, look again."""
        at = [self.names.index(name) for name in motion.names]
        nearest = np.abs(self.times_s[:, None] - motion.times_s).argmin(axis=0)
        found: dict[str, list[Any]] = {}
        before: list[Array] | None = None
        for q, time_s, frame in zip(motion.values, motion.times_s, nearest):
            self.state.setTime(float(time_s))
            for i, value in zip(at, q.tolist()):
                self.coordinates[i].setValue(self.state, value, False)
            self.model.realizePosition(self.state)
            measured_m = self.measured_m[frame]
            seen = np.isfinite(measured_m).all(axis=1)
            error_m = np.linalg.norm(self._markers_m() - measured_m, axis=1)
            weights = self.weights[seen]
            squared = float(weights @ error_m[seen] ** 2 / weights.sum()) if seen.any() else 0.0
            now = [self.coordinates[i].getValue(self.state) for i in range(len(self.names))]
            joints = self._joints()
            turned = [_angle(a.T @ b) for a, b in zip(before or joints, joints)]
            before = joints
            errors = self.state.getQErr()
            violation = max((abs(errors.get(i)) for i in range(errors.size())), default=0.0)
            goals = sum(
                weight * (now[i] - value.calcValue(self.opensim.Vector(1, float(time_s)))) ** 2
                for i, weight, value in self.goals
            )
            self.model.assemble(self.state)
            self.model.realizePosition(self.state)
            assembled_m = np.linalg.norm(self._markers_m() - measured_m, axis=1)
            for name, value in (
                ("objective", squared + goals),
                ("marker_rms_m", squared**0.5),
                ("violation", violation),
                ("beyond", self._beyond(now)),
                ("errors_m", error_m),
                ("assembled_m", assembled_m),
                ("turns", turned),
            ):
                found.setdefault(name, []).append(value)
        return Verdict(motion, **{name: np.array(values) for name, values in found.items()})

    def _markers_m(self) -> Array:
        places = [marker.getLocationInGround(self.state) for marker in self.markers]
        return np.array([[p[0], p[1], p[2]] for p in places])

    def _joints(self) -> list[Array]:
        """The child of every coordinate's joint in its parent, as rotation matrices."""
        matrices = []
        for coordinate in self.coordinates:
            joint = coordinate.getJoint()
            child, parent = joint.getChildFrame(), joint.getParentFrame()
            transform = child.findTransformBetween(self.state, parent)  # R() is a view of it
            matrices.append(_matrix(transform.R()))
        return matrices

    def _beyond(self, q: list[float]) -> float:
        outside = [0.0]
        for value, coordinate, free in zip(q, self.coordinates, self.free):
            if free and coordinate.getClamped(self.state):
                outside += coordinate.getRangeMin() - value, value - coordinate.getRangeMax()
        return max(outside)


def _matrix(rotation: Any) -> Array:
    return np.array([[rotation.get(i, j) for j in range(3)] for i in range(3)])


def _angle(rotation: Array) -> float:
    """Angle of a rotation matrix in rad, exact also where it is small."""
    sine = np.linalg.norm(rotation - rotation.T) / 8**0.5
    return float(np.arctan2(sine, (np.trace(rotation) - 1) / 2))


# --- running both ---


def write_setup(trial: dict[str, Any], folder: Path, frames: int, out: Path) -> None:
    """The set-up file that both get: the trial's own, byte for byte but for full paths and a time
    range of ``frames`` frames; made up where the trial has none."""
    import opensim

    if "setup" in trial:
        file = folder / trial["setup"]
        text = file.read_bytes().decode("latin-1")
    else:
        file = folder / "setup.xml"
        tasks = folder / trial["tasks"] if "tasks" in trial else None
        text = BLANK_SETUP.format(tasks=_task_set(tasks))
    files = {}
    for tag, key in (
        ("model_file", "model"),
        ("marker_file", "markers"),
        ("coordinate_file", "coordinates"),
    ):
        named = _named(text, tag)
        files[key] = folder / trial[key] if key in trial else named and file.parent / named
        text = _with(text, tag, str(files[key].resolve()) if files[key] else "")
    for key in ("model", "markers"):
        if not files[key] or not files[key].exists():
            raise Failed(f"no {key}: {files[key]}")
    table = opensim.TimeSeriesTableVec3(str(files["markers"]))
    times_s = np.array(table.getIndependentColumn())
    given = _named(text, "time_range").split() or ["-inf", "inf"]
    first_s, last_s = trial.get("time_range_s") or [float(x) for x in given]
    inside = times_s[(times_s >= first_s - 1e-6) & (times_s <= last_s + 1e-6)]
    if not len(inside):
        raise Failed(f"no frame from {first_s:g} to {last_s:g} s")
    skipped = max(0, len(inside) - frames) // 2
    inside = inside[skipped : skipped + frames]
    text = _with(text, "time_range", f"{float(inside[0])!r} {float(inside[-1])!r}")
    text = _with(text, "report_errors", "false")
    beside = re.escape('<IKTaskSet file="')
    text = re.sub(f'({beside})([^"]+)', lambda m: f"{m[1]}{(file.parent / m[2]).resolve()}", text)
    out.write_bytes(text.encode("latin-1"))


BLANK_SETUP = """<?xml version="1.0" encoding="UTF-8"?>
<OpenSimDocument Version="40000">
<InverseKinematicsTool name="ik">
{tasks}
</InverseKinematicsTool>
</OpenSimDocument>
"""


def _task_set(file: Path | None) -> str:
    text = file.read_bytes().decode("latin-1") if file else ""
    found = re.search(r"<IKTaskSet\b.*</IKTaskSet>", text, re.DOTALL)
    return found.group() if found else ""


def _named(text: str, tag: str) -> str:
    """What a tag of a set-up holds."""
    found = re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    value = found.group(1).strip() if found else ""
    return "" if value == "Unassigned" else value


def _with(text: str, tag: str, value: str) -> str:
    """A set-up whose tag holds a value."""
    whole = f"<{tag}>{value}</{tag}>"
    pattern = re.compile(f"<{tag}>.*?</{tag}>|<{tag} */>", re.DOTALL)
    if pattern.search(text):
        return pattern.sub(lambda _: whole, text, count=1)
    opening = r"<(?:InverseKinem\w+|IK)Tool\b[^>]*>"
    return re.sub(opening, lambda found: f"{found[0]}\n{whole}", text, count=1)


def run(program: str, setup: Path, motion: Path) -> dict[str, float]:
    """Run one of the two programs; its CPU seconds. Raises Failed with the last thing it said."""
    motion.unlink(missing_ok=True)
    command = [sys.executable, "-c", program, str(setup), str(motion)]
    with motion.with_suffix(".log").open("w+") as log:
        try:
            code = subprocess.run(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=TOOL_LIMIT_S,
                cwd=setup.parent,
            ).returncode
        except subprocess.TimeoutExpired:
            raise Failed(f"not finished after {TOOL_LIMIT_S} s") from None
        log.seek(0)
        said = [line.strip() for line in log.read().splitlines() if line.strip()]
    if code != 0 or not motion.exists():
        raise Failed(said[-1] if said and code > 0 else f"crashed (exit code {code})")
    return json.loads(motion.with_name(motion.name + ".json").read_text())


def run_theirs(setup: Path, motion: Path, cache: Path | None) -> dict[str, float]:
    """OpenSim's solution, from the cache where it holds one of the same model, markers, tasks."""
    if cache is None:
        return run(THEIRS, setup, motion)
    digest = hashlib.sha256()
    text = setup.read_text()
    for tag in ("model_file", "marker_file", "coordinate_file"):
        name = re.search(f"<{tag}>(.*?)</{tag}>", text).group(1)  # type: ignore[union-attr]
        digest.update(Path(name).read_bytes() if name else b"")
        text = text.replace(name, "") if name else text
    text = re.sub(r"<output_motion_file>.*?</output_motion_file>", "", text)
    digest.update(text.encode())
    kept = cache / f"{digest.hexdigest()[:16]}.mot"
    kept_s = kept.with_suffix(".json")
    if not kept_s.exists():
        cache.mkdir(parents=True, exist_ok=True)
        try:
            seconds: dict[str, Any] = run(THEIRS, setup, motion)
            shutil.copy(motion, kept)
        except Failed as failure:
            seconds = {"failed": str(failure)}
        kept_s.write_text(json.dumps(seconds))
    seconds = json.loads(kept_s.read_text())
    if "failed" in seconds:
        raise Failed(seconds["failed"])
    shutil.copy(kept, motion)
    return seconds


# --- judging ---


def leap(judge: Judge, verdict: Verdict, least: float) -> tuple[float, str]:
    """Largest change in degrees of an angle between neighbouring frames that its body does not
    share by at least ``least`` of it, and where; frames are counted from 1."""
    motion = verdict.motion
    at = [judge.names.index(name) for name in motion.names]
    change = np.abs(np.diff(motion.values, axis=0)) * judge.turns[at]
    change = np.where(verdict.turns[1:, at] < least * change, np.degrees(change), 0.0)
    if not change.size or not change.any():
        return 0.0, ""
    frame, column = np.unravel_index(change.argmax(), change.shape)
    return float(change.max()), f"{motion.names[column]} @{frame + 2}"


def apart(judge: Judge, ours: Motion, other: Motion) -> str:
    """The largest difference of an angle in degrees, and where."""
    inside = (ours.times_s >= other.times_s[0] - 1e-6) & (ours.times_s <= other.times_s[-1] + 1e-6)
    names = [
        name
        for name in ours.names
        if name in other.names
        and judge.turns[judge.names.index(name)]
        and judge.free[judge.names.index(name)]
    ]
    if not names or not inside.any():
        return "nothing in common"
    a = ours.values[inside][:, [ours.names.index(name) for name in names]]
    columns = (other.values[:, other.names.index(name)] for name in names)
    b = np.column_stack([np.interp(ours.times_s[inside], other.times_s, c) for c in columns])
    difference = np.degrees(np.abs(a - b))
    frame, column = np.unravel_index(difference.argmax(), difference.shape)
    where = int(np.flatnonzero(inside)[frame]) + 1
    return f"{difference.max():.2f} {names[column]} @{where}"


def read_back_mm(judge: Judge, verdict: Verdict, table: Path) -> tuple[float, str]:
    """How far OpenSim, having read the motion, finds markers from where the command said."""
    lines = [line.split(",") for line in table.read_text().splitlines()]
    head = lines[0]
    told = np.array(
        [
            [float(cells[head.index(name)] or "nan") if name in head else np.nan for name in names]
            for cells in lines[1:]
            for names in [judge.marker_names]
        ]
    )
    difference = np.nan_to_num(np.abs(1000 * verdict.errors_m - told))
    frame, marker = np.unravel_index(difference.argmax(), difference.shape)
    return float(difference.max()), f"{judge.marker_names[marker]} @{frame + 1}"


def judged(trial_file: Path, arguments: argparse.Namespace) -> Row:
    """One trial, from files to its row."""
    trial = json.loads(trial_file.read_text())
    folder = trial_file.parent
    row = Row(folder.name + (f" ({trial['label']})" if "label" in trial else ""))
    work = (arguments.work / folder.name).resolve()
    work.mkdir(parents=True, exist_ok=True)
    setup, ours_file, theirs_file = work / "setup.xml", work / "ours.mot", work / "opensim.mot"
    try:
        write_setup(trial, folder, trial.get("frames", arguments.frames), setup)
        judge = Judge(setup)
    except (Failed, RuntimeError) as failure:
        row.failure = f"not a trial to OpenSim: {_line(failure)}"
        return row
    row.free = sum(judge.free)
    theirs = None
    try:
        theirs_s = run_theirs(setup, theirs_file, arguments.engine_cache)
        theirs = judge.judge(judge.read(theirs_file))
    except (Failed, RuntimeError) as failure:
        row.cells["OpenSim"] = f"OpenSim: {_line(failure)}"
        theirs_s = {"solver_s": np.nan, "process_s": np.nan}
    try:
        ours_s = run(OURS, setup, ours_file)
        ours = judge.judge(judge.read(ours_file))
    except (Failed, RuntimeError) as failure:
        row.failure = _line(failure)
        return row
    row.frames = len(ours.motion.times_s)
    row.cells |= figures(judge, ours, theirs, work)
    row.cells["solver s"] = f"{ours_s['solver_s']:.2f} / {theirs_s['solver_s']:.1f}"
    row.cells["process s"] = f"{ours_s['process_s']:.1f} / {theirs_s['process_s']:.1f}"
    if "published" in trial:
        row.cells["to published, deg"] = apart(
            judge, ours.motion, judge.read(folder / trial["published"])
        )
    return row


def figures(judge: Judge, ours: Verdict, theirs: Verdict | None, work: Path) -> dict[str, str]:
    """The cells of a row."""

    def both(ours_text: str, theirs_text: str) -> str:
        return f"{ours_text} / {theirs_text}" if theirs else f"{ours_text} / -"

    def rms_mm(verdict: Verdict) -> float:
        return 1000 * float(np.sqrt((verdict.marker_rms_m**2).mean()))

    leaps = [leap(judge, verdict, LEAP_SHARE) for verdict in (ours, theirs) if verdict]
    jumps = [leap(judge, verdict, 1e9) for verdict in (ours, theirs) if verdict]
    told_mm, where = read_back_mm(judge, ours, work / "ours_marker_errors.csv")
    assembled_mm = [
        1000 * float(np.nanmax(np.abs(verdict.assembled_m - verdict.errors_m)))
        for verdict in (ours, theirs)
        if verdict
    ]
    cells = {
        "RMS, mm": both(f"{rms_mm(ours):.4f}", f"{rms_mm(theirs):.4f}" if theirs else ""),
        "leap, deg": " / ".join(f"{deg:.1f} {at}".strip() for deg, at in leaps),
        "largest step, deg": " / ".join(f"{deg:.1f} {at}".strip() for deg, at in jumps),
        "read back, mm": f"{told_mm:.4f}" + (f" {where}" if told_mm > 1e-3 else ""),
        "assembled, mm": " / ".join(f"{mm:.4f}" for mm in assembled_mm),
        "constraints": both(
            f"{ours.violation.max():.1e}", f"{theirs.violation.max():.1e}" if theirs else ""
        ),
        "beyond range": both(
            f"{ours.beyond.max():.1e}", f"{theirs.beyond.max():.1e}" if theirs else ""
        ),
    }
    if theirs is None:
        return cells
    if len(theirs.objective) != len(ours.objective):
        cells["worse"] = f"{len(ours.objective)} frames, OpenSim {len(theirs.objective)}"
        return cells
    excess = ours.objective - theirs.objective
    worse = (excess > WORSE_SHARE * theirs.objective) & (excess > WORSE_M2)
    ratio = np.where(excess > WORSE_M2, ours.objective / np.maximum(theirs.objective, 1e-300), 1.0)
    at = int(ratio.argmax())
    cells["worse"] = f"{worse.sum()} (x{ratio[at]:.5g} @{at + 1})" if worse.any() else "0"
    cells["to OpenSim, deg"] = apart(judge, ours.motion, theirs.motion)
    return cells


def _line(failure: Exception) -> str:
    text = " ".join(str(failure).split())
    return text if len(text) < 240 else text[:237] + "..."


COLUMNS = (
    "RMS, mm", "worse", "leap, deg", "largest step, deg", "read back, mm", "assembled, mm",
    "constraints",
    "beyond range", "to OpenSim, deg", "to published, deg", "solver s", "process s",
)  # fmt: skip


def markdown(row: Row) -> str:
    """A row of the table."""
    if row.failure:
        return f"| {row.name} | | {row.free} | {row.failure} |" + " |" * (len(COLUMNS) - 1)
    name = f"{row.name}; {row.cells['OpenSim']}" if "OpenSim" in row.cells else row.name
    cells = [row.cells.get(column, "") for column in COLUMNS]
    return f"| {name} | {row.frames} | {row.free} | " + " | ".join(cells) + " |"


# --- models alone ---


def compare_model(path: Path, poses: int) -> str:
    """The largest difference of a body frame to OpenSim's, or why there is none."""
    import opensim

    from spinetrack_synth.anatomy.kinematics import body_transforms
    from spinetrack_synth.anatomy.model import load_model
    from spinetrack_synth.errors import UserError

    opensim.Logger.setLevelString("Off")
    opensim.Logger.removeFileSink()
    try:
        model = opensim.Model(str(path))
        state = model.initSystem()
    except RuntimeError as error:
        return f"OpenSim refuses: {' '.join(str(error).split())[:150]}"
    try:
        tree = load_model(path)
    except UserError as error:
        return f"refused: {str(error).replace(str(path), path.name)}"
    if len(set(tree.coordinates)) < len(tree.coordinates):
        return "not compared: several coordinates of one name"
    coordinates = [model.getCoordinateSet().get(name) for name in tree.coordinates]
    known = [i for i, name in enumerate(tree.bodies) if model.getBodySet().contains(name)]
    bodies = [model.getBodySet().get(tree.bodies[i]) for i in known]
    generator = np.random.default_rng(0)
    lower, upper = np.clip(tree.lower, -3, 3), np.clip(tree.upper, -3, 3)
    largest, where, compared = 0.0, "", 0
    for _ in range(poses):
        drawn = generator.uniform(lower, upper)
        for share in (1.0, 0.3, 0.1, 0.0):  # constraints cannot be met everywhere
            start = tree.default_coordinates + share * (drawn - tree.default_coordinates)
            if _assembled(model, state, coordinates, start):
                break
        else:
            continue
        compared += 1
        q = np.array([coordinate.getValue(state) for coordinate in coordinates])
        for body, ours in zip(bodies, body_transforms(tree, q)[known]):
            theirs = body.getTransformInGround(state)
            place = theirs.p()
            difference = max(
                np.abs(ours[:3, :3] - _matrix(theirs.R())).max(),
                np.abs(ours[:3, 3] - [place[0], place[1], place[2]]).max(),
            )
            if not difference <= largest:
                largest, where = float(difference), body.getName()
    if not compared:
        return "not compared: OpenSim assembles it in no pose"
    return f"{len(bodies)} bodies, {len(tree.free)} free: {largest:.1e} {where}".strip()


def _assembled(model: Any, state: Any, coordinates: list[Any], q: Array) -> bool:
    """Put OpenSim's model in a pose, or the nearest that its constraints allow; False where it
    finds none."""
    for coordinate, value in zip(coordinates, q.tolist()):
        coordinate.setValue(state, value, False)
    try:
        model.assemble(state)
    except RuntimeError:
        return False
    model.realizePosition(state)
    errors = state.getQErr()
    return all(abs(errors.get(i)) < 1e-6 for i in range(errors.size()))


def _compare_in_child(path: Path, poses: int, answer: Any) -> None:
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    try:
        said = compare_model(path, poses)
    except Exception as error:  # whatever it is, it is a finding
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
    answer.send(said)
    answer.close()
    os._exit(0)  # OpenSim crashes at exit after some models


def compare_models(folder: Path, poses: int) -> Iterator[tuple[str, str]]:
    """Path and what came of it, for every model file below a folder."""
    import opensim  # noqa: F401  once, not in every child

    from spinetrack_synth.anatomy.kinematics import body_transforms
    from spinetrack_synth.anatomy.model import fullbody_path, load_model

    tree = load_model(fullbody_path())
    body_transforms(tree, tree.default_coordinates)  # so that every child finds it compiled
    context = multiprocessing.get_context("fork")
    for path in sorted(folder.rglob("*.osim")):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_compare_in_child, args=(path, poses, sender))
        child.start()
        sender.close()
        try:
            said = receiver.recv() if receiver.poll(120) else "not finished after 120 s"
        except EOFError:
            said = "crashed"
        child.kill()
        child.join()
        yield str(path.relative_to(folder)), said


def print_models(folder: Path, poses: int) -> None:
    """A line a model, then how many fell to what."""
    kinds: Counter[str] = Counter()
    largest = 0.0
    for name, said in compare_models(folder, poses):
        print(f"{name}: {said}", flush=True)
        if found := re.match(r"\d+ bodies, \d+ free: (\S+)", said):
            largest = max(largest, float(found.group(1)))
            kinds["compared"] += 1
        else:
            said = re.sub(r"^refused: [^:]*\.osim: ", "refused: ", said)
            kinds[re.sub(r"'[^']*'|\b\w*_\w+\b|\b[\d.]+\b", "~", said)[:84]] += 1
    print(f"\nlargest difference {largest:.1e} (m, direction cosines)\n\n| models | |\n|---|---|")
    for kind, count in kinds.most_common():
        print(f"| {count} | {kind} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="trials, a folder each")
    parser.add_argument("--only", nargs="+", help="these trials")
    parser.add_argument("--frames", type=int, default=150, help="frames at most, from the middle")
    parser.add_argument("--engine-cache", type=Path, help="keeps OpenSim's solutions")
    parser.add_argument("--work", type=Path, default=Path("build/benchmark_published"))
    parser.add_argument("--models", type=Path, help="folder of .osim files to load instead")
    parser.add_argument("--poses", type=int, default=5, help="random poses a model")
    arguments = parser.parse_args()
    if arguments.models:
        print_models(arguments.models, arguments.poses)
        return
    if arguments.folder is None:
        print("published.py: left out: give a folder of trials, or --models and one of models")
        return
    import opensim

    opensim.Logger.setLevelString("Off")
    opensim.Logger.removeFileSink()
    print(f"| trial | frames | free | {' | '.join(COLUMNS)} |")
    print("|---" * (3 + len(COLUMNS)) + "|", flush=True)
    for trial_file in sorted(arguments.folder.glob("*/trial.json")):
        if not arguments.only or trial_file.parent.name in arguments.only:
            print(markdown(judged(trial_file, arguments)), flush=True)


if __name__ == "__main__":
    main()

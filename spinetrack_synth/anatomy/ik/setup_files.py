"""What inverse kinematics is asked to match: OpenSim's task and set-up files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast
from xml.etree.ElementTree import Element

from spinetrack_synth.anatomy.documents import (
    beside,
    file_beside,
    is_true,
    number,
    read_document,
    text_of,
    time_range,
)
from spinetrack_synth.errors import UserError

_TOOLS: Final = ("InverseKinematicsTool", "InverseKinemtaticsTool", "IKTool")
"""The tool's name in set-up files: OpenSim's own carry three, the last is that of OpenSim 2."""

_OTHER_TOOLS: Final = {
    "ScaleTool": "a set-up of OpenSim's ScaleTool: give it as --scale-setup",
    "Model": "a model: give it as --model",
    "MarkerSet": "a set of markers: give it as --markers-on",
}
"""What people give in a set-up's place."""

ValueKind = Literal["default_value", "manual_value", "from_file"]


@dataclass(frozen=True)
class CoordinateTask:
    """A coordinate to be kept near its default, near ``value`` (rad or m), or near a file's."""

    name: str
    weight: float
    kind: ValueKind
    value: float


@dataclass(frozen=True)
class Tasks:
    """Weights of markers by name and tasks of coordinates; those not to be applied are left out."""

    marker_weights: dict[str, float]
    coordinates: tuple[CoordinateTask, ...] = ()


@dataclass(frozen=True)
class Setup:
    """A set-up of OpenSim's InverseKinematicsTool; None where it leaves a thing out.

    Paths are resolved against the folder of the set-up file, as OpenSim does.
    """

    path: Path
    model: Path | None
    marker_set: Path | None
    markers: Path | None
    coordinates: Path | None
    tasks: Tasks | None
    time_range_s: tuple[float, float] | None
    output: Path | None
    accuracy: float


def read_tasks(path: Path) -> Tasks:
    """Read an IKTaskSet file. Raises UserError where it holds none or a number is damaged."""
    root = _root(path, ("IKTaskSet", *_TOOLS))
    node = root if root.tag == "IKTaskSet" else root.find(".//IKTaskSet")
    if node is None:
        raise UserError(f"{path}: no <IKTaskSet> in it: give OpenSim's tasks file (.xml)")
    return parse_tasks(path, node)


def read_setup(path: Path, markers: Path | None = None) -> Setup:
    """Read a set-up of the InverseKinematicsTool; its tasks may stand in it or in a file of theirs.

    A set-up of OpenSim 2 may list several trials: ``markers`` tells which is meant, by the name of
    its marker file. Raises UserError where it is no such set-up, or where the trial stays open.
    """
    root = _root(path, _TOOLS)
    tool = next((node for node in root.iter() if node.tag in _TOOLS), None)
    if tool is None:
        found = next((node.tag for node in root.iter() if node.tag in _OTHER_TOOLS), "")
        said = "no <InverseKinematicsTool> in it: give OpenSim's set-up file of the IK tool"
        raise UserError(f"{path}: {f'is {_OTHER_TOOLS[found]}' if found else said}")
    node = tool.find("IKTaskSet")
    trial = _trial(path, tool, markers)
    return Setup(
        path=path,
        model=file_beside(path, tool, "model_file"),
        marker_set=file_beside(path, tool, "marker_set_file"),
        markers=file_beside(path, trial, "marker_file"),
        coordinates=file_beside(path, trial, "coordinate_file"),
        tasks=None if node is None else parse_tasks(path, node),
        time_range_s=time_range(path, trial),
        output=file_beside(path, trial, "output_motion_file"),
        accuracy=number(path, text_of(tool, "accuracy") or "1e-5", "accuracy"),
    )


def parse_tasks(path: Path, node: Element) -> Tasks:
    """The tasks in an <IKTaskSet>, or in the file that it names; ``path`` is that of its file."""
    if file := node.get("file", "").strip():
        return read_tasks(beside(path, file))
    weights: dict[str, float] = {}
    coordinates = []
    for task in node.iterfind("objects/*"):
        name = task.get("name", "")
        where = f"task {name}"
        if not is_true(task, "apply", default=True):
            continue
        weight = number(path, text_of(task, "weight") or "1", f"{where}: weight")
        if not 0 <= weight < float("inf"):
            raise UserError(f"{path}: {where}: weight {weight:g}: a number from 0 is needed")
        if task.tag == "IKMarkerTask":
            weights[name] = weight
        elif task.tag == "IKCoordinateTask":
            kind = text_of(task, "value_type") or "default_value"
            if kind not in ("default_value", "manual_value", "from_file"):
                raise UserError(f"{path}: {where}: value_type '{kind}' is none of OpenSim's")
            value = number(path, text_of(task, "value") or "0", f"{where}: value")
            task_kind = cast(ValueKind, kind)
            coordinates.append(CoordinateTask(name, weight, task_kind, value))
    return Tasks(weights, tuple(coordinates))


def _root(path: Path, roots: tuple[str, ...]) -> Element:
    return read_document(path, "an XML file of OpenSim's inverse kinematics", roots)


def _trial(path: Path, tool: Element, markers: Path | None) -> Element:
    """What holds the marker file: the tool itself, or one of its trials."""
    trials = tool.findall("IKTrialSet/objects/IKTrial")
    if len(trials) == 1:
        return trials[0]
    if not trials:
        return tool
    files = [text_of(trial, "marker_file") for trial in trials]
    if markers is not None:
        same = [i for i, name in enumerate(files) if beside(path, name).name == markers.name]
        return trials[same[0]] if len(same) == 1 else Element("IKTrial")
    raise UserError(
        f"{path}: holds {len(trials)} trials: give --markers and --out of the one that is meant: "
        f"{', '.join(files)}"
    )

"""What inverse kinematics is asked to match: OpenSim's task and set-up files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from xml.etree.ElementTree import Element

from spinetrack_synth.anatomy.documents import read_document
from spinetrack_synth.errors import UserError

_ROOTS: Final = ("InverseKinematicsTool", "InverseKinemtaticsTool", "IKTaskSet")
"""What set-up and task files are about. OpenSim's own files carry both spellings."""

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
    markers: Path | None
    coordinates: Path | None
    tasks: Tasks | None
    time_range_s: tuple[float, float] | None
    output: Path | None
    accuracy: float


def read_tasks(path: Path) -> Tasks:
    """Read an IKTaskSet file. Raises UserError where it holds none or a number is damaged."""
    root = _root(path)
    node = root if root.tag == "IKTaskSet" else root.find(".//IKTaskSet")
    if node is None:
        raise UserError(f"{path}: no <IKTaskSet> in it: give OpenSim's tasks file (.xml)")
    return _tasks(path, node)


def read_setup(path: Path) -> Setup:
    """Read a set-up of the InverseKinematicsTool; its tasks may stand in it or in a file of theirs.

    Raises UserError where it is none.
    """
    root = _root(path)
    tool = root
    if tool.tag not in _ROOTS[:2]:
        raise UserError(f"{path}: no <InverseKinematicsTool> in it: give OpenSim's set-up file")
    tasks = None
    node = tool.find("IKTaskSet")
    if node is not None:
        file = node.get("file", "").strip()
        tasks = read_tasks(_beside(path, file)) if file else _tasks(path, node)
    span = (tool.findtext("time_range") or "").split()
    time_range_s = None
    if span:
        if len(span) != 2:
            raise UserError(f"{path}: time_range holds {len(span)} numbers, expected 2")
        time_range_s = (_number(path, span[0], "time_range"), _number(path, span[1], "time_range"))
    return Setup(
        path=path,
        model=_file(path, tool, "model_file"),
        markers=_file(path, tool, "marker_file"),
        coordinates=_file(path, tool, "coordinate_file"),
        tasks=tasks,
        time_range_s=time_range_s,
        output=_file(path, tool, "output_motion_file"),
        accuracy=_number(path, tool.findtext("accuracy") or "1e-5", "accuracy"),
    )


def _root(path: Path) -> Element:
    return read_document(path, "an XML file of OpenSim's inverse kinematics", _ROOTS)


def _tasks(path: Path, node: Element) -> Tasks:
    weights: dict[str, float] = {}
    coordinates = []
    for task in node.iterfind("objects/*"):
        name = task.get("name", "")
        where = f"task {name}"
        if (task.findtext("apply") or "true").strip().lower() != "true":
            continue
        weight = _number(path, task.findtext("weight") or "1", f"{where}: weight")
        if not 0 <= weight < float("inf"):
            raise UserError(f"{path}: {where}: weight {weight:g}: a number from 0 is needed")
        if task.tag == "IKMarkerTask":
            weights[name] = weight
        elif task.tag == "IKCoordinateTask":
            kind = (task.findtext("value_type") or "default_value").strip()
            if kind not in ("default_value", "manual_value", "from_file"):
                raise UserError(f"{path}: {where}: value_type '{kind}' is none of OpenSim's")
            value = _number(path, task.findtext("value") or "0", f"{where}: value")
            coordinates.append(CoordinateTask(name, weight, kind, value))  # type: ignore[arg-type]
    return Tasks(weights, tuple(coordinates))


def _number(path: Path, text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{path}: {what}: '{text.strip()}' is no number") from None


def _file(path: Path, tool: Element, tag: str) -> Path | None:
    name = (tool.findtext(tag) or "").strip()
    return None if name in ("", "Unassigned") else _beside(path, name)


def _beside(path: Path, name: str) -> Path:
    return path.parent / name

"""Set-ups of OpenSim's ScaleTool: what of a model grows by which measurement, and which markers
are moved to where a static trial has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from spinetrack_synth.anatomy.documents import (
    beside,
    file_beside,
    is_true,
    number,
    numbers,
    read_document,
    text_of,
    time_range,
)
from spinetrack_synth.anatomy.ik.setup_files import Tasks, parse_tasks
from spinetrack_synth.anatomy.measure import Measurement
from spinetrack_synth.errors import UserError

_WHAT = "a set-up of OpenSim's ScaleTool (.xml)"

Span = tuple[float, float]


@dataclass(frozen=True)
class Scaler:
    """OpenSim's ModelScaler.

    ``order`` of "measurements" and "manualScale", the later one counts; ``manual`` a body's factors
    along X, Y, Z; ``preserve_mass`` whether bodies keep their shares of the mass.
    """

    order: tuple[str, ...]
    measurements: tuple[Measurement, ...]
    manual: dict[str, tuple[float, float, float]]
    static: Path | None
    time_range_s: Span | None
    preserve_mass: bool
    output_model: Path | None


@dataclass(frozen=True)
class Placer:
    """OpenSim's MarkerPlacer. ``largest_movement`` of a marker within the static trial, in the
    unit of its file, None where any will do."""

    tasks: Tasks
    static: Path | None
    coordinates: Path | None
    time_range_s: Span | None
    largest_movement: float | None
    output_model: Path | None
    output_motion: Path | None


@dataclass(frozen=True)
class ScaleSetup:
    """A set-up of the ScaleTool; a step that is not to be applied is None.

    Paths are resolved against the folder of the set-up file, as OpenSim does.
    """

    path: Path
    model: Path | None
    marker_set: Path | None
    mass_kg: float | None
    scaler: Scaler | None
    placer: Placer | None

    @property
    def output_model(self) -> Path | None:
        """The file of the finished model."""
        steps = [step for step in (self.placer, self.scaler) if step is not None]
        return next((step.output_model for step in steps if step.output_model), None)


def read_scale_setup(path: Path) -> ScaleSetup:
    """Read a set-up file. Raises UserError where it is none, or where a number is damaged."""
    root = read_document(path, _WHAT, ("ScaleTool",))
    tool = root if root.tag == "ScaleTool" else root.find(".//ScaleTool")
    if tool is None:
        raise UserError(f"{path}: no <ScaleTool> in it: give {_WHAT}")
    generic = tool.find("GenericModelMaker")
    generic = Element("GenericModelMaker") if generic is None else generic
    mass_kg = number(path, text_of(tool, "mass") or "-1", "mass")
    return ScaleSetup(
        path=path,
        model=file_beside(path, generic, "model_file"),
        marker_set=file_beside(path, generic, "marker_set_file"),
        mass_kg=mass_kg if mass_kg > 0 else None,
        scaler=_scaler(path, tool.find("ModelScaler")),
        placer=_placer(path, tool.find("MarkerPlacer")),
    )


def _scaler(path: Path, node: Element | None) -> Scaler | None:
    if node is None or not is_true(node, "apply", default=True):
        return None
    order = tuple(text_of(node, "scaling_order").split())
    for step in order:
        if step not in ("measurements", "manualScale"):
            raise UserError(
                f"{path}: scaling_order: '{step}' is neither 'measurements' nor 'manualScale'"
            )
    return Scaler(
        order=order,
        measurements=_measurements(*_within(path, node, "MeasurementSet")),
        manual=_manual(*_within(path, node, "ScaleSet")),
        static=file_beside(path, node, "marker_file"),
        time_range_s=time_range(path, node),
        preserve_mass=is_true(node, "preserve_mass_distribution", default=False),
        output_model=file_beside(path, node, "output_model_file"),
    )


def _placer(path: Path, node: Element | None) -> Placer | None:
    if node is None or not is_true(node, "apply", default=True):
        return None
    tasks = node.find("IKTaskSet")
    movement = number(path, text_of(node, "max_marker_movement") or "-1", "max_marker_movement")
    return Placer(
        tasks=Tasks({}) if tasks is None else parse_tasks(path, tasks),
        static=file_beside(path, node, "marker_file"),
        coordinates=file_beside(path, node, "coordinate_file"),
        time_range_s=time_range(path, node),
        largest_movement=movement if movement > 0 else None,
        output_model=file_beside(path, node, "output_model_file"),
        output_motion=file_beside(path, node, "output_motion_file"),
    )


def _within(path: Path, node: Element, tag: str) -> tuple[Path, Element]:
    """A set and the file that holds it: it may stand in a file of its own."""
    found = node.find(tag)
    if found is None:
        return path, Element(tag)
    if not (name := found.get("file", "").strip()):
        return path, found
    file = beside(path, name)
    root = read_document(file, f"a <{tag}> of OpenSim", (tag,))
    inner = root if root.tag == tag else root.find(f".//{tag}")
    if inner is None:
        raise UserError(f"{file}: no <{tag}> in it, which {path} expects there")
    return file, inner


def _measurements(path: Path, node: Element) -> tuple[Measurement, ...]:
    """The measurements to be applied; one that scales bodies along unlike axes becomes several."""
    found = []
    for item in node.iterfind("objects/Measurement"):
        if not is_true(item, "apply", default=True):
            continue
        name = item.get("name", "")
        pairs = []
        for pair in item.iterfind("MarkerPairSet/objects/MarkerPair"):
            ends = text_of(pair, "markers").split()
            if len(ends) != 2:
                raise UserError(
                    f"{path}: measurement {name}: a pair of markers holds {len(ends)} names"
                )
            pairs.append((ends[0], ends[1]))
        bodies_along: dict[str, list[str]] = {}
        for scale in item.iterfind("BodyScaleSet/objects/BodyScale"):
            axes = "".join(a for a in "XYZ" if a in text_of(scale, "axes").upper())
            bodies_along.setdefault(axes, []).append(scale.get("name", "").strip())
        found += [
            Measurement(name, tuple(pairs), tuple(bodies), axes)
            for axes, bodies in bodies_along.items()
        ]
    return tuple(found)


def _manual(path: Path, node: Element) -> dict[str, tuple[float, float, float]]:
    factors = {}
    for scale in node.iterfind("objects/Scale"):
        if not is_true(scale, "apply", default=True):
            continue
        body = text_of(scale, "segment")
        x, y, z = numbers(path, scale, "scales", 3, f"manual scale of {body}") or (1.0, 1.0, 1.0)
        if not (x > 0 and y > 0 and z > 0):
            raise UserError(f"{path}: manual scale of {body}: {x:g} {y:g} {z:g}: give above 0")
        factors[body] = (x, y, z)
    return factors

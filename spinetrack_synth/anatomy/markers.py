"""Marker sets: the markers that a file puts on a model's bodies."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np

from spinetrack_synth.anatomy.documents import is_true, numbers, read_document, text_of
from spinetrack_synth.anatomy.model import GROUND, Tree
from spinetrack_synth.errors import UserError

_FRAME_TAGS: Final = (
    "socket_parent_frame",
    "socket_parent_frame_connectee_name",
    "connectors/Connector_PhysicalFrame_/connectee_name",
    "body",
    "body_name",
)
"""Where documents of OpenSim 4, 3.3 and its betas, 3 and 2 say what a marker is on."""


@dataclass(frozen=True)
class Marker:
    """A marker at ``offset_m`` in the frame ``frame`` of a model: a body, or one fixed to a body.

    ``fixed`` where the marker placement of OpenSim's ScaleTool leaves it where it is.
    """

    name: str
    frame: str
    offset_m: tuple[float, float, float]
    fixed: bool = False


def read_marker_set(path: Path) -> tuple[Marker, ...]:
    """The markers of a MarkerSet document of OpenSim 2, 3 or 4, or those of a model file.

    Raises UserError where it holds none, or where one says not where it is.
    """
    root = read_document(path, "a marker set of OpenSim (.xml)", ("MarkerSet",))
    sets = [root] if root.tag == "MarkerSet" else root.findall(".//MarkerSet")
    markers = {m.name: m for node in sets for m in _markers(path, node)}  # the last one counts
    if not markers:
        raise UserError(f"{path}: no <Marker> in it: give OpenSim's MarkerSet file (.xml)")
    return tuple(markers.values())


def fixed_markers(path: Path) -> frozenset[str]:
    """The names of a model file's own markers that marker placement leaves where they are."""
    root = read_document(path, "an OpenSim model (.osim)", ("MarkerSet",))
    sets = [root] if root.tag == "MarkerSet" else root.findall(".//MarkerSet")
    return frozenset(
        node.get("name", "").strip()
        for marker_set in sets
        for node in marker_set.iterfind("objects/Marker")
        if is_true(node, "fixed", default=False)
    )


def with_markers(tree: Tree, markers: Iterable[Marker], source: str = "") -> Tree:
    """The model with more markers; one of a name that it has takes its place, as in OpenSim.

    Raises UserError where the model lacks what a marker is on.
    """
    added = {marker.name: marker for marker in markers}
    placed = [_placed(tree, marker, source) for marker in added.values()]
    kept = [i for i, name in enumerate(tree.marker_names) if name not in added]
    return dataclasses.replace(
        tree,
        marker_names=(*(tree.marker_names[i] for i in kept), *added),
        marker_body=np.concatenate(
            [tree.marker_body[kept], np.array([body for body, _ in placed], dtype=np.int64)]
        ),
        marker_offset_m=np.concatenate(
            [tree.marker_offset_m[kept], np.array([at for _, at in placed]).reshape(-1, 3)]
        ),
    )


def only_markers(tree: Tree, names: Collection[str]) -> Tree:
    """The model without the markers that are none of ``names``."""
    kept = [i for i, name in enumerate(tree.marker_names) if name in names]
    return dataclasses.replace(
        tree,
        marker_names=tuple(tree.marker_names[i] for i in kept),
        marker_body=tree.marker_body[kept],
        marker_offset_m=tree.marker_offset_m[kept],
    )


def _markers(path: Path, marker_set: Element) -> list[Marker]:
    markers = []
    for node in marker_set.iterfind("objects/Marker"):
        name = node.get("name", "").strip()
        where = f"marker {name}: location"
        frame = next((text for tag in _FRAME_TAGS if (text := text_of(node, tag))), "")
        if not name or not frame:
            raise UserError(f"{path}: marker '{name}': its name or its body is missing")
        x, y, z = numbers(path, node, "location", 3, where) or (0.0, 0.0, 0.0)
        if not np.all(np.isfinite([x, y, z])):
            raise UserError(f"{path}: {where} {x:g} {y:g} {z:g}: three numbers are needed")
        markers.append(Marker(name, frame, (x, y, z), is_true(node, "fixed", default=False)))
    return markers


def _placed(tree: Tree, marker: Marker, source: str) -> tuple[int, np.ndarray]:
    """The body that a marker moves with, and where it is in that body, (3,) m."""
    steps = [step for step in marker.frame.split("/") if step not in ("", ".", "..")]
    steps = [step for step in steps if step not in ("bodyset", "componentset")]
    offset_m = np.array(marker.offset_m)
    if steps[-1:] == ["ground"]:
        return GROUND, offset_m
    if "/".join(steps) in tree.frame_index:
        frame = tree.frame_index["/".join(steps)]
        transform = tree.frame_in_body[frame]
        return int(tree.frame_body[frame]), transform[:3, :3] @ offset_m + transform[:3, 3]
    if len(steps) != 1 or steps[0] not in tree.body_index:
        where = f"{source}: " if source else ""
        raise UserError(
            f"{where}marker {marker.name} is on '{marker.frame}', which the model {tree.name} "
            f"does not have (its bodies: {', '.join(tree.bodies[:6])}"
            f"{', ...' if len(tree.bodies) > 6 else ''}): the marker set is of another model"
        )
    return tree.body_index[steps[0]], offset_m

"""The constraints of an .osim file that are no couplers, as ties."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np

from spinetrack_synth.anatomy import constraints
from spinetrack_synth.anatomy.constraints import Frame, Tie
from spinetrack_synth.anatomy.documents import (
    ELSE_OPENSIM,
    Damaged,
    floats,
    is_true,
    objects,
    one_float,
)
from spinetrack_synth.anatomy.osim.frames import Frames
from spinetrack_synth.errors import UserError

COUPLER: Final = "CoordinateCouplerConstraint"


def enforced(model: Element) -> Iterator[Element]:
    """The constraints in force."""
    for node in objects(model, "ConstraintSet"):
        if is_true(node, "isEnforced", default=True):
            yield node


def constraint_ties(path: Path, model: Element, frames: Frames) -> list[Tie]:
    """The ties of the constraints in force that are no couplers.

    Raises UserError where one is not supported or hangs on an unknown frame, Damaged where a line
    has no direction.
    """
    return [
        tie for node in enforced(model) if node.tag != COUPLER for tie in _ties(path, node, frames)
    ]


def _ties(path: Path, node: Element, frames: Frames) -> list[Tie]:
    name = node.get("name", "")
    match node.tag:
        case "WeldConstraint":
            one, other = (_socket(path, node, tag, frames) for tag in ("frame1", "frame2"))
            return constraints.weld(name, one, other)
        case "PointConstraint" | "ConstantDistanceConstraint":
            (a, at_a), (b, at_b) = [
                (
                    _base_body(path, node, f"body_{end}", frames),
                    floats(node, f"location_body_{end}", "0 0 0", 3),
                )
                for end in (1, 2)
            ]
            if node.tag == "PointConstraint":
                return constraints.point_on_point(name, a, at_a, b, at_b)
            far_m = one_float(node, "constant_distance", 0)
            return constraints.rod(name, a, at_a, b, at_b, far_m)
        case "PointOnLineConstraint":
            direction = floats(node, "line_direction_vec", "0 1 0", 3)
            if not 0 < np.linalg.norm(direction) < np.inf:
                raise Damaged(f"constraint {name}: its line has no direction")
            return constraints.point_on_line(
                name,
                _base_body(path, node, "line_body", frames),
                floats(node, "point_on_line", "0 0 0", 3),
                direction,
                _base_body(path, node, "follower_body", frames),
                floats(node, "point_on_follower", "0 0 0", 3),
            )
        case kind:
            raise UserError(
                f"{path}: constraint {name} is a {kind}, which is not supported; to "
                f"do without it, set its isEnforced to false, or {ELSE_OPENSIM}"
            )


def _socket(path: Path, node: Element, end: str, frames: Frames) -> Frame:
    """Base body and transform of one end of a constraint."""
    name = node.get("name", "")
    socket = (node.findtext(f"socket_{end}") or "").strip()
    try:
        return frames.at(socket, f"constraintset/{name}")
    except KeyError:
        raise UserError(f"{path}: constraint {name}: unknown frame '{socket}'") from None


def _base_body(path: Path, node: Element, end: str, frames: Frames) -> Frame:
    """The body at one end of a constraint: whatever the frame, OpenSim takes points there."""
    return _socket(path, node, end, frames)[0], np.eye(4)

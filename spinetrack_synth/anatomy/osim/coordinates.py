"""The coordinates of an .osim file: range, default, and what holds one where it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np

from spinetrack_synth.anatomy.documents import floats, is_true, one_float
from spinetrack_synth.anatomy.functions import UnsupportedFunction, parse_function
from spinetrack_synth.anatomy.joints import coordinate_names
from spinetrack_synth.errors import UserError

CONTRADICTION: Final = 1e-3
"""What two settings of one coordinate may differ by (rad, m): files hold rounded numbers."""


@dataclass(frozen=True)
class Coordinate:
    """Range and default in rad or m."""

    name: str
    lower: float
    upper: float
    default: float
    clamped: bool
    held: float | None
    """The value at which a lock or a prescribed constant holds it."""


def read_coordinates(path: Path, joints: list[Element]) -> list[Coordinate]:
    """All coordinates in OpenSim's order, joint by joint.

    Raises UserError where numbers or holds contradict one another.
    """
    return [
        _coordinate(path, nodes.get(name, Element("Coordinate", name=name)))
        for joint in joints
        for nodes in [{c.get("name", ""): c for c in joint.iterfind("coordinates/*")}]
        for name in coordinate_names(joint)
    ]


def _coordinate(path: Path, node: Element) -> Coordinate:
    # OpenSim leaves out what has its default value: no range means -10..10.
    lower, upper = floats(node, "range", "-10 10", 2)
    default = one_float(node, "default_value", 0)
    name = node.get("name", "")
    if not np.isfinite(default) or not lower <= upper:
        raise UserError(
            f"{path}: coordinate {name}: range {lower:g} to {upper:g}, default_value "
            f"{default:g}: mend the numbers"
        )
    return Coordinate(
        name=name,
        lower=float(lower),
        upper=float(upper),
        default=default,
        clamped=is_true(node, "clamped", default=False),
        held=_held(path, node, default),
    )


def _held(path: Path, node: Element, default: float) -> float | None:
    """Where a lock or a prescribed constant holds a coordinate; None where it may move.

    As in OpenSim, a coordinate said to be prescribed is not where it has no function, and
    where it has one, that counts and not the default.
    """
    locked = default if is_true(node, "locked", default=False) else None
    function = node.find("prescribed_function/*")
    if function is None or not is_true(node, "prescribed", default=False):
        return locked
    where = f"{path}: coordinate {node.get('name')}"
    try:
        value = parse_function(function).constant
    except UnsupportedFunction:
        value = None
    if value is None:
        raise UserError(
            f"{where} is prescribed over time by a {function.tag}, which is not supported "
            "(a constant is); set its prescribed to false to have it solved for, or use "
            "--engine opensim"
        )
    if locked is not None and abs(locked - value) > CONTRADICTION:
        raise UserError(
            f"{where} is locked at {locked:g} and prescribed to be {value:g}: set one of "
            "the two to false"
        )
    return value

"""The joints of an .osim file in an order outward from ground, loops cut and welded."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.amounts import Steps
from spinetrack_synth.anatomy.constraints import Frame, Tie, weld
from spinetrack_synth.anatomy.documents import ELSE_OPENSIM, Damaged
from spinetrack_synth.anatomy.joints import Axis, UnsupportedJoint, joint_axes
from spinetrack_synth.anatomy.osim.frames import Frames
from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]


class Joint(NamedTuple):
    """A joint with its frames (4, 4) in the bodies that it connects.

    ``turned``: the file has it the other way round, from child to parent. ``stands_for``: the body
    of which the child is a second one, where the joint closes a loop.
    """

    name: str
    parent: str
    child: str
    joint_in_parent: Array
    joint_in_child: Array
    axes: tuple[Axis, ...]
    turned: bool = False
    stands_for: str = ""


def joints_outward(
    path: Path, nodes: list[Element], bodies: Collection[str], frames: Frames, steps: Steps
) -> tuple[list[Joint], list[Tie]]:
    """The joints, parents before children, and the ties that close loops; ``steps`` takes up what
    their axes follow.

    Raises UserError where a joint is not supported or hangs on nothing, or a body has no joint.
    """
    return _parents_first(path, [_joint(path, node, frames, steps) for node in nodes], bodies)


def _joint(path: Path, node: Element, frames: Frames, steps: Steps) -> Joint:
    name = node.get("name", "")
    ends = [
        _resolved(path, frames, node.findtext(f"socket_{end}_frame") or "", name)
        for end in ("parent", "child")
    ]
    (parent, joint_in_parent), (child, joint_in_child) = ends
    try:
        axes = joint_axes(node, steps)
    except UnsupportedJoint as error:
        raise UserError(f"{path}: joint {name} {error}; {ELSE_OPENSIM}") from None
    except Damaged as error:
        raise UserError(f"{path}: joint {name}: {error}") from None
    return Joint(name, parent, child, joint_in_parent, joint_in_child, axes)


def _resolved(path: Path, frames: Frames, socket: str, joint: str) -> Frame:
    try:
        return frames.at(socket, f"jointset/{joint}")
    except KeyError:
        raise UserError(f"{path}: joint {joint}: unknown frame '{socket}'") from None


def _parents_first(
    path: Path, joints: list[Joint], bodies: Collection[str]
) -> tuple[list[Joint], list[Tie]]:
    """The joints outward from ground, each turned round that stands the other way in the file.

    Where either way is open, the order of the file is kept. A joint that closes a loop carries
    a body that stands for its child and is welded to it by ties, as in OpenSim.
    """
    ordered: list[Joint] = []
    ties: list[Tie] = []
    reached, waiting = {"ground"}, joints
    while waiting:
        # One at a time keeps the order of the file wherever it is already right.
        ready = next((joint for joint in waiting if joint.parent in reached), None)
        if ready is None:
            ready = next((joint for joint in waiting if joint.child in reached), None)
        if ready is None:
            raise UserError(
                f"{path}: joint {waiting[0].name} does not lead to ground: its bodies "
                f"{waiting[0].parent} and {waiting[0].child} hang on nothing"
            )
        outward = ready if ready.parent in reached else _reversed(ready)
        if outward.child in reached:
            again = f"{outward.child} by {ready.name}"
            whole = np.eye(4)
            ties += weld(ready.name, (outward.child, whole), (again, whole))
            outward = outward._replace(child=again, stands_for=outward.child)
        ordered.append(outward)
        reached.add(outward.child)
        waiting = [joint for joint in waiting if joint is not ready]
    loose = [name for name in bodies if name not in reached]
    if loose:
        raise UserError(f"{path}: body {loose[0]} has no joint")
    return ordered, ties


def _reversed(joint: Joint) -> Joint:
    """The same joint seen from its child: the child carries the parent, every motion undone."""
    return Joint(
        joint.name,
        joint.child,
        joint.parent,
        joint.joint_in_child,
        joint.joint_in_parent,
        tuple(axis._replace(function=axis.function.times(-1.0)) for axis in reversed(joint.axes)),
        turned=True,
    )

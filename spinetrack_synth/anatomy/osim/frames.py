"""The named frames and stations of an .osim file: on which body each is fixed, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.constraints import Frame
from spinetrack_synth.anatomy.documents import floats, objects
from spinetrack_synth.errors import UserError
from spinetrack_synth.rotations import about_x, about_y, about_z

Array = NDArray[np.float64]

_STATIONS: Final = ("Station", "Marker")
_FRAMES: Final = ("PhysicalOffsetFrame", "StationDefinedFrame", *_STATIONS)


class Frames:
    """The frames that a model's sockets name; ``named`` are those that are no stations, in the
    order of the file ("L1/superior_endplate").

    Raises UserError where one hangs on nothing known.
    """

    def __init__(self, path: Path, model: Element, bodies: Mapping[str, Element]) -> None:
        self._path = path
        self._placed: dict[str, Frame] = {"ground": ("ground", np.eye(4))}
        self._placed |= {name: (name, np.eye(4)) for name in bodies}
        self.named: list[str] = []
        self._collect(model, bodies)

    def __getitem__(self, name: str) -> Frame:
        """Base body of a named frame and the transform (4, 4) in it."""
        return self._placed[name]

    def at(self, socket: str, owner: str = "") -> Frame:
        """Base body and transform (4, 4) in it of the frame that a socket's path names.

        ``owner`` is what owns the component whose socket it is: where a relative path begins, and
        a joint's frames are known to one another by their names alone. Raises KeyError where no
        such frame is known.
        """
        if socket.startswith(".."):
            place = [*owner.split("/"), ""]
            for step in socket.split("/"):
                place = place[:-1] if step == ".." else [*place, step]
            if "/".join(place) in self._placed:
                return self._placed["/".join(place)]
        steps = [step for step in socket.strip().split("/") if step and step not in (".", "..")]
        steps = [step for step in steps if step not in ("bodyset", "componentset")]
        last = steps[-1] if steps else ""
        of_joint = f"{owner}/{last}"
        is_local = owner.startswith(("jointset/", "constraintset/")) and socket[:1] != "/"
        if is_local and of_joint in self._placed:
            return self._placed[of_joint]
        for name in ("/".join(steps), "/".join(steps[-2:]), last):
            if name in self._placed:
                return self._placed[name]
        raise KeyError(socket)

    def _collect(self, model: Element, bodies: Mapping[str, Element]) -> None:
        """Frames fixed to ground, bodies, joints or other frames, found in the components of each.

        They may hang on one another in any order.
        """
        pending = [
            found
            for owner, node in [("ground", model.find("Ground")), *bodies.items()]
            if node is not None
            for found in _offset_frames(node, "components", f"{owner}/")
        ]
        pending += _offset_frames(model, "components", "")
        self.named = [name for name, node in pending if node.tag not in _STATIONS]
        for set_name, tag in (("jointset", "JointSet"), ("constraintset", "ConstraintSet")):
            for owner in objects(model, tag):
                pending += _offset_frames(owner, "frames", f"{set_name}/{owner.get('name', '')}/")
        markers = {f"markerset/{m.get('name', '')}": m for m in objects(model, "MarkerSet")}
        if any(node.tag == "StationDefinedFrame" for _, node in pending):
            pending += markers.items()
        while pending:
            waiting = []
            for name, node in pending:
                try:
                    self._placed[name] = self._place(node, name.rpartition("/")[0])
                except KeyError:
                    waiting.append((name, node))
            if all(name in markers for name, _ in waiting):
                break
            if len(waiting) == len(pending):
                raise UserError(f"{self._path}: frame {waiting[0][0]} hangs on nothing known")
            pending = waiting

    def _place(self, node: Element, owner: str) -> Frame:
        """Base body and transform in it of a frame or station; KeyError while that is not known."""
        if node.tag == "StationDefinedFrame":
            tags = ("point_a", "point_b", "point_c", "origin_point")
            stations = [self.at(node.findtext(f"socket_{tag}") or "", owner) for tag in tags]
            return stations[0][0], _frame_of_stations(node, [at[:3, 3] for _, at in stations])
        tag = "socket_parent" if node.tag == "PhysicalOffsetFrame" else "socket_parent_frame"
        socket = (node.findtext(tag) or "").strip()
        body, base = self.at(socket, owner)
        if node.tag == "PhysicalOffsetFrame":
            return body, base @ _offset_transform(node)
        at = np.eye(4)
        at[:3, 3] = floats(node, "location", "0 0 0", 3)
        return body, base @ at


def _offset_transform(frame: Element) -> Array:
    """A PhysicalOffsetFrame in its parent, (4, 4): body-fixed X-Y-Z rotation, then translation."""
    transform = np.eye(4)
    x, y, z = floats(frame, "orientation", "0 0 0", 3)
    transform[:3, :3] = about_x(x) @ about_y(y) @ about_z(z)
    transform[:3, 3] = floats(frame, "translation", "0 0 0", 3)
    return transform


def _offset_frames(node: Element, tag: str, path: str) -> Iterator[tuple[str, Element]]:
    """The frames and stations that a component owns, and those that they own, with their paths."""
    for frame in node.iterfind(f"{tag}/*"):
        if frame.tag in _FRAMES:
            name = f"{path}{frame.get('name', '')}"
            yield name, frame
            yield from _offset_frames(frame, "components", f"{name}/")


def _frame_of_stations(node: Element, points: list[Array]) -> Array:
    """A StationDefinedFrame in the body of its points a, b, c and origin, (4, 4)."""
    a, b, c, origin = points
    along = (b - a) / np.linalg.norm(b - a)
    normal = np.cross(along, c - a)
    normal /= np.linalg.norm(normal)
    transform = np.eye(4)
    transform[:3, 3] = origin
    axes = {}
    for tag, vector, usual in (("ab_axis", along, "+x"), ("ab_x_ac_axis", normal, "+y")):
        text = (node.findtext(tag) or usual).strip().lower()
        sign = -1.0 if text.startswith("-") else 1.0
        axes["xyz".index(text[-1])] = sign * vector
    first, second = axes
    third = 3 - first - second
    turn = 1.0 if (second - first) % 3 == 1 else -1.0
    axes[third] = turn * np.cross(axes[first], axes[second])
    transform[:3, :3] = np.column_stack([axes[k] for k in range(3)])
    return transform

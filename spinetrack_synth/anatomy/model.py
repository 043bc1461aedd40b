"""Any .osim file as arrays: bodies, joints, coordinates, couplers, markers.

Documents of OpenSim 4 are read with the standard library alone; older ones are first upgraded by
the opensim package. Nothing moves here: see `kinematics`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.documents import parse_document, read_document
from spinetrack_synth.anatomy.functions import (
    Piecewise,
    UnsupportedFunction,
    parse_function,
    straight,
)
from spinetrack_synth.anatomy.upgrading import upgraded
from spinetrack_synth.compiled import by_reference
from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_MODEL_FILE: Final = "an OpenSim model (.osim)"

GROUND: Final = -1
"""Body index of ground."""

OPENSIM_4: Final = 40000
"""First document version whose layout is read directly."""

CONTRADICTION: Final = 1e-3
"""What two settings of one coordinate may differ by (rad, m): files hold rounded numbers."""


@by_reference
class Chain(NamedTuple):
    """The joints as flat arrays, one joint a body, for compiled code.

    ``parent`` (B,) body index or GROUND; ``turned`` (B,) whether the joint stands in the file the
    other way round, from child to parent, so that its motions are undone; ``joint_in_parent`` and
    ``child_in_joint`` (B, 4, 4): the joint's frame in the parent body, the child body in the moved
    joint frame. Body b moves by the axes ``axis_start[b]:axis_start[b + 1]``, translations first
    (where turned, last): ``axis_is_rotation`` (A,), ``axis_direction`` (A, 3) unit vectors,
    ``axis_coordinate`` (A,) or -1, and the amount of motion as a piecewise polynomial of that
    coordinate with the pieces ``piece_start[a]:piece_start[a + 1]``: ``piece_knot`` (S,),
    ``piece_coefficient`` (S, D) in ascending powers of ``q - knot``.
    """

    parent: Ints
    turned: NDArray[np.bool_]
    joint_in_parent: Array
    child_in_joint: Array
    axis_start: Ints
    axis_is_rotation: NDArray[np.bool_]
    axis_direction: Array
    axis_coordinate: Ints
    piece_start: Ints
    piece_knot: Array
    piece_coefficient: Array


class Curve(NamedTuple):
    """A coupler that is no line: ``q[driven] = function(q[driver])``."""

    driven: int
    driver: int
    function: Piecewise


@dataclass(frozen=True)
class Tree:
    """A model as arrays. Angles in rad, lengths in m, B bodies, n coordinates, k free ones.

    ``bodies`` stand parents before children, without ground. ``coordinates`` are all coordinates,
    in OpenSim's order; ``rotational`` (n,) tells angles from lengths. ``free`` are those that no
    coupler drives and no lock or prescribed constant holds: ``q = coupling @ z + offset`` (n, k),
    (n,), and where ``curves`` is not empty, `kinematics.all_coordinates` adds what they drive.
    ``frame_*`` are the named frames fixed to bodies ("L1/superior_endplate"), ``frame_in_body``
    (F, 4, 4). Body index -1 stands for ground.
    """

    name: str
    bodies: tuple[str, ...]
    coordinates: tuple[str, ...]
    rotational: NDArray[np.bool_]
    lower: Array
    upper: Array
    clamped: NDArray[np.bool_]
    default_coordinates: Array
    free: tuple[str, ...]
    coupling: Array
    offset: Array
    curves: tuple[Curve, ...]
    marker_names: tuple[str, ...]
    marker_body: Ints
    marker_offset_m: Array
    frame_names: tuple[str, ...]
    frame_body: Ints
    frame_in_body: Array
    mass_kg: Array
    mass_center_m: Array
    chain: Chain

    @cached_property
    def body_index(self) -> dict[str, int]:
        """Index of each body by name."""
        return {name: index for index, name in enumerate(self.bodies)}

    @cached_property
    def coordinate_index(self) -> dict[str, int]:
        """Index of each coordinate in q by name."""
        return {name: index for index, name in enumerate(self.coordinates)}

    @cached_property
    def marker_index(self) -> dict[str, int]:
        """Index of each marker by name."""
        return {name: index for index, name in enumerate(self.marker_names)}

    @cached_property
    def frame_index(self) -> dict[str, int]:
        """Index of each named frame, "body/frame"."""
        return {name: index for index, name in enumerate(self.frame_names)}

    @cached_property
    def free_index(self) -> Ints:
        """Where the free coordinates stand in q, (k,)."""
        return np.array([self.coordinate_index[name] for name in self.free], dtype=np.int64)


def fullbody_path(coupled: bool = True) -> Path:
    """Where the project's own .osim lies: inside the installed package, or in the checkout.

    Raises UserError where neither has it.
    """
    name = "spinetrack_fullbody.osim" if coupled else "spinetrack_fullbody_free.osim"
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "opensim_models", package.parent / "opensim_models"):
        if (folder / name).is_file():
            return folder / name
    raise UserError(f"{name} is neither in the package nor beside it: install the package again")


def load_model(path: Path) -> Tree:
    """Read an .osim file.

    Raises UserError where the file is missing, is no OpenSim model, needs the opensim package for
    an upgrade, or holds a joint or function that is not supported.
    """
    path = Path(path)
    document = _document(path)
    if _version(document, path) < OPENSIM_4:
        document = parse_document(upgraded(path), path, _MODEL_FILE)
    model = document.find("Model")
    if model is None:
        raise UserError(f"{path}: no <Model> in it: give an OpenSim model (.osim)")
    return _Reader(path, model).tree()


def _document(path: Path) -> Element:
    root = read_document(path, _MODEL_FILE)
    if root.tag != "OpenSimDocument":
        raise UserError(f"{path}: starts with <{root.tag}>, expected <OpenSimDocument>")
    return root


def _version(document: Element, path: Path) -> int:
    text = document.get("Version", "")
    if not text.isdigit():
        raise UserError(f"{path}: OpenSimDocument has no version: write it again with OpenSim")
    return int(text)


# -- reading ------------------------------------------------------------------------------------

_X, _Y, _Z = np.eye(3)

_SIMPLE_JOINTS: Final[dict[str, tuple[tuple[bool, Array], ...]]] = {
    "WeldJoint": (),
    "PinJoint": ((True, _Z),),
    "SliderJoint": ((False, _X),),
    "UniversalJoint": ((True, _X), (True, _Y)),
    "GimbalJoint": ((True, _X), (True, _Y), (True, _Z)),
    "BallJoint": ((True, _X), (True, _Y), (True, _Z)),
    "PlanarJoint": ((True, _Z), (False, _X), (False, _Y)),
    "FreeJoint": ((True, _X), (True, _Y), (True, _Z), (False, _X), (False, _Y), (False, _Z)),
}
"""Joints with fixed axes: for each coordinate, whether it rotates, and about or along what."""


class _Axis(NamedTuple):
    is_rotation: bool
    direction: Array
    coordinate: str | None
    function: Piecewise


class _Joint(NamedTuple):
    name: str
    parent: str
    child: str
    joint_in_parent: Array
    joint_in_child: Array
    axes: tuple[_Axis, ...]
    turned: bool = False


@dataclass(frozen=True)
class _Coordinate:
    name: str
    lower: float
    upper: float
    default: float
    clamped: bool
    held: float | None
    """The value at which a lock or a prescribed constant holds it."""


@dataclass(frozen=True)
class _Coupler:
    driven: str
    drivers: tuple[str, ...]
    slopes: tuple[float, ...]
    intercept: float
    curve: Piecewise | None

    def __call__(self, values: Mapping[str, float]) -> float:
        """What the driven coordinate is, given its drivers."""
        if self.curve is not None:
            return self.curve(values[self.drivers[0]])
        return self.intercept + sum(s * values[d] for d, s in zip(self.drivers, self.slopes))


def _numbers(node: Element, tag: str, default: str) -> Array:
    return np.array((node.findtext(tag) or default).split(), dtype=float)


def _flag(node: Element, tag: str) -> bool:
    return (node.findtext(tag) or "false").strip().lower() == "true"


def _objects(model: Element, tag: str) -> Iterator[Element]:
    """The objects of a set; 'tag' names the set, whatever name it bears."""
    for objects in model.findall(f"{tag}/objects"):
        yield from objects


def _offset_transform(frame: Element) -> Array:
    """A PhysicalOffsetFrame in its parent, (4, 4): body-fixed X-Y-Z rotation, then translation."""
    transform = np.eye(4)
    cx, cy, cz = np.cos(angles := _numbers(frame, "orientation", "0 0 0"))
    sx, sy, sz = np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    transform[:3, :3] = about_x @ about_y @ about_z
    transform[:3, 3] = _numbers(frame, "translation", "0 0 0")
    return transform


def _offset_frames(node: Element, tag: str, path: str) -> Iterator[tuple[str, Element]]:
    """The offset frames that a component owns, and those that they own, with their paths."""
    for frame in node.iterfind(f"{tag}/PhysicalOffsetFrame"):
        name = f"{path}{frame.get('name', '')}"
        yield name, frame
        yield from _offset_frames(frame, "components", f"{name}/")


class _Reader:
    """One pass over a <Model> element; holds what later parts need from earlier ones."""

    def __init__(self, path: Path, model: Element) -> None:
        self.path = path
        self.model = model
        self.body_nodes = {node.get("name", ""): node for node in _objects(model, "BodySet")}
        self.frames: dict[str, tuple[str, Array]] = {"ground": ("ground", np.eye(4))}
        self.frames |= {name: (name, np.eye(4)) for name in self.body_nodes}
        self._collect_frames()

    def tree(self) -> Tree:
        joint_nodes = list(_objects(self.model, "JointSet"))
        coordinates = [
            self._coordinate(node)
            for joint in joint_nodes
            for node in joint.iterfind("coordinates/*")
        ]
        joints = self._parents_first([self._joint(node) for node in joint_nodes])
        bodies = tuple(joint.child for joint in joints)
        body_index = {"ground": GROUND} | {name: index for index, name in enumerate(bodies)}
        names = tuple(coordinate.name for coordinate in coordinates)
        chain = _chain(joints, body_index, names)
        free, coupling, offset, curves = self._couplings(coordinates)
        markers = [self._marker(node) for node in _objects(self.model, "MarkerSet")]
        frames = [self.frames[name] for name in self.named_frames]
        angular = {axis.coordinate for joint in joints for axis in joint.axes if axis.is_rotation}
        masses = [self.body_nodes[name] for name in bodies]
        defaults = np.array([coordinate.default for coordinate in coordinates])
        index = {name: i for i, name in enumerate(names)}
        consistent = coupling @ defaults[[index[name] for name in free]] + offset
        for curve in curves:
            consistent[curve.driven] = curve.function(consistent[curve.driver])
        return Tree(
            name=self.model.get("name", ""),
            bodies=bodies,
            coordinates=names,
            rotational=np.array([name in angular for name in names]),
            lower=np.array([coordinate.lower for coordinate in coordinates]),
            upper=np.array([coordinate.upper for coordinate in coordinates]),
            clamped=np.array([coordinate.clamped for coordinate in coordinates]),
            default_coordinates=consistent,
            free=free,
            coupling=coupling,
            offset=offset,
            curves=curves,
            marker_names=tuple(name for name, _, _ in markers),
            marker_body=np.array([body_index[body] for _, body, _ in markers], dtype=np.int64),
            marker_offset_m=np.array([point for _, _, point in markers]).reshape(-1, 3),
            frame_names=tuple(self.named_frames),
            frame_body=np.array([body_index[body] for body, _ in frames], dtype=np.int64),
            frame_in_body=np.array([transform for _, transform in frames]).reshape(-1, 4, 4),
            mass_kg=np.array([float(node.findtext("mass") or 0.0) for node in masses]),
            mass_center_m=np.array(
                [_numbers(node, "mass_center", "0 0 0") for node in masses]
            ).reshape(-1, 3),
            chain=chain,
        )

    # frames

    def _collect_frames(self) -> None:
        """Frames fixed to ground, bodies, joints or other frames, found in the components of each.

        They may hang on one another in any order.
        """
        pending = [
            found
            for owner, node in [("ground", self.model.find("Ground")), *self.body_nodes.items()]
            if node is not None
            for found in _offset_frames(node, "components", f"{owner}/")
        ]
        pending += _offset_frames(self.model, "components", "")
        self.named_frames = [name for name, _ in pending]
        for joint in _objects(self.model, "JointSet"):
            pending += _offset_frames(joint, "frames", f"jointset/{joint.get('name', '')}/")
        while pending:
            waiting = []
            for name, node in pending:
                owner = name.rpartition("/")[0]
                socket = (node.findtext("socket_parent") or "").strip()
                try:
                    body, base = self._frame(owner if socket == ".." else socket, owner)
                except KeyError:
                    waiting.append((name, node))
                    continue
                self.frames[name] = (body, base @ _offset_transform(node))
            if len(waiting) == len(pending):
                raise UserError(f"{self.path}: frame {waiting[0][0]} hangs on nothing known")
            pending = waiting

    def _frame(self, socket: str, owner: str = "") -> tuple[str, Array]:
        """Base body and transform in it of the frame that a socket's path names.

        ``owner`` is where the socket's path begins: a joint's frames are known to one another by
        their names alone.
        """
        steps = [step for step in socket.strip().split("/") if step and step not in (".", "..")]
        steps = [step for step in steps if step not in ("bodyset", "componentset")]
        last = steps[-1] if steps else ""
        of_joint = f"{owner}/{last}"
        if owner.startswith("jointset/") and not socket.startswith("/") and of_joint in self.frames:
            return self.frames[of_joint]
        for name in ("/".join(steps), "/".join(steps[-2:]), last):
            if name in self.frames:
                return self.frames[name]
        raise KeyError(socket)

    # joints

    def _joint(self, node: Element) -> _Joint:
        name = node.get("name", "")
        ends = [
            self._resolved(node.findtext(f"socket_{end}_frame") or "", name)
            for end in ("parent", "child")
        ]
        (parent, joint_in_parent), (child, joint_in_child) = ends
        own = [item.get("name", "") for item in node.iterfind("coordinates/*")]
        return _Joint(name, parent, child, joint_in_parent, joint_in_child, self._axes(node, own))

    def _resolved(self, socket: str, joint: str) -> tuple[str, Array]:
        try:
            return self._frame(socket, f"jointset/{joint}")
        except KeyError:
            raise UserError(f"{self.path}: joint {joint}: unknown frame '{socket}'") from None

    def _axes(self, node: Element, own: list[str]) -> tuple[_Axis, ...]:
        """The joint's axes in the order in which they move: translations, then rotations."""
        name = node.get("name", "")
        if node.tag == "CustomJoint":
            transform = node.find("SpatialTransform")
            axes = [] if transform is None else [self._transform_axis(a, name) for a in transform]
        elif node.tag in _SIMPLE_JOINTS:
            axes = [
                _Axis(is_rotation, direction, coordinate, straight(1.0, 0.0))
                for (is_rotation, direction), coordinate in zip(_SIMPLE_JOINTS[node.tag], own)
            ]
        else:
            supported = ", ".join(["CustomJoint", *_SIMPLE_JOINTS])
            raise UserError(
                f"{self.path}: joint {name} is a {node.tag}, which is not supported "
                f"(supported: {supported})"
            )
        moving = [axis for axis in axes if axis.coordinate or axis.function.line != (0.0, 0.0)]
        return tuple(sorted(moving, key=lambda axis: axis.is_rotation))

    def _transform_axis(self, node: Element, joint: str) -> _Axis:
        names = (node.findtext("coordinates") or "").split()
        function = next((child for child in node if child.get("name") == "function"), None)
        wrapped = node.find("function")
        if function is None and wrapped is not None and len(wrapped):
            function = wrapped[0]
        where = f"{self.path}: joint {joint}, {node.get('name')}"
        if len(names) > 1:
            raise UserError(f"{where}: moves with {len(names)} coordinates, one is supported")
        try:
            if function is None:
                amount = straight(1.0 if names else 0.0, 0.0)
            else:
                amount = parse_function(function)
        except UnsupportedFunction as error:
            raise UserError(f"{where}: function {error} is not supported") from None
        is_rotation = node.get("name", "").startswith("rotation")
        direction = _numbers(node, "axis", "1 0 0")
        if not names:
            amount = straight(0.0, amount(0.0))
        return _Axis(
            is_rotation,
            direction / np.linalg.norm(direction),
            names[0] if names else None,
            amount,
        )

    def _parents_first(self, joints: list[_Joint]) -> list[_Joint]:
        """The joints outward from ground, each turned round that stands the other way in the file.

        Where either way is open, the order of the file is kept.
        """
        ordered: list[_Joint] = []
        reached, waiting = {"ground"}, joints
        while waiting:
            # One at a time keeps the order of the file wherever it is already right.
            ready = next((joint for joint in waiting if joint.parent in reached), None)
            if ready is None:
                ready = next((joint for joint in waiting if joint.child in reached), None)
            if ready is None:
                raise UserError(
                    f"{self.path}: joint {waiting[0].name} does not lead to ground: its bodies "
                    f"{waiting[0].parent} and {waiting[0].child} hang on nothing"
                )
            outward = ready if ready.parent in reached else _reversed(ready)
            if outward.child in reached:
                raise UserError(
                    f"{self.path}: body {outward.child} hangs on two joints, the second is "
                    f"{ready.name}: loops are not supported"
                )
            ordered.append(outward)
            reached.add(outward.child)
            waiting = [joint for joint in waiting if joint is not ready]
        loose = [name for name in self.body_nodes if name not in reached]
        if loose:
            raise UserError(f"{self.path}: body {loose[0]} has no joint")
        return ordered

    # coordinates

    def _coordinate(self, node: Element) -> _Coordinate:
        # OpenSim leaves out what has its default value: no range means -10..10.
        lower, upper = _numbers(node, "range", "-10 10")
        default = float(node.findtext("default_value") or 0.0)
        return _Coordinate(
            name=node.get("name", ""),
            lower=float(lower),
            upper=float(upper),
            default=default,
            clamped=_flag(node, "clamped"),
            held=self._held(node, default),
        )

    def _held(self, node: Element, default: float) -> float | None:
        """Where a lock or a prescribed constant holds a coordinate; None where it may move.

        As in OpenSim, a coordinate said to be prescribed is not where it has no function, and
        where it has one, that counts and not the default.
        """
        locked = default if _flag(node, "locked") else None
        function = node.find("prescribed_function/*")
        if function is None or not _flag(node, "prescribed"):
            return locked
        where = f"{self.path}: coordinate {node.get('name')}"
        try:
            value = parse_function(function).constant
        except UnsupportedFunction:
            value = None
        if value is None:
            raise UserError(
                f"{where} is prescribed over time by a {function.tag}, which is not supported "
                "(a constant is); set its prescribed to false to have it solved for"
            )
        if locked is not None and abs(locked - value) > CONTRADICTION:
            raise UserError(
                f"{where} is locked at {locked:g} and prescribed to be {value:g}: set one of "
                "the two to false"
            )
        return value

    def _couplings(
        self, coordinates: list[_Coordinate]
    ) -> tuple[tuple[str, ...], Array, Array, tuple[Curve, ...]]:
        """Free coordinates, coupling (n, k), offset (n,) and the couplers that are no lines."""
        index = {coordinate.name: i for i, coordinate in enumerate(coordinates)}
        held, couplers = self._settled(coordinates, self._couplers(index))
        free = tuple(c.name for c in coordinates if c.name not in couplers and c.name not in held)
        column = {name: i for i, name in enumerate(free)}
        rows: dict[str, tuple[Array, float]] = {}

        def row(name: str, above: tuple[str, ...]) -> tuple[Array, float]:
            """How a coordinate depends on the free ones."""
            if name in above:
                raise UserError(f"{self.path}: couplers drive {name} in a circle")
            if name in rows:
                return rows[name]
            slopes, intercept = np.zeros(len(free)), 0.0
            if name in column:
                slopes[column[name]] = 1.0
            elif name in held:
                intercept = held[name]
            elif couplers[name].curve is None:
                intercept = couplers[name].intercept
                for driver, slope in zip(couplers[name].drivers, couplers[name].slopes):
                    driver_slopes, driver_intercept = row(driver, (*above, name))
                    slopes = slopes + slope * driver_slopes
                    intercept += slope * driver_intercept
            elif any(driver not in column for driver in couplers[name].drivers):
                raise UserError(
                    f"{self.path}: the curved coupler of {name} is driven by "
                    f"{couplers[name].drivers[0]}, which is not free itself: not supported"
                )
            rows[name] = (slopes, intercept)
            return rows[name]

        all_rows = [row(coordinate.name, ()) for coordinate in coordinates]
        curves = tuple(
            Curve(index[c.driven], index[c.drivers[0]], c.curve)
            for c in couplers.values()
            if c.curve is not None
        )
        driven_by_curves = {coordinates[curve.driven].name for curve in curves}
        for coupler in couplers.values():
            if coupler.curve is None and driven_by_curves & set(coupler.drivers):
                raise UserError(
                    f"{self.path}: {coupler.driven} is coupled to a coordinate that a curved "
                    "coupler drives: not supported"
                )
        coupling = np.array([slopes for slopes, _ in all_rows]).reshape(len(coordinates), len(free))
        return free, coupling, np.array([intercept for _, intercept in all_rows]), curves

    def _settled(
        self, coordinates: list[_Coordinate], couplers: dict[str, _Coupler]
    ) -> tuple[dict[str, float], dict[str, _Coupler]]:
        """The coordinates that cannot move with their values, and the couplers left over.

        A coupler hands a hold on from its drivers to what it drives, and from there back to a
        driver: OpenSim sees one equation, whichever side of it is locked.
        """
        held = {c.name: c.held for c in coordinates if c.held is not None}
        defaults = {c.name: c.default for c in coordinates}
        left = dict(couplers)

        def open_names(coupler: _Coupler) -> set[str]:
            return {coupler.driven, *coupler.drivers} - held.keys()

        while ready := next((c for c in left.values() if len(open_names(c)) <= 1), None):
            del left[ready.driven]
            driven, where = ready.driven, f"{self.path}: coordinate {ready.driven}"
            if driven not in held:
                held[driven] = ready(held)
            elif not (names := open_names(ready)):
                if abs(ready(held) - held[driven]) > CONTRADICTION:
                    raise UserError(
                        f"{where} is held at {held[driven]:g}, but its coupler to "
                        f"{' and '.join(ready.drivers)}, held as well, makes it {ready(held):g}"
                    )
            else:
                driver = names.pop()
                value = _driver_at(ready, driver, held, defaults[driver])
                if value is None:
                    raise UserError(
                        f"{where} is held at {held[driven]:g}, which its coupler to {driver} "
                        "never makes it"
                    )
                held[driver] = value
        for coupler in left.values():
            if coupler.driven in held:
                raise UserError(
                    f"{self.path}: coordinate {coupler.driven} is held, but coupled to "
                    f"{' and '.join(coupler.drivers)} together: not supported"
                )
        return held, left

    def _couplers(self, index: dict[str, int]) -> dict[str, _Coupler]:
        """The couplers in force, by what they drive."""
        couplers: dict[str, _Coupler] = {}
        for node in _objects(self.model, "ConstraintSet"):
            if (node.findtext("isEnforced") or "true").strip().lower() == "false":
                continue
            if node.tag != "CoordinateCouplerConstraint":
                raise UserError(
                    f"{self.path}: constraint {node.get('name')} is a {node.tag}, which is not "
                    "supported (supported: CoordinateCouplerConstraint); to do without it, set its "
                    "isEnforced to false"
                )
            coupler = self._coupler(node, index)
            if coupler.driven in couplers:
                raise UserError(
                    f"{self.path}: two couplers drive {coupler.driven}, the second is "
                    f"{node.get('name')}: not supported; set isEnforced of one to false"
                )
            couplers[coupler.driven] = coupler
        return couplers

    def _coupler(self, node: Element, index: dict[str, int]) -> _Coupler:
        where = f"{self.path}: coupler {node.get('name')}"
        driven = (node.findtext("dependent_coordinate_name") or "").strip()
        drivers = tuple((node.findtext("independent_coordinate_names") or "").split())
        for name in (driven, *drivers):
            if name not in index:
                raise UserError(f"{where}: no coordinate '{name}' in the model")
        function = node.find("coupled_coordinates_function/*")
        if function is None:
            raise UserError(f"{where}: has no function")
        factor = float(node.findtext("scale_factor") or 1.0)
        if function.tag == "LinearFunction":
            *slopes, intercept = (factor * _numbers(function, "coefficients", "1 0")).tolist()
            if len(slopes) == len(drivers):
                return _line(driven, drivers, slopes, intercept)
        if len(drivers) != 1:
            raise UserError(
                f"{where}: a {function.tag} of {len(drivers)} coordinates is not supported"
            )
        try:
            curve = parse_function(function).times(factor)
        except UnsupportedFunction as error:
            raise UserError(f"{where}: function {error} is not supported") from None
        if curve.line is not None:
            slope, intercept = curve.line
            return _line(driven, drivers, [slope], intercept)
        return _Coupler(driven, drivers, (), 0.0, curve)

    # markers

    def _marker(self, node: Element) -> tuple[str, str, Array]:
        name = node.get("name", "")
        socket = node.findtext("socket_parent_frame") or ""
        try:
            body, frame = self._frame(socket)
        except KeyError:
            raise UserError(f"{self.path}: marker {name}: unknown frame '{socket}'") from None
        location = _numbers(node, "location", "0 0 0")
        return name, body, frame[:3, :3] @ location + frame[:3, 3]


def _line(driven: str, drivers: tuple[str, ...], slopes: list[float], intercept: float) -> _Coupler:
    """A linear coupler, without the drivers that it does not heed."""
    heeded = [(driver, slope) for driver, slope in zip(drivers, slopes) if slope != 0]
    return _Coupler(
        driven, tuple(d for d, _ in heeded), tuple(s for _, s in heeded), intercept, None
    )


def _driver_at(
    coupler: _Coupler, driver: str, held: Mapping[str, float], near: float
) -> float | None:
    """Where a coupler's one driver that is not held must be for what is driven to be where it is
    held; of several such places of a curve the one nearest to ``near``, None without any."""
    wanted = held[coupler.driven]
    if coupler.curve is not None:
        places = coupler.curve.reaches(wanted)
        return float(places[np.argmin(np.abs(places - near))]) if len(places) else None
    rest = coupler({**held, driver: 0.0})
    return (wanted - rest) / (coupler({**held, driver: 1.0}) - rest)


def _reversed(joint: _Joint) -> _Joint:
    """The same joint seen from its child: the child carries the parent, every motion undone."""
    return _Joint(
        joint.name,
        joint.child,
        joint.parent,
        joint.joint_in_child,
        joint.joint_in_parent,
        tuple(axis._replace(function=axis.function.times(-1.0)) for axis in reversed(joint.axes)),
        turned=True,
    )


def _chain(joints: list[_Joint], body_index: dict[str, int], coordinates: tuple[str, ...]) -> Chain:
    """The joints packed into flat arrays."""
    column = {name: i for i, name in enumerate(coordinates)}
    axes = [axis for joint in joints for axis in joint.axes]
    degree = max([2, *(axis.function.coefficients.shape[1] for axis in axes)])
    pieces = [
        np.pad(c := axis.function.coefficients, ((0, 0), (0, degree - c.shape[1]))) for axis in axes
    ]
    return Chain(
        parent=np.array([body_index[joint.parent] for joint in joints], dtype=np.int64),
        turned=np.array([joint.turned for joint in joints], dtype=np.bool_),
        joint_in_parent=np.array([joint.joint_in_parent for joint in joints]).reshape(-1, 4, 4),
        child_in_joint=np.array([np.linalg.inv(joint.joint_in_child) for joint in joints]).reshape(
            -1, 4, 4
        ),
        axis_start=np.cumsum([0, *(len(joint.axes) for joint in joints)], dtype=np.int64),
        axis_is_rotation=np.array([axis.is_rotation for axis in axes], dtype=np.bool_),
        axis_direction=np.array([axis.direction for axis in axes]).reshape(-1, 3),
        axis_coordinate=np.array(
            [column[axis.coordinate] if axis.coordinate else -1 for axis in axes], dtype=np.int64
        ),
        piece_start=np.cumsum([0, *map(len, pieces)], dtype=np.int64),
        piece_knot=np.concatenate([np.zeros(0), *(axis.function.knots for axis in axes)]),
        piece_coefficient=np.concatenate([np.zeros((0, degree)), *pieces]),
    )

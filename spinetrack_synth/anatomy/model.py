"""Any .osim file as arrays: bodies, joints, coordinates, couplers, markers.

Documents of OpenSim 4 are read with the standard library alone; older ones are first upgraded by
the opensim package. Nothing moves here: see `kinematics`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy import constraints
from spinetrack_synth.anatomy.amounts import Program, Step, Steps, as_program, followed
from spinetrack_synth.anatomy.constraints import Tie
from spinetrack_synth.anatomy.documents import (
    Damaged,
    floats,
    is_true,
    one_float,
    parse_document,
    read_document,
)
from spinetrack_synth.anatomy.functions import (
    Multivariate,
    Piecewise,
    UnsupportedFunction,
    parse_function,
    parse_multivariate,
    polynomial,
)
from spinetrack_synth.anatomy.joints import (
    Axis,
    MotionType,
    UnsupportedJoint,
    coordinate_names,
    joint_axes,
    motion_types,
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

ELSE_OPENSIM: Final = "`ik --engine opensim` solves what OpenSim loads"

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
    ``axis_coordinate`` (A,) or -1, its index in `Tree.quantities`, and the amount of motion as a
    piecewise polynomial of that quantity with the pieces ``piece_start[a]:piece_start[a + 1]``:
    ``piece_knot`` (S,), ``piece_coefficient`` (S, D) in ascending powers of ``q - knot``.
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


class Stretch(NamedTuple):
    """How the translations of A axes grow when the model is scaled: by the sum of ``weight`` (A, 3)
    times the factors of ``body`` (A,), where any weight is there."""

    body: Ints
    weight: Array


@dataclass(frozen=True)
class Tree:
    """A model as arrays. Angles in rad, lengths in m, B bodies, n coordinates, k free ones.

    ``bodies`` stand parents before children, without ground; where joints close a loop, a body
    stands there twice and ``stands_for`` (B,) is the index of the first, or GROUND.
    ``coordinates`` are all coordinates, in OpenSim's order; ``rotational`` (n,) tells angles from
    lengths, ``motion_type`` (n,) is what OpenSim calls them, on which the units in its files
    depend. ``free`` are those that no coupler drives and no lock or prescribed constant holds:
    ``q = coupling @ z + offset``
    (n, k), (n,), and where there are ``steps``, `kinematics.all_coordinates` adds what they drive.
    ``ties`` are what other constraints hold at zero; nothing here sees to that.
    ``frame_*`` are the named frames fixed to bodies ("L1/superior_endplate"), ``frame_in_body``
    (F, 4, 4). Body index -1 stands for ground.
    """

    name: str
    bodies: tuple[str, ...]
    stands_for: Ints
    coordinates: tuple[str, ...]
    rotational: NDArray[np.bool_]
    motion_type: tuple[MotionType, ...]
    lower: Array
    upper: Array
    clamped: NDArray[np.bool_]
    default_coordinates: Array
    free: tuple[str, ...]
    coupling: Array
    offset: Array
    steps: tuple[Step, ...]
    ties: tuple[Tie, ...]
    marker_names: tuple[str, ...]
    marker_body: Ints
    marker_offset_m: Array
    frame_names: tuple[str, ...]
    frame_body: Ints
    frame_in_body: Array
    mass_kg: Array
    mass_center_m: Array
    chain: Chain
    stretch: Stretch

    @cached_property
    def quantities(self) -> tuple[str, ...]:
        """The coordinates, then what else the steps set for axes and ties to follow."""
        return tuple(dict.fromkeys((*self.coordinates, *(step.target for step in self.steps))))

    @cached_property
    def quantity_index(self) -> dict[str, int]:
        """Index of each quantity by name; coordinates have that in q."""
        return {name: index for index, name in enumerate(self.quantities)}

    @cached_property
    def program(self) -> Program:
        """The steps as arrays."""
        return as_program(self.steps, self.quantity_index)

    @cached_property
    def depends(self) -> NDArray[np.bool_]:
        """Which quantity depends on which free coordinate, (quantities, k)."""
        found = np.zeros((len(self.quantities), len(self.free)), dtype=np.bool_)
        found[: len(self.coordinates)] = self.coupling != 0
        for step in self.steps:
            sources = [self.quantity_index[name] for name in step.sources]
            found[self.quantity_index[step.target]] = found[sources].any(axis=0)
        return found

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


@cache
def fullbody() -> Tree:
    """The one skeleton everything is expressed in, read once a process."""
    return load_model(fullbody_path())


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
    try:
        return _Reader(path, model).tree()
    except Damaged as error:
        raise UserError(f"{path}: {error}") from None


def _document(path: Path) -> Element:
    root = read_document(path, _MODEL_FILE)
    if root.tag != "OpenSimDocument":
        raise UserError(f"{path}: starts with <{root.tag}>, expected <OpenSimDocument>")
    return root


def _version(document: Element, path: Path) -> int:
    text = document.get("Version", "")
    if not text.isdecimal():
        raise UserError(f"{path}: OpenSimDocument has no version: write it again with OpenSim")
    return int(text)


# -- reading ------------------------------------------------------------------------------------


class _Joint(NamedTuple):
    name: str
    parent: str
    child: str
    joint_in_parent: Array
    joint_in_child: Array
    axes: tuple[Axis, ...]
    turned: bool = False
    stands_for: str = ""


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
    """``driven`` is a line of the drivers, or where there is a ``curve``, that function of them."""

    name: str
    driven: str
    drivers: tuple[str, ...]
    slopes: tuple[float, ...]
    intercept: float
    curve: Piecewise | Multivariate | None

    def __call__(self, values: Mapping[str, float]) -> float:
        """What the driven coordinate is, given its drivers."""
        if isinstance(self.curve, Piecewise):
            return self.curve(values[self.drivers[0]])
        if self.curve is not None:
            return self.curve([values[driver] for driver in self.drivers])
        return self.intercept + sum(s * values[d] for d, s in zip(self.drivers, self.slopes))

    def take(self, steps: Steps, target: str | None) -> str:
        """Add the steps that reckon it; returns the name of the quantity, ``target`` if given."""
        if isinstance(self.curve, Piecewise):
            return steps.pieces(self.curve, self.drivers[0], target)
        if self.curve is not None:
            return steps.polynomial(self.curve, self.drivers, target)
        return steps.total(dict(zip(self.drivers, self.slopes)), self.intercept, target)


def _objects(model: Element, tag: str) -> Iterator[Element]:
    """The objects of a set; 'tag' names the set, whatever name it bears."""
    for objects in model.findall(f"{tag}/objects"):
        yield from objects


def _offset_transform(frame: Element) -> Array:
    """A PhysicalOffsetFrame in its parent, (4, 4): body-fixed X-Y-Z rotation, then translation."""
    transform = np.eye(4)
    cx, cy, cz = np.cos(angles := floats(frame, "orientation", "0 0 0", 3))
    sx, sy, sz = np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    transform[:3, :3] = about_x @ about_y @ about_z
    transform[:3, 3] = floats(frame, "translation", "0 0 0", 3)
    return transform


_STATIONS: Final = ("Station", "Marker")
_FRAMES: Final = ("PhysicalOffsetFrame", "StationDefinedFrame", *_STATIONS)


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


class _Reader:
    """One pass over a <Model> element; holds what later parts need from earlier ones."""

    def __init__(self, path: Path, model: Element) -> None:
        self.path = path
        self.model = model
        names = [node.get("name", "") for node in _objects(model, "BodySet")]
        if twice := [name for name in names if names.count(name) > 1]:
            raise UserError(f"{path}: two bodies are called {twice[0]}: rename one")
        self.body_nodes = {node.get("name", ""): node for node in _objects(model, "BodySet")}
        self.frames: dict[str, tuple[str, Array]] = {"ground": ("ground", np.eye(4))}
        self.frames |= {name: (name, np.eye(4)) for name in self.body_nodes}
        self.steps_of_joints, self.steps_of_ties = Steps("joint"), Steps("tie")
        self.ties: list[Tie] = []
        self._collect_frames()

    def tree(self) -> Tree:
        joint_nodes = list(_objects(self.model, "JointSet"))
        coordinates = [
            self._coordinate(nodes.get(name, Element("Coordinate", name=name)))
            for joint in joint_nodes
            for nodes in [{c.get("name", ""): c for c in joint.iterfind("coordinates/*")}]
            for name in coordinate_names(joint)
        ]
        joints = self._parents_first([self._joint(node) for node in joint_nodes])
        bodies = tuple(joint.child for joint in joints)
        body_index = {"ground": GROUND} | {name: index for index, name in enumerate(bodies)}
        names = tuple(coordinate.name for coordinate in coordinates)
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UserError(
                f"{self.path}: two coordinates are called {twice}: rename one, motion files tell "
                "them apart by their names alone"
            )
        free, coupling, offset, couplers = self._couplings(coordinates)
        self._read_constraints()
        steps = (*couplers, *self.steps_of_joints.taken, *self.steps_of_ties.taken)
        quantities = dict.fromkeys((*names, *(step.target for step in steps)))
        index = {name: i for i, name in enumerate(quantities)}
        chain = _chain(joints, body_index, index)
        markers = [self._marker(node) for node in _objects(self.model, "MarkerSet")]
        frames = [self.frames[name] for name in self.named_frames]
        types = {n: t for node in joint_nodes for n, t in motion_types(node).items()}
        angular = {axis.quantity for joint in joints for axis in joint.axes if axis.is_rotation}
        for step in reversed(self.steps_of_joints.taken):
            angular |= set(step.sources) if step.target in angular else set()
        masses = [self.body_nodes.get(name, Element("Body")) for name in bodies]
        defaults = np.array([coordinate.default for coordinate in coordinates])
        consistent = coupling @ defaults[[index[name] for name in free]] + offset
        if steps:
            consistent = followed(as_program(steps, index), consistent[None])[0, : len(names)]
        return Tree(
            name=self.model.get("name", ""),
            bodies=bodies,
            stands_for=np.array(
                [body_index[joint.stands_for or joint.child] for joint in joints], dtype=np.int64
            ),
            coordinates=names,
            rotational=np.array([name in angular for name in names], dtype=np.bool_),
            motion_type=tuple(types.get(name, "Coupled") for name in names),
            lower=np.array([coordinate.lower for coordinate in coordinates]),
            upper=np.array([coordinate.upper for coordinate in coordinates]),
            clamped=np.array([coordinate.clamped for coordinate in coordinates]),
            default_coordinates=consistent,
            free=free,
            coupling=coupling,
            offset=offset,
            steps=steps,
            ties=tuple(self.ties),
            marker_names=_unique([name for name, _, _ in markers]),
            marker_body=np.array([body_index[body] for _, body, _ in markers], dtype=np.int64),
            marker_offset_m=np.array([point for _, _, point in markers]).reshape(-1, 3),
            frame_names=tuple(self.named_frames),
            frame_body=np.array([body_index[body] for body, _ in frames], dtype=np.int64),
            frame_in_body=np.array([transform for _, transform in frames]).reshape(-1, 4, 4),
            mass_kg=np.array([one_float(node, "mass", 0) for node in masses]),
            mass_center_m=np.array(
                [floats(node, "mass_center", "0 0 0", 3) for node in masses]
            ).reshape(-1, 3),
            chain=chain,
            stretch=_stretch(joints, body_index),
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
        self.named_frames = [name for name, node in pending if node.tag not in _STATIONS]
        for set_name, tag in (("jointset", "JointSet"), ("constraintset", "ConstraintSet")):
            for owner in _objects(self.model, tag):
                pending += _offset_frames(owner, "frames", f"{set_name}/{owner.get('name', '')}/")
        markers = {f"markerset/{m.get('name', '')}": m for m in _objects(self.model, "MarkerSet")}
        if any(node.tag == "StationDefinedFrame" for _, node in pending):
            pending += markers.items()
        while pending:
            waiting = []
            for name, node in pending:
                try:
                    self.frames[name] = self._placed(node, name.rpartition("/")[0])
                except KeyError:
                    waiting.append((name, node))
            if all(name in markers for name, _ in waiting):
                break
            if len(waiting) == len(pending):
                raise UserError(f"{self.path}: frame {waiting[0][0]} hangs on nothing known")
            pending = waiting

    def _placed(self, node: Element, owner: str) -> tuple[str, Array]:
        """Base body and transform in it of a frame or station; KeyError while that is not known."""
        if node.tag == "StationDefinedFrame":
            tags = ("point_a", "point_b", "point_c", "origin_point")
            stations = [self._frame(node.findtext(f"socket_{tag}") or "", owner) for tag in tags]
            return stations[0][0], _frame_of_stations(node, [at[:3, 3] for _, at in stations])
        tag = "socket_parent" if node.tag == "PhysicalOffsetFrame" else "socket_parent_frame"
        socket = (node.findtext(tag) or "").strip()
        body, base = self._frame(socket, owner)
        if node.tag == "PhysicalOffsetFrame":
            return body, base @ _offset_transform(node)
        at = np.eye(4)
        at[:3, 3] = floats(node, "location", "0 0 0", 3)
        return body, base @ at

    def _frame(self, socket: str, owner: str = "") -> tuple[str, Array]:
        """Base body and transform in it of the frame that a socket's path names.

        ``owner`` is what owns the component whose socket it is: where a relative path begins, and
        a joint's frames are known to one another by their names alone.
        """
        if socket.startswith(".."):
            place = [*owner.split("/"), ""]
            for step in socket.split("/"):
                place = place[:-1] if step == ".." else [*place, step]
            if "/".join(place) in self.frames:
                return self.frames["/".join(place)]
        steps = [step for step in socket.strip().split("/") if step and step not in (".", "..")]
        steps = [step for step in steps if step not in ("bodyset", "componentset")]
        last = steps[-1] if steps else ""
        of_joint = f"{owner}/{last}"
        is_local = owner.startswith(("jointset/", "constraintset/")) and socket[:1] != "/"
        if is_local and of_joint in self.frames:
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
        try:
            axes = joint_axes(node, self.steps_of_joints)
        except UnsupportedJoint as error:
            raise UserError(f"{self.path}: joint {name} {error}; {ELSE_OPENSIM}") from None
        except Damaged as error:
            raise UserError(f"{self.path}: joint {name}: {error}") from None
        return _Joint(name, parent, child, joint_in_parent, joint_in_child, axes)

    def _resolved(self, socket: str, joint: str) -> tuple[str, Array]:
        try:
            return self._frame(socket, f"jointset/{joint}")
        except KeyError:
            raise UserError(f"{self.path}: joint {joint}: unknown frame '{socket}'") from None

    def _parents_first(self, joints: list[_Joint]) -> list[_Joint]:
        """The joints outward from ground, each turned round that stands the other way in the file.

        Where either way is open, the order of the file is kept. A joint that closes a loop carries
        a body that stands for its child and is welded to it, as in OpenSim.
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
                again = f"{outward.child} by {ready.name}"
                whole = np.eye(4)
                self.ties += constraints.weld(ready.name, (outward.child, whole), (again, whole))
                outward = outward._replace(child=again, stands_for=outward.child)
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
        lower, upper = floats(node, "range", "-10 10", 2)
        default = one_float(node, "default_value", 0)
        name = node.get("name", "")
        if not np.isfinite(default) or not lower <= upper:
            raise UserError(
                f"{self.path}: coordinate {name}: range {lower:g} to {upper:g}, default_value "
                f"{default:g}: mend the numbers"
            )
        return _Coordinate(
            name=name,
            lower=float(lower),
            upper=float(upper),
            default=default,
            clamped=is_true(node, "clamped", default=False),
            held=self._held(node, default),
        )

    def _held(self, node: Element, default: float) -> float | None:
        """Where a lock or a prescribed constant holds a coordinate; None where it may move.

        As in OpenSim, a coordinate said to be prescribed is not where it has no function, and
        where it has one, that counts and not the default.
        """
        locked = default if is_true(node, "locked", default=False) else None
        function = node.find("prescribed_function/*")
        if function is None or not is_true(node, "prescribed", default=False):
            return locked
        where = f"{self.path}: coordinate {node.get('name')}"
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

    def _couplings(
        self, coordinates: list[_Coordinate]
    ) -> tuple[tuple[str, ...], Array, Array, tuple[Step, ...]]:
        """Free coordinates, coupling (n, k), offset (n,) and the couplers that are no lines."""
        index = {coordinate.name: i for i, coordinate in enumerate(coordinates)}
        held, couplers = self._settled(coordinates, self._couplers(index))
        couplers = self._drivers_first(couplers)
        free = tuple(c.name for c in coordinates if c.name not in couplers and c.name not in held)
        coupling, offset = np.zeros((len(index), len(free))), np.zeros(len(index))
        coupling[[index[name] for name in free], np.arange(len(free))] = 1.0
        for name, value in held.items():
            offset[index[name]] = value
        steps = Steps("coupler")
        curved: set[str] = set()
        for name, coupler in couplers.items():
            if coupler.curve is not None or curved & set(coupler.drivers):
                coupler.take(steps, name)
                curved.add(name)
                continue
            offset[index[name]] = coupler.intercept
            for driver, slope in zip(coupler.drivers, coupler.slopes):
                coupling[index[name]] += slope * coupling[index[driver]]
                offset[index[name]] += slope * offset[index[driver]]
        return free, coupling, offset, tuple(steps.taken)

    def _drivers_first(self, couplers: dict[str, _Coupler]) -> dict[str, _Coupler]:
        """The couplers in an order in which each follows its drivers.

        Those that drive one another in a circle cannot all be followed: of each circle one becomes
        an equation to be solved.
        """
        ordered: dict[str, _Coupler] = {}
        left = dict(couplers)
        while left:
            ready = next((c for c in left.values() if not left.keys() & set(c.drivers)), None)
            if ready is None:
                ready = left.popitem()[1]
                self._tie_coupler(ready)
            else:
                ordered[ready.driven] = left.pop(ready.driven)
        return ordered

    def _tie_coupler(self, coupler: _Coupler) -> None:
        """Hold a coupler as an equation: that what it drives differs by nothing from its value."""
        wanted = coupler.take(self.steps_of_ties, None)
        away = self.steps_of_ties.total({coupler.driven: 1.0, wanted: -1.0})
        self.ties.append(Tie(coupler.name, constraints.QUANTITY, quantity=away))

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
        for coupler in [coupler for coupler in left.values() if coupler.driven in held]:
            self._tie_coupler(left.pop(coupler.driven))
        return held, left

    def _enforced(self) -> Iterator[Element]:
        """The constraints in force."""
        for node in _objects(self.model, "ConstraintSet"):
            if is_true(node, "isEnforced", default=True):
                yield node

    def _couplers(self, index: dict[str, int]) -> dict[str, _Coupler]:
        """The couplers in force, by what they drive; of two that drive the same, the second is an
        equation to be solved."""
        couplers: dict[str, _Coupler] = {}
        for node in self._enforced():
            if node.tag == "CoordinateCouplerConstraint":
                coupler = self._coupler(node, index)
                if coupler.driven in couplers:
                    self._tie_coupler(coupler)
                else:
                    couplers[coupler.driven] = coupler
        return couplers

    def _read_constraints(self) -> None:
        """Add the ties of the constraints in force that are no couplers."""
        for node in self._enforced():
            name = node.get("name", "")
            match node.tag:
                case "CoordinateCouplerConstraint":
                    continue
                case "WeldConstraint":
                    ends = [self._socket(node, tag) for tag in ("frame1", "frame2")]
                    self.ties += constraints.weld(name, *ends)
                case "PointConstraint" | "ConstantDistanceConstraint":
                    (a, at_a), (b, at_b) = [
                        (
                            self._base_body(node, f"body_{end}"),
                            floats(node, f"location_body_{end}", "0 0 0", 3),
                        )
                        for end in (1, 2)
                    ]
                    if node.tag == "PointConstraint":
                        self.ties += constraints.point_on_point(name, a, at_a, b, at_b)
                    else:
                        far_m = one_float(node, "constant_distance", 0)
                        self.ties += constraints.rod(name, a, at_a, b, at_b, far_m)
                case "PointOnLineConstraint":
                    direction = floats(node, "line_direction_vec", "0 1 0", 3)
                    if not 0 < np.linalg.norm(direction) < np.inf:
                        raise Damaged(f"constraint {name}: its line has no direction")
                    self.ties += constraints.point_on_line(
                        name,
                        self._base_body(node, "line_body"),
                        floats(node, "point_on_line", "0 0 0", 3),
                        direction,
                        self._base_body(node, "follower_body"),
                        floats(node, "point_on_follower", "0 0 0", 3),
                    )
                case kind:
                    raise UserError(
                        f"{self.path}: constraint {name} is a {kind}, which is not supported; to "
                        f"do without it, set its isEnforced to false, or {ELSE_OPENSIM}"
                    )

    def _socket(self, node: Element, end: str) -> tuple[str, Array]:
        """Base body and transform of one end of a constraint."""
        name = node.get("name", "")
        socket = (node.findtext(f"socket_{end}") or "").strip()
        try:
            return self._frame(socket, f"constraintset/{name}")
        except KeyError:
            raise UserError(f"{self.path}: constraint {name}: unknown frame '{socket}'") from None

    def _base_body(self, node: Element, end: str) -> tuple[str, Array]:
        """The body at one end of a constraint: whatever the frame, OpenSim takes points there."""
        return self._socket(node, end)[0], np.eye(4)

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
        if driven in drivers:
            raise UserError(f"{where}: couples {driven} to itself: take it out")
        factor = one_float(node, "scale_factor", 1)
        name = node.get("name", "")
        try:
            if len(drivers) != 1:
                several = parse_multivariate(function, len(drivers)).times(factor)
                if several.line is None:
                    return _Coupler(name, driven, drivers, (), 0.0, several)
                return _line(name, driven, drivers, *several.line)
            curve = parse_function(function).times(factor)
        except UnsupportedFunction as error:
            raise UserError(f"{where}: function {error} is not supported; {ELSE_OPENSIM}") from None
        except Damaged as error:
            raise UserError(f"{where}: {error}") from None
        if curve.line is not None:
            slope, intercept = curve.line
            return _line(name, driven, drivers, np.array([slope]), intercept)
        return _Coupler(name, driven, drivers, (), 0.0, curve)

    # markers

    def _marker(self, node: Element) -> tuple[str, str, Array]:
        name = node.get("name", "")
        socket = node.findtext("socket_parent_frame") or ""
        try:
            body, frame = self._frame(socket)
        except KeyError:
            raise UserError(f"{self.path}: marker {name}: unknown frame '{socket}'") from None
        location = floats(node, "location", "0 0 0", 3)
        return name, body, frame[:3, :3] @ location + frame[:3, 3]


def _line(
    name: str, driven: str, drivers: tuple[str, ...], slopes: Array, intercept: float
) -> _Coupler:
    """A linear coupler, without the drivers that it does not heed."""
    heeded = [(driver, slope) for driver, slope in zip(drivers, slopes.tolist()) if slope != 0]
    names, kept = tuple(d for d, _ in heeded), tuple(s for _, s in heeded)
    return _Coupler(name, driven, names, kept, intercept, None)


def _driver_at(
    coupler: _Coupler, driver: str, held: Mapping[str, float], near: float
) -> float | None:
    """Where a coupler's one driver that is not held must be for what is driven to be where it is
    held; of several such places of a curve the one nearest to ``near``, None without any."""
    wanted = held[coupler.driven]
    curve = coupler.curve
    if isinstance(curve, Multivariate):
        at = coupler.drivers.index(driver)
        others = np.array([held.get(name, 0.0) for name in coupler.drivers])
        powers = np.delete(others**curve.exponents, at, axis=1).prod(axis=1)
        ascending = np.bincount(curve.exponents[:, at], weights=curve.coefficients * powers)
        curve = polynomial(ascending[::-1])
    if curve is not None:
        places = curve.reaches(wanted)
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


def _unique(names: list[str]) -> tuple[str, ...]:
    """The names, those that stood before already with a number, as OpenSim gives it."""
    taken: dict[str, None] = {}
    for name in names:
        numbered = (f"{name}_{k}" for k in count())
        taken[name if name not in taken else next(n for n in numbered if n not in taken)] = None
    return tuple(taken)


def _stretch(joints: list[_Joint], body_index: dict[str, int]) -> Stretch:
    """Of all axes, in the order of `_chain`, what their translations follow in scaling."""
    axes = [(axis, joint) for joint in joints for axis in joint.axes]
    return Stretch(
        body=np.array(
            [
                # A joint that was turned round has the file's parent for its child.
                body_index[j.child if (axis.stretched_by == "child") != j.turned else j.parent]
                for axis, j in axes
            ],
            dtype=np.int64,
        ),
        weight=np.array([axis.stretch for axis, _ in axes]).reshape(-1, 3),
    )


def _chain(joints: list[_Joint], body_index: dict[str, int], column: dict[str, int]) -> Chain:
    """The joints packed into flat arrays; ``column`` numbers the quantities."""
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
            [column[axis.quantity] if axis.quantity else -1 for axis in axes], dtype=np.int64
        ),
        piece_start=np.cumsum([0, *map(len, pieces)], dtype=np.int64),
        piece_knot=np.concatenate([np.zeros(0), *(axis.function.knots for axis in axes)]),
        piece_coefficient=np.concatenate([np.zeros((0, degree)), *pieces]),
    )

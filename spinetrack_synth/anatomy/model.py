"""Any .osim file as arrays: bodies, joints, coordinates, couplers, markers.

Documents of OpenSim 4 are read with the standard library alone; older ones are first upgraded by
the opensim package. Nothing moves here: see `kinematics`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.amounts import Program, Step, Steps, as_program, followed
from spinetrack_synth.anatomy.constraints import Tie
from spinetrack_synth.anatomy.documents import (
    Damaged,
    floats,
    objects,
    one_float,
    parse_document,
    read_document,
)
from spinetrack_synth.anatomy.joints import MotionType, motion_types
from spinetrack_synth.anatomy.osim.constraints import constraint_ties
from spinetrack_synth.anatomy.osim.coordinates import Coordinate, read_coordinates
from spinetrack_synth.anatomy.osim.couplers import Elimination, eliminated
from spinetrack_synth.anatomy.osim.frames import Frames
from spinetrack_synth.anatomy.osim.joint_tree import Joint, joints_outward
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
        return _tree(path, model)
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


def _tree(path: Path, model: Element) -> Tree:
    body_nodes = _body_nodes(path, model)
    frames = Frames(path, model, body_nodes)
    joint_nodes = list(objects(model, "JointSet"))
    coordinates = read_coordinates(path, joint_nodes)
    joint_steps = Steps("joint")
    joints, loops = joints_outward(path, joint_nodes, body_nodes, frames, joint_steps)
    bodies = tuple(joint.child for joint in joints)
    body_index = {"ground": GROUND} | {name: index for index, name in enumerate(bodies)}
    names = tuple(coordinate.name for coordinate in coordinates)
    _check_distinct(path, names)
    driven = eliminated(path, model, coordinates)
    ties = [*loops, *driven.ties, *constraint_ties(path, model, frames)]
    steps = (*driven.steps, *joint_steps.taken, *driven.tie_steps)
    quantities = dict.fromkeys((*names, *(step.target for step in steps)))
    index = {name: i for i, name in enumerate(quantities)}
    markers = [_marker(path, node, frames) for node in objects(model, "MarkerSet")]
    placed = [frames[name] for name in frames.named]
    types = {n: t for node in joint_nodes for n, t in motion_types(node).items()}
    angular = _angular(joints, joint_steps.taken)
    masses = [body_nodes.get(name, Element("Body")) for name in bodies]
    return Tree(
        name=model.get("name", ""),
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
        default_coordinates=_consistent(coordinates, driven, steps, index),
        free=driven.free,
        coupling=driven.coupling,
        offset=driven.offset,
        steps=steps,
        ties=tuple(ties),
        marker_names=_unique([name for name, _, _ in markers]),
        marker_body=np.array([body_index[body] for _, body, _ in markers], dtype=np.int64),
        marker_offset_m=np.array([point for _, _, point in markers]).reshape(-1, 3),
        frame_names=tuple(frames.named),
        frame_body=np.array([body_index[body] for body, _ in placed], dtype=np.int64),
        frame_in_body=np.array([transform for _, transform in placed]).reshape(-1, 4, 4),
        mass_kg=np.array([one_float(node, "mass", 0) for node in masses]),
        mass_center_m=np.array(
            [floats(node, "mass_center", "0 0 0", 3) for node in masses]
        ).reshape(-1, 3),
        chain=_chain(joints, body_index, index),
        stretch=_stretch(joints, body_index),
    )


def _body_nodes(path: Path, model: Element) -> dict[str, Element]:
    """The bodies of the file by name."""
    names = [node.get("name", "") for node in objects(model, "BodySet")]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UserError(f"{path}: two bodies are called {twice[0]}: rename one")
    return {node.get("name", ""): node for node in objects(model, "BodySet")}


def _check_distinct(path: Path, coordinates: tuple[str, ...]) -> None:
    twice = next((name for name in coordinates if coordinates.count(name) > 1), None)
    if twice is not None:
        raise UserError(
            f"{path}: two coordinates are called {twice}: rename one, motion files tell "
            "them apart by their names alone"
        )


def _angular(joints: list[Joint], steps: list[Step]) -> set[str | None]:
    """The quantities that axes turn by, and what the joints' steps make these of."""
    angular = {axis.quantity for joint in joints for axis in joint.axes if axis.is_rotation}
    for step in reversed(steps):
        angular |= set(step.sources) if step.target in angular else set()
    return angular


def _consistent(
    coordinates: list[Coordinate],
    driven: Elimination,
    steps: tuple[Step, ...],
    index: dict[str, int],
) -> Array:
    """The default coordinates (n,), those driven as their drivers have it."""
    defaults = np.array([coordinate.default for coordinate in coordinates])
    free = [index[name] for name in driven.free]
    q: Array = driven.coupling @ defaults[free] + driven.offset
    return followed(as_program(steps, index), q[None])[0, : len(q)] if steps else q


def _marker(path: Path, node: Element, frames: Frames) -> tuple[str, str, Array]:
    name = node.get("name", "")
    socket = node.findtext("socket_parent_frame") or ""
    try:
        body, frame = frames.at(socket)
    except KeyError:
        raise UserError(f"{path}: marker {name}: unknown frame '{socket}'") from None
    location = floats(node, "location", "0 0 0", 3)
    return name, body, frame[:3, :3] @ location + frame[:3, 3]


def _unique(names: list[str]) -> tuple[str, ...]:
    """The names, those that stood before already with a number, as OpenSim gives it."""
    taken: dict[str, None] = {}
    for name in names:
        numbered = (f"{name}_{k}" for k in count())
        taken[name if name not in taken else next(n for n in numbered if n not in taken)] = None
    return tuple(taken)


def _stretch(joints: list[Joint], body_index: dict[str, int]) -> Stretch:
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


def _chain(joints: list[Joint], body_index: dict[str, int], column: dict[str, int]) -> Chain:
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

"""The joints of an .osim file as axes that move one after another, each by one quantity."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.amounts import Steps
from spinetrack_synth.anatomy.documents import floats, one_float
from spinetrack_synth.anatomy.functions import (
    Piecewise,
    UnsupportedFunction,
    parse_function,
    parse_multivariate,
    straight,
)

Array = NDArray[np.float64]

X, Y, Z = np.eye(3)
STAYS: Final = np.zeros(3)

TURNING: Final[dict[str, tuple[tuple[bool, Array], ...]]] = {
    "WeldJoint": (),
    "PinJoint": ((True, Z),),
    "SliderJoint": ((False, X),),
    "UniversalJoint": ((True, X), (True, Y)),
    "GimbalJoint": ((True, X), (True, Y), (True, Z)),
    "BallJoint": ((True, X), (True, Y), (True, Z)),
    "PlanarJoint": ((True, Z), (False, X), (False, Y)),
    "FreeJoint": ((True, X), (True, Y), (True, Z), (False, X), (False, Y), (False, Z)),
}
"""Joints of which every coordinate moves one axis: whether it rotates, and about or along what."""

ROUND: Final = {"EllipsoidJoint": 3, "ScapulothoracicJoint": 4, "ConstantCurvatureJoint": 3}
"""Joints of which coordinates move several axes at once, and how many coordinates they have."""

COUNTS: Final = {**{kind: len(axes) for kind, axes in TURNING.items()}, **ROUND}
KINDS: Final = ("CustomJoint", *TURNING, *ROUND)


AXES: Final = tuple(f"{motion}{k}" for motion in ("rotation", "translation") for k in (1, 2, 3))
"""What a CustomJoint's axes are called."""

MotionType = Literal["Rotational", "Translational", "Coupled"]


class UnsupportedJoint(Exception):
    """A joint, or a function in it, that is not read; says which."""


class Axis(NamedTuple):
    """Motion about or along ``direction``, by ``function`` of a quantity, or by a constant amount
    where ``quantity`` is None.

    When the model is scaled, a translation grows by the mean of the scale factors of the joint's
    parent (or child) body that ``stretch`` (3,) weighs; where it is zero it does not.
    """

    is_rotation: bool
    direction: Array
    quantity: str | None
    function: Piecewise
    stretch: Array = STAYS
    stretched_by: Literal["parent", "child"] = "parent"


def joint_axes(node: Element, steps: Steps) -> tuple[Axis, ...]:
    """The axes of a joint in the order in which they move its child; raises UnsupportedJoint."""
    own = coordinate_names(node)
    if len(own) != (count := COUNTS.get(node.tag, len(own))):
        raise UnsupportedJoint(f"has {len(own)} coordinates, expected {count} of a {node.tag}")
    match node.tag:
        case "CustomJoint":
            called = [axis.get("name", "") for axis in _transform_axes(node)]
            if twice := [name for name in called if called.count(name) > 1]:
                raise UnsupportedJoint(f"has two axes called {twice[0]}")
            axes = [_transform_axis(axis, own, steps) for axis in _transform_axes(node)]
            axes.sort(key=lambda axis: axis.is_rotation)
        case "EllipsoidJoint":
            axes = _on_ellipsoid(own, _radii(node, "radii_x_y_z"), "XYZ", steps)
        case "ScapulothoracicJoint":
            axes = _scapulothoracic(node, own, steps)
        case "ConstantCurvatureJoint":
            axes = _constant_curvature(node, own, steps)
        case kind if kind in TURNING:
            axes = [
                Axis(is_rotation, direction, name, straight(1.0, 0.0))
                for (is_rotation, direction), name in zip(TURNING[kind], own)
            ]
            axes.sort(key=lambda axis: axis.is_rotation)
        case kind:
            raise UnsupportedJoint(
                f"is a {kind}, which is not supported (supported: {', '.join(KINDS)})"
            )
    return tuple(axis for axis in axes if axis.quantity or axis.function.line != (0.0, 0.0))


def coordinate_names(node: Element) -> list[str]:
    """A joint's coordinates in OpenSim's order: in a CustomJoint that of its axes.

    A joint of another kind that lists none has OpenSim's own, ``_coord_0`` and so on.
    """
    own = [item.get("name", "") for item in node.iterfind("coordinates/*")]
    own = own or [f"_coord_{k}" for k in range(COUNTS.get(node.tag, 0))]
    if node.tag == "CustomJoint":
        used = [name for axis in _transform_axes(node) for name in _followed(axis)]
        own.sort(key=lambda name: used.index(name) if name in used else len(used))
    return own


def motion_types(joint: Element) -> dict[str, MotionType]:
    """What OpenSim calls each coordinate of a joint.

    In a CustomJoint the last axis counts that is a `LinearFunction` with a first coefficient of 1
    or -1: the like of it by any other function is "Coupled". Elsewhere all but slides rotate.
    """
    if joint.tag != "CustomJoint":
        names = coordinate_names(joint)
        axes = TURNING.get(joint.tag, ())
        slides = [not is_rotation for is_rotation, _ in axes] or [False] * len(names)
        return {n: "Translational" if slide else "Rotational" for n, slide in zip(names, slides)}
    found: dict[str, MotionType] = {}
    for axis in _transform_axes(joint):
        line = _function(axis)
        if line is not None and line.tag != "LinearFunction":
            line = None
        for name in _followed(axis):
            found.setdefault(name, "Coupled")
            if line is not None and abs(floats(line, "coefficients", "1 0")[0]) == 1.0:
                turns = axis.get("name", "").startswith("rotation")
                found[name] = "Rotational" if turns else "Translational"
    return found


def _transform_axes(joint: Element) -> list[Element]:
    """The axes of a CustomJoint, which OpenSim puts in the order of their names."""
    return sorted(joint.iterfind("SpatialTransform/*"), key=lambda axis: axis.get("name", ""))


def _followed(axis: Element) -> list[str]:
    """The coordinates that an axis follows."""
    return (axis.findtext("coordinates") or "").split()


def _function(axis: Element) -> Element | None:
    """The function of an axis: called so, within an element called so, or without a name."""
    called = next((child for child in axis if child.get("name") == "function"), None)
    if called is not None:
        return called
    if (within := axis.find("function/*")) is not None:
        return within
    plain = ("coordinates", "axis", "function")
    return next((child for child in axis if child.tag not in plain and not child.get("name")), None)


def _transform_axis(node: Element, own: list[str], steps: Steps) -> Axis:
    names, function = _followed(node), _function(node)
    if node.get("name") not in AXES:
        raise UnsupportedJoint(f"has an axis '{node.get('name', '')}', expected {', '.join(AXES)}")
    if strange := [name for name in names if name not in own]:
        raise UnsupportedJoint(
            f"{node.get('name')}: its coordinate {strange[0]} is not the joint's"
        )
    is_rotation = node.get("name", "").startswith("rotation")
    direction = floats(node, "axis", "1 0 0", 3)
    if not 0 < (length := np.linalg.norm(direction)) < np.inf:
        raise UnsupportedJoint(f"{node.get('name')}: its axis has no direction")
    direction = direction / length
    try:
        quantity, amount = _amount(function, names, steps)
    except UnsupportedFunction as error:
        raise UnsupportedJoint(
            f"{node.get('name')}: its function {error} is not supported"
        ) from None
    # OpenSim's rule for a translation that follows from another motion; one that is a degree of
    # freedom of its own stays as it is.
    alone = quantity in names and amount.line == (1.0, 0.0)
    follows = not is_rotation and not alone
    return Axis(is_rotation, direction, quantity, amount, np.abs(direction) if follows else STAYS)


def _amount(
    function: Element | None, names: list[str], steps: Steps
) -> tuple[str | None, Piecewise]:
    """By what quantity, and what function of it, an axis moves that follows some coordinates."""
    if function is None:  # OpenSim moves nothing then, coordinate or not
        return None, straight(0.0, 0.0)
    if function.tag == "Sine":
        amplitude, omega, phase, offset = (
            one_float(function, tag, usual)
            for tag, usual in (("amplitude", 1), ("omega", 1), ("phase", 0), ("offset", 0))
        )
        wave = steps.sine(steps.total({names[0]: omega} if names else {}, phase))
        return wave, straight(amplitude, offset)
    if len(names) > 1:
        several = parse_multivariate(function, len(names))
        return steps.polynomial(several, names), straight(1.0, 0.0)
    amount = parse_function(function)
    return (names[0], amount) if names else (None, straight(0.0, amount(0.0)))


def _turns(names: list[str], directions: tuple[Array, ...]) -> list[Axis]:
    return [Axis(True, d, name, straight(1.0, 0.0)) for d, name in zip(directions, names)]


def _fixed(is_rotation: bool, direction: Array, amount: float) -> Axis:
    return Axis(is_rotation, direction, None, straight(0.0, amount))


def _radii(node: Element, tag: str) -> Array:
    """An ellipsoid's radii in m; where none are given, OpenSim has no numbers for them."""
    radii_m = floats(node, tag, "nan nan nan", 3)
    if not np.all(np.isfinite(radii_m)):
        raise UnsupportedJoint(f"has no numbers for its {tag}: give them")
    return radii_m


def _on_ellipsoid(own: list[str], radii_m: Array, along: str, steps: Steps) -> list[Axis]:
    """A frame on an ellipsoid, its Z along the normal of a unit sphere (Simbody's mobilizer):
    turned about X, Y, Z, its origin where that Z points, stretched by the radii. ``along`` are the
    axes of the parent body whose scale factors the radii follow."""
    abduction, elevation = own[0], own[1]
    across = steps.cosine(elevation)
    places = (
        (steps.sine(elevation), 1.0),
        (steps.product(steps.sine(abduction), across), -1.0),
        (steps.product(steps.cosine(abduction), across), 1.0),
    )
    slides = [
        Axis(False, d, name, straight(sign * radius, 0.0), np.eye(3)["XYZ".index(axis)])
        for d, (name, sign), radius, axis in zip((X, Y, Z), places, radii_m.tolist(), along)
    ]
    return slides + _turns(own[:3], (X, Y, Z))


def _scapulothoracic(node: Element, own: list[str], steps: Steps) -> list[Axis]:
    """A scapula on the ellipsoid of the thorax, and its winging (Seth et al. 2016).

    The ellipsoid is turned a quarter about Z, so that abduction and elevation are positive.
    """
    x, y, z = _radii(node, "thoracic_ellipsoid_radii_x_y_z").tolist()
    origin = np.append(floats(node, "scapula_winging_axis_origin", "0 0", 2), 0.0)
    angle = one_float(node, "scapula_winging_axis_direction", 0)
    winging = np.array([-np.sin(angle), np.cos(angle), 0.0])

    def shift(sign: float) -> list[Axis]:
        return [
            _fixed(False, d, sign * far)._replace(stretch=d, stretched_by="child")
            for d, far in zip((X, Y), origin.tolist())
        ]

    return [
        _fixed(True, Z, np.pi / 2),
        *_on_ellipsoid(own, np.array([y, x, z]), "YXZ", steps),
        _fixed(True, Z, -np.pi / 2),
        *shift(1.0),
        *_turns(own[3:4], (winging,)),
        *shift(-1.0),
    ]


def _constant_curvature(node: Element, own: list[str], steps: Steps) -> list[Axis]:
    """A segment that bends as an arc (Keller et al. 2023): its end turned about X, Z, Y, where an
    arc of that turn and of the segment's length ends.

    Within .06 degrees of straight OpenSim leaves the arc and is off it by a 2000th of the length.
    """
    neutral = floats(node, "neutral_angle_x_z_y", "0 0 0", 3).tolist()
    length_m = one_float(node, "length", 1)
    lean, bend = (steps.total({own[i]: 1.0}, neutral[i]) for i in (0, 1))
    level = steps.cosine(bend)
    along, across = steps.arc(steps.product(steps.cosine(lean), level))
    places = (
        (steps.product(across, steps.sine(bend)), -length_m),
        (along, length_m),
        (steps.product(across, steps.product(level, steps.sine(lean))), length_m),
    )
    slides = [
        Axis(False, d, name, straight(factor, 0.0), Y, "child")
        for d, (name, factor) in zip((X, Y, Z), places)
    ]
    turns = [
        Axis(True, d, name, straight(1.0, angle)) for d, name, angle in zip((X, Z, Y), own, neutral)
    ]
    return slides + turns

"""Units and axes of foreign files, brought to metres and the world's X forward, Y up, Z right."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]

METRES: Final = {
    "m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048, "cmu": 0.0254 / 0.45,
    "dm": 0.1, "um": 1e-6,
}  # fmt: skip
"""Length of a unit; "cmu" is that of the Carnegie Mellon library (inches times 0.45)."""

_ALSO_CALLED: Final = {
    "m": ("meter", "meters", "metre", "metres", "mtr"),
    "dm": ("decimeter", "decimeters", "decimetre", "decimetres"),
    "cm": ("centimeter", "centimeters", "centimetre", "centimetres"),
    "mm": ("millimeter", "millimeters", "millimetre", "millimetres"),
    "um": ("micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres", "µm",
           "μm"),
    "ft": ("foot", "feet"),
    "in": ("inch", "inches", '"'),
}  # fmt: skip
_CALLED: Final = {name: unit for unit, names in _ALSO_CALLED.items() for name in (unit, *names)}

UNREAL: Final = np.array([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]])
"""Unreal's left hand: X forward, Y right, Z up."""

_SHORT: Final = {"y-up": "y-up-facing-x", "z-up": "z-up-facing-x"}
_AXES: Final = re.compile(r"(minus-)?([xyz])-up-facing-(minus-)?([xyz])")
KNOWN_AXES: Final = "y-up, z-up, y-up-facing-z, unreal, or any such as z-up-facing-minus-y"


def unit_called(text: str) -> str | None:
    """The unit of METRES that a file or a user calls ``text``, None where it is none of them."""
    bare = text.strip().strip("[]().\0 ").casefold()
    return "cmu" if bare == "cmu" else _CALLED.get(bare)


def metres(unit: str) -> float:
    """Length of a unit; raises UserError for an unknown one."""
    known = unit_called(unit)
    if known is None:
        raise UserError(f"unit '{unit}': choose {', '.join(METRES)}")
    return METRES[known]


def to_world(axes: str) -> Array:
    """The matrix (3, 3) with world vector = matrix @ file's vector.

    ``axes`` says which of the file's axes is up and along which its figure looks: y-up (facing X:
    OpenSim), z-up (facing X: most laboratories), y-up-facing-z (most BVH files, SMPL),
    z-up-facing-minus-y (Blender), minus-y-up-facing-minus-z (a camera's picture), or unreal.
    Raises UserError for an unknown one.
    """
    if axes == "unreal":
        return UNREAL
    found = _AXES.fullmatch(_SHORT.get(axes, axes))
    if found is None or found[2] == found[4]:
        raise UserError(f"axes '{axes}': choose {KNOWN_AXES}")
    up, forward = (
        np.eye(3)["xyz".index(letter)] * (-1.0 if minus else 1.0)
        for minus, letter in ((found[1], found[2]), (found[3], found[4]))
    )
    return np.stack([forward, up, np.cross(forward, up)])


def axes_called(up: Array, forward: Array) -> str:
    """The name of the axes that lie nearest to two vectors (3,) in a file's own."""
    names = []
    for vector in (up, forward):
        axis = int(np.argmax(np.abs(vector)))
        names.append(("minus-" if vector[axis] < 0 else "") + "xyz"[axis])
    long = f"{names[0]}-up-facing-{names[1]}"
    return next((short for short, full in _SHORT.items() if full == long), long)


@dataclass(frozen=True)
class Figure:
    """Points as a file has them, in its own unit and axes: ``names`` (P,), ``positions``
    (F, P, 3), NaN where missing; ``rest`` (P, 3) its pose of rest, where it has one."""

    names: tuple[str, ...]
    positions: Array
    rest: Array | None = None


@dataclass(frozen=True)
class Frame:
    """Unit and axes of a file, and what there is to say about how they were found."""

    unit: str
    axes: str
    notes: tuple[str, ...] = ()

    @property
    def metres(self) -> float:
        """Length of the unit."""
        return metres(self.unit)

    @property
    def to_world(self) -> Array:
        """Matrix (3, 3): world vector = matrix @ file's vector."""
        return to_world(self.axes)


@dataclass(frozen=True)
class Told:
    """What is told of a file's unit and axes, by its user or itself; None where it is silent.

    ``unit`` and ``axes`` hold; ``usual_unit`` and ``usual_axes`` are those of its format, where
    nothing speaks against them. ``axes_by_format`` where a skeleton's own tools have no say.
    """

    unit: str | None = None
    axes: str | None = None
    usual_unit: str = "m"
    usual_axes: str = "y-up"
    axes_by_format: bool = False


def _as_usual(figure: Figure, told: Told) -> Frame:
    return Frame(told.unit or told.usual_unit, told.axes or told.usual_axes)


@dataclass(frozen=True)
class Convention:
    """What a file means by its numbers, as far as it does not say so itself.

    ``unit`` and ``axes`` overrule the file; ``find`` tells from the figure what neither user nor
    file do (`unit_and_axis_detection.finder`); ``rate_hz`` is taken where frames are numbered but
    not timed.
    """

    unit: str | None = None
    axes: str | None = None
    rate_hz: float = 30.0
    find: Callable[[Figure, Told], Frame] = _as_usual

    def frame(self, figure: Figure, file: Told) -> Frame:
        """Unit and axes of a file of which ``file`` says what it tells itself.

        Raises UserError for a unit or axes that nobody knows.
        """
        if self.unit is not None:
            metres(self.unit)
        if self.axes is not None:
            to_world(self.axes)
        unit = unit_called(self.unit) if self.unit else file.unit
        told = dataclasses.replace(file, unit=unit, axes=self.axes or file.axes)
        return self.find(figure, told)


AS_TOLD: Final = Convention()
"""Nothing but what files say."""

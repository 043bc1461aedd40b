"""What people hold: barbells, dumbbells, kettlebells, sticks, bags, phones, cartons.

Every thing has its grip at the origin, a bar along Z; what hangs from it hangs along -Y.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.poses.equipment import GRIPS
from spinetrack_synth.scenes.place import Part, Prop, assembled
from spinetrack_synth.scenes.shapes import (
    Array,
    Mesh,
    box,
    cylinder,
    joined,
    lathe,
    moved,
    tube,
    turned,
)
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import Surface

PLATE_M: Final = 0.225
"""Radius of bumper plates (IWF)."""

SHAFT_M: Final = 1.31
BAR_M: Final = 2.2
"""Between the sleeves of a barbell, and over all (IWF)."""


@dataclass(frozen=True)
class Implement:
    """A held thing: its parts by finish, and points (N, 3) m along its outline, or its axis where
    it is thin, that must not be in anybody."""

    parts: Prop
    outline: Array


def _along_z(mesh: Mesh, start: float) -> Mesh:
    """A thing turned about Y as one turned about Z, from z = start on."""
    return moved(turned(mesh, roll=np.pi / 2), (0, 0, start))


def _rod(radius: float, start: float, end: float, segments: int = 16) -> Mesh:
    return _along_z(cylinder(radius, end - start, segments=segments), start)


def _line(half: float) -> Array:
    """Points every 2 cm along Z."""
    z = np.arange(-half, half, 0.02)
    return np.column_stack([0 * z, 0 * z, z])


def _rim(radius: float, z: float) -> Array:
    a = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.column_stack([radius * np.cos(a), radius * np.sin(a), np.full(len(a), z)])


def _shell(size: ArrayLike, count: int = 9) -> Array:
    """Points on the surface of a box."""
    steps = np.linspace(-0.5, 0.5, count)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    shell: Array = grid[np.abs(grid).max(axis=1) == 0.5] * np.asarray(size, float)
    return shell


def barbell() -> Implement:
    """An Olympic bar with a bumper plate and a smaller one on each side."""
    half, sleeve = SHAFT_M / 2, BAR_M / 2
    parts: list[Part] = [("metal", _rod(GRIPS["barbell"].half_m[0], -half, half))]
    outlines = [_line(half)]
    profile = [(0.025, 0), (0.08, 0.004), (0.085, 0.012), (0.15, 0.004), (0.17, 0.0), (0.215, 0.0),
               (PLATE_M, 0.008), (PLATE_M, 0.055), (0.215, 0.062), (0.17, 0.062), (0.15, 0.058),
               (0.025, 0.058)]  # fmt: skip
    disc = [(0.025, 0), (0.105, 0), (0.112, 0.006), (0.112, 0.026), (0.105, 0.032), (0.025, 0.032)]
    for side in (-1, 1):
        for radius, end in ((0.025, sleeve), (0.036, half + 0.02)):
            low, high = sorted((side * half, side * end))
            parts.append(("metal", _rod(radius, low, high)))
        inner = half + 0.022
        parts.append(("plate", _along_z(lathe(profile, 40), side * (inner + 0.031) - 0.031)))
        parts.append(("second", _along_z(lathe(disc, 32), side * (inner + 0.08) - 0.016)))
        outlines.append(_rim(PLATE_M, side * inner))
    return Implement(tuple(parts), np.concatenate(outlines))


def stick() -> Implement:
    """A wooden staff, 1.5 m."""
    return Implement(
        (("wood", _rod(GRIPS["stick"].half_m[0], -0.75, 0.75)),),
        _line(0.75),
    )


def dumbbell() -> Implement:
    """A dumbbell with hexagonal heads."""
    parts: list[Part] = [("metal", _rod(GRIPS["dumbbell"].half_m[0], -0.07, 0.07))]
    head = [(0, 0), (0.045, 0), (0.056, 0.012), (0.056, 0.06), (0.045, 0.072), (0, 0.072)]
    parts += [("plate", _along_z(lathe(head, 6), start)) for start in (-0.135, 0.063)]
    rims = [_rim(0.05, z) for z in (-0.13, -0.07, 0.07, 0.13)]
    return Implement(tuple(parts), np.concatenate(rims))


def kettlebell() -> Implement:
    """A kettlebell, the handle at the origin, the bell below."""
    r = GRIPS["kettlebell"].half_m[0]
    bend = np.linspace(0, np.pi / 2, 6)
    corner = np.column_stack(
        [0 * bend, -0.035 + 0.035 * np.cos(bend), 0.075 + 0.035 * np.sin(bend)]
    )
    side = np.concatenate([[[0, 0, 0]], corner, [[0, -0.09, 0.092], [0, -0.14, 0.062]]])
    other = side[1:] * [1, 1, -1]
    handle = tube(np.concatenate([other[::-1], side]), r, 12)
    ring = np.linspace(-np.pi / 2 + 0.6, np.pi / 2, 14)
    ball = lathe([(0, -0.277), *((0.106 * np.cos(a), -0.19 + 0.106 * np.sin(a)) for a in ring)], 32)
    return Implement((("plate", joined([handle, ball])),), ball.vertices)


def bag() -> Implement:
    """A carrier bag with two handles."""
    body = box((0.10, 0.34, 0.36), (0, -0.45, 0), edge=0.03)
    arcs = []
    for x in (-0.045, 0.045):
        path = [
            [x, -0.29, -0.11],
            [0.7 * x, -0.15, -0.07],
            [0.2 * x, -0.01, -0.045],
            [0.1 * x, 0, 0],
        ]
        mirrored = [[px, py, -pz] for px, py, pz in path[-2::-1]]
        arcs.append(tube([*path, *mirrored], 0.008, 8))
    outline = _shell((0.08, 0.32, 0.34)) - [0, 0.45, 0]
    return Implement((("cloth", body), ("second", joined(arcs))), outline)


def phone() -> Implement:
    """A phone across the palm, its screen away from it."""
    half = GRIPS["phone"].half_m
    case = box((2 * half[0], 2 * half[1], 0.148), edge=0.003)
    glass = box((0.001, 2 * half[1] - 0.006, 0.140), (half[0], 0, 0), edge=0.0004)
    return Implement((("plate", case), ("glass", glass)), _shell((0.004, 0.06, 0.14)))


CARTON_M: Final = (0.30, 0.26, 0.40)
"""A carton as it is made; cartons come in other sizes."""

FROM_PALMS_M: Final = (0.08, -0.06, 0.0)
"""Where its middle is from that of the palms: hands take it near the body and high."""


def carton() -> Implement:
    """A taped cardboard carton; the hands lie on its sides, Z."""
    x, y, z = CARTON_M
    middle = FROM_PALMS_M
    tape = box((0.05, y + 0.002, z + 0.002), middle, edge=0.003)
    parts: Prop = (("card", box(CARTON_M, middle, edge=0.003)), ("tape", tape))
    return Implement(parts, _shell((x, y, z)) + middle)


MAKERS: Final[dict[str, Callable[[], Implement]]] = {
    maker.__name__: maker for maker in (barbell, stick, dumbbell, kettlebell, bag, phone, carton)
}

STYLES: Final = 2

_COLORS: Final[dict[str, tuple[tuple[ArrayLike, ArrayLike], ...]]] = {
    "barbell": (((0.07, 0.07, 0.08), (0.35, 0.35, 0.36)), ((0.55, 0.08, 0.08), (0.10, 0.10, 0.11))),
    "dumbbell": (((0.09, 0.09, 0.09), (0.1, 0.1, 0.1)), ((0.30, 0.31, 0.33), (0.1, 0.1, 0.1))),
    "kettlebell": (((0.10, 0.10, 0.11), (0.1, 0.1, 0.1)), ((0.16, 0.26, 0.48), (0.1, 0.1, 0.1))),
    "bag": (((0.80, 0.76, 0.66), (0.72, 0.66, 0.55)), ((0.16, 0.18, 0.22), (0.08, 0.08, 0.09))),
    "phone": (((0.05, 0.05, 0.06), (0.1, 0.1, 0.1)), ((0.70, 0.72, 0.74), (0.1, 0.1, 0.1))),
}
_PLAIN: Final = (((0.3, 0.3, 0.3), (0.3, 0.3, 0.3)),) * STYLES


@cache
def implement(name: str) -> Implement:
    """A held thing by name."""
    return MAKERS[name]()


@cache
def unit_held(name: str, style: int) -> tuple[Surface, ...]:
    """What is drawn of a held thing in one of ``STYLES`` looks, around the origin."""
    first, second = _COLORS.get(name, _PLAIN)[style]
    cardboard = ((0.66, 0.50, 0.33), (0.84, 0.80, 0.72))[style]
    finishes: dict[str, Finish] = {
        "metal": paint((0.66, 0.66, 0.67), roughness=0.3, specular=0.8),
        "plate": paint(first, roughness=0.45),
        "second": paint(second, roughness=0.5),
        "cloth": paint(first, roughness=0.9, specular=0.1),
        "wood": paint(((0.72, 0.55, 0.36), (0.42, 0.27, 0.16))[style], roughness=0.5),
        "glass": paint((0.03, 0.04, 0.06), roughness=0.08, specular=0.7),
        "card": paint(cardboard, roughness=0.9, specular=0.1),
        "tape": paint((0.74, 0.62, 0.45), roughness=0.35),
    }
    return assembled(f"held/{name}/{style}", finishes, implement(name).parts)

"""Yoga mats under the people, and the small things beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.rotations import yaw_xz
from spinetrack_synth.scenes import textures
from spinetrack_synth.scenes.place import Prop, assembled
from spinetrack_synth.scenes.props import gear
from spinetrack_synth.scenes.shapes import Array, rounded_rectangle, slab
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import Surface, Thing

LENGTH_M: Final = 1.83
WIDTH_M: Final = 0.66
THICKNESS_M: Final = 0.005

_COLORS: Final = (  # face and print of each style
    ((0.33, 0.27, 0.42), (0.66, 0.60, 0.74)), ((0.20, 0.37, 0.41), (0.57, 0.72, 0.72)),
    ((0.27, 0.29, 0.34), (0.55, 0.58, 0.62)), ((0.58, 0.35, 0.39), (0.84, 0.68, 0.68)),
    ((0.34, 0.41, 0.30), (0.68, 0.73, 0.58)), ((0.72, 0.62, 0.47), (0.46, 0.36, 0.27)),
    ((0.20, 0.26, 0.42), (0.53, 0.62, 0.77)), ((0.73, 0.47, 0.32), (0.91, 0.78, 0.63)),
    ((0.11, 0.11, 0.12), (0.50, 0.46, 0.38)), ((0.55, 0.58, 0.56), (0.32, 0.37, 0.37)),
    ((0.46, 0.28, 0.45), (0.80, 0.64, 0.77)), ((0.26, 0.46, 0.59), (0.71, 0.83, 0.88)),
)  # fmt: skip
STYLES: Final = len(_COLORS)
GEAR: Final = ("block", "bottle", "blanket", "bolster", "rolled_mat", "cushion")
_GEAR_COLORS: Final = ((0.36, 0.30, 0.52), (0.22, 0.46, 0.50), (0.70, 0.46, 0.36))
GEAR_STYLES: Final = len(_GEAR_COLORS)

ASSETS: Final = (
    *(f"mat/{style}" for style in range(STYLES)),
    *(f"gear/{kind}/{style}" for kind in GEAR for style in range(GEAR_STYLES)),
)
"""Names of all mats and what lies beside them."""


@dataclass(frozen=True)
class Mat:
    """Where a mat lies: middle (2,) x, z m, heading of its long side from +X towards -Z, size m."""

    center: Array
    heading_rad: float
    length_m: float
    width_m: float

    def corners(self) -> Array:
        """Corners (4, 2), x, z m."""
        half = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * [self.length_m, self.width_m] / 2
        return self.center + half @ yaw_xz(self.heading_rad).T


def mat_for(floor_points: ArrayLike, heading_rad: float) -> Mat:
    """The mat that holds what touches the floor (N, 2) x, z m.

    It lies along the heading, or across it where that needs the smaller mat, and is of the common
    size unless the touching points ask for more.
    """
    points = np.asarray(floor_points, float)
    best: Mat | None = None
    for heading in (heading_rad, heading_rad + np.pi / 2):
        local = points @ yaw_xz(heading)
        low, high = local.min(0), local.max(0)
        length, width = np.maximum(high - low + [0.10, 0.06], [LENGTH_M, WIDTH_M])
        mat = Mat(yaw_xz(heading) @ ((low + high) / 2), heading, float(length), float(width))
        if best is None or mat.length_m * mat.width_m < best.length_m * best.width_m - 1e-6:
            best = mat
    assert best is not None
    return best


@lru_cache(maxsize=STYLES)
def _unit_mat(style: int) -> Surface:
    """A mat of the common size around the origin, its long side along X."""
    rng = np.random.default_rng([74, style])
    face, second = _COLORS[style]
    pattern = textures.MAT_PATTERNS[style % len(textures.MAT_PATTERNS)]
    mesh = slab(rounded_rectangle(LENGTH_M, WIDTH_M, 0.012), THICKNESS_M)
    mesh = replace(mesh, uv=mesh.uv + np.array([LENGTH_M, WIDTH_M]) / 2)
    return textures.surface(f"mat/{style}", textures.foam(rng, face, second, pattern), [mesh])


def mat_thing(style: int, mat: Mat) -> Thing:
    """The mat as it lies, its top at y = 0."""
    x, z = (float(c) for c in mat.center)
    scale = (mat.length_m / LENGTH_M, 1.0, mat.width_m / WIDTH_M)
    return Thing(f"mat/{style}", (x, 0.0, z), mat.heading_rad, scale)


@lru_cache(maxsize=len(GEAR) * GEAR_STYLES)
def _unit_gear(kind: str, style: int) -> tuple[Surface, ...]:
    rng = np.random.default_rng([75, GEAR.index(kind), style])
    color = np.array(_GEAR_COLORS[style])
    things: dict[str, Prop] = {
        "block": gear.block(),
        "bottle": gear.bottle(),
        "blanket": gear.folded(layers=2),
        "bolster": gear.bolster(),
        "rolled_mat": gear.rolled_mat("gear"),
        "cushion": gear.cushion("cloth"),
    }
    finishes: dict[str, Finish] = {
        "gear": paint((0.66, 0.50, 0.36) if style == 1 else color, roughness=0.85, specular=0.2),
        "frame": paint(color, roughness=0.35),
        "metal": paint((0.7, 0.7, 0.7), roughness=0.3, specular=0.7),
        "cloth": textures.cloth(rng, color, (0.86, 0.83, 0.77), stripes=2 * (style % 2)),
    }
    return assembled(f"gear/{kind}/{style}", finishes, things[kind])


def gear_thing(kind: str, style: int, place: ArrayLike, heading_rad: float) -> Thing:
    """One of ``GEAR`` beside a mat, on the floor at x, z m."""
    x, z = (float(c) for c in np.asarray(place, float))
    return Thing(f"gear/{kind}/{style}", (x, -THICKNESS_M, z), heading_rad)


def unit_surfaces(asset: str) -> tuple[Surface, ...]:
    """A mat or its gear as it is made, around the origin."""
    kind, *rest = asset.split("/")
    return (_unit_mat(int(rest[0])),) if kind == "mat" else _unit_gear(rest[0], int(rest[1]))

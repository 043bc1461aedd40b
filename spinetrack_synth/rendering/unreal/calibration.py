"""The engine's unit of depth and its field of view, measured once on a cube that is moved.

The cube's size is not taken for granted: how its depth changes as it is moved gives the unit, its
width in pixels at two distances gives its edge and the focal length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.unreal.axes import UnrealCamera
from spinetrack_synth.rendering.unreal.decoding import (
    COLORS,
    decode_depth,
    decode_ids,
    decode_rgb,
)
from spinetrack_synth.rendering.unreal.errors import WrongPicture
from spinetrack_synth.rendering.unreal.session import Reply

CUBE: Final = "spinetrack_calibration_cube"
"""How names of cubes begin. UnrealCV spawns a nameless one at the origin where the name is taken,
and one that was destroyed may live on for a while: each gets a name of its own."""

CUBE_COLOR: Final = COLORS[0]

HEIGHT_CM: Final = 30_000.0
"""The cube hangs this high, where no scene reaches."""

DISTANCES_CM: Final = (200.0, 600.0)
"""Of the cube's middle, one after the other; a cube of 1 m fills most of the picture at first."""

CAMERA: Final = UnrealCamera(
    location=np.array([0.0, 0.0, HEIGHT_CM]),
    rotator_deg=np.zeros(3),
    fov_deg=70.0,
    width=360,
    height=480,
)
"""Upright, so that it shows which side of the picture the field of view spans."""

PER_CM: Final = {"cm": 1.0, "m": 0.01}
"""What engines write for one centimetre of depth."""

AGREEMENT: Final = 0.015
"""A pixel of the cube's width and a step of float16 depth together make half of this."""


@dataclass(frozen=True)
class Calibration:
    """``per_cm`` what the engine writes for one cm of depth; ``edge_cm`` the cube's edge;
    ``focal_px`` the focal length that was measured, ``wanted_px`` the one that was asked for."""

    per_cm: float
    edge_cm: float
    focal_px: float
    wanted_px: float


def placements(cube: str) -> tuple[str, ...]:
    """A command for each distance that puts the cube of a name there."""
    return tuple(
        f"vset /object/{cube}/location {distance:.1f} 0.0 {HEIGHT_CM:.1f}"
        for distance in DISTANCES_CM
    )


def measure(masks: tuple[Reply, Reply], depths: tuple[Reply, Reply], where: object) -> Calibration:
    """From the cube's masks and depths at both distances.

    Raises WrongPicture where the cube is not to be seen, UserError where units or field of view
    are not UnrealCV's.
    """
    fronts, widths = zip(*(_front_and_width(m, d) for m, d in zip(masks, depths)))
    scale = (fronts[1] - fronts[0]) / (DISTANCES_CM[1] - DISTANCES_CM[0])
    unit = next((v for v in PER_CM.values() if abs(scale / v - 1) <= AGREEMENT), None)
    if unit is None:
        raise UserError(
            f"{where}: depth changes by {scale:.4g} for each cm; it must be in cm or m along the "
            "optical axis"
        )
    edge_cm = 2 * (DISTANCES_CM[0] - fronts[0] / unit)
    wanted_px = max(CAMERA.width, CAMERA.height) / (2 * np.tan(np.radians(CAMERA.fov_deg) / 2))
    # The near cube is the wider one, so a pixel tells more there.
    focal_px = widths[0] * (fronts[0] / unit) / edge_cm if edge_cm > 0 else np.nan
    if not abs(focal_px / wanted_px - 1) <= AGREEMENT:
        raise UserError(
            f"{where}: at a field of view of {CAMERA.fov_deg:.0f} degrees the focal length is "
            f"{focal_px:.0f} px instead of {wanted_px:.0f}; it must span the larger side"
        )
    return Calibration(unit, float(edge_cm), float(focal_px), float(wanted_px))


def _front_and_width(mask: Reply, depth: Reply) -> tuple[float, float]:
    """Depth of the cube's front, as the engine writes it, and the front's width in pixels."""
    size = (CAMERA.width, CAMERA.height)
    cube = decode_ids(decode_rgb(mask, *size, "object_mask"), [CUBE_COLOR]) == 1
    row = CAMERA.height // 2
    width = int(np.count_nonzero(cube[row]))
    if width < CAMERA.width / 20 or width == CAMERA.width:
        raise WrongPicture(f"object_mask: a cube was put up and {width} pixels of it are seen")
    front_m = float(np.median(decode_depth(depth, *size, per_cm=1.0)[row, cube[row]]))
    return 100 * front_m, float(width)

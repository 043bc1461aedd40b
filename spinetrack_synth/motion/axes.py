"""Units and axes of foreign files, brought to metres and the world's X forward, Y up, Z right."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]

METRES: Final = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}
"""Length of a unit."""

AXES: Final[dict[str, Array]] = {
    "y-up": np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]),
    "z-up": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "y-up-facing-z": np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]),
    "unreal": np.array([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]]),
}
"""World vector = matrix @ file's vector: X forward and Y up (OpenSim); X forward and Z up (most
laboratories); Y up, looking along Z (most BVH files, SMPL); Unreal's left hand with Z up."""


def metres(unit: str) -> float:
    """Length of a unit; raises UserError for an unknown one."""
    if unit not in METRES:
        raise UserError(f"unit '{unit}': choose {', '.join(METRES)}")
    return METRES[unit]


def to_world(axes: str) -> Array:
    """The matrix (3, 3) of a convention; raises UserError for an unknown one."""
    if axes not in AXES:
        raise UserError(f"axes '{axes}': choose {', '.join(AXES)}")
    return AXES[axes]

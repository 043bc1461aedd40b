"""Units and axes of foreign files, brought to metres and the world's X forward, Y up, Z right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]

METRES: Final = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "cmu": 0.0254 / 0.45}
"""Length of a unit; "cmu" is that of the Carnegie Mellon library (inches times 0.45)."""

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


def _nothing_usual(names: tuple[str, ...]) -> tuple[str | None, str | None]:
    return None, None


@dataclass(frozen=True)
class Convention:
    """What a file means by its numbers, as far as it does not say so itself.

    ``unit`` and ``axes`` overrule the file; ``usual`` gives those usual for a set of names, where
    neither user nor file tells; ``rate_hz`` is taken where frames are numbered but not timed.
    """

    unit: str | None = None
    axes: str | None = None
    rate_hz: float = 30.0
    usual: Callable[[tuple[str, ...]], tuple[str | None, str | None]] = _nothing_usual

    def metres(self, names: tuple[str, ...], told: str | None = None, fallback: str = "m") -> float:
        """Length of the unit of a file that tells ``told``."""
        return metres(self.unit or told or self.usual(names)[0] or fallback)

    def to_world(
        self, names: tuple[str, ...], told: str | None = None, fallback: str = "y-up"
    ) -> Array:
        """Matrix (3, 3) from the axes of a file that tells ``told``."""
        return to_world(self.axes or told or self.usual(names)[1] or fallback)


AS_TOLD: Final = Convention()
"""Nothing but what files say."""

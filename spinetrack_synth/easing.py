"""Smooth transitions between two values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def smoothstep(low: float, high: float, x: ArrayLike) -> NDArray[Any]:
    """0 below ``low``, 1 above ``high``, smooth between; works downwards where low > high.

    The order of arguments is that of shading languages.
    """
    t = np.clip((np.asarray(x) - low) / (high - low), 0, 1)
    smooth: NDArray[Any] = t * t * (3 - 2 * t)
    return smooth

"""Types of this room's arrays; shapes and units stand where they are used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
"""Points, directions, lengths, weights: what geometry is computed with."""

Floats = NDArray[np.floating]
"""The same in either precision: meshes and colours are kept in the single one."""

Ints = NDArray[np.int64]
"""Indices, as numpy finds them."""

Indices = NDArray[np.integer]
"""Indices of any width: those of meshes are kept in few bytes."""

Color = tuple[float, float, float]
"""sRGB, 0..1."""

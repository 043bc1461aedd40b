"""Whether coordinates lie within a model's ranges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import Tree


def within_ranges(tree: Tree, q: NDArray[np.float64]) -> bool:
    """Whether the clamped ones among coordinates (..., n) lie in their ranges."""
    inside = (q >= tree.lower - 1e-9) & (q <= tree.upper + 1e-9)
    return bool(inside[..., tree.clamped].all())

"""Which coordinates of a pose lie outside the model's ranges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.anatomy.model import Tree


@dataclass(frozen=True)
class Violation:
    """A coordinate outside its range; values in degrees, or in metres where ``unit`` is "m"."""

    coordinate: str
    value: float
    lower: float
    upper: float
    unit: str

    def __str__(self) -> str:
        return (
            f"{self.coordinate}: {self.value:.4g} {self.unit}, "
            f"range {self.lower:.4g}..{self.upper:.4g}"
        )


def violations(tree: Tree, q: ArrayLike, tolerance: float = 1e-9) -> tuple[Violation, ...]:
    """Clamped coordinates of q (n,) outside their range by more than ``tolerance`` (rad, m)."""
    q = np.asarray(q, dtype=float)
    outside = tree.clamped & ((q < tree.lower - tolerance) | (q > tree.upper + tolerance))
    found = []
    for index in np.flatnonzero(outside):
        scale, unit = (np.degrees(1.0), "deg") if tree.rotational[index] else (1.0, "m")
        found.append(
            Violation(
                coordinate=tree.coordinates[index],
                value=float(q[index] * scale),
                lower=float(tree.lower[index] * scale),
                upper=float(tree.upper[index] * scale),
                unit=unit,
            )
        )
    return tuple(found)

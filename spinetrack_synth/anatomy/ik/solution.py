"""What inverse kinematics found: coordinates, marker residuals, and what to make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik.problem import CoordinateGoal

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


class CoordinateLeap(NamedTuple):
    """From ``frame`` to the next one a coordinate changes by ``change_rad`` though the bones that
    it moves turn by ``turn_rad`` only."""

    coordinate: str
    frame: int
    change_rad: float
    turn_rad: float


@dataclass(frozen=True)
class Solution:
    """Coordinates over F frames and how well P markers are met.

    ``coordinates`` (F, n), rad and m; ``markers`` (P,) the names of those that were fitted;
    ``weights`` (P,); ``marker_error_m`` (F, P) distance between the model's marker and the
    measured one, NaN where missing; ``objective`` (F,) m^2, NaN where a frame has no marker and
    repeats its predecessor; ``steps`` (F,) Gauss-Newton steps. ``open_coordinates`` are those of
    which markers as wrong as these say next to nothing, where no prior was asked for; ``leaps``
    what could not be made to go on; ``violations`` by how much (rad, m) constraints are violated at
    most, in OpenSim's solutions; ``goals`` the coordinate tasks that it was fitted with.
    """

    coordinates: Array
    markers: tuple[str, ...]
    weights: Array
    marker_error_m: Array
    objective: Array
    steps: Ints
    open_coordinates: tuple[str, ...] = ()
    leaps: tuple[CoordinateLeap, ...] = ()
    violations: Mapping[str, float] = field(default_factory=dict)
    goals: tuple[CoordinateGoal, ...] = ()

    @property
    def frame_rms_m(self) -> Array:
        """Root mean square of the marker errors of each frame, (F,), NaN without markers."""
        return _root_mean(self.marker_error_m, np.ones(len(self.weights)))

    @property
    def frame_weighted_rms_m(self) -> Array:
        """The same, by the weights: what is minimised, (F,)."""
        return _root_mean(self.marker_error_m, self.weights)

    @property
    def axis_error_m(self) -> float:
        """Error of the markers on one axis, as the median frame shows it: rather too small, since
        the fit follows some of it; 0 without any marker."""
        seen = np.isfinite(self.frame_rms_m)
        return float(np.median(self.frame_rms_m[seen]) / np.sqrt(3)) if seen.any() else 0.0

    @property
    def rms_m(self) -> float:
        """Root mean square of all marker errors."""
        return float(np.sqrt(np.nanmean(self.marker_error_m**2)))


def _root_mean(error_m: Array, weights: Array) -> Array:
    seen = np.isfinite(error_m)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = (np.where(seen, error_m, 0.0) ** 2) @ weights
        return np.asarray(np.sqrt(total / (seen @ weights)), dtype=float)

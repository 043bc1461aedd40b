"""One-Euro smoothing of keypoints over time (Casiez, Roussel, Vogel 2012).

A low-pass whose cutoff grows with speed: still points are calm, quick ones do not lag. Speeds are
in boxes a second, so that people near and far are treated alike; what a point is moved by depends
on its score, and a point that comes back is taken as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SEEN: Final = 0.2
"""Points with lower scores are passed on as they are and forgotten."""

FULL_SCORE: Final = 0.6
"""From this score on a point counts fully."""

GAP_S: Final = 0.2
"""After so long a gap everything begins anew."""


@dataclass(frozen=True)
class OneEuro:
    """``min_cutoff_hz`` for a still point, ``beta`` Hz more for each box a second of speed,
    ``speed_cutoff_hz`` for the speed itself.

    The defaults were tried on points that stand, sway (2% of the box at 0.3 Hz) and swing (25% at
    1 Hz, 30% at 2 Hz) at 30 frames a second with noise of 0.8% of the box: they leave 0.66 of the
    error of a still or swaying point and add nothing to that of a limb at 1 Hz.
    """

    min_cutoff_hz: float = 1.0
    beta: float = 30.0
    speed_cutoff_hz: float = 3.0


class PoseFilter:
    """Smooths one person's keypoints (K, 2) from frame to frame."""

    def __init__(self, settings: OneEuro | None = None) -> None:
        self.settings = settings or OneEuro()
        self._time_s = -np.inf
        self._points: Floats = np.empty((0, 2))
        self._speed: Floats = np.empty((0, 2))
        self._known: NDArray[np.bool_] = np.empty(0, bool)

    def __call__(
        self,
        points_px: NDArray[np.floating],
        scores: NDArray[np.floating],
        box_size_px: float,
        time_s: float,
    ) -> Floats:
        """The smoothed points (K, 2); ``box_size_px`` is the root of the box's area."""
        points = np.asarray(points_px, np.float64)
        seen = np.asarray(scores) >= SEEN
        step_s = time_s - self._time_s
        if not 0 < step_s <= GAP_S or len(self._points) != len(points):
            self._points, self._speed = points.copy(), np.zeros_like(points)
            self._known, self._time_s = seen.copy(), time_s
            return points.copy()
        known = self._known & seen
        move = points - self._points
        speed = move / (box_size_px * step_s)
        self._speed += _share(self.settings.speed_cutoff_hz, step_s) * (speed - self._speed)
        cutoff = self.settings.min_cutoff_hz + self.settings.beta * np.linalg.norm(
            self._speed, axis=1, keepdims=True
        )
        trust = np.clip(np.asarray(scores, np.float64) / FULL_SCORE, 0, 1)[:, None]
        smooth = self._points + trust * _share(cutoff, step_s) * move
        self._points = np.where(known[:, None], smooth, points)
        self._speed[~known] = 0
        self._known, self._time_s = seen, time_s
        return self._points.copy()


def _share(cutoff_hz: Floats | float, step_s: float) -> Floats | float:
    """The share of a new value in a first-order low-pass."""
    return 1 / (1 + 1 / (2 * np.pi * np.asarray(cutoff_hz) * step_s))

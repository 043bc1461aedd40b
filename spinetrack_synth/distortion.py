"""Lens distortion: the Brown-Conrady model with OpenCV's coefficients, both ways.

Points are in the image plane one metre in front of the lens (x / z, y / z of the camera frame). The
arithmetic is written once, for numpy's arrays and for a renderer's.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

MODEL: Final = "brown_conrady"
"""Name of the model in records of images."""

MOST_STEPS: Final = 40
CONVERGED: Final = 1e-13
"""Residual below which an undistorted point is found: some 1e-10 px."""
ROUGHLY: Final = 1e-9
"""Residual above which there is none."""


@dataclass(frozen=True)
class Distortion:
    """Coefficients of OpenCV's model: ``k1 k2 k3`` radial, ``p1 p2`` tangential.

    The model is a lens only as far as a larger angle lands farther out; beyond that radius it folds
    back upon itself, and points become nan. Raises ValueError for numbers that are not finite.
    """

    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0
    k3: float = 0.0

    def __post_init__(self) -> None:
        if not np.isfinite(self.coefficients).all():
            raise ValueError(f"distortion {self.coefficients}: not finite")

    @property
    def coefficients(self) -> tuple[float, float, float, float, float]:
        """k1, k2, p1, p2, k3: OpenCV's order."""
        return astuple(self)

    def record(self) -> dict[str, Any]:
        """As an image's record holds it."""
        return {"model": MODEL, "coefficients": list(self.coefficients)}

    @classmethod
    def of_record(cls, record: object) -> Distortion | None:
        """From an image's record; None where there is none, or it is of another kind.

        Raises ValueError where it names this model and is none of it.
        """
        if not isinstance(record, dict) or record.get("model") != MODEL:
            return None
        numbers = record.get("coefficients")
        if not isinstance(numbers, list) or len(numbers) != 5:
            raise ValueError("expected the five coefficients k1, k2, p1, p2, k3")
        if not all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers):
            raise ValueError(f"coefficients {numbers}: expected five numbers")
        return cls(*(float(n) for n in numbers))

    @cached_property
    def farthest(self) -> float:
        """Radius of the undistorted point where the radial part folds; inf where it never does."""
        roots = np.roots([7 * self.k3, 5 * self.k2, 3 * self.k1, 1.0])
        folds = roots.real[(np.abs(roots.imag) < 1e-9 * np.abs(roots)) & (roots.real > 0)]
        return float(np.sqrt(folds.min())) if len(folds) else np.inf

    def distort(self, points: ArrayLike) -> Array:
        """Where points (..., 2) of the image plane land; nan where the model has folded."""
        x, y = np.moveaxis(np.asarray(points, dtype=float), -1, 0)
        with np.errstate(over="ignore", invalid="ignore"):
            landed = np.stack(displaced(self.coefficients, x, y), axis=-1)
            landed[~self._unfolded(x, y)] = np.nan
        return landed

    def undistort(self, points: ArrayLike) -> Array:
        """The points (..., 2) that land at ``points``, by Newton's method; nan where none does."""
        target = np.asarray(points, dtype=float)
        u, v = np.moveaxis(target, -1, 0)
        x, y = u.copy(), v.copy()
        with np.errstate(all="ignore"):
            for _ in range(MOST_STEPS):
                off_x, off_y = residual(self.coefficients, x, y, u, v)
                if np.nanmax(np.hypot(off_x, off_y), initial=0.0) < CONVERGED:
                    break
                x, y = newton_step(self.coefficients, x, y, u, v)
            off_x, off_y = residual(self.coefficients, x, y, u, v)
            found = (np.hypot(off_x, off_y) < ROUGHLY) & self._unfolded(x, y)
        return np.where(found[..., None], np.stack([x, y], axis=-1), np.nan)

    def _unfolded(self, x: Array, y: Array) -> NDArray[np.bool_]:
        """Whether the model is one to one from the middle out to points."""
        a, b, c = jacobian(self.coefficients, x, y)
        unfolded: NDArray[np.bool_] = (np.hypot(x, y) < self.farthest) & (a * c > b * b)
        return unfolded


def displaced(coefficients: tuple[Any, ...], x: Any, y: Any) -> tuple[Any, Any]:
    """Where x, y of the image plane land."""
    k1, k2, p1, p2, k3 = coefficients
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
        y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
    )


def jacobian(coefficients: tuple[Any, ...], x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Derivatives of `displaced`: of x by x, of either by the other (they are equal), of y by y."""
    k1, k2, p1, p2, k3 = coefficients
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    slope = 2 * (k1 + r2 * (2 * k2 + 3 * k3 * r2))
    return (
        radial + slope * x * x + 2 * p1 * y + 6 * p2 * x,
        slope * x * y + 2 * p1 * x + 2 * p2 * y,
        radial + slope * y * y + 6 * p1 * y + 2 * p2 * x,
    )


def residual(coefficients: tuple[Any, ...], x: Any, y: Any, u: Any, v: Any) -> tuple[Any, Any]:
    """From the place u, v to where x, y land."""
    landed_x, landed_y = displaced(coefficients, x, y)
    return landed_x - u, landed_y - v


def newton_step(coefficients: tuple[Any, ...], x: Any, y: Any, u: Any, v: Any) -> tuple[Any, Any]:
    """A better x, y for landing at u, v."""
    off_x, off_y = residual(coefficients, x, y, u, v)
    a, b, c = jacobian(coefficients, x, y)
    scale = 1 / (a * c - b * b)
    return x - scale * (c * off_x - b * off_y), y - scale * (a * off_y - b * off_x)

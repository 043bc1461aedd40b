"""OpenSim's functions of coordinates, written as polynomials.

Every function of one coordinate that a joint or coupler may hold (constant, line, polynomial,
polyline, SIMM's cubic spline, natural splines, steps, and multiples of them) becomes a `Piecewise`,
those of several a `Multivariate`, so that the kinematics knows few kinds only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.documents import floats, one_float

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

ROOT_TOLERANCE: Final = 1e-9
"""How far a root may miss the ends of its piece."""

TOUCHING: Final = 1e-6
"""How far it may miss the real axis: where a curve only touches, rounding parts its two roots by
the square root of what it rounds by."""


class UnsupportedFunction(Exception):
    """A function of OpenSim's that has no piecewise polynomial here."""


@dataclass(frozen=True)
class Piecewise:
    """A piecewise polynomial: piece s holds from ``knots[s]`` to the next knot.

    The first piece reaches down to minus infinity, the last one up to infinity. ``coefficients``
    (S, D) in ascending powers of ``x - knots[s]``.
    """

    knots: Array
    coefficients: Array

    def __call__(self, x: float) -> float:
        piece = max(int(np.searchsorted(self.knots, x, side="right")) - 1, 0)
        powers = (x - self.knots[piece]) ** np.arange(self.coefficients.shape[1])
        return float(self.coefficients[piece] @ powers)

    @property
    def line(self) -> tuple[float, float] | None:
        """Slope and intercept where the function is one straight line, else None."""
        if len(self.knots) > 1 or np.any(self.coefficients[0, 2:]):
            return None
        intercept, slope = (*self.coefficients[0, :2], 0.0)[:2]
        return float(slope), float(intercept - slope * self.knots[0])

    @property
    def constant(self) -> float | None:
        """The value of a function that has one only, else None."""
        values = self.coefficients[:, 0]
        return (
            float(values[0])
            if not np.any(self.coefficients[:, 1:]) and np.all(values == values[0])
            else None
        )

    def reaches(self, y: float) -> Array:
        """Every x at which the function is y, ascending; none for pieces that are y throughout."""
        ends = [-np.inf, *self.knots[1:], np.inf]
        found = []
        for knot, row, begin, end in zip(self.knots, self.coefficients, ends, ends[1:]):
            roots = np.polynomial.Polynomial([row[0] - y, *row[1:]]).roots()
            x = knot + roots.real[np.abs(roots.imag) < TOUCHING * (1 + np.abs(roots.real))]
            found.append(x[(x >= begin - ROOT_TOLERANCE) & (x <= end + ROOT_TOLERANCE)])
        return np.sort(np.concatenate(found))

    def times(self, factor: float) -> Piecewise:
        """This function multiplied by a number."""
        return Piecewise(self.knots, self.coefficients * factor)


@dataclass(frozen=True)
class Multivariate:
    """A polynomial of d variables: the sum of ``coefficients`` (T,) times the variables to the
    powers ``exponents`` (T, d)."""

    exponents: Ints
    coefficients: Array

    def __call__(self, x: ArrayLike) -> float:
        powers = np.asarray(x, dtype=float) ** self.exponents
        return float(self.coefficients @ powers.prod(axis=1))

    def times(self, factor: float) -> Multivariate:
        """This function multiplied by a number."""
        return Multivariate(self.exponents, self.coefficients * factor)

    @property
    def line(self) -> tuple[Array, float] | None:
        """Slopes (d,) and intercept where it is linear, else None."""
        powers = self.exponents.sum(axis=1)
        if np.any(self.coefficients[powers > 1]):
            return None
        slopes = self.exponents[powers == 1].T @ self.coefficients[powers == 1]
        return slopes, float(self.coefficients[powers == 0].sum())


def straight(slope: float, intercept: float) -> Piecewise:
    """``slope * x + intercept``."""
    return Piecewise(np.zeros(1), np.array([[intercept, slope]]))


def polynomial(descending: ArrayLike) -> Piecewise:
    """A polynomial from its coefficients, highest power first (as OpenSim writes them)."""
    coefficients = np.atleast_1d(np.asarray(descending, dtype=float))[::-1]
    return Piecewise(np.zeros(1), coefficients[None].copy())


def polyline(x: ArrayLike, y: ArrayLike) -> Piecewise:
    """Straight pieces between points, the outer ones going on for ever; two points above one
    another make a jump."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    wide = np.diff(x) > 0
    slopes = np.diff(y)[wide] / np.diff(x)[wide]
    if len(x) == 2:
        return Piecewise(x[:1], np.array([[y[0], slopes[0]]]))
    knots, values = (np.append(of[:-1][wide], of[-1]) for of in (x, y))
    return Piecewise(knots, np.stack([values, np.append(slopes, slopes[-1])], axis=1))


def simm_spline(x: ArrayLike, y: ArrayLike) -> Piecewise:
    """SIMM's cubic spline, as OpenSim's SimmSpline draws it.

    It is twice continuously differentiable; at each end the third derivative is that of the cubic
    through the four outer points (three points: zero; two: a line). Outside the points it goes on
    straight with the slope of the end.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    count = len(x)
    if count == 2:
        return polyline(x, y)
    h = np.diff(x)
    slope = np.diff(y) / h
    # Unknown: m = a sixth of the second derivative at every point.
    matrix = np.zeros((count, count))
    right = np.zeros(count)
    for i in range(1, count - 1):
        matrix[i, i - 1 : i + 2] = h[i - 1], 2 * (h[i - 1] + h[i]), h[i]
        right[i] = slope[i] - slope[i - 1]
    matrix[0, :2] = -h[0], h[0]
    matrix[-1, -2:] = h[-1], -h[-1]
    if count > 3:
        second = np.diff(slope) / (x[2:] - x[:-2])
        right[0] = h[0] ** 2 * (second[1] - second[0]) / (x[3] - x[0])
        right[-1] = -(h[-1] ** 2) * (second[-1] - second[-2]) / (x[-1] - x[-4])
    m = np.linalg.solve(matrix, right)
    first = slope - h * (m[1:] + 2 * m[:-1])
    last = slope[-1] + h[-1] * (m[-2] + 2 * m[-1])
    pieces = np.stack([y[:-1], first, 3 * m[:-1], np.diff(m) / h], axis=1)
    knots = np.concatenate([[x[0]], x])
    return Piecewise(knots, np.vstack([[y[0], first[0], 0, 0], pieces, [y[-1], last, 0, 0]]))


def natural_spline(x: ArrayLike, y: ArrayLike, half_order: int) -> Piecewise:
    """The natural spline of degree ``2 * half_order - 1`` through points, as OpenSim's GCVSpline
    draws it without smoothing; outside the points it goes on with degree ``half_order - 1``."""
    from scipy.interpolate import PPoly, make_interp_spline

    x, degree = np.asarray(x, dtype=float), 2 * half_order - 1
    ends = [(k, 0.0) for k in range(half_order, degree)]
    bounds = (ends, ends) if ends else None
    spline = make_interp_spline(x, np.asarray(y, dtype=float), degree, bc_type=bounds)
    pieces = PPoly.from_spline(spline)
    inner = slice(degree, len(pieces.x) - 1 - degree)
    rows = pieces.c[::-1, inner].T
    last = [spline(x[-1], nu=k) / math.factorial(k) for k in range(half_order)]
    before, after = np.zeros((2, degree + 1))
    before[:half_order], after[:half_order] = rows[0, :half_order], last
    return Piecewise(np.concatenate([[x[0]], x]), np.vstack([before, rows, after]))


def smooth_step(start: float, end: float, low: float, high: float) -> Piecewise:
    """Simbody's step: from ``low`` before ``start`` to ``high`` after ``end``, twice smooth."""
    t, rise = end - start, high - low
    powers = np.array([low, 0, 0, 10 * rise / t**3, -15 * rise / t**4, 6 * rise / t**5])
    level = np.zeros((2, 6))
    level[:, 0] = low, high
    return Piecewise(np.array([start, start, end]), np.stack([level[0], powers, level[1]]))


def _points(node: Element, may_jump: bool = False) -> tuple[Array, Array]:
    """The points that a curve goes through, which ``may_jump`` but not at its ends; raises
    UnsupportedFunction where they make none."""
    x, y = floats(node, "x", ""), floats(node, "y", "")
    if len(x) != len(y) or len(x) < 2:
        raise UnsupportedFunction(f"{node.tag} of {len(x)} x and {len(y)} y")
    rises = np.diff(x)
    if not np.all(rises >= 0) or not np.all((rises[[0, -1]] if may_jump else rises) > 0):
        raise UnsupportedFunction(f"{node.tag} whose x do not ascend")
    return x, y


def parse_function(node: Element) -> Piecewise:
    """The function that an element of an .osim file describes.

    Raises UnsupportedFunction for kinds that are no piecewise polynomial of one coordinate.
    """
    match node.tag:
        case "Constant":
            return straight(0.0, one_float(node, "value", 0.0))
        case "LinearFunction":
            coefficients = floats(node, "coefficients", "")
            if len(coefficients) == 0:
                return straight(1.0, 0.0)
            if len(coefficients) == 2:
                return straight(*coefficients)
        case "PolynomialFunction" if len(coefficients := floats(node, "coefficients", "")):
            return polynomial(coefficients)
        case "MultivariatePolynomialFunction" if one_float(node, "dimension", 0) == 1:
            coefficients = floats(node, "coefficients", "")
            if len(coefficients) == one_float(node, "order", 0) + 1:
                return polynomial(coefficients[::-1])
        case "PiecewiseLinearFunction":
            return polyline(*_points(node, may_jump=True))
        case "SimmSpline" | "NaturalCubicSpline" | "natCubicSpline":
            return simm_spline(*_points(node))
        case "GCVSpline" if not one_float(node, "error_variance", 0.0):
            half_order = int(one_float(node, "half_order", 3))
            x, y = _points(node)
            if not 1 <= half_order <= len(x) // 2:
                raise UnsupportedFunction(f"GCVSpline of half order {half_order}, {len(x)} points")
            return natural_spline(x, y, half_order)
        case "StepFunction":
            start, end = (
                one_float(node, f"transition_{which}_time", usual)
                for which, usual in (("start", 0.99), ("end", 1.01))
            )
            low, high = one_float(node, "start_value", 0.0), one_float(node, "end_value", 1.0)
            if start < end:
                return smooth_step(start, end, low, high)
            if start > end:  # the same rise, seen from its end
                return smooth_step(end, start, high, low)
        case "MultiplierFunction":
            inner, scale = _multiplied(node)
            return parse_function(inner).times(scale)
    raise UnsupportedFunction(node.tag)


def parse_multivariate(node: Element, count: int) -> Multivariate:
    """The function of ``count`` coordinates that an element describes.

    Raises UnsupportedFunction for kinds that are no polynomial.
    """
    match node.tag:
        case "Constant":
            none = np.zeros((1, count), dtype=np.int64)
            return Multivariate(none, np.array([one_float(node, "value", 0.0)]))
        case "LinearFunction" if len(slopes := floats(node, "coefficients", "")) == count + 1:
            exponents = np.vstack([np.eye(count, dtype=np.int64), np.zeros(count, dtype=np.int64)])
            return Multivariate(exponents, slopes)
        case "MultivariatePolynomialFunction":
            order = int(one_float(node, "order", 0))
            # The powers of the last variable rise first.
            powers = [p for p in product(range(order + 1), repeat=count) if sum(p) <= order]
            coefficients = floats(node, "coefficients", "")
            if len(coefficients) == len(powers):
                exponents = np.array(powers, dtype=np.int64).reshape(-1, count)
                return Multivariate(exponents, coefficients)
        case "MultiplierFunction":
            inner, scale = _multiplied(node)
            return parse_multivariate(inner, count).times(scale)
    raise UnsupportedFunction(f"{node.tag} of {count} coordinates")


def _multiplied(node: Element) -> tuple[Element, float]:
    """What a MultiplierFunction multiplies, and by how much."""
    inner = node.find("function")
    if inner is None or not len(inner):
        raise UnsupportedFunction(node.tag)
    return inner[0], one_float(node, "scale", 1.0)

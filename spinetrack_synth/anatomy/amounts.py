"""Quantities that follow coordinates: what a coupler drives, how far along an ellipsoid a joint is.

A coordinate may be driven by others, and an axis of a joint may move by a function of several. Each
is written as a few steps (sums, products, sines, piecewise polynomials), every one of which follows
what stands before it; so the kinematics and the solver know steps only, and their slopes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.functions import Multivariate, Piecewise, polynomial
from spinetrack_synth.compiled import by_reference, inner, njit

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

SUM, PRODUCT, PIECES, SINE, COSINE, ALONG_ARC, ACROSS_ARC = range(7)
"""Kinds of steps: constant + sum of weight * source; product of two sources; a piecewise
polynomial, sine or cosine of one; how far, in shares of its length, an arc of constant curvature
reaches along its first direction and, over the sine, across it, of the cosine of its whole turn."""

SMALL_ARC: Final = 1e-4
"""1 - cosine below which an arc is reckoned by its series."""


class Step(NamedTuple):
    """One step: ``target`` is the name of a coordinate or of a quantity that only axes follow."""

    kind: int
    target: str
    sources: tuple[str, ...]
    weights: tuple[float, ...] = ()
    constant: float = 0.0
    function: Piecewise | None = None


@by_reference
class Program(NamedTuple):
    """Steps as flat arrays, in the order in which they are taken.

    Quantities are numbered: all coordinates first. Step s sets ``target[s]`` from the sources
    ``source[source_start[s]:source_start[s + 1]]`` and their ``weight``; ``constant`` (S,); the
    pieces ``piece_start[s]:piece_start[s + 1]`` of a polynomial as in `model.Chain`.
    """

    size: int
    kind: Ints
    target: Ints
    source_start: Ints
    source: Ints
    weight: Array
    constant: Array
    piece_start: Ints
    piece_knot: Array
    piece_coefficient: Array


class Steps:
    """Steps while a model is read; the same quantity asked for twice is taken once."""

    def __init__(self, prefix: str) -> None:
        self.taken: list[Step] = []
        self._prefix = prefix
        self._known: dict[tuple[object, ...], str] = {}

    def total(
        self, weights: Mapping[str, float], constant: float = 0.0, target: str | None = None
    ) -> str:
        """constant + sum of weight * source; returns the name of the quantity."""
        return self._take(
            SUM, tuple(weights), tuple(weights.values()), constant, None, target,
        )  # fmt: skip

    def product(self, one: str, other: str) -> str:
        """The product of two quantities."""
        return self._take(PRODUCT, (one, other))

    def sine(self, angle: str) -> str:
        """The sine of a quantity."""
        return self._take(SINE, (angle,))

    def cosine(self, angle: str) -> str:
        """The cosine of a quantity."""
        return self._take(COSINE, (angle,))

    def arc(self, cosine: str) -> tuple[str, str]:
        """How far an arc reaches along and across, of the cosine of its turn."""
        return self._take(ALONG_ARC, (cosine,)), self._take(ACROSS_ARC, (cosine,))

    def pieces(self, function: Piecewise, of: str, target: str | None = None) -> str:
        """A piecewise polynomial of a quantity."""
        return self._take(PIECES, (of,), (), 0.0, function, target)

    def polynomial(
        self, function: Multivariate, of: Sequence[str], target: str | None = None
    ) -> str:
        """A polynomial of several quantities."""
        weights: dict[str, float] = {}
        constant = 0.0
        for exponents, coefficient in zip(function.exponents, function.coefficients.tolist()):
            if coefficient == 0.0:
                continue
            powers = [self._power(name, int(e)) for name, e in zip(of, exponents) if e > 0]
            if not powers:
                constant += coefficient
                continue
            term = powers[0]
            for power in powers[1:]:
                term = self.product(term, power)
            weights[term] = weights.get(term, 0.0) + coefficient
        return self.total(weights, constant, target)

    def _power(self, of: str, exponent: int) -> str:
        return of if exponent == 1 else self.pieces(polynomial([1.0] + [0.0] * exponent), of)

    def _take(
        self,
        kind: int,
        sources: tuple[str, ...],
        weights: tuple[float, ...] = (),
        constant: float = 0.0,
        function: Piecewise | None = None,
        target: str | None = None,
    ) -> str:
        written = (
            () if function is None else (function.knots.tobytes(), function.coefficients.tobytes())
        )
        key = (kind, sources, weights, constant, written)
        if target is None and key in self._known:
            return self._known[key]
        name = target or f"{self._prefix}/{len(self.taken)}"
        self.taken.append(Step(kind, name, sources, weights, constant, function))
        self._known.setdefault(key, name)
        return name


def as_program(steps: Sequence[Step], index: Mapping[str, int]) -> Program:
    """Steps as arrays; ``index`` numbers all quantities by name."""
    functions = [step.function for step in steps]
    pieces = [np.zeros((0, 2)) if f is None else f.coefficients for f in functions]
    knots = [np.zeros(0) if f is None else f.knots for f in functions]
    degree = max([2, *(rows.shape[1] for rows in pieces)])
    weights = [step.weights or (0.0,) * len(step.sources) for step in steps]
    return Program(
        size=len(index),
        kind=np.array([step.kind for step in steps], dtype=np.int64),
        target=np.array([index[step.target] for step in steps], dtype=np.int64),
        source_start=np.cumsum([0, *(len(step.sources) for step in steps)], dtype=np.int64),
        source=np.array([index[name] for step in steps for name in step.sources], dtype=np.int64),
        weight=np.array([w for row in weights for w in row], dtype=float),
        constant=np.array([step.constant for step in steps], dtype=float),
        piece_start=np.cumsum([0, *map(len, knots)], dtype=np.int64),
        piece_knot=np.concatenate([np.zeros(0), *knots]),
        piece_coefficient=np.concatenate(
            [
                np.zeros((0, degree)),
                *(np.pad(rows, ((0, 0), (0, degree - rows.shape[1]))) for rows in pieces),
            ]
        ),
    )


@njit(error_model="numpy")
def follow(program: Program, q: Array, slope: Array) -> None:
    """Take all steps: fill the quantities q (``size``,) that they set, and each step's derivative
    by each of its sources, ``slope`` (as long as ``program.source``)."""
    for s in range(len(program.kind)):
        kind, first, last = program.kind[s], program.source_start[s], program.source_start[s + 1]
        value = 0.0
        if kind == SUM:
            value = program.constant[s]
            for i in range(first, last):
                value += program.weight[i] * q[program.source[i]]
                slope[i] = program.weight[i]
        elif kind == PRODUCT:
            one, other = q[program.source[first]], q[program.source[first + 1]]
            value, slope[first], slope[first + 1] = one * other, other, one
        else:
            x = q[program.source[first]]
            derivative = 0.0
            if kind == PIECES:
                start, piece = program.piece_start[s], program.piece_start[s + 1] - 1
                while piece > start and x < program.piece_knot[piece]:
                    piece -= 1
                x -= program.piece_knot[piece]
                for power in range(program.piece_coefficient.shape[1] - 1, -1, -1):
                    derivative = derivative * x + value
                    value = value * x + program.piece_coefficient[piece, power]
            elif kind == SINE:
                value, derivative = np.sin(x), np.cos(x)
            elif kind == COSINE:
                value, derivative = np.cos(x), -np.sin(x)
            else:
                value, derivative = _arc(x, kind == ALONG_ARC)
            slope[first] = derivative
        q[program.target[s]] = value


@inner(error_model="numpy")
def _arc(cosine: float, along: bool) -> tuple[float, float]:
    """sin(t) / t, or (1 - cos(t)) / (t sin(t)), of cos(t), and its derivative by cos(t)."""
    e = 1.0 - cosine
    if e < SMALL_ARC:
        square = e * (2.0 + e * (1.0 / 3.0 + e * 4.0 / 45.0))
        d_square = -(2.0 + e * (2.0 / 3.0 + e * 4.0 / 15.0))
        if along:
            return (
                1.0 - square / 6.0 + square * square / 120.0,
                (-1.0 / 6.0 + square / 60.0) * d_square,
            )
        return (
            0.5 + square / 24.0 + square * square / 240.0,
            (1.0 / 24.0 + square / 120.0) * d_square,
        )
    turn = np.arccos(max(cosine, -1.0))
    sine = max(np.sin(turn), 1e-9)
    if along:
        return sine / turn, (sine - turn * cosine) / (turn * turn * sine)
    half = np.tan(0.5 * turn)
    by_turn = 0.5 * (1.0 + half * half) / turn - half / (turn * turn)
    return half / turn, -by_turn / sine


@njit(error_model="numpy")
def followed(program: Program, q: Array) -> Array:
    """All quantities (F, ``size``) at F coordinate vectors q (F, n)."""
    extended = np.zeros((len(q), program.size))
    slope = np.empty(len(program.source))
    for frame in range(len(q)):
        for i in range(q.shape[1]):
            extended[frame, i] = q[frame, i]
        follow(program, extended[frame], slope)
    return extended


def quantity_slopes(program: Program, q: Array) -> Array:
    """Derivatives (``size``, n) of all quantities by the coordinates q (n,), which count as
    independent but where a step sets them."""
    extended = followed(program, q[None])[0]
    slope = np.empty(len(program.source))
    follow(program, extended, slope)
    slopes = np.zeros((program.size, len(q)))
    slopes[: len(q)] = np.eye(len(q))
    for s, target in enumerate(program.target.tolist()):
        used = slice(program.source_start[s], program.source_start[s + 1])
        slopes[target] = slope[used] @ slopes[program.source[used]]
    return slopes

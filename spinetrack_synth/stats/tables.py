"""Distributions: how often values of a kind occur, counted as they come.

What is kept of a number are counts of narrow bins, so memory does not grow with the datasets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

QUANTILES: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_FINE: Final = 25
"""Narrow bins in each bin that is told: quantiles are true to a fiftieth of a told bin."""


@dataclass(frozen=True)
class Measure:
    """What is counted: ``key`` names it in files, ``title`` for readers, ``of`` says what each
    value is of (people, pictures, keypoints), ``group`` which part of a report it stands in.

    Numbers have ``edges`` of the bins and a ``unit``; what lies outside the edges is counted at
    both ends. Names have neither, and ``order`` where they have one.
    """

    key: str
    title: str
    of: str
    group: str
    edges: tuple[float, ...] = ()
    unit: str = ""
    order: tuple[str, ...] = ()

    @property
    def numeric(self) -> bool:
        return bool(self.edges)


@dataclass(frozen=True)
class Bar:
    """One bin or name: ``low`` and ``high`` of a bin, None for names and at open ends."""

    label: str
    count: int
    share: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Table:
    """A distribution: ``bars``, how many values there are, and of numbers the ``quantiles`` (by
    ``QUANTILES``), least and greatest."""

    measure: Measure
    total: int
    bars: tuple[Bar, ...]
    quantiles: tuple[float, ...] = ()
    least: float = np.nan
    greatest: float = np.nan

    @property
    def shares(self) -> Floats:
        """Of the bars."""
        return np.array([bar.share for bar in self.bars])


@dataclass
class Tally:
    """Counts of one measure, to which values are added."""

    measure: Measure
    names: Counter[str] = field(default_factory=Counter)
    least: float = np.inf
    greatest: float = -np.inf

    def __post_init__(self) -> None:
        edges = np.array(self.measure.edges, dtype=float)
        steps = np.arange(_FINE) / _FINE
        fine = (edges[:-1, None] + np.diff(edges)[:, None] * steps).ravel()
        self._edges = np.append(fine, edges[-1:])
        self._counts = np.zeros(len(self._edges) + 1, dtype=np.int64)

    def add(self, values: Floats | Sequence[str | None]) -> None:
        """Count numbers (N,), nan left out, or names, None left out."""
        if not self.measure.numeric:
            self.names.update(value for value in values if isinstance(value, str))
            return
        known = np.asarray(values, dtype=float)
        known = known[np.isfinite(known)]
        if len(known):
            self.least = min(self.least, float(known.min()))
            self.greatest = max(self.greatest, float(known.max()))
            place = np.searchsorted(self._edges, known, side="right")
            place[known == self._edges[-1]] -= 1  # the last bin holds its upper edge
            self._counts += np.bincount(place, minlength=len(self._counts))

    def table(self) -> Table:
        """The distribution of what was added."""
        return self._numbers() if self.measure.numeric else self._names()

    def _names(self) -> Table:
        total = self.names.total()
        order = {name: place for place, name in enumerate(self.measure.order)}
        ordered = sorted(
            self.names.items(), key=lambda item: (order.get(item[0], len(order)), -item[1], item[0])
        )
        bars = tuple(Bar(name, count, count / total) for name, count in ordered)
        return Table(self.measure, total, bars)

    def _numbers(self) -> Table:
        total = int(self._counts.sum())
        edges = self.measure.edges
        inside = self._counts[1:-1].reshape(len(edges) - 1, _FINE).sum(1)
        bars: list[tuple[str, int, float | None, float | None]] = []
        if self._counts[0]:
            bars.append((f"under {edges[0]:g}", self._counts[0], None, edges[0]))
        for low, high, count in zip(edges, edges[1:], inside):
            bars.append((f"{low:g} to {high:g}", count, low, high))
        if self._counts[-1]:
            bars.append((f"over {edges[-1]:g}", self._counts[-1], edges[-1], None))
        told = tuple(
            Bar(label, int(n), int(n) / max(total, 1), low, high) for label, n, low, high in bars
        )
        return Table(self.measure, total, told, self._quantiles(), self.least, self.greatest)

    def _quantiles(self) -> tuple[float, ...]:
        """Interpolated within narrow bins; the open ends reach to the least and greatest."""
        if not self._counts.any():
            return ()
        ends = np.concatenate([[self.least], self._edges, [self.greatest]])
        ends = np.clip(ends, self.least, self.greatest)
        below = np.concatenate([[0], np.cumsum(self._counts)])
        # Where nothing is counted the sum stands still: of equal ones the first edge is taken.
        rising = np.concatenate([[True], np.diff(below) > 0])
        wanted = np.array(QUANTILES) * below[-1]
        return tuple(map(float, np.interp(wanted, below[rising], ends[rising])))


def shared_bars(first: Table, second: Table) -> tuple[Floats, Floats]:
    """Shares (B,) of both tables over the bars that either has."""
    labels = list(dict.fromkeys(bar.label for table in (first, second) for bar in table.bars))

    def of(table: Table) -> Floats:
        share = {bar.label: bar.share for bar in table.bars}
        return np.array([share.get(label, 0.0) for label in labels])

    return of(first), of(second)


def overlap(first: Table, second: Table) -> float:
    """What two distributions have in common: 1 where they are equal, 0 where nothing of one occurs
    in the other (1 less the total variation distance)."""
    a, b = shared_bars(first, second)
    return float(np.minimum(a, b).sum())


def tallies(measures: Iterable[Measure]) -> dict[str, Tally]:
    """An empty tally for each measure, by its key."""
    return {measure.key: Tally(measure) for measure in measures}

"""Differences of measures between two sets, with intervals and p-values that hold their level.

A measure is a quotient of two sums over clusters (pictures or sequences). The difference of the two
sides' quotients over its own standard error (linearised) is held against that of sides dealt out
at random: the studentised permutation test (Janssen 1997; Chung and Romano 2013). Where both sides
come from one distribution its level is exact, however few clusters there are and however skewed
they are; where they do not, it is right for many of them, also with unequal spreads. Where Welch's
interval is the wider one, it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import stats
from scipy.sparse import csr_array

from spinetrack_synth.gap.bootstrap import LEAST_CLUSTERS, LEVEL, Interval
from spinetrack_synth.gap.labels import Bools, Floats, Ints
from spinetrack_synth.gap.measures import Table, quotient

FALSE_DISCOVERIES: Final = 0.05
"""Of what is told of a table with many rows, at most this share is there by accident."""
_CHUNK: Final = 64
_ROUNDING: Final = 1e-12


@dataclass(frozen=True)
class Gap:
    """A measure on both sides: ``gap`` is real less synthetic; ``better`` +1 where more is better,
    -1 where less is, 0 where neither. ``p`` the chance of so large a gap by accident, ``corrected``
    for all rows of the table it stands in (Benjamini and Hochberg); nan where too few to tell."""

    synthetic: Interval
    real: Interval
    gap: Interval
    better: int
    p: float = float("nan")
    corrected: float = float("nan")

    @property
    def harm(self) -> float:
        """How much worse real is."""
        return -self.better * self.gap.value

    @property
    def clear(self) -> bool:
        """Whether the gap stands out: of a table with many rows after correction."""
        p = self.corrected if np.isfinite(self.corrected) else self.p
        return bool(p <= FALSE_DISCOVERIES) and not self.gap.holds_zero


@dataclass(frozen=True, eq=False)
class _Studentised:
    """Of R ways to deal clusters out to two sides: differences over their standard errors (R, M),
    these errors, and the variances (R, M) of both sides with their counts of clusters."""

    statistic: Floats
    error: Floats
    variance: list[Floats]
    count: list[Floats]


def differences(
    tables: tuple[Table, Table],
    clusters: tuple[Ints, Ints],
    permutations: int,
    seed: int,
    values: tuple[Floats, Floats] | None = None,
) -> dict[str, Gap]:
    """The gaps of all measures of (synthetic, real), ``clusters`` (N,) of each person.

    ``values`` (M,) of both sides stand for the tables' own, where these are pseudo-values.
    """
    sums = [_of_clusters(table, cluster) for table, cluster in zip(tables, clusters)]
    own = values or tuple(quotient(above.sum(0), below.sum(0)) for above, below in sums)
    moments = _moments(*(np.concatenate(each) for each in zip(*sums)))
    second = np.arange(len(moments)) >= len(sums[0][0])
    observed = _studentised(second[None].astype(np.float64), moments)
    rng = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            _studentised(_dealt(second, min(_CHUNK, permutations - start), rng), moments).statistic
            for start in range(0, permutations, _CHUNK)
        ]
    )
    variance, count = observed.variance, observed.count
    freedom = _welch(variance, count)
    p = (1 + (drawn >= observed.statistic - 1e-9).sum(0)) / (1 + permutations)
    p = np.fmax(p, 2 * stats.t.sf(observed.statistic[0], freedom))
    rank = min(int(np.ceil(LEVEL * (permutations + 1))), permutations)
    critical = np.fmax(np.sort(drawn, axis=0)[rank - 1], stats.t.ppf((1 + LEVEL) / 2, freedom))
    enough = np.minimum(count[0], count[1])[0] >= LEAST_CLUSTERS
    found = {}
    for m, name in enumerate(tables[0].names):
        sides = [_students(own[n][m], variance[n][0, m], count[n][0, m]) for n in (0, 1)]
        half = critical[m] * observed.error[0, m] if observed.error[0, m] > 0 else 0.0
        told = bool(enough[m]) and np.isfinite(half)
        gap = float(own[1][m] - own[0][m])
        found[name] = Gap(
            synthetic=sides[0],
            real=sides[1],
            gap=Interval(gap, gap - half, gap + half) if told else _unsure(gap),
            better=tables[0].better[m],
            p=float(p[m]) if told else float("nan"),
        )
    return found


def _moments(above: Floats, below: Floats) -> Floats:
    """What is summed over the clusters of a side (C, 6 M), from sums (C, M) of each cluster."""
    # Beside the pooled value, so that nothing cancels in the sums of squares.
    above = above - np.nan_to_num(quotient(above.sum(0), below.sum(0))) * below
    return np.concatenate(
        [above, below, above**2, above * below, below**2, below > 0], axis=1, dtype=np.float64
    )


def _studentised(sides: Floats, moments: Floats) -> _Studentised:
    """Sides (R, C) are 1 for the clusters of the second side."""
    there = sides @ moments
    parts = [_variance(each) for each in (moments.sum(0) - there, there)]
    difference = parts[1][0] - parts[0][0]
    difference[np.abs(difference) < _ROUNDING] = 0.0
    error = np.sqrt(parts[0][1] + parts[1][1])
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(difference == 0, 0.0, np.abs(difference) / error)
    few = (parts[0][2] < 2) | (parts[1][2] < 2)
    # Where a side has nobody the difference could be anything.
    statistic = np.where(few | np.isnan(statistic), np.inf, statistic)
    return _Studentised(statistic, error, [each[1] for each in parts], [each[2] for each in parts])


def _of_clusters(table: Table, cluster: Ints) -> tuple[Floats, Floats]:
    """Sums (C, M) of the people of each cluster."""
    _, number = np.unique(cluster, return_inverse=True)
    rows = np.arange(len(number))
    members = csr_array((np.ones(len(rows)), (number, rows)), shape=(len(set(number)), len(rows)))
    return members @ table.above, members @ table.below


def _dealt(second: Bools, count: int, rng: np.random.Generator) -> Floats:
    return rng.permuted(np.tile(second.astype(np.float64), (count, 1)), axis=1)


def _variance(moments: Floats) -> tuple[Floats, Floats, Floats]:
    """Quotients, their variances and the clusters they are of, each (R, M), from sums (R, 6 M)."""
    above, below, squares, products, weights, count = np.split(moments, 6, axis=1)
    value = quotient(above, below)
    rest = np.maximum(squares - 2 * value * products + value**2 * weights, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.where(count > 1, count / (count - 1), np.nan) * quotient(rest, below**2)
    return value, variance, count


def _welch(variance: list[Floats], count: list[Floats]) -> Floats:
    """Degrees of freedom (M,) of the difference of two means (Welch and Satterthwaite)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [v[0] ** 2 / (n[0] - 1) for v, n in zip(variance, count)]
        freedom = (variance[0][0] + variance[1][0]) ** 2 / (parts[0] + parts[1])
    return np.where(np.isfinite(freedom), freedom, np.nan)


def _students(value: float, variance: float, count: float) -> Interval:
    if count < LEAST_CLUSTERS or not np.isfinite(variance):
        return _unsure(float(value))
    half = float(stats.t.ppf((1 + LEVEL) / 2, count - 1) * np.sqrt(variance))
    return Interval(float(value), float(value) - half, float(value) + half)


def _unsure(value: float) -> Interval:
    return Interval(value, float("nan"), float("nan"))


def corrected(gaps: Mapping[str, Gap]) -> dict[str, Gap]:
    """The gaps of one table with p-values for all its rows together: of those at most .05, at most
    5% are there by accident (Benjamini and Hochberg 1995)."""
    known = [name for name, gap in gaps.items() if np.isfinite(gap.p)]
    if not known:
        return dict(gaps)
    adjusted = stats.false_discovery_control([gaps[name].p for name in known])
    return dict(gaps) | {
        name: replace(gaps[name], corrected=float(p)) for name, p in zip(known, adjusted)
    }

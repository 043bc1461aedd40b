"""How well a model's measurements agree with the labels': bias, limits of agreement, ICC, CCC and
the smallest change that is real, with intervals that know which people belong together.

Pure arrays: a reference x and a measurement y of the same people, d = y - x. All figures are
functions of sums over clusters (pictures, sequences or subjects), so drawing clusters again is a
product of matrices.

- Bland & Altman 1986 (Lancet 327:307), 1999 (Stat Methods Med Res 8:135): bias mean(d), limits of
  agreement bias -/+ 1.96 sd. Where clusters hold several people sd is made of the parts between
  and within them (one-way analysis of variance; Bland & Altman 2007, J Biopharm Stat 17:571), which
  is the plain standard deviation where each holds one. Proportional bias: slope of d over
  (x + y) / 2.
- Shrout & Fleiss 1979 (Psychol Bull 86:420): ICC(2,1), two-way random effects, absolute agreement,
  single measurement: (MSR - MSE) / (MSR + MSE + 2 (MSC - MSE) / n) for two raters.
- Lin 1989 (Biometrics 45:255): CCC = 2 cov / (var x + var y + (mean x - mean y)^2).
- Weir 2005 (J Strength Cond Res 19:231): SEM = sqrt(MSE) = sd / sqrt 2, and the smallest change
  that is real, MDC95 = 1.96 sqrt 2 SEM. Both take labels and model for equally exact.
- Intervals: the standard error of drawn clusters, corrected for their number, times Student's t of
  as many clusters less one, on Fisher's z of ICC and CCC and on the logarithm of sd and SEM; of
  the limits by the two intervals of bias and sd (Zou 2013, Stat Methods Med Res 22:630).
  Percentiles of draws cover too seldom where clusters are few (docs/evaluate.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from spinetrack_synth.gap.bootstrap import LEAST_CLUSTERS, LEVEL, Interval, draws
from spinetrack_synth.gap.labels import Bools, Floats, Ints

LIMIT: Final = 1.96
RESAMPLES: Final = 500
MOST_CLUSTERS: Final = 1000
"""More clusters are dealt at random into so many, which are drawn together: a thousand tell the
standard error as well as sixty thousand."""
LEAST_PAIRS: Final = 3

STATISTICS: Final = ("bias", "absolute", "sd", "icc", "ccc", "slope")
_SCALES: Final = {
    "icc": (np.arctanh, np.tanh),
    "ccc": (np.arctanh, np.tanh),
    "absolute": (np.log, np.exp),
    "sd": (np.log, np.exp),
}
"""Where the standard error is taken, and the way back."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """Agreement of ``measured`` with ``reference`` (n,), of people in ``clusters`` clusters; the
    rows they stand in are ``rows`` (n,). ``absolute`` is the mean absolute difference; ``lower``
    and ``upper`` the limits of agreement; ``slope`` that of the difference over their mean."""

    reference: Floats
    measured: Floats
    rows: Ints
    clusters: int
    bias: Interval
    absolute: Interval
    sd: Interval
    lower: Interval
    upper: Interval
    icc: Interval
    ccc: Interval
    sem: Interval
    mdc: Interval
    slope: Interval

    @property
    def proportional(self) -> bool:
        """Whether the difference grows or shrinks with what is measured."""
        return not self.slope.holds_zero


@dataclass(frozen=True)
class Contrast:
    """A figure of two models, and the first less the second."""

    first: float
    second: float
    difference: Interval


def contrast_of(first: float, second: float, error: float, clusters: int) -> Contrast:
    """Two figures whose difference has a standard error, known from so many clusters."""
    return Contrast(first, second, _symmetric(first - second, error, clusters))


def unwrapped(reference: Floats, measured: Floats, period: float) -> tuple[Floats, Floats]:
    """Values (n,) of a circle on a line: the reference cut open opposite to its mean direction, the
    measurement on the nearer side of it. Unchanged where the period is infinite."""
    if not np.isfinite(period):
        return reference, measured
    angles = 2 * np.pi / period * reference
    centre = np.arctan2(np.sin(angles).mean(), np.cos(angles).mean()) * period / (2 * np.pi)

    def wrap(values: Floats) -> Floats:
        return (values + period / 2) % period - period / 2

    line = centre + wrap(reference - centre)
    return line, line + wrap(measured - reference)


def agree(
    reference: Floats,
    measured: Floats,
    cluster: Ints,
    *,
    period: float = float("inf"),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Agreement | None:
    """Agreement of two measurements (N,), those that are nan on either side left out; ``cluster``
    (N,) says who belongs together. None where fewer than ``LEAST_PAIRS`` are left."""
    rows = np.flatnonzero(np.isfinite(reference) & np.isfinite(measured))
    if len(rows) < LEAST_PAIRS:
        return None
    x, y = unwrapped(reference[rows], measured[rows], period)
    sums = _sums(x, y, cluster[rows])
    clusters = len(sums)
    values = _statistics(sums.sum(0))
    found = _intervals(values, _drawn(sums, resamples, seed), clusters)
    sd = found["sd"]
    return Agreement(
        x, y, rows, clusters,
        lower=_limit(found["bias"], sd, -LIMIT),
        upper=_limit(found["bias"], sd, LIMIT),
        sem=_scaled(sd, 1 / np.sqrt(2)),
        mdc=_scaled(sd, LIMIT),
        **found,
    )  # fmt: skip


def contrast(
    reference: Floats,
    first: Floats,
    second: Floats,
    cluster: Ints,
    *,
    period: float = float("inf"),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Contrast]:
    """Statistics of the first measurement less those of the second, on the people whom both have,
    with intervals from the same draws; empty where fewer than ``LEAST_PAIRS`` are left."""
    rows = np.flatnonzero(np.isfinite(reference) & np.isfinite(first) & np.isfinite(second))
    if len(rows) < LEAST_PAIRS:
        return {}
    sums = [
        _sums(*unwrapped(reference[rows], each[rows], period), cluster[rows])
        for each in (first, second)
    ]
    values = [_statistics(each.sum(0)) for each in sums]
    drawn = [_drawn(each, resamples, seed) for each in sums]
    clusters = len(sums[0])
    error = _error(drawn[0] - drawn[1], clusters)
    return {
        name: contrast_of(float(values[0][n]), float(values[1][n]), float(error[n]), clusters)
        for n, name in enumerate(STATISTICS)
    }


def _sums(x: Floats, y: Floats, cluster: Ints) -> Floats:
    """What all statistics are made of, by cluster (C, 12)."""
    _, number = np.unique(cluster, return_inverse=True)
    count = int(number.max()) + 1
    centre = x.mean()  # the statistics do not depend on it; squares lose fewer digits
    x, y = x - centre, y - centre
    d = y - x

    def added(values: Floats) -> Floats:
        return np.bincount(number, values, count).astype(np.float64)

    n, total = added(np.ones(len(x))), added(d)
    columns = (
        np.ones(count), n, n**2, total, added(d**2), total**2 / n, added(np.abs(d)),
        added(x), added(y), added(x**2), added(y**2), added(x * y),
    )  # fmt: skip
    return np.stack(columns, axis=-1)


def _statistics(sums: Floats) -> Floats:
    """``STATISTICS`` (..., 6) of sums (..., 12)."""
    g, n, n2, d, dd, between, absolute, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        bias, absolute = d / n, absolute / n
        single = n <= g
        within = np.where(single, 0.0, (dd - between) / np.where(single, 1.0, n - g))
        size = (n - n2 / n) / (g - 1)
        apart = np.maximum((between - d**2 / n) / (g - 1) - within, 0.0) / size
        # Of one cluster nothing is known between clusters.
        sd = np.sqrt(np.maximum(np.where(g > 1, apart, 0.0) + within, 0.0))
        vx, vy, both = xx / n - (x / n) ** 2, yy / n - (y / n) ** 2, xy / n - x * y / n**2
        ccc = 2 * both / (vx + vy + bias**2)
        factor = n / (n - 1)
        msr, mse = factor * (vx + vy + 2 * both) / 2, factor * (vx + vy - 2 * both) / 2
        msc = n * bias**2 / 2
        icc = (msr - mse) / (msr + mse + 2 * (msc - mse) / n)
        slope = 2 * (vy - vx) / (vx + vy + 2 * both)
    return np.stack([bias, absolute, sd, icc, ccc, slope], axis=-1)


def _drawn(sums: Floats, resamples: int, seed: int) -> Floats:
    """The statistics (R, 6) of drawn clusters."""
    if len(sums) > MOST_CLUSTERS:
        dealt = np.random.default_rng(seed).permutation(len(sums)) % MOST_CLUSTERS
        sums = np.stack([np.bincount(dealt, column, MOST_CLUSTERS) for column in sums.T], axis=-1)
    return np.concatenate(
        [_statistics(times @ sums) for times in draws(len(sums), resamples, seed)]
    )


def _error(replicates: Floats, clusters: int) -> Floats:
    """Standard errors (S,) of replicates (R, S); nan where too many of them are unknown."""
    known = np.isfinite(replicates)
    count = known.sum(0)
    usable = (count >= 0.8 * len(replicates)) & (count > 1)
    kept = np.where(known, replicates, 0.0)
    mean = kept.sum(0) / np.maximum(count, 1)
    square = np.where(known, (replicates - mean) ** 2, 0.0).sum(0) / np.maximum(count - 1, 1)
    return np.where(usable, np.sqrt(square * clusters / max(clusters - 1, 1)), np.nan)


def _intervals(values: Floats, replicates: Floats, clusters: int) -> dict[str, Interval]:
    found = {}
    for n, name in enumerate(STATISTICS):
        there, back = _SCALES.get(name, (np.positive, np.positive))
        with np.errstate(divide="ignore", invalid="ignore"):
            error = _error(there(replicates[:, n : n + 1]), clusters)[0]
            middle = _symmetric(float(there(values[n])), float(error), clusters)
        found[name] = Interval(float(values[n]), float(back(middle.low)), float(back(middle.high)))
    return found


def _symmetric(value: float, error: float, clusters: int) -> Interval:
    if clusters < LEAST_CLUSTERS or not (np.isfinite(value) and np.isfinite(error)):
        return Interval(value, float("nan"), float("nan"))
    half = float(stats.t.ppf((1 + LEVEL) / 2, clusters - 1)) * error
    return Interval(value, value - half, value + half)


def _scaled(found: Interval, factor: float) -> Interval:
    return Interval(found.value * factor, found.low * factor, found.high * factor)


def _limit(bias: Interval, sd: Interval, factor: float) -> Interval:
    """bias + factor sd with the interval of both (Zou 2013)."""
    spread = _scaled(sd, factor)
    ends = sorted((spread.low, spread.high)) if np.isfinite(spread.low) else (np.nan, np.nan)
    value = bias.value + spread.value
    return Interval(
        value,
        float(value - np.hypot(bias.value - bias.low, spread.value - ends[0])),
        float(value + np.hypot(bias.high - bias.value, ends[1] - spread.value)),
    )


def outside(agreement: Agreement) -> Bools:
    """Who (n,) lies beyond the limits of agreement."""
    d = agreement.measured - agreement.reference
    return (d < agreement.lower.value) | (d > agreement.upper.value)

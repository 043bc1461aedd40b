"""Real people held against the synthetic people who are most like them, and whether that made the
two sets comparable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize, stats
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from spinetrack_synth.gap.bootstrap import LEAST_CLUSTERS, LEVEL, Interval
from spinetrack_synth.gap.differences import Gap
from spinetrack_synth.gap.labels import Bools, Floats, Ints
from spinetrack_synth.gap.matching_features import MatchingFeatures
from spinetrack_synth.gap.measures import Table, quotient

NEIGHBOURS: Final = 5
_ASKED: Final = 25
"""Neighbours looked at, to find five whose trunks lie alike."""
CALIPER_PERCENTILE: Final = 90.0
"""People count as alike within the distance that this percentage of people have to the nearest
other one of their own set, in another picture: the smaller of the two sets' distances."""
TRUNK_DEG: Final = 45.0
"""People whose trunks point further apart are not alike, whatever else is."""
LEAST_MATCHED: Final = 10
MOST_IMBALANCE: Final = 0.25
"""Standardised mean difference from which sets are not comparable (Rubin 2001; Stuart 2010)."""
PENALTY: Final = 0.03
"""On the exponents of weights: what is left of an imbalance that takes weights e times as large."""
GOOD_BALANCE: Final = 0.1
"""Up to this one is negligible (Austin 2009)."""


@dataclass(frozen=True)
class Balance:
    """How far apart the means of a covariate are, real less synthetic, over the root of the mean of
    the two sets' variances: before matching and after, nan where nobody is matched."""

    name: str
    before: float
    after: float


@dataclass(frozen=True, eq=False)
class Matching:
    """``synthetic`` (M,) and ``real`` (N,) weights of people, 0 for those who are not matched;
    ``people`` real ones who are, ``share`` of those whose likeness is known; ``caliper`` the
    largest distance; ``balance`` of all covariates."""

    synthetic: Floats
    real: Floats
    people: int
    share: float
    caliper: float
    balance: tuple[Balance, ...]

    @property
    def equal_people(self) -> float:
        """As many synthetic people of equal weight would be as sure."""
        total = float((self.synthetic**2).sum())
        return float(self.synthetic.sum() ** 2 / total) if total > 0 else 0.0

    @property
    def enough(self) -> bool:
        return min(self.people, self.equal_people) >= LEAST_MATCHED

    @property
    def worst(self) -> Balance | None:
        """The covariate that is furthest from balance after matching."""
        known = [each for each in self.balance if np.isfinite(each.after)]
        return max(known, key=lambda each: abs(each.after), default=None)

    @property
    def comparable(self) -> bool:
        """Whether those matched are alike in every covariate's mean."""
        worst = self.worst
        return self.enough and worst is not None and abs(worst.after) <= MOST_IMBALANCE

    @property
    def obstacle(self) -> str:
        """Why there is no matched gap; empty where there is one."""
        if not self.enough:
            return (
                f"{self.people} real people have a synthetic one like them, and those weigh as "
                f"much as {self.equal_people:.0f}; {LEAST_MATCHED} are needed of both"
            )
        worst = self.worst
        if worst is None or self.comparable:
            return ""
        return (
            f"after matching the sets still differ by {abs(worst.after):.2f} standard deviations "
            f"in {worst.name}, where {MOST_IMBALANCE:g} is the most"
        )


def match_people(
    synthetic: MatchingFeatures, real: MatchingFeatures, clusters: tuple[Ints, Ints]
) -> Matching:
    """Nearest synthetic neighbours of every real person, as far as both are known; ``clusters`` of
    the (synthetic, real) people."""
    offered, known = synthetic.known, real.known
    nobody = (np.zeros(len(synthetic.features)), np.zeros(len(real.features)))
    if len(known) < LEAST_MATCHED or len(offered) < LEAST_MATCHED:
        return Matching(*nobody, 0, 0.0, float("nan"), ())
    caliper = min(
        _usual_distance(side.features[rows], cluster[rows])
        for side, rows, cluster in zip((synthetic, real), (offered, known), clusters)
    )
    count = min(_ASKED, len(offered))
    lengths, places = cKDTree(synthetic.features[offered]).query(real.features[known], count)
    near = (lengths <= caliper) & _trunks_alike(real.trunk[known], synthetic.trunk[offered[places]])
    near &= np.cumsum(near, axis=1) <= NEIGHBOURS
    weights = nobody
    weights[1][known] = near.any(1)
    shares = near / np.maximum(near.sum(1, keepdims=True), 1)
    np.add.at(weights[0], offered[places], shares)
    weights = (_evened(synthetic, real, *weights), weights[1])
    return Matching(
        *weights,
        int(near.any(1).sum()),
        float(near.any(1).mean()),
        caliper,
        _balance(synthetic, real, *weights),
    )


def _trunks_alike(real: Floats, synthetic: Floats) -> Bools:
    """Whether the trunks (N, 2) point as those of the candidates (N, k, 2), or both are end on."""
    seen = [np.abs(each).sum(-1) > 0 for each in (real, synthetic)]
    cosine = np.einsum("nd,nkd->nk", real, synthetic)
    together = seen[0][:, None] == seen[1]
    alike: Bools = together & (~seen[1] | (cosine >= np.cos(np.radians(TRUNK_DEG))))
    return alike


def _usual_distance(x: Floats, cluster: Ints) -> float:
    count = min(len(x), 8)
    lengths, places = cKDTree(x).query(x, count)
    elsewhere = cluster[places] != cluster[:, None]
    nearest = np.where(elsewhere, lengths, np.inf).min(1)
    usable = nearest[np.isfinite(nearest)]
    if not len(usable):
        return float(np.percentile(lengths[:, -1], CALIPER_PERCENTILE))
    return float(np.percentile(usable, CALIPER_PERCENTILE))


def _evened(
    synthetic: MatchingFeatures, real: MatchingFeatures, own: Floats, matched: Floats
) -> Floats:
    """The neighbours' weights (M,), changed as little as can be so that the covariates' means come
    near those of the matched real people (entropy balancing, Hainmueller 2012, with a penalty)."""
    used = np.flatnonzero(own)
    columns = []
    for name in real.covariates:
        sides = (synthetic.covariates[name], real.covariates[name])
        target, spread = _mean(sides[1], matched), _spread(*sides)
        if spread > 0 and np.isfinite(target):
            columns.append(np.nan_to_num((sides[0][used] - target) / spread))
    if not columns:
        return own
    x, start = np.stack(columns, axis=1), np.log(own[used] / own.sum())

    def dual(slope: Floats) -> tuple[float, Floats]:
        tilted = start + x @ slope
        most = tilted.max()
        weights = np.exp(tilted - most)
        total = weights.sum()
        value = most + np.log(total) + PENALTY / 2 * slope @ slope
        return float(value), weights @ x / total + PENALTY * slope

    slope = optimize.minimize(dual, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x
    tilted = np.exp(start + x @ slope)
    weights = np.zeros(len(own))
    weights[used] = tilted / tilted.sum() * own.sum()
    return weights


def _spread(a: Floats, b: Floats) -> float:
    """Root of the mean of both variances, where neither side varies the spread over both; 0 where
    there is none."""
    if min(np.isfinite(each).sum() for each in (a, b)) < 2:
        return 0.0
    spread = float(np.sqrt(np.mean([np.nanvar(each, ddof=1) for each in (a, b)])))
    if spread < 1e-9:
        spread = float(np.nanstd(np.concatenate([a, b])))
    return spread if spread > 1e-9 else 0.0


def _balance(
    synthetic: MatchingFeatures, real: MatchingFeatures, used: Floats, matched: Floats
) -> tuple[Balance, ...]:
    found = []
    for name in real.covariates:
        sides = (synthetic.covariates[name], real.covariates[name])
        spread = _spread(*sides)
        after = _mean(sides[1], matched) - _mean(sides[0], used)
        if spread > 0:
            before = float(np.nanmean(sides[1]) - np.nanmean(sides[0]))
            found.append(Balance(name, before / spread, after / spread))
    return tuple(found)


def _mean(values: Floats, weights: Floats) -> float:
    weights = np.where(np.isfinite(values), weights, 0.0)
    return float(np.nansum(weights * values) / weights.sum()) if weights.any() else float("nan")


def matched_gaps(
    matching: Matching, synthetic: Table, real: Table, clusters: tuple[Ints, Ints]
) -> dict[str, Gap]:
    """The gaps between real people and their neighbours, with Student's intervals: linearised
    standard errors by cluster, for the weights that matching gave. Drawing pictures again would not
    do, since neighbours would be others (Abadie and Imbens 2008)."""
    weights = (matching.synthetic, matching.real)
    parts = [
        _weighed(table, w, cluster)
        for table, w, cluster in zip((synthetic, real), weights, clusters)
    ]
    found = {}
    for m, name in enumerate(real.names):
        values, variances, freedoms = ([part[n][m] for part in parts] for n in range(3))
        gap, variance = float(values[1] - values[0]), float(sum(variances))
        sides = [Interval(float(value), float("nan"), float("nan")) for value in values]
        told = Interval(gap, float("nan"), float("nan"))
        p = float("nan")
        if np.isfinite(variance) and min(freedoms) >= LEAST_CLUSTERS - 1:
            parts_of = sum(v**2 / f for v, f in zip(variances, freedoms))
            freedom = variance**2 / parts_of if parts_of > 0 else min(freedoms)
            half = float(stats.t.ppf((1 + LEVEL) / 2, freedom) * np.sqrt(variance))
            told = Interval(gap, gap - half, gap + half)
            p = 1.0 if gap == 0 else 0.0
            if variance > 0:
                p = float(2 * stats.t.sf(abs(gap) / np.sqrt(variance), freedom))
        found[name] = Gap(sides[0], sides[1], told, real.better[m], p)
    return found


def _weighed(table: Table, weights: Floats, cluster: Ints) -> tuple[Floats, Floats, Floats]:
    """Measures (M,) of people with weights (N,), their variances, and degrees of freedom: of as
    many equal clusters as would be as sure."""
    _, number = np.unique(cluster, return_inverse=True)
    rows = np.arange(len(number))
    members = csr_array((weights, (number, rows)), shape=(number.max() + 1, len(rows)))
    above, below = members @ table.above, members @ table.below
    value = quotient(above.sum(0), below.sum(0))
    rest = above - value * below
    alike = quotient(below.sum(0) ** 2, (below**2).sum(0))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (rest**2).sum(0) / below.sum(0) ** 2 * alike / (alike - 1)
    return value, np.where(alike > 1, variance, np.nan), np.nan_to_num(alike) - 1

"""Real people held against the synthetic people who are most like them in pose and scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from spinetrack_synth.gap.bootstrap import draws
from spinetrack_synth.gap.measures import Table, quotient
from spinetrack_synth.gap.people import Floats, Ints

NEIGHBOURS: Final = 5
CALIPER_PERCENTILE: Final = 90.0
"""A synthetic person counts as like a real one within the distance that this percentage of real
people have to the nearest other real person, in another picture."""
LEAST_MATCHED: Final = 10


@dataclass(frozen=True, eq=False)
class Matching:
    """``weights`` (N real, M synthetic): each row with neighbours sums to 1; ``share`` of the real
    people with a known pose who have any; ``caliper`` the largest distance."""

    weights: csr_array
    share: float
    caliper: float

    @property
    def enough(self) -> bool:
        return int((self.weights.sum(1) > 0).sum()) >= LEAST_MATCHED


def match_people(real: Floats, synthetic: Floats, real_cluster: Ints) -> Matching:
    """Nearest neighbours of people by features (N, d), (M, d); rows with nan have none."""
    known, offered = (np.flatnonzero(np.isfinite(x).all(1)) for x in (real, synthetic))
    shape = (len(real), len(synthetic))
    if len(known) < LEAST_MATCHED or len(offered) < LEAST_MATCHED:
        return Matching(csr_array(shape), 0.0, float("nan"))
    caliper = _usual_distance(real[known], real_cluster[known])
    count = min(NEIGHBOURS, len(offered))
    lengths, places = cKDTree(synthetic[offered]).query(real[known], count)
    near = lengths.reshape(len(known), count) <= caliper
    rows = np.repeat(known, near.sum(1))
    columns = offered[places.reshape(len(known), count)[near]]
    values = np.repeat(1 / np.maximum(near.sum(1), 1), near.sum(1))
    weights = csr_array((values, (rows, columns)), shape=shape)
    return Matching(weights, float(near.any(1).mean()), caliper)


def _usual_distance(x: Floats, cluster: Ints) -> float:
    count = min(len(x), 8)
    lengths, places = cKDTree(x).query(x, count)
    elsewhere = cluster[places] != cluster[:, None]
    nearest = np.where(elsewhere, lengths, np.inf).min(1)
    usable = nearest[np.isfinite(nearest)]
    if not len(usable):
        return float(np.percentile(lengths[:, -1], CALIPER_PERCENTILE))
    return float(np.percentile(usable, CALIPER_PERCENTILE))


def matched_values(matching: Matching, real: Table, synthetic: Table) -> tuple[Floats, Floats]:
    """The measures (M,) of the real people who have neighbours, and of these neighbours."""
    ones = np.ones((1, len(real.above)))
    pair = _weighed(matching, real, synthetic, ones, np.ones((1, len(synthetic.above))))
    return pair[0][0], pair[1][0]


def matched_replicates(
    matching: Matching,
    real: Table,
    synthetic: Table,
    clusters: tuple[Ints, Ints],
    resamples: int,
    seed: int,
) -> Floats:
    """Gaps (resamples, M) between drawn real pictures and the neighbours, in drawn synthetic
    pictures, of the people in them. ``clusters`` of the real and of the synthetic people."""
    numbers = [np.unique(cluster, return_inverse=True)[1] for cluster in clusters]
    gaps = []
    for real_times, synthetic_times in zip(
        draws(int(numbers[0].max()) + 1, resamples, seed),
        draws(int(numbers[1].max()) + 1, resamples, seed + 1),
    ):
        pair = _weighed(
            matching,
            real,
            synthetic,
            real_times[:, numbers[0]].astype(np.float64),
            synthetic_times[:, numbers[1]].astype(np.float64),
        )
        gaps.append(pair[0] - pair[1])
    return np.concatenate(gaps)


def _weighed(
    matching: Matching, real: Table, synthetic: Table, real_times: Floats, synthetic_times: Floats
) -> tuple[Floats, Floats]:
    """Measures (R, M) of both sides with people counted so many times (R, N), (R, M)."""
    matched = real_times * (matching.weights.sum(1) > 0)
    neighbours = (matching.weights.T @ matched.T).T * synthetic_times
    return (
        quotient(matched @ real.above, matched @ real.below),
        quotient(neighbours @ synthetic.above, neighbours @ synthetic.below),
    )

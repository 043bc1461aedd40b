"""Do two samples come from one distribution? Kernel distances with permutation tests, and a
classifier that tries to tell them apart. Pictures are permuted whole, with everybody in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth.gap.bootstrap import Interval, draws, interval
from spinetrack_synth.gap.calibration import auroc
from spinetrack_synth.gap.labels import Bools, Floats, Ints

MOST: Final = 800
"""People of each side that are compared; more change the figures little and cost the square."""
FOLDS: Final = 5
RIDGE: Final = 1.0
MOST_EFFECT: Final = 100.0
"""Standard deviations: so large an effect of values without any spread is told."""
_CHUNK: Final = 100


@dataclass(frozen=True)
class Distance:
    """A squared distance between distributions (0 on average where they are one), how it compares
    with the spread within them (``share``, 0..1), and the share of permutations as far apart."""

    value: float
    share: float
    p: float


def energy_distance(
    a: Floats, b: Floats, clusters: tuple[Ints, Ints], permutations: int, seed: int
) -> Distance:
    """Energy distance of samples (N, d), (M, d); ``clusters`` say which rows belong together."""
    x = np.concatenate([a, b])
    return _distance(-_lengths(x), len(a), clusters, permutations, seed)


def kernel_distance(
    a: Floats, b: Floats, clusters: tuple[Ints, Ints], permutations: int, seed: int
) -> Distance:
    """Squared MMD with KID's kernel, (x y / d + 1)^3, of features (N, d), (M, d)."""
    x = np.concatenate([a, b])
    return _distance((x @ x.T / x.shape[1] + 1) ** 3, len(a), clusters, permutations, seed)


def _lengths(x: Floats) -> Floats:
    squares = (x**2).sum(1)
    lengths: Floats = np.sqrt(np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0.0))
    return lengths


def _distance(
    kernel: Floats, first: int, clusters: tuple[Ints, Ints], permutations: int, seed: int
) -> Distance:
    """Unbiased squared MMD of the first rows against the others."""
    side = np.arange(len(kernel)) < first
    _, cluster = np.unique(
        np.concatenate([clusters[0], clusters[1] + clusters[0].max(initial=0) + 1]),
        return_inverse=True,
    )
    of_cluster = np.zeros(cluster.max() + 1, bool)
    of_cluster[cluster] = side
    rng = np.random.default_rng(seed)
    sides = np.array([side, *(rng.permutation(of_cluster)[cluster] for _ in range(permutations))])
    weights = sides.astype(np.float64)
    diagonal = np.diag(kernel)
    rows = weights @ kernel
    total, whole = kernel.sum(), kernel.sum(1)
    count = weights.sum(1)
    other = len(kernel) - count
    within = (rows * weights).sum(1)
    across = weights @ whole - within
    beyond = total - within - 2 * across
    own, others = weights @ diagonal, (1 - weights) @ diagonal
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_within = (within - own) / (count * (count - 1))
        mean_beyond = (beyond - others) / (other * (other - 1))
        values = mean_within + mean_beyond - 2 * across / (count * other)
    value = values[0]
    spread = abs(across[0] / (count[0] * other[0]))
    p = (1 + np.sum(values[1:] >= value - 1e-12)) / (1 + permutations)
    return Distance(
        float(value), float(max(value, 0.0) / (2 * spread)) if spread else 0.0, float(p)
    )


@dataclass(frozen=True)
class Shift:
    """The difference of two means: itself, in standard deviations (``effect``), and the share of
    permutations as large."""

    value: float
    effect: float
    p: float


def mean_shift(
    a: Floats, b: Floats, clusters: tuple[Ints, Ints], permutations: int, seed: int
) -> Shift:
    """b's mean less a's of values (N,), (M,); pictures are permuted whole; nan does not count."""
    sums, counts = [], []
    for values, cluster in zip((a, b), clusters):
        known = np.isfinite(values)
        _, number = np.unique(cluster[known], return_inverse=True)
        sums.append(np.bincount(number, values[known]).astype(np.float64))
        counts.append(np.bincount(number).astype(np.float64))
    total, count = np.concatenate(sums), np.concatenate(counts)
    if len(sums[0]) < 2 or len(sums[1]) < 2:
        return Shift(float("nan"), float("nan"), 1.0)
    second = np.arange(len(total)) >= len(sums[0])
    rng = np.random.default_rng(seed)
    values = _difference(second[None], total, count)
    for start in range(0, permutations, _CHUNK):
        drawn = [rng.permutation(second) for _ in range(min(_CHUNK, permutations - start))]
        values = np.append(values, _difference(np.array(drawn), total, count))
    value = float(values[0])
    pooled = max(float(np.sqrt((np.nanvar(a) + np.nanvar(b)) / 2)), abs(value) / MOST_EFFECT)
    p = (1 + np.sum(np.abs(values[1:]) >= abs(values[0]) - 1e-12)) / (1 + permutations)
    return Shift(value, value / pooled if pooled > 0 else 0.0, float(p))


def _difference(sides: Bools, total: Floats, count: Floats) -> Floats:
    """Mean of the clusters on the second side less that of the others, for each row of sides."""
    w = sides.astype(np.float64)
    return (w @ total) / (w @ count) - ((1 - w) @ total) / ((1 - w) @ count)


@dataclass(frozen=True, eq=False)
class Classifier:
    """How well a classifier tells the samples apart that it was not trained on: ``auc`` (.5 is
    chance), ``scores`` (N + M,) its log odds for the second sample, ``weights`` (d,) of the
    features, standardised, trained on all."""

    auc: Interval
    scores: Floats
    weights: Floats


def tell_apart(
    a: Floats, b: Floats, clusters: tuple[Ints, Ints], resamples: int, seed: int
) -> Classifier:
    """Ridge-regularised logistic regression, cross-validated by picture."""
    x = np.concatenate([a, b])
    y = np.arange(len(x)) >= len(a)
    cluster = np.concatenate([clusters[0], clusters[1] + clusters[0].max(initial=0) + 1])
    _, cluster = np.unique(cluster, return_inverse=True)
    folds = _folds(cluster, y, seed)
    scores = np.zeros(len(x))
    for fold in range(FOLDS):
        test = folds == fold
        if test.any() and len(set(y[~test])) == 2:
            weights, offset, mean, spread = _fit(x[~test], y[~test])
            scores[test] = (x[test] - mean) / spread @ weights + offset
    value = auroc(scores[y], scores[~y])
    replicates = []
    for chunk in draws(int(cluster.max()) + 1, resamples, seed):
        replicates += [_weighed_auroc(scores, y, times[cluster]) for times in chunk]
    return Classifier(interval(value, np.array(replicates)), scores, _fit(x, y)[0])


def _folds(cluster: Ints, y: Bools, seed: int) -> Ints:
    """A fold for each row (N,): pictures of each side dealt out in turn, in random order."""
    rng = np.random.default_rng(seed)
    fold = np.zeros(cluster.max() + 1, dtype=np.int64)
    for side in (False, True):
        members = rng.permutation(np.unique(cluster[y == side]))
        fold[members] = np.arange(len(members)) % FOLDS
    return fold[cluster]


def _fit(x: Floats, y: Bools) -> tuple[Floats, float, Floats, Floats]:
    """Weights (d,), offset, and the mean and spread (d,) by which x is standardised."""
    mean, spread = x.mean(0), x.std(0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    z = np.column_stack([(x - mean) / spread, np.ones(len(x))])
    beta = np.zeros(z.shape[1])
    # Each side counts as much as the other, however many there are of it.
    importance = np.where(y, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    penalty = np.append(np.full(x.shape[1], RIDGE * x.shape[1] ** 0.5), 1e-6)
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(z @ beta, -30, 30)))
        slope = z.T @ (importance * (y - chance)) - penalty * beta
        bend = (z * (importance * chance * (1 - chance))[:, None]).T @ z + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        beta += step
        if np.abs(step).max() < 1e-6:
            break
    return beta[:-1], float(beta[-1]), mean, spread


def _weighed_auroc(scores: Floats, y: Bools, weights: Ints) -> float:
    order = np.argsort(scores, kind="stable")
    w_high, w_low = weights[order] * y[order], weights[order] * ~y[order]
    if not w_high.sum() or not w_low.sum():
        return float("nan")
    below = np.cumsum(w_low) - w_low / 2
    return float((w_high * below).sum() / (w_high.sum() * w_low.sum()))


def some(cluster: Ints, seed: int, most: int = MOST) -> Ints:
    """Rows (at most) of whole clusters (N,), drawn at random, in order."""
    if len(cluster) <= most:
        return np.arange(len(cluster))
    order = np.random.default_rng(seed).permutation(np.unique(cluster))
    sizes = np.bincount(np.searchsorted(np.sort(order), cluster))[np.argsort(np.argsort(order))]
    kept = order[np.cumsum(sizes) <= most]
    return np.flatnonzero(np.isin(cluster, kept))

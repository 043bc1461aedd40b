"""The same model on synthetic and on real labels: how far apart, for whom, and why."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from scipy.cluster.vq import kmeans2

from spinetrack_synth import skeleton
from spinetrack_synth.gap import appearance, body, oks
from spinetrack_synth.gap.appearance import Crops
from spinetrack_synth.gap.bootstrap import Interval, draws, interval, resampled
from spinetrack_synth.gap.causes import Cause, find_causes
from spinetrack_synth.gap.displacement import find_displaced, undo
from spinetrack_synth.gap.distances import (
    Classifier,
    Distance,
    energy_distance,
    kernel_distance,
    some,
    tell_apart,
)
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.fairness import unfairness
from spinetrack_synth.gap.matching import (
    Matching,
    match_people,
    matched_replicates,
    matched_values,
)
from spinetrack_synth.gap.measures import Table, errors_of, table_of
from spinetrack_synth.gap.people import Bools, Floats, Ints, Labels
from spinetrack_synth.gap.rerunning import Predict, cost

PERMUTATIONS: Final = 1999
MOST_RESAMPLES_AP: Final = 300
POSE_COMPONENTS: Final = 6
CLUSTERS: Final = 6
PEOPLE_PER_CLUSTER: Final = 12
LEAST_IN_STRATUM: Final = 5
STRATUM_KINDS: Final = ("error", "pck", "error_length", "slip_rate")


@dataclass(frozen=True)
class Gap:
    """A measure on both sides: ``gap`` is real less synthetic; ``better`` +1 where more is better,
    -1 where less is, 0 where neither."""

    synthetic: Interval
    real: Interval
    gap: Interval
    better: int

    @property
    def harm(self) -> float:
        """How much worse real is."""
        return -self.better * self.gap.value


@dataclass(frozen=True)
class Stratum:
    """Part of both sets: by what (``scale``), which, how many people, and the gaps there."""

    by: str
    name: str
    synthetic_people: int
    real_people: int
    gaps: Mapping[str, Gap]


@dataclass(frozen=True, eq=False)
class PoseClusters:
    """People by pose, on both sides (N,), -1 where the pose is not known, and each cluster's mean
    pose (C, S, 2), metres, for a drawing."""

    synthetic: Ints
    real: Ints
    centres: Floats


@dataclass(frozen=True, eq=False)
class Appearance:
    """How far apart the pictures look: ``kernel`` distance (KID's) of features, a ``classifier``
    that tells them apart, ``crops`` of both sides and how much each kind of feature weighs."""

    kernel: Distance
    classifier: Classifier
    crops: tuple[Crops, Crops]
    kinds: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything the report tells. ``pose_map`` has the two main components of the poses (N, 2) of
    either side, ``costs`` the error that causes account for."""

    synthetic: Evaluation
    real: Evaluation
    judged: Bools
    warnings: tuple[str, ...]
    gaps: Mapping[str, Gap]
    matched: Mapping[str, Gap]
    matching: Matching
    precision: Mapping[str, Gap]
    strata: Sequence[Stratum]
    pose: Distance | None
    pose_map: tuple[Floats, Floats]
    clusters: PoseClusters
    appearance: Appearance | None
    causes: Sequence[Cause]
    costs: Mapping[str, Interval]
    folders: tuple[Path | None, Path | None]
    seed: int
    resamples: int


def compare(
    synthetic: Evaluation,
    real: Evaluation,
    *,
    folders: tuple[Path | None, Path | None] = (None, None),
    predict: Predict | None = None,
    resamples: int = 1000,
    seed: int = 0,
    tell: Callable[[str], None] = lambda what: None,
) -> Comparison:
    """Compare two evaluations of one model on the keypoints that both sides have.

    ``folders`` of the pictures, where they are there; ``predict`` runs the model on other pictures
    of the same people, to find what differences cost; ``tell`` hears what is being done.
    """
    judged = synthetic.judged & real.judged
    sides = (synthetic, real)
    labels = (synthetic.labels, real.labels)
    tell("measuring")
    tables = tuple(table_of(s.labels, s.pairs, s.errors, judged) for s in sides)
    clusters = tuple(each.cluster[each.image] for each in labels)
    gaps = _gaps(tables, clusters, resamples, seed)
    precision = _precision_gaps(sides, judged, resamples, seed)

    tell("comparing poses")
    known = [body.poses(each) for each in labels]
    filled = body.fill_in(np.concatenate(known))
    poses = (filled[: len(known[0])], filled[len(known[0]) :])
    pose = _pose_distance(poses, clusters, seed)
    pose_clusters = _cluster(poses, seed)
    matching = match_people(*_likeness(labels, poses)[::-1], clusters[1])
    matched = _matched_gaps(matching, tables, clusters, resamples, seed)
    strata = _strata(labels, tables, clusters, judged, pose_clusters, resamples, seed)

    crops = None
    if folders[0] is not None and folders[1] is not None:
        tell("comparing pictures")
        crops = (_crops(labels[0], folders[0], seed), _crops(labels[1], folders[1], seed))
    tell("looking for causes")
    causes = find_causes(
        labels, crops, pose,
        find_displaced((labels[0], synthetic.errors), (labels[1], real.errors), judged),
        judged, PERMUTATIONS, seed,
    )  # fmt: skip
    return Comparison(
        synthetic=synthetic,
        real=real,
        judged=judged,
        warnings=unfairness(synthetic, real, folders),
        gaps=gaps,
        matched=matched,
        matching=matching,
        precision=precision,
        strata=strata,
        pose=pose,
        pose_map=_pose_map(poses),
        clusters=pose_clusters,
        appearance=_appearance(labels, crops, resamples, seed) if crops else None,
        causes=causes,
        costs=_costs(causes, sides, judged, folders, predict, gaps, matched, resamples, seed, tell),
        folders=folders,
        seed=seed,
        resamples=resamples,
    )


def _gaps(
    tables: tuple[Table, ...], clusters: tuple[Ints, ...], resamples: int, seed: int
) -> dict[str, Gap]:
    values = [table.values() for table in tables]
    drawn = [
        resampled(table, cluster, resamples, seed + n)
        for n, (table, cluster) in enumerate(zip(tables, clusters))
    ]
    names, better = tables[0].names, tables[0].better
    return {
        name: _gap((values[0][m], values[1][m]), (drawn[0][:, m], drawn[1][:, m]), better[m])
        for m, name in enumerate(names)
    }


def _gap(values: tuple[float, float], drawn: tuple[Floats, Floats], better: int) -> Gap:
    """The gap of two values with their replicates."""
    return Gap(
        synthetic=interval(values[0], drawn[0]),
        real=interval(values[1], drawn[1]),
        gap=interval(values[1] - values[0], drawn[1] - drawn[0]),
        better=better,
    )


def _precision_gaps(
    sides: tuple[Evaluation, Evaluation], judged: Bools, resamples: int, seed: int
) -> dict[str, Gap]:
    """AP and AR of every group that both have, by pictures drawn again."""
    count = min(resamples, MOST_RESAMPLES_AP)
    groups = oks.groups_of(judged)
    values, drawn = [], []
    for number, side in enumerate(sides):
        matches = _of_groups(side.matches, tuple(groups))
        value = np.array([v.mean(-1)[:, 0] for v in oks.precision_recall(matches)])
        cluster = side.labels.cluster
        replicates = [
            [v.mean(-1)[:, 0] for v in oks.precision_recall(matches, times[cluster])]
            for chunk in draws(int(cluster.max()) + 1, count, seed + number)
            for times in chunk
        ]
        values.append(value)
        drawn.append(np.array(replicates))
    return {
        f"{group}.{kind}": _gap(
            (values[0][k, g], values[1][k, g]), (drawn[0][:, k, g], drawn[1][:, k, g]), 1
        )
        for g, group in enumerate(groups)
        for k, kind in enumerate(("AP", "AR"))
    }


def _of_groups(matches: oks.Matches, names: tuple[str, ...]) -> oks.Matches:
    """The matches of these groups, over all areas alone."""
    rows = [matches.groups.index(name) for name in names]
    return replace(
        matches,
        groups=names,
        codes=matches.codes[rows][:, :1],
        wanted=matches.wanted[rows][:, :1],
    )


def _known(poses: Floats) -> Ints:
    return np.flatnonzero(np.isfinite(poses).all(1))


def _pose_distance(
    poses: tuple[Floats, Floats], clusters: tuple[Ints, ...], seed: int
) -> Distance | None:
    rows = [_known(each) for each in poses]
    rows = [r[some(c[r], seed)] for r, c in zip(rows, clusters)]
    if min(len(each) for each in rows) < 5:
        return None
    a, b = (each[row] for each, row in zip(poses, rows))
    return energy_distance(a, b, (clusters[0][rows[0]], clusters[1][rows[1]]), PERMUTATIONS, seed)


def _pose_map(poses: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    kept = [each[_known(each)] for each in poses]
    both = np.concatenate(kept)
    if not len(both):
        return np.empty((0, 2)), np.empty((0, 2))
    _, _, axes = np.linalg.svd(both - both.mean(0), full_matrices=False)
    first, second = ((each - both.mean(0)) @ axes[:2].T for each in kept)
    return first, second


def _cluster(poses: tuple[Floats, Floats], seed: int) -> PoseClusters:
    """Clusters of the poses of both sides, each side counting as much as the other."""
    rows = [_known(each) for each in poses]
    numbers = [np.full(len(each), -1) for each in poses]
    fewest = min(len(each) for each in rows)
    count = min(CLUSTERS, 2 * fewest // PEOPLE_PER_CLUSTER)
    width = poses[0].shape[1]
    if count < 2:
        return PoseClusters(numbers[0], numbers[1], np.empty((0, width // 2, 2)))
    rng = np.random.default_rng(seed)
    taught = [rng.permutation(each)[: max(fewest, 2000)] for each in rows]
    data = np.concatenate([p[row] for p, row in zip(poses, taught)])
    count = min(count, len(np.unique(data.round(3), axis=0)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an empty cluster is nobody's
        centres, _ = kmeans2(data, count, minit="++", seed=seed)
    for side, row in enumerate(rows):
        far = ((poses[side][row][:, None] - centres) ** 2).sum(2)
        numbers[side][row] = far.argmin(1)
    # The most common pose is the first.
    order = np.argsort(-np.bincount(np.concatenate([n[n >= 0] for n in numbers]), minlength=count))
    rank = np.argsort(order)
    numbers = [np.where(n >= 0, rank[n], -1) for n in numbers]
    return PoseClusters(numbers[0], numbers[1], centres[order].reshape(count, -1, 2))


def _likeness(labels: tuple[Labels, Labels], poses: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Features (N, d) by which people are like one another: main components of the pose and the
    logarithm of the height in pixels, either with a spread of 1 over all."""
    both = np.concatenate(poses)
    heights = np.log(np.concatenate([body.height_px(each) for each in labels]))
    rows = np.isfinite(both).all(1) & np.isfinite(heights)
    features = np.full((len(both), min(POSE_COMPONENTS, both.shape[1]) + 1), np.nan)
    if rows.sum() > features.shape[1]:
        centred = both[rows] - both[rows].mean(0)
        _, _, axes = np.linalg.svd(centred, full_matrices=False)
        main = centred @ axes[: features.shape[1] - 1].T
        main /= max(np.sqrt((main**2).sum(1).mean()), 1e-9)
        height = heights[rows] - heights[rows].mean()
        features[rows] = np.column_stack([main, height / max(height.std(), 1e-9)])
    return features[: len(poses[0])], features[len(poses[0]) :]


def _matched_gaps(
    matching: Matching, tables: tuple[Table, ...], clusters: tuple[Ints, ...],
    resamples: int, seed: int,
) -> dict[str, Gap]:  # fmt: skip
    if not matching.enough:
        return {}
    wanted = [m for m, name in enumerate(tables[0].names) if name != "people.found"]
    synthetic, real = (_columns(table, wanted) for table in tables)
    values = matched_values(matching, real, synthetic)
    drawn = matched_replicates(
        matching, real, synthetic, (clusters[1], clusters[0]), resamples, seed
    )
    nothing = np.empty(0)
    return {
        name: Gap(
            interval(float(values[1][m]), nothing),
            interval(float(values[0][m]), nothing),
            interval(float(values[0][m] - values[1][m]), drawn[:, m]),
            real.better[m],
        )
        for m, name in enumerate(real.names)
    }


def _columns(table: Table, wanted: Sequence[int]) -> Table:
    return Table(
        tuple(table.names[m] for m in wanted),
        table.above[:, wanted],
        table.below[:, wanted],
        tuple(table.better[m] for m in wanted),
    )


def _strata(
    labels: tuple[Labels, Labels], tables: tuple[Table, ...], clusters: tuple[Ints, ...],
    judged: Bools, poses: PoseClusters, resamples: int, seed: int,
) -> list[Stratum]:  # fmt: skip
    wanted = [
        m for m, name in enumerate(tables[0].names)
        if name.count(".") == 1 and name.split(".")[1] in STRATUM_KINDS
    ]  # fmt: skip
    few = [_columns(table, wanted) for table in tables]
    names, numbers = body.scale_strata(labels[0])[0], [body.scale_strata(e)[1] for e in labels]
    ways = [("scale", names, numbers)]
    ways.append(("view", body.VIEWS, [body.view(each) for each in labels]))
    hidden = [body.occlusion_strata(each, judged) for each in labels]
    ways.append(("occlusion", hidden[0][0], [each[1] for each in hidden]))
    titles = tuple(f"pose {n + 1}" for n in range(len(poses.centres)))
    ways.append(("pose", titles, [poses.synthetic, poses.real]))
    strata = []
    for by, names, numbers in ways:
        for number, name in enumerate(names):
            inside = [n == number for n in numbers]
            counts = [int((rows & e.people).sum()) for rows, e in zip(inside, labels)]
            if not any(counts):
                continue
            gaps = {}
            if min(counts) >= LEAST_IN_STRATUM:
                part = [_rows(table, rows) for table, rows in zip(few, inside)]
                own = tuple(cluster[rows] for cluster, rows in zip(clusters, inside))
                gaps = _gaps(tuple(part), own, resamples, seed)
            strata.append(Stratum(by, name, counts[0], counts[1], gaps))
    return strata


def _rows(table: Table, rows: Bools) -> Table:
    return replace(table, above=table.above[rows], below=table.below[rows])


def _crops(labels: Labels, folder: Path, seed: int) -> Crops:
    rows = np.flatnonzero(labels.people)
    rows = rows[some(labels.cluster[labels.image[rows]], seed, appearance.MOST_PEOPLE)]
    return appearance.cut_out(labels, folder, rows)


def _appearance(
    labels: tuple[Labels, Labels], crops: tuple[Crops, Crops], resamples: int, seed: int
) -> Appearance | None:
    if min(len(each.rows) for each in crops) < 5:
        return None
    (a, kinds), (b, _) = (appearance.features(each) for each in crops)
    pooled = np.concatenate([a, b])
    spread = np.where(pooled.std(0) > 1e-9, pooled.std(0), 1.0)
    a, b = ((each - pooled.mean(0)) / spread for each in (a, b))
    clusters = tuple(e.cluster[e.image[c.rows]] for e, c in zip(labels, crops))
    classifier = tell_apart(a, b, (clusters[0], clusters[1]), resamples, seed)
    apart = (b.mean(0) - a.mean(0)) * classifier.weights
    total = max(float(np.abs(apart).sum()), 1e-9)
    return Appearance(
        kernel=kernel_distance(a, b, (clusters[0], clusters[1]), PERMUTATIONS, seed),
        classifier=classifier,
        crops=crops,
        kinds={
            name: float(np.abs(apart[kinds == n]).sum() / total)
            for n, name in enumerate(appearance.FEATURE_KINDS)
        },
    )


def _costs(
    causes: Sequence[Cause], sides: tuple[Evaluation, Evaluation], judged: Bools,
    folders: tuple[Path | None, Path | None], predict: Predict | None,
    gaps: Mapping[str, Gap], matched: Mapping[str, Gap], resamples: int, seed: int,
    tell: Callable[[str], None],
) -> dict[str, Interval]:  # fmt: skip
    """By how much each cause makes the mean error over all judged keypoints larger on real."""
    costs = {}
    group = widest_group(judged)
    for cause in causes:
        if cause.change is not None and predict is not None:
            number = 0 if cause.of == "synthetic" else 1
            folder = folders[number]
            assert folder is not None  # the cause was found in its pictures
            tell(f"running the model on pictures with {cause.name} evened out")
            found = cost(sides[number], judged, folder, cause.change, predict, resamples, seed)
            # Evened out on real, a difference costs what the error falls by.
            sign = 1 if number == 0 else -1
            ends = sorted((sign * found.low, sign * found.high))
            costs[cause.name] = Interval(sign * found.value, *ends)
        elif cause.displaced is not None:
            costs[cause.name] = _cost_of_displacement(cause, sides, judged)
    poses = [cause.name for cause in causes if cause.name in ("pose", "scale")]
    if poses and group and f"{group}.error" in matched:
        raw, even = gaps[f"{group}.error"].gap, matched[f"{group}.error"].gap
        costs[" and ".join(poses)] = Interval(raw.value - even.value, float("nan"), float("nan"))
    return costs


def widest_group(judged: Bools) -> str | None:
    """The group with most keypoints that can be judged."""
    groups = oks.groups_of(judged)
    return max(groups, key=lambda name: len(groups[name])) if groups else None


def _cost_of_displacement(
    cause: Cause, sides: tuple[Evaluation, Evaluation], judged: Bools
) -> Interval:
    """How far the error falls once the keypoint's mean shift is taken from the predictions; below
    0 where it is the synthetic side that the shift makes worse."""
    assert cause.displaced is not None
    of_real = cause.displaced.of == "real"
    side = sides[1 if of_real else 0]
    points = undo(side.labels, side.pairs.points, [cause.displaced])
    after = errors_of(side.labels, replace(side.pairs, points=points)).box[:, judged]
    fall = float(np.nanmean(side.errors.box[:, judged]) - np.nanmean(after))
    return Interval(fall if of_real else -fall, float("nan"), float("nan"))


def shares(comparison: Comparison) -> dict[str, float]:
    """The share of the gap in error that each cause makes; empty where there is no gap to share."""
    group = widest_group(comparison.judged)
    if group is None:
        return {}
    gap = comparison.gaps[f"{group}.error"].gap
    if gap.holds_zero or not np.isfinite(gap.value):
        return {}
    return {name: found.value / gap.value for name, found in comparison.costs.items()}


def keypoints_of(judged: Bools) -> list[str]:
    """Names of the judged keypoints."""
    return [skeleton.NAMES[k] for k in np.flatnonzero(judged)]

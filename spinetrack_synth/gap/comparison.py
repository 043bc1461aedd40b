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
from spinetrack_synth.gap import appearance, oks, person_attributes
from spinetrack_synth.gap.appearance import Crops
from spinetrack_synth.gap.bootstrap import Interval
from spinetrack_synth.gap.candidates import Cause
from spinetrack_synth.gap.causes import find_causes
from spinetrack_synth.gap.differences import Gap, corrected, differences
from spinetrack_synth.gap.displacement import find_displaced, undo
from spinetrack_synth.gap.distances import (
    Classifier,
    Distance,
    energy_distance,
    kernel_distance,
    some,
    tell_apart,
)
from spinetrack_synth.gap.evaluation import Evaluation, on_keypoints
from spinetrack_synth.gap.fairness import unfairness
from spinetrack_synth.gap.labels import Bools, Floats, Ints, Labels
from spinetrack_synth.gap.matching import Matching, match_people, matched_gaps
from spinetrack_synth.gap.matching_features import TRUNKS, matching_features, trunk_strata
from spinetrack_synth.gap.measures import Table, errors_of, table_of
from spinetrack_synth.gap.rerunning import Predict, cost

PERMUTATIONS: Final = 3999
JACKKNIFE: Final = 50
"""Groups of pictures that are left out in turn for the spread of AP and AR; up to this many
pictures each is a group."""
CLUSTERS: Final = 6
PEOPLE_PER_CLUSTER: Final = 12
LEAST_IN_STRATUM: Final = 5
STRATUM_KINDS: Final = ("error", "pck", "error_length", "slip_rate")
VISIBILITY: Final = {"visible points (v=2)": 2, "hidden points (v=1)": 1}


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
    tell("measuring")
    synthetic, real = on_keypoints(synthetic, judged), on_keypoints(real, judged)
    sides = (synthetic, real)
    labels = (synthetic.labels, real.labels)
    tables = (synthetic.table, real.table)
    clusters = (labels[0].cluster[labels[0].image], labels[1].cluster[labels[1].image])
    gaps = _correct_keypoints(differences(tables, clusters, resamples, seed))
    precision = _precision_gaps(sides, judged, resamples, seed)

    tell("comparing poses")
    poses = _poses(labels)
    pose = _pose_distance(poses, clusters, seed)
    pose_clusters = _cluster(poses, seed)
    matching = match_people(*matching_features(labels, poses), clusters)
    matched = _correct_keypoints(_matched_gaps(matching, tables, clusters))
    strata = _strata(sides, tables, clusters, judged, pose_clusters, resamples, seed)

    crops = _crops_of_both(labels, folders, seed, tell)
    tell("looking for causes")
    causes = find_causes(
        sides, crops, pose,
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


def _correct_keypoints(gaps: dict[str, Gap]) -> dict[str, Gap]:
    """With p-values of each measure of single keypoints corrected for all keypoints."""
    kinds = {name.split(".")[-1] for name in gaps if name.startswith("keypoint.")}
    for kind in sorted(kinds):
        rows = [n for n in gaps if n.startswith("keypoint.") and n.endswith(f".{kind}")]
        gaps = gaps | corrected({name: gaps[name] for name in rows})
    return gaps


def _precision_gaps(
    sides: tuple[Evaluation, Evaluation], judged: Bools, permutations: int, seed: int
) -> dict[str, Gap]:
    """AP and AR of every group that both have. Groups of pictures are left out in turn: the
    jackknife's pseudo-values are means, as the other measures are."""
    groups = oks.groups_of(judged)
    names = tuple(f"{group}.{kind}" for group in groups for kind in ("AP", "AR"))
    if not names:
        return {}
    values, tables = [], []
    for number, side in enumerate(sides):
        matches = oks.of_groups(side.matches, tuple(groups))
        cluster = side.labels.cluster
        count = int(cluster.max()) + 1
        folds = min(count, JACKKNIFE)
        fold = (np.random.default_rng(seed + number).permutation(count) % folds)[cluster]
        value = oks.precisions(matches, None)
        without = np.array([oks.precisions(matches, (fold != n).astype(int)) for n in range(folds)])
        pseudo = folds * value - (folds - 1) * without
        known = np.isfinite(pseudo)
        tables.append(Table(names, np.where(known, pseudo, 0.0), known * 1.0, (1,) * len(names)))
        values.append(value)
    clusters = (np.arange(len(tables[0].above)), np.arange(len(tables[1].above)))
    return differences((tables[0], tables[1]), clusters, permutations, seed, (values[0], values[1]))


def _poses(labels: tuple[Labels, Labels]) -> tuple[Floats, Floats]:
    """The poses of both sides, what is not known filled in from all together."""
    known = [person_attributes.poses(each) for each in labels]
    filled = person_attributes.fill_in(np.concatenate(known))
    return filled[: len(known[0])], filled[len(known[0]) :]


def _with_pose(poses: Floats) -> Ints:
    return np.flatnonzero(np.isfinite(poses).all(1))


def _pose_distance(
    poses: tuple[Floats, Floats], clusters: tuple[Ints, ...], seed: int
) -> Distance | None:
    rows = [_with_pose(each) for each in poses]
    rows = [r[some(c[r], seed)] for r, c in zip(rows, clusters)]
    if min(len(each) for each in rows) < 5:
        return None
    a, b = (each[row] for each, row in zip(poses, rows))
    return energy_distance(a, b, (clusters[0][rows[0]], clusters[1][rows[1]]), PERMUTATIONS, seed)


def _pose_map(poses: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    kept = [each[_with_pose(each)] for each in poses]
    both = np.concatenate(kept)
    if not len(both):
        return np.empty((0, 2)), np.empty((0, 2))
    _, _, axes = np.linalg.svd(both - both.mean(0), full_matrices=False)
    first, second = ((each - both.mean(0)) @ axes[:2].T for each in kept)
    return first, second


def _cluster(poses: tuple[Floats, Floats], seed: int) -> PoseClusters:
    """Clusters of the poses of both sides, each side counting as much as the other."""
    rows = [_with_pose(each) for each in poses]
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


def _matched_gaps(
    matching: Matching, tables: tuple[Table, Table], clusters: tuple[Ints, Ints]
) -> dict[str, Gap]:
    """None where matching did not make the sets comparable."""
    if not matching.comparable:
        return {}
    wanted = [m for m, name in enumerate(tables[0].names) if name != "people.found"]
    synthetic, real = (_columns(table, wanted) for table in tables)
    return matched_gaps(matching, synthetic, real, clusters)


def _columns(table: Table, wanted: Sequence[int]) -> Table:
    return Table(
        tuple(table.names[m] for m in wanted),
        table.above[:, wanted],
        table.below[:, wanted],
        tuple(table.better[m] for m in wanted),
    )


def _strata(
    sides: tuple[Evaluation, Evaluation], tables: tuple[Table, Table], clusters: tuple[Ints, Ints],
    judged: Bools, poses: PoseClusters, permutations: int, seed: int,
) -> list[Stratum]:  # fmt: skip
    labels = (sides[0].labels, sides[1].labels)
    scales = [person_attributes.scale_strata(each) for each in labels]
    hidden = [person_attributes.occlusion_strata(each, judged) for each in labels]
    titles = tuple(f"pose {n + 1}" for n in range(len(poses.centres)))
    ways: list[tuple[str, Sequence[str], list[Ints]]] = [
        ("scale", scales[0][0], [each[1] for each in scales]),
        ("view", person_attributes.VIEWS, [person_attributes.view(each) for each in labels]),
        ("trunk", TRUNKS, [trunk_strata(each) for each in labels]),
        ("occlusion", hidden[0][0], [each[1] for each in hidden]),
        ("pose", titles, [poses.synthetic, poses.real]),
    ]
    strata = []
    for by, names, numbers in ways:
        for number, name in enumerate(names):
            inside = [n == number for n in numbers]
            counts = [int((rows & e.people).sum()) for rows, e in zip(inside, labels)]
            part = [_rows(_told(table), rows) for table, rows in zip(tables, inside)]
            own = (clusters[0][inside[0]], clusters[1][inside[1]])
            strata.append((by, name, counts, part, own))
    for name, v in VISIBILITY.items():
        part = [_told(_table_of_points(side, judged, side.labels.v == v)) for side in sides]
        counts = [int((each.below[:, _widest(each)] > 0).sum()) for each in part]
        strata.append(("visibility", name, counts, part, clusters))
    told = [
        Stratum(
            by, name, counts[0], counts[1],
            differences((part[0], part[1]), own, permutations, seed)
            if min(counts) >= LEAST_IN_STRATUM
            else {},
        )
        for by, name, counts, part, own in strata
        if any(counts)
    ]  # fmt: skip
    # Every measure is a column of the table: corrected for all the groups it is told of.
    columns: dict[str, dict[str, Gap]] = {}
    for n, each in enumerate(told):
        for name, gap in each.gaps.items():
            columns.setdefault(name, {})[str(n)] = gap
    columns = {name: corrected(column) for name, column in columns.items()}
    return [
        replace(each, gaps={name: columns[name][str(n)] for name in each.gaps})
        for n, each in enumerate(told)
    ]


def _told(table: Table) -> Table:
    """The measures that are told of every group of people."""
    wanted = [
        m for m, name in enumerate(table.names)
        if name.count(".") == 1 and name.split(".")[1] in STRATUM_KINDS
    ]  # fmt: skip
    return _columns(table, wanted)


def _widest(table: Table) -> int:
    """The error of most keypoints."""
    return int(np.argmax(table.below.sum(0)))


def _table_of_points(side: Evaluation, judged: Bools, kept: Bools) -> Table:
    """The measures of these keypoints (N, 37) alone; those of the spine as a whole are of both
    kinds of points and are left out."""
    errors = side.errors
    few = replace(
        errors,
        box=np.where(kept, errors.box, np.nan),
        torso=np.where(kept, errors.torso, np.nan),
        similarity=np.where(kept, errors.similarity, np.nan),
    )
    table = table_of(side.labels, side.pairs, few, judged)
    wanted = [m for m, name in enumerate(table.names) if name.split(".")[-1] in ("error", "pck")]
    return _columns(table, wanted)


def _rows(table: Table, rows: Bools) -> Table:
    return replace(table, above=table.above[rows], below=table.below[rows])


def _crops_of_both(
    labels: tuple[Labels, Labels], folders: tuple[Path | None, Path | None], seed: int,
    tell: Callable[[str], None],
) -> tuple[Crops, Crops] | None:  # fmt: skip
    """People cut out of the pictures, where both sides have some."""
    if folders[0] is None or folders[1] is None:
        return None
    tell("comparing pictures")
    return _crops(labels[0], folders[0], seed), _crops(labels[1], folders[1], seed)


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
            costs[cause.name] = _known(_cost_of_displacement(cause, sides, judged))
        elif cause.mended is not None:
            number = 0 if cause.of == "synthetic" else 1
            fall = _fall(sides[number], cause.mended, judged)
            costs[cause.name] = _known(fall if number else -fall)
        elif cause.factor is not None:
            own = float(np.nanmean(sides[1].errors.box[:, judged]))
            costs[cause.name] = _known(own - own * cause.factor)
    poses = [cause.name for cause in causes if cause.name in ("pose", "scale")]
    if poses and group and f"{group}.error" in matched:
        raw, even = gaps[f"{group}.error"].gap, matched[f"{group}.error"].gap
        costs[" and ".join(poses)] = _known(raw.value - even.value)
    return costs


def widest_group(judged: Bools) -> str | None:
    """The group with most keypoints that can be judged."""
    groups = oks.groups_of(judged)
    return max(groups, key=lambda name: len(groups[name])) if groups else None


def _known(cost: float) -> Interval:
    """A cost without an interval."""
    return Interval(cost, float("nan"), float("nan"))


def _cost_of_displacement(
    cause: Cause, sides: tuple[Evaluation, Evaluation], judged: Bools
) -> float:
    """How far the error falls once the keypoints' mean shift is taken from the predictions; below
    0 where it is the synthetic side that the shift makes worse."""
    assert cause.displaced is not None
    of_real = cause.displaced.of == "real"
    side = sides[1 if of_real else 0]
    fall = _fall(side, undo(side.labels, side.pairs.points, [cause.displaced]), judged)
    return fall if of_real else -fall


def _fall(side: Evaluation, points: Floats, judged: Bools) -> float:
    """How far the mean error falls with other predictions (N, 37, 2) of the same people."""
    if not side.pairs.found.any():
        return float("nan")
    after = errors_of(side.labels, replace(side.pairs, points=points)).box[:, judged]
    return float(np.nanmean(side.errors.box[:, judged]) - np.nanmean(after))


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

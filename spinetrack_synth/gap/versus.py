"""A model's agreement with the labels over all quantities, and two models on the same people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth.errors import UserError
from spinetrack_synth.gap import oks
from spinetrack_synth.gap.agreement import Agreement, Contrast, agree, contrast, contrast_of
from spinetrack_synth.gap.evaluation import Evaluation, on_keypoints
from spinetrack_synth.gap.labels import Floats, Ints, Labels
from spinetrack_synth.gap.measures import quotient, title
from spinetrack_synth.gap.quantities import QUANTITIES, measure

SUBJECT_FIELDS: Final = (
    "subject_id", "subject", "person_id", "participant_id", "participant", "patient_id",
)  # fmt: skip
"""Fields of an annotation that say who somebody is."""
FOLDS: Final = 50
"""Groups of clusters that are left out in turn for the standard error of AP and AR."""


@dataclass(frozen=True, eq=False)
class Versus:
    """A model less another on the same labels: ``measures`` on the people whom both found (AP and
    AR, and the share found, on all), ``better`` +1 where more is better, -1 where less is;
    ``agreement`` by quantity and statistic."""

    first: Evaluation
    second: Evaluation
    measures: Mapping[str, Contrast]
    better: Mapping[str, int]
    agreement: Mapping[str, Mapping[str, Contrast]]
    people: int

    def words(self, name: str) -> str:
        """A measure's name for people, with the count of its keypoints where some are not there."""
        group, _, kind = name.partition(".")
        if kind not in ("AP", "AR"):
            return title(name)
        return f"{oks.group_title(group, self.first.judged)} {kind}"


def clusters_of(labels: Labels) -> tuple[Ints, str]:
    """Who belongs together (N,), and by what: the subject where every annotation names one, else
    the sequence or picture."""
    annotations = labels.coco.annotations
    for field in SUBJECT_FIELDS:
        values = [annotations[row].get(field) for row in labels.rows]
        if values and all(isinstance(value, str | int) for value in values):
            _, cluster = np.unique([str(value) for value in values], return_inverse=True)
            return cluster.astype(np.int64), field
    return labels.cluster[labels.image], labels.clustered_by


def agreement_of(evaluation: Evaluation) -> dict[str, Agreement]:
    """Agreement of every quantity that labels and predictions show."""
    cluster, _ = clusters_of(evaluation.labels)
    found = {
        name: agree(truth, own, cluster, period=QUANTITIES[name].period)
        for name, (truth, own) in _measured(evaluation).items()
    }
    return {name: each for name, each in found.items() if each is not None}


def versus(first: Evaluation, second: Evaluation) -> Versus:
    """The first model less the second, on the keypoints that both have. Raises UserError where
    they are of other labels or share no keypoint."""
    if first.labels is not second.labels:
        raise UserError("two models are compared on the same labels")
    judged = first.judged & second.judged
    if not judged.any():
        raise UserError("the two models have no keypoint in common")
    first, second = on_keypoints(first, judged), on_keypoints(second, judged)
    labels = first.labels
    cluster, _ = clusters_of(labels)
    both = first.pairs.found & second.pairs.found & labels.people
    measured = [_measured(each) for each in (first, second)]
    names = [name for name in first.table.names if name in second.table.names]
    differences = _of_tables(first, second, names, cluster)
    precision = _of_precision(first, second, cluster)
    agreement = {
        name: contrast(
            measured[0][name][0], measured[0][name][1], measured[1][name][1], cluster,
            period=quantity.period,
        )
        for name, quantity in QUANTITIES.items()
    }  # fmt: skip
    signs = dict(zip(first.table.names, first.table.better))
    return Versus(
        first=first,
        second=second,
        measures=precision | differences,
        better=dict.fromkeys(precision, 1) | {name: signs[name] for name in names},
        agreement={name: each for name, each in agreement.items() if each},
        people=int(both.sum()),
    )


def _measured(evaluation: Evaluation) -> dict[str, tuple[Floats, Floats]]:
    labels, pairs = evaluation.labels, evaluation.pairs
    known = (labels.v > 0) & (labels.people & pairs.found)[:, None]
    diagonal = np.hypot(labels.boxes[:, 2], labels.boxes[:, 3])
    diagonal = np.where(diagonal > 0, diagonal, np.nan)
    return measure(labels.points, pairs.points, known, diagonal)


def _of_tables(
    first: Evaluation, second: Evaluation, names: list[str], cluster: Ints
) -> dict[str, Contrast]:
    """Differences of the measures of people who have them from both models; a measure is a quotient
    of sums, and its standard error that of its linear part, by cluster."""
    _, number = np.unique(cluster, return_inverse=True)
    found = {}
    for name in names:
        sides = []
        columns = [(each.table, each.table.names.index(name)) for each in (first, second)]
        there = np.logical_and(*(table.below[:, at] > 0 for table, at in columns))
        for table, at in columns:
            above, below = (
                np.where(there, part[:, at], 0.0) for part in (table.above, table.below)
            )
            value = float(quotient(above.sum(), below.sum()))
            sides.append((value, (above - value * below) / max(below.sum(), 1e-300)))
        influence = np.bincount(number, sides[0][1] - sides[1][1])
        count = len(np.unique(number[there]))
        error = np.sqrt(count / max(count - 1, 1) * (influence**2).sum())
        found[name] = contrast_of(sides[0][0], sides[1][0], float(error), count)
    return found


def _of_precision(first: Evaluation, second: Evaluation, cluster: Ints) -> dict[str, Contrast]:
    """Differences of AP and AR of the groups that both have, with the standard error of leaving out
    groups of pictures in turn (subjects in several pictures are told apart by picture here)."""
    groups = [name for name in first.matches.groups if name in second.matches.groups]
    if not groups:
        return {}
    unit = first.labels.cluster
    count = int(unit.max()) + 1
    folds = min(count, FOLDS)
    fold = (np.random.default_rng(0).permutation(count) % folds)[unit]
    sides = [oks.of_groups(each.matches, tuple(groups)) for each in (first, second)]
    values = [oks.precisions(each, None) for each in sides]
    without = np.array(
        [
            oks.precisions(sides[0], (fold != n).astype(np.int64))
            - oks.precisions(sides[1], (fold != n).astype(np.int64))
            for n in range(folds)
        ]
    )
    error = np.sqrt((folds - 1) / folds * ((without - without.mean(0)) ** 2).sum(0))
    names = [f"{group}.{kind}" for group in groups for kind in ("AP", "AR")]
    return {
        name: contrast_of(float(values[0][n]), float(values[1][n]), float(error[n]), folds)
        for n, name in enumerate(names)
    }

"""Everything that is measured of one model on one dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap import oks
from spinetrack_synth.gap.baselines import BASELINES, HEAD
from spinetrack_synth.gap.calibration import Calibration, calibrate
from spinetrack_synth.gap.labels import Bools, Labels
from spinetrack_synth.gap.measures import Errors, Table, errors_of, table_of
from spinetrack_synth.gap.pairing import Pairs, pair
from spinetrack_synth.gap.predictions import Predictions

FEW_PEOPLE: Final = 30
"""Of fewer people no mean says much: intervals would be as wide as what they measure."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A model on a dataset: ``precision`` COCO's figures by group, ``table`` the other measures
    by person, ``baselines`` the spine AP of who knows nothing of the spine, ``remarks`` what
    cannot be judged or should be known."""

    labels: Labels
    predictions: Predictions
    pairs: Pairs
    judged: Bools
    matches: oks.Matches
    precision: Mapping[str, Mapping[str, float]]
    errors: Errors
    table: Table
    calibration: Calibration
    baselines: Mapping[str, float]
    remarks: tuple[str, ...]


def evaluate(labels: Labels, predictions: Predictions) -> Evaluation:
    """Measure predictions against labels. Raises UserError where the two share no keypoint or
    nobody is labelled."""
    judged = labels.defined & predictions.defined
    if not judged.any():
        raise UserError(f"{labels.path}: labels and predictions have no keypoint in common")
    if not labels.people.any():
        raise UserError(f"{labels.path}: nobody in it has a labelled keypoint: nothing to measure")
    groups = oks.groups_of(judged)
    pairs = pair(labels, predictions)
    errors = errors_of(labels, pairs)
    matches = oks.match(labels, predictions, groups)
    return Evaluation(
        labels=labels,
        predictions=predictions,
        pairs=pairs,
        judged=judged,
        matches=matches,
        precision=oks.statistics(matches),
        errors=errors,
        table=table_of(labels, pairs, errors, judged),
        calibration=calibrate(pairs.scores, errors.similarity),
        baselines=baseline_scores(labels) if judged[list(skeleton.SPINE)].all() else {},
        remarks=(*labels.remarks, *predictions.remarks, *_remarks(labels, pairs, judged)),
    )


def on_keypoints(evaluation: Evaluation, judged: Bools) -> Evaluation:
    """The evaluation of these keypoints (37,) alone, some of those that it judges: what is compared
    has to be of the same points."""
    if (judged == evaluation.judged).all():
        return evaluation
    labels = evaluation.labels
    matches = oks.match(labels, evaluation.predictions, oks.groups_of(judged))
    return replace(
        evaluation,
        judged=judged,
        matches=matches,
        precision=oks.statistics(matches),
        table=table_of(labels, evaluation.pairs, evaluation.errors, judged),
        baselines=evaluation.baselines if judged[list(skeleton.SPINE)].all() else {},
    )


def baseline_scores(labels: Labels) -> dict[str, float]:
    """Spine AP of the interpolation baselines, on the people whose spine and head are labelled;
    empty where there are none."""
    rows = np.flatnonzero(labels.people & (labels.v[:, [*skeleton.SPINE, HEAD]] > 0).all(1))
    if not len(rows):
        return {}
    kept = _only(labels, rows)
    scores = {}
    for name, guess in BASELINES.items():
        guessed = Predictions(
            points=guess(kept.points),
            scores=np.ones(kept.v.shape),
            score=np.ones(len(rows)),
            image=kept.image,
            annotation=np.arange(len(rows)),
            defined=labels.defined,
        )
        matches = oks.match(kept, guessed, {"spine": oks.GROUPS["spine"]})
        scores[name] = oks.statistics(matches)["spine"]["AP"]
    return scores


def _only(labels: Labels, rows: np.ndarray) -> Labels:
    """The labels of these people alone, in the same pictures."""
    names = ("points", "v", "boxes", "areas", "crowd", "ids", "image", "rows")
    return replace(labels, **{name: getattr(labels, name)[rows] for name in names})


def _remarks(labels: Labels, pairs: Pairs, judged: Bools) -> list[str]:
    remarks = []
    count = int(labels.people.sum())
    if count < FEW_PEOPLE:
        remarks.append(f"only {count} people: the figures may be far from what many would give")
    if not judged.all():
        remarks.append(_shared(labels, judged))
    if pairs.found.any() and not pairs.by_box:
        remarks.append(
            "predictions name no boxes: people were paired by similarity, so errors leave out "
            "those who were missed altogether"
        )
    lost = 1 - pairs.found[labels.people].mean()
    if lost > 0:
        remarks.append(f"{lost:.1%} of the people have no prediction")
    if (labels.ids == 0).any():
        remarks.append(
            "annotation id 0: pycocotools never counts it as found, and so AP and AR do here"
        )
    return remarks


def _shared(labels: Labels, judged: Bools) -> str:
    """Which keypoints there are on both sides, and what can be judged on them."""
    whose = "the labels have" if not labels.defined.all() else "the model has"
    known = int((labels.defined if not labels.defined.all() else judged).sum())
    groups = oks.groups_of(judged)
    missing = [name for name in ("body", "feet", "spine") if name not in groups]
    parts = [f"{whose} {known} of the 37 keypoints"]
    for name in ("body", "feet", "spine"):
        lacking = [k for k in oks.GROUPS[name] if not judged[k]]
        if name in groups and lacking:
            parts.append(
                f"{name} is judged on {len(groups[name])} of its {len(oks.GROUPS[name])} (without "
                f"{', '.join(skeleton.NAMES[k] for k in lacking)}): no figure of all of them"
            )
    cannot = " and ".join(missing) or ("" if "all" in groups else "all 37 together")
    if cannot:
        parts.append(
            f"{cannot} cannot be judged" + ("; a score over all 37 neither" if missing else "")
        )
    return "; ".join(parts).replace("keypoints; ", "keypoints: ", 1)

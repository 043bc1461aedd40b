"""A comparison as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.gap.bootstrap import Interval
from spinetrack_synth.gap.comparison import Comparison, keypoints_of, shares
from spinetrack_synth.gap.differences import Gap
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.gates import Judged
from spinetrack_synth.gap.matching import MOST_IMBALANCE, NEIGHBOURS
from spinetrack_synth.gap.report.worst import WORST, Worst, worst_people
from spinetrack_synth.gap.tables import calibration_json, number
from spinetrack_synth.version import __version__

ANSWERED = (
    "how much worse the same model is on real labels than on synthetic ones, and how far apart the "
    "two sets of people and pictures are"
)
NOT_ANSWERED = (
    "how much training on synthetic pictures helps on real ones: that takes two models, one "
    "trained without them, on the same real labels"
)


def to_json(comparison: Comparison, model: str, judged: Sequence[Judged] = ()) -> dict[str, Any]:
    """All figures of a comparison, and what became of the gates."""
    there = comparison.appearance
    made = shares(comparison)
    return {
        "tool": "spinetrack-synth gap",
        "version": __version__,
        "model": model,
        "answers": ANSWERED,
        "does_not_answer": NOT_ANSWERED,
        "seed": comparison.seed,
        "resamples": comparison.resamples,
        "synthetic": _side(comparison.synthetic),
        "real": _side(comparison.real),
        "keypoints": keypoints_of(comparison.judged),
        "not_judged": [skeleton.NAMES[k] for k in np.flatnonzero(~comparison.judged)],
        "warnings": list(comparison.warnings),
        "gaps": _gaps({**comparison.gaps, **comparison.precision}),
        "matching": {
            "kind": f"up to {NEIGHBOURS} nearest synthetic people in pose, height in pixels, view "
            "and direction of the trunk, within the caliper, weighed for balance",
            "comparable": comparison.matching.comparable,
            "not_comparable_because": comparison.matching.obstacle or None,
            "real_people": comparison.matching.people,
            "share_of_real_people": number(comparison.matching.share),
            "synthetic_people_of_equal_weight": number(comparison.matching.equal_people),
            "caliper": number(comparison.matching.caliper),
            "most_imbalance": MOST_IMBALANCE,
            "standardised_mean_differences": {
                each.name: {"before": number(each.before), "after": number(each.after)}
                for each in comparison.matching.balance
            },
        },
        "matched_gaps": _gaps(comparison.matched),
        "strata": [
            {
                "by": each.by,
                "name": each.name,
                "synthetic_people": each.synthetic_people,
                "real_people": each.real_people,
                "gaps": _gaps(each.gaps),
            }
            for each in comparison.strata
        ],
        "pose": None
        if comparison.pose is None
        else {
            "energy_distance": number(comparison.pose.value),
            "share": number(comparison.pose.share),
            "p": number(comparison.pose.p),
        },
        "appearance": None
        if there is None
        else {
            "kernel_distance": number(there.kernel.value),
            "p": number(there.kernel.p),
            "auc": _interval(there.classifier.auc),
            "features": {name: number(value) for name, value in there.kinds.items()},
        },
        "causes": [
            {
                "name": cause.name,
                "told": cause.told,
                "effect": number(cause.effect),
                "p": number(cause.p),
            }
            for cause in comparison.causes
        ],
        "costs": {
            name: {"error": _interval(cost), "share_of_gap": number(made.get(name, float("nan")))}
            for name, cost in comparison.costs.items()
        },
        "worst_people": {
            name: [_person(each) for each in worst_people(side, comparison.judged, WORST)]
            for name, side in (("real", comparison.real), ("synthetic", comparison.synthetic))
        },
        "gates": [
            {
                "condition": each.gate.text,
                "verdict": each.verdict,
                "failed": each.verdict == "failed",
                "found": _interval(each.found),
            }
            for each in judged
        ],
    }


def _person(found: Worst) -> dict[str, Any]:
    return {
        "file_name": found.file_name,
        "image_id": found.image_id,
        "annotation_id": found.annotation_id,
        "error": number(found.error),
        "worst_keypoint": skeleton.NAMES[found.keypoint],
    }


def _side(evaluation: Evaluation) -> dict[str, Any]:
    labels = evaluation.labels
    return {
        "dataset": str(labels.path),
        "images": len(labels.image_ids),
        "people": int(labels.people.sum()),
        "resampled_by": labels.clustered_by,
        "remarks": list(evaluation.remarks),
        "precision": {
            group: {name: number(value) for name, value in figures.items()}
            for group, figures in evaluation.precision.items()
        },
        "baselines": {name: number(value) for name, value in evaluation.baselines.items()},
        "calibration": calibration_json(evaluation.calibration),
    }


def _gaps(gaps: Mapping[str, Gap]) -> dict[str, Any]:
    return {
        name: {
            "synthetic": _interval(gap.synthetic),
            "real": _interval(gap.real),
            "gap": _interval(gap.gap),
            "p": number(gap.p),
            "p_corrected": number(gap.corrected),
        }
        for name, gap in gaps.items()
    }


def _interval(found: Interval) -> dict[str, float | None]:
    return {
        "value": number(found.value),
        "low": number(found.low),
        "high": number(found.high),
    }

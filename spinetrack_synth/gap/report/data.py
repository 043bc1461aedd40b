"""A comparison as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.gap.agreement_tables import interval_json
from spinetrack_synth.gap.comparison import (
    Appearance,
    Comparison,
    Stratum,
    keypoints_of,
    shares,
)
from spinetrack_synth.gap.differences import Gap
from spinetrack_synth.gap.distances import Distance
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.gates import Judged
from spinetrack_synth.gap.matching import MOST_IMBALANCE, NEIGHBOURS, Matching
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
        "matching": _matching(comparison.matching),
        "matched_gaps": _gaps(comparison.matched),
        "strata": [_stratum(each) for each in comparison.strata],
        "pose": None if comparison.pose is None else _pose(comparison.pose),
        "appearance": None if comparison.appearance is None else _appearance(comparison.appearance),
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
            name: {
                "error": interval_json(cost),
                "share_of_gap": number(made.get(name, float("nan"))),
            }
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
                "found": interval_json(each.found),
            }
            for each in judged
        ],
    }


def _matching(matching: Matching) -> dict[str, Any]:
    return {
        "kind": f"up to {NEIGHBOURS} nearest synthetic people in pose, height in pixels, view "
        "and direction of the trunk, within the caliper, weighed for balance",
        "comparable": matching.comparable,
        "not_comparable_because": matching.obstacle or None,
        "real_people": matching.people,
        "share_of_real_people": number(matching.share),
        "synthetic_people_of_equal_weight": number(matching.equal_people),
        "caliper": number(matching.caliper),
        "most_imbalance": MOST_IMBALANCE,
        "standardised_mean_differences": {
            each.name: {"before": number(each.before), "after": number(each.after)}
            for each in matching.balance
        },
    }


def _stratum(stratum: Stratum) -> dict[str, Any]:
    return {
        "by": stratum.by,
        "name": stratum.name,
        "synthetic_people": stratum.synthetic_people,
        "real_people": stratum.real_people,
        "gaps": _gaps(stratum.gaps),
    }


def _pose(pose: Distance) -> dict[str, Any]:
    return {
        "energy_distance": number(pose.value),
        "share": number(pose.share),
        "p": number(pose.p),
    }


def _appearance(appearance: Appearance) -> dict[str, Any]:
    return {
        "kernel_distance": number(appearance.kernel.value),
        "p": number(appearance.kernel.p),
        "auc": interval_json(appearance.classifier.auc),
        "features": {name: number(value) for name, value in appearance.kinds.items()},
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
            "synthetic": interval_json(gap.synthetic),
            "real": interval_json(gap.real),
            "gap": interval_json(gap.gap),
            "p": number(gap.p),
            "p_corrected": number(gap.corrected),
        }
        for name, gap in gaps.items()
    }

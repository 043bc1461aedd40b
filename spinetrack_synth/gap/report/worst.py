"""The people with the largest errors, and where to find them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.labels import Bools

WORST: Final = 6
LEAST_POINTS: Final = 8


@dataclass(frozen=True)
class Worst:
    """A person in this ``row`` of the labels: mean ``error`` over the box's diagonal, and the
    ``keypoint`` with the largest."""

    row: int
    file_name: str
    image_id: int
    annotation_id: int
    error: float
    keypoint: int


def worst_people(evaluation: Evaluation, judged: Bools, count: int) -> list[Worst]:
    """The people with the largest mean error, no two of a picture while there are others.

    People with few judged keypoints are left out: a single point says little.
    """
    labels = evaluation.labels
    errors = np.where(judged, evaluation.errors.box, np.nan)
    known = np.isfinite(errors).sum(1)
    mean = np.nansum(errors, axis=1) / np.maximum(known, 1)
    order = np.argsort(-np.where(known >= min(LEAST_POINTS, judged.sum()), mean, -1.0))
    order = order[mean[order] > 0]
    _, first = np.unique(labels.image[order], return_index=True)
    fresh = np.sort(first)
    rest = np.setdiff1d(np.arange(len(order)), fresh)
    found = []
    for row in order[np.concatenate([fresh, rest]).astype(int)][:count]:
        image_id = int(labels.image_ids[labels.image[row]])
        found.append(
            Worst(
                int(row),
                str(labels.coco.image_of[image_id].get("file_name", "")),
                image_id,
                int(labels.ids[row]),
                float(mean[row]),
                int(np.nanargmax(errors[row])),
            )
        )
    return found

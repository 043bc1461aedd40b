"""Which prediction means which labelled person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth.gap.labels import Bools, Floats, Labels
from spinetrack_synth.gap.oks import keypoint_similarity
from spinetrack_synth.gap.predictions import Predictions

LEAST_SIMILARITY: Final = 0.1
"""Less similar people are not the same one (Ronchi & Perona 2017)."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every label with the prediction that means the same person.

    N labels: ``found`` (N,) whether there is one; ``points`` (N, 37, 2) px and ``scores`` (N, 37)
    of it, nan where there is none; ``by_box`` whether predictions name the label whose box they
    were made in (else they are paired by similarity).
    """

    found: Bools
    points: Floats
    scores: Floats
    by_box: bool


def pair(labels: Labels, predictions: Predictions) -> Pairs:
    """Pair by the annotation a prediction names, else one to one by similarity in each picture,
    the most similar first."""
    by_box = bool(len(predictions.annotation)) and bool((predictions.annotation >= 0).all())
    if by_box:
        # Where a person has several predictions, the best scored comes first in the order.
        chosen = np.full(len(labels.ids), -1, dtype=np.int64)
        chosen[predictions.annotation[::-1]] = np.arange(len(predictions.score))[::-1]
    else:
        chosen = _by_similarity(labels, predictions)
    found = chosen >= 0
    points, scores = (
        np.full((len(labels.ids), *values.shape[1:]), np.nan)
        for values in (predictions.points, predictions.scores)
    )
    points[found] = predictions.points[chosen[found]]
    scores[found] = predictions.scores[chosen[found]]
    return Pairs(found, points, scores, by_box)


def _by_similarity(labels: Labels, predictions: Predictions) -> np.ndarray:
    chosen = np.full(len(labels.ids), -1, dtype=np.int64)
    rows = np.flatnonzero(labels.people)
    ends = np.arange(len(labels.image_ids) + 1)
    starts = np.searchsorted(labels.image[rows], ends)
    found_starts = np.searchsorted(predictions.image, ends)
    for image in np.flatnonzero((np.diff(starts) > 0) & (np.diff(found_starts) > 0)):
        people = rows[starts[image] : starts[image + 1]]
        found = np.arange(found_starts[image], found_starts[image + 1])
        similar = similarity(labels, people, predictions.points[found])
        while similar.size and similar.max() >= LEAST_SIMILARITY:
            detection, person = np.unravel_index(similar.argmax(), similar.shape)
            chosen[people[person]] = found[detection]
            similar[detection], similar[:, person] = -1.0, -1.0
    return chosen


def similarity(labels: Labels, people: np.ndarray, points: Floats) -> Floats:
    """Object keypoint similarity (D, P) of predictions (D, 37, 2) and the people in these rows."""
    each = keypoint_similarity(points[:, None], labels.points[people], labels.areas[people])
    usable = (labels.v[people] > 0) & np.isfinite(each)
    mean: Floats = np.where(usable, each, 0.0).sum(2) / np.maximum(usable.sum(2), 1)
    return mean

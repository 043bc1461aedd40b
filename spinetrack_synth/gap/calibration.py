"""Do the scores tell which keypoints are right?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth.gap.labels import Floats

CORRECT_SIMILARITY: Final = 0.5
"""A keypoint is correct from this similarity on: neither missed, swapped nor inverted."""
BINS: Final = 10


@dataclass(frozen=True, eq=False)
class Calibration:
    """Reliability of scores in ten equal bins of 0..1: ``score`` and ``correct`` (B,) their means,
    nan in empty bins, and ``count`` (B,); ``ece`` the expected calibration error; ``auroc`` how
    often a correct keypoint has the higher score of a pair (.5 is chance; nan where all are
    correct or none); ``outside`` the share of scores beyond 0..1, which are cut off."""

    score: Floats
    correct: Floats
    count: np.ndarray
    ece: float
    auroc: float
    outside: float


def calibrate(scores: Floats, similarity: Floats) -> Calibration:
    """Hold scores against similarity, arrays of one shape; where either is nan does not count."""
    usable = np.isfinite(scores) & np.isfinite(similarity)
    raw = scores[usable]
    score, correct = np.clip(raw, 0, 1), similarity[usable] >= CORRECT_SIMILARITY
    bins = np.minimum((score * BINS).astype(int), BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_score = np.bincount(bins, score, BINS) / count
        mean_correct = np.bincount(bins, correct, BINS) / count
    total = max(len(score), 1)
    return Calibration(
        score=mean_score,
        correct=mean_correct,
        count=count,
        ece=float(np.nansum(np.abs(mean_score - mean_correct) * count) / total)
        if len(score)
        else float("nan"),
        auroc=auroc(raw[correct], raw[~correct]),
        outside=float(np.mean((raw < 0) | (raw > 1))) if len(raw) else float("nan"),
    )


def auroc(high: Floats, low: Floats) -> float:
    """Share of pairs in which the one of ``high`` is the larger, ties counting half."""
    if not len(high) or not len(low):
        return float("nan")
    low = np.sort(low)
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(below.mean() / 2 / len(low))

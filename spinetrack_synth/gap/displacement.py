"""Keypoints that two datasets, or a model on them, put at different places of the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from spinetrack_synth import skeleton
from spinetrack_synth.gap.measures import Errors
from spinetrack_synth.gap.people import Bools, Floats, Ints, Labels

LEAST_SHIFT: Final = 0.008
"""Of the box's diagonal, some 15 mm of somebody who stands: less is nobody's definition."""
MOST_OFFSET: Final = 0.08
"""Larger offsets are swaps and misses: they are cut to this length before means are taken."""
FRAMES: Final = ("picture", "trunk")
"""Axes of offsets: the picture's x and y; up the trunk and to where the face looks."""
LEAST_CLUSTERS: Final = 8
LEVEL: Final = 0.01
"""Of all keypoints and frames together."""


@dataclass(frozen=True)
class Displacement:
    """A keypoint whose mean offset from its label differs between the sets, beside what all
    keypoints have in common: ``shift`` (2,) in the ``frame``, share of the box's diagonal; ``p``
    corrected for all keypoints and frames (Bonferroni)."""

    keypoint: int
    frame: str
    shift: tuple[float, float]
    p: float

    @property
    def size(self) -> float:
        return float(np.hypot(*self.shift))


def trunk_axes(labels: Labels) -> Floats:
    """Up the trunk and to where the face looks, (N, 2, 2) unit vectors in the picture; nan where
    shoulders, hips or nose are not labelled."""
    points = np.where((labels.v > 0)[..., None], labels.points, np.nan)

    def middle(part: str) -> Floats:
        sides = [skeleton.INDEX[f"{side}_{part}"] for side in ("left", "right")]
        return points[:, sides].mean(1)

    up = middle("shoulder") - middle("hip")
    with np.errstate(invalid="ignore", divide="ignore"):
        up /= np.linalg.norm(up, axis=1, keepdims=True)
    across = np.stack([-up[:, 1], up[:, 0]], axis=1)
    looks = points[:, skeleton.INDEX["nose"]] - middle("shoulder")
    across *= np.where((across * looks).sum(1) >= 0, 1.0, -1.0)[:, None]
    return np.stack([up, across], axis=1)


def offsets(labels: Labels, errors: Errors, judged: Bools, frame: str) -> Floats:
    """Offsets (N, 37, 2) of predictions from labels over the box's diagonal, less the median over
    each person's keypoints, cut to ``MOST_OFFSET``; nan where not judged."""
    offset = errors.offset
    if frame == "trunk":
        offset = np.einsum("nfd,nkd->nkf", trunk_axes(labels), offset)
    offset = np.where(judged[:, None], offset, np.nan)
    length = np.linalg.norm(offset, axis=2, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        cut = offset * np.minimum(1.0, MOST_OFFSET / length)
        known = np.isfinite(cut).all(2).any(1)
        cut[known] -= np.nanmedian(cut[known], axis=1, keepdims=True)
    return cut


def find_displaced(
    first: tuple[Labels, Errors], second: tuple[Labels, Errors], judged: Bools
) -> list[Displacement]:
    """The keypoints displaced in the second set against the first, the largest shift first."""
    found: dict[int, Displacement] = {}
    tests = len(FRAMES) * int(judged.sum())
    for frame in FRAMES:
        each = [offsets(labels, errors, judged, frame) for labels, errors in (first, second)]
        clusters = [labels.cluster[labels.image] for labels, _ in (first, second)]
        for keypoint in np.flatnonzero(judged):
            means = [_cluster_means(o[:, keypoint], c) for o, c in zip(each, clusters)]
            if min(map(len, means)) < LEAST_CLUSTERS:
                continue
            shift = means[1].mean(0) - means[0].mean(0)
            p = min(1.0, tests * _hotelling(shift, means))
            size = float(np.hypot(*shift))
            if p < LEVEL and size >= LEAST_SHIFT:
                known = found.get(int(keypoint))
                if known is None or size > known.size:
                    found[int(keypoint)] = Displacement(
                        int(keypoint), frame, (float(shift[0]), float(shift[1])), p
                    )
    return sorted(found.values(), key=lambda each: -each.size)


def _cluster_means(values: Floats, cluster: Ints) -> Floats:
    known = np.isfinite(values).all(1)
    _, number = np.unique(cluster[known], return_inverse=True)
    count = np.bincount(number)
    return np.stack([np.bincount(number, values[known, d]) for d in (0, 1)], axis=1) / np.maximum(
        count, 1
    )[:, None] if len(count) else np.empty((0, 2))  # fmt: skip


def _hotelling(shift: Floats, samples: list[Floats]) -> float:
    """Chance of so large a difference of two means (2,), variances unequal, with the freedom of
    the smaller sample."""
    covariance = sum(np.cov(sample.T) / len(sample) for sample in samples) + 1e-12 * np.eye(2)
    statistic = float(shift @ np.linalg.solve(covariance, shift))
    freedom = min(map(len, samples)) - 1
    return float(stats.f.sf(statistic / 2 * (freedom - 1) / freedom, 2, freedom - 1))


def undo(labels: Labels, points: Floats, displaced: list[Displacement]) -> Floats:
    """Predicted points (N, 37, 2) px without the shifts, as if both sets had one definition."""
    result = points.copy()
    diagonal = np.hypot(labels.boxes[:, 2], labels.boxes[:, 3])[:, None]
    for each in displaced:
        shift = np.broadcast_to(np.array(each.shift), (len(points), 2))
        if each.frame == "trunk":
            shift = np.einsum("nfd,f->nd", trunk_axes(labels), np.array(each.shift))
        result[:, each.keypoint] -= np.nan_to_num(shift) * diagonal
    return result

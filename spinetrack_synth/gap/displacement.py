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
MOST_OFFSET: Final = 0.1
"""Larger offsets are swaps and misses, which say nothing of where a keypoint is meant to lie."""
LEAST_NEAR: Final = 0.7
"""A keypoint that is missed more often than this leaves over is not judged."""
LEAST_FALL: Final = 0.08
"""Share of the keypoint's error that has to go with the shift: else it is not what is wrong."""
FRAMES: Final = ("picture", "trunk")
"""Axes of offsets: the picture's x and y; up the trunk and to where the face looks."""
LEAST_CLUSTERS: Final = 8
LEVEL: Final = 0.01
"""Of all keypoints and frames together."""


@dataclass(frozen=True)
class Displacement:
    """A keypoint whose mean offset from its label differs between the sets, beside what all
    keypoints have in common: ``shift`` (2,) in the ``frame``, share of the box's diagonal; ``p``
    corrected for all keypoints and frames (Bonferroni); ``of`` the set, synthetic or real, whose
    errors are smaller without it."""

    keypoint: int
    frame: str
    shift: tuple[float, float]
    p: float
    of: str

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


def offsets(labels: Labels, errors: Errors, frame: str) -> Floats:
    """Offsets (N, 37, 2) of predictions from labels over the box's diagonal, in the frame."""
    if frame == "picture":
        return errors.offset
    return np.einsum("nfd,nkd->nkf", trunk_axes(labels), errors.offset)


def beside_the_others(offset: Floats, judged: Bools) -> Floats:
    """Offsets (N, 37, 2) less the median over each person's keypoints; nan where not judged or
    beyond ``MOST_OFFSET``."""
    near = np.linalg.norm(offset, axis=2) <= MOST_OFFSET
    offset = np.where((near & judged)[..., None], offset, np.nan)
    known = np.asarray(np.isfinite(offset).all(axis=2)).any(axis=1)
    result = offset.copy()
    result[known] -= np.nanmedian(offset[known], axis=1, keepdims=True)
    return result


def find_displaced(
    first: tuple[Labels, Errors], second: tuple[Labels, Errors], judged: Bools
) -> list[Displacement]:
    """The keypoints displaced in the second set against the first, the largest shift first."""
    found: dict[int, Displacement] = {}
    tests = len(FRAMES) * int(judged.sum())
    for frame in FRAMES:
        each = [offsets(labels, errors, frame) for labels, errors in (first, second)]
        beside = [beside_the_others(offset, judged) for offset in each]
        clusters = [labels.cluster[labels.image] for labels, _ in (first, second)]
        for keypoint in np.flatnonzero(judged & _mostly_near(first[1], second[1])):
            means = [_cluster_means(o[:, keypoint], c) for o, c in zip(beside, clusters)]
            if min(map(len, means)) < LEAST_CLUSTERS:
                continue
            shift = means[1].mean(0) - means[0].mean(0)
            p = min(1.0, tests * _hotelling(shift, means))
            size = float(np.hypot(*shift))
            if p >= LEVEL or size < LEAST_SHIFT:
                continue
            falls = (_fall(each[0][:, keypoint], -shift), _fall(each[1][:, keypoint], shift))
            known = found.get(int(keypoint))
            if max(falls) >= LEAST_FALL and (known is None or size > known.size):
                found[int(keypoint)] = Displacement(
                    int(keypoint), frame, (float(shift[0]), float(shift[1])), p,
                    "real" if falls[1] >= falls[0] else "synthetic",
                )  # fmt: skip
    return sorted(found.values(), key=lambda each: -each.size)


def _fall(offset: Floats, shift: Floats) -> float:
    """The share by which a keypoint's mean offset (N, 2) shortens without the shift (2,)."""
    before, after = (
        float(np.nanmean(np.linalg.norm(each, axis=1))) for each in (offset, offset - shift)
    )
    return 1 - after / before if before > 0 else 0.0


def _mostly_near(*sides: Errors) -> Bools:
    """Which keypoints (37,) are mostly predicted near their labels on every side."""
    shares = []
    for errors in sides:
        known = np.isfinite(errors.box).sum(0)
        shares.append((errors.box <= MOST_OFFSET).sum(0) / np.maximum(known, 1))
    return np.min(shares, axis=0) >= LEAST_NEAR


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
    """Predicted points (N, 37, 2) px of the set ``of`` the shifts without them, as if both sets had
    one definition."""
    result = points.copy()
    diagonal = np.hypot(labels.boxes[:, 2], labels.boxes[:, 3])[:, None]
    for each in displaced:
        own = np.array(each.shift) * (1 if each.of == "real" else -1)
        shift = np.broadcast_to(own, (len(points), 2))
        if each.frame == "trunk":
            shift = np.einsum("nfd,f->nd", trunk_axes(labels), own)
        result[:, each.keypoint] -= np.nan_to_num(shift) * diagonal
    return result

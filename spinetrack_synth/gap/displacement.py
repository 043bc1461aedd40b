"""Keypoints that two datasets, or a model on them, put at different places of the body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from spinetrack_synth import skeleton
from spinetrack_synth.gap import person_attributes
from spinetrack_synth.gap.labels import Bools, Floats, Ints, Labels
from spinetrack_synth.gap.measures import Errors

LEAST_SHIFT: Final = 0.008
"""Of the box's diagonal, some 15 mm of somebody who stands: less is nobody's definition."""
MOST_OFFSET: Final = 0.1
"""Larger offsets are swaps and misses, which say nothing of where a keypoint is meant to lie."""
LEAST_NEAR: Final = 0.7
"""A keypoint that is missed more often than this leaves over is not judged."""
LEAST_FALL: Final = 0.08
"""Share of the keypoints' error that has to go with the shift: else it is not what is wrong."""
FRAMES: Final = ("picture", "trunk", "lateral")
"""Axes of offsets: the picture's x and y; up the trunk and to where the face looks; up the trunk
and to the person's own left."""
LEAST_CLUSTERS: Final = 8
LEVEL: Final = 0.01
"""Of all keypoints and frames together."""
EVERY: Final = "all keypoints"
GROUPS: Final[Mapping[str, tuple[int, ...]]] = {
    EVERY: tuple(range(len(skeleton.NAMES))),
    "spine points": skeleton.SPINE,
}
"""Keypoints that may move together: one reason, not as many as there are points."""
LEAST_OF_GROUP: Final = 5


@dataclass(frozen=True)
class Displacement:
    """Keypoints whose mean offset from their label differs between the sets, beside what the other
    keypoints have in common: ``shift`` (2,) in the ``frame``, share of the box's diagonal; ``p``
    corrected for all keypoints and frames (Bonferroni); ``of`` the set, synthetic or real, whose
    errors are smaller without it.

    ``body`` the shift up the trunk, forward (of people seen from the side) and to the own left (of
    those seen from front and back), shares of the diagonal; ``picture_px`` the shift right and
    down in pixels; nan where too few show it.
    """

    name: str
    keypoints: tuple[int, ...]
    frame: str
    shift: tuple[float, float]
    p: float
    of: str
    body: tuple[float, float, float]
    picture_px: tuple[float, float]

    @property
    def size(self) -> float:
        return float(np.hypot(*self.shift))


def body_axes(labels: Labels) -> Floats:
    """Up the trunk, to where the face looks, to the person's own left: (N, 3, 2) unit vectors in
    the picture, the last two along one line; nan where shoulders, hips or nose are not labelled."""
    points = np.where((labels.v > 0)[..., None], labels.points, np.nan)

    def ends(part: str) -> tuple[Floats, Floats]:
        left, right = (points[:, skeleton.INDEX[f"{side}_{part}"]] for side in ("left", "right"))
        return left, right

    shoulders, hips = ends("shoulder"), ends("hip")
    middle = (shoulders[0] + shoulders[1]) / 2
    up = middle - (hips[0] + hips[1]) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        up /= np.linalg.norm(up, axis=1, keepdims=True)
    across = np.stack([-up[:, 1], up[:, 0]], axis=1)

    def toward(target: Floats) -> Floats:
        return across * np.where((across * target).sum(1) >= 0, 1.0, -1.0)[:, None]

    forward = toward(points[:, skeleton.INDEX["nose"]] - middle)
    left = toward(shoulders[0] - shoulders[1])
    return np.stack([up, forward, left], axis=1)


def axes_of(labels: Labels, frame: str) -> Floats:
    """The two axes (N, 2, 2) of a frame, unit vectors in the picture."""
    if frame == "picture":
        return np.broadcast_to(np.eye(2), (len(labels.ids), 2, 2))
    return body_axes(labels)[:, [0, 1 if frame == "trunk" else 2]]


@dataclass(frozen=True)
class _Side:
    labels: Labels
    offset: Floats
    """Of predictions from labels in the picture (N, 37, 2), over the box's diagonal; nan where not
    judged or not near."""
    axes: Mapping[str, Floats]

    @property
    def cluster(self) -> Ints:
        return self.labels.cluster[self.labels.image]

    def moved(self, keypoints: tuple[int, ...], frame: str, shift: tuple[float, float]) -> Floats:
        """The offsets without a shift in the frame."""
        offset = self.offset.copy()
        in_picture = np.einsum("nfd,f->nd", self.axes[frame], np.array(shift))
        offset[:, list(keypoints)] -= np.nan_to_num(in_picture)[:, None]
        return offset


def _side(labels: Labels, errors: Errors, judged: Bools) -> _Side:
    near = (np.linalg.norm(errors.offset, axis=2) <= MOST_OFFSET) & judged
    return _Side(
        labels,
        np.where(near[..., None], errors.offset, np.nan),
        {frame: axes_of(labels, frame) for frame in FRAMES},
    )


def find_displaced(
    first: tuple[Labels, Errors], second: tuple[Labels, Errors], judged: Bools
) -> list[Displacement]:
    """The keypoints displaced in the second set against the first, those that moved together
    first, then the largest shift."""
    usable = judged & _mostly_near(first[1], second[1])
    sides = (_side(*first, judged), _side(*second, judged))
    groups = {name: tuple(k for k in keypoints if usable[k]) for name, keypoints in GROUPS.items()}
    groups = {name: each for name, each in groups.items() if len(each) >= LEAST_OF_GROUP}
    tests = len(FRAMES) * (int(judged.sum()) + len(groups))
    found = []
    for name, keypoints in groups.items():
        shifted = _largest(name, keypoints, sides, tests)
        if shifted is not None:
            found.append(shifted)
            moved = sides[1].moved(keypoints, shifted.frame, shifted.shift)
            sides = (sides[0], _Side(sides[1].labels, moved, sides[1].axes))
    single = [
        _largest(f"keypoint {skeleton.NAMES[k]}", (int(k),), sides, tests)
        for k in np.flatnonzero(usable)
    ]
    kept = [each for each in single if each is not None]
    return found + sorted(kept, key=lambda each: -each.size)


def _largest(
    name: str, keypoints: tuple[int, ...], sides: tuple[_Side, _Side], tests: int
) -> Displacement | None:
    """The shift of these keypoints in the frame where it is largest, if it is anything."""
    beside = [_beside(side.offset, keypoints, name == EVERY) for side in sides]
    best: Displacement | None = None
    for frame in FRAMES:
        own = [np.einsum("nfd,nd->nf", side.axes[frame], o) for side, o in zip(sides, beside)]
        means = [_cluster_means(o, side.cluster) for o, side in zip(own, sides)]
        if min(map(len, means)) < LEAST_CLUSTERS:
            continue
        shift = means[1].mean(0) - means[0].mean(0)
        size = float(np.hypot(*shift))
        p = min(1.0, tests * _hotelling(shift, means))
        if p >= LEVEL or size < LEAST_SHIFT or (best is not None and size <= best.size):
            continue
        pair = (float(shift[0]), float(shift[1]))
        falls = [_fall(sides[0], keypoints, frame, (-pair[0], -pair[1])),
                 _fall(sides[1], keypoints, frame, pair)]  # fmt: skip
        if max(falls) >= LEAST_FALL:
            best = Displacement(
                name, keypoints, frame, pair, p,
                "real" if falls[1] >= falls[0] else "synthetic",
                *_in_all_axes(sides, beside),
            )  # fmt: skip
    return best


def _beside(offset: Floats, keypoints: tuple[int, ...], alone: bool) -> Floats:
    """Median offset (N, 2) of the keypoints, less that of the person's others (unless these are
    all); nan where a keypoint or every other is not known."""
    chosen = offset[:, list(keypoints)]
    own = _median(chosen) if len(keypoints) > 1 else chosen[:, 0]
    if alone:
        return own
    others = offset
    if len(keypoints) > 1:
        others = np.delete(offset, list(keypoints), axis=1)
    return own - _median(others)


def _median(offset: Floats) -> Floats:
    """Median (N, 2) over the keypoints (N, K, 2); nan where none is known."""
    known = np.asarray(np.isfinite(offset).all(axis=2)).any(axis=1)
    result = np.full((len(offset), 2), np.nan)
    result[known] = np.nanmedian(offset[known], axis=1)
    return result


def _in_all_axes(
    sides: tuple[_Side, _Side], beside: list[Floats]
) -> tuple[tuple[float, float, float], tuple[float, float]]:
    """The shift along the body's axes, in shares of the diagonal, and the picture's, in px."""
    along: list[list[float]] = []
    for side, offset in zip(sides, beside):
        up, forward, left = np.moveaxis(
            np.einsum("nfd,nd->nf", body_axes(side.labels), offset), 1, 0
        )
        view = person_attributes.view(side.labels)
        diagonal = np.hypot(side.labels.boxes[:, 2], side.labels.boxes[:, 3])
        x, y = np.moveaxis(offset * diagonal[:, None], 1, 0)
        along.append(
            [
                _mean(each)
                for each in (
                    up, forward[view == 2], left[(view == 0) | (view == 1)], x, y,
                )
            ]
        )  # fmt: skip
    a, b, c, x, y = (second - first for first, second in zip(*along))
    return (a, b, c), (x, y)


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) >= LEAST_CLUSTERS else float("nan")


def _fall(side: _Side, keypoints: tuple[int, ...], frame: str, shift: tuple[float, float]) -> float:
    """The share by which the keypoints' mean offset shortens without the shift."""
    rows = list(keypoints)
    before, after = (
        float(np.nanmean(np.linalg.norm(each[:, rows], axis=2)))
        for each in (side.offset, side.moved(keypoints, frame, shift))
    )
    return 1 - after / before if before > 0 else 0.0


def _mostly_near(*sides: Errors) -> Bools:
    """Which keypoints (37,) are mostly predicted near their labels on every side."""
    shares = []
    for errors in sides:
        known = np.isfinite(errors.box).sum(0)
        shares.append((errors.box <= MOST_OFFSET).sum(0) / np.maximum(known, 1))
    near: Bools = np.min(shares, axis=0) >= LEAST_NEAR
    return near


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
        shift = np.nan_to_num(np.einsum("nfd,f->nd", axes_of(labels, each.frame), own)) * diagonal
        result[:, list(each.keypoints)] -= shift[:, None]
    return result

"""Rules of what is there twice (SPT70x)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.validation.columns import Dataset, Floats
from spinetrack_synth.validation.findings import Fault, Severity, Work
from spinetrack_synth.validation.masks import LEAST_INSIDE
from spinetrack_synth.validation.pictures import alike, near_pairs, pictures_of
from spinetrack_synth.validation.rules import rule
from spinetrack_synth.validation.shapes import masks_of

SAME_PERSON_OKS: Final = 0.95
"""Two annotators of one person agree to some 0.85; only a copy, perhaps moved by a pixel, more."""
SAME_BOX_IOU: Final = 0.98
SAME_PX: Final = 2.0
"""Small people: nobody labels all points of one to the pixel again."""
LEAST_POINTS: Final = 3
COPIED_POINTS: Final = 5
NEAR_BITS: Final = 6
"""Of 256: re-encoding and mild scaling change fewer, the next frame of a video more."""


@rule(
    "SPT701",
    "person-twice",
    family="duplicates",
    severity=Severity.ERROR,
    reason="""A person who is annotated twice is counted as missed once whatever is predicted:
    one prediction matches one annotation.""",
    example="two annotations of an image with OKS 0.999",
    unless=("SPT201", "SPT308", "SPT309"),
)
def person_twice(dataset: Dataset) -> Iterator[Fault]:
    """Two annotations of an image are the same person."""
    rows = np.flatnonzero((dataset.image_row >= 0) & ~dataset.crowd)
    rows = rows[np.argsort(dataset.image_row[rows], kind="stable")]
    images = dataset.image_row[rows]
    told: set[int] = set()
    lag = 1
    while lag < len(rows) and (same := images[lag:] == images[:-lag]).any():
        first, second = rows[:-lag][same], rows[lag:][same]
        oks, boxes = _oks(dataset, first, second), _iou(dataset, first, second)
        points = np.minimum(dataset.labelled[first].sum(1), dataset.labelled[second].sum(1))
        bare = dataset.labelled[first].sum(1) + dataset.labelled[second].sum(1) == 0
        twice = np.where(bare, boxes > SAME_BOX_IOU, (oks > SAME_PERSON_OKS))
        twice |= ~bare & (_apart_px(dataset, first, second) < SAME_PX) & (boxes > SAME_BOX_IOU / 2)
        twice &= bare | (points >= LEAST_POINTS)
        for index in np.flatnonzero(twice):
            row, other = int(second[index]), int(first[index])
            if row not in told:
                told.add(row)
                measure = f"box IoU {boxes[index]:.3f}" if bare[index] else f"OKS {oks[index]:.3f}"
                message = f"the same person as annotations[{other}] ({measure})"
                yield dataset.annotation_fault(row, message, value=round(float(oks[index]), 4))
        lag += 1


def _oks(dataset: Dataset, first: np.ndarray, second: np.ndarray) -> Floats:
    """Object keypoint similarity (pairs,) over the points labelled in both; 0 where none is, or
    where one has many that the other lacks."""
    a, b = dataset.keypoints[first], dataset.keypoints[second]
    both = dataset.labelled[first] & dataset.labelled[second]
    either = dataset.labelled[first] | dataset.labelled[second]
    known = a.shape[1] <= len(skeleton.SIGMAS) and any(dataset.known_skeleton)
    sigmas = np.array(skeleton.SIGMAS[: a.shape[1]]) if known else np.full(a.shape[1], 0.06)
    boxes = dataset.boxes[first, 2:].prod(1)
    area = np.where(dataset.areas[first] > 0, dataset.areas[first], boxes)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        squares = ((a[..., :2] - b[..., :2]) ** 2).sum(2)
        share = squares / (2 * (2 * sigmas) ** 2 * np.fmax(area, 1.0)[:, None])
        similar = np.where(both, np.exp(-share), 0.0).sum(1) / np.fmax(either.sum(1), 1)
    return np.nan_to_num(similar)


def _apart_px(dataset: Dataset, first: np.ndarray, second: np.ndarray) -> Floats:
    """The largest distance (pairs,) between the same points; nan where others are labelled."""
    a, b = dataset.keypoints[first], dataset.keypoints[second]
    same = (dataset.labelled[first] == dataset.labelled[second]).all(1)
    both = dataset.labelled[first] & dataset.labelled[second]
    apart = np.where(both, np.linalg.norm(a[..., :2] - b[..., :2], axis=2), 0.0)
    return np.where(same, apart.max(1, initial=0.0), np.nan)


def _iou(dataset: Dataset, first: np.ndarray, second: np.ndarray) -> Floats:
    a, b = dataset.boxes[first], dataset.boxes[second]
    start = np.maximum(a[:, :2], b[:, :2])
    end = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        shared = np.clip(end - start, 0, None).prod(1)
        whole = a[:, 2:].prod(1) + b[:, 2:].prod(1) - shared
        return np.nan_to_num(shared / whole)


@rule(
    "SPT702",
    "picture-twice",
    family="duplicates",
    severity=Severity.WARNING,
    reason="""The same picture under two names counts twice in training and in every metric; its
    people are often labelled in only one of the two.""",
    example="000123.jpg and 000987.jpg are the same bytes",
    needs=("images",),
    unless=("SPT205",),
    slow=True,
)
def picture_twice(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """Two picture files are equal."""
    first: dict[bytes, int] = {}
    paths: dict[bytes, object] = {}
    for row, picture in enumerate(pictures_of(dataset, work)):
        if picture.digest:
            other = first.setdefault(picture.digest, row)
            if other != row and picture.path != paths[picture.digest]:
                yield dataset.image_fault(row, f"is the same picture as images[{other}]")
            paths.setdefault(picture.digest, picture.path)


@rule(
    "SPT703",
    "picture-nearly-twice",
    family="duplicates",
    severity=Severity.WARNING,
    reason="""Re-encoded or scaled copies, and frames of a still scene, add weight without adding
    anything to learn.""",
    example="a photo and its thumbnail",
    needs=("images",),
    unless=("SPT205", "SPT606", "SPT702"),
    slow=True,
)
def picture_nearly_twice(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """Two pictures look the same."""
    pictures = pictures_of(dataset, work)
    rows = [r for r, picture in enumerate(pictures) if picture.look is not None]
    rows = [row for row in rows if not pictures[row].blank]
    if not rows:
        return
    looks = np.stack([pictures[row].look for row in rows])  # type: ignore[misc]
    told: set[int] = set()
    for a, b, bits in near_pairs(
        looks, NEAR_BITS, lambda a, b: alike(pictures[rows[a]], pictures[rows[b]])
    ):
        if rows[b] not in told:
            told.add(rows[b])
            message = f"looks like images[{rows[a]}] ({bits} of 256 bits differ)"
            yield dataset.image_fault(rows[b], message, value=bits)


@rule(
    "SPT704",
    "labels-copied",
    family="duplicates",
    severity=Severity.ERROR,
    reason="""Two people never have the same keypoints to the last digit: the labels of one picture
    were written to another.""",
    example="equal `keypoints` of annotations in two images",
    unless=("SPT201", "SPT205", "SPT351"),
)
def labels_copied(dataset: Dataset) -> Iterator[Fault]:
    """A person has exactly the keypoints of a person in another image."""
    groups: dict[bytes, list[int]] = {}
    enough = (dataset.labelled.sum(1) >= COPIED_POINTS) & (dataset.image_row >= 0)
    # Only people whose coordinates have the same sum can have the same coordinates.
    sums = np.where(dataset.labelled[..., None], dataset.keypoints[..., :2], 0.0) @ (1.0, np.pi)
    rows = np.flatnonzero(enough)
    _, which, counts = np.unique(sums[rows].sum(1), return_inverse=True, return_counts=True)
    for row in rows[counts[which] > 1].tolist():
        if np.ptp(dataset.keypoints[row][dataset.labelled[row], :2], axis=0).max() < 1.0:
            continue  # SPT309
        points = np.where(dataset.labelled[row, :, None], dataset.keypoints[row, :, :2], 0.0)
        groups.setdefault(points.tobytes(), []).append(row)
    for copies in groups.values():
        if len({int(dataset.image_row[row]) for row in copies}) > 1:
            # The one whose mask and box hold its points best has them by right, else the first.
            source = min(copies, key=lambda row: (*_astray(dataset, row), row))
            for row in copies:
                if row != source and dataset.image_row[row] != dataset.image_row[source]:
                    message = f"the same, to the last digit, as those of annotations[{source}]"
                    yield dataset.annotation_fault(row, message, field=".keypoints")


def _astray(dataset: Dataset, row: int) -> tuple[bool, float]:
    """Do most visible points lie off the mask, and how far (px) does one lie outside the box?"""
    points = dataset.keypoints[row][dataset.labelled[row], :2]
    start, end = dataset.boxes[row, :2], dataset.boxes[row, :2] + dataset.boxes[row, 2:]
    over = np.nan_to_num(np.maximum(start - points, points - end)).max(initial=0.0)
    return bool(masks_of(dataset).inside[row] < LEAST_INSIDE), float(np.floor(over))

"""Rules of what is there twice (SPT70x)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.coco.document import SEQUENCE_FIELDS, Floats, Rows
from spinetrack_synth.coco.fingerprints import alike, near_pairs
from spinetrack_synth.coco.values import shown
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity, Work
from spinetrack_synth.validation.fingerprints import pictures_of
from spinetrack_synth.validation.mask_shapes import masks_of
from spinetrack_synth.validation.masks import LEAST_INSIDE
from spinetrack_synth.validation.rules import rule

SAME_PERSON_OKS: Final = 0.95
"""Two annotators of one person agree to some 0.85; only a copy, perhaps moved by a pixel, more."""
SHARED_OKS: Final = 0.8
SHARED_POINTS: Final = 5
SHARED_PART: Final = 0.8
"""How alike the points that both have must be, how many of them, and what part of the poorer one's
points. Of 13,147 pairs of people in a picture of COCO val the points of 49 are, and of those drawn
(up to 0.96) each shows one person; two people who stand before each other reach 0.65."""
USUAL_SIGMA: Final = 0.06
"""Of a keypoint of another skeleton."""
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
    told: set[int] = set()
    for first, second in _pairs(dataset):
        boxes = _iou(dataset, first, second)
        oks, points, bare = _whole_oks(dataset, first, second)
        twice = np.where(bare, boxes > SAME_BOX_IOU, oks > SAME_PERSON_OKS)
        twice |= ~bare & (_apart_px(dataset, first, second) < SAME_PX) & (boxes > SAME_BOX_IOU / 2)
        twice &= bare | (points >= LEAST_POINTS)
        for index in np.flatnonzero(twice):
            row, other = int(second[index]), int(first[index])
            if row not in told:
                told.add(row)
                measure = f"box IoU {boxes[index]:.3f}" if bare[index] else f"OKS {oks[index]:.3f}"
                message = f"the same person as annotations[{other}] ({measure})"
                yield dataset.annotation_fault(row, message, value=round(float(oks[index]), 4))


@rule(
    "SPT705",
    "person-labelled-twice",
    family="duplicates",
    severity=Severity.WARNING,
    reason="""Two annotators labelled one person, often one of them in the box of the neighbour
    behind. One of the two is counted as missed, and the neighbour is trained with somebody else's
    points.""",
    example="9 keypoints within some pixels of 9 of the 17 of another annotation",
    unless=("SPT201", "SPT308", "SPT309", "SPT701"),
)
def person_labelled_twice(dataset: Dataset) -> Iterator[Fault]:
    """Most labelled points of an annotation are those of another one in the image."""
    labelled = dataset.labelled.sum(1)
    told: set[int] = set()
    for first, second in _pairs(dataset):
        similar, common = _similar(dataset, first, second)
        alike = similar / np.fmax(common, 1)
        poorer = np.minimum(labelled[first], labelled[second])
        twice = (alike > SHARED_OKS) & (common >= SHARED_POINTS)
        twice &= common >= SHARED_PART * poorer
        for index in np.flatnonzero(twice):
            other, row = int(first[index]), int(second[index])
            if labelled[other] < labelled[row]:
                other, row = row, other
            if row not in told:
                told.add(row)
                message = (
                    f"{common[index]} of {labelled[row]} labelled points are those of "
                    f"annotations[{other}] (OKS {alike[index]:.3f})"
                )
                yield dataset.annotation_fault(
                    row, message, field=".keypoints", value=round(float(alike[index]), 4)
                )


def _whole_oks(
    dataset: Dataset, first: Rows, second: Rows
) -> tuple[Floats, Rows, NDArray[np.bool_]]:
    """Object keypoint similarity (pairs,) where a point that one of the two lacks counts as 0, the
    points of the poorer one, and whether none has any."""
    similar, common = _similar(dataset, first, second)
    counts = dataset.labelled[first].sum(1), dataset.labelled[second].sum(1)
    either = counts[0] + counts[1] - common
    return similar / np.fmax(either, 1), np.minimum(*counts), either == 0


def _pairs(dataset: Dataset) -> Iterator[tuple[Rows, Rows]]:
    """Rows of all pairs of annotations of one image, crowds left out, the earlier one first."""
    rows = np.flatnonzero((dataset.image_row >= 0) & ~dataset.crowd)
    rows = rows[np.argsort(dataset.image_row[rows], kind="stable")]
    images = dataset.image_row[rows]
    for lag in range(1, len(rows)):
        same = images[lag:] == images[:-lag]
        if not same.any():
            return
        yield rows[:-lag][same], rows[lag:][same]


def _similar(dataset: Dataset, first: Rows, second: Rows) -> tuple[Floats, Rows]:
    """Keypoint similarity (pairs,) summed over the points labelled in both, and their number."""
    a, b = dataset.keypoints[first], dataset.keypoints[second]
    both = dataset.labelled[first] & dataset.labelled[second]
    sigmas = _sigmas(dataset)[dataset.category_row[first]]
    boxes = dataset.boxes[first, 2:].prod(1)
    area = np.where(dataset.areas[first] > 0, dataset.areas[first], boxes)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        squares = ((a[..., :2] - b[..., :2]) ** 2).sum(2)
        share = squares / (2 * (2 * sigmas) ** 2 * np.fmax(area, 1.0)[:, None])
        similar = np.where(both, np.exp(-share), 0.0).sum(1)
    return np.nan_to_num(similar), both.sum(1)


def _sigmas(dataset: Dataset) -> Floats:
    """The OKS sigma of each category's keypoints (C + 1, K), by name; the last row is for
    annotations without a category."""
    most = dataset.keypoints.shape[1]
    sigmas = np.full((len(dataset.trusted_names) + 1, most), USUAL_SIGMA)
    for row, names in enumerate(dataset.trusted_names):
        for column, name in enumerate((names or ())[:most]):
            if name in skeleton.INDEX:
                sigmas[row, column] = skeleton.SIGMAS[skeleton.INDEX[name]]
    return sigmas


def _apart_px(dataset: Dataset, first: Rows, second: Rows) -> Floats:
    """The largest distance (pairs,) between the same points; nan where others are labelled."""
    a, b = dataset.keypoints[first], dataset.keypoints[second]
    same = (dataset.labelled[first] == dataset.labelled[second]).all(1)
    both = dataset.labelled[first] & dataset.labelled[second]
    apart = np.where(both, np.linalg.norm(a[..., :2] - b[..., :2], axis=2), 0.0)
    return np.where(same, apart.max(1, initial=0.0), np.nan)


def _iou(dataset: Dataset, first: Rows, second: Rows) -> Floats:
    a, b = dataset.boxes[first], dataset.boxes[second]
    start = np.maximum(a[:, :2], b[:, :2])
    end = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        shared: Floats = np.clip(end - start, 0, None).prod(1)
        whole = a[:, 2:].prod(1) + b[:, 2:].prod(1) - shared
        overlap: Floats = np.nan_to_num(shared / whole)
    return overlap


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
                other = dataset.image_row[row] != dataset.image_row[source]
                if other and not _one_track(dataset, row, source):
                    message = f"the same, to the last digit, as those of annotations[{source}]"
                    yield dataset.annotation_fault(row, message, field=".keypoints")


def _one_track(dataset: Dataset, *rows: int) -> bool:
    """Are these annotations one person who keeps still in the frames of one video?"""
    tracks = {shown(dataset.annotations[row].get("track_id")) for row in rows}
    videos = {_video(dataset.images[dataset.image_row[row]]) for row in rows}
    return len(tracks) == len(videos) == 1 and tracks != {"None"} and videos != {None}


def _video(image: dict[str, Any]) -> str | None:
    """What names the video of a frame: a field, or the folder of the file."""
    for field in SEQUENCE_FIELDS:
        if field in image:
            return shown(image[field])
    path = image.get("file_name")
    return path.rpartition("/")[0] if isinstance(path, str) else None


def _astray(dataset: Dataset, row: int) -> tuple[bool, float]:
    """Do most visible points lie off the mask, and how far (px) does one lie outside the box?"""
    points = dataset.keypoints[row][dataset.labelled[row], :2]
    start, end = dataset.boxes[row, :2], dataset.boxes[row, :2] + dataset.boxes[row, 2:]
    over = np.nan_to_num(np.maximum(start - points, points - end)).max(initial=0.0)
    return bool(masks_of(dataset).inside[row] < LEAST_INSIDE), float(np.floor(over))

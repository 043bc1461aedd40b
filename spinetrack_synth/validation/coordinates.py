"""Labels that are right, but in other coordinates than pixels of their image (SPT311), and boxes
that are written in another way than as corner and size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco.document import Floats, Rows, rows_where
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity
from spinetrack_synth.validation.rules import rule

Flags = NDArray[np.bool_]

EXCHANGED: Final = "x and y are exchanged"
OF_IMAGE: Final = "they are shares of the image"
OF_BOX: Final = "they are shares of the box"
FROM_BOX: Final = "they are measured from the corner of the box"
MIRRORED: Final = "they are mirrored in the picture"
UPSIDE_DOWN: Final = "they are upside down in the picture"

LEAST_POINTS: Final = 4
MOST_INSIDE: Final = 0.5
"""As labelled, at most this share of the points may lie in the box: else nothing is to explain."""
WELL_INSIDE: Final = 0.95
MOSTLY_INSIDE: Final = 0.8
FILLED: Final = (0.5, 1.1)
"""Extent of the points against the box, along the side that they fill more: clean people with
ten visible points and more fill 0.6 to 1.02 of it."""
FACTORS: Final = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 4 / 3, 3 / 2, 2.0, 3.0, 4.0)
"""By what pictures are usually scaled."""
FACTOR_SLACK: Final = 0.1
LEAST_SEEN: Final = 3
SEVERAL: Final = 3
"""So many people, and half of those who do not fit, make it a fault of the file. Mirrored points
of a single person may as well be a neighbour's."""


@rule(
    "SPT311",
    "other-coordinates",
    family="geometry",
    severity=Severity.ERROR,
    reason="""COCO counts pixels from the upper left corner of the picture, x before y. Points in
    other coordinates look like numbers, train without complaint and teach nothing.""",
    example="keypoints between 0 and 1, or for a picture of twice the size",
    unless=("SPT112", "SPT301", "SPT302", "SPT322", "SPT324", "SPT351", "SPT603", "SPT704"),
)
def other_coordinates(dataset: Dataset) -> Iterator[Fault]:
    """The keypoints fit their box, but in other coordinates than pixels of the image."""
    if not dataset.keypoints.shape[1]:
        return
    if dataset.points_written:
        boxes = dataset.boxes_read.written
        message = f"the keypoints are {dataset.points_written}"
        message += f"; the boxes are {boxes}" if boxes else "; the boxes are in pixels"
        message += ": COCO has pixels, and boxes as x, y, width, height"
        yield dataset.file_fault(message, place="annotations")
        return
    rows = np.flatnonzero(_wrong(dataset))
    if not len(rows):
        return
    readings = _readings(dataset, rows)
    for reading, fits in readings.items():
        count = int(fits.sum())
        if count >= SEVERAL and count >= len(rows) / 2:
            some = dataset.labelled.any(1)
            yield Fault(
                "annotations",
                "annotations",
                f"the keypoints do not lie on the people, but do if {reading} "
                f"({count} of {int(some.sum())} people)",
                covers=tuple(dataset.key("annotations", row) for row in rows_where(some)),
                value=count,
            )
            return
    told: set[int] = set()
    for reading, fits in readings.items():
        if reading in (MIRRORED, UPSIDE_DOWN):
            continue
        for row in rows[fits].tolist():
            if (
                row not in told
                and not _of_neighbour(dataset, row)
                and not _seen_inside(dataset, row)
            ):
                told.add(row)
                message = f"the keypoints lie outside the box, but fit it if {reading}"
                yield dataset.annotation_fault(row, message, field=".keypoints")


@rule(
    "SPT313",
    "box-convention",
    family="geometry",
    severity=Severity.ERROR,
    reason="""COCO's boxes are x, y, width and height in pixels. Other tools write two corners, the
    middle and the size, or shares of the image: four numbers all the same, and every reader crops
    something else. The other rules judge the boxes as they are meant.""",
    example='`"bbox": [0.51, 0.47, 0.2, 0.6]`, or x1, y1, x2, y2',
)
def box_convention(dataset: Dataset) -> Iterator[Fault]:
    """The boxes of the file, or of several annotations, are written in another way than COCO's."""
    read = dataset.boxes_read
    if read.written is None or dataset.points_written:
        return
    rows = rows_where(read.rows)
    message = f"{len(rows)} of {len(dataset.annotations)} boxes are not x, y, width, height in "
    message += f"pixels, but {read.written}"
    if not read.whole:
        message += f"; the first is that of annotations[{rows[0]}]"
    yield dataset.file_fault(message, place="annotations.bbox", value=len(rows))


def _of_neighbour(dataset: Dataset, row: int) -> bool:
    """Do the points lie in the box of another person of the image?"""
    points = dataset.keypoints[row][dataset.labelled[row], :2]
    others = np.flatnonzero(dataset.image_row == dataset.image_row[row])
    boxes = dataset.boxes[others[others != row]]
    slack = 0.1 * boxes[:, None, 2:]
    inside = points >= boxes[:, None, :2] - slack
    inside &= points <= boxes[:, None, :2] + boxes[:, None, 2:] + slack
    return bool((inside.all(2).mean(1) >= MOSTLY_INSIDE).any())


def _seen_inside(dataset: Dataset, row: int) -> bool:
    """Do the points that are seen (v = 2) lie in the box as it is? Then the hidden ones beyond it
    are behind something, and the box is that of what is seen."""
    points = dataset.keypoints[[row]]
    seen = points[..., 2] == 2
    share = _inside(points[..., :2], seen, dataset.boxes[[row]])
    return bool(seen.sum() >= LEAST_SEEN and share[0] >= MOSTLY_INSIDE)


def _wrong(dataset: Dataset) -> Flags:
    """Whose (N,) points mostly lie outside the box."""
    points, counted = _points(dataset, np.arange(len(dataset.annotations)))
    share = _inside(points, counted, dataset.boxes)
    wrong: Flags = (counted.sum(1) >= LEAST_POINTS) & (share < MOST_INSIDE)
    return wrong


def _points(dataset: Dataset, rows: Rows) -> tuple[Floats, Flags]:
    """Places (R, K, 2) of some people's points, and which are labelled beside a usable box."""
    known = np.isfinite(dataset.boxes[rows].sum(1) + dataset.sizes[rows].sum(1))
    counted = dataset.labelled[rows] & (known & ~dataset.crowd[rows])[:, None]
    return np.where(counted[..., None], dataset.keypoints[rows, :, :2], np.nan), counted


def _inside(points: Floats, counted: Flags, boxes: Floats) -> Floats:
    """Share (R,) of the points that lie in the box, give or take a twentieth of it."""
    slack = 0.05 * boxes[:, 2:] + 2.0
    start, end = boxes[:, :2] - slack, boxes[:, :2] + boxes[:, 2:] + slack
    x, y = points[..., 0], points[..., 1]
    inside = (x >= start[:, :1]) & (x <= end[:, :1]) & (y >= start[:, 1:]) & (y <= end[:, 1:])
    share: Floats = (inside & counted).sum(1) / np.fmax(counted.sum(1), 1)
    return share


def _readings(dataset: Dataset, rows: Rows) -> dict[str, Flags]:
    """For each other way to read the points, for whom (R,) of the people it makes them fit."""
    points, counted = _points(dataset, rows)
    boxes = dataset.boxes[rows]
    corner, size, image = boxes[:, None, :2], boxes[:, None, 2:], dataset.sizes[rows][:, None]
    filled = np.where(counted[..., None], points, 0.5)
    shares: Flags = np.asarray(((filled >= 0.0) & (filled <= 1.0)).all((1, 2)))
    anybody = np.ones(len(rows), dtype=bool)
    candidates: dict[str, tuple[Floats, Flags]] = {
        OF_IMAGE: (points * image, shares),
        OF_BOX: (points * size + corner, shares),
        EXCHANGED: (points[..., ::-1], anybody),
        FROM_BOX: (points + corner, anybody),
    }
    for factor in FACTORS:
        name = f"they are of a picture {1 / factor:.4g} times as large"
        near = np.abs(_factor(points, counted, boxes) / factor - 1) < FACTOR_SLACK
        candidates[name] = (points * factor, near)
    candidates[MIRRORED] = (np.abs(points - image * (1.0, 0.0)), anybody)
    candidates[UPSIDE_DOWN] = (np.abs(points - image * (0.0, 1.0)), anybody)
    fitting: dict[str, Flags] = {}
    for name, (read, possible) in candidates.items():
        share = (_extent(read, counted) / boxes[:, 2:]).max(1)
        good = (_inside(read, counted, boxes) >= WELL_INSIDE) & possible
        fitting[name] = good & (share > FILLED[0]) & (share < FILLED[1])
    return fitting


def _factor(points: Floats, counted: Flags, boxes: Floats) -> Floats:
    """By what (R,) the points must be multiplied to be about the middle of the box."""
    low = np.where(counted[..., None], points, np.inf).min(1)
    high = np.where(counted[..., None], points, -np.inf).max(1)
    middle = (low + high) / 2
    wanted = boxes[:, :2] + boxes[:, 2:] / 2
    factor: Floats = (wanted * middle).sum(1) / (middle**2).sum(1)
    return factor


def _extent(points: Floats, counted: Flags) -> Floats:
    low = np.where(counted[..., None], points, np.inf).min(1)
    high = np.where(counted[..., None], points, -np.inf).max(1)
    extent: Floats = high - low
    return extent


BOXES: Final = ("its two corners", "its middle and size", "shares of the image", "y before x")


def box_hint(dataset: Dataset, row: int, extent: Floats) -> str:
    """What a wrong box was meant to be, if some other reading of its numbers makes it ``extent``
    (left, top, right, bottom) of the person; else nothing."""
    a, b, c, d = dataset.boxes[row]
    width, height = dataset.sizes[row]
    for name, box in zip(
        BOXES,
        (
            (a, b, c, d),
            (a - c / 2, b - d / 2, a + c / 2, b + d / 2),
            (a * width, b * height, (a + c) * width, (b + d) * height),
            (b, a, b + d, a + c),
        ),
    ):
        off = np.abs(np.array(box) - extent).max()
        if off <= 2.0 + 0.05 * max(extent[2] - extent[0], extent[3] - extent[1]):
            return f"; it fits if read as {name}"
    return ""

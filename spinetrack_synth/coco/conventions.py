"""How a file writes its boxes and points, where it does not write them as COCO does: boxes as x, y,
width, height and points, both in pixels of the image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Layout = Callable[[Floats], Floats]
Read = Callable[[Floats, Floats], Floats]
"""Boxes as they are written, and the sizes of their images, to boxes as COCO means them."""

EDGE_PX: Final = 2.0
LEAST_POINTS: Final = 4
WELL_INSIDE: Final = 0.95
MOST_INSIDE: Final = 0.5
"""As written, at most this share of the points in the box leaves something to explain."""
LEAST_OVERLAP: Final = 0.25
"""Intersection over union of a box and the extent of its points; people's reach 0.3 to 0.9."""
BETTER: Final = 0.1
"""By so much a reading must overlap more than the box as written, to speak for itself."""
FACTORS: Final = (4 / 3, 3 / 2, 2.0, 3.0, 4.0)
"""By what pictures are usually scaled."""
_LARGER: Final = "in pixels of a picture {:.4g} times as large"
SEVERAL: Final = 3
MOST: Final = 0.8


def _corners(b: Floats) -> Floats:
    return np.hstack([b[:, :2], b[:, 2:] - b[:, :2]])


def _centre(b: Floats) -> Floats:
    return np.hstack([b[:, :2] - b[:, 2:] / 2, b[:, 2:]])


LAYOUTS: Final[dict[str, Layout]] = {
    "two corners, x1, y1, x2, y2": _corners,
    "middle and size, cx, cy, width, height": _centre,
    "y before x, y, x, height, width": lambda b: b[:, [1, 0, 3, 2]],
    "two corners with y before x, y1, x1, y2, x2": lambda b: _corners(b[:, [1, 0, 3, 2]]),
    "two ranges, x1, x2, y1, y2": lambda b: _corners(b[:, [0, 2, 1, 3]]),
}
"""What four numbers may mean beside corner and size."""
UNITS: Final = {"shares": 1.0, "percent": 100.0, "thousandths": 1000.0}


POINT_UNITS: Final = {1.0: "shares of the image, 0 to 1", 100.0: "percent of the image, 0 to 100"}


@dataclass(frozen=True)
class Boxes:
    """Boxes (N, 4) as COCO means them, and how ``rows`` (N,) of them were ``written``: None where
    all are as in COCO. ``whole`` where the file does it throughout."""

    boxes: Floats
    areas: Floats
    written: str | None
    rows: Flags
    whole: bool = False


def points_in_pixels(
    points: Floats, labelled: Flags, sizes: Floats, boxes: Floats
) -> tuple[Floats, str | None]:
    """Points (N, K, 2) in pixels, and what they are written in, if it is something else: where
    all, in images of ``sizes`` (N, 2), lie between 0 and 1, and as shares of the image in their
    ``boxes`` (N, 4), however those are written; or where they are to 100, miss the boxes as
    written, and lie in them as percent."""
    known: Flags = labelled & np.asarray(np.isfinite(sizes).all(1))[:, None]
    judged = np.flatnonzero(known.sum(1) >= LEAST_POINTS)
    if not len(judged):
        return points, None
    given = points[known]
    low, high = np.quantile(given, [0.01, 0.99])
    fractions = (given % 1 != 0).mean()
    unit = next((one for one in POINT_UNITS if 0.2 * one < high <= 1.1 * one), 0.0)
    if not unit or low < -0.1 * unit or fractions <= 0.5:
        return points, None
    read = points * sizes[:, None] / unit
    meant = boxes_in_pixels(boxes, boxes[:, 2] * boxes[:, 3], read, labelled, sizes).boxes
    inside = _Seen(read[judged], labelled[judged]).inside(meant[judged])
    boxed = np.isfinite(meant[judged]).all(1)
    if boxed.any() and np.median(inside[boxed]) <= MOST_INSIDE:
        return points, None  # shares of the box
    if unit > 1:  # pixels of a small picture look alike: boxes have to tell
        written = _Seen(points[judged], labelled[judged]).inside(boxes[judged])
        told = boxed.sum() >= SEVERAL and np.median(inside[boxed]) >= WELL_INSIDE
        if not told or np.median(written[boxed]) > MOST_INSIDE:
            return points, None
    return read, POINT_UNITS[unit]


def boxes_in_pixels(
    boxes: Floats, areas: Floats, points: Floats, labelled: Flags, sizes: Floats
) -> Boxes:
    """Boxes (N, 4) as x, y, width, height in pixels, whatever else they are written as, by the
    labelled points (N, K, 2) px of their people in images of ``sizes`` (N, 2)."""
    none = np.zeros(len(boxes), dtype=bool)
    as_written = Boxes(boxes, areas, None, none)
    usable = np.isfinite(boxes.sum(1) + sizes.sum(1))
    judged = np.flatnonzero(usable & (labelled.sum(1) >= LEAST_POINTS))
    if not len(judged):
        return as_written
    seen = _Seen(points[judged], labelled[judged])
    own = boxes[judged]
    overlap = seen.overlap(own)
    bad = (seen.inside(own) <= MOST_INSIDE) | ~_in_image(own, sizes[judged])
    # Nobody is smaller than a pixel: there one person is enough.
    least = 1 if (np.abs(boxes[usable]) <= 1.02).all() else min(SEVERAL, len(judged))
    if bad.sum() < least:
        return as_written
    best, best_fits, best_score = None, np.zeros(len(judged), dtype=bool), 0.0
    readings = _readings()
    # Of boxes that stay inside nobody can tell whether they or the points are scaled.
    if (~_in_image(own, sizes[judged])).sum() >= SEVERAL:
        readings |= {_LARGER.format(factor): _scaled(factor) for factor in FACTORS}
    for name, read in readings.items():
        meant = read(boxes, sizes)[judged]
        score = seen.overlap(meant)
        fits = (seen.inside(meant) >= WELL_INSIDE) & (score >= LEAST_OVERLAP)
        fits &= (score > overlap + BETTER) & _in_image(meant, sizes[judged])
        total = float(score[fits & bad].sum())
        if total > best_score:
            best, best_fits, best_score = name, fits, total
    if best is None or (best_fits & bad).sum() < max(least, bad.sum() / 2):
        return as_written
    meant = readings[best](boxes, sizes)
    right = ~bad & (overlap >= LEAST_OVERLAP)
    other = right & (overlap > seen.overlap(meant[judged]) + BETTER)
    whole = best_fits.sum() >= MOST * (best_fits.sum() + other.sum())
    valid = usable & (meant[:, 2:] > 0).all(1)
    rows = none.copy()
    if whole:
        rows = valid
    else:
        fits = (seen.inside(meant[judged]) >= WELL_INSIDE) & _in_image(meant[judged], sizes[judged])
        rows[judged[fits & bad]] = True
        # Without points a box speaks that leaves the image, or that holds less than its area.
        small = areas > 1.05 * boxes[:, 2] * boxes[:, 3] + 2.0
        small &= areas <= 1.05 * meant[:, 2] * meant[:, 3]
        rest = valid & _in_image(meant, sizes) & (~_in_image(boxes, sizes) | small)
        rest[judged] = False
        rows |= rest
    read_boxes = np.where(rows[:, None], meant, boxes)
    with np.errstate(over="ignore"):
        same = rows & (np.abs(areas - boxes[:, 2] * boxes[:, 3]) <= 0.01 * np.abs(areas))
        scaled = rows & ~same & ("of the image" in best) & (areas <= 1)
        read_areas = np.where(same, read_boxes[:, 2] * read_boxes[:, 3], areas)
        read_areas = np.where(scaled, areas * sizes.prod(1), read_areas)
    return Boxes(read_boxes, read_areas, best, rows, bool(whole))


def _readings() -> dict[str, Read]:
    """What the boxes may be written as, by its name."""
    readings = {name: _in_unit(layout, None, []) for name, layout in LAYOUTS.items()}
    for unit, one in UNITS.items():
        for name, layout in {"x, y, width, height": lambda b: b, **LAYOUTS}.items():
            axes = [1, 0, 1, 0] if "y before x" in name else [0, 1, 0, 1]
            axes = [0, 0, 1, 1] if "ranges" in name else axes
            readings[f"{unit} of the image: {name}"] = _in_unit(layout, one, axes)
    return readings


def _scaled(factor: float) -> Read:
    return lambda boxes, sizes: boxes / factor


def _in_unit(layout: Layout, one: float | None, axes: list[int]) -> Read:
    """The reading of boxes in units of the image's sides, ``one`` for the whole, along ``axes``;
    nan where a number is larger. In pixels where ``one`` is None."""

    def read(boxes: Floats, sizes: Floats) -> Floats:
        if one is None:
            return layout(boxes)
        possible = np.asarray((np.abs(boxes) <= 1.02 * one).all(1))
        return np.where(possible[:, None], layout(boxes * sizes[:, axes] / one), np.nan)

    return read


def _in_image(boxes: Floats, sizes: Floats) -> Flags:
    """Which boxes (N, 4) have a size and lie in their images, but for a twentieth of the image."""
    slack = EDGE_PX + 0.05 * sizes.max(1)
    end = boxes[:, :2] + boxes[:, 2:] - sizes
    inside: Flags = (boxes[:, :2] >= -slack[:, None]).all(1) & (end <= slack[:, None]).all(1)
    return inside & (boxes[:, 2:] > 0).all(1)


class _Seen:
    """The labelled points (N, K, 2) of people, to lay boxes over."""

    def __init__(self, points: Floats, labelled: Flags) -> None:
        self._points, self._labelled = points, labelled
        self._low = np.where(labelled[..., None], points, np.inf).min(1)
        self._high = np.where(labelled[..., None], points, -np.inf).max(1)

    def inside(self, boxes: Floats) -> Floats:
        """Share (N,) of the points in the boxes, give or take a twentieth of them."""
        slack = (0.05 * np.abs(boxes[:, 2:]) + EDGE_PX)[:, None]
        start, end = boxes[:, None, :2], boxes[:, None, :2] + boxes[:, None, 2:]
        within = (self._points >= start - slack) & (self._points <= end + slack)
        share: Floats = (within.all(-1) & self._labelled).sum(1) / self._labelled.sum(1)
        return share

    def overlap(self, boxes: Floats) -> Floats:
        """Intersection over union (N,) of the boxes and the extents of the points."""
        low, high = (
            np.fmax(self._low, boxes[:, :2]),
            np.fmin(self._high, boxes[:, :2] + boxes[:, 2:]),
        )
        common = np.clip(high - low, 0, None).prod(1)
        union = (self._high - self._low).prod(1) + boxes[:, 2:].prod(1) - common
        good = (boxes[:, 2:] > 0).all(1) & (union > 0)
        return np.where(good, common / np.where(good, union, 1.0), 0.0)

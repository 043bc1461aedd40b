"""Differences of bookkeeping: what a box holds, whose left is left, in which pixels predictions are
counted. They make errors that no model is to blame for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.gap import taxonomy
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.labels import Bools, Floats

LEAST_POINTS: Final = 8
"""Fewer labelled points do not show how far a person reaches."""
PAIRED: Final = [k for k, twin in enumerate(skeleton.MIRROR) if twin != k]
APART: Final = 0.08
"""Of the box's diagonal: nearer twins cannot be told apart."""
LEAST_APART: Final = 4
LEAST_SCALE: Final = 0.05
"""A smaller scale between predictions and labels may be a model's own."""
LEAST_FALL: Final = 0.5
"""Share of the error that has to go once the scale is undone."""
LEAST_PEOPLE: Final = 5


def box_margins(side: Evaluation, judged: Bools) -> Floats:
    """Logarithm (N,) of the box's diagonal over that of the labelled, judged keypoints; nan where
    they are few or the box has no size."""
    labels = side.labels
    known = (labels.v > 0) & judged
    points = np.where(known[..., None], labels.points, np.nan)
    few = known.sum(1) < min(LEAST_POINTS, int(judged.sum()))
    points[few] = 0.0
    extent = np.hypot(*np.moveaxis(np.nanmax(points, 1) - np.nanmin(points, 1), 1, 0))
    diagonal = np.hypot(labels.boxes[:, 2], labels.boxes[:, 3])
    usable = ~few & (extent > 0) & (diagonal > 0) & labels.people
    return np.log(np.where(usable, diagonal, np.nan) / np.where(usable, extent, 1.0))


def swapped(side: Evaluation, judged: Bools) -> Floats:
    """Whose left and right are swapped (N,): 1 where most of the keypoints that lie apart from
    their twin fit the twin's label, else 0; nan where few lie apart."""
    labels, kinds = side.labels, side.errors.kinds
    mirror = list(skeleton.MIRROR)
    diagonal = np.hypot(labels.boxes[:, 2], labels.boxes[:, 3])[:, None]
    far = np.linalg.norm(labels.points - labels.points[:, mirror], axis=2) > APART * diagonal
    apart = far & (labels.v > 0) & (labels.v[:, mirror] > 0) & (kinds != taxonomy.NONE) & judged
    counts = apart[:, PAIRED].sum(1)
    share = (apart & (kinds == taxonomy.INVERSION))[:, PAIRED].sum(1) / np.maximum(counts, 1)
    return np.where(counts >= LEAST_APART, share > 0.5, np.nan)


def unswapped(side: Evaluation, judged: Bools) -> Floats:
    """The predictions (N, 37, 2) with left and right as in the labels."""
    rows = swapped(side, judged) == 1
    points = side.pairs.points.copy()
    points[rows] = points[rows][:, list(skeleton.MIRROR)]
    return points


@dataclass(frozen=True)
class Scale:
    """Predictions are ``factor`` times the labels' coordinates plus ``offset`` (2,) px; ``fall``
    the share of the error that goes when this is undone."""

    factor: float
    offset: tuple[float, float]
    fall: float


def other_scale(side: Evaluation, judged: Bools) -> Scale | None:
    """The scale between a side's predictions and labels, where it is not 1 and undoing it takes
    most of the error away.

    Of people paired by their boxes; else of the pictures that show one person, whose prediction is
    the best scored one: predictions on another scale resemble nobody.
    """
    labels, predictions = side.labels, side.predictions
    if side.pairs.by_box:
        rows = np.flatnonzero(side.pairs.found & labels.people)
        points = side.pairs.points[rows]
    else:
        people = np.flatnonzero(labels.people)
        alone = people[np.bincount(labels.image[people], minlength=1)[labels.image[people]] == 1]
        best = np.full(len(labels.image_ids), -1)
        best[predictions.image[::-1]] = np.arange(len(predictions.image))[::-1]
        rows = alone[best[labels.image[alone]] >= 0]
        points = predictions.points[best[labels.image[rows]]]
    known = (labels.v[rows] > 0) & judged & np.isfinite(points).all(2)
    enough = known.sum(1) >= min(LEAST_POINTS, int(judged.sum()))
    rows, points, known = rows[enough], points[enough], known[enough]
    if len(rows) < LEAST_PEOPLE or int(judged.sum()) < 2:
        return None
    meant, found = (
        np.where(known[..., None], each, np.nan) for each in (labels.points[rows], points)
    )
    middles = [np.nanmean(each, axis=1) for each in (meant, found)]
    centred = [each - middle[:, None] for each, middle in zip((meant, found), middles)]
    spread = np.nansum(centred[0] ** 2, axis=(1, 2))
    wide = spread > 0
    if not wide.any():
        return None
    factor = float(np.median(np.nansum(centred[0] * centred[1], (1, 2))[wide] / spread[wide]))
    if not np.isfinite(factor) or factor <= 0 or abs(np.log(factor)) < np.log1p(LEAST_SCALE):
        return None
    offset = np.median(middles[1] - factor * middles[0], axis=0)
    before, after = (
        float(np.nanmedian(np.linalg.norm(each - meant, axis=2)))
        for each in (found, (found - offset) / factor)
    )
    fall = 1 - after / before if before > 0 else 0.0
    if fall < LEAST_FALL:
        return None
    return Scale(factor, (float(offset[0]), float(offset[1])), fall)

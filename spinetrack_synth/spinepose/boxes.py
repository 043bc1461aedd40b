"""Boxes of people: which show something, those around keypoints, the picture as one."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.spinepose.image_files import Picture
from spinetrack_synth.spinepose.model import Estimate, PoseModel, estimate

Floats = NDArray[np.float64]

CONFIDENT: Final = 0.3
"""Keypoints with this score show where a person is. No probability: scores are not calibrated."""

FEWEST: Final = 5
"""So many confident keypoints make a person."""

MARGIN: Final = 0.05
"""What a person's box has beyond the keypoints on each side, in parts of their larger extent (the
median on rendered people)."""


def seen_boxes(boxes_xywh: Floats, size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """Which boxes (P, 4) hold anything of a picture of that size."""
    low = boxes_xywh[:, :2].clip(0)
    high = np.minimum(boxes_xywh[:, :2] + boxes_xywh[:, 2:], size_wh)
    seen: NDArray[np.bool_] = np.all(high > low, axis=1)
    return seen


def box_of(
    points: NDArray[np.floating], scores: NDArray[np.floating], least: float = CONFIDENT
) -> Floats | None:
    """The box (4,) around a person's confident keypoints (K, 2); None where they are too few."""
    seen = points[scores >= least]
    if len(seen) < min(FEWEST, len(points)):
        return None
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = MARGIN * (high - low).max()
    return np.concatenate([low - margin, high - low + 2 * margin])


def whole(picture: Picture) -> Floats:
    """The picture as one box (1, 4)."""
    height, width = picture.shape[:2]
    return np.array([[0.0, 0.0, width, height]])


def only_person(model: PoseModel, picture: Picture, **options: Any) -> tuple[Estimate, Floats]:
    """The picture taken as one person, looked at once more in the box of what was found there.

    Returns the estimate of one person and the box (1, 4). ``options`` go to ``estimate``.
    """
    boxes = whole(picture)
    first = estimate(model, picture, boxes, image_order="bgr", **options)
    box = box_of(first.keypoints_px[0], first.scores[0])
    if box is None:
        return first, boxes
    return estimate(model, picture, box[None], image_order="bgr", **options), box[None]

"""People found in pictures and videos, drawn over them with OpenCV."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.drawing.palette import MIDLINE_COLOR, OUTLINE
from spinetrack_synth.drawing.person import SEEN, Person, draw_person, links_between, stroke_of
from spinetrack_synth.drawing.pixels import OpenCvCanvas
from spinetrack_synth.skeleton import NAMES, SPINE

Picture = NDArray[np.uint8]

LEAST_SCORE: Final = 0.3
"""Points below are not drawn."""
LEAST_STROKE_PX: Final = 1.5


def draw_people(
    picture: Picture,
    keypoints_px: NDArray[np.floating],
    scores: NDArray[np.floating],
    *,
    ids: NDArray[np.integer] | None = None,
    least_score: float = LEAST_SCORE,
    spine_only: bool = False,
) -> Picture:
    """A copy of a picture (blue, green, red) with people (P, K, 2), (P, K) drawn on it.

    Limbs first, the spine on top; ``ids`` are written at the heads. K is 37, 26 or 17.
    """
    drawn = picture.copy()
    for row, (points, score) in enumerate(zip(keypoints_px, scores)):
        shown = np.asarray(score) >= least_score
        if spine_only:
            shown = shown & np.isin(np.arange(len(shown)), SPINE)
        shown &= np.isfinite(points).all(axis=1)
        if shown.any():
            stroke = stroke_of(points[shown], LEAST_STROKE_PX, max(picture.shape[:2]) / 150)
            names = NAMES[: len(points)]
            person = Person(points, SEEN * shown.astype(int), names, links_between(names))
            draw_person(OpenCvCanvas(drawn), person, stroke)
            if ids is not None:
                _label(drawn, points[shown], str(ids[row]), stroke)
    return drawn


def _label(drawn: Picture, points: NDArray[np.floating], text: str, stroke: float) -> None:
    import cv2

    top = points[points[:, 1].argmin()]
    place = (round(float(top[0] + 3 * stroke)), round(float(top[1] - 2 * stroke)))
    scale = max(0.5, stroke / 4)
    for color, thick in ((OUTLINE, 4), (MIDLINE_COLOR, 1)):
        width = max(1, round(thick * scale))
        cv2.putText(
            drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, color[::-1], width, cv2.LINE_AA
        )

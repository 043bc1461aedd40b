"""The skeleton drawn over pictures with OpenCV."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.palette import MIDLINE_COLOR, OUTLINE, keypoint_color, link_color
from spinetrack_synth.skeleton import INDEX, LINKS, SPINE
from spinetrack_synth.spinepose.pictures import Picture

LEAST_SCORE: Final = 0.3
"""Points below are not drawn."""

TRUNKS: Final = {
    17: (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"),
         ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip")),
    26: (("hip", "neck"), ("neck", "head"), ("neck", "left_shoulder"), ("neck", "right_shoulder")),
}  # fmt: skip
"""Links of the trunk where the spine has no points of its own, by the number of keypoints."""

FINE: Final = 3
"""Places are drawn to 1/8 of a pixel: OpenCV counts them in 2**-FINE pixels."""


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
            stroke = _stroke(points[shown], picture)
            _draw(drawn, points, shown, stroke)
            if ids is not None:
                _label(drawn, points[shown], str(ids[row]), stroke)
    return drawn


def _draw(drawn: Picture, points: NDArray[np.floating], shown: NDArray, stroke: float) -> None:
    import cv2

    places = np.rint(np.nan_to_num(points).clip(-1e5, 1e5) * 2**FINE).astype(int)
    links = [link for link in LINKS if max(link) < len(points)]
    links += [(INDEX[a], INDEX[b]) for a, b in TRUNKS.get(len(points), ())]
    links = [(a, b) for a, b in links if shown[a] and shown[b]]
    for a, b in sorted(links, key=lambda link: set(link) <= set(SPINE)):
        width = stroke if {a, b} <= set(SPINE) else 0.6 * stroke
        ends = places[a].tolist(), places[b].tolist()
        for color, thick in ((OUTLINE, width + 0.5 * stroke), (link_color(a, b), width)):
            cv2.line(drawn, *ends, color[::-1], max(1, round(thick)), cv2.LINE_AA, FINE)
    for keypoint in sorted(np.flatnonzero(shown).tolist(), key=lambda k: k in SPINE):
        radius = stroke * (1.25 if keypoint in SPINE else 0.9)
        for color, reach in ((OUTLINE, radius + 0.3 * stroke), (keypoint_color(keypoint), radius)):
            size = max(1, round(reach * 2**FINE))
            cv2.circle(
                drawn, places[keypoint].tolist(), size, color[::-1], cv2.FILLED, cv2.LINE_AA, FINE
            )


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


def _stroke(points: NDArray[np.floating], picture: Picture) -> float:
    """Width of a spine link in pixels: by the person's extent, within reason."""
    extent = float(np.ptp(points, axis=0).max()) if len(points) > 1 else 0.0
    return float(np.clip(extent / 110, 1.5, max(picture.shape[:2]) / 150))

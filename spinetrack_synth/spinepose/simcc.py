"""SimCC: a keypoint as two classifications, one over the columns and one over the rows of a crop.

A network answers two arrays, ``simcc_x`` (N, K, sW) and ``simcc_y`` (N, K, sH), for crops that are
W wide and H high: bin b stands for the coordinate b / s. Integers are pixel centres here, as in
mmpose, whose networks these are.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

SPLIT: Final = 2.0
"""Bins a pixel (``simcc_split_ratio`` of every RTMPose and SpinePose network)."""

Score = Literal["min", "mean"]
Floats = NDArray[np.float32]


def decode(
    simcc_x: Floats,
    simcc_y: Floats,
    *,
    score: Score = "min",
    sub_bin: bool = False,
    split: float = SPLIT,
) -> tuple[Floats, Floats]:
    """Keypoints (N, K, 2) in pixels of the crop and their scores (N, K).

    The place is that of the highest bin; ``sub_bin`` moves it to the top of the parabola through
    that bin and its neighbours. The score is the smaller maximum of the two axes, as mmpose takes
    it, or their mean, as the ``spinepose`` package does. It is no probability.
    """
    x, top_x = _peak(simcc_x, sub_bin)
    y, top_y = _peak(simcc_y, sub_bin)
    points = np.stack([x, y], axis=-1) / np.float32(split)
    scores = np.minimum(top_x, top_y) if score == "min" else (top_x + top_y) / np.float32(2)
    return points, scores


def mirrored(
    simcc_x: Floats, simcc_y: Floats, twins: NDArray[np.intp], *, split: float = SPLIT
) -> tuple[Floats, Floats]:
    """The answer to the mirror image of a crop, as an answer to the crop itself.

    Pixel j of a mirrored crop is pixel W - 1 - j, so bin b becomes sW - s - b; the last s - 1 bins,
    which no pixel is mirrored to, take the value of their neighbour. mmpose flips the array as it
    stands, which is half a pixel of the crop off.
    """
    beyond = round(split) - 1
    last = simcc_x.shape[-1] - 1 - beyond
    back = np.empty_like(simcc_x)
    back[..., : last + 1] = simcc_x[:, twins, last::-1]
    back[..., last + 1 :] = back[..., last, None]
    return back, simcc_y[:, twins]


def _peak(bins: Floats, sub_bin: bool) -> tuple[Floats, Floats]:
    """Place (N, K), in bins, and height (N, K) of the highest bin."""
    place = bins.argmax(axis=-1)[..., None]
    top = np.take_along_axis(bins, place, axis=-1)
    if not sub_bin:
        return place[..., 0].astype(np.float32), top[..., 0]
    last = bins.shape[-1] - 1
    below = np.take_along_axis(bins, np.maximum(place - 1, 0), axis=-1)
    above = np.take_along_axis(bins, np.minimum(place + 1, last), axis=-1)
    curvature = below - 2 * top + above
    inside = (place > 0) & (place < last) & (curvature < 0)
    shift = np.where(inside, (below - above) / (2 * np.where(inside, curvature, -1)), 0)
    return (place + shift)[..., 0].astype(np.float32), top[..., 0]

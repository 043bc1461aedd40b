"""MoveNet's four grids, as its heads answer them: where a person's middle is, how far each keypoint
is from there, where keypoints are, and how far each is from its cell.

All have the same cells (h, w), last in every array here: ``centre`` (N, h, w), ``keypoints``
(N, K, h, w), both from 0 to 1, ``ways`` and ``offsets`` (N, K, 2, h, w) along x and y in cells.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SOFTENING: Final = np.float32(1.8)
"""Cells added to a distance before a height is divided by it: what is near counts more. Of the
published graph."""


def decode(
    centre: Floats, keypoints: Floats, ways: Floats, offsets: Floats
) -> tuple[Floats, Floats]:
    """Keypoints (N, K, 2) along x and y, in parts of the crop, and the heights of their cells.

    The person is the one nearest to the middle of the crop, each keypoint the cell nearest to
    where the way from the person's middle leads.
    """
    count, number, high, wide = keypoints.shape
    y, x = np.mgrid[:high, :wide].astype(np.float32)
    near = np.hypot(x - wide / 2, y - high / 2) + SOFTENING
    middle = (centre / near).reshape(count, -1).argmax(axis=1)
    people = np.arange(count)
    middle_x, middle_y = middle % wide, middle // wide
    reached = ways[people, :, :, middle_y, middle_x]
    target_x = reached[..., 0] + middle_x[:, None]
    target_y = reached[..., 1] + middle_y[:, None]
    away = np.hypot(x - target_x[..., None, None], y - target_y[..., None, None]) + SOFTENING
    place = (keypoints / away).reshape(count, number, -1).argmax(axis=-1)
    column, row = place % wide, place // wide
    which = people[:, None], np.arange(number)[None]
    offset = offsets[(*which, slice(None), row, column)]
    found = (np.stack([column, row], axis=-1) + offset) / np.array([wide, high], np.float32)
    return found.astype(np.float32), keypoints[(*which, row, column)]

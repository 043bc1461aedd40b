"""Heatmaps: a keypoint as the highest cell of a map over the crop (HRNet, ViTPose and others).

A network answers (N, K, h, w) for crops that are H high and W wide. Cell i stands for pixel
i W / w, as mmpose's ``MSRAHeatmap`` has it, or, for networks trained with unbiased data processing
(UDP, Huang et al. 2020), for pixel i (W - 1) / (w - 1). Integers are pixel centres.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

QUARTER: Final = np.float32(0.25)
"""The way from the highest cell towards its higher neighbour, in cells, with which most published
results were made."""

LEAST_HEIGHT: Final = np.float32(1e-10)
"""Heights are raised to this before their logarithm is taken (Zhang et al. 2020)."""

FURTHEST: Final = np.float32(0.5)
"""The top of a bump is no further from the middle of its highest cell."""

FEWEST_KEYPOINTS: Final = 5
"""Maps of fewer channels are of something else: a person's outline, a middle."""


def decode(
    maps: Floats, size_hw: tuple[int, int], *, udp: bool = False, sub_bin: bool = False
) -> tuple[Floats, Floats]:
    """Keypoints (N, K, 2) in pixels of the crop and the heights of their cells (N, K).

    A quarter of a cell from the highest cell towards its higher neighbour; ``sub_bin`` takes the
    top of the paraboloid through the logarithms around that cell, which is exact for a Gaussian
    (DARK, without its smoothing).
    """
    count, keypoints, high, wide = maps.shape
    flat = maps.reshape(count, keypoints, -1)
    place = flat.argmax(axis=-1)
    top = np.take_along_axis(flat, place[..., None], axis=-1)[..., 0]
    cells = np.stack([place % wide, place // wide], axis=-1)
    around = _around(maps, cells)
    with np.errstate(invalid="ignore"):  # where the network answers no numbers
        shift = _top(around) if sub_bin else QUARTER * np.sign(_slopes(around))
    last = np.array([wide - 1, high - 1])
    inside = (cells > 0) & (cells < last)
    places = cells + np.where(inside, shift, 0)
    return (places * pixels_per_cell(size_hw, (high, wide), udp)).astype(np.float32), top


def pixels_per_cell(size_hw: tuple[int, int], cells_hw: tuple[int, int], udp: bool) -> Floats:
    """Pixels of the crop from one cell to the next, along x and y."""
    size, cells = np.array(size_hw[::-1]), np.array(cells_hw[::-1])
    step = (size - 1) / np.maximum(cells - 1, 1) if udp else size / cells
    pixels: Floats = step.astype(np.float32)
    return pixels


def cells_of(
    shape: tuple[int, ...], size_hw: tuple[int, int]
) -> tuple[tuple[int, int], bool] | None:
    """Cells of a map and whether its channels are last; None where the sides do not fit."""
    for channels_last, (high, wide) in ((False, shape[2:4]), (True, shape[1:3])):
        stride = size_hw[0] // max(high, 1)
        if stride in (1, 2, 4, 8, 16, 32) and (high * stride, wide * stride) == size_hw:
            return (high, wide), channels_last
    return None


def mirrored(maps: Floats, twins: NDArray[np.intp]) -> Floats:
    """The answer to the mirror image of a crop, as an answer to the crop itself: cell i becomes
    w - 1 - i. Without UDP that holds for a mirror image moved by ``mirror_shift_px``."""
    return maps[:, twins, :, ::-1]


def mirror_shift_px(size_hw: tuple[int, int], cells_hw: tuple[int, int], udp: bool) -> int:
    """How far left a mirror image is moved so that its cells fall on those of the crop.

    Cell i is pixel s i. Pixel s i of the mirror image is W - 1 - s i of the crop, which is s - 1
    pixels short of the pixel of a cell. (mmpose moves the map by a whole cell instead.)
    """
    return 0 if udp else size_hw[1] // cells_hw[1] - 1


def _around(maps: Floats, cells: NDArray[np.intp]) -> Floats:
    """The heights (N, K, 3, 3) of the cells (N, K, 2) and their neighbours, repeated at borders."""
    count, keypoints, high, wide = maps.shape
    step = np.arange(-1, 2)
    rows = np.clip(cells[..., 1, None] + step, 0, high - 1)
    columns = np.clip(cells[..., 0, None] + step, 0, wide - 1)
    people, points = np.arange(count)[:, None, None, None], np.arange(keypoints)[:, None, None]
    around: Floats = maps[people, points, rows[..., None], columns[..., None, :]]
    return around


def _slopes(around: Floats) -> Floats:
    """Half the rise along x and y across the middle (N, K, 2)."""
    x = around[..., 1, 2] - around[..., 1, 0]
    y = around[..., 2, 1] - around[..., 0, 1]
    return np.stack([x, y], axis=-1) * np.float32(0.5)


def _top(around: Floats) -> Floats:
    """Where the paraboloid through the logarithms has its top (N, K, 2), in cells from the middle;
    nothing where it has none."""
    logs = np.log(np.maximum(around, LEAST_HEIGHT))
    slope = _slopes(logs)
    xx = logs[..., 1, 2] - 2 * logs[..., 1, 1] + logs[..., 1, 0]
    yy = logs[..., 2, 1] - 2 * logs[..., 1, 1] + logs[..., 0, 1]
    xy = (logs[..., 2, 2] - logs[..., 2, 0] - logs[..., 0, 2] + logs[..., 0, 0]) * np.float32(0.25)
    determinant = xx * yy - xy * xy
    is_top = (determinant > 0) & (xx < 0)
    safe = np.where(is_top, determinant, 1)
    x = (xy * slope[..., 1] - yy * slope[..., 0]) / safe
    y = (xy * slope[..., 0] - xx * slope[..., 1]) / safe
    shift = np.where(is_top[..., None], np.stack([x, y], axis=-1), 0)
    return np.clip(shift, -FURTHEST, FURTHEST)

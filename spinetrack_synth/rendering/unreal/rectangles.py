"""Sums over all rectangles of a grid: what is wrong with a picture may be in half of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cells(
    row: NDArray[np.intp],
    column: NDArray[np.intp],
    values: NDArray[np.floating],
    shape: tuple[int, int],
    grid: tuple[int, int],
) -> NDArray[np.float64]:
    """Sums (K, R, C) of K values (K, N) at pixels of a picture (H, W) in each cell of a grid."""
    rows, columns = grid
    cell = (row * rows // shape[0]) * columns + column * columns // shape[1]
    sums = [np.bincount(cell, weights=value, minlength=rows * columns) for value in values]
    return np.reshape(sums, (len(values), rows, columns))


def rectangle_sums(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums (K, M) over every rectangle of cells (K, R, C)."""
    _, rows, columns = cells.shape
    sums = np.pad(cells, ((0, 0), (1, 0), (1, 0))).cumsum(axis=1).cumsum(axis=2)
    above, below = np.triu_indices(rows + 1, 1)
    left, right = np.triu_indices(columns + 1, 1)
    bands = sums[:, below] - sums[:, above]
    found: NDArray[np.float64] = bands[:, :, right] - bands[:, :, left]
    return found.reshape(len(cells), -1)

"""Sums over rectangles of a grid."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.rendering.unreal.rectangles import cells, rectangle_sums


def test_every_rectangle_is_summed_once() -> None:
    values = np.random.default_rng(0).integers(0, 9, (2, 3, 4)).astype(float)
    sums = rectangle_sums(values)
    expected = [
        values[:, top:below, left:right].sum(axis=(1, 2))
        for top in range(3) for below in range(top + 1, 4)
        for left in range(4) for right in range(left + 1, 5)
    ]  # fmt: skip
    np.testing.assert_allclose(sums, np.transpose(expected))


def test_pixels_fall_into_their_cells() -> None:
    row, column = np.array([0, 59, 60, 119]), np.array([0, 39, 40, 159])
    found = cells(row, column, np.array([[1.0, 2.0, 4.0, 8.0]]), (120, 160), (2, 4))
    assert found.tolist() == [[[3.0, 0.0, 0.0, 0.0], [0.0, 4.0, 0.0, 8.0]]]

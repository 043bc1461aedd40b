"""Flat shapes cut out along the outline of a mask: what is not there need not be seen through."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.scenes.shapes import Array


def cut_out(share: Array) -> tuple[Array, NDArray[np.int32]]:
    """Triangles over the part of a square where a mask (H, W) is above a half.

    The mask lies on the unit square, row 0 along the top, goes around from the right to the left
    edge, ends at the top and goes on below it. Between its pixels it is taken as linear. Returns
    points (V, 2), u in 0..1 but for half a pixel, v up, and faces (F, 3), counter-clockwise.
    """
    height, width = share.shape
    below, above = np.ones((1, width + 1)), np.zeros((1, width + 1))
    value = np.concatenate([below, np.hstack([share, share[:, :1]])[::-1], above]) - 0.5
    u = (np.arange(width + 1) + 0.5) / width
    v = np.concatenate([[0], (np.arange(height) + 0.5) / height, [1]])
    inside = value > 0
    corners = np.stack([inside[:-1, :-1], inside[:-1, 1:], inside[1:, 1:], inside[1:, :-1]])
    whole = np.logical_and.reduce(corners)
    solid = _columns(whole, u, v)
    row, column = np.nonzero(corners.any(axis=0) & ~whole)
    at = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)]
    points = np.stack([np.column_stack([u[j], v[i]]) for i, j in at], 1)
    values = np.stack([value[i, j] for i, j in at], 1)
    rim = [_clipped(points[:, k], values[:, k]) for k in ([0, 1, 2], [0, 2, 3])]
    triangles = np.concatenate([solid, *rim])
    return triangles.reshape(-1, 2), np.arange(3 * len(triangles), dtype=np.int32).reshape(-1, 3)


def _columns(whole: NDArray[np.bool_], u: Array, v: Array) -> Array:
    """Triangles (T, 3, 2) over whole cells, those upon one another as one."""
    edges = np.diff(np.pad(whole, ((1, 1), (0, 0))).astype(np.int8), axis=0).T
    column, low = np.nonzero(edges == 1)
    _, high = np.nonzero(edges == -1)
    left, right, bottom, top = u[column], u[column + 1], v[low], v[high]
    corners = np.stack(
        [np.column_stack(p) for p in ((left, bottom), (right, bottom), (right, top), (left, top))],
        1,
    )
    return np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])


def _clipped(points: Array, values: Array) -> Array:
    """What of triangles (T, 3, 2) is above zero, of values (T, 3) at their corners."""
    inside = values > 0
    count = inside.sum(axis=1)
    found = [points[count == 3]]
    for wanted in (1, 2):  # with the corner that differs from the two others first
        some = count == wanted
        lone = inside[some].argmax(1) if wanted == 1 else inside[some].argmin(1)
        order = (lone[:, None] + np.arange(3)) % 3
        value = np.take_along_axis(values[some], order, 1)
        a, b, c = np.moveaxis(np.take_along_axis(points[some], order[..., None], 1), 1, 0)
        t = value[:, :1] / (value[:, :1] - value[:, 1:])
        to_b, to_c = a + t[:, :1] * (b - a), a + t[:, 1:] * (c - a)
        if wanted == 1:
            found.append(np.stack([a, to_b, to_c], 1))
        else:
            found += [np.stack([to_b, b, c], 1), np.stack([to_b, c, to_c], 1)]
    return np.concatenate(found)

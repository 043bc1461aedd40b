"""Cloth as it lies on the body: metres across and along every piece that garments are sewn from.

Stripes and checks follow the cloth, not the world: each piece (front, back, trouser legs, sleeves)
is unrolled from its middle line, and pieces meet at seams where people's clothes have them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Floats
from spinetrack_synth.avatars.figure import Figure

_ROW_M: Final = 0.015
_COLUMNS: Final = 72
PIECE_M: Final = 0.37
"""How far the repeats of neighbouring pieces are shifted against each other: no seam matches."""

Grid = NDArray[np.float32]


def shirt_grid(figure: Figure, points: Floats, arm: Floats) -> Grid:
    """Across and along (N, 2) m of points (N, 3) of tops: front and back, and a piece a sleeve."""
    grid = np.empty((len(points), 2), np.float32)
    trunk = arm < 0.5
    axis = np.array([figure.nape[0], 0.0, 0.0])
    grid[trunk] = _two_panels(points[trunk] - axis, _UP, _FORWARD)
    for k, sign in enumerate((-1.0, 1.0)):
        sleeve = ~trunk & (np.sign(points[:, 2]) == sign)
        along = figure.wrists[k] - figure.shoulders[k]
        along = -along / np.linalg.norm(along)
        unrolled = _unrolled(points[sleeve] - figure.shoulders[k], along, _UP)[0]
        grid[sleeve] = np.add(unrolled, [PIECE_M * (k + 1), figure.shoulders[k, 1]])
    return grid


def trouser_grid(figure: Figure, points: Floats) -> Grid:
    """Across and along (N, 2) m of points (N, 3) of trousers: a front and a back for each leg."""
    grid = np.empty((len(points), 2), np.float32)
    for k, sign in enumerate((-1.0, 1.0)):
        leg = (points[:, 2] >= 0) == (sign > 0)
        y = points[leg, 1]
        joints = np.stack([figure.ankles[k], figure.knees[k], figure.hips[k]])
        axis = np.stack([np.interp(y, joints[:, 1], joints[:, c]) for c in range(3)], axis=1)
        axis[:, 1] = 0
        panels = _two_panels(points[leg] - axis, _UP, _FORWARD)
        grid[leg] = np.add(panels, [PIECE_M * (k + 3), 0.0])
    return grid


_UP: Final = np.array([0.0, 1.0, 0.0])
_FORWARD: Final = np.array([1.0, 0.0, 0.0])


def _two_panels(arms: Floats, up: Array, front: Array) -> Floats:
    """Unrolled from the front's middle and from the back's, cut at both sides."""
    grid, half, angle = _unrolled(arms, up, front)
    behind = np.abs(angle) > np.pi / 2
    grid[behind, 0] -= np.sign(angle[behind]) * half[behind]
    grid[behind, 0] += PIECE_M
    return grid


def _unrolled(arms: Floats, up: Array, front: Array) -> tuple[Floats, Floats, Floats]:
    """A tube around an axis unrolled: (N, 2) m across from the line ``front`` and along ``up``.

    ``arms`` (N, 3) reach from the axis. Also half the girth at each point (N,) m and its angle.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    height = arms @ up
    side = front - (front @ up) * up
    side = side / np.linalg.norm(side)
    angle = np.arctan2(arms @ np.cross(side, up), arms @ side)
    radius = np.linalg.norm(arms - np.outer(height, up), axis=1)
    low = height.min()
    row = (height - low) / _ROW_M
    column = (angle / (2 * np.pi) + 0.5) * _COLUMNS
    rows = int(row.max()) + 2
    cell = np.rint(row).astype(int) * _COLUMNS + np.floor(column).astype(int) % _COLUMNS
    total, count = (
        np.bincount(cell, weights=weights, minlength=rows * _COLUMNS).reshape(rows, _COLUMNS)
        for weights in (radius, np.ones_like(radius))
    )
    mode = ("nearest", "wrap")
    mean = [gaussian_filter(part, (2.0, 1.5), mode=mode) for part in (total, count)]
    profile = mean[0] / np.maximum(mean[1], 1e-6)
    step = 2 * np.pi / _COLUMNS
    bend = (np.roll(profile, -1, axis=1) - np.roll(profile, 1, axis=1)) / (2 * step)
    length = np.concatenate(
        [np.zeros((len(profile), 1)), np.cumsum(np.hypot(profile, bend) * step, axis=1)], axis=1
    )
    middle = length[:, _COLUMNS // 2]
    across = map_coordinates(length - middle[:, None], [row, column], order=1, mode="nearest")
    half = np.interp(row, np.arange(len(length)), length[:, -1] / 2)
    return np.stack([across, height], axis=1), half, angle

"""What years leave on a skin, painted: wrinkles of the face, spots on face and hands."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Floats
from spinetrack_synth.avatars.body import Subject
from spinetrack_synth.avatars.survey import Anatomy
from spinetrack_synth.avatars.textures import TexelMap
from spinetrack_synth.easing import smoothstep

_FIRST_YEARS, _LAST_YEARS = 34.0, 82.0
"""Ages at which wrinkles begin to be seen and are as deep as they get, on average."""

_WIDTH_M: Final = 0.0011
_FACE_M: Final = 0.13
_LINE_M: Final = 0.003
"""Width of a wrinkle with its lip."""
_CELL_M: Final = 0.0006
_LOW_M, _HIGH_M = (-0.095, -0.075), (0.075, 0.075)
"""Cells, and corners (y, z) about the middle of the eyes, of the picture that wrinkles are drawn in
before they are seen on the face."""


def paint_age(
    paint: Floats,
    texels: TexelMap,
    anatomy: Anatomy,
    subject: Subject,
    rng: np.random.Generator,
    blur_m: float = 0.0,
) -> None:
    """Paint wrinkles and spots on texels (N, 3), as many as a subject's years give, smeared over
    ``blur_m``."""
    lived = subject.age_years + rng.normal(0, 5)
    age = float(smoothstep(_FIRST_YEARS, _LAST_YEARS, lived))
    if age < 0.02:
        return
    low, high = (anatomy.eyes.mean(axis=0)[1:] + corner for corner in (_LOW_M, _HIGH_M))
    rows, columns = np.ceil((high - low) / _CELL_M).astype(int)
    canvas = np.zeros((rows, columns), np.float32)
    for line, depth in _lines(anatomy, rng):
        _fold(canvas, (line - low) / _CELL_M, depth * age * rng.uniform(0.55, 1.25))
    away = np.linalg.norm(anatomy.points - anatomy.eyes.mean(axis=0), axis=1)
    ahead = (away < _FACE_M) & (anatomy.masks["inside-mouth"] < 0.3)
    facing = smoothstep(0.05, 0.3, anatomy.normals[:, 0]) * ahead
    face = texels.touching(facing > 0)
    seen = texels.at(np.column_stack([anatomy.points[:, 1:] - low, facing]), face)
    cell = (seen[:, :2] / _CELL_M).astype(int)
    shade = canvas[np.clip(cell[:, 0], 0, rows - 1), np.clip(cell[:, 1], 0, columns - 1)]
    smeared = np.float32(_LINE_M / np.hypot(_LINE_M, blur_m))
    shade = np.clip(shade, -0.45, 0.12) * seen[:, 2] * smeared
    paint[face] *= 1 + shade[:, None] * np.array([0.85, 1.0, 1.05], np.float32)
    _paint_spots(paint, texels, anatomy, age, rng, blur_m)


def _lines(anatomy: Anatomy, rng: np.random.Generator) -> list[tuple[Array, float]]:
    """Wrinkles as lines of (y, z) m (K, 2) before the face, and how dark the deepest are."""
    lips = anatomy.points[anatomy.masks["lips"] > 0.5]
    mouth_y, corner_z = float(lips[:, 1].mean()), float(np.abs(lips[:, 2]).max())
    eye_y, eye_z = float(anatomy.eyes[:, 1].mean()), float(np.abs(anatomy.eyes[:, 2]).mean())
    wing_y = eye_y + 0.62 * (mouth_y - eye_y)
    brow_y = eye_y + 0.022
    lines: list[tuple[Array, float]] = []

    def wave(line: Array, size_m: float) -> Array:
        bent: Array = line + rng.normal(0, size_m, (len(line), 2))
        return bent

    for up in (0.014, 0.024, 0.034, 0.043)[: rng.integers(2, 5)]:
        z = np.linspace(-0.042, 0.042, 9) * rng.uniform(0.75, 1.05)
        arch = brow_y + up + rng.normal(0, 0.0015) - 6.0 * np.abs(z) ** 2 * (1 - 20 * np.abs(z))
        lines.append((wave(np.stack([arch, z], axis=1), 0.0007), 0.17))
    for side in (-1.0, 1.0):
        frown = np.array([[brow_y - 0.008, 0.0065], [brow_y, 0.007], [brow_y + 0.012, 0.0075]])
        fold = np.array(
            [
                [wing_y + 0.004, 0.0175], [wing_y - 0.006, 0.024],
                [mouth_y + 0.008, corner_z + 0.005], [mouth_y - 0.004, corner_z + 0.008],
            ]
        )  # fmt: skip
        droop = np.array(
            [
                [mouth_y - 0.003, corner_z + 0.001], [mouth_y - 0.012, corner_z + 0.003],
                [mouth_y - 0.025, corner_z + 0.002],
            ]
        )  # fmt: skip
        turn = np.radians([200, 225, 250, 280, 310, 335])
        bag = np.stack([eye_y - 0.003 + 0.017 * np.sin(turn), eye_z + 0.018 * np.cos(turn)], 1)
        for line, depth in ((frown, 0.16), (fold, 0.34), (droop, 0.24), (bag, 0.2)):
            lines.append((wave(line, 0.0006) * [1.0, side], depth))
        for slope in rng.uniform(-0.9, 0.7, rng.integers(2, 5)):
            out = np.linspace(0.0, rng.uniform(0.012, 0.02), 4)
            feet = np.stack([eye_y - 0.002 + slope * out, eye_z + 0.0195 + out], axis=1)
            lines.append((wave(feet, 0.0005) * [1.0, side], 0.2))
    for z in np.linspace(-0.014, 0.014, 6):
        lip = np.array([[mouth_y + 0.016, z * 1.1], [mouth_y + 0.008, z]])
        lines.append((wave(lip, 0.0005), 0.12))
    return lines


def _fold(canvas: NDArray[np.float32], line: Array, strength: float) -> None:
    """Darken cells at a line (K, 2) of cells, the more in its middle, and light its lower lip."""
    width = _WIDTH_M / _CELL_M
    size = np.array(canvas.shape)
    low = np.clip(np.floor(line.min(axis=0) - 5 * width), 0, size).astype(int)
    high = np.clip(np.ceil(line.max(axis=0) + 5 * width), 0, size).astype(int)
    if (high <= low).any():
        return
    cells = np.mgrid[low[0] : high[0], low[1] : high[1]].astype(np.float32) + 0.5
    best = np.full(cells.shape[1:], np.inf, np.float32)
    place = np.zeros(cells.shape[1:], np.float32)
    for k, ((y, z), step) in enumerate(zip(line[:-1], np.diff(line, axis=0))):
        off_y, off_z = cells[0] - np.float32(y), cells[1] - np.float32(z)
        share = (off_y * step[0] + off_z * step[1]) / max(float(step @ step), 1e-9)
        share = np.clip(share, 0, 1)
        off = np.hypot(off_y - share * step[0], off_z - share * step[1])
        nearer = off < best
        best = np.where(nearer, off, best)
        place = np.where(nearer, (k + share) / (len(line) - 1), place)
    depth = strength * np.sin(np.pi * (0.06 + 0.88 * place)) ** 0.6
    best /= width
    shade = 0.3 * np.exp(-(((best - 2.4) / 1.4) ** 2)) - np.exp(-(best**2))
    canvas[low[0] : high[0], low[1] : high[1]] += (depth * shade).astype(np.float32)


def _paint_spots(
    paint: Floats,
    texels: TexelMap,
    anatomy: Anatomy,
    age: float,
    rng: np.random.Generator,
    blur_m: float,
) -> None:
    """Brown spots where the sun came for years: forehead, temples, cheeks, backs of the hands."""
    from scipy.spatial.distance import cdist

    near_m = np.linalg.norm(anatomy.points - anatomy.eyes.mean(axis=0), axis=1)
    weight = anatomy.hand * 0.5 + (near_m < _FACE_M)
    count = int(rng.poisson(16 * age**2))
    if not count:
        return
    bare = np.flatnonzero(weight > 0.05)
    chosen = weight[bare] / weight[bare].sum()
    centers = anatomy.points[bare[rng.choice(len(bare), count, p=chosen)]]
    reach = np.full(len(weight), np.inf)
    reach[bare] = cdist(anatomy.points[bare], centers).min(axis=1)
    spots = texels.touching(reach < 0.009)
    local = texels.at(anatomy.points, spots)
    own_m = rng.uniform(0.001, 0.0032, count)
    wide_m = np.hypot(own_m, 0.5 * blur_m)
    off = cdist(local, centers) / wide_m
    dark = 0.22 * (np.exp(-(off**2)) * (own_m / wide_m) ** 2).max(axis=1)
    paint[spots] *= (1 - dark[:, None] * [0.7, 1.0, 1.1]).astype(np.float32)

"""Painting in the rest pose: which point of the body every texel shows, and noise to paint with.

A texture is painted by asking each texel where on the body it lies, so uv seams never show and
lengths are true metres. Images have row 0 at v = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Floats, Ints
from spinetrack_synth.avatars.mesh import Sheet

_LATTICE = 64
"""Side of the periodic lattice of random values behind ``noise``."""


@dataclass(frozen=True, eq=False)
class TexelMap:
    """The texels that a sheet covers.

    ``texel`` (N,) flat index into the ``size`` x ``size`` image; ``corner`` (N, 3) vertices of the
    sheet and ``share`` (N, 3) their barycentric weights; ``nearest`` (size * size,) the covered
    texel, as index into N, that is nearest to each texel of the image.
    """

    size: int
    texel: Ints
    corner: NDArray[np.int32]
    share: NDArray[np.float32]
    nearest: NDArray[np.int32]

    def at(self, values: Floats) -> NDArray[np.float32]:
        """Vertex data (P, ...) interpolated at the covered texels (N, ...)."""
        values = np.asarray(values, np.float32)
        share = self.share.reshape(self.share.shape + (1,) * (values.ndim - 1))
        total = values[self.corner[:, 0]] * share[:, 0]
        for k in (1, 2):
            total += values[self.corner[:, k]] * share[:, k]
        return total

    def image(self, color: Floats) -> NDArray[np.uint8]:
        """Colours (N, C) or values (N,) in 0..1 as an image; the gaps repeat the nearest texel."""
        flat = (np.clip(color, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
        image: NDArray[np.uint8] = flat[self.nearest].reshape(
            (self.size, self.size, *flat.shape[1:])
        )
        return image


@lru_cache(maxsize=8)
def texel_map(sheet: Sheet, size: int) -> TexelMap:
    """Which face of the sheet each texel of a ``size`` x ``size`` image shows."""
    from scipy.ndimage import distance_transform_edt

    corners = np.stack([sheet.uv[:, 0], 1 - sheet.uv[:, 1]], axis=1)[sheet.faces] * size - 0.5
    low = np.clip(np.ceil(corners.min(axis=1)).astype(int), 0, size - 1)
    high = np.clip(np.floor(corners.max(axis=1)).astype(int), 0, size - 1)
    width, height = np.maximum(high - low + 1, 0).T
    face = np.repeat(np.arange(len(corners)), width * height)
    start = np.cumsum(width * height) - width * height
    inner = np.arange(len(face)) - start[face]
    column = low[face, 0] + inner % width[face]
    row = low[face, 1] + inner // width[face]
    a, b, c = (corners[:, k] for k in range(3))
    area = _cross(b - a, c - a)
    point = np.stack([column, row], axis=1)
    share = (
        np.stack(
            [
                _cross(c[face] - b[face], point - b[face]),
                _cross(a[face] - c[face], point - c[face]),
                _cross(b[face] - a[face], point - a[face]),
            ],
            axis=1,
        )
        / np.where(area == 0, 1, area)[face, None]
    )
    hit = (share >= -1e-9).all(axis=1) & (area[face] != 0)
    texel, first = np.unique((row * size + column)[hit], return_index=True)
    covered = np.zeros(size * size, bool)
    covered[texel] = True
    rows, columns = distance_transform_edt(
        ~covered.reshape(size, size), return_distances=False, return_indices=True
    )
    order = np.zeros(size * size, np.int32)
    order[texel] = np.arange(len(texel))
    return TexelMap(
        size=size,
        texel=texel,
        corner=sheet.faces[face[hit][first]],
        share=share[hit][first].astype(np.float32),
        nearest=order[(rows * size + columns).ravel()],
    )


def noise(
    points: Floats, wavelength_m: float, rng: np.random.Generator, octaves: int = 1
) -> NDArray[np.float32]:
    """Smooth noise in space at points (N, 3), about -1..1, each octave half as long and strong."""
    total = np.zeros(len(points), np.float32)
    strength = 1.0
    for _ in range(octaves):
        total += strength * _lattice_noise(np.asarray(points, np.float32) / wavelength_m, rng)
        wavelength_m, strength = wavelength_m / 2, strength / 2
    return total


def mix(a: Floats, b: Floats, share: Floats) -> Floats:
    """Colours (..., 3) or (3,) blended by ``share`` (...,): 0 gives ``a``."""
    share = share[..., None]
    mixed: Floats = a * (1 - share) + b * share
    return mixed


def _cross(a: Floats, b: Floats) -> Floats:
    cross: Floats = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return cross


def _lattice_noise(points: NDArray[np.float32], rng: np.random.Generator) -> Array:
    values = rng.uniform(-1, 1, _LATTICE**3).astype(np.float32)
    points = points + rng.uniform(0, _LATTICE, 3).astype(np.float32)
    cell = np.floor(points).astype(np.int32)
    t = points - cell
    t = t * t * (3 - 2 * t)
    low, high = cell % _LATTICE, (cell + 1) % _LATTICE
    x = (low[:, 0] * _LATTICE**2, high[:, 0] * _LATTICE**2)
    y = (low[:, 1] * _LATTICE, high[:, 1] * _LATTICE)
    z = (low[:, 2], high[:, 2])

    def along_z(i: int, j: int) -> Array:
        base = x[i] + y[j]
        row: Array = values[base + z[0]] * (1 - t[:, 2]) + values[base + z[1]] * t[:, 2]
        return row

    near = along_z(0, 0) * (1 - t[:, 1]) + along_z(0, 1) * t[:, 1]
    far = along_z(1, 0) * (1 - t[:, 1]) + along_z(1, 1) * t[:, 1]
    value: Array = near * (1 - t[:, 0]) + far * t[:, 0]
    return value

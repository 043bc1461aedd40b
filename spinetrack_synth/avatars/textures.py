"""Painting in the rest pose: which point of the body every texel shows, and noise to paint with.

A texture is painted by asking each texel where on the body it lies, so uv seams never show and
lengths are true metres. Images have row 0 at v = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.avatars.array_types import Floats, Ints
from spinetrack_synth.avatars.mesh import Sheet, corners_in
from spinetrack_synth.compiled import njit

_LATTICE = 64
"""Side of the periodic lattice of random values behind ``noise``, a power of two."""


@dataclass(frozen=True, eq=False)
class TexelMap:
    """The texels that a sheet covers.

    ``texel`` (N,) flat index into the ``size`` x ``size`` image; ``face`` (N,) of the sheet whose
    ``faces`` (F, 3) these are; ``corner`` (N, 3) its vertices and ``share`` (N, 3) their
    barycentric weights; ``nearest`` (size * size,) the covered
    texel, as index into N, that is nearest to each texel of the image.
    """

    size: int
    texel: Ints
    faces: NDArray[np.int32]
    face: Ints
    corner: NDArray[np.int32]
    share: NDArray[np.float32]
    nearest: NDArray[np.int32]

    def at(self, values: Floats, chosen: Ints | None = None) -> NDArray[np.float32]:
        """Vertex data (P, ...) interpolated at the covered texels (N, ...), or the chosen ones."""
        values = np.ascontiguousarray(values, np.float32)
        table = values.reshape(len(values), -1)
        which = np.arange(len(self.texel)) if chosen is None else chosen
        total = np.empty((len(which), table.shape[1]), np.float32)
        _interpolate(total, table, self.corner, self.share, which)
        return total.reshape(len(total), *values.shape[1:])

    def touching(self, near: Any) -> Ints:
        """The covered texels, as indices into N, of faces with a chosen vertex (P,)."""
        return np.flatnonzero((corners_in(near, self.faces) > 0)[self.face])

    def image(self, color: Floats) -> NDArray[np.uint8]:
        """Colours (N, C) or values (N,) in 0..1 as an image; the gaps repeat the nearest texel."""
        return self.spread(to_bytes(color))

    def spread(self, flat: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The same of values in 0..255."""
        image = np.empty((len(self.nearest), flat[:1].size), np.uint8)
        _spread(image, flat.reshape(len(flat), -1), self.nearest)
        return image.reshape((self.size, self.size, *flat.shape[1:]))


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
        faces=sheet.faces,
        face=face[hit][first],
        corner=sheet.faces[face[hit][first]],
        share=share[hit][first].astype(np.float32),
        nearest=order[(rows * size + columns).ravel()],
    )


def noise(
    points: Floats, wavelength_m: float, rng: np.random.Generator, octaves: int = 1
) -> NDArray[np.float32]:
    """Smooth noise in space at points (N, 3), about -1..1, each octave half as long and strong."""
    total = np.zeros(len(points), np.float32)
    points = np.ascontiguousarray(points, np.float32)
    strength = 1.0
    for _ in range(octaves):
        start = rng.uniform(0, _LATTICE, 3).astype(np.float32)
        _add_noise(total, points, 1.0 / wavelength_m, start, _lattice(), strength)
        wavelength_m, strength = wavelength_m / 2, strength / 2
    return total


def grain(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """White noise (count,), normal, of deviation 1: a stretch of one long roll."""
    roll = _roll()
    start = int(rng.random() * (len(roll) - count))  # one number drawn, whatever the count
    return roll[start : start + count]


def to_bytes(color: Floats) -> NDArray[np.uint8]:
    """Colours 0..1 as they stand in images."""
    return (np.clip(color, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)


def lay(paint: Floats, color: ArrayLike, share: Floats) -> None:
    """Lay a colour (3,) on colours (N, 3) in place, as thick as ``share`` (N,)."""
    _lay(paint, np.asarray(color, np.float32), np.asarray(share, np.float32))


def mix(a: Floats, b: Floats, share: Floats) -> Floats:
    """Colours (..., 3) or (3,) blended by ``share`` (...,): 0 gives ``a``."""
    share = share[..., None]
    mixed: Floats = a * (1 - share) + b * share
    return mixed


@njit(fastmath=True)
def _lay(
    paint: NDArray[np.float32], color: NDArray[np.float32], share: NDArray[np.float32]
) -> None:  # pragma: no cover - compiled
    for i in range(len(paint)):
        if share[i] > 0:
            for c in range(3):
                paint[i, c] += share[i] * (color[c] - paint[i, c])


@njit(fastmath=True)
def _interpolate(
    total: NDArray[np.float32], values: NDArray[np.float32], corner: NDArray[np.int32],
    share: NDArray[np.float32], chosen: Ints,
) -> None:  # fmt: skip # pragma: no cover - compiled
    for i in range(len(total)):
        n = chosen[i]
        a, b, c = corner[n, 0], corner[n, 1], corner[n, 2]
        s, t, u = share[n, 0], share[n, 1], share[n, 2]
        for k in range(values.shape[1]):
            total[i, k] = values[a, k] * s + values[b, k] * t + values[c, k] * u


@njit()
def _spread(
    image: NDArray[np.uint8], flat: NDArray[np.uint8], nearest: NDArray[np.int32]
) -> None:  # pragma: no cover - compiled
    """NumPy takes ten times as long over rows of three bytes."""
    for i in range(len(image)):
        for c in range(image.shape[1]):
            image[i, c] = flat[nearest[i], c]


def _cross(a: Floats, b: Floats) -> Floats:
    cross: Floats = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return cross


@lru_cache(maxsize=1)
def _lattice() -> NDArray[np.float32]:
    """The random values -1..1 behind ``noise``, the same for all: where it starts is drawn."""
    return np.random.default_rng(0x1A).uniform(-1, 1, _LATTICE**3).astype(np.float32)


@lru_cache(maxsize=1)
def _roll() -> NDArray[np.float32]:
    roll = np.random.default_rng(0x6A).standard_normal(1 << 21, dtype=np.float32)
    roll.setflags(write=False)
    return roll


@njit(fastmath=True)
def _add_noise(
    total: NDArray[np.float32], points: NDArray[np.float32], rate: float,
    start: NDArray[np.float32], values: NDArray[np.float32], strength: float,
) -> None:  # fmt: skip # pragma: no cover - compiled
    """Add to ``total`` the values of a periodic lattice, blended between its points."""
    side = _LATTICE
    corner, share = np.empty(3, np.int64), np.empty(3, np.float32)
    for i in range(len(points)):
        for c in range(3):
            place = points[i, c] * np.float32(rate) + start[c]
            low = np.floor(place)
            t = place - low
            share[c] = t * t * (3 - 2 * t)
            corner[c] = np.int64(low) & (side - 1)
        x0, x1 = corner[0] * side * side, ((corner[0] + 1) & (side - 1)) * side * side
        y0, y1 = corner[1] * side, ((corner[1] + 1) & (side - 1)) * side
        z0, z1 = corner[2], (corner[2] + 1) & (side - 1)
        u, v, w = share[0], share[1], share[2]
        a = values[x0 + y0 + z0] * (1 - w) + values[x0 + y0 + z1] * w
        b = values[x0 + y1 + z0] * (1 - w) + values[x0 + y1 + z1] * w
        c0 = values[x1 + y0 + z0] * (1 - w) + values[x1 + y0 + z1] * w
        d = values[x1 + y1 + z0] * (1 - w) + values[x1 + y1 + z1] * w
        near, far = a * (1 - v) + b * v, c0 * (1 - v) + d * v
        total[i] += np.float32(strength) * (near * (1 - u) + far * u)

"""Procedural finishes of floors and grounds: rubber, linoleum, carpet, straw mats, asphalt, setts.

As in ``textures``: sRGB colours, images that repeat without a seam, uv in metres.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.scenes.shapes import Rng
from spinetrack_synth.scenes.textures import (
    Finish,
    Image,
    courses,
    image_bytes,
    in_bands,
    in_planes,
    mix,
    noise,
    painted,
    pixels,
    ramp,
    speckle,
    warmth,
)
from spinetrack_synth.shot import Material


def _clouds(rng: Rng, shape: tuple[int, int], feature_px: float) -> Image:
    """Smooth noise of large features."""
    return noise(rng, shape, feature_px, 2.5)


def rubber(
    rng: Rng, color: ArrayLike, fleck: ArrayLike, *, share: float = 0.06, tile_m: float = 1.0
) -> Finish:
    """Rubber granulate with coloured flecks, 4 m square; ``tile_m`` 0 for one that is poured."""
    shape, size_m = (768, 768), (4.0, 4.0)
    tone = 1 + 0.08 * speckle(rng, shape)
    tone += 0.05 * _clouds(rng, shape, 160)
    flecked = rng.random(shape, dtype=np.float32) < share
    if tile_m:
        count = round(size_m[0] / tile_m)
        laid = courses(rng, shape, count, count, shift="none")
        for k, band in enumerate(laid.bands):
            tone[band] *= 1 - 0.35 * (laid.to_joint(k) < 0.8)
    plain, other = in_planes(color), in_planes(fleck)
    image = in_bands(shape, lambda rows: np.where(flecked[rows], other, plain) * tone[rows])
    return Finish(Material(image, 0.9, 0.15), size_m)


def linoleum(
    rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (4.0, 4.0), contrast: float = 1.0
) -> Finish:
    """Marbled linoleum or vinyl."""
    shape = pixels(size_m, 0.006, 768)
    marble = noise(rng, shape, (5, 24), 1.4)
    tone = 1 + contrast * (0.022 * marble + 0.02 * _clouds(rng, shape, 120))
    return Finish(Material(_toned(color, tone), 0.35, 0.35), size_m)


def screed(rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (6.0, 6.0)) -> Finish:
    """Ground and polished concrete: clouds, fine grit."""
    shape = pixels(size_m, 0.008, 768)
    tone = 1 + 0.05 * _clouds(rng, shape, 200) + 0.03 * _clouds(rng, shape, 40)
    tone += 0.03 * speckle(rng, shape)
    return Finish(Material(_toned(color, tone), 0.4, 0.3), size_m)


def carpet(
    rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (4.0, 4.0), tile_m: float = 0.5,
    variety: float = 0.5,
) -> Finish:  # fmt: skip
    """Looped carpet in tiles laid crosswise; ``tile_m`` 0 for one piece."""
    shape = pixels(size_m, 0.005, 768)
    along, across = noise(rng, shape, (1.0, 5.0), 0.8), noise(rng, shape, (5.0, 1.0), 0.8)
    tone = 1 + 0.10 * along
    tone += 0.03 * _clouds(rng, shape, 200)
    if tile_m:
        rows, columns = (max(2, 2 * round(s / tile_m / 2)) for s in reversed(size_m))
        laid = courses(rng, shape, rows, columns, shift="none")
        fade = 0.05 * variety * rng.standard_normal(rows * columns).astype(np.float32)
        for k, band in enumerate(laid.bands):
            for tile, where in laid.pieces(k):
                crosswise = (k + tile % columns) % 2 == 1
                if crosswise:
                    tone[band, where] += 0.10 * (across[band, where] - along[band, where])
                tone[band, where] += fade[tile] + (0.03 if crosswise else -0.03)
            tone[band] -= 0.10 * (laid.to_joint(k) < 0.7)
    return Finish(Material(_toned(color, tone), 1.0, 0.05), size_m)


def straw(rng: Rng, color: ArrayLike) -> Finish:
    """Woven rush of a straw mat, the stalks along v, 0.91 x 1.82 m of it."""
    shape, size_m = (728, 364), (0.91, 1.82)
    stalks = noise(rng, shape, (40, 1.2), 1.2)
    weft = np.cos(2 * np.pi * np.arange(shape[1]) / shape[1] * 64)[None, :]
    tone = 1 + 0.06 * stalks + 0.05 * weft + 0.03 * _clouds(rng, shape, 120)
    planes = in_planes(color) * warmth(rng, shape[1], 0.05)[:, None]
    return Finish(Material(image_bytes(planes * tone), 0.75, 0.2), size_m)


def asphalt(
    rng: Rng, color: ArrayLike = (0.30, 0.30, 0.31), *, size_m: tuple[float, float] = (12.0, 12.0)
) -> Finish:
    """Asphalt or other fine aggregate: grit, clouds, mended cracks."""
    shape = pixels(size_m, 0.012, 768)
    grit = noise(rng, shape, 1.2, 0.4)
    field = _clouds(rng, shape, 260)
    crack = np.exp(-np.abs(_clouds(rng, shape, 420)) * 60)
    tone = 1 + 0.06 * grit + 0.06 * field - 0.18 * crack * (field > 0.4)
    return Finish(Material(_toned(color, tone), 0.9, 0.15), size_m)


def setts(
    rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (6.0, 6.0),
    stone_m: tuple[float, float] = (0.12, 0.12), variety: float = 0.6,
    joint: ArrayLike = (0.40, 0.38, 0.34),
) -> Finish:  # fmt: skip
    """Paving of small stones in courses, their tops a little rounded."""
    shape = pixels(size_m, 0.008, 768)
    rows, columns = 2 * round(size_m[1] / stone_m[1] / 2), round(size_m[0] / stone_m[0])
    laid = courses(rng, shape, rows, columns, shift="half")
    count = rows * columns
    pixel = size_m[0] / shape[1]
    ragged = 0.003 * noise(rng, shape, 4, 1.2)
    tone = 1 + variety * 0.14 * rng.standard_normal(count).astype(np.float32)
    cut = in_planes(color)[:, 0] * tone * warmth(rng, count, 0.05 * variety)
    grit = 1 + 0.05 * speckle(rng, shape)
    clouds = 1 + 0.05 * _clouds(rng, shape, 300)

    def strips() -> Iterator[tuple[slice, Image]]:
        for k, band in enumerate(laid.bands):
            edge = laid.to_joint(k) * pixel + ragged[band]
            face = cut[:, laid.cell[k]][:, None] * grit[band]
            yield band, mix(joint, face, (edge - 0.003) / 0.010) * clouds[band]

    return Finish(Material(painted(shape, strips()), 0.8, 0.25), size_m)


def sand(rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (16.0, 16.0)) -> Finish:
    """Sand or snow with the soft hollows that feet and wind leave."""
    shape = pixels(size_m, 0.016, 768)
    hollows = noise(rng, shape, 14, 2.2)
    slope = np.roll(hollows, 1, 0) - np.roll(hollows, -1, 0) + 0.5 * np.roll(hollows, 1, 1)
    slope -= 0.5 * np.roll(hollows, -1, 1)
    grit = speckle(rng, shape)
    tone = 1 + 0.16 * slope + 0.03 * grit + 0.03 * _clouds(rng, shape, 300)
    return Finish(Material(_toned(color, tone), 1.0, 0.05), size_m)


def turf(rng: Rng, greens: ArrayLike, *, size_m: tuple[float, float] = (12.0, 12.0)) -> Finish:
    """Grass seen from some way off: blades melt into short strokes; ``greens`` (G, 3)."""
    shape = pixels(size_m, 0.012, 768)
    level = 0.5 + 0.20 * noise(rng, shape, 1.5, 0.6) + 0.10 * _clouds(rng, shape, 120)
    image = in_bands(shape, lambda rows: ramp(greens, level[rows]))
    return Finish(Material(image, 0.95, 0.1), size_m)


def _toned(color: ArrayLike, tone: Image) -> NDArray[np.uint8]:
    """An image of one colour, as bright as ``tone`` (H, W) is."""
    plain = in_planes(color)
    return in_bands(tone.shape, lambda rows: plain * tone[rows])

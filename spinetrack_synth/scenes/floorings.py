"""Procedural finishes of floors and grounds: rubber, linoleum, carpet, straw mats, asphalt, setts.

As in ``textures``: sRGB colours, images that repeat without a seam, uv in metres.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.scenes.shapes import Rng
from spinetrack_synth.scenes.textures import (
    Finish,
    Image,
    cells,
    image_bytes,
    mix,
    noise,
    pixels,
    warmth,
)
from spinetrack_synth.shot import Material


def _clouds(rng: Rng, shape: tuple[int, int], feature_px: float) -> Image:
    """Smooth noise of large features, worked out small and spread."""
    small = tuple(max(16, side // 8) for side in shape)
    field = noise(rng, small, max(2.0, feature_px / 8), 2.5)  # type: ignore[arg-type]
    rows = np.arange(shape[0]) * small[0] / shape[0]
    columns = np.arange(shape[1]) * small[1] / shape[1]
    i, j = rows.astype(int), columns.astype(int)
    s, t = (rows - i).astype(np.float32)[:, None], (columns - j).astype(np.float32)
    k, m = (i + 1) % small[0], (j + 1) % small[1]
    low = field[i][:, j] * (1 - s) + field[k][:, j] * s
    high = field[i][:, m] * (1 - s) + field[k][:, m] * s
    spread: Image = low * (1 - t) + high * t
    return spread


def rubber(
    rng: Rng, color: ArrayLike, fleck: ArrayLike, *, share: float = 0.06, tile_m: float = 1.0
) -> Finish:
    """Rubber granulate with coloured flecks, 4 m square; ``tile_m`` 0 for one that is poured."""
    shape, size_m = (768, 768), (4.0, 4.0)
    grit = rng.standard_normal(shape, dtype=np.float32)
    image = mix(color, fleck, (rng.random(shape, dtype=np.float32) < share).astype(np.float32))
    tone = 1 + 0.08 * grit + 0.05 * _clouds(rng, shape, 160)
    if tile_m:
        count = round(size_m[0] / tile_m)
        _, to_y, to_x = cells(rng, shape, count, count, shift="none")
        tone *= 1 - 0.35 * (np.minimum(to_y, to_x) < 0.8)
    return Finish(Material(image_bytes(image * tone[..., None]), 0.9, 0.15), size_m)


def linoleum(
    rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (4.0, 4.0), contrast: float = 1.0
) -> Finish:
    """Marbled linoleum or vinyl."""
    shape = pixels(size_m, 0.006, 768)
    marble = noise(rng, shape, (5, 24), 1.4)
    tone = 1 + contrast * (0.022 * marble + 0.02 * _clouds(rng, shape, 120))
    image = np.asarray(color, np.float32) * tone[..., None]
    return Finish(Material(image_bytes(image), 0.35, 0.35), size_m)


def screed(rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (6.0, 6.0)) -> Finish:
    """Ground and polished concrete: clouds, fine grit."""
    shape = pixels(size_m, 0.008, 768)
    tone = 1 + 0.05 * _clouds(rng, shape, 200) + 0.03 * _clouds(rng, shape, 40)
    tone += 0.03 * rng.standard_normal(shape, dtype=np.float32)
    image = np.asarray(color, np.float32) * tone[..., None]
    return Finish(Material(image_bytes(image), 0.4, 0.3), size_m)


def carpet(
    rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (4.0, 4.0), tile_m: float = 0.5,
    variety: float = 0.5,
) -> Finish:  # fmt: skip
    """Looped carpet in tiles laid crosswise; ``tile_m`` 0 for one piece."""
    shape = pixels(size_m, 0.005, 768)
    along, across = noise(rng, shape, (1.0, 5.0), 0.8), noise(rng, shape, (5.0, 1.0), 0.8)
    tone = 0.10 * along
    if tile_m:
        rows, columns = (max(2, 2 * round(s / tile_m / 2)) for s in reversed(size_m))
        cell, to_y, to_x = cells(rng, shape, rows, columns, shift="none")
        crosswise = (cell // columns + cell % columns) % 2 == 1
        tone = 0.10 * np.where(crosswise, across, along) + 0.03 * np.where(crosswise, 1.0, -1.0)
        tone += 0.05 * variety * rng.standard_normal(rows * columns).astype(np.float32)[cell]
        tone -= 0.10 * (np.minimum(to_y, to_x) < 0.7)
    image = np.asarray(color, np.float32) * (1 + tone + 0.03 * _clouds(rng, shape, 200))[..., None]
    return Finish(Material(image_bytes(image), 1.0, 0.05), size_m)


def straw(rng: Rng, color: ArrayLike) -> Finish:
    """Woven rush of a straw mat, the stalks along v, 0.91 x 1.82 m of it."""
    shape, size_m = (728, 364), (0.91, 1.82)
    stalks = noise(rng, shape, (40, 1.2), 1.2)
    weft = np.cos(2 * np.pi * np.arange(shape[1]) / shape[1] * 64)[None, :]
    tone = 1 + 0.06 * stalks + 0.05 * weft + 0.03 * _clouds(rng, shape, 120)
    image = np.asarray(color, np.float32) * tone[..., None]
    image *= warmth(rng, shape[1], 0.05)[None]
    return Finish(Material(image_bytes(image), 0.75, 0.2), size_m)


def asphalt(
    rng: Rng, color: ArrayLike = (0.30, 0.30, 0.31), *, size_m: tuple[float, float] = (12.0, 12.0)
) -> Finish:
    """Asphalt or other fine aggregate: grit, clouds, mended cracks."""
    shape = pixels(size_m, 0.012, 768)
    grit = noise(rng, shape, 1.2, 0.4)
    field = _clouds(rng, shape, 260)
    crack = np.exp(-np.abs(_clouds(rng, shape, 420)) * 60)
    tone = 1 + 0.06 * grit + 0.06 * field - 0.18 * crack * (field > 0.4)
    image = np.asarray(color, np.float32) * tone[..., None]
    return Finish(Material(image_bytes(image), 0.9, 0.15), size_m)


def setts(
    rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (6.0, 6.0),
    stone_m: tuple[float, float] = (0.12, 0.12), variety: float = 0.6,
    joint: ArrayLike = (0.40, 0.38, 0.34),
) -> Finish:  # fmt: skip
    """Paving of small stones in courses, their tops a little rounded."""
    shape = pixels(size_m, 0.008, 768)
    rows, columns = 2 * round(size_m[1] / stone_m[1] / 2), round(size_m[0] / stone_m[0])
    cell, to_y, to_x = cells(rng, shape, rows, columns, shift="half")
    count = rows * columns
    pixel = size_m[0] / shape[1]
    edge = np.minimum(to_y, to_x) * pixel + 0.003 * noise(rng, shape, 4, 1.2)
    stone = np.clip((edge - 0.003) / 0.010, 0, 1)
    tone = (1 + variety * 0.14 * rng.standard_normal((count, 1)).astype(np.float32)) * warmth(
        rng, count, 0.05 * variety
    )
    face = np.asarray(color, np.float32) * tone[cell]
    face *= (1 + 0.05 * rng.standard_normal(shape, dtype=np.float32))[..., None]
    image = mix(np.asarray(joint, np.float32), face, stone)
    image *= (1 + 0.05 * _clouds(rng, shape, 300))[..., None]
    return Finish(Material(image_bytes(image), 0.8, 0.25), size_m)


def sand(rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (16.0, 16.0)) -> Finish:
    """Sand or snow with the soft hollows that feet and wind leave."""
    shape = pixels(size_m, 0.016, 768)
    hollows = noise(rng, shape, 14, 2.2)
    slope = np.roll(hollows, 1, 0) - np.roll(hollows, -1, 0) + 0.5 * np.roll(hollows, 1, 1)
    slope -= 0.5 * np.roll(hollows, -1, 1)
    grit = rng.standard_normal(shape, dtype=np.float32)
    tone = 1 + 0.16 * slope + 0.03 * grit + 0.03 * _clouds(rng, shape, 300)
    image = np.asarray(color, np.float32) * tone[..., None]
    return Finish(Material(image_bytes(image), 1.0, 0.05), size_m)


def turf(rng: Rng, greens: ArrayLike, *, size_m: tuple[float, float] = (12.0, 12.0)) -> Finish:
    """Grass seen from some way off: blades melt into short strokes; ``greens`` (G, 3)."""
    shape = pixels(size_m, 0.012, 768)
    palette = np.asarray(greens, np.float32)
    fine = noise(rng, shape, 1.5, 0.6)
    level = np.clip(0.5 + 0.20 * fine + 0.10 * _clouds(rng, shape, 120), 0, 1)
    step = level * (len(palette) - 1)
    low = np.minimum(step.astype(int), len(palette) - 2)
    image = palette[low] + (palette[low + 1] - palette[low]) * (step - low)[..., None]
    return Finish(Material(image_bytes(image), 0.95, 0.1), size_m)

"""Images of what grows: lawns, leaves, the edge of a wood, bark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from spinetrack_synth.compiled import njit
from spinetrack_synth.scenes.outlines import cut_out
from spinetrack_synth.scenes.shapes import Array, Rng
from spinetrack_synth.scenes.textures import (
    Finish,
    Image,
    image_bytes,
    in_bands,
    in_planes,
    noise,
    warmth,
    waves,
)
from spinetrack_synth.shot import Material


def _strokes(
    rng: Rng, shape: tuple[int, int], count: int, length_px: float, width_px: int,
    colors: ArrayLike, ground: ArrayLike,
) -> NDArray[np.uint8]:  # fmt: skip
    """Short straight strokes in all directions over a colour of the ground, lighter ones mostly
    last: planes (3, H, W), 0 to 255."""
    # Bands of rows are painted one after another, so that their pixels stay in the cache.
    bands = -(-shape[0] // 32)
    each = (bands, count // bands)
    start = rng.random((*each, 2), np.float32)
    start[..., 0] += np.arange(bands, dtype=np.float32)[:, None]
    start *= np.array([shape[0] / bands, shape[1]], np.float32)
    angle = rng.random(each, np.float32) * np.float32(2 * np.pi)
    reach = np.float32(length_px) * (0.5 + 0.9 * rng.random(each, np.float32))
    move = np.empty_like(start)
    move[..., 0], move[..., 1] = np.sin(angle), np.cos(angle)
    count = angle.size
    chance = waves(rng, (count,)) * np.float32(np.sqrt(2))
    shade = np.clip(np.linspace(0, 1, count, dtype=np.float32) + 0.25 * chance.real, 0, 0.999)
    steps = np.linspace(0, 1, int(np.ceil(length_px * 1.2)), dtype=np.float32)
    aside = np.arange(width_px) - (width_px - 1) / 2
    taper = (aside * (1 - 0.7 * np.abs(2 * steps - 0.8))[:, None]).astype(np.float32)
    planes = np.empty((3, *shape), np.uint8)
    planes[:] = np.rint(255 * in_planes(ground))
    palette = 255 * np.asarray(colors, np.float32)
    light = 1 + 0.12 * chance.imag
    _paint_strokes(planes, start, move, reach, steps, taper, palette, shade, light)
    return planes


@njit()
def _paint_strokes(
    planes: NDArray[np.uint8], start: Image, move: Image, reach: Image,
    steps: Image, taper: Image, palette: Image, shade: Image, light: Image,
) -> None:  # fmt: skip # pragma: no cover - compiled
    """Paint strokes in bands B of as many S (start and direction (B, S, 2), reach (B, S)), each as
    wide as ``taper`` (T, W) at its steps (T,) from 0 to 1, lighter at the tip. Stroke s of band b
    has the colour ``shade[s * B + b]``, 0 to 1 of the palette (G, 3), times ``light`` there.

    Of all dabs at a pixel the one of the last step is seen, of these that of the last stroke. Only
    its number is kept on the way; colours come at the end.
    """
    height, width = planes.shape[1], planes.shape[2]
    bands, each = reach.shape
    count = bands * each
    last = np.full((height, width), -1, np.int32)
    for b in range(bands):
        for i in range(each):
            y, x = start[b, i, 0], start[b, i, 1]
            down, along = move[b, i, 0], move[b, i, 1]
            for k in range(len(steps)):
                far = reach[b, i] * steps[k]
                number = np.int32(k * count + i * bands + b)
                for aside in taper[k]:
                    row = int(y + down * far - along * aside)
                    column = int(x + along * far + down * aside)
                    row += height if row < 0 else -height if row >= height else 0
                    column += width if column < 0 else -width if column >= width else 0
                    last[row, column] = max(last[row, column], number)
    # A division of floats: one of integers takes several times as long.
    share = 1 / count
    for row in range(height):
        for column in range(width):
            number = last[row, column]
            if number >= 0:
                k = int((number + 0.5) * share)
                stroke = number - k * count
                tint = int(shade[stroke] * len(palette))
                bright = light[stroke] * (np.float32(0.8) + np.float32(0.4) * steps[k])
                for c in range(3):
                    level = palette[tint, c] * bright + np.float32(0.5)
                    planes[c, row, column] = np.uint8(min(max(level, 0), 255))


def grass(rng: Rng, size_m: float, greens: ArrayLike) -> NDArray[np.uint8]:
    """Mown lawn seen from above, planes (3, 1792, 1792) of 0 to 255 for a square: blades painted
    over dark ground.

    ``greens`` (G, 3) from dark to light.
    """
    shape = (1792, 1792)
    blade_px = max(3.0, 0.05 * shape[0] / size_m)
    return _strokes(rng, shape, int(4.5e6 / blade_px), blade_px, 1, greens, np.asarray(greens)[0])


def foliage(rng: Rng, greens: ArrayLike, *, side: int = 512) -> Finish:
    """Leaves of many shades on a unit square: the colours of crowns, bushes and pot plants.

    ``side`` is that of the image, px.
    """
    shape, scale = (side, side), side / 512
    under = 0.7 * np.asarray(greens)[0]
    planes = _strokes(rng, shape, 9000, 26 * scale, round(7 * scale), greens, under)
    tone = (1 + 0.15 * noise(rng, shape, 90 * scale, 2.0)) / 255
    return Finish(Material(in_bands(shape, lambda rows: planes[:, rows] * tone[rows]), 0.6, 0.25))


@dataclass(frozen=True, eq=False)
class Woods:
    """The edge of a wood: the image of a square, and the part of it where leaves are, as ``points``
    (V, 2) u, v of the square and ``faces`` (F, 3)."""

    finish: Finish
    points: Array
    faces: NDArray[np.int32]


def woods(
    rng: Rng, greens: ArrayLike, *, around_m: float, height_m: float, columns: int = 3072
) -> Woods:
    """The edge of a wood on a unit square: crowns upon crowns, open sky between their tops.

    ``around_m`` and ``height_m`` say how large the square will be, ``columns`` how many pixels wide
    its image is. The colours carry the shade between the crowns.
    """
    pixel_m = around_m / columns
    shape = (round(height_m / pixel_m / 2) * 2, columns)
    palette = np.asarray(greens, np.float32)
    planes = np.empty((3, *shape), np.float32)
    planes[:] = in_planes(0.5 * palette[0])
    leafy = np.zeros(shape, np.bool_)
    # From the tall crowns behind to the brushwood in front.
    for middle, radius in ((0.66, 0.26), (0.52, 0.25), (0.36, 0.22), (0.18, 0.16), (0.06, 0.09)):
        count = int(2.4 * around_m / (2 * radius * height_m))
        x = (np.arange(count) + rng.uniform(-0.4, 0.4, count)) / count * shape[1]
        y = (1 - middle + rng.normal(0, 0.05, count)) * shape[0]
        size = (radius * rng.uniform(0.65, 1.25, count) * height_m / pixel_m).astype(np.float32)
        tint = (1 + 0.14 * rng.standard_normal(count)) * warmth(rng, count, 0.10)
        order = rng.permutation(count)
        dabs = (60 + 0.5 * size**2).astype(int)[order]
        k = np.repeat(order, dabs)
        reach, angle = rng.random((2, len(k)), np.float32)
        sparkle, mottle = rng.standard_normal((2, len(k)), np.float32)
        reach, angle, turn = np.sqrt(reach), angle * np.float32(2 * np.pi), k.astype(np.float32)
        lobes = 1 + 0.16 * np.sin(3 * angle + turn) + 0.10 * np.sin(7 * angle + 2 * turn)
        across, down = reach * lobes * np.cos(angle), reach * lobes * np.sin(angle)
        light = np.clip(0.42 - 0.42 * down + 0.22 * sparkle, 0, 0.999)
        color = palette.T[:, (light * len(palette)).astype(int)] * tint.astype(np.float32)[:, k]
        color *= 0.82 - 0.28 * down + 0.10 * mottle
        rows = (y[k] + 0.95 * size[k] * down).astype(np.int64)
        sideways = (x[k] + size[k] * across).astype(np.int64)
        _paint_dabs(planes, leafy, rows, sideways, color, np.cumsum(dabs))
    low = int(0.86 * shape[0])
    # The rim of the leaves mixes with what is beside them.
    planes[:, :low][:, ~leafy[:low]] = palette[1][:, None]
    leafy[low:] = True
    # Cut out at every second pixel, of which each leaf has several; small gaps are left out.
    tall, wide = shape[0] // 2, shape[1] // 2
    share = leafy[: 2 * tall, : 2 * wide].reshape(tall, 2, wide, 2).mean(axis=(1, 3))
    share = np.where(ndimage.binary_fill_holes(share >= 0.5), np.maximum(share, 0.52), share)
    return Woods(Finish(Material(image_bytes(planes), 1.0, 0.0)), *cut_out(share))


@njit()
def _paint_dabs(
    planes: Image, leafy: NDArray[np.bool_], rows: NDArray[np.int64],
    columns: NDArray[np.int64], color: Image, ends: NDArray[np.int64],
) -> None:  # fmt: skip # pragma: no cover - compiled
    """Paint dabs (N,) of a few pixels each and of colours (3, N), crown by crown, which end at
    ``ends``, and note where some are; of one crown all dabs first where they are, then what stands
    out of them."""
    height, width = leafy.shape
    first = 0
    for end in ends:
        for down, across in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (1, -1)):
            for i in range(first, end):
                row = rows[i] + down
                if 1 <= row < height:
                    column = (columns[i] + across) % width
                    leafy[row, column] = True
                    for c in range(3):
                        planes[c, row, column] = color[c, i]
        first = end


def bark(rng: Rng, color: ArrayLike) -> Finish:
    """Furrowed bark, the furrows along u."""
    shape = (256, 512)
    furrow = noise(rng, shape, (5, 60), 1.2)
    return Finish(
        Material(image_bytes(in_planes(color) * (1 + 0.22 * furrow)), 0.95, 0.1), (1.2, 0.6)
    )

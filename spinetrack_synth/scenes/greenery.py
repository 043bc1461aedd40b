"""Images of what grows: lawns, leaves, the edge of a wood, bark."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.compiled import njit
from spinetrack_synth.scenes.shapes import Rng
from spinetrack_synth.scenes.textures import (
    Finish,
    Image,
    image_bytes,
    in_bands,
    noise,
    warmth,
)
from spinetrack_synth.shot import Material


def _strokes(
    rng: Rng, shape: tuple[int, int], count: int, length_px: float, width_px: int,
    colors: ArrayLike, image: Image,
) -> Image:  # fmt: skip
    """Paints short straight strokes in all directions over an image, lighter ones mostly last."""
    palette = np.asarray(colors, np.float32)
    start = (rng.uniform(0, 1, (count, 2)) * shape).astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi, count)
    reach = length_px * rng.uniform(0.5, 1.4, (count, 1)).astype(np.float32)
    shade = np.clip(np.sort(rng.uniform(0, 1, count)) + rng.normal(0, 0.25, count), 0, 1)
    tint = palette[(shade * len(palette) * 0.999).astype(int)]
    tint = tint * (1 + 0.12 * rng.standard_normal((count, 1))).astype(np.float32)
    direction = np.stack([np.sin(angle), np.cos(angle)], 1).astype(np.float32)
    across = direction[:, ::-1] * np.array([-1, 1], np.float32)
    steps = np.linspace(0, 1, int(np.ceil(length_px * 1.2)))
    aside = np.arange(width_px) - (width_px - 1) / 2
    taper = (aside * (1 - 0.7 * np.abs(2 * steps - 0.8))[:, None]).astype(np.float32)
    bright = np.array([0.8 + 0.4 * t for t in steps], np.float32)
    _paint_strokes(
        image, start, direction, across, reach[:, 0], steps.astype(np.float32), taper, tint, bright
    )
    return image


@njit()
def _paint_strokes(
    image: Image, start: Image, direction: Image, across: Image, reach: Image,
    steps: Image, taper: Image, tint: Image, bright: Image,
) -> None:  # fmt: skip # pragma: no cover - compiled
    """Paint all strokes S (start, direction and across (S, 2), reach (S,), tint (S, 3)) step by
    step (T,), each as wide as ``taper`` (T, W); what comes later covers what was there.

    Only the number of the last stroke at a pixel is kept on the way; colours come at the end.
    """
    height, width = np.int32(image.shape[0]), np.int32(image.shape[1])
    count = len(start)
    last = np.full((height, width), -1, np.int32)
    for k in range(len(steps)):
        for w in range(taper.shape[1]):
            for i in range(count):
                far, aside = reach[i] * steps[k], taper[k, w]
                down = start[i, 0] + direction[i, 0] * far + across[i, 0] * aside
                along = start[i, 1] + direction[i, 1] * far + across[i, 1] * aside
                last[np.int32(down) % height, np.int32(along) % width] = k * count + i
    for row in range(height):
        for column in range(width):
            number = last[row, column]
            if number >= 0:
                light = bright[number // count]
                for c in range(3):
                    image[row, column, c] = tint[number % count, c] * light


def grass(rng: Rng, size_m: float, greens: ArrayLike) -> Image:
    """Mown lawn seen from above, (1792, 1792, 3) for a square: blades painted over dark ground.

    ``greens`` (G, 3) from dark to light.
    """
    shape = (1792, 1792)
    palette = np.asarray(greens, np.float32)
    image = np.empty((*shape, 3), np.float32)
    image[:] = palette[0]
    blade_px = max(3.0, 0.05 * shape[0] / size_m)
    return _strokes(rng, shape, int(4.5e6 / blade_px), blade_px, 1, palette, image)


def foliage(rng: Rng, greens: ArrayLike, *, side: int = 512) -> Finish:
    """Leaves of many shades on a unit square: the colours of crowns, bushes and pot plants.

    ``side`` is that of the image, px.
    """
    shape = (side, side)
    palette = np.asarray(greens, np.float32)
    image = np.empty((*shape, 3), np.float32)
    image[:] = palette[0] * 0.7
    scale = side / 512
    _strokes(rng, shape, 9000, 26 * scale, round(7 * scale), palette, image)
    image *= (1 + 0.15 * noise(rng, shape, 90 * scale, 2.0))[..., None]
    return Finish(Material(image_bytes(image), 0.6, 0.25))


def woods(
    rng: Rng, greens: ArrayLike, *, around_m: float, height_m: float, columns: int = 3072
) -> Finish:
    """The edge of a wood on a unit square: crowns upon crowns, open sky between their tops.

    ``around_m`` and ``height_m`` say how large the square will be, ``columns`` how many pixels wide
    its image is. The colours carry the shade between the crowns; where no leaf is, the image is
    transparent.
    """
    pixel_m = around_m / columns
    shape = (round(height_m / pixel_m / 2) * 2, columns)
    palette = np.asarray(greens, np.float32)
    image = np.empty((*shape, 3), np.float32)
    image[:] = palette[0] * 0.5
    opacity = np.zeros(shape, np.uint8)
    # From the tall crowns behind to the brushwood in front.
    for middle, radius in ((0.66, 0.26), (0.52, 0.25), (0.36, 0.22), (0.18, 0.16), (0.06, 0.09)):
        count = int(2.4 * around_m / (2 * radius * height_m))
        x = (np.arange(count) + rng.uniform(-0.4, 0.4, count)) / count * shape[1]
        y = (1 - middle + rng.normal(0, 0.05, count)) * shape[0]
        size = radius * rng.uniform(0.65, 1.25, count) * height_m / pixel_m
        tone = 1 + 0.14 * rng.standard_normal((count, 1)).astype(np.float32)
        tint = tone * warmth(rng, count, 0.10)
        order = rng.permutation(count)
        dabs = (60 + 0.5 * size**2).astype(int)
        draws = [
            (rng.uniform(0, 1, n), rng.uniform(0, 2 * np.pi, n), *rng.standard_normal((2, n)))
            for n in dabs[order]
        ]
        reach, angle, sparkle, mottle = (np.concatenate(parts) for parts in zip(*draws))
        k = np.repeat(order, dabs[order])
        lobes = 1 + 0.16 * np.sin(3 * angle + k) + 0.10 * np.sin(7 * angle + 2 * k)
        reach = np.sqrt(reach)
        across, down = reach * lobes * np.cos(angle), reach * lobes * np.sin(angle)
        light = np.clip(0.42 - 0.42 * down + 0.22 * sparkle, 0, 0.999)
        color = palette[(light * len(palette)).astype(int)] * tint[k]
        color *= (0.82 - 0.28 * down + 0.10 * mottle)[:, None]
        rows = (y[k] + 0.95 * size[k] * down).astype(np.int64)
        sideways = (x[k] + size[k] * across).astype(np.int64)
        _paint_dabs(image, opacity, rows, sideways, color, np.cumsum(dabs[order]))
    opacity[int(0.86 * shape[0]) :] = 255
    return Finish(Material(in_bands(shape, lambda band: image[band]), 1.0, 0.0, opacity=opacity))


@njit()
def _paint_dabs(
    image: Image, opacity: NDArray[np.uint8], rows: NDArray[np.int64], columns: NDArray[np.int64],
    color: Image, ends: NDArray[np.int64],
) -> None:  # fmt: skip # pragma: no cover - compiled
    """Paint dabs (N,) of a few pixels each, crown by crown, which end at ``ends``; of one crown all
    dabs first where they are, then what stands out of them."""
    height, width = opacity.shape
    first = 0
    for end in ends:
        for down, across in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (1, -1)):
            for i in range(first, end):
                row = rows[i] + down
                if 1 <= row < height:
                    column = (columns[i] + across) % width
                    opacity[row, column] = 255
                    for c in range(3):
                        image[row, column, c] = color[i, c]
        first = end


def bark(rng: Rng, color: ArrayLike) -> Finish:
    """Furrowed bark, the furrows along u."""
    shape = (256, 512)
    furrow = noise(rng, shape, (5, 60), 1.2)
    image = np.asarray(color, np.float32) * (1 + 0.22 * furrow)[..., None]
    return Finish(Material(image_bytes(image), 0.95, 0.1), (1.2, 0.6))

"""Procedural finishes: wood, plaster, brick, concrete, stone, grass, leaves, cloth, foam.

A finish is a material together with the true size of its image. All images repeat without a seam;
where a surface is large, the image is as large as the surface so that nothing repeats in view.
Colours are sRGB in 0..1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from spinetrack_synth.scenes.shapes import Mesh, Rng, joined
from spinetrack_synth.shot import Material, Surface

Image = NDArray[np.floating[Any]]

FADED: Final = 1e-4
"""Gain below which a column's frequencies are left out of an image's noise: one step of 8 bits in
one texel of fifty at most."""


@dataclass(frozen=True)
class Finish:
    """A material and the length and height ``size_m`` (2,) that one repeat of its image covers."""

    material: Material
    size_m: tuple[float, float] = (1.0, 1.0)


def surface(key: str, finish: Finish, parts: Iterable[Mesh]) -> Surface:
    """One surface of all parts; their uv in metres become repeats of the finish's image."""
    mesh = joined(parts)
    return Surface(
        key=key,
        vertices_world=mesh.vertices.astype(np.float32),
        faces=mesh.faces,
        uv=(mesh.uv / finish.size_m).astype(np.float32),
        material=finish.material,
        normals_world=mesh.normals.astype(np.float32),
    )


def paint(color: ArrayLike, *, roughness: float = 0.5, specular: float = 0.4) -> Finish:
    """One plain colour."""
    red, green, blue = (float(c) for c in np.clip(np.asarray(color, float), 0, 1))
    return Finish(Material((red, green, blue), roughness=roughness, specular=specular))


def noise(
    rng: Rng, shape: tuple[int, int], feature_px: float | tuple[float, float], decay: float = 2.0,
    faded: float = FADED,
) -> Image:  # fmt: skip
    """Seamless noise, mean 0 and deviation 1, with features of about (rows, columns) pixels.

    ``decay`` is the power with which detail finer than the feature fades, ``faded`` the gain from
    which it is left out.
    """
    down, across = np.broadcast_to(feature_px, 2)
    fy = np.fft.fftfreq(shape[0]).astype(np.float32)[:, None] * np.float32(down)
    fx = np.fft.rfftfreq(shape[1]).astype(np.float32) * np.float32(across)
    power = np.float32(-decay / 2 - 0.5)
    fx = fx[(1 + fx * fx) ** power > faded]
    gain = (1 + fy * fy + fx * fx) ** power
    gain[0, 0] = 0
    white = rng.standard_normal(shape, dtype=np.float32)
    spectrum = fft.fft(fft.rfft(white)[:, : len(fx)], axis=0, overwrite_x=True)
    spectrum *= gain
    spectrum = fft.ifft(spectrum, axis=0, norm="forward", overwrite_x=True)
    field: Image = fft.irfft(spectrum, n=shape[1], norm="forward", overwrite_x=True)
    field *= np.float32(1 / white.size)
    field /= max(float(field.std()), 1e-9)
    return field


def mix(a: ArrayLike, b: ArrayLike, share: Image) -> Image:
    """Colours from a to b (3,) or images by a share (H, W)."""
    t = np.clip(share, 0, 1)[..., None]
    return np.asarray(a, np.float32) * (1 - t) + np.asarray(b, np.float32) * t


def image_bytes(image: Image) -> NDArray[np.uint8]:
    """Colours 0..1 as 0..255."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def in_bands(
    shape: tuple[int, int], paint_rows: Callable[[slice], Image], rows: int = 32
) -> NDArray[np.uint8]:
    """An image (H, W, 3) painted some rows at a time: what is worked out for each pixel by itself
    then stays in the processor's cache."""
    image = np.empty((*shape, 3), np.uint8)
    for first in range(0, shape[0], rows):
        band = slice(first, first + rows)
        image[band] = image_bytes(paint_rows(band))
    return image


def pixels(size_m: tuple[float, float], pixel_m: float, most: int) -> tuple[int, int]:
    """Image shape (rows, columns), even, for a size in metres, neither side above ``most``."""
    scale = min(1 / pixel_m, most / max(size_m))
    width, height = (max(16, 2 * round(side * scale / 2)) for side in size_m)
    return height, width


def cells(
    rng: Rng, shape: tuple[int, int], rows: int, columns: int, *, shift: str
) -> tuple[NDArray[np.int32], Image, Image]:
    """Courses of bricks, boards or tiles.

    Returns the number of the cell at each pixel (H, W), and the distances in pixels to the
    nearest horizontal and vertical joint. ``shift``: "none", "half" or "random" of each course.
    """
    y = (np.arange(shape[0]) + 0.5) * rows / shape[0]
    x = (np.arange(shape[1]) + 0.5) * columns / shape[1]
    course = y.astype(np.int64)
    moves = {
        "none": np.zeros(rows),
        "half": (np.arange(rows) % 2) * 0.5,
        "random": rng.uniform(0, columns, rows),
    }[shift]
    # All rows of pixels of one course are alike.
    along = (x[None, :] + moves[:, None]) % columns
    cell = (np.arange(rows)[:, None] * columns + along.astype(np.int64)).astype(np.int32)
    in_y, in_x = (y % 1)[:, None], along % 1
    to_y = (np.minimum(in_y, 1 - in_y) * shape[0] / rows).astype(np.float32)
    to_x = (np.minimum(in_x, 1 - in_x) * shape[1] / columns).astype(np.float32)
    return cell[course], np.broadcast_to(to_y, shape), to_x[course]


def warmth(rng: Rng, count: int, deviation: float) -> Image:
    """Factors (count, 3) that make pieces of one material a little warmer or cooler."""
    shift = deviation * rng.standard_normal((count, 1)).astype(np.float32)
    return 1 + shift * np.array([0.5, 0.0, -1.0], np.float32)


def wood(rng: Rng, light: ArrayLike, dark: ArrayLike, *, size_m: tuple[float, float] = (2.4, 0.6),
         roughness: float = 0.45) -> Finish:  # fmt: skip
    """Plain wood, the grain along u."""
    shape = pixels(size_m, 0.0024, 1024)
    grain = _grain(rng, shape)
    return Finish(Material(image_bytes(mix(light, dark, grain)), roughness, 0.35), size_m)


def _grain(rng: Rng, shape: tuple[int, int]) -> Image:
    """Darkness of wood grain in 0..1 with year rings and fibres along the columns."""
    bend = noise(rng, shape, (60, 500), 2.5)
    rows = np.arange(shape[0], dtype=np.float32)[:, None] / shape[0]
    rings = np.sin(2 * np.pi * (rows * round(shape[0] / 26) + 1.1 * bend))
    fibres = noise(rng, shape, (2.0, 120), 1.5)
    return np.clip(0.42 + 0.17 * rings * (0.6 + 0.4 * bend) + 0.16 * fibres, 0, 1)


def planks(
    rng: Rng,
    size_m: tuple[float, float],
    light: ArrayLike,
    dark: ArrayLike,
    *,
    plank_m: tuple[float, float] = (1.6, 0.12),
    gap_m: float = 0.002,
    variety: float = 0.5,
    roughness: float = 0.38,
    most: int = 2048,
) -> Finish:
    """A floor or deck of boards along u; ``variety`` 0..1 is how much the boards differ.

    No side of the image is longer than ``most`` pixels.
    """
    shape = pixels(size_m, 0.006, most)
    rows, columns = max(2, round(size_m[1] / plank_m[1])), max(1, round(size_m[0] / plank_m[0]))
    cell, to_y, to_x = cells(rng, shape, rows, columns, shift="random")
    grain = _grain(rng, shape)
    # Each board shows its own stretch of the grain field.
    count = rows * columns
    start = rng.integers(0, grain.size, count, dtype=np.int32)[cell]
    pixel_number = np.arange(grain.size, dtype=np.int32).reshape(shape)
    tone = rng.normal(0, 0.22 * variety, count).astype(np.float32)
    warm = warmth(rng, count, 0.05 * variety)
    cloud = 1 + 0.03 * noise(rng, shape, 300, 2.5)
    pixel = size_m[0] / shape[1]
    # A gap narrower than a pixel darkens it by its share.
    depth = 0.22 + 0.48 * min(1.0, gap_m / pixel)

    def paint_rows(band: slice) -> Image:
        board = cell[band]
        own = grain.ravel()[(pixel_number[band] + start[band]) % grain.size]
        image = mix(light, dark, own + tone[board])
        image *= warm[board]
        image *= cloud[band, :, None]
        gap = np.minimum(to_y[band], to_x[band]) * pixel
        seam = np.clip((gap - gap_m / 2) / (gap_m / 2 + pixel), 0, 1)
        image *= (1 - depth * (1 - seam))[..., None]
        return image

    return Finish(Material(in_bands(shape, paint_rows), roughness, 0.2), size_m)


def plaster(
    rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (8.0, 3.0), rough: float = 1.0
) -> Finish:
    """Painted plaster with faint roller marks and blotches; ``rough`` scales them."""
    shape = pixels(size_m, 0.008, 1024)
    tone = 0.012 * noise(rng, shape, 90, 2.5) + 0.010 * noise(rng, shape, 3, 1.0)
    plain = np.asarray(color, np.float32)
    image = in_bands(shape, lambda band: plain * (1 + rough * tone[band])[..., None])
    return Finish(Material(image, 0.85, 0.2), size_m)


def concrete(rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (8.0, 3.0)) -> Finish:
    """Exposed concrete: clouds, streaks, pores and the joints of the formwork."""
    shape = pixels(size_m, 0.006, 1024)
    clouds = 0.07 * noise(rng, shape, 120, 2.2) + 0.03 * noise(rng, shape, (200, 6), 1.5)
    grit = 0.035 * noise(rng, shape, 1.5, 0.5)
    pores = np.clip(noise(rng, shape, 3, 2) - 2.4, 0, 1) * -0.35
    _, to_y, to_x = cells(
        rng, shape, max(1, round(size_m[1] / 1.25)), max(1, round(size_m[0] / 2.5)), shift="none"
    )
    joints = -0.28 * (np.minimum(to_y, to_x) < 1.2)
    tone = 1 + clouds + grit + pores + joints
    plain = np.asarray(color, np.float32)
    image = in_bands(shape, lambda band: plain * tone[band, :, None])
    return Finish(Material(image, 0.8, 0.25), size_m)


def bricks(
    rng: Rng,
    color: ArrayLike,
    mortar: ArrayLike,
    *,
    size_m: tuple[float, float] = (4.8, 3.0),
    variety: float = 0.6,
) -> Finish:
    """A brick wall in running bond (24 x 7.5 cm courses); small ``variety`` looks painted."""
    shape = pixels(size_m, 0.004, 1024)
    rows, columns = 2 * round(size_m[1] / 0.15), round(size_m[0] / 0.24)
    cell, to_y, to_x = cells(rng, shape, rows, columns, shift="half")
    pixel = size_m[0] / shape[1]
    edges = np.minimum(to_y, to_x) * pixel + 0.0025 * noise(rng, shape, 6, 1.5)
    count = rows * columns
    tone = 1 + variety * rng.normal(0, 0.17, (count, 1)).astype(np.float32)
    tone = tone * warmth(rng, count, 0.13 * variety)
    fired = np.asarray(color, np.float32) * tone
    grit = 1 + 0.06 * noise(rng, shape, 4, 1.0) + 0.04 * noise(rng, shape, 60, 2)
    between = 1 + 0.06 * noise(rng, shape, 2, 1.0)
    joint = np.asarray(mortar, np.float32)

    def paint_rows(band: slice) -> Image:
        edge = edges[band]
        brick = np.clip((edge - 0.004) / 0.004, 0, 1)
        face = fired[cell[band]]
        face *= grit[band, :, None]
        base = joint * between[band, :, None]
        image = base * (1 - brick)[..., None] + face * brick[..., None]
        shadow: Image = 1 - 0.25 * np.clip(1 - np.abs(edge - 0.004) / 0.004, 0, 1)
        return image * shadow[..., None]

    return Finish(Material(in_bands(shape, paint_rows), 0.85, 0.2), size_m)


def tiles(
    rng: Rng,
    size_m: tuple[float, float],
    color: ArrayLike,
    *,
    tile_m: tuple[float, float] = (0.6, 0.6),
    grout: ArrayLike = (0.5, 0.48, 0.45),
    shift: str = "none",
    variety: float = 0.5,
    most: int = 2048,
) -> Finish:
    """Stone slabs with veins and clouds, each a little different, with grout between them.

    No side of the image is longer than ``most`` pixels.
    """
    shape = pixels(size_m, 0.006, most)
    rows, columns = max(2, round(size_m[1] / tile_m[1])), max(2, round(size_m[0] / tile_m[0]))
    cell, to_y, to_x = cells(rng, shape, rows, columns, shift=shift)
    count = rows * columns
    clouds = noise(rng, shape, 40, 1.8)
    veins = np.exp(-np.abs(noise(rng, shape, (50, 140), 2.2)) * 14)
    roll = rng.integers(0, shape[1], count)
    grit = noise(rng, shape, 1.5, 0.5)
    tone = 1 + variety * rng.normal(0, 0.09, (count, 1)).astype(np.float32)
    tone = tone * warmth(rng, count, 0.04 * variety)
    cut = np.asarray(color, np.float32) * tone
    pixel = size_m[0] / shape[1]
    uneven = noise(rng, shape, 8, 1.5)
    between = noise(rng, shape, 2, 1.0)
    joint = np.asarray(grout, np.float32)

    def paint_rows(band: slice) -> Image:
        tile = cell[band]
        across = (np.arange(shape[1]) + roll[tile]) % shape[1]
        row = np.arange(shape[0])[band, None]
        texture = 0.05 * clouds[row, across] - 0.07 * veins[row, across]
        texture += 0.03 * grit[band]
        face = cut[tile] * (1 + texture)[..., None]
        edge = np.minimum(to_y[band], to_x[band]) * pixel + 0.0012 * uneven[band]
        stone = np.clip((edge - 0.0025) / max(0.003, pixel), 0, 1)[..., None]
        base = joint * (1 + 0.08 * between[band])[..., None]
        image: Image = base * (1 - stone) + face * stone
        return image

    return Finish(Material(in_bands(shape, paint_rows), 0.55, 0.35), size_m)


def cloth(
    rng: Rng, color: ArrayLike, second: ArrayLike | None = None, *, stripes: int = 0
) -> Finish:
    """Woven cloth, 1 m square, with optional stripes of a second colour across u."""
    shape = (512, 512)
    y, x = np.mgrid[: shape[0], : shape[1]]
    weave = 0.05 * np.sin(x * np.pi / 2) * np.sin(y * np.pi / 2)
    tone = 1 + weave + 0.03 * noise(rng, shape, 40, 2.0) + 0.04 * noise(rng, shape, 2, 1.0)
    image = np.broadcast_to(np.asarray(color, np.float32), (*shape, 3))
    if second is not None and stripes:
        edges = np.sort(rng.uniform(0, 1, 2 * stripes))
        band = np.searchsorted(edges, np.arange(shape[1]) / shape[1]) % 2
        image = mix(color, second, np.broadcast_to(band, shape).astype(np.float32))
    return Finish(Material(image_bytes(image * tone[..., None].astype(np.float32)), 0.95, 0.1))


def rug(rng: Rng, colors: ArrayLike, size_m: tuple[float, float]) -> Finish:
    """A knotted rug: borders and a mirrored field of stepped figures in colours (C, 3)."""
    palette = np.asarray(colors, np.float32)
    shape = pixels(size_m, 0.005, 512)
    v = np.abs(np.linspace(-1, 1, shape[0]))[:, None] * size_m[1] / 2
    u = np.abs(np.linspace(-1, 1, shape[1]))[None, :] * size_m[0] / 2
    from_edge = np.minimum(size_m[1] / 2 - v, size_m[0] / 2 - u)
    small = noise(rng, (48, 48), 7, 2.5)
    steps = (np.minimum(v / 0.04, 47).astype(int), np.minimum(u / 0.04, 47).astype(int))
    field = np.clip((small[steps] * 0.9 + 1.5), 0, len(palette) - 1).astype(int)
    image = palette[field]
    for k, (low, high) in enumerate(((0.0, 0.04), (0.04, 0.14), (0.14, 0.17))):
        image[(from_edge >= low) & (from_edge < high)] = palette[k % len(palette)]
    image = (
        image
        * (1 + 0.08 * noise(rng, shape, 1.5, 0.8) + 0.04 * noise(rng, shape, 60, 2))[..., None]
    )
    return Finish(Material(image_bytes(image), 1.0, 0.05), size_m)


MAT_PATTERNS = ("plain", "marbled", "border", "lines", "mandala")


def foam(rng: Rng, color: ArrayLike, second: ArrayLike, pattern: str) -> Finish:
    """A yoga mat's face, 1.83 x 0.66 m: closed-cell foam with one of ``MAT_PATTERNS`` printed."""
    size_m = (1.83, 0.66)
    shape = (264, 732)
    y = np.linspace(-size_m[1] / 2, size_m[1] / 2, shape[0])[:, None]
    x = np.linspace(-size_m[0] / 2, size_m[0] / 2, shape[1])[None, :]
    share: Image = np.zeros(shape, np.float32)
    if pattern == "marbled":
        share = np.tanh(2 * noise(rng, shape, (60, 160), 2.2)) * 0.2 + 0.3
    elif pattern == "border":
        edge = np.minimum(size_m[1] / 2 - abs(y), size_m[0] / 2 - abs(x))
        share = ((edge > 0.035) & (edge < 0.05)).astype(np.float32)
    elif pattern == "lines":
        cross = (abs(y) < 0.004) | (abs(abs(x) - 0.45) < 0.004) | (abs(x) < 0.004)
        share = cross.astype(np.float32)
    elif pattern == "mandala":
        radius, angle = np.hypot(x, y), np.arctan2(y, x)
        petals = radius * 26 + 1.2 * np.abs(np.sin(4 * angle)) * (radius > 0.05)
        share = ((petals % 1 < 0.28) & (radius < 0.29)).astype(np.float32)
    image = mix(color, second, 0.85 * np.broadcast_to(share, shape).astype(np.float32))
    tone = 1 + 0.03 * noise(rng, shape, 2, 1.0) + 0.025 * noise(rng, shape, 60, 2.0)
    return Finish(Material(image_bytes(image * tone[..., None]), 0.75, 0.25), size_m)


def picture(rng: Rng) -> Finish:
    """An abstract painting on a unit square: soft fields of colour."""
    shape = (256, 256)
    ground = rng.uniform(0.55, 0.9) * np.array([1.0, 0.96, 0.9])
    image = np.broadcast_to(ground.astype(np.float32), (*shape, 3))
    for _ in range(int(rng.integers(2, 5))):
        hue = rng.uniform(0.2, 0.75) * (0.62 + 0.38 * rng.uniform(0.3, 1.0, 3) * [1.25, 1.0, 0.85])
        field = np.clip(2.5 * (noise(rng, shape, rng.uniform(50, 160), 3.0) - 0.4), 0, 1)
        image = mix(image, hue, field)
    return Finish(Material(image_bytes(image), 0.8, 0.15))

"""Procedural finishes: wood, plaster, brick, concrete, stone, grass, leaves, cloth, foam.

A finish is a material together with the true size of its image. All images repeat without a seam;
where a surface is large, the image is as large as the surface so that nothing repeats in view.
Colours are sRGB in 0..1; while they are worked out they lie in planes (3, H, W), which is several
times as fast as pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from spinetrack_synth.scenes.shapes import Mesh, Rng, joined
from spinetrack_synth.shot import Material, Surface

Image = NDArray[np.floating[Any]]
"""A value for each pixel (H, W), or colours in planes (3, H, W)."""

FADED: Final = 1e-3
"""Gain below which the frequencies of a row or a column are left out of an image's noise: of noise
as strong as that of wood's year rings half a step of 8 bits."""


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
    fy = np.fft.fftfreq(shape[0]).astype(np.float32) * np.float32(down)
    fx = np.fft.rfftfreq(shape[1]).astype(np.float32) * np.float32(across)
    power = np.float32(-decay / 2 - 0.5)
    lasting = (1 + fy * fy) ** power > faded
    fx = fx[(1 + fx * fx) ** power > faded]
    gain = (1 + fy[lasting, None] ** 2 + fx * fx) ** power
    gain[0, 0] = 0
    # Of the waves along the columns alone only the real part will be taken, half of their power.
    gain[:, 0] *= np.float32(np.sqrt(2))
    spectrum = np.zeros((shape[0], len(fx)), np.complex64)
    spectrum[lasting] = waves(rng, gain.shape) * gain
    spectrum = fft.ifft(spectrum, axis=0, norm="forward", overwrite_x=True)
    field: Image = fft.irfft(spectrum, n=shape[1], norm="forward", overwrite_x=True)
    field *= np.float32(1 / max(float(np.sqrt(np.vdot(field, field) / field.size)), 1e-9))
    return field


def grit(rng: Rng, shape: tuple[int, int], feature_px: float, decay: float) -> Image:
    """Noise of features so small that nobody sees a patch of it repeated."""
    patch = noise(rng, (min(shape[0], 512), min(shape[1], 512)), feature_px, decay)
    repeats = [-(-side // part) for side, part in zip(shape, patch.shape)]
    return np.tile(patch, repeats)[: shape[0], : shape[1]]


def speckle(rng: Rng, shape: tuple[int, int]) -> Image:
    """A number of its own for each pixel, mean 0 and deviation 1."""
    pairs = waves(rng, (shape[0], -(-shape[1] // 2)))
    return pairs.view(np.float32)[:, : shape[1]] * np.float32(np.sqrt(2))


def waves(rng: Rng, shape: tuple[int, ...]) -> NDArray[np.complex64]:
    """Complex normal numbers whose squares are 1 on average, of a stream of their own: how many
    there are changes nothing of what is drawn after them."""
    count = int(np.prod(shape))
    bits = rng.spawn(1)[0].bit_generator.random_raw(-(-count // 4)).view(np.uint16)[:count]
    return _normal_numbers()[bits].reshape(shape)


@cache
def _normal_numbers() -> NDArray[np.complex64]:
    """Complex normal numbers (65536,) that are equally likely: 256 lengths in 256 directions."""
    length = np.sqrt(-np.log((np.arange(256) + 0.5) / 256))
    direction = np.exp(2j * np.pi * np.arange(256) / 256)
    return np.outer(length, direction).astype(np.complex64).ravel()


def in_planes(color: ArrayLike) -> Image:
    """Colours (3,) or in planes (3, H, W) as planes."""
    planes = np.asarray(color, np.float32)
    return planes if planes.ndim == 3 else planes.reshape(3, 1, 1)


def mix(a: ArrayLike, b: ArrayLike, share: Image) -> Image:
    """Planes (3, H, W) from colours a to b, each (3,) or planes, by a share (H, W)."""
    first = in_planes(a)
    return first + (in_planes(b) - first) * np.clip(share, 0, 1)


def ramp(colors: ArrayLike, level: Image) -> Image:
    """Planes (3, H, W) of colours (C, 3) dark to light by a level (H, W) from 0 to 1."""
    palette = np.asarray(colors, np.float32)
    steps = np.linspace(0, len(palette) - 1, 1024)
    table = np.stack([np.interp(steps, np.arange(len(palette)), plane) for plane in palette.T])
    where = np.clip(level * np.float32(1023) + np.float32(0.5), 0, 1023).astype(np.int32)
    planes: Image = np.take(table.astype(np.float32), where, axis=1)
    return planes


def image_bytes(planes: Image) -> NDArray[np.uint8]:
    """An image (H, W, 3) in 0..255 of colours 0..1 in planes (3, H, W)."""
    return in_bands(planes.shape[1:], lambda rows: planes[:, rows])


def in_bands(
    shape: tuple[int, ...], paint_rows: Callable[[slice], Image], rows: int = 32
) -> NDArray[np.uint8]:
    """An image (H, W, 3) painted some rows at a time, each time planes (3, rows, W): what is worked
    out for each pixel by itself then stays in the processor's cache."""
    bands = (slice(first, min(first + rows, shape[0])) for first in range(0, shape[0], rows))
    return painted(shape, ((band, paint_rows(band)) for band in bands))


def painted(shape: tuple[int, ...], strips: Iterable[tuple[slice, Image]]) -> NDArray[np.uint8]:
    """An image (H, W, 3) of strips: their rows, and their colours in planes (3, rows, W)."""
    image = np.empty((*shape, 3), np.uint8)
    for band, planes in strips:
        levels = planes * np.float32(255)
        levels += np.float32(0.5)
        np.clip(levels, 0, 255, out=levels)
        for channel, plane in enumerate(levels.astype(np.uint8)):
            image[band, :, channel] = plane
    return image


def pixels(size_m: tuple[float, float], pixel_m: float, most: int) -> tuple[int, int]:
    """Image shape (rows, columns), even, for a size in metres, neither side above ``most``.

    Its sides have small prime factors alone, which transforms are fast for.
    """
    scale = min(1 / pixel_m, most / max(size_m))
    width, height = (
        min(most, 2 * fft.next_fast_len(max(8, round(side * scale / 2)))) for side in size_m
    )
    return height, width


@dataclass(frozen=True, eq=False)
class Courses:
    """Courses of bricks, boards or tiles in an image (H, W), C of them.

    ``bands`` are the rows of pixels of each. ``cell`` (C, W) is the number of the cell at each
    column of a course; ``to_y`` (H, 1) and ``to_x`` (C, W) are the distances in pixels to the
    nearest joint along and across the courses.
    """

    bands: tuple[slice, ...]
    cell: NDArray[np.int64]
    to_y: Image
    to_x: Image

    def to_joint(self, course: int) -> Image:
        """Distance in pixels to the nearest joint, (rows, W) of one course."""
        joint: Image = np.minimum(self.to_y[self.bands[course]], self.to_x[course])
        return joint

    def pieces(self, course: int) -> Iterator[tuple[int, slice]]:
        """The cells of a course and their columns; one that goes around the edge comes twice."""
        cell = self.cell[course]
        ends = np.flatnonzero(np.diff(cell)) + 1
        for first, end in pairwise((0, *ends.tolist(), len(cell))):
            yield int(cell[first]), slice(first, end)


def courses(rng: Rng, shape: tuple[int, int], rows: int, columns: int, *, shift: str) -> Courses:
    """So many courses of so many cells each; ``shift``: "none", "half" or "random" of each."""
    y = (np.arange(shape[0]) + 0.5) * rows / shape[0]
    x = (np.arange(shape[1]) + 0.5) * columns / shape[1]
    moves = {
        "none": np.zeros(rows),
        "half": (np.arange(rows) % 2) * 0.5,
        "random": rng.uniform(0, columns, rows),
    }[shift]
    along = (x + moves[:, None]) % columns
    in_y, in_x = (y % 1)[:, None], along % 1
    ends = np.searchsorted(y, np.arange(rows + 1)).tolist()
    return Courses(
        bands=tuple(slice(first, end) for first, end in pairwise(ends)),
        cell=np.arange(rows)[:, None] * columns + along.astype(np.int64),
        to_y=(np.minimum(in_y, 1 - in_y) * shape[0] / rows).astype(np.float32),
        to_x=(np.minimum(in_x, 1 - in_x) * shape[1] / columns).astype(np.float32),
    )


def warmth(rng: Rng, count: int, deviation: float) -> Image:
    """Factors (3, count) that make pieces of one material a little warmer or cooler."""
    shift = deviation * rng.standard_normal(count).astype(np.float32)
    return 1 + np.array([[0.5], [0.0], [-1.0]], np.float32) * shift


def wood(rng: Rng, light: ArrayLike, dark: ArrayLike, *, size_m: tuple[float, float] = (2.4, 0.6),
         roughness: float = 0.45) -> Finish:  # fmt: skip
    """Plain wood, the grain along u."""
    shape = pixels(size_m, 0.0024, 1024)
    grain = _grain(rng, shape)
    return Finish(Material(image_bytes(mix(light, dark, grain)), roughness, 0.35), size_m)


def _grain(rng: Rng, shape: tuple[int, int]) -> Image:
    """Darkness of wood grain in 0..1 with year rings and fibres along the columns."""
    bend = noise(rng, shape, (60, 500), 2.5)
    fibres = noise(rng, shape, (2.0, 120), 1.5)
    rows = np.arange(shape[0], dtype=np.float32)[:, None] / shape[0]
    rings = np.sin(2 * np.pi * (rows * round(shape[0] / 26) + 1.1 * bend))
    grain = rings
    grain *= 0.102 + 0.068 * bend
    fibres *= 0.16
    grain += fibres
    grain += 0.42
    return np.clip(grain, 0, 1, out=grain)


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
    laid = courses(rng, shape, rows, columns, shift="random")
    grain = np.tile(_grain(rng, shape).ravel(), 2)
    # Each board shows its own stretch of the grain field.
    count = rows * columns
    start = rng.integers(0, len(grain) // 2, count)
    tone = rng.normal(0, 0.22 * variety, count).astype(np.float32)
    warm = warmth(rng, count, 0.05 * variety)
    cloud = 1 + 0.03 * noise(rng, shape, 300, 2.5)
    pixel = size_m[0] / shape[1]
    # A gap narrower than a pixel darkens it by its share.
    depth = 0.22 + 0.48 * min(1.0, gap_m / pixel)

    def strips() -> Iterator[tuple[slice, Image]]:
        for k, band in enumerate(laid.bands):
            height = band.stop - band.start
            own = np.empty((height, shape[1]), np.float32)
            for board, where in laid.pieces(k):
                first = start[board] + band.start * shape[1]
                stretch = grain[first : first + height * shape[1]].reshape(own.shape)
                own[:, where] = stretch[:, where] + tone[board]
            planes = mix(light, dark, own)
            planes *= warm[:, laid.cell[k]][:, None]
            seam = np.clip((laid.to_joint(k) * pixel - gap_m / 2) / (gap_m / 2 + pixel), 0, 1)
            planes *= cloud[band] * (1 - depth * (1 - seam))
            yield band, planes

    return Finish(Material(painted(shape, strips()), roughness, 0.2), size_m)


def plaster(
    rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (8.0, 3.0), rough: float = 1.0
) -> Finish:
    """Painted plaster with faint roller marks and blotches; ``rough`` scales them."""
    shape = pixels(size_m, 0.008, 1024)
    tone = 0.012 * noise(rng, shape, 90, 2.5) + 0.010 * grit(rng, shape, 3, 1.0)
    plain = in_planes(color)
    image = in_bands(shape, lambda band: plain * (1 + rough * tone[band]))
    return Finish(Material(image, 0.85, 0.2), size_m)


def concrete(rng: Rng, color: ArrayLike, *, size_m: tuple[float, float] = (8.0, 3.0)) -> Finish:
    """Exposed concrete: clouds, streaks, pores and the joints of the formwork."""
    shape = pixels(size_m, 0.006, 1024)
    tone = 1 + 0.07 * noise(rng, shape, 120, 2.2)
    tone += 0.03 * noise(rng, shape, (200, 6), 1.5)
    tone += 0.035 * grit(rng, shape, 1.5, 0.5)
    tone -= 0.35 * np.clip(noise(rng, shape, 3, 2) - 2.4, 0, 1)
    laid = courses(
        rng, shape, max(1, round(size_m[1] / 1.25)), max(1, round(size_m[0] / 2.5)), shift="none"
    )
    for k, band in enumerate(laid.bands):
        tone[band] -= 0.28 * (laid.to_joint(k) < 1.2)
    plain = in_planes(color)
    image = in_bands(shape, lambda band: plain * tone[band])
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
    laid = courses(rng, shape, rows, columns, shift="half")
    pixel = size_m[0] / shape[1]
    ragged = 0.0025 * noise(rng, shape, 6, 1.5)
    count = rows * columns
    tone = 1 + variety * rng.normal(0, 0.17, count).astype(np.float32)
    fired = in_planes(color)[:, 0] * tone * warmth(rng, count, 0.13 * variety)
    burnt = 1 + 0.06 * grit(rng, shape, 4, 1.0) + 0.04 * noise(rng, shape, 60, 2)
    between = 1 + 0.06 * grit(rng, shape, 2, 1.0)
    joint = in_planes(mortar)

    def strips() -> Iterator[tuple[slice, Image]]:
        for k, band in enumerate(laid.bands):
            edge = laid.to_joint(k) * pixel + ragged[band]
            face = fired[:, laid.cell[k]][:, None] * burnt[band]
            planes = mix(joint * between[band], face, (edge - 0.004) / 0.004)
            planes *= 1 - 0.25 * np.clip(1 - np.abs(edge - 0.004) / 0.004, 0, 1)
            yield band, planes

    return Finish(Material(painted(shape, strips()), 0.85, 0.2), size_m)


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
    laid = courses(rng, shape, rows, columns, shift=shift)
    count = rows * columns
    veined = 0.05 * noise(rng, shape, 40, 1.8)
    veined -= 0.07 * np.exp(-14 * np.abs(noise(rng, shape, (50, 140), 2.2)))
    veined = np.tile(veined, 2)
    roll = rng.integers(0, shape[1], count)
    grain = grit(rng, shape, 1.5, 0.5)
    tone = 1 + variety * rng.normal(0, 0.09, count).astype(np.float32)
    cut = in_planes(color)[:, 0] * tone * warmth(rng, count, 0.04 * variety)
    pixel = size_m[0] / shape[1]
    ragged = 0.0012 * grit(rng, shape, 8, 1.5)
    joint = in_planes(grout)

    def strips() -> Iterator[tuple[slice, Image]]:
        for k, band in enumerate(laid.bands):
            texture = 1 + 0.03 * grain[band]
            for tile, where in laid.pieces(k):  # of each another stretch of the veins
                texture[:, where] += veined[
                    band, where.start + roll[tile] : where.stop + roll[tile]
                ]
            edge = laid.to_joint(k) * pixel + ragged[band]
            face = cut[:, laid.cell[k]][:, None] * texture
            rough = joint * (1 + 0.08 * grain[band])
            yield band, mix(rough, face, (edge - 0.0025) / max(0.003, pixel))

    return Finish(Material(painted(shape, strips()), 0.55, 0.35), size_m)


def cloth(
    rng: Rng, color: ArrayLike, second: ArrayLike | None = None, *, stripes: int = 0
) -> Finish:
    """Woven cloth, 1 m square, with optional stripes of a second colour across u."""
    shape = (512, 512)
    wave = np.sin(np.arange(512, dtype=np.float32) * (np.pi / 2))
    tone = 1 + 0.05 * wave[:, None] * wave
    tone += 0.03 * noise(rng, shape, 40, 2.0)
    tone += 0.04 * noise(rng, shape, 2, 1.0)
    planes = in_planes(color)
    if second is not None and stripes:
        edges = np.sort(rng.uniform(0, 1, 2 * stripes))
        band = np.searchsorted(edges, np.arange(shape[1]) / shape[1]) % 2
        planes = mix(color, second, band[None].astype(np.float32))
    return Finish(Material(in_bands(shape, lambda rows: planes * tone[rows]), 0.95, 0.1))


def rug(rng: Rng, colors: ArrayLike, size_m: tuple[float, float]) -> Finish:
    """A knotted rug: borders and a mirrored field of stepped figures in colours (C, 3)."""
    palette = np.asarray(colors, np.float32)
    shape = pixels(size_m, 0.005, 512)
    v = np.abs(np.linspace(-1, 1, shape[0]))[:, None] * size_m[1] / 2
    u = np.abs(np.linspace(-1, 1, shape[1]))[None, :] * size_m[0] / 2
    from_edge = np.minimum(size_m[1] / 2 - v, size_m[0] / 2 - u)
    small = noise(rng, (48, 48), 7, 2.5)
    steps = (np.minimum(v / 0.04, 47).astype(int), np.minimum(u / 0.04, 47).astype(int))
    figure = np.clip((small[steps] * 0.9 + 1.5), 0, len(palette) - 1).astype(int)
    for k, (low, high) in enumerate(((0.0, 0.04), (0.04, 0.14), (0.14, 0.17))):
        figure[(from_edge >= low) & (from_edge < high)] = k % len(palette)
    tone = 1 + 0.08 * noise(rng, shape, 1.5, 0.8) + 0.04 * noise(rng, shape, 60, 2)
    return Finish(Material(image_bytes(palette.T[:, figure] * tone), 1.0, 0.05), size_m)


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
    planes = mix(color, second, 0.85 * share)
    planes = planes * (1 + 0.03 * noise(rng, shape, 2, 1.0) + 0.025 * noise(rng, shape, 60, 2.0))
    return Finish(Material(image_bytes(planes), 0.75, 0.25), size_m)


def picture(rng: Rng) -> Finish:
    """An abstract painting on a unit square: soft fields of colour."""
    shape = (256, 256)
    planes = in_planes(rng.uniform(0.55, 0.9) * np.array([1.0, 0.96, 0.9]))
    for _ in range(int(rng.integers(2, 5))):
        hue = rng.uniform(0.2, 0.75) * (0.62 + 0.38 * rng.uniform(0.3, 1.0, 3) * [1.25, 1.0, 0.85])
        field = 2.5 * (noise(rng, shape, rng.uniform(50, 160), 3.0) - 0.4)
        planes = mix(planes, hue, field)
    return Finish(Material(image_bytes(planes), 0.8, 0.15))

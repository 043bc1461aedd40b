"""Repeats of printed and woven cloth: small pictures that tile, drawn from colours and a stream.

A swatch is drawn with shapes that reach over its edges and come in again at the other side, so it
repeats without a seam.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from spinetrack_synth.avatars.array_types import Array, Color, Floats

_PX_M: Final = 0.0012
"""Size of a swatch's pixel: finer than the texels of clothes."""

_FINE: Final = 3
"""Shapes are drawn so many times larger, for smooth edges."""

Rng = np.random.Generator
Rgb = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Swatch:
    """One repeat of a cloth: ``image`` (H, W, 3) float32 sRGB 0..1, ``turn_rad`` its slant,
    ``px_m`` how wide and high a pixel is."""

    image: NDArray[np.float32]
    turn_rad: float = 0.0
    px_m: tuple[float, float] = (_PX_M, _PX_M)

    def smeared(self, blur_m: float) -> Swatch:
        """The same cloth in pixels that stand for so much of it each."""
        if blur_m <= _PX_M:
            return self
        image = shrunk(self.image, blur_m / _PX_M)
        (height, width), (rows, columns) = self.image.shape[:2], image.shape[:2]
        return Swatch(image, self.turn_rad, (_PX_M * width / columns, _PX_M * height / rows))

    def at(self, across_along_m: Floats) -> NDArray[np.float32]:
        """Colours (N, 3) at places (N, 2) m of the cloth."""
        height, width = self.image.shape[:2]
        x, y = across_along_m.T
        if self.turn_rad:
            c, s = np.float32(np.cos(self.turn_rad)), np.float32(np.sin(self.turn_rad))
            x, y = c * x - s * y, s * x + c * y
        column = np.floor(x * np.float32(1 / self.px_m[0])).astype(np.int32) % width
        row = np.floor(y * np.float32(-1 / self.px_m[1])).astype(np.int32) % height
        colors: NDArray[np.float32] = self.image.reshape(-1, 3)[row * width + column]
        return colors


def shrunk(image: NDArray[np.float32], times: float) -> NDArray[np.float32]:
    """A picture (H, W, C) so many times as small, every pixel the mean of what it stands for; of a
    repeat it is one again."""
    width, height = (max(1, round(side / times)) for side in image.shape[1::-1])
    channels = [
        Image.fromarray(np.ascontiguousarray(image[..., c])).resize(
            (width, height), Image.Resampling.BOX
        )
        for c in range(image.shape[2])
    ]
    return np.stack([np.asarray(channel) for channel in channels], axis=2)


def draw_swatch(kind: str, colors: Sequence[Color], rng: Rng) -> Swatch:
    """A swatch of a kind of ``KINDS`` in at least three colours, the ground first."""
    return KINDS[kind](colors, rng)


class _Tile:
    """A canvas that repeats, metres from its upper left corner."""

    def __init__(self, width_m: float, height_m: float, ground: Color) -> None:
        self.size_px = (max(2, round(width_m / _PX_M)), max(2, round(height_m / _PX_M)))
        self.scale = _FINE / _PX_M
        self.picture = Image.new(
            "RGB", (_FINE * self.size_px[0], _FINE * self.size_px[1]), _rgb(ground)
        )
        self.draw = ImageDraw.Draw(self.picture)

    def polygon(self, points_m: Array, color: Color) -> None:
        """A filled polygon (N, 2) m, wherever it reaches over the edges too."""
        points = points_m * self.scale
        size = np.array(self.picture.size)
        low, high = points.min(axis=0), points.max(axis=0)
        for i in range(int(np.floor(low[0] / size[0])), int(np.floor(high[0] / size[0])) + 1):
            for j in range(int(np.floor(low[1] / size[1])), int(np.floor(high[1] / size[1])) + 1):
                moved = points - size * [i, j]
                self.draw.polygon([tuple(p) for p in moved.tolist()], fill=_rgb(color))

    def ellipse(
        self,
        center_m: Array | tuple[float, float],
        radii_m: tuple[float, float],
        turn: float,
        color: Color,
    ) -> None:
        """A filled ellipse, turned by an angle (rad)."""
        angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        ring = np.stack([radii_m[0] * np.cos(angle), radii_m[1] * np.sin(angle)], axis=1)
        self.polygon(np.asarray(center_m) + ring @ _turned(turn), color)

    def swatch(self, turn_rad: float = 0.0) -> Swatch:
        small = self.picture.resize(self.size_px, Image.Resampling.BOX)
        return Swatch((np.asarray(small) / 255).astype(np.float32), turn_rad)


def _turned(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, s], [-s, c]])


def _rgb(color: Color) -> Rgb:
    red, green, blue = (round(255 * channel) for channel in color)
    return red, green, blue


def _bands(widths_m: Sequence[float], colors: Sequence[Color]) -> NDArray[np.float32]:
    """Colours (N, 3) across bands of so many metres, one after another."""
    edges = np.cumsum(widths_m) / _PX_M
    places = np.arange(max(2, round(edges[-1]))) + 0.5
    index = np.minimum(np.searchsorted(edges, places), len(widths_m) - 1)
    return np.array(colors, np.float32)[index]


def _stripes(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Even, thin or grouped stripes, lying, standing or slanting."""
    ground, first, second = colors[:3]
    kind = rng.choice(["even", "thin", "grouped", "many"], p=[0.3, 0.35, 0.2, 0.15])
    pitch = float(np.exp(rng.uniform(np.log(0.012), np.log(0.11))))
    if kind == "even":
        widths, taken = [pitch / 2] * 2, [ground, first]
    elif kind == "thin":
        thin = pitch * rng.uniform(0.12, 0.35)
        widths, taken = [pitch - thin, thin], [ground, first]
    elif kind == "grouped":
        thin = pitch * rng.uniform(0.08, 0.18)
        widths, taken = [pitch, thin, thin, thin], [ground, first, ground, second]
    else:
        count = int(rng.integers(4, 8))
        widths = list(pitch * rng.uniform(0.2, 0.7, count))
        taken = [colors[int(k)] for k in rng.integers(0, len(colors), count)]
    run = _bands(widths, taken)
    turn = float(rng.choice([0.0, np.pi / 2, rng.uniform(-1.0, 1.0)], p=[0.66, 0.27, 0.07]))
    return Swatch(np.repeat(run[:, None], 4, axis=1), turn)


def _pinstripes(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Fine lines that stand."""
    pitch = float(rng.uniform(0.008, 0.03))
    run = _bands([pitch, 0.0024], [colors[0], _toward(colors[0], colors[1], 0.6)])
    return Swatch(np.repeat(run[None], 4, axis=0))


def _tartan(colors: Sequence[Color], rng: Rng) -> Swatch:
    """A sett: the same bands across and along, woven over each other in twill."""
    count = int(rng.integers(3, 7))
    size = float(rng.uniform(0.05, 0.2))
    shares = rng.dirichlet(np.full(count, 0.9)) + 0.04
    order = [int(k) for k in rng.integers(0, len(colors), count)]
    order[int(np.argmax(shares))] = 0
    order[int(np.argmin(shares))] = 1
    half = [size * share for share in shares]
    run = _bands([*half, *half[::-1]], [colors[k] for k in (*order, *order[::-1])])
    return _woven(run, run)


def _gingham(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Two colours in even bands, both ways."""
    pitch = float(np.exp(rng.uniform(np.log(0.006), np.log(0.04))))
    run = _bands([pitch, pitch], colors[:2])
    return _woven(run, run)


def _windowpane(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Thin lines both ways."""
    pitch, thin = float(rng.uniform(0.03, 0.09)), float(rng.uniform(0.0024, 0.005))
    run = _bands([pitch, thin], [colors[0], colors[1]])
    image = np.repeat(run[:, None], len(run), axis=1)
    line = len(run) - max(1, round(thin / _PX_M))
    image[:, line:] = run[-1]
    return Swatch(np.ascontiguousarray(image))


def _woven(warp: NDArray[np.float32], weft: NDArray[np.float32]) -> Swatch:
    """Threads (W, 3) and (H, 3) that lie above one another by turns, along diagonals."""
    row, column = np.ogrid[: len(weft), : len(warp)]
    above = ((row + column) // 2 % 2 == 0)[..., None]
    mixed = 0.5 * (warp[None] + weft[:, None])
    twill = np.where(above, warp[None], weft[:, None])
    return Swatch((0.75 * mixed + 0.25 * twill).astype(np.float32))


def _houndstooth(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Broken checks of a 4 x 4 twill."""
    thread = max(1, round(rng.uniform(0.0012, 0.005) / _PX_M))
    row, column = np.mgrid[:8, :8]
    over = (row - column) % 4 < 2
    dark = np.where(over, column % 8 < 4, row % 8 < 4)
    image = np.array([colors[0], colors[1]], np.float32)[dark.astype(int)]
    return Swatch(np.ascontiguousarray(image.repeat(thread, axis=0).repeat(thread, axis=1)))


def _argyle(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Rhombs and the thin lines that cross them."""
    width = float(rng.uniform(0.05, 0.12))
    height = width * float(rng.uniform(1.2, 1.7))
    tile = _Tile(width, height, colors[0])
    rhomb = np.array([[0.5, 0.0], [1.0, 0.5], [0.5, 1.0], [0.0, 0.5]]) * [width, height]
    tile.polygon(rhomb * [0.5, 1] + [width / 4, 0], colors[1])
    tile.polygon(rhomb * [0.5, 1] + [-width / 4, height / 2], colors[2])
    for slope in (1, -1):
        line = np.array([[0, 0], [width, height * slope]])
        thick = np.array([0.0, 0.0035])
        tile.polygon(np.concatenate([line, line[::-1] + thick]), _toward(colors[0], colors[2], 0.6))
    return tile.swatch()


def _dots(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Dots in rows, each between two of the row above."""
    radius = float(np.exp(rng.uniform(np.log(0.0018), np.log(0.018))))
    pitch = radius * float(rng.uniform(3.0, 6.0))
    tile = _Tile(pitch, pitch, colors[0])
    tile.ellipse((pitch / 4, pitch / 4), (radius, radius), 0, colors[1])
    other = colors[2] if rng.random() < 0.2 else colors[1]
    tile.ellipse((pitch * 3 / 4, pitch * 3 / 4), (radius, radius), 0, other)
    return tile.swatch()


def _confetti(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Small shapes strewn about: dots, dashes, chips of stone."""
    size = float(rng.uniform(0.12, 0.2))
    tile = _Tile(size, size, colors[0])
    length = float(np.exp(rng.uniform(np.log(0.004), np.log(0.02))))
    thin = float(rng.choice([0.3, 1.0]))
    for _ in range(int(np.clip(0.25 * (size / length) ** 2, 8, 90))):
        color = colors[int(rng.integers(1, len(colors)))]
        radii = length * np.array([1, thin]) * rng.uniform(0.5, 1.0)
        tile.ellipse(rng.uniform(0, size, 2), (radii[0], radii[1]), rng.uniform(0, np.pi), color)
    return tile.swatch()


def _flowers(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Blossoms of five to eight petals with leaves, some large, some small."""
    radius = float(np.exp(rng.uniform(np.log(0.008), np.log(0.05))))
    size = float(np.clip(radius * rng.uniform(6, 9), 0.08, 0.3))
    tile = _Tile(size, size, colors[0])
    leaf = _toward(colors[0], (0.20, 0.38, 0.20), 0.75)
    petals = int(rng.integers(5, 9))
    for _ in range(int(np.clip(0.22 * (size / radius) ** 2, 5, 30))):
        center, own = rng.uniform(0, size, 2), radius * rng.uniform(0.5, 1.0)
        start = rng.uniform(0, 2 * np.pi)
        color, heart = (colors[int(k)] for k in rng.choice(np.arange(1, len(colors)), 2, False))
        for k in range(int(rng.integers(0, 4))):
            turn = start + 2.1 * k
            away = 1.35 * own * np.array([np.cos(turn), np.sin(turn)])
            tile.ellipse(center + away, (0.6 * own, 0.22 * own), turn, leaf)
        for k in range(petals):
            turn = start + 2 * np.pi * k / petals
            away = 0.58 * own * np.array([np.cos(turn), np.sin(turn)])
            tile.ellipse(center + away, (0.45 * own, 1.7 * own / petals), turn, color)
        tile.ellipse(center, (0.24 * own, 0.24 * own), 0, heart)
    return tile.swatch()


def _leaves(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Fronds: a stem with leaves to both sides."""
    length = float(rng.uniform(0.04, 0.16))
    size = float(np.clip(2.2 * length, 0.1, 0.32))
    tile = _Tile(size, size, colors[0])
    for _ in range(int(rng.integers(6, 12))):
        root, turn = rng.uniform(0, size, 2), rng.uniform(0, 2 * np.pi)
        way = np.array([np.cos(turn), np.sin(turn)])
        color = colors[int(rng.integers(1, len(colors)))]
        for along in np.linspace(0.15, 1.0, 6):
            for side in (-1, 1):
                slant = turn + side * 0.8
                own = 0.3 * length * (1.2 - along)
                tip = root + along * length * way + own * np.array([np.cos(slant), np.sin(slant)])
                tile.ellipse(tip, (own, 0.28 * own), slant, color)
    return tile.swatch()


def _leopard(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Broken rings about darker spots."""
    size, radius = 0.2, float(rng.uniform(0.007, 0.018))
    tile = _Tile(size, size, colors[0])
    middle = _toward(colors[0], colors[1], 0.45)
    step = 2.9 * radius
    cells = max(3, round(size / step))
    for i in range(cells):
        for j in range(cells):
            center = (np.array([i, j]) + rng.uniform(0.2, 0.8, 2)) * size / cells
            tile.ellipse(center, (radius, 0.8 * radius), rng.uniform(0, np.pi), middle)
            for turn in rng.uniform(0, 2 * np.pi) + np.array([0.0, 1.7, 3.6]):
                away = radius * np.array([np.cos(turn), np.sin(turn)])
                tile.ellipse(center + away, (0.3 * radius, 0.75 * radius), turn, colors[1])
    return tile.swatch()


def _zigzag(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Chevrons or waves."""
    pitch, rise = float(rng.uniform(0.02, 0.09)), float(rng.uniform(0.3, 0.9))
    bands = int(rng.integers(2, 5))
    height = pitch * bands / 2
    tile = _Tile(pitch, height, colors[0])
    x = np.linspace(0, 1, 25)
    swing = np.sin(2 * np.pi * x) / 2 if rng.random() < 0.4 else np.abs(2 * x - 1)
    for k in range(bands):
        top = np.stack([pitch * x, k * pitch / 2 + rise * pitch * swing], axis=1)
        color = colors[k % 2 if bands == 2 else k % len(colors)]
        tile.polygon(np.concatenate([top, np.add(top[::-1], [0, pitch / 2])]), color)
    return tile.swatch()


def _triangles(colors: Sequence[Color], rng: Rng) -> Swatch:
    """A field of triangles in all colours."""
    side, count = float(rng.uniform(0.02, 0.07)), int(rng.integers(2, 5))
    tile = _Tile(side * count, side * count, colors[0])
    for i in range(count):
        for j in range(count):
            corners = side * np.add([[0, 0], [1, 0], [1, 1], [0, 1]], [i, j])
            for first in rng.permutation(4)[: int(rng.integers(1, 3))]:
                color = colors[int(rng.integers(0, len(colors)))]
                tile.polygon(np.roll(corners, first, axis=0)[:3], color)
    return tile.swatch()


def _fair_isle(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Rows of knitted figures, stitch by stitch."""
    stitch = max(2, round(rng.uniform(0.003, 0.006) / _PX_M))
    columns = int(rng.choice([8, 12]))
    rows = []
    for _ in range(int(rng.integers(3, 6))):
        height = int(rng.integers(2, 8))
        half = rng.random((height, columns // 2)) < 0.45
        figure = np.concatenate([half, half[:, ::-1]], axis=1)
        color = int(rng.integers(1, len(colors)))
        rows += [np.zeros((2, columns), int), np.where(figure, color, 0)]
    image = np.array(colors, np.float32)[np.concatenate(rows)]
    return Swatch(np.ascontiguousarray(image.repeat(stitch, axis=0).repeat(stitch, axis=1)))


def _herringbone(colors: Sequence[Color], rng: Rng) -> Swatch:
    """Twill that turns every few threads."""
    thread, half = max(2, round(rng.uniform(0.002, 0.004) / _PX_M)), int(rng.integers(4, 9))
    row, column = np.mgrid[: 2 * 4 * thread, : 2 * half * thread]
    slant = np.where(column < half * thread, column, 2 * half * thread - 1 - column)
    dark = (row + slant) // thread % 4 < 2
    pair = [colors[0], _toward(colors[0], colors[1], 0.5)]
    return Swatch(np.ascontiguousarray(np.array(pair, np.float32)[dark.astype(int)]))


def _toward(a: Color, b: Color, share: float) -> Color:
    red, green, blue = (float(p + (q - p) * share) for p, q in zip(a, b, strict=True))
    return red, green, blue


KINDS: Final[dict[str, Callable[[Sequence[Color], Rng], Swatch]]] = {
    "stripes": _stripes, "pinstripes": _pinstripes, "tartan": _tartan, "gingham": _gingham,
    "windowpane": _windowpane, "houndstooth": _houndstooth, "argyle": _argyle, "dots": _dots,
    "confetti": _confetti, "flowers": _flowers, "leaves": _leaves, "leopard": _leopard,
    "zigzag": _zigzag, "triangles": _triangles, "fair isle": _fair_isle,
    "herringbone": _herringbone,
}  # fmt: skip

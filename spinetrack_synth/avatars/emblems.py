"""What is printed on clothes in one place: emblems, words and numbers that mean nothing.

Everything is invented from a stream of random numbers: letters are strokes of no alphabet, signs
are plain shapes, so that nobody has a right in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from spinetrack_synth.avatars.array_types import Array, Color

Rng = np.random.Generator
Print = NDArray[np.float32]
"""A print: (H, W, 4) sRGB and how thick it lies, 0..1, row 0 above."""

SIDE_PX: Final = 128
_FINE: Final = 3

# Strokes of digits on a grid 0..1 across, 0..2 down.
_DIGITS: Final = (
    ((0, 0), (1, 0), (1, 2), (0, 2), (0, 0)),
    ((0.1, 0.4), (0.6, 0), (0.6, 2)),
    ((0, 0.3), (0.2, 0), (1, 0), (1, 0.9), (0, 2), (1, 2)),
    ((0, 0), (1, 0), (1, 1), (0.3, 1), (1, 1), (1, 2), (0, 2)),
    ((0.8, 2), (0.8, 0), (0, 1.3), (1, 1.3)),
    ((1, 0), (0, 0), (0, 0.9), (1, 0.9), (1, 2), (0, 2)),
    ((1, 0), (0, 0.4), (0, 2), (1, 2), (1, 1), (0, 1)),
    ((0, 0), (1, 0), (0.3, 2)),
    ((0, 0), (1, 0), (1, 2), (0, 2), (0, 0), (0, 1), (1, 1)),
    ((0, 2), (1, 1.6), (1, 0), (0, 0), (0, 1), (1, 1)),
)


def number(digits: str, color: Color, edge: Color | None = None) -> Print:
    """A number in strokes, within an edge of another colour where one is given."""
    canvas = _Canvas()
    wide = 1.0 / (1.35 * len(digits) - 0.35 + 0.6)
    high = min(0.42, 1.1 * wide)
    for ink, thick in ((edge, 0.62), (color, 0.40)):
        if ink is None:
            continue
        for k, digit in enumerate(digits):
            left = (0.3 + 1.35 * k) * wide
            stroke = np.array(_DIGITS[int(digit)]) * [wide, high] + [left, 0.5 - high]
            canvas.line(stroke, thick * min(wide, 0.3), ink)
    return canvas.print()


def word(color: Color, rng: Rng, letters: int | None = None) -> Print:
    """A word of letters that do not exist, in one line."""
    canvas = _Canvas()
    count = int(rng.integers(3, 9)) if letters is None else letters
    wide = 0.9 / (1.3 * count)
    high = wide * float(rng.uniform(0.9, 1.5))
    slant = float(rng.choice([0.0, 0.25]))
    thick = wide * float(rng.uniform(0.12, 0.34))
    for k in range(count):
        for stroke in _letter(rng):
            points = stroke * [wide * 0.9, high / 2 * 0.9]
            points[:, 0] += 0.05 + (1.3 * k + 0.2) * wide - slant * (points[:, 1] - high / 2)
            canvas.line(np.add(points, [0, 0.5 - high / 2]), thick, color)
    return canvas.print()


def emblem(colors: Sequence[Color], rng: Rng) -> Print:
    """A sign of plain shapes, some with a word below."""
    canvas = _Canvas()
    first, second = colors[:2]
    sign = rng.choice(["disc", "star", "peaks", "rays", "bars", "rings", "face", "bolt"])
    middle = np.array([0.5, 0.42])
    if sign == "disc":
        canvas.disc(middle, 0.36, first)
        canvas.disc(middle, 0.30, second)
        canvas.polygon(middle + 0.24 * _star(int(rng.integers(3, 8)), rng.uniform(0.3, 1)), first)
    elif sign == "star":
        canvas.polygon(middle + 0.38 * _star(int(rng.integers(4, 9)), 0.45), first)
        canvas.disc(middle, 0.1, second)
    elif sign == "peaks":
        canvas.disc(middle + rng.uniform(-0.15, 0.15, 2), 0.2, second)
        for x in rng.uniform(0.2, 0.8, 3):
            width, top = rng.uniform(0.15, 0.3), rng.uniform(0.2, 0.5)
            canvas.polygon(np.array([[x - width, 0.7], [x, top], [x + width, 0.7]]), first)
    elif sign == "rays":
        for turn in np.linspace(0, 2 * np.pi, 13)[:-1]:
            way = np.array([np.cos(turn), np.sin(turn)])
            canvas.line(middle + np.outer([0.28, 0.35], way), 0.05, first)
        canvas.disc(middle, 0.2, second)
    elif sign == "bars":
        for k, y in enumerate(np.linspace(0.15, 0.65, int(rng.integers(3, 7)))):
            half = rng.uniform(0.15, 0.42)
            bar = np.array([[0.5 - half, y], [0.5 + half, y]])
            canvas.line(bar, 0.05, colors[k % len(colors)])
    elif sign == "rings":
        for k, radius in enumerate((0.38, 0.28, 0.18, 0.08)):
            canvas.disc(middle, radius, colors[k % len(colors)])
    elif sign == "face":
        canvas.disc(middle, 0.36, first)
        for x in (-0.13, 0.13):
            canvas.disc(np.add(middle, [x, -0.09]), 0.05, second)
            canvas.polygon(middle + [2 * x, -0.3] + 0.12 * _star(3, 1.0), first)
        turn = np.linspace(0.3, np.pi - 0.3, 9)
        smile = np.stack([0.2 * np.cos(turn), 0.2 * np.sin(turn)], 1)
        canvas.line(middle + smile, 0.04, second)
    else:
        bolt = np.array([[0.55, 0.05], [0.3, 0.45], [0.48, 0.45], [0.4, 0.8], [0.7, 0.35],
                         [0.52, 0.35]])  # fmt: skip
        canvas.polygon(bolt, first)
    drawn = canvas.print()
    if rng.random() < 0.5:
        below = word(first, rng)
        rows = SIDE_PX // 2 - SIDE_PX // 8, SIDE_PX // 2 + SIDE_PX // 8
        strip = below[rows[0] : rows[1]]
        place = drawn[-len(strip) :]
        over = strip[..., 3:]
        place[..., :3] += over * (strip[..., :3] - place[..., :3])
        place[..., 3:] = np.maximum(place[..., 3:], over)
    return drawn


class _Canvas:
    """A square to draw on, 0..1 both ways."""

    def __init__(self) -> None:
        self.side = SIDE_PX * _FINE
        self.picture = Image.new("RGBA", (self.side, self.side), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.picture)

    def polygon(self, points: Array, color: Color) -> None:
        self.draw.polygon([tuple(p) for p in (points * self.side).tolist()], fill=_rgba(color))

    def disc(self, center: Array, radius: float, color: Color) -> None:
        box = np.concatenate([center - radius, center + radius]) * self.side
        self.draw.ellipse([float(v) for v in box], fill=_rgba(color))

    def line(self, points: Array, thick: float, color: Color) -> None:
        """Strokes with square ends that reach half their thickness beyond the points."""
        ends = points.copy()
        for end, next_to in ((0, 1), (-1, -2)):
            way = points[end] - points[next_to]
            ends[end] += 0.5 * thick * way / max(float(np.linalg.norm(way)), 1e-9)
        places = [tuple(p) for p in (ends * self.side).tolist()]
        width = max(1, round(thick * self.side))
        self.draw.line(places, fill=_rgba(color), width=width, joint="curve")

    def print(self) -> Print:
        small = self.picture.resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
        return (np.asarray(small) / 255).astype(np.float32)


def _letter(rng: Rng) -> list[Array]:
    """Two or three strokes between the points of a grid, 0..1 across and 0..2 down."""
    grid = np.array([(x, y) for y in (0, 1, 2) for x in (0, 1)], float)
    across = float(rng.choice([0.0, 0.5, 1.0]))
    upright = np.array([[across, 0.0], [across, 2.0]])
    strokes = [upright] if rng.random() < 0.75 else []
    for _ in range(int(rng.integers(1, 3))):
        strokes.append(grid[rng.choice(len(grid), int(rng.integers(2, 4)), replace=False)])
    return strokes


def _star(points: int, inner: float) -> Array:
    """A star (N, 2) of radius 1; ``inner`` 1 makes it a polygon of twice as many corners."""
    turn = np.linspace(0, 2 * np.pi, 2 * points, endpoint=False) - np.pi / 2
    radius = np.where(np.arange(2 * points) % 2 == 0, 1.0, inner)
    star: Array = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    return star


def _rgba(color: Color) -> tuple[int, int, int, int]:
    red, green, blue = (round(255 * channel) for channel in color)
    return red, green, blue, 255

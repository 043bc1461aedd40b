"""The colours of clothes: drawn from regions of CIELAB, as often as people wear them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from spinetrack_synth.avatars.array_types import Array, Color


class Region(NamedTuple):
    """Colours of one name: their share of clothes, and ranges of L*, chroma and hue (degrees)."""

    share: float
    lightness: tuple[float, float]
    chroma: tuple[float, float]
    hue_deg: tuple[float, float]


# Shares are estimates for clothes in the street, close to what shops list: a third of all is black
# or white, blues lead the colours.
REGIONS: Final = {
    "black": Region(0.20, (4, 15), (0, 4), (0, 360)),
    "white": Region(0.12, (84, 95), (0, 5), (0, 360)),
    "grey": Region(0.11, (22, 78), (0, 5), (0, 360)),
    "navy": Region(0.08, (9, 23), (10, 32), (265, 290)),
    "blue": Region(0.10, (28, 75), (15, 55), (240, 290)),
    "teal": Region(0.03, (25, 70), (15, 45), (180, 230)),
    "green": Region(0.06, (22, 75), (15, 58), (115, 170)),
    "olive": Region(0.04, (22, 52), (10, 34), (90, 118)),
    "yellow": Region(0.03, (70, 88), (35, 85), (80, 100)),
    "orange": Region(0.03, (48, 72), (40, 80), (48, 72)),
    "red": Region(0.05, (28, 50), (42, 75), (20, 42)),
    "burgundy": Region(0.03, (11, 26), (16, 38), (2, 30)),
    "pink": Region(0.05, (52, 84), (14, 55), (340, 375)),
    "purple": Region(0.04, (16, 68), (14, 55), (295, 335)),
    "brown": Region(0.04, (15, 42), (10, 34), (45, 75)),
    "beige": Region(0.05, (64, 90), (5, 24), (70, 100)),
    "neon": Region(0.01, (72, 90), (80, 115), (5, 140)),
}
NEUTRAL: Final = ("black", "white", "grey", "navy", "beige")
_APART: Final = 0.12
"""Two colours of one cloth differ by so much in a channel, or nobody would see the pattern."""


def draw_color(rng: np.random.Generator, names: tuple[str, ...] = tuple(REGIONS)) -> Color:
    """A colour of cloth, sRGB 0..1: any, or one of the named regions."""
    shares = np.array([REGIONS[name].share for name in names])
    region = REGIONS[names[rng.choice(len(names), p=shares / shares.sum())]]
    lightness, chroma, hue = (rng.uniform(*span) for span in region[1:])
    turn = np.deg2rad(hue)
    return lab_color(lightness, chroma * np.cos(turn), chroma * np.sin(turn))


def draw_second(rng: np.random.Generator, main: Color) -> Color:
    """A colour that goes with another and tells itself from it: half of the time a neutral one."""
    while True:
        names = NEUTRAL if rng.random() < 0.5 else tuple(REGIONS)
        second = draw_color(rng, names)
        if np.abs(np.subtract(main, second)).max() >= _APART:
            return second


def denim_color(rng: np.random.Generator) -> Color:
    """The colour of denim: indigo from raw to bleached, now and then black or grey."""
    if rng.random() < 0.2:
        return lab_color(float(rng.uniform(8, 45)), 0.0, float(rng.uniform(-4, 0)))
    lightness = float(rng.uniform(13, 58))
    return lab_color(lightness, float(rng.uniform(-3, 4)), float(rng.uniform(-30, -14)))


def lab_color(lightness: float, a: float, b: float) -> Color:
    """sRGB 0..1 of CIELAB (white D65), clipped to what cloth reflects."""
    fy = (lightness + 16) / 116
    f = np.array([fy + a / 500, fy, fy - b / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * [0.95047, 1.0, 1.08883]
    linear = np.clip(_XYZ2RGB @ xyz, 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = np.clip(srgb, 0.02, 0.93)
    return float(red), float(green), float(blue)


_XYZ2RGB: Final[Array] = np.array(
    [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
)

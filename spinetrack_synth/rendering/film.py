"""From noisy linear light to a picture: denoising, exposure, a filmic curve, sRGB."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

EXPOSURE: Final = 0.65
"""Brings a surface lit like the people to its natural place on the filmic curve: a grey card of
18 % to 110 of 255, which makes people nearly as bright as in photographs."""

PEOPLE_COUNT: Final = 0.6
"""Weight of the light on the people against that on everything in sight."""

BRIGHTEST: Final = 0.7
"""Light that develops to 220 of 255: of the people, and of everything in sight, nine tenths should
stay below."""

HIGHLIGHTS: Final = 0.5
"""How much of what is brighter is taken back, in stops: 0 nothing, 1 all of it."""

WHITE_BALANCE: Final = 0.5
"""How far the colour of the light is taken out: 0 not at all, 1 wholly."""

LEAST_ALBEDO: Final = 0.03
"""Darker surfaces say nothing about the light: their shine outweighs their colour."""

FEWEST_PIXELS: Final = 64
"""People smaller than this do not lead the exposure."""

LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Weights of linear Rec. 709 / sRGB red, green and blue."""


def denoise(
    radiance: Image,
    albedo: Image,
    normal: Image,
    strength: Literal["fast", "balanced", "high"],
    *,
    clean_guides: bool = True,
) -> Image:
    """Open Image Denoise on the CPU; all (H, W, 3) float32, ``normal`` in the world.

    ``clean_guides`` takes albedo and normal for noiseless: that keeps every eye and brick, and
    costs a little roughness where hair is thin. Through an open lens they are noisy.
    """
    import pyoidn

    clean: Image = pyoidn.denoise(
        radiance, albedo=albedo, normal=normal, hdr=True, clean_aux=clean_guides, quality=strength
    )
    return clean


def meter(radiance: Image, albedo: Image, ids: NDArray[np.uint8]) -> Image:
    """Gains (3,) of red, green and blue: exposure and white balance in one.

    Metered like a photographer holding a meter beside the subject: by the light that falls on
    things, which is radiance over albedo, not by how bright they are. So dark skin stays dark and
    white cloth white, whoever stands before whatever. The people's light counts most. Where that
    would blow out the sunlit side of them, or the room they stand in, some of it is taken back. The
    light's own colour is taken out by half, as a camera leaves some warmth to an evening.
    """
    reflecting = albedo @ LUMINANCE > LEAST_ALBEDO
    if not reflecting.any():
        typical = float(np.median(radiance @ LUMINANCE))
        return np.full(3, EXPOSURE * 0.18 / max(typical, 1e-9), dtype=np.float32)
    light = radiance / np.maximum(albedo, np.float32(LEAST_ALBEDO))
    whole = _median(light[reflecting])
    on_people = reflecting & (ids > 0)
    seen = on_people.sum() >= FEWEST_PIXELS
    people = _median(light[on_people]) if seen else whole
    mixed = people**PEOPLE_COUNT * whole ** (1 - PEOPLE_COUNT)
    strength = float(mixed @ LUMINANCE)
    gains: NDArray[np.float64] = EXPOSURE / strength * (mixed / strength) ** -WHITE_BALANCE
    exposed = radiance @ (gains * LUMINANCE).astype(np.float32)
    bright = float(np.percentile(exposed[reflecting], 90))
    if seen:
        bright = max(bright, float(np.percentile(exposed[on_people], 90)))
    taken_back: float = min(1.0, (BRIGHTEST / max(bright, 1e-9)) ** HIGHLIGHTS)
    gains *= taken_back
    return gains.astype(np.float32)


def develop(radiance: Image, gains: Image | float) -> NDArray[np.uint8]:
    """Linear RGB to sRGB uint8 through a filmic curve (Narkowicz's fit of ACES, 2015)."""
    x = np.maximum(radiance * np.asarray(gains, dtype=np.float32), 0)
    x = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    return _SRGB[(x * (len(_SRGB) - 1) + 0.5).astype(np.uint16)]


def undevelop(rgb: NDArray[np.uint8]) -> Image:
    """The linear RGB that `develop` makes this picture of: a guess where others made it."""
    encoded = np.arange(256) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    # The curve's quadratic equation, solved for light.
    a, b, c = 2.43 * linear - 2.51, 0.59 * linear - 0.03, 0.14 * linear
    light = (-b - np.sqrt(b * b - 4 * a * c)) / (2 * a)
    return light.astype(np.float32)[rgb]


def _median(light: NDArray[np.floating]) -> NDArray[np.float64]:
    """Median of each channel of (N, 3), kept above zero."""
    return np.asarray(np.maximum(np.median(light, axis=0).astype(float), 1e-9))


def _srgb_table(size: int = 8192) -> NDArray[np.uint8]:
    linear = np.linspace(0, 1, size)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    table: NDArray[np.uint8] = np.rint(255 * encoded).astype(np.uint8)
    return table


_SRGB: Final = _srgb_table()
"""sRGB encoding by table: a power of every channel of every pixel costs ten times as much."""

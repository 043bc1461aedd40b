"""From noisy linear light to a picture: denoising, exposure, a filmic curve, sRGB."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

MIDDLE_GREY: Final = 0.18
"""Where the scene's typical luminance lands before the filmic curve."""

LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Weights of linear Rec. 709 / sRGB red, green and blue."""


def denoise(
    radiance: Image, albedo: Image, normal: Image, strength: Literal["fast", "balanced", "high"]
) -> Image:
    """Open Image Denoise on the CPU; all (H, W, 3) float32, ``normal`` in the world."""
    import pyoidn

    clean: Image = pyoidn.denoise(
        radiance, albedo=albedo, normal=normal, hdr=True, quality=strength
    )
    return clean


def automatic_exposure(radiance: Image, ids: NDArray[np.uint8]) -> float:
    """The factor that exposes people well and keeps the surroundings bearable.

    Median luminance of the people and of the whole picture, mixed in the logarithm with most
    weight on the people, is brought to a mid tone; bright people are held below white.
    """
    luminance = radiance @ LUMINANCE
    whole = _log_median(luminance)
    people = luminance[ids > 0]
    if people.size < 64:
        return float(MIDDLE_GREY * 1.4 / np.exp(whole))
    typical = np.exp(0.7 * _log_median(people) + 0.3 * whole)
    exposure = MIDDLE_GREY * 1.25 / typical
    bright = max(float(np.percentile(people, 95)), 1e-9)
    return float(min(exposure, 1.6 / bright))


def develop(radiance: Image, exposure: float) -> NDArray[np.uint8]:
    """Linear RGB to sRGB uint8 through a filmic curve (Narkowicz's fit of ACES, 2015)."""
    x = np.maximum(radiance * np.float32(exposure), 0)
    x = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    return _SRGB[(x * (len(_SRGB) - 1) + 0.5).astype(np.uint16)]


def _log_median(luminance: Image) -> float:
    return float(np.log(max(float(np.median(luminance)), 1e-9)))


def _srgb_table(size: int = 8192) -> NDArray[np.uint8]:
    linear = np.linspace(0, 1, size)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * encoded).astype(np.uint8)


_SRGB: Final = _srgb_table()
"""sRGB encoding by table: a power of every channel of every pixel costs ten times as much."""

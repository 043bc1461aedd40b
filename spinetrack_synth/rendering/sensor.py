"""What a real camera adds to the light before it is developed: fall-off to the corners, the noise
of a sensor, a white balance that is off."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from spinetrack_synth.rendering import film
from spinetrack_synth.rendering.film import LUMINANCE, Image
from spinetrack_synth.shot import Film, Frame, Shot

ELECTRONS: Final = 22_000.0
"""That light 1 frees in a pixel at ISO 100: a full well of 20,000 (pixels of 2 to 4 um hold 6,000
to 30,000), filled 7.8 times as bright as middle grey (ISO 12232), which is exposed to 0.12."""

READ_NOISE: Final = 2.5
"""Electrons, standard deviation: 1 to 4 in today's CMOS sensors."""

BALANCE: Final = np.array([2.0, 1.0, 1.6], dtype=np.float32)
"""By which daylight's red, green and blue are multiplied: a silicon sensor sees most green."""

_GRAIN: Final = 0x6A41


def record(light: Image, shot: Shot) -> Image:
    """Linear light (H, W, 3), metered, as the shot's film holds it; the same for the same shot."""
    assert shot.film is not None
    light = light * _falloff(light.shape[0], light.shape[1], shot.film.vignetting_stops)
    if shot.film.iso > 0:
        rng = np.random.default_rng([shot.seed, shot.index, _GRAIN])
        light = light + _noise(light, shot.film.iso, rng)
    return light * _white_balance(shot.film)


def taken(frame: Frame, shot: Shot) -> Frame:
    """A frame whose picture another renderer developed, as the shot's film would hold it.

    Its light is guessed by turning our own curve back, so highlights that it clipped stay white.
    """
    if shot.film is None:
        return frame
    return replace(frame, rgb=film.develop(record(film.undevelop(frame.rgb), shot), 1.0))


def _falloff(height: int, width: int, stops: float) -> Image:
    """Part of the light (H, W, 1) that arrives: ``stops`` are lost in the corners, none in the
    middle, with the square of the distance between as in most lenses stopped down a little."""
    y, x = (np.arange(side, dtype=np.float32) + 0.5 - side / 2 for side in (height, width))
    radius2 = (x * x + (y * y)[:, None]) / ((height * height + width * width) / 4)
    return np.exp2(-stops * radius2, dtype=np.float32)[..., None]


def _white_balance(taken_with: Film) -> Image:
    """Gains (3,) of red, green and blue that leave white as bright as it was."""
    warm, green = taken_with.temperature_stops / 2, taken_with.tint_stops
    gains = np.exp2(np.array([warm, green, -warm], dtype=np.float32))
    even: Image = (gains / (gains @ LUMINANCE)).astype(np.float32)
    return even


def _noise(light: Image, iso: float, rng: np.random.Generator) -> Image:
    """Noise (H, W, 3) of the light's own electrons and of reading them out: Poisson's and Gauss's,
    the first by its normal limit (Foi et al. 2008, 10.1109/TIP.2008.2001399)."""
    electrons = ELECTRONS * 100 / iso / BALANCE
    variance = np.maximum(light, 0) / electrons + (READ_NOISE / electrons) ** 2
    grain = _mosaic_grain(light.shape[0], light.shape[1], rng)
    noise: Image = np.sqrt(variance, dtype=np.float32) * grain
    return noise


def _mosaic_grain(height: int, width: int, rng: np.random.Generator) -> Image:
    """Noise (H, W, 3) of variance 1 where a channel was measured and less between, as the colours
    of a Bayer mosaic (red, green over green, blue) are filled in bilinearly."""
    grain = rng.standard_normal((height, width), dtype=np.float32)
    red, green, blue = (np.zeros_like(grain) for _ in range(3))
    red[::2, ::2], blue[1::2, 1::2] = grain[::2, ::2], grain[1::2, 1::2]
    green[::2, 1::2], green[1::2, ::2] = grain[::2, 1::2], grain[1::2, ::2]
    tent, beside = np.array([0.5, 1, 0.5]), np.array([0.25, 0, 0.25])
    red, blue = (_along(_along(channel, tent, 0), tent, 1) for channel in (red, blue))
    green = green + _along(green, beside, 0) + _along(green, beside, 1)
    return np.stack([red, green, blue], axis=-1)


def _along(channel: Image, weights: NDArray[np.float64], axis: int) -> Image:
    filled: Image = correlate1d(channel, weights, axis, mode="mirror")
    return filled

"""Light of a shot: daylight through windows, lamps, sun or a grey sky, and the exposure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from spinetrack_synth.scenes.description import LightRules, Range
from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.shapes import Array, Rng
from spinetrack_synth.shot import Ambient, AreaLight, Light, Sun

_KELVIN: Final = np.array([2000, 2700, 3500, 4500, 5500, 6500, 8000, 12000], float)
_WHITE: Final = np.array(
    [
        [1.00, 0.27, 0.01], [1.00, 0.43, 0.12], [1.00, 0.60, 0.30], [1.00, 0.75, 0.54],
        [1.00, 0.88, 0.78], [1.00, 0.98, 1.00], [0.77, 0.85, 1.00], [0.58, 0.71, 1.00],
    ]
)  # fmt: skip
"""Linear sRGB of black bodies, largest part 1 (Planckian locus, CIE 1931, D65 white)."""


def black_body(kelvin: float) -> Array:
    """Linear RGB (3,) of light of a colour temperature, of luminance 1."""
    rgb = np.array([np.interp(kelvin, _KELVIN, _WHITE[:, k]) for k in range(3)])
    light: Array = rgb / (rgb @ [0.2126, 0.7152, 0.0722])
    return light


AFTER_SUNSET: Final = {"dusk": 0.75, "night": 0.5}
"""Exposure against the automatic one, by the name of the light: dark stays darker than day."""


def draw(rng: Rng, values: Range) -> float:
    """A value of a range, all as likely."""
    return float(rng.uniform(values.low, values.high))


def light_up(place: Place, rules: LightRules, rng: Rng) -> tuple[tuple[Light, ...], str]:
    """The lights of a shot at a place, and their name.

    Indoors ``daylight``, ``evening``, or ``lamps`` where there is no window; outdoors ``sun``,
    ``overcast``, ``dusk`` or ``night``.
    """
    if place.outdoors:
        return _outdoors(place, rules, rng)
    # Both sets are drawn whatever comes, so that one share does not change the other's values.
    day = black_body(draw(rng, rules.daylight_kelvin)) * rng.uniform(6, 14)
    lamp = black_body(draw(rng, rules.lamp_kelvin)) * rng.uniform(10, 18)
    evening, with_lamps = rng.random() < rules.evening, rng.random() < rules.lamps
    if not place.windows:
        return _glowing(place.lamps, lamp), "lamps"
    if evening and place.lamps:
        dusk = black_body(11000) * 0.12
        return (*_glowing(place.windows, dusk), *_glowing(place.lamps, lamp)), "evening"
    if with_lamps and place.lamps:
        return (*_glowing(place.windows, day), *_glowing(place.lamps, 0.7 * lamp)), "daylight"
    return _glowing(place.windows, day), "daylight"


def _glowing(panes: tuple[AreaLight, ...], radiance: Array) -> tuple[AreaLight, ...]:
    def scaled(pane: AreaLight) -> AreaLight:
        red, green, blue = (float(a * b) for a, b in zip(radiance, pane.radiance))
        return replace(pane, radiance=(red, green, blue))

    return tuple(map(scaled, panes))


def _outdoors(place: Place, rules: LightRules, rng: Rng) -> tuple[tuple[Light, ...], str]:
    # A scene without nights draws no number for them: its days stay as they were.
    if rules.night and rng.random() < rules.night:
        return _after_sunset(place, rules, rng)
    return _under_the_sky(rules, rng)


def _after_sunset(place: Place, rules: LightRules, rng: Rng) -> tuple[tuple[Light, ...], str]:
    """Dusk or night: what is left of the sky, and the lamps of the street where there are any.

    A tenth to a thirtieth of a day's sky is left at dusk; at night the lamps outshine the rest.
    """
    azimuth = rng.uniform(0, 2 * np.pi)
    sunken = (float(np.cos(azimuth)), -0.05, float(np.sin(azimuth)))
    # Without a lamp there would be nothing to see at night.
    dusk = rng.random() < 0.5 or not place.lamps
    afterglow = float(np.exp(rng.uniform(np.log(0.03), np.log(0.12))))
    lamp = black_body(draw(rng, rules.lamp_kelvin)) * rng.uniform(15, 30)
    sky = black_body(11000) * rng.uniform(0.4, 1.0)
    if dusk:
        sky = sky * (0.10 * afterglow)
        glow = Sun(sunken, turbidity=draw(rng, rules.turbidity), sun_scale=0, sky_scale=afterglow)
        shining = 0.3 * lamp
    else:
        sky = sky * 0.0003
        glow = Sun(sunken, turbidity=4.0, sun_scale=0, sky_scale=0.0006)
        shining = lamp
    red, green, blue = (float(c) for c in sky)
    lights: tuple[Light, ...] = (glow, Ambient((red, green, blue)))
    return (*lights, *_glowing(place.lamps, shining)), "dusk" if dusk else "night"


def _under_the_sky(rules: LightRules, rng: Rng) -> tuple[tuple[Light, ...], str]:
    elevation = np.radians(draw(rng, rules.sun_elevation_deg))
    azimuth = rng.uniform(0, 2 * np.pi)
    turbidity = draw(rng, rules.turbidity)
    if rng.random() < rules.overcast:
        # A hazy sky almost without its sun, and the even grey of cloud.
        high = (0.3 * float(np.cos(azimuth)), 0.95, 0.3 * float(np.sin(azimuth)))
        red, green, blue = (float(c) for c in black_body(6800) * rng.uniform(0.02, 0.05))
        veiled = Sun(high, turbidity=9.0, sun_scale=0.02, sky_scale=1.0)
        return (veiled, Ambient((red, green, blue))), "overcast"
    flat = np.cos(elevation)
    direction = (
        float(flat * np.cos(azimuth)),
        float(np.sin(elevation)),
        float(flat * np.sin(azimuth)),
    )
    # Thin cloud dims the disc more than the sky.
    veil = float(rng.uniform(0.45, 1.0))
    return (Sun(direction, turbidity=turbidity, sun_scale=veil, sky_scale=1.0),), "sun"

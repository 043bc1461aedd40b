"""The numbers of clients that the level can bear; all others are refused with ValueError.

The renderer counts in float32: what is far beyond any scene ends there as infinity, or as a picture
of nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.rendering.unreal import axes
from spinetrack_synth.shot import AreaLight, Light, Sun

FARTHEST_CM: Final = 1e6
"""Ten kilometres from the origin, along each axis."""

MOST_DEGREES: Final = 36_000.0
"""A hundred turns."""

LARGEST_SCALE: Final = 1000.0

MOST_RADIANCE: Final = 1e6

EXPOSURE: Final = (0.001, 1000.0)
"""Ten stops either way; scenes take four."""

TURBIDITY: Final = (1.0, 10.0)
"""Where Hosek and Wilkie fitted their sky (ACM Trans. Graph. 31(4), 2012)."""

MOST_SUNS: Final = 1000.0
"""Of the factors on the sun and the sky."""


def check_location(location_cm: ArrayLike) -> None:
    """A place, or many (..., 3)."""
    _check(location_cm, -FARTHEST_CM, FARTHEST_CM, "a location")


def check_angles(angles_deg: ArrayLike) -> None:
    """Angles of any shape."""
    _check(angles_deg, -MOST_DEGREES, MOST_DEGREES, "an angle")


def check_scale(scale: ArrayLike) -> None:
    """A factor along each axis (3,)."""
    _check(scale, -LARGEST_SCALE, LARGEST_SCALE, "a scale")


def check_exposure(exposure: float) -> None:
    """A factor on the exposure."""
    _check(exposure, *EXPOSURE, "an exposure")


def check_light(light: Light) -> None:
    """A light of any kind."""
    if isinstance(light, Sun):
        _check_direction(light.direction_world, "a sun's direction")
        _check(light.turbidity, *TURBIDITY, "a turbidity")
        _check((light.sun_scale, light.sky_scale), 0, MOST_SUNS, "a factor on the sun or the sky")
        return
    _check(light.radiance, 0, MOST_RADIANCE, "a radiance")
    if isinstance(light, AreaLight):
        check_location(axes.CM_PER_M * np.asarray(light.center_world))
        for half_axis_world in (light.half_u_world, light.half_v_world):
            _check_direction(axes.CM_PER_M * np.asarray(half_axis_world), "a half axis of a light")


def _check(values: ArrayLike, least: float, most: float, what: str) -> None:
    array = np.ravel(values)
    wrong = array[~((least <= array) & (array <= most))]  # nan is wrong as well
    if wrong.size:
        raise ValueError(f"{what} of {wrong[0]:g} is not in {least:g} to {most:g}")


def _check_direction(vector: ArrayLike, what: str) -> None:
    _check(np.linalg.norm(vector), 1e-6, FARTHEST_CM, f"{what} with a length")

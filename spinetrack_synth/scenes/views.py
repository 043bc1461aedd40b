"""Further cameras of the same moment, spread about the first person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from spinetrack_synth.camera import Camera
from spinetrack_synth.scenes.shapes import Array

SPREAD_DEG: Final = 90.0
"""The directions in which N cameras look differ by this over N at least, half of what an even
spread has. Cameras that face each other count as looking the same way: they measure no depth."""

LEAST_OF_SPREAD: Final = 0.5
"""Share of it that does where a room has no place for more."""


def further_views(
    first: Camera,
    middle: Array,
    views: int,
    find: Callable[[Callable[[Camera], bool]], Camera | None],
) -> tuple[Camera, ...] | None:
    """``views`` - 1 more cameras, no two of which look the same way; None where none were found.

    ``middle`` (3,) m is what all look at; ``find`` finds a camera that fulfils a condition.
    """
    cameras = [first]
    while len(cameras) < views:
        for share in (1.0, LEAST_OF_SPREAD):
            least_rad = share * np.radians(SPREAD_DEG) / views
            camera = find(lambda new: _crossing_rad(new, cameras, middle) >= least_rad)  # noqa: B023
            if camera is not None:
                break
        else:
            return None
        cameras.append(camera)
    return tuple(cameras[1:])


def _crossing_rad(new: Camera, others: Sequence[Camera], middle: Array) -> float:
    """The least angle, 0 to 90 degrees, at which lines of sight to a point cross, from above."""
    azimuths = np.array([_azimuth_rad(camera, middle) for camera in others])
    apart = np.abs(azimuths - _azimuth_rad(new, middle)) % np.pi
    return float(np.minimum(apart, np.pi - apart).min())


def _azimuth_rad(camera: Camera, middle: Array) -> float:
    x, _, z = camera.position_world - middle
    return float(np.arctan2(z, x))

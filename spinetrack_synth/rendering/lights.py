"""Light from far away: the sun, and a map of sky, ambient light and the ground below the horizon.

The map is equirectangular and Y up, as Mitsuba's ``envmap`` reads it: row j looks along
theta = pi j / (H - 1) from +Y, column i along phi = 2 pi (i + .5) / W, and
direction = (sin phi sin theta, cos theta, -cos phi sin theta).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.shot import Ambient, Environment, Light, Sun

Array = NDArray[np.float64]

MAP_HEIGHT: Final = 128
"""Rows of the map, 1.4 degrees each: the sky is smooth, the sun is not in it."""

GROUND_ALBEDO: Final = (0.30, 0.28, 0.24)
"""Dry ground; what lies below the horizon reflects this much of the light that falls on it."""

SUN_RADIUS_RAD: Final = float(np.deg2rad(0.2666))
"""Angular radius of the sun's disc."""

HAZE_RAD: Final = float(np.deg2rad(6.0))
"""Below the horizon the ground fades into the sky's colour over this angle."""

LOWEST_SUN: Final = float(np.sin(np.deg2rad(1.0)))
"""The sky model ends at the horizon; a sun below it leaves the sky of a sun that stands here."""

NEVER_BLACK: Final = 1e-5
"""A map without any light can't be sampled."""


@dataclass(frozen=True)
class Distant:
    """Light from infinity: ``radiance`` (H, 2 H, 3) linear RGB, and a sun apart from it.

    ``sun_direction`` (3,) is the unit vector to the sun, ``sun_irradiance`` (3,) what its disc
    gives a plane that faces it, zero where there is none.
    """

    radiance: NDArray[np.float32]
    sun_direction: Array
    sun_irradiance: Array

    @property
    def irradiance(self) -> Array:
        """Irradiance (3,) of the map without the sun, averaged over all orientations."""
        mean: Array = (self.radiance * solid_angles(len(self.radiance))).sum(axis=(0, 1)) / 4
        return mean


def distant_light(lights: tuple[Light, ...]) -> Distant:
    """All light from far away; area lights are left out. Raises ValueError for a second sun."""
    suns = [light for light in lights if isinstance(light, Sun | Environment)]
    if len(suns) > 1:
        raise ValueError(f"a shot has at most one sun, this one has {len(suns)}")
    if suns:
        sky = suns[0]
        distant = sun_and_sky(sky) if isinstance(sky, Sun) else _measured(sky)
    else:
        dark = np.full((MAP_HEIGHT, 2 * MAP_HEIGHT, 3), NEVER_BLACK, dtype=np.float32)
        distant = Distant(dark, np.array([0.0, 1.0, 0.0]), np.zeros(3))
    ambient = sum(
        (np.asarray(light.radiance) for light in lights if isinstance(light, Ambient)),
        start=np.zeros(3),
    )
    radiance = distant.radiance + ambient.astype(np.float32)
    return Distant(radiance, distant.sun_direction, distant.sun_irradiance)


@lru_cache(maxsize=1)
def directions(height: int) -> Array:
    """World directions (height, 2 height, 3) of the map's texels."""
    theta = np.linspace(0, np.pi, height)[:, None]
    phi = (np.arange(2 * height) + 0.5) * (np.pi / height)
    return np.stack(
        [
            np.sin(phi) * np.sin(theta),
            np.broadcast_to(np.cos(theta), (height, 2 * height)),
            -np.cos(phi) * np.sin(theta),
        ],
        axis=-1,
    )


@lru_cache(maxsize=1)
def solid_angles(height: int) -> Array:
    """Steradians (height, 1, 1) of the texels of each row."""
    edges = np.clip((np.arange(height + 1) - 0.5) * np.pi / (height - 1), 0, np.pi)
    return ((np.cos(edges[:-1]) - np.cos(edges[1:])) * np.pi / height)[:, None, None]


@lru_cache(maxsize=4)
def sun_and_sky(sun: Sun) -> Distant:
    """A clear sky with its sun, and sunlit ground below the horizon."""
    toward = np.asarray(sun.direction_world, dtype=float)
    toward = toward / np.linalg.norm(toward)
    model = np.array([toward[0], max(toward[1], LOWEST_SUN), toward[2]])
    model /= np.linalg.norm(model)

    dirs = directions(MAP_HEIGHT)
    above = dirs[:, 0, 1] > 0
    radiance = np.zeros((MAP_HEIGHT, 2 * MAP_HEIGHT, 3))
    sky = _hosek_wilkie(model, sun.turbidity, sun_scale=0.0, sky_scale=sun.sky_scale)
    radiance[above] = _look(sky, dirs[above].reshape(-1, 3)).reshape(radiance[above].shape)
    sun_irradiance = np.zeros(3)
    if toward[1] > 0:
        disc = _hosek_wilkie(model, sun.turbidity, sun_scale=sun.sun_scale, sky_scale=0.0)
        sun_irradiance = _look(disc, _disc(model)).mean(axis=0) * np.pi * SUN_RADIUS_RAD**2

    falling = (radiance * np.maximum(dirs[..., 1:2], 0) * solid_angles(MAP_HEIGHT)).sum(axis=(0, 1))
    ground = np.asarray(GROUND_ALBEDO) / np.pi * (falling + sun_irradiance * max(toward[1], 0))
    horizon = radiance[above][-1]
    depression = np.arcsin(-dirs[~above, :1, 1:2])
    fade = np.clip(depression / HAZE_RAD, 0, 1)
    fade = fade * fade * (3 - 2 * fade)
    radiance[~above] = horizon + (ground - horizon) * fade
    return Distant((radiance + NEVER_BLACK).astype(np.float32), toward, sun_irradiance)


def _measured(around: Environment) -> Distant:
    toward = np.asarray(around.sun_direction_world, dtype=float)
    return Distant(
        around.radiance + np.float32(NEVER_BLACK),
        toward / np.linalg.norm(toward),
        np.asarray(around.sun_irradiance, dtype=float),
    )


def _disc(toward: Array, points: int = 64) -> Array:
    """Directions (points, 3) spread evenly over the sun's disc."""
    radius = SUN_RADIUS_RAD * np.sqrt((np.arange(points) + 0.5) / points)
    angle = np.arange(points) * np.pi * (3 - np.sqrt(5))  # a sunflower
    side = np.cross(toward, [0.0, 1.0, 0.0] if toward[1] < 0.9 else [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    up = np.cross(side, toward)
    across = np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * up
    directions: Array = np.cos(radius)[:, None] * toward + np.sin(radius)[:, None] * across
    return directions


def _hosek_wilkie(toward: Array, turbidity: float, *, sun_scale: float, sky_scale: float) -> Any:
    """Mitsuba's ``sunsky``: the radiance of a clear sky after Hosek and Wilkie (2012, 2013)."""
    import mitsuba as mi

    return mi.load_dict(
        {
            "type": "sunsky",
            "sun_direction": [float(value) for value in _z_up(toward)],
            "turbidity": turbidity,
            "albedo": 0.3,
            "sun_scale": sun_scale,
            "sky_scale": sky_scale,
        }
    )


def _look(emitter: Any, dirs: Array) -> Array:
    """Radiance (N, 3) of an emitter at infinity in the world directions (N, 3)."""
    import drjit as dr
    import mitsuba as mi

    back = -_z_up(dirs)
    if str(mi.variant()).startswith("scalar"):
        si = dr.zeros(mi.SurfaceInteraction3f)
        radiance = np.empty((len(back), 3))
        for row, direction in enumerate(back):
            si.wi = direction
            radiance[row] = emitter.eval(si)
        return radiance
    si = dr.zeros(mi.SurfaceInteraction3f, len(back))
    si.wi = mi.Vector3f(np.ascontiguousarray(back.T, dtype=np.float32))
    return np.array(emitter.eval(si), dtype=float).T


def _z_up(dirs: Array) -> Array:
    """Turned about X into the sky model's frame, so that the world's Y becomes its Z."""
    return np.stack([dirs[..., 0], -dirs[..., 2], dirs[..., 1]], axis=-1)

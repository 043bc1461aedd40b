"""Environment maps: a panorama of measured light lights the people and is seen behind them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from spinetrack_synth.backgrounds.files import halved, read_map
from spinetrack_synth.camera import Camera
from spinetrack_synth.rendering.film import LUMINANCE
from spinetrack_synth.rendering.lights import MAP_HEIGHT, directions, solid_angles
from spinetrack_synth.shot import Environment

Array = NDArray[np.float64]

TURNS: Final = 2 * MAP_HEIGHT
"""Azimuths that a map can be turned to: columns of the map of light."""

SUN_REACH_RAD: Final = float(np.deg2rad(4.0))
"""What shines within this angle of the brightest spot may be the sun: lenses spread it."""

LEAST_SUN: Final = 0.15
"""Part of the ground's light from which a compact bright spot is a sun of its own."""

ALBEDO: Final = (0.04, 0.6)
"""What grounds reflect, from asphalt to light sand; snow is brighter, and rare."""

NADIR: Final = -0.94
"""Cosine below which a map shows the tripod, or what was painted over it."""

KEPT: Final = 3
"""Maps kept in memory (200 MB each at the largest size)."""


@dataclass(frozen=True, eq=False)
class Panorama:
    """An environment map as it lies in its file: ``seen`` (H, 2 H, 3) linear RGB, the light it
    gives, and the albedo (3,) of the ground in it."""

    seen: NDArray[np.float32]
    light: Environment
    ground_albedo: Array


@lru_cache(maxsize=KEPT)
def load_panorama(path: Path) -> Panorama:
    """An environment map from its file. Raises UserError as `files.read_map` does."""
    seen = read_map(path)
    light = split_sun(_light_map(seen))
    return Panorama(seen, light, _ground_albedo(light))


def turned(light: Environment, turn: int) -> Environment:
    """The light turned about the vertical by ``turn`` of ``TURNS``, seen from above with the
    clock."""
    angle = 2 * np.pi * turn / TURNS
    x, y, z = light.sun_direction_world
    direction = (
        float(x * np.cos(angle) - z * np.sin(angle)),
        y,
        float(x * np.sin(angle) + z * np.cos(angle)),
    )
    return Environment(np.roll(light.radiance, turn, axis=1), direction, light.sun_irradiance)


def view_of(seen: NDArray[np.float32], camera: Camera, turn: int) -> NDArray[np.float32]:
    """What a camera sees of a panorama that is turned as `turned` turns its light, (H, W, 3)."""
    columns, rows = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    pixels = np.stack([columns, rows], axis=-1)
    rays = camera.unproject(pixels, np.ones_like(columns)) - camera.position_world
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    height, width = seen.shape[:2]
    phi = np.arctan2(rays[..., 0], -rays[..., 2]) - 2 * np.pi * turn / TURNS
    across = (phi / (2 * np.pi)) % 1 * width - 0.5
    down = np.clip(np.arccos(np.clip(rays[..., 1], -1, 1)) / np.pi * height - 0.5, 0, height - 1)
    return np.stack(
        [
            map_coordinates(seen[..., channel], [down, across], order=1, mode="grid-wrap")
            for channel in range(3)
        ],
        axis=-1,
    ).astype(np.float32)


def _light_map(seen: NDArray[np.float32]) -> Array:
    """The panorama in the layout of `rendering.lights`, (MAP_HEIGHT, 2 MAP_HEIGHT, 3)."""
    small = seen
    while small.shape[0] >= 2 * MAP_HEIGHT:
        small = halved(small)
    # Row j of the map looks along pi j / (H - 1), a row of the file along pi (row + .5) / H.
    down = np.clip(np.linspace(0, 1, MAP_HEIGHT) * len(small) - 0.5, 0, len(small) - 1)
    across = (np.arange(2 * MAP_HEIGHT) + 0.5) / (2 * MAP_HEIGHT) * small.shape[1] - 0.5
    grid = np.meshgrid(down, across, indexing="ij")
    mapped = np.stack(
        [
            map_coordinates(small[..., channel].astype(float), grid, order=1, mode="grid-wrap")
            for channel in range(3)
        ],
        axis=-1,
    )
    # Keep the energy, of which interpolation loses a little.
    rows = np.sin((np.arange(len(small)) + 0.5) * np.pi / len(small))[:, None, None]
    texel = (np.pi / len(small)) * (2 * np.pi / small.shape[1])
    whole = (small * rows * texel).sum(axis=(0, 1))
    kept = (mapped * solid_angles(MAP_HEIGHT)).sum(axis=(0, 1))
    scaled: Array = mapped * (whole / np.maximum(kept, 1e-12))
    return scaled


def split_sun(radiance: Array) -> Environment:
    """A map of light (H, 2 H, 3) and the sun in it apart, where there is one.

    A spot is a sun where what it gives above its surroundings is ``LEAST_SUN`` of all light that
    falls on the ground.
    """
    height = len(radiance)
    dirs, steradians = directions(height), solid_angles(height)
    luminance = radiance @ LUMINANCE
    peak = np.unravel_index(np.argmax(luminance), luminance.shape)
    toward = dirs[peak]
    near = dirs @ toward > np.cos(SUN_REACH_RAD)
    ring = (dirs @ toward > np.cos(2 * SUN_REACH_RAD)) & ~near
    around = np.median(radiance[ring], axis=0)
    excess = np.where(near[..., None], np.maximum(radiance - around, 0), 0) * steradians
    irradiance = excess.sum(axis=(0, 1))
    center = (dirs * (excess @ LUMINANCE)[..., None]).sum(axis=(0, 1))
    center /= max(float(np.linalg.norm(center)), 1e-12)
    on_ground = (radiance * np.maximum(dirs[..., 1:2], 0) * steradians).sum(axis=(0, 1))
    given = float(irradiance @ LUMINANCE) * max(float(center[1]), 0.0)
    if given < LEAST_SUN * float(on_ground @ LUMINANCE):
        return Environment(radiance.astype(np.float32))
    left = np.where(near[..., None], np.minimum(radiance, around), radiance)
    (x, y, z), (red, green, blue) = center, irradiance
    return Environment(
        left.astype(np.float32),
        (float(x), float(y), float(z)),
        (float(red), float(green), float(blue)),
    )


def ground_irradiance(light: Environment) -> Array:
    """Irradiance (3,) that level ground gets."""
    height = len(light.radiance)
    up = np.maximum(directions(height)[..., 1:2], 0) * solid_angles(height)
    sun = np.asarray(light.sun_irradiance) * max(light.sun_direction_world[1], 0.0)
    irradiance: Array = (light.radiance * up).sum(axis=(0, 1)) + sun
    return irradiance


def _ground_albedo(light: Environment) -> Array:
    """What the map's lower half reflects of the light of its upper half, (3,)."""
    heights = directions(len(light.radiance))[:, 0, 1]
    ground = light.radiance[(heights < -0.3) & (heights > NADIR)]
    reflected = np.pi * np.median(ground.reshape(-1, 3), axis=0)
    albedo: Array = np.clip(reflected / np.maximum(ground_irradiance(light), 1e-9), *ALBEDO)
    return albedo

"""Photographs as backgrounds: cut so that the ground lies as the camera sees it, and the light that
is guessed from them.

A photograph does not say what lit it. What is taken from it: how bright things are against a
well-exposed picture, the colour cast by shades of grey (Finlayson and Trezzi 2004), from which
side light comes by where it is brighter, and how hard it is by its contrast. The rest is assumed:
a level camera, its horizon in the middle of the photograph.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spinetrack_synth.backgrounds.environments import ALBEDO, ground_irradiance
from spinetrack_synth.backgrounds.files import read_photo
from spinetrack_synth.camera import Camera
from spinetrack_synth.rendering.film import EXPOSURE, LUMINANCE, undevelop
from spinetrack_synth.rendering.lights import MAP_HEIGHT, directions, solid_angles
from spinetrack_synth.shot import Environment

Array = NDArray[np.float64]

LARGEST_ZOOM: Final = 2.0
"""No smaller part of a photograph is taken to bring its horizon to the camera's."""

LONGEST_PX: Final = 4096
"""Photographs are kept at most so large."""

GROUND_ALBEDO: Final = 0.22
"""Taken for what lies in the lower part of a photograph: between grass and asphalt, .1 to .2, and
floors, concrete and sand, .3 to .4."""

GREY: Final = 0.18
"""Mean reflectance of a scene, what light meters are made for (ISO 2720)."""

CAST: Final = 0.4
"""Part of the photograph's colour cast that is taken for the light's; the rest is what things are
coloured, and what the camera has balanced away."""

NORM: Final = 6
"""Minkowski norm of shades of grey (Finlayson and Trezzi 2004)."""

STRENGTH: Final = (0.12, 2.0)
"""Light that an exposed photograph can show, as what a white surface sends back."""

HARDNESS: Final = (0.25, 0.75)
"""Part of the light that comes from one side: under a grey sky, and in full sun."""


@dataclass(frozen=True)
class Lit:
    """What is guessed of a photograph's light: ``environment``, and the albedo (3,) of the ground
    that sends back what the photograph shows there."""

    environment: Environment
    ground_albedo: Array


@lru_cache(maxsize=8)
def load_photo(path: Path) -> NDArray[np.uint8]:
    """A photograph (H, W, 3), made smaller where it is very large. Raises UserError as
    `files.read_photo` does."""
    image = Image.fromarray(read_photo(path))
    image.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
    return np.asarray(image)


def cut(photo: NDArray[np.uint8], camera: Camera, aside: float) -> NDArray[np.uint8]:
    """The part of a photograph that the camera would have taken, (camera height, width, 3).

    Its middle row comes to the camera's horizon, as far as ``LARGEST_ZOOM`` lets it; ``aside`` 0
    to 1 chooses from left to right where the photograph is wider. Nothing is stretched.
    """
    height, width = photo.shape[:2]
    horizon = _horizon_px(camera)
    covering = max(camera.width / width, camera.height / height)
    level = 2 * max(horizon, camera.height - horizon) / height
    scale = float(np.clip(level, covering, LARGEST_ZOOM * covering))
    box_width, box_height = camera.width / scale, camera.height / scale
    left = aside * (width - box_width)
    top = float(np.clip(height / 2 - horizon / scale, 0, height - box_height))
    box = (left, top, min(left + box_width, width), min(top + box_height, height))
    size = (camera.width, camera.height)
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.LANCZOS, box=box))


def _horizon_px(camera: Camera) -> float:
    """Row of the horizon in the middle of the picture of a camera that is not rolled."""
    forward = camera.world2cam[2, :3] * [1, 0, 1]
    far = camera.position_world + 1e4 * forward / np.linalg.norm(forward)
    row = float(camera.project(far)[1])
    return row if np.isfinite(row) else -np.inf


def guess_light(picture: NDArray[np.uint8], camera: Camera) -> Lit:
    """The light of a photograph (H, W, 3) that a camera is taken to have made, in light that
    `film.develop` turns into it."""
    light = undevelop(picture).astype(float)
    small = _blocks(light, 48)
    strength = _strength(small)
    color = _cast(small)
    around = _wrapped(small, camera)
    toward, hardness = _key(small, camera)
    around = _scaled(around, (1 - hardness) * strength * np.pi, color)
    key = _scaled(_lobe(toward, hardness), hardness * strength * np.pi, color)
    environment = Environment((around + key).astype(np.float32))
    reflected = np.pi * np.median(small[2 * len(small) // 3 :].reshape(-1, 3), axis=0)
    albedo = np.clip(reflected / np.maximum(ground_irradiance(environment), 1e-9), *ALBEDO)
    return Lit(environment, albedo)


def _blocks(image: Array, across: int) -> Array:
    """Means over square blocks, about so many across."""
    side = max(1, image.shape[1] // across)
    rows, columns = image.shape[0] // side, image.shape[1] // side
    trimmed = image[: rows * side, : columns * side]
    means: Array = trimmed.reshape(rows, side, columns, side, 3).mean(axis=(1, 3))
    return means


def _strength(small: Array) -> float:
    """Irradiance of the ground over pi: what a white, level surface sends back.

    Two guesses, by the ground and by the whole, and what a camera's own exposure makes likely,
    weighed alike in stops.
    """
    luminance = np.maximum(small @ LUMINANCE, 1e-4)
    ground = float(np.median(luminance[2 * len(luminance) // 3 :])) / GROUND_ALBEDO
    whole = float(np.exp(np.log(luminance).mean())) / GREY
    likely = float(np.cbrt(ground * whole * EXPOSURE))
    return float(np.clip(likely, *STRENGTH))


def _cast(small: Array) -> Array:
    """Colour of the light (3,), luminance 1."""
    pixels = small.reshape(-1, 3)
    shown = pixels[(pixels @ LUMINANCE) <= np.percentile(pixels @ LUMINANCE, 98)]
    mean = np.power(np.power(shown, NORM).mean(axis=0), 1 / NORM)
    mean = np.maximum(mean, 1e-6) ** CAST
    color: Array = mean / (mean @ LUMINANCE)
    return color


def _wrapped(small: Array, camera: Camera) -> Array:
    """A map of light (MAP_HEIGHT, 2 MAP_HEIGHT, 3) made of a picture: the picture where the camera
    looks, mirrored on and on beside it, its upper and lower edge spread over what is beyond."""
    rows, columns = small.shape[:2]
    dirs = directions(MAP_HEIGHT)
    forward = camera.world2cam[2, :3]
    heading = np.arctan2(forward[0], -forward[2])
    azimuth = np.arctan2(dirs[..., 0], -dirs[..., 2]) - heading
    azimuth = (azimuth + np.pi) % (2 * np.pi) - np.pi
    half = np.arctan(camera.width / 2 / camera.K[0, 0])
    # A triangle wave: 0 at the left edge of the picture, 1 at its right one.
    folded = np.abs((azimuth / (2 * half) + 0.5 + 1) % 2 - 1)
    elevation = np.arcsin(np.clip(dirs[..., 1], -1, 1))
    middle = np.arcsin(forward[1])
    up = np.arctan(camera.height / 2 / camera.K[1, 1])
    down = np.clip(0.5 - (elevation - middle) / (2 * up), 0, 1)
    sampled: Array = small[
        np.minimum((down * rows).astype(int), rows - 1),
        np.minimum((folded * columns).astype(int), columns - 1),
    ]
    # Beyond the edges one colour at the zenith and one at the nadir, not stripes.
    top, bottom = small[: max(1, rows // 8)], small[-max(1, rows // 8) :]
    above = np.clip((elevation - middle - up) / np.radians(25), 0, 1)[..., None]
    below = np.clip((middle - up - elevation) / np.radians(25), 0, 1)[..., None]
    spread: Array = sampled + (top.mean(axis=(0, 1)) - sampled) * above
    spread += (bottom.mean(axis=(0, 1)) - spread) * below
    # Skies and ceilings are brighter overhead, as an overcast sky by CIE's standard.
    overhead: Array = spread * (1 + 2 * np.maximum(dirs[..., 1:2], 0)) / 3
    return overhead


def _key(small: Array, camera: Camera) -> tuple[Array, float]:
    """Direction (3,) from which most light seems to come, and its part of all, 0 to 1.

    A small spot far brighter than the rest is a window, a lamp or the sun: light comes from there.
    Otherwise from behind the camera, on the side where the picture is brighter, at 45 degrees.
    """
    luminance = np.maximum(small @ LUMINANCE, 1e-4)
    rows, columns = luminance.shape
    low, middle, high = np.percentile(luminance, (10, 50, 95))
    contrast = float(np.log2(high / low))
    hardness = float(np.clip(0.16 * contrast, *HARDNESS))
    right, _, forward = camera.world2cam[:3, :3]
    ahead = forward * [1, 0, 1] / np.linalg.norm(forward * [1, 0, 1])
    bright = luminance > 0.6 * luminance.max()
    # A sky is bright too, and large: it is no lamp, whatever of it is white.
    if (luminance > 3 * middle).mean() < 0.1 and luminance.max() > 8 * middle:
        row, column = (float(np.mean(at)) for at in np.nonzero(bright))
        pixel = np.array([(column + 0.5) / columns, (row + 0.5) / rows])
        pixel *= [camera.width, camera.height]
        toward = camera.unproject(pixel, np.array(1.0)) - camera.position_world
        toward /= np.linalg.norm(toward)
        toward[1] = max(toward[1], np.sin(np.radians(20)))
        return toward / np.linalg.norm(toward), hardness
    across = np.linspace(-1, 1, columns)
    by_column = np.log2(luminance).mean(axis=0)
    slope = float((across * by_column).mean() / (across**2).mean())  # stops from the middle out
    side = np.radians(75) * np.tanh(1.5 * slope)
    flat = -np.cos(side) * ahead + np.sin(side) * right
    toward = flat * np.cos(np.radians(45)) + np.array([0, np.sin(np.radians(45)), 0])
    return toward, hardness


def _lobe(toward: Array, hardness: float) -> Array:
    """A soft source in a map of light: the harder, the narrower, from 22 to 4 degrees."""
    width = np.radians(np.interp(hardness, HARDNESS, (22, 4)))
    away = np.arccos(np.clip(directions(MAP_HEIGHT) @ toward, -1, 1))
    lobe: Array = np.exp(-0.5 * (away / width) ** 2)[..., None] * np.ones(3)
    return lobe


def _scaled(around: Array, irradiance: float, color: Array) -> Array:
    """A map of light that gives level ground so much light, of this colour on the whole."""
    height = len(around)
    up = np.maximum(directions(height)[..., 1:2], 0) * solid_angles(height)
    given = (around * up).sum(axis=(0, 1))
    scaled: Array = around * (irradiance * color / np.maximum(given, 1e-9))
    return scaled

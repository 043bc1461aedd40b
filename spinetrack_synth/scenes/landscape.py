"""The country around an open place: ground, hills and sea in polar steps out to the horizon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spinetrack_synth.scenes.shapes import Array, Mesh, Rng, terrain
from spinetrack_synth.scenes.textures import Finish, Image, _bytes, noise
from spinetrack_synth.shot import Material

Field = Callable[[Array, Array], Array]
"""A value for every x, z m."""


def noise_field(rng: Rng, span_m: float, feature_m: float, decay: float = 2.0) -> Field:
    """Smooth noise over the plane, mean 0 and deviation 1, that repeats after ``span_m``."""
    pixels = 512
    image = noise(rng, (pixels, pixels), feature_m / span_m * pixels, decay)

    def value(x: Array, z: Array) -> Array:
        u, v = (np.asarray(c) / span_m % 1.0 * pixels for c in (x, z))
        i, j = u.astype(int), v.astype(int)
        s, t = u - i, v - j
        i, j, k, m = i % pixels, j % pixels, (i + 1) % pixels, (j + 1) % pixels
        low = image[i, j] * (1 - s) + image[k, j] * s
        high = image[i, m] * (1 - s) + image[k, m] * s
        return low * (1 - t) + high * t

    return value


def polar_ground(
    near_m: float,
    far_m: float,
    height: Field,
    color: Callable[[Array, Array, Image], Image],
    rng: Rng,
    *,
    rings: int = 56,
    sectors: int = 180,
    texture: tuple[int, int] = (768, 2048),
    roughness: float = 0.95,
) -> tuple[Mesh, Finish]:
    """Ground from one radius to another, its steps growing with the distance.

    ``height(x, z)`` m; ``color(x, z, grain)`` gives the sRGB (..., 3) from the place and a
    fine noise (deviation 1) that goes with the image's own pixels.
    """
    ratio = far_m / near_m
    radius = near_m * ratio ** np.linspace(0, 1, rings)
    angle = np.linspace(0, 2 * np.pi, sectors + 1)
    x, z = radius[:, None] * np.cos(angle), radius[:, None] * np.sin(angle)
    levels = height(x, z)
    levels[:, -1] = levels[:, 0]
    mesh = terrain(radius, sectors, levels)
    u, v = np.broadcast_arrays(angle / (2 * np.pi), np.linspace(0, 1, rings)[:, None])
    # A pixel's height and width on the ground are kept alike by the image's shape.
    rows, columns = texture
    pixel_radius = near_m * ratio ** (1 - (np.arange(rows)[:, None] + 0.5) / rows)
    pixel_angle = (np.arange(columns) + 0.5) / columns * 2 * np.pi
    image = color(
        pixel_radius * np.cos(pixel_angle),
        pixel_radius * np.sin(pixel_angle),
        noise(rng, texture, 2.0, 0.8),
    )
    # The image repeats: keep the last row away from the first by half a pixel.
    v = np.clip(v, 0.5 / rows, 1 - 0.5 / rows)
    mesh = replace(mesh, uv=np.stack([u, v], -1).reshape(-1, 2))
    return mesh, Finish(Material(_bytes(np.asarray(image, np.float32)), roughness, 0.1))


HAZE = np.array([0.66, 0.73, 0.80], np.float32)
"""What far things fade to, sRGB."""


def hazed(color: Array, distance_m: Array, clear_m: float) -> Array:
    """Colours (..., 3) seen through air: they fade to the haze with distance."""
    share = 1 - np.exp(-np.asarray(distance_m) / clear_m)[..., None]
    return color * (1 - share) + HAZE * share


def smoothstep(x: Array, low: float, high: float) -> Array:
    """0 below low, 1 above high, smooth between."""
    t = np.clip((np.asarray(x) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)

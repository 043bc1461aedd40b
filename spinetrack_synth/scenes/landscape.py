"""The country around an open place: ground, hills and sea in polar steps out to the horizon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spinetrack_synth.compiled import njit
from spinetrack_synth.scenes.shapes import Array, Mesh, Rng, terrain
from spinetrack_synth.scenes.textures import Finish, Image, grit, in_bands, mix, noise
from spinetrack_synth.shot import Material

Field = Callable[[Array, Array], Array]
"""A value for every x, z m."""


def noise_field(rng: Rng, span_m: float, feature_m: float, decay: float = 2.0) -> Field:
    """Smooth noise over the plane, mean 0 and deviation 1, that repeats after ``span_m``."""
    pixels = 512
    image = noise(rng, (pixels, pixels), feature_m / span_m * pixels, decay, faded=0.0)

    def value(x: Array, z: Array) -> Array:
        return _bilinear(
            image, np.asarray(x) * (pixels / span_m), np.asarray(z) * (pixels / span_m)
        )

    return value


def relief_field(rng: Rng, near_m: float, far_m: float, feature_rad: float) -> Field:
    """Noise whose features look equally wide from the origin at any distance (deviation 1)."""
    columns = 1024
    rows = 2 * round(columns * np.log(far_m / near_m) / (4 * np.pi)) + 2
    image = noise(rng, (rows, columns), feature_rad * columns / (2 * np.pi), 2.6, faded=0.0)

    def value(x: Array, z: Array) -> Array:
        across = np.arctan2(z, x) / (2 * np.pi) % 1.0 * columns
        down = np.log(np.maximum(np.hypot(x, z), near_m) / near_m) * columns / (2 * np.pi)
        return _bilinear(image, down, across)

    return value


def _bilinear(image: Image, down: Array, across: Array) -> Array:
    """Values of a repeating image between its pixels."""
    down, across = np.broadcast_arrays(np.asarray(down, float), np.asarray(across, float))
    values = np.empty(down.size, np.float32)
    _between_pixels(values, image, down.ravel(), across.ravel())
    return values.reshape(down.shape)


@njit()
def _between_pixels(
    values: Image, image: Image, down: Array, across: Array
) -> None:  # pragma: no cover - compiled
    """Values (N,) of a repeating image at (N,) rows and columns."""
    rows, columns = image.shape
    one = np.float32(1)
    for n in range(len(values)):
        up, left = np.floor(down[n]), np.floor(across[n])
        s, t = np.float32(down[n] - up), np.float32(across[n] - left)
        # A remainder of floats, for one of integers takes several times as long.
        i = min(np.int64(up - rows * np.floor(up / rows)), rows - 1)
        j = min(np.int64(left - columns * np.floor(left / columns)), columns - 1)
        k, m = i + 1 if i + 1 < rows else 0, j + 1 if j + 1 < columns else 0
        low = image[i, j] * (one - s) + image[k, j] * s
        high = image[i, m] * (one - s) + image[k, m] * s
        values[n] = low * (one - t) + high * t


def polar_ground(
    near_m: float,
    far_m: float,
    height: Field,
    color: Callable[[Array, Array, Array, Image], Array],
    rng: Rng,
    *,
    rings: int = 56,
    sectors: int = 180,
    texture: tuple[int, int] = (768, 2048),
    roughness: float = 0.95,
) -> tuple[Mesh, Finish]:
    """Ground from one radius to another, its steps growing with the distance.

    ``height(x, z)`` m; ``color(x, z, away, grain)`` gives the sRGB in planes (3, rows, columns)
    from places (rows, columns), their distance (rows, 1) from the middle, and a fine noise
    (deviation 1) that goes with the image's own pixels.
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
    pixel_radius = pixel_radius.astype(np.float32)
    pixel_angle = (np.arange(columns) + 0.5) / columns * 2 * np.pi
    toward_x, toward_z = (f(pixel_angle).astype(np.float32) for f in (np.cos, np.sin))
    grain = grit(rng, texture, 2.0, 0.8)

    def paint_rows(band: slice) -> Image:
        away = pixel_radius[band]
        return color(away * toward_x, away * toward_z, away, grain[band])

    image = in_bands(texture, paint_rows)
    # The image repeats: keep the last row away from the first by half a pixel.
    v = np.clip(v, 0.5 / rows, 1 - 0.5 / rows)
    mesh = replace(
        mesh,
        uv=np.stack([u, v], -1).reshape(-1, 2),
        normals=_seen_from_the_middle(mesh.vertices, mesh.normals),
    )
    return mesh, Finish(Material(image, roughness, 0.1))


def _seen_from_the_middle(vertices: Array, normals: Array) -> Array:
    """Normals bent so far that every ridge seen from about the origin shades as facing it.

    On coarse far ground the interpolated normal would turn away before the surface does, and the
    crest would be drawn as a black line.
    """
    toward = np.array([0.0, 2.0, 0.0]) - vertices
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    lack = np.maximum(0.15 - (normals * toward).sum(axis=1, keepdims=True), 0)
    bent = normals + lack * toward
    unit: Array = bent / np.linalg.norm(bent, axis=1, keepdims=True)
    return unit


HAZE = np.array([0.66, 0.73, 0.80], np.float32)
"""What far things fade to, sRGB."""


def hazed(color: Array, distance_m: Array, clear_m: float) -> Array:
    """Colours in planes seen through air: they fade to the haze with distance (H, W or 1) m."""
    return mix(HAZE, color, np.exp(-distance_m / clear_m))

"""Environment maps as files, written here and not by the reader's library."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def write_hdr(path: Path, radiance: np.ndarray) -> Path:
    """A Radiance picture, flat RGBE (Ward 1991): a shared exponent in the fourth byte."""
    height, width = radiance.shape[:2]
    top = radiance.max(axis=-1)
    mantissa, exponent = np.frexp(top)
    scale = np.where(top > 1e-32, mantissa * 256 / np.maximum(top, 1e-38), 0)
    rgbe = np.zeros((height, width, 4), np.uint8)
    rgbe[..., :3] = radiance * scale[..., None]
    rgbe[..., 3] = np.where(top > 1e-32, exponent + 128, 0)
    head = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n"
    path.write_bytes(head.encode() + rgbe.tobytes())
    return path


def sky_with_sun(
    elevation_deg: float, azimuth_deg: float, height: int = 64, sun: float = 2000.0
) -> np.ndarray:
    """A map (height, 2 height, 3): blue above, brown below, one texel of warm sun.

    Azimuth 0 is the middle of the left edge of the map, -Z of the world, and grows to the right.
    """
    sky = np.empty((height, 2 * height, 3), np.float32)
    sky[: height // 2], sky[height // 2 :] = (0.5, 0.7, 1.0), (0.2, 0.15, 0.1)
    row = int((90 - elevation_deg) / 180 * height)
    column = int(azimuth_deg / 360 * 2 * height)
    sky[row, column] = (sun, 0.9 * sun, 0.7 * sun)
    return sky


def direction(elevation_deg: float, azimuth_deg: float) -> np.ndarray:
    """The world direction (3,) of a place in such a map."""
    elevation, azimuth = np.radians([elevation_deg, azimuth_deg])
    flat = np.cos(elevation)
    return np.array([flat * np.sin(azimuth), np.sin(elevation), -flat * np.cos(azimuth)])


def map_directions(height: int = 64) -> np.ndarray:
    """The world direction (height, 2 height, 3) of every texel's middle in such a map."""
    elevations_deg = 90 - (np.arange(height) + 0.5) / height * 180
    azimuths_deg = (np.arange(2 * height) + 0.5) / height * 180
    return np.array([[direction(e, a) for a in azimuths_deg] for e in elevations_deg])

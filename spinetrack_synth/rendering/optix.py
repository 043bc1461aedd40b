"""The OptiX denoiser of the cuda variant, and a check that it works. The variant must be set before
the import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import drjit as dr
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.camera import Camera

Image = NDArray[np.float32]

MITSUBA_AXES: Final = np.array([-1.0, -1.0, 1.0])
"""Mitsuba's cameras look along z like ours, but their x points left and their y up."""


class OptixDenoiser:
    """Holds NVIDIA's denoiser for pictures of one size, made anew when another comes."""

    def __init__(self) -> None:
        self._size: tuple[int, int] | None = None
        self._denoiser: Any = None

    def denoise(self, radiance: Image, albedo: Image, normal: Image, camera: Camera) -> Image:
        """A picture without noise; all (H, W, 3) float32 linear, ``normal`` in the world."""
        height, width = radiance.shape[:2]
        size: Any = width, height
        if self._size != size:
            self._denoiser = None  # gives its memory back first
            self._denoiser = mi.OptixDenoiser(size, albedo=True, normals=True)
            self._size = size
        clean = self._denoiser(
            _tensor(np.nan_to_num(radiance, posinf=0, neginf=0)),  # one bad pixel would spread
            albedo=_tensor(albedo),
            normals=_tensor(normal @ camera.world2cam[:3, :3].T * MITSUBA_AXES),
        )
        dr.sync_thread()  # lets other threads of Python run meanwhile
        return np.array(clean)


def _tensor(image: NDArray[Any]) -> Any:
    return mi.TensorXf(np.ascontiguousarray(image, dtype=np.float32))


def fault(denoise: Callable[[Image, Image, Image, Camera], Image]) -> str:
    """What is wrong with a denoiser, "" for nothing, by a picture of which the truth is known.

    One half of it is dark, the other far brighter than white: drivers have been seen that cut off
    what is, or give back what they got.
    """
    height, width = 64, 96
    truth = np.empty((height, width, 3), dtype=np.float32)
    truth[:, : width // 2], truth[:, width // 2 :] = (0.1, 0.2, 0.4), (8.0, 6.0, 4.0)
    noise = np.random.default_rng(1).gamma(4.0, 0.25, truth.shape)  # of mean 1
    noisy = (truth * noise).astype(np.float32)
    albedo = np.where(truth > 1, np.float32(0.8), np.float32(0.2))
    normal = np.broadcast_to(np.array([0, 0, -1], dtype=np.float32), truth.shape)
    camera = Camera(np.diag([width, width, 1.0]), np.eye(4), width, height)
    clean = denoise(noisy, albedo, np.ascontiguousarray(normal), camera)
    if clean.shape != truth.shape or not np.isfinite(clean).all():
        return "gives no picture back"
    for half in (np.s_[:, 4 : width // 2 - 4], np.s_[:, width // 2 + 4 : -4]):
        brightness = clean[half].mean(axis=(0, 1)) / truth[half].mean(axis=(0, 1))
        if (np.abs(brightness - 1) > 0.25).any():
            return f"gives {brightness.round(2).tolist()} times the light of red, green and blue"
        if _error(clean[half], truth[half]) > 0.5 * _error(noisy[half], truth[half]):
            return "leaves the noise in the picture"
    return ""


def _error(image: Image, truth: Image) -> float:
    return float(np.sqrt(np.mean((image - truth) ** 2)))

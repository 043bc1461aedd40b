"""How near cameras come to people, and people painted as finely as that shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.surfaces import repainted
from spinetrack_synth.camera import Camera
from spinetrack_synth.scenes.shapes import Array
from spinetrack_synth.scenes.viewpoints import SKIN_STEP
from spinetrack_synth.shot import PosedPerson

TEXEL_PX: Final = 0.8
"""Longest a texel of what people wear may be where it is seen nearest, in pixels."""


def texel_on_m(person: PosedPerson, cameras: Iterable[Camera]) -> float:
    """How long texels on a person may be for all cameras that see it, infinite where none does."""
    points = np.asarray(person.skin_world[::SKIN_STEP], float)
    return min((TEXEL_PX * _pixel_m(camera, points) for camera in cameras), default=np.inf)


def _pixel_m(camera: Camera, points: Array) -> float:
    """How long a pixel of a camera is at the nearest of points (N, 3) m that it sees."""
    pixels, depth_m = camera.project(points), camera.to_camera(points)[:, 2]
    size = np.array([camera.width, camera.height])
    with np.errstate(invalid="ignore"):
        seen = ((pixels > -0.1 * size) & (pixels < 1.1 * size)).all(axis=1) & (depth_m > 0)
    return float(np.quantile(depth_m[seen], 0.05) / camera.K[0, 0]) if seen.any() else np.inf


def painted_for(
    avatars: Sequence[Avatar], people: Sequence[PosedPerson], cameras: Sequence[Camera]
) -> tuple[PosedPerson, ...]:
    """People painted as finely as the nearest of the cameras shows them."""
    return tuple(
        repainted(avatar, person, texel_on_m(person, cameras))
        for avatar, person in zip(avatars, people, strict=True)
    )

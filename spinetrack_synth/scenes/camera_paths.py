"""How a camera moves while it films: not at all, in a hand, about the people, or towards them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from spinetrack_synth.camera import Camera
from spinetrack_synth.easing import smoothstep
from spinetrack_synth.rotations import about_x, about_y, about_z
from spinetrack_synth.scenes.shapes import Array, Rng

FIXED: Final = "fixed"

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {FIXED: 0.4, "handheld": 0.3, "orbit": 0.15, "dolly": 0.15}
)
"""How often a camera moves how."""

SWAYS_HZ: Final = (0.35, 0.9, 1.9, 4.3)
"""What a hand that holds a camera does: breath and weight shift, arms, and tremor, ever smaller."""
SWAY_M: Final = 0.008
SWAY_DEG: Final = 0.35
"""Standard deviation along and about each axis: own estimate."""

ORBIT_DEG_S: Final = (4.0, 14.0)
DOLLY_M_S: Final = (0.1, 0.35)
MOST_ORBIT_DEG: Final = 40.0
MOST_DOLLY: Final = 0.2
"""Of the distance to the people."""

HALVINGS: Final = 3
"""How often a path that leads into a wall or off the people is made smaller before it is left."""


def film(
    camera: Camera, middle: Array, times_s: Array, good: Callable[[Camera], bool], rng: Rng
) -> tuple[str, tuple[Camera, ...]]:
    """A camera at all times (F,) from its place on, and what its motion is called.

    ``middle`` (3,) m is where the people are; ``good`` says whether a camera may be drawn with.
    """
    chance = np.array(list(WEIGHTS.values()))
    kind = list(WEIGHTS)[int(rng.choice(len(chance), p=chance / chance.sum()))]
    move = _MOVES[kind](camera, middle, times_s, rng) if kind in _MOVES else None
    for halving in range(HALVINGS):
        if move is None:
            break
        path = tuple(move(frame, 0.5**halving) for frame in range(len(times_s)))
        if all(map(good, path)):
            return kind, path
    return FIXED, (camera,) * len(times_s)


_Move = Callable[[int, float], Camera]
"""The camera of a frame, at a share of the whole motion."""


def _handheld(camera: Camera, middle: Array, times_s: Array, rng: Rng) -> _Move:
    frequency = np.array(SWAYS_HZ) * rng.uniform(0.8, 1.25, (6, len(SWAYS_HZ)))
    phase = rng.uniform(0, 2 * np.pi, frequency.shape)
    size = 1 / frequency
    size *= np.sqrt(2) / np.linalg.norm(size, axis=1, keepdims=True)
    turns = 2 * np.pi * frequency[:, :, None] * times_s + phase[:, :, None]
    sway = (size[:, :, None] * np.sin(turns)).sum(axis=1)  # (6, F) of variance 1

    def move(frame: int, share: float) -> Camera:
        x, y, z = share * np.radians(SWAY_DEG) * sway[:3, frame]
        shift = np.eye(4)
        shift[:3, :3] = about_z(z) @ about_x(x) @ about_y(y)
        shift[:3, 3] = share * SWAY_M * sway[3:, frame]
        return replace(camera, world2cam=shift @ camera.world2cam)

    return move


def _orbit(camera: Camera, middle: Array, times_s: Array, rng: Rng) -> _Move:
    total = min(rng.uniform(*ORBIT_DEG_S) * times_s[-1], MOST_ORBIT_DEG) * rng.choice([-1.0, 1.0])
    way = _eased(times_s)

    def move(frame: int, share: float) -> Camera:
        turn = np.eye(4)  # the world the other way round the people
        turn[:3, :3] = about_y(share * np.radians(total) * way[frame])
        turn[:3, 3] = middle - turn[:3, :3] @ middle
        return replace(camera, world2cam=camera.world2cam @ turn)

    return move


def _dolly(camera: Camera, middle: Array, times_s: Array, rng: Rng) -> _Move:
    toward = middle - camera.position_world
    toward[1] = 0.0  # it rolls on the floor
    farthest = MOST_DOLLY * float(np.linalg.norm(toward))
    total = min(rng.uniform(*DOLLY_M_S) * times_s[-1], farthest) * rng.choice([-1.0, 1.0])
    step, way = toward / np.linalg.norm(toward), _eased(times_s)

    def move(frame: int, share: float) -> Camera:
        moved = np.eye(4)
        moved[:3, 3] = -share * total * way[frame] * step
        return replace(camera, world2cam=camera.world2cam @ moved)

    return move


def _eased(times_s: Array) -> Array:
    """0 to 1 over the times: a start and an end without a jerk."""
    return np.asarray(smoothstep(0.0, times_s[-1], times_s), dtype=float)


_MOVES: Final[Mapping[str, Callable[[Camera, Array, Array, Rng], _Move]]] = MappingProxyType(
    {"handheld": _handheld, "orbit": _orbit, "dolly": _dolly}
)

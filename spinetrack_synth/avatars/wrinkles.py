"""Wrinkles as relief: where cloth folds over a bent body, as normals over the suit's uv.

Cloth is drawn together inside elbows, behind knees, at armpits, groin and waist, and hangs in folds
where it is loose. The maps know nothing of the wearer, so a few of them serve everybody.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Floats
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import MIDDLE_BUILD, shape
from spinetrack_synth.avatars.figure import Figure, measure, suit
from spinetrack_synth.avatars.relief import relief_image
from spinetrack_synth.avatars.textures import noise, texel_map
from spinetrack_synth.easing import smoothstep

SIZE: Final = 512
"""Sides of the largest images: folds are broader than the threads of patterns."""

VARIANTS: Final = 3


class Softness(NamedTuple):
    """How deep (m) cloth folds where it is drawn together and where it hangs, and how far from the
    joints (m) the first goes."""

    gathered_m: float
    hanging_m: float
    reach_m: float


SOFTNESS: Final = {
    "tight": Softness(0.0016, 0.0004, 0.045),
    "easy": Softness(0.006, 0.005, 0.08),
    "loose": Softness(0.009, 0.011, 0.11),
}


@lru_cache(maxsize=4 * len(SOFTNESS) * VARIANTS)
def wrinkles(data: BodyData, softness: str, variant: int, size: int = SIZE) -> NDArray[np.uint8]:
    """Normals (size, size, 3) over the suit's uv as ``Material`` has them."""
    sheet = suit(data).sheet
    texels = texel_map(sheet, size)
    figure = measure(data, shape(data, MIDDLE_BUILD))
    points = texels.at(figure.points)
    rng = np.random.default_rng([0x3F01D, list(SOFTNESS).index(softness), variant])
    place = _Places(figure, points, texels.at(suit(data).arm[:, None])[:, 0])
    height_m = _folds(place, SOFTNESS[softness], rng)
    return relief_image(texels, sheet, figure.points, height_m)


class _Places:
    """Texels of the suit on a body of middle build: ``points`` (N, 3) m, ``arm`` (N,) 0..1."""

    def __init__(self, figure: Figure, points: Floats, arm: Floats) -> None:
        self.figure, self.points, self.arm = figure, points, arm


def _folds(place: _Places, soft: Softness, rng: np.random.Generator) -> Floats:
    """Height (N,) m of the cloth over its smooth self."""
    figure, points = place.figure, place.points
    on_arm = place.arm > 0.5
    height = np.zeros(len(points), np.float32)
    for k, sign in enumerate((-1.0, 1.0)):
        ours = np.sign(points[:, 2]) == sign
        arm = _along(figure.shoulders[k], figure.wrists[k])
        leg = _along(figure.hips[k], figure.ankles[k])
        hip, side = figure.hips[k], figure.shoulders[k, 2]
        armpit = np.array([figure.shoulders[k, 0], figure.armpit_y, 0.95 * side])
        groin = np.array([hip[0] + 0.06, figure.crotch_y + 0.03, 0.35 * hip[2]])
        to_hip = _along(np.array([0.0, figure.crotch_y - 0.03, 0.0]), hip)
        to_neck = _along(np.zeros(3), np.array([0.0, 1.0, -0.8 * sign]))
        reach = soft.reach_m
        gathers = (
            (figure.elbows[k] + _AHEAD, arm, reach, on_arm),
            (figure.wrists[k], arm, 0.5 * reach, on_arm),
            (armpit, to_neck, reach, ours),
            (groin, to_hip, reach, ~on_arm),
            (figure.knees[k] + _AHEAD, leg, 0.6 * reach, ~on_arm),
            (figure.knees[k] - _AHEAD, leg, 1.2 * reach, ~on_arm),
            (figure.ankles[k], leg, 0.9 * reach, ~on_arm),
        )
        for middle, axis, far, where in gathers:
            there = ours & where
            height[there] += soft.gathered_m * _gather(points[there], middle, axis, far, rng)
    trunk = ~on_arm
    waist = figure.height(0.42)
    near = np.exp(-(((points[trunk, 1] - waist) / (0.9 * soft.reach_m)) ** 2))
    height[trunk] += 0.7 * soft.gathered_m * near * _ridges(points[trunk], _UP, 0.03, rng)
    if soft.hanging_m:
        height += soft.hanging_m * _hanging(place, rng)
    return height


_ASKEW: Final = np.array(
    [[0.70, 0.51, -0.50], [-0.63, 0.77, -0.10], [0.33, 0.38, 0.86]], dtype=np.float32
)
"""A rotation, to about a percent, that takes no axis near another."""

_AHEAD: Final = np.array([0.045, 0.0, 0.0])
"""From a joint to the skin before it."""

_UP: Final = np.array([0.0, 1.0, 0.0])


def _along(start: Array, end: Array) -> Array:
    way: Array = (end - start) / np.linalg.norm(end - start)
    return way


def _gather(
    points: Floats, middle: Array, axis: Array, reach_m: float, rng: np.random.Generator
) -> Floats:
    """Folds (N,) 0..1 across an axis about a point where cloth is drawn together."""
    away = np.linalg.norm(points - middle, axis=1)
    near = np.exp(-((away / reach_m) ** 2))
    folds: Floats = near * _ridges(points, axis, float(rng.uniform(0.022, 0.042)), rng)
    return folds


def _ridges(points: Floats, axis: Array, pitch_m: float, rng: np.random.Generator) -> Floats:
    """Crooked ridges (N,) 0..1 that lie across an axis, narrow between broad valleys."""
    run = points @ axis + 0.35 * pitch_m * noise(points, 0.06, rng, 2)
    # Squeezed along the axis: what is round becomes a fold across it.
    squeezed = points + np.outer(points @ axis, 1.6 * axis)
    value = noise(squeezed, 2.2 * pitch_m, rng, 2)
    wave = np.cos(2 * np.pi * run / pitch_m + 4 * value)
    ridges: Floats = (0.5 + 0.5 * wave) ** 1.5 * (0.5 + 0.5 * np.clip(value + 0.6, 0, 1))
    return ridges


def _hanging(place: _Places, rng: np.random.Generator) -> Floats:
    """Long folds (N,) 0..1 that fall from shoulders and hips, deeper the farther below."""
    points = place.points
    # Turned and bent, or the axes of the noise would show as straight creases.
    stretched = points * np.array([1, 0.22, 1], np.float32) @ _ASKEW
    for c in range(3):
        stretched[:, c] += 0.025 * noise(points, 0.11, rng)
    value = noise(stretched, 0.05, rng) + 0.4 * noise(stretched, 0.022, rng)
    ridge = smoothstep(0.0, 0.75, 1 - np.abs(value) * 1.6)
    chest = place.figure.armpit_y
    below = smoothstep(chest + 0.05, chest - 0.25, points[:, 1])
    from_middle = np.abs(points[:, 2]) - np.abs(place.figure.shoulders[:, 2]).mean()
    sleeve = smoothstep(0.0, 0.2, from_middle)
    free: Floats = np.where(place.arm > 0.5, sleeve, np.maximum(below, 0.15))
    return ridge * free

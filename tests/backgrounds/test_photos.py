"""Photographs cut to a camera's view, and the light that is guessed from them."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.backgrounds.environments import ground_irradiance
from spinetrack_synth.backgrounds.photos import cut, guess_light
from spinetrack_synth.camera import look_at
from spinetrack_synth.rendering import film
from spinetrack_synth.rendering.film import LUMINANCE
from spinetrack_synth.rendering.lights import directions, solid_angles

LEVEL = look_at((4, 1.4, 0), (0, 1.4, 0), focal_px=80, width=96, height=72)
DOWN = look_at((4, 1.4, 0), (0, 0.9, 0), focal_px=80, width=96, height=72)


def ramps(width: int, height: int) -> np.ndarray:
    """Red tells the column, green the row, both in steps of a pixel."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, 0 * x], axis=-1).astype(np.uint8)


def net_light(environment) -> np.ndarray:
    """Where light comes from on the whole, (3,)."""
    map_, dirs = environment.radiance @ LUMINANCE, directions(128)
    return (dirs * (map_[..., None] * solid_angles(128))).sum(axis=(0, 1))


@pytest.mark.parametrize("camera", [LEVEL, DOWN])
@pytest.mark.parametrize("size", [(250, 140), (140, 250), (200, 150)])
def test_photographs_are_not_stretched(camera, size) -> None:
    picture = cut(ramps(*size), camera, 0.5).astype(float)
    assert picture.shape == (72, 96, 3)
    across = np.polyfit(np.arange(96), picture[36, :, 0], 1)[0]
    down = np.polyfit(np.arange(72), picture[:, 48, 1], 1)[0]
    assert across == pytest.approx(down, rel=0.02)


def test_the_middle_of_a_photograph_comes_to_the_horizon() -> None:
    for camera in (LEVEL, DOWN):
        far = camera.project(np.array([-1e5, 1.4, 0]))[1]
        picture = cut(ramps(250, 250), camera, 0.5).astype(float)
        assert np.interp(far - 0.5, np.arange(72), picture[:, 48, 1]) == pytest.approx(125, abs=1.5)


def test_pictures_survive_being_turned_into_light() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    again = film.develop(film.undevelop(picture), 1.0)
    assert np.abs(again.astype(int) - picture).max() <= 1


def scene(left: float, right: float, color=(1.0, 1.0, 1.0)) -> np.ndarray:
    """A picture as bright as ``left`` on its left and ``right`` on its right, sRGB 0..1."""
    ramp = np.linspace(left, right, 96)[None, :, None] * np.array(color)
    return np.rint(255 * np.clip(np.tile(ramp, (72, 1, 1)), 0, 1)).astype(np.uint8)


def test_light_comes_from_the_brighter_side() -> None:
    right = LEVEL.world2cam[0, :3]
    for picture, sign in ((scene(0.7, 0.2), -1), (scene(0.2, 0.7), 1)):
        light = net_light(guess_light(picture, LEVEL).environment)
        assert sign * (light @ right) > 0.1 * np.linalg.norm(light)
        assert light[1] > 0


def test_a_lamp_in_the_picture_is_where_light_comes_from() -> None:
    picture = scene(0.15, 0.15)
    picture[10:16, 70:78] = 255
    light = net_light(guess_light(picture, LEVEL).environment)
    toward = LEVEL.unproject([74, 13], 1.0) - LEVEL.position_world
    even = net_light(guess_light(scene(0.15, 0.15), LEVEL).environment)
    assert (light / np.linalg.norm(light)) @ toward > (even / np.linalg.norm(even)) @ toward + 0.3


def test_a_darker_photograph_gives_less_light() -> None:
    strength = [
        float(ground_irradiance(guess_light(scene(v, v), LEVEL).environment) @ LUMINANCE)
        for v in (0.15, 0.4, 0.7)
    ]
    assert strength[0] < 0.6 * strength[1] < 0.6 * strength[2]


def test_a_warm_photograph_gives_warm_light() -> None:
    warm = ground_irradiance(guess_light(scene(0.5, 0.5, (1, 0.8, 0.5)), LEVEL).environment)
    grey = ground_irradiance(guess_light(scene(0.5, 0.5), LEVEL).environment)
    assert warm[0] / warm[2] > 1.3 * grey[0] / grey[2]
    assert grey[0] == pytest.approx(grey[2], rel=0.01)


def test_the_ground_sends_back_what_the_photograph_shows() -> None:
    picture = scene(0.4, 0.4)
    lit = guess_light(picture, LEVEL)
    sent = lit.ground_albedo * ground_irradiance(lit.environment) / np.pi
    np.testing.assert_allclose(sent, film.undevelop(picture)[60, 40], rtol=0.05)

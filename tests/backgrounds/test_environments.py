"""Environment maps as light and as what is seen, held against each other and against geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from radiance_files import direction, sky_with_sun, write_hdr

from spinetrack_synth.backgrounds.environments import (
    TURNS,
    ground_irradiance,
    load_panorama,
    turned,
    view_of,
)
from spinetrack_synth.camera import look_at

pytest.importorskip("mitsuba", reason="pip install 'spinetrack-synth[render]'")

AT = (38.0, 251.0)
"""Elevation and azimuth of the sun."""


@pytest.fixture(scope="module")
def panorama(tmp_path_factory: pytest.TempPathFactory):
    folder: Path = tmp_path_factory.mktemp("maps")
    return load_panorama(write_hdr(folder / "sky.hdr", sky_with_sun(*AT)))


def test_the_sun_is_found_where_it_stands(panorama) -> None:
    assert panorama.light.sun_direction_world @ direction(*AT) > np.cos(np.radians(2.5))
    # One texel of a map 64 high, by the solid angle of its row.
    row = int((90 - AT[0]) / 180 * 64)
    texel = np.sin((row + 0.5) * np.pi / 64) * (np.pi / 64) ** 2
    np.testing.assert_allclose(
        panorama.light.sun_irradiance, np.array([2000, 1800, 1400]) * texel, rtol=0.15
    )


def test_the_rest_of_the_light_is_the_sky(panorama) -> None:
    light = panorama.light.radiance
    np.testing.assert_allclose(np.median(light[:50], axis=(0, 1)), (0.5, 0.7, 1.0), rtol=0.05)
    assert light.max() < 2
    sun = np.asarray(panorama.light.sun_irradiance) * np.sin(np.radians(AT[0]))
    # A uniform hemisphere of radiance L gives pi L.
    expected = np.pi * np.array([0.5, 0.7, 1.0]) + sun
    np.testing.assert_allclose(ground_irradiance(panorama.light), expected, rtol=0.06)


@pytest.mark.parametrize("turn", [0, 70, 201])
def test_light_comes_from_where_the_sun_is_seen(panorama, turn: int) -> None:
    toward = np.array(turned(panorama.light, turn).sun_direction_world)
    camera = look_at((2, 1.5, 1), np.array([2, 1.5, 1]) + toward, focal_px=80, width=101, height=81)
    seen = view_of(panorama.seen, camera, turn).sum(axis=-1)
    row, column = np.unravel_index(seen.argmax(), seen.shape)
    assert abs(row - 40) < 6
    assert abs(column - 50) < 6


def test_a_turned_map_shows_its_sun_elsewhere(panorama) -> None:
    quarter = np.array(turned(panorama.light, TURNS // 4).sun_direction_world)
    expected = direction(AT[0], AT[1] + 90)
    assert quarter @ expected > np.cos(np.radians(2.5))


def test_an_even_sky_has_no_sun(tmp_path: Path) -> None:
    even = load_panorama(write_hdr(tmp_path / "grey.hdr", np.full((64, 128, 3), 0.6, np.float32)))
    assert even.light.sun_irradiance == (0, 0, 0)
    np.testing.assert_allclose(even.light.radiance, 0.6, rtol=0.02)


def test_the_ground_sends_back_what_the_map_shows_there(panorama) -> None:
    sent = panorama.ground_albedo * ground_irradiance(panorama.light) / np.pi
    np.testing.assert_allclose(sent, (0.2, 0.15, 0.1), rtol=0.05)

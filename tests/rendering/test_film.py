"""Exposure and development."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.rendering.film import develop, meter


def scene(skin: float, around: float, color=(1.0, 1.0, 1.0)) -> tuple[np.ndarray, ...]:
    """Radiance, albedo and ids: people of one albedo before a background of another."""
    rng = np.random.default_rng(1)
    ids = np.zeros((60, 80), dtype=np.uint8)
    ids[10:50, 30:45] = 1
    albedo = np.where(ids[..., None] > 0, skin, around) * np.ones(3)
    light = rng.lognormal(0, 0.4, (60, 80, 1)) * np.asarray(color)
    return (albedo * light).astype(np.float32), albedo.astype(np.float32), ids


@given(st.floats(1e-4, 1e4))
def test_metering_undoes_the_strength_of_the_light(strength: float) -> None:
    radiance, albedo, ids = scene(0.4, 0.5)
    plain = develop(radiance, meter(radiance, albedo, ids))
    scaled = (radiance * strength).astype(np.float32)
    changed = develop(scaled, meter(scaled, albedo, ids)).astype(int)
    assert np.abs(changed - plain).max() <= 1


def test_dark_skin_stays_darker_than_light_skin_but_is_seen() -> None:
    def brightness(skin: float, around: float) -> float:
        radiance, albedo, ids = scene(skin, around)
        return develop(radiance, meter(radiance, albedo, ids))[ids == 1].mean()

    for around in (0.1, 0.4, 0.8):
        dark, light = brightness(0.05, around), brightness(0.5, around)
        assert 35 < dark < 110 < 160 < light < 220
        # What lies behind them does not matter; white walls do a little.
        assert abs(dark - brightness(0.05, 0.3)) < (8 if around > 0.7 else 3)
        assert abs(light - brightness(0.5, 0.3)) < (8 if around > 0.7 else 3)


def test_a_grey_card_in_even_light_is_middle_grey() -> None:
    card = np.full((60, 80, 3), 0.18, dtype=np.float32)
    gains = meter(7 * card, card, np.ones((60, 80), dtype=np.uint8))
    assert 100 < develop(7 * card, gains).mean() < 125  # sRGB has it at 118


def test_the_sunlit_side_of_people_mostly_in_shade_is_not_blown_out() -> None:
    radiance, albedo, ids = scene(0.5, 0.3)
    sunlit = np.zeros(ids.shape, dtype=bool)
    sunlit[:, 39:45] = True  # two fifths of them
    sunlit &= ids > 0
    radiance[sunlit] *= 5
    picture = develop(radiance, meter(radiance, albedo, ids))
    assert (picture[sunlit] >= 250).mean() < 0.05
    assert picture[(ids > 0) & ~sunlit].mean() > 90


def test_a_white_room_brighter_than_the_people_in_it_keeps_its_white() -> None:
    radiance, albedo, ids = scene(0.3, 0.8)
    radiance[ids == 0] *= 3
    picture = develop(radiance, meter(radiance, albedo, ids))
    assert (picture[ids == 0] >= 250).mean() < 0.05
    assert picture[ids == 1].mean() > 80


def test_people_in_the_shade_are_exposed_before_a_bright_background() -> None:
    radiance, albedo, ids = scene(0.4, 0.4)
    radiance[ids == 0] *= 6
    picture = develop(radiance, meter(radiance, albedo, ids))
    assert 90 < picture[ids == 1].mean() < picture[ids == 0].mean()


def test_the_colour_of_the_light_is_taken_out_by_half() -> None:
    radiance, albedo, ids = scene(0.4, 0.5, color=(1.6, 1.0, 0.4))
    red, _, blue = meter(radiance, albedo, ids)
    np.testing.assert_allclose(blue / red, 2, rtol=1e-3)


def test_no_people_and_no_light_are_no_failure() -> None:
    dark = np.zeros((8, 8, 3), dtype=np.float32)
    none = np.zeros((8, 8), dtype=np.uint8)
    for albedo in (dark, dark + 0.5):
        gains = meter(dark, albedo, none)
        assert np.isfinite(gains).all()
        assert (develop(dark, gains) == 0).all()


def test_development_rises_with_the_light_and_ends_white() -> None:
    ramp = np.geomspace(1e-4, 1e3, 500, dtype=np.float32)[None, :, None].repeat(3, axis=2)
    values = develop(ramp, 1.0)[0, :, 0].astype(int)
    assert (np.diff(values) >= 0).all()
    assert values[0] == 0
    assert values[-1] == 255
    assert develop(ramp, 2.0).mean() > develop(ramp, 1.0).mean()

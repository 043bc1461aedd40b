"""Noise, fall-off and white balance, against their formulas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plain_shapes import make_shot

from spinetrack_synth.camera import look_at
from spinetrack_synth.rendering import film, sensor
from spinetrack_synth.shot import Film, Frame

CAMERA = look_at((3, 1, 0), (0, 1, 0), focal_px=200, width=200, height=160)


def taken_on(**what: float):
    return replace(make_shot([], (), (), CAMERA), film=Film(**what))


def even(level: float) -> np.ndarray:
    return np.full((160, 200, 3), level, dtype=np.float32)


@pytest.mark.parametrize("iso", [200, 3200])
@pytest.mark.parametrize("level", [0.02, 0.6])
def test_noise_is_that_of_the_electrons(iso: float, level: float) -> None:
    noisy = sensor.record(even(level), taken_on(iso=iso))
    measured = {0: np.s_[::2, ::2], 1: np.s_[::2, 1::2], 2: np.s_[1::2, 1::2]}
    for channel, places in measured.items():
        electrons = sensor.ELECTRONS * 100 / iso / sensor.BALANCE[channel]
        count = level * electrons
        # Where a channel is measured: the electrons' own noise and that of reading them.
        values = noisy[..., channel][places] * electrons
        np.testing.assert_allclose(values.mean(), count, atol=0.05 * np.sqrt(count) + 0.2)
        np.testing.assert_allclose(values.var(), count + sensor.READ_NOISE**2, rtol=0.06)
        between = np.ones((160, 200), dtype=bool)
        between[places] = False
        if channel == 1:
            between[1::2, ::2] = False
        assert noisy[..., channel][between].var() < 0.6 * noisy[..., channel][places].var()
    # Neighbours share what was filled in, as in a picture from a mosaic; far ones share nothing.
    red = noisy[..., 0] - noisy[..., 0].mean()
    assert np.corrcoef(red[:, 1:].ravel(), red[:, :-1].ravel())[0, 1] > 0.4
    assert abs(np.corrcoef(red[:, 7:].ravel(), red[:, :-7].ravel())[0, 1]) < 0.04


def test_noise_is_of_the_shot_and_grows_with_the_iso() -> None:
    shot = taken_on(iso=800)
    first = sensor.record(even(0.3), shot)
    np.testing.assert_array_equal(first, sensor.record(even(0.3), shot))
    assert (sensor.record(even(0.3), replace(shot, index=shot.index + 1)) != first).mean() > 0.9
    spread = [sensor.record(even(0.3), taken_on(iso=iso)).std() for iso in (100, 400, 1600, 6400)]
    np.testing.assert_allclose(np.divide(spread[1:], spread[:-1]), 2, rtol=0.1)


def test_corners_lose_their_stops_and_the_middle_none() -> None:
    light = sensor.record(even(1.0), taken_on(vignetting_stops=1.5))[..., 0]
    assert light[80, 100] > 0.999
    np.testing.assert_allclose(np.log2(light[[0, 0, -1, -1], [0, -1, 0, -1]]), -1.5, atol=0.03)
    from_middle = light[80, 100:]
    assert (np.diff(from_middle) < 0).all()
    assert np.abs(np.diff(from_middle)).max() < 0.01


def test_white_balance_tints_and_keeps_the_brightness() -> None:
    warm = sensor.record(even(0.5), taken_on(temperature_stops=0.4))[0, 0]
    np.testing.assert_allclose(np.log2(warm[0] / warm[2]), 0.4, atol=1e-4)
    green = sensor.record(even(0.5), taken_on(tint_stops=0.2))[0, 0]
    np.testing.assert_allclose(np.log2(green[1] / green[[0, 2]]), 0.2, atol=1e-4)
    for tinted in (warm, green):
        np.testing.assert_allclose(tinted @ film.LUMINANCE, 0.5, rtol=1e-5)


def test_others_pictures_are_put_on_film_too() -> None:
    levels = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 256, 3)
    np.testing.assert_array_equal(film.develop(film.undevelop(levels), 1.0), levels)
    rgb = np.full((160, 200, 3), 140, dtype=np.uint8)
    depth_m = np.ones((160, 200), dtype=np.float32)
    frame = Frame(rgb=rgb, ids=np.zeros((160, 200), np.uint8), depth_m=depth_m)
    assert sensor.taken(frame, make_shot([], (), (), CAMERA)) is frame
    np.testing.assert_array_equal(sensor.taken(frame, taken_on()).rgb, rgb)
    put = sensor.taken(frame, taken_on(iso=1600, vignetting_stops=1.0))
    assert put.rgb[:8, :8].mean() < 125 < put.rgb[76:84, 96:104].mean()
    assert 2 < put.rgb[70:90, 90:110].std() < 25
    assert put.depth_m is depth_m

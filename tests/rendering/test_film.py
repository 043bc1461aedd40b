"""Exposure and development."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.rendering.film import automatic_exposure, develop


def scene(people: float, around: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    radiance = rng.lognormal(np.log(around), 0.4, (60, 80, 3)).astype(np.float32)
    ids = np.zeros((60, 80), dtype=np.uint8)
    ids[10:50, 30:45] = 1
    radiance[ids == 1] *= people / around
    return radiance, ids


@given(st.floats(1e-4, 1e4))
def test_exposure_undoes_the_strength_of_the_light(strength: float) -> None:
    radiance, ids = scene(0.4, 0.5)
    plain = develop(radiance, automatic_exposure(radiance, ids))
    scaled = (radiance * strength).astype(np.float32)
    changed = develop(scaled, automatic_exposure(scaled, ids)).astype(int)
    assert np.abs(changed - plain).max() <= 1


@given(st.floats(0.02, 20))
def test_people_are_well_exposed_before_any_background(around: float) -> None:
    radiance, ids = scene(0.3, around)
    picture = develop(radiance, automatic_exposure(radiance, ids))
    assert 50 < picture[ids == 1].mean() < 225


def test_no_people_and_no_light_are_no_failure() -> None:
    dark = np.zeros((8, 8, 3), dtype=np.float32)
    none = np.zeros((8, 8), dtype=np.uint8)
    assert np.isfinite(automatic_exposure(dark, none))
    assert (develop(dark, automatic_exposure(dark, none)) == 0).all()


def test_development_rises_with_the_light_and_ends_white() -> None:
    ramp = np.geomspace(1e-4, 1e3, 500, dtype=np.float32)[None, :, None].repeat(3, axis=2)
    values = develop(ramp, 1.0)[0, :, 0].astype(int)
    assert (np.diff(values) >= 0).all()
    assert values[0] == 0
    assert values[-1] == 255
    assert develop(ramp, 2.0).mean() > develop(ramp, 1.0).mean()

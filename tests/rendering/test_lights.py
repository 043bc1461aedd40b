"""Light from far away."""

from __future__ import annotations

import numpy as np
import pytest

mi = pytest.importorskip("mitsuba")

from spinetrack_synth.rendering import variants  # noqa: E402
from spinetrack_synth.rendering.lights import (  # noqa: E402
    MAP_HEIGHT,
    directions,
    distant_light,
    solid_angles,
    sun_and_sky,
)
from spinetrack_synth.shot import Ambient, AreaLight, Sun  # noqa: E402


@pytest.fixture(autouse=True)
def variant():
    mi.set_variant(variants.choose())
    sun_and_sky.cache_clear()


def noon(elevation_deg: float, azimuth_deg: float = 0.0, **options: float) -> Sun:
    elevation, azimuth = np.radians([elevation_deg, azimuth_deg])
    flat = np.cos(elevation)
    return Sun(
        (float(flat * np.cos(azimuth)), float(np.sin(elevation)), float(flat * np.sin(azimuth))),
        **options,
    )


def test_texels_lie_where_mitsuba_looks_for_them() -> None:
    height = 16
    dirs = directions(height)
    emitter = mi.load_dict({"type": "envmap", "bitmap": mi.Bitmap((dirs + 2).astype(np.float32))})
    si = mi.SurfaceInteraction3f()
    for row in (1, 5, 8, 14):
        for column in (0, 3, 17, 31):
            si.wi = [float(-value) for value in dirs[row, column]]
            seen = np.ravel(np.array(emitter.eval(si))) - 2
            np.testing.assert_allclose(seen, dirs[row, column], atol=2e-3)


def test_solid_angles_fill_the_sphere() -> None:
    assert solid_angles(MAP_HEIGHT).sum() * 2 * MAP_HEIGHT == pytest.approx(4 * np.pi)


@pytest.mark.parametrize("elevation_deg", [-20, 0, 3, 30, 90])
@pytest.mark.parametrize("turbidity", [2.0, 8.0])
def test_it_is_never_black_below_the_horizon(elevation_deg: float, turbidity: float) -> None:
    radiance = distant_light((noon(elevation_deg, 40, turbidity=turbidity),)).radiance
    assert np.isfinite(radiance).all()
    up = directions(MAP_HEIGHT)[:, 0, 1]
    lowest_sky = radiance[up > 0][-1].mean()
    assert radiance[up < 0].mean(axis=(1, 2)).min() > 0.05 * lowest_sky > 0
    # No edge at the horizon either: the first row of ground still has the sky's colour.
    np.testing.assert_allclose(radiance[up < 0][0], radiance[up > 0][-1], rtol=0.2)


def test_the_sun_stands_where_it_was_put() -> None:
    for azimuth in (0, 90, 200):
        distant = distant_light((noon(35, azimuth),))
        expected = noon(35, azimuth).direction_world
        np.testing.assert_allclose(distant.sun_direction, expected, atol=1e-9)
        # The sky is brighter around the sun than at the same height across from it.
        dirs = directions(MAP_HEIGHT)
        around = distant.radiance[dirs @ expected > np.cos(0.1)].mean()
        across = distant.radiance[dirs @ (expected * np.array([-1, 1, -1])) > np.cos(0.1)].mean()
        assert around > 1.5 * across


def test_a_low_sun_is_weak_and_red_and_a_set_one_is_gone() -> None:
    low, high, gone = (distant_light((noon(angle),)).sun_irradiance for angle in (4, 50, -5))
    assert (low < high).all()
    assert low[0] / low[2] > 2 * high[0] / high[2]
    assert (gone == 0).all()


def test_scales_multiply_their_part() -> None:
    plain, changed = (
        distant_light((noon(40, sun_scale=s, sky_scale=k),)) for s, k in ((1, 1), (0.5, 3))
    )
    np.testing.assert_allclose(changed.sun_irradiance, 0.5 * plain.sun_irradiance, rtol=1e-4)
    up = directions(MAP_HEIGHT)[:, 0, 1] > 0
    np.testing.assert_allclose(changed.radiance[up], 3 * plain.radiance[up], rtol=1e-2)


def test_ambient_light_adds_and_area_lights_are_not_far_away() -> None:
    lamp = AreaLight((0, 2, 0), (1, 0, 0), (0, 0, -1), (9, 9, 9))
    alone = distant_light((Ambient((0.1, 0.2, 0.3)), Ambient((0.1, 0, 0)), lamp))
    np.testing.assert_allclose(alone.radiance[3, 5], (0.2, 0.2, 0.3), atol=1e-4)
    np.testing.assert_allclose(alone.irradiance, np.pi * alone.radiance[0, 0], rtol=1e-4)
    sunny = distant_light((noon(40),))
    both = distant_light((noon(40), Ambient((0.1, 0.2, 0.3))))
    np.testing.assert_allclose(
        both.radiance - sunny.radiance,
        np.broadcast_to((0.1, 0.2, 0.3), both.radiance.shape),
        atol=1e-3,
    )
    assert distant_light(()).radiance.min() > 0


def test_two_suns_are_refused() -> None:
    with pytest.raises(ValueError, match="at most one sun"):
        distant_light((noon(40), noon(50)))

from dataclasses import replace

import numpy as np
import pytest

from spinetrack_synth.scenes.description import Range
from spinetrack_synth.scenes.lighting import black_body, light_up
from spinetrack_synth.scenes.places import place
from spinetrack_synth.shot import Ambient, AreaLight, Sun

pytestmark = pytest.mark.slow


def test_black_bodies_grow_bluer_and_keep_their_luminance():
    colors = np.array([black_body(kelvin) for kelvin in (2500, 4000, 6500, 10000)])
    np.testing.assert_allclose(colors @ [0.2126, 0.7152, 0.0722], 1)
    blueness = colors[:, 2] / colors[:, 0]
    assert (np.diff(blueness) > 0).all()
    assert blueness[2] == pytest.approx(1, abs=0.05)


def test_indoors_the_windows_glow(yoga):
    studio = place("studio", 0)
    rules = replace(yoga.light, evening=0.0, lamps=0.0)
    lights, name = light_up(studio, rules, np.random.default_rng(0))
    assert name == "daylight"
    assert len(lights) == len(studio.windows)
    assert all(isinstance(light, AreaLight) and min(light.radiance) > 1 for light in lights)


def test_outdoors_sun_stands_in_its_range_or_the_sky_is_grey(yoga):
    park = place("park", 0)
    rules = replace(yoga.light, sun_elevation_deg=Range(20, 30), overcast=0.5)
    names = set()
    for seed in range(40):
        lights, name = light_up(park, rules, np.random.default_rng(seed))
        names.add(name)
        (sun,) = [light for light in lights if isinstance(light, Sun)]
        if name == "sun":
            assert len(lights) == 1
            assert np.linalg.norm(sun.direction_world) == pytest.approx(1)
            assert 20 <= np.degrees(np.arcsin(sun.direction_world[1])) <= 30
        else:
            assert sun.sun_scale < 0.05  # no hard shadows
            assert any(isinstance(light, Ambient) for light in lights)
    assert names == {"sun", "overcast"}

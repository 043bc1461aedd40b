from dataclasses import replace

import numpy as np
import pytest

from spinetrack_synth.scenes.description import Range
from spinetrack_synth.scenes.lighting import black_body, light_up
from spinetrack_synth.scenes.place import Place
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


def somewhere(**things: object) -> Place:
    """A place of nothing but its lights."""
    flat = np.zeros((2, 2))
    return Place("somewhere", 0, (), flat, np.zeros((2, 3)), np.zeros((0, 2, 3)), **things)


LAMP = AreaLight((0, 3, 0), (0.1, 0, 0), (0, 0, 0.1), (1, 1, 1))


def test_a_room_without_windows_is_lit_by_its_lamps(yoga):
    for seed in range(5):
        room = somewhere(lamps=(LAMP,))
        lights, name = light_up(room, yoga.light, np.random.default_rng(seed))
        assert name == "lamps"
        assert [type(light) for light in lights] == [AreaLight]
        assert min(lights[0].radiance) > 0.5


def test_without_nights_days_are_what_they_were(yoga):
    """A share of nights draws further numbers; none draws none."""
    outdoors = somewhere(lamps=(LAMP,), outdoors=True)
    assert yoga.light.night == 0
    for seed in range(10):
        lights, name = light_up(outdoors, yoga.light, np.random.default_rng(seed))
        assert name in ("sun", "overcast")
        assert not any(isinstance(light, AreaLight) for light in lights)


def test_after_sunset_the_sky_is_dim_and_the_lamps_shine(yoga):
    dim = replace(LAMP, radiance=(0.1, 0.1, 0.1))
    outdoors = somewhere(lamps=(LAMP, dim), outdoors=True)
    rules = replace(yoga.light, night=1.0)
    brightness = {"dusk": [], "night": []}
    for seed in range(30):
        lights, name = light_up(outdoors, rules, np.random.default_rng(seed))
        (sun,) = [light for light in lights if isinstance(light, Sun)]
        assert sun.direction_world[1] < 0
        assert sun.sky_scale < 0.2
        street, window = [light for light in lights if isinstance(light, AreaLight)]
        np.testing.assert_allclose(np.divide(window.radiance, street.radiance), 0.1)
        brightness[name].append(sun.sky_scale)
    assert min(brightness["dusk"]) > max(brightness["night"])


def test_a_share_of_nights_is_kept(yoga):
    outdoors = somewhere(outdoors=True)
    rules = replace(yoga.light, night=0.3)
    names = [light_up(outdoors, rules, np.random.default_rng(seed))[1] for seed in range(300)]
    assert 0.2 < np.mean([name in ("dusk", "night") for name in names]) < 0.4

"""What is written for the wire is read back the same, and holds nothing the wire refuses."""

from __future__ import annotations

import re

import numpy as np
import pytest
from fakes import ball_person, model
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.rendering.unreal import messages
from spinetrack_synth.shot import Ambient, AreaLight, Sun, Thing

LIGHTS = (
    Sun((0.1, 0.9, -0.4), turbidity=5.0, sun_scale=0.02, sky_scale=1.5),
    AreaLight((1.0, 2.5, -3.0), (0.5, 0.0, 0.0), (0.0, 0.0, 0.8), (12.0, 11.0, 9.5)),
    Ambient((0.02, 0.03, 0.05)),
)


@given(st.floats(-1e7, 1e7))
def test_numbers_are_what_unrealcv_matches(value: float) -> None:
    text = messages.number(value)
    assert re.fullmatch(r"[-+]?\d*[.]?\d+", text)
    assert float(text) == pytest.approx(value, abs=5.1e-7)


def test_a_pose_comes_back() -> None:
    person = ball_person(pelvis_rotation=2.0, arm_flex_l=1.0, pelvis_tz=-3.0)
    text = messages.pose_json(model().bodies, person.body2world)
    assert not re.search(r"\s|\de[-+]\d", text)
    frames = messages.parse_pose(text)
    assert tuple(frames) == model().bodies
    back = np.array(list(frames.values()))
    np.testing.assert_allclose(back, person.body2world, atol=1e-7)


def test_lights_come_back() -> None:
    text = messages.lights_json(LIGHTS, 1.25)
    assert " " not in text
    lights, exposure = messages.parse_lights(text)
    assert exposure == 1.25
    for light, back in zip(LIGHTS, lights, strict=True):
        assert type(light) is type(back)
        for name, value in vars(light).items():
            np.testing.assert_allclose(getattr(back, name), value, atol=1e-6)


def test_fingers_come_back() -> None:
    fingers = np.random.default_rng(3).uniform(-1, 1.5, (2, 5, 3))
    text = messages.fingers_json(fingers)
    assert " " not in text
    np.testing.assert_allclose(messages.parse_fingers(text), fingers, atol=2e-6)
    assert messages.parse_fingers(messages.fingers_json(None)) is None
    for wrong in ("[]", "[1,2]", "{}", "[[1],[2]]", "x"):
        with pytest.raises(ValueError, match="fifteen degrees"):
            messages.parse_fingers(wrong)


def test_things_come_back() -> None:
    things = (
        Thing("mat/3", (1.0, -0.006, -2.5), 2.2, (1.0, 0.5, 1.1)),
        Thing("gear/bottle/0", (0.0, 0.0, 0.1), -0.3),
        Thing("held/barbell/0", (0.0, 1.0, 0.1), -0.3, (1.0, 1.0, 1.0), 0.4, -1.2),
    )
    text = messages.things_json(things)
    assert text.count("pitch") == text.count("roll") == 1  # upright things have a yaw alone
    assert " " not in text
    for thing, back in zip(things, messages.parse_things(text), strict=True):
        assert back.asset == thing.asset
        for name in ("position_world", "yaw_rad", "scale", "pitch_rad", "roll_rad"):
            np.testing.assert_allclose(getattr(back, name), getattr(thing, name), atol=1e-6)
    assert messages.parse_things(messages.things_json(())) == ()


@pytest.mark.parametrize("text", ["", "{}x", '[{"asset":"mat/3"}]', "[1]"])
def test_what_is_no_thing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        messages.parse_things(text)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"pelvis":[1,2]}', '{"pelvis":[0,0,0,0,0,0,0]}', '{"pelvis":"x"}']
)
def test_what_is_no_pose_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        messages.parse_pose(text)


@pytest.mark.parametrize(
    "text", ["no", "{}", "[]", '{"lights":[{"type":"moon"}],"exposure":1}', '{"lights":[{}]}']
)
def test_what_is_no_light_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        messages.parse_lights(text)


AREA = '"center":[0,0,200],"half_u":[50,0,0],"half_v":[0,50,0],"radiance":[1,1,1]'


@pytest.mark.parametrize("exposure", ["NaN", "Infinity", "1e400", '"nan"', "[]", "null"])
def test_an_exposure_is_a_finite_number(exposure: str) -> None:
    with pytest.raises(ValueError):
        messages.parse_lights(f'{{"lights":[],"exposure":{exposure}}}')


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("[0,0,200]", "[0,0]"), ("[0,0,200]", "[0,0,200,1]"), ("[1,1,1]", "[1,NaN,1]"),
     ("[50,0,0]", "7"), ('"radiance"', '"brightness"')],
)  # fmt: skip
def test_a_light_that_lacks_a_number_is_told(right: str, wrong: str) -> None:
    text = f'{{"lights":[{{"type":"area",{AREA}}}],"exposure":1}}'
    assert len(messages.parse_lights(text)[0]) == 1
    with pytest.raises(ValueError):
        messages.parse_lights(text.replace(right, wrong))


@pytest.mark.parametrize(
    "wrong",
    ['"location":[1,2],"yaw":0', '"location":[1,2,NaN],"yaw":0', '"location":[1,2,3],"yaw":1e999',
     '"yaw":0'],
)  # fmt: skip
def test_a_thing_that_lacks_a_number_is_told(wrong: str) -> None:
    with pytest.raises(ValueError):
        messages.parse_things(f'[{{"asset":"mat/3",{wrong},"scale":[1,1,1]}}]')

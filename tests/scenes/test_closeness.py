"""How finely people are painted."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.camera import look_at
from spinetrack_synth.scenes.closeness import TEXEL_PX, texel_on_m

MIDDLE = np.array([0.0, 1.0, 0.0])


@pytest.fixture
def person(cast):
    avatar = cast.avatar(0)
    return avatar.posed(avatar.tree.default_coordinates)


def camera(distance_m: float, focal_px: float = 800.0, away: bool = False):
    ahead = np.array([distance_m, 0.0, 0.0])
    target = MIDDLE + 2 * ahead * away
    return look_at(MIDDLE + ahead, target, focal_px=focal_px, width=640, height=480)


def test_texels_are_shorter_than_the_pixels_of_the_nearest_camera(person):
    near, far = camera(3.0), camera(12.0)
    wanted = texel_on_m(person, [far, near])
    assert wanted == pytest.approx(TEXEL_PX * 3.0 / 800, rel=0.15)
    assert texel_on_m(person, [far]) == pytest.approx(TEXEL_PX * 12.0 / 800, rel=0.05)
    assert texel_on_m(person, [camera(12.0, 200.0)]) > 3 * texel_on_m(person, [far])


def test_who_is_not_seen_needs_no_picture(person):
    assert texel_on_m(person, [camera(3.0, away=True)]) == np.inf
    assert texel_on_m(person, []) == np.inf

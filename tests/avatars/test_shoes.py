import numpy as np
import pytest

from spinetrack_synth.avatars.avatar import pose_skin
from spinetrack_synth.avatars.body import sample_subject, shape
from spinetrack_synth.avatars.figure import measure
from spinetrack_synth.avatars.making import redress, undressed_avatar
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.avatars.shoes import SHOES, fit_shoes, shoe_part
from spinetrack_synth.poses.library import library
from spinetrack_synth.scenes.placing import take_stance


@pytest.fixture(scope="module", params=[1, 2])
def figure(request, body_data):
    return measure(body_data, shape(body_data, sample_subject(7, request.param)))


@pytest.mark.parametrize("name", SHOES)
def test_a_shoe_holds_the_foot_above_its_sole(body_data, figure, name):
    shoe = SHOES[name]
    pair = fit_shoes(body_data, figure, shoe)
    part = shoe_part(body_data, figure, shoe, pair, np.random.default_rng(0))
    points = part.rest_world
    assert points[:, 1].min() == pytest.approx(-shoe.sole_m, abs=1e-6)
    for side in (-1, 1):
        mine = points[points[:, 2] * side > 0]
        foot = figure.points[(figure.points[:, 2] * side > 0) & (figure.points[:, 1] < 0.03)]
        assert mine[:, 0].max() > foot[:, 0].max() and mine[:, 0].min() < foot[:, 0].min()
        length = np.ptp(mine[:, 0])
        assert np.ptp(foot[:, 0]) < length < np.ptp(foot[:, 0]) + 0.06
        assert np.ptp(mine[:, 2]) < 0.2
    assert np.abs(part.stencil.sum(axis=1) - 1).max() < 1e-6
    assert part.uv.min() >= 0 and part.uv.max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("pose", ["at_ease", "walk_toe_off", "lunge_bottom", "desk_upright"])
def test_soles_stand_on_the_floor_and_keypoints_stay_in_the_foot(pose):
    avatar = redress(undressed_avatar(sample_subject(7, 2)), 1, "training")
    assert avatar.sole_m > 0.015
    stance = take_stance(avatar, library()[pose], np.random.default_rng(0))
    person = pose_avatar(avatar, stance.q, stance.fingers)
    shoes = next(s for s in person.surfaces if s.key.rsplit("/")[-1] == avatar.garments[-1])
    assert shoes.vertices_world[:, 1].min() == pytest.approx(0.0, abs=0.012)
    bare = person.skin_world[:, 1].min()  # the anatomical skin is a sole's thickness higher
    assert bare == pytest.approx(avatar.sole_m, abs=0.012)
    assert person.keypoints_world[:, 1].min() > 0.5 * avatar.sole_m


@pytest.mark.slow
def test_bare_feet_stand_as_before():
    avatar = undressed_avatar(sample_subject(7, 2))
    shod = redress(avatar, 1, "training")
    bare = redress(shod, 1)
    q = avatar.rig.coordinates
    assert np.array_equal(pose_skin(bare, q), pose_skin(avatar, q))
    assert np.allclose(bare.probe.offset_m, avatar.probe.offset_m)
    assert pose_skin(shod, q)[:, 1].min() < pose_skin(bare, q)[:, 1].min() - 0.015

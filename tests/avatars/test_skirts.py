from dataclasses import replace

import numpy as np
import pytest

from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.clothes import tailor
from spinetrack_synth.avatars.cuts import Cut, Skirt
from spinetrack_synth.avatars.inside import skin_triangles, winding_number
from spinetrack_synth.avatars.making import redress, undressed_avatar
from spinetrack_synth.avatars.parts import riding
from spinetrack_synth.avatars.patterns import Fabric
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.avatars.skirts import COLUMNS, skirt_part
from spinetrack_synth.poses.library import library
from spinetrack_synth.scenes.placing import take_stance

pytestmark = pytest.mark.slow

CLOTH = Fabric("plain", (0.4, 0.1, 0.1), (0.1, 0.1, 0.4), (0.3, 0.1, 0.1), 0.8)


@pytest.fixture(scope="module")
def skirted(body_data):
    avatar = undressed_avatar(sample_subject(7, 4))
    cut = Cut("skirt", waist=0.36, hem=0.14, skirt=Skirt(0.30, 0.95, 0.25, 0.1))
    figure = avatar.looks.figure
    yoke = tailor(body_data, figure, cut, np.random.default_rng(0))
    part = skirt_part(body_data, figure, cut.skirt, (yoke,), CLOTH, np.random.default_rng(0))
    return replace(avatar, parts=(riding(part, avatar.binding),))


@pytest.mark.parametrize("pose", ["at_ease", "walk_fast", "desk_upright", "trunk_flexion_full"])
def test_a_skirt_hangs_about_the_legs_and_not_in_them(skirted, body_data, pose):
    stance = take_stance(skirted, library()[pose], np.random.default_rng(0))
    person = pose_avatar(skirted, stance.q, stance.fingers)
    (cloth,) = person.surfaces
    points = cloth.vertices_world
    assert np.isfinite(points).all()
    assert points[:, 1].min() > -0.01
    free = points[skirted.parts[0].hanging.held :: 7]  # the waistband goes where the waist folds
    own = winding_number(free, person.skin_world, skin_triangles(body_data))
    assert (own > 0.5).mean() < 0.02
    links = skirted.parts[0].hanging.link[:1000]
    length = np.linalg.norm(points[links[:, 0]] - points[links[:, 1]], axis=1)
    stretch = length / skirted.parts[0].hanging.length_m[:1000]
    assert np.quantile(stretch, 0.99) < 1.5


def test_a_skirt_falls_toward_the_head_in_a_handstand(skirted):
    """The hem lies below the waist whichever way up."""
    for pose in ("at_ease", "handstand_straight"):
        stance = take_stance(skirted, library()[pose], np.random.default_rng(0))
        person = pose_avatar(skirted, stance.q, stance.fingers)
        points = person.surfaces[0].vertices_world
        waist, hem = points[:COLUMNS, 1].mean(), points[-COLUMNS:, 1].mean()
        assert hem < waist + 0.05
    again = pose_avatar(skirted, stance.q, stance.fingers)
    assert np.array_equal(again.surfaces[0].vertices_world, points)


def test_clothes_change_nothing_of_the_body():
    """Keypoints and skin are those of the bare person."""
    avatar = undressed_avatar(sample_subject(7, 4))
    dressed = redress(avatar, 7, "business")
    q = avatar.rig.coordinates
    assert np.array_equal(
        pose_avatar(dressed, q).keypoints_world, pose_avatar(avatar, q).keypoints_world
    )
    assert np.array_equal(pose_avatar(dressed, q).skin_world, pose_avatar(avatar, q).skin_world)

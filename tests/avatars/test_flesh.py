import numpy as np
import pytest

from spinetrack_synth.avatars.avatar import Avatar, pose_skin
from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.deformation import at_rest, measure
from spinetrack_synth.avatars.flesh import flesh, mend
from spinetrack_synth.avatars.making import bare_avatar
from spinetrack_synth.poses.library import either_side, library
from spinetrack_synth.poses.sampling import sample_pose

HARDEST = (
    "tolasana", "balasana", "bakasana", "apanasana", "ananda_balasana", "split_pancake",
    "kneeling_seiza", "gomukhasana", "parighasana", "shelf_reaching", "trunk_side_bend_seated",
    "adho_mukha_svanasana", "uttanasana", "urdhva_dhanurasana", "bridge_straight_legs",
    "cartwheel_landing", "utkata_konasana", "air_squat_deep", "halasana",
)  # fmt: skip
"""Where the skin was torn or crushed most before it was mended."""
LISTED: dict[str, str] = {}
"""Poses that may be worse, and why."""


@pytest.fixture(scope="module", params=[0, 1])
def avatar(body_data, request) -> Avatar:
    return bare_avatar(sample_subject(7, request.param))


def test_the_hardest_poses_keep_volume_and_edges(body_data, avatar):
    skin = at_rest(body_data, avatar)
    rng = np.random.default_rng(3)
    for name in HARDEST:
        q = sample_pose(avatar.tree, either_side(library()[name], rng), rng)
        found = measure(skin, pose_skin(avatar, q))
        assert name in LISTED or abs(found.volume - 1) < 0.05, (name, found.volume)
        assert name in LISTED or found.stretch.max() < 2.2, (name, found.stretch.max())


def test_a_body_at_rest_is_left_as_it_is(avatar):
    rest = avatar.skin_binding.rest_world
    np.testing.assert_allclose(pose_skin(avatar, avatar.rig.coordinates), rest, atol=1e-9)


def test_lost_volume_comes_back_where_the_body_is_bent_and_soft(body_data, avatar):
    rest = avatar.skin_binding.rest_world
    pelvis = avatar.rig.body2world[avatar.tree.body_index["pelvis"], :3, 3]
    near = np.exp(-(((rest - pelvis) / 0.2) ** 2).sum(axis=1))
    axis = rest * [0, 1, 0]
    thin = rest + 0.1 * near[:, None] * (axis - rest)
    skin = at_rest(body_data, avatar)
    before = measure(skin, thin).volume
    bent = 0.1 * near
    mended = mend(avatar.flesh, thin, bent)
    assert before < 0.98 < measure(skin, mended).volume
    still = np.linalg.norm(mended - thin, axis=1) < 1e-4
    assert still[near < 1e-3].all()


def test_a_drawn_edge_takes_its_neighbours_along(body_data, avatar):
    rest = avatar.skin_binding.rest_world
    soft = flesh(body_data, rest, np.ones(len(rest)))
    crowd = np.flatnonzero(np.linalg.norm(rest - rest[4000], axis=1) < 0.02)
    pulled = rest.copy()
    pulled[crowd] += [0.05, 0.0, 0.0]
    skin = at_rest(body_data, avatar)
    assert measure(skin, pulled).stretch.max() > 3
    assert measure(skin, mend(soft, pulled, np.zeros(len(rest)))).stretch.max() < 2.2


def test_what_rides_on_the_skin_follows_it(avatar):
    binding = avatar.binding
    count = len(avatar.flesh.give)
    pulled = binding.rest_world.copy()
    pulled[:count] *= 0.97  # thinner all over: it swells where it is bent
    mended = mend(avatar.flesh, pulled, np.full(len(pulled), 0.1))
    moved = np.linalg.norm(mended - pulled, axis=1)
    followed = moved[count:][avatar.flesh.near_share.sum(axis=1) > 0.99]
    assert moved[:count].max() > 0.005 and followed.max() > 0.004
    assert (moved[count:][avatar.flesh.near_share.sum(axis=1) == 0] == 0).all()

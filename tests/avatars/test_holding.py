"""Hands of people in poses: on what they hold, on the floor, and under cloth's way."""

import numpy as np
import pytest
from scipy.spatial import KDTree

from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.dress import _stream
from spinetrack_synth.avatars.holding import open_fingers
from spinetrack_synth.avatars.making import bare_avatar, make_avatar
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.avatars.skinning import vertex_normals
from spinetrack_synth.avatars.wardrobe import choose_outfit
from spinetrack_synth.poses.library import library
from spinetrack_synth.scenes.placing import take_stance

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def avatar(body_data):
    return bare_avatar(sample_subject(103, 1))


def stance(avatar, name, seed=5):
    for k in range(4):
        taken = take_stance(avatar, library()[name], np.random.default_rng([seed, k]))
        if taken is not None:
            return taken
    raise AssertionError(f"no stance in {name}")


def depths_m(avatar, skin, hand):
    """Depth of a hand's skin in the rest of the body, negative outside, and its distance."""
    names = np.array(avatar.tree.bodies)[avatar.skin_body]
    arm = np.isin(names, [f"{b}_{hand.side}" for b in ("hand", "radius", "ulna", "humerus")])
    quads = avatar.skin_faces
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    normals = vertex_normals(skin, faces, np.arange(len(skin), dtype=np.int32))[~arm]
    mine = skin[avatar.skin_body == hand.body]
    distance, nearest = KDTree(skin[~arm]).query(mine)
    above = np.einsum("vi,vi->v", mine - skin[~arm][nearest], normals[nearest])
    return np.where(distance < 0.04, -above, -0.04), distance


@pytest.mark.parametrize(
    "name", ["apanasana", "ananda_balasana", "dhanurasana", "ardha_uttanasana", "sukhasana"]
)
def test_hands_hold_limbs_and_do_not_enter_them(avatar, name):
    """Straight fingers ran 11-46 mm deep through shins, feet and knees."""
    taken = stance(avatar, name)
    for hand in avatar.hands:
        depth, distance = depths_m(avatar, taken.skin, hand)
        assert depth.max() < 0.009
        assert distance.min() < 0.012


@pytest.mark.parametrize("name", ["gomukhasana", "makarasana", "baddha_konasana"])
def test_hands_come_out_of_what_settling_puts_them_in(avatar, name):
    """They lay 10-18 mm deep in the back, in each other and in the feet."""
    taken = stance(avatar, name)
    assert max(depths_m(avatar, taken.skin, hand)[0].max() for hand in avatar.hands) < 0.009


@pytest.mark.parametrize("name", ["phalakasana", "salamba_bhujangasana", "bitilasana"])
def test_thumbs_do_not_sink_into_the_floor(avatar, name):
    taken = stance(avatar, name)
    hands = np.isin(avatar.skin_body, [hand.body for hand in avatar.hands])
    assert taken.skin[hands, 1].min() > -0.0035


def test_a_stance_is_drawn_as_it_was_settled(avatar):
    taken = stance(avatar, "apanasana")
    drawn = pose_avatar(avatar, taken.q, taken.fingers).skin_world
    assert drawn == pytest.approx(taken.skin, abs=1e-6)
    assert drawn[:, 1].min() > -0.015
    again = stance(avatar, "apanasana")
    assert (again.fingers == taken.fingers).all() and (again.q == taken.q).all()


def test_hands_prepare_for_what_the_pose_asks(avatar):
    plank, fold = library()["phalakasana"], library()["uttanasana"]
    flat = open_fingers(avatar, plank.contacts, plank.reaches)
    assert flat[:, 0, 0] == pytest.approx([flat[0, 0, 0]] * 2, abs=0.1)
    assert (flat[:, 0, 0] < np.radians(-10)).all()
    assert (open_fingers(avatar, fold.contacts, fold.reaches) == 0.0).all()


def test_cloth_gives_way_to_hands(body_data):
    """Loose trousers used to hide the hand that holds a shin."""
    subject = next(
        subject
        for subject in (sample_subject(103, k) for k in range(24))
        if any(
            cut.name == "joggers"
            for cut in choose_outfit("sports", subject.sex, _stream(subject, 0x0F)).cuts
        )
    )
    dressed = make_avatar(subject)
    taken = stance(dressed, "apanasana")
    person = pose_avatar(dressed, taken.q, taken.fingers)
    cloth = next(s for s in person.surfaces if s.key.endswith("/joggers"))
    for hand in dressed.hands:
        skin = person.skin_world[person.skin_body == hand.body]
        distance, nearest = KDTree(cloth.vertices_world).query(skin)
        above = np.einsum(
            "vi,vi->v", skin - cloth.vertices_world[nearest], cloth.normals_world[nearest]
        )
        near = distance < 0.04
        assert near.sum() > 100
        assert (above[near] > -0.004).mean() > 0.97

from dataclasses import replace

import numpy as np
import pytest

from spinetrack_synth.avatars import dress, hair
from spinetrack_synth.avatars.body import sample_subject, shape
from spinetrack_synth.avatars.faces import (
    EXPRESSIONS,
    MOST_TURNED_RAD,
    Mien,
    bareheaded,
    sheds_hat,
    with_face,
)
from spinetrack_synth.avatars.headwear import HATS, make_headwear
from spinetrack_synth.avatars.making import make_avatar, redress
from spinetrack_synth.avatars.posing import pose_avatar, pose_bodies
from spinetrack_synth.avatars.survey import survey
from spinetrack_synth.rotations import about_y, about_z
from spinetrack_synth.skeleton import NAMES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def avatar(body_data):
    return make_avatar(sample_subject(7, 2))


@pytest.fixture(scope="module")
def standing(avatar):
    return pose_avatar(avatar, avatar.rig.coordinates)


def surface(avatar, person, name):
    return next(s for p, s in zip(avatar.parts, person.surfaces, strict=True) if p.name == name)


def eye_keypoints(person):
    return person.keypoints_world[[NAMES.index("left_eye"), NAMES.index("right_eye")]]


def pupils(avatar, person):
    """The middle of the iris of each eye: the balls' first vertices."""
    balls = np.split(surface(avatar, person, "eyes").vertices_world, 2)
    return np.array([ball[0] for ball in balls], float)


def lid_gap_m(avatar, person):
    """How far the lids of the left eye stand apart, above and below its middle."""
    eye = eye_keypoints(person)[0]
    skin = surface(avatar, person, "skin").vertices_world
    own = skin[(np.abs(skin[:, 2] - eye[2]) < 0.004) & (skin[:, 0] > eye[0] + 0.006)]
    upper, lower = own[own[:, 1] > eye[1] - 0.004], own[own[:, 1] <= eye[1] - 0.004]
    return upper[:, 1].min() - lower[:, 1].max()


def test_eyes_look_at_what_they_are_told_to(avatar, standing):
    eyes = eye_keypoints(standing)
    for target in ([2.0, 1.2, -0.6], [1.0, 1.9, 0.3], [3.0, 1.5, 0.0]):
        person = with_face(avatar, standing, Mien(gaze="camera", target_world=np.array(target)))
        looks = pupils(avatar, person) - eyes
        wanted = np.array(target) - eyes
        cosine = (looks * wanted).sum(1) / np.linalg.norm(looks, axis=1)
        assert (np.degrees(np.arccos(cosine / np.linalg.norm(wanted, axis=1))) < 1.5).all()
        assert person.face.gaze == "camera"


def test_eyes_turn_no_farther_than_eyes_do(avatar, standing):
    behind = eye_keypoints(standing).mean(axis=0) + np.array([-1.0, 0.0, 2.0])
    person = with_face(avatar, standing, Mien(gaze="person", target_world=behind))
    looks = pupils(avatar, person) - eye_keypoints(person)
    straight = pupils(avatar, standing) - eye_keypoints(standing)
    turned = np.arccos((looks * straight).sum(1) / np.linalg.norm(looks, axis=1) ** 2)
    assert (turned < MOST_TURNED_RAD + 0.02).all()
    assert (turned > MOST_TURNED_RAD - 0.05).all()


def test_the_keypoints_of_eyes_are_the_middles_of_the_drawn_balls(avatar, standing):
    person = with_face(avatar, standing, Mien("smile", 1.0, "ahead", None, (0.3, -0.2)))
    for ball, eye in zip(
        np.split(surface(avatar, person, "eyes").vertices_world, 2),
        eye_keypoints(person),
        strict=True,
    ):
        reach = np.linalg.norm(ball - eye, axis=1)
        assert reach.max() - reach.min() < 0.003  # the cornea bulges


def test_closed_eyes_are_closed_and_lids_follow_the_gaze(avatar, standing):
    middle = eye_keypoints(standing).mean(axis=0)
    opened = lid_gap_m(avatar, standing)
    down = Mien(gaze="floor", target_world=middle + np.array([1.0, -0.5, 0.0]))
    assert opened > 0.005
    assert lid_gap_m(avatar, with_face(avatar, standing, down)) < opened - 0.001
    assert lid_gap_m(avatar, with_face(avatar, standing, Mien("closed eyes"))) < 0.0025


@pytest.mark.parametrize("expression", sorted(EXPRESSIONS))
def test_expressions_move_the_face_and_nothing_else(avatar, standing, expression):
    person = with_face(avatar, standing, Mien(expression))
    moved = np.linalg.norm(person.skin_world - standing.skin_world, axis=1)
    skull = avatar.tree.bodies.index("skull")
    assert (moved.max() > 0.002) == (expression != "neutral")
    assert moved.max() < 0.03
    assert moved[standing.skin_body != skull].max() < 0.01  # the throat, where a jaw opens
    assert np.array_equal(person.keypoints_world, standing.keypoints_world)
    nose = person.keypoints_world[NAMES.index("nose")]
    assert np.linalg.norm(person.skin_world - nose, axis=1).min() < 0.006
    assert person.face.expression == expression


def test_a_face_turns_with_the_head(avatar):
    """The same face on a body that was turned and moved as a whole."""
    rest = avatar.rig.body2world
    turn = np.eye(4)
    turn[:3, :3], turn[:3, 3] = about_y(0.7) @ about_z(-0.6), [1.0, 2.0, 3.0]
    here, there = (
        with_face(avatar, pose_bodies(avatar, frames), Mien("broad smile"))
        for frames in (rest, turn @ rest)
    )
    expected = here.skin_world @ turn[:3, :3].T + turn[:3, 3]
    assert np.abs(there.skin_world - expected).max() < 1e-4


@pytest.mark.parametrize("kind", sorted({*HATS, "headband"}))
def test_what_is_worn_lies_on_the_head_and_over_the_hair(avatar, kind):
    head = avatar.looks.hair.head
    worn = make_headwear(head, kind, np.random.default_rng(3))
    points = worn.part.rest_world
    arm = points - head.center
    off = np.linalg.norm(arm, axis=1) - head.surface_m(arm / np.linalg.norm(arm, axis=1)[:, None])
    assert np.quantile(off, 0.02) > -0.008  # cushions give way
    a, b, c = (points[worn.part.faces[:, k]] for k in range(3))
    outward = np.einsum("ij,ij->i", np.cross(b - a, c - a), (a + b + c) / 3 - head.center)
    assert (outward > 0).mean() > 0.5


def test_hats_fall_off_upside_down_and_glasses_stay(body_data):
    avatar = make_avatar(sample_subject(7, 4))
    worn = (dress.on_head(avatar.looks, avatar.subject, outfit) for outfit in range(1, 200))
    outfit = next(k for k, parts in enumerate(worn, 1) if {part.name for part in parts} & HATS)
    avatar = redress(avatar, outfit)
    names = {part.name for part in avatar.parts}
    q = avatar.rig.coordinates.copy()
    assert not sheds_hat(avatar, q[None])
    q[avatar.tree.coordinate_index["pelvis_tilt"]] += np.pi
    assert sheds_hat(avatar, q[None])
    left = {part.name for part in bareheaded(avatar).parts}
    assert left == names - HATS


def test_beards_and_teeth_go_with_the_jaw(body_data):
    subject = replace(sample_subject(7, 2), sex="male")
    grown = hair.grow(
        survey(body_data, shape(body_data, subject)), subject, "bald", np.random.default_rng(1),
        beard="full beard",
    )  # fmt: skip
    beard = next(part for part in grown.parts if part.name == "beard")
    assert np.allclose(beard.rides_on.sum(axis=1), 1)
    root = beard.rides_on @ shape(body_data, subject).vertices_world
    assert np.linalg.norm(beard.rest_world - root, axis=1).max() < 0.07

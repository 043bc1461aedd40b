import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import body_transforms, marker_positions
from spinetrack_synth.avatars import cast as casts
from spinetrack_synth.avatars.body import known_subject, sample_subject
from spinetrack_synth.avatars.cast import Cast
from spinetrack_synth.avatars.making import bare_avatar
from spinetrack_synth.avatars.posing import pose_avatar, pose_bodies
from spinetrack_synth.skeleton import NAMES


def test_keypoints_are_the_markers_of_the_model(body_data):
    avatar = bare_avatar(sample_subject(21, 0))
    q = avatar.rig.coordinates.copy()
    q[avatar.tree.coordinate_index["hip_flexion_r"]] = 0.8
    markers = dict(zip(avatar.tree.marker_names, marker_positions(avatar.tree, q)))
    expected = np.array([markers[name] for name in NAMES])
    np.testing.assert_array_equal(pose_avatar(avatar, q).keypoints_world, expected)


def test_bodies_alone_pose_the_avatar_too(body_data):
    avatar = bare_avatar(sample_subject(21, 1))
    q = avatar.rig.coordinates.copy()
    q[avatar.tree.coordinate_index["lumbar_bending"]] = 0.3
    known, posed = pose_avatar(avatar, q), pose_bodies(avatar, body_transforms(avatar.tree, q))
    np.testing.assert_array_equal(posed.skin_world, known.skin_world)
    np.testing.assert_array_equal(posed.keypoints_world, known.keypoints_world)
    np.testing.assert_array_equal(known.coordinates, q)
    assert np.isnan(posed.coordinates).all()


@pytest.mark.parametrize(("seed", "index"), [(0, 0), (7, 3), (123456, 1000)])
def test_subjects_are_known_by_their_id(seed, index):
    subject = sample_subject(seed, index)
    assert known_subject(subject.subject_id) == subject


@pytest.mark.parametrize(
    "name", ["", "s1", "s1-1", "s01-001", "s-1-001", "mannequin", "s1-001x", "s1-1p"]
)
def test_other_names_are_nobody(name):
    with pytest.raises(KeyError):
        known_subject(name)


def test_people_come_and_go_without_end():
    cast = Cast(3)
    there = [set(cast.present(index).numbers) for index in range(300)]
    assert {len(numbers) for numbers in there} == {Cast.WINDOW}
    assert set.union(*there) == set(range(109))
    assert all(len(now - before) <= 1 for before, now in zip(there, there[1:]))
    assert cast.present(5, 14).size == 14
    assert [cast.present(index).outfit for index in (0, 7)] == [0, 7]


def test_a_cast_of_a_number_is_of_that_number():
    cast = Cast(3, people=5, changing=False)
    assert {tuple(cast.present(index).numbers) for index in range(40)} == {(0, 1, 2, 3, 4)}
    assert cast.present(9).outfit == 0
    with pytest.raises(IndexError, match="subject 5 of a cast of 5"):
        cast.avatar(5)


def test_scenes_that_differ_in_the_share_of_shaped_spines_have_the_others_in_common(monkeypatch):
    made = []  # a subject stands for its avatar, which takes a second
    monkeypatch.setattr(
        casts, "undressed_avatar", lambda subject, worn: made.append(subject) or subject
    )
    monkeypatch.setattr(casts, "redress", lambda avatar, *worn: avatar)
    cast = Cast(3)
    people = {(k, share): cast.avatar(k, 1, share) for k in (0, 5) for share in (0.0, 0.3, 0.5)}
    assert [subject.subject_id for subject in made] == ["s3-000", "s3-005", "s3-005p"]
    assert people[0, 0.0] is people[0, 0.3]
    assert people[5, 0.3] is people[5, 0.5] is not people[5, 0.0]

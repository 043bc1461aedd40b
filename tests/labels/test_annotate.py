"""Labels of frames of ball people: projection, boxes, masks, who is labelled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import BallRenderer, ball_person, ball_shot, make_balls
from pycocotools import mask as coco_mask

from spinetrack_synth.labels import MIN_MASK_PX, annotate
from spinetrack_synth.skeleton import INDEX


@pytest.fixture(scope="module")
def two():
    left = ball_person("a", pelvis_tz=-0.4)
    right = ball_person("b", pelvis_tz=0.4, pelvis_rotation=2.0)
    shot = ball_shot(left, right, size=(200, 220))
    frame = BallRenderer().render(shot)
    return shot, frame, annotate(shot, frame)


def test_keypoints_are_the_projected_3d_points(two) -> None:
    shot, _, labels = two
    assert [label.person_id for label in labels] == [1, 2]
    for label in labels:
        exact = shot.camera.project(shot.people[label.person_id - 1].keypoints_world)
        labelled = label.keypoints[:, 2] > 0
        assert labelled.all()
        assert np.abs(label.keypoints[:, :2] - exact).max() < 0.001


def test_mask_box_and_area_are_those_of_the_ids(two) -> None:
    _, frame, labels = two
    for label in labels:
        mask = frame.ids == label.person_id
        np.testing.assert_array_equal(coco_mask.decode(label.mask), mask)
        assert label.area == mask.sum() == coco_mask.area(label.mask)
        np.testing.assert_array_equal(label.box, coco_mask.toBbox(label.mask))
        x, y, width, height = label.box
        outside = mask.copy()
        outside[y : y + height, x : x + width] = False
        assert not outside.any()


def test_a_pixel_or_two_apart_from_a_person_are_none_of_theirs(two) -> None:
    shot, frame, labels = two
    ids = frame.ids.copy()
    bare = np.argwhere(ids == 0)
    first, last = bare[0], bare[-1]
    ids[tuple(first)] = ids[tuple(last)] = 1
    ids[tuple(last - [1, 1])] = 1  # two pixels over a corner
    strayed = annotate(shot, replace(frame, ids=ids))
    assert (strayed[0].box, strayed[0].area) == (labels[0].box, labels[0].area)
    assert strayed[0].mask == labels[0].mask
    ids[tuple(last - [1, 0])] = 1  # three are a part of the person that is seen
    assert annotate(shot, replace(frame, ids=ids))[0].box[2:] != labels[0].box[2:]


def test_points_outside_the_picture_are_zero() -> None:
    shot = ball_shot(ball_person(), target=(0, 1.8, 0), focal_px=400)
    label = annotate(shot, BallRenderer().render(shot))[0]
    feet = label.keypoints[INDEX["left_ankle"]], label.keypoints[INDEX["right_heel"]]
    assert all((foot == 0).all() for foot in feet)
    assert label.keypoints[INDEX["nose"], 2] > 0
    assert label.num_keypoints == (label.keypoints[:, 2] > 0).sum() < 37
    inside = label.keypoints[label.keypoints[:, 2] > 0, :2]
    assert (inside >= 0).all()
    assert (inside < [shot.camera.width, shot.camera.height]).all()


def test_points_behind_the_camera_are_outside() -> None:
    shot = ball_shot(ball_person(arm_flex_l=1.57), camera_at=(0.3, 1.5, 0.1), target=(0, 1.5, 0))
    label = annotate(shot, BallRenderer().render(shot))[0]
    assert (shot.camera.to_camera(shot.people[0].keypoints_world)[:, 2] < 0).any()
    assert np.isfinite(label.keypoints).all()


def test_people_who_are_hardly_seen_get_no_label() -> None:
    wall = make_balls([[2.0, 0.9, 0.0]], [0.9])
    shot = ball_shot(ball_person(), things=(wall,))
    frame = BallRenderer().render(shot)
    assert (frame.ids == 1).sum() < MIN_MASK_PX
    assert annotate(shot, frame) == ()

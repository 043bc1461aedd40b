"""What is drawn lies where it should and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")

from PIL import Image

from spinetrack_synth.drawing.palette import SPINE_COLOR
from spinetrack_synth.drawing.person import Person, draw_person
from spinetrack_synth.drawing.pixels import PillowCanvas
from spinetrack_synth.drawing.predictions import draw_people
from spinetrack_synth.skeleton import INDEX, LINKS, NAMES, SPINE

PICTURE = np.full((400, 300, 3), 90, np.uint8)


def person() -> np.ndarray:
    return np.random.default_rng(0).uniform([60, 60], [240, 340], (37, 2))


def test_points_have_the_colours_of_the_contact_sheets() -> None:
    place = (150, 200)
    for name in ("spine_03", "left_knee", "right_wrist", "nose"):
        points, scores = np.tile(np.array(place, float), (37, 1)), np.zeros((1, 37))
        scores[0, INDEX[name]] = 1
        drawn = draw_people(PICTURE, points[None], scores)
        sheet = Image.fromarray(PICTURE)
        draw_person(PillowCanvas(sheet), Person(points, 2 * scores[0], NAMES, LINKS), 4)
        assert tuple(drawn[place[1], place[0], ::-1]) == sheet.getpixel(place), name
        assert tuple(drawn[place[1], place[0]]) != (90, 90, 90)


def test_a_spine_point_is_drawn_at_its_place() -> None:
    points = person()
    drawn = draw_people(PICTURE, points[None], np.ones((1, 37)))
    assert (PICTURE == 90).all(), "the picture itself stays"
    for keypoint in SPINE:
        x, y = np.rint(points[keypoint]).astype(int)
        near = drawn[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3)
        distance = np.abs(near.astype(int) - np.array(SPINE_COLOR[::-1])).max(axis=1)
        assert distance.min() < 40, keypoint


def test_points_of_low_score_are_left_out() -> None:
    points, scores = person(), np.zeros((1, 37))
    assert (draw_people(PICTURE, points[None], scores) == PICTURE).all()
    scores[0, INDEX["left_wrist"]] = 0.9
    drawn = draw_people(PICTURE, points[None], scores)
    where = np.argwhere((drawn != PICTURE).any(axis=2))
    x, y = points[INDEX["left_wrist"]]
    assert np.abs(where - [y, x]).max() < 8


@pytest.mark.parametrize("keypoints", [17, 26, 37])
def test_every_set_of_keypoints_has_a_trunk(keypoints: int) -> None:
    points = np.full((keypoints, 2), np.nan)
    for name, place in (
        ("left_shoulder", (200, 100)), ("right_shoulder", (100, 100)),
        ("left_hip", (180, 300)), ("right_hip", (120, 300)),
    ):  # fmt: skip
        points[INDEX[name]] = place
    if keypoints > 17:
        for keypoint, y in zip(SPINE, np.linspace(300, 100, 9)):
            if keypoint < keypoints:
                points[keypoint] = (150, y)
        points[INDEX["neck"]] = (150, 110)
    drawn = draw_people(PICTURE, points[None], np.ones((1, keypoints)))
    middle = drawn[200] != 90
    assert middle.any(), "something is drawn between shoulders and hips"


def test_ids_and_spine_only() -> None:
    points = person()[None]
    plain = draw_people(PICTURE, points, np.ones((1, 37)))
    named = draw_people(PICTURE, points, np.ones((1, 37)), ids=np.array([7]))
    assert (plain != named).any()
    spine = draw_people(PICTURE, points, np.ones((1, 37)), spine_only=True)
    assert (spine != PICTURE).sum() < (plain != PICTURE).sum()
    assert len(draw_people(PICTURE, np.empty((0, 37, 2)), np.empty((0, 37)))) == 400


def test_points_far_outside_do_no_harm() -> None:
    points = person()[None] + 1e7
    assert draw_people(PICTURE, points, np.ones((1, 37))).shape == PICTURE.shape

"""What covers a keypoint: the own body, others, things, the edge of the picture, and how deeply."""

from __future__ import annotations

import numpy as np
from fakes import BallRenderer, ball_person, ball_shot, make_balls

from spinetrack_synth.labels import annotate
from spinetrack_synth.shot import Shot
from spinetrack_synth.skeleton import INDEX, NAMES


def covers(shot: Shot, person: int = 0) -> dict[str, tuple]:
    label = annotate(shot, BallRenderer().render(shot))[person]
    cover = label.cover
    rows = zip(cover.by, cover.part, cover.person.tolist(), cover.depth_mm.tolist())
    return dict(zip(NAMES, rows, strict=True))


def test_what_is_seen_has_nothing_or_oneself_before_it_and_what_is_hidden_has_something() -> None:
    crowd = [ball_person(str(k), pelvis_tz=z, pelvis_tx=x) for k, (x, z) in
             enumerate([(0, 0), (0.5, 0.15), (-0.4, -0.5)])]  # fmt: skip
    shot = ball_shot(*crowd)
    labels = annotate(shot, BallRenderer().render(shot))
    assert len(labels) == 3
    for label in labels:
        v, by = label.keypoints[:, 2], np.array(label.cover.by)
        assert set(by[v == 2]) <= {"nothing", "own_body"}
        assert set(by[v == 1]) <= {"own_body", "person", "thing"}
        assert set(by[v == 0]) <= {"frame"}
        assert (np.isnan(label.cover.depth_mm) == (v == 0)).all()
        assert ((label.cover.person > 0) == (by == "person")).all()
        assert (label.cover.depth_mm[by == "own_body"] > 10).all()
        assert (label.cover.depth_mm[by == "nothing"] == 0).all()


def test_a_ball_before_a_point_is_a_thing_at_its_distance() -> None:
    person = ball_person()
    shot = ball_shot(person)
    knee = person.keypoints_world[INDEX["left_knee"]]
    to_camera = shot.camera.position_world - knee
    away = float(np.linalg.norm(to_camera))
    ball = make_balls([knee + to_camera / away * 0.8], [0.1])
    found = covers(ball_shot(person, things=(ball,)))["left_knee"]
    assert found[:3] == ("thing", "", 0)
    assert (
        abs(found[3] - 900) < 5
    )  # the near side; the pixel's ray passes the knee by half a pixel at most


def test_an_arm_before_the_spine_is_named_with_its_side() -> None:
    beside = {"camera_at": (-0.1, 1.3, -4), "target": (-0.1, 1.3, 0), "focal_px": 600}
    found = covers(ball_shot(ball_person(arm_flex_l=-0.4), **beside))["spine_04"]
    assert found[0] == "own_body"
    assert found[1] in ("left_upper_arm", "left_forearm")


def test_somebody_else_is_named_with_the_part() -> None:
    behind, before = ball_person("a"), ball_person("b", pelvis_tx=0.8)
    found = covers(ball_shot(behind, before))
    assert found["spine_03"][0] == "person"
    assert found["spine_03"][2] == 2
    assert found["spine_03"][1] in ("abdomen", "chest", "pelvis")
    assert 600 < found["spine_03"][3] < 1000  # 0.8 m and half a trunk more


def test_the_edge_of_the_picture_covers_what_is_outside() -> None:
    found = covers(ball_shot(ball_person(), target=(0, 1.8, 0), focal_px=400))
    assert found["left_ankle"][:3] == ("frame", "", 0)

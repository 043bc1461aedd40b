"""What counts as seen: own flesh may lie over a keypoint, anything else may not."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import BallRenderer, ball_person, ball_shot, make_balls, model, standing_person

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.labels import TISSUE, annotate
from spinetrack_synth.shot import PosedPerson, Shot
from spinetrack_synth.skeleton import INDEX, KEYPOINTS, MIRROR_PAIRS, NAMES, SPINE

FRONT, BACK, LEFT, RIGHT = (4, 1.2, 0), (-4, 1.2, 0), (0, 1.2, -4), (0, 1.2, 4)
SPINE_NAMES = [NAMES[index] for index in SPINE]


def seen(shot: Shot, person: int = 0) -> dict[str, bool]:
    label = annotate(shot, BallRenderer().render(shot))[person]
    return dict(zip(NAMES, label.keypoints[:, 2] == 2))


def test_every_keypoint_has_tissue_of_bodies_that_exist() -> None:
    assert set(TISSUE) == set(NAMES)
    for name, tissue in TISSUE.items():
        assert tissue.bodies, name
        assert set(tissue.bodies) <= set(model().bodies), name
        assert 0.01 < tissue.depth_m < 0.3, name
        assert tissue.reason, name


def test_tissue_is_mirror_symmetric() -> None:
    def swapped(body: str) -> str:
        stem, _, side = body.rpartition("_")
        return f"{stem}_{'lr'['rl'.index(side)]}" if stem else body

    for left, right in MIRROR_PAIRS:
        a, b = TISSUE[NAMES[left]], TISSUE[NAMES[right]]
        assert {swapped(body) for body in a.bodies} == set(b.bodies)
        assert a.depth_m == b.depth_m


def test_every_keypoint_moves_with_a_body_of_its_tissue() -> None:
    tree = model()
    for keypoint in KEYPOINTS:
        body = tree.bodies[tree.marker_body[tree.marker_index[keypoint.name]]]
        assert body in TISSUE[keypoint.name].bodies, keypoint.name


@pytest.mark.parametrize("camera_at", [FRONT, BACK])
def test_the_spine_is_seen_through_its_own_trunk(camera_at) -> None:
    shown = seen(ball_shot(ball_person(), camera_at=camera_at))
    assert all(shown[name] for name in SPINE_NAMES)


def test_face_points_are_hidden_from_behind() -> None:
    front = seen(ball_shot(ball_person(), camera_at=FRONT))
    back = seen(ball_shot(ball_person(), camera_at=BACK))
    for name in ("nose", "left_eye", "right_eye"):
        assert front[name]
        assert not back[name]


def test_the_far_side_is_hidden_from_the_side() -> None:
    from_left = seen(ball_shot(ball_person(), camera_at=LEFT))
    assert from_left["left_knee"]
    assert from_left["left_elbow"]
    for name in ("right_knee", "right_elbow", "right_wrist", "right_shoulder", "right_hip"):
        assert not from_left[name], name


def test_an_arm_in_front_hides_the_spine_behind_it() -> None:
    # The arm hangs between the camera on the left and the trunk, and is no flesh of the spine.
    beside = {"camera_at": (-0.1, 1.3, -4), "target": (-0.1, 1.3, 0), "focal_px": 600}
    hanging = seen(ball_shot(ball_person(arm_flex_l=-0.4), **beside))
    raised = seen(ball_shot(ball_person(arm_flex_l=3.0), **beside))
    assert not hanging["spine_04"]
    assert raised["spine_04"]
    assert raised["spine_02"]


def test_a_thing_or_another_person_in_front_hides() -> None:
    post = make_balls([[2.0, 1.15, 0.0]], [0.12])
    behind_post = seen(ball_shot(ball_person(), things=(post,)))
    assert not behind_post["spine_02"]
    assert behind_post["nose"]
    pair = ball_shot(ball_person("a", pelvis_tx=-1.0, pelvis_tz=0.15), ball_person("b"))
    assert not seen(pair, person=0)["spine_03"]
    assert seen(pair, person=0)["right_elbow"]
    assert seen(pair, person=1)["spine_03"]


def test_things_behind_hide_nothing() -> None:
    wall = make_balls([[-3.0, 1.0, 0.0]], [2.0])
    assert seen(ball_shot(ball_person(), things=(wall,))) == seen(ball_shot(ball_person()))


@pytest.mark.parametrize("shift", np.linspace(-0.03, 0.03, 7))
def test_a_limb_thinner_than_a_pixel_is_still_seen(shift: float) -> None:
    # Eight metres away at this focal length a forearm is two pixels wide, a toe less than one.
    shown = seen(
        ball_shot(ball_person(pelvis_tz=shift), camera_at=(12, 1.2, 0), focal_px=300, size=(64, 64))
    )
    for name in ("left_wrist", "right_wrist", "left_ankle", "right_ankle", "left_elbow"):
        assert shown[name], name


def test_thighs_raised_in_front_hide_the_lower_spine() -> None:
    standing = seen(ball_shot(ball_person()))
    curled = seen(
        ball_shot(ball_person(hip_flexion_r=1.9, hip_flexion_l=1.9, hip_adduction_r=0.15,
                              hip_adduction_l=0.15), camera_at=(4, 0.95, 0))
    )  # fmt: skip
    assert standing["hip"]
    assert not curled["hip"]


def dressed(person: PosedPerson, part: str, radius_m: float) -> PosedPerson:
    """The person with something worn about a part of the body, balls of that radius."""
    tree = model()
    of_part = person.skin_body == tree.body_index[part]
    centers = person.skin_world[of_part].reshape(-1, 200, 3).mean(axis=1)
    worn = make_balls(centers, np.full(len(centers), radius_m), key="worn")
    return replace(person, surfaces=(*person.surfaces, worn))


def test_wide_clothes_hide_no_joint_under_them() -> None:
    person = ball_person()
    wide = dressed(dressed(person, "tibia_l", 0.17), "humerus_r", 0.16)
    shown = seen(ball_shot(wide))
    for name in ("left_knee", "left_ankle", "right_elbow", "right_shoulder"):
        assert shown[name], name
    # What is worn on an arm that lies before the trunk hides the trunk as the arm does.
    beside = {"camera_at": (-0.1, 1.3, -4), "target": (-0.1, 1.3, 0), "focal_px": 600}
    assert not seen(ball_shot(dressed(ball_person(arm_flex_l=-0.4), "humerus_l", 0.1), **beside))[
        "spine_04"
    ]


def test_thick_hair_hides_the_face_but_not_the_crown() -> None:
    shaggy = dressed(ball_person(), "skull", 0.21)
    for camera_at in (FRONT, BACK):
        shown = seen(ball_shot(shaggy, camera_at=camera_at))
        assert shown["head"]
        assert not shown["nose"] and not shown["left_eye"]


def test_a_broad_trunk_is_seen_through_aslant_but_not_along() -> None:
    tree, trunk = model(), ("spine_01", "spine_02", "spine_03", "spine_04")
    broad = standing_person(body_transforms(tree, tree.default_coordinates), "big", trunk_m=0.20)
    for camera_at in (FRONT, BACK, (3.0, 3.6, 0), (-3.0, 3.6, 0)):
        shown = seen(ball_shot(broad, camera_at=camera_at))
        assert all(shown[name] for name in trunk), camera_at
    above = seen(ball_shot(broad, camera_at=(0.3, 6, 0)))
    assert not any(above[name] for name in trunk)


def test_the_order_of_people_does_not_matter() -> None:
    a, b = ball_person("a", pelvis_tz=-0.5), ball_person("b", pelvis_tz=0.5)
    assert seen(ball_shot(a, b), person=0) == seen(ball_shot(b, a), person=1)


def test_keypoint_indices_of_the_table_follow_the_skeleton() -> None:
    assert list(TISSUE) == list(NAMES)
    assert INDEX["hip"] == 19


def test_the_page_tells_the_depths_of_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs/labels.md").read_text()
    rows = re.findall(r"\| ([a-z0-9_ :,]+) \| (0\.\d\d) m ", page)
    told = {}
    for names, depth in rows:
        for name in names.removeprefix("spine: ").split(", "):
            told[name.replace(" ", "_")] = float(depth)
    told["left_hip"] = told.pop("hip_joint")
    told["left_big_toe"] = told["left_small_toe"] = told.pop("toes")
    for name, tissue in TISSUE.items():
        stem = name.replace("right_", "left_")
        depth = told[stem] if stem in told else told[stem.removeprefix("left_")]
        assert depth == tissue.depth_m, name

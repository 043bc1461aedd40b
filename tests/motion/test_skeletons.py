"""Tables of foreign skeletons: complete, recognised, and clear when wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.retargeting import skeleton_of
from spinetrack_synth.motion.skeletons import (
    known_skeletons,
    load_skeleton,
    parse_skeleton,
    skeleton_names,
)

UE4 = (
    "root pelvis spine_01 spine_02 spine_03 clavicle_l upperarm_l lowerarm_l hand_l index_01_l "
    "pinky_01_l thumb_01_l upperarm_twist_01_l clavicle_r upperarm_r lowerarm_r hand_r index_01_r "
    "pinky_01_r neck_01 head thigh_l calf_l foot_l ball_l thigh_r calf_r foot_r ball_r ik_foot_root"
).split()
CMU = (
    "Hips LHipJoint LeftUpLeg LeftLeg LeftFoot LeftToeBase RHipJoint RightUpLeg RightLeg RightFoot "
    "RightToeBase LowerBack Spine Spine1 Neck Neck1 Head LeftShoulder LeftArm LeftForeArm LeftHand "
    "LeftFingerBase LeftHandIndex1 LThumb RightShoulder RightArm RightForeArm RightHand "
    "RightFingerBase RightHandIndex1 RThumb"
).split()
MIXAMO = [
    f"mixamorig:{name}"
    for name in (
        "Hips Spine Spine1 Spine2 Neck Head HeadTop_End LeftShoulder LeftArm LeftForeArm LeftHand "
        "LeftHandIndex1 LeftHandPinky1 RightShoulder RightArm RightForeArm RightHand "
        "RightHandIndex1 RightHandPinky1 LeftUpLeg LeftLeg LeftFoot LeftToeBase RightUpLeg "
        "RightLeg RightFoot RightToeBase"
    ).split()
]
UE5 = [*UE4, "spine_04", "spine_05", "neck_02"]


def test_every_skeleton_of_the_issue_has_its_table() -> None:
    assert set(skeleton_names()) == {
        "unreal4", "unreal5", "metahuman", "makehuman", "smpl", "cmu", "cmu-daz", "motionbuilder",
        "biovision", "coco17", "halpe26", "spinetrack37",
    }  # fmt: skip


def test_tables_name_what_the_model_has(tree: Tree) -> None:
    for table in known_skeletons():
        for name, point in table.points.items():
            where = f"{table.name}: {name}"
            assert point.marker in tree.marker_index or point.body in tree.body_index, where
            assert not point.turn_body or point.turn_body in tree.body_index, where
        markers = [point.marker for point in table.points.values() if point.marker]
        assert len(markers) == len(set(markers)), table.name
        # What scaling and recognition rest on.
        for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"):
            assert {f"left_{joint}", f"right_{joint}"} <= set(markers), table.name


def test_sides_are_mirror_images() -> None:
    left, right = (load_skeleton("unreal5").points[f"index_01_{side}"] for side in "lr")
    assert (left.body, right.body) == ("hand_l", "hand_r")
    assert left.offset_m == (*right.offset_m[:2], -right.offset_m[2])


def test_orders_of_keypoints() -> None:
    assert load_skeleton("coco17").order == skeleton.NAMES[:17]
    assert load_skeleton("spinetrack37").order == skeleton.NAMES
    assert len(load_skeleton("smpl").order) == 24
    assert load_skeleton("halpe26").order[:17] == skeleton.NAMES[:17]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (UE4, "unreal4"),
        (UE5, "unreal5"),
        ([*UE5, "FACIAL_L_Eye", "FACIAL_R_Eye"], "metahuman"),
        (CMU, "cmu"),
        (MIXAMO, "motionbuilder"),
        (skeleton.NAMES, "spinetrack37"),
        (skeleton.NAMES[:17], "coco17"),
        (skeleton.NAMES[:26], "halpe26"),
        ([name.upper() for name in skeleton.NAMES[:17]], "coco17"),
    ],
)
def test_names_tell_the_skeleton(tree: Tree, names: list[str], expected: str) -> None:
    assert skeleton_of(tuple(names), tree, "file").name == expected


def test_every_table_recognises_itself(tree: Tree) -> None:
    for table in known_skeletons():
        assert skeleton_of(tuple(table.points), tree, "file").name == table.name


def test_the_model_recognises_its_own_names(tree: Tree) -> None:
    assert skeleton_of(tree.marker_names, tree, "file").name == "own markers"
    assert skeleton_of(tree.bodies, tree, "file").name == "own bodies"


def test_strange_names_get_the_nearest_table(tree: Tree) -> None:
    half = tuple(name.replace("left_", "lft_") for name in skeleton.NAMES[:17])
    with pytest.raises(UserError) as error:
        skeleton_of(half, tree, "walk.csv")
    assert "walk.csv" in str(error.value)
    assert "coco17" in str(error.value)
    assert "'left_eye' (there is 'lft_eye')" in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "Invalid value"),
        ('name = "a"\ntitle = "b"', "points: is missing"),
        ('name = "a"\ntitle = "b"\nbones = 1\npoints = {}', "unknown key 'bones'"),
        ('name = "a"\ntitle = "b"\n[points]\n"{side}_x" = { marker = "y" }', "sides: write left"),
        ('name = "a"\ntitle = "b"\n[points]\nx = { weight = 1 }', "points.x: give either"),
        ('name = "a"\ntitle = "b"\n[points]\nx = { marker = "y", wait = 1 }', "unknown key 'wait'"),
        ('name = "a"\ntitle = "b"\n[points]\nx = { marker = "y", weight = -1 }', "weight -1"),
        ('name = "a"\ntitle = "b"\norder = ["z"]\n[points]\nx = { marker = "y" }', "order: 'z'"),
    ],
)
def test_wrong_tables_are_located(text: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        parse_skeleton(text, "own.toml")
    assert str(error.value).startswith("own.toml: ")
    assert message in str(error.value)


def test_an_unknown_table_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no skeleton 'unrael5': give one of biovision, cmu"):
        load_skeleton("unrael5")

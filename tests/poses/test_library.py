import math

import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.errors import UserError
from spinetrack_synth.poses.library import (
    FAMILIES,
    FILES,
    either_side,
    library,
    mirrored,
    read_poses,
)
from spinetrack_synth.poses.placement import angles_zxy, rotation_zxy
from spinetrack_synth.poses.sampling import pose_coordinates

POSES = list(library().values())

MINIMAL = """
[tadasana]
sanskrit = "Tāḍāsana"
english = "Mountain Pose"
family = "standing"
contacts = ["left_foot", "right_foot"]
"""


def test_enough_poses_in_every_family():
    families = [pose.family for pose in POSES]
    assert len(POSES) >= 290
    assert set(families) == set(FAMILIES)
    assert all(families.count(family) >= 3 for family in FAMILIES)


def test_names_are_slugs_and_told_apart():
    for pose in POSES:
        assert pose.name.isascii()
        assert pose.name.replace("_", "").isalnum() and pose.name == pose.name.lower()
        assert pose.english
        assert bool(pose.contacts) == (pose.flight_m == 0.0)
        assert bool(pose.sanskrit) == (pose.family in FILES["yoga"])
    assert len({pose.english for pose in POSES}) == len(POSES)
    in_sanskrit = [pose.sanskrit for pose in POSES if pose.sanskrit]
    assert len(set(in_sanskrit)) == len(in_sanskrit) >= 45


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_written_within_the_limits_of_the_model(tree, pose):
    for name, value in pose.coordinates.items():
        index = tree.coordinate_index[name]
        assert name in tree.free
        if not name.startswith("arm_"):  # written against the thorax: see the next test
            assert tree.lower[index] - 1e-9 <= value <= tree.upper[index] + 1e-9


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_arms_point_where_they_are_written(tree, pose):
    """The clavicle's rhythm and the limits leave the arm's direction in the thorax alone."""
    body2world = body_transforms(tree, pose_coordinates(tree, pose))
    rest = body_transforms(tree, np.zeros(len(tree.coordinates)))
    thorax = tree.body_index["T3"]
    level = body2world[thorax, :3, :3] @ rest[thorax, :3, :3].T
    for side, sign in (("r", 1.0), ("l", -1.0)):
        arm = [pose.coordinates.get(f"arm_{part}_{side}", 0.0) for part in ("flex", "add", "rot")]
        written = rotation_zxy(np.array(arm) * (1.0, sign, sign))
        humerus = level.T @ body2world[tree.body_index[f"humerus_{side}"], :3, :3]
        assert humerus[:, 1] @ written[:, 1] > math.cos(math.radians(8.0))


@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.name)
def test_mirrored_twice_is_the_pose_itself(pose):
    again = mirrored(mirrored(pose))
    assert again == pose
    assert mirrored(pose).contacts != pose.contacts or pose.symmetric or pose.coordinates


def test_symmetric_poses():
    symmetric = {pose.name for pose in POSES if pose.symmetric}
    assert {"tadasana", "adho_mukha_svanasana", "savasana", "urdhva_dhanurasana"} <= symmetric
    assert not {"vrksasana", "virabhadrasana_2", "ardha_matsyendrasana"} & symmetric


def test_either_side_gives_both_sides():
    rng = np.random.default_rng(0)
    standing = {either_side(library()["vrksasana"], rng).contacts for _ in range(30)}
    assert standing == {("left_foot",), ("right_foot",)}


def test_a_joint_without_a_side_stands_for_both():
    pose = read_poses(MINIMAL + "knee = 10\nknee_l = 20\nankle = [5, -3]")["tadasana"]
    assert pose.coordinates["knee_angle_r"] == pytest.approx(math.radians(10))
    assert pose.coordinates["knee_angle_l"] == pytest.approx(math.radians(20))
    assert pose.coordinates["subtalar_angle_r"] == pytest.approx(math.radians(-3))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("elbo = 3", "unknown joint 'elbo'"),
        ("pelvis_r = [1, 2, 3]", "unknown joint 'pelvis_r'"),
        ("hip = [3, 4]", "hip: 2 values, expected hip_flexion, hip_adduction, hip_rotation"),
        ('reaches = [["left_hand", "moon"]]', "unknown region 'moon'"),
        ('rests = [["throne", "left_foot"]]', "unknown support 'throne'; there are chair, "),
        ('rests = [["step|moon", "left_foot"]]', "unknown support 'moon'"),
        ('rests = [["chair", "seat"]]', "'seat' rests on chair but is none of the contacts"),
        ('holds = [["sword", "left_hand"]]', "unknown thing 'sword'; there are barbell, "),
        ('holds = [["bag", "left_foot"]]', "bag: ('left_foot',) are no hands"),
        ('holds = [["bag", "left_hand", "left_hand"]]', "are no hands"),
    ],
)
def test_mistakes_in_a_pose_file_are_told(line, message):
    with pytest.raises(UserError, match=r"\[tadasana\]") as caught:
        read_poses(MINIMAL + line)
    assert message in str(caught.value)


def test_mistakes_in_the_head_of_a_pose_are_told():
    with pytest.raises(UserError, match="family 'sitting' is none of"):
        read_poses(MINIMAL.replace('"standing"', '"sitting"'))
    with pytest.raises(UserError, match="english and family are needed"):
        read_poses("[tadasana]\nknee = 3")
    with pytest.raises(UserError, match="poses: "):
        read_poses("[tadasana")


def test_angles_near_the_written_ones():
    angles = np.radians([200.0, 10.0, -190.0])
    assert angles_zxy(rotation_zxy(angles), near_rad=angles) == pytest.approx(angles)

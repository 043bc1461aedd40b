import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import coordinates_from
from spinetrack_synth.poses.collision import overlaps_m, self_intersection_m
from spinetrack_synth.poses.ground import solve_contacts
from spinetrack_synth.poses.library import library

BAD = {
    "arm through the chest": {"arm_flex_r": 5, "arm_add_r": 55},
    "hand in the belly": {"arm_flex_r": -25, "elbow_flex_r": 100, "arm_rot_r": 60},
    "crossed shins": {"hip_flexion_r": 4, "hip_adduction_r": 14, "hip_adduction_l": 14},
    "knee in the chest": {
        "hip_flexion_r": 150, "knee_angle_r": 150, "lumbar_extension": -70,
        "thoracic_extension": -40, "hip_adduction_r": 30,
    },
}  # fmt: skip


def posture(tree, degrees):
    return coordinates_from(tree, {name: np.radians(value) for name, value in degrees.items()})


def test_the_anatomical_position_touches_nothing(figure):
    assert self_intersection_m(figure.tree, posture(figure.tree, {}), figure.capsules) == 0.0


@pytest.mark.parametrize("name", list(library()))
def test_every_pose_of_the_library_is_accepted(figure, name):
    q = figure.settled[name].q
    assert self_intersection_m(figure.tree, q, figure.capsules) < 0.015


@pytest.mark.parametrize("what", BAD)
def test_limbs_in_limbs_are_found(figure, what):
    q = posture(figure.tree, BAD[what])
    assert self_intersection_m(figure.tree, q, figure.capsules) > 0.02


@pytest.mark.parametrize("what", ["arm through the chest", "crossed shins"])
def test_settling_takes_limbs_apart(figure, what):
    q = posture(figure.tree, BAD[what])
    settled = solve_contacts(figure.tree, q, (), figure.probe, capsules=figure.capsules)
    before = self_intersection_m(figure.tree, q, figure.capsules)
    after = self_intersection_m(figure.tree, settled.q, figure.capsules)
    assert after < 0.3 * before


def test_capsules_are_as_thick_as_limbs(figure):
    radius = dict(zip(figure.capsules.names, figure.capsules.radius_m, strict=True))
    for side in "rl":
        assert radius[f"hand_{side}"] < radius[f"ulna_{side}"] < radius[f"femur_{side}"]
        assert 0.05 < radius[f"femur_{side}"] < 0.1
    assert 0.07 < radius["T7"] < 0.13
    lengths = np.linalg.norm(figure.capsules.end_m - figure.capsules.start_m, axis=1)
    length = dict(zip(figure.capsules.names, lengths, strict=True))
    assert length["femur_r"] == pytest.approx(0.42) and length["femur_l"] == pytest.approx(0.42)


def test_neighbours_are_no_pair(figure):
    names = figure.capsules.names
    pairs = {frozenset((names[a], names[b])) for a, b in figure.capsules.pairs}
    assert frozenset(("femur_r", "tibia_r")) not in pairs
    assert frozenset(("humerus_l", "T4")) not in pairs
    assert {frozenset(("femur_r", "tibia_l")), frozenset(("hand_r", "skull"))} <= pairs


def test_overlap_grows_as_parts_come_together(figure):
    names = figure.capsules.names
    pair = next(
        i
        for i, (a, b) in enumerate(figure.capsules.pairs)
        if {names[a], names[b]} == {"hand_r", "hand_l"}
    )
    depths = [
        overlaps_m(
            figure.tree,
            posture(
                figure.tree, {"arm_flex_r": 90, "arm_flex_l": 90, "arm_add_r": a, "arm_add_l": a}
            ),
            figure.capsules,
        )[pair]
        for a in (-40, -20, 0, 10)
    ]
    assert all(np.diff(depths) > 0) and depths[0] < 0

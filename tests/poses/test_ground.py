import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.poses.equipment import GRIPS
from spinetrack_synth.poses.grasp import grip_place_m, thing_frame
from spinetrack_synth.poses.ground import (
    Demands,
    measured,
    meet_demands,
    solve_contacts,
    solve_contacts_deforming,
)
from spinetrack_synth.poses.library import Reach, library, mirrored
from spinetrack_synth.poses.placement import moved, turned
from spinetrack_synth.poses.regions import REGIONS
from spinetrack_synth.poses.sampling import mirror, pose_coordinates
from spinetrack_synth.poses.skin import skin_points

NAMES = list(library())


@pytest.mark.parametrize("name", NAMES)
def test_every_pose_rests_on_what_is_under_it(figure, name):
    settled = figure.settled[name]
    assert settled.worst_contact_m < 0.01
    assert settled.lowest_m > -0.015
    assert settled.balance_m < 0.02
    # The mannequin's hands are blocks: two of them on the floor do not stack as flat as hands do.
    assert max(settled.reach_m.values(), default=0.0) < 0.045
    assert max(settled.hold_m.values(), default=0.0) < 0.02


@pytest.mark.parametrize("name", [name for name in NAMES if library()[name].rests])
def test_what_rests_lies_at_the_height_of_its_support(figure, name):
    """Measured on the skin itself: the lowest point of every patch, and of nothing else above."""
    pose = library()[name]
    levels = figure.levels_m(pose)
    heights = skin_points(figure.tree, figure.settled[name].q, figure.probe)[:, 1]
    for region in pose.contacts:
        for patch in REGIONS[region]:
            lowest = heights[figure.probe.patches[patch]].min()
            assert lowest == pytest.approx(levels.get(region, 0.0), abs=0.01)
    on_seat = np.isin(figure.probe.body, [figure.tree.body_index["pelvis"]])
    if "seat" in levels:
        assert heights[on_seat].min() > levels["seat"] - 0.015


@pytest.mark.parametrize(
    "name", [p.name for p in library().values() for hold in p.holds if len(hold.hands) == 2]
)
def test_two_hands_on_one_thing_agree(figure, name):
    """Where each hand has its end of a thing, and how it lies across that hand."""
    (hold,) = library()[name].holds
    q = figure.settled[name].q
    frame = thing_frame(figure.tree, q, figure.probe, hold)
    grip = GRIPS[hold.thing]
    for hand in hold.hands:
        hand2world = body_transforms(figure.tree, q)[figure.tree.body_index[f"hand_{hand[0]}"]]
        place = hand2world[:3, :3] @ grip_place_m(figure.probe, hand, grip) + hand2world[:3, 3]
        beside = place - frame[:3, 3]
        assert np.linalg.norm(beside - (beside @ frame[:3, 2]) * frame[:3, 2]) < 1e-9
        across = hand2world[:3, 2 if grip.kind == "bar" else 0]
        assert abs(across @ frame[:3, 2]) > np.cos(np.radians(12))
    if grip.apart_m:
        assert 2 * np.linalg.norm(beside) == pytest.approx(grip.apart_m, abs=0.015)


def test_a_bar_on_the_back_lies_behind_the_neck_and_touches_it(figure):
    pose = library()["back_squat_bottom"]
    q = figure.settled[pose.name].q
    frame = thing_frame(figure.tree, q, figure.probe, pose.holds[0])
    points = skin_points(figure.tree, q, figure.probe)
    trunk = np.isin(figure.probe.body, [figure.tree.body_index[f"T{k}"] for k in (1, 2, 3)])
    beside = points[trunk] - frame[:3, 3]
    distance = np.linalg.norm(np.cross(beside, frame[:3, 2]), axis=1).min()
    assert 0.0 < distance < 0.04
    thorax = body_transforms(figure.tree, q)[figure.tree.body_index["T2"]]
    assert ((frame[:3, 3] - thorax[:3, 3]) @ thorax[:3, 0]) < -0.03


def test_who_is_not_balanced_stays_where_it_leans(figure):
    pose = library()["tadasana"]
    q = pose_coordinates(figure.tree, pose)
    q[figure.tree.coordinate_index["pelvis_tilt"]] = np.radians(-35)
    demands = Demands(pose.contacts, balanced=False)
    leaning = meet_demands(figure.tree, q, demands, figure.probe)
    assert leaning.worst_contact_m < 0.005
    as_it_stands = measured(figure.tree, leaning.q, pose.contacts, figure.probe)
    assert as_it_stands.balance_m > 0.03


@pytest.mark.parametrize("name", NAMES)
def test_every_pose_stays_within_the_limits(figure, name):
    tree, q = figure.tree, figure.settled[name].q
    assert (q >= tree.lower - 1e-9).all() and (q <= tree.upper + 1e-9).all()
    assert tree.coupling @ q[tree.free_index] + tree.offset == pytest.approx(q, abs=1e-9)


def test_poses_stay_near_what_was_written(figure):
    tree = figure.tree
    joints = [
        i for i, name in zip(tree.free_index, tree.free, strict=True) if "pelvis_t" not in name
    ]
    moves = np.degrees(
        [
            np.abs(figure.settled[name].q - pose_coordinates(tree, library()[name]))[joints]
            for name in NAMES
        ]
    )
    assert np.median(moves) < 1.0
    assert np.percentile(moves, 95) < 15.0
    assert moves.max() < 75.0


def test_what_is_reported_is_what_the_skin_does(figure):
    pose = library()["virabhadrasana_1"]
    settled = figure.settled[pose.name]
    heights = skin_points(figure.tree, settled.q, figure.probe)[:, 1]
    assert settled.lowest_m == pytest.approx(heights.min())
    heel = figure.probe.patches["left_heel"]
    assert settled.contact_m["left_heel"] == pytest.approx(heights[heel].min())
    lifted = moved(figure.tree, settled.q, (0.0, 0.05, 0.0))
    again = measured(figure.tree, lifted, pose.contacts, figure.probe)
    assert again.worst_contact_m == pytest.approx(0.05, abs=0.01)


def test_settling_is_deterministic(figure):
    pose = library()["bakasana"]
    q = pose_coordinates(figure.tree, pose)
    one, other = (
        solve_contacts(figure.tree, q, pose.contacts, figure.probe, pose.reaches) for _ in range(2)
    )
    assert np.array_equal(one.q, other.q)


@pytest.mark.parametrize("name", ["tadasana", "ardha_chandrasana", "vasisthasana", "savasana"])
@pytest.mark.parametrize("yaw", [0.7, -2.1])
def test_the_heading_does_not_matter(figure, name, yaw):
    pose = library()[name]
    q = turned(figure.tree, pose_coordinates(figure.tree, pose), yaw)
    settled = solve_contacts(
        figure.tree, q, pose.contacts, figure.probe, pose.reaches, figure.capsules
    )
    assert settled.worst_contact_m < 0.01 and settled.lowest_m > -0.015
    turned_back = skin_points(figure.tree, turned(figure.tree, settled.q, -yaw), figure.probe)
    expected = skin_points(figure.tree, figure.settled[name].q, figure.probe)
    apart = (turned_back - turned_back.mean(0)) - (expected - expected.mean(0))
    assert np.abs(apart).max() < 0.06


@pytest.mark.parametrize("name", ["vrksasana", "utthita_trikonasana", "ardha_matsyendrasana"])
def test_the_mirror_image_settles_as_the_mirror_image(figure, name):
    pose = mirrored(library()[name])
    settled = solve_contacts(
        figure.tree,
        pose_coordinates(figure.tree, pose),
        pose.contacts,
        figure.probe,
        pose.reaches,
        figure.capsules,
    )
    difference = settled.q - mirror(figure.tree, figure.settled[name].q)
    assert np.degrees(np.abs(difference)).max() < 5.0


def test_a_posture_far_from_the_floor_comes_to_it(figure):
    pose = library()["tadasana"]
    q = moved(figure.tree, pose_coordinates(figure.tree, pose), (3.0, -7.0, 1.0))
    settled = solve_contacts(figure.tree, q, pose.contacts, figure.probe)
    assert settled.worst_contact_m < 0.005
    tx, tz = (settled.q[figure.tree.coordinate_index[c]] for c in ("pelvis_tx", "pelvis_tz"))
    assert (tx, tz) == pytest.approx((3.0, 1.0), abs=0.1)


def test_without_contacts_only_the_lowest_point_comes_to_the_floor(figure):
    q = pose_coordinates(figure.tree, library()["natarajasana"])
    settled = solve_contacts(figure.tree, q, (), figure.probe)
    assert settled.lowest_m == pytest.approx(0.0, abs=0.005)
    assert settled.contact_m == {} and settled.worst_contact_m == 0.0


def test_hands_reach_for_feet(figure):
    pose = library()["dandasana"]
    q = pose_coordinates(figure.tree, pose)
    reach = Reach("right_hand", "right_shin")
    contacts = ("seat", "left_heel", "right_heel")
    before = measured(figure.tree, q, contacts, figure.probe, [reach]).reach_m[reach]
    after = solve_contacts(figure.tree, q, contacts, figure.probe, [reach]).reach_m[reach]
    assert before > 0.3 and after < 0.03


def test_who_leans_over_comes_back_over_the_feet(figure):
    pose = library()["tadasana"]
    q = pose_coordinates(figure.tree, pose)
    q[figure.tree.coordinate_index["pelvis_tilt"]] = np.radians(-20)
    level = solve_contacts(figure.tree, q, ("left_foot", "right_foot"), figure.probe)
    assert level.balance_m < 0.005
    assert level.worst_contact_m < 0.005


def test_a_skin_that_deforms_is_felt_anew(figure):
    """Calves and soles that swell by a fifth, as no rigid point could foresee."""
    pose = library()["utkatasana"]

    def swollen(q):
        skin = skin_points(figure.tree, q, figure.probe)
        return skin - [0.0, 0.03, 0.0] * (skin[:, 1:2] < 0.3)

    q = pose_coordinates(figure.tree, pose)
    demands = Demands(pose.contacts)
    settled = solve_contacts_deforming(figure.tree, q, demands, figure.probe, swollen)
    assert swollen(settled.q)[:, 1].min() == pytest.approx(0.0, abs=0.005)
    assert settled.lowest_m == pytest.approx(swollen(settled.q)[:, 1].min())
    assert settled.worst_contact_m < 0.005


def test_unknown_regions_are_refused(figure):
    q = pose_coordinates(figure.tree, library()["tadasana"])
    with pytest.raises(KeyError, match="tail"):
        solve_contacts(figure.tree, q, ("tail",), figure.probe)

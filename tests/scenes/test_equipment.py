"""What people rest on and hold, on real skinned bodies: where it is, and where nobody is."""

import numpy as np
import pytest
from scipy.spatial import KDTree

from spinetrack_synth.errors import UserError
from spinetrack_synth.poses.equipment import GRIPS, SUPPORTS, support_height_m
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.regions import REGIONS
from spinetrack_synth.scenes.equipment import restyled
from spinetrack_synth.scenes.placing import Stance, take_stance
from spinetrack_synth.scenes.props.held import MAKERS as HELD
from spinetrack_synth.scenes.props.supports import MAKERS, furniture, inside_m
from spinetrack_synth.scenes.shapes import angles, rotation
from spinetrack_synth.scenes.things import screened_by, thing_points, thing_surfaces
from spinetrack_synth.shot import Thing

pytestmark = pytest.mark.slow

HOLDING = [
    "back_squat_half", "deadlift_start", "dumbbell_curl", "walk_phone", "kettlebell_swing_top",
]  # fmt: skip


@pytest.fixture(scope="module")
def avatar():
    from spinetrack_synth.avatars import assets
    from spinetrack_synth.avatars.body import sample_subject
    from spinetrack_synth.avatars.making import bare_avatar

    try:
        assets.ensure()
    except UserError as error:
        pytest.skip(f"no body data: {error}")
    return bare_avatar(sample_subject(11, 1))


@pytest.fixture(scope="module", autouse=True)
def cheap():
    """Real people here, no mannequins."""


def stance(avatar, name: str) -> Stance:
    for seed in range(4):
        taken = take_stance(avatar, library()[name], np.random.default_rng([seed, 8]))
        if taken is not None:
            return taken
    raise AssertionError(f"no stance in {name}")


def top_m(thing: Thing, point) -> float:
    """Height of the uppermost triangle of a thing below a point, 6 cm above it at most."""
    heights = [-np.inf]
    for surface in thing_surfaces(restyled(thing, 0)):
        a, b, c = (surface.vertices_world[surface.faces[:, k]].astype(float) for k in range(3))
        across = np.cross(b - a, c - a)
        up = across[:, 1] > 1e-9
        a, b, c, across = a[up], b[up], c[up], across[up]
        inside = np.ones(len(a), dtype=bool)
        for start, end in ((a, b), (b, c), (c, a)):
            side = np.cross((end - start) * [1, 0, 1], (point - start) * [1, 0, 1])
            inside &= side[:, 1] >= -1e-9
        rise = ((a - point) * across).sum(1) / across[:, 1]
        heights += [point[1] + h for h in rise[inside] if h < 0.06]
    return max(heights)


@pytest.mark.parametrize("name", ["desk_upright", "slumped_stool", "sofa_upright", "plinth_supine",
                                  "stairs_sitting", "bench_press_lockout"])  # fmt: skip
def test_people_rest_on_the_drawn_surface_and_are_not_in_it(avatar, name):
    """By the meshes that are drawn: straight down from what rests there is the support's top."""
    taken = stance(avatar, name)
    carrier = next(t for t in taken.things if t.asset.startswith("support/"))
    regions = [r for rest in library()[name].rests[:1] for r in rest.regions]
    assert thing_points(restyled(carrier, 0))[:, 1].min() == pytest.approx(0.0, abs=0.01)
    for region in regions:
        for patch in REGIONS[region]:
            points = taken.skin[avatar.probe.patches[patch]]
            lowest = points[points[:, 1].argmin()]
            assert -0.015 < top_m(carrier, lowest) - lowest[1] < 0.06  # at most as far as it gives
    boxes = np.array(furniture(carrier.asset.split("/")[1]).solids)
    local = (taken.skin - carrier.position_world) @ rotation(carrier.yaw_rad) / carrier.scale
    assert inside_m(boxes, local).max() < 0.075


@pytest.mark.parametrize("name", HOLDING)
def test_fingers_close_round_what_is_held(avatar, name):
    taken = stance(avatar, name)
    pose = taken.pose
    for hold, thing in zip(pose.holds, (t for t in taken.things if t.asset.startswith("held/"))):
        turn = rotation(thing.yaw_rad, thing.pitch_rad, thing.roll_rad)
        for hand in hold.hands:
            mine = taken.skin[avatar.skin_body == avatar.tree.body_index[f"hand_{hand[0]}"]]
            local = (mine - thing.position_world) @ turn
            half = np.array(GRIPS[hold.thing].half_m)
            out = np.abs(local[:, :2]) - half
            if half[0] == half[1]:
                out = np.linalg.norm(local[:, :2], axis=1)[:, None] - half[0]
            distance = out.max(axis=1)
            assert distance.min() > -0.008  # not through the bar
            assert (distance < 0.012).sum() > 25  # but on it
            around = local[distance < 0.02][:, 0] / half[0]
            if half[0] == half[1]:  # before it and behind it
                assert around.min() < -0.9
                assert around.max() > 0.9


def test_a_barbell_is_level_and_clear_of_the_floor(avatar):
    for name in ("back_squat_half", "deadlift_start"):
        taken = stance(avatar, name)
        (bar,) = taken.things
        points = thing_points(restyled(bar, 0))
        assert points[:, 1].min() > -0.006
        along = rotation(bar.yaw_rad, bar.pitch_rad, bar.roll_rad)[:, 2]
        assert abs(np.degrees(np.arcsin(along[1]))) < 8


def test_nobody_is_in_the_box_that_is_carried(avatar):
    taken = stance(avatar, "lift_carry")
    (box,) = taken.things
    turn = rotation(box.yaw_rad, box.pitch_rad, box.roll_rad)
    local = (taken.skin - box.position_world) @ turn
    corners = (thing_points(restyled(box, 0)) - box.position_world) @ turn
    deep = np.minimum(local - corners.min(0), corners.max(0) - local).min(axis=1)
    hands = np.isin(avatar.skin_body, [hand.body for hand in avatar.hands])
    assert deep[~hands].max() < 0.012
    gap = [KDTree(taken.skin[avatar.skin_body == hand.body]) for hand in avatar.hands]
    for hand, side in zip(gap, (1, -1)):
        face = np.array([0.0, 0.0, side * corners[:, 2].max()]) @ turn.T + box.position_world
        assert hand.query(face)[0] < 0.12


def test_people_can_do_what_the_library_says(avatar):
    """Every fifth pose that is no yoga: as scenes try it, four samples of it."""
    poses = [p for p in library().values() if not p.sanskrit][::5]
    failed = [
        p.name for k, p in enumerate(poses)
        if take_stance(avatar, p, np.random.default_rng([k, 3])) is None
    ]  # fmt: skip
    assert len(failed) <= 1, failed


def test_somebody_in_the_air_touches_nothing(avatar):
    taken = stance(avatar, "run_flight_early")
    assert 0.02 < taken.skin[:, 1].min() < 0.08


def test_fists_are_closed(avatar):
    from spinetrack_synth.avatars.fingers import EASY

    taken = stance(avatar, "punch_straight")
    assert (taken.fingers[:, 1:] > EASY[1:] + np.radians(20)).all()


def test_every_support_and_every_grip_has_its_thing():
    assert {support.thing for support in SUPPORTS.values()} == set(MAKERS)
    assert set(GRIPS) == set(HELD)
    areas = {name for maker in MAKERS for name in furniture(maker).areas}
    assert areas == set(SUPPORTS)
    for name, support in SUPPORTS.items():
        area = furniture(support.thing).areas[name]
        points = thing_points(Thing(f"support/{support.thing}/0", (0, 0, 0), area.yaw_rad))
        high = points[np.abs(points[:, 1] - area.y) < 0.02]
        assert (high[:, [0, 2]].min(0) < [np.mean(area.x), np.mean(area.z)]).all()
        assert (high[:, [0, 2]].max(0) > [np.mean(area.x), np.mean(area.z)]).all()


def test_supports_suit_the_person(avatar):
    assert SUPPORTS["desk"].lowest_m <= support_height_m("desk", avatar.tree)
    assert support_height_m("desk", avatar.tree) <= SUPPORTS["desk"].highest_m


def test_a_tilted_thing_keeps_its_shape():
    upright, tilted = (
        thing_points(Thing("held/kettlebell/0", (1.0, 2.0, 3.0), 0.4, (1, 1, 1), *tilt))
        for tilt in ((), (0.7, -1.9))
    )
    turn = rotation(0.4, 0.7, -1.9) @ rotation(0.4).T
    place = np.array([1.0, 2.0, 3.0])
    assert (upright - place) @ turn.T + place == pytest.approx(tilted, abs=1e-6)
    assert angles(rotation(0.4, 0.7, -1.9)) == pytest.approx((0.4, 0.7, -1.9))
    normal = thing_surfaces(Thing("held/carton/0", (0, 0, 0), 0.0, (1, 1, 1), 0.5, 0.2))
    for surface in normal:
        assert np.linalg.norm(surface.normals_world, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_sofa_hides_who_sits_before_its_back():
    sofa = Thing("support/sofa/0", (0.0, 0.0, 0.0), 0.0)
    low = np.array([[0.0, 0.5, 0.0], [0.0, 0.6, 0.2]])
    assert screened_by(sofa, np.array([-3.0, 0.5, 0.0]), low).all()
    assert not screened_by(sofa, np.array([3.0, 1.5, 0.0]), low).any()
    turned = Thing("support/sofa/0", (0.0, 0.0, 0.0), np.pi)
    assert screened_by(turned, np.array([3.0, 0.5, 0.0]), low).all()

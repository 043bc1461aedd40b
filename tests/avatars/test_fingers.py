import numpy as np
import pytest

from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.fingers import CLOSED, EASY, NEAR_M, _nearest, bend, flat, grip
from spinetrack_synth.avatars.making import bare_avatar
from spinetrack_synth.avatars.posing import pose_avatar


@pytest.fixture(scope="module")
def avatar(body_data):
    return bare_avatar(sample_subject(7, 1))


@pytest.fixture(scope="module", params=[0, 1], ids=["right", "left"])
def hand(request, avatar):
    return avatar.hands[request.param]


def in_hand(hand, points):
    """Points of the world at rest in the hand's frame."""
    return (points - hand.body2world[:3, 3]) @ hand.body2world[:3, :3]


def test_the_palm_faces_forward_and_the_thumb_is_on_its_side(hand):
    thumb, fingers = hand.pad == 0, hand.pad > 0
    assert np.median(hand.points_m[fingers, 1]) < -0.08
    outward = 1.0 if hand.side == "r" else -1.0
    thumb_side = np.median(hand.points_m[thumb, 2]) - np.median(hand.points_m[fingers, 2])
    assert outward * thumb_side > 0.03


def test_no_bend_is_the_hand_at_rest(avatar, hand):
    rest = avatar.binding.rest_world[hand.vertex]
    assert bend(hand, np.zeros((5, 3))) == pytest.approx(rest, abs=1e-9)


def test_fingers_curl_towards_the_palm_and_keep_their_length(hand):
    curled = in_hand(hand, bend(hand, 0.4 * CLOSED))
    for digit in range(1, 5):
        tip = np.flatnonzero(hand.weight[:, digit, 2] > 0.999)
        assert curled[tip, 0].mean() > hand.points_m[tip, 0].mean() + 0.015
        # The last phalanx moves as one piece.
        before = np.linalg.norm(hand.points_m[tip] - hand.points_m[tip[0]], axis=1)
        after = np.linalg.norm(curled[tip] - curled[tip[0]], axis=1)
        assert after == pytest.approx(before, abs=1e-9)


def test_a_flat_hand_has_no_digit_before_its_palm(hand):
    """At rest the tip of the thumb stands some 25 mm before the palm."""
    digits = (hand.pad >= 0) & (hand.weight[:, 0, 0] < 0.5)
    assert hand.points_m[digits, 0].max() > hand.palm_m + 0.015
    laid = in_hand(hand, bend(hand, flat(hand)))
    assert laid[digits, 0].max() < hand.palm_m + 0.001
    assert laid[digits, 0].max() > hand.palm_m - 0.006


def cylinder(hand, radius_m):
    """A limb across the palm: points and normals, (N, 3) each, and its axis's place (x, y)."""
    center = np.array([hand.palm_m + radius_m + 0.003, -0.085])
    around, along = np.meshgrid(np.linspace(0, 2 * np.pi, 72), np.linspace(-0.12, 0.12, 49))
    normal = np.stack([np.cos(around), np.sin(around), 0 * around], axis=-1).reshape(-1, 3)
    points = radius_m * normal + np.append(center, 0.0)
    points[:, 2] = along.ravel()
    return points, normal, center


@pytest.mark.parametrize("radius_m", [0.03, 0.045])
def test_fingers_close_on_a_limb_without_entering_it(hand, radius_m):
    points, normal, center = cylinder(hand, radius_m)
    far_below = np.array([0.0, 1.0, 0.0, 10.0])
    angles = grip(hand, points, normal, far_below)
    held = in_hand(hand, bend(hand, angles))
    beyond = np.linalg.norm(held[:, :2] - center, axis=1) - radius_m
    for digit in range(1, 5):
        finger = hand.pad == digit
        assert beyond[finger].min() > -0.001
        assert beyond[finger].min() < 0.006  # and it touches
        assert angles[digit].sum() > np.radians(20)


def test_the_nearest_obstacle_is_found_among_those_in_order():
    rng = np.random.default_rng(3)
    root, obstacle = np.array([0.01, 0.0, -0.02]), rng.uniform(-0.1, 0.1, (400, 3))
    away = np.linalg.norm(obstacle - root, axis=1)
    obstacle, away = obstacle[np.argsort(away)], np.sort(away)
    for point in rng.uniform(-0.16, 0.16, (200, 3)):
        distance = np.linalg.norm(obstacle - point, axis=1)
        found, at = _nearest(*point, root, obstacle, away)
        if distance.min() < NEAR_M:
            assert (found, at) == (pytest.approx(distance.min()), distance.argmin())
        else:
            assert (found, at) == (NEAR_M, -1)


def test_fingers_stay_off_the_floor(hand):
    """A floor just before the palm is not entered by a hand that finds nothing to hold."""
    nothing = np.zeros((0, 3))
    angles = grip(hand, nothing, nothing, np.array([-1.0, 0.0, 0.0, hand.palm_m + 0.01]))
    held = in_hand(hand, bend(hand, angles))
    assert held[hand.pad > 0, 0].max() < hand.palm_m + 0.01


def test_fingers_move_nothing_but_the_hands(avatar):
    q = avatar.rig.coordinates
    rest, bent = pose_avatar(avatar, q), pose_avatar(avatar, q, np.stack([EASY, EASY]))
    moved = np.linalg.norm(bent.skin_world - rest.skin_world, axis=1)
    hands = np.isin(avatar.skin_body, [hand.body for hand in avatar.hands])
    assert moved[hands].max() > 0.02
    assert moved[~hands].max() < 1e-4
    assert bent.keypoints_world == pytest.approx(rest.keypoints_world, abs=0)

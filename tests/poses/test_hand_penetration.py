"""Hands that penetrate other skin find the way out."""

import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import body_transforms, points_world
from spinetrack_synth.poses.hand_penetration import MOST_POINTS, hand_penetrations
from spinetrack_synth.poses.library import Reach
from spinetrack_synth.poses.skin import SkinProbe, refresh


def in_trunk(figure, depth_m):
    """A probe whose right hand reaches so deep below a flat back, in the anatomical position."""
    q = np.zeros(len(figure.tree.coordinates))
    tree, probe = figure.tree, figure.probe
    body2world = body_transforms(tree, q)
    points = points_world(body2world, probe.body, probe.offset_m)
    hand = np.flatnonzero(probe.body == tree.body_index["hand_r"])
    middle = points[hand].mean(axis=0)
    across, along = np.meshgrid(np.linspace(-0.15, 0.15, 61), np.linspace(-0.2, 0.2, 81))
    wall = np.stack([np.zeros(across.size), across.ravel(), along.ravel()], axis=1) + middle
    wall[:, 0] = points[hand, 0].min() + depth_m
    thorax = tree.body_index["T8"]
    body = np.concatenate([probe.body[hand], np.full(len(wall), thorax)])
    normal = np.concatenate([probe.normal[hand], np.tile([1.0, 0.0, 0.0], (len(wall), 1))])
    bare = SkinProbe(body, np.zeros((len(body), 3)), normal, {})
    return q, refresh(bare, tree, q, np.concatenate([points[hand], wall]))


def test_the_deepest_points_are_told_to_come_out_of_the_back(figure):
    q, skin = in_trunk(figure, 0.012)
    found = hand_penetrations(figure.tree, q, skin, ())
    assert 1 <= len(found) <= MOST_POINTS
    body2world = body_transforms(figure.tree, q)
    for p in found:
        inner, outer = points_world(body2world, np.array(p.body), np.array(p.offset_m))
        out = body2world[p.body[1], :3, :3] @ p.outward
        assert 0.002 <= (outer - inner) @ out <= 0.0121
    inner, outer = points_world(body2world, np.array(found[0].body), np.array(found[0].offset_m))
    assert outer[0] - inner[0] == pytest.approx(0.012, abs=1e-6)


def test_a_hand_clear_of_all_has_nothing_to_leave(figure):
    q, skin = in_trunk(figure, -0.002)
    assert hand_penetrations(figure.tree, q, skin, ()) == ()


def test_fingers_that_will_close_do_not_count(figure):
    """Of a hand that holds only the palm counts, whichever way it holds."""
    q, skin = in_trunk(figure, 0.012)
    wrist = figure.tree.body_index["hand_r"]
    everything = hand_penetrations(figure.tree, q, skin, ())
    palm = hand_penetrations(figure.tree, q, skin, (Reach("right_hand", "left_shin"),))
    lowest = skin.offset_m[skin.body == wrist, 1].min()
    assert all(p.offset_m[0][1] > 0.55 * lowest for p in palm)
    back = hand_penetrations(figure.tree, q, skin, (Reach("right_hand_back", "upper_back"),))
    assert len(back) == len(everything)

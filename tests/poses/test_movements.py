"""Poses out of movements: what they lie between, and what stays on the floor."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.anatomy.kinematics import body_transforms, marker_positions
from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.poses.library import library, mirrored
from spinetrack_synth.poses.movements import MOVEMENTS, later, moves
from spinetrack_synth.poses.placement import turned
from spinetrack_synth.poses.sampling import mirror, pose_coordinates


def test_movements_are_between_poses_that_there_are() -> None:
    known = library()
    for name, movement in MOVEMENTS.items():
        assert {name, *(end.removeprefix("~") for end in (movement.before, movement.after))} <= set(
            known
        )
        assert 0.05 <= movement.seconds <= 0.5, name
        assert moves(known[name]) == (not known[name].holds)
    assert not moves(known["tadasana"]) and not moves(known["walk_bag"])


@pytest.mark.parametrize("name", list(MOVEMENTS))
def test_no_joint_leaps_and_the_standing_foot_stays(name: str) -> None:
    tree, pose = fullbody(), library()[name]
    q = pose_coordinates(tree, pose)
    after = later(tree, pose, q, 0.01)
    assert np.degrees(np.abs(after - q)[6:]).max() < 15  # 1,500 degrees a second
    for side in "rl":
        whole = f"{'right' if side == 'r' else 'left'}_foot" in pose.contacts
        if whole and len(pose.contacts) == 1:
            foot = tree.body_index[f"calcn_{side}"]
            here, there = (body_transforms(tree, x)[foot, :3, 3] for x in (q, after))
            np.testing.assert_allclose(here, there, atol=1e-9)


def test_runners_run_forward_whichever_way_they_face() -> None:
    tree, pose = fullbody(), library()["run_mid_stance"]
    for heading in (0.0, 2.0, -1.2):
        q = turned(tree, pose_coordinates(tree, pose), heading)
        after = later(tree, pose, q, 0.01)
        skull = tree.body_index["skull"]
        moved = (body_transforms(tree, after) - body_transforms(tree, q))[skull, :3, 3] / 0.01
        forward = np.array([np.cos(heading), 0.0, -np.sin(heading)])
        assert 1.5 < moved @ forward < 5.0
        assert np.abs(moved - (moved @ forward) * forward).max() < 1.5


def test_the_other_side_moves_as_in_a_mirror() -> None:
    tree, pose = fullbody(), library()["run_toe_off"]
    q = pose_coordinates(tree, pose)
    one = marker_positions(tree, mirror(tree, later(tree, pose, q, 0.01)))
    other = marker_positions(tree, later(tree, mirrored(pose), mirror(tree, q), 0.01))
    np.testing.assert_allclose(one, other, atol=1e-6)

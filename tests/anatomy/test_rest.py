"""A shaped spine found again in the frames of its bodies."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.anatomy.kinematics import body_transforms, marker_positions
from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.anatomy.rest import with_rest_of
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.avatars.rig import Rig, bent
from spinetrack_synth.avatars.spines import Spine
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import pose_coordinates


def test_the_shape_is_found_from_one_posture_and_holds_in_others() -> None:
    factors = np.random.default_rng(1).uniform(0.9, 1.1, (len(fullbody().bodies), 3))
    tree = scale_tree(fullbody(), factors)
    rest = tree.default_coordinates
    spine = Spine("scoliosis", ("L4", "T12", "T5"), (-30.0, 40.0), head_deg=15.0)
    shaped = bent(Rig(tree, factors, rest, body_transforms(tree, rest)), spine).tree
    seen, other = (pose_coordinates(tree, library()[n]) for n in ("utkatasana", "navasana"))
    found = with_rest_of(tree, seen, body_transforms(shaped, seen).round(7))
    wanted = marker_positions(shaped, other)
    assert np.abs(marker_positions(tree, other) - wanted).max() > 0.02
    np.testing.assert_allclose(marker_positions(found, other), wanted, atol=1e-5)


def test_a_normal_spine_and_unknown_frames_leave_the_tree_as_it_is() -> None:
    tree = fullbody()
    q = pose_coordinates(tree, library()["navasana"])
    frames = body_transforms(tree, q)
    assert with_rest_of(tree, q, frames.round(7)) is tree
    assert with_rest_of(tree, np.full_like(q, np.nan), frames) is tree

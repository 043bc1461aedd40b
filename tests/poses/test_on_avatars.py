"""The library on real skinned bodies."""

from functools import partial
from typing import NamedTuple

import numpy as np
import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.poses.collision import self_intersection_m
from spinetrack_synth.poses.ground import Demands, solve_contacts_deforming
from spinetrack_synth.poses.library import FILES, either_side, library
from spinetrack_synth.poses.regions import REGIONS
from spinetrack_synth.poses.sampling import sample_pose

pytestmark = pytest.mark.slow

SUBJECTS = range(5)
TRIES_A_POSE = 4
"""As `scenes.placing` has it."""


@pytest.fixture(scope="module")
def avatars():
    from spinetrack_synth.avatars import assets
    from spinetrack_synth.avatars.body import sample_subject
    from spinetrack_synth.avatars.making import bare_avatar

    try:
        assets.ensure()
    except UserError as error:
        pytest.skip(f"no body data: {error}")
    return [bare_avatar(sample_subject(11, k)) for k in SUBJECTS]


class Sample(NamedTuple):
    good: bool
    contact_m: float
    lowest_m: float


def settled_sample(avatar, pose, rng) -> Sample:
    from spinetrack_synth.avatars.avatar import pose_skin
    from spinetrack_synth.avatars.holding import open_fingers

    pose = either_side(pose, rng)
    fingers = open_fingers(avatar, pose.contacts, pose.reaches)
    settled = solve_contacts_deforming(
        avatar.tree,
        sample_pose(avatar.tree, pose, rng),
        Demands(pose.contacts, pose.reaches),
        avatar.probe,
        partial(pose_skin, avatar, fingers=fingers),
        avatar.capsules,
    )
    heights = pose_skin(avatar, settled.q, fingers)[:, 1]
    patches = {patch for region in pose.contacts for patch in REGIONS[region]}
    contact = max(abs(heights[avatar.probe.patches[patch]].min()) for patch in patches)
    good = (
        contact < 0.01
        and heights.min() > -0.015
        and self_intersection_m(avatar.tree, settled.q, avatar.capsules) < 0.02
        and (settled.q >= avatar.tree.lower - 1e-9).all()
        and (settled.q <= avatar.tree.upper + 1e-9).all()
    )
    return Sample(bool(good), float(contact), float(heights.min()))


@pytest.mark.parametrize("name", [p.name for p in library().values() if p.family in FILES["yoga"]])
def test_samples_rest_on_the_floor(avatars, name):
    """Contacts within 1 cm and nothing lower than 1.5 cm below the floor, on the skin itself; a
    body that fails is given another sample, as in scenes."""
    failed = []
    for number, avatar in enumerate(avatars):
        rng = np.random.default_rng((number, len(name)))
        tries = (settled_sample(avatar, library()[name], rng) for _ in range(TRIES_A_POSE))
        if not any(sample.good for sample in tries):
            failed.append(number)
    assert len(failed) <= 1, failed

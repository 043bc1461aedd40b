"""Adults as they are drawn: the heavy ones too have their joints where people have them."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.avatars.body import sample_subject
from spinetrack_synth.avatars.builds import draw_build, weight_of
from spinetrack_synth.avatars.making import bare_avatar


def test_weights_beyond_the_shape_space_are_for_those_whom_nothing_else_makes() -> None:
    assert weight_of("female", 30, 28.0, 0.2)[0] <= 1.05
    weight, muscle = weight_of("female", 30, 40.0, 0.5)
    assert weight > 1.3
    assert muscle < 0.2


def test_indices_reach_both_ends() -> None:
    rng = np.random.default_rng(5)
    weights = [draw_build("male", rng).weight for _ in range(500)]
    assert min(weights) < 0.1
    assert max(weights) > 1.2


@pytest.mark.slow
def test_hips_of_heavy_people_are_where_they_are_in_people() -> None:
    """0.52 to 0.53 of stature in ANSUR 1988, give or take the proportions of a person."""
    heavy = [k for k in range(150) if sample_subject(5, k).weight > 1.3][:4]
    assert len(heavy) == 4
    for k in heavy:
        avatar = bare_avatar(sample_subject(5, k))
        assert avatar.physique.bmi > 32
        frames = avatar.rig.body2world[[avatar.tree.body_index[f"femur_{s}"] for s in "rl"]]
        share = frames[:, 1, 3] / avatar.subject.stature_m
        assert ((share > 0.49) & (share < 0.55)).all()

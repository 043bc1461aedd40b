import numpy as np
import pytest

from spinetrack_synth.avatars.body import body_vertices
from spinetrack_synth.avatars.weight_spread import spread


def shares(data) -> np.ndarray:
    """Arms, legs, head and the rest (V, 4)."""
    columns = [
        data.share_of(data.bones_named(*names)).astype(float)
        for names in (("upperarm", "lowerarm", "wrist"), ("upperleg", "lowerleg"), ("head",))
    ]
    return np.column_stack([*columns, 1 - np.sum(columns, axis=0)])


def test_spread_shares_are_shares_and_as_mirrored_as_before(body_data):
    wide = spread(body_data, shares(body_data), np.zeros(len(body_data.vertices)))
    np.testing.assert_allclose(wide.sum(axis=1), 1.0)
    assert wide.min() >= 0
    skin = body_data.vertices[body_vertices(body_data)].astype(float)
    left, right = (wide[: len(skin)][skin[:, 0] * side > 0.1] for side in (1, -1))
    np.testing.assert_allclose(left.mean(axis=0), right.mean(axis=0), atol=1e-3)


def test_the_arm_s_share_fades_over_three_times_the_way(body_data):
    own = shares(body_data)
    wide = spread(body_data, own, np.zeros(len(own)))
    skin = body_vertices(body_data)
    between = [((s[skin, 0] > 0.05) & (s[skin, 0] < 0.95)).sum() for s in (own, wide)]
    assert between[1] > 2 * between[0]


def test_the_head_stays_as_it_is(body_data):
    own = shares(body_data)
    head = own[:, 2]
    wide = spread(body_data, own, np.where(head > 0.999, 1.0, 0.0))
    inner = np.flatnonzero(head > 0.999)
    assert np.median(wide[inner, 2]) == pytest.approx(1.0, abs=1e-6)

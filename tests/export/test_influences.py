"""Few bones in the place of many: the best shares there are, and none that are not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.spatial.transform import Rotation

pytest.importorskip("pygltflib", reason="pip install 'spinetrack-synth[unreal]'")

from spinetrack_synth.export.glb import Skin
from spinetrack_synth.export.influences import fitted, spread, strongest

RNG = np.random.default_rng(4)


def motions(frames: int, bones: int) -> NDArray[np.float64]:
    """Rigid motions (F, S, 4, 4) about the origin and a little aside."""
    moved = np.tile(np.eye(4), (frames, bones, 1, 1))
    turns = Rotation.from_rotvec(RNG.normal(0, 0.5, (frames * bones, 3))).as_matrix()
    moved[..., :3, :3] = turns.reshape(frames, bones, 3, 3)
    moved[..., :3, 3] = RNG.normal(0, 0.2, (frames, bones, 3))
    return moved


def placed(skin: Skin, points: NDArray, moved: NDArray) -> NDArray[np.float64]:
    """Points (F, P, 3) as linear blending puts them."""
    ends = np.einsum("fpkij,pj->fpki", moved[:, skin.bone, :3], np.c_[points, np.ones(len(points))])
    return np.einsum("pk,fpki->fpi", skin.weight, ends)


def of_many(points: int, bones: int) -> NDArray[np.float64]:
    weight = RNG.dirichlet(np.ones(bones), points)
    return weight / weight.sum(axis=1, keepdims=True)


def test_who_follows_four_bones_or_fewer_stays_as_it_is() -> None:
    weight = np.array([[0.5, 0, 0.2, 0.2, 0.1, 0], [0, 0, 1.0, 0, 0, 0]])
    found = fitted(weight, RNG.normal(size=(2, 3)), spread(motions(20, 6)))
    np.testing.assert_array_equal(found.bone[0], [0, 2, 3, 4])
    np.testing.assert_allclose(found.weight, [[0.5, 0.2, 0.2, 0.1], [1, 0, 0, 0]])


def test_bones_that_move_alike_stand_for_each_other() -> None:
    moved = motions(20, 8)
    moved[:, 4:] = moved[:, :4]
    weight, points = of_many(30, 8), RNG.normal(size=(30, 3))
    found = fitted(weight, points, spread(moved))
    every = Skin(np.tile(np.arange(8, dtype=np.int32), (30, 1)), weight)
    np.testing.assert_allclose(placed(found, points, moved), placed(every, points, moved),
                               atol=1e-6)  # fmt: skip
    assert np.abs(placed(strongest(weight, 4), points, moved) - placed(every, points, moved)
                  ).max() > 0.01  # fmt: skip


def test_shares_are_positive_and_sum_to_one() -> None:
    found = fitted(of_many(200, 8), RNG.normal(size=(200, 3)), spread(motions(20, 8)))
    assert found.bone.shape == found.weight.shape == (200, 4)
    assert found.weight.min() >= 0
    np.testing.assert_allclose(found.weight.sum(axis=1), 1, atol=1e-12)


def test_no_other_four_bones_are_nearer() -> None:
    """Against Lawson and Hanson's non-negative least squares on every four of the bones."""
    from itertools import combinations

    moved, weight, points = motions(12, 6), of_many(10, 6), RNG.normal(0, 0.3, (10, 3))
    found = fitted(weight, points, spread(moved))
    every = placed(Skin(np.tile(np.arange(6, dtype=np.int32), (10, 1)), weight), points, moved)
    ends = np.einsum("fsij,pj->psfi", moved[:, :, :3], np.c_[points, np.ones(10)])
    off = np.square(placed(found, points, moved) - every).sum(axis=(0, 2))
    for p in range(10):
        least = np.inf
        for four in map(list, combinations(range(6), 4)):
            columns = ends[p, four].reshape(4, -1).T
            # A heavy last row keeps the sum at 1.
            _, residual = nnls(np.r_[columns, np.full((1, 4), 1e4)],
                               np.r_[every[:, p].ravel(), 1e4])  # fmt: skip
            least = min(least, residual**2)
        assert off[p] == pytest.approx(least, rel=1e-3)


def test_a_bone_without_a_share_gets_none() -> None:
    moved = motions(20, 9)
    weight = np.zeros((40, 9))
    weight[:, [1, 2, 4, 6, 8]] = of_many(40, 5)
    found = fitted(weight, RNG.normal(size=(40, 3)), spread(moved))
    assert set(found.bone[found.weight > 0]) <= {1, 2, 4, 6, 8}


def test_spread_is_the_mean_square_of_displacement() -> None:
    moved, point = motions(15, 5), RNG.normal(size=3)
    change = RNG.normal(size=5)
    change -= change.mean()
    p = np.append(point, 1.0)
    aside = np.einsum("s,fsij,j->fi", change, moved[:, :, :3], p)
    told = np.einsum("s,i,sitj,j,t->", change, p, spread(moved), p, change)
    assert told == pytest.approx(np.square(aside).sum(axis=1).mean())

import numpy as np

from spinetrack_synth.scenes.outlines import cut_out


def areas(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (points[faces[:, k]] for k in range(3))
    (p, q), (r, s) = (b - a).T, (c - a).T
    return (p * s - q * r) / 2


def test_a_mask_without_holes_is_cut_out_whole():
    points, faces = cut_out(np.ones((10, 20)))
    found = areas(points, faces)
    assert (found > 0).all()
    assert np.isclose(found.sum(), 1 - 0.5 * 0.5 / 10)  # fades over the last half pixel
    assert np.allclose([points.min(0), points.max(0)], [[0.025, 0], [1.025, 1 - 0.25 / 10]])


def test_what_is_cut_out_is_where_the_mask_is_above_a_half():
    rng = np.random.default_rng(2)
    share = np.clip(rng.normal(0.5, 0.4, (12, 16)), 0, 1)
    points, faces = cut_out(share)
    assert (areas(points, faces) >= 0).all()
    a, b, c = (points[faces[:, k]] for k in range(3))
    # The middle of each pixel lies in one triangle or in none.
    for row, column in np.ndindex(share.shape):
        spot = np.array([(column + 0.5) / 16 + 1e-6, 1 - (row + 0.5) / 12 + 2e-6])

        def side(p, q, spot=spot):
            return (q[:, 0] - p[:, 0]) * (spot[1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (
                spot[0] - p[:, 0]
            )

        covering = (side(a, b) > 0) & (side(b, c) > 0) & (side(c, a) > 0)
        assert covering.sum() == (share[row, column] > 0.5), (row, column)


def test_cells_upon_one_another_are_one():
    share = np.ones((40, 6))
    share[:10] = 0
    _, faces = cut_out(share)
    assert len(faces) == 6 * (2 + 3)  # of each column two, and three at its rim

"""The spine as a chain: its marginals by enumeration, two people in a crop."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from spinetrack_synth import skeleton  # noqa: E402
from spinetrack_synth.training.networks.spine_chain import REACH, STRAY, SpineChain  # noqa: E402

SPINE = list(skeleton.SPINE)


def test_marginals_are_those_of_all_placements_of_nine_points() -> None:
    cells = [(row, column) for row in range(2) for column in range(2)]
    rng = np.random.default_rng(0)
    heatmaps = rng.normal(0, 2, (1, 37, 2, 2))
    deviation = 2 * REACH

    def agree(a: tuple[int, int], b: tuple[int, int]) -> float:
        away = ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) / deviation**2
        return (1 - STRAY) * np.exp(-away / 2) / (2 * np.pi * deviation**2) + STRAY / 4

    pairs = np.array([[agree(a, b) for b in cells] for a in cells])
    own = np.exp(heatmaps[0, SPINE].reshape(9, 4))
    placements = np.array(list(product(range(4), repeat=9)))  # 4 ** 9 of them
    weight = own[np.arange(9), placements].prod(1)
    weight *= pairs[placements[:, :-1], placements[:, 1:]].prod(1)
    expected = np.array([[weight[placements[:, k] == c].sum() for c in range(4)] for k in range(9)])
    chained = SpineChain((2, 2))(torch.from_numpy(heatmaps).float()).double()
    found = torch.softmax(chained[0, SPINE].flatten(1), dim=-1).numpy()
    np.testing.assert_allclose(found, expected / expected.sum(1, keepdims=True), rtol=1e-4)
    others = [place for place in range(37) if place not in SPINE]
    np.testing.assert_array_equal(chained[0, others], heatmaps[0, others].astype(np.float32))


def test_a_point_that_is_surer_of_another_person_stays_with_its_neighbours() -> None:
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(48.0), indexing="ij")
    heatmaps = torch.zeros(1, 37, 64, 48)
    for number, place in enumerate(SPINE):
        person, neighbour = (
            6 * torch.exp(-((rows - 40 + 3 * number) ** 2 + (columns - at) ** 2) / 8)
            for at in (15, 38)
        )
        heatmaps[0, place] = torch.maximum(person, (1.2 if number in (3, 8) else 0.8) * neighbour)
    alone = heatmaps[0, SPINE].flatten(1).argmax(1) % 48
    assert alone.tolist() == [15, 15, 15, 38, 15, 15, 15, 15, 38]
    together = SpineChain((64, 48))(heatmaps)[0, SPINE].flatten(1).argmax(1)
    assert (together % 48).tolist() == [15] * 9
    assert (together // 48 - torch.arange(40, 13, -3)).abs().max() <= 1

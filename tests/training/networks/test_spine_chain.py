"""The spine as a chain: its marginals by transfer matrices, two people in a crop, order."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from spinetrack_synth import skeleton  # noqa: E402
from spinetrack_synth.training.networks import spine_chain  # noqa: E402
from spinetrack_synth.training.networks.spine_chain import SpineChain  # noqa: E402

SPINE = list(skeleton.SPINE)


def test_marginals_are_those_of_the_joint_distribution_of_places_and_courses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spine_chain, "STEP", 0.3)  # so that three rows say something
    monkeypatch.setattr(spine_chain, "SPREAD", 0.2)
    height, width, courses = 3, 2, spine_chain.COURSES
    rng = np.random.default_rng(0)
    heatmaps = rng.normal(0, 2, (1, 37, height, width))
    states = [
        (row, column, 2 * np.pi * course / courses)
        for course in range(courses)
        for row in range(height)
        for column in range(width)
    ]
    turn = {
        round(angle, 6): np.exp(spine_chain.STRAIGHTNESS * np.cos(angle))
        for angle in 2 * np.pi * np.arange(-courses, courses) / courses
    }
    usual = sum(turn.values()) / 2

    def follow(before: tuple[int, int, float], after: tuple[int, int, float]) -> float:
        """Density of a point's place and course, given those of the point before."""
        down = after[0] - before[0] - 0.3 * height * np.sin(after[2])
        across = after[1] - before[1] - 0.3 * height * np.cos(after[2])
        variance = (0.2 * height) ** 2
        near = np.exp(-(down**2 + across**2) / 2 / variance) / (2 * np.pi * variance)
        course = turn[round(after[2] - before[2], 6)] / usual
        return (1 - spine_chain.STRAY) * course * near + spine_chain.STRAY / len(states)

    pairs = np.array([[follow(before, after) for after in states] for before in states])
    seen = np.exp(np.tile(heatmaps[0, SPINE].reshape(9, -1), (1, courses)))
    expected = []
    for point in range(9):
        below = np.ones(len(states))
        for place in range(point):
            below = (below * seen[place]) @ pairs
        above = np.ones(len(states))
        for place in range(8, point, -1):
            above = pairs @ (above * seen[place])
        marginal = (below * seen[point] * above).reshape(courses, -1).sum(axis=0)
        expected.append(marginal / marginal.sum())
    chained = SpineChain((height, width))(torch.from_numpy(heatmaps).float()).double()
    found = torch.softmax(chained[0, SPINE].flatten(1), dim=-1).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4)
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


@pytest.mark.parametrize("quarter_turns", range(4))
def test_neighbours_that_are_taken_for_each_other_come_back_in_order(quarter_turns: int) -> None:
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    heatmaps = torch.zeros(1, 37, 64, 64)
    mistaken = [0, 1, 3, 2, 4, 5, 6, 7, 8]
    for place, seen_at in zip(SPINE, mistaken):
        away = (rows - 44 + 3 * seen_at) ** 2 + (columns - 32) ** 2
        heatmaps[0, place] = 3 * torch.exp(-away / 18)
    chained = SpineChain((64, 64))(torch.rot90(heatmaps, quarter_turns, (2, 3)))
    upright = torch.rot90(chained, -quarter_turns, (2, 3))[0, SPINE]
    heights = upright.flatten(1).argmax(1) // 64
    assert (heights.diff() < 0).all()

"""Directions of bones and smoothness of the spine, against what geometry says of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from spinetrack_synth import skeleton  # noqa: E402
from spinetrack_synth.lengths import SPINE_GAPS_M  # noqa: E402
from spinetrack_synth.training.structure import bone_directions, spine_roughness  # noqa: E402

LINKS = len(skeleton.LINKS)


def person(seed: int = 0) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).uniform(0, 200, (1, 37, 2))).float()


def turned(points: torch.Tensor, degrees: float) -> torch.Tensor:
    a = math.radians(degrees)
    return points @ torch.tensor([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]])


def spine_along(way: np.ndarray) -> torch.Tensor:
    """A person (1, 37, 2) whose spine points lie at ``way`` (9, 2)."""
    points = np.zeros((1, 37, 2))
    points[0, list(skeleton.SPINE)] = way
    return torch.tensor(points).float()


def levels(length: float = 100.0) -> np.ndarray:
    """Where the levels (9,) of a straight spine lie along it."""
    return np.concatenate([[0], np.cumsum(SPINE_GAPS_M)]) / SPINE_GAPS_M.sum() * length


def test_bones_turned_by_an_angle_cost_one_less_its_cosine() -> None:
    points, whole = person(), torch.ones(1, 37)
    assert bone_directions(points, points, whole).item() == pytest.approx(0, abs=1e-6)
    for degrees in (30, 90, 180):
        loss = bone_directions(turned(points, degrees), points, whole).item()
        assert loss == pytest.approx(1 - math.cos(math.radians(degrees)), abs=4e-3)
    assert bone_directions(3 * points + 7, points, whole).item() == pytest.approx(0, abs=2e-3)


def test_links_without_two_labels_take_no_part() -> None:
    points, labels = turned(person(), 180).requires_grad_(), person()
    weight = torch.zeros(1, 37)
    weight[0, [13, 15]] = 1.0  # one shank
    labels[0, 0] = torch.nan
    loss = bone_directions(points, labels, weight)
    assert loss.item() == pytest.approx(2 / LINKS, rel=1e-3)
    loss.backward()
    assert torch.isfinite(points.grad).all()
    assert set(points.grad[0].abs().sum(-1).nonzero().ravel().tolist()) == {13, 15}


def test_bones_without_length_pull_with_a_bounded_force() -> None:
    labels = person()
    points = torch.full((1, 37, 2), 50.0, requires_grad=True)
    bone_directions(points, labels, torch.ones(1, 37)).backward()
    assert torch.isfinite(points.grad).all()
    assert 0 < points.grad.norm(dim=-1).max().item() * LINKS < 5
    labels[0, 15] = labels[0, 13]  # a shank that is seen end on says nothing
    shank = torch.zeros(1, 37)
    shank[0, [13, 15]] = 1.0
    free = person(1).requires_grad_()
    loss = bone_directions(free, labels, shank)
    loss.backward()
    assert loss.item() == 0 and not free.grad.any()


def test_descending_the_structure_term_turns_bones_as_labelled() -> None:
    labels, whole = person(), torch.ones(1, 37)
    points = person(1)
    first = bone_directions(points, labels, whole).item()
    for _ in range(150):
        points.requires_grad_()
        (slope,) = torch.autograd.grad(bone_directions(points, labels, whole), points)
        points = (points - 3 * slope / slope.norm(dim=-1).max()).detach()
    assert bone_directions(points, labels, whole).item() < 0.1 * first


def test_straight_spines_with_the_models_levels_are_smooth_however_they_are_seen() -> None:
    for direction in ((0, -1), (1, 0), (0.6, 0.2), (0, 0)):
        way = levels()[:, None] * np.array(direction)
        assert spine_roughness(spine_along(way)).item() == pytest.approx(0, abs=1e-6)


def test_an_arc_costs_by_the_angle_it_turns() -> None:
    for angle in (0.2, 0.5, 1.5):
        along = levels(1.0) * angle
        way = 100 / angle * np.stack([np.sin(along), np.cos(along)], axis=-1)
        expected = 7 / 37 * math.log1p(angle**2)
        assert spine_roughness(spine_along(way)).item() == pytest.approx(expected, rel=0.03)
        assert spine_roughness(spine_along(2 * way)).item() == pytest.approx(expected, rel=0.03)


def test_a_spine_all_over_the_crop_pulls_with_a_bounded_force() -> None:
    points = person().requires_grad_()
    loss = spine_roughness(points)
    loss.backward()
    assert loss.item() < 3 and points.grad.norm(dim=-1).max().item() < 0.05
    together = torch.full((1, 37, 2), 9.0, requires_grad=True)
    spine_roughness(together).backward()
    assert not together.grad.any()


def test_a_level_out_of_line_is_pulled_back() -> None:
    way = levels()[:, None] * np.array([0.0, -1.0])
    way[4, 0] = 10.0
    points = spine_along(way).requires_grad_()
    spine_roughness(points).backward()
    slope = points.grad[0, skeleton.SPINE[4]]
    assert slope[0].item() > 0 and abs(slope[1].item()) < 1e-3 * slope[0].item()


def test_points_that_are_none_of_the_spine_do_not_matter_to_its_smoothness() -> None:
    points = person().requires_grad_()
    spine_roughness(points).backward()
    moved = points.grad[0].abs().sum(-1).nonzero().ravel().tolist()
    assert set(moved) == set(skeleton.SPINE)

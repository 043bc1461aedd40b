"""The small network: heatmaps as SimCC, scores, parameter groups."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from spinetrack_synth import skeleton  # noqa: E402
from spinetrack_synth.errors import UserError  # noqa: E402
from spinetrack_synth.spinepose import simcc  # noqa: E402
from spinetrack_synth.training.networks.build import build, parameter_groups  # noqa: E402
from spinetrack_synth.training.networks.small import between_cells, likely_places  # noqa: E402


@pytest.fixture(scope="module")
def net() -> torch.nn.Module:
    torch.manual_seed(0)
    return build("small", input_hw=(64, 96)).eval()


def _bumps(points: np.ndarray, size_hw: tuple[int, int], width_px: float) -> torch.Tensor:
    """Log-heatmaps at stride 4 of Gaussians about points (K, 2), integers being pixel centres."""
    height, width = (np.arange(side // 4) * 4 + 1.5 for side in size_hw)
    x, y = (width - points[:, :1]) / width_px, (height - points[:, 1:]) / width_px
    logs = -(x[:, None, :] ** 2 + y[:, :, None] ** 2) / 2
    return torch.from_numpy(logs[None]).float()


@pytest.mark.parametrize("width_px", [2.5, 5.0])
def test_a_keypoint_is_found_wherever_it_lies_within_a_cell(
    net: torch.nn.Module, width_px: float
) -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform((2, 2), (93, 61), (400, 2))
    x, y = net.simcc(_bumps(points, (64, 96), width_px))
    found, _ = simcc.decode(x.numpy(), y.numpy())
    assert np.abs(found[0] - points).max() <= 0.26  # half a bin
    fine, _ = simcc.decode(x.numpy(), y.numpy(), sub_bin=True)
    assert np.abs(fine[0] - points).max() < 0.01
    scored, scores = simcc.decode(net.scores(x).numpy(), net.scores(y).numpy(), sub_bin=True)
    away = 4 * width_px  # nearer to the border a part of the Gaussian is cut off
    inside = ((points > away) & (points < np.array([95, 63]) - away)).all(axis=1)
    assert np.abs(scored[0] - points)[inside].max() < 0.02
    labels = np.sqrt(np.array([96, 64]) / 8) / 2  # their deviation in pixels
    expected = (labels / np.hypot(labels, width_px)).min()  # of two Gaussians over each other
    assert np.allclose(scores[0][inside], expected, atol=0.01)


def test_between_cells_constants_lines_and_parabolas_are_kept() -> None:
    matrix = between_cells(12).double().numpy()
    assert matrix.shape == (12, 96)
    middles, bins = np.arange(12) * 4 + 1.5, np.arange(96) / 2
    assert np.allclose(matrix.sum(axis=0), 1)
    assert np.allclose(middles @ matrix, bins, atol=1e-5)
    assert np.allclose(middles**2 @ matrix, bins**2, atol=1e-3)


def test_of_two_people_the_one_in_the_middle_is_found(net: torch.nn.Module) -> None:
    place = likely_places((16, 24)).numpy()
    assert np.allclose(place, place[::-1]) and np.allclose(place, place[:, ::-1])
    assert place.max() == pytest.approx(place[7, 11], abs=1e-6)
    assert place[8, 1] - place[8, 2] < -3 < place[8, 2] - place[8, 3]  # 0.8 lies between them
    person, neighbour = np.array([[55.5, 31.5]]), np.array([[85.5, 31.5]])
    seen = torch.maximum(*(_bumps(each, (64, 96), 5.0) for each in (person, neighbour)))
    x, y = net.simcc(seen + likely_places((16, 24)))
    found, _ = simcc.decode(x.numpy(), y.numpy(), sub_bin=True)
    assert np.abs(found[0] - person).max() < 2


def test_scores_are_what_a_bin_may_expect(net: torch.nn.Module) -> None:
    share = torch.rand(1, 2, 192, generator=torch.Generator().manual_seed(0)) ** 8
    share /= share.sum(dim=-1, keepdim=True)
    bins = torch.arange(192) / 2
    near = torch.exp(-((bins[:, None] - bins) ** 2) / (2 * (96 / 8) / 4))
    scores = net.scores(share.log())
    assert torch.allclose(scores, share @ near, atol=1e-2)
    assert scores.min() >= 0 and scores.max() <= 1
    sure = torch.full((1, 1, 192), -100.0)
    sure[..., 70] = 0
    assert net.scores(sure).max() == pytest.approx(1)
    assert net.scores(sure).argmax() == 70


def test_the_backbone_learns_slower_and_biases_do_not_decay(net: torch.nn.Module) -> None:
    groups = parameter_groups(net, 1e-3)
    every = {id(parameter) for parameter in net.parameters()}
    listed = [id(parameter) for group in groups for parameter in group["params"]]
    assert len(listed) == len(every) and set(listed) == every
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert rates[id(net.head.weight)] == 1e-3 > rates[id(net.backbone.top.weight)] > 0
    still = {id(p) for g in groups if g.get("weight_decay") == 0 for p in g["params"]}
    assert still == {id(p) for p in net.parameters() if p.ndim == 1}


def test_norms_of_the_published_family_do_not_decay() -> None:
    family = build("spinepose-s")
    still = {
        id(p) for g in parameter_groups(family, 1e-3) if "weight_decay" in g for p in g["params"]
    }
    kept = {name for name, p in family.named_parameters() if id(p) not in still}
    assert all(name.endswith("weight") and ".bn." not in name for name in kept)
    assert "head.gau.uv.weight" in kept and "backbone.stem.0.conv.weight" in kept


def test_what_cannot_be_built_is_told_in_one_line() -> None:
    with pytest.raises(UserError, match="network 'tiny': expected one of spinepose-s, "):
        build("tiny")
    with pytest.raises(UserError, match=r"input 256x190 \(height x width\): sides are multiples"):
        build("small", input_hw=(256, 190))


def test_the_second_pyramid_adds_nothing_at_first_and_learns() -> None:
    torch.manual_seed(0)
    fresh, images = build("small", input_hw=(64, 64)), torch.randn(2, 3, 64, 64)
    levels = fresh.backbone.encode(images)
    assert torch.equal(fresh.backbone.decode(levels), fresh.backbone(images))
    assert not fresh.detail(levels).any()
    x, y, heatmaps = fresh(images)
    assert heatmaps.shape == (2, 37, 16, 16)
    assert all(map(torch.equal, fresh.simcc(heatmaps), (x, y)))
    assert len(fresh.eval()(images)) == 2
    (x[:, 20, 7].sum() + y[:, 20, 7].sum()).backward()
    gradient = fresh.detail.heatmaps.weight.grad
    assert gradient[20].any() and not gradient[:20].any()


def test_a_backbone_at_rate_0_stays_as_it_is() -> None:
    small = build("small", input_hw=(64, 64))
    groups = parameter_groups(small, 1e-3, backbone_rate=0)
    learning = {id(parameter) for group in groups for parameter in group["params"]}
    assert learning == {
        id(p) for name, p in small.named_parameters() if not name.startswith("backbone.")
    }
    assert not any(p.requires_grad for p in small.backbone.parameters())
    assert all(group["lr"] == 1e-3 for group in groups)


def test_spine_points_hear_of_each_other_in_answers_and_not_in_training() -> None:
    torch.manual_seed(0)
    fresh, images = build("small", input_hw=(64, 64)), torch.randn(2, 3, 64, 64)
    point, neighbour = skeleton.SPINE[3], skeleton.SPINE[4]
    for training, heard in ((True, False), (False, True)):
        fresh.train(training).zero_grad()
        x = fresh(images)[0]
        x[:, point, 7].sum().backward()
        gradient = fresh.detail.heatmaps.weight.grad
        assert gradient[point].any() and bool(gradient[neighbour].any()) is heard

"""The loss of a network against labels, by hand and against what is known of it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from spinetrack_synth import skeleton  # noqa: E402
from spinetrack_synth.spinepose import simcc  # noqa: E402
from spinetrack_synth.training.distillation import TeacherAnswer  # noqa: E402
from spinetrack_synth.training.distributions import (  # noqa: E402
    divergence,
    expected_points,
    gaussian_width,
    inside,
    label_heatmaps,
    label_logits,
    sureness,
)
from spinetrack_synth.training.loss_config import LossConfig, Term  # noqa: E402
from spinetrack_synth.training.losses import (  # noqa: E402
    heatmap_loss,
    label_loss,
    total_loss,
)
from spinetrack_synth.training.networks.build import build  # noqa: E402

WIDE, HIGH = 24, 32


def scattered(people: int = 3, keypoints: int = 37, seed: int = 0) -> torch.Tensor:
    """Points (B, K, 2) that lie well inside of crops."""
    rng = np.random.default_rng(seed)
    points = rng.uniform([6, 6], [WIDE - 7, HIGH - 7], (people, keypoints, 2))
    return torch.tensor(points, dtype=torch.float32)


LABELS_ALONE = LossConfig(structure=Term(0.0), smoothness=Term(0.0), spine_shape=Term(0.0))


def noise(people: int = 3, keypoints: int = 37) -> tuple[torch.Tensor, torch.Tensor]:
    made = torch.Generator().manual_seed(1)
    return (
        torch.randn(people, keypoints, 2 * WIDE, generator=made, requires_grad=True),
        torch.randn(people, keypoints, 2 * HIGH, generator=made, requires_grad=True),
    )


def test_widths_are_those_of_the_published_configurations() -> None:
    sides = {192: 4.9, 256: 5.66, 288: 6.0, 384: 6.93}
    assert {side: round(gaussian_width(side), 2) for side in sides} == sides


def test_label_loss_is_the_divergence_summed_bin_by_bin() -> None:
    points, (x, y) = scattered(1, 2), noise(1, 2)
    weight = torch.tensor([[1.0, 0.5]])
    by_hand = 0.0
    for k in range(2):
        for axis, side in ((x, WIDE), (y, HIGH)):
            place = 2 * float(points[0, k, 0 if axis is x else 1])
            sigma = math.sqrt(side / 8)
            g = [math.exp(-((b - place) ** 2) / (2 * sigma**2)) for b in range(2 * side)]
            p = np.exp(10 * np.array(g))
            q = np.exp(axis[0, k].detach().double().numpy())
            p, q = p / p.sum(), q / q.sum()
            by_hand += float(weight[0, k]) * float((p * np.log(p / q)).sum())
    assert label_loss((x, y), points, weight).item() == pytest.approx(by_hand / 2, rel=1e-5)


def test_labels_own_distributions_have_no_loss_and_decode_to_the_labels() -> None:
    points = scattered()
    x, y = label_logits(points, WIDE, HIGH)
    assert float(label_loss((x, y), points, torch.ones(3, 37))) == pytest.approx(0, abs=1e-6)
    decoded, _ = simcc.decode(x.numpy(), y.numpy(), sub_bin=True)
    assert np.abs(decoded - points.numpy()).max() < 0.1
    assert float((expected_points((x, y)) - points).abs().max()) < 0.05


def test_labels_are_sure_and_noise_is_not() -> None:
    assert float(sureness(label_logits(scattered(), WIDE, HIGH)).min()) > 0.96
    assert sureness(noise()).max().item() < 0.5


def test_descending_the_loss_leads_to_the_labels() -> None:
    points, weight = scattered(2, 5), torch.ones(2, 5)
    logits = tuple(torch.zeros(2, 5, 2 * side, requires_grad=True) for side in (WIDE, HIGH))
    for _ in range(60):
        for axis, slope in zip(
            logits, torch.autograd.grad(label_loss(logits, points, weight), logits)
        ):
            axis.data -= 0.5 * slope / slope.abs().amax(-1, keepdim=True)
    assert (expected_points(logits) - points).norm(dim=-1).max().item() < 0.2


@pytest.mark.parametrize(
    "place", [(float("nan"), 5.0), (-0.6, 5.0), (WIDE - 0.4, 5.0), (3.0, HIGH)]
)
def test_points_without_a_label_or_beyond_the_crop_have_no_gradient(
    place: tuple[float, float],
) -> None:
    points, (x, y) = scattered(), noise()
    points[1, 4] = torch.tensor(place)
    weight = torch.ones(3, 37)
    weight[0, 2] = 0.0
    label_loss((x, y), points, weight).backward()
    for gradient in (x.grad, y.grad):
        moved = gradient.abs().amax(-1) > 0
        assert not moved[1, 4] and not moved[0, 2]
        assert int(moved.sum()) == 3 * 37 - 2
        assert torch.isfinite(gradient).all()


def test_the_outermost_pixels_belong_to_the_crop() -> None:
    corners = torch.tensor([[0.0, 0.0], [WIDE - 1, HIGH - 1], [-0.5, -0.5], [WIDE, 0.0]])
    assert inside(corners, WIDE, HIGH).tolist() == [True, True, True, False]


def test_the_mean_of_an_answer_ignores_what_lies_far_from_its_top() -> None:
    x = torch.zeros(1, 1, 2 * WIDE)
    x[..., 10], x[..., 40] = 12.0, 11.5
    points = expected_points((x, torch.zeros(1, 1, 2 * HIGH)))
    assert float(points[0, 0, 0]) == pytest.approx(5.0, abs=0.01)


def test_a_higher_temperature_keeps_the_scale_of_gradients() -> None:
    wanted = label_logits(scattered(), WIDE, HIGH)
    sizes = []
    for temperature in (1.0, 4.0):
        given = noise()
        divergence(given, wanted, temperature).mean().backward()
        sizes.append(given[0].grad.norm().item())
    assert 0.3 < sizes[1] / sizes[0] < 3


def test_halves_of_a_batch_average_to_its_loss() -> None:
    points, logits = scattered(4), noise(4)
    weight = (torch.arange(4 * 37).reshape(4, 37) % 3 > 0).float()
    teacher = TeacherAnswer(label_logits(scattered(4, seed=2), WIDE, HIGH), 1 - weight)
    whole, _ = total_loss(logits, points, weight, teacher, 0)
    halves = []
    for rows in (slice(0, 2), slice(2, 4)):
        part = TeacherAnswer(
            (teacher.logits[0][rows], teacher.logits[1][rows]), teacher.weight[rows]
        )
        given = (logits[0][rows], logits[1][rows])
        halves.append(total_loss(given, points[rows], weight[rows], part, 0)[0].item())
    assert whole.item() == pytest.approx(sum(halves) / 2, rel=1e-6)


def test_the_total_is_the_weighted_sum_of_what_is_told() -> None:
    teacher = TeacherAnswer(label_logits(scattered(seed=3), WIDE, HIGH), torch.ones(3, 37))
    weight = torch.ones(3, 37)
    weight[:, list(skeleton.SPINE)] = 0.0
    config = LossConfig(Term(1.0), Term(2.5), Term(0.1), Term(0.5), Term(0.2))
    total, terms = total_loss(noise(), scattered(), weight, teacher, 0, config)
    shares = {"labels": 1.0, "distillation": 2.5, "structure": 0.1, "smoothness": 0.5}
    shares["spine_shape"] = 0.2
    assert set(terms) == set(shares) and all(value > 0 for value in terms.values())
    told = sum(share * float(terms[name]) for name, share in shares.items())
    assert total.item() == pytest.approx(told, rel=1e-6)
    assert not any(value.requires_grad for value in terms.values())


def test_without_labels_and_teacher_nothing_moves() -> None:
    x, y = noise()
    points = torch.full((3, 37, 2), float("nan"))
    total, _ = total_loss((x, y), points, torch.zeros(3, 37), None, 0, LABELS_ALONE)
    total.backward()
    assert total.item() == 0 and not x.grad.any() and not y.grad.any()


def test_half_precision_answers_are_compared_in_single_precision() -> None:
    points, (x, y) = scattered(), noise()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        total, _ = total_loss((x.bfloat16(), y.bfloat16()), points, torch.ones(3, 37), None, 0)
    assert total.dtype == torch.float32
    rounded, _ = total_loss(
        (x.bfloat16().float(), y.bfloat16().float()), points, torch.ones(3, 37), None, 0
    )
    assert total.item() == rounded.item()


def test_schedules_lead_from_the_first_weight_to_the_last() -> None:
    up = Term(2.0, "linear", first=1.0, since=10, until=20)
    assert [up.at(step) for step in (0, 10, 15, 20, 99)] == [1.0, 1.0, 1.5, 2.0, 2.0]
    down = Term(0.0, "cosine", first=1.0, until=100)
    assert [round(down.at(step), 4) for step in (0, 25, 50, 75, 100)] == [1, 0.8536, 0.5, 0.1464, 0]
    assert down.used and not Term(0.0).used and Term(0.3).at(7) == 0.3


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Term(-1.0), "weight: -1, expected 0 or more"),
        (lambda: Term(float("nan")), "weight: nan"),
        (lambda: Term(1.0, until=5), "need a schedule"),
        (lambda: Term(1.0, "linear", since=5, until=5), "since: 5 and until: 5"),
        (lambda: LossConfig(temperature=0.0), "temperature: 0, expected more than 0"),
    ],
)
def test_weights_that_make_no_sense_are_refused(made: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        made()  # type: ignore[operator]


def test_a_bone_without_length_does_not_break_a_step() -> None:
    """All points of an answer on one place, labels too: finite gradients, for every term."""
    logits = tuple(torch.zeros(2, 37, 2 * side, requires_grad=True) for side in (WIDE, HIGH))
    total, _ = total_loss(logits, torch.full((2, 37, 2), 5.0), torch.ones(2, 37), None, 0)
    total.backward()
    assert all(torch.isfinite(axis.grad).all() for axis in logits)


def test_a_term_that_does_not_count_yet_is_not_told() -> None:
    config = replace(LABELS_ALONE, labels=Term(1.0, "linear", since=5, until=10))
    config = replace(config, distillation=Term(0.0))
    teacher = TeacherAnswer(label_logits(scattered(), WIDE, HIGH), torch.ones(3, 37))
    total, terms = total_loss(noise(), scattered(), torch.ones(3, 37), teacher, 3, config)
    assert terms == {} and total.item() == 0
    total.backward()


def test_a_labels_heatmap_is_its_column_and_its_row() -> None:
    points = scattered(2, 5)
    heatmaps = label_heatmaps(points, WIDE, HIGH, (HIGH // 4, WIDE // 4))
    x, y = label_logits(points, WIDE, HIGH)
    middles = slice(3, None, 8)  # of four pixels: the bins of 1.5 px, 5.5 px and so on
    assert torch.allclose(heatmaps, y[..., middles, None] + x[..., None, middles], atol=1e-5)
    weight = torch.ones(2, 5)
    assert heatmap_loss(heatmaps, points, weight, (WIDE, HIGH)).item() == pytest.approx(0, abs=1e-6)
    flat = torch.zeros_like(heatmaps)
    share = torch.softmax(heatmaps.flatten(-2).double(), dim=-1)
    by_hand = (share * torch.log(share * share.shape[-1])).sum(-1).mean().item()
    assert heatmap_loss(flat, points, weight, (WIDE, HIGH)).item() == pytest.approx(by_hand)


@pytest.mark.parametrize("place", [(float("nan"), 5.0), (-0.6, 5.0), (3.0, HIGH)])
def test_heatmaps_of_points_without_a_label_have_no_gradient(place: tuple[float, float]) -> None:
    points, weight = scattered(2, 5), torch.ones(2, 5)
    points[1, 4], weight[0, 2] = torch.tensor(place), 0.0
    heatmaps = torch.zeros(2, 5, HIGH // 4, WIDE // 4, requires_grad=True)
    heatmap_loss(heatmaps, points, weight, (WIDE, HIGH)).backward()
    moved = heatmaps.grad.abs().amax((-2, -1)) > 0
    assert not moved[1, 4] and not moved[0, 2] and int(moved.sum()) == 8
    assert torch.isfinite(heatmaps.grad).all()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_keypoint_in_its_column_and_in_its_row_but_not_in_both_is_found(share: float) -> None:
    """Columns and rows alone leave it where it is."""
    small, points = build("small", input_hw=(64, 64)), torch.tensor([[[21.5, 41.5]]])
    config = replace(LABELS_ALONE, heatmaps=Term(share))
    heatmaps = torch.full((1, 1, 16, 16), -15.0)  # its cell is (10, 5)
    heatmaps[0, 0, 10, 12] = heatmaps[0, 0, 3, 5] = 0.0
    heatmaps.requires_grad_()
    for _ in range(200):
        logits = small.simcc(heatmaps)
        loss, _ = total_loss(logits, points, torch.ones(1, 1), None, 0, config, heatmaps)
        heatmaps.data -= 3.0 * torch.autograd.grad(loss, heatmaps)[0]
    x, y = (small.scores(axis).detach().numpy() for axis in small.simcc(heatmaps))
    (found,) = simcc.decode(x, y, sub_bin=True)[0][0]
    assert (np.abs(found - [21.5, 41.5]).max() < 0.1) == (share > 0)

"""The density of spine shapes: its mathematics, its calibration, and that labels come first."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, multivariate_normal

torch = pytest.importorskip("torch")

from spinetrack_synth import skeleton  # noqa: E402
from spinetrack_synth.standing_keypoints import STANDING_M  # noqa: E402
from spinetrack_synth.training.spine_samples import sample_people  # noqa: E402
from spinetrack_synth.training.spine_shapes import (  # noqa: E402
    LEVEL,
    Mixture,
    limb_scale,
    mixture,
    shapes,
    spine_shape_loss,
    unlikeliness,
)

SPINE = list(skeleton.SPINE)
NONE = torch.zeros(1, 37)
ALL = torch.ones(1, 37)


def standing(px_per_m: float = 100.0) -> torch.Tensor:
    """The model as it stands, seen from its right: (1, 37, 2) px."""
    places = np.array([STANDING_M[name] for name in skeleton.NAMES])
    return torch.tensor(px_per_m * np.stack([places[:, 0], -places[:, 1]], -1)[None]).float() + 150


def turned(points: torch.Tensor, degrees: float) -> torch.Tensor:
    a = math.radians(degrees)
    return points @ torch.tensor([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]])


def bent_at_t8(degrees: float) -> torch.Tensor:
    """The same with all above T8 turned about it: backwards where positive."""
    points, above = standing(), SPINE[5:]
    pivot = points[:, SPINE[4]]
    points[:, above] = turned(points[:, above] - pivot, -degrees) + pivot
    return points


def turn_at_t8(points: torch.Tensor) -> float:
    """Degrees between the ways from T8 down and from T8 up (180 for a straight spine)."""
    middle = points[0, SPINE[4]]
    down, up = points[0, SPINE[3]] - middle, points[0, SPINE[5]] - middle
    cosine = torch.nn.functional.cosine_similarity(down, up, dim=0).item()
    return math.degrees(math.acos(cosine))


def excess(points: torch.Tensor) -> torch.Tensor:
    return unlikeliness(points, limb_scale(points))


@pytest.fixture(scope="module")
def seen() -> torch.Tensor:
    """People who had no part in the table."""
    return torch.from_numpy(sample_people(160, np.random.default_rng(77))).float()


def test_shapes_do_not_depend_on_place_turn_and_size(seen: torch.Tensor) -> None:
    people = 3 * seen
    there = shapes(people, limb_scale(people))
    moved = turned(0.4 * people, 125) + torch.tensor([70.0, -20.0])
    assert (shapes(moved, limb_scale(moved)) - there).abs().max().item() < 1e-4


def test_shapes_keep_what_is_left(seen: torch.Tensor) -> None:
    """Distances between the nine points are those between their shapes' points."""
    spine = seen[:, SPINE] / limb_scale(seen)[:, None, None]
    size = (spine - spine.mean(1, keepdim=True)).square().sum((1, 2))
    kept = shapes(seen, limb_scale(seen)).square().sum(-1)
    long = size > 0.25
    assert (kept / size)[long].min().item() > 0.99 and (kept / size).max().item() < 1.001


def test_the_scale_is_that_of_the_longest_looking_limb() -> None:
    assert limb_scale(standing()).item() == pytest.approx(100 * 0.65, rel=0.1)
    longer = standing()
    longer[0, skeleton.INDEX["left_wrist"]] = longer[0, skeleton.INDEX["left_elbow"]]
    assert limb_scale(longer).item() == pytest.approx(limb_scale(standing()).item())


def test_density_is_that_of_a_mixture_of_normal_distributions(seen: torch.Tensor) -> None:
    known = mixture()
    data = shapes(seen, limb_scale(seen))[:20]
    by_hand = np.zeros(20)
    for share, mean, whitening in zip(known.shares.exp(), known.means, known.whitening):
        inverse = np.linalg.inv(whitening.double().numpy())
        normal = multivariate_normal(mean.double().numpy(), inverse @ inverse.T)
        by_hand += share.item() * normal.pdf(data.double().numpy())
    assert np.abs(known.log_density(data).numpy() - np.log(by_hand)).max() < 0.01
    assert known.shares.exp().sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_one_in_a_hundred_of_new_people_is_unlikely_and_the_density_fits_them() -> None:
    people = torch.from_numpy(sample_people(1000, np.random.default_rng(78))).float()
    data, known = shapes(people, limb_scale(people)), mixture()
    density = known.log_density(data)
    alarms = int((density < known.threshold).sum())
    low, high = binom.ppf([0.001, 0.999], len(data), LEVEL)
    assert low <= alarms <= high
    # As likely as what the mixture itself would draw, and far likelier than under one Gaussian.
    drawn = _drawn(known, 4000)
    assert density.mean().item() == pytest.approx(known.log_density(drawn).mean().item(), abs=0.6)
    half = data[:500].double().numpy()
    single = multivariate_normal(half.mean(0), np.cov(half.T) + 1e-5 * np.eye(15))
    assert density[500:].mean().item() > single.logpdf(data[500:].double().numpy()).mean() + 0.5


def _drawn(known: Mixture, count: int) -> torch.Tensor:
    made = torch.Generator().manual_seed(0)
    which = torch.multinomial(known.shares.exp(), count, replacement=True, generator=made)
    normal = torch.randn(count, 15, 1, generator=made)
    return known.means[which] + torch.linalg.solve(known.whitening[which], normal)[..., 0]


def test_wrong_spines_are_unlikely_and_right_ones_are_not(seen: torch.Tensor) -> None:
    likely = seen[excess(seen) == 0]
    length = limb_scale(likely)[:, None, None]
    assert len(likely) > 150
    made = torch.Generator().manual_seed(3)
    shaken = likely.clone()
    shaken[:, SPINE] += 0.04 * length * torch.randn(len(likely), 9, 2, generator=made)
    swapped = likely.clone()
    swapped[:, [SPINE[3], SPINE[4]]] = likely[:, [SPINE[4], SPINE[3]]]
    outlier = likely.clone()
    outlier[:, SPINE[4]] += 0.2 * length[:, 0] * torch.tensor([0.6, 0.8])
    for wrong in (shaken, swapped, outlier):
        assert (excess(wrong) > 0).float().mean().item() > 0.85


def test_a_person_who_stands_has_a_likely_spine() -> None:
    assert excess(standing()).item() == 0
    assert excess(bent_at_t8(20)).item() == 0
    assert excess(bent_at_t8(100)).item() > 5


def test_an_unlabelled_spine_bent_the_wrong_way_is_straightened() -> None:
    points, labels = bent_at_t8(100), torch.full((1, 37, 2), torch.nan)
    first = excess(points).item()
    for _ in range(60):
        points.requires_grad_()
        (slope,) = torch.autograd.grad(spine_shape_loss(points, labels, NONE), points)
        others = [index for index in range(37) if index not in SPINE]
        assert not slope[0, others].any()
        assert slope[0, SPINE].sum(0).norm().item() < 1e-4  # nobody is moved as a whole
        if not slope.any():
            break
        points = (points - 0.5 * slope / slope.norm(dim=-1).max()).detach()
    assert excess(points).item() < 0.1 * first
    assert turn_at_t8(points) > turn_at_t8(bent_at_t8(100)) + 5


def test_a_labelled_unlikely_spine_is_left_alone_and_a_likely_one_is_not() -> None:
    answered = bent_at_t8(100).requires_grad_()
    for labels, weight, pulls in (
        (bent_at_t8(100), ALL, False),  # the labels say so
        (standing(), ALL, True),  # labels and model agree against the answer
        (bent_at_t8(100), _labelled(SPINE[::2]), False),
        (standing(), _labelled(SPINE[::2]), False),  # what the others are is not known
        (standing(), _labelled([SPINE[0], SPINE[6]]), True),  # two points have no shape
        (standing(), _labelled(range(17)), True),
    ):
        (slope,) = torch.autograd.grad(spine_shape_loss(answered, labels, weight), answered)
        assert bool(slope.any()) == pulls
        assert torch.isfinite(slope).all()


def _labelled(indices: object) -> torch.Tensor:
    weight = torch.zeros(1, 37)
    weight[:, list(indices)] = 1.0  # type: ignore[call-overload]
    return weight


def test_likely_answers_have_no_gradient(seen: torch.Tensor) -> None:
    points = (2 * seen[excess(seen) == 0]).requires_grad_()
    loss = spine_shape_loss(points, points.detach(), torch.zeros(len(points), 37))
    loss.backward()
    assert loss.item() == 0 and not points.grad.any()


def test_answers_without_any_shape_have_finite_gradients() -> None:
    for points in (torch.full((1, 37, 2), 9.0), 1e4 * torch.randn(1, 37, 2)):
        points.requires_grad_()
        spine_shape_loss(points, torch.full((1, 37, 2), torch.nan), NONE).backward()
        assert torch.isfinite(points.grad).all()


def test_the_same_seed_gives_the_same_people() -> None:
    a, b, c = (sample_people(5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(a, b) and not np.array_equal(a, c)

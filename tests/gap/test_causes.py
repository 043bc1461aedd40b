"""What is planted is found as what it is, and nothing else is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from made_people import (
    Alter,
    Array,
    jitter,
    make_coco,
    make_labels,
    make_results,
    paint,
    predict,
    project_people,
    write,
)
from PIL import Image
from scipy import ndimage

from spinetrack_synth import skeleton
from spinetrack_synth.gap.comparison import Comparison, compare
from spinetrack_synth.gap.displacement import body_axes
from spinetrack_synth.gap.evaluation import Evaluation, evaluate
from spinetrack_synth.gap.labels import Labels, labels_of, read_labels
from spinetrack_synth.gap.predictions import predictions_of

pytestmark = pytest.mark.slow

PEOPLE, SIZE = 40, 200
STANDING = (
    "tadasana", "urdhva_hastasana", "parsva_urdhva_hastasana", "vrksasana", "utkatasana",
    "virabhadrasana_1", "virabhadrasana_2", "utthita_trikonasana", "garudasana", "anjaneyasana",
)  # fmt: skip
LYING = ("bhujangasana", "salamba_bhujangasana", "setu_bandhasana", "balasana", "dhanurasana")


def people(seed: int, poses: Sequence[str] = STANDING, count: int = PEOPLE) -> Array:
    return project_people(count, seed, tuple(poses)) * (SIZE / 800)


def dataset(folder: Path, seed: int, alter: Alter = lambda x, rng: x) -> Labels:
    coco = make_coco(people(seed), size=SIZE)
    paint(folder / "images" / "made", coco, seed, alter)
    return read_labels(write(folder / "annotations" / "person_keypoints_made.json", coco))


def run(labels: Labels, share: float = 0.02, seed: int = 0) -> Evaluation:
    return evaluate(labels, predict(labels, jitter(labels, share, seed)))


def compared(
    synthetic: Evaluation, real: Evaluation, folders: tuple[Path | None, Path | None] = (None, None)
) -> Comparison:
    return compare(synthetic, real, folders=folders, resamples=200)


def names(comparison: Comparison) -> list[str]:
    return [cause.name for cause in comparison.causes]


def folder_of(labels: Labels) -> Path:
    return labels.path.parent.parent / "images" / "made"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Labels:
    return dataset(tmp_path_factory.mktemp("plain"), seed=1)


def add_noise(pixels: Array, rng: np.random.Generator) -> Array:
    return pixels + rng.normal(scale=8, size=pixels.shape)


def blur(pixels: Array, rng: np.random.Generator) -> Array:
    return ndimage.gaussian_filter(pixels, (1.3, 1.3, 0))


def shift_color(pixels: Array, rng: np.random.Generator) -> Array:
    return pixels * 0.8 + [35, 0, -10]


def darken(pixels: Array, rng: np.random.Generator) -> Array:
    return pixels * 0.6


def compress(pixels: Array, rng: np.random.Generator) -> Array:
    buffer = io.BytesIO()
    Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)).save(
        buffer, "JPEG", quality=40
    )
    return np.asarray(Image.open(buffer), dtype=np.float64)


def lower_resolution(pixels: Array, rng: np.random.Generator) -> Array:
    picture = Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))
    small = picture.resize((SIZE // 4, SIZE // 4), Image.Resampling.BOX)
    return np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BICUBIC), dtype=np.float64)


def cover(pixels: Array, rng: np.random.Generator) -> Array:
    covered = pixels.copy()
    if rng.random() < 0.6:
        covered[SIZE * 3 // 8 : SIZE * 5 // 8, SIZE * 3 // 8 : SIZE * 5 // 8] = rng.integers(
            40, 220, 3
        )
    return covered


def blur_and_add_noise(pixels: Array, rng: np.random.Generator) -> Array:
    return add_noise(blur(pixels, rng), rng)


@pytest.mark.parametrize(
    ("alter", "wanted"),
    [
        (lambda x, rng: x, []),
        (add_noise, ["noise"]),
        (blur, ["blur"]),
        (shift_color, ["colour"]),
        (compress, ["JPEG"]),
        (lower_resolution, ["blur"]),
        (cover, ["occluders"]),
        (blur_and_add_noise, ["blur", "noise"]),
        pytest.param(darken, ["colour"], marks=pytest.mark.exhaustive),
    ],
)
def test_what_was_done_to_the_pictures_is_found(
    alter: Alter, wanted: list[str], plain: Labels, tmp_path: Path
) -> None:
    real = dataset(tmp_path, 2, alter)
    comparison = compared(run(plain), run(real, seed=1), (folder_of(plain), folder_of(real)))
    assert sorted(names(comparison)) == wanted
    there = comparison.appearance
    assert there is not None
    if wanted:
        assert there.classifier.auc.low > 0.5
    else:
        assert there.classifier.auc.low < 0.55 and there.kernel.p > 0.01


@pytest.mark.slow
def test_a_cleaner_real_set_is_told_as_such(plain: Labels, tmp_path: Path) -> None:
    noisy = dataset(tmp_path, 2, add_noise)
    comparison = compared(run(noisy), run(plain, seed=1), (folder_of(noisy), folder_of(plain)))
    (cause,) = comparison.causes
    assert (cause.name, cause.of) == ("noise", "real")


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in (2, 3))]
)
def test_two_draws_of_one_distribution_have_no_cause_and_no_gap(seed: int) -> None:
    sides = [
        run(make_labels(people(10 * seed + side, count=60)), seed=10 * seed + side)
        for side in (5, 6)
    ]
    comparison = compared(*sides)
    assert names(comparison) == []
    assert comparison.gaps["all.error"].gap.holds_zero or (
        abs(comparison.gaps["all.error"].gap.value) < 0.001
    )


def test_the_same_data_twice_has_no_gap_anywhere(plain: Labels) -> None:
    side = run(plain)
    comparison = compared(side, side, (folder_of(plain), folder_of(plain)))
    assert names(comparison) == []
    for name, gap in (comparison.gaps | comparison.matched | comparison.precision).items():
        assert gap.gap.holds_zero, name
    assert all(gap.gap.holds_zero for each in comparison.strata for gap in each.gaps.values())
    assert comparison.pose is not None and comparison.pose.p > 0.5
    assert any("in both sets" in warning for warning in comparison.warnings)


def test_a_pose_shift_is_the_pose_and_matching_takes_it_away() -> None:
    """Errors are three times as large lying down, and real people lie more often."""
    sides = []
    for seed, (easy, hard) in enumerate(((80, 40), (30, 90))):
        points = [people(seed, STANDING, easy), people(seed + 2, LYING, hard)]
        labels = make_labels(np.concatenate(points), size=SIZE)
        share = np.repeat([0.01, 0.03], [easy, hard])[:, None, None]
        moved = labels.points + share * (jitter(labels, 1.0, seed) - labels.points)
        sides.append(evaluate(labels, predict(labels, moved)))
    comparison = compared(*sides)
    assert names(comparison) == ["pose"]
    raw, even = comparison.gaps["all.error"].gap, comparison.matched["all.error"].gap
    assert raw.low > 0
    assert abs(even.value) < 0.35 * raw.value
    assert comparison.costs["pose"].value > 0.6 * raw.value


@pytest.mark.parametrize("name", ["spine_04", "neck_02", "left_elbow"])
def test_a_displaced_keypoint_is_named_and_no_other(name: str) -> None:
    synthetic = make_labels(people(3, count=80), size=SIZE)
    points = people(4, count=80)
    index = skeleton.INDEX[name]
    exact = make_labels(points, size=SIZE)
    shift = 0.03 * np.hypot(exact.boxes[:, 2], exact.boxes[:, 3])
    labelled = points.copy()
    labelled[:, index, 1] += shift
    real = make_labels(labelled, size=SIZE)
    predicted = predict(real, jitter(exact, 0.01, 9))
    comparison = compared(run(synthetic, 0.01), evaluate(real, predicted))
    assert names(comparison) == [f"keypoint {name}"]
    (cause,) = comparison.causes
    assert cause.displaced is not None
    assert cause.displaced.size == pytest.approx(0.03, rel=0.2)
    gap = comparison.gaps["all.error"].gap
    assert comparison.costs[cause.name].value == pytest.approx(gap.value, rel=0.35)


@pytest.fixture(scope="module")
def sides() -> tuple[Evaluation, Labels, Array]:
    """A synthetic side, and real labels with predictions as good."""
    real = make_labels(people(4, count=60), size=SIZE)
    return run(make_labels(people(3, count=60), size=SIZE), 0.015), real, jitter(real, 0.015, 7)


def diagonals(labels: Labels) -> Array:
    return np.hypot(labels.boxes[:, 2], labels.boxes[:, 3])[:, None, None]


def test_spine_points_that_move_together_are_one_cause(
    sides: tuple[Evaluation, Labels, Array],
) -> None:
    synthetic, real, found = sides
    moved = found.copy()
    forward = np.nan_to_num(body_axes(real)[:, 1])[:, None]
    moved[:, list(skeleton.SPINE)] += 0.02 * diagonals(real) * forward
    (cause,) = compared(synthetic, evaluate(real, predict(real, moved))).causes
    assert cause.name == "spine points" and cause.displaced is not None
    assert cause.displaced.body[1] == pytest.approx(0.02, rel=0.25)
    assert "2.0% forward" in cause.told or "2.1% forward" in cause.told
    assert "in the picture" in cause.told


def test_all_keypoints_that_move_are_one_cause(sides: tuple[Evaluation, Labels, Array]) -> None:
    synthetic, real, found = sides
    moved = found + 0.02 * diagonals(real) * [1, 0]
    (cause,) = compared(synthetic, evaluate(real, predict(real, moved))).causes
    assert cause.name == "all keypoints" and cause.displaced is not None
    assert cause.displaced.frame == "picture" and cause.displaced.picture_px[0] > 1


def test_a_keypoint_that_moves_outward_is_told_in_the_body_s_axes(
    sides: tuple[Evaluation, Labels, Array],
) -> None:
    synthetic, real, found = sides
    moved = found.copy()
    elbow = skeleton.INDEX["left_elbow"]
    moved[:, elbow] += 0.03 * diagonals(real)[:, 0] * np.nan_to_num(body_axes(real)[:, 2])
    (cause,) = compared(synthetic, evaluate(real, predict(real, moved))).causes
    assert cause.name == "keypoint left_elbow" and "to the own left" in cause.told
    assert cause.displaced is not None and cause.displaced.frame == "lateral"


def test_looser_boxes_are_named_and_what_they_hide_is_told(
    sides: tuple[Evaluation, Labels, Array],
) -> None:
    synthetic, real, found = sides
    coco = make_coco(real.points, size=SIZE)
    for annotation in coco.annotations:
        x, y, width, height = annotation["bbox"]
        annotation["bbox"] = [x - width / 8, y - height / 8, 1.25 * width, 1.25 * height]
    loose = labels_of(coco, Path("person_keypoints_made.json"))
    comparison = compared(synthetic, evaluate(loose, predict(loose, found)))
    assert names(comparison) == ["boxes"]
    gap = comparison.gaps["all.error"].gap
    assert gap.high < 0
    assert comparison.costs["boxes"].value == pytest.approx(gap.value, rel=0.3)


@pytest.mark.parametrize("boxes", [True, False])
def test_predictions_of_half_size_pictures_are_told(
    boxes: bool, sides: tuple[Evaluation, Labels, Array]
) -> None:
    synthetic, real, found = sides
    results = make_results(real, found / 2, boxes=boxes)
    wrong = evaluate(real, predictions_of(results, real, "made"))
    (cause,) = compared(synthetic, wrong).causes
    assert cause.name == "coordinates" and cause.of == "real" and "0.5 times" in cause.told


def test_a_fifth_of_swapped_sides_is_named(sides: tuple[Evaluation, Labels, Array]) -> None:
    synthetic, real, found = sides
    points = real.points.copy()
    points[::5] = points[::5][:, list(skeleton.MIRROR)]
    swapped = make_labels(points, size=SIZE)
    comparison = compared(synthetic, evaluate(swapped, predict(swapped, found)))
    assert names(comparison) == ["swapped sides"]
    gap = comparison.gaps["all.error"].gap.value
    assert comparison.costs["swapped sides"].value == pytest.approx(gap, rel=0.25)


def test_a_keypoint_displaced_in_the_synthetic_labels_hides_a_gap() -> None:
    exact, real = (make_labels(people(n, count=80), size=SIZE) for n in (3, 4))
    index = skeleton.INDEX["spine_02"]
    labelled = exact.points.copy()
    shift = 0.04 * np.hypot(exact.boxes[:, 2], exact.boxes[:, 3])
    labelled[:, index, 0] -= shift
    synthetic = make_labels(labelled, size=SIZE)
    comparison = compared(
        evaluate(synthetic, predict(synthetic, jitter(exact, 0.01, 9))), run(real, 0.01)
    )
    (cause,) = comparison.causes
    assert cause.displaced is not None and cause.displaced.of == "synthetic"
    assert comparison.costs[cause.name].value < -0.0005


def test_more_error_without_a_cause_is_a_gap_without_a_cause() -> None:
    sides = [
        run(make_labels(people(5 + n, count=60), size=SIZE), share, seed=n)
        for n, share in enumerate((0.01, 0.02))
    ]
    comparison = compared(*sides)
    assert names(comparison) == []
    assert comparison.gaps["all.error"].gap.low > 0.008
    assert comparison.matched["all.error"].gap.low > 0.008
    assert comparison.precision["spine.AP"].gap.high < 0

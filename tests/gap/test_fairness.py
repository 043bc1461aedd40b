"""What a reader has to be warned of, and of what too little is known to tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_people import (
    jitter,
    make_coco,
    make_labels,
    make_results,
    paint,
    predict,
    project_people,
)

from spinetrack_synth import skeleton
from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap.bootstrap import LEAST_CLUSTERS
from spinetrack_synth.gap.comparison import Comparison, compare
from spinetrack_synth.gap.distances import mean_shift
from spinetrack_synth.gap.evaluation import Evaluation, evaluate
from spinetrack_synth.gap.labels import Labels, labels_of
from spinetrack_synth.gap.person_attributes import fill_in
from spinetrack_synth.gap.report import page
from spinetrack_synth.gap.rerunning import cost


def run(labels: Labels, seed: int = 0) -> Evaluation:
    return evaluate(labels, predict(labels, jitter(labels, 0.01, seed)))


def told(comparison: Comparison, words: str) -> bool:
    return any(words in warning for warning in comparison.warnings)


@pytest.mark.parametrize("pictures", [1, LEAST_CLUSTERS - 1])
def test_a_handful_of_pictures_has_no_intervals(pictures: int) -> None:
    """One picture drawn again is itself: its interval would be a point that leaves zero out."""
    many, few = make_labels(project_people(30, 1)), make_labels(project_people(pictures, 2))
    for sides in ((run(many), run(few, 1)), (run(few, 1), run(many))):
        comparison = compare(*sides, resamples=50)
        found = {**comparison.gaps, **comparison.precision}.values()
        assert all(np.isnan(gap.gap.low) and gap.gap.holds_zero for gap in found)
        assert np.isfinite(comparison.gaps["all.error"].gap.value)
        assert told(comparison, "too few for intervals")
        assert "too few to tell" in page.render(comparison, "made")


def test_a_side_with_more_keypoints_is_judged_on_those_of_both() -> None:
    """The face is right, the limbs are not: between a file and itself without faces is no gap."""
    whole = make_labels(project_people(20, 7))
    points = jitter(whole, 0.04, 1)
    points[:, :5] = whole.points[:, :5]
    limbs = np.arange(len(skeleton.NAMES)) >= 5
    part = replace(
        whole,
        defined=whole.defined & limbs,
        v=np.where(limbs, whole.v, 0),
        remarks=("9 people have no area",),
    )
    sides = [evaluate(labels, predict(labels, points)) for labels in (whole, part)]
    assert sides[0].precision["body"]["AP"] > sides[1].precision["body"]["AP"] + 0.05
    comparison = compare(sides[0], sides[1], resamples=50)
    for name in ("body.AP", "body.AR"):
        assert comparison.precision[name].gap.value == pytest.approx(0, abs=1e-12)
    assert told(comparison, "real side: 9 people have no area")
    text = page.render(comparison, "made")
    assert "body (12 of 17) AP" in text and "Over 12 of the 17 body keypoints" in text


@pytest.mark.filterwarnings("error")
def test_a_limb_that_nobody_shows_fills_in_without_a_word_of_numpy_s() -> None:
    poses = np.random.default_rng(0).normal(size=(8, 6))
    poses[:, 2:4] = np.nan
    poses[0, 0] = np.nan
    filled = fill_in(poses)
    assert np.isfinite(filled).all() and (filled[:, 2:4] == 0).all()


@pytest.mark.slow
def test_swapped_sides_are_told_and_mirrored_people_are_not() -> None:
    synthetic, exact = (make_labels(project_people(30, seed)) for seed in (1, 2))
    mirrored = exact.points[:, list(skeleton.MIRROR)]
    swapped = make_labels(mirrored)
    real = evaluate(swapped, predict(swapped, jitter(exact, 0.01, 1)))
    assert told(compare(run(synthetic), real, resamples=50), "fit the other side's label on real")
    assert told(compare(real, run(synthetic), resamples=50), "label on synthetic people")
    turned = make_labels(np.array([800, 0]) + mirrored * [-1, 1])
    assert not told(compare(run(synthetic), run(turned), resamples=50), "the other side's label")


@pytest.mark.slow
def test_pictures_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    folders, sides = [], []
    for seed in (1, 2):
        coco = make_coco(project_people(8, seed) / 4, size=200)
        folders.append(paint(tmp_path / str(seed), coco, seed))
        sides.append(run(labels_of(coco, Path("made.json"))))
    (folders[1] / "000000.png").unlink()
    (folders[1] / "000003.png").write_bytes(b"no picture")
    comparison = compare(*sides, folders=(folders[0], folders[1]), resamples=50)
    assert told(comparison, "2 real pictures are missing or cannot be read")
    with pytest.raises(UserError, match=r"00000[03]\.png: cannot be read"):
        cost(sides[1], comparison.judged, folders[1], lambda x: x, lambda *_: [], 50, 0)


def test_pictures_are_changed_as_the_model_saw_them(tmp_path: Path) -> None:
    """A picture of half the recorded size is brought to it, as for the model."""
    pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
    from PIL import Image

    coco = make_coco(project_people(6, 1) / 4, size=200)
    folder = paint(tmp_path, coco, 1)
    side = run(labels_of(coco, Path("made.json")))
    with Image.open(folder / "000000.png") as whole:
        whole.resize((100, 100)).save(folder / "000000.png")
    sizes: list[tuple[int, int]] = []

    def predicted(part: CocoDataset, scratch: Path) -> list[dict[str, Any]]:
        for image in part.images:
            with Image.open(scratch / image["file_name"]) as opened:
                sizes.append(opened.size)
        return make_results(side.labels, side.pairs.points)

    found = cost(side, side.judged, folder, lambda pixels: pixels, predicted, 50, 0)
    assert sizes == [(200, 200)] * 6
    assert found.value == pytest.approx(0, abs=1e-9)


def test_the_effect_of_values_without_spread_is_large_but_a_number() -> None:
    numbers = np.arange(20)
    shift = mean_shift(np.zeros(20), np.full(20, 0.3), (numbers, numbers), 99, 0)
    assert shift.effect == pytest.approx(100) and shift.p < 0.02
    assert mean_shift(np.ones(20), np.ones(20), (numbers, numbers), 99, 0).effect == 0

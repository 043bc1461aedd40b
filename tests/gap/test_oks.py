"""AP and AR equal pycocotools', whatever is in the file."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_people import make_labels, make_results, project_people
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from spinetrack_synth import skeleton
from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.gap import oks
from spinetrack_synth.gap.labels import labels_of
from spinetrack_synth.gap.predictions import predictions_of


def judge(coco: CocoDataset, results: list[dict[str, Any]], group: tuple[int, ...]) -> np.ndarray:
    """pycocotools' ten figures, of a file with the group's keypoints alone."""

    def cut(keypoints: list[float]) -> list[float]:
        return np.array(keypoints, float).reshape(-1, 3)[list(group)].ravel().tolist()

    annotations = []
    for annotation in coco.annotations:
        points = cut(annotation["keypoints"])
        count = int((np.array(points[2::3]) > 0).sum())
        annotations.append({**annotation, "keypoints": points, "num_keypoints": count})
    found = [
        {
            **{k: r[k] for k in ("image_id", "category_id", "score")},
            "keypoints": cut(r["keypoints"]),
        }
        for r in results
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": list(coco.images),
            "annotations": annotations,
            "categories": list(coco.categories),
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.array(skeleton.SIGMAS)[list(group)]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def make_case(
    seed: int, images: int, most_found: int, first_id: int = 1
) -> tuple[CocoDataset, list[dict[str, Any]]]:
    """Crowds, people without keypoints, all sizes, ties of scores, copies, empty pictures, more
    detections than count, results of another category."""
    rng = np.random.default_rng(seed)
    records = [
        {"id": int(n) * 7, "file_name": f"{n}.jpg", "width": 640, "height": 480}
        for n in rng.permutation(images)
    ]
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for record in records:
        for _ in range(rng.integers(0, 4)):
            side, corner = rng.uniform(5, 250), rng.uniform(0, 400, 2)
            v = rng.integers(0, 3, 37) * (rng.random(37) < rng.choice([0, 0.05, 0.5, 1]))
            points = corner + rng.normal(size=(37, 2)) * side / 3
            crowd = int(rng.random() < 0.15)
            annotation = {
                "id": first_id + len(annotations),
                "image_id": record["id"],
                "category_id": 1,
                "iscrowd": crowd,
                "num_keypoints": int((v > 0).sum()),
                "keypoints": np.column_stack([points, v]).ravel().tolist(),
                "bbox": [*(corner - side / 2).tolist(), side, side],
                "area": float(side * side * 0.6),
            }
            annotations.append(annotation)
            if rng.random() < 0.1:  # the same person twice: equal similarities
                annotations.append({**annotation, "id": first_id + len(annotations)})
            for _ in range(rng.integers(0, most_found)):
                error = rng.normal(size=(37, 2)) * side * rng.choice([0, 0.02, 0.05, 0.1, 0.3])
                found = np.column_stack([points + error, rng.random(37)])
                results.append(
                    {
                        "image_id": record["id"],
                        "category_id": 2 if len(results) % 7 == 6 else 1,
                        "keypoints": found.ravel().tolist(),
                        "score": float(rng.integers(1, 6) / 5),
                    }
                )
    return CocoDataset(records, annotations), results


def assert_equal_to_the_judge(coco: CocoDataset, results: list[dict[str, Any]]) -> None:
    labels = labels_of(coco, Path("made.json"))
    ours = oks.statistics(oks.match(labels, predictions_of(results, labels, "made"), oks.GROUPS))
    for name, group in oks.GROUPS.items():
        own = np.nan_to_num([ours[name][figure] for figure in oks.STATISTICS], nan=-1)
        np.testing.assert_allclose(own, judge(coco, results, group), rtol=0, atol=1e-9)


@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**32 - 1),
    images=st.integers(1, 25),
    most_found=st.sampled_from([2, 6, 12]),
    first_id=st.sampled_from([0, 1]),
)
def test_figures_equal_pycocotools(seed: int, images: int, most_found: int, first_id: int) -> None:
    coco, results = make_case(seed, images, most_found, first_id)
    if coco.annotations and results:
        assert_equal_to_the_judge(coco, results)


def test_the_twenty_first_detection_counts_nothing() -> None:
    labels = make_labels(project_people(2, seed=1))
    bad = make_results(labels, labels.points + 300, np.full((2, 37), 0.9))
    good = make_results(labels, labels.points, np.full((2, 37), 0.1))
    for copies, found in ((19, 1.0), (20, 0.0)):
        results = bad * copies + good
        matches = oks.match(labels, predictions_of(results, labels, "made"), oks.GROUPS)
        assert oks.statistics(matches)["all"]["AR"] == found
        assert_equal_to_the_judge(labels.coco, results)


def test_perfect_and_absent_people() -> None:
    labels = make_labels(project_people(4, seed=2))
    perfect = oks.match(
        labels, predictions_of(make_results(labels, labels.points), labels, "made"), oks.GROUPS
    )
    assert oks.statistics(perfect)["spine"]["AP"] == pytest.approx(1.0)
    nobody = oks.match(labels, predictions_of([], labels, "made"), oks.GROUPS)
    assert oks.statistics(nobody)["spine"]["AP"] == oks.statistics(nobody)["spine"]["AR"] == 0.0


def test_weights_count_pictures_as_often_as_copies_would() -> None:
    coco, results = make_case(seed=5, images=20, most_found=4)
    labels = labels_of(coco, Path("made.json"))
    weights = np.random.default_rng(0).integers(0, 3, len(labels.image_ids))
    matches = oks.match(labels, predictions_of(results, labels, "made"), oks.GROUPS)
    images, annotations, copies = [], [], []
    for number, (image_id, count) in enumerate(zip(labels.image_ids.tolist(), weights)):
        for copy in range(count):
            new = 1000 * number + copy
            images.append({**coco.image_of[image_id], "id": new})
            for record in coco.annotations:
                if record["image_id"] == image_id:
                    annotations.append({**record, "image_id": new, "id": len(annotations) + 1})
            copies += [{**r, "image_id": new} for r in results if r["image_id"] == image_id]
    copied = labels_of(CocoDataset(images, annotations), Path("copied.json"))
    direct = oks.statistics(oks.match(copied, predictions_of(copies, copied, "copied"), oks.GROUPS))
    weighed = oks.statistics(matches, weights)
    for group in oks.GROUPS:
        # Equal scores stand in another order among copies: by a hair only.
        for figure in oks.STATISTICS:
            assert weighed[group][figure] == pytest.approx(direct[group][figure], abs=0.02)
        assert weighed[group]["AR"] == pytest.approx(direct[group]["AR"], abs=1e-9)

"""Time of AP and AR by group, ours and pycocotools', on the same labels and detections in one run.

    python benchmarks/evaluate.py [--annotations 33000]

Both start from the parsed files and end with the ten figures of every group; both are given in
CPU-seconds. What is told: the times, their ratio (wanted: 1.5) and the largest difference between
the figures (wanted: 1e-9).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from spinetrack_synth import skeleton
from spinetrack_synth.coco import PERSON, CocoDataset, Record
from spinetrack_synth.gap import oks
from spinetrack_synth.gap.labels import labels_of
from spinetrack_synth.gap.predictions import predictions_of


def make_files(count: int, seed: int) -> tuple[CocoDataset, list[Record]]:
    """Labels of so many people, one to three a picture, and a tenth more detections than people."""
    rng = np.random.default_rng(seed)
    images, annotations, results = [], [], []
    while len(annotations) < count:
        number = len(images)
        images.append({"id": number, "file_name": f"{number:06d}.jpg", "width": 640, "height": 480})
        for _ in range(min(rng.integers(1, 4), count - len(annotations))):
            side = rng.uniform(30, 400)
            corner = rng.uniform(0, 300, 2)
            v = rng.choice([0, 1, 2], 37, p=[0.1, 0.2, 0.7])
            points = corner + side * rng.random((37, 2))
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "iscrowd": int(rng.random() < 0.02),
                    "num_keypoints": int((v > 0).sum()),
                    "keypoints": np.column_stack([points, v]).ravel().tolist(),
                    "bbox": [*corner.tolist(), side, side],
                    "area": float(0.5 * side**2),
                }
            )
            for _ in range(1 + (rng.random() < 0.1)):
                error = rng.normal(size=(37, 2)) * side * rng.choice([0.01, 0.03, 0.1])
                found = np.column_stack([points + error, rng.random(37)])
                results.append(
                    {
                        "image_id": number,
                        "category_id": 1,
                        "keypoints": found.ravel().tolist(),
                        "score": float(rng.random()),
                    }
                )
    return CocoDataset(images, annotations), results


def only(record: Record, group: Sequence[int]) -> Record:
    """A label or a result with these keypoints alone."""
    points = np.array(record["keypoints"]).reshape(-1, 3)[list(group)]
    cut = {**record, "keypoints": points.ravel().tolist()}
    if "num_keypoints" in record:
        cut["num_keypoints"] = int((points[:, 2] > 0).sum())
    return cut


def reference(coco: CocoDataset, results: list[Record], group: Sequence[int]) -> np.ndarray:
    """pycocotools' ten figures, of files that hold the group's keypoints alone."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": list(coco.images),
            "annotations": list(coco.annotations),
            "categories": [PERSON],
        }
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(results), "keypoints")
        judge.params.kpt_oks_sigmas = np.array(skeleton.SIGMAS)[list(group)]
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--annotations", type=int, default=33_000)
    arguments = parser.parse_args()
    small = make_files(20, seed=0)
    labels = labels_of(small[0], Path("small.json"))
    oks.match(labels, predictions_of(small[1], labels, "small"), oks.GROUPS)  # compiled by now

    coco, results = make_files(arguments.annotations, seed=1)
    print(
        f"{len(coco.annotations):,} labels, {len(results):,} detections, {len(oks.GROUPS)} groups"
    )
    start = time.process_time()
    labels = labels_of(coco, Path("made.json"))
    predictions = predictions_of(results, labels, "made")
    read = time.process_time()
    ours = oks.statistics(oks.match(labels, predictions, oks.GROUPS))
    end = time.process_time()
    print(f"ours: {end - start:.2f} s of CPU ({read - start:.2f} s of it making arrays)")

    spent, difference = 0.0, 0.0
    for name, group in oks.GROUPS.items():
        cut = CocoDataset(coco.images, [only(a, group) for a in coco.annotations])
        cut_results = [only(r, group) for r in results]
        begin = time.process_time()
        figures = reference(cut, cut_results, group)
        spent += time.process_time() - begin
        own = [ours[name][figure] for figure in oks.STATISTICS]
        difference = max(difference, float(np.abs(figures - np.nan_to_num(own, nan=-1)).max()))
    print(
        f"pycocotools: {spent:.2f} s of CPU, {spent / (end - start):.1f} times ours (wanted: 1.5)"
    )
    print(f"largest difference of a figure: {difference:.1e} (wanted: 1e-9)")


if __name__ == "__main__":
    main()

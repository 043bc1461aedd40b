"""How well a detector finds people on photos: COCO's AP, and what each threshold finds.

    python benchmarks/detection.py COCO-MINI/annotations/instances_val2017.json COCO-MINI/val2017
    python benchmarks/detection.py labels.json photos --detector D.onnx

The labels are COCO's, of the category named person; those of a keypoint file who have no keypoint
count as crowds do, neither found nor missed. The detectors are any that ``predict`` takes, else the
default one and that inside the package. AP is pycocotools'. Below it: which share of the people
(crowds left out) is found at a threshold, which share of what is found is somebody, at an
intersection over union of .5.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from spinetrack_synth.spinepose.default_detector import default_detector
from spinetrack_synth.spinepose.detector import Detector, detect, open_detector
from spinetrack_synth.spinepose.image_files import read_picture
from spinetrack_synth.spinepose.packaged import packaged_detector

LEAST = 0.01
"""Detections below count for nothing in AP."""

THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7)


def read_labels(path: Path) -> COCO:
    """The labels, with people who have no keypoint as crowds."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(path))
    for person in truth.anns.values():
        if person.get("num_keypoints") == 0:
            person["iscrowd"] = 1
    return truth


def results(detector: Detector, truth: COCO, folder: Path, category: int) -> list[dict]:
    """COCO results of every picture of the labels."""
    found = []
    for image in truth.loadImgs(truth.getImgIds()):
        boxes = detect(detector, read_picture(folder / image["file_name"]), image["file_name"])
        found += [
            {
                "image_id": image["id"],
                "category_id": category,
                "bbox": box.tolist(),
                "score": float(score),
            }
            for box, score in zip(boxes.boxes_xywh, boxes.scores)
        ]
    return found


def evaluation(truth: COCO, found: list[dict], category: int) -> COCOeval:
    """pycocotools' evaluation of boxes of one category, done."""
    with contextlib.redirect_stdout(io.StringIO()):
        judged = COCOeval(truth, truth.loadRes(found), "bbox")
        judged.params.catIds = [category]
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return judged


def at_threshold(judged: COCOeval, least: float) -> tuple[float, float]:
    """Recall and precision at an intersection over union of .5 with detections from a score on."""
    people = hits = answers = 0
    for picture in judged.evalImgs[: len(judged.params.imgIds)]:  # the first range of areas: all
        if picture is None:
            continue
        counted = (np.array(picture["dtScores"]) >= least) & ~picture["dtIgnore"][0].astype(bool)
        answers += counted.sum()
        hits += (counted & (picture["dtMatches"][0] > 0)).sum()
        people += (~picture["gtIgnore"].astype(bool)).sum()
    return hits / max(people, 1), hits / max(answers, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labels", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--detector", type=Path, nargs="+")
    asked = parser.parse_args()
    files = asked.detector or [default_detector(print), packaged_detector(print)]
    truth = read_labels(asked.labels)
    for file in dict.fromkeys(filter(None, files)):
        report(file, truth, asked.photos)


def report(file: Path, truth: COCO, photos: Path) -> None:
    """Print what a detector finds."""
    (category,) = truth.getCatIds(catNms=["person"])
    detector = open_detector(file, threads=1, spinning=False, least_score=LEAST)
    began = time.process_time()
    found = results(detector, truth, photos, category)
    cost_ms = 1000 * (time.process_time() - began) / len(truth.getImgIds())
    judged = evaluation(truth, found, category)
    print(f"{file.name}: AP {judged.stats[0]:.3f}, AP50 {judged.stats[1]:.3f}, "
          f"{cost_ms:.0f} ms of CPU a picture (decoding and all), "
          f"{len(truth.getImgIds())} pictures")  # fmt: skip
    for least in THRESHOLDS:
        recall, precision = at_threshold(judged, least)
        print(f"  from {least:.2f}: recall {recall:.3f}, precision {precision:.3f}, "
              f"F1 {2 * recall * precision / max(recall + precision, 1e-9):.3f}")  # fmt: skip


if __name__ == "__main__":
    main()

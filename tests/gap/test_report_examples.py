"""People of a report: whose lines are drawn, what is ringed, where the picture is found."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_people import jitter, make_coco, make_results, paint, project_people, write

from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.drawing.palette import FITTED_COLOR, RING_COLOR, hexadecimal
from spinetrack_synth.gap.evaluation import Evaluation, evaluate
from spinetrack_synth.gap.labels import labels_of
from spinetrack_synth.gap.predictions import predictions_of
from spinetrack_synth.gap.report.examples import draw
from spinetrack_synth.gap.report.worst import Worst, worst_people
from spinetrack_synth.skeleton import INDEX, LINKS


def evaluated(coco: CocoDataset, folder: Path) -> tuple[Evaluation, Worst]:
    labels = labels_of(coco, write(folder / "labels.json", coco))
    whole = labels_of(make_coco(project_people(6, 4)), folder / "labels.json")
    results = make_results(labels, jitter(whole, 0.02, 1))
    evaluation = evaluate(labels, predictions_of(results, labels, "made"))
    (worst,) = worst_people(evaluation, evaluation.judged, 1)
    return evaluation, worst


def lines(svg: str, color: str = "#141418") -> int:
    return len(re.findall(rf'<line [^>]*stroke="{color}"', svg))


def test_label_prediction_and_the_worst_keypoint_are_drawn(tmp_path: Path) -> None:
    evaluation, worst = evaluated(make_coco(project_people(6, 4)), tmp_path)
    svg = draw(evaluation, worst, None)
    assert lines(svg) == lines(svg, hexadecimal(FITTED_COLOR)) == len(LINKS)
    (ring,) = re.findall(
        rf'cx="([0-9.]+)" cy="([0-9.]+)"[^>]*stroke="{hexadecimal(RING_COLOR)}"', svg
    )
    point = evaluation.labels.points[worst.row, worst.keypoint]
    assert np.abs(np.array(ring, float) - point).max() < 0.01
    assert "<image" not in svg


@pytest.mark.parametrize(("stated", "count"), [([[6, 8], [7, 9]], 2), (None, 14), ("no", 14)])
def test_strange_skeletons_have_the_lines_that_they_state(
    stated: Any, count: int, tmp_path: Path
) -> None:
    """The first 17 with names of the file's own, and one that nobody knows."""
    coco = make_coco(project_people(6, 4)[:, :18], np.full((6, 18), 2))
    names = [*(f"{name}s" if name == "nose" else name for name in list(INDEX)[:17]), "tail"]
    category = {**coco.categories[0], "keypoints": names, "skeleton": stated}
    evaluation, worst = evaluated(replace(coco, categories=[category]), tmp_path)
    assert lines(draw(evaluation, worst, None)) == count


def test_the_picture_lies_below_the_folder(tmp_path: Path) -> None:
    coco = make_coco(project_people(6, 4))
    folder = paint(tmp_path / "pictures", coco, 1)
    evaluation, worst = evaluated(coco, tmp_path)
    assert "data:image/jpeg" in draw(evaluation, worst, folder)
    (folder / worst.file_name).rename(tmp_path / "outside.png")
    outside = replace(worst, file_name="../outside.png")
    assert "data:image" not in draw(evaluation, outside, folder)

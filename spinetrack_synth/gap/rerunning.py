"""What a difference of the pictures costs: the model is run again on pictures that have it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.coco.listing import recorded_size
from spinetrack_synth.gap.appearance import Picture
from spinetrack_synth.gap.bootstrap import Interval, draws, interval
from spinetrack_synth.gap.evaluation import Evaluation
from spinetrack_synth.gap.labels import Bools, labels_of
from spinetrack_synth.gap.measures import errors_of, quotient
from spinetrack_synth.gap.pairing import pair
from spinetrack_synth.gap.predictions import predictions_of
from spinetrack_synth.spinepose.image_files import read_recorded

MOST_PICTURES: Final = 60
Predict = Callable[[CocoDataset, Path], list[dict[str, Any]]]
"""COCO results of the model for the boxes of a dataset with its pictures in a folder."""


def cost(
    evaluation: Evaluation,
    judged: Bools,
    folder: Path,
    change: Callable[[Picture], Picture],
    predict: Predict,
    resamples: int,
    seed: int,
) -> Interval:
    """By how much the mean error over the box's diagonal grows on changed pictures: the same
    people of up to ``MOST_PICTURES`` pictures before and after."""
    from PIL import Image

    labels = evaluation.labels
    used = np.unique(labels.image[labels.people])
    chosen = np.random.default_rng(seed).permutation(used)[:MOST_PICTURES]
    ids = set(labels.image_ids[chosen].tolist())
    images = [image for image in labels.coco.images if image["id"] in ids]
    part = CocoDataset(
        [{**image, "file_name": f"{image['id']}.png"} for image in images],
        [a for a in labels.coco.annotations if a["image_id"] in ids],
        labels.coco.categories,
    )
    with tempfile.TemporaryDirectory() as scratch:
        for image in images:
            # As the model saw it, which may be turned or of another size than the file.
            seen, _ = read_recorded(folder / image["file_name"], recorded_size(image))
            pixels = seen[..., ::-1].astype(np.float32)
            altered = Image.fromarray(np.rint(change(pixels)).astype(np.uint8))
            altered.save(Path(scratch) / f"{image['id']}.png")
        results = predict(part, Path(scratch))
    few = labels_of(part, labels.path)
    after = errors_of(few, pair(few, predictions_of(results, few, "the model"))).box
    row_of = {int(number): row for row, number in enumerate(labels.ids)}
    before = evaluation.errors.box[[row_of[int(number)] for number in few.ids]]
    growth = np.where(judged, after - before, np.nan)
    above, below = np.nansum(growth, axis=1), np.isfinite(growth).sum(1).astype(float)
    count = len(few.image_ids)
    above, below = (
        np.bincount(few.image, each, count).astype(np.float64) for each in (above, below)
    )
    replicates = [
        quotient(times @ above, times @ below)
        for times in (drawn.astype(np.float64) for drawn in draws(count, resamples, seed))
    ]
    return interval(float(quotient(above.sum(), below.sum())), np.concatenate(replicates))

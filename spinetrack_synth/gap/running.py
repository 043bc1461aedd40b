"""The predictions of a dataset: read where they are saved, else made by running the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from spinetrack_synth.coco import CocoDataset, Record
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap.people import Labels, pictures_folder
from spinetrack_synth.gap.reading import read_results
from spinetrack_synth.spinepose.pictures import ORIENTATION

Preset = Literal["paper", "wheel"]
PRESETS: Final[dict[str, dict[str, Any]]] = {
    "paper": {"color_order": "rgb", "score": "min", "flip_test": True},
    "wheel": {"color_order": "bgr", "score": "mean", "flip_test": False},
}
"""How a network is run: as its authors test it, or as the ``spinepose`` package does, which feeds
blue, green, red to networks trained on red, green, blue."""


EXIF_SIDEWAYS: Final = (5, 6, 7, 8)
"""Orientations that exchange width and height."""


def results_for(
    labels: Labels,
    *,
    saved: Path | None,
    model: Path | None,
    images: Path | None,
    preset: str,
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """COCO results for the boxes of a dataset."""
    if saved is not None:
        return read_results(saved)
    if model is None:
        raise UserError(f"{labels.path}: give a model (--model M.onnx) or saved predictions")
    folder = pictures_folder(labels, images)
    if folder is None:
        raise UserError(
            f"{labels.path}: its pictures are not found beside it; name their folder (--images)"
        )
    return predictor(model, preset)(labels.coco, folder, progress)


def with_picture_remarks(labels: Labels, images: Path | None) -> Labels:
    """The labels, with a remark where pictures are not of the size that the file records for them:
    a model would look elsewhere than the labels say."""
    folder = pictures_folder(labels, images)
    if folder is None:
        return labels
    used = labels.image_ids[np.unique(labels.image)]
    records = [labels.coco.image_of[int(number)] for number in used]
    odd = [told for record in records if (told := _other_size(record, folder))]
    if not odd:
        return labels
    more = f", {len(odd) - 1} more" if len(odd) > 1 else ""
    remark = (
        f"{len(odd):,} of {len(records):,} pictures are not of the size that the labels record "
        f"({odd[0]}{more}): boxes and keypoints of these people do not fit, nor do their figures"
    )
    return replace(labels, remarks=(*labels.remarks, remark))


def _other_size(record: Record, folder: Path) -> str:
    """What is wrong with a picture's size; "" where nothing is or nothing can be told."""
    from PIL import Image

    recorded = (record.get("width"), record.get("height"))
    try:
        with Image.open(folder / record["file_name"]) as opened:
            size = opened.size
            turned = opened.getexif().get(ORIENTATION, 1) in EXIF_SIDEWAYS
    except OSError:
        return ""  # reading it for the model tells more
    upright = size[::-1] if turned else size
    if not all(isinstance(side, int) for side in recorded) or upright == recorded:
        return ""
    why = ", turned by its EXIF orientation" if turned else ""
    return (
        f"{record['file_name']} has {upright[0]} x {upright[1]}{why}, recorded are "
        f"{recorded[0]} x {recorded[1]}"
    )


def predictor(model: Path, preset: str) -> Callable[..., list[dict[str, Any]]]:
    """What runs a model: called with a dataset, the folder of its pictures and perhaps a function
    that is told the people done and wanted."""
    from spinetrack_synth.spinepose import open_pose_model, predict_dataset

    options = dict(PRESETS[preset])
    flip_test = options.pop("flip_test")
    network = open_pose_model(model, **options)

    def predict(
        coco: CocoDataset, folder: Path, progress: Callable[[int, int], None] | None = None
    ) -> list[dict[str, Any]]:
        return predict_dataset(network, coco, folder, flip_test=flip_test, progress=progress)

    return predict

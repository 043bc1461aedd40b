"""The predictions of a dataset: read where they are saved, else made by running the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.coco.results import read_results
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap.labels import Labels, pictures_folder

Preset = Literal["paper", "wheel"]
PRESETS: Final[dict[str, dict[str, Any]]] = {
    "paper": {"color_order": None, "score": "min", "flip_test": True},
    "wheel": {"color_order": "bgr", "score": "mean", "flip_test": False},
}
"""How a network is run: as its authors test it (red, green, blue, unless its file says otherwise),
or as the ``spinepose`` package does, which feeds blue, green, red to networks trained on red,
green, blue."""


def results_for(
    labels: Labels,
    *,
    saved: Path | None,
    model: Path | None,
    images: Path | None,
    preset: str,
    progress: Callable[[int, int], None] | None = None,
    tell: Callable[[str], None] = lambda note: None,
) -> list[dict[str, Any]]:
    """COCO results for the boxes of a dataset; ``tell`` hears of pictures that are not as their
    records say."""
    if saved is not None:
        return read_results(saved)
    if model is None:
        raise UserError(f"{labels.path}: give a model (--model M.onnx) or saved predictions")
    folder = needed_folder(labels, images)
    return predictor(model, preset)(labels.coco, folder, progress, tell)


def needed_folder(labels: Labels, images: Path | None, option: str = "--images") -> Path:
    """The folder of the pictures, for a model; raises UserError where there is none."""
    folder = pictures_folder(labels, images)
    if folder is None:
        raise UserError(
            f"{labels.path}: its pictures are not found beside it; name their folder ({option})"
        )
    return folder


def with_notes(labels: Labels, notes: Sequence[str]) -> Labels:
    """The labels, with a remark where the model looked at pictures otherwise than they lie there;
    ``notes`` are what ``results_for`` told."""
    odd = list(dict.fromkeys(notes))
    if not odd:
        return labels
    more = f"; {len(odd) - 1:,} more such pictures" if len(odd) > 1 else ""
    return replace(labels, remarks=(*labels.remarks, odd[0] + more))


def predictor(model: Path, preset: str) -> Callable[..., list[dict[str, Any]]]:
    """What runs a model: called with a dataset, the folder of its pictures and perhaps functions
    that are told the people done and wanted, and of pictures that are not as recorded."""
    from spinetrack_synth.spinepose import open_pose_model, predict_dataset

    options = dict(PRESETS[preset])
    flip_test = options.pop("flip_test")
    network = open_pose_model(model, **options)

    def predict(
        coco: CocoDataset,
        folder: Path,
        progress: Callable[[int, int], None] | None = None,
        tell: Callable[[str], None] = lambda note: None,
    ) -> list[dict[str, Any]]:
        return predict_dataset(
            network, coco, folder, flip_test=flip_test, progress=progress, tell=tell
        )

    return predict

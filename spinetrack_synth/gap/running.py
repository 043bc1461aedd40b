"""Predictions of a dataset, read where they are saved or made by running a model, and measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.coco.results import read_results
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap.evaluation import Evaluation, evaluate
from spinetrack_synth.gap.labels import Labels, pictures_folder
from spinetrack_synth.gap.predictions import predictions_of

Progress = Callable[[int, int], None]
ProgressBar = Callable[[str], AbstractContextManager[Progress | None]]
"""Given what is counted, a block within which progress is told what is done and what is wanted."""

Preset = Literal["paper", "wheel"]
PRESETS: Final[dict[str, dict[str, Any]]] = {
    "paper": {"color_order": None, "score": "min", "flip_test": True},
    "wheel": {"color_order": "bgr", "score": "mean", "flip_test": False},
}
"""How a network is run: as its authors test it (red, green, blue, unless its file says otherwise),
or as the ``spinepose`` package does, which feeds blue, green, red to networks trained on red,
green, blue."""


@dataclass(frozen=True)
class Source:
    """Where predictions come from: ``saved`` COCO results, else a ``model`` that is run on the
    boxes of the labels, in the pictures of ``images`` (None: those beside the labels)."""

    saved: Path | None = None
    model: Path | None = None
    images: Path | None = None
    preset: Preset = "paper"

    @property
    def name(self) -> str:
        """What reports call it."""
        return str(self.saved or self.model)


def evaluate_sources(
    labels: Labels, sources: Sequence[Source], bar: ProgressBar
) -> list[Evaluation]:
    """Measure predictions of several sources against the same labels."""
    notes: list[str] = []
    results = [_results(labels, source, bar, notes) for source in sources]
    labels = with_notes(labels, notes)
    return [
        evaluate(labels, predictions_of(found, labels, source.name))
        for source, found in zip(sources, results)
    ]


def evaluate_and_keep(labels: Labels, source: Source, kept: Path, bar: ProgressBar) -> Evaluation:
    """Measure predictions; those that a model makes are written to ``kept`` as COCO results."""
    notes: list[str] = []
    results = _results(labels, source, bar, notes)
    found = predictions_of(results, labels, source.name)
    evaluation = evaluate(with_notes(labels, notes), found)
    if source.saved is None:
        write_atomic(kept, json.dumps(results).encode())
    return evaluation


def _results(
    labels: Labels, source: Source, bar: ProgressBar, notes: list[str]
) -> list[dict[str, Any]]:
    """COCO results; ``notes`` get a line for every picture that is not as its record says."""
    with bar("people") as progress:
        if source.saved is not None:
            return read_results(source.saved)
        if source.model is None:
            raise UserError(f"{labels.path}: give a model (--model M.onnx) or saved predictions")
        folder = needed_folder(labels, source.images)
        predict = predictor(source.model, source.preset)
        return predict(labels.coco, folder, progress, notes.append)


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
    ``notes`` has a line for each, perhaps by several models."""
    odd = list(dict.fromkeys(notes))
    if not odd:
        return labels
    more = f"; {len(odd) - 1:,} more such pictures" if len(odd) > 1 else ""
    return replace(labels, remarks=(*labels.remarks, odd[0] + more))


def predictor(model: Path, preset: Preset) -> Callable[..., list[dict[str, Any]]]:
    """What runs a model: called with a dataset, the folder of its pictures and perhaps functions
    that are told the people done and wanted, and of pictures that are not as recorded."""
    from spinetrack_synth.spinepose import open_pose_model, predict_dataset

    options = dict(PRESETS[preset])
    flip_test = options.pop("flip_test")
    network = open_pose_model(model, **options)

    def predict(
        coco: CocoDataset,
        folder: Path,
        progress: Progress | None = None,
        tell: Callable[[str], None] = lambda note: None,
    ) -> list[dict[str, Any]]:
        return predict_dataset(
            network, coco, folder, flip_test=flip_test, progress=progress, tell=tell
        )

    return predict

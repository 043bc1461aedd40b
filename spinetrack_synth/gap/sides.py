"""One model on synthetic and on real labels, from files to a comparison."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from spinetrack_synth.gap.comparison import Comparison, compare
from spinetrack_synth.gap.labels import pictures_folder, read_labels
from spinetrack_synth.gap.running import (
    ProgressBar,
    Source,
    evaluate_and_keep,
    needed_folder,
    predictor,
)

SIDES: Final = ("synthetic", "real")


def compare_sides(
    paths: tuple[Path, Path],
    sources: tuple[Source, Source],
    out: Path,
    *,
    resamples: int,
    seed: int,
    bar: ProgressBar,
    tell: Callable[[str], None],
) -> Comparison:
    """Measure one model on both files of labels (synthetic, real) and compare.

    What the model makes is kept in ``out``: predictions_synthetic.json, predictions_real.json.
    ``tell`` hears what is being done. Raises UserError where a file cannot be used, and before
    the model runs where pictures are missing on either side.
    """
    labels = [read_labels(path) for path in paths]
    folders = [pictures_folder(each, source.images) for each, source in zip(labels, sources)]
    model = sources[0].model
    if model is not None:  # before it runs on the other side
        for each, source, side in zip(labels, sources, SIDES):
            if source.saved is None:
                needed_folder(each, source.images, f"--{side}-images")
    synthetic, real = (
        evaluate_and_keep(each, source, out / f"predictions_{side}.json", bar)
        for each, source, side in zip(labels, sources, SIDES)
    )
    return compare(
        synthetic,
        real,
        folders=(folders[0], folders[1]),
        predict=None if model is None else predictor(model, sources[0].preset),
        resamples=resamples,
        seed=seed,
        tell=tell,
    )

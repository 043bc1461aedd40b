"""Public functions that call several doors of the rooms in a row; nothing of ours imports them.

The other public names are doors themselves: ``spinetrack_synth.__init__`` says where they live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spinetrack_synth.errors import UserError

if TYPE_CHECKING:
    from spinetrack_synth.anatomy.model import Tree
    from spinetrack_synth.gap.evaluation import Evaluation
    from spinetrack_synth.gap.running import Preset
    from spinetrack_synth.validation.engine import Report


def load_model(path: str | Path | None = None) -> Tree:
    """An OpenSim model (.osim) as arrays; without a path the project's own full body.

    Names stand in ``bodies``, ``coordinates`` (n,), ``free`` (k,) and ``marker_names``; ranges
    ``lower`` and ``upper`` (n,) are in rad and m.

    Raises UserError where the file is missing, is no OpenSim model, or holds a joint or function
    that is not supported.
    """
    from spinetrack_synth.anatomy import model

    return model.fullbody() if path is None else model.load_model(Path(path))


def validate(
    *paths: str | Path,
    images: str | Path | None = None,
    previous: str | Path | None = None,
    baseline: str | Path | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    threads: int = 1,
    progress: Callable[[int, int], None] = lambda done, wanted: None,
) -> Report:
    """Check COCO keypoint files that are one release; changes nothing.

    A folder stands for the annotation files in it. ``images`` is the folder of the pictures,
    ``previous`` the file of the release before, ``baseline`` a file of accepted findings;
    ``select`` and ``ignore`` name rules by code, beginning of a code, family or name. Settings
    files are not read. ``progress`` is called with the records done and those wanted. The
    findings as a table: ``report.to_frame()``.

    Raises UserError where a file cannot be read or a selector means no rule; what is wrong inside
    a file is a finding.
    """
    from spinetrack_synth.validation import engine, registry, release
    from spinetrack_synth.validation.baseline import Baseline
    from spinetrack_synth.validation.findings import Work

    if not paths:
        raise UserError("validate: name at least one file or folder")
    if images is not None and not Path(images).is_dir():
        raise UserError(f"{images}: no folder; images is the folder of the pictures")
    datasets, _ = release.read_release(
        [Path(path) for path in paths],
        pictures=None if images is None else Path(images),
        previous=None if previous is None else Path(previous),
    )
    return engine.validate(
        datasets,
        registry.choose(registry.all_rules(), select, (), ignore),
        baseline=None if baseline is None else Baseline.read(Path(baseline)),
        work=Work(progress, threads),
    )


def evaluate(
    labels: str | Path,
    predictions: str | Path | Sequence[Mapping[str, Any]] | None = None,
    *,
    model: str | Path | None = None,
    images: str | Path | None = None,
    preset: Preset = "paper",
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measure a model's keypoints against COCO labels: AP and AR equal to pycocotools, and more.

    ``predictions`` are COCO keypoint results, in a file or as records; or ``model`` is an ONNX
    network that is run on the labels' boxes, in the pictures of ``images`` (else those beside the
    labels), with ``preset`` as its authors test it ("paper") or as the ``spinepose`` package does
    ("wheel"). ``progress`` is called with the people done and those wanted. Tables:
    ``groups_frame()``, ``keypoints_frame()`` and ``people_frame()`` of what is returned.

    Raises UserError where a file cannot be used, or labels and predictions share no keypoint.
    """
    from spinetrack_synth.gap import evaluation
    from spinetrack_synth.gap.labels import read_labels
    from spinetrack_synth.gap.predictions import predictions_of
    from spinetrack_synth.gap.running import Source, evaluate_sources

    if (predictions is None) == (model is None):
        raise UserError("evaluate: give predictions or model, one of them")
    read = read_labels(Path(labels))
    if predictions is not None and not isinstance(predictions, str | Path):
        return evaluation.evaluate(read, predictions_of(predictions, read, "predictions"))
    source = Source(
        saved=None if predictions is None else Path(predictions),
        model=None if model is None else Path(model),
        images=None if images is None else Path(images),
        preset=preset,
    )
    (evaluated,) = evaluate_sources(read, [source], lambda unit: nullcontext(progress))
    return evaluated

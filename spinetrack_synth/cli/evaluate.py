"""``evaluate``: a model's keypoints against labels."""

from __future__ import annotations

from pathlib import Path

import click

from spinetrack_synth.cli.progress import progress_bar
from spinetrack_synth.cli.values import FILE, preset
from spinetrack_synth.errors import UserError


@click.command("evaluate", short_help="Measure a model's keypoints against labels.")
@click.option("--dataset", type=FILE, required=True, metavar="GT.json", help="COCO labels.")
@click.option("--model", type=FILE, metavar="M.onnx", help="A pose network.")
@click.option("--images", type=FILE, metavar="DIR", help="Its pictures.  [beside the labels]")
@click.option(
    "--predictions",
    type=FILE,
    metavar="P.json",
    help="Saved results in place of --model: COCO's, or a folder of OpenPose's or mmpose's.",
)
@preset
@click.option(
    "--output-format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
)
@click.option("--out", type=FILE, metavar="FILE", help="Where the figures go.  [the terminal]")
def command(
    dataset: Path,
    model: Path | None,
    images: Path | None,
    predictions: Path | None,
    preset: str,
    output_format: str,
    out: Path | None,
) -> None:
    """AP and AR by group with SpineTrack's sigmas, equal to pycocotools; error by keypoint, PCK,
    AUC, level slips, curvature, skill over interpolating the spine, kinds of error, calibration.

    \b
    Examples:
      spinetrack-synth evaluate --model M.onnx --dataset annotations.json
      spinetrack-synth evaluate --predictions P.json --dataset annotations.json \\
          --output-format json --out evaluation.json
    """
    import json

    from spinetrack_synth.atomic import write_atomic
    from spinetrack_synth.gap import tables
    from spinetrack_synth.gap.evaluation import evaluate
    from spinetrack_synth.gap.people import predictions_of, read_labels
    from spinetrack_synth.gap.running import results_for, with_picture_remarks

    if model is not None and predictions is not None:
        raise UserError("give --model or --predictions, not both")
    labels = read_labels(dataset)
    if model is not None:
        labels = with_picture_remarks(labels, images)
    with progress_bar("people") as show:
        results = results_for(
            labels, saved=predictions, model=model, images=images, preset=preset, progress=show
        )
    source = predictions or model
    evaluation = evaluate(labels, predictions_of(results, labels, str(source)))
    if output_format == "json":
        text = json.dumps(tables.to_json(evaluation, str(source)), indent=1) + "\n"
    else:
        text = tables.to_text(evaluation, str(source))
    if out is None:
        click.echo(text, nl=False)
    else:
        write_atomic(out, text.encode())

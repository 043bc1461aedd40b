"""``evaluate``: a model's keypoints against labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from spinetrack_synth.cli.progress import progress_bar
from spinetrack_synth.cli.values import FILE, preset
from spinetrack_synth.errors import UserError

if TYPE_CHECKING:
    from spinetrack_synth.gap.report.evaluation_report import Form
    from spinetrack_synth.gap.running import Preset


@click.command("evaluate", short_help="Measure a model's keypoints against labels.")
@click.option("--dataset", type=FILE, required=True, metavar="GT.json", help="COCO labels.")
@click.option(
    "--model", type=FILE, metavar="M.onnx",
    help="A pose network: SimCC, heatmaps, coordinates, MoveNet, ...; told by its outputs.  [the "
    "one inside the package, if any]",
)  # fmt: skip
@click.option("--images", type=FILE, metavar="DIR", help="Its pictures.  [beside the labels]")
@click.option(
    "--predictions",
    type=FILE,
    metavar="P.json",
    help="Saved results in place of --model: COCO's, or a folder of OpenPose's or mmpose's.",
)
@click.option(
    "--against", type=FILE, metavar="B.json", help="Results of a second model to compare with."
)
@click.option(
    "--against-model", type=FILE, metavar="B.onnx", help="A second network to compare with."
)
@preset
@click.option(
    "--output-format",
    type=click.Choice(("text", "json", "html")),
    default="text",
    show_default=True,
)
@click.option("--out", type=FILE, metavar="FILE", help="Where the figures go.  [the terminal]")
def command(
    dataset: Path,
    model: Path | None,
    images: Path | None,
    predictions: Path | None,
    against: Path | None,
    against_model: Path | None,
    preset: Preset,
    output_format: Form,
    out: Path | None,
) -> None:
    """AP and AR by group with SpineTrack's sigmas, equal to pycocotools; error by keypoint, PCK,
    AUC, level slips, curvature, skill over interpolating the spine, kinds of error, calibration;
    agreement of joint and spine angles: bias, limits of agreement, ICC, CCC, SEM, MDC95.

    \b
    Examples:
      spinetrack-synth evaluate --model M.onnx --dataset annotations.json
      spinetrack-synth evaluate --predictions P.json --dataset annotations.json \\
          --output-format json --out evaluation.json
      spinetrack-synth evaluate --predictions A.json --against B.json --dataset annotations.json \\
          --output-format html --out evaluation.html
    """
    from spinetrack_synth.atomic import write_atomic
    from spinetrack_synth.gap.labels import read_labels
    from spinetrack_synth.gap.report.evaluation_report import render
    from spinetrack_synth.gap.running import Source, evaluate_sources
    from spinetrack_synth.spinepose.packaged import packaged_network

    if model is not None and predictions is not None:
        raise UserError("give --model or --predictions, not both")
    if against is not None and against_model is not None:
        raise UserError("give --against or --against-model, not both")
    if model is None and predictions is None:
        model = packaged_network(lambda line: click.echo(line, err=True))
    sources = [Source(predictions, model, images, preset)]
    if against is not None or against_model is not None:
        sources.append(Source(against, against_model, images, preset))
    evaluations = evaluate_sources(read_labels(dataset), sources, progress_bar)
    rival = (evaluations[1], sources[1]) if len(sources) > 1 else None
    text = render(output_format, evaluations[0], sources[0], rival)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_atomic(out, text.encode())

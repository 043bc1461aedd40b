"""``evaluate``: a model's keypoints against labels."""

from __future__ import annotations

from pathlib import Path

import click

from spinetrack_synth.cli.progress import progress_bar
from spinetrack_synth.cli.values import FILE, preset
from spinetrack_synth.errors import UserError


@click.command("evaluate", short_help="Measure a model's keypoints against labels.")
@click.option("--dataset", type=FILE, required=True, metavar="GT.json", help="COCO labels.")
@click.option(
    "--model", type=FILE, metavar="M.onnx",
    help="A pose network: SimCC, heatmaps, coordinates, MoveNet, ...; told by its outputs.",
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
    preset: str,
    output_format: str,
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
    import json

    from spinetrack_synth.atomic import write_atomic
    from spinetrack_synth.gap import agreement_tables, tables
    from spinetrack_synth.gap.evaluation import evaluate
    from spinetrack_synth.gap.labels import pictures_folder, read_labels
    from spinetrack_synth.gap.predictions import predictions_of
    from spinetrack_synth.gap.report import evaluation_page
    from spinetrack_synth.gap.running import results_for, with_notes
    from spinetrack_synth.gap.versus import agreement_of, clusters_of, versus

    if model is not None and predictions is not None:
        raise UserError("give --model or --predictions, not both")
    if against is not None and against_model is not None:
        raise UserError("give --against or --against-model, not both")
    labels = read_labels(dataset)
    rival, others, compared = against or against_model, None, None
    notes: list[str] = []
    with progress_bar("people") as show:
        results = results_for(
            labels, saved=predictions, model=model, images=images, preset=preset, progress=show,
            tell=notes.append,
        )  # fmt: skip
    if rival is not None:
        with progress_bar("people") as show:
            others = results_for(
                labels, saved=against, model=against_model, images=images, preset=preset,
                progress=show, tell=notes.append,
            )  # fmt: skip
    labels = with_notes(labels, notes)
    source = predictions or model
    evaluation = evaluate(labels, predictions_of(results, labels, str(source)))
    agreement = agreement_of(evaluation)
    _, clustered_by = clusters_of(labels)
    if others is not None:
        compared = versus(evaluation, evaluate(labels, predictions_of(others, labels, str(rival))))
    if output_format == "json":
        figures = tables.to_json(evaluation, str(source))
        figures["agreement"] = agreement_tables.agreement_json(agreement, clustered_by)
        if compared is not None:
            figures["against"] = agreement_tables.versus_json(compared, str(source), str(rival))
        text = json.dumps(figures, indent=1) + "\n"
    elif output_format == "html":
        text = evaluation_page.render(
            evaluation, agreement, clustered_by, str(source), pictures_folder(labels, images),
            compared, str(rival),
        )  # fmt: skip
    else:
        text = tables.to_text(evaluation, str(source))
        if agreement:
            text += "\n" + agreement_tables.agreement_text(agreement, clustered_by) + "\n"
        if compared is not None:
            text += "\n" + agreement_tables.versus_text(compared, str(source), str(rival)) + "\n"
    if out is None:
        click.echo(text, nl=False)
    else:
        write_atomic(out, text.encode())

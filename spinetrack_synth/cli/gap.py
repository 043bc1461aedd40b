"""``gap``: one model on synthetic and on real labels."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spinetrack_synth.cli.progress import progress_bar
from spinetrack_synth.cli.values import FILE, preset
from spinetrack_synth.errors import UserError


@click.command("gap", short_help="Report how far a model's synthetic and real errors are apart.")
@click.option("--synthetic", type=FILE, required=True, metavar="GT.json", help="Synthetic labels.")
@click.option("--real", type=FILE, required=True, metavar="GT.json", help="Real labels.")
@click.option("--out", type=FILE, required=True, metavar="REPORT", help="Folder of the report.")
@click.option("--model", type=FILE, metavar="M.onnx", help="A pose network.")
@click.option("--synthetic-predictions", type=FILE, metavar="P.json", help="COCO results, saved.")
@click.option("--real-predictions", type=FILE, metavar="P.json", help="COCO results, saved.")
@click.option("--synthetic-images", type=FILE, metavar="DIR", help="[beside the labels]")
@click.option("--real-images", type=FILE, metavar="DIR", help="[beside the labels]")
@preset
@click.option(
    "--fail-on",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Exit with 1 where it surely holds, such as 'spine.error>0.05'; may be given again.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--resamples", type=click.IntRange(min=50), default=1000, show_default=True,
    help="Draws behind an interval.",
)  # fmt: skip
def command(
    synthetic: Path,
    real: Path,
    out: Path,
    model: Path | None,
    synthetic_predictions: Path | None,
    real_predictions: Path | None,
    synthetic_images: Path | None,
    real_images: Path | None,
    preset: str,
    conditions: tuple[str, ...],
    seed: int,
    resamples: int,
) -> None:
    """The same measures on synthetic and on real labels, with intervals, raw and matched on pose
    and scale, for whom, and what differs: one page (report.html) and its figures (report.json).

    A condition names a gap (real less synthetic: spine.error, all.AP, keypoint.neck_02.error), one
    side (real.spine.AP), matched.NAME, pose.share, pose.p, appearance.auc or appearance.p. It holds
    where the whole interval of 95% lies beyond the limit, and is undecided where the interval holds
    the limit; NAME.value, NAME.low and NAME.high are single numbers. The exit code is 1 where one
    holds, 2 where something cannot be used or judged.

    \b
    Examples:
      spinetrack-synth gap --model M.onnx --synthetic OUT/annotations/person_keypoints_val.json \\
          --real annotations.json --out REPORT
      spinetrack-synth gap --synthetic S.json --synthetic-predictions PS.json \\
          --real R.json --real-predictions PR.json --out REPORT --fail-on 'spine.error>0.05'
    """
    import json

    from spinetrack_synth.atomic import write_atomic
    from spinetrack_synth.gap.comparison import compare
    from spinetrack_synth.gap.evaluation import evaluate
    from spinetrack_synth.gap.gates import judge, parse_gate
    from spinetrack_synth.gap.labels import pictures_folder, read_labels
    from spinetrack_synth.gap.predictions import predictions_of
    from spinetrack_synth.gap.report import data, page
    from spinetrack_synth.gap.running import needed_folder, predictor, results_for, with_notes

    gates = tuple(parse_gate(text) for text in conditions)
    if out.is_file():
        raise UserError(f"{out}: is a file; --out names a folder for report.html and report.json")
    labels = [read_labels(path) for path in (synthetic, real)]
    given = (synthetic_images, real_images)
    folders = [pictures_folder(each, images) for each, images in zip(labels, given)]
    if model is not None:  # before it runs on the other side
        for each, saved, images, side in zip(
            labels, (synthetic_predictions, real_predictions), given, ("synthetic", "real")
        ):
            if saved is None:
                needed_folder(each, images, f"--{side}-images")
    evaluations = []
    for each, saved, images in zip(labels, (synthetic_predictions, real_predictions), given):
        notes: list[str] = []
        with progress_bar("people") as show:
            results = results_for(
                each, saved=saved, model=model, images=images, preset=preset, progress=show,
                tell=notes.append,
            )  # fmt: skip
        source = str(saved or model)
        predictions = predictions_of(results, each, source)
        evaluations.append(evaluate(with_notes(each, notes), predictions))
        if saved is None:
            target = out / f"predictions_{'synthetic' if each is labels[0] else 'real'}.json"
            write_atomic(target, json.dumps(results).encode())
    comparison = compare(
        evaluations[0],
        evaluations[1],
        folders=(folders[0], folders[1]),
        predict=predictor(model, preset) if model is not None else None,
        resamples=resamples,
        seed=seed,
        tell=lambda what: click.echo(what, err=True),
    )
    title = str(model.name if model is not None else "saved predictions")
    judged = judge(gates, comparison)
    figures = data.to_json(comparison, title, judged)
    write_atomic(out / "report.html", page.render(comparison, title, judged).encode())
    write_atomic(out / "report.json", (json.dumps(figures, indent=1) + "\n").encode())
    for warning in comparison.warnings:
        click.echo(f"warning: {warning}", err=True)
    for found in judged:
        told = f"{found.verdict}: {found.gate.text}, found {found.found.told()}"
        click.echo(told, err=found.verdict != "passed")
    click.echo(f"look at {out / 'report.html'}")
    if any(found.verdict == "failed" for found in judged):
        sys.exit(1)

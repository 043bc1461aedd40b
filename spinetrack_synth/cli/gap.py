"""``gap``: one model on synthetic and on real labels."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spinetrack_synth.cli.progress import progress_bar
from spinetrack_synth.cli.values import FILE, preset
from spinetrack_synth.errors import UserError

if TYPE_CHECKING:
    from spinetrack_synth.gap.gates import Judged
    from spinetrack_synth.gap.running import Preset


@click.command("gap", short_help="Report how far a model's synthetic and real errors are apart.")
@click.option("--synthetic", type=FILE, required=True, metavar="GT.json", help="Synthetic labels.")
@click.option("--real", type=FILE, required=True, metavar="GT.json", help="Real labels.")
@click.option("--out", type=FILE, required=True, metavar="REPORT", help="Folder of the report.")
@click.option("--model", type=FILE, metavar="M.onnx",
              help="A pose network.  [the one inside the package, if any]")  # fmt: skip
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
    preset: Preset,
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
    from spinetrack_synth.gap.gates import judge, parse_gate
    from spinetrack_synth.gap.report.files import write_report
    from spinetrack_synth.gap.running import Source
    from spinetrack_synth.gap.sides import compare_sides
    from spinetrack_synth.spinepose.packaged import packaged_network

    if model is None and synthetic_predictions is None and real_predictions is None:
        model = packaged_network(lambda line: click.echo(line, err=True))
    gates = tuple(parse_gate(text) for text in conditions)
    if out.is_file():
        raise UserError(f"{out}: is a file; --out names a folder for report.html and report.json")
    comparison = compare_sides(
        (synthetic, real),
        (
            Source(synthetic_predictions, model, synthetic_images, preset),
            Source(real_predictions, model, real_images, preset),
        ),
        out,
        resamples=resamples,
        seed=seed,
        bar=progress_bar,
        tell=lambda what: click.echo(what, err=True),
    )
    judged = judge(gates, comparison)
    title = model.name if model is not None else "saved predictions"
    page = write_report(out, comparison, title, judged)
    tell(comparison.warnings, judged)
    click.echo(f"look at {page}")
    if any(found.verdict == "failed" for found in judged):
        sys.exit(1)


def tell(warnings: Sequence[str], judged: Sequence[Judged]) -> None:
    """Print what weakens a comparison, and what became of the conditions."""
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    for found in judged:
        told = f"{found.verdict}: {found.gate.text}, found {found.found.told()}"
        click.echo(told, err=found.verdict != "passed")

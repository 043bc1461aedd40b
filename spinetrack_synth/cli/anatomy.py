"""``anatomy``: whether motions and datasets are those of a body."""

from __future__ import annotations

from pathlib import Path

import click

from spinetrack_synth.cli.motion import reading_options, skeleton_option


@click.group("anatomy", short_help="Report on the anatomy of a motion or a rendered dataset.")
def command() -> None:
    """Whether a motion is that of a body.

    \b
    Example:
      spinetrack-synth anatomy report walk.mot --out walk.html
    """


@command.command("report", short_help="Measure a motion against anatomy, with plots.")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="HTML", help="Write a page of plots."
)
@skeleton_option
@reading_options
def report(
    source: Path,
    out: Path | None,
    skeleton: str | None,
    model: Path | None,
    unit: str | None,
    axes: str | None,
    rate: float,
) -> None:
    """Measure SOURCE: a motion file of any kind, a dataset's folder or its ground truth.

    Marker errors, joint limits, constancy of segment lengths, left against right, and the angles
    of the spine, each against a threshold with its source.

    \b
    Examples:
      spinetrack-synth anatomy report walk.mot --out walk.html
      spinetrack-synth anatomy report markers.trc --out markers.html
      spinetrack-synth anatomy report OUT/ground_truth/train.parquet --out train.html
    """
    from spinetrack_synth.anatomy.model import fullbody_path, load_model
    from spinetrack_synth.motion.files import is_rendered, read_motion
    from spinetrack_synth.motion.inspection import inspect_motion, inspect_rendered
    from spinetrack_synth.motion.report_page import verdict, write_report
    from spinetrack_synth.motion.skeletons import load_skeleton

    tree = load_model(model or fullbody_path())
    if source.is_dir() or is_rendered(source):
        found = inspect_rendered(source, tree)
    else:
        table = load_skeleton(skeleton) if skeleton else None
        motion = read_motion(source, tree, unit=unit, axes=axes, rate_hz=rate, skeleton=table)
        found = inspect_motion(motion, tree, table)
    if out:
        write_report(out, found)
    click.echo(f"{found.source}: {found.subject}; {found.frames} frames")
    for check in found.checks:
        click.echo(
            f"  {verdict(check):6}  {check.title}: {check.value:.2f} {check.unit}, "
            f"at most {check.threshold:g} ({check.source})"
        )
        if check.worst:
            click.echo(f"          {check.worst}")
    for note in found.notes:
        click.echo(f"  {note}")
    if out:
        click.echo(f"plots in {out}")

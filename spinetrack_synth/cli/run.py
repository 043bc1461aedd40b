"""``run``: commands of ours as the steps of a pipeline."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spinetrack_synth.cli.stopping import end_on_sigterm
from spinetrack_synth.cli.values import FILE


@click.command("run", short_help="Run the steps of a pipeline that have to be done.")
@click.argument("pipeline", type=FILE, metavar="PIPELINE.toml")
@click.option(
    "--out", type=FILE, metavar="DIR",
    help="Folder in which the commands run; a run that was stopped goes on there.  [runs/PIPELINE]",
)  # fmt: skip
@click.option(
    "--dry-run",
    is_flag=True,
    help="Tell what would be done and why, as shell commands; do nothing.",
)
def command(pipeline: Path, out: Path | None, dry_run: bool) -> None:
    """Run render, validate, train, evaluate and other commands one after the other, as a TOML file
    tells, and after that again only those whose arguments, inputs or program have changed, or whose
    outputs are gone or have.

    A step that fails leaves out those that need it; the others are done, and the exit code is 1.
    Whatever stops a run, the same command goes on. Outputs that are made anew are first set aside,
    into DIR/.pipeline/replaced.

    \b
    Examples:
      spinetrack-synth run PIPELINE.toml --dry-run
      spinetrack-synth run PIPELINE.toml
      spinetrack-synth run PIPELINE.toml --out OUT
    """
    from spinetrack_synth.cli.arguments import parse
    from spinetrack_synth.pipelines.planning import read_plan
    from spinetrack_synth.pipelines.running import preview, run

    plan = read_plan(pipeline, out or Path("runs") / pipeline.stem, parse)
    if dry_run:
        for line in preview(plan, parse):
            click.echo(line)
        return
    end_on_sigterm()
    if not run(plan, parse, click.echo):
        sys.exit(1)

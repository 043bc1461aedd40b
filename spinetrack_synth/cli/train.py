"""``train``: a network for the 37 keypoints from rendered people, real ones, or both."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spinetrack_synth.cli.progress import progress_bar
from spinetrack_synth.cli.stopping import end_on_sigterm
from spinetrack_synth.cli.values import FILE
from spinetrack_synth.errors import UserError


@click.command("train", short_help="Train a pose network.")
@click.argument("config", type=FILE, metavar="CONFIG.toml")
@click.option(
    "--out", type=FILE, metavar="RUN",
    help="Folder of the run; one that was stopped goes on there.  [needed without --dry-run]",
)  # fmt: skip
@click.option(
    "--dry-run", is_flag=True, help="Tell what would be read and what a step takes; write nothing."
)
def command(config: Path, out: Path | None, dry_run: bool) -> None:
    """Train a network by a configuration file: sources of labelled people, losses, judged sets.

    RUN gets model.safetensors (the averaged weights), README.md (the model card), index.html
    (curves and the worst people), log.csv, judged.csv, config.toml, and the state from which the
    same command goes on after anything that stops it. Under torchrun every process takes a part of
    each batch.

    \b
    Examples:
      spinetrack-synth train CONFIG.toml --dry-run
      spinetrack-synth train CONFIG.toml --out RUN
      torchrun --nproc-per-node 2 -m spinetrack_synth train CONFIG.toml --out RUN
    """
    from spinetrack_synth.training.loop import DivergedError
    from spinetrack_synth.training.run import run
    from spinetrack_synth.training.survey import survey

    if dry_run:
        click.echo(survey(config), nl=False)
        return
    if out is None:
        raise UserError("give the folder of the run (--out RUN), or --dry-run")
    end_on_sigterm()
    try:
        page = run(config, out, progress_bar, click.echo)
    except DivergedError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    if page is not None:
        click.echo(f"look at {page}")

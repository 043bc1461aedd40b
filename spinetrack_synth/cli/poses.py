"""``poses``: the pose library."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import click

from spinetrack_synth.cli.progress import progress_bar


@click.command("poses", short_help="List the poses, with pictures on request.")
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Draw every pose into this folder.",
)
def command(pictures: Path | None) -> None:
    """List the poses by family, under their English names, those of yoga in Sanskrit too.

    \b
    Examples:
      spinetrack-synth poses
      spinetrack-synth poses --pictures previews
    """
    from spinetrack_synth.poses.library import library

    poses = list(library().values())
    width = max(len(pose.name) for pose in poses)
    sanskrit_width = max(len(pose.sanskrit) for pose in poses)
    ordered = sorted(poses, key=lambda pose: pose.family)
    for family, members in groupby(ordered, key=lambda pose: pose.family):
        click.echo(f"{family}:")
        for pose in members:
            named = f"{pose.sanskrit:{sanskrit_width}}  " if pose.sanskrit else ""
            click.echo(f"  {pose.name:{width}}  {named}{pose.english}")
    if pictures:
        from spinetrack_synth.dataset.previews import draw_poses

        with progress_bar("previews") as progress:
            draw_poses(pictures, progress)
        click.echo(f"pictures in {pictures}")

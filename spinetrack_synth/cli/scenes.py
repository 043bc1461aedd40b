"""``scenes``: what can be rendered."""

from __future__ import annotations

from pathlib import Path

import click

from spinetrack_synth.cli.progress import progress_bar


@click.command("scenes", short_help="List the scenes, with pictures on request.")
@click.option(
    "--pictures",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Draw an example of every place into this folder.",
)
def command(pictures: Path | None) -> None:
    """List the scenes with their places and poses.

    \b
    Examples:
      spinetrack-synth scenes
      spinetrack-synth scenes --pictures previews
    """
    from spinetrack_synth.scenes import describe

    for scene in describe():
        click.echo(f"{scene['name']}  {scene['title']}")
        places = ", ".join(f"{name} ({count})" for name, count in scene["places"].items())
        click.echo(f"  places (variants)  {places}")
        click.echo(f"  poses              {scene['poses']}: {', '.join(scene['families'])}")
        click.echo(f"  people             {', '.join(map(str, scene['people']))}")
    if pictures:
        from spinetrack_synth.dataset.previews import draw_scenes

        with progress_bar("previews") as progress:
            draw_scenes(pictures, progress)
        click.echo(f"pictures in {pictures}")

"""``stats``: what the people of keypoint datasets look like."""

from __future__ import annotations

from pathlib import Path

import click

from spinetrack_synth.cli.progress import patient_bar
from spinetrack_synth.cli.values import FILE


@click.command("stats", short_help="Tell what the people of a dataset look like.")
@click.argument("datasets", nargs=-1, required=True, type=FILE, metavar="DATASET...")
@click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write all figures; - prints.")
@click.option("--html", "page", type=FILE, metavar="FILE", help="Write a page with plots.")
def command(datasets: tuple[Path, ...], json_file: Path | None, page: Path | None) -> None:
    """Tables of people in a picture, view, scale, truncation, occlusion; of rendered datasets pose,
    joint and spine angles, place, light, lens, clothes and bodies too. Any COCO keypoint file will
    do, or a folder of them; several are counted together.

    \b
    Examples:
      spinetrack-synth stats OUT
      spinetrack-synth stats annotations.json --json stats.json --html stats.html
    """
    import json

    from spinetrack_synth.atomic import write_atomic
    from spinetrack_synth.stats.counting import count, source_of
    from spinetrack_synth.stats.page import to_page
    from spinetrack_synth.stats.text import to_json, to_text
    from spinetrack_synth.validation.release import keypoint_files

    found = [keypoint_files(path) for path in datasets]
    for file in (each for _, others in found for each in others):
        click.echo(f"{file}: left out, it holds no keypoints", err=True)
    sources = [source_of(file) for files, _ in found for file in files]
    with patient_bar("files") as progress:
        statistics = count(sources, progress)
    if page is not None:
        write_atomic(page, to_page(statistics).encode())
    if json_file is not None:
        text = json.dumps(to_json(statistics), indent=1) + "\n"
        if str(json_file) != "-":
            write_atomic(json_file, text.encode())
        else:
            click.echo(text, nl=False)
            return
    click.echo(to_text(statistics), nl=False)

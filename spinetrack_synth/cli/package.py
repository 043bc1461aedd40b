"""``package``: a dataset as one file for release."""

from __future__ import annotations

from pathlib import Path

import click

from spinetrack_synth.cli.progress import patient_bar
from spinetrack_synth.cli.values import FILE


@click.command("package", short_help="Package a dataset for release.")
@click.argument("dataset", type=FILE)
@click.option("--out", type=FILE, required=True, metavar="ZIP", help="A new file.")
@click.option("--images", type=FILE, metavar="DIR", help="Pictures of COCO files.  [beside them]")
def command(dataset: Path, out: Path, images: Path | None) -> None:
    """Write annotations and pictures of a COCO file, or of a folder of some, into a zip file in
    SpineTrack's layout, with a dataset card, Croissant metadata, a table of licences and
    checksums. Refuses while `validate` finds errors, with the settings of the folder it is called
    in. The same dataset gives the same bytes.

    \b
    Examples:
      spinetrack-synth package OUT --out release.zip
      spinetrack-synth package coco.json --images COCO --out release.zip
    """
    from spinetrack_synth.curation.packaging import package

    made = package(dataset, out, images, bar=patient_bar)
    for line in made.remarks:
        click.echo(line, err=True)
    for name, (pictures, people) in made.counts.items():
        click.echo(f"{name}: {pictures:,} pictures, {people:,} people")
    click.echo(f"{out}: {made.files:,} files, {made.size_bytes / 1e6:.1f} MB")

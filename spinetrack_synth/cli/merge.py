"""``merge``: several datasets into one."""

from __future__ import annotations

from pathlib import Path

import click

from spinetrack_synth.cli.progress import patient_bar
from spinetrack_synth.cli.values import FILE


@click.command("merge", short_help="Merge datasets into one.")
@click.argument("datasets", nargs=-1, required=True, type=FILE, metavar="DATASET...")
@click.option("--out", type=FILE, required=True, metavar="DIR", help="A new folder.")
@click.option(
    "--images",
    type=FILE,
    multiple=True,
    metavar="DIR",
    help="Pictures of COCO files; one for each dataset, in their order.  [beside them]",
)
@click.option(
    "--skeleton",
    type=click.Choice(("spinetrack-37", "halpe-26", "coco-17")),
    help="Bring all onto these keypoints first.",
)
@click.option("--copy", is_flag=True, help="Copy pictures in place of hard links.")
def command(
    datasets: tuple[Path, ...],
    out: Path,
    images: tuple[Path, ...],
    skeleton: str | None,
    copy: bool,
) -> None:
    """Merge COCO keypoint datasets, ours or anybody's: ids are made anew, file names that collide
    are told apart, categories of the same keypoints become one. Files called
    person_keypoints_SPLIT.json keep their split, others go into train.

    \b
    Examples:
      spinetrack-synth merge A B --out MERGED
      spinetrack-synth merge A coco.json --images A/images --images COCO \\
          --skeleton coco-17 --out MERGED
    """
    from spinetrack_synth.curation.merging import merge

    made, told = merge(datasets, out, images, skeleton=skeleton, copy=copy, bar=patient_bar)
    for line in told:
        click.echo(line)
    for name, written in made.items():
        click.echo(f"{name}: {written.pictures:,} pictures, {written.people:,} people")
    click.echo(str(out))

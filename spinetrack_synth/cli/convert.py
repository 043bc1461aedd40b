"""``convert``: a dataset in another format or with another skeleton."""

from __future__ import annotations

from pathlib import Path

import click

from spinetrack_synth.cli.progress import patient_bar
from spinetrack_synth.cli.values import FILE

FORMATS = ("spinetrack-37", "halpe-26", "coco-17", "yolo-pose", "webdataset", "huggingface")


@click.command("convert", short_help="Write a dataset in another format or skeleton.")
@click.argument("dataset", type=FILE)
@click.option("--to", type=click.Choice(FORMATS), required=True, help="What it shall be.")
@click.option("--out", type=FILE, required=True, metavar="DIR", help="A new folder.")
@click.option("--images", type=FILE, metavar="DIR", help="Pictures of COCO files.  [beside them]")
@click.option("--copy", is_flag=True, help="Copy pictures in place of hard links.")
def command(dataset: Path, to: str, out: Path, images: Path | None, copy: bool) -> None:
    """Write a dataset as COCO files with the points of SpineTrack-37, Halpe-26 or COCO-17, as
    YOLO-pose, as WebDataset shards or in Hugging Face's layout with Parquet. DATASET is a COCO
    file or a folder of some, or the folder of any of these formats. What the format cannot hold is
    told in a line each.

    \b
    Examples:
      spinetrack-synth convert OUT --to coco-17 --out COCO17
      spinetrack-synth convert OUT --to yolo-pose --out YOLO
      spinetrack-synth convert YOLO --to spinetrack-37 --out BACK
    """
    from spinetrack_synth.curation.converting import convert

    for line in convert(dataset, to, out, images, copy=copy, bar=patient_bar):
        click.echo(line)
    click.echo(f"{out}: {to}")

"""``split``: a dataset into parts that share nobody."""

from __future__ import annotations

from pathlib import Path

import click

from spinetrack_synth.cli.progress import patient_bar
from spinetrack_synth.cli.values import FILE, Names


class Shares(click.ParamType):  # type: ignore[type-arg]  # click 8.1 takes none
    """Names and shares such as train:0.8,val:0.2."""

    name = "NAME:SHARE,..."

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, float]:
        if isinstance(value, dict):
            return value
        shares: dict[str, float] = {}
        for part in str(value).split(","):
            name, _, share = part.strip().partition(":")
            try:
                number = float(share)
            except ValueError:
                self.fail(f"{part!r} is no part such as train:0.8", param, ctx)
            if name in shares:
                self.fail(f"{name!r} is named twice", param, ctx)
            shares[name] = number
        return shares


@click.command("split", short_help="Split a dataset without leakage.")
@click.argument("dataset", type=FILE)
@click.option(
    "--parts",
    type=Shares(),
    default="train:0.8,val:0.1,test:0.1",
    show_default=True,
    help="Names, and shares of the pictures that add up to 1.",
)
@click.option(
    "--by",
    type=Names(),
    default="subject,sequence",
    show_default=True,
    help="What no two parts may share: subject, sequence, scene, or any field.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Which of many splits.")
@click.option("--out", type=FILE, required=True, metavar="DIR", help="A new folder.")
@click.option("--images", type=FILE, metavar="DIR", help="Pictures of COCO files.  [beside them]")
@click.option("--copy", is_flag=True, help="Copy pictures in place of hard links.")
def command(
    dataset: Path,
    parts: dict[str, float],
    by: tuple[str, ...],
    seed: int,
    out: Path,
    images: Path | None,
    copy: bool,
) -> None:
    """Split a dataset so that pictures which share a person, a moment, a sequence or what else
    --by names are in one part, however long the chain between them. All splits of the dataset are
    divided anew. What was reached of the shares is told.

    \b
    Examples:
      spinetrack-synth split OUT --parts train:0.6,val:0.4 --out SPLIT
      spinetrack-synth split coco.json --images COCO --by video_name --out SPLIT
    """
    from spinetrack_synth.curation.splitting import split_dataset

    made, told = split_dataset(
        dataset, parts, by, out, images, seed=seed, copy=copy, bar=patient_bar
    )
    for line in told:
        click.echo(line)
    total = sum(part.pictures for part in made)
    for part in made:
        click.echo(
            f"{part.name}: {part.pictures / total:.3f} of the pictures (asked {part.share:g}): "
            f"{part.pictures:,} pictures, {part.people:,} people, {part.groups:,} groups"
        )
    click.echo(str(out))

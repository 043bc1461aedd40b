"""``export``: a trained network as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from spinetrack_synth.cli.values import FILE
from spinetrack_synth.errors import UserError

if TYPE_CHECKING:
    from spinetrack_synth.training.export import Precision


@click.command("export", short_help="Write a trained network as an ONNX file.")
@click.argument("checkpoint", type=FILE, metavar="RUN|CHECKPOINT")
@click.option("--out", type=FILE, required=True, metavar="M.onnx", help="The file to write.")
@click.option(
    "--precision",
    type=click.Choice(("fp32", "fp16", "int8")),
    default="fp32",
    show_default=True,
    help="fp16 halves the file; int8 is a third of it, and computes in 8 bits.",
)
@click.option(
    "--crops",
    type=FILE,
    metavar="COCO.json",
    help="People to find the ranges of int8 on, and to tell how far keypoints move.",
)
@click.option("--images", type=FILE, metavar="DIR", help="Their pictures.  [beside the file]")
def command(
    checkpoint: Path, out: Path, precision: Precision, crops: Path | None, images: Path | None
) -> None:
    """Write a network that `train` made, from the folder of its run or a checkpoint, as an ONNX
    file that `predict`, `evaluate` and the spinepose package open.

    \b
    Examples:
      spinetrack-synth export RUN --out M.onnx
      spinetrack-synth export RUN --out M.onnx --precision int8 --crops annotations.json
    """
    if out.suffix != ".onnx":
        raise UserError(f"{out}: expected a name that ends in .onnx")
    if precision == "int8" and crops is None:
        raise UserError("int8 finds its ranges on people: name some with --crops COCO.json")
    if images is not None and crops is None:
        raise UserError("--images goes with --crops COCO.json")
    from spinetrack_synth.training.calibration import read_crops
    from spinetrack_synth.training.checkpoints import open_checkpoint
    from spinetrack_synth.training.export import export
    from spinetrack_synth.training.log import accuracy_at

    net, description = open_checkpoint(checkpoint)
    height, width = description.input_hw
    shown = read_crops(crops, images, description.input_hw) if crops else None
    folder = checkpoint if checkpoint.is_dir() else checkpoint.parent
    accuracy = accuracy_at(folder, description.step)
    made = export(net, description, out, precision, shown, accuracy)
    click.echo(
        f"{out}: {description.name}, {len(description.keypoints)} keypoints, {height}x{width}, "
        f"{precision}, {made.size_bytes / 1e6:.1f} MB"
    )
    if shown is not None:
        click.echo(
            f"keypoints {made.moved_px:.2f} pixels of the crop from torch's in the mean "
            f"({made.tried} people)"
        )

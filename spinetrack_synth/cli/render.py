"""``render``: pictures and labels."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from spinetrack_synth.cli.progress import progress_bar
from spinetrack_synth.cli.stopping import end_on_sigterm
from spinetrack_synth.cli.values import Size, Span
from spinetrack_synth.errors import UserError


@click.command("render", short_help="Make a labelled dataset of synthetic people.")
@click.option(
    "--scenes",
    "scene",
    required=True,
    metavar="NAME|FILE",
    help="A scene (see `spinetrack-synth scenes`) or a scene file.",
)
@click.option("--count", type=int, required=True, help="Number of pictures.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the dataset; a run that was stopped goes on there.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="The same seed makes the same labels."
)
@click.option("--split", default="train", show_default=True, help="Name of the split.")
@click.option(
    "--size", type=Size(), default="640x480", show_default=True, help="Width and height in pixels."
)
@click.option("--quality", default="normal", show_default=True, help="draft, normal or final.")
@click.option(
    "--subjects", type=Span(), default="1-3", show_default=True, help="People in a picture."
)
@click.option(
    "--backend", default="embedded", show_default=True, help="embedded, or unreal (UnrealCV)."
)
@click.option("--host", help="unreal: where engines listen.  [default: 127.0.0.1]")
@click.option(
    "--port",
    "ports",
    type=click.IntRange(1, 65535),
    multiple=True,
    help="unreal: an engine's port; give it again for more engines.  [default: 9000]",
)
@click.option(
    "--launch",
    type=click.Path(path_type=Path),
    metavar="BINARY",
    help="unreal: start this packaged project, and again when it fails.",
)
@click.option(
    "--engines", type=click.IntRange(1), help="unreal: how many to --launch.  [default: 1]"
)
@click.option("--format", "image_format", default="jpg", show_default=True, help="jpg or png.")
@click.option(
    "--motion",
    "motions",
    multiple=True,
    metavar="FILE",
    help="A motion that people perform in place of the scene's poses; may be given again.",
)
def command(
    scene: str,
    count: int,
    out: Path,
    seed: int,
    split: str,
    size: tuple[int, int],
    quality: str,
    subjects: tuple[int, int],
    backend: str,
    host: str | None,
    ports: tuple[int, ...],
    launch: Path | None,
    engines: int | None,
    image_format: str,
    motions: tuple[str, ...],
) -> None:
    """Make a dataset: pictures, COCO labels with 37 keypoints, 3D ground truth, contact sheet.

    Stopped in the middle, the same command goes on where it was. A higher --count later extends
    the dataset; another --split adds to the folder.

    \b
    Examples:
      spinetrack-synth render --scenes yoga --count 12 --seed 7 --out OUT
      spinetrack-synth render --scenes yoga --count 500 --seed 8 --split val \\
          --size 1280x720 --quality final --subjects 1-2 --out OUT
      spinetrack-synth render --scenes yoga --count 12 --backend unreal --port 9000 --out OUT
    """
    from spinetrack_synth.dataset import DatasetConfig, run_dataset
    from spinetrack_synth.dataset.layout import Layout

    doors: dict[str, Any] = {}
    if backend == "unreal":
        from spinetrack_synth.rendering import EngineSettings, open_renderer

        settings = EngineSettings(host or "127.0.0.1", ports or (9000,), launch, engines or 1)
        end_on_sigterm()
        doors["open_renderer"] = partial(open_renderer, engines=settings)
    elif host or ports or launch or engines:
        raise UserError(
            f"--backend {backend} has no engine; --host, --port, --launch and --engines go with "
            "--backend unreal"
        )
    config = DatasetConfig(
        scene=scene, count=count, seed=seed, split=split, size=size, quality=quality,
        subjects=subjects, backend=backend, format=image_format, motions=motions,
    )  # fmt: skip
    with progress_bar("pictures") as progress:
        made = run_dataset(config, out, progress, **doors)
    sheet = Layout(out, split, image_format).contact_sheet
    if made:
        click.echo(f"{count} pictures in {out}; look at {sheet}")
    else:
        click.echo(f"{out} is complete: {count} pictures; nothing to do")

"""``render``: pictures and labels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spinetrack_synth.cli.progress import progress_bar
from spinetrack_synth.cli.stopping import end_on_sigterm
from spinetrack_synth.cli.values import Names, Size, Span
from spinetrack_synth.errors import UserError

if TYPE_CHECKING:
    from spinetrack_synth.dataset import DatasetConfig
    from spinetrack_synth.dataset.making import Failure


@click.command("render", short_help="Make a labelled dataset of synthetic people.")
@click.option(
    "--scenes",
    "scene",
    required=True,
    metavar="SCENE[:WEIGHT],...",
    help="Scenes (see `spinetrack-synth scenes`) or scene files, by weight; `all` for all.",
)
@click.option(
    "--count",
    type=int,
    help="Number of pictures.  [default: 12, or what the run in the folder was begun with]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the dataset; a run that was stopped goes on there.  "
    "[default: spinetrack-SCENE-seedSEED, or the next free name]",
)
@click.option(
    "--close",
    is_flag=True,
    help="Finish a run that was stopped at the pictures that are there, without those that fail "
    "every time.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="The same seed makes the same labels."
)
@click.option("--split", default="train", show_default=True, help="Name of the split.")
@click.option(
    "--size", type=Size(), default="640x480", show_default=True, help="Width and height in pixels."
)
@click.option(
    "--quality",
    type=click.Choice(("draft", "normal", "final")),
    default="normal",
    show_default=True,
    help="How much work a picture gets.",
)
@click.option(
    "--subjects", type=Span(), default="1-3", show_default=True, help="People in a picture."
)
@click.option(
    "--people",
    type=click.IntRange(1),
    help="Different people in all pictures.  [default: a new one every few pictures]",
)
@click.option(
    "--backend",
    type=click.Choice(("embedded", "unreal")),
    default="embedded",
    show_default=True,
    help="The package's own renderer, or Unreal Engine through UnrealCV.",
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
@click.option(
    "--format",
    "image_format",
    type=click.Choice(("jpg", "png")),
    default="jpg",
    show_default=True,
    help="Format of the pictures.",
)
@click.option(
    "--motion",
    "motions",
    multiple=True,
    metavar="FILE",
    help="A motion that people perform in place of the scene's poses; may be given again.",
)
@click.option(
    "--backgrounds",
    metavar="DIR[:SHARE]",
    help="Photos without people, behind all pictures or a share of them, in place of the scene's "
    "places.",
)
@click.option(
    "--hdri",
    metavar="DIR[:SHARE]",
    help="Environment maps (.hdr, .exr) that light the people and are seen behind them.",
)
@click.option(
    "--assets",
    metavar="DIR[:SHARE]",
    help="MakeHuman assets (.mhclo clothes and hair, skins) for a share of the people to wear.  "
    "[default share: 0.5]",
)
@click.option(
    "--views",
    type=int,
    default=1,
    show_default=True,
    help="Cameras of every moment; --count counts the pictures of all.",
)
@click.option(
    "--sequence",
    type=int,
    metavar="FRAMES",
    help="Clips of so many frames in place of single pictures; --count counts frames.",
)
@click.option("--fps", type=float, help="Frames a second of --sequence.  [default: 30]")
@click.option(
    "--maps",
    type=Names(),
    metavar="KIND,...",
    help="Label maps beside every picture: parts (of the body), depth, normals; `all` for all.",
)
@click.option("--video", is_flag=True, help="Write each clip of --sequence as an MP4 too.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Processes of this machine that make pictures.  [default: this one alone]",
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Let the workers of a Dask cluster make the pictures: the address of its scheduler.",
)
def command(
    scene: str,
    count: int | None,
    out: Path | None,
    close: bool,
    seed: int,
    split: str,
    size: tuple[int, int],
    quality: str,
    subjects: tuple[int, int],
    people: int | None,
    backend: str,
    host: str | None,
    ports: tuple[int, ...],
    launch: Path | None,
    engines: int | None,
    image_format: str,
    motions: tuple[str, ...],
    backgrounds: str | None,
    hdri: str | None,
    assets: str | None,
    views: int,
    sequence: int | None,
    fps: float | None,
    maps: tuple[str, ...] | None,
    video: bool,
    workers: int | None,
    cluster: str | None,
) -> None:
    """Make a dataset: pictures, COCO labels with 37 keypoints, 3D ground truth, contact sheet.

    Stopped in the middle, the same command goes on where it was, and with --close it finishes at
    the pictures that are there, without those that fail every time. A higher --count later extends
    the dataset; another --split adds to the folder. Nothing is overwritten.

    \b
    Examples:
      spinetrack-synth render --scenes yoga
      spinetrack-synth render --scenes yoga --count 12 --seed 7 --out OUT
      spinetrack-synth render --scenes yoga:2,my_scene.toml --out OUT
      spinetrack-synth render --scenes yoga --count 500 --seed 8 --split val \\
          --size 1280x720 --quality final --subjects 1-2 --out OUT
      spinetrack-synth render --scenes yoga --backgrounds PHOTOS:0.5 --hdri MAPS:0.3 --out OUT
      spinetrack-synth render --scenes yoga --count 12 --views 4 --out OUT
      spinetrack-synth render --scenes yoga --sequence 60 --fps 30 --video --out OUT
      spinetrack-synth render --scenes yoga --count 12 --maps parts,depth --out OUT
      spinetrack-synth render --scenes yoga --count 12 --backend unreal --port 9000 --out OUT
      spinetrack-synth render --scenes yoga --count 5000 --workers 2 --out OUT
      spinetrack-synth render --scenes yoga --count 5000 --cluster tcp://10.0.0.1:8786 --out OUT
    """
    from spinetrack_synth import dataset

    doors = _doors(backend, host, ports, launch, engines)
    doors |= _makers(workers, cluster, backend, len(ports), engines)
    frames, rate_hz = _clips(sequence, fps, video)
    config = dataset.DatasetConfig(
        scene=scene, seed=seed,
        count=dataset.default_count(views, frames) if count is None else count,
        split=split, size=size, quality=quality, subjects=subjects, backend=backend,
        format=image_format, motions=motions, people=people, views=views,
        sequence=frames, fps=rate_hz, backgrounds=backgrounds, hdri=hdri, assets=assets,
        maps=dataset.MAPS if maps == ("all",) else maps or (),
    )  # fmt: skip
    chosen = out is None or count is None
    if out is None:
        out = dataset.own_folder(config)
    if close:
        config = dataset.as_made(config, out)
    elif count is None:
        config = dataset.as_begun(config, out)
    if chosen and not close:
        click.echo(f"{config.count} pictures into {out} (--count and --out change that)", err=True)
    _run(config, out, close, doors)
    if video:
        from spinetrack_synth.dataset.videos import write_videos

        write_videos(out, config.split, rate_hz)


def _clips(sequence: int | None, fps: float | None, video: bool) -> tuple[int, float]:
    """Frames of a clip, 1 for single pictures, and frames a second."""
    if sequence is None:
        if fps is not None or video:
            raise UserError("--fps and --video go with --sequence FRAMES")
        return 1, 30.0
    if sequence < 2:
        raise UserError(
            f"sequence {sequence}: a clip has at least 2 frames; leave --sequence out for single "
            "pictures"
        )
    if video:
        from spinetrack_synth.spinepose.image_files import opencv

        opencv()
    return sequence, 30.0 if fps is None else fps


def _doors(
    backend: str, host: str | None, ports: tuple[int, ...], launch: Path | None, engines: int | None
) -> dict[str, Any]:
    """What the run opens engines with, where the backend has some."""
    if backend == "unreal":
        from spinetrack_synth.rendering import EngineSettings, open_renderer

        settings = EngineSettings(host or "127.0.0.1", ports or (9000,), launch, engines or 1)
        return {"open_renderer": partial(open_renderer, engines=settings)}
    if host or ports or launch or engines:
        raise UserError(
            f"--backend {backend} has no engine; --host, --port, --launch and --engines go with "
            "--backend unreal"
        )
    return {}


def _makers(
    workers: int | None, cluster: str | None, backend: str, ports: int, engines: int | None
) -> dict[str, Any]:
    """What the run opens makers of pictures with, where these are not this process."""
    if workers is None and cluster is None:
        return {}
    if workers is not None and cluster is not None:
        raise UserError("--workers are processes of this machine, --cluster has its own; give one")
    if cluster is not None:
        if ports > 1 or (engines or 1) > 1:
            raise UserError("--cluster: each of its renderers is one engine; give one --port")
        from spinetrack_synth.dataset.cluster import on_cluster

        return {"open_pool": on_cluster(cluster)}
    if backend != "embedded":
        raise UserError(
            f"--workers goes with --backend embedded; several engines of --backend {backend} draw "
            "with --port given again, or --engines"
        )
    from spinetrack_synth.dataset.workers import local_workers

    assert workers is not None
    return {"open_pool": local_workers(workers)}


def _run(config: DatasetConfig, out: Path, close: bool, doors: dict[str, Any]) -> None:
    """Make the pictures and tell how it ended."""
    from spinetrack_synth.compiled import ahead
    from spinetrack_synth.dataset import run_dataset
    from spinetrack_synth.dataset.layout import Layout
    from spinetrack_synth.dataset.state import LEFT_OUT, made_until, pictures_of, read_splits

    layout = Layout(out, config.split, config.format)
    end_on_sigterm()
    ahead.begin("render")
    failed: list[Failure] = []
    try:
        with progress_bar("pictures") as progress:
            made = run_dataset(
                config,
                out,
                lambda done, wanted: progress(done, wanted, _told(failed)),
                on_failure=failed.append,
                leave_out=close,
                **doors,
            )
    except KeyboardInterrupt:
        if there := made_until(layout):
            raise KeyboardInterrupt(
                f"stopped at {there} of {config.count} pictures in {out}; run the same command to "
                "go on, or add --close to finish with what is there"
            ) from None
        raise
    split = read_splits(out)[config.split]
    _tell_failures(failed, split.get(LEFT_OUT, {}))
    if made or close:
        count = len(pictures_of(split))
        click.echo(f"{count} pictures in {out}; look at {layout.contact_sheet}")
    else:
        click.echo(
            f"{out} is complete: {config.count} pictures; nothing to do; "
            "a higher --count extends it"
        )


def _tell_failures(failed: list[Failure], left_out: Mapping[str, str]) -> None:
    """Say what failed and went well later, and which pictures the dataset goes without."""
    for failure in failed:
        if str(failure.index) not in left_out:
            click.echo(f"picture {failure.index} failed at first: {failure.cause}", err=True)
    for index, cause in left_out.items():
        click.echo(f"picture {index} failed every time and is left out: {cause}", err=True)


def _told(failed: list[Failure]) -> str:
    return f"{len(failed)} failed, to be tried again" if failed else ""

"""``predict``: keypoints of pictures and videos."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spinetrack_synth.cli.fetching import agree, licence_option, megabytes
from spinetrack_synth.cli.progress import progress_bar
from spinetrack_synth.cli.values import FILE
from spinetrack_synth.version import __version__

if TYPE_CHECKING:
    from spinetrack_synth.spinepose.crops import ColorOrder
    from spinetrack_synth.spinepose.predicting import Summary
    from spinetrack_synth.spinepose.simcc import Score

PROVIDERS = ("cpu", "cuda", "coreml", "openvino")
MOST_LINES = 20
"""Of a kind; a folder of thousands may be broken as a whole."""

OF_THE_PACKAGE = {
    "input_path": "input",
    "input-path": "input",
    "vis-path": "out",
    "save_path": "save-path",
    "nosmooth": "no-smooth",
    "max-detections": "max-people",
    "det-frequency": "detect-every",
}
"""Options of the ``spinepose`` package, and of its Python functions, that are called otherwise."""

MODES = ("small", "medium", "large", "xlarge")


# Longer than sixty lines by its twenty-six options and what --help says.
@click.command(
    "predict",
    short_help="Run a pose network on pictures and videos.",
    context_settings={"token_normalize_func": lambda name: OF_THE_PACKAGE.get(name, name)},
)
@click.version_option(__version__, "-V", "--version", prog_name="spinetrack-synth")
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option("-i", "--input", "more_inputs", multiple=True, hidden=True)
@click.option(
    "-o",
    "--out",
    type=FILE,
    help="Folder to write into, or the one file to draw: vis.jpg, vis.mp4.  [predictions]",
)
@click.option(
    "-s",
    "--save-path",
    type=FILE,
    help="Where OpenPose files go: a .json for one picture, else a folder.  [OUT/openpose]",
)
@click.option("--model", type=FILE, metavar="FILE", help="An ONNX network of your own.")
@click.option(
    "-m",
    "--mode",
    type=click.Choice(MODES),
    help="Size of the official network, fetched on first use.  [medium]",
)
@click.option(
    "--model-version",
    type=click.Choice(("latest", "v2", "v1")),
    help="Its release.  [latest]",
)
@click.option(
    "--detector",
    metavar="NAME|FILE",
    help="whole (the picture is one person), yolox-nano, rfdetr or yolox (official), or an ONNX "
    "file: YOLOX, RTMDet, RF-DETR, YOLO.  [rfdetr for official networks, else yolox-nano]",
)
@click.option("--boxes", type=FILE, metavar="COCO", help="Take the people's boxes from this file.")
@click.option(
    "--dataset", type=FILE, metavar="COCO",
    help="Take the pictures' ids and names from this file, for evaluate.",
)  # fmt: skip
@click.option("--detector-score", type=float, help="Drop detections below.  [by the detector]")
@click.option("--max-people", type=click.IntRange(1), help="Most people in a picture.")
@click.option(
    "--detect-every",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Frames of a video from one detection to the next.",
)
@click.option("--spine-only", is_flag=True, help="Only the nine spine points.")
@click.option("--smooth/--no-smooth", default=True, show_default=True, help="Videos over time.")
@click.option("--flip-test", is_flag=True, help="Look at the mirror image too: slower, better.")
@click.option("--sub-bin", is_flag=True, help="Places between the bins of the network.")
@click.option(
    "--score", type=click.Choice(("min", "mean")), default="min", show_default=True,
    help="Of the two axes' maxima.",
)  # fmt: skip
@click.option(
    "--least-score", type=float, default=0.3, show_default=True,
    help="Points below are neither drawn nor measured.",
)  # fmt: skip
@click.option(
    "--color-order", type=click.Choice(("rgb", "bgr")),
    help="What the network was trained with.  [as its file says, else rgb]",
)  # fmt: skip
@click.option("--provider", type=click.Choice(PROVIDERS), help="What computes.  [the best]")
@click.option("--threads", type=click.IntRange(1), help="Threads of an answer.  [all cores]")
@click.option(
    "--spinning/--no-spinning", default=True, show_default=True, help="Threads wait without sleep."
)
@click.option(
    "--batch", type=click.IntRange(1), default=8, show_default=True, help="People at a time."
)
@click.option("--offline", is_flag=True, help="Fetch nothing.")
@licence_option
def command(
    inputs: tuple[str, ...],
    more_inputs: tuple[str, ...],
    out: Path | None,
    save_path: Path | None,
    model: Path | None,
    mode: str | None,
    model_version: str | None,
    detector: str | None,
    boxes: Path | None,
    dataset: Path | None,
    detector_score: float | None,
    max_people: int | None,
    detect_every: int,
    spine_only: bool,
    smooth: bool,
    flip_test: bool,
    sub_bin: bool,
    score: Score,
    least_score: float,
    color_order: ColorOrder | None,
    provider: str | None,
    threads: int | None,
    spinning: bool,
    batch: int,
    offline: bool,
    accept_licence: bool,
) -> None:
    """Find keypoints in pictures, folders, patterns, videos or a camera (its number).

    Writes drawn pictures and videos, predictions.json (COCO results), openpose/ and angles.csv
    (angles of the spine in the picture). Inputs that cannot be looked at are listed at the end, and
    the exit code is 1; Ctrl-C keeps what is done.

    \b
    Examples:
      spinetrack-synth predict photo.jpg --model M.onnx
      spinetrack-synth predict photo.jpg --model M.onnx -o drawn.jpg -s pose.json
      spinetrack-synth predict clip.mp4 --mode small --detector rfdetr --accept-licence
      spinetrack-synth predict "photos/**/*.jpg" --model M.onnx --boxes annotations.json
    """
    from spinetrack_synth.coco.listing import read_boxes, read_pictures
    from spinetrack_synth.spinepose.estimator import USUAL_MODE, WHOLE, open_models
    from spinetrack_synth.spinepose.layout import USUAL_FOLDER, find_inputs
    from spinetrack_synth.spinepose.predicting import Options, predict

    if not (inputs or more_inputs):
        raise click.UsageError("Missing argument 'INPUT...'.")
    if boxes and dataset:
        raise click.UsageError("--boxes links to its own dataset: leave --dataset out")
    found = find_inputs([*inputs, *more_inputs])
    listing = read_boxes(boxes) if boxes else read_pictures(dataset) if dataset else None
    if accept_licence and model is None:
        mode = mode or USUAL_MODE
    with megabytes() as fetched:
        network, finder = open_models(
            mode,
            model_version,
            model,
            WHOLE if boxes else detector,
            provider=provider,
            threads=threads,
            spinning=spinning,
            color_order=color_order,
            score=score,
            detector_score=detector_score,
            offline=offline,
            accept=lambda text: agree(accept_licence, text),
            progress=fetched,
            tell=lambda line: click.echo(line, err=True),
        )
    options = Options(
        detector=finder,
        listing=listing,
        every=detect_every,
        most=max_people,
        flip_test=flip_test,
        sub_bin=sub_bin,
        smooth=smooth,
        spine_only=spine_only,
        batch=batch,
        least_score=least_score,
    )
    with progress_bar("pictures") as show:
        seen = predict(network, found.inputs, out, options, show, openpose=save_path)
    if finder and not seen.people:
        click.echo("nobody was found; --detector whole takes each picture as one person", err=True)
    tell(seen, found.faults, str(out or save_path or USUAL_FOLDER))


def tell(seen: Summary, missing: Sequence[str], place: str) -> None:
    """Print what was done and what was not; exit with 1 where something was left out."""
    videos = [
        f"{video.name}: {video.frames} frames ({video.duration_s:.1f} s), ids given: {video.ids}"
        for video in seen.videos
    ]
    for line in (*shortened(videos), *shortened(seen.notes)):
        click.echo(line, err=True)
    faults = [*missing, *seen.faults]
    if faults:
        click.echo(f"left out or broken off: {len(faults)}", err=True)
        for fault in shortened(faults):
            click.echo(f"  {fault}", err=True)
    click.echo(f"{seen.people} people in {seen.pictures} pictures; look into {place}")
    if seen.interrupted:
        click.echo(f"stopped; what was done until then is in {place}", err=True)
        sys.exit(130)
    if faults:
        sys.exit(1)


def shortened(lines: Sequence[str]) -> Iterator[str]:
    """The first lines, and how many more there are."""
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        yield f"  and {len(lines) - MOST_LINES} more"

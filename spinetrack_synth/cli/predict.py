"""``predict``: keypoints of pictures and videos."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spinetrack_synth.cli.progress import progress_bar
from spinetrack_synth.cli.values import FILE

PROVIDERS = ("cpu", "cuda", "coreml", "openvino")
MODES = ("small", "medium", "large", "xlarge")


def agree(accepted: bool, text: str) -> bool:
    """Show a licence; consent given by an option, or asked for where somebody can answer."""
    click.echo(text, err=True)
    if accepted or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return accepted
    return click.confirm("Do you accept these terms?", err=True)


@click.command("predict", short_help="Run a pose network on pictures and videos.")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o", "--out", type=FILE, default="predictions", show_default=True, help="Folder to write into."
)
@click.option("--model", type=FILE, metavar="FILE", help="An ONNX network of your own.")
@click.option(
    "-m",
    "--mode",
    type=click.Choice(MODES),
    default="medium",
    show_default=True,
    help="Size of the official network, fetched on first use.",
)
@click.option(
    "--model-version",
    type=click.Choice(("latest", "v2", "v1")),
    default="latest",
    show_default=True,
    help="Its release.",
)
@click.option(
    "--detector",
    default="whole",
    show_default=True,
    metavar="NAME|FILE",
    help="whole (the picture is one person), rfdetr (official), or an ONNX file: YOLOX, RTMDet, "
    "RF-DETR.",
)
@click.option("--boxes", type=FILE, metavar="COCO", help="Take the people's boxes from this file.")
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
    "--color-order", type=click.Choice(("rgb", "bgr")), default="rgb", show_default=True,
    help="What the network was trained with.",
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
@click.option("--accept-licence", is_flag=True, help="Agree to the licence of official weights.")
def command(
    inputs: tuple[str, ...],
    out: Path,
    model: Path | None,
    mode: str,
    model_version: str,
    detector: str,
    boxes: Path | None,
    detector_score: float | None,
    max_people: int | None,
    detect_every: int,
    spine_only: bool,
    smooth: bool,
    flip_test: bool,
    sub_bin: bool,
    score: str,
    least_score: float,
    color_order: str,
    provider: str | None,
    threads: int | None,
    spinning: bool,
    batch: int,
    offline: bool,
    accept_licence: bool,
) -> None:
    """Find keypoints in pictures, folders, patterns, videos or a camera (its number).

    Writes drawn pictures and videos, predictions.json (COCO results), openpose/ and angles.csv
    (angles of the spine in the picture).

    \b
    Examples:
      spinetrack-synth predict photo.jpg --model M.onnx
      spinetrack-synth predict clip.mp4 --mode small --detector rfdetr --accept-licence
      spinetrack-synth predict "photos/*.jpg" --model M.onnx --boxes annotations.json
    """
    from spinetrack_synth.spinepose.people import read_boxes
    from spinetrack_synth.spinepose.predicting import Wishes, find_inputs, predict
    from spinetrack_synth.spinepose.solution import WHOLE, open_models

    sources = find_inputs(inputs)
    given = read_boxes(boxes) if boxes else None
    with progress_bar("MB") as fetched:
        network, finder = open_models(
            mode,
            model_version,
            model,
            WHOLE if given else detector,
            provider=provider,
            threads=threads,
            spinning=spinning,
            color_order=color_order,  # type: ignore[arg-type]
            score=score,  # type: ignore[arg-type]
            detector_score=detector_score,
            offline=offline,
            accept=lambda text: agree(accept_licence, text),
            progress=lambda done, wanted: fetched(done // 1_000_000, wanted // 1_000_000),
        )
    if finder is None and given is None:
        click.echo("each picture is taken as one person; --detector finds several", err=True)
    wishes = Wishes(
        detector=finder,
        boxes=given,
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
        seen = predict(network, sources, out, wishes, show)
    click.echo(f"{seen.people} people in {seen.pictures} pictures; look into {out}")

"""``motion``: motion files of any kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from spinetrack_synth.cli.progress import progress_bar

Function = Callable[..., Any]


def reading_options(function: Function) -> Function:
    """What a motion file may leave open."""
    for option in (
        click.option("--rate", type=float, default=30.0, show_default=True,
                     help="Frames a second, where the file numbers frames and tells no time."),
        click.option("--axes", help="y-up, z-up, y-up-facing-z, unreal ..., if unlike those told."),
        click.option("--unit", help="m, cm, mm, in, ft, cmu ..., if unlike that told."),
        click.option("--model", type=click.Path(path_type=Path), metavar="OSIM",
                     help="Another model than the project's own."),
    ):  # fmt: skip
        function = option(function)
    return function


skeleton_option = click.option(
    "--skeleton", metavar="NAME|FILE", help="Table of the foreign skeleton; else the one that fits."
)


@click.group("motion", short_help="Convert, describe and plot motion files.")
def command() -> None:
    """Motion files: TRC, C3D, BVH, MOT, STO, and keypoints in CSV, Parquet or NPZ.

    \b
    Examples:
      spinetrack-synth motion info walk.bvh
      spinetrack-synth motion convert walk.bvh walk.mot
      spinetrack-synth motion convert keypoints.npz body.mot --axes z-up --unit mm
      spinetrack-synth motion plot walk.mot --out walk.png
    """


@command.command("convert", short_help="Write a motion in another format.")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@skeleton_option
@reading_options
def convert(
    source: Path,
    target: Path,
    skeleton: str | None,
    model: Path | None,
    unit: str | None,
    axes: str | None,
    rate: float,
) -> None:
    """Convert SOURCE to TARGET (.mot .sto .trc .bvh .csv), by the endings of their names.

    Markers and joints become coordinates by inverse kinematics on the model, scaled to their size;
    coordinates become the model's markers. Notes tell what was found out where SOURCE leaves it
    open (unit, axes, gaps), and a line how well the points were met.
    """
    from spinetrack_synth.anatomy.model import fullbody_path, load_model
    from spinetrack_synth.compiled import ahead
    from spinetrack_synth.motion.data import CoordinateMotion
    from spinetrack_synth.motion.describing import residual_lines
    from spinetrack_synth.motion.files import holds_coordinates, read_motion, write_motion
    from spinetrack_synth.motion.skeletons import load_skeleton

    tree = load_model(model or fullbody_path())
    table = load_skeleton(skeleton) if skeleton else None
    motion = read_motion(
        source,
        tree,
        unit=unit,
        axes=axes,
        rate_hz=rate,
        coordinates=holds_coordinates(target),
        skeleton=table,
    )
    if holds_coordinates(target) and not isinstance(motion, CoordinateMotion):
        ahead.begin("convert")
    with progress_bar("frames") as progress:
        written = write_motion(target, motion, tree, skeleton=table, progress=progress)
    for note in written.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"{len(motion.times_s)} frames in {target}")
    if isinstance(written, CoordinateMotion) and written.residuals is not None:
        for line in residual_lines(written.residuals):
            click.echo(line)


@command.command("info", short_help="Say what a motion file holds.")
@click.argument("source", type=click.Path(path_type=Path))
@reading_options
def info(source: Path, model: Path | None, unit: str | None, axes: str | None, rate: float) -> None:
    """Say what SOURCE holds: frames, names, gaps, extents, and which skeleton it is."""
    from spinetrack_synth.anatomy.model import fullbody_path, load_model
    from spinetrack_synth.motion.describing import describe
    from spinetrack_synth.motion.files import read_motion

    tree = load_model(model or fullbody_path())
    for line in describe(read_motion(source, tree, unit=unit, axes=axes, rate_hz=rate), tree):
        click.echo(line)


@command.command("plot", short_help="Draw a motion over time.")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="PNG, SVG or PDF file.")
@click.option("--names", help="Only these coordinates or points, separated by commas.")
@reading_options
def plot(
    source: Path,
    out: Path,
    names: str | None,
    model: Path | None,
    unit: str | None,
    axes: str | None,
    rate: float,
) -> None:
    """Draw the coordinates or points of SOURCE over time."""
    from spinetrack_synth.anatomy.model import fullbody_path, load_model
    from spinetrack_synth.motion.files import read_motion
    from spinetrack_synth.motion.plotting import plot_motion

    tree = load_model(model or fullbody_path())
    motion = read_motion(source, tree, unit=unit, axes=axes, rate_hz=rate)
    for note in motion.notes:
        click.echo(f"note: {note}", err=True)
    chosen = [name.strip() for name in names.split(",") if name.strip()] if names else None
    plot_motion(motion, out, chosen)
    click.echo(f"drawn in {out}")

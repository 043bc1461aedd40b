"""``avatars``: the people of a dataset, and their files for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from spinetrack_synth.cli.progress import progress_bar

CAST = 24
"""Subjects that are listed and exported where nothing else is said; there is no end of them."""


@click.group("avatars", short_help="List the people of a dataset, or export them as meshes.")
def command() -> None:
    """The people that `render` takes for a seed, by number and name.

    \b
    Examples:
      spinetrack-synth avatars list --seed 7
      spinetrack-synth avatars export --seed 7 --subject 3 --out people
    """


@command.command("list")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the dataset.")
@click.option("--count", type=click.IntRange(1), default=CAST, show_default=True, help="How many.")
def list_(seed: int, count: int) -> None:
    """List the people of a seed.

    \b
    Examples:
      spinetrack-synth avatars list --seed 7
      spinetrack-synth avatars list --seed 7 --count 3
    """
    from spinetrack_synth.avatars.body import sample_subject

    for k in range(count):
        subject = sample_subject(seed, k)
        click.echo(f"{k:2}  {subject.subject_id:10}  {subject.sex:6}  {subject.stature_m:.2f} m")


@command.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the files.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the dataset.")
@click.option(
    "--subject",
    "chosen",
    type=click.IntRange(0),
    multiple=True,
    help="Number of a subject; may be given again.",
)
@click.option(
    "--count",
    type=click.IntRange(0),
    help="The first so many subjects.  [default: 24]",
)
@click.option(
    "--scenes",
    "scene",
    metavar="NAME|FILE",
    help="A scene whose places, mats and gear are exported too.",
)
@click.option(
    "--motion",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A motion that becomes the avatars' animation.",
)
@click.option(
    "--fps", type=click.FloatRange(1, 240), default=30, show_default=True, help="Its frame rate."
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["glb", "obj", "ply", "stl", "off"]),
    default="glb",
    show_default=True,
    help="glb holds everything; the others the shape as it stands.",
)
@click.option("--pose", metavar="NAME", help="A pose that the shape is in, but for glb.")
def export(
    out: Path,
    seed: int,
    chosen: tuple[int, ...],
    count: int | None,
    scene: str | None,
    motion: Path | None,
    fps: float,
    kind: str,
    pose: str | None,
) -> None:
    """Write avatars as binary glTF, skinned to the bodies of their OpenSim models, or as shapes
    for other programs.

    Files are named after the subjects; lengths are metres, Y is up. With --scenes, all that the
    scene's pictures need lies beside them: what `unreal_project/` imports.

    \b
    Examples:
      spinetrack-synth avatars export --seed 7 --subject 3 --out people
      spinetrack-synth avatars export --seed 7 --count 2 --motion walk.bvh --out people
      spinetrack-synth avatars export --seed 7 --subject 3 --format obj --pose tadasana --out people
      spinetrack-synth avatars export --scenes yoga --seed 7 --out unreal_project/Exported
    """
    if chosen and count is not None:
        raise click.UsageError("give --subject or --count, not both")
    if motion and kind != "glb":
        raise click.UsageError(f"{kind} holds no motion; --motion goes with --format glb")
    if pose and kind == "glb":
        raise click.UsageError("glb holds the shape at rest; --pose goes with the other formats")
    from spinetrack_synth.anatomy.model import fullbody
    from spinetrack_synth.avatars.body import sample_subject
    from spinetrack_synth.export.files import export_avatars, export_scene, export_shapes
    from spinetrack_synth.export.shapes import AXES, LOST
    from spinetrack_synth.motion.performance import load_performance
    from spinetrack_synth.poses.library import known_pose
    from spinetrack_synth.scenes import load_props, load_scene

    surroundings = load_scene(scene) if scene else None
    props = load_props(surroundings.props) if surroundings else ()
    performance = load_performance(fullbody(), motion) if motion else None
    posture = known_pose(pose) if pose else None
    numbers = chosen or range(CAST if count is None else count)
    subjects = [sample_subject(seed, k) for k in dict.fromkeys(numbers)]
    with progress_bar("avatars") as progress:
        if kind == "glb":
            export_avatars(out, subjects, progress, performance, fps)
        else:
            export_shapes(out, subjects, kind, posture, progress)
    if surroundings:
        with progress_bar("places and things") as progress:
            export_scene(out, surroundings, props, kind, progress)
    click.echo(f"{len(subjects)} avatars in {out / 'avatars'}")
    if kind != "glb":
        click.echo(f"{kind}: {AXES}; it holds no {LOST[kind]}")

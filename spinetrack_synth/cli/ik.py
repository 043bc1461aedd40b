"""``ik``: markers to coordinates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from spinetrack_synth.cli.progress import progress_bar
from spinetrack_synth.cli.values import FILE
from spinetrack_synth.errors import UserError

if TYPE_CHECKING:
    from spinetrack_synth.anatomy.ik import Solution
    from spinetrack_synth.anatomy.scale_setup import ScaleSetup
    from spinetrack_synth.anatomy.tasks import Setup, Tasks
    from spinetrack_synth.motion.fitting import Check, Request, Trial
    from spinetrack_synth.motion.models import Model

VIOLATED: Final = 1e-4
"""What a constraint may be violated by (rad, m) without a word."""

WORSE_M2: Final = 1e-9
"""By how much an objective must be worse to count: 5 nm at a marker error of 10 cm."""


@click.command("ik", short_help="Fit a model to markers (inverse kinematics).")
@click.option("--model", type=FILE, metavar="OSIM", help="An OpenSim model; ours when left out.")
@click.option("--markers", type=FILE, metavar="FILE", help=".trc, .c3d, or a dataset's .parquet.")
@click.option(
    "--markers-on",
    "marker_sets",
    type=FILE,
    metavar="XML",
    multiple=True,
    help="OpenSim's MarkerSet: markers to put on the model; again for more.",
)
@click.option(
    "--leave-out",
    metavar="MARKER",
    multiple=True,
    help="A marker, or 'Ben:*', that does not count; again.",
)
@click.option("--tasks", type=FILE, metavar="XML", help="OpenSim's IKTaskSet: weights.")
@click.option("--setup", type=FILE, metavar="XML", help="OpenSim's set-up file of the IK tool.")
@click.option("--scale", "static", type=FILE, metavar="FILE", help="Scale to this static trial.")
@click.option(
    "--scale-setup",
    type=FILE,
    metavar="XML",
    help="Scale and place markers as this set-up of OpenSim's ScaleTool says.",
)
@click.option("--mass", "mass_kg", type=float, metavar="KG", help="Body mass, when scaling.")
@click.option(
    "--engine",
    type=click.Choice(["fast", "opensim"]),
    default="fast",
    show_default=True,
    help="Our solver, or OpenSim's tool.",
)
@click.option("--check", type=int, default=0, metavar="N", help="Solve N frames with OpenSim too.")
@click.option(
    "--filter",
    "filter_text",
    metavar="HZ|auto",
    help="Smooth the markers first, at a frequency; or markers and coordinates, as they ask for.",
)
@click.option(
    "--prior",
    "prior_mm",
    type=float,
    metavar="MM",
    help="Marker error against which ranges are weighed: draws what markers leave open to its "
    "default; when left out the markers alone decide.",
)
@click.option("--threads", type=int, default=1, show_default=True, help="Threads to solve with.")
@click.option("--out", type=FILE, metavar="MOT", help="Motion to write; errors go beside it.")
def command(
    model: Path | None,
    markers: Path | None,
    marker_sets: tuple[Path, ...],
    leave_out: tuple[str, ...],
    tasks: Path | None,
    setup: Path | None,
    static: Path | None,
    scale_setup: Path | None,
    mass_kg: float | None,
    engine: str,
    check: int,
    filter_text: str | None,
    prior_mm: float | None,
    threads: int,
    out: Path | None,
) -> None:
    """Find the coordinates at which a model's markers lie where they were measured.

    Markers are matched by name. With our own model (no --model) they are the 37 keypoints and the
    spinous processes. Writes the motion (.mot) and a table of marker errors beside it. With
    --scale-setup and without --markers only the scaled model and its static pose are written.

    \b
    Examples:
      spinetrack-synth ik --markers walk.trc --out walk.mot
      spinetrack-synth ik --model M.osim --markers M.trc --tasks TASKS.xml --out M.mot --check 20
      spinetrack-synth ik --setup Setup_IK.xml --out walk.mot
      spinetrack-synth ik --scale-setup Setup_Scale.xml --setup Setup_IK.xml --out walk.mot
      spinetrack-synth ik --markers OUT/ground_truth/train.parquet --out people.mot
    """
    from spinetrack_synth.anatomy.scale_setup import read_scale_setup
    from spinetrack_synth.anatomy.tasks import read_setup
    from spinetrack_synth.motion import fitting

    given = read_setup(setup, markers) if setup else None
    scaling = read_scale_setup(scale_setup) if scale_setup else None
    if static is not None and static.suffix.lower() == ".xml":
        raise UserError(f"{static}: --scale takes a static trial: give a set-up as --scale-setup")
    if mass_kg is not None and (
        (static is None and scaling is None) or not 0 < mass_kg < float("inf")
    ):
        raise UserError(f"--mass {mass_kg:g}: give a mass in kg, together with --scale")
    if threads < 1 or check < 0 or (prior_mm is not None and not 0 <= prior_mm < 1e9):
        raise UserError("--threads, --check and --prior take numbers that are not negative")
    markers = markers or (given.markers if given else None)
    named = [s.marker_set for s in (scaling, given) if s is not None and s.marker_set]
    request = fitting.Request(
        model=_model(model, scaling, given),
        markers=markers or Path(),
        tasks=_tasks(tasks, given),
        marker_sets=(*named, *marker_sets),
        scale_setup=scaling,
        leave_out=leave_out,
        coordinates=given.coordinates if given else None,
        time_range_s=given.time_range_s if given else None,
        static=static,
        mass_kg=mass_kg,
        prior_m=None if prior_mm is None else prior_mm / 1000,
        filter_hz=_filter(filter_text),
        engine=engine,  # type: ignore[arg-type]
        accuracy=given.accuracy if given else 1e-5,
        threads=threads,
    )
    if markers is None and scaling is not None and given is None:
        _scale_only(request, scaling, out)
        return
    out = out or (given.output if given else None)
    if markers is None:
        raise UserError("no markers: give --markers, or a --setup that names them")
    if out is None:
        raise UserError("nowhere to write: give --out")
    fitting.check_out(out)
    trial = fitting.prepare(request)
    for remark in trial.remarks:
        click.echo(f"note: {remark}", err=True)
    if check or engine == "opensim":
        fitting.tool_input(trial, trial.request.model)  # what it refuses, it refuses at once
    _tell_size(trial.model)
    if trial.smoothed is not None:
        with progress_bar("frames, beforehand") as progress:
            trial = fitting.with_courses(trial, progress)
    with progress_bar("frames") as progress:
        solution = fitting.fit(trial, progress)
    files = fitting.write_results(trial, solution, out)
    _tell(solution)
    _tell_files(trial.model, files)
    if check and engine == "opensim":
        click.echo("note: OpenSim solved all of it, so there is nothing to check", err=True)
    elif check:
        try:
            checked = fitting.check_against_opensim(trial, solution, out, check)
        except (UserError, ModuleNotFoundError) as error:
            raise UserError(f"the fit is written, but could not be checked: {error}") from None
        _tell_check(trial, solution, checked)


def _model(model: Path | None, scaling: ScaleSetup | None, setup: Setup | None) -> Path:
    """The model's file: as given, as the set-ups name it, or ours where there are none."""
    from spinetrack_synth.anatomy.model import fullbody_path

    if model is not None:
        return model
    setups = [s for s in (scaling, setup) if s is not None]
    named = [s.model for s in setups if s.model is not None]
    if setups and not named:
        raise UserError(f"{setups[0].path}: names no model: give --model")
    return named[0] if named else fullbody_path()


def _scale_only(request: Request, scaling: ScaleSetup, out: Path | None) -> None:
    """Scale a model and place its markers, as OpenSim's ScaleTool does."""
    from spinetrack_synth.motion import fitting

    model = fitting.as_person(fitting.open_model(request.model, request.marker_sets), request)
    for remark in model.person.remarks if model.person else ():
        click.echo(f"note: {remark}", err=True)
    _tell_size(model)
    written_model = out.with_name(f"{out.stem}_scaled.osim") if out else scaling.output_model
    motion = out or (scaling.placer.output_motion if scaling.placer else None)
    if written_model is None:
        raise UserError(f"{scaling.path}: names no output_model_file: give --out")
    _tell_files(model, fitting.write_person(model, written_model, motion))


def _tell_size(model: Model) -> None:
    """The scale factors of all bodies, those that are alike in one line, and the static pose."""
    import numpy as np

    person = model.person
    if person is None:
        return
    alike: dict[str, list[str]] = {}
    for i in np.unique(person.tree.stands_for[person.tree.stands_for >= 0]):
        body, row, measured = person.tree.bodies[i], person.factors[i], person.measured[i]
        factors = "1" if np.all(row == 1) else " ".join(f"{factor:.4f}" for factor in row)
        said = f"{'' if measured else 'not measured, '}scaled by {factors}"
        alike.setdefault(said, []).append(body)
    for said, bodies in alike.items():
        click.echo(f"{said}: {', '.join(bodies)}")
    if person.static is not None:
        error_mm = 1000 * person.static.marker_error_m[0]
        worst = int(np.nanargmax(error_mm))
        click.echo(
            f"static pose, before markers are moved: RMS {1000 * person.static.rms_m:.2f} mm, "
            f"largest {error_mm[worst]:.2f} mm ({person.static.markers[worst]})"
        )


def _tell_files(model: Model, files: tuple[Path, ...]) -> None:
    if model.person is not None and not any(file.suffix == ".osim" for file in files):
        click.echo("the scaled model was not written: that needs the opensim package", err=True)
    if files:
        click.echo(f"wrote {', '.join(map(str, files))}")


def _filter(text: str | None) -> float | Literal["auto"] | None:
    if text is None or text == "auto":
        return text  # type: ignore[return-value]
    try:
        frequency_hz = float(text)
    except ValueError:
        frequency_hz = 0.0
    if not 0 < frequency_hz < float("inf"):
        raise UserError(f"--filter {text}: give a frequency in Hz, or auto")
    return frequency_hz


def _tasks(path: Path | None, setup: Setup | None) -> Tasks | None:
    from spinetrack_synth.anatomy.tasks import read_tasks

    if path is not None:
        return read_tasks(path)
    return setup.tasks if setup else None


def _tell(solution: Solution) -> None:
    import numpy as np

    error_mm = 1000 * solution.marker_error_m
    frame, marker = np.unravel_index(np.nanargmax(error_mm), error_mm.shape)
    click.echo(
        f"{len(error_mm)} frames, {len(solution.markers)} markers: "
        f"RMS {1000 * solution.rms_m:.2f} mm, "
        f"largest {error_mm[frame, marker]:.2f} mm ({solution.markers[marker]}, frame {frame + 1})"
    )
    with np.errstate(invalid="ignore"):
        seen = np.isfinite(error_mm)
        of_marker = np.sqrt((np.where(seen, error_mm, 0) ** 2).sum(axis=0) / seen.sum(axis=0))
    worst = np.argsort(-np.nan_to_num(of_marker))[:5]
    said = (f"{solution.markers[i]} {of_marker[i]:.2f}" for i in worst)
    click.echo(f"worst markers, RMS mm: {', '.join(said)}")
    if opened := solution.open_coordinates:
        first = f"{', '.join(opened[:5])}{', ...' if len(opened) > 5 else ''}"
        click.echo(
            f"markers wrong by {1000 * solution.axis_error_m:.2g} mm say next to nothing about "
            f"{len(opened)} coordinates: {first}; --prior 5 draws such to their defaults"
        )
    for leap in solution.leaps[:3]:
        click.echo(
            f"note: {leap.coordinate} leaps by {np.degrees(leap.change_rad):.0f} deg from frame "
            f"{leap.frame + 1} to {leap.frame + 2}, where its bones turn by "
            f"{np.degrees(leap.turn_rad):.1f} deg",
            err=True,
        )
    if len(solution.leaps) > 3:
        click.echo(f"note: and {len(solution.leaps) - 3} more such leaps", err=True)
    _tell_violations(solution, "the fit")


def _tell_violations(solution: Solution, whose: str) -> None:
    violated = {name: by for name, by in solution.violations.items() if by > VIOLATED}
    for name, by in violated.items():
        click.echo(f"{whose} violates constraint {name} by up to {by:.2g} (rad, m)")
    if solution.violations and not violated:
        click.echo(f"{whose} holds all {len(solution.violations)} constraints to {VIOLATED:g}")


def _tell_check(trial: Trial, ours: Solution, check: Check) -> None:
    import numpy as np

    theirs, apart, rows = check.solution, check.apart, check.frames
    turns = trial.tree.rotational
    said = ""
    if turns.any():
        rms_deg = np.degrees(np.sqrt((apart[:, turns] ** 2).mean(axis=0)))
        names = [name for name, turn in zip(trial.tree.coordinates, turns) if turn]
        worst = int(np.argmax(rms_deg))
        said = (
            f"coordinates differ by {rms_deg.mean():.4f} deg RMS on average, at most "
            f"{rms_deg[worst]:.4f} ({names[worst]}); "
        )
    worse = int(np.sum(ours.objective[rows] > theirs.objective + WORSE_M2))
    click.echo(
        f"OpenSim on frames {rows[0] + 1} to {rows[-1] + 1}: {said}"
        f"weighted marker RMS {1000 * np.nanmean(theirs.frame_weighted_rms_m):.4f} mm, "
        f"ours {1000 * np.nanmean(ours.frame_weighted_rms_m[rows]):.4f}; "
        f"{worse} frames fit worse than OpenSim's"
    )
    click.echo(
        f"read back by OpenSim, the motion puts markers within {1000 * check.read_back_m:.2g} mm "
        "of where they are told"
    )
    _tell_violations(theirs, "OpenSim")

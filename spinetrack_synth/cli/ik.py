"""``ik``: markers to coordinates."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from spinetrack_synth.cli.progress import progress_bar
from spinetrack_synth.cli.values import FILE
from spinetrack_synth.errors import UserError

if TYPE_CHECKING:
    from spinetrack_synth.anatomy.scale_setup import ScaleSetup
    from spinetrack_synth.motion.models import Model
    from spinetrack_synth.motion.trial import Engine, Request


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
    engine: Engine,
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
    from spinetrack_synth.anatomy.ik.setup_files import read_setup, read_tasks
    from spinetrack_synth.anatomy.scale_setup import read_scale_setup
    from spinetrack_synth.motion.trial import request_from_setups

    given = read_setup(setup, markers) if setup else None
    scaling = read_scale_setup(scale_setup) if scale_setup else None
    if static is not None and static.suffix.lower() == ".xml":
        raise UserError(f"{static}: --scale takes a static trial: give a set-up as --scale-setup")
    _check_mass(mass_kg, scales=static is not None or scaling is not None)
    if threads < 1 or check < 0 or (prior_mm is not None and not 0 <= prior_mm < 1e9):
        raise UserError("--threads, --check and --prior take numbers that are not negative")
    wanted = read_tasks(tasks) if tasks else None
    request = dataclasses.replace(
        request_from_setups(given, scaling, model, markers, wanted, marker_sets),
        leave_out=leave_out,
        static=static,
        mass_kg=mass_kg,
        prior_m=None if prior_mm is None else prior_mm / 1000,
        filter_hz=_filter(filter_text),
        engine=engine,
        threads=threads,
    )
    if request.markers is None and scaling is not None and given is None:
        _scale_only(request, scaling, out)
        return
    _fit(request, out or (given.output if given else None), check)


def _fit(request: Request, out: Path | None, check: int) -> None:
    from spinetrack_synth.compiled import ahead
    from spinetrack_synth.motion import fit_files, fit_summary, fitting, opensim_reference
    from spinetrack_synth.motion.trial import prepare

    if request.markers is None:
        raise UserError("no markers: give --markers, or a --setup that names them")
    if out is None:
        raise UserError("nowhere to write: give --out")
    fit_files.check_out(out)
    if request.engine != "opensim":
        ahead.begin("ik")
    trial = prepare(request)
    _note(trial.remarks)
    if check or request.engine == "opensim":
        opensim_reference.tool_input(trial, request.model)  # what it refuses, it refuses at once
    _say(fit_summary.said_of_size(trial.model.person))
    solution = fitting.fit(trial, progress_bar)
    files = fit_files.write_results(trial, solution, out)
    _say(fit_summary.said_of_errors(solution))
    _note(fit_summary.said_of_leaps(solution))
    _say(fit_summary.said_of_constraints(solution, "the fit"))
    _say_files(trial.model, files)
    if check and request.engine == "opensim":
        _note(("OpenSim solved all of it, so there is nothing to check",))
    elif check:
        try:
            checked = opensim_reference.check_against_opensim(trial, solution, out, check)
        except (UserError, ModuleNotFoundError) as error:
            raise UserError(f"the fit is written, but could not be checked: {error}") from None
        _say(fit_summary.said_of_check(trial.tree, solution, checked))


def _scale_only(request: Request, scaling: ScaleSetup, out: Path | None) -> None:
    """Scale a model and place its markers, as OpenSim's ScaleTool does."""
    from spinetrack_synth.motion import fit_files, fit_summary
    from spinetrack_synth.motion.models import open_model
    from spinetrack_synth.motion.trial import as_person

    model = as_person(open_model(request.model, request.marker_sets), request)
    _note(model.person.remarks if model.person else ())
    _say(fit_summary.said_of_size(model.person))
    _say_files(model, fit_files.write_person(model, scaling, out))


def _say(lines: tuple[str, ...]) -> None:
    for line in lines:
        click.echo(line)


def _note(remarks: tuple[str, ...]) -> None:
    for remark in remarks:
        click.echo(f"note: {remark}", err=True)


def _say_files(model: Model, files: tuple[Path, ...]) -> None:
    if model.person is not None and not any(file.suffix == ".osim" for file in files):
        click.echo("the scaled model was not written: that needs the opensim package", err=True)
    if files:
        click.echo(f"wrote {', '.join(map(str, files))}")


def _check_mass(mass_kg: float | None, scales: bool) -> None:
    if mass_kg is not None and not (scales and 0 < mass_kg < float("inf")):
        raise UserError(f"--mass {mass_kg:g}: give a mass in kg, together with --scale")


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

"""The files of a fit: the motion, the marker errors beside it, and the model made a person's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.anatomy.ik import Solution
from spinetrack_synth.anatomy.scale_setup import ScaleSetup
from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion, Residuals
from spinetrack_synth.motion.models import Model, write_model
from spinetrack_synth.motion.storage import write_coordinates
from spinetrack_synth.motion.trial import Trial

NO_MOTIONS: Final = (".trc", ".c3d", ".bvh", ".csv", ".parquet", ".npz", ".osim", ".xml")
"""Endings of other files, among them those that are read: one of them may be overwritten."""


def check_out(out: Path) -> None:
    """Raises UserError where a motion and its errors cannot be meant to be written to ``out``."""
    if out.suffix.lower() in NO_MOTIONS:
        raise UserError(f"{out}: a motion is written: end its name in .mot")
    for path in (out, _errors_beside(out)) if out.name else (out,):
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "no plain file"
            raise UserError(f"{path}: is {kind}: give --out another name")


def write_results(trial: Trial, solution: Solution, out: Path) -> tuple[Path, ...]:
    """Write the motion, the marker errors beside it and, where the model was scaled, the model.

    Returns the files that were written; without the opensim package the model is not.
    """
    written = [out]
    times_s, model = trial.markers.times_s, f"markers of {trial.tree.name}"
    motion = CoordinateMotion(
        trial.tree.coordinates,
        times_s,
        solution.coordinates,
        trial.tree.rotational,
        residuals=Residuals.of_fit(solution.markers, solution.marker_error_m, times_s, model),
    )
    errors = _errors_beside(out)
    if trial.model.person is not None:
        scaled = out.with_name(f"{out.stem}_scaled.osim")
        try:
            write_model(trial.model, scaled)
            written.append(scaled)
        except ModuleNotFoundError:
            pass  # the motion is worth having; the command says that the model is missing
    write_atomic(errors, _error_table(trial, solution))
    write_coordinates(out, motion, trial.tree)
    return (*written, errors)


def write_person(model: Model, setup: ScaleSetup, out: Path | None) -> tuple[Path, ...]:
    """Write the model that a set-up made a person's, and its static pose: the pose to ``out`` and
    the model beside it, or both where the set-up says.

    Raises UserError where neither names a file. Returns the files that were written.
    """
    scaled = out.with_name(f"{out.stem}_scaled.osim") if out else setup.output_model
    motion = out or (setup.placer.output_motion if setup.placer else None)
    if scaled is None:
        raise UserError(f"{setup.path}: names no output_model_file: give --out")
    written = []
    try:
        write_model(model, scaled)
        written.append(scaled)
    except ModuleNotFoundError:
        pass  # the command says that the model is missing
    if motion is not None and model.person is not None and model.person.pose is not None:
        write_coordinates(motion, model.person.pose, model.tree)
        written.append(motion)
    return tuple(written)


def _errors_beside(out: Path) -> Path:
    return out.with_name(f"{out.stem}_marker_errors.csv")


def _error_table(trial: Trial, solution: Solution) -> Iterator[bytes]:
    """CSV: a row a frame with RMS, largest error and its marker, then every marker's error, mm."""
    people = trial.people
    first = ("annotation_id", "subject") if people else ("time_s",)
    yield (",".join((*first, "rms_mm", "max_mm", "worst", *solution.markers)) + "\n").encode()
    rms_mm = 1000 * solution.frame_rms_m
    for frame, error_m in enumerate(solution.marker_error_m):
        row = 1000 * error_m
        seen = np.isfinite(row)
        worst = int(np.nanargmax(row)) if seen.any() else -1
        where = (
            (str(people.annotation_id[frame]), people.subject[frame])
            if people
            else (f"{trial.markers.times_s[frame]:.9g}",)
        )
        said = (
            (f"{rms_mm[frame]:.4f}", f"{row[worst]:.4f}", solution.markers[worst])
            if worst >= 0
            else ("", "", "")
        )
        cells = ("" if x != x else f"{x:.4f}" for x in row.tolist())
        yield (",".join((*where, *said, *cells)) + "\n").encode()

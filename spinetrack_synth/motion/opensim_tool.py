"""The same inverse kinematics by OpenSim's own InverseKinematicsTool."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.ik import CoordinateGoal
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion
from spinetrack_synth.motion.storage import (
    Storage,
    in_degrees_for_opensim,
    read_coordinates,
    write_storage,
)
from spinetrack_synth.motion.trc import write_trc

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ToolInput:
    """What the tool is given: a model file, markers, the weights of those to be tracked, goals."""

    model: Path
    tree: Tree
    markers: MarkerMotion
    weights: Mapping[str, float]
    goals: Sequence[CoordinateGoal] = ()
    accuracy: float = 1e-5


def run_tool(given: ToolInput) -> CoordinateMotion:
    """OpenSim's solution for all frames.

    Raises UserError where OpenSim gives up, ModuleNotFoundError where it is not installed.
    """
    import opensim

    with tempfile.TemporaryDirectory() as name, _quiet(opensim):
        folder = Path(name)
        setup = _write_setup(folder, given)
        try:
            opensim.Model(str(given.model))  # the tool itself crashes on one that does not load
            tool = opensim.InverseKinematicsTool(str(setup))
            tool.setResultsDir(str(folder))
            tool.run()
        except RuntimeError as error:
            raise UserError(f"OpenSim's tool failed: {' '.join(str(error).split())}") from None
        found = read_coordinates(folder / "out.mot", given.tree)
    if len(found.times_s) != len(given.markers.times_s):
        raise UserError(
            f"OpenSim's tool solved {len(found.times_s)} of {len(given.markers.times_s)} frames"
        )
    return found


def write_scaled_model(
    model: Path, tree: Tree, factors: ArrayLike, mass_kg: float | None, out: Path
) -> None:
    """Write the model file scaled body by body by ``factors`` (B, 3), with everything it holds."""
    import opensim

    with _quiet(opensim):
        scaled = opensim.Model(str(model))
        state = scaled.initSystem()
        scales = opensim.ScaleSet()
        for body, row in zip(tree.bodies, np.asarray(factors, dtype=float)):
            scale = opensim.Scale()
            scale.setSegmentName(body)
            scale.setScaleFactors(opensim.Vec3(*row.tolist()))
            scale.setApply(True)
            scales.cloneAndAppend(scale)
        scaled.scale(state, scales, mass_kg is not None, mass_kg or -1.0)
        scaled.printToXML(str(out))


def _write_setup(folder: Path, given: ToolInput) -> Path:
    markers = given.markers
    chosen = [i for i, name in enumerate(markers.names) if given.weights.get(name, 0.0) > 0]
    kept = MarkerMotion(
        tuple(markers.names[i] for i in chosen), markers.times_s, markers.positions_m[:, chosen]
    )
    write_trc(folder / "markers.trc", kept)
    tasks = [
        f"<IKMarkerTask name={quoteattr(name)}><apply>true</apply>"
        f"<weight>{float(given.weights[name])!r}</weight></IKMarkerTask>"
        for name in kept.names
    ]
    tasks += [
        f"<IKCoordinateTask name={quoteattr(goal.coordinate)}><apply>true</apply>"
        f"<weight>{float(goal.weight)!r}</weight><value_type>from_file</value_type></IKCoordinateTask>"
        for goal in given.goals
    ]
    coordinate_file = ""
    if given.goals:
        values = np.column_stack(
            [np.broadcast_to(goal.values, len(markers.times_s)) for goal in given.goals]
        )
        # GCVSplineSet needs more rows than its degree, and reaches beyond neither end.
        times, step = markers.times_s, max(np.median(np.diff(markers.times_s, prepend=-1)), 1e-3)
        before, after = times[0] - step * np.arange(6, 0, -1), times[-1] + step * np.arange(1, 7)
        at = [given.tree.coordinate_index[goal.coordinate] for goal in given.goals]
        turning = in_degrees_for_opensim(given.tree)[at]
        values = np.where(turning, np.degrees(values), values)  # the tool takes degrees for granted
        storage = Storage(
            tuple(goal.coordinate for goal in given.goals),
            np.concatenate([before, times, after]),
            np.concatenate([values[:1].repeat(6, 0), values, values[-1:].repeat(6, 0)]),
        )
        write_storage(folder / "coordinates.mot", storage, "goals")
        coordinate_file = str(folder / "coordinates.mot")
    begin, end = float(markers.times_s[0]), float(markers.times_s[-1])
    setup = folder / "setup.xml"
    setup.write_text(
        '<?xml version="1.0"?><OpenSimDocument Version="40000"><InverseKinematicsTool name="ik">'
        f"<model_file>{Path(given.model).resolve()}</model_file>"
        f"<marker_file>{folder / 'markers.trc'}</marker_file>"
        f"<coordinate_file>{coordinate_file}</coordinate_file>"
        f"<time_range>{begin - 1e-9!r} {end + 1e-9!r}</time_range>"
        f"<accuracy>{given.accuracy!r}</accuracy><report_errors>false</report_errors>"
        f"<output_motion_file>{folder / 'out.mot'}</output_motion_file>"
        f"<IKTaskSet><objects>{''.join(tasks)}</objects></IKTaskSet>"
        "</InverseKinematicsTool></OpenSimDocument>"
    )
    return setup


@contextlib.contextmanager
def _quiet(opensim: Any) -> Iterator[None]:
    """Keep OpenSim's talk off the terminal, its log file out of the working folder, and stay in it.

    The tool changes into its set-up's folder and does not come back when it fails.
    """
    opensim.Logger.setLevelString("Off")
    opensim.Logger.removeFileSink()
    sys.stdout.flush()
    stdout = os.dup(1)
    try:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 1)  # the tool prints its model whatever the logger says
        with contextlib.chdir("."):
            yield
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        os.close(stdout)

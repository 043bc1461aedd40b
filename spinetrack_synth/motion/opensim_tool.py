"""What OpenSim itself does: its InverseKinematicsTool, its scaling, and motions read back by it."""

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
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik import CoordinateGoal
from spinetrack_synth.anatomy.joints import MotionType
from spinetrack_synth.anatomy.model import GROUND, Chain, Stretch, Tree
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

    with tempfile.TemporaryDirectory() as name, quiet(opensim), _told("its tool failed"):
        folder = Path(name)
        setup = _write_setup(folder, given)
        opensim.Model(str(given.model))  # the tool itself crashes on one that does not load
        tool = opensim.InverseKinematicsTool(str(setup))
        tool.setResultsDir(str(folder))
        tool.run()
        found = read_coordinates(folder / "out.mot", given.tree)
    if len(found.times_s) != len(given.markers.times_s):
        raise UserError(
            f"OpenSim's tool solved {len(found.times_s)} of {len(given.markers.times_s)} frames"
        )
    return found


@dataclass(frozen=True)
class Posed:
    """Where OpenSim puts a model when it reads a motion file of F frames.

    ``markers_m`` (F, M, 3) and ``body2world`` (F, B, 4, 4) in the order of the names;
    ``violations`` the largest error of every enforced constraint over the frames, rad or m.
    """

    marker_names: tuple[str, ...]
    markers_m: Array
    body_names: tuple[str, ...]
    body2world: Array
    violations: dict[str, float]


def pose(model_file: Path, motion_file: Path, frames: Sequence[int] | None = None) -> Posed:
    """Read a motion file as OpenSim does and put the model into its ``frames``, all if not given.

    Constraints are not enforced, only measured. Raises UserError where OpenSim cannot read a file,
    ModuleNotFoundError where it is not installed.
    """
    import opensim

    with quiet(opensim), _told("cannot read the motion back"):
        model = opensim.Model(str(model_file))
        state = model.initSystem()
        table = opensim.Storage(str(motion_file))
        if table.isInDegrees():
            model.getSimbodyEngine().convertDegreesToRadians(table)
        coordinates = _items(model.getCoordinateSet())
        constraints = [c for c in _items(model.getConstraintSet()) if c.isEnforced(state)]
        columns = [table.getStateIndex(c.getName()) for c in coordinates]
        for coordinate in coordinates:
            coordinate.setLocked(state, False)
            if coordinate.isPrescribed(state):
                coordinate.setIsPrescribed(state, False)
        slots = _slots(model, state, constraints)
        markers, bodies = _items(model.getMarkerSet()), _items(model.getBodySet())
        rows = range(table.getSize()) if frames is None else frames
        markers_m = np.empty((len(rows), len(markers), 3))
        body2world = np.tile(np.eye(4), (len(rows), len(bodies), 1, 1))
        violated = np.zeros(len(constraints))
        for t, row in enumerate(rows):
            values = table.getStateVector(row).getData()
            for coordinate, column in zip(coordinates, columns):
                if column >= 0:
                    coordinate.setValue(state, values.get(column), False)
            model.realizePosition(state)
            for i, marker in enumerate(markers):
                markers_m[t, i] = marker.getLocationInGround(state).to_numpy()
            for i, body in enumerate(bodies):
                body2world[t, i] = _matrix(body.getTransformInGround(state))
            errors = np.abs(state.getQErr().to_numpy())
            for i, slot in enumerate(slots):
                violated[i] = max(violated[i], errors[slot].max(initial=0.0))
    return Posed(
        tuple(marker.getName() for marker in markers),
        markers_m,
        tuple(body.getName() for body in bodies),
        body2world,
        {c.getName(): float(v) for c, v in zip(constraints, violated)},
    )


def stiff_tree(model_file: Path) -> Tree:
    """A model that only OpenSim can move, stiff in its default pose: coordinates, ranges, markers.

    Raises UserError where OpenSim cannot load it, ModuleNotFoundError where it is not installed.
    """
    import opensim

    with quiet(opensim), _told(f"{model_file}: cannot be loaded"):
        model = opensim.Model(str(model_file))
        state = model.initSystem()
        model.realizePosition(state)
        coordinates, markers, bodies = (
            _items(of)
            for of in (model.getCoordinateSet(), model.getMarkerSet(), model.getBodySet())
        )
        types: dict[int, MotionType] = {
            opensim.Coordinate.Rotational: "Rotational",
            opensim.Coordinate.Translational: "Translational",
        }
        motion_type = tuple(types.get(c.getMotionType(), "Coupled") for c in coordinates)
        names = tuple(c.getName() for c in coordinates)
        moves = [not c.getLocked(state) and not c.isPrescribed(state) for c in coordinates]
        body_names = tuple(body.getName() for body in bodies)
        body2world = np.array([_matrix(body.getTransformInGround(state)) for body in bodies])
        # Wherever a marker hangs, in its default place it is fixed to ground for us.
        places = [marker.getLocationInGround(state).to_numpy() for marker in markers]
        at = np.array([c.getDefaultValue() for c in coordinates], dtype=float)
        return Tree(
            name=model.getName(),
            bodies=body_names,
            stands_for=np.arange(len(body_names)),
            coordinates=names,
            rotational=np.array([kind == "Rotational" for kind in motion_type], dtype=bool),
            motion_type=motion_type,
            lower=np.array([c.getRangeMin() for c in coordinates], dtype=float),
            upper=np.array([c.getRangeMax() for c in coordinates], dtype=float),
            clamped=np.array([c.getDefaultClamped() for c in coordinates], dtype=bool),
            default_coordinates=at,
            free=tuple(name for name, moving in zip(names, moves) if moving),
            coupling=np.eye(len(names))[:, np.array(moves, dtype=bool)],
            offset=np.where(moves, 0.0, at),
            steps=(),
            ties=(),
            marker_names=tuple(marker.getName() for marker in markers),
            marker_body=np.full(len(markers), GROUND, dtype=np.int64),
            marker_offset_m=np.array(places).reshape(-1, 3),
            frame_names=(),
            frame_body=np.zeros(0, dtype=np.int64),
            frame_in_body=np.zeros((0, 4, 4)),
            mass_kg=np.array([body.getMass() for body in bodies], dtype=float),
            mass_center_m=np.array([body.getMassCenter().to_numpy() for body in bodies]),
            chain=_welded(body2world.reshape(-1, 4, 4)),
            stretch=Stretch(np.zeros(0, dtype=np.int64), np.zeros((0, 3))),
        )


def _welded(body2world: Array) -> Chain:
    """The chain of bodies (B, 4, 4) that are fixed to ground."""
    count = len(body2world)
    return Chain(
        parent=np.full(count, GROUND, dtype=np.int64),
        turned=np.zeros(count, dtype=np.bool_),
        joint_in_parent=body2world,
        child_in_joint=np.tile(np.eye(4), (count, 1, 1)),
        axis_start=np.zeros(count + 1, dtype=np.int64),
        axis_is_rotation=np.zeros(0, dtype=np.bool_),
        axis_direction=np.zeros((0, 3)),
        axis_coordinate=np.zeros(0, dtype=np.int64),
        piece_start=np.zeros(1, dtype=np.int64),
        piece_knot=np.zeros(0),
        piece_coefficient=np.zeros((0, 2)),
    )


def _items(of: Any) -> list[Any]:
    return [of.get(i) for i in range(of.getSize())]


def _matrix(transform: Any) -> Array:
    """OpenSim's transform as (4, 4)."""
    matrix, rotation = np.eye(4), transform.R().asMat33()
    matrix[:3, :3] = [[rotation.get(i, j) for j in range(3)] for i in range(3)]
    matrix[:3, 3] = transform.p().to_numpy()
    return matrix


def _slots(model: Any, state: Any, constraints: list[Any]) -> list[slice]:
    """Where each constraint's errors stand in the state's: one after another, in their order."""
    for constraint in constraints:
        constraint.setIsEnforced(state, False)
    sizes = []
    for constraint in constraints:
        constraint.setIsEnforced(state, True)
        model.realizePosition(state)
        sizes.append(state.getQErr().size())
    ends = [0, *sizes]
    return [slice(begin, end) for begin, end in zip(ends, ends[1:])]


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
def _told(what: str) -> Iterator[None]:
    """OpenSim's exceptions as one line."""
    try:
        yield
    except RuntimeError as error:
        raise UserError(f"OpenSim: {what}: {' '.join(str(error).split())}") from None


@contextlib.contextmanager
def quiet(opensim: Any) -> Iterator[None]:
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

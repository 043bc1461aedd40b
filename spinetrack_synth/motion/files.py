"""Motion files by their endings: one call to read any, one to write any."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion import bvh, c3d, points
from spinetrack_synth.motion.axes import Convention
from spinetrack_synth.motion.data import (
    CoordinateMotion,
    JointMotion,
    MarkerMotion,
    Motion,
    odd_rate,
)
from spinetrack_synth.motion.model_motion import as_bvh, marker_motion
from spinetrack_synth.motion.rendered_people import read_rendered_people
from spinetrack_synth.motion.retargeting import retarget
from spinetrack_synth.motion.skeletons import Skeleton, known_skeletons, own_skeletons
from spinetrack_synth.motion.storage import read_coordinates, write_coordinates
from spinetrack_synth.motion.trc import read_trc, write_trc
from spinetrack_synth.motion.unit_and_axis_detection import finder

READ: Final = (".trc", ".c3d", ".bvh", ".mot", ".sto", ".csv", ".parquet", ".npz")
WRITTEN: Final = (".trc", ".mot", ".sto", ".bvh", ".csv")


def read_motion(
    path: str | Path,
    tree: Tree,
    *,
    unit: str | None = None,
    axes: str | None = None,
    rate_hz: float = Convention.rate_hz,
    coordinates: bool = False,
    skeleton: Skeleton | None = None,
) -> Motion:
    """Read a motion file of any kind, in the world's axes, metres and rad.

    ``unit`` and ``axes`` (see `axes`) overrule what the file tells and what its figure shows, that
    of ``skeleton`` or of the table that fits; what was found is told in the motion's notes.
    ``rate_hz`` counts where a file numbers frames and tells no time. A ground
    truth of rendered people is their keypoints, a frame a person, or with ``coordinates`` the
    coordinates that posed them.

    Raises UserError where the ending is unknown or the file cannot be read.
    """
    path = Path(path)
    ending = _ending(path, READ)
    if not (rate_hz > 0 and np.isfinite(rate_hz)):
        raise UserError(f"rate {rate_hz:g}: give frames a second, above 0")
    motion = _read(path, ending, tree, Convention(unit, axes, rate_hz), coordinates, skeleton)
    return replace(motion, notes=(*motion.notes, *odd_rate(motion.times_s)))


def _read(
    path: Path,
    ending: str,
    tree: Tree,
    told: Convention,
    coordinates: bool,
    skeleton: Skeleton | None,
) -> Motion:
    skeletons = (skeleton,) if skeleton else (*own_skeletons(tree), *known_skeletons())
    convention = replace(told, find=finder(skeletons))
    if ending == ".trc":
        return read_trc(path, convention)
    if ending == ".c3d":
        return c3d.read_c3d(path, convention)
    if ending == ".bvh":
        return bvh.joint_motion(bvh.read_bvh(path), convention, str(path))
    if ending in (".mot", ".sto"):
        return read_coordinates(path, tree)
    if ending == ".npz":
        names_of = {len(s.order): s.order for s in known_skeletons() if s.order}
        return points.read_archive(path, names_of, convention)
    if ending == ".parquet" and is_rendered(path):
        people = read_rendered_people(path, tree)
        return _posed(path, tree) if coordinates else people.markers
    table = points.read_table(path)
    return points.coordinates_from_table(
        table, tree, str(path), told.rate_hz
    ) or points.points_from_table(table, str(path), convention)


def write_motion(
    path: str | Path,
    motion: Motion,
    tree: Tree,
    *,
    skeleton: Skeleton | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Motion:
    """Write a motion in the format of the path's ending, and return it as it was written.

    Coordinates become markers through the model, markers and joints become coordinates by
    retargeting, with ``skeleton`` or the table that fits. A CSV file holds what the motion is.

    Raises UserError where the ending is unknown, no table fits, or the disk refuses.
    """
    path = Path(path)
    ending = _ending(path, WRITTEN)
    if holds_coordinates(path):
        if not isinstance(motion, CoordinateMotion):
            motion = retarget(motion, tree, skeleton, progress)
        if ending == ".bvh":
            bvh.write_bvh(path, as_bvh(tree, motion))
        else:
            write_coordinates(path, motion, tree)
    elif ending == ".csv" and isinstance(motion, CoordinateMotion):
        points.write_coordinate_table(path, motion)
    else:
        motion = _as_markers(motion, tree)
        (points.write_points if ending == ".csv" else write_trc)(path, motion)
    return motion


def _as_markers(motion: Motion, tree: Tree) -> MarkerMotion:
    if isinstance(motion, CoordinateMotion):
        return marker_motion(tree, motion)
    return motion.markers if isinstance(motion, JointMotion) else motion


def holds_coordinates(path: Path) -> bool:
    """Whether a format holds coordinates and no points."""
    return path.suffix.lower() in (".mot", ".sto", ".bvh")


def _posed(path: Path, tree: Tree) -> CoordinateMotion:
    """The coordinates of rendered people, a frame a person."""
    import pyarrow.parquet as pq

    values = np.array(pq.read_table(path, columns=["coordinates"])["coordinates"].to_pylist())
    times_s = np.arange(len(values), dtype=float)
    return CoordinateMotion(tree.coordinates, times_s, values, tree.rotational, str(path))


def is_rendered(path: Path) -> bool:
    """Whether a Parquet file is the ground truth of a dataset."""
    if path.suffix.lower() != ".parquet":
        return False
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return "keypoints_world" in pq.read_schema(path).names
    except (OSError, pa.ArrowException):
        return False


def _ending(path: Path, known: tuple[str, ...]) -> str:
    ending = path.suffix.lower()
    if ending not in known:
        near = difflib.get_close_matches(ending, known, n=1, cutoff=0.5)
        hint = f", did you mean {near[0]}?" if near else ""
        raise UserError(f"{path}: no motion format ends in '{ending}'{hint} ({' '.join(known)})")
    return ending

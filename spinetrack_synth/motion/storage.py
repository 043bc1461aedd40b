"""OpenSim's tables over time: motions (.mot) and storages (.sto)."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion
from spinetrack_synth.motion.text import read_table, stream_lines

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Storage:
    """A table as it stands in the file: ``labels`` without time, ``times_s`` (F,), ``values``
    (F, n), angles in degrees where ``in_degrees``."""

    labels: tuple[str, ...]
    times_s: Array
    values: Array
    in_degrees: bool = True


def read_storage(path: Path) -> Storage:
    """Read a .mot or .sto file. A header that does not tell means degrees, as in OpenSim.

    Raises UserError, with the line, where the file is damaged.
    """
    stream = stream_lines(path)
    lines = list(takewhile(lambda line: line.strip().lower() != "endheader", stream))
    titles = next(stream, None)
    if titles is None:
        raise UserError(f"{path}: no 'endheader' and table: give a motion (.mot) or storage (.sto)")
    header = [line.partition("=") for line in lines]
    known = {key.strip().lower(): value.strip().lower() for key, _, value in header}
    labels = titles.split("\t") if "\t" in titles else titles.split()
    labels = [label.strip() for label in labels if label.strip()]
    if not labels or labels[0].lower() != "time":
        raise UserError(f"{path}, line {len(lines) + 2}: the first column must be 'time'")
    table = read_table(stream, len(labels), path, first=len(lines) + 3)
    if not len(table):
        raise UserError(f"{path}: holds no rows")
    if np.any(np.diff(table[:, 0]) < 0):
        row = int(np.argmax(np.diff(table[:, 0]) < 0)) + 1
        raise UserError(f"{path}, row {row + 1}: its time lies before that of the row above")
    in_degrees = known.get("indegrees", "yes") == "yes"
    return Storage(tuple(labels[1:]), table[:, 0], table[:, 1:], in_degrees)


def write_storage(path: Path, storage: Storage, name: str) -> None:
    """Write a table that OpenSim reads. Raises UserError where the disk refuses."""
    header = (
        f"{name}\nversion=1\nnRows={len(storage.times_s)}\nnColumns={len(storage.labels) + 1}\n"
        f"inDegrees={'yes' if storage.in_degrees else 'no'}\nendheader\n"
    )

    def content() -> Iterator[bytes]:
        yield (header + "\t".join(("time", *storage.labels)) + "\n").encode()
        for time_s, row in zip(storage.times_s.tolist(), storage.values):
            yield ("\t".join(f"{x:.10g}" for x in [time_s, *row.tolist()]) + "\n").encode()

    write_atomic(path, content())


def read_coordinates(path: Path, tree: Tree) -> CoordinateMotion:
    """The columns of a .mot or .sto file that are coordinates of the model, in rad and m.

    In a file in degrees only `in_degrees_for_opensim` coordinates are, as OpenSim has it. States
    ("/jointset/hip_r/hip_flexion_r/value") count as their coordinate, other columns are left out.
    Raises UserError where there is none.
    """
    storage = read_storage(path)
    names = [_coordinate_name(label) for label in storage.labels]
    columns = [i for i, name in enumerate(names) if name in tree.coordinate_index]
    if not columns:
        near = difflib.get_close_matches(storage.labels[0], tree.coordinates, n=1, cutoff=0.0)
        raise UserError(
            f"{path}: none of its {len(names)} columns is a coordinate of {tree.name}; "
            f"nearest to '{storage.labels[0]}': '{near[0]}'"
        )
    chosen = tuple(names[i] for i in columns)
    rotational = np.array([tree.rotational[tree.coordinate_index[name]] for name in chosen])
    values = storage.values[:, columns]
    if storage.in_degrees:
        turning = in_degrees_for_opensim(tree)
        turning = turning[[tree.coordinate_index[name] for name in chosen]]
        values = np.where(turning, np.radians(values), values)
    return CoordinateMotion(chosen, storage.times_s, values, rotational, str(path))


def write_coordinates(path: Path, motion: CoordinateMotion, tree: Tree) -> None:
    """Write coordinates of the model as a .mot file that OpenSim reads as it was meant.

    In degrees, as OpenSim's own tools write. Where a free coordinate is one that OpenSim would not
    convert (the regional masters of the project's model), the file is in radians and says so.
    """
    at = [tree.coordinate_index[name] for name in motion.names]
    turning = in_degrees_for_opensim(tree)[at]
    is_free = np.isin(motion.names, tree.free)
    in_degrees = not np.any(is_free & motion.rotational & ~turning)
    values = (
        motion.values * np.where(turning, np.degrees(1.0), 1.0) if in_degrees else motion.values
    )
    storage = Storage(motion.names, motion.times_s, values, in_degrees)
    write_storage(path, storage, "Coordinates")


def in_degrees_for_opensim(tree: Tree) -> NDArray[np.bool_]:
    """Coordinates (n,) of OpenSim's motion type Rotational: those it converts from degrees.

    Of the others, "Coupled" to a scaled or curved motion or "Translational" beside a rotation, it
    converts no value between degrees and radians, whatever a file's header says.
    """
    return np.array([motion_type == "Rotational" for motion_type in tree.motion_type], dtype=bool)


def _coordinate_name(label: str) -> str:
    steps = label.split("/")
    if steps[-1] == "value":
        return steps[-2]
    return "" if steps[-1] == "speed" else steps[-1]

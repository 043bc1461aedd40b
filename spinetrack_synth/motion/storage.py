"""OpenSim's tables over time: motions (.mot) and storages (.sto)."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion, Residuals
from spinetrack_synth.motion.text import check_range, read_table, said_and_found, stream_lines

Array = NDArray[np.float64]


NOT_COORDINATES: Final = frozenset({
    "speeds", "velocities", "accelerations", "positionerrors", "actuatorforces", "actuatorspeeds",
    "actuatorpowers", "modelforces", "modelprobes", "static optimization", "controls",
    "inverse dynamics", "inverse dynamics generalized forces", "joint reaction loads",
})  # fmt: skip
"""Names of OpenSim's results whose columns may be called as coordinates but are something else."""

TURNS_RAD: Final = 4 * np.pi
"""No angle lies so far beyond the range of its coordinate: it is no angle in radians."""

SOLVED_RAD: Final = 1.0
"""The same for a coordinate that OpenSim solved, which it holds within its range."""

BEYOND_RAD: Final = np.radians(20.0)
"""Further beyond its range a coordinate is hardly that of this model."""

FAR_M: Final = 100.0
FAR_RAD: Final = 200 * np.pi
"""Hardly anybody is recorded so far from the origin, or turning so often."""

SMALL_DEG: Final = 4.0
"""Angles of a whole moving body that nowhere exceed it may be radians."""


@dataclass(frozen=True)
class Storage:
    """A table as it stands in the file: ``labels`` without time, ``times_s`` (F,), ``values``
    (F, n), angles in degrees where ``in_degrees``; ``name`` its first line, ``header`` the keys of
    the others in lower case; ``notes`` on what is odd about it."""

    labels: tuple[str, ...]
    times_s: Array
    values: Array
    in_degrees: bool = True
    name: str = ""
    header: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_storage(path: Path) -> Storage:
    """Read a .mot or .sto file, those of SIMM as well.

    Angles are in degrees as OpenSim has it: where the header says so (``inDegrees=yes``, ``Angles
    are in degrees.``), and in a .mot file without a ``version``; otherwise in radians. Where there
    is no column of time, rows are spread evenly over the header's ``range``.
    Raises UserError, with the line, where the file is damaged.
    """
    stream = stream_lines(path)
    lines = list(takewhile(lambda line: line.strip().lower() != "endheader", stream))
    first = len(lines) + 2
    titles = next(stream, None)
    while titles is not None and not titles.strip():
        titles, first = next(stream, None), first + 1
    if titles is None:
        raise UserError(f"{path}: no 'endheader' and table: give a motion (.mot) or storage (.sto)")
    header = _header(lines)
    if header.get("datatype", "double") != "double":
        raise UserError(f"{path}: holds {header['datatype']} in every field, and no coordinates")
    labels = titles.split("\t") if "\t" in titles else titles.split()
    labels = [label.strip() for label in labels if label.strip()]
    table = read_table(stream, len(labels), path, first=first + 1)
    if not len(table):
        raise UserError(f"{path}: holds no rows")
    clock = next((i for i, label in enumerate(labels) if label.lower() == "time"), None)
    times_s = _times(path, first, len(table), header) if clock is None else table[:, clock]
    if not np.all(np.isfinite(times_s)) or np.any(np.diff(times_s) < 0):
        row = int(np.argmax(~np.isfinite(times_s) | (np.diff(times_s, prepend=-np.inf) < 0)))
        raise UserError(f"{path}, row {row + 1}: its time lies before that of the row above")
    others = [i for i in range(len(labels)) if i != clock]
    in_degrees, notes = _in_degrees(path, lines, header)
    for what, found, keys in (
        ("rows", len(table), ("nrows", "nr", "datarows")),
        ("columns", len(labels), ("ncolumns", "nc", "datacolumns")),
    ):
        told = next((header[key] for key in keys if key in header), None)
        notes += said_and_found(told, found, what)
    name = next((line.strip() for line in lines if line.strip()), "").strip('"')
    name = name.removeprefix("name ").removeprefix("name=").strip()
    chosen = tuple(labels[i] for i in others)
    return Storage(chosen, times_s, table[:, others], in_degrees, name, header, notes)


def _header(lines: Sequence[str]) -> dict[str, str]:
    """Keys and values, parted by an equals sign or, as in SIMM's files, by blanks."""
    header: dict[str, str] = {}
    for line in lines:
        key, equals, value = line.partition("=")
        if not equals:
            key, _, value = line.strip().partition(" ")
        header.setdefault(key.strip().lower(), value.strip())
    return header


def _times(path: Path, line: int, rows: int, header: Mapping[str, str]) -> Array:
    try:
        start, end = (float(word) for word in header["range"].split())
    except (KeyError, ValueError):
        raise UserError(
            f"{path}, line {line}: the first column must be 'time' (or the header give a range)"
        ) from None
    return np.linspace(start, end, rows)


def _in_degrees(
    path: Path, lines: Sequence[str], header: Mapping[str, str]
) -> tuple[bool, tuple[str, ...]]:
    """Whether angles are in degrees by OpenSim's rules, and a note where they are at odds."""
    said: bool | None = None
    for line in lines:
        sentence = line.strip().lower()
        if sentence in ("angles are in degrees.", "angles are in radians."):
            said = "degrees" in sentence
    if "indegrees" in header:
        said = header["indegrees"].lower() in ("yes", "y", "true")
    unversioned = path.suffix.lower() == ".mot" and "version" not in header
    if said is None:
        return unversioned, ()
    if unversioned and not said:
        return said, (
            "its header says radians but gives no version: OpenSim takes such a .mot file for "
            "degrees; add the line version=1",
        )
    return said, ()


def write_storage(path: Path, storage: Storage, name: str) -> None:
    """Write a table that OpenSim reads, with the keys of its header that OpenSim leaves alone.

    Raises UserError where the disk refuses.
    """
    header = (
        f"{name}\nversion=1\nnRows={len(storage.times_s)}\nnColumns={len(storage.labels) + 1}\n"
        f"inDegrees={'yes' if storage.in_degrees else 'no'}\n"
        + "".join(f"{key}={value}\n" for key, value in storage.header.items())
        + "endheader\n"
    )

    def content() -> Iterator[bytes]:
        yield (header + "\t".join(("time", *storage.labels)) + "\n").encode()
        for time_s, row in zip(storage.times_s.tolist(), storage.values):
            yield ("\t".join(f"{x:.10g}" for x in [time_s, *row.tolist()]) + "\n").encode()

    write_atomic(path, content())


def read_coordinates(path: Path, tree: Tree) -> CoordinateMotion:
    """The columns of a .mot or .sto file that are coordinates of the model, in rad and m.

    In a file in degrees that holds all of the model's coordinates, as OpenSim writes them, only
    `in_degrees_for_opensim` coordinates are in degrees, as OpenSim has it; in one that does not,
    which somebody or another model made, all angles are. States
    ("/jointset/hip_r/hip_flexion_r/value") count as their coordinate, other columns are left out.
    Raises UserError where there is none, where they are something else than coordinates (speeds,
    forces), and for values that no angle or length has.
    """
    storage = read_storage(path)
    names = [_coordinate_name(label) for label in storage.labels]
    columns = [i for i, name in enumerate(names) if name in tree.coordinate_index]
    if not storage.labels:
        raise UserError(f"{path}: has no column but the time")
    if not columns:
        near = difflib.get_close_matches(storage.labels[0], tree.coordinates, n=1, cutoff=0.0)
        raise UserError(
            f"{path}: none of its {len(names)} columns is a coordinate of {tree.name}; "
            f"nearest to '{storage.labels[0]}': '{near[0]}'"
        )
    if storage.name.lower() in NOT_COORDINATES:
        raise UserError(f"{path}: holds {storage.name}, by its first line, and no coordinates")
    chosen = tuple(names[i] for i in columns)
    twice = next((name for name in chosen if chosen.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{path}: coordinate '{twice}' stands in two columns: remove one")
    at = [tree.coordinate_index[name] for name in chosen]
    values = storage.values[:, columns]
    check_range(values, chosen, str(path))
    if not np.all(np.isfinite(values)):
        row, column = (int(i[0]) for i in np.nonzero(~np.isfinite(values)))
        raise UserError(f"{path}, row {row + 1}: {chosen[column]} has no value")
    left_out = [
        storage.labels[i]
        for i, name in enumerate(names)
        if name and i not in columns and "/" not in storage.labels[i]
    ]
    notes = list(storage.notes)
    if left_out:
        notes.append(
            f"{len(columns)} of its columns are coordinates of {tree.name}; left out: "
            f"{', '.join(left_out[:6])}{', ...' if len(left_out) > 6 else ''}"
        )
    rotational = tree.rotational[at]
    if storage.in_degrees:
        turning, said = _in_degrees_here(tree, chosen, values)
        notes += said
        notes += small_angles(values[:, rotational])
        values = np.where(turning, np.radians(values), values)
    else:
        _refuse_degrees(path, tree, chosen, values, storage)
    notes += odd_values(tree, chosen, values)
    residuals = residuals_of(storage.header)
    return CoordinateMotion(
        chosen, storage.times_s, values, rotational, str(path), tuple(notes), residuals
    )


def _in_degrees_here(
    tree: Tree, names: Sequence[str], values: Array
) -> tuple[NDArray[np.bool_], list[str]]:
    """Which columns of a file in degrees are (n,), and what there is to say of the others."""
    at = [tree.coordinate_index[name] for name in names]
    rotational = tree.rotational[at]
    turning = in_degrees_for_opensim(tree)[at]
    coupled = rotational & ~turning
    if not coupled.any():
        return turning, []
    is_complete = set(tree.coordinates) <= set(names)
    if is_complete and not _impossible(tree, names, values, SOLVED_RAD)[coupled].any():
        return turning, []
    told = ", ".join(name for name, is_so in zip(names, coupled) if is_so)
    why = (
        "they are beyond every range in radians"
        if is_complete
        else f"it has {len(names)} of the {len(tree.coordinates)} coordinates of {tree.name}, "
        "so another model's or selected by hand"
    )
    return rotational, [
        f"read as degrees, as the file says: {told}; {why}. OpenSim would take them for radians "
        "with this model. If the file is of another model, give its .osim as --model"
    ]


def _impossible(
    tree: Tree, names: Sequence[str], values: Array, beyond_rad: float
) -> NDArray[np.bool_]:
    """Columns (n,) with angles that in radians would lie so far beyond the coordinate's range."""
    at = [tree.coordinate_index[name] for name in names]
    held = tree.rotational[at] & tree.clamped[at]
    beyond = np.maximum(tree.lower[at] - values, values - tree.upper[at]).max(axis=0)
    impossible: NDArray[np.bool_] = held & (beyond > beyond_rad)
    return impossible


def _refuse_degrees(
    path: Path, tree: Tree, names: Sequence[str], values: Array, storage: Storage
) -> None:
    impossible = _impossible(tree, names, values, TURNS_RAD)
    if impossible.any():
        column = int(np.argmax(impossible))
        largest = values[np.argmax(np.abs(values[:, column])), column]
        why = "says so" if "indegrees" in storage.header else "has no line inDegrees=yes"
        raise UserError(
            f"{path}: its angles are radians for OpenSim, since its header {why}, but "
            f"{names[column]} reaches {largest:.4g}: if they are degrees, write inDegrees=yes"
        )


def small_angles(angles_deg: Array) -> list[str]:
    """A note where angles (F, n) that are told to be degrees may be radians."""
    largest = np.abs(angles_deg).max(initial=0.0)
    moving = int(np.sum(np.ptp(angles_deg, axis=0) > 0)) if angles_deg.size else 0
    if moving < 5 or largest > SMALL_DEG:
        return []
    return [
        f"taken for degrees, its angles nowhere exceed {largest:.2g}: they may be radians (a "
        "header tells so by inDegrees=no, a column of a table by its ending _rad)"
    ]


def odd_values(tree: Tree, names: Sequence[str], values: Array) -> list[str]:
    """Notes on coordinates (F, n), in rad and m, that go further than anybody, or far beyond their
    ranges in the model."""
    at = [tree.coordinate_index[name] for name in names]
    turns = tree.rotational[at]
    held = turns & tree.clamped[at]
    largest = np.abs(values).max(axis=0)
    notes = []
    for column in np.flatnonzero(~turns & (largest > FAR_M))[:1]:
        notes.append(
            f"{names[column]} reaches {largest[column]:.4g} m: coordinates that slide are metres"
        )
    for column in np.flatnonzero(turns & ~held & (largest > FAR_RAD))[:1]:
        notes.append(f"{names[column]} turns {largest[column] / (2 * np.pi):.4g} times round")
    beyond = np.where(held, np.maximum(tree.lower[at] - values, values - tree.upper[at]), 0.0)
    worst = beyond.max(axis=0)
    column = int(np.argmax(worst))
    if worst[column] > BEYOND_RAD:
        notes.append(
            f"{names[column]} goes {np.degrees(worst[column]):.0f} degrees beyond its range in "
            f"{tree.name}: in the model it is of, it may turn the other way or start elsewhere; "
            "give that one's .osim as --model"
        )
    return notes


def write_coordinates(path: Path, motion: CoordinateMotion, tree: Tree) -> None:
    """Write coordinates of the model as a .mot file that OpenSim reads as it was meant.

    In degrees, as OpenSim's own tools write. Where a free coordinate is one that OpenSim would not
    convert (the regional masters of the project's model), the file is in radians and says so.
    The header keeps the motion's residuals, where it has any, under keys that OpenSim passes over.
    """
    at = [tree.coordinate_index[name] for name in motion.names]
    turning = in_degrees_for_opensim(tree)[at]
    is_free = np.isin(motion.names, tree.free)
    in_degrees = not np.any(is_free & motion.rotational & ~turning)
    values = (
        motion.values * np.where(turning, np.degrees(1.0), 1.0) if in_degrees else motion.values
    )
    header = {} if motion.residuals is None else header_of(motion.residuals)
    storage = Storage(motion.names, motion.times_s, values, in_degrees, header=header)
    write_storage(path, storage, "Coordinates")


_PREFIX: Final = "fit_"


def header_of(residuals: Residuals) -> dict[str, str]:
    """Residuals as keys and values of a file's header."""
    header = {}
    for key, value in asdict(residuals).items():
        if value != "":
            text = f"{value:.6g}" if isinstance(value, float) else str(value)
            header[_PREFIX + key] = " ".join(text.split()).replace("=", " ")
    return header


def residuals_of(header: Mapping[str, str]) -> Residuals | None:
    """Residuals from a file's header, None where it has none or they are damaged."""
    known = {"str": str, "int": int, "float": float}
    found: dict[str, Any] = {}
    try:
        for part in fields(Residuals):
            if _PREFIX + part.name in header:
                found[part.name] = known[str(part.type)](header[_PREFIX + part.name])
        return Residuals(**found)
    except (TypeError, ValueError):
        return None


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
    # An actuator ("/forceset/knee_angle_r") may be called as the coordinate that it moves.
    return "" if steps[-1] == "speed" or "forceset" in steps else steps[-1]

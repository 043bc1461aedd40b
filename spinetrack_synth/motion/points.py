"""Points and coordinates in plain tables: CSV, Parquet and NumPy archives.

A table is wide (``time``, then ``nose_x nose_y nose_z`` or ``nose_x_mm`` ... for each point) or
long (``frame`` or ``time``, ``name``, ``x``, ``y``, ``z``). An archive holds ``positions`` (or
``keypoints``, ``joints``) (F, J, 3) and, if it likes, ``names``, ``times`` or ``fps``, ``unit``.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import (
    AS_TOLD,
    METRES,
    Convention,
    Figure,
    Told,
    metres,
    unit_called,
)
from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion
from spinetrack_synth.motion.storage import odd_values, small_angles
from spinetrack_synth.motion.text import (
    check_range,
    ends_with_line_break,
    read_lines,
    refuse_cut_number,
)

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
Stored = NDArray[Any]  # of whatever type a file holds

_WIDE: Final = re.compile(
    r"(?P<name>.+?)[_.: ](?P<axis>[xyzXYZ])(?:[_ ]?[\[(]?(?P<unit>um|mm|cm|m|in|ft)[\])]?)?"
)
_COORDINATE: Final = re.compile(r"(?P<name>.+?)(?:_(?P<unit>deg|rad|m|mm|cm))?")
_NAME_COLUMNS: Final = ("name", "keypoint", "marker", "joint", "bone", "point")
_TIME_COLUMNS: Final = ("time", "time_s", "t", "timestamp")
_LIKE_TIME: Final = re.compile(
    r"(time|timestamp|t)[ _.]?[\[(]?(s|secs?|seconds|ms|msec|us|ns|min)[\])]?|seconds|ms|msec"
)
"""Columns that tell times in a unit of their own."""
_FRAME_COLUMNS: Final = ("frame", "frame_id", "index")
_POSITION_ARRAYS: Final = ("positions", "keypoints", "joints", "positions_m", "keypoints_3d")


def read_table(path: Path) -> pd.DataFrame:
    """A CSV or Parquet file; fields of a CSV file lie between commas, semicolons or tabs.

    Raises UserError where it cannot be read, or where a row has another number of fields than the
    first has, as the last one of a file that was cut off.
    """
    import pandas as pd

    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        lines = read_lines(path)
        separator = _check_rows(path, lines)
        return pd.read_csv(
            io.StringIO("\n".join(lines)),
            skipinitialspace=True,
            index_col=False,
            sep=separator,
            decimal="," if separator == ";" and _decimal_commas(lines) else ".",
        )
    except (ValueError, OSError, pd.errors.ParserError) as error:
        raise UserError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None


def _check_rows(path: Path, lines: list[str]) -> str:
    """The separator of a CSV file's fields; raises UserError where a row lacks some."""
    filled = [(k, line) for k, line in enumerate(lines, start=1) if line.strip(" ,;\t")]
    if not filled:
        raise UserError(f"{path}: is empty")
    title = filled[0][1]
    separator = max(",;\t", key=title.count)
    open_end = not ends_with_line_break(path)
    if any('"' in line for _, line in filled):
        return separator  # a quoted field may hold separators
    titles = [name.strip() for name in title.rstrip(separator).split(separator)]
    twice = next((name for name in titles if name and titles.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{path}, line {filled[0][0]}: column '{twice}' stands twice")
    columns = len(titles)
    for k, line in filled[1:]:
        fields = line.count(separator) + 1
        if line.rstrip(f"{separator} ").count(separator) >= title.count(separator) + 1:
            raise UserError(f"{path}, line {k}: {fields} fields, expected {columns}")
        if fields < columns:
            if open_end and k == filled[-1][0]:
                raise UserError(
                    f"{path}, line {k}: the file ends within this row ({fields} of {columns} "
                    "fields, no line break): it is cut off; take out the row to read the rest"
                )
            raise UserError(f"{path}, line {k}: {fields} fields, expected {columns}")
    if open_end and len(filled) > 3:
        above, last = (line.split(separator) for _, line in filled[-2:])
        column = [_float(line.rpartition(separator)[2]) for _, line in filled[1:]]
        refuse_cut_number(np.array(column), above, last, path)
    return separator


def _decimal_commas(lines: list[str]) -> bool:
    return any("," in line for line in lines[1:3])


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def points_from_table(
    table: pd.DataFrame, source: str, convention: Convention = AS_TOLD
) -> MarkerMotion:
    """Points of a wide or long table. Raises UserError, with the column, where it is neither."""
    kinds = {str(column).strip().lower(): column for column in table.columns}
    name_column = next((kinds[key] for key in _NAME_COLUMNS if key in kinds), None)
    if name_column is not None and {"x", "y", "z"} <= kinds.keys():
        return _long(table, kinds, name_column, source, convention)
    columns: dict[str, dict[str, Any]] = {}
    units = set()
    for column in table.columns:
        match = _WIDE.fullmatch(str(column).strip())
        if match is not None:
            columns.setdefault(match["name"], {})[match["axis"].lower()] = column
            units.add(match["unit"])
    names = tuple(columns)
    if not names:
        raise UserError(
            f"{source}: no points: name columns nose_x, nose_y, nose_z, or name, x, y, z"
        )
    for name, found in columns.items():
        if set(found) != set("xyz"):
            lacking = ", ".join(f"{name}_{axis}" for axis in "xyz" if axis not in found)
            raise UserError(f"{source}: point '{name}' lacks the column {lacking}")
    told = units - {None}
    if len(units) > 1:
        raise UserError(f"{source}: its columns mix units: give every one the same")
    values = np.stack(
        [[_numbers(table, columns[name][axis], source) for axis in "xyz"] for name in names]
    )
    times_s = _times(table, kinds, source, convention.rate_hz)
    unit = told.pop() if told else None
    return _placed(names, times_s, values.transpose(2, 0, 1), unit, source, convention)


def _placed(
    names: tuple[str, ...],
    times_s: Array,
    positions: Array,
    unit: str | None,
    source: str,
    convention: Convention,
) -> MarkerMotion:
    """Positions (F, P, 3) of a file that tells ``unit`` or None, in the world."""
    frame = convention.frame(Figure(names, positions), Told(unit=unit))
    positions_m = positions @ frame.to_world.T * frame.metres
    return MarkerMotion(names, times_s, positions_m, source, frame.notes)


def _long(
    table: pd.DataFrame,
    kinds: Mapping[str, Any],
    name_column: Any,
    source: str,
    convention: Convention,
) -> MarkerMotion:
    moment = next((kinds[k] for k in (*_FRAME_COLUMNS, *_TIME_COLUMNS) if k in kinds), None)
    if moment is None:
        raise UserError(f"{source}: has no column frame or time")
    moments, row = np.unique(_numbers(table, moment, source), return_inverse=True)
    labels = table[name_column].astype(str).str.strip()
    names = tuple(dict.fromkeys(labels))
    column = labels.map({name: i for i, name in enumerate(names)}).to_numpy()
    if len(np.unique(row * len(names) + column)) < len(table):
        raise UserError(f"{source}: a point stands twice in one {moment}")
    positions = np.full((len(moments), len(names), 3), np.nan)
    xyz = [_numbers(table, kinds[axis], source) for axis in "xyz"]
    positions[row, column] = np.stack(xyz, axis=1)
    time = next((kinds[key] for key in _TIME_COLUMNS if key in kinds), None)
    if time is None:
        times_s = moments / convention.rate_hz
    else:
        times_s = np.full(len(moments), np.nan)
        times_s[row] = _numbers(table, time, source)
    return _placed(names, _ascending(times_s, source), positions, None, source, convention)


def coordinates_from_table(
    table: pd.DataFrame, tree: Tree, source: str, rate_hz: float = Convention.rate_hz
) -> CoordinateMotion | None:
    """The columns that are coordinates of the model, None where there is none.

    A name may end in its unit (``hip_flexion_r_deg``); without one, angles are degrees.
    """
    names, columns, rotational = [], [], []
    for column in table.columns:
        match = _COORDINATE.fullmatch(str(column).strip())
        if match is None or match["name"] not in tree.coordinate_index:
            continue
        turns = bool(tree.rotational[tree.coordinate_index[match["name"]]])
        unit = match["unit"] or ("deg" if turns else "m")
        if turns != (unit in ("deg", "rad")):
            raise UserError(f"{source}: column '{column}': '{unit}' is no unit of this coordinate")
        scale = {"deg": np.radians(1.0), "rad": 1.0}.get(unit) or metres(unit)
        if match["name"] in names:
            raise UserError(
                f"{source}: coordinate '{match['name']}' stands in two columns: keep one"
            )
        names.append(match["name"])
        columns.append(_numbers(table, column, source) * scale)
        rotational.append(turns)
    if not names:
        return None
    values = np.stack(columns, axis=1)
    if not np.all(np.isfinite(values)):
        frame, column = (int(i[0]) for i in np.nonzero(~np.isfinite(values)))
        raise UserError(f"{source}, row {frame + 1}: {names[column]} has no value")
    kinds = {str(column).strip().lower(): column for column in table.columns}
    times_s = _times(table, kinds, source, rate_hz)
    turning = np.array(rotational)
    notes = odd_values(tree, names, values)
    if not any(str(column).strip().endswith("_rad") for column in table.columns):
        notes += small_angles(np.degrees(values[:, turning]))
    return CoordinateMotion(tuple(names), times_s, values, turning, source, tuple(notes))


def read_archive(
    path: Path,
    names_of: Mapping[int, tuple[str, ...]],
    convention: Convention = AS_TOLD,
) -> MarkerMotion:
    """Points of a .npz file; ``names_of`` names those of a known number that stand unnamed.

    Raises UserError where it holds no positions, or points that nothing names.
    """
    arrays = _arrays(path)
    positions = _positions(arrays, path)
    names = _names(arrays, positions.shape[1], names_of, path)
    times = _archive_times(arrays, len(positions), convention.rate_hz, path)
    said = _text(np.ravel(arrays["unit"])[0]) if "unit" in arrays else None
    unit = unit_called(said) if said else None
    if said and unit is None and not convention.unit:
        raise UserError(f"{path}: unit '{said}': choose {', '.join(METRES)}, or give --unit")
    positions = positions[..., :3].astype(float)
    flat = [f"{name} {axis}" for name in names for axis in "xyz"]
    check_range(positions.reshape(len(positions), -1), flat, str(path))
    times_s = _ascending(times.astype(float), str(path))
    return _placed(names, times_s, positions, unit, str(path), convention)


def _arrays(path: Path) -> dict[str, Stored]:
    import zipfile
    import zlib

    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, KeyError, zlib.error, NotImplementedError,
            zipfile.BadZipFile, AttributeError):  # fmt: skip
        raise UserError(f"{path}: is no NumPy archive of plain arrays") from None


def _positions(arrays: Mapping[str, Stored], path: Path) -> Stored:
    """Positions (F, P, 3 or more) as they are stored."""
    key = next((key for key in _POSITION_ARRAYS if key in arrays), None)
    if key is None:
        also = ", ".join(arrays) or "nothing"
        if {"poses", "trans"} & arrays.keys():
            also += "; SMPL's pose parameters need its body model: save its joints instead"
        raise UserError(f"{path}: no array {' or '.join(_POSITION_ARRAYS[:3])}; it holds {also}")
    positions = arrays[key]
    if (
        positions.dtype.kind not in "fiu"
        or positions.ndim != 3
        or positions.shape[2] < 3
        or not len(positions)
    ):
        raise UserError(
            f"{path}: {key}: shape {positions.shape} of {positions.dtype}, "
            "expected numbers (frames, points, 3)"
        )
    return positions


def _names(
    arrays: Mapping[str, Stored],
    count: int,
    names_of: Mapping[int, tuple[str, ...]],
    path: Path,
) -> tuple[str, ...]:
    given = tuple(_text(name) for name in np.ravel(arrays.get("names", ())))
    names = given or names_of.get(count)
    if names is None:
        known = ", ".join(map(str, sorted(names_of)))
        raise UserError(
            f"{path}: {count} points without names: add an array names, or give the points of a "
            f"known skeleton ({known} of them)"
        )
    if len(names) != count or len(set(names)) != count:
        raise UserError(f"{path}: names: {len(set(names))} different ones for {count} points")
    return names


def _archive_times(
    arrays: Mapping[str, Stored], frames: int, usual_hz: float, path: Path
) -> Stored:
    """Times (F,) s as they are stored, or by the rate of frames."""
    rate = _one(arrays["fps"], path, "fps") if "fps" in arrays else usual_hz
    if not (rate > 0 and np.isfinite(rate)):
        raise UserError(f"{path}: fps {rate:g}: give frames a second, above 0")
    times = np.asarray(arrays.get("times", arrays.get("times_s", np.arange(frames) / rate)))
    if times.dtype.kind not in "iuf" or times.ndim != 1:
        raise UserError(f"{path}: times: shape {times.shape} of {times.dtype}, expected seconds")
    if len(times) != frames:
        raise UserError(f"{path}: {len(times)} times for {frames} frames")
    return times


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _one(value: Any, path: Path, key: str) -> float:
    try:
        (number,) = np.ravel(value).astype(float)
        return float(number)
    except (TypeError, ValueError):
        raise UserError(f"{path}: {key}: give one number") from None


def write_points(path: Path, motion: MarkerMotion) -> None:
    """Write points as a wide CSV table in metres; missing ones are empty fields."""
    rows = motion.positions_m.reshape(len(motion.times_s), -1)
    _write(path, ["time", *motion.columns], motion.times_s, rows)


def write_coordinate_table(path: Path, motion: CoordinateMotion) -> None:
    """Write coordinates as a CSV table in degrees and metres."""
    _write(path, ["time", *motion.columns], motion.times_s, motion.values_deg)


def _write(path: Path, header: list[str], times_s: Array, values: Array) -> None:
    lines = [",".join(header)]
    for time_s, row in zip(times_s.tolist(), values.tolist()):
        fields = ("" if x != x else f"{x:.9g}" for x in row)
        lines.append(f"{time_s:.9g}," + ",".join(fields))
    write_atomic(path, ("\n".join(lines) + "\n").encode())


def _times(table: pd.DataFrame, kinds: Mapping[str, Any], source: str, rate_hz: float) -> Array:
    if len(table) == 0:
        raise UserError(f"{source}: holds no frames")
    time = next((kinds[key] for key in _TIME_COLUMNS if key in kinds), None)
    frame = next((kinds[key] for key in _FRAME_COLUMNS if key in kinds), None)
    if time is not None:
        return _ascending(_numbers(table, time, source), source)
    if strange := [column for key, column in kinds.items() if _LIKE_TIME.fullmatch(key)]:
        raise UserError(
            f"{source}: column '{strange[0]}': call it time, in seconds, or take it out"
        )
    if frame is not None:
        return _ascending(_numbers(table, frame, source) / rate_hz, source)
    return np.arange(len(table)) / rate_hz


def _ascending(times_s: Array, source: str) -> Array:
    steps = np.diff(times_s, prepend=-np.inf)
    if not np.all(steps > 0):
        frame = int(np.argmax(~(steps > 0)))
        raise UserError(f"{source}, row {frame + 1}: its time does not follow the one before")
    return times_s


def _numbers(table: pd.DataFrame, column: Any, source: str) -> Array:
    """A column as numbers, empty fields NaN."""
    import pandas as pd

    if table[column].dtype.kind in "mM":
        raise UserError(f"{source}: column '{column}': holds dates: give seconds")
    values: Array = pd.to_numeric(table[column], errors="coerce").to_numpy(float)
    broken = np.isnan(values) & table[column].notna().to_numpy()
    if broken.any():
        row = int(np.argmax(broken))
        raise UserError(
            f"{source}, row {row + 1}, column '{column}': '{table[column].iloc[row]}' is no number"
        )
    if str(column).strip().lower() not in (*_TIME_COLUMNS, *_FRAME_COLUMNS):
        check_range(values[:, None], [f"column '{column}'"], source)
    return values

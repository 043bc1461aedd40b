"""Marker files of laboratories (.c3d), read by ezc3d."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import (
    AS_TOLD,
    METRES,
    Convention,
    Figure,
    Told,
    axes_called,
    unit_called,
)
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.text import check_range, said_and_found

Array = NDArray[np.float64]

MIPS: Final = 86
"""Type of processor whose numbers begin with their large end."""

_SCREEN: Final = {
    sign + axis: value * np.eye(3)["XYZ".index(axis)]
    for axis in "XYZ"
    for sign, value in (("+", 1.0), ("-", -1.0), ("", 1.0))
}


def read_c3d(path: Path, convention: Convention = AS_TOLD) -> MarkerMotion:
    """Markers over time; points with a negative residual are missing (NaN).

    The unit is that of POINT:UNITS (millimetres where it is silent), the axes those of
    POINT:X_SCREEN and Y_SCREEN (Z up where they are silent), unless the convention overrules them.
    Names lose the prefix of their subject where they stay different without it; a name that stands
    for several different points is left out, and so is a point without a name.
    Raises UserError where the file cannot be read, holds no markers, or has a unit nobody knows.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    import ezc3d

    try:
        content = ezc3d.c3d(str(path))
    except Exception as error:  # ezc3d raises whatever its C++ side throws
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: is no C3D file that ezc3d can read: {reason}") from None
    point = content["parameters"]["POINT"]
    points = np.asarray(content["data"]["points"], dtype=float)[:3].transpose(2, 1, 0)
    residuals = np.asarray(content["data"]["meta_points"]["residuals"], dtype=float)
    missing = (residuals[0].T if residuals.ndim == 3 else residuals) < 0
    frames, count = points.shape[:2]
    if frames == 0 or count == 0:
        raise UserError(f"{path}: holds no marker positions")
    rate = float(content["header"]["points"]["frame_rate"])
    if not (rate > 0 and np.isfinite(rate)):
        raise UserError(f"{path}: a frame rate of {rate:g} Hz; mend POINT:RATE")
    points = np.where(missing[:, :, None], np.nan, points)
    columns, names, notes = _named(_all_labels(point)[:count], points, _computed(point))
    if not names:
        raise UserError(f"{path}: POINT:LABELS names none of its {count} markers")
    points = points[:, columns]
    check_range(points.reshape(frames, -1), [f"{n} {a}" for n in names for a in "XYZ"], str(path))
    frame = convention.frame(Figure(names, points), _told(point, path, convention))
    positions_m = points @ frame.to_world.T * frame.metres
    times_s = np.arange(frames) / rate
    notes = (*said_and_found(_frames_by_header(path, frames), frames), *notes)
    return MarkerMotion(names, times_s, positions_m, str(path), (*notes, *frame.notes))


def _frames_by_header(path: Path, found: int) -> int:
    """The number of frames that the file's header tells; ezc3d makes it that of those it finds."""
    with path.open("rb") as stream:
        start = stream.read(10)
        stream.seek((start[0] - 1) * 512 + 3)
        is_big_endian = stream.read(1) == bytes([MIPS])
    first, last = struct.unpack(">HH" if is_big_endian else "<HH", start[6:10])
    told = (last - first + 1) % 65536
    return found if found % 65536 == told else told


def _all_labels(point: Any) -> list[str]:
    """LABELS, LABELS2, ...: a C3D parameter holds at most 255 names."""
    labels: list[str] = []
    for key in ("LABELS", *(f"LABELS{k}" for k in range(2, 20))):
        if key in point:
            labels += [str(label).strip("\0 \t") for label in point[key]["value"]]
    return labels


def _computed(point: Any) -> set[str]:
    """Labels under which angles, forces and the like are kept in place of positions."""
    keys = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "REACTIONS", "SCALARS")
    return {
        str(label).strip("\0 \t") for key in keys if key in point for label in _list(point[key])
    }


def _list(parameter: Any) -> list[Any]:
    value = parameter["value"]
    return [value] if isinstance(value, str) else list(value)


def _named(
    labels: list[str], points: Array, computed: set[str]
) -> tuple[list[int], tuple[str, ...], tuple[str, ...]]:
    """Columns that are read, their names, and notes on those that are not."""
    notes = []
    if absent := [label for label in labels if label and label in computed]:
        told = ", ".join(absent[:3]) + (" ..." if len(absent) > 3 else "")
        notes.append(f"{len(absent)} angles, forces and the like are no points, left out: {told}")
    unnamed = points.shape[1] - len([label for label in labels if label])
    if unnamed:
        notes.append(f"{unnamed} points without a name in POINT:LABELS are left out")
    of_name: dict[str, list[int]] = {}
    for column, label in enumerate(labels):
        if label and label not in computed:
            of_name.setdefault(label, []).append(column)
    chosen: dict[str, int] = {}
    for label, columns in of_name.items():
        seen = [i for i in columns if np.isfinite(points[:, i]).any()] or columns[:1]
        if all(np.array_equal(points[:, seen[0]], points[:, i], equal_nan=True) for i in seen):
            chosen[label] = seen[0]
        else:
            notes.append(
                f"label '{label}' stands for {len(seen)} different points: none of them is read"
            )
    short = [label.rpartition(":")[2] for label in chosen]
    subjects = list(dict.fromkeys(label.rpartition(":")[0] for label in chosen))
    if len(set(short)) == len(short):
        return list(chosen.values()), tuple(short), tuple(notes)
    notes.append(
        f"holds {len(subjects)} subjects ({', '.join(s or 'without a name' for s in subjects)}): "
        "names keep their prefix"
    )
    return list(chosen.values()), tuple(chosen), tuple(notes)


def _text(point: Any, key: str) -> str:
    value = point[key]["value"] if key in point else []
    return str(value[0]).strip("\0 \t") if len(value) else ""


def _told(point: Any, path: Path, convention: Convention) -> Told:
    """Unit and axes as the file tells them."""
    said = _text(point, "UNITS")
    unit = unit_called(said)
    if said and unit is None and not convention.unit:
        raise UserError(
            f"{path}: POINT:UNITS is '{said}', which is none of {', '.join(METRES)}: give --unit"
        )
    x, y = (_SCREEN.get(_text(point, f"{axis}_SCREEN").upper()) for axis in "XY")
    told = x is not None and y is not None and not np.any(x * y)
    axes = axes_called(y, x) if told and x is not None and y is not None else None
    return Told(unit, axes, usual_unit="mm", usual_axes="z-up", axes_by_format=True)

"""Marker files (.trc), as Motion Analysis and OpenSim write them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import AS_TOLD, METRES, Convention, Figure, Told, unit_called
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.text import check_range, read_table, said_and_found, stream_lines

_KEYS: Final = (
    "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame"
    "\tOrigNumFrames"
)


def read_trc(path: Path, convention: Convention = AS_TOLD) -> MarkerMotion:
    """Markers over time; an empty field is a missing marker (NaN).

    The unit is that of the header (mm where it is silent), Y is up, unless the convention overrules
    them.
    Raises UserError, with the line, where the file is not a .trc file or is cut off within a row.
    """
    stream = stream_lines(path)
    lines = list(islice(stream, 5))
    if not lines or not lines[0].startswith("PathFileType"):
        raise UserError(f"{path}, line 1: expected 'PathFileType': give a marker file (.trc)")
    if len(lines) < 5:
        raise UserError(f"{path}: ends within its header, after line {len(lines)}")
    if "\t" not in lines[3] and "," in lines[3]:  # saved by a spreadsheet
        lines = [line.replace(",", "\t") for line in lines]
        stream = (line.replace(",", "\t") for line in stream)
    header = _header(lines[1], lines[2])
    said = header.get("units", "")
    unit = unit_called(said)
    if said and unit is None and not convention.unit:
        raise UserError(
            f"{path}, line 3: Units '{said}', expected {', '.join(METRES)}: mend the header"
        )
    declared = header.get("nummarkers", "")
    labels = [label.strip() for label in lines[3].rstrip().split("\t")]
    names = tuple(label for label in labels[2:] if label)
    words = tuple(lines[3].split()[2:])
    if len(names) != len(words) and str(len(words)) == declared:
        names = words  # parted by blanks
    if not names:
        raise UserError(f"{path}, line 4: names no markers (fields are separated by tabs)")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{path}, line 4: marker '{twice}' stands twice: rename or remove one")
    if declared.isdigit() and int(declared) != len(names):
        raise UserError(
            f"{path}: line 3 says {declared} markers, line 4 names {len(names)}: mend the header"
        )
    columns = 2 + 3 * len(names)
    table = read_table(stream, columns, path, first=6, blank=np.nan)
    if not len(table):
        raise UserError(f"{path}: holds no frames")
    times_s = table[:, 1].copy()
    if not np.all(np.isfinite(times_s)) or np.any(np.diff(times_s) <= 0):
        row = int(np.argmax(~np.isfinite(times_s) | (np.diff(times_s, prepend=-np.inf) <= 0)))
        raise UserError(f"{path}, frame {row + 1}: its time does not follow the one before")
    check_range(table[:, 2:], [f"{name} {axis}" for name in names for axis in "XYZ"], str(path))
    positions = table[:, 2:].reshape(len(table), len(names), 3)
    frame = convention.frame(
        Figure(names, positions), Told(unit, usual_unit="mm", axes_by_format=True)
    )
    positions *= frame.metres
    positions_m = positions if frame.axes == "y-up" else positions @ frame.to_world.T
    notes = said_and_found(header.get("numframes"), len(table))
    return MarkerMotion(names, times_s, positions_m, str(path), (*notes, *frame.notes))


def _header(keys: str, values: str) -> dict[str, str]:
    """The header's values by key, in lower case; a value between tabs may be empty."""
    named = [key.lower() for key in keys.split()]
    told = values.split()
    if len(told) != len(named):
        told = [value.strip() for value in values.split("\t")]
    return dict(zip(named, told))


def write_trc(path: Path, motion: MarkerMotion, unit: str = "m") -> None:
    """Write markers; missing ones become empty fields. Raises UserError where it cannot."""
    frames, markers = motion.positions_m.shape[:2]
    rate = (frames - 1) / np.ptp(motion.times_s) if frames > 1 else 1.0
    axes = (f"{axis}{marker}" for marker in range(1, markers + 1) for axis in "XYZ")
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        _KEYS,
        f"{rate:.6f}\t{rate:.6f}\t{frames}\t{markers}\t{unit}\t{rate:.6f}\t1\t{frames}",
        "Frame#\tTime\t" + "\t\t\t".join(motion.names) + "\t\t",
        "\t\t" + "\t".join(axes),
        "",
    ]

    def content() -> Iterator[bytes]:
        yield ("\n".join(lines) + "\n").encode()
        for frame, (time_s, points) in enumerate(zip(motion.times_s, motion.positions_m), start=1):
            row = (points / METRES[unit]).ravel().tolist()
            fields = ("" if x != x else f"{x:.9g}" for x in row)
            yield (f"{frame}\t{time_s:.9g}\t" + "\t".join(fields) + "\n").encode()

    write_atomic(path, content())

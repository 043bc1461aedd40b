"""Text files of any encoding and line break, and the tables of numbers in them, with located
errors."""

from __future__ import annotations

import codecs
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError

_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)

LARGEST: Final = 1e9
"""No length in any unit and no angle of a person is larger: a broken number."""

LEAP: Final = 3.0
"""A last number that is shorter than the one above and further from it than so many times the
column's largest step was cut off."""


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """What is no UTF-8 is taken byte by byte as Windows' western alphabet, that of old files."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    broken = error.object[error.start : error.end]
    try:
        return broken.decode("cp1252"), error.end
    except UnicodeDecodeError:
        return broken.decode("latin-1"), error.end


codecs.register_error("windows-1252", _as_windows_1252)


def _encoding(start: bytes) -> str:
    """The encoding of a text by its first four bytes: a mark, or the zeros between UTF-16's."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    if start[1:4:2] == b"\0\0":
        return "utf-16-le"
    return "utf-16-be" if start[:3:2] == b"\0\0" else "utf-8"


def stream_lines(path: Path) -> Iterator[str]:
    """The lines of a text file one by one: UTF-8, UTF-16 or UTF-32, with a byte order mark or
    without, else Windows-1252; lines end as on Unix, Windows or old Macs.

    Raises UserError where it cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            encoding = _encoding(stream.read(4))
        with Path(path).open(encoding=encoding, errors="windows-1252") as text:
            for line in text:
                yield line.rstrip("\n\x1a")  # old DOS programs end a text with Ctrl-Z
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def read_lines(path: Path) -> list[str]:
    """The lines of a text file; raises UserError as `stream_lines`."""
    return list(stream_lines(path))


def ends_with_line_break(path: Path) -> bool:
    """Whether the last line of a file is finished, as programs leave it that were not stopped."""
    with Path(path).open("rb") as stream:
        stream.seek(max(0, stream.seek(0, 2) - 8))
        return stream.read().rstrip(b"\0 \t\x1a").endswith((b"\n", b"\r"))


def read_table(
    lines: Iterable[str], columns: int, path: Path, first: int, blank: float | None = None
) -> NDArray[np.float64]:
    """The numbers (R, ``columns``) of all lines that are not empty; ``first`` is the number of the
    first line. Raises UserError as `numbers` does, and where the file ends within a row."""
    values = array("d")  # grows in place: a recording may have many rows
    rest = iter(lines)
    above = last = ""
    number = first
    for number, line in enumerate(rest, start=first):
        if not line.strip():
            continue
        above, last = last, line
        try:
            values.extend(numbers(line, columns, f"{path}, line {number}", blank))
        except UserError:
            if next(rest, None) is None and not ends_with_line_break(path):
                raise _cut_off(path, line, columns, number) from None
            raise
    table = np.frombuffer(values).reshape(-1, columns) if values else np.empty((0, columns))
    if len(table) and not ends_with_line_break(path):
        ending = _fields(last, blank)[-3:]
        if len(_fields(last, blank)) < columns or (any(ending) and not ending[-1]):
            raise _cut_off(path, last, columns, number)
        refuse_cut_number(table[:, -1], _fields(above, blank), _fields(last, blank), path)
    return table


def _cut_off(path: Path, line: str, columns: int, number: int) -> UserError:
    return UserError(
        f"{path}, line {number}: the file ends within this row ({len(line.split())} of {columns} "
        "fields, no line break): it is cut off; take out the row to read the rest"
    )


def refuse_cut_number(
    column: NDArray[np.float64], above: Sequence[str], last: Sequence[str], path: Path
) -> None:
    """Raises UserError where a file that ends without a line break ends within a number.

    ``column`` (R,) holds the last field of every row; ``above`` and ``last`` the fields of the two
    last rows. Told by a number that is shorter than the one above and leaps away from it.
    """
    if len(column) < 3 or not above or not last or len(last[-1]) >= len(above[-1]):
        return
    steps = np.abs(np.diff(column))
    usual = np.nanmax(np.where(np.isfinite(steps[:-1]), steps[:-1], 0.0))
    if steps[-1] > LEAP * usual + 1e-12:
        raise UserError(
            f"{path}: ends without a line break in '{last[-1]}', below '{above[-1]}': the number "
            "seems cut off; complete it, or take out the last row"
        )


def numbers(line: str, columns: int, where: str, blank: float | None = None) -> list[float]:
    """The ``columns`` numbers of a line, between tabs where ``blank`` stands for empty fields; such
    a line may leave out the last points, three fields each.

    Raises UserError with ``where`` for another count or a field that is no number.
    """
    fields = _fields(line, blank)
    if blank is not None:
        while len(fields) > columns and not fields[-1]:
            fields.pop()
        if len(fields) == columns + 1 and not fields[0]:
            del fields[0]  # some programs begin a row with a tab
        lacking = columns - len(fields)
        fields += [""] * lacking if len(fields) > 2 and lacking % 3 == 0 else []
    try:
        if "_" in line:  # which Python takes for a part of numbers
            raise ValueError
        values = [float(field) if field or blank is None else blank for field in fields]
    except ValueError:
        column, field = next((i, f) for i, f in enumerate(fields) if f and not _is_number(f))
        raise UserError(f"{where}, field {column + 1}: '{field}' is no number") from None
    if len(values) != columns:
        raise UserError(f"{where}: {len(values)} fields, expected {columns}")
    return values


def _fields(line: str, blank: float | None) -> list[str]:
    if blank is None or "\t" not in line.strip():
        return line.split()
    return [field.strip() for field in line.split("\t")]


def _is_number(field: str) -> bool:
    if "_" in field:
        return False
    try:
        float(field)
    except ValueError:
        return False
    return True


def check_range(values: NDArray[np.float64], names: Sequence[str], where: str) -> None:
    """Raises UserError for a value (F, n) that is beyond every length and angle, of which ``names``
    (n,) tells the column. NaN, which is no value, passes."""
    beyond = np.abs(values) > LARGEST
    if beyond.any():
        row, column = (int(i[0]) for i in np.nonzero(beyond))
        raise UserError(
            f"{where}, row {row + 1}, {names[column]}: {values[row, column]:g} is beyond every "
            "length and angle: mend the number"
        )


def said_and_found(said: str | float | None, found: int, what: str = "frames") -> tuple[str, ...]:
    """A note where a header says another number of frames, rows or columns than there are; empty
    where it agrees."""
    try:
        wanted = int(float(said))  # type: ignore[arg-type]  # None raises
    except (TypeError, ValueError, OverflowError):
        return ()
    if wanted == found:
        return ()
    cut = ": the file may be cut off" if found < wanted and what != "columns" else ""
    return (f"its header says {wanted} {what}, there are {found}{cut}",)

"""Tables of numbers in text files, with located errors."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.errors import UserError


def stream_lines(path: Path) -> Iterator[str]:
    """The lines of a text file one by one; raises UserError where it cannot be read."""
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as stream:
            for line in stream:
                yield line.rstrip("\n")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def read_table(
    lines: Iterable[str], columns: int, path: Path, first: int, blank: float | None = None
) -> NDArray[np.float64]:
    """The numbers (R, ``columns``) of all lines that are not empty; ``first`` is the number of the
    first line. Raises UserError as `numbers` does."""
    values = array("d")  # grows in place: a recording may have many rows
    for number, line in enumerate(lines, start=first):
        if line.strip():
            values.extend(numbers(line, columns, f"{path}, line {number}", blank))
    return np.frombuffer(values).reshape(-1, columns) if values else np.empty((0, columns))


def read_lines(path: Path) -> list[str]:
    """The lines of a text file; raises UserError where it cannot be read."""
    return list(stream_lines(path))


def numbers(line: str, columns: int, where: str, blank: float | None = None) -> list[float]:
    """The ``columns`` numbers of a line, between tabs where ``blank`` stands for empty fields.

    Raises UserError with ``where`` for another count or a field that is no number.
    """
    if blank is None:
        fields = line.split()
    else:
        fields = [field.strip() for field in line.split("\t")]
        while len(fields) > columns and not fields[-1]:
            fields.pop()
        fields += [""] * (columns - len(fields)) if len(fields) > 2 else []
    if len(fields) != columns:
        raise UserError(f"{where}: {len(fields)} fields, expected {columns}")
    try:
        return [float(field) if field or blank is None else blank for field in fields]
    except ValueError:
        column, field = next((i, f) for i, f in enumerate(fields) if f and not _is_number(f))
        raise UserError(f"{where}, field {column + 1}: '{field}' is no number") from None


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True

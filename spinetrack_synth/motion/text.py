"""Tables of numbers in text files, with located errors."""

from __future__ import annotations

from pathlib import Path

from spinetrack_synth.errors import UserError


def read_lines(path: Path) -> list[str]:
    """The lines of a text file; raises UserError where it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


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

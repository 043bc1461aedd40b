"""What a run tells of itself, as CSV: a line a step, a line a judgement."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, TextIO

from spinetrack_synth.atomic import write_atomic

STEPS: Final = "log.csv"
JUDGED: Final = "judged.csv"

Row = Mapping[str, float | int | str]


class StepLog:
    """A table that grows by a row a step, and goes on where a run goes on. To be closed."""

    def __init__(self, path: Path, columns: Sequence[str], step: int) -> None:
        """Keeps the rows of a table that is there up to ``step``: what came after is done again."""
        rows = [row for row in read_rows(path) if int(row["step"]) <= step]
        write_rows(path, columns, rows)
        self._stream = path.open("a", encoding="utf-8", newline="")
        self._writer = _writer(self._stream, columns)

    def add(self, row: Row) -> None:
        self._writer.writerow(row)

    def flush(self) -> None:
        """Have the rows on the disk, where they survive a kill and a power cut."""
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def __enter__(self) -> StepLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a whole table; "" where a row has no such column."""
    text = io.StringIO(newline="")
    writer = _writer(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(path, text.getvalue().encode())


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table that are whole; a kill may have torn the last one."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")
    rows = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1], newline=""))
    return [row for row in rows if None not in row.values() and str(row.get("step")).isdecimal()]


def accuracy_at(run: Path, step: int) -> str:
    """What the network of a step was worth on every judged set of a run, in one line; "" where it
    was judged on none."""
    told = []
    for row in read_rows(run / JUDGED):
        groups = [group for group in ("body", "spine", "feet") if row[f"{group}_oks"]]
        if int(row["step"]) == step and groups:
            figures = ", ".join(f"{group} {float(row[f'{group}_oks']):.3f}" for group in groups)
            told.append(f"{figures} ({row['people']} people of {row['set']!r})")
    return f"mean OKS {'; '.join(told)}" if told else ""


def _writer(stream: TextIO, columns: Sequence[str]) -> csv.DictWriter[str]:
    return csv.DictWriter(stream, columns, restval="", lineterminator="\n")

"""How far a long command is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

SECONDS_A_LINE = 10.0
SECONDS_A_LOOK = 0.1
QUIET_SECONDS = 2.0


class Show(Protocol):
    """Shows what is done and what is wanted, with a note beside it."""

    def __call__(self, done: int, wanted: int, note: str = "") -> None: ...


@contextmanager
def progress_bar(unit: str) -> Iterator[Show]:
    """A function to be called with what is done and what is wanted; it writes to stderr."""
    if sys.stderr.isatty():
        with _bar(unit) as show:
            yield show
    else:
        yield _lines(unit)


@contextmanager
def _bar(unit: str) -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(_rate(1 / speed) if speed else "")

    columns = (
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn(unit),
        Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=60) as progress:
        task = None
        last_time = 0.0

        def show(done: int, wanted: int, note: str = "") -> None:
            nonlocal task, last_time
            if task is None:
                task = progress.add_task(unit, total=wanted, completed=done, note=note)
            now = time.monotonic()
            if now - last_time < SECONDS_A_LOOK and done < wanted:
                return  # the rate is that of the last thousand looks
            last_time = now
            progress.update(task, completed=done, total=wanted, note=note)

        yield show


def _lines(unit: str) -> Show:
    start_time = last_time = time.monotonic()
    start_done: int | None = None

    def show(done: int, wanted: int, note: str = "") -> None:
        nonlocal last_time, start_done
        now = time.monotonic()
        if start_done is None:
            start_done = done
            return
        if now - last_time < SECONDS_A_LINE and done < wanted:
            return
        last_time = now
        each = (now - start_time) / max(done - start_done, 1)
        left = time.strftime("%H:%M:%S", time.gmtime(each * (wanted - done)))
        line = f"{done} of {wanted} {unit}, {_rate(each)}, {left} left"
        line += f", {note}" if note else ""
        print(line, file=sys.stderr, flush=True)  # noqa: T201

    return show


def _rate(each_s: float) -> str:
    """Seconds each, or how many in a second where that is more than ten."""
    return f"{each_s:.2f} s each" if each_s >= 0.1 else f"{1 / max(each_s, 1e-9):,.0f} a second"


@contextmanager
def patient_bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """A `progress_bar` that keeps quiet about what takes a moment."""
    start = time.monotonic()
    with progress_bar(unit) as show:

        def tell(done: int, wanted: int) -> None:
            if time.monotonic() - start > QUIET_SECONDS:
                show(done, wanted)

        yield tell

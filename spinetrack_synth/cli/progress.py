"""How far a long command is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

SECONDS_A_LINE = 10.0
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
            return Text(f"{1 / speed:.2f} s each" if speed else "")

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

        def show(done: int, wanted: int, note: str = "") -> None:
            nonlocal task
            if task is None:
                task = progress.add_task(unit, total=wanted, completed=done, note=note)
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
        line = f"{done} of {wanted} {unit}, {each:.2f} s each, {left} left"
        line += f", {note}" if note else ""
        print(line, file=sys.stderr, flush=True)  # noqa: T201

    return show


def after_a_while(show: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Progress that keeps quiet about what takes a moment."""
    start = time.monotonic()

    def tell(done: int, wanted: int) -> None:
        if time.monotonic() - start > QUIET_SECONDS:
            show(done, wanted)

    return tell

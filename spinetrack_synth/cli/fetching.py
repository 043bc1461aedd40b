"""Official networks that a command fetches: the licence agreed to, the download shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from spinetrack_synth.cli.progress import progress_bar

licence_option = click.option(
    "--accept-licence", is_flag=True, help="Agree to the licence of official weights."
)


def agree(accepted: bool, text: str) -> bool:
    """Show a licence; consent given by an option, or asked for where somebody can answer."""
    click.echo(text, err=True)
    if accepted or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return accepted
    return click.confirm("Do you accept these terms?", err=True)


@contextmanager
def megabytes() -> Iterator[Callable[[int, int], None]]:
    """A progress bar that is told bytes."""
    with progress_bar("MB") as show:
        yield lambda done, wanted: show(done // 1_000_000, wanted // 1_000_000)

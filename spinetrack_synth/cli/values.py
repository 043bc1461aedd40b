"""Values that several commands read from the command line."""

from __future__ import annotations

import re
from pathlib import Path

import click

FILE = click.Path(path_type=Path)
"""A file or a folder; whoever reads it says what is wrong with it."""

preset = click.option(
    "--preset",
    type=click.Choice(("paper", "wheel")),
    default="paper",
    show_default=True,
    help="Run the model as its authors test it, or as the spinepose package does.",
)


class Size(click.ParamType):  # type: ignore[type-arg]  # click 8.1 takes none
    """A picture size such as 640x480."""

    name = "WxH"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", str(value))
        if match is None:
            self.fail(f"{value!r} is no size such as 640x480", param, ctx)
        return int(match[1]), int(match[2])


class Span(click.ParamType):  # type: ignore[type-arg]  # click 8.1 takes none
    """A number or a span of numbers such as 1-3."""

    name = "N[-M]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d{1,3})(?:-(\d{1,3}))?", str(value))
        if match is None:
            self.fail(f"{value!r} is no number or span such as 2 or 1-3", param, ctx)
        return int(match[1]), int(match[2] or match[1])


class Names(click.ParamType):  # type: ignore[type-arg]  # click 8.1 takes none
    """Names with commas between; whoever takes them says which there are."""

    name = "NAME,..."

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        return tuple(part.strip() for part in str(value).split(","))

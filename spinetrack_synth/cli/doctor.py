"""``doctor``: what is installed, what draws, what is missing and how to get it."""

from __future__ import annotations

import platform
import re
import sys
from importlib import metadata
from importlib.util import find_spec

import click

from spinetrack_synth.errors import UserError
from spinetrack_synth.extras import EXTRAS, pip_command
from spinetrack_synth.version import __version__


@click.command("doctor", short_help="What is installed, what draws, what is missing.")
def command() -> None:
    """Tell what is installed, which renderer variant draws, what is missing and how to get it.

    \b
    Example:
      spinetrack-synth doctor
    """
    from spinetrack_synth.anatomy.model import fullbody_path
    from spinetrack_synth.avatars import assets
    from spinetrack_synth.cli.assets import describe

    click.echo(f"spinetrack-synth {__version__}")
    click.echo(f"python {platform.python_version()} ({sys.executable}), {platform.platform()}")
    click.echo()
    _packages("plain install", _plain_packages(), "pip install spinetrack-synth")
    for extra, packages in EXTRAS.items():
        _packages(extra, list(packages), pip_command(extra))
    click.echo()
    _show("model", [str(fullbody_path())])
    _show("renderer", _renderer())
    state = assets.state()
    _show("body data", [str(state.path), describe(state)])


def _plain_packages() -> list[str]:
    requirements = metadata.requires("spinetrack-synth") or []
    plain = (line for line in requirements if "extra ==" not in line)
    return [match[0] for line in plain if (match := re.match(r"[\w.-]+", line))]


def _packages(title: str, names: list[str], remedy: str) -> None:
    found, missing = [], []
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    _show(title, [", ".join(found)] if found else [])
    if missing:
        _show("" if found else title, [f"missing {', '.join(missing)}: {remedy}"])


def _renderer() -> list[str]:
    """The variant that draws, and why no faster one does; says so where none can."""
    from spinetrack_synth.rendering.variants import probe

    if find_spec("mitsuba") is None:
        return [f"none: {pip_command('render')}"]
    try:
        return [line.removeprefix("renderer: ") for line in probe().lines()]
    except UserError as error:
        return [str(error)]


def _show(title: str, lines: list[str]) -> None:
    for line in lines:
        click.echo(f"{title + ':' if title else '':15}{line}")
        title = ""

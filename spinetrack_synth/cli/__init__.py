"""The ``spinetrack-synth`` command: a group whose commands are imported when they are asked for."""

from __future__ import annotations

import logging
import os
import sys
from importlib import import_module

import click

from spinetrack_synth.errors import UserError
from spinetrack_synth.extras import EXTRA_OF_MODULE, pip_command
from spinetrack_synth.version import __version__

COMMANDS = (
    "render", "serve", "validate", "rules", "motion", "anatomy", "scenes", "poses", "avatars",
    "ik", "predict", "evaluate", "gap", "train", "export", "stats", "convert", "split", "merge",
    "package", "run", "models", "assets", "doctor",
)  # fmt: skip
"""Each is a module of this package that holds a click command called ``command``."""


class LazyGroup(click.Group):
    """Finds a command in the module of its name; those modules import nothing heavy themselves."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"{__name__}.{cmd_name}").command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="spinetrack-synth")
def group() -> None:
    """Synthetic people with known spines, labelled with the 37 SpineTrack keypoints; and a gate
    that checks keypoint datasets, these or anyone's.

    \b
    Examples:
      spinetrack-synth render --scenes yoga
      spinetrack-synth validate annotations.json
      spinetrack-synth doctor
    """


class _OnStderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(record.getMessage(), err=True)


def _say_what_takes_long() -> None:
    """Compiling and fetching happen on first use, whatever the command; engines go and come."""
    for room in (
        "spinetrack_synth.compiled",
        "spinetrack_synth.avatars.assets",
        "spinetrack_synth.rendering.unreal.engine",
        "spinetrack_synth.dataset",
    ):
        log = logging.getLogger(room)
        if not log.handlers:
            log.addHandler(_OnStderr())
            log.setLevel(logging.INFO)
            log.propagate = False


def main() -> None:
    """Run the command line; mistakes of the user end in one line and exit code 2."""
    _say_what_takes_long()
    try:
        group(standalone_mode=False)
    except UserError as error:
        _fail(str(error), code=2)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        _fail(error.format_message(), code=2)
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in EXTRA_OF_MODULE:
            raise
        remedy = pip_command(EXTRA_OF_MODULE[module])
        _fail(f"this needs {module}, which is not installed: {remedy}", code=2)
    except (KeyboardInterrupt, click.Abort) as stop:
        told = str(stop.__cause__ or stop)  # click raises Abort from the interrupt
        _fail(told or "stopped; run the same command to go on", code=130, prefix="")
    except BrokenPipeError:
        # The reader went away (`| head`); keep the interpreter from writing to the pipe at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        # A full disk under the output, or what no reader or writer of ours has told better.
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}", code=2)


def _fail(message: str, *, code: int, prefix: str = "Error: ") -> None:
    click.echo(prefix + message, err=True)
    sys.exit(code)

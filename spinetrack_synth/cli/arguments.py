"""Arguments of our commands, read without running anything."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import click

from spinetrack_synth.cli import COMMANDS, group
from spinetrack_synth.errors import UserError
from spinetrack_synth.pipelines.planning import Typed


def parse(arguments: Sequence[str]) -> Typed:
    """What arguments of ``spinetrack-synth`` say. Raises UserError where it would refuse them."""
    if not arguments or arguments[0] not in COMMANDS:
        typed = arguments[0] if arguments else ""
        near = get_close_matches(typed, COMMANDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(COMMANDS)}"
        raise UserError(f"{typed!r} is no command; {hint}")
    if arguments[0] == "run":
        raise UserError("a pipeline runs no pipelines; take over the steps of the other")
    context, rest = click.Context(group), list(arguments)
    found: click.Command | None = group
    try:
        while isinstance(found, click.Group):
            if not rest:
                raise UserError(f"{found.name!r} wants one of {', '.join(found.commands)}")
            name, found, rest = found.resolve_command(context, rest)
            if isinstance(found, click.Group):
                context = click.Context(found, parent=context, info_name=name)
        assert found is not None  # else resolve_command has refused it
        context = found.make_context(name, rest, parent=context)
    except click.ClickException as error:
        raise UserError(error.format_message()) from error
    except click.exceptions.Exit as error:
        raise UserError("only tells what there is, and makes no step") from error
    paths = [
        str(path)
        for parameter in found.params
        if isinstance(parameter.type, click.Path)
        for path in _each(context.params[str(parameter.name)])
        if str(path) != "-"
    ]
    return Typed(context.command_path.strip(), tuple(paths), context.params)


def _each(value: object) -> Sequence[object]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)

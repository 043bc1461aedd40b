"""From a command's text to its handler, by UnrealCV's templates.

``vset /camera/[uint]/fov [float]``: a placeholder is ``[uint]``, ``[float]`` (fixed point, no
exponent) or ``[str]`` (up to the next space). The list of templates is what the server offers.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.server.level import LevelError

Answer = str | bytes | None
"""What a handler gives back: text, bytes, or None for ``ok``."""

Bind = Callable[[str, str, Callable[..., Answer]], None]
"""Takes a template, what it does in a line, and who does it: ``Dispatcher.bind``."""


def _number(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text[:12]}... is too large")
    return value


_TYPES: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "uint": (r"(\d+)", int),
    "float": (r"([-+]?\d*[.]?\d+)", _number),
    "str": (r"([^ ]+)", str),
}


@dataclass(frozen=True)
class Command:
    """A template, what it does in a line, and who does it with the placeholders' values."""

    template: str
    help: str
    handler: Callable[..., Answer]
    pattern: re.Pattern[str]
    types: tuple[Callable[[str], Any], ...]


class Dispatcher:
    """Knows the commands and answers them."""

    def __init__(self) -> None:
        self._commands: list[Command] = []
        self._absent: list[tuple[re.Pattern[str], str]] = []

    def bind(self, template: str, help: str, handler: Callable[..., Answer]) -> None:
        """Add a command. Where two templates fit, the one added first answers."""
        pattern, names = _expression(template)
        types = tuple(_TYPES[name][1] for name in names)
        self._commands.append(Command(template, help, handler, re.compile(pattern + " *"), types))

    def bind_absent(self, template: str, why: str) -> None:
        """Tell why there is no command of a template, given without its arguments."""
        pattern, _ = _expression(template)
        self._absent.append((re.compile(pattern + "(?: .*)?"), why))

    @property
    def templates(self) -> tuple[str, ...]:
        """All templates, sorted."""
        return tuple(sorted(command.template for command in self._commands))

    @property
    def help(self) -> str:
        """Every template and, on the next line, what it does."""
        return "".join(f"{command.template}\n{command.help}\n" for command in self._commands)

    def answer(self, text: str) -> bytes:
        """The body of the reply to a command: what it answers, ``ok``, or ``error ...``.

        A fault in a handler is told to the client in one line and on standard error in full.
        """
        for command in self._commands:
            found = command.pattern.fullmatch(text)
            if found is None:
                continue
            try:
                values = [of(value) for of, value in zip(command.types, found.groups())]
                answer = command.handler(*values)
            except (LevelError, UserError, ValueError) as error:
                return f"error {_line(error)}".encode()
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                return f"error {type(error).__name__}: {_line(error)}".encode()
            if isinstance(answer, bytes):
                return answer
            return (answer or "ok").encode()
        unknown = (
            f"error No handler found for URI '{text}' (Can not find a handler for URI '{text}')"
        )
        for pattern, why in self._absent:
            if pattern.fullmatch(text):
                unknown += f": UnrealCV has this command, this server does not: {why}"
        return unknown.encode()


def _expression(template: str) -> tuple[str, list[str]]:
    """A template as a regular expression, and the names of its placeholders."""
    pieces = re.split(r"\[(\w+)\]", template)
    names = pieces[1::2]
    pieces[::2] = [re.escape(literal) for literal in pieces[::2]]
    pieces[1::2] = [_TYPES[name][0] for name in names]
    return "".join(pieces), names


def _line(error: Exception) -> str:
    return " ".join(str(error).split())

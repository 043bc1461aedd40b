"""From the bytes of a JSON file to what it holds: strictly, or however odd the bytes are."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.coco.values import is_number, plain, shown
from spinetrack_synth.errors import UserError

Steps = tuple[str | int, ...]

ENCODING, MARK, REPEATED_KEY, NOT_FINITE = "encoding", "mark", "repeated key", "not finite"
"""Kinds of quirks."""

_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_EXPONENT: Final = re.compile(r"[eE]\+?\d{3}")


@dataclass(frozen=True)
class Quirk:
    """Something odd about how a file is written: its kind (``ENCODING`` and its like), where (the
    way to the value, ``file`` where it is the whole), and what."""

    kind: str
    place: str
    message: str


def read_json(path: Path) -> Any:
    """What a JSON file holds; raises UserError where it cannot be read or is none."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path}: not a JSON file: {error}") from error


def check_objects(records: Iterable[Any], section: str) -> None:
    """Raises UserError, beginning with ``section``, at the first record that is no object."""
    for place, record in enumerate(records):
        if not isinstance(record, dict):
            raise UserError(f"{section}[{place}]: {type(record).__name__}, expected an object")


def read_object(path: Path) -> tuple[dict[str, Any], list[Quirk]]:
    """The object that a file holds, and what is odd about how it is written; raises UserError, in
    one line, only where it holds no JSON object at all."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    return parse(content, str(path))


def parse(content: bytes, name: str) -> tuple[dict[str, Any], list[Quirk]]:
    """The object in a file's content, and what is wrong with how it is written.

    Raises UserError, beginning with ``name``, where there is no object.
    """
    text, quirks = _decode(content)
    if not text.strip():
        raise UserError(f"{name}: the file is empty; expected COCO keypoint annotations")
    repeated: list[tuple[dict[str, Any], str]] = []
    constants: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) < len(items):
            seen: set[str] = set()
            again = [key for key, _ in items if key in seen or seen.add(key)]  # type: ignore[func-returns-value]
            repeated.append((made, again[0]))
        return made

    def constant(literal: str) -> float:
        constants.append(literal)
        return float(literal.replace("Infinity", "inf"))

    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise UserError(f"{name}: {_what_stopped(error, text)}") from error
    except RecursionError as error:
        raise UserError(f"{name}: lists or objects are nested too deep to be read") from error
    except ValueError as error:  # whole numbers of more than 4300 digits
        raise UserError(f"{name}: not JSON that can be read: {plain(str(error))}") from error
    if not isinstance(data, dict):
        kinds: dict[type, str] = {list: "a list", str: "a text"}
        kind = kinds.get(type(data), shown(data))
        hint = "; is it a file of results?" if isinstance(data, list) else ""
        raise UserError(
            f"{name}: holds {kind}, expected an object with images, annotations and categories"
            + hint
        )
    if repeated:
        places = {id(value): steps for steps, value in _walk(data)}
        for record, key in repeated:
            where = _path(places.get(id(record), ()))
            quirks.append(Quirk(REPEATED_KEY, where, f"the key {shown(key)} stands twice"))
    if constants or _maybe_huge(text):
        quirks += [
            Quirk(NOT_FINITE, _path(steps), f"{shown(value)} is no number that JSON can hold")
            for steps, value in _walk(data)
            if is_number(value) and not _finite(value)
        ]
    return data, quirks


def _decode(content: bytes) -> tuple[str, list[Quirk]]:
    """The text, whatever its encoding."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            message = f"encoded in {encoding.upper()}, expected UTF-8"
            return content.decode(encoding, errors="replace"), [Quirk(ENCODING, "file", message)]
    quirks: list[Quirk] = []
    if content.startswith(b"\xef\xbb\xbf"):
        content = content[3:]
        quirks.append(Quirk(MARK, "file", "begins with a byte order mark; save it without"))
    if len(content) > 1 and 0 in content[:2]:
        encoding = "utf-16-be" if content[0] == 0 else "utf-16-le"
        message = "encoded in UTF-16, expected UTF-8"
        quirks.append(Quirk(ENCODING, "file", message))
        return content.decode(encoding, errors="replace"), quirks
    try:
        return content.decode(), quirks
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"line {line}: byte {content[error.start]:#04x} is not UTF-8; read as Latin-1"
        return content.decode("latin-1"), [*quirks, Quirk(ENCODING, "file", message)]


def encoding_of(beginning: bytes) -> str:
    """The encoding of a file, as Python names it, by its first four bytes."""
    for mark, encoding in _MARKS:
        if beginning.startswith(mark):
            return encoding
    if len(beginning) > 1 and 0 in beginning[:2]:
        return "utf-16-be" if beginning[0] == 0 else "utf-16-le"
    return "utf-8-sig"


def _what_stopped(error: json.JSONDecodeError, text: str) -> str:
    where = f"line {error.lineno}, column {error.colno}"
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return f"the JSON ends in the middle ({where}): the file is cut off"
    return f"no JSON: {where}: {error.msg}"


def _walk(data: Any) -> Iterator[tuple[Steps, Any]]:
    """Every value with the way to it, in the order of the file."""
    stack: list[tuple[Steps, Any]] = [((), data)]
    while stack:
        steps, value = stack.pop()
        yield steps, value
        if isinstance(value, dict):
            stack += [((*steps, key), child) for key, child in reversed(value.items())]
        elif isinstance(value, list):
            stack += [((*steps, index), child) for index, child in reversed(list(enumerate(value)))]


def _path(steps: Steps) -> str:
    text = "".join(f"[{s}]" if isinstance(s, int) else f".{plain(s)[:60]}" for s in steps)
    return text.removeprefix(".") or "file"


def _maybe_huge(text: str) -> bool:
    """Could there be a number that no double holds: a large exponent, or 309 digits?"""
    step = 150  # so many digits in a row contain a whole step of nothing else
    long = any(text[at : at + step].isdigit() for at in range(0, len(text), step))
    return long or _EXPONENT.search(text) is not None


def _finite(value: float | int) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False

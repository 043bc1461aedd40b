"""TOML files as frozen dataclasses: fields are keys, their types say what a key holds."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from spinetrack_synth.errors import UserError

T = TypeVar("T")


def read_toml(kind: type[T], path: Path, folder: Path | None = None) -> T:
    """The file as a ``kind``; paths in it are taken from ``folder``, else from the file's own.

    A field may be a text, a number, a truth value, a path, a choice (Literal), a pair or list
    (tuple), a table by name (Mapping), another dataclass, or any of these or None. A dataclass with
    one field that has no default may be written as this alone; it refuses values that make no
    sense together with a ValueError in ``__post_init__``. Raises UserError with the place of the
    first fault.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path}: no TOML: {error}") from error
    reader = _Reader(path, folder or path.parent)
    made: T = reader.table(kind, table, "")
    return made


@dataclass(frozen=True)
class _Reader:
    path: Path
    folder: Path

    def fail(self, key: str, problem: str) -> UserError:
        return UserError(f"{self.path}: {key}: {problem}" if key else f"{self.path}: {problem}")

    def table(self, kind: Any, table: Any, key: str) -> Any:
        """A dataclass of a table, or of the one value that it cannot do without."""
        needed = [f.name for f in fields(kind) if f.default is f.default_factory is MISSING]
        if len(needed) == 1 and key and not isinstance(table, dict | list):
            table = {needed[0]: table}
        if not isinstance(table, dict):
            raise self.fail(key, f"{table!r} is no table; write [{key}]")
        hints = get_type_hints(kind)
        names = [field.name for field in fields(kind)]
        prefix = f"{key}." if key else ""
        for name in table:
            if name not in names:
                near = get_close_matches(name, names, 1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
                raise self.fail(prefix + name, f"no such key; {hint}")
        for name in needed:
            if name not in table:
                raise self.fail(prefix + name, "is missing")
        values = {name: self.value(hints[name], table[name], prefix + name) for name in table}
        try:
            return kind(**values)
        except (ValueError, UserError) as error:
            raise self.fail(key, str(error)) from error

    def value(self, kind: Any, value: Any, key: str) -> Any:
        """A value of any of the types."""
        origin, inner = get_origin(kind), get_args(kind)
        if origin in (Union, UnionType):
            (kind,) = (each for each in inner if each is not NoneType)
            return self.value(kind, value, key)
        if origin is Literal:
            if value not in inner:
                raise self.fail(key, f"{value!r} is none of {', '.join(map(str, inner))}")
            return value
        if origin is tuple:
            return self.items(inner, value, key)
        if origin is not None and issubclass(origin, Mapping):
            if not isinstance(value, dict):
                raise self.fail(key, f"{value!r} is no table; write [{key}]")
            return {
                name: self.value(inner[1], each, f"{key}.{name}") for name, each in value.items()
            }
        if is_dataclass(kind):
            return self.table(kind, value, key)
        return self.plain(kind, value, key)

    def items(self, inner: tuple[Any, ...], value: Any, key: str) -> tuple[Any, ...]:
        """A list of equal things, or of as many as there are types."""
        if not isinstance(value, list):
            told = f"write [[{key}]]" if is_dataclass(inner[0]) else "write [..., ...]"
            raise self.fail(key, f"{value!r} is no list; {told}")
        kinds = inner[:1] * len(value) if inner[1:] == (...,) else inner
        if len(kinds) != len(value):
            raise self.fail(key, f"{len(value)} values, expected {len(kinds)}")
        pairs = enumerate(zip(kinds, value))
        return tuple(self.value(kind, each, f"{key}[{place}]") for place, (kind, each) in pairs)

    def plain(self, kind: Any, value: Any, key: str) -> Any:
        """A text, a path or a number."""
        if kind is Path:
            if not isinstance(value, str) or not value:
                raise self.fail(key, f"{value!r} is no path")
            return self.folder / Path(value).expanduser()
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind or (kind is float and not math.isfinite(value)):
            raise self.fail(key, f"{value!r} is no {_WORDS[kind]}")
        return value


_WORDS = {str: "text", int: "whole number", float: "number", bool: "truth value (true, false)"}


def first_difference(a: object, b: object, key: str = "") -> str | None:
    """The first key in which two dataclasses of a kind differ, with both values; None: none."""
    if is_dataclass(a) and type(a) is type(b):
        for field in fields(a):
            values = getattr(a, field.name), getattr(b, field.name)
            found = first_difference(*values, f"{key}.{field.name}" if key else field.name)
            if found:
                return found
        return None
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        pairs = enumerate(zip(a, b))
        found_each = (first_difference(x, y, f"{key}[{place}]") for place, (x, y) in pairs)
        return next((found for found in found_each if found), None)
    return None if a == b else f"{key}: {_told(a)} there, {_told(b)} here"


def _told(value: object) -> str:
    return f"{len(value)} of them" if isinstance(value, tuple) else str(value)

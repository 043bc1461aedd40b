"""Compiling ahead: processes that compile what a command will call while it is still loading.

Numba compiles one function at a time in a process, and the functions of a first picture take
longer than all else in it. ``signatures.txt`` says for which types they will be asked, so that
others can compile them meanwhile; whoever needs a function that is being compiled waits for it
(`CodeCache.alone`), and compiles what nobody has begun. A row that no longer fits makes nothing
wrong: the command compiles what it really calls.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

from numba import types

from spinetrack_synth.compiled.cache import kept_functions, say_that_it_compiles
from spinetrack_synth.compiled.records import RecordType

TABLE: Final = Path(__file__).with_name("signatures.txt")
"""Made by ``scripts/compiled_signatures.py``."""

HELPERS: Final = 3
"""Processes at most: most of the work is two chains of functions that call each other."""

_PACKAGE: Final = __package__.partition(".")[0]
_ARRAY: Final = re.compile(r"(\w+)\[(\d)\]")
_TUPLE: Final = re.compile(r"(\d)\*(\w+)")
_START: Final = """
import sys
command, table, *sys.path[:] = sys.argv[1:]
from spinetrack_synth.compiled.ahead import compile_all
compile_all(command, table)
"""


class Row(NamedTuple):
    """A function that a command calls, and the types it is called with."""

    module: str
    function: str
    args: tuple[types.Type, ...]


def begin(command: str, table: Path = TABLE) -> None:
    """Start compiling what a command will call, beside this process, and with it to end.

    Nothing is started where nothing can be kept, nor where some signature of every function is:
    that would cost more than the compiling of what has changed.
    """
    names = {
        f"{row.module.rpartition('.')[2]}.{row.function}" for row in read_table(command, table)
    }
    kept = kept_functions()
    if kept is None or names <= kept:
        return
    say_that_it_compiles()
    helpers = min(HELPERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)
    for _ in range(helpers):
        with contextlib.suppress(OSError):  # too many processes, say: then without
            process = subprocess.Popen(
                [sys.executable, "-c", _START, command, table, *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            atexit.register(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


def compile_all(command: str, table: str | Path = TABLE) -> None:
    """Compile what a command will call and nobody has begun to compile."""
    for row in read_table(command, table):
        with contextlib.suppress(Exception):  # one that no longer fits is of no use to anybody
            dispatcher = getattr(import_module(f"{_PACKAGE}.{row.module}"), row.function)
            if dispatcher._cache.is_free(row.args):
                dispatcher.compile(row.args)


def read_table(command: str, table: str | Path = TABLE) -> list[Row]:
    """The rows of a command, callees before their callers."""
    records: dict[str, types.Type] = {}
    rows = []
    for line in Path(table).read_text(encoding="utf-8").splitlines():
        kind, *words = line.split()
        if kind == "record":
            name, *fields = words
            named = (field.partition("=")[::2] for field in fields)
            records[name] = RecordType(name, tuple((f, _type(t, records)) for f, t in named))
        elif command in kind.split(","):
            module, _, function = words[0].rpartition(".")
            rows.append(Row(module, function, tuple(_type(w, records) for w in words[1:])))
    return rows


def _type(text: str, records: dict[str, types.Type]) -> Any:
    if array := _ARRAY.fullmatch(text):
        return types.Array(getattr(types, array[1]), int(array[2]), "C")
    if items := _TUPLE.fullmatch(text):
        return types.UniTuple(_type(items[2], records), int(items[1]))
    return records.get(text) or getattr(types, text)


def written(rows: dict[str, list[Row]]) -> Iterator[str]:
    """The lines of a table with the rows of each command."""
    records: dict[str, str] = {}
    commands: dict[str, list[str]] = {}
    for command, its in rows.items():
        for row in its:
            words = [_text(kind, records) for kind in row.args]
            line = " ".join([f"{row.module}.{row.function}", *words])
            commands.setdefault(line, []).append(command)
    yield from records.values()
    for line, callers in commands.items():
        yield f"{','.join(callers)} {line}"


def _text(kind: Any, records: dict[str, str]) -> str:
    """How a type is written, the records that it needs being added.

    Raises ValueError where two records have one name.
    """
    if isinstance(kind, types.Array):
        return f"{_text(kind.dtype, records)}[{kind.ndim}]"
    if isinstance(kind, types.UniTuple):
        return f"{kind.count}*{_text(kind.dtype, records)}"
    if not isinstance(kind, RecordType):
        return "boolean" if kind == types.boolean else str(kind)
    name = kind.name.partition(".")[0]
    fields = [f"{field}={_text(its, records)}" for field, its in kind.fields]
    line = " ".join(["record", name, *fields])
    if records.setdefault(name, line) != line:
        raise ValueError(f"two records are called {name}")
    return name

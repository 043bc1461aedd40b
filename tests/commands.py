"""The command as tests start it in their own process, and what it leaves on the disk."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from spinetrack_synth.cli import main

if TYPE_CHECKING:
    from spinetrack_synth.avatars.avatar import Avatar
    from spinetrack_synth.avatars.body import Subject
    from spinetrack_synth.community import AssetFolder

KEPT = 12
"""Avatars that a process of tests keeps, of some megabytes each."""


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]
"""What the fixture ``run`` gives: call it with the arguments of ``spinetrack-synth``."""


def type_in(folder: Path, *arguments: object) -> Outcome:
    """Runs the command in this process, in a folder: what it imports and compiles is there when the
    next one is typed. How a process of its own begins and ends is tested in tests/cli and
    tests/test_end_to_end.py."""
    from spinetrack_synth.avatars import cast

    out, err = io.StringIO(), io.StringIO()
    on_sigterm = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["spinetrack-synth", *map(str, arguments)])
        patch.setattr(cast, "undressed_avatar", _undressed_avatar)
        patch.chdir(folder)
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        finally:
            signal.signal(signal.SIGTERM, on_sigterm)
    return Outcome(code, out.getvalue(), err.getvalue())


_MADE: dict[str, Avatar] = {}


def _undressed_avatar(subject: Subject, worn: AssetFolder | None = None) -> Avatar:
    """Whoever is in several runs of one process is made once."""
    from spinetrack_synth.avatars.making import undressed_avatar

    if worn is not None:
        return undressed_avatar(subject, worn)
    key = repr(subject)
    if key not in _MADE:
        if len(_MADE) == KEPT:
            _MADE.clear()
        _MADE[key] = undressed_avatar(subject)
    return _MADE[key]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, but for the lock of a dataset."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }

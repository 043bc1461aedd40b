"""The command as tests start it in their own process, and what it leaves on the disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]
"""What the fixture ``run`` gives: call it with the arguments of ``spinetrack-synth``."""


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, but for the lock of a dataset."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }

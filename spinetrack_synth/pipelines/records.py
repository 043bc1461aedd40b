"""What is known of a step that was begun or done before: one file for each in the output folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.pipelines.config import STATE
from spinetrack_synth.pipelines.contents import Content

PIPELINE: Final = "pipeline"
"""The file that says whose the folder is."""


@dataclass(frozen=True)
class Record:
    """A step as it was begun: its ``arguments``, the ``version`` of the program, what its
    ``inputs`` held; and, once it is ``done``, what its ``outputs`` held. One that is being mended
    is not done, and has the outputs that there should be."""

    arguments: tuple[str, ...]
    version: str
    inputs: Content
    outputs: Content
    done: bool


def read_record(out: Path, step: str) -> Record | None:
    """What is known of a step; None: nothing that can be read."""
    try:
        found = json.loads(_path(out, step).read_text(encoding="utf-8"))
        return Record(**{**found, "arguments": tuple(found["arguments"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_record(out: Path, step: str, record: Record) -> None:
    """Keep it; raises UserError where the disk refuses."""
    write_atomic(_path(out, step), json.dumps(asdict(record)).encode(), durable=True)


def _path(out: Path, step: str) -> Path:
    return out / STATE / f"{step}.json"


def check_owner(out: Path, pipeline: Path) -> None:
    """Raises UserError where the folder is a file, or that of another pipeline."""
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file; --out names a folder")
    try:
        owner = (out / STATE / PIPELINE).read_text(encoding="utf-8").strip()
    except OSError:
        return
    if owner != pipeline.name:
        raise UserError(f"{out}: is the folder of {owner}; give {pipeline.name} another --out")


def write_owner(out: Path, pipeline: Path) -> None:
    """Make the folder that of a pipeline."""
    write_atomic(out / STATE / PIPELINE, f"{pipeline.name}\n".encode())

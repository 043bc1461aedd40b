"""Processes that begin at once: forked from one that has already imported what they need."""

from __future__ import annotations

import multiprocessing
import os
import runpy
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["pandas", "pyarrow.parquet", "spinetrack_synth.anatomy.kinematics",
     "spinetrack_synth.dataset.run", "spinetrack_synth.labels", "spinetrack_synth.scenes.optics",
     "spinetrack_synth.rendering.server.serving"]
)  # fmt: skip


def start(script: Path, folder: Path, *arguments: object) -> tuple[BaseProcess, Connection]:
    """Starts the function ``main`` of a script in a folder, with one end of a pipe and the
    arguments; returns the process and the pipe's other end."""
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_main, args=(script, folder, theirs, *arguments))
    process.start()
    theirs.close()
    return process, ours


def _main(script: Path, folder: Path, pipe: Connection, *arguments: object) -> None:
    os.chdir(folder)
    runpy.run_path(str(script))["main"](pipe, *arguments)

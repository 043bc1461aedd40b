"""A command of ours in a process of its own, which ends where this one does."""

from __future__ import annotations

import ctypes
import os
import signal
import site
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def execute(arguments: Sequence[str], folder: Path) -> int:
    """Run a command of ours in a folder; its exit code, or less the number of what killed it.

    It gets no input, and is told to end, once, where this process is: Ctrl-C does not reach it by
    itself. On Linux it is killed when this process is.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "spinetrack_synth", *arguments],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=_die_with_parent(),
    )
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        try:
            process.wait()
        except KeyboardInterrupt:  # impatient
            process.kill()
            process.wait()
        raise


def told(code: int) -> str:
    """An exit code as a person would say it."""
    return f"exit code {code}" if code > 0 else f"killed by {signal.Signals(-code).name}"


def _environment() -> dict[str, str]:
    """The environment in which the same package is found from another folder."""
    root = str(Path(__file__).parents[2])
    if root in (*site.getsitepackages(), site.getusersitepackages()):
        return dict(os.environ)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _die_with_parent() -> Callable[[], None] | None:
    """What a child does before it begins; None where the system cannot."""
    if sys.platform != "linux":
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def die_with_parent() -> None:
        prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG in linux/prctl.h
        if os.getppid() != parent:
            os._exit(1)

    return die_with_parent

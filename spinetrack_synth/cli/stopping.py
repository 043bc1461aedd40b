"""Ending a command that others ask to end."""

from __future__ import annotations

import signal
from typing import Any


def end_on_sigterm() -> None:
    """Let SIGTERM, as service managers and schedulers send it, end the command as Ctrl-C does.

    So what the command opened is closed: sockets, and engines that it started.
    """
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt

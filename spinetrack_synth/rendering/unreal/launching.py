"""Starting engines of our own, and ending those and no others."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from spinetrack_synth.errors import UserError

FLAGS: Final = ("-RenderOffscreen", "-Unattended", "-NoSound", "-NoSplash")
"""For an Unreal program that nobody watches."""

END_S: Final = 10.0
"""An engine that does not end within this when asked to is killed."""


class Launched:
    """An engine's process, started with a port of its own.

    The port on the command line outranks the one in ``unrealcv.ini``, so engines may share a
    folder; its own session makes the process group that is ended with it.
    """

    def __init__(self, binary: Path, port: int) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  closed by end()
        try:
            self._process = subprocess.Popen(
                [str(binary.absolute()), *FLAGS, "-cvport", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self._output.close()
            raise UserError(f"--launch {binary}: cannot be started: {error.strerror}") from None

    @property
    def alive(self) -> bool:
        """Is the process still running?"""
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        """How the process ended, and the last line it wrote."""
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")
        return f"it ended with code {self._process.poll()}: {last[-200:]}"

    def end(self) -> None:
        """End the process and what it started."""
        for ending in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, ending)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
                break
        with contextlib.suppress(ProcessLookupError):  # children that outlived their parent
            os.killpg(self._process.pid, signal.SIGKILL)
        self._output.close()


def free_ports(count: int, first: int) -> tuple[int, ...]:
    """Ports of this machine that nobody listens at, from ``first`` up.

    They are tried by binding to them: connecting would take a real server's only client.
    """
    ports: list[int] = []
    for port in range(first, min(first + 1000, 65536)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            ports.append(port)
        if len(ports) == count:
            return tuple(ports)
    raise UserError(f"--port {first}: no {count} free ports from there up")

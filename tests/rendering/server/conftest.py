"""Servers as processes of their own, and the official client."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import forks
import pytest

START_S = 120


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[tuple[subprocess.Popen, int]]:
    """A server as a process and its port, from the line that it prints; ended if still there."""
    errors = (folder / "stderr.txt").open("w")
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True
    ) as process:
        try:
            line = process.stdout.readline()
            found = re.match(r"listening at [^ :]+:(\d+)", line)
            assert found, (line, (folder / "stderr.txt").read_text())
            yield process, int(found[1])
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(START_S)
            errors.close()


@pytest.fixture(scope="session")
def run_server() -> Callable[..., Any]:
    """`running`, for servers that outlive a test."""
    return running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen, int]]]:
    """Starts servers, in the folder `served`; they are ended with the test."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ExitStack() as stack:

        def started(*arguments: str) -> tuple[subprocess.Popen, int]:
            return stack.enter_context(running([sys.executable, *arguments], folder))

        yield started


@pytest.fixture
def stripes(tmp_path: Path) -> Iterator[tuple[BaseProcess, int]]:
    """A server of stripes, in the folder `served`, and its port."""
    folder = tmp_path / "served"
    folder.mkdir()
    process, pipe = forks.start(Path(__file__).with_name("stripes.py"), folder)
    yield process, pipe.recv()
    process.terminate()
    process.join(START_S)
    assert process.exitcode == 0


@pytest.fixture(params=["tcp", "unix"])
def connect(request) -> Iterator[Callable[[int], Any]]:
    """Makes official clients, greeted, over either socket; they are disconnected in the end."""
    unrealcv = pytest.importorskip("unrealcv")
    with ExitStack() as stack:

        def to(port: int) -> Any:
            if request.param == "unix":
                path = Path(tempfile.gettempdir()) / f"unrealcv_{port}.socket"
                client = unrealcv.Client(str(path), "unix")
            else:
                client = unrealcv.Client(("127.0.0.1", port))
            assert client.connect()
            stack.callback(client.disconnect)
            client.request = partial(client.request, timeout=START_S)  # its own 15 s are too few
            return client

        yield to

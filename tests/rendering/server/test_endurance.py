"""A server that is used hard and badly, in a process of its own."""

from __future__ import annotations

import os
import socket
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.rendering.server.wire import FrameReader, frame

pytestmark = pytest.mark.slow

MIB = 1 << 20


def resident_bytes(process: BaseProcess) -> int:
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def connection(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def ask_many(port: int, commands: list[bytes]) -> int:
    """Ask all in one go; the number of bytes answered."""
    with connection(port) as here:
        here.sendall(b"".join(frame(b"%d:%s" % (k, c)) for k, c in enumerate(commands)))
        reader, count, size = FrameReader(), -1, 0  # the greeting is no reply
        while count < len(commands):
            payloads = reader.feed(here.recv(1 << 18))
            for payload in payloads:
                assert count < 0 or payload.startswith(b"%d:" % count)
                assert b":error" not in payload[:16]
                count += 1
                size += len(payload)
    return size


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ten_thousand_requests_and_a_hundred_clients_leave_its_memory_flat(stripes) -> None:
    process, port = stripes
    commands = [
        b"vset /camera/0/location 1 2 3", b"vget /camera/0/lit png", b"vget /camera/0/depth npy",
        b"vset /objects/spawn_cube box", b"vset /object/box/location 1 2 3",
        b"vget /camera/0/object_mask png", b"vset /object/box/destroy", b"vget /unrealcv/help",
        b"vset /things []", b"vget /objects",
    ]  # fmt: skip
    ask_many(port, commands * 100)
    before = resident_bytes(process)
    rng = np.random.default_rng(3)
    for _ in range(100):
        ask_many(port, commands * 10)
        with connection(port) as garbage:
            garbage.sendall(rng.bytes(int(rng.integers(1, 5000))))
        with connection(port) as half:
            half.sendall(frame(b"0:vget /objects")[: int(rng.integers(1, 20))])
    after = resident_bytes(process)
    assert process.is_alive()
    assert after - before < 8 * MIB
    assert len(list(Path(f"/proc/{process.pid}/fd").iterdir())) < 30

"""A wire between an UnrealCV client and its server on which chosen replies come to harm."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread

from ball_engine import frame, read_frame


@dataclass
class Fault:
    """What happens to replies to commands that ``match``: ``skip`` are spared, ``times`` are hit.

    ``harm`` gets the wire and a reply's id and body, and returns the bytes that go on instead;
    None hangs up on both sides.
    """

    match: str
    harm: Callable[[FaultyWire, bytes, bytes], bytes | None]
    skip: int = 0
    times: int = 1

    def hits(self, command: str) -> bool:
        if not re.search(self.match, command) or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


def whole(number: bytes, body: bytes) -> bytes:
    return frame(number + b":" + body)


def delayed(seconds: float):
    def harm(wire: FaultyWire, number: bytes, body: bytes) -> bytes:
        time.sleep(seconds)
        return whole(number, body)

    return harm


def dropped(wire: FaultyWire, number: bytes, body: bytes) -> bytes:
    return b""


def cut_off(wire: FaultyWire, number: bytes, body: bytes) -> bytes:
    """Half of the frame: what follows is taken for its rest."""
    content = whole(number, body)
    return content[: len(content) // 2]


def shortened(wire: FaultyWire, number: bytes, body: bytes) -> bytes:
    """A sound frame with half of the body."""
    return whole(number, body[: len(body) // 2])


def garbled(wire: FaultyWire, number: bytes, body: bytes) -> bytes:
    return b"\x00" * 8 + whole(number, body)


def after_the_next(wire: FaultyWire, number: bytes, body: bytes) -> bytes:
    wire.held = whole(number, body)
    return b""


def an_error(wire: FaultyWire, number: bytes, body: bytes) -> bytes:
    return whole(number, b"error Something went wrong")


def hung_up(wire: FaultyWire, number: bytes, body: bytes) -> None:
    return None


def replaced(change: Callable[[bytes], bytes]):
    def harm(wire: FaultyWire, number: bytes, body: bytes) -> bytes:
        return whole(number, change(body))

    return harm


class FaultyWire:
    """Listens at ``port`` and passes everything on to a server, less what the faults do to it."""

    def __init__(self, server_port: int, *faults: Fault) -> None:
        self.faults = list(faults)
        self.held = b""
        self.connections = 0
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> FaultyWire:
        return self

    def __exit__(self, *error: object) -> None:
        for end in (self._listener, *self._ends):
            _hang_up(end)

    @property
    def all_struck(self) -> bool:
        """Has every fault hit as often as it should?"""
        return all(fault.times == 0 for fault in self.faults)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                try:
                    server = socket.create_connection(("127.0.0.1", self._server_port))
                except OSError:
                    _hang_up(client)
                    continue
                self._ends += [client, server]
                asked: dict[bytes, str] = {}
                Thread(target=self._forward, args=(client, server, asked), daemon=True).start()
                self._back(client, server, asked)  # one client at a time

    def _forward(self, client: socket.socket, server: socket.socket, asked: dict) -> None:
        stream = client.makefile("rb")
        with contextlib.suppress(OSError):
            while (payload := read_frame(stream)) is not None:
                number, _, command = payload.partition(b":")
                asked[number] = command.decode()
                server.sendall(frame(payload))
        _hang_up(server)

    def _back(self, client: socket.socket, server: socket.socket, asked: dict) -> None:
        stream = server.makefile("rb")
        self.held = b""
        with contextlib.suppress(OSError):
            while (payload := read_frame(stream)) is not None:
                number, _, body = payload.partition(b":")
                content: bytes | None = frame(payload)
                command = asked.get(number)
                late, self.held = self.held, b""
                for fault in self.faults if command is not None else ():
                    if fault.hits(command):
                        content = fault.harm(self, number, body)
                        break
                if content is None:
                    break
                client.sendall(content + late)
        _hang_up(client)
        _hang_up(server)


def _hang_up(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()

"""One client at a time, whatever it does: the sockets of the server, in this process."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.server import listening
from spinetrack_synth.rendering.server.listening import Doors, listen
from spinetrack_synth.rendering.server.wire import MAGIC, FrameReader, frame

WAIT_S = 120
"""For what a loaded machine is late with; nobody waits that long where all is well."""


class Peer:
    """The other end of a connection, byte by byte."""

    def __init__(self, address: tuple[str, int] | str) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(WAIT_S)
        self.socket.connect(address)
        self._reader = FrameReader()
        self._got: list[bytes] = []

    def receive(self) -> bytes | None:
        """The next payload, None when the server has hung up."""
        while not self._got:
            try:
                piece = self.socket.recv(1 << 16)
            except ConnectionError:
                return None
            if not piece:
                return None
            self._got += self._reader.feed(piece)
        return self._got.pop(0)

    def ask(self, command: str, id: int = 0) -> bytes | None:
        self.socket.sendall(frame(f"{id}:{command}".encode()))
        return self.receive()


class Served:
    """A server on a thread that notes what it is asked, and how to reach it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.doors = Doors("127.0.0.1", 0)
        self.tcp = ("127.0.0.1", self.doors.port)
        self.unix = str(self.doors.unix_path)
        listeners = self.doors.open()
        self.thread = threading.Thread(target=self._run, args=(listeners,), daemon=True)
        self.thread.start()

    def _run(self, listeners: tuple[socket.socket, ...]) -> None:
        with pytest.raises(KeyboardInterrupt):
            listen(listeners, "test", self.answer)

    def answer(self, command: str) -> bytes:
        self.asked.append(command)
        verb, _, rest = command.partition(" ")
        if verb == "stop":
            raise KeyboardInterrupt
        return int(rest) * b"x" if verb == "long" else command.encode()

    def connect(self, unix: bool = False) -> Peer:
        """A client that has been greeted; one that is turned away tries again."""
        peer = Peer(self.unix if unix else self.tcp)
        assert peer.receive() == b"connected to test"
        return peer


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    with closing(served.doors):
        yield served
        served.connect().ask("stop")
        served.thread.join(WAIT_S)
        assert not served.thread.is_alive()


@pytest.fixture(params=["tcp", "unix"])
def address(request, served: Served) -> tuple[str, int] | str:
    return served.tcp if request.param == "tcp" else served.unix


def test_a_client_is_greeted_and_answered(served: Served, address) -> None:
    with closing(Peer(address).socket) as connection:
        assert connection.recv(100) == frame(b"connected to test")
        connection.sendall(frame(b"7:hello there"))
        assert connection.recv(100) == frame(b"7:hello there")


def test_requests_sent_together_are_answered_in_order(served: Served) -> None:
    peer = served.connect()
    peer.socket.sendall(b"".join(frame(f"{k}:number {k}".encode()) for k in range(500)))
    assert [peer.receive() for _ in range(500)] == [f"{k}:number {k}".encode() for k in range(500)]
    peer.socket.close()


def test_a_client_may_send_everything_before_it_reads(served: Served, monkeypatch) -> None:
    monkeypatch.setattr(listening, "ENOUGH_UNREAD", 1 << 20)
    peer = served.connect()
    # Far more than the buffers of the sockets hold, both ways.
    for k in range(300):
        peer.socket.sendall(frame(b"%d:long 100000" % k + 50_000 * b" "))
    for k in range(300):
        assert peer.receive() == b"%d:" % k + 100_000 * b"x"
    peer.socket.close()


def test_a_malformed_request_gets_no_reply(served: Served) -> None:
    peer = served.connect()
    peer.socket.sendall(frame(b"no id") + frame(b"1:\xff\xff") + frame(b"2:fine"))
    assert peer.receive() == b"2:fine"
    peer.socket.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack("<II", MAGIC, 0),
        struct.pack("<II", MAGIC, (256 << 20) + 1),
        frame(b"0:fine") + b"\0" * 8,
        bytes(range(256)) * 40,
    ],
)
def test_garbage_ends_that_connection_alone(served: Served, garbage: bytes) -> None:
    peer = served.connect()
    peer.socket.sendall(garbage)
    while peer.receive() is not None:
        pass
    peer.socket.close()
    after = served.connect()
    assert after.ask("still here") == b"0:still here"
    after.socket.close()


@pytest.mark.parametrize("unix", [False, True])
def test_a_second_client_is_turned_away_and_the_first_stays(served: Served, unix: bool) -> None:
    first = served.connect()
    for _ in range(5):
        second = Peer(served.unix if unix else served.tcp)
        assert second.receive() is None
        second.socket.close()
    assert first.ask("me") == b"0:me"
    first.socket.close()
    third = served.connect(unix)
    assert third.ask("and me") == b"0:and me"
    third.socket.close()


def test_the_next_client_is_taken_at_once_a_hundred_times(served: Served) -> None:
    for k in range(100):
        peer = served.connect(unix=k % 3 == 0)
        if k % 2:
            assert peer.ask("hello", k) == f"{k}:hello".encode()
        peer.socket.close()


def test_what_a_client_asked_before_it_left_is_done(served: Served) -> None:
    peer = served.connect()
    commands = [f"vset {k}" for k in range(200)]
    peer.socket.sendall(b"".join(frame(f"0:{command}".encode()) for command in commands))
    peer.socket.close()
    served.connect().socket.close()
    after = served.connect()
    assert after.ask("done?") == b"0:done?"
    assert served.asked[:201] == [*commands, "done?"]
    after.socket.close()


def test_nothing_is_drawn_for_a_client_that_is_gone(served: Served, monkeypatch) -> None:
    monkeypatch.setattr(listening, "ENOUGH_UNREAD", 1 << 20)
    peer = served.connect()
    asked = b"".join(frame(b"0:%s" % c) for c in [b"vget 1", *[b"vget 2"] * 50, b"vset 3"])
    # Reset instead of a friendly end: replies cannot arrive.
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.socket.sendall(frame(b"0:long 16000000") + asked)
    assert peer.socket.recv(1)
    peer.socket.close()
    after = served.connect()
    assert after.ask("done?") == b"0:done?"
    assert served.asked == ["long 16000000", "vset 3", "done?"]
    after.socket.close()


def test_a_client_that_leaves_half_a_frame_is_forgotten(served: Served) -> None:
    peer = served.connect()
    peer.socket.sendall(frame(b"0:hello there")[:11])
    peer.socket.close()
    after = served.connect()
    assert after.ask("hello") == b"0:hello"
    assert served.asked == ["hello"]
    after.socket.close()


def test_a_client_that_never_reads_makes_way_when_it_hangs_up(served: Served, monkeypatch) -> None:
    monkeypatch.setattr(listening, "ENOUGH_UNREAD", 1 << 20)
    peer = served.connect()
    peer.socket.sendall(b"".join(frame(b"%d:long 4000000" % k) for k in range(20)))
    peer.socket.shutdown(socket.SHUT_WR)
    after = served.connect()
    assert after.ask("next") == b"0:next"
    for connection in (peer, after):
        connection.socket.close()


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        call()
    return str(caught.value)


def test_a_busy_port_is_one_clear_line(served: Served) -> None:
    port = served.doors.port
    message = refusal(lambda: Doors("127.0.0.1", port))
    assert message == f"port {port} of 127.0.0.1 is taken: choose another --port"
    assert Path(served.unix).is_socket()


def test_of_two_that_reserved_a_port_the_slower_is_told(served: Served) -> None:
    with closing(Doors("127.0.0.1", 0)) as first, closing(Doors("127.0.0.1", first.port)) as second:
        first.open()
        assert "is taken" in refusal(second.open)
        second.close()
        assert first.unix_path.is_socket()
    assert not first.unix_path.exists()


def test_unknown_hosts_are_told() -> None:
    assert refusal(lambda: Doors("nowhere.invalid", 9000)).startswith("--host nowhere.invalid: ")
    assert "192.0.2.1" in refusal(lambda: Doors("192.0.2.1", 9000))


def test_a_socket_file_that_was_left_behind_is_replaced() -> None:
    with closing(Doors("127.0.0.1", 0)) as doors:
        doors.unix_path.write_text("left behind")
        doors.open()
        assert doors.unix_path.is_socket()
        assert doors.unix_path.stat().st_mode & 0o777 == 0o600

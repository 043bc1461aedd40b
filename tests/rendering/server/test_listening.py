"""One client at a time, whatever it does: the sockets of the server, in this process."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
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

    def __init__(self, token: str | None = None) -> None:
        self.asked: list[str] = []
        self.draw: Callable[[str], bytes] = str.encode
        self.doors = Doors("127.0.0.1", 0, token)
        self.tcp = ("127.0.0.1", self.doors.port)
        self.unix = str(self.doors.unix_path)
        self.doors.open()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        with pytest.raises(KeyboardInterrupt):
            listen(self.doors, "test", self.answer)

    def answer(self, command: str) -> bytes:
        self.asked.append(command)
        verb, _, rest = command.partition(" ")
        if verb == "stop":
            raise KeyboardInterrupt
        if verb == "draw":
            return self.draw(command)
        return int(rest) * b"x" if verb == "long" else command.encode()

    def turn_away(self) -> None:
        """Come while another is served; when this returns, all that went before is done."""
        peer = Peer(self.tcp)
        assert peer.receive() is None
        peer.socket.close()

    def connect(self, unix: bool = False) -> Peer:
        """A client that has been greeted; one that is turned away tries again."""
        peer = Peer(self.unix if unix else self.tcp)
        assert peer.receive() == b"connected to test"
        return peer


@contextmanager
def serving(token: str | None = None) -> Iterator[Served]:
    served = Served(token)
    with closing(served.doors):
        yield served
        served.connect(unix=token is not None).ask("stop")
        served.thread.join(WAIT_S)
        assert not served.thread.is_alive()


@pytest.fixture
def served() -> Iterator[Served]:
    with serving() as served:
        yield served


TOKEN = "0123456789abcdef"


@pytest.fixture
def guarded() -> Iterator[Served]:
    """A server that wants a token."""
    with serving(TOKEN) as served:
        yield served


class Clock:
    """A clock that goes when it is told to, in the place of the server's."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(listening, "monotonic", clock)
    return clock


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


def test_a_silent_client_makes_way_when_another_comes(served: Served, clock: Clock) -> None:
    first = served.connect()
    assert first.ask("here") == b"0:here"
    served.turn_away()
    clock.now += listening.SILENT_S
    served.turn_away()  # it is silent no longer than it may be
    clock.now += 1
    second = served.connect()
    assert first.receive() is None
    assert second.ask("mine now") == b"0:mine now"
    for peer in (first, second):
        peer.socket.close()


def test_a_silent_client_that_nobody_follows_stays(served: Served, clock: Clock) -> None:
    peer = served.connect()
    clock.now += 100 * listening.SILENT_S
    assert peer.ask("still here") == b"0:still here"
    served.turn_away()  # it has just spoken
    peer.socket.close()


def test_a_client_whose_picture_takes_long_is_not_silent(served: Served, clock: Clock) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def draw(command: str) -> bytes:
        begun.set()
        assert go_on.wait(WAIT_S)
        clock.now += 10 * listening.SILENT_S
        return command.encode()

    first = served.connect()
    assert first.ask("before") == b"0:before"
    served.draw = draw
    first.socket.sendall(frame(b"1:draw"))
    assert begun.wait(WAIT_S)
    second = Peer(served.tcp)
    go_on.set()
    assert second.receive() is None
    assert first.receive() == b"1:draw"
    assert first.ask("after") == b"0:after"
    for peer in (first, second):
        peer.socket.close()


def test_a_client_that_takes_nothing_is_silent(served: Served, clock: Clock, monkeypatch) -> None:
    monkeypatch.setattr(listening, "ENOUGH_UNREAD", 1 << 20)
    first = served.connect()
    first.socket.sendall(frame(b"0:long 16000000") + frame(b"1:long 1") * 3)
    assert first.socket.recv(1)
    served.turn_away()
    clock.now += listening.SILENT_S + 1
    second = served.connect()
    assert second.ask("next") == b"0:next"
    for peer in (first, second):
        peer.socket.close()


def test_nothing_is_done_before_the_token(guarded: Served) -> None:
    peer = guarded.connect()
    refused = b"0:error this server wants its token first: vset /session/token TOKEN"
    assert peer.ask("vset 1") == refused
    assert peer.ask("vget /unrealcv/version") == b"0:vget /unrealcv/version"
    assert peer.ask("vset /session/token nonsense") == b"0:error that is not the token"
    assert guarded.asked == ["vget /unrealcv/version"]
    assert peer.ask(f"vset /session/token {TOKEN}") == f"0:vset /session/token {TOKEN}".encode()
    assert peer.ask("vset 1") == b"0:vset 1"
    peer.socket.close()
    other = guarded.connect()
    assert other.ask("vset 2") == refused, "the token holds for one connection"
    other.socket.close()


def test_a_client_that_was_wrong_three_times_is_sent_away(guarded: Served) -> None:
    peer = guarded.connect()
    guesses = [f"{k}:vset /session/token guess{k}" for k in range(9)]
    guesses += [f"9:vset /session/token {TOKEN}", "10:vset 1"]
    peer.socket.sendall(b"".join(frame(guess.encode()) for guess in guesses))
    for k in range(3):
        assert peer.receive() == b"%d:error that is not the token" % k
    assert peer.receive() is None
    peer.socket.close()
    assert guarded.asked == []


def test_the_unix_socket_needs_no_token(guarded: Served) -> None:
    peer = guarded.connect(unix=True)
    assert peer.ask("vset 1") == b"0:vset 1"
    peer.socket.close()


def test_who_gives_no_token_makes_way_soon(guarded: Served, clock: Clock) -> None:
    stranger = guarded.connect()
    guarded.turn_away()
    clock.now += listening.SILENT_STRANGER_S + 1
    friend = guarded.connect()
    assert friend.ask(f"vset /session/token {TOKEN}")
    clock.now += listening.SILENT_STRANGER_S + 1
    guarded.turn_away()  # who has given it may be silent for longer
    for peer in (stranger, friend):
        peer.socket.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "", "somewhere.example", "::", "::ffff:0.0.0.0"])
def test_an_open_host_without_a_token_is_refused(host: str, monkeypatch) -> None:
    if host == "somewhere.example":  # a name that resolves beyond loopback
        known = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("0.0.0.0", 0))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *arguments, **options: known)
    message = refusal(lambda: Doors(host, 0))
    if ":" in host and "token" not in message:
        pytest.skip(f"no IPv6 here: {message}")
    assert message.startswith(f"--host {host} lets other machines in: set a token with --token or ")
    assert "SPINETRACK_SYNTH_TOKEN" in message and "\n" not in message
    with closing(Doors(host, 0, TOKEN)) as doors:
        assert doors.open_to_others


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1", "::ffff:127.0.0.1"])
def test_loopback_needs_no_token(host: str) -> None:
    try:
        doors = Doors(host, 0)
    except UserError as error:
        pytest.skip(f"no such loopback here: {error}")
    with closing(doors):
        assert not doors.open_to_others
        where = f"[{host}]" if ":" in host else host
        assert str(doors).startswith(f"{where}:{doors.port} and /")


def test_a_token_that_is_none_is_told_before_anything_listens() -> None:
    assert refusal(lambda: Doors("127.0.0.1", 0, "short")).startswith("--token: ")


@pytest.fixture
def doors(tmp_path, monkeypatch) -> Iterator[Doors]:
    """Not yet open, with a temporary folder of their own."""
    short = tempfile.mkdtemp()  # a socket's path may not be long
    monkeypatch.setattr(tempfile, "tempdir", short)
    with closing(Doors("127.0.0.1", 0)) as doors:
        yield doors
    shutil.rmtree(short)


def test_a_socket_that_was_left_behind_is_replaced(doors: Doors) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(doors.unix_path))
    doors.open()
    assert doors.unix_path.is_socket()
    assert doors.unix_path.stat().st_mode & 0o777 == 0o600
    peer = Peer(str(doors.unix_path))
    peer.socket.close()
    doors.close()
    assert not doors.unix_path.exists()


@pytest.mark.parametrize("kind", ["file", "folder", "pipe", "link", "link to nothing", "socket"])
def test_what_somebody_else_put_there_stays(doors: Doors, tmp_path: Path, kind: str) -> None:
    path, precious = doors.unix_path, tmp_path / "precious"
    precious.write_text("precious")
    with socket.socket(socket.AF_UNIX) as other:
        if kind == "file":
            path.write_text("precious")
        elif kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "link":
            path.symlink_to(precious)
        elif kind == "link to nothing":
            path.symlink_to(tmp_path / "nothing")
        else:
            other.bind(str(path))
            other.listen()
        before, mode = path.lstat(), precious.stat().st_mode
        message = refusal(doors.open)
        assert message.startswith(f"{path} is there and was not left by a server of yours")
        doors.close()
        assert os.path.samestat(path.lstat(), before) and path.lstat().st_mode == before.st_mode
    assert precious.read_text() == "precious" and precious.stat().st_mode == mode
    assert not (tmp_path / "nothing").exists()


def test_what_took_the_sockets_place_stays_when_the_server_ends(doors: Doors) -> None:
    doors.open()
    doors.unix_path.unlink()
    doors.unix_path.write_text("somebody else's")
    doors.mend()
    doors.close()
    assert doors.unix_path.read_text() == "somebody else's"


def test_the_unix_socket_comes_back_when_it_is_deleted(served: Served) -> None:
    path = Path(served.unix)
    for busy in (False, True, True):
        peer = served.connect(unix=busy)
        path.unlink()
        assert wait_for(path.is_socket)
        assert path.stat().st_mode & 0o777 == 0o600
        assert peer.ask("still here") == b"0:still here"
        peer.socket.close()
        again = served.connect(unix=True)
        assert again.ask("back") == b"0:back"
        again.socket.close()


def wait_for(happened: Callable[[], bool]) -> bool:
    """Wait for what another thread does; False where it does not."""
    end = time.monotonic() + WAIT_S
    while not happened() and time.monotonic() < end:
        time.sleep(0.01)
    return happened()

"""Connecting and asking over the official client: each way it fails has its error, in time."""

from __future__ import annotations

import io
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ball_engine import BallEngine, frame
from faulty_wire import (
    Fault,
    FaultyWire,
    after_the_next,
    an_error,
    cut_off,
    delayed,
    dropped,
    garbled,
    hung_up,
)

from spinetrack_synth.rendering.unreal.errors import (
    Busy,
    CommandFailed,
    EngineError,
    NoHello,
    Refused,
)
from spinetrack_synth.rendering.unreal.session import Endpoint, open_session

pytestmark = pytest.mark.slow

pytest.importorskip("unrealcv")


@pytest.fixture
def engine() -> Iterator[BallEngine]:
    with BallEngine() as engine:
        yield engine


def here(port: int) -> Endpoint:
    return Endpoint("127.0.0.1", port)


@contextmanager
def door(greet: Callable[[socket.socket], None], address: object = ("127.0.0.1", 0)):
    """Something that accepts connections and treats each as told."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    listener = socket.create_server(address, family=family) if family == socket.AF_INET else None
    if listener is None:
        listener = socket.socket(family)
        listener.bind(address)
        listener.listen()
    kept = []

    def serve() -> None:
        while True:
            try:
                end, _ = listener.accept()
            except OSError:
                return
            kept.append(end)
            greet(end)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        for end in (*kept, listener):
            end.close()


def test_replies_come_in_order(engine: BallEngine) -> None:
    session = open_session(here(engine.port), 5)
    commands = ["vget /place", "vget /cameras", "vget /unrealcv/version"] * 20
    assert session.ask(commands, 5) == ["void 0", "camera_0", "1.1.2"] * 20
    assert session.ask([], 5) == []
    session.close()


def test_nobody_listens(engine: BallEngine) -> None:
    engine.stop()
    with pytest.raises(Refused, match=rf"127\.0\.0\.1:{engine.port}: nothing listens there"):
        open_session(here(engine.port), 5)


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(Refused, match=r"no-such-host\.invalid:9000"):
        open_session(Endpoint("no-such-host.invalid", 9000), 5)


def test_no_greeting() -> None:
    with door(lambda end: None) as (_, port), pytest.raises(NoHello, match="no greeting within"):
        open_session(here(port), 0.3)


def test_a_server_that_is_busy() -> None:
    with door(lambda end: end.close()) as (_, port), pytest.raises(Busy, match="hung up before"):
        open_session(here(port), 5)


def test_something_else_listens() -> None:
    with (
        door(lambda end: end.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as (_, port),
        pytest.raises(Busy),
    ):
        open_session(here(port), 5)


def test_nothing_is_printed(engine: BallEngine, capfd: pytest.CaptureFixture[str]) -> None:
    session = open_session(here(engine.port), 5)
    engine.stop()
    with pytest.raises(EngineError):
        session.ask(["vget /place"], 5)
    with door(lambda end: end.sendall(b"x" * 20)) as (_, port), pytest.raises(Busy):
        open_session(here(port), 5)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("harm", [dropped, cut_off, garbled, after_the_next, hung_up, delayed(3)])
@pytest.mark.parametrize("position", [0, 2])
def test_a_session_ends_with_the_first_harm(engine: BallEngine, harm, position: int) -> None:
    commands = ["vget /place", "vget /cameras", "vget /unrealcv/version"]
    with FaultyWire(engine.port, Fault(commands[position], harm)) as wire:
        session = open_session(here(wire.port), 5)
        with pytest.raises(EngineError):
            session.ask(commands, 0.5)
        assert session.closed
        with pytest.raises(EngineError):  # a late reply is nobody's
            session.ask(commands, 0.5)
    with FaultyWire(engine.port) as wire:
        assert open_session(here(wire.port), 5).ask(commands, 5)[0] == "void 0"


def test_an_error_is_the_commands_alone(engine: BallEngine) -> None:
    with FaultyWire(engine.port, Fault("place", an_error)) as wire:
        session = open_session(here(wire.port), 5)
        with pytest.raises(CommandFailed, match="'vget /place': error Something went wrong"):
            session.ask(["vget /cameras", "vget /place"], 5)
        assert session.ask(["vget /place"], 5) == ["void 0"]
        with pytest.raises(CommandFailed, match="No handler found"):
            session.ask(["vget /nonsense"], 5)
        session.close()


def test_the_unix_socket_is_the_way_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def serve(end: socket.socket) -> None:
        end.sendall(frame(b"connected to Old"))
        head = io.BytesIO(end.recv(4096)).read()
        number = head[8:].partition(b":")[0]
        end.sendall(frame(number + b":over the socket"))

    # As UnrealCV up to 1.0.1: TCP accepts but does not greet again.
    with door(lambda end: None) as (_, port):
        with pytest.raises(NoHello):
            open_session(here(port), 0.3)
        with door(serve, str(tmp_path / f"unrealcv_{port}.socket")):
            session = open_session(here(port), 0.3)
            assert session.ask(["vget /place"], 5) == ["over the socket"]
            session.close()

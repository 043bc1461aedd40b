"""A session with an engine over the official client, with clocks of our own.

The client waits without end for a greeting and for a batch's replies, hands a late reply to the
next request, and tries for a minute to go on with a dead connection. So every wait here happens on
a thread that is given a time, and a client that was late, or failed in any way, is thrown away.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final

from spinetrack_synth.rendering.unreal.errors import (
    Busy,
    CommandFailed,
    EngineError,
    NoHello,
    Refused,
    Unreachable,
)

LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")

Reply = str | bytes


@dataclass(frozen=True)
class Endpoint:
    """Where an engine listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def unix_socket(self) -> Path | None:
        """The Unix socket of an engine on this machine, None where there is none.

        UnrealCV makes it in /tmp, whatever the temporary folder is.
        """
        if self.host not in LOCAL_HOSTS:
            return None
        folders = (Path(tempfile.gettempdir()), Path("/tmp"))
        paths = (folder / f"unrealcv_{self.port}.socket" for folder in folders)
        return next((path for path in paths if path.is_socket()), None)


class Session:
    """A connection that has been greeted. After any error it is closed and stays so."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.closed = False

    def ask(
        self, commands: Sequence[str], timeout_s: float, *, errors_too: bool = False
    ) -> list[Reply]:
        """Send commands in one go and return their replies, in order.

        Raises CommandFailed where a reply is an error, unless ``errors_too``, and EngineError where
        the connection broke or the replies did not all come in time.
        """
        if not commands:
            return []
        try:
            replies: list[Reply] = within(
                timeout_s, lambda: self._client.request_batch(list(commands))
            )
        except TimeoutError:
            self.close()
            raise EngineError(f"no answer within {timeout_s:.0f} s to {_shown(commands)}") from None
        except Exception as error:  # whatever the client raises, its state is unknown now
            self.close()
            raise EngineError(f"{_shown(commands)}: {_line(error)}") from None
        for command, reply in zip(commands, replies):
            if reply is None:
                self.close()
                raise EngineError(f"{_shown([command])}: the connection ended")
            failed = isinstance(reply, str) and reply.lstrip().lower().startswith("error")
            if failed and not errors_too:
                raise CommandFailed(f"{_shown([command])}: {str(reply).strip()[:200]}")
        return replies

    def close(self) -> None:
        """End the connection; whoever still waits for a reply stops waiting."""
        self.closed = True
        self._client.disconnect()
        self._client.recv_data_q.put(ConnectionError("the session was closed"))


def open_session(endpoint: Endpoint, hello_s: float, *, again: bool = False) -> Session:
    """Connect to an engine over TCP, else over the Unix socket of one on this machine.

    On Linux, UnrealCV up to 1.0.1 serves one TCP client in its life and then that socket only, so
    ``again``, after a session with this engine, the socket comes first. Raises Refused, NoHello or
    Busy, as TCP was answered.
    """
    tried = endpoint.unix_socket if again else None
    if tried is not None:
        with contextlib.suppress(Unreachable):
            return _greeted(endpoint, hello_s, tried)
    try:
        return _greeted(endpoint, hello_s, None)
    except Unreachable as error:
        unix = endpoint.unix_socket
        if unix in (None, tried):
            raise
        try:
            return _greeted(endpoint, hello_s, unix)
        except Unreachable:
            raise error from None


def _greeted(endpoint: Endpoint, hello_s: float, unix: Path | None) -> Session:
    """A session over TCP, or over a Unix socket, once the server has greeted."""
    where = str(unix or endpoint)
    if unix is not None:
        client = _client_class()(str(unix), "unix")
    else:
        try:
            socket.getaddrinfo(endpoint.host, endpoint.port)
        except OSError as error:
            raise Refused(f"{where}: {error.strerror or error}") from None
        client = _client_class()((endpoint.host, endpoint.port))
    try:
        greeted = within(hello_s, client.connect)
    except TimeoutError:
        client.disconnect()
        raise NoHello(f"{where}: no greeting within {hello_s:.0f} s") from None
    if greeted:
        return Session(client)
    if client.reached:
        raise Busy(f"{where}: hung up before its greeting")
    raise Refused(f"{where}: nothing listens there")


def within(timeout_s: float, call: Callable[[], Any]) -> Any:
    """What a call returns or raises, or TimeoutError where it takes longer.

    The call goes on then, on a thread that keeps nothing alive.
    """
    outcome: SimpleQueue[tuple[bool, Any]] = SimpleQueue()

    def run() -> None:
        try:
            outcome.put((True, call()))
        except BaseException as error:
            outcome.put((False, error))

    Thread(target=run, daemon=True).start()
    try:
        went_well, value = outcome.get(timeout=timeout_s)
    except Empty:
        raise TimeoutError from None
    if went_well:
        return value
    raise value


def load_client() -> None:
    """Import the official client, for those who start what an interrupt must end: in one import out
    of a hundred Python or a module loses the interrupt that comes meanwhile."""
    _client_class()


@cache
def _client_class() -> Any:
    """The official client, less its prints and its patience with dead connections."""
    import unrealcv

    unrealcv.print = lambda *args, **kwargs: None  # it prints to our standard output
    logging.getLogger("unrealcv").setLevel(logging.CRITICAL)  # failures are told by our errors

    class Client(unrealcv.Client):  # type: ignore[misc]  # it has no types
        reached = False  # has there been a connection, greeted or not?

        @property
        def sock(self) -> socket.socket | None:
            return self._sock

        @sock.setter
        def sock(self, value: socket.socket | None) -> None:
            self._sock = value
            self.reached = self.reached or value is not None

        def receive(self) -> bytes:
            message = unrealcv.SocketMessage.ReceivePayload(self.sock)
            if not message:
                raise ConnectionError("the connection ended")
            return bytes(message)

        def receive_loop_queue(self) -> None:
            try:
                super().receive_loop_queue()
            except BaseException as error:
                self.recv_data_q.put(error if isinstance(error, Exception) else None)

        def _load_command_capabilities(self) -> None:
            """Left out: the driver asks for the commands itself, with a clock."""

    return Client


def _shown(commands: Sequence[str]) -> str:
    """The first of some commands, cut short, for a message."""
    first = commands[0] if len(commands[0]) <= 60 else commands[0][:57] + "..."
    return f"'{first}'" + (f" and {len(commands) - 1} more" if len(commands) > 1 else "")


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

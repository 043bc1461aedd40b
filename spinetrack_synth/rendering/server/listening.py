"""The sockets of the server: one client at a time, over TCP or a Unix socket.

Everything happens on one thread. Requests are read as they come, also while replies wait to be
taken, so that a client may send as many as it likes before it reads; they are answered in order.
"""

from __future__ import annotations

import errno
import socket
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.server.wire import (
    MOST_BYTES,
    BadFrame,
    FrameReader,
    Request,
    frame,
    parse_request,
    reply,
)

PIECE: Final = 1 << 18
"""Bytes read at once."""

BACKLOG: Final = 16
"""Clients that may wait to be greeted or turned away."""

ENOUGH_UNREAD: Final = 1 << 26
"""Bytes of replies that may wait for the client before its next request is answered."""


class Doors:
    """A TCP port and a Unix socket of the same number.

    Made, the port is reserved; open, clients may come. ``port`` 0 takes a free one. Raises
    UserError where the port is taken.
    """

    def __init__(self, host: str, port: int) -> None:
        self._tcp = _bound(host, port)
        self._unix: socket.socket | None = None
        self.host, self.port = host, int(self._tcp.getsockname()[1])
        self.unix_path = Path(tempfile.gettempdir()) / f"unrealcv_{self.port}.socket"

    def open(self) -> tuple[socket.socket, socket.socket]:
        """Let clients come; both sockets."""
        try:
            self._tcp.listen(BACKLOG)
        except OSError as error:  # somebody else was quicker
            raise UserError(_why_not(self.host, self.port, error)) from None
        # The port is ours, so a file of its number was left by somebody who is gone.
        self.unix_path.unlink(missing_ok=True)
        self._unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._unix.bind(str(self.unix_path))
        except OSError as error:
            raise UserError(f"{self.unix_path}: {error}; set TMPDIR") from None
        self.unix_path.chmod(0o600)
        self._unix.listen(BACKLOG)
        for listener in (self._tcp, self._unix):
            listener.setblocking(False)
        return self._tcp, self._unix

    def close(self) -> None:
        """Shut both, and remove the Unix socket's file."""
        self._tcp.close()
        if self._unix is not None:
            self._unix.close()
            self.unix_path.unlink(missing_ok=True)


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise UserError(f"--host {host}: {error.strerror}") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise UserError(_why_not(host, port, error)) from None
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken: choose another --port"
    return f"--host {host} --port {port}: {error.strerror}"


def listen(
    listeners: Sequence[socket.socket], greeting: str, answer: Callable[[str], bytes]
) -> None:
    """Greet clients and answer their commands until something raises (KeyboardInterrupt does).

    A client that comes while another is served is turned away without a greeting.
    """
    with DefaultSelector() as selector:
        for listener in listeners:
            selector.register(listener, EVENT_READ)
        client: Client | None = None
        try:
            while True:
                ready = selector.select(0 if client and client.can_be_answered else None)
                sockets = {key.fileobj: events for key, events in ready}
                # The present client first: it may have gone and so make room for the next.
                if client is not None and client.socket in sockets:
                    client.exchange(sockets[client.socket])
                if client is not None and client.can_be_answered:
                    client.answer_next(answer)
                if client is not None and client.finished:
                    selector.unregister(client.socket)
                    client.close()
                    client = None
                for listener in listeners:
                    if listener not in sockets:
                        continue
                    if client is not None and client.leaving and client.can_be_answered:
                        continue  # its last requests first, then the next one's turn comes
                    newcomer = _accepted(listener)
                    if newcomer is None:
                        continue
                    if client is not None and not client.leaving:
                        newcomer.close()
                        continue
                    if client is not None:  # gone, with replies that it never took
                        selector.unregister(client.socket)
                        client.close()
                    client = Client(newcomer)
                    client.send(frame(f"connected to {greeting}".encode()))
                    selector.register(newcomer, EVENT_READ)
                if client is not None:
                    selector.modify(client.socket, client.interest)
        finally:
            if client is not None:
                client.close()


def _accepted(listener: socket.socket) -> socket.socket | None:
    try:
        newcomer, _ = listener.accept()
    except OSError:  # gone already
        return None
    newcomer.setblocking(False)
    if newcomer.family != socket.AF_UNIX:
        newcomer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A client whose machine went away must not keep its place for ever.
        newcomer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return newcomer


class Client:
    """One client's stream: its requests not yet answered, its replies not yet taken."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._reader = FrameReader()
        self._requests: deque[Request] = deque()
        self._waiting_bytes = 0
        self._replies: deque[memoryview] = deque()
        self._unread = 0
        self._hung_up = False
        self._broken = False

    @property
    def interest(self) -> int:
        """What to be woken for."""
        reading = 0 if self._hung_up else EVENT_READ
        return reading | (EVENT_WRITE if self._replies else 0) or EVENT_READ

    @property
    def can_be_answered(self) -> bool:
        """Whether a request waits, and there is room for its reply or nobody left to read it."""
        return bool(self._requests) and (self.leaving or self._unread < ENOUGH_UNREAD)

    @property
    def leaving(self) -> bool:
        """Whether nothing more comes from it; what it asked is still done."""
        return self._hung_up or self._broken

    @property
    def finished(self) -> bool:
        """Whether everything it asked is done and nothing can reach it any more."""
        return not self._requests and (self._broken or (self._hung_up and not self._replies))

    def exchange(self, events: int) -> None:
        """Take what has come and send what can go."""
        if events & EVENT_WRITE:
            self._flush()
        if events & EVENT_READ and not self._hung_up:
            self._read()

    def answer_next(self, answer: Callable[[str], bytes]) -> None:
        """Do the next request. When nobody can hear the answer, only what changes things."""
        request = self._requests.popleft()
        self._waiting_bytes -= len(request.command)
        if self._hung_up and self._unread >= ENOUGH_UNREAD:
            self._break()
        if self._broken and not request.command.startswith("vset"):
            return
        self.send(reply(request, answer(request.command)))

    def send(self, message: bytes) -> None:
        """Send a message, or keep what of it does not go yet."""
        if not self._broken:
            self._replies.append(memoryview(message))
            self._unread += len(message)
            self._flush()

    def close(self) -> None:
        """End the connection."""
        self.socket.close()

    def _read(self) -> None:
        """Read until nothing is left, so that a hang-up behind other bytes is seen at once."""
        while not self.leaving:
            try:
                piece = self.socket.recv(PIECE)
                self._hung_up = not piece
                payloads = self._reader.feed(piece)
            except BlockingIOError:
                return
            except BadFrame:
                self._requests.clear()
                self._break()
                return
            except OSError:
                self._break()
                return
            requests = [request for payload in payloads if (request := parse_request(payload))]
            self._requests += requests
            self._waiting_bytes += sum(len(request.command) for request in requests)
            if self._waiting_bytes > MOST_BYTES:
                self._requests.clear()
                self._break()

    def _flush(self) -> None:
        while self._replies:
            try:
                sent = self.socket.send(self._replies[0])
            except BlockingIOError:
                return
            except OSError:
                self._break()
                return
            self._unread -= sent
            rest = self._replies.popleft()[sent:]
            if rest:
                self._replies.appendleft(rest)

    def _break(self) -> None:
        self._broken = True
        self._replies.clear()
        self._unread = 0

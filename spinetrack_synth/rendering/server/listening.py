"""The sockets of the server: one client at a time, over TCP or a Unix socket.

Everything happens on one thread. Requests are read as they come, also while replies wait to be
taken, so that a client may send as many as it likes before it reads; they are answered in order.
"""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from stat import S_ISSOCK
from time import monotonic
from typing import Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering.server.admission import Admission, check_token
from spinetrack_synth.rendering.server.wire import (
    MOST_BYTES,
    BadFrame,
    FrameReader,
    Request,
    frame,
    parse_request,
    reply,
)
from spinetrack_synth.rendering.unreal.messages import TOKEN_VARIABLE

PIECE: Final = 1 << 18
"""Bytes read at once."""

BACKLOG: Final = 16
"""Clients that may wait to be greeted or turned away."""

ENOUGH_UNREAD: Final = 1 << 26
"""Bytes of replies that may wait for the client before its next request is answered."""


SILENT_S: Final = 120.0
"""A client that sent and took nothing for so long makes way when another comes."""

SILENT_STRANGER_S: Final = 10.0
"""The same before it has given the token that the server wants."""

MEND_S: Final = 1.0
"""How long the Unix socket's file may be gone before it is made anew."""


class Doors:
    """A TCP port and a Unix socket of the same number.

    Made, the port is reserved; open, clients may come. ``port`` 0 takes a free one. Clients over
    TCP must give the ``token``, if there is one; the Unix socket is this user's alone. Raises
    UserError where the port is taken, or other machines could come in without a token.
    """

    def __init__(self, host: str, port: int, token: str | None = None) -> None:
        if token is not None:
            check_token(token)
        self._token = token
        self._tcp = _bound(host, port)
        self._unix: UnixDoor | None = None
        address = self._tcp.getsockname()
        self.host, self.port = host, int(address[1])
        self.open_to_others = not _is_loopback(address[0])
        self.unix_path = Path(tempfile.gettempdir()) / f"unrealcv_{self.port}.socket"
        if self.open_to_others and token is None:
            self._tcp.close()
            raise UserError(
                f"--host {host} lets other machines in: set a token with --token or "
                f"{TOKEN_VARIABLE}, or leave --host out and come through "
                f"ssh -L {self.port}:127.0.0.1:{self.port}"
            )

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port} and {self.unix_path}"

    def open(self) -> None:
        """Let clients come. Raises UserError where somebody else's file is in the way."""
        try:
            self._tcp.listen(BACKLOG)
        except OSError as error:  # somebody else was quicker
            raise UserError(_why_not(self.host, self.port, error)) from None
        self._tcp.setblocking(False)
        _clear(self.unix_path)
        try:
            self._unix = UnixDoor(self.unix_path)
        except OSError as error:
            raise UserError(f"{self.unix_path}: {error}; set TMPDIR") from None

    @property
    def listeners(self) -> tuple[socket.socket, ...]:
        """The sockets at which clients come."""
        return (self._tcp, self._unix.socket) if self._unix else (self._tcp,)

    def mend(self) -> None:
        """Make the Unix socket anew where its file is gone: clients and tidy systems delete it."""
        if self._unix is not None and not os.path.lexists(self.unix_path):
            try:
                mended = UnixDoor(self.unix_path)
            except OSError:  # its folder is gone as well, perhaps for a while only
                return
            self._unix.close()
            self._unix = mended

    def admission(self, listener: socket.socket) -> Admission:
        """Of a client that came at one of the sockets."""
        return Admission(self._token if listener is self._tcp else None)

    def close(self) -> None:
        """Shut both, and remove the Unix socket's file."""
        self._tcp.close()
        if self._unix is not None:
            self._unix.close()
            self._unix = None


class UnixDoor:
    """A Unix socket with a file of its own, which this user alone may use. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)  # so the file never has wider rights, and no link is followed
        try:
            self.socket.bind(str(path))
        except OSError:
            self.socket.close()
            raise
        finally:
            os.umask(mask)
        self._file = os.lstat(path)
        self.socket.listen(BACKLOG)
        self.socket.setblocking(False)

    def close(self) -> None:
        """Shut it, and remove its file if that is still there."""
        self.socket.close()
        try:
            if os.path.samestat(os.lstat(self._path), self._file):
                self._path.unlink()
        except FileNotFoundError:
            pass


def _clear(path: Path) -> None:
    """Remove a socket that a server of this user left. Raises UserError for anything else."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not S_ISSOCK(found.st_mode) or found.st_uid != os.geteuid() or _is_served(path):
        raise UserError(
            f"{path} is there and was not left by a server of yours that has ended: "
            "remove it, choose another --port, or set TMPDIR"
        )
    path.unlink()


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        return probe.connect_ex(str(path)) != errno.ECONNREFUSED


def _is_loopback(address: str) -> bool:
    ip = ip_address(address)
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return (mapped or ip).is_loopback


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
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


def listen(doors: Doors, greeting: str, answer: Callable[[str], bytes]) -> None:
    """Greet clients and answer their commands until something raises (KeyboardInterrupt does).

    A client that comes while another is served is turned away without a greeting, unless that one
    has been silent for long.
    """
    with DefaultSelector() as selector:
        listeners: tuple[socket.socket, ...] = ()
        client: Client | None = None
        try:
            while True:
                doors.mend()
                if doors.listeners != listeners:
                    for gone in set(listeners) - set(doors.listeners):
                        selector.unregister(gone)
                    for new in set(doors.listeners) - set(listeners):
                        selector.register(new, EVENT_READ)
                    listeners = doors.listeners
                ready = selector.select(0 if client and client.can_be_answered else MEND_S)
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
                    if client is not None and not client.leaving and not client.silent:
                        newcomer.close()
                        continue
                    if client is not None:  # gone, with replies that it never took, or asleep
                        selector.unregister(client.socket)
                        client.close()
                    client = Client(newcomer, doors.admission(listener))
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

    def __init__(self, connection: socket.socket, admission: Admission) -> None:
        self.socket = connection
        self._admission = admission
        self._stirred = monotonic()
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
    def silent(self) -> bool:
        """Whether it sent and took nothing for so long that it may be forgotten."""
        patience = SILENT_S if self._admission.granted else SILENT_STRANGER_S
        return monotonic() - self._stirred > patience

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
        refused = self._admission.refusal(request.command)
        self.send(reply(request, answer(request.command) if refused is None else refused))
        if self._admission.denied:
            self._requests.clear()
            self._hung_up = True

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
                self._stirred = monotonic()
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
            self._stirred = monotonic()
            self._unread -= sent
            rest = self._replies.popleft()[sent:]
            if rest:
                self._replies.appendleft(rest)

    def _break(self) -> None:
        self._broken = True
        self._replies.clear()
        self._unread = 0

"""UnrealCV's messages as bytes: frames on a stream, requests and replies in them.

A frame is a little-endian ``uint32 magic | uint32 size | payload``. A request's payload is
``<id>:<command>``, its reply ``<id>:<body>``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from re import compile as pattern
from typing import Final

MAGIC: Final = 0x9E2B83C1
MOST_BYTES: Final = 256 * 1024 * 1024
"""Of a payload; a longer one ends the connection, as in the plugin."""

_HEADER: Final = struct.Struct("<II")
_REQUEST: Final = pattern(rb"(\d+):([^\r\n]*)")


class BadFrame(ValueError):
    """What came is no frame: nothing after it can be understood."""


@dataclass(frozen=True)
class Request:
    """A command and the id its reply must carry."""

    id: bytes
    command: str


def frame(payload: bytes) -> bytes:
    """A payload as it goes over the wire."""
    return _HEADER.pack(MAGIC, len(payload)) + payload


def reply(request: Request, body: bytes) -> bytes:
    """The frame that answers a request."""
    return frame(request.id + b":" + body)


def parse_request(payload: bytes) -> Request | None:
    """The request in a payload, its first line; None where there is none."""
    found = _REQUEST.match(payload)
    if found is None:
        return None
    try:
        return Request(found[1], found[2].decode())
    except UnicodeDecodeError:
        return None


class FrameReader:
    """Payloads out of a stream that comes in pieces."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        """The payloads that are complete now. Raises BadFrame at a frame that cannot be right."""
        self._bytes += piece
        payloads: list[bytes] = []
        start = 0
        while len(self._bytes) - start >= _HEADER.size:
            magic, size = _HEADER.unpack_from(self._bytes, start)
            if magic != MAGIC:
                raise BadFrame(f"a frame that starts with {magic:#010x}")
            if not 0 < size <= MOST_BYTES:
                raise BadFrame(f"a frame of {size} bytes")
            end = start + _HEADER.size + size
            if end > len(self._bytes):
                break
            payloads.append(bytes(self._bytes[start + _HEADER.size : end]))
            start = end
        del self._bytes[:start]
        return payloads

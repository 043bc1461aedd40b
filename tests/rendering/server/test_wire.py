"""Frames, requests and replies as bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.rendering.server.wire import (
    MAGIC,
    MOST_BYTES,
    BadFrame,
    FrameReader,
    Request,
    frame,
    parse_request,
    reply,
)

payload = st.binary(min_size=1, max_size=300)


def test_a_frame_is_magic_size_and_payload() -> None:
    assert frame(b"hello") == b"\xc1\x83\x2b\x9e" + b"\x05\x00\x00\x00" + b"hello"


@given(st.lists(payload, max_size=6), st.lists(st.integers(1, 40), min_size=1))
def test_payloads_come_whole_however_the_stream_is_cut(payloads, cuts) -> None:
    stream = b"".join(frame(content) for content in payloads)
    reader, got, start, turn = FrameReader(), [], 0, 0
    while start < len(stream):
        size = cuts[turn % len(cuts)]
        got += reader.feed(stream[start : start + size])
        start, turn = start + size, turn + 1
    assert got == payloads


@given(payload)
def test_what_is_no_frame_is_refused_at_its_header(content) -> None:
    reader = FrameReader()
    header = content[:8].ljust(8, b"\0")
    if struct.unpack("<I", header[:4])[0] == MAGIC:
        return
    with pytest.raises(BadFrame):
        reader.feed(header)


@pytest.mark.parametrize("size", [0, MOST_BYTES + 1, 0xFFFFFFFF])
def test_sizes_that_cannot_be_are_refused(size: int) -> None:
    with pytest.raises(BadFrame, match=f"{size} bytes"):
        FrameReader().feed(struct.pack("<II", MAGIC, size))


def test_the_largest_size_is_waited_for() -> None:
    assert FrameReader().feed(struct.pack("<II", MAGIC, MOST_BYTES) + b"begin") == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"0:vget /unrealcv/status", Request(b"0", "vget /unrealcv/status")),
        (b"0017:vget /x\r\nmore", Request(b"0017", "vget /x")),
        (b"3:", Request(b"3", "")),
        ("4:vget /unrealcv/echo größe".encode(), Request(b"4", "vget /unrealcv/echo größe")),
        (b"vget /unrealcv/status", None),
        (b"-1:vget /unrealcv/status", None),
        (b"a:b", None),
        (b"1:\xff\xfe", None),
    ],
)
def test_requests_have_an_id_and_one_line(content: bytes, expected: Request | None) -> None:
    assert parse_request(content) == expected


def test_a_reply_carries_the_id_of_its_request() -> None:
    assert FrameReader().feed(reply(Request(b"0017", "x"), b"\x89PNG")) == [b"0017:\x89PNG"]

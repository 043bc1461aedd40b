"""The records of a COCO file one after another: however long the file, one is held at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.coco.parsing import encoding_of, read_object
from spinetrack_synth.errors import UserError

CHUNK: Final = 1 << 20
"""Characters read at once."""
MB: Final = 1_000_000


def read_records(
    path: Path, progress: Callable[[int, int], None] = lambda done, wanted: None
) -> Iterator[tuple[str, Any]]:
    """Name of the list and record of everything in the lists of a file, in its order, and its
    ``info``. ``progress`` is told the megabytes that are read, and those of the file.

    Raises UserError where the file cannot be read or holds no JSON object, possibly after the
    records that stand before the fault.
    """
    try:
        with path.open("rb") as file:
            encoding = encoding_of(file.read(4))
        with path.open(encoding=encoding, errors="replace", newline="") as text:
            yield from _records(_Text(text, progress))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        read_object(path)  # says what is wrong, and where
        raise UserError(f"{path}: not a JSON file that can be read") from None


class _Text:
    """A file's text from where it is being read on."""

    def __init__(self, file: TextIOWrapper, progress: Callable[[int, int], None]) -> None:
        self._file = file
        self._progress = progress
        self._size_mb = round(os.fstat(file.fileno()).st_size / MB)
        self._text = ""
        self._at = 0
        self._decoder = json.JSONDecoder()

    def _more(self) -> bool:
        """Take in more, as much as there is now at least; False at the end of the file."""
        rest = self._text[self._at :]
        read = self._file.read(max(CHUNK, len(rest)))
        self._text, self._at = rest + read, 0
        if read:
            at = os.lseek(self._file.fileno(), 0, os.SEEK_CUR)
            self._progress(round(at / MB), self._size_mb)
        return bool(read)

    def peek(self) -> str:
        """The next character that is no white space, "" at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in " \t\r\n":
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def take(self, expected: str) -> None:
        """Go past a character. Raises ValueError where another stands there."""
        if self.peek() != expected:
            raise ValueError(expected)
        self._at += 1

    def value(self) -> Any:
        """The JSON value that begins here. Raises ValueError where there is none."""
        self.peek()
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
            except ValueError:
                if not self._more():
                    raise
            else:
                if end < len(self._text) or not self._more():  # a number may go on
                    self._at = end
                    return found


def _records(text: _Text) -> Iterator[tuple[str, Any]]:
    """Raises ValueError where the text is no JSON object."""
    for _ in _items(text, "{", "}"):
        name = text.value()
        if not isinstance(name, str):
            raise ValueError(name)
        text.take(":")
        if text.peek() != "[":
            value = text.value()
            if name == "info":
                yield name, value
            continue
        for _ in _items(text, "[", "]"):
            yield name, text.value()
    if text.peek():
        raise ValueError("something follows the object")


def _items(text: _Text, opening: str, closing: str) -> Iterator[None]:
    """Stops at each item of a list or object, which has to be read before going on."""
    text.take(opening)
    if text.peek() == closing:
        text.take(closing)
        return
    while True:
        yield
        if text.peek() == closing:
            text.take(closing)
            return
        text.take(",")

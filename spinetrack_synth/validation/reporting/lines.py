"""In which line of its file a record stands, for reports that point into the text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

_PLACE: Final = re.compile(r"(\w+)(?:\[(\d+)\])?")
_SPACE: Final = re.compile(r"[\s,]*")


class Lines:
    """Finds lines in one file; the file is scanned when the first line is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._starts: dict[str, list[int]] | None = None

    def of(self, place: str) -> int:
        """The line, from 1, of a place such as ``annotations[12].bbox (id 4711)``; 1 if unknown."""
        if self._starts is None:
            self._starts = _scan(self._path)
        match = _PLACE.match(place)
        if match is None or match[1] not in self._starts:
            return 1
        starts = self._starts[match[1]]
        number = int(match[2]) + 1 if match[2] else 0
        return starts[number] if number < len(starts) else starts[0]


def _scan(path: Path) -> dict[str, list[int]]:
    """Section -> line of its key, then of each of its records."""
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
        return _sections(text)
    except (OSError, ValueError, RecursionError, IndexError):
        return {}


def _sections(text: str) -> dict[str, list[int]]:
    decoder = json.JSONDecoder()
    sections: dict[str, list[int]] = {}
    counted_to, line = 0, 1

    def line_at(position: int) -> int:
        nonlocal counted_to, line
        line += text.count("\n", counted_to, position)
        counted_to = position
        return line

    position = text.index("{") + 1
    while True:
        position = _skip(text, position)
        if text[position] != '"':
            return sections
        key_at = position
        key, position = decoder.raw_decode(text, position)
        position = _skip(text, text.index(":", position) + 1)
        starts = [line_at(key_at)]
        if text[position] == "[":
            position = _skip(text, position + 1)
            while text[position] != "]":
                starts.append(line_at(position))
                _, position = decoder.raw_decode(text, position)
                position = _skip(text, position)
            position += 1
        else:
            _, position = decoder.raw_decode(text, position)
        sections[key] = starts


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position

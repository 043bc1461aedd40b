"""Text files of assets, line by line: a mistake names the file and the line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from spinetrack_synth.errors import UserError

LARGEST_BYTES: Final = 64 << 20

_POINTER: Final = b"version https://git-lfs.github.com/spec"


@dataclass(frozen=True)
class Line:
    """A line that says something: its number from 1 on, its first word and what follows it."""

    path: Path
    number: int
    key: str
    words: tuple[str, ...]

    @property
    def rest(self) -> str:
        """What follows the first word, as it stands."""
        return " ".join(self.words)

    def floats(self, count: int) -> list[float]:
        """The first ``count`` words as numbers."""
        if len(self.words) < count:
            self.fail(f"{self.key}: {len(self.words)} values, expected {count}")
        return [self.number_of(word) for word in self.words[:count]]

    def number_of(self, word: str) -> float:
        """A word as a finite number."""
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.fail(f"{word!r} is no number")
        return value

    def index_of(self, word: str, size: int, what: str) -> int:
        """A word as a whole number from 0 up and below ``size``."""
        try:
            value = int(word)
        except ValueError:
            self.fail(f"{word!r} is no whole number")
        if not 0 <= value < size:
            self.fail(f"{what} {value}, there are {size}")
        return value

    def fail(self, message: str) -> NoReturn:
        """Raise UserError for this line."""
        raise UserError(f"{self.path}:{self.number}: {message}")


def content_of(path: Path) -> bytes:
    """A file's content. Raises UserError where it cannot be read, is empty, too large, or only
    points to where Git keeps it."""
    try:
        if (size := path.stat().st_size) > LARGEST_BYTES:
            raise UserError(f"{path}: has {size >> 20} MB, at most {LARGEST_BYTES >> 20} are read")
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    if content.startswith(_POINTER):
        raise UserError(f"{path}: is a pointer of Git LFS, not the file; run: git lfs pull")
    if not content.strip():
        raise UserError(f"{path}: is empty")
    return content


def lines_of(path: Path, comments: Sequence[str] = ("#",)) -> Iterator[Line]:
    """The lines that are no comments and not empty."""
    for number, text in enumerate(text_of(path).splitlines(), start=1):
        words = text.split()
        if words and not text.lstrip().startswith(tuple(comments)):
            yield Line(path, number, words[0], tuple(words[1:]))


def text_of(path: Path) -> str:
    """A file's text, whatever wrote it."""
    content = content_of(path)
    if b"\0" in content:
        raise UserError(f"{path}: is no text file")
    return content.decode("utf-8-sig", errors="replace")


def beside(line: Line, suffixes: Sequence[str]) -> Path:
    """The file that a line names, in the folder of the line's own or below it.

    Absolute paths are of the machine that wrote the asset: their last part is looked for too.
    """
    name = line.rest.strip("\"'").replace("\\", "/")
    if not name:
        line.fail(f"{line.key}: names no file")
    folder = line.path.parent
    for candidate in (name, name.rpartition("/")[2]):
        found = _found(folder, candidate)
        if found is not None:
            if found.suffix.lower() not in suffixes:
                line.fail(f"{line.key} {name!r}: is none of {', '.join(suffixes)}")
            return found
    line.fail(f"{line.key} names {name!r}, which is not there")


def _found(folder: Path, name: str) -> Path | None:
    """A file by its name, in whatever case: many assets were written where case does not count."""
    if Path(name).is_absolute():
        return None
    try:
        if (folder / name).is_file():
            return folder / name
        inside = (folder / name).parent
        for path in inside.iterdir() if inside.is_dir() else ():
            if path.name.lower() == name.rpartition("/")[2].lower() and path.is_file():
                return path
    except OSError:  # a name that no file can have
        return None
    return None

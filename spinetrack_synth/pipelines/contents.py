"""What files and folders hold, as checksums; a file that nobody has touched is read once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.errors import UserError
from spinetrack_synth.pipelines.config import STATE

CHECKSUMS: Final = "checksums.json"

Content = Mapping[str, str]
"""Files by name, with their SHA-256."""


def is_within(path: str, folder: str) -> bool:
    """Whether a name is a folder's or lies below it."""
    return path == folder or path.startswith(f"{folder}/")


@dataclass(frozen=True)
class Contents:
    """What the names of an output folder stand for.

    ``files`` are the names that stand for something elsewhere. ``known`` has, for each file that
    was read, its size, when its inode last changed, in ns, and its SHA-256: unlike the time of the
    last write, which copying programs set, that moves with every change.
    """

    out: Path
    files: Mapping[str, Path]
    known: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    @staticmethod
    def open(out: Path, files: Mapping[str, Path]) -> Contents:
        """With what was known of the folder when it was last saved."""
        try:
            saved = json.loads((out / STATE / CHECKSUMS).read_text(encoding="utf-8"))
            known = {str(name): (int(a), int(b), str(c)) for name, (a, b, c) in saved.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            known = {}  # they are computed anew
        return Contents(out, files, known)

    def save(self) -> None:
        """Keep what is known; raises UserError where the disk refuses."""
        write_atomic(self.out / STATE / CHECKSUMS, json.dumps(self.known).encode())

    def place(self, name: str) -> Path:
        """Where that which a name stands for lies."""
        for given, target in self.files.items():
            if is_within(name, given):
                return target / name[len(given) + 1 :]
        return self.out / name

    def of(self, name: str) -> dict[str, str]:
        """The files of a file or folder, by name; nothing where it is not there.

        Hidden files in folders are left out: systems and programs keep notes of their own in them.
        Raises UserError for a file that cannot be read.
        """
        place = self.place(name)
        try:
            if place.is_dir():
                return dict(self._in_folder(name, place, ()))
            return {name: self._checksum(name, place)} if place.is_file() else {}
        except OSError as error:
            told = error.strerror or error
            raise UserError(f"{error.filename or place}: cannot be read: {told}") from error

    def _in_folder(
        self, name: str, folder: Path, within: tuple[str, ...]
    ) -> Iterator[tuple[str, str]]:
        real = os.path.realpath(folder)
        if real in within:
            return  # a link to a folder around it
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            below, place = f"{name}/{entry.name}", Path(entry.path)
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from self._in_folder(below, place, (*within, real))
            elif entry.is_file():
                yield below, self._checksum(below, place)

    def _checksum(self, name: str, place: Path) -> str:
        status = place.stat()
        stamp = status.st_size, status.st_ctime_ns
        known = self.known.get(name)
        if known is not None and known[:2] == stamp:
            return known[2]
        found = file_sha256(place)
        self.known[name] = (*stamp, found)
        return found

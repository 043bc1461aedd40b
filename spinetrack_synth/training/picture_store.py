"""Picture stores: many small encoded pictures in few files, made once, read through memory maps.

A store is a folder of parts; each part holds the contents of some entries behind the table of
where they begin, and is whole or not there. So a kill while a store is made costs one part, and
whoever comes next makes the rest.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError

Entry = Sequence[bytes]
Progress = Callable[[int, int], None]
"""How many entries are there, of how many."""

PART: Final = 256
"""Entries of a part: what a kill costs at most."""

EDGE_BYTES: Final = 2**16
"""Pictures are known again by their length, first and last bytes: to read all of a large set at
every start would take minutes."""


class PictureStore:
    """``count`` entries of ``fields`` contents each, in a folder. Maps its files when first read,
    in every process of its own; travels to processes as the folder's name."""

    def __init__(self, folder: Path, count: int, fields: int) -> None:
        self.folder, self.count, self.fields = folder, count, fields

    def __reduce__(self) -> tuple[type[PictureStore], tuple[Path, int, int]]:
        return PictureStore, (self.folder, self.count, self.fields)

    def read(self, number: int, field: int) -> NDArray[np.uint8]:
        """The content (bytes,) of a field of an entry; empty where there is none."""
        part, row = divmod(number, PART)
        starts, content = self._parts[part]
        place = row * self.fields + field
        return content[starts[place] : starts[place + 1]]

    @cached_property
    def _parts(self) -> list[tuple[NDArray[np.int64], NDArray[np.uint8]]]:
        return [self._mapped(part) for part in range(self._part_count)]

    @property
    def _part_count(self) -> int:
        return -(-self.count // PART)

    def _path(self, part: int) -> Path:
        return self.folder / f"{part:05d}.part"

    def _rows(self, part: int) -> range:
        return range(part * PART, min((part + 1) * PART, self.count))

    def _table_bytes(self, part: int) -> int:
        return 8 * (len(self._rows(part)) * self.fields + 1)

    def _mapped(self, part: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        path = self._path(part)
        try:
            with path.open("rb") as stream:
                content = np.frombuffer(
                    mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), np.uint8
                )
        except (OSError, ValueError) as error:
            raise UserError(
                f"{path}: a part of the cache cannot be read ({error}): run the same command again"
            ) from error
        size = self._table_bytes(part)
        return content[:size].view("<i8"), content[size:]

    def missing(self) -> list[int]:
        """The parts that are not there as they were written."""
        return [part for part in range(self._part_count) if not self._is_whole(part)]

    def _is_whole(self, part: int) -> bool:
        size = self._table_bytes(part)
        try:
            with self._path(part).open("rb") as stream:
                table = np.frombuffer(stream.read(size), "<i8")
                return len(table) * 8 == size and stream.seek(0, 2) == size + int(table[-1])
        except OSError:
            return False

    def make(self, entries: Callable[[range], Iterable[Entry]], progress: Progress | None) -> None:
        """Make the missing parts of ``entries`` of rows, one process at a time.

        Raises UserError where the folder cannot be written.
        """
        if not self.missing():
            return
        lock = FileLock(self.folder / "lock")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except OSError as error:
            raise UserError(
                f"{self.folder}: the cache cannot be written: {error.strerror or error}"
            ) from error
        try:
            for part in self.missing():
                rows = self._rows(part)
                contents = [content for entry in entries(rows) for content in entry]
                starts = np.cumsum([0, *map(len, contents)], dtype="<i8")
                write_atomic(self._path(part), [starts.tobytes(), *contents])
                if progress is not None:
                    progress(rows.stop, self.count)
        finally:
            lock.release()


def fingerprints(paths: Sequence[Path]) -> Iterator[bytes]:
    """By what each picture is known again, in order. Raises UserError that names the first one that
    cannot be read."""
    with all_cores() as threads:
        yield from threads.map(_fingerprint, paths)


def _fingerprint(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            head = stream.read(EDGE_BYTES)
            length = stream.seek(0, os.SEEK_END)
            stream.seek(max(length - EDGE_BYTES, 0))
            return hashlib.sha256(head + stream.read() + length.to_bytes(8, "little")).digest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error


def all_cores() -> ThreadPoolExecutor:
    """A thread for each core that this process may use."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ThreadPoolExecutor(own)

"""New folders that are whole or not there, and what is put into them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from spinetrack_synth.errors import UserError
from spinetrack_synth.locking import file_lock


@contextlib.contextmanager
def scratch_folder(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` to prepare it in, which goes in the end. Raises UserError where
    another run is writing the same, or the disk refuses."""
    out = out.absolute()
    scratch = out.with_name(f".{out.name}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = out.with_name(f".{out.name}.lock")
        with file_lock(lock, f"{out}: another run is writing it; wait, or name another"):
            shutil.rmtree(scratch, ignore_errors=True)  # of a run that was killed
            try:
                scratch.mkdir()
                yield scratch
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        where = error.filename2 or error.filename or out
        raise UserError(f"{where}: {error.strerror or error}; nothing was written") from error


@contextlib.contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder to write into, which becomes ``out`` when all is written, and goes when it is not.

    Raises UserError where ``out`` holds something, and as `scratch_folder` does.
    """
    out = out.absolute()
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        kind = "is not empty" if out.is_dir() else "is no folder"
        raise UserError(f"{out}: {kind}; name a new folder with --out")
    with scratch_folder(out) as scratch:
        yield scratch
        if out.exists():
            out.rmdir()
        os.replace(scratch, out)


def place(content: Path | bytes, target: Path, *, copy: bool) -> None:
    """Put a file there: its content, or a hard link to it; where ``copy`` is asked, or the disk
    has no links across, a copy. Raises OSError as writing does."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        target.write_bytes(content)
        return
    if not copy:
        with contextlib.suppress(OSError):
            os.link(os.path.realpath(content), target)
            return
    shutil.copyfile(content, target)


def plain_name(name: str) -> str:
    """A file name as a path inside a folder, with slashes."""
    parts = os.path.normpath(name.replace("\\", "/")).lstrip("/").split("/")
    return "/".join(part for part in parts if part not in ("..", ".", "")) or "picture"


class FreeNames:
    """File names that are told apart, also on disks that do not tell capitals."""

    def __init__(self, *, flat: bool = False) -> None:
        """``flat`` names hold no folders, and differ before their endings."""
        self._flat = flat
        self._taken: set[str] = set()

    def free(self, name: str) -> str:
        """The name as a path inside a folder; with a number where it is taken."""
        path = PurePosixPath(plain_name(name))
        parts = list(path.parts)
        stem = path.name.removesuffix(path.suffix)
        if self._flat:
            stem, parts = "_".join([*parts[:-1], stem]), parts[-1:]
        number, chosen = 1, stem
        while (key := self._key(parts, chosen, path.suffix)) in self._taken:
            number += 1
            chosen = f"{stem}_{number}"
        self._taken.add(key)
        return "/".join([*parts[:-1], chosen + path.suffix])

    def _key(self, parts: list[str], stem: str, suffix: str) -> str:
        return (stem if self._flat else "/".join([*parts[:-1], stem + suffix])).casefold()

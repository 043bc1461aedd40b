"""The folder that clients' pictures go into: no path of theirs leads out of it.

A path is walked from the folder part by part, each opened as a folder that is no link, so that one
swapped for a link meanwhile leads nowhere either. What is written has a name of its own until it is
whole, then takes the place of the file that was there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from stat import S_ISREG
from typing import Final

from spinetrack_synth.errors import UserError

LONGEST_PATH: Final = 1000
"""Bytes; what is longer, systems take in pieces only."""

_AS_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_AS_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class Folder:
    """A folder, made where it is not there. Raises UserError where it cannot be."""

    def __init__(self, path: Path) -> None:
        try:
            self.path = path.resolve()
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"--out {path}: {error.strerror}") from None

    def below(self, name: str) -> Path:
        """Where a name, relative or absolute, lies below the folder.

        Raises UserError where it would lie elsewhere, or has a ``..``.
        """
        shown = name if len(name) <= 80 else name[:77] + "..."
        path = self.path / name
        if "\0" in name or len(os.fsencode(path)) > LONGEST_PATH:
            raise UserError(f"{shown!r} cannot be the name of a file")
        if ".." in path.parts or self.path not in path.parents:
            raise UserError(
                f"{shown} is not below {self.path}, and pictures are written nowhere else: "
                "give a name such as night/lit.png"
            )
        return path

    def write(self, path: Path, content: bytes) -> None:
        """Write a file below the folder, whole or not at all; folders are made as needed.

        A plain file is replaced, anything else left alone. Raises UserError where something else
        is in the way, a link also where it leads back into the folder, or the disk refuses.
        """
        *parts, name = path.relative_to(self.path).parts
        try:
            with self._entered(parts) as here:
                _refuse_all_but_files(path, name, here)
                _put(name, content, here)
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror}") from None

    @contextmanager
    def _entered(self, parts: list[str]) -> Iterator[int]:
        """A descriptor of the folder at the end of the parts."""
        self.path.mkdir(parents=True, exist_ok=True)  # somebody may have tidied up
        here = os.open(self.path, _AS_FOLDER)
        try:
            for part in parts:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=here)
                further = os.open(part, _AS_FOLDER, dir_fd=here)
                os.close(here)
                here = further
            yield here
        finally:
            os.close(here)


def _refuse_all_but_files(path: Path, name: str, here: int) -> None:
    with suppress(FileNotFoundError):
        if not S_ISREG(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
            raise UserError(f"{path}: cannot be written: what is there is no plain file")


def _put(name: str, content: bytes, here: int) -> None:
    scratch = f".{token_hex(8)}.tmp"
    try:
        with os.fdopen(os.open(scratch, _AS_NEW_FILE, 0o666, dir_fd=here), "wb") as stream:
            stream.write(content)
        os.replace(scratch, name, src_dir_fd=here, dst_dir_fd=here)
    except OSError:
        with suppress(OSError):
            os.unlink(scratch, dir_fd=here)
        raise

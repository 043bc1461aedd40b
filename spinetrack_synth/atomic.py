"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable
from pathlib import Path

from spinetrack_synth.errors import UserError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_atomic(path: Path, content: bytes | Iterable[bytes], *, durable: bool = False) -> None:
    """Write a file so that at any moment it is absent, the old one or the new one.

    ``content`` may come in parts, as it is made. ``durable`` waits until it would survive a power
    cut. Folders are made as needed. Raises UserError where the disk is full or refuses, and where
    a folder or a device is in the way, which would be replaced.
    """
    scratch = path.with_name(f".{path.name}.tmp")
    try:
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "no plain file"
            raise UserError(f"{path}: cannot be written: it is {kind}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as stream:
            stream.writelines([content] if isinstance(content, bytes) else content)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(scratch, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> UserError:
    """What to tell the user of a file that the disk refuses."""
    remedy = (
        "; what is done is safe: free some space and run the same command again"
        if error.errno in _FULL
        else ""
    )
    return UserError(f"{path}: cannot be written: {error.strerror or error}{remedy}")

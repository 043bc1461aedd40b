"""What one process at a time may do: locks on files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from spinetrack_synth.errors import UserError


@contextlib.contextmanager
def file_lock(path: Path, taken: str) -> Iterator[None]:
    """Hold a lock file for this caller alone, and delete it in the end.

    The system lets go of the lock when the process ends, however it ends, so that a file which was
    left behind is in nobody's way. Raises UserError with the message ``taken`` where somebody else
    holds it, OSError where the file cannot be written.
    """
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise UserError(taken) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # on Windows it is in use: filelock deletes it there
            path.unlink()
        lock.release()

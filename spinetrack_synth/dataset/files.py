"""Files that are whole or not there, in a folder that one run at a time writes."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.dataset.layout import LOCK
from spinetrack_synth.errors import UserError
from spinetrack_synth.locking import file_lock


def write_json(path: Path, data: Any) -> None:
    """Write data as indented JSON, durably."""
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomic(path, text.encode() + b"\n", durable=True)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file; None where there is none; UserError where it is damaged."""
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise UserError(f"{path}: holds no JSON object")
    return data


def numbered(folder: Path, suffix: str) -> NDArray[np.int64]:
    """The numbers of the files ``000000.SUFFIX`` ... of a folder that hold something, ascending.

    A power cut leaves empty files.
    """
    end = f".{suffix}"
    try:
        with os.scandir(folder) as entries:
            found = [
                int(stem)
                for entry in entries
                if entry.name.endswith(end)
                and (stem := entry.name.removesuffix(end)).isdecimal()
                and entry.name == f"{int(stem):06d}{end}"
                and entry.stat().st_size > 0
            ]
    except (FileNotFoundError, NotADirectoryError):
        found = []
    return np.sort(np.array(found, np.int64))


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for this process alone, making it where needed; raises UserError where taken.

    The kernel lets go of the lock when the process ends, however it ends.
    """
    taken = f"{folder}: another run is writing here; wait for it or give another folder"
    made = not folder.exists()
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(file_lock(folder / LOCK, taken))
        except OSError as error:
            raise UserError(f"{folder}: cannot be written: {error.strerror}") from error
        try:
            yield
        finally:
            held.close()
            if made:
                with contextlib.suppress(OSError):  # something was written
                    folder.rmdir()

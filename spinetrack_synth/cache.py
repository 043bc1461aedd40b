"""Where the tool keeps what it can make again: the user's cache folder."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from spinetrack_synth.errors import UserError

OVERRIDE: Final = "SPINETRACK_SYNTH_CACHE"
"""The environment variable that names another folder."""


def cache_folder() -> Path:
    """The user's cache folder of the tool (``SPINETRACK_SYNTH_CACHE`` overrides it).

    Raises UserError for a user without a home folder who names none.
    """
    if override := os.environ.get(OVERRIDE):
        return Path(override)
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "spinetrack-synth"
    if sys.platform != "darwin" and (caches := os.environ.get("XDG_CACHE_HOME")):
        return Path(caches) / "spinetrack-synth"
    try:
        home = Path.home()
    except RuntimeError:
        raise UserError(
            f"no cache folder: this user has no home folder; name one in {OVERRIDE}"
        ) from None
    caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return home / caches / "spinetrack-synth"


@contextlib.contextmanager
def cache_in_use() -> Iterator[None]:
    """Raises UserError, with the variable that moves the folder, where it refuses its use."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise UserError(
            f"{cache_folder()}: the cache folder cannot be used: {reason}; "
            f"mend that or name another folder in {OVERRIDE}"
        ) from error

"""Where the tool keeps what it can make again: the user's cache folder."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import platformdirs

from spinetrack_synth.errors import UserError

NAME: Final = "spinetrack-synth"
OVERRIDE: Final = "SPINETRACK_SYNTH_CACHE"
"""The environment variable that names another folder."""


def cache_folder() -> Path:
    """The user's cache folder of the tool (``SPINETRACK_SYNTH_CACHE`` overrides it).

    Raises UserError for a user without a home folder who names none.
    """
    if override := os.environ.get(OVERRIDE):
        return Path(override)
    if sys.platform not in ("win32", "darwin") and (caches := os.environ.get("XDG_CACHE_HOME")):
        return Path(caches) / NAME  # a relative one too, which platformdirs passes over
    try:
        return platformdirs.user_cache_path(NAME, appauthor=False, opinion=False)
    except RuntimeError:
        raise UserError(
            f"no cache folder: this user has no home folder; name one in {OVERRIDE}"
        ) from None


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

"""Where the tool keeps what it can make again: the user's cache folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from spinetrack_synth.errors import UserError

ELSEWHERE = "SPINETRACK_SYNTH_CACHE names another folder"
"""What to do where the cache folder cannot be used."""


def cache_folder() -> Path:
    """The user's cache folder of the tool (``SPINETRACK_SYNTH_CACHE`` overrides it).

    Raises UserError where the user has no home.
    """
    if override := os.environ.get("SPINETRACK_SYNTH_CACHE"):
        return Path(override)
    if sys.platform == "darwin":
        return _home() / "Library" / "Caches" / "spinetrack-synth"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "spinetrack-synth"
    return Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache") / "spinetrack-synth"


def writable_folder(path: Path) -> Path:
    """A folder in the cache, made where it is missing and tried; raises UserError where nothing
    can be kept in it."""
    probe = path / f".{os.getpid()}.probe"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = error.strerror if not path.exists() or path.is_dir() else "it is no folder"
        raise UserError(f"{path}: nothing can be kept there: {reason}; {ELSEWHERE}") from error
    return path


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise UserError(f"this user has no home folder to keep things in; {ELSEWHERE}") from error

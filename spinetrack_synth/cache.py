"""Where the tool keeps what it can make again: the user's cache folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """The user's cache folder of the tool (``SPINETRACK_SYNTH_CACHE`` overrides it)."""
    if override := os.environ.get("SPINETRACK_SYNTH_CACHE"):
        return Path(override)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "spinetrack-synth"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "spinetrack-synth"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spinetrack-synth"

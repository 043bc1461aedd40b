"""The networks that come inside the package, for those who name none: of poses, and of people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from spinetrack_synth.spinepose.session import open_session

NETWORKS: Final = Path(__file__).with_name("networks")
NAME: Final = "spinepose-small"
DETECTOR: Final = "person-detector-small"

ACCURACY: Final = "accuracy"
"""The note in the file's metadata that says, in one line, what was measured on what."""


def packaged_network(tell: Callable[[str], None]) -> Path | None:
    """The network's file; None where this build of the package has none.

    ``tell`` hears one line: which network it is, and how accurate by its own metadata.
    """
    path = _file(NAME)
    if path is not None:
        tell(f"{path.stem}, the network inside the package: {_worth(path)}")
    return path


def packaged_detector(tell: Callable[[str], None], reason: str = "") -> Path | None:
    """The person detector's file; None where this build of the package has none.

    ``tell`` hears one line: that it is taken, how accurate it is by its own metadata, and why.
    """
    path = _file(DETECTOR)
    if path is not None:
        tell(f"{path.stem}, inside the package, finds the people: {_worth(path)}{reason}")
    return path


def _file(name: str) -> Path | None:
    path = NETWORKS / f"{name}.onnx"
    return path if path.is_file() else None


def _worth(path: Path) -> str:
    """What a file's metadata says of its accuracy, and where its card is."""
    notes = open_session(path, provider="cpu", threads=1).get_modelmeta().custom_metadata_map
    accuracy = " ".join(notes.get(ACCURACY, "its file tells no accuracy").split())
    card = path.with_suffix(".md")
    return f"{accuracy}; more in {card}" if card.is_file() else accuracy

"""The pose network that comes inside the package, for those who name none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from spinetrack_synth.spinepose.session import open_session

NETWORKS: Final = Path(__file__).with_name("networks")
NAME: Final = "spinepose-small"

ACCURACY: Final = "accuracy"
"""The note in the file's metadata that says, in one line, what was measured on what."""


def packaged_network(tell: Callable[[str], None]) -> Path | None:
    """The network's file; None where this build of the package has none.

    ``tell`` hears one line: which network it is, and how accurate by its own metadata.
    """
    path = NETWORKS / f"{NAME}.onnx"
    if not path.is_file():
        return None
    notes = open_session(path, provider="cpu", threads=1).get_modelmeta().custom_metadata_map
    accuracy = " ".join(notes.get(ACCURACY, "its file tells no accuracy").split())
    card = path.with_suffix(".md")
    more = f"; more in {card}" if card.is_file() else ""
    tell(f"{path.stem}, the network inside the package: {accuracy}{more}")
    return path

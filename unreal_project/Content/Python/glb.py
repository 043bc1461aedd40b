"""What an exported file says about itself: the ``extras`` of its scene."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any


def about(path: Path) -> dict[str, Any]:
    """The ``spinetrack_synth`` extras of a binary glTF file. Raises ValueError where it is none."""
    with path.open("rb") as stream:
        magic, _, _ = struct.unpack("<4sII", stream.read(12))
        length, kind = struct.unpack("<I4s", stream.read(8))
        if magic != b"glTF" or kind != b"JSON":
            raise ValueError(f"{path} is no binary glTF")
        document = json.loads(stream.read(length))
    found = document["scenes"][0].get("extras", {}).get("spinetrack_synth")
    if found is None:
        raise ValueError(f"{path} was not exported by spinetrack-synth")
    return dict(found)

"""The records of shots that are done, while the run is under way: read, and held against what
lies beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.coco import Record
from spinetrack_synth.dataset.files import numbered
from spinetrack_synth.dataset.layout import Layout
from spinetrack_synth.errors import UserError


@dataclass(frozen=True)
class Part:
    """A shot's records, and the SHA-256 of its files by the folders that they lie in."""

    image: Record
    annotations: list[Record]
    ground_truth: list[Record]
    sha256: dict[str, str] = field(default_factory=dict)


def read_part(layout: Layout, index: int) -> Part:
    """The record of a shot; raises UserError where it is damaged, OSError where there is none."""
    path = layout.part(index)
    try:
        told: Any = json.loads(path.read_bytes())
        part = Part(**told)
        if part.image["id"] != index:
            raise ValueError(f"is that of picture {part.image['id']}")
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{path}: damaged ({error}); run the same command again, which makes its picture anew"
        ) from error
    return part


def damaged_parts(layout: Layout) -> tuple[int, ...]:
    """The shots whose records cannot be read, or whose files are not those that they tell."""
    return tuple(
        index for index in numbered(layout.work, "json").tolist() if not _is_sound(layout, index)
    )


def _is_sound(layout: Layout, index: int) -> bool:
    try:
        part = read_part(layout, index)
        return all(
            file_sha256(layout.image(index) if kind == "images" else layout.map(kind, index))
            == sum_
            for kind, sum_ in part.sha256.items()
        )
    except (UserError, OSError):
        return False

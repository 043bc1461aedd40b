"""What goes through the tools: pictures with their people, one at a time, of whatever format."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.coco.listing import recorded_size
from spinetrack_synth.coco.writing import Record
from spinetrack_synth.errors import UserError

ORIENTATION: Final = 0x0112
"""The EXIF tag."""
SIDEWAYS: Final = range(5, 9)
"""Its values that turn a picture by a quarter."""


@dataclass(frozen=True)
class Sample:
    """A picture: its COCO image record, the annotations in it, and the file or its content.

    ``maps`` are files that lie beside the picture, by kind (``parts``, ``depth``, ``normals``).
    """

    image: Record
    people: Sequence[Record]
    picture: Path | bytes
    maps: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """A named part of a dataset. ``samples`` gives its ``pictures``, so many as far as one can know
    before they are taken, anew at every call; ``truth`` is the file of ground truth that belongs to
    it, ``source`` what messages call it by, ``notes`` what has to be told of how it was read."""

    name: str
    source: Path
    categories: Sequence[Record]
    samples: Callable[[], Iterator[Sample]]
    pictures: int
    info: Mapping[str, Any] = field(default_factory=dict)
    licenses: Sequence[Record] = ()
    truth: Path | None = None
    notes: Sequence[str] = ()


@dataclass
class Remarks:
    """What has to be told: lines, and things that are counted as they pass."""

    _lines: dict[str, int] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)

    def say(self, line: str) -> None:
        """A line, told once however often it is said."""
        self._lines[line] = 0

    def say_notes(self, splits: Sequence[Split]) -> None:
        """What has to be told of how splits were read."""
        for split in splits:
            for note in split.notes:
                self.say(note)

    def count(self, what: str, number: int = 1) -> None:
        """So many more of ``what``, which begins with the plural of a thing."""
        self._counts[what] += number

    def lines(self) -> list[str]:
        """Everything, a line each."""
        counted = [f"{number:,} {what}" for what, number in self._counts.items() if number]
        return [*self._lines, *counted]


def picture_bytes(sample: Sample) -> bytes:
    """The content of a picture's file."""
    picture = sample.picture
    return picture if isinstance(picture, bytes) else picture.read_bytes()


def picture_size(sample: Sample) -> tuple[int, int]:
    """Width and height: as recorded, else as the file has them, turned upright by its EXIF. Raises
    UserError where the file is no picture."""
    size = recorded_size(sample.image)
    if size is not None:
        return size
    from PIL import Image

    try:
        source = sample.picture
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as picture:
            width, height = picture.size
            sideways = picture.getexif().get(ORIENTATION, 1) in SIDEWAYS
            return (height, width) if sideways else (width, height)
    except OSError as error:
        name = sample.image.get("file_name")
        raise UserError(f"{name}: cannot be read as a picture: {error}") from error

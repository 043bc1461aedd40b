"""Making one shot: from its index to the content of its files, wherever that happens."""

from __future__ import annotations

import json
import os
import platform
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from spinetrack_synth.dataset.config import DatasetConfig
from spinetrack_synth.dataset.layout import Layout
from spinetrack_synth.dataset.maps import encode_maps
from spinetrack_synth.dataset.posing import PosedAhead
from spinetrack_synth.dataset.records import encode_image, record_shot
from spinetrack_synth.dataset.source import ShotAt
from spinetrack_synth.errors import UserError
from spinetrack_synth.labels import annotate
from spinetrack_synth.rendering import Quality, Renderer
from spinetrack_synth.shot import Shot


@dataclass(frozen=True)
class Opening:
    """All that a maker of shots has to know, in this process or on another machine.

    ``description`` is what the split is made of, as `state.describe` tells it: makers elsewhere
    have to find the same there.
    """

    config: DatasetConfig
    description: Mapping[str, Any]
    open_source: Callable[[DatasetConfig], ShotAt]
    open_renderer: Callable[[str], Renderer]


@dataclass(frozen=True)
class Made:
    """The content of a shot's files: picture, maps by their kinds, record (JSON)."""

    index: int
    image: bytes
    maps: Mapping[str, bytes]
    record: bytes


def this_process() -> str:
    """Where this is, as causes of failures tell it."""
    return f"{platform.node()} process {os.getpid()}"


@dataclass(frozen=True)
class Failure:
    """A shot that could not be made: why, in a line; where; and whatever else is known of it."""

    index: int
    cause: str
    where: str = field(default_factory=this_process)
    details: str = ""


Outcome = Made | Failure


class ShotMaker:
    """An open source of shots and an open renderer; raises UserError where one does not open.

    As many threads may call ``make`` at once as the renderer has lanes. Where it wants shots posed
    ahead, those that ``make`` is told of are posed while it draws.
    """

    def __init__(self, opening: Opening) -> None:
        config = opening.config
        self._layout = Layout(Path(), config.split, config.format, config.maps)
        self._quality = Quality(config.quality)
        self._shot_at = opening.open_source(config)
        self._posing = Lock()  # making shots shares caches, and holds the interpreter anyway
        self.renderer = opening.open_renderer(config.backend)
        ahead = self.renderer.ahead
        self._ahead = PosedAhead(self._posed, ahead) if ahead else None

    def make(self, index: int, coming: Sequence[int] = ()) -> Outcome:
        """Draw and label a shot; ``coming`` are those that will be asked for next. What goes wrong
        is a failure, but for what the user can mend: UserError."""
        try:
            return self._make(index, coming)
        except UserError:
            raise
        except Exception as error:
            return Failure(index, one_line(error), details=traceback.format_exc())

    def close(self) -> None:
        """Let source and renderer go."""
        if self._ahead is not None:
            self._ahead.close()
        self.renderer.close()

    def _posed(self, index: int) -> Shot:
        with self._posing:
            return self._shot_at(index)

    def _make(self, index: int, coming: Sequence[int]) -> Made:
        shot = self._ahead.shot(index, coming) if self._ahead else self._posed(index)
        frame = self.renderer.render(shot, quality=self._quality)
        shot = replace(
            shot,
            people=frame.people or shot.people,
            camera=frame.camera or shot.camera,
            shutter=shot.shutter if frame.shutter_s > 0 else None,
        )
        record = record_shot(shot, annotate(shot, frame), self._layout.image_name(index))
        image = encode_image(frame.rgb, self._layout.format, shot.film)
        maps = encode_maps(shot, frame, self._layout.maps)
        sums = {kind: sha256(file).hexdigest() for kind, file in {"images": image, **maps}.items()}
        told = {
            "image": record.image,
            "annotations": record.annotations,
            "ground_truth": record.ground_truth,
            "sha256": sums,
        }
        return Made(index, image, maps, json.dumps(told, allow_nan=False).encode())


def one_line(error: BaseException) -> str:
    """What an exception says, in one line."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__

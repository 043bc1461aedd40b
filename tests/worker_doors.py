"""Sources and renderers that worker processes open: they import them from here."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from fakes import BallRenderer, ball_person, ball_shot

from spinetrack_synth.dataset import DatasetConfig
from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering import Quality
from spinetrack_synth.shot import Frame, Shot


def open_balls(backend: str) -> BallRenderer:
    return BallRenderer()


def open_balls_ahead(backend: str) -> BallRenderer:
    """Has shots posed while others are drawn, as for a GPU."""
    renderer = BallRenderer()
    renderer.ahead = 2
    return renderer


class Deadly(BallRenderer):
    """Takes its process along, once for each of some pictures."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def render(self, shot, *, quality=None):
        if shot.index in (2, 7):
            grave = self.folder / str(shot.index)
            if not grave.exists():
                grave.touch()
                os.write(2, b"Critical compiler failure\n")
                os.kill(os.getpid(), signal.SIGKILL)
        return super().render(shot)


class Hanging(BallRenderer):
    """Never ends over one of the pictures."""

    def render(self, shot, *, quality=None):
        if shot.index == 2:
            time.sleep(3600)
        return super().render(shot)


class Proud(BallRenderer):
    """Says of itself that it is another one in each process."""

    def __init__(self, backend: str) -> None:
        super().__init__()
        self.provenance = {"engine": str(os.getpid())}


class Counting(BallRenderer):
    """Notes how many cores its process may use while it opens, and in every shot."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self._note("open")

    def render(self, shot, *, quality=None):
        self._note(str(shot.index))
        return super().render(shot)

    def _note(self, when: str) -> None:
        (self.folder / when).write_text(str(len(os.sched_getaffinity(0))))


def open_counting(folder: Path, backend: str) -> Counting:
    return Counting(folder)


def open_deadly(folder: Path, backend: str) -> Deadly:
    return Deadly(folder)


def open_hanging(backend: str) -> Hanging:
    return Hanging()


def refuse(config: DatasetConfig):
    raise UserError("no such scene")


class NullRenderer:
    """Draws nothing: a grey picture, in every fourth of which one person covers the middle."""

    lanes = 1
    ahead = 0
    provenance: ClassVar[dict[str, str]] = {}

    def __init__(self, backend: str) -> None:
        self.frames: dict[bool, Frame] = {}

    def render(self, shot: Shot, *, quality: Quality = Quality.NORMAL) -> Frame:
        somebody = shot.index % 4 == 0
        if somebody not in self.frames:
            h, w = shot.camera.height, shot.camera.width
            ids = np.zeros((h, w), np.uint8)
            ids[h // 4 : -h // 4, w // 4 : -w // 4] = somebody
            depth = np.where(ids > 0, 4.0, np.inf).astype(np.float32)
            self.frames[somebody] = Frame(np.full((h, w, 3), 128, np.uint8), ids, depth)
        return self.frames[somebody]

    def close(self) -> None:
        pass


def same_person(config: DatasetConfig):
    """One person, the same in every shot, so that a shot costs next to nothing."""
    person = ball_person()
    few = slice(None, None, 50)
    person = replace(person, skin_world=person.skin_world[few], skin_body=person.skin_body[few])

    def shot_at(index: int) -> Shot:
        return ball_shot(person, size=config.size, focal_px=40, index=index, seed=config.seed)

    return shot_at

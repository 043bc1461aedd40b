"""Several scenes in one dataset: which there are, by weight, and which of them a shot shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.errors import UserError
from spinetrack_synth.scenes.description import Scene, load_scene, own_scene, scene_names

ALL: Final = "all"
_STREAM: Final = 0x5CE2E


@dataclass(frozen=True)
class SceneMix:
    """Scenes, each a name or the path of a TOML file, with their relative frequencies."""

    weights: Mapping[str, float]

    @cached_property
    def scenes(self) -> Mapping[str, Scene]:
        """The descriptions, by name or path. Raises UserError for a scene that is not sound."""
        return {name: load_scene(name) for name in self.weights}

    def files(self) -> dict[str, Path]:
        """The files of the user's own scenes, by name or path as given."""
        paths = {name: own_scene(name) for name in self.weights}
        return {name: path for name, path in paths.items() if path is not None}

    def pick(self, seed: int, index: int) -> str:
        """Which scene shot ``index`` shows: a pure function, in whatever order and by whatever
        paths the scenes were given."""
        if len(self.weights) == 1:
            return next(iter(self.weights))
        names = sorted(self.weights, key=lambda name: self.scenes[name].name)
        chance = np.array([self.weights[name] for name in names])
        rng = np.random.default_rng([seed, index, _STREAM])
        return names[int(rng.choice(len(names), p=chance / chance.sum()))]


def read_mix(text: str) -> SceneMix:
    """Scenes as they are typed: ``yoga``, ``yoga,gym:2``, ``all``, ``yoga,my/own.toml:0.5``.

    A weight stands behind a colon, 1 where there is none. Raises UserError for a weight that is
    none, and for a scene that is named twice; what a scene is called is not looked up here.
    """
    if text == ALL:
        return SceneMix(dict.fromkeys(scene_names(), 1.0))
    if Path(text).is_file():  # a comma or a colon may stand in a file's name
        return SceneMix({text: 1.0})
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, weight = _weighted(part.strip(), text)
        if name == ALL:
            raise UserError(f"scenes {text!r}: {ALL!r} stands alone; or name the scenes one by one")
        if name in weights:
            raise UserError(f"scenes {text!r}: {name!r} is named twice; give it one weight")
        weights[name] = weight
    return SceneMix(weights)


def _weighted(part: str, text: str) -> tuple[str, float]:
    """The scene's name or path and its weight."""
    name, colon, number = part.rpartition(":")
    # Not a weight but the rest of a path: C:\mine.toml
    if not colon or "/" in number or "\\" in number or number.endswith(".toml"):
        name, number = part, "1"
    if not name:
        raise UserError(f"scenes {text!r}: a name is missing; write NAME, NAME,NAME or NAME:WEIGHT")
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not (math.isfinite(weight) and weight > 0):
        raise UserError(
            f"scenes {text!r}: weight {number!r} of scene {name!r} is no number above 0"
        )
    return name, weight

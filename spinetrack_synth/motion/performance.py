"""Motions as avatars perform them: moments of a recording, within the model's ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import all_coordinates
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.motion.data import CoordinateMotion
from spinetrack_synth.motion.files import read_motion
from spinetrack_synth.motion.model_motion import full_coordinates
from spinetrack_synth.motion.retargeting import retarget

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Moment:
    """A frame of a motion: its name for labels and messages, coordinates q (n,), and how much these
    change a second, None where the frame stands alone."""

    name: str
    q: Array
    rate: Array | None = None


@dataclass(frozen=True, eq=False)
class Performance:
    """A motion of the model: ``times_s`` (F,), ``coordinates`` (F, n) within its ranges.

    ``weight`` is its share among those that are performed.
    """

    name: str
    times_s: Array
    coordinates: Array
    weight: float = 1.0


def load_performances(tree: Tree, weights: Mapping[str, float]) -> tuple[Performance, ...]:
    """The motions of some files, path to weight; foreign skeletons are retargeted.

    Raises UserError where a file cannot be read or no skeleton fits it.
    """
    return tuple(load_performance(tree, Path(path), weight) for path, weight in weights.items())


def load_performance(tree: Tree, path: Path, weight: float = 1.0) -> Performance:
    """The motion of one file. Raises UserError as `load_performances`."""
    motion = read_motion(path, tree, coordinates=True)
    if not isinstance(motion, CoordinateMotion):
        motion = retarget(motion, tree)
    z = full_coordinates(tree, motion)[:, tree.free_index]
    free = tree.free_index
    low = np.where(tree.clamped[free], tree.lower[free], -np.inf)
    high = np.where(tree.clamped[free], tree.upper[free], np.inf)
    within = np.array([all_coordinates(tree, row) for row in np.clip(z, low, high)])
    return Performance(path.stem, motion.times_s, within, weight)


def choose_moment(performances: tuple[Performance, ...], rng: np.random.Generator) -> Moment:
    """A frame, all of a motion as likely; the motion by weight."""
    chance = np.array([performance.weight for performance in performances])
    chosen = performances[int(rng.choice(len(performances), p=chance / chance.sum()))]
    frame = int(rng.integers(len(chosen.times_s)))
    before, after = max(frame - 1, 0), min(frame + 1, len(chosen.times_s) - 1)
    rate = None
    if after > before:
        step_s = chosen.times_s[after] - chosen.times_s[before]
        rate = (chosen.coordinates[after] - chosen.coordinates[before]) / step_s
    return Moment(moment_name(chosen, frame), chosen.coordinates[frame], rate)


def moment_name(performance: Performance, frame: int) -> str:
    """What a frame of a motion is called in labels and messages."""
    return f"{performance.name} {performance.times_s[frame]:.3f} s"

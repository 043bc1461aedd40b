"""What the loss is made of: its terms, how much each counts, and when. Needs no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from spinetrack_synth import skeleton


@dataclass(frozen=True)
class Term:
    """A term's weight in the loss.

    It is ``weight`` from the step ``until`` on, and ``first`` up to the step ``since``; between
    them it goes along a straight line (``linear``) or half a cosine, level at both ends
    (``cosine``). A ``constant`` one is ``weight`` throughout.
    """

    weight: float
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    first: float = 0.0
    since: int = 0
    until: int = 0

    def __post_init__(self) -> None:
        for name in ("weight", "first"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}: {value:g}, expected 0 or more")
        if self.schedule == "constant":
            if (self.first, self.since, self.until) != (0.0, 0, 0):
                raise ValueError("first, since and until need a schedule: linear or cosine")
        elif not 0 <= self.since < self.until:
            raise ValueError(
                f"since: {self.since} and until: {self.until}, expected steps, the second later"
            )

    def at(self, step: int) -> float:
        """The weight at a step."""
        if self.schedule == "constant":
            return self.weight
        way = min(max((step - self.since) / (self.until - self.since), 0.0), 1.0)
        if self.schedule == "cosine":
            way = 0.5 - 0.5 * math.cos(math.pi * way)
        return self.first + (self.weight - self.first) * way

    @property
    def used(self) -> bool:
        """Whether it ever counts."""
        return self.weight > 0 or self.first > 0


@dataclass(frozen=True)
class LossConfig:
    """The weights of the terms. The published ones are 1, 2.5, .1 and .5 for ``labels``,
    ``distillation``, ``structure`` and ``smoothness`` (Khan et al. 2025); ``spine_shape``, that of
    the spine's likelihood under the model, and ``heatmaps``, that of the small networks' heatmaps
    against the labels, are ours.

    ``temperature`` softens what teacher and student answer before they are compared.
    """

    labels: Term = Term(1.0)
    distillation: Term = Term(2.5)
    structure: Term = Term(0.1)
    smoothness: Term = Term(0.5)
    spine_shape: Term = Term(0.1)
    heatmaps: Term = Term(1.0)
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"temperature: {self.temperature:g}, expected more than 0")


@dataclass(frozen=True)
class TeacherConfig:
    """Who teaches: a ``network``, which is an ONNX file that ``predict`` opens, a run or a
    checkpoint of ``train``; or saved ``predictions`` (COCO keypoint results).

    ``keypoints`` are the names of its points in order, where the file does not tell; ``ignore``
    names keypoints of ours which it means otherwise (Halpe's ``neck`` is no C7). Points below
    ``least_score`` do not count. ``licence`` is its terms, for the model card.
    """

    network: Path | None = None
    predictions: Path | None = None
    keypoints: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    least_score: float = 0.3
    licence: str = ""

    def __post_init__(self) -> None:
        if (self.network is None) == (self.predictions is None):
            raise ValueError("expected one of network and predictions")
        unknown = next((name for name in self.ignore if name not in skeleton.INDEX), None)
        if unknown is not None:
            raise ValueError(f"ignore: {unknown!r} is none of SpineTrack's 37 keypoints")
        if not math.isfinite(self.least_score):
            raise ValueError(f"least_score: {self.least_score:g}, expected a number")

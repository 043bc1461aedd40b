"""What a training run is made of: the configuration file, typed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final, Literal

from spinetrack_synth.training.augmentation import AugmentationConfig
from spinetrack_synth.training.exchange import BackgroundConfig
from spinetrack_synth.training.loss_config import LossConfig, TeacherConfig, Term
from spinetrack_synth.training.sources import SourceConfig
from spinetrack_synth.typed_toml import read_toml

FETCHED: Final = {
    "movenet": ("small", "small-thunder"),
    "imagenet": ("small-lite0",),
}
"""Words for weights that are fetched, and the networks that they are for."""

HEATMAPS: Final = ("small", "small-thunder", "small-lite0")
"""Networks whose answers are the columns and rows of heatmaps."""

Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class NetworkConfig:
    """The network: its ``name``, the height and width of its crops, and the file whose weights it
    is to ``start`` with, else random ones, with the licence of that: a checkpoint of ours, mmpose's
    ``.pth``, MoveNet or EfficientNet-Lite0, which the words ``movenet`` and ``imagenet`` fetch."""

    name: str = "small"
    input_hw: tuple[int, int] = (256, 192)
    start: Path | None = None
    licence: str = ""

    def __post_init__(self) -> None:
        networks = FETCHED[self.fetched] if self.fetched else ()
        if networks and self.name not in networks:
            raise ValueError(
                f"start = {self.fetched!r} is for {' and '.join(networks)}, not {self.name}"
            )

    @property
    def fetched(self) -> str | None:
        """The word of ``FETCHED`` that the weights begin with, None where they are a file or random
        ones."""
        if self.start is None or self.start.name not in FETCHED or self.start.exists():
            return None
        return self.start.name


@dataclass(frozen=True)
class OptimisationConfig:
    """How the weights move.

    ``batch_size`` people in a step of all processes together, on the device in ``accumulate``
    parts; ``learning_rate`` at its highest, after ``warmup_steps``, from where it falls along a
    cosine to a hundredth; the backbone's is ``backbone_rate`` times that, and 0 leaves the backbone
    as it is. ``clip`` is the largest norm of the gradient (30 to 900 are usual for the small
    network); ``ema_decay`` how much of the averaged weights a step keeps; ``batch_norm`` frozen
    keeps the statistics of the start; ``save_every`` is in steps.
    """

    steps: int
    batch_size: int = 32
    accumulate: int = 1
    learning_rate: float = 5e-4
    backbone_rate: float = 0.2
    warmup_steps: int = 100
    clip: float = 1000.0
    ema_decay: float = 0.998
    precision: Precision = "fp32"
    batch_norm: Literal["batch", "frozen"] = "batch"
    save_every: int = 100

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "accumulate", "save_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        if self.batch_size % self.accumulate:
            raise ValueError(
                f"batch_size {self.batch_size} cannot be divided into {self.accumulate} parts"
            )
        if self.warmup_steps < 0:
            raise ValueError(f"warmup_steps is {self.warmup_steps}, expected 0 or more")
        if not self.learning_rate > 0 or not self.clip > 0:
            raise ValueError("learning_rate and clip have to be above 0")
        if not 0 <= self.backbone_rate <= 1:
            raise ValueError(f"backbone_rate is {self.backbone_rate}, expected 0 to 1")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(f"ema_decay is {self.ema_decay}, expected 0 to less than 1")

    def rate_at(self, step: int) -> float:
        """The share of the highest learning rate at a step."""
        if step < self.warmup_steps:
            return (step + 1) / (self.warmup_steps + 1)
        course = (step - self.warmup_steps) / max(self.steps - self.warmup_steps, 1)
        return 0.01 + 0.99 * (1 + math.cos(math.pi * course)) / 2


@dataclass(frozen=True)
class JudgedSet:
    """People who take no part in training, by name: a COCO file of ``annotations``; ``images`` is
    the folder of their pictures where that is not beside it."""

    name: str
    annotations: Path
    images: Path | None = None
    licence: str = ""


@dataclass(frozen=True)
class JudgingConfig:
    """On which sets the averaged network is judged, and how often.

    ``watch`` is a figure such as ``photos.body_oks``: the network that is best in it is kept, and
    with ``patience`` the run ends after so many judgements without a better one.
    """

    every: int = 500
    sets: tuple[JudgedSet, ...] = ()
    watch: str | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        names = [each.name for each in self.sets]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two sets are called {min(twice)!r}")
        if self.every < 1:
            raise ValueError(f"every is {self.every}, expected at least 1")
        if self.watch is not None and self.watch.rpartition(".")[0] not in names:
            raise ValueError(f"watch = {self.watch!r} names no set; write SET.body_oks")
        if self.patience is not None and (self.watch is None or self.patience < 1):
            raise ValueError("patience has to be at least 1, and goes with watch")


@dataclass(frozen=True)
class Config:
    """All of it. The same configuration and data give the same weights; ``workers``, the processes
    that make batches ahead, change nothing in them."""

    optimisation: OptimisationConfig
    sources: tuple[SourceConfig, ...]
    network: NetworkConfig = field(default_factory=NetworkConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    teacher: TeacherConfig | None = None
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    backgrounds: BackgroundConfig | None = None
    judging: JudgingConfig = field(default_factory=JudgingConfig)
    seed: int = 0
    workers: int = 1

    def __post_init__(self) -> None:
        if self.workers < 0 or not 0 <= self.seed < 2**20:
            raise ValueError("workers have to be 0 or more, seed from 0 to 1,048,575")
        if not self.sources:
            raise ValueError("sources: none; write [[sources]] with the annotations of some")
        titles = [source.title for source in self.sources]
        twice = {title for title in titles if titles.count(title) > 1}
        if twice:
            raise ValueError(f"two sources are called {min(twice)!r}; give each a name")
        if self.teacher is None and not all(source.labelled for source in self.sources):
            raise ValueError("sources with labelled = false need a [teacher]")

    @property
    def terms(self) -> dict[str, Term]:
        """The terms of the loss that count at some step, by name."""
        there = {
            "distillation": self.teacher is not None,
            "heatmaps": self.network.name in HEATMAPS,
        }
        terms = {each.name: getattr(self.losses, each.name) for each in fields(self.losses)}
        return {
            name: term
            for name, term in terms.items()
            if isinstance(term, Term) and term.used and there.get(name, True)
        }


def read_config(path: Path, folder: Path | None = None) -> Config:
    """Read a configuration file; its relative paths are taken from ``folder``, else from its own.

    Raises UserError at a key that is not known, with the nearest that is, or a value that means
    nothing.
    """
    return read_toml(Config, path, folder)

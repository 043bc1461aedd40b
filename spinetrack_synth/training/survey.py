"""A dry run: what a configuration would read, how often it would see it, and what a step takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch

from spinetrack_synth import skeleton
from spinetrack_synth.training.batches import Batches
from spinetrack_synth.training.card import UNTOLD
from spinetrack_synth.training.config import Config, read_config
from spinetrack_synth.training.crops import open_cache
from spinetrack_synth.training.exchange import BackgroundConfig, open_backgrounds, photos_of
from spinetrack_synth.training.judging import OpenSet, open_sets
from spinetrack_synth.training.loop import Learner
from spinetrack_synth.training.processes import processes
from spinetrack_synth.training.run import check_watched
from spinetrack_synth.training.sources import Source, read_source
from spinetrack_synth.training.teachers import open_teacher

STEPS: Final = 3
"""Timed after one that warms up."""


def survey(path: Path) -> str:
    """What training by a configuration file would do, in words. Raises UserError where it could
    not begin."""
    config = read_config(path)
    sets = open_sets(config.judging.sets)
    check_watched(config, sets)
    sources = [read_source(each) for each in config.sources]
    lines = [*_network(config), "", *_sources(config, sources), "", *_keypoints(sources)]
    if config.backgrounds is not None:
        lines += ["", _backgrounds(config.backgrounds)]
    if sets:
        lines += ["", *map(_judged, sets)]
    return "\n".join([*lines, "", *_cost(config, sources)]) + "\n"


def _network(config: Config) -> list[str]:
    height, width = config.network.input_hw
    return [f"network: {config.network.name}, crops of {height} x {width} pixels (height x width)"]


def _sources(config: Config, sources: Sequence[Source]) -> list[str]:
    """A line a source: what it has, its share of a batch, how often everybody comes."""
    plan = config.optimisation
    total = sum(source.config.weight for source in sources)
    lines = []
    for source in sources:
        share = source.config.weight / total
        passes = plan.steps * plan.batch_size * share / len(source)
        lines.append(
            f"source {source.config.title}: {len(source):,} people in {len(source.pictures):,} "
            f"pictures, {share:.0%} of every batch, {passes:.1f} passes; licence: "
            f"{source.config.licence or UNTOLD}"
        )
        lines += [f"  {remark}" for remark in source.remarks]
    return lines


def _keypoints(sources: Sequence[Source]) -> list[str]:
    """How many people have each keypoint labelled, a column a source."""
    heads = [f"source {number}" for number in range(1, len(sources) + 1)]
    counts = [source.counts() for source in sources]
    widths = [max(len(head), 9) for head in heads]
    name_width = max(map(len, skeleton.NAMES))
    rows = [("labelled", heads)]
    rows += [(name, [f"{each[name]:,}" for each in counts]) for name in skeleton.NAMES]
    return [
        f"{name:{name_width}}" + "".join(f"  {cell:>{w}}" for cell, w in zip(cells, widths))
        for name, cells in rows
    ]


def _backgrounds(config: BackgroundConfig) -> str:
    count, licence = len(photos_of(config)), config.licence or UNTOLD
    return (
        f"backgrounds: {count:,} photographs, behind {config.probability:.0%} of those who can be "
        f"cut out; licence: {licence}"
    )


def _judged(each: OpenSet) -> str:
    people = int(each.labels.people.sum())
    return f"judged on {each.name}: {people:,} people in {len(each.labels.image_ids):,} pictures"


def _cost(config: Config, sources: Sequence[Source]) -> list[str]:
    """Parameters, and the time of a step: measured on a few, with the people who come first."""
    plan = config.optimisation
    few = [source.taking(np.arange(min(len(source), plan.batch_size))) for source in sources]
    with processes() as process, tempfile.TemporaryDirectory() as scratch:
        teacher = None
        if config.teacher is not None:
            teacher = open_teacher(config.teacher, few, device=process.device)
        learner = Learner.begin(config, process, teacher)
        caches = [open_cache(each, Path(scratch), config.network.input_hw) for each in few]
        weights = [source.config.weight for source in sources]
        backgrounds = None
        if config.backgrounds is not None:
            photos = photos_of(config.backgrounds)[: plan.batch_size]
            backgrounds = open_backgrounds(
                config.backgrounds, photos, Path(scratch), config.network.input_hw
            )
        batches = Batches(
            caches, weights, plan.batch_size, config.seed, config.augmentation, backgrounds
        )
        start = time.perf_counter()
        drawn = [batches.at(number) for number in range(1 + STEPS)]
        reading_s = (time.perf_counter() - start) / len(drawn)
        learner.learn(drawn[0], 0, Path(scratch))
        start = time.perf_counter()
        for number, batch in enumerate(drawn[1:], start=1):
            learner.learn(batch, number, Path(scratch))
        step_s = (time.perf_counter() - start) / STEPS
        where = (
            torch.cuda.get_device_name()
            if process.device.type == "cuda"
            else (f"{torch.get_num_threads()} threads of the CPU")
        )
    count = sum(each.numel() for each in learner.network.parameters())
    moved = sum(each.numel() for each in learner.network.parameters() if each.requires_grad)
    hours = plan.steps * step_s / 3600
    return [
        f"parameters: {count / 1e6:.2f} M, "
        + ("all of them learn" if moved == count else f"{moved / 1e6:.2f} M of them learn"),
        f"a step of {plan.batch_size} people: {step_s:.2f} s in {plan.precision} on {where} "
        f"({plan.batch_size / step_s:.0f} people a second)",
        f"its crops: {reading_s:.2f} s of one process, which reads ahead meanwhile",
        f"{plan.steps:,} steps: {hours:.1f} hours, and what judging takes",
    ]

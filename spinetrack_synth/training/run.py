"""The folder of a run: whose it is, what lies in it, and what is written at every judgement."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from torch import nn

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.cache import cache_folder
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap import oks
from spinetrack_synth.locking import file_lock
from spinetrack_synth.training.batches import Batches
from spinetrack_synth.training.card import CARD, write_card
from spinetrack_synth.training.checkpoints import FILE as MODEL
from spinetrack_synth.training.checkpoints import save_checkpoint
from spinetrack_synth.training.config import Config, read_config
from spinetrack_synth.training.crops import open_cache
from spinetrack_synth.training.exchange import open_backgrounds, photos_of
from spinetrack_synth.training.judging import FIGURES, OpenSet, intervals_of, judge, open_sets
from spinetrack_synth.training.log import JUDGED, Row, read_rows, write_rows
from spinetrack_synth.training.loop import STATE, DivergedError, Learner, description, train
from spinetrack_synth.training.page import write_page
from spinetrack_synth.training.processes import Processes, processes
from spinetrack_synth.training.sources import Source, read_source
from spinetrack_synth.training.state import Standing
from spinetrack_synth.training.teachers import open_teacher
from spinetrack_synth.typed_toml import first_difference

CONFIG: Final = "config.toml"
PAGE: Final = "index.html"
LOCK: Final = ".lock"

Bar = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]
"""Given what is counted, a block within which progress is told what is done and what is wanted."""
Tell = Callable[[str], None]


def run(config_path: Path, out: Path, bar: Bar, tell: Tell) -> Path | None:
    """Train by a configuration file into a folder, or go on there; the page to look at, None in
    all processes but the first.

    Raises UserError where the configuration, a source or a set cannot be used, or the folder
    belongs to something else, and DivergedError where the loss is no number.
    """
    config = read_config(config_path)
    with processes() as process:
        if not process.first:
            bar, tell = _quiet, _silent
        sets = open_sets(config.judging.sets)
        check_watched(config, sets)
        sources = [read_source(each) for each in config.sources]
        photos = photos_of(config.backgrounds) if config.backgrounds is not None else []
        teacher = None
        if config.teacher is not None:
            teacher = open_teacher(config.teacher, sources, device=process.device)
        resumed = (out / STATE).is_file()
        learner = Learner.begin(config, process, teacher, resumed=resumed)
        with _claimed(config_path, config, out, process):
            batches = open_batches(config, sources, photos, process, bar)
            reporter = Reporter(config, sources, sets, out, tell)
            try:
                with bar("steps") as progress:
                    train(learner, batches, out, reporter.judge, progress)
            except DivergedError:
                if process.first:
                    raise
                with contextlib.suppress(RuntimeError):  # the first is gone, and has told
                    process.wait()  # torchrun ends all when one has ended
                sys.exit(1)
    return out / PAGE if process.first else None


def check_watched(config: Config, sets: Sequence[OpenSet]) -> None:
    """Raises UserError where the watched figure is none that its set can tell."""
    if config.judging.watch is None:
        return
    name, _, figure = config.judging.watch.rpartition(".")
    labels = next(each.labels for each in sets if each.name == name)
    groups = oks.groups_of(labels.defined)
    known = [each for each in FIGURES if each.partition("_")[0] in groups]
    if figure not in known:
        raise UserError(
            f"judging.watch: {figure!r} is no figure of {name}; known are {', '.join(known)}"
        )


def open_batches(
    config: Config,
    sources: Sequence[Source],
    photos: Sequence[Path],
    process: Processes,
    bar: Bar,
) -> Batches:
    """This process's share of the batches, from crops that are made where they are missing, with
    ``photos`` behind those who are cut out."""
    folder = cache_folder() / "crops"
    caches = []
    for source in sources:
        with bar(f"crops of {source.config.title}") as progress:
            caches.append(open_cache(source, folder, config.network.input_hw, progress))
    backgrounds = None
    if config.backgrounds is not None:
        with bar("photos") as progress:
            backgrounds = open_backgrounds(
                config.backgrounds, photos, folder, config.network.input_hw, progress
            )
    return Batches(
        caches,
        [source.config.weight for source in sources],
        config.optimisation.batch_size,
        config.seed,
        config.augmentation,
        backgrounds,
        process.rank,
        process.count,
    )


@contextlib.contextmanager
def _claimed(path: Path, config: Config, out: Path, process: Processes) -> Iterator[None]:
    """The folder of this run, for this run alone, with the configuration in it."""
    if not process.first:
        process.wait()
        yield
        return
    copy = out / CONFIG
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file; --out names a folder")
    if copy.is_file():
        there, here = (
            replace(each, workers=0) for each in (read_config(copy, path.parent), config)
        )
        other = first_difference(there, here)
        if other:
            raise UserError(f"{out}: holds another run ({other}); give another --out")
    elif out.is_dir() and any(each.name != LOCK for each in out.iterdir()):
        raise UserError(f"{out}: is not empty and holds no run of ours; give a new folder")
    out.mkdir(parents=True, exist_ok=True)
    with file_lock(out / LOCK, f"{out}: another process trains there"):
        if not copy.is_file():
            write_atomic(copy, path.read_bytes())
        process.wait()
        yield


@dataclass(frozen=True, eq=False)
class Reporter:
    """Writes what a judgement brings: a row for each set, the page, and, where the network is to be
    kept, the network with its card."""

    config: Config
    sources: Sequence[Source]
    sets: Sequence[OpenSet]
    out: Path
    tell: Tell

    def judge(self, standing: Standing, network: nn.Module) -> float | None:
        """Judge a network on every set; the watched figure, None where none is watched. Raises
        UserError where a picture is gone."""
        step, config = standing.step, self.config
        judged = [judge(network, config.network.input_hw, each) for each in self.sets]
        rows: list[Row] = [
            {"step": step, "set": each.name, "people": each.people, **each.figures}
            for each in judged
        ]
        before = [row for row in read_rows(self.out / JUDGED) if int(row["step"]) < step]
        write_rows(self.out / JUDGED, ("step", "set", "people", *FIGURES), [*before, *rows])
        watched = None
        if config.judging.watch is not None:
            name, _, figure = config.judging.watch.rpartition(".")
            watched = next(each.figures[figure] for each in judged if each.name == name)
        if standing.after_judgement(watched).best_step == step:
            save_checkpoint(self.out / MODEL, network, description(config, step))
            found = [(each, intervals_of(each.evaluation)) for each in judged]
            write_atomic(
                self.out / CARD, write_card(config, self.sources, step, network, found).encode()
            )
        page = write_page(self.out, config.optimisation.steps, self.sets, judged)
        write_atomic(self.out / PAGE, page.encode())
        for each in judged:
            self.tell(f"step {step:,}: {each.told()}")
        return watched


@contextlib.contextmanager
def _quiet(unit: str) -> Iterator[Callable[[int, int], None]]:
    """The progress of a process that is not the first."""
    yield lambda done, wanted: None


def _silent(line: str) -> None:
    pass

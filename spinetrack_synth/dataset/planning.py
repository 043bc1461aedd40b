"""Where a run goes and how many pictures it makes, where the user leaves that open."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Final

from spinetrack_synth.dataset.config import DatasetConfig
from spinetrack_synth.dataset.layout import Layout
from spinetrack_synth.dataset.state import AnotherRunError, describe, find_run, made_until
from spinetrack_synth.errors import UserError

DEFAULT_COUNT: Final = 12
"""Pictures of a run that names no number, or one clip by all cameras where that is more."""
MOST_NAMED: Final = 3
"""More scenes than these are not named one by one in the name of a folder."""


def default_count(views: int, sequence: int) -> int:
    """How many pictures a run makes that names no number."""
    return max(DEFAULT_COUNT, views * sequence if sequence > 1 else 0)


def own_folder(config: DatasetConfig) -> Path:
    """``spinetrack-<scenes>-seed<seed>`` in the current folder, else the first free of ``-2``,
    ``-3`` ...

    A folder that holds this very run, or other splits that this one may join, counts as free.
    """
    stem, wanted = f"spinetrack-{_called(config.scene)}-seed{config.seed}", describe(config)
    for name in chain([stem], (f"{stem}-{number}" for number in count(2))):
        try:
            find_run(Layout(Path(name), config.split, config.format), wanted)
        except AnotherRunError:
            continue
        return Path(name)
    raise AssertionError  # the names do not end


def _called(scenes: str) -> str:
    """Scenes as a part of a folder's name."""
    from spinetrack_synth.scenes import read_mix

    stems = [Path(name).stem for name in read_mix(scenes).weights]
    if scenes == "all":
        return scenes
    return "-".join(stems) if len(stems) <= MOST_NAMED else f"{len(stems)}-scenes"


def as_begun(config: DatasetConfig, out: Path) -> DatasetConfig:
    """The settings with the number of pictures that the run in ``out`` was last begun with."""
    begun = find_run(Layout(out, config.split, config.format), describe(config))
    return replace(config, count=begun["count"]) if begun else config


def as_made(config: DatasetConfig, out: Path) -> DatasetConfig:
    """The settings with the number of pictures that are there: a run with them closes the split.

    Raises UserError where there are none, or where the folder belongs to another run.
    """
    layout = Layout(out, config.split, config.format)
    find_run(layout, describe(config))
    made = made_until(layout)
    if not made:
        raise UserError(f"{out}: holds no picture of split {config.split!r}; nothing to close")
    return replace(config, count=made)

"""Making a dataset: every shot once, whatever interrupts, and the same files in the end."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.dataset.config import DatasetConfig
from spinetrack_synth.dataset.failures import Failures
from spinetrack_synth.dataset.files import locked, write_json
from spinetrack_synth.dataset.layout import Layout
from spinetrack_synth.dataset.making import Failure, Made, Opening
from spinetrack_synth.dataset.merge import finish
from spinetrack_synth.dataset.parts import damaged_parts
from spinetrack_synth.dataset.pool import OpenPool, Pool, Shard, ThisProcess, shards_of
from spinetrack_synth.dataset.source import ShotAt, scene_source
from spinetrack_synth.dataset.state import LEFT_OUT, describe, inspect
from spinetrack_synth.errors import UserError
from spinetrack_synth.rendering import Renderer, open_renderer

ATTEMPTS: Final = 3
"""Times that a shot is tried: what fails by memory or by an engine often goes well later."""

LOG: Final = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with the number of pictures that are done and the number wanted."""


# Long by its parameters and what it says of them.
def run_dataset(
    config: DatasetConfig,
    out: str | Path,
    progress: Progress = lambda done, wanted: None,
    *,
    open_source: Callable[[DatasetConfig], ShotAt] | None = None,
    open_renderer: Callable[[str], Renderer] = open_renderer,
    open_pool: OpenPool = ThisProcess,
    on_failure: Callable[[Failure], None] = lambda failure: None,
    leave_out: bool = False,
) -> int:
    """Make a dataset in ``out``, or what is missing of it; return how many pictures were made.

    Killed at any moment and called again it goes on, and the files in the end are the same as if
    made in one go; pictures that are not what their records say are made again. ``open_source``
    (by default the scene's) and ``open_renderer`` are called only if there is something to draw,
    and before anything is written; by ``open_pool``, which says where shots are made:
    `ThisProcess`, `workers.local_workers` or `cluster.on_cluster`. ``on_failure`` is told of each
    picture that fails; it is tried again, and the causes stand in the folder until all is done.
    ``leave_out`` finishes without those that fail every time, which the manifest then names with
    their causes; a later call tries them again.

    Raises UserError when the folder holds something else, when another run writes in it, when the
    scene is unknown, when the disk is full, when the folder is taken away meanwhile, and when
    pictures fail again and again.
    """
    out = Path(out)
    layout = Layout(out, config.split, config.format, config.maps)
    split = describe(config)
    holding = inspect(layout, split)
    if holding.complete and holding.committed == config.count and not layout.work.exists():
        progress(config.count, config.count)
        return 0
    with ExitStack() as stack:
        damaged: tuple[int, ...] = ()
        if layout.work.exists():
            with locked(out):  # nobody reads along while another run writes
                damaged = damaged_parts(layout)
        missing = tuple(sorted({*holding.missing, *damaged}))
        if missing:
            opening = Opening(config, split.copy(), open_source or scene_source, open_renderer)
            pool = stack.enter_context(closing(open_pool(opening)))
            drawn_by = dict(pool.drawn_by)
        else:
            drawn_by = dict(holding.drawn_by)
        if drawn_by or holding.drawn_by:
            split["drawn_by"] = drawn_by
        stack.enter_context(locked(out))
        if inspect(layout, split) != holding:
            raise UserError(f"{out}: another run has just written here; run the command again")
        stack.callback(_forget_if_empty, layout)
        write_json(layout.state, split)
        for index in damaged:
            LOG.warning("%s: damaged; its picture is made again", layout.part(index))
        made = config.count - len(missing)
        progress(made, config.count)
        if missing:
            failures = Failures(layout, on_failure)
            with closing(_make_all(missing, pool, layout, config, failures)) as each:
                for done in each:
                    progress(made + done, config.count)
            if failed := failures.last:
                if not leave_out or len(failed) == config.count:
                    raise failures.every_time(config.count, ATTEMPTS)
                split[LEFT_OUT] = {str(index): failed[index].cause for index in sorted(failed)}
        finish(layout, split, holding.committed)
    return len(missing)


def _make_all(
    missing: Sequence[int], pool: Pool, layout: Layout, config: DatasetConfig, failures: Failures
) -> Generator[int, None, None]:
    """Make and write pictures; yield how many there are after each.

    Those that fail are tried again once all others are done, `ATTEMPTS` times in all. Raises
    UserError where more fail than go well.
    """
    made = 0
    shards: Iterable[Shard] = shards_of(missing, config, pool.largest_shard(len(missing)))
    for _ in range(ATTEMPTS):
        failures.begin()
        with closing(pool.make(shards)) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, Failure):
                    failures.note(outcome, made)
                else:
                    _write(outcome, layout)
                    made += 1
                    yield made
        if not failures.last:
            return
        shards = [(index,) for index in sorted(failures.last)]


def _write(made: Made, layout: Layout) -> None:
    """Write the files of a shot; its record is written last and says that it is done."""
    if not layout.state.is_file():  # to write would bring back a part of it
        raise UserError(f"{layout.root}: was moved or deleted during the run, which ends here")
    write_atomic(layout.image(made.index), made.image)
    for kind, content in made.maps.items():
        write_atomic(layout.map(kind, made.index), content)
    write_atomic(layout.part(made.index), made.record)


def _forget_if_empty(layout: Layout) -> None:
    """Leave nothing behind of a run that failed before its first picture, but for the causes."""
    pictures = layout.image(0).parent
    if layout.failures.is_file() or (pictures.is_dir() and any(pictures.iterdir())):
        return
    shutil.rmtree(layout.work, ignore_errors=True)
    for folder in (pictures, pictures.parent, layout.work.parent):
        with contextlib.suppress(OSError):  # absent, or another split is in it
            folder.rmdir()

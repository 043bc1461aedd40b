"""Making a dataset: every shot once, whatever interrupts, and the same files in the end."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, replace
from itertools import chain, groupby
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Final

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.dataset.config import DatasetConfig
from spinetrack_synth.dataset.files import locked, write_json
from spinetrack_synth.dataset.layout import Layout
from spinetrack_synth.dataset.maps import encode_maps
from spinetrack_synth.dataset.merge import finish
from spinetrack_synth.dataset.records import encode_image, record_shot
from spinetrack_synth.dataset.source import ShotAt, scene_source
from spinetrack_synth.dataset.state import describe, inspect
from spinetrack_synth.errors import UserError
from spinetrack_synth.labels import annotate
from spinetrack_synth.rendering import Quality, Renderer, open_renderer
from spinetrack_synth.shot import Shot

NOTICE_S: Final = 0.2
"""Within so long a Ctrl-C is noticed while other threads draw."""

Progress = Callable[[int, int], None]
"""Called with the number of pictures that are done and the number wanted."""


def run_dataset(
    config: DatasetConfig,
    out: str | Path,
    progress: Progress = lambda done, wanted: None,
    *,
    open_source: Callable[[DatasetConfig], ShotAt] | None = None,
    open_renderer: Callable[[str], Renderer] = open_renderer,
) -> int:
    """Make a dataset in ``out``, or what is missing of it; return how many pictures were made.

    Killed at any moment and called again it goes on, and the files in the end are the same as if
    made in one go. ``open_source`` (by default the scene's) and ``open_renderer`` are called only
    if there is something to draw, and before anything is written.

    Raises UserError when the folder holds something else, when another run writes in it, when the
    scene is unknown, when the disk is full, and when the folder is taken away meanwhile.
    """
    out = Path(out)
    layout = Layout(out, config.split, config.format, config.maps)
    split = describe(config)
    holding = inspect(layout, split)
    if holding.complete and holding.committed == config.count and not layout.work.exists():
        progress(config.count, config.count)
        return 0
    with ExitStack() as stack:
        if holding.missing:
            shot_at = (open_source or scene_source)(config)
            renderer = stack.enter_context(closing(open_renderer(config.backend)))
            drawn_by = dict(renderer.provenance)
        else:
            drawn_by = dict(holding.drawn_by)
        if drawn_by:
            split["drawn_by"] = drawn_by
        stack.enter_context(locked(out))
        if inspect(layout, split) != holding:
            raise UserError(f"{out}: another run has just written here; run the command again")
        stack.callback(_forget_if_empty, layout)
        write_json(layout.state, split)
        made = config.count - len(holding.missing)
        progress(made, config.count)
        if holding.missing:
            source = _one_at_a_time(shot_at)

            def make(index: int) -> None:
                _make(index, source, renderer, Quality(config.quality), layout)

            moments = [
                tuple(views)
                for _, views in groupby(holding.missing, key=lambda index: index // config.views)
            ]
            with closing(_each(make, moments, renderer.lanes, renderer.close)) as each:
                for pictures in each:
                    made += pictures
                    progress(made, config.count)
        finish(layout, split, holding.committed)
    return len(holding.missing)


def _each(
    make: Callable[[int], None],
    moments: Sequence[Sequence[int]],
    lanes: int,
    stop: Callable[[], None],
) -> Generator[int, None, None]:
    """Make the pictures of all moments, ``lanes`` moments at once; yield how many more are made.

    What one raises ends the others once they are done with theirs; an interrupt calls ``stop``,
    which has to end them at once.
    """
    if lanes == 1:
        for index in chain.from_iterable(moments):
            make(index)
            yield 1
        return

    def make_moment(indices: Sequence[int]) -> int:
        for index in indices:
            make(index)
        return len(indices)

    done: SimpleQueue[Future[int]] = SimpleQueue()
    with ThreadPoolExecutor(lanes) as pool:
        try:  # from the first one on: an interrupt may come before all are on their way
            for indices in moments:
                pool.submit(make_moment, indices).add_done_callback(done.put)
            for _ in moments:
                yield _next(done).result()
        except (KeyboardInterrupt, GeneratorExit):
            stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _next(done: SimpleQueue[Future[int]]) -> Future[int]:
    """The next that is done; a Ctrl-C that comes as the wait begins is noticed within a moment."""
    while True:
        with suppress(Empty):
            return done.get(timeout=NOTICE_S)


def _one_at_a_time(shot_at: ShotAt) -> ShotAt:
    """The same shots for several threads: their making shares caches and holds the interpreter."""
    taken = Lock()

    def alone(index: int) -> Shot:
        with taken:
            return shot_at(index)

    return alone


def _make(
    index: int, shot_at: ShotAt, renderer: Renderer, quality: Quality, layout: Layout
) -> None:
    """Draw and label one shot; its record is written last and says that it is done."""
    shot = shot_at(index)
    frame = renderer.render(shot, quality=quality)
    shot = replace(
        shot,
        people=frame.people or shot.people,
        camera=frame.camera or shot.camera,
        shutter=shot.shutter if frame.shutter_s > 0 else None,
    )
    record = record_shot(shot, annotate(shot, frame), layout.image_name(index))
    if not layout.state.is_file():  # to write would bring back a part of it
        raise UserError(f"{layout.root}: was moved or deleted during the run, which ends here")
    write_atomic(layout.image(index), encode_image(frame.rgb, layout.format, shot.film))
    for kind, content in encode_maps(shot, frame, layout.maps).items():
        write_atomic(layout.map(kind, index), content)
    write_atomic(layout.part(index), json.dumps(asdict(record), allow_nan=False).encode())


def _forget_if_empty(layout: Layout) -> None:
    """Leave nothing behind of a run that failed before its first picture."""
    pictures = layout.image(0).parent
    if pictures.is_dir() and any(pictures.iterdir()):
        return
    shutil.rmtree(layout.work, ignore_errors=True)
    for folder in (pictures, pictures.parent, layout.work.parent):
        with contextlib.suppress(OSError):  # absent, or another split is in it
            folder.rmdir()

"""The door to whoever makes shots: a pool takes shards of a split and yields what comes of them.

A shard is a run of shots that share work (people, a place, a clip), made one after another by one
maker. This process is a pool; others are processes on this machine (`workers`) and a Dask cluster
(`cluster`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import Final, Protocol

from spinetrack_synth.dataset.config import DatasetConfig
from spinetrack_synth.dataset.making import Opening, Outcome, ShotMaker
from spinetrack_synth.errors import UserError

LARGEST_SHARD: Final = 32
"""Shots of a shard at most: a maker that goes on elsewhere makes its people anew."""

NOTICE_S: Final = 0.2
"""Within so long a Ctrl-C is noticed while others draw."""

Shard = Sequence[int]
Lane = Callable[[Shard], Iterator[Outcome]]
"""Makes the shots of a shard one after another."""


class Pool(Protocol):
    """Makes shots; nothing of it writes files, so that whoever dies leaves nothing behind."""

    @property
    def drawn_by(self) -> Mapping[str, str]:
        """What the renderers say of themselves, all the same."""
        ...

    def largest_shard(self, missing: int) -> int:
        """How many shots to give to a maker at once, of so many that are missing."""
        ...

    def make(self, shards: Iterable[Shard]) -> Generator[Outcome, None, None]:
        """Each shot of all shards once, in any order; takes shards as makers become free, and
        makes little more than is asked for. Raises UserError for what the user has to mend.
        """
        ...

    def close(self) -> None:
        """Let the makers go. Called while shots are being made it ends them at once."""
        ...


OpenPool = Callable[[Opening], Pool]
"""Opens makers of a split's shots. Raises UserError where source or renderer do not open."""


class ThisProcess:
    """The pool without other processes; a renderer of several engines draws on all of them."""

    def __init__(self, opening: Opening) -> None:
        self._maker = ShotMaker(opening)
        self.drawn_by = dict(self._maker.renderer.provenance)
        self.close = self._maker.close

    def largest_shard(self, missing: int) -> int:
        """Moments, for their views share what caches hold, which all lanes do; long ones where
        shots are posed ahead, which ends with a shard."""
        return LARGEST_SHARD if self._maker.renderer.ahead else 1

    def make(self, shards: Iterable[Shard]) -> Generator[Outcome, None, None]:
        return over_lanes([self._lane] * self._maker.renderer.lanes, shards, self.close)

    def _lane(self, shard: Shard) -> Iterator[Outcome]:
        for index, coming in in_order(shard):
            yield self._maker.make(index, coming)


def in_order(shard: Shard) -> Iterator[tuple[int, Shard]]:
    """Each shot of a shard, and those that come after it."""
    for number, index in enumerate(shard, start=1):
        yield index, shard[number:]


def shards_of(missing: Iterable[int], config: DatasetConfig, largest: int) -> Iterator[Shard]:
    """Shots in shards of so many at most, but whole moments, and none of two clips."""
    views, clip = config.views, config.views * config.sequence
    shard: list[int] = []
    for _, moment in groupby(missing, key=lambda index: index // views):
        shots = list(moment)
        another = config.sequence > 1 and shard and shard[0] // clip != shots[0] // clip
        if shard and (another or len(shard) + len(shots) > largest):
            yield shard
            shard = []
        shard += shots
    if shard:
        yield shard


def over_lanes(
    lanes: Sequence[Lane], shards: Iterable[Shard], stop: Callable[[], None]
) -> Generator[Outcome, None, None]:
    """What becomes of all shards, each made by the lane that is free first, a thread a lane.

    What one raises ends the others once they are done with their shots; an interrupt calls
    ``stop``, which has to end them at once. Lanes wait when outcomes are not taken.
    """
    if len(lanes) == 1:
        for shard in shards:
            yield from lanes[0](shard)
        return
    work = _Work(iter(shards), len(lanes))
    threads = [Thread(target=work.do, args=[lane], daemon=True) for lane in lanes]
    try:
        for thread in threads:
            thread.start()
        running = len(threads)
        while running:
            outcome = work.next()
            if isinstance(outcome, BaseException):
                raise outcome
            if outcome is None:
                running -= 1
            else:
                yield outcome
    except (KeyboardInterrupt, GeneratorExit):
        stop()
        raise
    finally:
        work.ended.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()


class _Work:
    """What lanes share: the shards that nobody has taken, and the outcomes that wait."""

    def __init__(self, shards: Iterator[Shard], lanes: int) -> None:
        self._shards = shards
        self._taking = Lock()
        self._done: Queue[Outcome | BaseException | None] = Queue(2 * lanes)
        self.ended = Event()

    def do(self, lane: Lane) -> None:
        """Make shards until there are no more; tells that by None."""
        try:
            while (shard := self._take()) is not None:
                for outcome in lane(shard):
                    self._tell(outcome)
                    if self.ended.is_set():
                        return
            self._tell(None)
        except BaseException as error:  # told to the caller, who raises it
            self._tell(error)

    def next(self) -> Outcome | BaseException | None:
        """The next outcome; a Ctrl-C that comes as the wait begins is noticed within a moment."""
        while True:
            try:
                return self._done.get(timeout=NOTICE_S)
            except Empty:
                continue

    def _take(self) -> Shard | None:
        with self._taking:
            return None if self.ended.is_set() else next(self._shards, None)

    def _tell(self, outcome: Outcome | BaseException | None) -> None:
        while not self.ended.is_set():
            try:
                self._done.put(outcome, timeout=NOTICE_S)
            except Full:
                continue
            return


def check_drawn_by(there: Mapping[str, str], expected: Mapping[str, str], where: str) -> None:
    """Raises UserError where a maker's renderer is another than that of the others."""
    if dict(there) != dict(expected):
        raise UserError(
            f"{where}: draws with {_listed(there)}, the others with {_listed(expected)}; all have "
            "to draw with the same"
        )


def _listed(provenance: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in provenance.items()) or "nothing special"

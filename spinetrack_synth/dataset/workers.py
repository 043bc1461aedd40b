"""Worker processes that make shots: started when needed, and again when they die or grow.

They are started by hand, not by `multiprocessing` or `concurrent.futures`: a pool of those is
broken altogether by a worker that the system kills, cannot be used inside Dask's workers, and
imports the caller's script anew. A worker hears and tells everything through one socket, at whose
end it ends too, however its parent died.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Final

from spinetrack_synth.dataset.gpus import gpu_of_process
from spinetrack_synth.dataset.making import (
    Failure,
    Opening,
    Outcome,
    ShotMaker,
    this_process,
)
from spinetrack_synth.dataset.pool import (
    LARGEST_SHARD,
    Shard,
    check_drawn_by,
    in_order,
    over_lanes,
)
from spinetrack_synth.dataset.state import describe, differences
from spinetrack_synth.errors import UserError

IDLE_S: Final = 600.0
"""A worker that nobody has asked for anything for so long goes."""

SHARDS_A_LANE: Final = 8
"""Shards that each maker gets at least, so that all are done at about the same time."""

SILENT_S: Final = 1200.0
"""A worker that is silent for so long over a shot, and as long again for every megapixel, hangs:
hundreds of times what one takes, more than the compiling before the first one."""

FEWEST: Final = 100
"""Shots that a process makes at least before it may be replaced: starting costs some of them."""
SHARE: Final = 0.8
"""Of the machine's memory, what all workers together may take."""

NOTHING_ELSE: Final[Mapping[str, str]] = MappingProxyType({})

_START: Final = """
import os, sys
link, cores, *sys.path[:] = sys.argv[1:]
if cores:
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, map(int, cores.split(",")))
from spinetrack_synth.dataset.workers import serve
serve(int(link), everywhere if cores else ())
"""
"""On the cores that it is given first, so that libraries start as many threads as these have."""


class Worker:
    """A process that makes shots, and what becomes of it. One thread at a time may use it.

    ``opening`` is a pickled `Opening`, ``most_bytes`` the memory with which the process is replaced
    by a new one, between two shards. It has as many threads as ``cores`` are named (none: all), and
    the variables of ``environment`` where they differ from those here.
    """

    def __init__(
        self,
        opening: bytes,
        most_bytes: float,
        cores: Sequence[int] = (),
        environment: Mapping[str, str] = NOTHING_ELSE,
    ) -> None:
        self._opening = opening
        self._most_bytes = most_bytes
        self._cores, self._environment = cores, environment
        width, height = pickle.loads(opening).config.size
        self._megapixels = width * height / 1e6
        self._process: _Process | None = None
        self._used = Lock()
        self._closed = False
        self.drawn_by: Mapping[str, str] | None = None

    def open(self) -> Mapping[str, str]:
        """Start the process if there is none; what its renderer says of itself.

        Raises UserError where it cannot make these shots, WorkerDiedError where it dies.
        """
        if self._process is not None and self._process.has_gone():
            self._end()
        if self._process is None:
            self._process = _Process(self._cores, self._environment)
            if self._closed:  # meanwhile
                raise WorkerDiedError("was ended")
            answer = self._ask(self._opening)
            if isinstance(answer, UserError):
                self._end()
                raise answer
            if self.drawn_by is not None:
                check_drawn_by(answer, self.drawn_by, self._process.name)
            self.drawn_by = answer
        assert self.drawn_by is not None
        return self.drawn_by

    def make(self, shard: Shard) -> Iterator[Outcome]:
        """The shots of a shard, one after another; a death is a failure of the shot it met."""
        for index, coming in in_order(shard):
            with self._used:
                if self._closed:
                    return
                outcome = self._make(index, coming)
            if self._closed:
                return
            yield outcome
        with self._used:
            process = self._process
            if process and process.made >= FEWEST and process.memory_bytes > self._most_bytes:
                self._end()

    def _make(self, index: int, coming: Shard) -> Outcome:
        try:
            self.open()
            assert self._process is not None
            answer, self._process.memory_bytes = self._ask((index, coming))
        except WorkerDiedError as error:
            where = self._process.name if self._process else this_process()
            self._end()
            return Failure(index, f"its process {error}", where)
        self._process.made += 1
        if isinstance(answer, UserError):
            raise answer
        made: Outcome = answer
        return made

    def _ask(self, question: Any) -> Any:
        assert self._process is not None
        return self._process.ask(question, SILENT_S * (1 + self._megapixels))

    def close(self) -> None:
        """End the process at once, from any thread; it makes nothing afterwards."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()  # whoever waits for an answer is told
        with self._used:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
        self._process = None


class WorkerDiedError(Exception):
    """A worker's process is no more; the message says how that came."""


class _Process:
    """A running worker's process, and the socket to it."""

    def __init__(self, cores: Sequence[int], environment: Mapping[str, str]) -> None:
        self._link, theirs = Pipe()
        first_on = ",".join(map(str, cores))
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `end`
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, str(theirs.fileno()), first_on, *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **environment},
            )
        self.name = f"{this_process()}, worker {self._process.pid}"
        self.made = 0
        self.memory_bytes = 0

    def ask(self, question: Any, patience_s: float) -> Any:
        """The answer to a question; raises WorkerDiedError where none comes, or not so soon."""
        try:
            self._link.send(question)
            if self._link.poll(patience_s):
                return self._link.recv()
        except (EOFError, OSError):
            raise WorkerDiedError(self._last_words()) from None
        raise WorkerDiedError(f"was silent for {patience_s / 60:.0f} minutes and was ended")

    def has_gone(self) -> bool:
        """Whether it has ended of itself, since nobody asked anything."""
        return self._process.poll() == 0

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self._link.close()
        self._process.kill()
        self._process.wait()
        self._said.close()

    def _last_words(self) -> str:
        """How the process ended, and the last line that it wrote."""
        code = self._process.wait()
        self._said.seek(max(0, self._said.tell() - 4000))
        lines = self._said.read().decode(errors="replace").split("\n")
        words = next((line.strip() for line in reversed(lines) if line.strip()), "")
        how = f"was ended by {_signal(-code)}" if code < 0 else f"ended with code {code}"
        return f"{how}: {words}" if words else how


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of those for real time
        return f"signal {number}"


def serve(link: int, everywhere: Collection[int]) -> None:
    """What the process of a worker does: make the shots that it is asked for.

    It may use the cores ``everywhere`` (none: as it is) once the first shot has started all
    threads; kept to its first ones it would wait where others have work.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    with Connection(link) as parent:
        try:
            opening: Opening = pickle.loads(parent.recv())
            check_description(opening)
            maker = ShotMaker(opening)
        except UserError as error:
            parent.send(error)
            return
        parent.send(dict(maker.renderer.provenance))
        with contextlib.suppress(EOFError, ConnectionError), contextlib.closing(maker):
            while parent.poll(IDLE_S):
                try:
                    answer: Outcome | UserError = maker.make(*parent.recv())
                except UserError as error:
                    answer = error
                if everywhere:
                    _move_threads(everywhere)
                    everywhere = ()
                parent.send((answer, _memory_bytes()))


def check_description(opening: Opening) -> None:
    """Raises UserError where version, model, assets or the user's files are others here."""
    found, wanted = describe(opening.config), dict(opening.description)
    if told := differences(found, wanted, {"drawn_by"}):
        raise UserError(
            f"another version or other files ({told}); all workers need the same; what is done is "
            "safe"
        )


class LocalWorkers:
    """So many worker processes on this machine."""

    def __init__(self, opening: Opening, count: int) -> None:
        share = SHARE * machine_memory_bytes() / count
        size = max(1, len(some_cores(0, sys.maxsize)) // count)
        self._workers = [
            Worker(pickle.dumps(opening), share, some_cores(number, size), gpu_of_process(number))
            for number in range(count)
        ]
        try:
            self.drawn_by = open_first(self._workers[0])
        except BaseException:
            self.close()
            raise
        for worker in self._workers:
            worker.drawn_by = self.drawn_by

    def largest_shard(self, missing: int) -> int:
        """Large ones, but enough of them for all workers."""
        return shard_size(missing, len(self._workers))

    def make(self, shards: Iterable[Shard]) -> Generator[Outcome, None, None]:
        return over_lanes([worker.make for worker in self._workers], shards, self.close)

    def close(self) -> None:
        for worker in self._workers:
            worker.close()


def shard_size(missing: int, makers: int) -> int:
    """How many shots go to one of so many makers at once: many, but shards enough for all."""
    return max(1, min(LARGEST_SHARD, missing // (SHARDS_A_LANE * makers)))


def open_first(worker: Worker) -> Mapping[str, str]:
    """Open the first of several workers; raises UserError where it does not start."""
    try:
        return worker.open()
    except WorkerDiedError as error:
        raise UserError(f"a worker does not start: its process {error}") from error


def local_workers(count: int) -> partial[LocalWorkers]:
    """What opens so many workers on this machine, for ``run_dataset``."""
    return partial(LocalWorkers, count=count)


def some_cores(number: int, size: int) -> list[int]:
    """So many of the cores that this process may use, others for the next ``number``; none, which
    stands for all, where the system does not tell them."""
    if not hasattr(os, "sched_getaffinity"):  # Linux alone has it
        return []
    cores = sorted(os.sched_getaffinity(0))
    return [cores[(number * size + k) % len(cores)] for k in range(min(size, len(cores)))]


def machine_memory_bytes() -> float:
    """The memory that processes here may take: the machine's, or that of their container."""
    total = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    try:
        return min(total, float(Path("/sys/fs/cgroup/memory.max").read_text()))
    except (OSError, ValueError):  # no container's, or no limit ("max")
        return total


def _move_threads(cores: Collection[int]) -> None:
    """Let all threads of this process run on these cores."""
    for thread in Path("/proc/self/task").iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), cores)


def _memory_bytes() -> int:
    """The memory of this process; 0 where the system does not tell it so."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")

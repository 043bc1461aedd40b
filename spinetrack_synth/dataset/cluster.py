"""Makers of shots on a Dask cluster: each of its workers holds worker processes of ours.

Shards are tasks that ask for one `renderer`, a resource that Dask's workers declare: a GPU or an
engine gets one shot at a time, however many threads its worker has. A task goes to whoever is
free; Dask gives those of workers that die to others.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Final

from spinetrack_synth.dataset.making import Failure, Opening, Outcome, one_line, this_process
from spinetrack_synth.dataset.pool import Shard, check_drawn_by
from spinetrack_synth.dataset.workers import (
    SHARE,
    Worker,
    machine_memory_bytes,
    open_first,
    shard_size,
    some_cores,
)
from spinetrack_synth.errors import UserError
from spinetrack_synth.extras import pip_command
from spinetrack_synth.version import __version__

if TYPE_CHECKING:
    from distributed import Client, Future

RESOURCE: Final = "renderer"
ANSWER_S: Final = 15.0
"""Within so long a scheduler has to answer."""
LOOK_S: Final = 1.0
"""Between two looks at who has joined the cluster."""
SHARDS_AHEAD: Final = 2
"""Shards under way for every renderer: one that it makes, one that waits there."""
START: Final = f"start them with: dask worker ADDRESS --resources {RESOURCE}=1"

LOG: Final = logging.getLogger(__name__)


class Cluster:
    """The renderers of a Dask cluster, as many as there are at any time."""

    def __init__(self, opening: Opening, address: str) -> None:
        self._address = address
        self._opening = pickle.dumps(opening)
        self._client = _connect(address)
        self._looked, self._known, self._workers = -LOOK_S, 0, 0
        try:
            self._wait_for_renderers()
            self.drawn_by, _ = self._answer(self._submit(()))
        except BaseException:
            self.close()
            raise

    def largest_shard(self, missing: int) -> int:
        """Large ones, but enough of them for all renderers."""
        return shard_size(missing, max(1, self._renderers()))

    def make(self, shards: Iterable[Shard]) -> Generator[Outcome, None, None]:
        from distributed import as_completed

        waiting = iter(shards)
        under_way: dict[Future, Shard] = {}
        done = as_completed(loop=self._client.loop)

        def submit_more() -> None:
            most = SHARDS_AHEAD * max(1, self._renderers())
            while len(under_way) < most and (shard := next(waiting, None)) is not None:
                future = self._submit(shard)
                under_way[future] = shard
                done.add(future)

        try:
            submit_more()
            while under_way:
                future = next(done)
                shard = under_way.pop(future)
                yield from self._outcomes(future, shard)
                future.release()
                submit_more()
        finally:
            self._client.cancel(list(under_way), force=True)

    def close(self) -> None:
        with contextlib.suppress(Exception):  # a cluster that is gone has nothing to close
            self._client.close(timeout=ANSWER_S)

    def _submit(self, shard: Shard) -> Future:
        return self._client.submit(
            make_on_worker,
            __version__,
            self._opening,
            tuple(shard),
            resources={RESOURCE: 1},
            pure=False,
        )

    def _answer(self, future: Future) -> tuple[Mapping[str, str], list[Outcome]]:
        """What a task gives back; raises UserError where the workers lack something."""
        try:
            answer: tuple[Mapping[str, str], list[Outcome]] = future.result()
        except (ImportError, AttributeError, TypeError) as error:
            raise UserError(
                f"--cluster {self._address}: its workers cannot run spinetrack-synth "
                f"{__version__} ({one_line(error)}); install the same version there; what is done "
                "is safe"
            ) from error
        except (CancelledError, OSError) as error:
            raise UserError(
                f"--cluster {self._address}: its scheduler is gone; what is done is safe: run the "
                "same command again when it is back"
            ) from error
        return answer

    def _outcomes(self, future: Future, shard: Shard) -> Iterator[Outcome]:
        from distributed import KilledWorker

        try:
            drawn_by, outcomes = self._answer(future)
        except KilledWorker as error:
            for index in shard:
                yield Failure(index, "the workers that had it died", "cluster", str(error))
            return
        check_drawn_by(drawn_by, self.drawn_by, f"--cluster {self._address}")
        yield from outcomes

    def _wait_for_renderers(self) -> None:
        """Wait for the first worker; raises UserError where workers have no renderer."""
        told = False
        while not self._renderers():
            if self._workers:
                raise UserError(
                    f"--cluster {self._address}: none of its {self._workers} workers declares the "
                    f"resource {RESOURCE}; {START}"
                )
            if not told:
                LOG.info("waiting for workers at %s; %s", self._address, START)
                told = True
            time.sleep(LOOK_S)

    def _renderers(self) -> int:
        """How many shots the workers can make at once, as of a moment ago."""
        if time.monotonic() - self._looked > LOOK_S:
            workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
            self._workers = len(workers)
            self._known = sum(int(each["resources"].get(RESOURCE, 0)) for each in workers)
            self._looked = time.monotonic()
        return self._known


def on_cluster(address: str) -> partial[Cluster]:
    """What opens the workers of a Dask cluster, for ``run_dataset``: those of the scheduler at an
    address such as ``tcp://10.0.0.1:8786``, or of which a scheduler file tells."""
    return partial(Cluster, address=address)


def _connect(address: str) -> Client:
    """Raises UserError where no scheduler answers."""
    if find_spec("distributed") is None:
        raise UserError(f"--cluster needs distributed, not installed: {pip_command('cluster')}")
    from distributed import Client

    try:
        return Client(address, timeout=ANSWER_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"--cluster {address}: no Dask scheduler answers there ({one_line(error)}); give the "
            "address that `dask scheduler` prints, such as tcp://10.0.0.1:8786"
        ) from error


_held: dict[bytes, list[Worker]] = {}
"""On a worker of Dask's: processes that have nothing to do, by what they make."""
_holding = Lock()


def make_on_worker(
    version: str, opening: bytes, shard: Shard
) -> tuple[Mapping[str, str], list[Outcome]]:
    """The task of a worker of Dask's: what its renderer says of itself, and a shard's shots.

    Raises UserError where the worker has another version or other files than the run.
    """
    where = f"worker on {this_process()}"
    if version != __version__:
        raise UserError(
            f"{where}: has spinetrack-synth {__version__}, this run is of {version}; install the "
            "same version on all; what is done is safe"
        )
    worker = _take(opening)
    try:
        outcomes = list(worker.make(shard))
        return open_first(worker), outcomes
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    finally:
        with _holding:
            _held.setdefault(sha256(opening).digest(), []).append(worker)


def _take(opening: bytes) -> Worker:
    """A worker process of ours; those of other runs are closed."""
    key = sha256(opening).digest()
    with _holding:
        others = [worker for its in _held if its != key for worker in _held[its]]
        for its in [its for its in _held if its != key]:
            del _held[its]
        found = _held[key].pop() if _held.get(key) else None
    for worker in others:
        worker.close()
    return found or Worker(opening, *_share())


def _share() -> tuple[float, list[int]]:
    """Of what this worker of Dask's may use, the part of each of our processes beside it: memory in
    bytes, and as many cores as it has threads, as a rule others than its neighbours'."""
    from distributed import get_worker

    worker = get_worker()
    renderers = worker.state.total_resources.get(RESOURCE, 1)
    limit = worker.memory_manager.memory_limit or machine_memory_bytes()
    threads = max(1, int(worker.state.nthreads // renderers))
    return float(SHARE * limit / renderers), some_cores(os.getpid(), threads)

"""Batches made ahead of time by other processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import signal
import socket
from collections.abc import Iterator

import numpy as np

from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.image_files import opencv
from spinetrack_synth.training.batches import Batch, Batches


def read_ahead(batches: Batches, first: int, stop: int, workers: int) -> Iterator[Batch]:
    """Batches ``first`` to ``stop`` - 1 in order, made by so many processes, each of which has its
    next one ready; by this one, when they are asked for, where ``workers`` is 0.

    Threads would share Python's lock with the training. Processes end with the one that started
    them, however that ends. Raises UserError as ``Batches.at`` does.
    """
    if workers == 0:
        yield from map(batches.at, range(first, stop))
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    sources, processes = [], []
    try:
        for worker in range(min(workers, stop - first)):
            ours, theirs = socket.socketpair()
            sources.append(ours)
            numbers = range(first + worker, stop, workers)
            process = context.Process(target=_work, args=(batches, numbers, theirs), daemon=True)
            process.start()
            processes.append(process)
            theirs.close()
        for number in range(first, stop):
            yield _received(sources[(number - first) % workers], number)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()
        for source in sources:
            source.close()


def _work(batches: Batches, numbers: range, target: socket.socket) -> None:
    """Make batches of these numbers and send each when the one before is taken."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the first answers
    opencv().setNumThreads(1)
    with contextlib.suppress(ConnectionError):  # nobody is left to read
        for number in numbers:
            try:
                arrays = list(vars(batches.at(number)).values())
            except UserError as error:
                _tell(target, error)
                return
            _tell(target, [(array.shape, array.dtype.str) for array in arrays])
            for array in arrays:
                target.sendall(np.ascontiguousarray(array).data.cast("B"))


def _tell(target: socket.socket, told: object) -> None:
    content = pickle.dumps(told)
    target.sendall(len(content).to_bytes(8, "little") + content)


def _received(source: socket.socket, number: int) -> Batch:
    try:
        length = int.from_bytes(_filled(source, bytearray(8)), "little")
        told = pickle.loads(_filled(source, bytearray(length)))
        if isinstance(told, UserError):
            raise told
        arrays = [np.empty(shape, dtype) for shape, dtype in told]
        for array in arrays:
            _filled(source, array.data.cast("B"))
        return Batch(*arrays)
    except (EOFError, ConnectionError) as error:
        raise UserError(
            f"batch {number}: the process that made it has ended; is there too little memory for "
            "so many workers?"
        ) from error


def _filled(source: socket.socket, room: bytearray | memoryview) -> bytearray | memoryview:
    """The room, filled with what comes, straight from the system; without Python's lock."""
    left = memoryview(room)
    while left:
        count = source.recv_into(left)
        if not count:
            raise EOFError
        left = left[count:]
    return room

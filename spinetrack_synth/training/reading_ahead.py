"""Batches made ahead of time by other processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
from collections.abc import Iterator
from multiprocessing.connection import Connection

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
    readers, processes = [], []
    try:
        for worker in range(min(workers, stop - first)):
            reader, writer = context.Pipe(duplex=False)
            numbers = range(first + worker, stop, workers)
            process = context.Process(target=_work, args=(batches, numbers, writer), daemon=True)
            process.start()
            writer.close()
            readers.append(reader)
            processes.append(process)
        for number in range(first, stop):
            yield _received(readers[(number - first) % workers], number)
    finally:
        for process in processes:
            process.terminate()
        for process, reader in zip(processes, readers):
            process.join()
            reader.close()


def _work(batches: Batches, numbers: range, writer: Connection) -> None:
    """Make batches of these numbers and send each when the one before is taken."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the first answers
    opencv().setNumThreads(1)
    with contextlib.suppress(BrokenPipeError):  # nobody is left to read
        for number in numbers:
            try:
                batch = batches.at(number)
            except UserError as error:
                writer.send(error)
                return
            arrays = [np.ascontiguousarray(array) for array in vars(batch).values()]
            writer.send([(array.shape, array.dtype.str) for array in arrays])
            for array in arrays:
                writer.send_bytes(array.reshape(-1).view(np.uint8))


def _received(reader: Connection, number: int) -> Batch:
    try:
        told = reader.recv()
        if isinstance(told, UserError):
            raise told
        return Batch(
            *(
                np.frombuffer(bytearray(reader.recv_bytes()), dtype).reshape(shape)
                for shape, dtype in told
            )
        )
    except EOFError as error:
        raise UserError(
            f"batch {number}: the process that made it has ended; is there too little memory for "
            "so many workers?"
        ) from error

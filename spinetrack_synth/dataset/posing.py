"""Shots posed ahead: those that come next, in a thread of its own, while others draw."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from spinetrack_synth.dataset.source import ShotAt
from spinetrack_synth.shot import Shot


class PosedAhead:
    """Takes shots from a source in the order in which they are asked for, up to ``most`` of them
    before they are. For one thread that asks."""

    def __init__(self, shot_at: ShotAt, most: int) -> None:
        self._shot_at, self._most = shot_at, most
        self._thread = ThreadPoolExecutor(1, "posing")
        self._posed: dict[int, Future[Shot]] = {}

    def shot(self, index: int, coming: Sequence[int]) -> Shot:
        """The shot of an index, while those that come next are posed; raises what the source
        raises of this one, nothing of theirs."""
        wanted = (index, *coming[: self._most])
        for other in self._posed.keys() - set(wanted):
            self._posed.pop(other).cancel()
        for each in wanted:
            if each not in self._posed:
                self._posed[each] = self._thread.submit(self._shot_at, each)
        return self._posed.pop(index).result()

    def close(self) -> None:
        """Pose no more; waits for the shot that is being posed."""
        self._thread.shutdown(cancel_futures=True)
        self._posed.clear()

"""What steps take, by the clock on the wall and by the processor."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

Seconds = dict[str, list[tuple[float, float]]]
"""By step: wall and CPU seconds of every time."""


class Clock:
    """Notes what steps take."""

    def __init__(self) -> None:
        self.spent: Seconds = defaultdict(list)

    def time(self, step: str, work: Callable[[], Any]) -> Any:
        """Do some work and note its time."""
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        self.spent[step].append((time.perf_counter() - wall, time.process_time() - cpu))
        return result

    def mean(self, step: str, skip: int = 0) -> np.ndarray:
        """Wall and CPU seconds of a step, (2,), the first ``skip`` times left out."""
        return np.mean(self.spent[step][skip:], axis=0)


def describe(seconds: np.ndarray) -> str:
    """Wall and CPU seconds, told."""
    return f"{seconds[0]:.3f} s wall, {seconds[1]:.3f} s cpu"

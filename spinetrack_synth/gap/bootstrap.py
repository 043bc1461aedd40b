"""Intervals by drawing pictures or sequences again, with everybody in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth.gap.labels import Floats, Ints

LEVEL: Final = 0.95
LEAST_CLUSTERS: Final = 5
"""Of fewer pictures drawing again tells nothing: one picture drawn again is itself."""
_CHUNK: Final = 64


@dataclass(frozen=True)
class Interval:
    """A value and its interval of 95%; nan where there are too few to tell."""

    value: float
    low: float
    high: float

    @property
    def holds_zero(self) -> bool:
        return not (self.low > 0 or self.high < 0)

    def told(self) -> str:
        """In words, with the interval where there is one."""
        if not np.isfinite(self.low):
            return f"{self.value:.4g}"
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"


def draws(clusters: int, resamples: int, seed: int) -> Iterator[Ints]:
    """How often each cluster is drawn (chunk, clusters), in chunks that fit into memory. Of fewer
    than ``LEAST_CLUSTERS`` none is, which leaves every measure without an interval."""
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, _CHUNK):
        count = min(_CHUNK, resamples - start)
        if clusters < LEAST_CLUSTERS:
            yield np.zeros((count, clusters), np.int64)
        else:
            yield rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=count)


def interval(value: float, replicates: Floats) -> Interval:
    """The percentile interval of replicates (R,); nan ones, of draws without anybody, are left
    out, and where they are many there is no interval."""
    usable = replicates[np.isfinite(replicates)]
    if not np.isfinite(value) or len(usable) < 0.8 * len(replicates) or not len(usable):
        return Interval(float(value), float("nan"), float("nan"))
    low, high = np.percentile(usable, [100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2])
    return Interval(float(value), float(low), float(high))

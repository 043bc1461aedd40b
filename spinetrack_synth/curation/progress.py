"""How far a tool is: pictures counted as they pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from spinetrack_synth.curation.samples import Sample, Split

Progress = Callable[[int, int], None]
ProgressBar = Callable[[str], AbstractContextManager[Progress]]
"""Given what is counted, a block within which progress is told what is done and what is wanted."""


def silent(unit: str) -> AbstractContextManager[Progress]:
    """A bar that nobody sees."""
    return nullcontext(lambda done, wanted: None)


def counter(progress: Progress, wanted: int) -> Callable[[Iterable[Sample]], Iterator[Sample]]:
    """Tells of every sample that passes through, and of those of all calls together."""
    done = 0

    def passing(samples: Iterable[Sample]) -> Iterator[Sample]:
        nonlocal done
        for sample in samples:
            yield sample
            done += 1
            progress(done, wanted)

    return passing


def counted(splits: Sequence[Split], progress: Progress) -> list[Split]:
    """The same splits; progress is told of their pictures as they are taken, once each."""
    passing = counter(progress, sum(split.pictures for split in splits))
    return [
        replace(split, samples=lambda split=split: passing(split.samples()))  # type: ignore[misc]
        for split in splits
    ]

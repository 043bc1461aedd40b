"""Pictures that could not be made: where their causes stand, and when a run gives up."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from spinetrack_synth.atomic import cannot_write
from spinetrack_synth.dataset.layout import Layout
from spinetrack_synth.dataset.making import Failure
from spinetrack_synth.errors import UserError

MOST: Final = 20
"""So many failures, and more than pictures that went well, mean that something else is wrong."""


NAMED: Final = 5
"""Pictures at most that are named with their causes where some fail every time."""


class Failures:
    """The failures of a run, each a line of JSON in the folder until the split is complete.

    ``last`` are those since all of a run's pictures were begun to be tried once more, by index.
    """

    def __init__(self, layout: Layout, tell: Callable[[Failure], None]) -> None:
        self._layout = layout
        self._tell = tell
        self._count = 0
        self._first: Failure | None = None
        self.last: dict[int, Failure] = {}

    def begin(self) -> None:
        """The pictures that are missing are tried, once more or for the first time."""
        self.last = {}

    def note(self, failure: Failure, made: int) -> None:
        """Write down a failure, after so many pictures that went well.

        Raises UserError where the run should not go on, or the file cannot be written.
        """
        self._count += 1
        self._first = self._first or failure
        self.last[failure.index] = failure
        path = self._layout.failures
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(failure), ensure_ascii=False) + "\n")
        except OSError as error:
            raise cannot_write(path, error) from error
        self._tell(failure)
        if self._count >= MOST and self._count > made:
            raise UserError(
                f"{self._layout.root}: pictures failed: {self._count} failed and {made} went well, "
                f"so the run ends here; the first was {self._named(self._first)}; all causes stand "
                f"in {self._layout.failures}; what is done is safe: run the same command to go on"
            )

    def every_time(self, count: int, attempts: int) -> UserError:
        """What to tell the user where some of so many pictures failed at every attempt."""
        told = [self._named(self.last[index]) for index in sorted(self.last)]
        named = ", ".join(told[:NAMED])
        if len(told) > NAMED:
            named += f" and {len(told) - NAMED} more"
        without = ", or add --close to finish without them" if len(told) < count else ""
        return UserError(
            f"{self._layout.root}: {len(told)} of {count} pictures could not be made in {attempts} "
            f"attempts: {named}; all causes stand in {self._layout.failures}; what is done is "
            f"safe: run the same command to try these again{without}"
        )

    def _named(self, failure: Failure) -> str:
        return f"{self._layout.image_name(failure.index)} ({failure.cause})"

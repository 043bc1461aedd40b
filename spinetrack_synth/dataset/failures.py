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


class Failures:
    """The failures of a run, each a line of JSON in the folder until the split is complete."""

    def __init__(self, layout: Layout, tell: Callable[[Failure], None]) -> None:
        self._layout = layout
        self._tell = tell
        self._count = 0
        self._first: Failure | None = None

    def note(self, failure: Failure, made: int) -> None:
        """Write down a failure, after so many pictures that went well.

        Raises UserError where the run should not go on, or the file cannot be written.
        """
        self._count += 1
        self._first = self._first or failure
        path = self._layout.failures
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(failure), ensure_ascii=False) + "\n")
        except OSError as error:
            raise cannot_write(path, error) from error
        self._tell(failure)
        if self._count >= MOST and self._count > made:
            raise self.error(f"{self._count} failed and {made} went well, so the run ends here")

    def error(self, what: str) -> UserError:
        """What to tell the user."""
        assert self._first is not None  # something has failed
        return UserError(
            f"{self._layout.root}: pictures failed: {what}; the first was "
            f"{self._layout.image_name(self._first.index)} ({self._first.cause}); all causes stand "
            f"in {self._layout.failures}; what is done is safe: run the same command to go on"
        )

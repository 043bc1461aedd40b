"""What a rule reports, and what the engine makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class Severity(IntEnum):
    """How bad a finding is."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Fault:
    """One thing a rule found wrong, made by ``Dataset.annotation_fault`` and its like.

    ``place`` says where to look (``annotations[12] (id 4711, image 000123.jpg)``); ``key`` names
    the same entity in every later version of the file (``annotation:4711``, with a part of it
    after a slash); ``parent`` is the key of the image of an annotation; ``covers`` are the keys of
    other entities whose faults this one explains; ``value`` a number or text that was measured;
    ``sure`` the share of such findings that are right, where that was measured (0 to 1);
    ``row`` the annotation's; ``severity`` where it harms less than the rule's faults usually do;
    ``fitted`` (K, 2) px where the body model puts the keypoints, for the report to draw.
    """

    place: str
    key: str
    message: str
    value: float | int | str | None = None
    sure: float | None = None
    parent: str | None = None
    covers: tuple[str, ...] = ()
    row: int | None = None
    severity: Severity | None = None
    fitted: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)


def mild(fault: Fault) -> Fault:
    """The fault as a warning: nobody's reader stops at it."""
    return replace(fault, severity=Severity.WARNING)


@dataclass(frozen=True)
class Finding:
    """A fault with the rule that found it and the file it is in."""

    code: str
    name: str
    severity: Severity
    file: Path
    place: str
    key: str
    message: str
    value: float | int | str | None = None
    sure: float | None = None
    row: int | None = None
    fitted: NDArray[np.float64] | None = field(default=None, compare=False, repr=False)

    @property
    def entity(self) -> tuple[str, str, str]:
        """What a baseline knows a finding by: code, name of the file, key."""
        return self.code, self.file.name, self.key


@dataclass(frozen=True)
class Work:
    """What a slow rule is given: how to tell how far it is, and how many processes it may use."""

    progress: Callable[[int, int], None] = lambda done, wanted: None
    processes: int = 1

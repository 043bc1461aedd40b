"""A rule: a function that looks for one kind of fault, and what people should know about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from spinetrack_synth.errors import UserError
from spinetrack_synth.validation.findings import Severity

Check = Callable[..., Iterable[Any]]
"""Yields faults; across files, pairs of dataset and fault."""

FAMILIES: Final[dict[str, str]] = {
    "file": "SPT0",
    "schema": "SPT1",
    "identity": "SPT2",
    "geometry": "SPT3",
    "visibility": "SPT35",
    "body": "SPT4",
    "left/right": "SPT50",
    "spine": "SPT52",
    "ground truth": "SPT55",
    "images": "SPT6",
    "duplicates": "SPT70",
    "leakage": "SPT75",
    "drift": "SPT8",
    "metadata": "SPT9",
}
"""Family -> what the codes of its built-in rules begin with."""

NEEDS: Final[dict[str, str]] = {
    "names": "keypoint names of a person that can be trusted",
    "any names": "keypoint names that can be trusted",
    "spine": "the spine points of SpineTrack-37",
    "images": "the pictures (--images)",
    "ground truth": "ground_truth/<split>.parquet beside the annotations",
    "previous": "the previous release (--previous)",
    "several files": "several files given together",
}
"""What a rule can need beside a readable file, told to people when the rule is skipped."""


@dataclass(frozen=True)
class Rule:
    """A rule. ``check`` gets a ``Dataset``, or all of them where the rule is ``across`` files; a
    ``slow`` one gets a ``Work`` too. It yields faults in the order of the file.

    ``needs`` are keys of ``NEEDS``; ``unless`` are codes whose fault on the same annotation, or on
    its image, already says why this rule was going to complain; rules that are not ``default``
    run only when selected. ``reason`` tells why it matters, ``example`` shows a fault.
    """

    code: str
    name: str
    family: str
    severity: Severity
    reason: str
    example: str
    check: Check
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    across: bool = False
    slow: bool = False
    default: bool = True

    @property
    def summary(self) -> str:
        """The first sentence of the check's docstring."""
        text = " ".join((self.check.__doc__ or self.name).split())
        return text.split(". ")[0].rstrip(".")


def rule(
    code: str,
    name: str,
    *,
    family: str,
    severity: Severity,
    reason: str,
    example: str,
    **more: Any,
) -> Callable[[Check], Rule]:
    """Decorator: make a rule of the check it stands on; ``more`` are the other fields of Rule."""
    if not re.fullmatch(r"[A-Z]{2,10}\d{3}", code):
        raise UserError(f"rule code {code!r}: expected letters and three digits, such as SPT301")
    unknown = [need for need in more.get("needs", ()) if need not in NEEDS]
    if unknown:
        raise UserError(f"rule {code} needs {unknown[0]!r}: known are {', '.join(NEEDS)}")

    def make(check: Check) -> Rule:
        return Rule(code, name, family, severity, _flow(reason), example.strip(), check, **more)

    return make


def _flow(text: str) -> str:
    return " ".join(text.split())

"""Rules of the file itself, before anything in it is looked at (SPT00x), and of the run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from spinetrack_synth.coco.parsing import ENCODING, MARK, NOT_FINITE, REPEATED_KEY, Quirk
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity
from spinetrack_synth.validation.rules import rule

_RECORD: Final = re.compile(r"(images|annotations|categories)\[(\d+)\](.*)", re.DOTALL)


def _quirks(dataset: Dataset, kind: str) -> Iterator[Fault]:
    return (_of_record(dataset, quirk) for quirk in dataset.quirks if quirk.kind == kind)


def _of_record(dataset: Dataset, quirk: Quirk) -> Fault:
    """The quirk as a fault of the record that it lies in, where there is one."""
    match = _RECORD.fullmatch(quirk.place)
    if match is None or int(match[2]) >= len(dataset.section(match[1])):
        return dataset.file_fault(quirk.message, place=quirk.place)
    make = {
        "images": dataset.image_fault,
        "annotations": dataset.annotation_fault,
        "categories": dataset.category_fault,
    }[match[1]]
    made = make(int(match[2]), quirk.message, field=match[3])
    return replace(made, key=f"{made.key}/{match[3]}" if match[3] else made.key)


@rule(
    "SPT001",
    "not-utf-8",
    family="file",
    severity=Severity.ERROR,
    reason="""JSON is UTF-8 (RFC 8259). Readers that do not guess fail, and those that guess may
    guess another file name than was meant.""",
    example="a file saved as UTF-16, or with an `é` in Latin-1",
)
def not_utf_8(dataset: Dataset) -> Iterator[Fault]:
    """The file is not encoded in UTF-8."""
    return _quirks(dataset, ENCODING)


@rule(
    "SPT002",
    "byte-order-mark",
    family="file",
    severity=Severity.WARNING,
    reason="""A byte order mark before the first brace makes `json.load` of a file opened as text
    fail.""",
    example="a file that begins with the bytes EF BB BF",
)
def byte_order_mark(dataset: Dataset) -> Iterator[Fault]:
    """The file begins with a byte order mark."""
    return _quirks(dataset, MARK)


@rule(
    "SPT003",
    "repeated-key",
    family="file",
    severity=Severity.ERROR,
    reason="""Which of two values of the same name counts depends on the reader: Python keeps the
    last, others the first or neither.""",
    example='`{"id": 1, "bbox": [0, 0, 9, 9], "bbox": [5, 5, 9, 9]}`',
)
def repeated_key(dataset: Dataset) -> Iterator[Fault]:
    """An object holds the same key twice."""
    return _quirks(dataset, REPEATED_KEY)


@rule(
    "SPT004",
    "number-not-finite",
    family="file",
    severity=Severity.ERROR,
    reason="""NaN and Infinity are no JSON: strict readers refuse the whole file, lenient ones
    carry the NaN into the loss. Numbers beyond what a double holds become infinite.""",
    example="`[412.5, NaN, 2]`, or `1e999`",
)
def number_not_finite(dataset: Dataset) -> Iterator[Fault]:
    """A number is NaN, infinite or too large for a double."""
    return _quirks(dataset, NOT_FINITE)


@rule(
    "SPT009",
    "rule-failed",
    family="file",
    severity=Severity.ERROR,
    reason="""A rule stopped at something nobody thought of. The other rules still ran, but this
    one says nothing about the file. Please report it, with the record it names.""",
    example="a plugin's rule that divides by zero",
)
def rule_failed(dataset: Dataset) -> Iterator[Fault]:
    """A rule could not finish."""
    return iter(())  # the engine reports it


@rule(
    "SPT010",
    "baseline-stale",
    family="file",
    severity=Severity.WARNING,
    reason="""The baseline accepts a finding that is no longer there. Left in, it would hide the
    fault's return.""",
    example="an entry for an annotation that was corrected since",
)
def baseline_stale(dataset: Dataset) -> Iterator[Fault]:
    """A suppression of the baseline has nothing left to suppress."""
    return iter(())  # the baseline reports it


@rule(
    "SPT011",
    "baseline-expired",
    family="file",
    severity=Severity.WARNING,
    reason="""A finding was accepted until a date that has passed. It is reported again, and so is
    its entry.""",
    example='`"expires": "2025-01-31"` in the baseline',
)
def baseline_expired(dataset: Dataset) -> Iterator[Fault]:
    """A suppression of the baseline has expired."""
    return iter(())  # the baseline reports it

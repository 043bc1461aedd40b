"""Rules of leakage: what training has seen must not be in the test (SPT75x)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from spinetrack_synth.coco.document import SEQUENCE_FIELDS, rows_where
from spinetrack_synth.coco.fingerprints import alike, near_pairs
from spinetrack_synth.coco.values import plain, shown
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.duplicates import NEAR_BITS
from spinetrack_synth.validation.findings import Fault, Severity, Work
from spinetrack_synth.validation.fingerprints import pictures_of
from spinetrack_synth.validation.rules import rule

PERSON_FIELDS: Final = (
    "subject", "subject_id", "person_id", "identity", "identity_id", "avatar", "avatar_id",
)  # fmt: skip
SOURCE_FIELDS: Final = ("coco_url", "flickr_url", "url", "source_id", "original_file_name")
LEAST_POINTS: Final = 5

Found = Iterator[tuple[Dataset, Fault]]


@rule(
    "SPT751",
    "picture-in-two-splits",
    family="leakage",
    severity=Severity.ERROR,
    reason="""A picture that is trained on and tested on measures memory, not skill (LIVECell
    issue 26).""",
    example="the same bytes in train and val",
    needs=("several files", "images"),
    across=True,
    slow=True,
)
def picture_in_two_splits(datasets: tuple[Dataset, ...], work: Work) -> Found:
    """The same picture is in two of the files."""
    first: dict[bytes, tuple[Dataset, int]] = {}
    for dataset in datasets:
        for row, picture in enumerate(pictures_of(dataset, work)):
            if picture.digest:
                other, place = first.setdefault(picture.digest, (dataset, row))
                if other is not dataset:
                    message = f"is the same picture as {_image(other, place)}"
                    yield dataset, dataset.image_fault(row, message)


@rule(
    "SPT752",
    "picture-nearly-in-two-splits",
    family="leakage",
    severity=Severity.ERROR,
    reason="""A re-encoded copy, or the next frame of a still scene, leaks as much as the picture
    itself, and no comparison of bytes shows it.""",
    example="val holds a scaled copy of a picture of train",
    needs=("several files", "images"),
    unless=("SPT606", "SPT751"),
    across=True,
    slow=True,
)
def picture_nearly_in_two_splits(datasets: tuple[Dataset, ...], work: Work) -> Found:
    """Pictures of two of the files look the same."""
    entries = [
        (number, row, picture)
        for number, dataset in enumerate(datasets)
        for row, picture in enumerate(pictures_of(dataset, work))
        if picture.look is not None and not picture.blank
    ]
    if not entries:
        return
    looks = np.stack([picture.look for _, _, picture in entries])  # type: ignore[misc]

    def wanted(a: int, b: int) -> bool:
        return entries[a][0] != entries[b][0] and alike(entries[a][2], entries[b][2])

    told = set()
    for a, b, bits in near_pairs(looks, NEAR_BITS, wanted):
        number, row, _ = entries[b]
        if (number, row) not in told:
            told.add((number, row))
            dataset, other = datasets[number], datasets[entries[a][0]]
            message = f"looks like {_image(other, entries[a][1])} ({bits} of 256 bits differ)"
            yield dataset, dataset.image_fault(row, message, value=bits)


@rule(
    "SPT753",
    "subject-in-two-splits",
    family="leakage",
    severity=Severity.ERROR,
    reason="""A model that has seen a person, an avatar or another frame of the sequence in
    training recognises them in the test. Splits are drawn by subject and sequence.""",
    example='`"subject": "s7-003"` in train and in val',
    needs=("several files",),
    unless=("SPT751", "SPT752", "SPT754", "SPT755"),
    across=True,
)
def subject_in_two_splits(datasets: tuple[Dataset, ...]) -> Found:
    """A subject, avatar or sequence is in two of the files."""
    for section, names in (("annotations", PERSON_FIELDS), ("images", SEQUENCE_FIELDS)):
        for name in names:
            yield from _shared(datasets, section, name)


@rule(
    "SPT754",
    "source-in-two-splits",
    family="leakage",
    severity=Severity.ERROR,
    reason="""Two records with one source are the same photo, whatever their files are called.""",
    example="one `flickr_url` in train and in val",
    needs=("several files",),
    unless=("SPT751", "SPT752"),
    across=True,
)
def source_in_two_splits(datasets: tuple[Dataset, ...]) -> Found:
    """The source of an image is in two of the files."""
    for name in SOURCE_FIELDS:
        yield from _shared(datasets, "images", name)


@rule(
    "SPT755",
    "labels-in-two-splits",
    family="leakage",
    severity=Severity.ERROR,
    reason="""Two people never have the same keypoints to the last digit: the annotation was
    copied, and most likely the picture with it.""",
    example="equal `keypoints` in train and val",
    needs=("several files",),
    unless=("SPT751", "SPT752", "SPT754"),
    across=True,
)
def labels_in_two_splits(datasets: tuple[Dataset, ...]) -> Found:
    """A person with exactly the same keypoints is in two of the files."""
    first: dict[bytes, tuple[Dataset, int]] = {}
    for dataset in datasets:
        enough = dataset.labelled.sum(1) >= LEAST_POINTS
        for row in rows_where(enough):
            points = dataset.keypoints[row][dataset.labelled[row]].tobytes()
            other, place = first.setdefault(points, (dataset, int(row)))
            if other is not dataset:
                message = f"has the keypoints of annotations[{place}] in {other.path.name}"
                yield dataset, dataset.annotation_fault(row, message)


def _shared(datasets: tuple[Dataset, ...], section: str, name: str) -> Found:
    """One fault for each value of a field that another file before has too."""
    seen: dict[Any, tuple[Dataset, int]] = {}
    for dataset in datasets:
        records = dataset.annotations if section == "annotations" else dataset.images
        rows: dict[Any, int] = {}
        counts: Counter[Any] = Counter()
        for row, record in enumerate(records):
            value = record.get(name)
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                rows.setdefault(value, row)
                counts[value] += 1
        for value, row in rows.items():
            if value in seen:
                other, there = seen[value]
                message = f"{shown(value)} is in {plain(other.path.name)} too "
                message += f"({counts[value]:,} here, {there:,} there)"
                if section == "annotations":
                    fault = dataset.annotation_fault(
                        row, message, field=f".{name}", value=counts[value]
                    )
                else:
                    fault = dataset.image_fault(row, message, field=f".{name}", value=counts[value])
                yield dataset, fault
        for value, count in counts.items():
            seen.setdefault(value, (dataset, count))


def _image(dataset: Dataset, row: int) -> str:
    name = dataset.images[row].get("file_name")
    return f"images[{row}] ({plain(name)[:60]}) in {dataset.path.name}" if isinstance(
        name, str
    ) else f"images[{row}] in {dataset.path.name}"  # fmt: skip

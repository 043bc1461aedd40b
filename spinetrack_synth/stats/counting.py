"""Datasets counted: files read record by record, and what their people look like as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from spinetrack_synth.coco.document import Document
from spinetrack_synth.coco.streaming import read_records
from spinetrack_synth.coco.values import is_id
from spinetrack_synth.dataset.layout import ground_truth_path
from spinetrack_synth.errors import UserError
from spinetrack_synth.stats import measures, people, pictures
from spinetrack_synth.stats.people import Column
from spinetrack_synth.stats.tables import Table, Tally, tallies
from spinetrack_synth.stats.truth import truth_batches

Progress = Callable[[int, int], None]

BLOCK: Final = 1024
"""Annotations measured at once."""

_KEPT: Final = ("id", "width", "height")
"""Of an image, for measuring the people in it."""


@dataclass(frozen=True)
class Source:
    """A file of labels and what lies beside it: ``truth`` None where there is none."""

    path: Path
    truth: Path | None


@dataclass(frozen=True)
class Statistics:
    """What was counted: ``tables`` by key, in the order of `measures.MEASURES`, those without a
    value left out; ``visibility`` by keypoint, how often it is each of `measures.VISIBILITIES`;
    ``looks`` and ``subjects`` how many different ones there are, 0 where no record tells;
    ``notes`` what else has to be known."""

    sources: tuple[Source, ...]
    pictures: int
    people: int
    tables: Mapping[str, Table]
    visibility: Mapping[str, tuple[int, int, int]]
    subjects: int
    looks: int
    notes: tuple[str, ...]


@dataclass
class _Count:
    """What is counted so far."""

    tallies: dict[str, Tally] = field(default_factory=lambda: tallies(measures.MEASURES))
    visibility: dict[str, Counter[int]] = field(default_factory=dict)
    subjects: set[str] = field(default_factory=set)
    looks: set[tuple[str, int]] = field(default_factory=set)
    pictures: int = 0
    people: int = 0
    others: int = 0

    def add(self, columns: Mapping[str, Column]) -> None:
        for key, values in columns.items():
            if key in self.tallies:
                self.tallies[key].add(values)


def source_of(path: Path) -> Source:
    """A file of labels with the ground truth that `render` puts beside it."""
    split = path.stem.removeprefix("person_keypoints_")
    truth = ground_truth_path(path.parent.parent, split)
    return Source(path, truth if truth.is_file() else None)


def count(sources: Sequence[Source], progress: Progress = lambda done, wanted: None) -> Statistics:
    """Count the people of files of labels, all together.

    Raises UserError where one of them is no COCO file, has a ground truth that cannot be used, or
    where none holds a person with labelled keypoints.
    """
    found = _Count()
    for number, source in enumerate(sources):
        progress(number, len(sources))
        _count_file(source, found)
    progress(len(sources), len(sources))
    if not found.people:
        files = ", ".join(str(source.path) for source in sources)
        raise UserError(
            f"{files}: no person with a labelled keypoint whose name is known; "
            "`spinetrack-synth validate` says what is in the file"
        )
    return _statistics(sources, found)


def _count_file(source: Source, found: _Count) -> None:
    images, categories = _heads(source.path, found)
    in_picture = Counter(dict.fromkeys(images, 0))
    for block in _blocks(source.path):
        wanted = dict.fromkeys(map(_image_of, block))
        data = {
            "images": [
                {"id": number, "width": images[number][0], "height": images[number][1]}
                for number in wanted
                if number in images
            ],
            "annotations": block,
            "categories": categories,
        }
        document = Document(source.path, data)
        measured = people.people_of(document)
        found.people += len(measured.rows)
        found.others += len(block) - len(measured.rows)
        found.add(measured.columns)
        for name, counts in measured.visibility.items():
            found.visibility.setdefault(name, Counter()).update(counts)
        for row in measured.rows:
            record = document.annotations[row]
            in_picture[_image_of(record)] += 1
            _count_look(record, found)
    found.add({"people_in_picture": [_in_words(in_picture[number]) for number in images]})
    if source.truth is not None:
        for batch in truth_batches(source.truth):
            found.add(batch)


def _heads(path: Path, found: _Count) -> tuple[dict[Any, tuple[Any, Any]], list[Any]]:
    """Width and height of a file's pictures by id, and its categories; the pictures' own facts
    are counted on the way. They may stand behind the annotations, which are passed over."""
    sizes: dict[Any, tuple[Any, Any]] = {}
    categories = []
    waiting: list[dict[str, str | float]] = []
    for section, record in read_records(path):
        if section == "categories":
            categories.append(record)
        elif section == "images" and isinstance(record, dict) and is_id(record.get("id")):
            sizes[record["id"]] = record.get("width"), record.get("height")
            found.pictures += 1
            waiting.append(pictures.facts(record))
            if len(waiting) == BLOCK:
                found.add(_columns(waiting))
                waiting.clear()
    found.add(_columns(waiting))
    return sizes, categories


def _blocks(path: Path) -> Iterator[list[Any]]:
    """The annotations of a file, many at a time."""
    block = []
    for section, record in read_records(path):
        if section == "annotations":
            block.append(record)
            if len(block) == BLOCK:
                yield block
                block = []
    if block:
        yield block


def _columns(facts: Sequence[Mapping[str, str | float]]) -> dict[str, Column]:
    """Facts of some pictures by their keys."""
    found: dict[str, Column] = {}
    for measure in measures.PICTURES:
        values = [each[measure.key] for each in facts if measure.key in each]
        if measure.numeric:
            found[measure.key] = np.array(values, dtype=float)
        else:
            found[measure.key] = [str(value) for value in values]
    return found


def _in_words(number: int) -> str:
    return str(number) if number <= measures.MOST_PEOPLE else f"over {measures.MOST_PEOPLE}"


def _image_of(record: object) -> Any:
    """The image of an annotation, None where it names none that could be one."""
    image_id = record.get("image_id") if isinstance(record, dict) else None
    return image_id if is_id(image_id) else None


def _count_look(record: Mapping[str, Any], found: _Count) -> None:
    subject, outfit = record.get("subject"), record.get("outfit")
    if isinstance(subject, str):
        found.subjects.add(subject)
        if isinstance(outfit, int):
            found.looks.add((subject, outfit))


def _statistics(sources: Sequence[Source], found: _Count) -> Statistics:
    tables = {key: tally.table() for key, tally in found.tallies.items()}
    return Statistics(
        sources=tuple(sources),
        pictures=found.pictures,
        people=found.people,
        tables={key: table for key, table in tables.items() if table.total},
        visibility={
            name: (counts[2], counts[1], counts[0]) for name, counts in found.visibility.items()
        },
        subjects=len(found.subjects),
        looks=len(found.looks),
        notes=tuple(_notes(sources, found, tables)),
    )


def _notes(sources: Sequence[Source], found: _Count, tables: Mapping[str, Table]) -> Iterator[str]:
    """What is left out, and why."""
    if found.others:
        yield (
            f"{found.others:,} annotations are left out: crowds, people without a labelled "
            "keypoint, and what is no person"
        )
    if not any(counts[2] for counts in found.visibility.values()):
        yield "no keypoint is marked visible (v = 2): the labels do not tell what is hidden"
    without = sum(source.truth is None for source in sources)
    if without == len(sources):
        groups = dict.fromkeys(measure.group for measure in measures.TRUTH)
        yield f"no ground truth beside the labels, so nothing on: {', '.join(groups)}"
    else:
        if without:
            yield f"{without} of {len(sources)} files have no ground truth beside them"
        if untold := [m.title for m in measures.TRUTH if not tables[m.key].total]:
            yield f"the ground truth has nothing on: {', '.join(untold)}"
    if untold := [m.title for m in measures.PICTURES if not tables[m.key].total]:
        yield f"the pictures' records have nothing on: {', '.join(untold)}"

"""Datasets split into parts without leakage: what hangs together stays in one part."""

from __future__ import annotations

import contextlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from spinetrack_synth.coco.document import SEQUENCE_FIELDS
from spinetrack_synth.coco.values import is_id
from spinetrack_synth.curation.coco_output import write_coco
from spinetrack_synth.curation.folders import new_folder
from spinetrack_synth.curation.joining import SUBJECT_FIELDS, Joined, join, joined_info, write_truth
from spinetrack_synth.curation.opening import open_dataset
from spinetrack_synth.curation.progress import ProgressBar, counter, silent
from spinetrack_synth.curation.samples import Remarks, Sample
from spinetrack_synth.dataset.layout import ground_truth_path
from spinetrack_synth.errors import UserError

TIES: Final[Mapping[str, tuple[str, ...]]] = {
    "subject": SUBJECT_FIELDS,
    "sequence": ("moment", *SEQUENCE_FIELDS),
    "scene": ("scene", "scene_id"),
}
"""What pictures may share, and the fields of images and annotations that say so; any other word is
a field itself."""


@dataclass(frozen=True)
class Part:
    """A part of a split: the ``share`` that was asked of the pictures, and what it got."""

    name: str
    share: float
    pictures: int
    people: int
    groups: int


def split_dataset(
    dataset: Path,
    parts: Mapping[str, float],
    by: Sequence[str],
    out: Path,
    images: Path | None = None,
    *,
    seed: int = 0,
    copy: bool = False,
    bar: ProgressBar = silent,
) -> tuple[list[Part], list[str]]:
    """Split a dataset into a new folder; returns its parts and remarks.

    ``parts`` are shares of the pictures by name, ``by`` what pictures of different parts may not
    share. All splits of the dataset are divided anew together. ``bar`` is told how far all is.
    Raises UserError, and writes nothing, where shares do not add up or there are fewer groups than
    parts.
    """
    check_shares(parts)
    remarks = Remarks()
    with contextlib.ExitStack() as opened, new_folder(out) as root:
        splits = opened.enter_context(open_dataset(dataset, images, bar))
        remarks.say_notes(splits)
        pictures = sum(split.pictures for split in splits)
        sources = [(0, split) for split in splits]
        remember = any(split.truth for split in splits)
        with bar("pictures looked at") as progress:
            samples = counter(progress, pictures)(join(sources).samples())
            group_of, people_in = _groups(samples, by, remarks)
        part_of = assign(group_of, list(parts.values()), seed)
        told = [
            Part(
                name,
                share,
                pictures=int((part_of == number).sum()),
                people=int(people_in[part_of == number].sum()),
                groups=len(np.unique(group_of[part_of == number])),
            )
            for number, (name, share) in enumerate(parts.items())
        ]
        _check_filled(told, len(np.unique(group_of)), by, dataset)
        passing = counter(opened.enter_context(bar("pictures")), pictures)
        for number, name in enumerate(parts):
            joined = join(sources, remember=remember)
            kept: set[Any] = set()
            write_coco(
                root,
                name,
                passing(_taken(joined, part_of == number, kept)),
                categories=joined.categories,
                info=joined_info(splits),
                licenses=joined.licenses,
                copy=copy,
            )
            write_truth(ground_truth_path(root, name), joined, remarks, kept)
    return told, remarks.lines()


def check_shares(parts: Mapping[str, float]) -> None:
    """Raises UserError where shares do not add up to 1, or a name cannot be a file's."""
    for name, share in parts.items():
        if not re.fullmatch(r"\w[\w.-]*", name):
            raise UserError(f"--parts: {name!r} is no name for a part: use letters, digits, _ . -")
        if not 0 < share <= 1:
            raise UserError(f"--parts: {name}:{share:g}: expected a share above 0, of 1 at most")
    if not math.isclose(total := sum(parts.values()), 1, abs_tol=1e-6):
        raise UserError(f"--parts: the shares add up to {total:g}, expected 1")


def groups_of(ties: Iterable[Iterable[Any]]) -> np.ndarray:
    """A number for each picture (N,), the same for pictures that share a tie, directly or through
    others."""
    parent: list[int] = []

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    first: dict[Any, int] = {}
    for number, shared in enumerate(ties):
        parent.append(number)
        for tie in shared:
            parent[root(number)] = root(first.setdefault(tie, number))
    return np.array([root(number) for number in range(len(parent))], np.intp)


def assign(group_of: np.ndarray, shares: Sequence[float], seed: int) -> np.ndarray:
    """The part (N,) of each picture: groups, the largest first, equal ones in an order by the seed,
    go where most is lacking; no part stays empty as long as there are groups."""
    groups, sizes = np.unique(group_of, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(groups))
    order = order[np.argsort(-sizes[order], kind="stable")]
    lacking = np.array(shares) * len(group_of)
    part_of_group = np.empty(len(groups), np.intp)
    empty = set(range(len(shares)))
    for done, number in enumerate(order):
        left = len(order) - done
        candidates = sorted(empty) if left <= len(empty) else list(range(len(shares)))
        part = max(candidates, key=lambda each: lacking[each])
        part_of_group[number] = part
        lacking[part] -= sizes[number]
        empty.discard(part)
    part_of: np.ndarray = part_of_group[np.searchsorted(groups, group_of)]
    return part_of


def _groups(
    samples: Iterable[Sample], by: Sequence[str], remarks: Remarks
) -> tuple[np.ndarray, np.ndarray]:
    """The group (N,) of each picture, and how many people are in it (N,)."""
    found: Counter[str] = Counter(dict.fromkeys(by, 0))
    people: list[int] = []

    def ties() -> Iterator[list[Any]]:
        for sample in samples:
            people.append(len(sample.people))
            shared = [tie for word in by for tie in _ties(sample, word)]
            found.update({tie[0] for tie in shared})
            yield shared

    group_of = groups_of(ties())
    for word in by:
        if not found[word] and word not in TIES:
            raise UserError(f"--by: no picture and no person has a field {word}")
        if not found[word]:
            remarks.say(f"no picture tells its {word} ({', '.join(TIES[word])}): it binds none")
        elif found[word] < len(people):
            remarks.say(f"{len(people) - found[word]:,} pictures do not tell their {word}")
    return group_of, np.array(people)


def _ties(sample: Sample, word: str) -> Iterator[tuple[str, str, Any]]:
    """What a picture shares: (word, field, value) of the first field that is there, of the image
    and of its people."""
    fields = TIES.get(word, (word,))
    for field in fields:
        values = [record.get(field) for record in (sample.image, *sample.people)]
        told = {value for value in values if is_id(value) and value != ""}
        yield from ((word, field, value) for value in told)


def _check_filled(parts: Sequence[Part], groups: int, by: Sequence[str], dataset: Path) -> None:
    if any(not part.pictures for part in parts):
        what = "all pictures hang together" if groups == 1 else f"there are but {groups} groups"
        raise UserError(
            f"{dataset}: {what} by {', '.join(by) or 'picture'}: too few for {len(parts)} parts; "
            "leave something out of --by"
        )


def _taken(joined: Joined, wanted: np.ndarray, kept: set[Any]) -> Iterator[Sample]:
    for sample, take in zip(joined.samples(), wanted.tolist()):
        if take:
            kept.update(person["id"] for person in sample.people)
            yield sample

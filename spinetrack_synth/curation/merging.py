"""Datasets merged into one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from spinetrack_synth.coco.document import split_named
from spinetrack_synth.curation.coco_output import Written, write_coco
from spinetrack_synth.curation.folders import new_folder
from spinetrack_synth.curation.joining import join, joined_info, write_truth
from spinetrack_synth.curation.opening import READERS, open_dataset
from spinetrack_synth.curation.progress import ProgressBar, counter, silent
from spinetrack_synth.curation.samples import Remarks, Sample, Split
from spinetrack_synth.curation.skeletons import TITLES, onto_skeleton, sound_people
from spinetrack_synth.dataset.layout import ground_truth_path
from spinetrack_synth.errors import UserError

SPLIT: Final = "train"
"""What files are merged into whose names tell no split."""


def merge(
    datasets: Sequence[Path],
    out: Path,
    images: Sequence[Path] = (),
    *,
    skeleton: str | None = None,
    copy: bool = False,
    bar: ProgressBar = silent,
) -> tuple[dict[str, Written], list[str]]:
    """Merge datasets into a new folder; returns what came into each split, and remarks.

    Files that say their split, ``person_keypoints_SPLIT.json`` or Roboflow's, and those of other
    formats keep it, all others are ``train``.
    ``images`` are the folders of the datasets' pictures in their order; ``skeleton`` (``coco-17``
    and its like) is one onto which all are brought first; ``bar`` is told how far all is. Raises
    UserError, and writes nothing, where skeletons differ or a dataset cannot be used.
    """
    if images and len(images) != len(datasets):
        raise UserError(
            f"{len(images)} folders of pictures for {len(datasets)} datasets: give one --images "
            "for each, in the same order, or none"
        )
    remarks = Remarks()
    made: dict[str, Written] = {}
    with contextlib.ExitStack() as opened, new_folder(out) as root:
        splits: dict[str, list[tuple[int, Split]]] = {}
        pictures = 0
        for number, dataset in enumerate(datasets):
            folder = images[number] if images else None
            read = opened.enter_context(open_dataset(dataset, folder, bar))
            remarks.say_notes(read)
            for split in read:
                pictures += split.pictures
                other = split.source.suffix in READERS
                name = split.name if other else split_named(split.source) or SPLIT
                splits.setdefault(name, []).append((number, split))
        passing = counter(opened.enter_context(bar("pictures")), pictures)
        for name, sources in splits.items():
            made[name] = _write(root, name, sources, skeleton, remarks, passing, copy=copy)
    return made, remarks.lines()


def _write(
    root: Path,
    name: str,
    sources: Sequence[tuple[int, Split]],
    skeleton: str | None,
    remarks: Remarks,
    passing: Callable[[Iterable[Sample]], Iterable[Sample]],
    *,
    copy: bool,
) -> Written:
    if skeleton is not None:
        sources = [
            (number, onto_skeleton(sound_people(split, remarks), TITLES[skeleton], remarks))
            for number, split in sources
        ]
    joined = join(sources, remember=any(split.truth for _, split in sources))
    splits = [split for _, split in sources]
    written = write_coco(
        root,
        name,
        passing(joined.samples()),
        categories=joined.categories,
        info=joined_info(splits),
        licenses=joined.licenses,
        copy=copy,
    )
    remarks.count("pictures are renamed, for their names collide", written.renamed)
    write_truth(ground_truth_path(root, name), joined, remarks, None)
    return written

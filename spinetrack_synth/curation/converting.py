"""Datasets brought into another format or onto another skeleton."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from spinetrack_synth.curation.cards import write_table_card
from spinetrack_synth.curation.coco_output import write_coco
from spinetrack_synth.curation.folders import new_folder
from spinetrack_synth.curation.opening import open_dataset
from spinetrack_synth.curation.progress import ProgressBar, counted, silent
from spinetrack_synth.curation.samples import Remarks, Split
from spinetrack_synth.curation.shards import write_shards
from spinetrack_synth.curation.skeletons import TITLES, onto_skeleton, sound_people
from spinetrack_synth.curation.tables import split_name, write_tables
from spinetrack_synth.curation.yolo import write_yolo
from spinetrack_synth.errors import UserError

FORMATS: Final = ("spinetrack-37", "halpe-26", "coco-17", "yolo-pose", "webdataset", "huggingface")
"""COCO files of a skeleton, and formats that take any."""


def convert(
    dataset: Path,
    to: str,
    out: Path,
    images: Path | None = None,
    *,
    copy: bool = False,
    bar: ProgressBar = silent,
) -> list[str]:
    """Write a dataset into a new folder in another format; returns what has to be told, a line
    each: what the format cannot hold, what was mended. ``bar`` is told how far it is. Raises
    UserError, and writes nothing, where the dataset cannot be used."""
    remarks = Remarks()
    with (
        open_dataset(dataset, images, bar) as opened,
        new_folder(out) as root,
        bar("pictures") as progress,
    ):
        remarks.say_notes(opened)
        splits = [sound_people(split, remarks, ours=to in TITLES) for split in opened]
        if to == "huggingface":
            splits = [replace(split, name=split_name(split.name)) for split in splits]
        _check_names(splits)
        splits = counted(splits, progress)
        if to in TITLES:
            _write_coco_files(root, splits, TITLES[to], remarks, copy=copy)
        else:
            _check_one_skeleton(splits)
            if to == "yolo-pose":
                write_yolo(root, splits, remarks, copy=copy)
            elif to == "webdataset":
                write_shards(root, splits, remarks)
            else:
                counts = write_tables(root, splits, remarks)
                write_table_card(root, splits, counts, out.absolute().name)
        for split in opened:
            _remark_beside(split, remarks)
    return remarks.lines()


def _write_coco_files(
    root: Path, splits: Sequence[Split], title: str, remarks: Remarks, *, copy: bool
) -> None:
    for split in splits:
        there = onto_skeleton(split, title, remarks)
        written = write_coco(
            root,
            there.name,
            there.samples(),
            categories=there.categories,
            info=there.info,
            licenses=there.licenses,
            copy=copy,
        )
        remarks.count("pictures are renamed: names that collide", written.renamed)


def _check_names(splits: Sequence[Split]) -> None:
    seen: dict[str, Split] = {}
    for split in splits:
        other = seen.setdefault(split.name, split)
        if other is not split:
            raise UserError(
                f"{split.source}: is the split {split.name}, and so is {other.source}; rename one, "
                "or `spinetrack-synth merge` them"
            )


def _check_one_skeleton(splits: Sequence[Split]) -> None:
    first = splits[0]
    for split in splits[1:]:
        if split.categories[0]["keypoints"] != first.categories[0]["keypoints"]:
            raise UserError(
                f"{split.source}: other keypoints than {first.source}; bring both onto one "
                f"skeleton with --to {', '.join(TITLES)} first"
            )


def _remark_beside(split: Split, remarks: Remarks) -> None:
    if split.truth is not None:
        remarks.say(f"{split.truth} stays where it is: ground truth has no place in other formats")

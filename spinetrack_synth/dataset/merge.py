"""From the records of single shots to the files of a finished split."""

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import coco
from spinetrack_synth.anatomy.parts import PARTS
from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.coco.streaming import read_records
from spinetrack_synth.coco.writing import file_parts
from spinetrack_synth.dataset.card import CARD, dataset_name, one_line, write_card
from spinetrack_synth.dataset.croissant import CROISSANT, describe_dataset
from spinetrack_synth.dataset.files import write_json
from spinetrack_synth.dataset.layout import (
    Layout,
    annotations_path,
    images_folder,
    maps_folder,
)
from spinetrack_synth.dataset.licences import coco_licences
from spinetrack_synth.dataset.parts import read_part
from spinetrack_synth.dataset.state import (
    GENERATOR,
    Description,
    left_out,
    pictures_of,
    read_splits,
)
from spinetrack_synth.dataset.truth_file import TruthFile
from spinetrack_synth.drawing.sheet import MAX_TILES, Tile, contact_sheet


def finish(layout: Layout, split: Description, committed: int) -> None:
    """Write annotations, ground truth, contact sheet, card, metadata and manifest, in this order.

    The manifest commits: killed before it, the next run writes all of them again from the shots'
    records and the first ``committed`` images of the files that were there. Records are read one
    after another: few are held at once, however many there are. Raises UserError where one is
    damaged.
    """
    there = pictures_of(split)
    new_truth = layout.work / "ground_truth.parquet"
    earlier = layout.ground_truth if committed else None
    with (
        TruthFile(new_truth, earlier, committed, left_out(split)) as truth,
        tempfile.TemporaryFile(dir=layout.work) as later,
    ):

        def image_lines() -> Iterator[str]:
            """The annotations wait until all images are written."""
            for image, annotations, rows in _records(layout, there, committed):
                truth.add(image["id"], rows)
                later.writelines(coco.encode(record).encode() + b"\n" for record in annotations)
                yield coco.encode(image)

        def annotation_lines() -> Iterator[str]:
            later.seek(0)
            for line in later:
                yield line[:-1].decode()

        content = file_parts(
            image_lines(),
            annotation_lines(),
            info=_info(layout, split),
            licenses=coco_licences(split),
        )
        write_atomic(layout.annotations, content, durable=True)
    with new_truth.open("rb") as file:
        write_atomic(layout.ground_truth, iter(partial(file.read, 1 << 20), b""), durable=True)
    splits = dict(sorted((read_splits(layout.root) | {layout.split: split}).items()))
    write_atomic(layout.contact_sheet, _draw_contact_sheet(layout, splits), durable=True)
    write_atomic(layout.root / CARD, write_card(layout.root, splits).encode(), durable=True)
    metadata = describe_dataset(layout.root, splits, dataset_name(splits), one_line(splits))
    write_json(layout.root / CROISSANT, metadata)
    _remove_other_pictures(layout, there)
    write_json(layout.manifest, {"generator": GENERATOR, "splits": splits})
    shutil.rmtree(layout.work)
    with contextlib.suppress(OSError):  # another split may be under way
        layout.work.parent.rmdir()


def _records(
    layout: Layout, there: NDArray[np.int64], committed: int
) -> Iterator[tuple[coco.Record, list[coco.Record], list[coco.Record]]]:
    """Image, annotations and new rows of ground truth of each picture that is there, in order.

    Of the first ``committed`` pictures those without a record are in the files of the split.
    """
    images = _in_file(layout, "images") if committed else iter(())
    annotations = _in_file(layout, "annotations") if committed else iter(())
    of_image = groupby(annotations, key=lambda annotation: annotation["image_id"])
    earlier = _by_number((image["id"], image) for image in images)
    labels = _by_number((number, list(those)) for number, those in of_image)
    for index in there.tolist():
        try:
            part = read_part(layout, index)
        except FileNotFoundError:
            if index >= committed:
                raise
            yield earlier(index), labels(index) or [], []
        else:
            yield part.image, part.annotations, part.ground_truth


def _in_file(layout: Layout, section: str) -> Iterator[coco.Record]:
    """The records of a list of the split's annotation file."""
    return (record for name, record in read_records(layout.annotations) if name == section)


def _by_number(records: Iterator[tuple[int, Any]]) -> Callable[[int], Any]:
    """Looks up records that ascend by numbers that ascend; None where there is none."""
    number, record = next(records, (math.inf, None))

    def look_up(wanted: int) -> Any:
        nonlocal number, record
        while number < wanted:
            number, record = next(records, (math.inf, None))
        return record if number == wanted else None

    return look_up


def _remove_other_pictures(layout: Layout, there: NDArray[np.int64]) -> None:
    """Delete what a killed run wrote of pictures past the last, or left out, without a record."""
    folders = [maps_folder(layout.root, kind, layout.split) for kind in layout.maps]
    kept = set(there.tolist())
    _remove_others(images_folder(layout.root, layout.split), layout.format, kept)
    for folder in folders:
        _remove_others(folder, "png", kept)


def _remove_others(folder: Path, suffix: str, kept: set[int]) -> None:
    for path in folder.iterdir():
        name = path.name.removeprefix(".").removesuffix(".tmp")
        number = name.removesuffix(f".{suffix}")
        whole = path.name == name
        if number.isdecimal() and name == f"{int(number):06d}.{suffix}":
            if whole and int(number) in kept:
                continue
            path.unlink()


def _info(layout: Layout, split: Description) -> dict[str, Any]:
    named = dict(enumerate(PARTS, start=1)) if "parts" in layout.maps else {}
    return {
        "description": f"{split['scene']} people with 37 SpineTrack keypoints, {layout.split}",
        "version": split["version"],
        "contributor": GENERATOR,
        **({"parts": {str(number): name for number, name in named.items()}} if named else {}),
    }


def _draw_contact_sheet(layout: Layout, splits: dict[str, Description]) -> bytes:
    """Pictures taken evenly from all splits, at most ``MAX_TILES``."""
    names = list(splits)
    there = [pictures_of(splits[name]) for name in names]
    ends = np.cumsum([len(indices) for indices in there])
    chosen = np.linspace(0, ends[-1] - 1, min(ends[-1], MAX_TILES)).round().astype(int)
    wanted: dict[str, set[int]] = defaultdict(set)
    for number, of in zip(chosen, np.searchsorted(ends, chosen, side="right")):
        wanted[names[of]].add(int(there[of][number - ends[of]]))
    return contact_sheet(
        [tile for name, indices in wanted.items() for tile in _tiles(layout.root, name, indices)]
    )


def _tiles(root: Path, name: str, wanted: set[int]) -> Iterator[Tile]:
    """Pictures of a split with their people."""
    images: dict[int, coco.Record] = {}
    people: dict[int, list[coco.Record]] = defaultdict(list)
    for section, record in read_records(annotations_path(root, name)):
        if section == "images" and record["id"] in wanted:
            images[record["id"]] = record
        elif section == "annotations" and record["image_id"] in wanted:
            people[record["image_id"]].append(record)
    for index, image in images.items():
        poses = ", ".join(person["pose"] for person in people[index])
        keypoints = [np.array(p["keypoints"], float).reshape(-1, 3) for p in people[index]]
        caption = f"{name}/{image['file_name']}  {poses}"
        picture = images_folder(root, name) / image["file_name"]
        yield Tile(picture.read_bytes(), keypoints, caption)

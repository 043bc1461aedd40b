"""From the records of single shots to the files of a finished split."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from spinetrack_synth import coco
from spinetrack_synth.anatomy.parts import PARTS
from spinetrack_synth.atomic import write_atomic
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
from spinetrack_synth.dataset.records import ground_truth_bytes
from spinetrack_synth.dataset.state import GENERATOR, Description, read_splits
from spinetrack_synth.drawing.sheet import MAX_TILES, Tile, contact_sheet


def finish(layout: Layout, split: Description, committed: int) -> None:
    """Write annotations, ground truth, contact sheet, card, metadata and manifest, in this order.

    The manifest commits: killed before it, the next run writes all of them again from the shots'
    records and the first ``committed`` images of the files that were there.
    """
    images: dict[int, str] = {}
    annotations: dict[int, list[str]] = defaultdict(list)
    earlier = None
    if committed:
        dataset = coco.CocoDataset.read(layout.annotations)
        for image in dataset.images:
            if image["id"] < committed:
                images[image["id"]] = coco.encode(image)
        for annotation in dataset.annotations:
            annotations[annotation["image_id"]].append(coco.encode(annotation))
        earlier = layout.ground_truth.read_bytes()
    rows: list[coco.Record] = []
    for index in range(split["count"]):
        if layout.part(index).is_file():
            part = json.loads(layout.part(index).read_bytes())
            images[index] = coco.encode(part["image"])
            annotations[index] = [coco.encode(record) for record in part["annotations"]]
            rows += part["ground_truth"]
    ids = range(split["count"])
    content = coco.file_bytes(
        (images[index] for index in ids),
        (line for index in ids for line in annotations.get(index, [])),
        info=_info(layout, split),
        licenses=coco_licences(split),
    )
    write_atomic(layout.annotations, content, durable=True)
    truth = ground_truth_bytes(rows, earlier, committed)
    write_atomic(layout.ground_truth, truth, durable=True)
    splits = dict(sorted((read_splits(layout.root) | {layout.split: split}).items()))
    write_atomic(layout.contact_sheet, _draw_contact_sheet(layout, splits), durable=True)
    write_atomic(layout.root / CARD, write_card(layout.root, splits).encode(), durable=True)
    metadata = describe_dataset(layout.root, splits, dataset_name(splits), one_line(splits))
    write_json(layout.root / CROISSANT, metadata)
    _remove_pictures_from(layout, split["count"])
    write_json(layout.manifest, {"generator": GENERATOR, "splits": splits})
    shutil.rmtree(layout.work)
    with contextlib.suppress(OSError):  # another split may be under way
        layout.work.parent.rmdir()


def _remove_pictures_from(layout: Layout, count: int) -> None:
    """Delete what a killed run wrote of pictures past the last, without a record of them."""
    folders = [maps_folder(layout.root, kind, layout.split) for kind in layout.maps]
    _remove_from(images_folder(layout.root, layout.split), layout.format, count)
    for folder in folders:
        _remove_from(folder, "png", count)


def _remove_from(folder: Path, suffix: str, count: int) -> None:
    for path in folder.iterdir():
        name = path.name.removeprefix(".").removesuffix(".tmp")
        number = name.removesuffix(f".{suffix}")
        whole = path.name == name
        if number.isdecimal() and name == f"{int(number):06d}.{suffix}":
            if whole and int(number) < count:
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
    pictures = [(name, index) for name in splits for index in range(splits[name]["count"])]
    chosen = np.linspace(0, len(pictures) - 1, min(len(pictures), MAX_TILES)).round().astype(int)
    datasets = {
        name: coco.CocoDataset.read(annotations_path(layout.root, name))
        for name in {pictures[number][0] for number in chosen}
    }
    tiles = []
    for name, index in (pictures[number] for number in chosen):
        dataset = datasets[name]
        image = dataset.image_of[index]
        people = [row for row, a in enumerate(dataset.annotations) if a["image_id"] == index]
        poses = ", ".join(dataset.annotations[row]["pose"] for row in people)
        path = images_folder(layout.root, name) / image["file_name"]
        caption = f"{name}/{image['file_name']}  {poses}"
        tiles.append(Tile(path.read_bytes(), [dataset.keypoints[row] for row in people], caption))
    return contact_sheet(tiles)

"""COCO keypoint files as splits: read record by record, kept on disk meanwhile."""

from __future__ import annotations

import contextlib
import pickle
import tempfile
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from spinetrack_synth.coco.document import split_named
from spinetrack_synth.coco.picture_paths import locate, missing_remedy, search_folders
from spinetrack_synth.coco.streaming import read_records
from spinetrack_synth.coco.values import is_id, kind_of, shown
from spinetrack_synth.coco.writing import Record
from spinetrack_synth.curation.progress import Progress, ProgressBar, silent
from spinetrack_synth.curation.samples import Sample, Split
from spinetrack_synth.dataset.config import MAPS
from spinetrack_synth.dataset.layout import ground_truth_path, maps_folder
from spinetrack_synth.errors import UserError

WITHOUT_IDS: Final = (
    "annotations without an id, or with one that is no whole number or used twice: all are "
    "numbered anew"
)


@dataclass
class _Index:
    """Where the records of a file are in the scratch file: images in the order of the file, and
    annotations with the ids of their images; ``person_ids`` are their own, as many as are whole
    numbers."""

    heads: dict[str, list[Record]] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)
    number_of: dict[Any, int] = field(default_factory=dict)
    image_at: list[int] = field(default_factory=list)
    annotation_at: list[int] = field(default_factory=list)
    image_ids: list[Any] = field(default_factory=list)
    person_ids: array[int] = field(default_factory=lambda: array("q"))
    missing: list[str] = field(default_factory=list)


@contextlib.contextmanager
def open_coco(path: Path, images: Path | None = None, bar: ProgressBar = silent) -> Iterator[Split]:
    """A COCO file as a split, as long as the context lasts; pictures in the folder ``images``, or
    found beside the file. However long the file, records are held one picture at a time; ``bar``
    is told how much of it is read.

    Raises UserError that names the first faulty place: no COCO file, a picture that is missing, an
    annotation of an image that is not there.
    """
    if images is not None and not images.is_dir():
        raise UserError(f"{images}: no such folder; --images names the folder of the pictures")
    folders = search_folders(path, images)
    with tempfile.TemporaryFile() as scratch:
        with bar(f"MB of {path.name}") as progress:
            index = _read(path, scratch, folders, progress)
        _check_whole(index, path, folders, None if images else "with --images")
        order, starts = _by_picture(index, path)
        sound_ids = len(np.unique(index.person_ids)) == len(order)
        name = split_named(path) or path.stem
        beside = _map_folders(path, name)

        def samples() -> Iterator[Sample]:
            for number, at in enumerate(index.image_at):
                rows = order[starts[number] : starts[number + 1]]
                people = [_load(scratch, index.annotation_at[row]) for row in rows]
                if not sound_ids:
                    people = [{**one, "id": row + 1} for one, row in zip(people, rows)]
                image = _load(scratch, at)
                yield Sample(image, people, _found(image, folders, path), _maps(image, beside))

        truth = ground_truth_path(path.parent.parent, name)
        yield Split(
            name=name,
            source=path,
            categories=index.heads.get("categories", []),
            samples=samples,
            pictures=len(index.image_at),
            info=index.info,
            licenses=index.heads.get("licenses", []),
            truth=truth if truth.is_file() else None,
            notes=() if sound_ids else (f"{path}: {WITHOUT_IDS}",),
        )


def _read(path: Path, scratch: BinaryIO, folders: tuple[Path, ...], progress: Progress) -> _Index:
    index, end = _Index(), 0
    places: dict[str, int] = {}
    for section, record in read_records(path, progress):
        place = places[section] = places.get(section, -1) + 1
        if section == "info":
            index.info = record if isinstance(record, dict) else {}
            continue
        if section not in ("images", "annotations", "categories", "licenses"):
            continue
        where = f"{path}: {section}[{place}]"
        if not isinstance(record, dict):
            raise UserError(f"{where}: {kind_of(record)}, expected an object")
        if section == "images":
            _check_image(record, where, index)
            index.number_of[record["id"]] = len(index.image_at)
            index.image_at.append(end)
            if locate(record["file_name"], folders) is None:
                index.missing.append(record["file_name"])
        elif section == "annotations":
            index.image_ids.append(record.get("image_id"))
            if type(number := record.get("id")) is int and abs(number) < 2**63:
                index.person_ids.append(number)
            index.annotation_at.append(end)
        else:
            index.heads.setdefault(section, []).append(record)
            continue
        end += scratch.write(pickle.dumps(record, pickle.HIGHEST_PROTOCOL))
    scratch.flush()
    return index


def _check_image(record: Record, where: str, index: _Index) -> None:
    number, name = record.get("id"), record.get("file_name")
    if not is_id(number):
        raise UserError(f"{where}.id: {shown(number)}, expected a whole number")
    if number in index.number_of:
        raise UserError(f"{where}.id: {shown(number)} is used twice")
    if not isinstance(name, str) or not name.strip():
        raise UserError(f"{where}.file_name: {shown(name)}, expected a name")


def _check_whole(index: _Index, path: Path, folders: tuple[Path, ...], option: str | None) -> None:
    if not index.image_at:
        raise UserError(f"{path}: images: holds none; expected a COCO keypoint file with pictures")
    if index.missing:
        others = f" ({len(index.missing) - 1:,} more)" if len(index.missing) > 1 else ""
        where = f" in {folders[0]}" if folders else ""
        remedy = missing_remedy(index.missing[0], option)
        raise UserError(f"{path}: there is no picture {index.missing[0]}{others}{where}{remedy}")


def _by_picture(index: _Index, path: Path) -> tuple[list[int], list[int]]:
    """The annotations sorted by the pictures they are in, and where each picture's begin."""
    numbers = np.empty(len(index.image_ids), np.int64)
    for row, image_id in enumerate(index.image_ids):
        number = index.number_of.get(image_id) if is_id(image_id) else None
        if number is None:
            raise UserError(
                f"{path}: annotations[{row}].image_id: {shown(image_id)} is no image of this file"
            )
        numbers[row] = number
    order = np.argsort(numbers, kind="stable")
    starts = np.searchsorted(numbers[order], np.arange(len(index.image_at) + 1))
    return order.tolist(), starts.tolist()


def _load(scratch: BinaryIO, at: int) -> Record:
    scratch.seek(at)
    record: Record = pickle.load(scratch)
    return record


def _found(image: Record, folders: tuple[Path, ...], path: Path) -> Path:
    picture = locate(image["file_name"], folders)
    if picture is None:
        raise UserError(f"{path}: the picture {image['file_name']} has gone meanwhile")
    return picture


def _map_folders(path: Path, split: str) -> dict[str, Path]:
    """The folders of maps in a dataset that `render` made."""
    root = path.parent.parent
    folders = {kind: maps_folder(root, kind, split) for kind in MAPS}
    return {kind: folder for kind, folder in folders.items() if folder.is_dir()}


def _maps(image: Record, folders: Mapping[str, Path]) -> dict[str, Path]:
    name = Path(image["file_name"]).with_suffix(".png")
    found = {kind: folder / name for kind, folder in folders.items()}
    return {kind: file for kind, file in found.items() if file.is_file()}

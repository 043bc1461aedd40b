"""A COCO keypoint file as columns: whatever is wrong with it, the rest can be computed with."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.coco.categories import is_person
from spinetrack_synth.coco.conventions import Boxes, boxes_in_pixels, points_in_pixels
from spinetrack_synth.coco.keypoint_names import (
    SKELETONS,
    canonical_name,
    closest_skeleton,
    is_names,
)
from spinetrack_synth.coco.parsing import Quirk
from spinetrack_synth.coco.values import as_float, flat_points, is_number, is_numbers, plain

T = TypeVar("T")
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

SEQUENCE_FIELDS: Final = (
    "sequence", "sequence_id", "seq_id", "video", "video_id", "vid_id", "clip", "clip_id",
    "session", "session_id",
)  # fmt: skip
"""Fields of an image that say which pictures belong together."""

KINDS: Final = {"images": "image", "annotations": "annotation", "categories": "category"}
"""What a record of each section is called in its key."""


BEFORE_SPLIT: Final = "person_keypoints_"


def split_named(path: Path) -> str | None:
    """The split that a file says it is: ``person_keypoints_<split>.json``, or in Roboflow's folders
    ``train``, ``valid`` and ``test``; None where it says nothing."""
    if path.name == "_annotations.coco.json":
        folder = path.absolute().parent.name
        return {"train": "train", "valid": "val", "val": "val", "test": "test"}.get(folder)
    return path.stem.removeprefix(BEFORE_SPLIT) if path.name.startswith(BEFORE_SPLIT) else None


def rows_where(mask: ArrayLike) -> list[int]:
    """The rows (of a mask (N,)) that are true."""
    rows: list[int] = np.flatnonzero(mask).tolist()
    return rows


def pairs_where(mask: ArrayLike) -> list[tuple[int, int]]:
    """The rows and columns (of a mask (N, K)) that are true."""
    return [(row, column) for row, column in np.argwhere(mask).tolist()]


@dataclass(frozen=True, eq=False)
class Document:
    """The records of a file as they stand in it, and columns over all annotations.

    N annotations, M images, K keypoints (those of the largest category). What is missing or
    unusable in a record is nan (or -1 for a row) in the columns, so that comparisons are false
    there. ``pictures`` is the folder from which file names lead to pictures, where it is known;
    ``quirks`` are what was odd about the file itself.
    """

    path: Path
    data: dict[str, Any]
    pictures: Path | None = None
    quirks: tuple[Quirk, ...] = ()
    _memory: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, key: Any, compute: Callable[[], T]) -> T:
        """The result of ``compute``, computed at the first call with this key."""
        if key not in self._memory:
            self._memory[key] = compute()
        result: T = self._memory[key]
        return result

    # The records.

    def section(self, name: str) -> list[Any]:
        """A top-level list, empty where there is none."""
        value = self.data.get(name)
        return value if isinstance(value, list) else []

    @cached_property
    def images(self) -> Sequence[dict[str, Any]]:
        """Image records; one that is no object is an empty one here."""
        return _objects(self.section("images"))

    @cached_property
    def annotations(self) -> Sequence[dict[str, Any]]:
        """Annotation records; one that is no object is an empty one here."""
        return _objects(self.section("annotations"))

    @cached_property
    def categories(self) -> Sequence[dict[str, Any]]:
        """Category records; one that is no object is an empty one here."""
        return _objects(self.section("categories"))

    @property
    def split(self) -> str:
        """Name of the split, as ``split_named``; else that of the file."""
        return split_named(self.path) or self.path.stem

    # References.

    @cached_property
    def row_of_image(self) -> dict[Any, int]:
        """Image id -> row of its first record."""
        return _rows_by_id(self.images)

    @cached_property
    def row_of_category(self) -> dict[Any, int]:
        """Category id -> row of its first record."""
        return _rows_by_id(self.categories)

    @cached_property
    def image_row(self) -> Rows:
        """Row of each annotation's image (N,), -1 where there is none."""
        return _references(self.annotations, "image_id", self.row_of_image)

    @cached_property
    def category_row(self) -> Rows:
        """Row of each annotation's category (N,), -1 where there is none."""
        return _references(self.annotations, "category_id", self.row_of_category)

    # The keypoints' names.

    @cached_property
    def names(self) -> tuple[tuple[str, ...] | None, ...]:
        """Keypoint names of each category as they stand there; None where it has none."""
        return tuple(
            tuple(value) if is_names(value := category.get("keypoints")) else None
            for category in self.categories
        )

    @cached_property
    def point_count(self) -> Rows:
        """How many keypoints each category's annotations have: names, or what most of them hold
        where all of them hold the same other number; -1 for a category without keypoints."""
        lengths: list[set[int]] = [set() for _ in self.categories]
        for row, annotation in zip(self.category_row, self.annotations):
            value = flat_points(annotation.get("keypoints"))
            if row >= 0 and isinstance(value, list) and len(value) and len(value) % 3 == 0:
                lengths[row].add(len(value) // 3)
        counts = [len(names) if names is not None else -1 for names in self.names]
        for row, found in enumerate(lengths):
            broken = self.names[row] is None and "keypoints" in self.categories[row]
            if len(found) == 1 and (counts[row] >= 0 or broken):
                counts[row] = found.pop()
        return np.array(counts, dtype=np.int64)

    @cached_property
    def known_skeleton(self) -> tuple[str | None, ...]:
        """For each category the skeleton of ``SKELETONS`` it means to have, by its names."""
        return tuple(None if names is None else closest_skeleton(names) for names in self.names)

    @cached_property
    def trusted_names(self) -> tuple[tuple[str, ...] | None, ...]:
        """Canonical names of each category; None where they contradict themselves, the number of
        points or the skeleton they are meant to be."""
        trusted: list[tuple[str, ...] | None] = []
        for names, known, count in zip(self.names, self.known_skeleton, self.point_count):
            if names is None:
                trusted.append(None)
                continue
            canonical = tuple(map(canonical_name, names))
            if len(canonical) > count and canonical[: max(count, 0)] in SKELETONS.values():
                canonical = canonical[:count]  # Human-Art names four points more than it has
                known = None
            good = len(set(canonical)) == len(canonical) == count
            good = good and (known is None or canonical == SKELETONS[known])
            trusted.append(canonical if good else None)
        return tuple(trusted)

    @cached_property
    def people_categories(self) -> tuple[bool, ...]:
        """Which categories are people: by their name, supercategory and keypoints."""
        return tuple(
            names is not None and is_person(category, names)
            for category, names in zip(self.categories, self.names)
        )

    @cached_property
    def people(self) -> NDArray[np.bool_]:
        """Which annotations (N,) are of people."""
        return np.array([*self.people_categories, False], dtype=bool)[self.category_row]

    @cached_property
    def skeleton(self) -> str:
        """What people call the file's keypoints."""
        for names, known in zip(self.names, self.known_skeleton):
            if names:
                return known or f"{len(names)} keypoints"
        return "no keypoints"

    # Columns.

    @cached_property
    def keypoints(self) -> Floats:
        """All keypoints (N, K, 3): x, y in pixels and v; nan where missing or unusable. In pixels
        also where the file writes shares of the image (``points_written``)."""
        return self._points[0]

    @property
    def points_written(self) -> str | None:
        """What the file writes its points in, where that is not pixels."""
        return self._points[1]

    @cached_property
    def _points(self) -> tuple[Floats, str | None]:
        points = self._written_points()
        there = (points[..., 2] > 0) & np.isfinite(points).all(-1)
        read, unit = points_in_pixels(points[..., :2], there, self.sizes, self._written_boxes)
        return (np.concatenate([read, points[..., 2:]], -1), unit) if unit else (points, None)

    def _written_points(self) -> Floats:
        most = max(int(max(self.point_count, default=0)), 0)
        flat = np.full((len(self.annotations), 3 * most), np.nan)
        usable = [
            (row, value)
            for row, annotation in enumerate(self.annotations)
            if is_numbers(value := flat_points(annotation.get("keypoints")))
            and len(value) == 3 * (self.expected_points(row) or 0) > 0
        ]
        for length in {len(value) for _, value in usable}:
            rows = [row for row, value in usable if len(value) == length]
            values = [value for _, value in usable if len(value) == length]
            flat[rows, :length] = _table(values, length)
        flat[~np.isfinite(flat)] = np.nan
        return flat.reshape(len(self.annotations), most, 3)

    def _keypoint_category(self, row: int) -> int:
        """The category of an annotation, or the only one there is."""
        found = int(self.category_row[row])
        if found >= 0 and self.point_count[found] >= 0:
            return found
        with_points = np.flatnonzero(self.point_count >= 0)
        return int(with_points[0]) if len(with_points) == 1 else found

    def expected_points(self, row: int) -> int | None:
        """How many keypoints an annotation should have; None where no category says."""
        if not len(self.categories):
            return None
        category = self._keypoint_category(row)
        count = int(self.point_count[category]) if category >= 0 else -1
        return count if count >= 0 else None

    @cached_property
    def labelled(self) -> NDArray[np.bool_]:
        """Which keypoints (N, K) are labelled (v > 0) and have a place."""
        return (self.keypoints[..., 2] > 0) & np.isfinite(self.keypoints).all(-1)

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Which keypoints (N, K) are visible (v = 2); those labelled where the file marks none."""
        visible = self.labelled & (self.keypoints[..., 2] == 2)
        return visible if visible.any() else self.labelled

    @property
    def seen_as(self) -> str:
        """What messages call the points of ``seen``."""
        hidden = self.labelled.any() and not (self.labelled & (self.keypoints[..., 2] == 2)).any()
        return "labelled (none in the file is marked visible)" if hidden else "visible"

    def point(self, name: str) -> Floats:
        """A named keypoint of all people (N, 3); nan where it is not labelled, not named, where
        the names cannot be trusted, and for animals and things."""
        return np.where(self.people[:, None], self.anyones_point(name), np.nan)

    def anyones_point(self, name: str) -> Floats:
        """A named keypoint (N, 3) of people, animals and things."""
        result = np.full((len(self.annotations), 3), np.nan)
        for category, names in enumerate(self.trusted_names):
            if names is None or name not in names:
                continue
            rows = np.flatnonzero(self.category_row == category)
            index = names.index(name)
            result[rows] = np.where(
                self.labelled[rows, index, None], self.keypoints[rows, index], np.nan
            )
        return result

    @property
    def boxes(self) -> Floats:
        """All boxes (N, 4): x, y, width, height in pixels, also where the file writes them in
        another way (``conventions``); nan where unusable."""
        return self.boxes_read.boxes

    @property
    def areas(self) -> Floats:
        """All areas (N,) in square pixels; nan where unusable."""
        return self.boxes_read.areas

    @cached_property
    def boxes_read(self) -> Boxes:
        """The boxes and areas, and how the file writes them."""
        areas = [as_float(annotation.get("area")) for annotation in self.annotations]
        boxes = self._written_boxes
        boxes_areas = np.array(areas, dtype=np.float64)
        points = self.keypoints[..., :2]
        with np.errstate(all="ignore"):
            return boxes_in_pixels(boxes, boxes_areas, points, self.labelled, self.sizes)

    @cached_property
    def _written_boxes(self) -> Floats:
        good = [
            value if is_numbers(value := a.get("bbox")) and len(value) == 4 else [math.nan] * 4
            for a in self.annotations
        ]
        boxes = _table(good, 4)
        boxes[~np.isfinite(boxes).all(1)] = np.nan
        return boxes

    @cached_property
    def crowd(self) -> NDArray[np.bool_]:
        """Which annotations (N,) stand for a crowd."""
        return np.array([a.get("iscrowd") == 1 for a in self.annotations], dtype=bool)

    @cached_property
    def image_sizes(self) -> Floats:
        """Width and height of all images (M, 2) as the file says; nan where unusable."""
        sizes = [(_side(image.get("width")), _side(image.get("height"))) for image in self.images]
        return np.array(sizes, dtype=np.float64).reshape(-1, 2)

    @cached_property
    def sizes(self) -> Floats:
        """Width and height of each annotation's image (N, 2); nan where unknown."""
        padded = np.vstack([self.image_sizes, [[np.nan, np.nan]]])
        return padded[self.image_row]

    @cached_property
    def torso_px(self) -> Floats:
        """Length of each torso (N,): middle of the shoulders to middle of the hips, px."""
        ends = [
            (self.point(f"left_{part}")[:, :2] + self.point(f"right_{part}")[:, :2]) / 2
            for part in ("shoulder", "hip")
        ]
        length: Floats = np.linalg.norm(ends[0] - ends[1], axis=1)
        return length

    # Places.

    def place(self, section: str, row: int, field: str = "", part: str = "") -> str:
        """Where a record stands: ``annotations[12].bbox (id 4711, image 000123.jpg)``.

        ``section`` is a key of ``KINDS``, ``field`` such as ``.bbox``, ``part`` a keypoint's name.
        """
        record = self._record(section, row)
        known = (
            [f"id {_id_text(record['id'])}"] if section != "categories" and "id" in record else []
        )
        if section == "annotations":
            image = int(self.image_row[row])
            named = self.images[image].get("file_name") if image >= 0 else None
            known += [f"image {plain(named)[:80]}"] if isinstance(named, str) else []
        else:
            named = record.get("file_name" if section == "images" else "name")
            known += [plain(named)[:80]] if isinstance(named, str) else []
        known += [plain(part)] if part else []
        return f"{section}[{row}]{field}" + (f" ({', '.join(known)})" if known else "")

    def key(self, section: str, row: int) -> str:
        """What names the same record in every later version of the file: ``annotation:4711``; its
        place where its id is no whole number."""
        number = self._record(section, row).get("id")
        whole = type(number) is int
        return f"{KINDS[section]}:{_id_text(number)}" if whole else f"{section}[{row}]"

    def _record(self, section: str, row: int) -> dict[str, Any]:
        records: Sequence[dict[str, Any]] = getattr(self, section)
        return records[row]


def _objects(records: list[Any]) -> list[dict[str, Any]]:
    return [record if isinstance(record, dict) else {} for record in records]


def _rows_by_id(records: Sequence[dict[str, Any]]) -> dict[Any, int]:
    rows: dict[Any, int] = {}
    for row, record in enumerate(records):
        value = record.get("id")
        if is_number(value) or isinstance(value, str | bool):
            rows.setdefault(value, row)
    return rows


def _references(records: Sequence[dict[str, Any]], name: str, rows: dict[Any, int]) -> Rows:
    """Rows that the records refer to. A reference of the wrong type still finds its target by
    its text: the type is reported where it stands, not at everything that hangs on it."""
    whole = set(map(type, rows)) <= {int}
    texts: dict[str, int] | None = None
    found = np.full(len(records), -1, dtype=np.int64)
    for index, record in enumerate(records):
        value = record.get(name)
        if not (is_number(value) or isinstance(value, str | bool)):
            continue
        row = rows.get(value, -1)
        if row < 0 and not (whole and type(value) is int):
            texts = texts or {_id_text(key): number for key, number in rows.items()}
            row = texts.get(_id_text(value), -1)
        found[index] = row
    return found


def _id_text(value: object) -> str:
    if type(value) is int:
        return str(value) if abs(value) < 10**20 else "of more than 20 digits"
    if isinstance(value, str):
        return plain(value)[:60]
    if is_number(value) or isinstance(value, bool) or value is None:
        return str(value)
    return f"({type(value).__name__})"


def _table(values: list[list[Any]], width: int) -> Floats:
    """Lists of numbers as (len, width); numbers that no float can hold become nan."""
    if not values:
        return np.empty((0, width))
    try:
        return np.array(values, dtype=np.float64).reshape(-1, width)
    except OverflowError:
        return np.array([[as_float(number) for number in row] for row in values], dtype=np.float64)


def _side(value: object) -> float:
    number = as_float(value)
    return number if type(value) is int and 0 < number < 1e6 else math.nan

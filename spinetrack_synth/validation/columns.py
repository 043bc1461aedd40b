"""A COCO keypoint file as columns: whatever is wrong with it, the rest can be computed with."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeGuard, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.validation.conventions import Boxes, boxes_in_pixels, points_in_pixels
from spinetrack_synth.validation.findings import Fault, plain

T = TypeVar("T")
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

SKELETONS: Final[dict[str, tuple[str, ...]]] = {
    "SpineTrack-37": skeleton.NAMES,
    "Halpe-26": skeleton.NAMES[:26],
    "COCO-17": skeleton.NAMES[:17],
}
"""The skeletons whose names and order are known."""


def is_number(value: object) -> TypeGuard[float]:
    """A JSON number: neither true nor false."""
    return type(value) is int or type(value) is float


def is_numbers(value: object) -> TypeGuard[list[Any]]:
    """A list of JSON numbers."""
    return isinstance(value, list) and set(map(type, value)) <= {int, float}


def in_threes(value: object) -> TypeGuard[list[list[Any]]]:
    """Keypoints as [[x, y, v], ...], as some exporters write them."""
    return (
        isinstance(value, list)
        and bool(value)
        and type(value[0]) is list
        and all(is_numbers(point) and len(point) == 3 for point in value)
    )


def flat_points(value: object) -> object:
    """The keypoints of a record as the flat list that COCO means; anything else as it is."""
    return [number for point in value for number in point] if in_threes(value) else value


def as_float(value: object) -> float:
    """A finite number as float, nan for everything else."""
    if not is_number(value):
        return math.nan
    try:
        number = float(value)
    except OverflowError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def rows_where(mask: ArrayLike) -> list[int]:
    """The rows (of a mask (N,)) that are true."""
    rows: list[int] = np.flatnonzero(mask).tolist()
    return rows


def pairs_where(mask: ArrayLike) -> list[tuple[int, int]]:
    """The rows and columns (of a mask (N, K)) that are true."""
    return [(row, column) for row, column in np.argwhere(mask).tolist()]


_JOINTS: Final = "shoulder|sho|elbow|elb|wrist|wri|hip|knee|ankle|ank|eye|ear"
_ABBREVIATIONS: Final = {
    "sho": "shoulder", "elb": "elbow", "wri": "wrist", "kne": "knee", "ank": "ankle"
}  # fmt: skip

LIMBS: Final = frozenset(
    f"{side}_{part}"
    for side in ("left", "right")
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)
FEWEST_LIMBS: Final = 4
"""A skeleton with fewer of these points is a hand, a face or a garment, not a person."""

ANIMAL_PARTS: Final = frozenset(
    "paw paws hoof hooves tail tailbase tailtip wing wings withers snout muzzle beak antenna "
    "abdomen mane fetlock hock stifle rump foreleg hindleg".split()
)
ANIMALS: Final = frozenset(
    "animal mammal insect wildlife livestock cattle pet quadruped primate rodent equine bovine "
    "canine feline dog puppy puppies cat kitten horse pony ponies foal mare stallion donkey mule "
    "zebra cow bull ox oxen yak sheep lamb pig piglet hog boar goat llama alpaca camel bird "
    "chicken hen duck goose geese pigeon fly flies drosophila locust mouse mice rat squirrel "
    "beaver marmot hamster rabbit macaque monkey alouatta uakari baboon lemur gibbon orangutan "
    "chimp chimpanzee bonobo gorilla ape deer moose elk caribou reindeer antelope impala gazelle "
    "duiker argali bison buffalo giraffe elephant bear lion tiger cheetah leopard panther puma "
    "lynx bobcat jaguar wolf wolves fox hyena coyote badger weasel skunk otter ferret marten "
    "mongoose raccoon panda koala kangaroo wallaby hippo hippopotamus rhino rhinoceros lizard "
    "fish".split()
)
"""Words of a category's name or supercategory by which it is no person; also in the plural."""
HUMANS: Final = frozenset(
    "person people human man men woman women boy girl child children kid baby infant player "
    "athlete rider jockey walker runner handler trainer owner keeper user worker farmer patient "
    "pedestrian".split()
)
"""Words by which it is one in spite of them: ``horse_rider``, ``dog walker``."""


def canonical_name(name: str) -> str:
    """A keypoint's name as SpineTrack writes it: ``LBigToe``, ``l_big_toe`` -> ``left_big_toe``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    parts = [part for part in re.split(r"[\s_\-.]+", words.lower()) if part]
    parts = re.sub(rf"\b([lr])({_JOINTS})\b", r"\1 \2", " ".join(parts)).split()
    parts = [_ABBREVIATIONS.get(part, part) for part in parts]
    sides = {"l": "left", "r": "right", "left": "left", "right": "right"}
    side = [sides[part] for part in parts if part in sides]
    rest = [part for part in parts if part not in sides]
    return "_".join(side + rest)


@dataclass(frozen=True, eq=False)
class Dataset:
    """The records of a file as they stand in it, and columns over all annotations.

    N annotations, M images, K keypoints (those of the largest category). What is missing or
    unusable in a record is nan (or -1 for a row) in the columns, so that comparisons are false
    there: the rules of the schema have told about it already.
    """

    path: Path
    data: dict[str, Any]
    pictures: Path | None = None
    previous: Dataset | None = None
    truth_path: Path | None = None
    quirks: tuple[tuple[str, Fault], ...] = ()
    """What was wrong with the file itself, by kind (``file.ENCODING`` and its like)."""
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
        return _objects(self.section("annotations"))

    @cached_property
    def categories(self) -> Sequence[dict[str, Any]]:
        return _objects(self.section("categories"))

    @property
    def split(self) -> str:
        """Name of the split, from ``person_keypoints_<split>.json``."""
        return self.path.stem.removeprefix("person_keypoints_")

    # References.

    @cached_property
    def row_of_image(self) -> dict[Any, int]:
        """Image id -> row of its first record."""
        return _rows_by_id(self.images)

    @cached_property
    def row_of_category(self) -> dict[Any, int]:
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
            tuple(value) if _is_names(value := category.get("keypoints")) else None
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
        return tuple(None if names is None else _closest_skeleton(names) for names in self.names)

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
            names is not None and _is_person(category, names)
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
        return np.linalg.norm(ends[0] - ends[1], axis=1)

    # What is there beside the file.

    @cached_property
    def lacks(self) -> dict[str, str]:
        """What rules need (keys of ``rules.NEEDS``) and this file has not, with the reason."""
        lacking = {}
        named = [names for names in self.trusted_names if names]
        trusted = [
            names for names, person in zip(self.trusted_names, self.people_categories)
            if names and person
        ]  # fmt: skip
        if not named:
            lacking["names"] = lacking["any names"] = (
                "the names of the keypoints are in doubt" if any(self.names) else "no keypoints"
            )
        elif not trusted:
            lacking["names"] = "no keypoints of a person's body"
        spine = {skeleton.NAMES[index] for index in skeleton.SPINE}
        if not any(spine <= set(names) for names in trusted):
            lacking["spine"] = lacking.get("names") or f"{self.skeleton} has no spine points"
        if self.pictures is None:
            lacking["images"] = "no --images given"
        if self.truth_path is None:
            lacking["ground truth"] = "no ground truth beside the file"
        if self.previous is None:
            lacking["previous"] = "no --previous given"
        return lacking

    # Faults, with their places.

    def annotation_fault(
        self,
        row: int,
        message: str,
        *,
        field: str = "",
        part: str = "",
        value: float | int | str | None = None,
        sure: float | None = None,
        fitted: Floats | None = None,
    ) -> Fault:
        """A fault of an annotation; ``field`` such as ``.bbox``, ``part`` a keypoint's name."""
        row = int(row)
        record = self.annotations[row]
        image = int(self.image_row[row])
        named = self.images[image].get("file_name") if image >= 0 else None
        known = [f"id {_id_text(record.get('id'))}"] if "id" in record else []
        known += [f"image {plain(named)[:80]}"] if isinstance(named, str) else []
        known += [plain(part)] if part else []
        key = _key("annotation", "annotations", row, record)
        return Fault(
            place=f"annotations[{row}]{field}" + (f" ({', '.join(known)})" if known else ""),
            key=f"{key}/{plain(part)}" if part else key,
            message=message,
            value=value,
            sure=sure,
            parent=self.image_key(image) if image >= 0 else None,
            row=row,
            fitted=fitted,
        )

    def image_key(self, row: int) -> str:
        return _key("image", "images", row, self.images[row])

    def annotation_key(self, row: int) -> str:
        return _key("annotation", "annotations", row, self.annotations[row])

    def image_fault(
        self,
        row: int,
        message: str,
        *,
        field: str = "",
        value: float | int | str | None = None,
    ) -> Fault:
        """A fault of an image."""
        row = int(row)
        record = self.images[row]
        named = record.get("file_name")
        known = [f"id {_id_text(record.get('id'))}"] if "id" in record else []
        known += [plain(named)[:80]] if isinstance(named, str) else []
        place = f"images[{row}]{field}" + (f" ({', '.join(known)})" if known else "")
        return Fault(place, self.image_key(row), message, value)

    def category_fault(
        self,
        row: int,
        message: str,
        *,
        field: str = "",
        value: float | int | str | None = None,
    ) -> Fault:
        """A fault of a category."""
        row = int(row)
        record = self.categories[row]
        named = record.get("name")
        known = [plain(named)[:80]] if isinstance(named, str) else []
        place = f"categories[{row}]{field}" + (f" ({', '.join(known)})" if known else "")
        return Fault(place, _key("category", "categories", row, record), message, value)

    def file_fault(
        self, message: str, *, place: str = "file", value: float | int | str | None = None
    ) -> Fault:
        """A fault of the file as a whole, or of a named section of it."""
        return Fault(place, place, message, value)


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


def _key(kind: str, section: str, row: int, record: dict[str, Any]) -> str:
    value = record.get("id")
    return f"{kind}:{_id_text(value)}" if type(value) is int else f"{section}[{row}]"


def _is_names(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _closest_skeleton(names: tuple[str, ...]) -> str | None:
    """The known skeleton of these names in any order, slips of the pen included. Names of its own
    make it another skeleton: PoseTrack shares 15 of 17 with COCO."""
    canonical = list(map(canonical_name, names))
    for title, known in SKELETONS.items():
        missing = [name for name in known if name not in canonical]
        own = [name for name in canonical if name not in known]
        slips = all(get_close_matches(name, missing, 1, 0.75) for name in own)
        slips = slips or (len(own) == 1 and len(missing) == 1)
        if len(known) == len(names) and len(missing) <= len(known) / 4 and slips:
            return title
    return None


def _is_person(category: dict[str, Any], names: tuple[str, ...]) -> bool:
    name, kind = (_words(category.get(field)) for field in ("name", "supercategory"))
    animal = not name & HUMANS and bool((name | kind) & ANIMALS)
    canonical = set(map(canonical_name, names))
    parts = {part for each in canonical for part in each.split("_")}
    if animal or parts & ANIMAL_PARTS:
        return False
    return len(canonical & LIMBS) >= FEWEST_LIMBS


def _words(title: object) -> set[str]:
    """The words of a title, and what they are the plural of."""
    words = re.findall("[a-z]+", title.lower()) if isinstance(title, str) else []
    return {form for word in words for form in (word, word.removesuffix("s"),
                                                word.removesuffix("es"))}  # fmt: skip


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

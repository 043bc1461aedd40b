"""COCO keypoint files that are sound: read with located errors, and their numbers as arrays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco.document import Document
from spinetrack_synth.coco.parsing import read_json
from spinetrack_synth.coco.writing import PERSON, Record, encode, file_bytes
from spinetrack_synth.errors import UserError


@dataclass(frozen=True)
class CocoDataset:
    """The records of a COCO keypoint file as they stand in it, and their numbers as arrays.

    All annotations carry the same number K of keypoints. Fields that COCO does not know
    (``K``, ``world2cam``, ``subject``, ...) stay in the records untouched.
    """

    images: Sequence[Record]
    annotations: Sequence[Record]
    categories: Sequence[Record] = (PERSON,)
    info: Mapping[str, Any] = field(default_factory=dict)
    licenses: Sequence[Record] = ()

    @staticmethod
    def read(path: Path) -> CocoDataset:
        """Read a file; raises UserError that names the first faulty place and counts the others."""
        return CocoDataset.of(Document(path, read_json(path)))

    @staticmethod
    def of(document: Document) -> CocoDataset:
        """The strict view of a document; raises UserError as ``read`` does."""
        data = document.data
        problems = find_problems(data)
        first = next(problems, None)
        if first is not None:
            others = sum(1 for _ in problems)
            raise UserError(f"{document.path}: {first}" + (f" ({others} more)" if others else ""))
        return CocoDataset(
            images=data["images"],
            annotations=data["annotations"],
            categories=data["categories"],
            info=data.get("info", {}),
            licenses=data.get("licenses", []),
        )

    @cached_property
    def keypoints(self) -> NDArray[np.float64]:
        """All keypoints (N, K, 3): x, y in pixels and v in {0, 1, 2}."""
        flat = np.array([a["keypoints"] for a in self.annotations], dtype=np.float64)
        return flat.reshape(len(self.annotations), -1, 3)

    @cached_property
    def boxes(self) -> NDArray[np.float64]:
        """All boxes (N, 4): x, y, width, height in pixels."""
        return np.array([a["bbox"] for a in self.annotations], dtype=np.float64).reshape(-1, 4)

    @cached_property
    def image_of(self) -> Mapping[int, Record]:
        """Image id -> image record."""
        return {image["id"]: image for image in self.images}

    def document(self, path: Path, pictures: Path | None = None) -> Document:
        """The same records as a document of that path, in the order of the file; ``pictures`` is
        the folder from which file names lead to pictures."""
        data = {
            "images": list(self.images),
            "annotations": list(self.annotations),
            "categories": list(self.categories),
        }
        return Document(path, data, pictures)

    def to_bytes(self) -> bytes:
        """The file's content: one record a line, equal records always giving equal bytes."""
        return file_bytes(
            map(encode, self.images),
            map(encode, self.annotations),
            categories=self.categories,
            info=self.info,
            licenses=self.licenses,
        )


def find_problems(data: object) -> Iterator[str]:
    """Everything that keeps a parsed file from being used, each as ``place: what is wrong``."""
    if not isinstance(data, dict):
        yield f"the file holds a {type(data).__name__}, expected an object"
        return
    lists = ("categories", "images", "annotations")
    missing = [name for name in lists if not isinstance(data.get(name), list)]
    yield from (f"{name}: missing, expected a list" for name in missing)
    if missing:
        return
    for name in lists:
        yield from _id_problems(data[name], name)
    categories, images, annotations = (_identified(data[name]) for name in lists)
    for place, category in categories:
        yield from _category_problems(category, f"categories[{place}]")
    for place, image in images:
        yield from _image_problems(image, f"images[{place}]")
    image_ids = {image["id"] for _, image in images}
    keypoint_counts = {
        category["id"]: len(category["keypoints"])
        for _, category in categories
        if isinstance(category.get("keypoints"), list)
    }
    for place, annotation in annotations:
        yield from _annotation_problems(
            annotation, f"annotations[{place}]", image_ids, keypoint_counts
        )


def _identified(records: list[Any]) -> list[tuple[int, Record]]:
    """The records that can be spoken about, with their places."""
    return [
        (place, record)
        for place, record in enumerate(records)
        if isinstance(record, dict) and isinstance(record.get("id"), int)
    ]


def _id_problems(records: list[Any], section: str) -> Iterator[str]:
    seen: set[int] = set()
    for index, record in enumerate(records):
        if not isinstance(record, dict):
            yield f"{section}[{index}]: {type(record).__name__}, expected an object"
        elif not isinstance(record.get("id"), int):
            yield f"{section}[{index}].id: {record.get('id')!r}, expected a whole number"
        elif not -(2**63) <= record["id"] < 2**63:
            yield f"{section}[{index}].id: {record['id']}, expected a whole number of 64 bits"
        elif record["id"] in seen:
            yield f"{section}[{index}].id: {record['id']} is used twice"
        else:
            seen.add(record["id"])


def _category_problems(category: Record, place: str) -> Iterator[str]:
    names = category.get("keypoints")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        yield f"{place}.keypoints: expected a list of names"
        return
    links = category.get("skeleton", [])
    for link in links if isinstance(links, list) else [links]:
        if not (_numbers(link, 2) and all(1 <= end <= len(names) for end in link)):
            yield f"{place}.skeleton: {link} is no pair of keypoints counted from 1"


def _image_problems(image: Record, place: str) -> Iterator[str]:
    if not isinstance(image.get("file_name"), str):
        yield f"{place}.file_name: {image.get('file_name')!r}, expected a name"
    for side in ("width", "height"):
        if not (isinstance(image.get(side), int) and image[side] > 0):
            yield f"{place}.{side}: {image.get(side)!r}, expected a positive whole number"


def _annotation_problems(
    annotation: Record, place: str, image_ids: set[int], keypoint_counts: dict[int, int]
) -> Iterator[str]:
    image_id, category_id = annotation.get("image_id"), annotation.get("category_id")
    if not (isinstance(image_id, int) and image_id in image_ids):
        yield f"{place}.image_id: {image_id!r} is no image of this file"
    if not (isinstance(category_id, int) and category_id in keypoint_counts):
        yield f"{place}.category_id: {category_id!r} is no category with keypoints"
    else:
        count = keypoint_counts[category_id]
        yield from _list_problems(
            annotation.get("keypoints"), 3 * count, f"{place}.keypoints", f" ({count} x 3)"
        )
    yield from _list_problems(annotation.get("bbox"), 4, f"{place}.bbox")
    if not _numbers([annotation.get("area")], 1):
        yield f"{place}.area: {annotation.get('area')!r}, expected a number"


def _list_problems(value: object, length: int, place: str, why: str = "") -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{place}: {value!r}, expected {length} numbers{why}"
    elif len(value) != length:
        yield f"{place}: {len(value)} values, expected {length}{why}"
    elif not _numbers(value, length):
        bad = next(i for i, number in enumerate(value) if not _numbers([number], 1))
        yield f"{place}[{bad}]: {value[bad]!r}, expected a finite number"


def _numbers(value: object, length: int) -> bool:
    """Is this a list of that many finite numbers?"""
    return (
        isinstance(value, list)
        and len(value) == length
        and set(map(type, value)) <= {int, float}
        and all(map(math.isfinite, value))
    )

"""COCO keypoint files: read with located errors, written as the same bytes every time."""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.errors import UserError

Record = dict[str, Any]

PERSON: Final[Record] = {
    "id": 1,
    "name": "person",
    "supercategory": "person",
    "keypoints": list(skeleton.NAMES),
    "skeleton": [[a + 1, b + 1] for a, b in skeleton.LINKS],
    "sigmas": list(skeleton.SIGMAS),
}
"""The category of every person: 37 keypoints, links counted from 1 as COCO does, OKS sigmas."""


def read_json(path: Path) -> Any:
    """What a JSON file holds; raises UserError where it cannot be read or is none."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{path}: not a JSON file: {error}") from error


class PictureNames:
    """Finds which of a file's pictures a path means, whatever folder either is told from."""

    def __init__(self, names: Iterable[str]) -> None:
        self._of_base: dict[str, list[tuple[str, list[str]]]] = {}
        for name in names:
            parts = _parts(name)
            self._of_base.setdefault(parts[-1], []).append((name, parts))

    def fitting(self, path: str) -> list[str]:
        """The names whose ends agree best with the path's, from the file's own name upwards."""
        wanted = _parts(path)
        alike = [
            (_agreeing(parts, wanted), name) for name, parts in self._of_base.get(wanted[-1], ())
        ]
        most = max(alike, default=(0, ""))[0]
        return [name for agreeing, name in alike if agreeing == most]


def _parts(path: str) -> list[str]:
    """A path's parts; macOS composes accents otherwise than what typed the dataset's names."""
    return unicodedata.normalize("NFC", path).replace("\\", "/").removeprefix("./").split("/")


def _agreeing(parts: list[str], others: list[str]) -> int:
    pairs = zip(reversed(parts), reversed(others))
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


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
        data = read_json(path)
        problems = find_problems(data)
        first = next(problems, None)
        if first is not None:
            others = sum(1 for _ in problems)
            raise UserError(f"{path}: {first}" + (f" ({others} more)" if others else ""))
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

    def to_bytes(self) -> bytes:
        """The file's content: one record a line, equal records always giving equal bytes."""
        return file_bytes(
            map(encode, self.images),
            map(encode, self.annotations),
            categories=self.categories,
            info=self.info,
            licenses=self.licenses,
        )


def encode(record: Mapping[str, Any]) -> str:
    """One record as a line of JSON; floats survive exactly; raises ValueError on NaN or Inf."""
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def file_bytes(
    image_lines: Iterable[str],
    annotation_lines: Iterable[str],
    *,
    categories: Sequence[Record] = (PERSON,),
    info: Mapping[str, Any] | None = None,
    licenses: Sequence[Record] = (),
) -> bytes:
    """A COCO file put together from encoded image and annotation records."""
    sections = {
        "licenses": map(encode, licenses),
        "categories": map(encode, categories),
        "images": image_lines,
        "annotations": annotation_lines,
    }
    lists = [f'"{name}":[\n' + ",\n".join(lines) + "\n]" for name, lines in sections.items()]
    return ("{" + ",\n".join([f'"info":{encode(info or {})}', *lists]) + "}\n").encode()


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

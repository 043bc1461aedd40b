"""Anybody's labels, made the records that COCO defines.

Only what measuring needs has to be there; what is done about the rest is told in remarks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco.categories import is_person
from spinetrack_synth.coco.dataset import CocoDataset
from spinetrack_synth.coco.keypoint_names import (
    ORDERS,
    canonical_name,
    columns_of,
    is_names,
    taken_for,
)
from spinetrack_synth.coco.parsing import check_objects, read_json
from spinetrack_synth.coco.values import flattened, is_crowd, is_id
from spinetrack_synth.coco.writing import Record
from spinetrack_synth.errors import UserError

Floats = NDArray[np.float64]

BOX_TO_AREA: Final = 0.53
"""Share of the box that stands for a person's area where there is none, as the evaluation of
CrowdPose and AI Challenger has it."""


class NoKeypointsError(UserError):
    """The file has people without keypoints at most."""


@dataclass(frozen=True)
class Normalized:
    """A dataset as COCO defines it, the file's own image ids by ours, and what had to be done."""

    coco: CocoDataset
    image_ids: Mapping[Any, int]
    remarks: tuple[str, ...]


def read_normalized(path: Path) -> Normalized:
    """Read the people of a COCO keypoint file. Raises UserError that names the first place which
    cannot be used: no pictures, no keypoints, no names that are known."""
    data = read_json(path)
    if not isinstance(data, dict):
        raise UserError(f"{path}: holds a {type(data).__name__}, {_instead(data)}")
    for name in ("images", "annotations"):
        if not isinstance(data.get(name), list):
            raise UserError(f"{path}: {name}: missing, expected a list")
        check_objects(data[name], f"{path}: {name}")
    image_ids = _numbers(data["images"], path)
    images = [
        {**image, "id": image_ids[image["id"]], "file_name": _file_name(image)}
        for image in data["images"]
    ]
    category, kept, remarks = _people(data, path)
    names, count = keypoint_names(
        category, [data["annotations"][place] for place in kept], path, kept
    )
    if not category.get("keypoints"):
        remarks.append(taken_for(path.name, names, "categories"))
    usable = [
        (place, data["annotations"][place])
        for place in kept
        if _is_keypoints(data["annotations"][place].get("keypoints"))
    ]
    identity = _annotation_ids(
        [record for _, record in usable], [place for place, _ in usable], path
    )
    annotations = []
    done: Counter[str] = Counter()
    for (place, record), number in zip(usable, identity):
        where = f"{path}: annotations[{place}]"
        image = record.get("image_id")
        if not is_id(image) or image not in image_ids:
            raise UserError(f"{where}.image_id: {image!r} is no image of this file")
        points = triples(record["keypoints"], count, where)
        annotations.append(sound_annotation(record, points, done) | {
            "id": number,
            "image_id": image_ids[image],
            "category_id": category["id"],
        })  # fmt: skip
    total = len(annotations)
    told = {
        "null": "have keypoints that are no numbers: taken as not labelled",
        "box": "have no box: that around their keypoints stands for it",
        "area": "have no area, or 0 (pycocotools would find nobody): "
        f"{BOX_TO_AREA:g} of their box's stands for it, as CrowdPose's evaluation has it",
    }
    remarks += [
        f"{done[key]:,} of {total:,} people {text}" for key, text in told.items() if done[key]
    ]
    coco = CocoDataset(
        images, annotations, [{**category, "keypoints": list(names)}], data.get("info") or {}
    )
    return Normalized(coco, image_ids, tuple(remarks))


def _instead(data: Any) -> str:
    first = data[0] if isinstance(data, list) and data else None
    if isinstance(first, dict) and "joints" in first:
        return "MPII's own kind of labels; expected COCO's (mmpose's tools convert them)"
    if isinstance(first, dict) and "score" in first:
        return "these are results (--predictions); expected labels with images and annotations"
    return "expected an object with lists named images and annotations"


def _numbers(images: Sequence[Record], path: Path) -> dict[Any, int]:
    """Numbers of the images by their ids: the ids themselves where they are whole numbers."""
    ids = []
    for place, image in enumerate(images):
        number = image.get("id")
        if not isinstance(number, int | float | str) or number != number:
            raise UserError(f"{path}: images[{place}].id: {number!r}, expected a whole number")
        ids.append(number)
    twice = next((number for number, times in Counter(ids).items() if times > 1), None)
    if twice is not None:
        raise UserError(f"{path}: images: the id {twice!r} is used twice")
    if all(_is_whole(number) for number in ids):
        return {number: int(number) for number in ids}
    return {number: place for place, number in enumerate(ids, 1)}


def _file_name(image: Record) -> str:
    """The name of a picture; Windows parts folders by backslashes."""
    return str(image.get("file_name") or "").replace("\\", "/")


def _is_whole(number: Any) -> bool:
    return isinstance(number, int | float) and number == int(number) and abs(number) < 2**63


def _is_keypoints(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0


def _people(data: Record, path: Path) -> tuple[Record, list[int], list[str]]:
    """The category whose keypoints are judged, its annotations' places, and remarks."""
    categories = [c for c in data.get("categories") or [] if isinstance(c, dict) and "id" in c]
    annotations = data["annotations"]
    with_points = [p for p, a in enumerate(annotations) if _is_keypoints(a.get("keypoints"))]
    if not with_points:
        why = "holds no annotations" if not annotations else "no annotation in it has keypoints"
        raise NoKeypointsError(f"{path}: {why}: nothing to compare with")
    if not categories:
        return {"id": 1, "name": "person"}, with_points, ["the file names no categories"]
    by_id = {category["id"]: category for category in categories if is_id(category["id"])}
    of: dict[Any, list[int]] = {}
    for place in with_points:
        number = annotations[place].get("category_id", 1)
        if not is_id(number) or number not in by_id:
            if len(by_id) > 1 or "category_id" in annotations[place]:
                raise UserError(
                    f"{path}: annotations[{place}].category_id: {number!r} is no category of this "
                    "file"
                )
            number = next(iter(by_id))
        of.setdefault(number, []).append(place)
    candidates = [by_id[number] for number in of]
    if len(candidates) > 1:
        people = [c for c in candidates if str(c.get("name", "")).casefold() == "person"]
        candidates = people if len(people) == 1 else _alike(candidates)
        if not candidates:
            raise UserError(
                f"{path}: annotations of {len(of)} categories; keep those of the person alone"
            )
    chosen = candidates[0]
    places = sorted(place for category in candidates for place in of[category["id"]])
    others = len(with_points) - len(places)
    remarks = [f"{others:,} annotations of other categories are left out"] if others else []
    return {**chosen, "id": _category_id(chosen["id"])}, places, remarks


def _alike(categories: Sequence[Record]) -> list[Record]:
    """The categories that are people, such as players and referees, where these have the same
    keypoints; else none."""
    named = [(c, tuple(c["keypoints"])) for c in categories if is_names(c.get("keypoints"))]
    people = [(c, tuple(map(canonical_name, names))) for c, names in named if is_person(c, names)]
    return [c for c, _ in people] if len({names for _, names in people}) == 1 else []


def _category_id(number: Any) -> int:
    return int(number) if _is_whole(number) else 1


def numbered(count: int) -> tuple[str, ...]:
    """What stands for the names of keypoints that nobody tells."""
    return tuple(map(str, range(count)))


def keypoint_names(
    category: Record,
    annotations: Sequence[Record],
    path: Path,
    places: Sequence[int],
    *,
    ours: bool = True,
) -> tuple[tuple[str, ...], int]:
    """The keypoints' names, and how many there are. Raises UserError where the values are no
    keypoints, or, if they have to be ``ours``, none of them is known."""
    stated = category.get("keypoints")
    names = tuple(map(str, stated)) if isinstance(stated, list) else ()
    widths = Counter(len(flattened(a["keypoints"])) for a in annotations)
    fitting = [count for count in (3 * len(names), 2 * len(names)) if count in widths]
    if names and fitting:
        count = len(names)
    else:
        width = widths.most_common(1)[0][0]
        pairs = isinstance(first := annotations[0]["keypoints"][0], list) and len(first) == 2
        if width % (2 if pairs else 3):
            raise UserError(
                f"{path}: annotations[{places[0]}].keypoints: {width} values, expected x, y and "
                f"visibility of every keypoint{f' ({len(names)} x 3)' if names else ''}"
            )
        count = width // (2 if pairs else 3)
        known = ORDERS.get(count)
        if names[:count] and len(names) > count and columns_of(names[:count]):
            names = names[:count]  # Human-Art names 21 and has 17 of them in ``keypoints``
        elif known is not None and (
            known[: len(names)] == names if names else is_person(category, known)
        ):
            names = known
        elif not ours and not names:
            names = numbered(count)
        else:
            raise UserError(
                f"{path}: {count} keypoints, of which the category names {len(names)}: their "
                "order is not known; name them in categories"
            )
    if ours and not columns_of(names):
        raise UserError(
            f"{path}: none of the keypoints ({', '.join(names[:4])}, ...) is one of SpineTrack's "
            "37; name them so in categories, if they are"
        )
    return names, count


def triples(value: Sequence[Any], count: int, where: str) -> Floats:
    """Points (count, 3) as they stand there; pairs of x and y are seen."""
    flat = flattened(value)
    if len(flat) not in (3 * count, 2 * count):
        raise UserError(
            f"{where}.keypoints: {len(flat)} values, expected {3 * count} ({count} x 3)"
        )
    if not set(map(type, flat)) <= {int, float, type(None)}:
        at = next(i for i, n in enumerate(flat) if type(n) not in (int, float, type(None)))
        raise UserError(f"{where}.keypoints[{at}]: {flat[at]!r}, expected a finite number")
    table = np.array(flat, dtype=np.float64).reshape(count, -1)
    if table.shape[1] == 2:
        table = np.column_stack([table, np.where(table.any(axis=1), 2.0, 0.0)])
    return table


def sound_annotation(record: Record, points: Floats, done: Counter[str]) -> Record:
    """The record with sound keypoints, box and area; ``done`` counts what was made up."""
    lost: NDArray[np.bool_] = ~np.isfinite(points.sum(axis=1))
    if lost.any():
        done["null"] += 1
        points = np.where(lost[:, None], 0.0, points)
    labelled = points[:, 2] > 0
    box = _numbers_of(record.get("bbox"), 4)
    if box is None or min(box[2:]) <= 0:
        box = [0.0, 0.0, 0.0, 0.0]
        if labelled.any():
            done["box"] += 1
            low, high = points[labelled, :2].min(axis=0), points[labelled, :2].max(axis=0)
            box = [*low.tolist(), *(high - low).tolist()]
    area = _numbers_of([record.get("area")], 1)
    if area is None or area[0] <= 0:
        area = [BOX_TO_AREA * box[2] * box[3]]
        done["area"] += bool(labelled.any())
    v = np.clip(np.ceil(points[:, 2]), 0, 2)
    return {
        **record,
        "keypoints": np.column_stack([points[:, :2], v]).ravel().tolist(),
        "bbox": box,
        "area": area[0],
        "iscrowd": int(is_crowd(record.get("iscrowd"))),
    }


def _numbers_of(value: Any, length: int) -> list[float] | None:
    """That many finite numbers, or None."""
    if not isinstance(value, list) or len(value) != length:
        return None
    if not set(map(type, value)) <= {int, float} or not all(map(math.isfinite, value)):
        return None
    return value


def _annotation_ids(records: Sequence[Record], places: Sequence[int], path: Path) -> list[int]:
    """The annotations' ids where all are whole numbers, else numbers from 1 on."""
    ids = [record.get("id") for record in records]
    if not all(_is_whole(number) for number in ids):
        return list(range(1, len(ids) + 1))
    seen: set[Any] = set()
    for number, place in zip(ids, places):
        if number in seen:
            raise UserError(f"{path}: annotations[{place}].id: {number} is used twice")
        seen.add(number)
    return [int(number) for number in ids if number is not None]

"""YOLO-pose, as Ultralytics reads it: ``data.yaml``, and a text file of people by each picture."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.coco.categories import is_person
from spinetrack_synth.coco.keypoint_names import ORDERS, canonical_name, is_names, taken_for
from spinetrack_synth.coco.normalizing import BOX_TO_AREA
from spinetrack_synth.coco.writing import Record
from spinetrack_synth.curation.folders import FreeNames, place
from spinetrack_synth.curation.samples import Remarks, Sample, Split, picture_size
from spinetrack_synth.errors import UserError

DATA: Final = "data.yaml"
ROLES: Final = ("train", "val", "test")
PICTURES: Final = frozenset(
    f".{ending}" for ending in "bmp dng heic jpeg jpg mpo pfm png tif tiff webp".split()
)
"""Endings of what Ultralytics takes for pictures."""

DIGITS: Final = 12
"""Of shares of the picture: so that pixels come back to the sixth place in any picture."""
PLACES: Final = 6
LARGEST_SHARE: Final = 2.0
"""No box reaches farther beyond its picture; what is larger is in pixels."""

_HELD: Final = {
    "pictures": frozenset({"id", "file_name", "width", "height"}),
    "people": frozenset(
        {"id", "image_id", "category_id", "keypoints", "num_keypoints", "bbox", "iscrowd"}
    ),
}
"""Fields that come back, and those that are made anew."""


def write_yolo(root: Path, splits: Sequence[Split], remarks: Remarks, *, copy: bool) -> None:
    """Write splits of one skeleton below ``root``; what has no place there is remarked."""
    lost: dict[str, dict[str, None]] = {"pictures": {}, "people": {}}
    classes = _classes(splits)
    for split in splits:
        numbers = {
            category["id"]: classes.index(_class(category)) if len(classes) > 1 else 0
            for category in split.categories
        }
        names = FreeNames(flat=True)
        for sample in split.samples():
            name = names.free(sample.image["file_name"])
            if name != sample.image["file_name"]:
                remarks.count("pictures are renamed: folders in names, or endings that differ")
            place(sample.picture, root / "images" / split.name / name, copy=copy)
            text = root / "labels" / split.name / Path(name).with_suffix(".txt")
            text.parent.mkdir(parents=True, exist_ok=True)
            text.write_text("".join(_lines(sample, numbers, remarks)))
            _note_lost(lost["pictures"], [sample.image], _HELD["pictures"])
            _note_lost(lost["people"], sample.people, _HELD["people"])
    _write_data(root / DATA, splits, classes, remarks)
    for kind, fields in lost.items():
        if fields:
            remarks.say(f"YOLO-pose has no place for these fields of {kind}: {', '.join(fields)}")
    heads = [name for name in ("info", "licenses") if any(getattr(s, name) for s in splits)]
    if heads:
        remarks.say(f"YOLO-pose has no place for {' and '.join(heads)}")


def _note_lost(lost: dict[str, None], records: Sequence[Record], held: frozenset[str]) -> None:
    for record in records:
        lost.update(dict.fromkeys(field for field in record if field not in held))


def _classes(splits: Sequence[Split]) -> list[str]:
    """The classes of all splits: where each has one, the first split's name for it."""
    if all(len(split.categories) == 1 for split in splits):
        return [_class(splits[0].categories[0])]
    return list(dict.fromkeys(_class(each) for split in splits for each in split.categories))


def _class(category: Record) -> str:
    return str(category.get("name", "person"))


def _lines(sample: Sample, classes: Mapping[Any, int], remarks: Remarks) -> Iterator[str]:
    """A line a person: class, box and points as shares of the picture."""
    width, height = picture_size(sample)
    for person in sample.people:
        if person.get("iscrowd"):
            remarks.count("crowds are left out: YOLO-pose has none")
            continue
        x, y, wide, high = person["bbox"]
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + wide, width), min(y + high, height)
        if right <= left or bottom <= top:
            remarks.count("people are left out: their box lies outside of the picture")
            continue
        inside = (left, top, right, bottom) == (x, y, x + wide, y + high)
        remarks.count("boxes reach beyond their picture: cut at its edge", not inside)
        if not inside:
            x, y, wide, high = left, top, right - left, bottom - top
        shares = [(x + wide / 2) / width, (y + high / 2) / height, wide / width, high / height]
        points = person["keypoints"]
        words = [str(classes.get(person.get("category_id"), 0)), *map(_share, shares)]
        for px, py, v in zip(points[::3], points[1::3], points[2::3]):
            if not (0 <= px <= width and 0 <= py <= height):
                remarks.count("points outside of their picture become not labelled", v > 0)
                px, py, v = 0, 0, 0
            words += [_share(px / width), _share(py / height), str(int(v))]
        yield " ".join(words) + "\n"


def _share(value: float) -> str:
    return f"{value:.{DIGITS}g}"


def _write_data(
    path: Path, splits: Sequence[Split], classes: Sequence[str], remarks: Remarks
) -> None:
    names = list(splits[0].categories[0]["keypoints"])
    folders = _roles(splits)
    if "val" not in folders:
        folders["val"] = folders["train"]
        remarks.say(
            "data.yaml: there is no split val, so that it names train's pictures, for Ultralytics "
            "asks for one (`spinetrack-synth split` makes one)"
        )
    lines = [
        *(f"{role}: {json.dumps(folders[role])}" for role in ROLES if role in folders),
        "",
        f"kpt_shape: [{len(names)}, 3]",
        f"flip_idx: {json.dumps(flip_index(names))}",
        "",
        "names:",
        *(f"  {number}: {json.dumps(name)}" for number, name in enumerate(classes)),
        "kpt_names:",
        *(f"  {number}: {json.dumps(names)}" for number in range(len(classes))),
    ]
    path.write_text("\n".join(lines) + "\n")


def _roles(splits: Sequence[Split]) -> dict[str, str]:
    """The folders of pictures by what Ultralytics uses them for; what no name tells is trained
    on."""
    found: dict[str, list[str]] = {}
    for split in splits:
        told = [role for role in ROLES if split.name.startswith(role)]
        found.setdefault((told or ["train"])[0], []).append(f"images/{split.name}")
    found.setdefault("train", next(iter(found.values())))
    return {role: each[0] if len(each) == 1 else each for role, each in found.items()}  # type: ignore[misc]


def flip_index(names: Sequence[str]) -> list[int]:
    """For each keypoint the place of its mirror twin, itself on the midline."""
    canonical = [canonical_name(name) for name in names]
    other = {"left": "right", "right": "left"}
    twins = []
    for place_, name in enumerate(canonical):
        side, _, part = name.partition("_")
        twin = f"{other[side]}_{part}" if side in other else name
        twins.append(canonical.index(twin) if twin in canonical else place_)
    return twins


@dataclass(frozen=True)
class _Data:
    """What a ``data.yaml`` says: pictures by split, keypoints and their dimensions, classes;
    ``notes`` is what it does not say, and what is made of that."""

    path: Path
    pictures: Mapping[str, Sequence[Path]]
    names: tuple[str, ...]
    dimensions: int
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def read_yolo(path: Path) -> list[Split]:
    """The splits of a ``data.yaml``. Raises UserError where it is none of pose, and, as pictures
    are taken, at the first line that cannot be used."""
    data = _read_data(path)
    categories = [
        {"id": number, "name": name, "supercategory": name, "keypoints": list(data.names)}
        for number, name in enumerate(data.classes, 1)
    ]
    return [
        Split(name, path, categories, _Samples(data, pictures), len(pictures), notes=data.notes)
        for name, pictures in data.pictures.items()
    ]


@dataclass(frozen=True)
class _Samples:
    """The pictures of a split and their text files, read anew at every call."""

    data: _Data
    pictures: Sequence[Path]

    def __call__(self) -> Iterator[Sample]:
        person_id = 1
        names = FreeNames()
        for image_id, picture in enumerate(self.pictures, 1):
            image: Record = {"id": image_id, "file_name": names.free(_below_images(picture))}
            width, height = picture_size(Sample(image | {"file_name": str(picture)}, [], picture))
            image |= {"width": width, "height": height}
            people = []
            for person in _people(_labels_of(picture), self.data, width, height):
                people.append({"id": person_id, "image_id": image_id, **person})
                person_id += 1
            yield Sample(image, people, picture)


def _below_images(picture: Path) -> str:
    """The name of a picture without the folders of its split."""
    parts = picture.parts
    last = max((k for k, part in enumerate(parts[:-1]) if part == "images"), default=None)
    if last is None:
        return picture.name
    below = parts[last + 1 :]
    return "/".join(below[1:] if len(below) > 1 else below)


def _labels_of(picture: Path) -> Path:
    """The text file of a picture: ``labels`` in place of the last ``images``."""
    parts = list(picture.parts)
    for place_ in range(len(parts) - 2, -1, -1):
        if parts[place_] == "images":
            parts[place_] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _people(path: Path, data: _Data, width: int, height: int) -> Iterator[Record]:
    if not path.is_file():  # a picture of nobody
        return
    expected = 5 + len(data.names) * data.dimensions
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words:
            continue
        where = f"{path}:{number}"
        if len(words) != expected:
            raise UserError(
                f"{where}: {len(words)} values, expected {expected} (class, box, "
                f"{len(data.names)} x {data.dimensions})"
            )
        try:
            values = [float(word) for word in words]
        except ValueError as error:
            raise UserError(f"{where}: {error}") from error
        wrong = next((word for word, value in zip(words, values) if not math.isfinite(value)), None)
        if wrong is not None:
            raise UserError(f"{where}: {wrong}, expected a finite number")
        if max(values[1:5]) > LARGEST_SHARE:
            raise UserError(
                f"{where}: box {' '.join(words[1:5])}, expected shares of the picture, 0 to 1"
            )
        if values[0] not in range(len(data.classes)):
            raise UserError(f"{where}: class {words[0]}, expected 0 to {len(data.classes) - 1}")
        yield _person(values, data.dimensions, width, height)


def _person(values: Sequence[float], dimensions: int, width: int, height: int) -> Record:
    x, y, wide, high = values[1] * width, values[2] * height, values[3] * width, values[4] * height
    keypoints: list[float] = []
    for at in range(5, len(values), dimensions):
        px, py = values[at], values[at + 1]
        told = (px, py) != (0, 0) and min(px, py) >= 0
        v = min(max(math.ceil(values[at + 2]), 0), 2) if dimensions == 3 else 2 * told
        keypoints += [round(px * width, PLACES), round(py * height, PLACES), v]
    box = [round(side, PLACES) for side in (x - wide / 2, y - high / 2, wide, high)]
    return {
        "category_id": int(values[0]) + 1,
        "iscrowd": 0,
        "num_keypoints": sum(v > 0 for v in keypoints[2::3]),
        "keypoints": keypoints,
        "bbox": box,
        "area": round(BOX_TO_AREA * box[2] * box[3], 3),
    }


def _read_data(path: Path) -> _Data:
    import yaml

    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a YAML file: {' '.join(str(error).split())}") from error
    shape = told.get("kpt_shape") if isinstance(told, dict) else None
    if not (isinstance(shape, list) and len(shape) == 2 and shape[1] in (2, 3)):
        raise UserError(f"{path}: kpt_shape: {shape!r}, expected [keypoints, 2 or 3]: is it pose?")
    classes = told.get("names") or {0: "person"}
    classes = tuple(map(str, _listed(classes.values() if isinstance(classes, dict) else classes)))
    notes: list[str] = []
    pictures = _pictures(told, path, notes)
    names = _names(told, shape[0], classes, path, notes)
    return _Data(path, pictures, names, shape[1], classes, tuple(notes))


def _names(
    told: Mapping[str, Any], count: int, classes: Sequence[str], path: Path, notes: list[str]
) -> tuple[str, ...]:
    """The keypoints' names: told by class, as Ultralytics has them, or by their number, where
    neither the classes nor their mirror twins say otherwise."""
    named = told.get("kpt_names")
    lists = list(named.values()) if isinstance(named, dict) else named
    first = lists if is_names(lists) else lists[0] if isinstance(lists, list) and lists else None
    if first is not None:
        if not is_names(first) or len(first) != count:
            what = f"{len(first)} names" if is_names(first) else repr(first)
            raise UserError(f"{path}: kpt_names: {what}, expected {count} (kpt_shape)")
        return tuple(first)
    known = ORDERS.get(count)
    twins = told.get("flip_idx")
    mirrored = isinstance(twins, list) and twins != list(range(len(twins)))  # Roboflow writes those
    if (
        known is None
        or (mirrored and twins != flip_index(known))
        or not all(is_person({"name": name}, known) for name in classes)
    ):
        raise UserError(
            f"{path}: {count} keypoints whose order is not known; name them in kpt_names"
        )
    notes.append(taken_for(str(path), known, "kpt_names"))
    return known


def _pictures(told: Mapping[str, Any], path: Path, notes: list[str]) -> dict[str, list[Path]]:
    """The pictures by split; what names the pictures of a split before is no split of its own, and
    a test that is not there, as Roboflow may name it, is noted."""
    base = path.parent
    if told.get("path") and (base / str(told["path"])).is_dir():
        base = base / str(told["path"])
    found: dict[str, list[Path]] = {}
    for role in ROLES:
        value = told.get(role) or (told.get("validation") if role == "val" else None)
        if not value:
            continue
        sources = [_source(base, str(each)) for each in _listed(value)]
        if None in sources:
            what = f"{path}: {role}: {_listed(value)[sources.index(None)]}: no such folder or file"
            if role != "test":
                raise UserError(f"{what} in {base}")
            notes.append(f"{what}: left out")
            continue
        pictures = [picture for source in sources if source for picture in _in(source, base)]
        if pictures and pictures not in found.values():
            found[role] = pictures
            if not any(_labels_of(picture).is_file() for picture in pictures):
                raise UserError(
                    f"{path}: {role}: no picture has a text file of people; that of {pictures[0]} "
                    f"would be {_labels_of(pictures[0])}"
                )
    if not found:
        raise UserError(f"{path}: names no pictures that are there (train, val, test)")
    return found


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Collection) and not isinstance(value, str) else [value]


def _source(base: Path, value: str) -> Path | None:
    """Roboflow writes ``../train/images`` for what is beside the file."""
    candidates = (base / value, base / value.removeprefix("../"))
    return next((candidate for candidate in candidates if candidate.exists()), None)


def _in(source: Path, base: Path) -> list[Path]:
    if source.is_dir():
        return sorted(p for p in source.rglob("*") if p.suffix.lower() in PICTURES)
    lines = [line.strip() for line in source.read_text().splitlines() if line.strip()]
    parent = source.parent
    pictures = [parent / line if line.startswith("./") else base / line for line in lines]
    missing = next((picture for picture in pictures if not picture.is_file()), None)
    if missing is not None:
        raise UserError(f"{source}: there is no picture {missing}")
    return pictures

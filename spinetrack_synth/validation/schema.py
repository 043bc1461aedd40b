"""Rules of the schema: fields, types, lengths (SPT10x, SPT11x)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, TypeGuard

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.camera import Camera
from spinetrack_synth.coco.document import Floats, rows_where
from spinetrack_synth.coco.values import (
    as_float,
    flat_points,
    in_threes,
    is_not_finite,
    is_number,
    is_numbers,
    kind_of,
    shown,
)
from spinetrack_synth.distortion import Distortion
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity, mild
from spinetrack_synth.validation.rules import rule

SECTIONS: Final = ("images", "annotations", "categories")

REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "images": ("id", "file_name", "width", "height"),
    "annotations": (
        "id", "image_id", "category_id", "keypoints", "num_keypoints", "bbox", "area", "iscrowd",
    ),
    "categories": ("id", "name"),
}  # fmt: skip
"""What pycocotools reads, field by field: without any of them evaluation ends in a KeyError."""
EVALUATED: Final = ("num_keypoints", "bbox", "area", "iscrowd")
"""Of these, what evaluation reads and loading does not: a file may do without all of one."""
KINDS: Final = {"caption": "captions", "segments_info": "panoptic segments", "bbox": "objects"}
"""What a file without keypoints is one of, by a field of its annotations."""

RARE: Final = 0.1
SEVERAL: Final = 5
"""What nine of ten records of a file do is its convention, if there are several."""
LEAST_FOCAL: Final = 0.1
"""Focal length in the longer sides of the picture: 157 degrees across."""
OFF_CENTRE: Final = 0.02

WHOLE: Final = ("id", "image_id", "category_id", "width", "height", "license", "num_keypoints")
TEXTS: Final = ("file_name", "name")
LISTS: Final = ("keypoints", "bbox")


def records(dataset: Dataset, section: str) -> list[Any]:
    """The records of a section as they stand in the file, objects or not."""
    return dataset.section(section)


def fault_at(
    dataset: Dataset, section: str, row: int, message: str, field: str = "", value: Any = None
) -> Fault:
    """A fault of a record of any section."""
    if section == "annotations":
        return dataset.annotation_fault(row, message, field=field, value=value)
    if section == "images":
        return dataset.image_fault(row, message, field=field, value=value)
    if section == "categories":
        return dataset.category_fault(row, message, field=field, value=value)
    place = f"{section}[{row}]"
    return Fault(place + field, place, message, value)


@rule(
    "SPT101",
    "section-missing",
    family="schema",
    severity=Severity.ERROR,
    reason="""A COCO file is an object with three lists: images, annotations, categories. Without
    one of them there is nothing to train or to evaluate.""",
    example='`{"images": [...], "annotations": {...}}`',
)
def section_missing(dataset: Dataset) -> Iterator[Fault]:
    """One of images, annotations and categories is missing or no list. Optional sections of the
    wrong type are told too."""
    for name in SECTIONS:
        value = dataset.data.get(name)
        if name not in dataset.data:
            yield dataset.file_fault("missing, expected a list", place=name)
        elif not isinstance(value, list):
            yield dataset.file_fault(f"{kind_of(value)}, expected a list", place=name)
        elif not value:
            yield dataset.file_fault("empty: there is nothing in this dataset", place=name)
    for name, wanted in (("info", dict), ("licenses", list)):
        value = dataset.data.get(name)
        if value not in (None, "") and not isinstance(value, wanted):
            kind = "an object" if wanted is dict else "a list"
            yield mild(dataset.file_fault(f"{kind_of(value)}, expected {kind}", place=name))


@rule(
    "SPT102",
    "record-not-object",
    family="schema",
    severity=Severity.ERROR,
    reason="Every image, annotation, category and licence is an object with named fields.",
    example='`"annotations": [null, {...}]`',
)
def record_not_object(dataset: Dataset) -> Iterator[Fault]:
    """A record is a number, a text, a list or null instead of an object."""
    for section in (*REQUIRED, "licenses"):
        for row, record in enumerate(records(dataset, section)):
            if not isinstance(record, dict):
                fault = fault_at(dataset, section, row, f"{kind_of(record)}, expected an object")
                yield mild(fault) if section == "licenses" else fault


@rule(
    "SPT103",
    "field-missing",
    family="schema",
    severity=Severity.ERROR,
    reason="""pycocotools and every training pipeline read these fields without asking; the
    missing one ends the run with a KeyError hours later.""",
    example="an annotation without `iscrowd`",
)
def field_missing(dataset: Dataset) -> Iterator[Fault]:
    """A record lacks a field that readers rely on. A warning where all annotations do without a
    field that only evaluation reads."""
    without = _never_there(dataset)
    if "keypoints" in without and not any("keypoints" in c for c in dataset.categories):
        kinds = [kind for field, kind in KINDS.items() if field not in without]
        kind = f": a file of {kinds[0]}" if kinds else ""
        message = f"none of {len(dataset.annotations)} has keypoints{kind}, which is not judged"
        yield dataset.file_fault(message, place="annotations")
        return
    for name in EVALUATED:
        if name in without:
            message = f"none of {len(dataset.annotations)} has {name}: training may do without, "
            message += "evaluation with pycocotools ends in a KeyError"
            yield mild(dataset.file_fault(message, place="annotations"))
    for section, names in REQUIRED.items():
        for row, record in enumerate(records(dataset, section)):
            if isinstance(record, dict):
                lost = [
                    name
                    for name in names
                    if name not in record
                    and not (section == "annotations" and name in without & set(EVALUATED))
                    and not _excused(dataset, section, row, name)
                ]
                if lost:
                    close = _misspelt(record, lost[0])
                    hint = f"; is {shown(close)} meant?" if close else ""
                    verb = "is" if len(lost) == 1 else "are"
                    message = f"{', '.join(lost)} {verb} missing{hint}"
                    yield fault_at(dataset, section, row, message)
    categories = records(dataset, "categories")
    if categories and not any("keypoints" in c for c in dataset.categories):
        message = "no category names its keypoints: without names nothing can be said of them"
        yield mild(dataset.file_fault(message, place="categories"))


def _never_there(dataset: Dataset) -> set[str]:
    """The required fields, and those of other kinds of files, that no annotation has."""
    wanted = {*REQUIRED["annotations"], *KINDS} if any(dataset.annotations) else set()
    for annotation in dataset.annotations:
        wanted = wanted - annotation.keys()
    return wanted


def _excused(dataset: Dataset, section: str, row: int, name: str) -> bool:
    """An annotation of a category without keypoints needs none."""
    if section != "annotations" or name not in ("keypoints", "num_keypoints"):
        return False
    category = int(dataset.category_row[row])
    other = category >= 0 and "keypoints" not in dataset.categories[category]
    return other and any("keypoints" in c for c in dataset.categories)


def _misspelt(record: dict[str, Any], name: str) -> str | None:
    """A field that differs from the wanted one by case, hyphens or a plural."""
    wanted = name.replace("_", "").rstrip("s")
    for key in record:
        if key.replace("_", "").replace("-", "").lower().rstrip("s") == wanted:
            return key
    return None


@rule(
    "SPT104",
    "field-type",
    family="schema",
    severity=Severity.ERROR,
    reason="""Ids of another type match by accident or not at all: 7.0 finds 7 in Python and
    nothing in C++, true is 1, and "7" is nobody.""",
    example='`"id": "4711"`, `"width": 640.0`, `"category_id": true`',
)
def field_type(dataset: Dataset) -> Iterator[Fault]:
    """A field has the wrong type. A warning where all keypoints are lists of three, and for the
    number of a licence."""
    threes = [row for row, a in enumerate(dataset.annotations) if in_threes(a.get("keypoints"))]
    nested = len(threes) > len(dataset.annotations) / 2
    if nested:
        message = f"the keypoints of {len(threes)} of {len(dataset.annotations)} are lists of "
        message += "three, [[x, y, v], ...]; COCO has one flat list, and so has pycocotools"
        yield mild(dataset.file_fault(message, place="annotations.keypoints", value=len(threes)))
    for section in REQUIRED:
        rows = records(dataset, section)
        wrong = [
            (row, name, message)
            for row, record in enumerate(rows)
            if isinstance(record, dict)
            for name, message in _wrong_types(section, record, nested)
        ]
        everywhere = Counter(name for _, name, _ in wrong)
        told: set[str] = set()
        for row, name, message in wrong:
            if everywhere[name] < max(len(rows), SEVERAL):
                fault = fault_at(dataset, section, row, message, f".{name}")
                yield mild(fault) if name == "license" else fault
            elif name not in told:
                told.add(name)
                message += f"; so are all {len(rows)}"
                yield dataset.file_fault(message, place=f"{section}.{name}", value=len(rows))


def _wrong_types(section: str, record: dict[str, Any], nested: bool) -> Iterator[tuple[str, str]]:
    for name in WHOLE:
        if name == "license" and record.get(name) in (None, ""):
            continue  # no licence, which SPT903 tells of
        if name == "num_keypoints" and _is_whole(record.get(name)):
            continue  # 17.0 counts as well as 17
        # NaN and infinity are told by SPT004.
        if name in record and type(record[name]) is not int and not is_not_finite(record[name]):
            yield name, f"{shown(record[name])}, expected a whole number"
    for name in TEXTS:
        if name in record and not (isinstance(record[name], str) and record[name].strip()):
            yield name, f"{shown(record[name])}, expected a text"
    if section != "annotations":
        return
    for name in LISTS:
        value = record.get(name, [])
        if not isinstance(value, list):
            yield name, f"{shown(value)}, expected a list of numbers"
        elif nested and in_threes(value):
            continue
        elif not is_numbers(value):
            bad = next(index for index, number in enumerate(value) if not is_number(number))
            more = sum(not is_number(number) for number in value) - 1
            others = f" ({more} more)" if more else ""
            yield f"{name}[{bad}]", f"{shown(value[bad])}, expected a number{others}"
    if "area" in record and not is_number(record["area"]):
        yield "area", f"{shown(record['area'])}, expected a number"


def _is_whole(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()


@rule(
    "SPT105",
    "keypoints-length",
    family="schema",
    severity=Severity.ERROR,
    reason="""K keypoints are 3 K numbers. One number too few shifts every later point by one, and
    x becomes y.""",
    example="110 numbers for 37 keypoints",
    unless=("SPT104",),
)
def keypoints_length(dataset: Dataset) -> Iterator[Fault]:
    """The list of keypoints has not three numbers for each name."""
    for row, annotation in enumerate(dataset.annotations):
        value = flat_points(annotation.get("keypoints"))
        count = dataset.expected_points(row)
        if isinstance(value, list) and count is not None and len(value) != 3 * count:
            message = f"{len(value)} values, expected {3 * count} ({count} x 3)"
            yield dataset.annotation_fault(row, message, field=".keypoints", value=len(value))


@rule(
    "SPT110",
    "iscrowd",
    family="schema",
    severity=Severity.ERROR,
    reason="""`iscrowd` decides whether a person is scored or ignored. Only 0 and 1 mean
    something; true, "0" and 2 are read differently by every tool.""",
    example='`"iscrowd": 2`',
)
def iscrowd(dataset: Dataset) -> Iterator[Fault]:
    """`iscrowd` is neither 0 nor 1, nor true and false throughout."""
    if all(isinstance(a.get("iscrowd", False), bool) for a in dataset.annotations):
        return  # every reader takes them for 0 and 1
    for row, annotation in enumerate(dataset.annotations):
        if "iscrowd" in annotation:
            value = annotation["iscrowd"]
            if not (type(value) is int and value in (0, 1)) and not is_not_finite(value):
                message = f"{shown(value)}, expected 0 or 1"
                yield dataset.annotation_fault(row, message, field=".iscrowd")


@rule(
    "SPT111",
    "box-not-four-numbers",
    family="schema",
    severity=Severity.ERROR,
    reason="A box is x, y, width and height, in pixels.",
    example='`"bbox": [10, 20, 30]`',
)
def box_not_four_numbers(dataset: Dataset) -> Iterator[Fault]:
    """A box has not four numbers."""
    for row, annotation in enumerate(dataset.annotations):
        value = annotation.get("bbox")
        if isinstance(value, list) and len(value) != 4:
            message = f"{len(value)} values, expected 4 (x, y, width, height)"
            yield dataset.annotation_fault(row, message, field=".bbox", value=len(value))


@rule(
    "SPT112",
    "image-size-not-positive",
    family="schema",
    severity=Severity.ERROR,
    reason="An image has at least one pixel; boxes and masks are measured against its size.",
    example='`"width": 0`',
)
def image_size_not_positive(dataset: Dataset) -> Iterator[Fault]:
    """The width or height of an image is not a positive number of pixels."""
    for row, image in enumerate(dataset.images):
        for side in ("width", "height"):
            value = image.get(side)
            if type(value) is int and not 0 < value < 10**6:
                message = f"{shown(value)}, expected a positive number of pixels"
                yield dataset.image_fault(row, message, field=f".{side}", value=_small(value))


@rule(
    "SPT113",
    "camera",
    family="schema",
    severity=Severity.ERROR,
    reason="""Images that carry their camera promise that 3D and pixels agree. `K` is 3 x 3 in
    pixels, focal lengths above zero and the principal point in the picture, `world2cam` 4 x 4 and
    rigid, and a lens's `distortion` one that does not fold the picture.""",
    example="a `world2cam` whose rotation mirrors, or the `K` of a picture of half the size",
    unless=("SPT004", "SPT112", "SPT305", "SPT322", "SPT603"),
)
def camera(dataset: Dataset) -> Iterator[Fault]:
    """The camera of an image is none, not that of a picture of this size, or missing while the
    other images have one."""
    for name, size in (("K", 3), ("world2cam", 4)):
        rows = [row for row, image in enumerate(dataset.images) if name in image]
        matrices = np.full((len(rows), size, size), np.nan)
        for number, row in enumerate(rows):
            value = dataset.images[row][name]
            if _is_matrix(value, size):
                matrices[number] = [[as_float(n) for n in line] for line in value]
            else:
                message = f"expected {size} rows of {size} numbers"
                yield dataset.image_fault(row, message, field=f".{name}")
        without = [row for row, image in enumerate(dataset.images) if image and name not in image]
        if len(without) <= RARE * len(dataset.images) + 1 < len(rows):
            for row in without:
                message = f"no {name}, the other images have one"
                yield dataset.image_fault(row, message, field=f".{name}")
        usable = np.isfinite(matrices).all((1, 2))
        good = _pinhole(matrices) if size == 3 else _rigid(matrices)
        for faulty in rows_where(usable & ~good):
            message = (
                "no pinhole camera: focal lengths above 0, last row 0 0 1"
                if size == 3
                else "not rigid: expected a rotation without mirror, last row 0 0 0 1"
            )
            yield dataset.image_fault(rows[faulty], message, field=f".{name}")
        if size == 3:
            for number, message in _odd_pinholes(
                matrices, dataset.image_sizes[rows], usable & good
            ):
                yield dataset.image_fault(rows[number], message, field=f".{name}")
    for row, image in enumerate(dataset.images):
        problem = _odd_lens(image) if image and "distortion" in image else None
        if problem:
            yield dataset.image_fault(row, problem, field=".distortion")


def _odd_lens(image: dict[str, Any]) -> str | None:
    """What is wrong with the distortion of an image's record; None for nothing, or another
    model."""
    try:
        distortion = Distortion.of_record(image["distortion"])
        if distortion is not None and _is_matrix(image.get("K"), 3):
            K = np.array(image["K"], dtype=float)
            Camera(K, np.eye(4), int(image["width"]), int(image["height"]), distortion)
    except ValueError as error:
        return str(error)
    except (KeyError, TypeError, OverflowError, np.linalg.LinAlgError):
        return None  # told of K or the image's size
    return None


def _is_matrix(value: object, size: int) -> TypeGuard[list[list[Any]]]:
    return (
        isinstance(value, list)
        and len(value) == size
        and all(is_numbers(line) and len(line) == size for line in value)
    )


def _odd_pinholes(
    matrices: Floats, sizes: Floats, good: NDArray[np.bool_]
) -> Iterator[tuple[int, str]]:
    """Cameras (M, 3, 3) that are not of pictures of their size (M, 2), or unlike the others."""
    focal, centre = matrices[:, [0, 1], [0, 1]], matrices[:, :2, 2]
    longer = sizes.max(1, initial=0.0)
    outside = good & ((centre < 0) | (centre >= sizes)).any(1)
    short = good & (focal.min(1) < LEAST_FOCAL * longer)
    unlike = {
        "the principal point is not in the middle, as in the other images": (
            np.abs(centre / sizes - 0.5).max(1) > OFF_CENTRE
        ),
        "it has a skew, those of the other images have none": (
            np.abs(matrices[:, 0, 1]) > 1e-6 * focal[:, 0]
        ),
        "the two focal lengths differ, as in no other image": (
            np.abs(focal[:, 0] / focal[:, 1] - 1) > 1e-3
        ),
    }
    told = np.zeros(len(matrices), dtype=bool)
    for number in rows_where(short | outside):
        told[number] = True
        yield (
            number,
            "not of this picture: "
            + (
                f"a focal length of {focal[number].min():.4g} px"
                if short[number]
                else "the principal point ({:.6g}, {:.6g}) lies outside".format(*centre[number])
            ),
        )
    for message, odd in unlike.items():
        if (good & odd).sum() <= RARE * good.sum() + 1 and good.sum() >= SEVERAL:
            for number in rows_where(good & odd & ~told):
                told[number] = True
                yield number, message


def _pinhole(matrices: Floats) -> NDArray[np.bool_]:
    last = np.abs(matrices[:, 2] - [0, 0, 1]).max(1, initial=0) < 1e-6
    pinhole: NDArray[np.bool_] = (matrices[:, 0, 0] > 0) & (matrices[:, 1, 1] > 0) & last
    return pinhole


def _rigid(matrices: Floats) -> NDArray[np.bool_]:
    rotation = np.nan_to_num(np.clip(matrices[:, :3, :3], -1e3, 1e3))
    product = rotation @ rotation.transpose(0, 2, 1)
    rigid: NDArray[np.bool_] = np.abs(product - np.eye(3)).max((1, 2), initial=0) < 1e-4
    last: NDArray[np.bool_] = np.abs(matrices[:, 3] - [0, 0, 0, 1]).max(1, initial=0) < 1e-6
    proper: NDArray[np.bool_] = np.linalg.det(rotation) > 0
    return rigid & proper & last


def _small(value: int) -> int | None:
    return value if abs(value) < 2**53 else None

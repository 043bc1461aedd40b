"""Rules of identity: ids, file names, references (SPT2xx)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from spinetrack_synth.coco.document import rows_where
from spinetrack_synth.coco.values import plain, shown
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity
from spinetrack_synth.validation.ground_truth import truth_of
from spinetrack_synth.validation.rules import rule
from spinetrack_synth.validation.schema import fault_at

LARGEST_ID: Final = 2**53
"""Beyond, doubles no longer tell neighbours apart."""
PICTURE_SUFFIXES: Final = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".jp2",
    ".heic", ".heif", ".avif", ".jxl", ".ppm", ".pgm", ".pnm", ".tga", ".exr", ".hdr", ".dng",
)  # fmt: skip
MOST: Final = 0.9
"""What nine of ten images of a file do is its convention."""
SEVERAL: Final = 5


@rule(
    "SPT201",
    "id-used-twice",
    family="identity",
    severity=Severity.ERROR,
    reason="""Readers index by id: the later record silently replaces the earlier one, and
    evaluation matches one of them twice (TACO issue 46).""",
    example="two annotations with id 4711",
)
def id_used_twice(dataset: Dataset) -> Iterator[Fault]:
    """Two records of a section have the same id."""
    for section in ("images", "annotations", "categories", "licenses"):
        first: dict[int | str, int] = {}
        for row, record in enumerate(dataset.section(section)):
            value = record.get("id") if isinstance(record, dict) else None
            if (
                isinstance(value, int | str)
                and type(value) is not bool
                and first.setdefault(value, row) != row
            ):
                message = f"{shown(value)} is the id of {section}[{first[value]}] too"
                yield fault_at(dataset, section, row, message, ".id")


@rule(
    "SPT202",
    "image-unknown",
    family="identity",
    severity=Severity.ERROR,
    reason="An annotation that refers to no image is never seen by training, only by counts.",
    example="`image_id` 999 where no image has that id",
)
def image_unknown(dataset: Dataset) -> Iterator[Fault]:
    """An annotation's `image_id` is no image of the file."""
    yield from _unknown(dataset, "image_id", "images", dataset.image_row, "image")


@rule(
    "SPT203",
    "category-unknown",
    family="identity",
    severity=Severity.ERROR,
    reason="The category says what the keypoints are called; without it they mean nothing.",
    example="`category_id` 2 where only 1 exists",
)
def category_unknown(dataset: Dataset) -> Iterator[Fault]:
    """An annotation's `category_id` is no category of the file, or one without keypoints."""
    yield from _unknown(dataset, "category_id", "categories", dataset.category_row, "category")
    for row, annotation in enumerate(dataset.annotations):
        category = int(dataset.category_row[row])
        if (
            category >= 0
            and annotation.get("keypoints")
            and "keypoints" not in dataset.categories[category]
            and any("keypoints" in c for c in dataset.categories)
        ):
            message = f"{shown(annotation['category_id'])} is a category without keypoints"
            yield dataset.annotation_fault(row, message, field=".category_id")


def _unknown(dataset: Dataset, name: str, section: str, target: Any, what: str) -> Iterator[Fault]:
    if not dataset.section(section):
        return  # the missing or empty section is the fault
    dangling = [
        row
        for row in rows_where(target < 0)
        if type(dataset.annotations[row].get(name)) in (int, str)
    ]
    # A target that lost its id, or took another's, leaves its annotations behind: one fault.
    lost = dataset.section(section)
    ids = [record.get("id") for record in lost if isinstance(record, dict)]
    whole = [value for value in ids if type(value) in (int, str)]
    broken = len(lost) - len(set(whole))
    if len({dataset.annotations[row][name] for row in dangling}) <= broken:
        return
    for row in dangling:
        message = f"{shown(dataset.annotations[row][name])} is no {what} of this file"
        yield dataset.annotation_fault(row, message, field=f".{name}")


@rule(
    "SPT204",
    "licence-unknown",
    family="identity",
    severity=Severity.WARNING,
    reason="""A licence number without a licence says nothing about what may be done with the
    image.""",
    example="`license` 9 where `licenses` ends at 8",
)
def licence_unknown(dataset: Dataset) -> Iterator[Fault]:
    """An image's `license` is no licence of the file."""
    licences = dataset.section("licenses")
    # Without licences 0 is what tools write where they know of none.
    named = sum(image.get("license") not in (None, "", 0) for image in dataset.images)
    if not licences:
        if not named or dataset.data.get("licenses") not in (None, "", []):  # no list, as told
            return
        lost = "empty" if "licenses" in dataset.data else "missing"
        message = f"{lost}, but {named} images name a licence by its id"
        yield dataset.file_fault(message, place="licenses", value=named)
        return
    known = {r.get("id") for r in licences if isinstance(r, dict) and type(r.get("id")) is int}
    faulty = [
        row
        for row, image in enumerate(dataset.images)
        if type(image.get("license")) is int and image["license"] not in known
    ]
    if len({dataset.images[row]["license"] for row in faulty}) <= len(licences) - len(known):
        return
    for row in faulty:
        message = f"{shown(dataset.images[row]['license'])} is no licence of this file"
        yield dataset.image_fault(row, message, field=".license")


@rule(
    "SPT205",
    "file-name-used-twice",
    family="identity",
    severity=Severity.ERROR,
    reason="""Two records for one picture split its people: each half is trained with the other's
    people as background.""",
    example="two images called 000123.jpg",
    unless=("SPT201",),
)
def file_name_used_twice(dataset: Dataset) -> Iterator[Fault]:
    """Two images have the same file name; on some file systems also when only the case differs."""
    for row, other in _repeated_names(dataset):
        name, first = dataset.images[row]["file_name"], dataset.images[other]["file_name"]
        more = "" if first == name else f" as {plain(first)[:60]}"
        message = f"is the file of images[{other}] too{more}"
        yield dataset.image_fault(row, message, field=".file_name")


def _repeated_names(dataset: Dataset) -> Iterator[tuple[int, int]]:
    """Images whose file an earlier image has, and which."""
    first: dict[str, int] = {}
    for row, image in enumerate(dataset.images):
        name = image.get("file_name")
        if isinstance(name, str):
            plain_name = name.replace("\\", "/").removeprefix("./").casefold()
            other = first.setdefault(plain_name, row)
            if other != row:
                yield row, other


@rule(
    "SPT206",
    "path-leaves-folder",
    family="identity",
    severity=Severity.ERROR,
    reason="""File names are relative to the folder of the images. Absolute ones work on one
    machine only, and `..` reads (or, in tools that write, overwrites) files elsewhere.""",
    example="`../../etc/passwd`, `/home/me/data/1.jpg`, `C:\\data\\1.jpg`",
)
def path_leaves_folder(dataset: Dataset) -> Iterator[Fault]:
    """A file name is absolute, leaves the folder of the images, or has backslashes."""
    for row, image in enumerate(dataset.images):
        name = image.get("file_name")
        if isinstance(name, str) and name.strip():
            message = _bad_path(name)
            if message:
                yield dataset.image_fault(row, message, field=".file_name")


def _bad_path(name: str) -> str | None:
    parts = name.replace("\\", "/").split("/")
    if parts[0] == "" or (len(name) > 1 and name[1] == ":"):
        return f"{shown(name)} is absolute, expected a path below the images' folder"
    if parts[0].startswith("~") or "://" in name:
        return f"{shown(name)} is no path below the images' folder"
    if ".." in parts:
        return f"{shown(name)} leaves the images' folder"
    if "\\" in name:
        return f"{shown(name)} has backslashes, which are path separators on Windows only"
    if plain(name) != name or name != name.strip():
        return f"{shown(name)} has characters that cannot be seen"
    return None


@rule(
    "SPT207",
    "category-name-used-twice",
    family="identity",
    severity=Severity.ERROR,
    reason="Tools look categories up by name and find one of the two.",
    example="two categories called `person`",
    unless=("SPT201",),
)
def category_name_used_twice(dataset: Dataset) -> Iterator[Fault]:
    """Two categories have the same name."""
    first: dict[str, int] = {}
    for row, category in enumerate(dataset.categories):
        name = category.get("name")
        if isinstance(name, str) and first.setdefault(name, row) != row:
            message = f"{shown(name)} is the name of categories[{first[name]}] too"
            yield dataset.category_fault(row, message, field=".name")


@rule(
    "SPT208",
    "images-without-annotations",
    family="identity",
    severity=Severity.INFO,
    reason="""Images without people are fine as negatives, but a lost annotation file looks the
    same. The count lets you see which it is.""",
    example="2,693 of 5,000 images of COCO val2017 have no labelled person",
    unless=("SPT101",),
)
def images_without_annotations(dataset: Dataset) -> Iterator[Fault]:
    """Some images have no annotation."""
    used = set(dataset.image_row.tolist())
    used |= {row for row, _ in _repeated_names(dataset)}
    if dataset.truth_path is not None:  # SPT551 tells of the people who are missing there
        truth = truth_of(dataset)
        used |= {dataset.row_of_image.get(value, -1) for value in truth.image_id.tolist()}
    ids = Counter(shown(image.get("id")) for image in dataset.images)
    unused = [
        row
        for row, image in enumerate(dataset.images)
        if row not in used and image and ids[shown(image.get("id"))] == 1
    ]
    # Annotations that found no image may belong to these: that is told elsewhere.
    if dataset.annotations and len(unused) > int((dataset.image_row < 0).sum()):
        share = f"{len(unused)} of {len(dataset.images)} images have no annotation"
        named = dataset.images[unused[0]].get("file_name")
        first = f", the first is images[{unused[0]}]"
        first += f" ({plain(named)[:60]})" if isinstance(named, str) else ""
        yield dataset.file_fault(share + first, place="images", value=len(unused))


@rule(
    "SPT209",
    "annotation-id-zero",
    family="identity",
    severity=Severity.ERROR,
    reason="""pycocotools marks a matched person with its id, and 0 means unmatched: a person with
    id 0 counts as missed however good the prediction is.""",
    example='the first annotation with `"id": 0`',
)
def annotation_id_zero(dataset: Dataset) -> Iterator[Fault]:
    """An annotation's id is 0 or negative."""
    for row, annotation in enumerate(dataset.annotations):
        value = annotation.get("id")
        if type(value) is int and value <= 0:
            message = f"{shown(value)}: evaluation takes 0 for unmatched; count from 1"
            yield dataset.annotation_fault(row, message, field=".id")


@rule(
    "SPT210",
    "id-too-large",
    family="identity",
    severity=Severity.ERROR,
    reason="""pycocotools keeps ids in doubles, and JavaScript reads all numbers as such: beyond
    2^53 two neighbouring ids become one.""",
    example='`"id": 1152921504606846977`',
    unless=("SPT201",),
)
def id_too_large(dataset: Dataset) -> Iterator[Fault]:
    """An id is larger than a double can hold exactly."""
    for section in ("images", "annotations", "categories"):
        for row, record in enumerate(dataset.section(section)):
            value = record.get("id") if isinstance(record, dict) else None
            if type(value) is int and abs(value) > LARGEST_ID:
                message = f"{shown(value)}, more than a double can tell from its neighbours (2^53)"
                yield fault_at(dataset, section, row, message, ".id")


@rule(
    "SPT211",
    "file-name-no-picture",
    family="identity",
    severity=Severity.WARNING,
    reason="Readers choose the decoder by the suffix, and a folder or a text has none.",
    example="`000123.txt`, or `train/` among names that end in `.jpg`",
    unless=("SPT104", "SPT205", "SPT206"),
)
def file_name_no_picture(dataset: Dataset) -> Iterator[Fault]:
    """A file name is not that of a picture, while the others are."""
    names = [image.get("file_name") for image in dataset.images]
    other = [
        row
        for row, name in enumerate(names)
        if isinstance(name, str) and not name.strip().lower().endswith(PICTURE_SUFFIXES)
    ]
    if len(other) < len(names) / 2:
        for row in other:
            message = f"{shown(names[row])} is no name of a picture"
            yield dataset.image_fault(row, message, field=".file_name")


@rule(
    "SPT212",
    "file-name-against-id",
    family="identity",
    severity=Severity.WARNING,
    reason="""Where files are called after the ids of their images, an image with another number
    shows another picture than its annotations were made for.""",
    example="the names of images 17 and 18 exchanged: `000018.jpg` and `000017.jpg`",
    unless=("SPT103", "SPT104", "SPT201", "SPT205", "SPT206", "SPT210", "SPT211"),
)
def file_name_against_id(dataset: Dataset) -> Iterator[Fault]:
    """A file name carries another number than the image's id, or than its `coco_url`, while the
    others carry theirs."""
    yield from _other_address(dataset)
    numbers = [_number(image.get("file_name")) for image in dataset.images]
    ids = [image.get("id") for image in dataset.images]
    known = [
        row for row, value in enumerate(ids) if type(value) is int and numbers[row] is not None
    ]
    odd = [row for row in known if numbers[row] != ids[row]]
    if len(known) < SEVERAL or len(odd) > (1 - MOST) * len(known) + 2:
        return
    if len(odd) > len(known) / 2:
        return
    # An image whose id was changed leaves its annotations behind: SPT202 tells of them.
    lost = {annotation.get("image_id") for annotation in dataset.annotations if _whole(annotation)}
    lost -= set(dataset.row_of_image)
    for row in odd:
        if numbers[row] not in lost:
            message = f"{shown(dataset.images[row]['file_name'])} is not the number of the image, "
            message += f"{shown(ids[row])}, as it is for the others"
            yield dataset.image_fault(row, message, field=".file_name")


def _other_address(dataset: Dataset) -> Iterator[Fault]:
    """Images whose `coco_url` ends in another file name than their own."""
    both = [
        (row, PurePosixPath(name).name, address.rpartition("/")[2])
        for row, image in enumerate(dataset.images)
        if isinstance(name := image.get("file_name"), str)
        and isinstance(address := image.get("coco_url"), str)
    ]
    odd = [row for row, name, address in both if name != address]
    if len(both) >= SEVERAL and len(odd) <= (1 - MOST) * len(both) + 1:
        for row in odd:
            if _number(dataset.images[row]["file_name"]) == dataset.images[row].get("id"):
                message = f"{shown(dataset.images[row]['coco_url'])} is of another file"
                yield dataset.image_fault(row, message, field=".coco_url")


def _number(name: object) -> int | None:
    """The number that a file is called by."""
    stem = PurePosixPath(name).name.partition(".")[0] if isinstance(name, str) else ""
    return int(stem) if stem.isascii() and stem.isdigit() and len(stem) < 20 else None


def _whole(annotation: dict[str, Any]) -> bool:
    return type(annotation.get("image_id")) is int

"""Rules of the picture files (SPT6xx)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from spinetrack_synth.coco.picture_paths import picture_folders
from spinetrack_synth.coco.values import plain
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity, Work
from spinetrack_synth.validation.fingerprints import pictures_of
from spinetrack_synth.validation.rules import rule

SUFFIXES: Final = {
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "PNG": {".png"},
    "WEBP": {".webp"},
    "BMP": {".bmp"},
    "TIFF": {".tif", ".tiff"},
    "GIF": {".gif"},
    "MPO": {".jpg", ".jpeg"},
}


@rule(
    "SPT601",
    "picture-missing",
    family="images",
    severity=Severity.ERROR,
    reason="Training stops, or skips the image in silence, when its file is not there.",
    example="000123.jpg is listed but not in the folder",
    needs=("images",),
    unless=("SPT103", "SPT104", "SPT206"),
    slow=True,
)
def picture_missing(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """The file of an image does not exist."""
    pictures = pictures_of(dataset, work)
    missing = [row for row, picture in enumerate(pictures) if picture.path is None]
    if len(missing) == len(pictures) > 1:
        message = f"none of the {len(pictures)} pictures lies below {plain(str(dataset.pictures))}"
        yield dataset.file_fault(message, place="images", value=len(missing))
        return
    for row in missing:
        yield dataset.image_fault(row, "no such file below the images' folder", field=".file_name")


@rule(
    "SPT602",
    "picture-damaged",
    family="images",
    severity=Severity.ERROR,
    reason="""A file that is cut off or is no picture decodes to grey or stops a worker, often
    only after hours.""",
    example="a JPEG of 3 KB that should have 80",
    needs=("images",),
    slow=True,
)
def picture_damaged(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """A picture cannot be decoded."""
    for row, picture in enumerate(pictures_of(dataset, work)):
        if picture.problem:
            yield dataset.image_fault(row, f"cannot be decoded: {picture.problem}")


@rule(
    "SPT603",
    "picture-size",
    family="images",
    severity=Severity.ERROR,
    reason="Every label is in pixels of the size the JSON states; another size scales them all.",
    example="the JSON says 640x480, the file has 1280x960",
    needs=("images",),
    unless=("SPT112", "SPT604"),
    slow=True,
)
def picture_size(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """A picture has another size than its record says."""
    for row, picture in enumerate(pictures_of(dataset, work)):
        stated = dataset.image_sizes[row]
        if picture.size and np.isfinite(stated).all() and tuple(stated) != picture.size:
            said = f"{stated[0]:.0f}x{stated[1]:.0f}"
            message = f"the record says {said}, the file has {picture.size[0]}x{picture.size[1]}"
            yield dataset.image_fault(row, message)


@rule(
    "SPT604",
    "picture-turned-by-exif",
    family="images",
    severity=Severity.ERROR,
    reason="""OpenCV and browsers turn such a picture, Pillow and torchvision do not: the labels
    fit in one program and lie sideways in the other.""",
    example="EXIF orientation 6 (turn by 90 degrees)",
    needs=("images",),
    slow=True,
)
def picture_turned_by_exif(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """A picture carries an EXIF orientation that turns or mirrors it."""
    for row, picture in enumerate(pictures_of(dataset, work)):
        if picture.orientation != 1:
            message = f"EXIF orientation {picture.orientation}: turn the pixels and remove the tag"
            yield dataset.image_fault(row, message, value=picture.orientation)


@rule(
    "SPT605",
    "picture-format",
    family="images",
    severity=Severity.WARNING,
    reason="Tools that choose the decoder by the name fail at a PNG that is called .jpg.",
    example="a PNG file named 000123.jpg",
    needs=("images",),
    slow=True,
)
def picture_format(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """A picture is not of the format its name says."""
    for row, picture in enumerate(pictures_of(dataset, work)):
        if picture.path and picture.format in SUFFIXES:
            suffix = picture.path.suffix.lower()
            if suffix not in SUFFIXES[picture.format]:
                message = f"is a {picture.format} file called {plain(suffix) or 'without suffix'}"
                yield dataset.image_fault(row, message, field=".file_name")


@rule(
    "SPT606",
    "picture-blank",
    family="images",
    severity=Severity.WARNING,
    reason="A picture of one colour is a failed render or download; its labels are noise.",
    example="a black frame",
    needs=("images",),
    unless=("SPT602",),
    slow=True,
)
def picture_blank(dataset: Dataset, work: Work) -> Iterator[Fault]:
    """A picture shows nothing but one colour."""
    for row, picture in enumerate(pictures_of(dataset, work)):
        if picture.blank:
            yield dataset.image_fault(row, "the whole picture has one colour")


@rule(
    "SPT607",
    "picture-not-listed",
    family="images",
    severity=Severity.WARNING,
    reason="""Files that no record names are shipped for nothing, or are the pictures of records
    that were lost.""",
    example="the folder holds 1,005 pictures, the JSON 1,000",
    needs=("images",),
    across=True,
    slow=True,
)
def picture_not_listed(
    datasets: tuple[Dataset, ...], work: Work
) -> Iterator[tuple[Dataset, Fault]]:
    """The folder holds pictures that no record names."""
    listed: set[Path] = set()
    owners: dict[Path, Dataset] = {}
    for dataset in datasets:
        for picture in pictures_of(dataset, work):
            if picture.path:
                listed.add(picture.path)
        for folder in picture_folders(dataset):
            if any(path.is_relative_to(folder) for path in listed):
                owners.setdefault(folder, dataset)
                break
    suffixes = set().union(*SUFFIXES.values())
    for folder, dataset in owners.items():
        if any(other != folder and folder.is_relative_to(other) for other in owners):
            continue
        files = (path for path in folder.rglob("*") if path.suffix.lower() in suffixes)
        unlisted = sorted(path for path in files if path not in listed)
        # A record that names its file wrongly leaves it unlisted: that is told there.
        missing = sum(picture.path is None for d in datasets for picture in pictures_of(d, work))
        if len(unlisted) > missing:
            first = plain(str(unlisted[0].relative_to(folder)))
            message = f"{len(unlisted)} pictures in the folder have no record, the first is {first}"
            yield dataset, dataset.file_fault(message, place="images", value=len(unlisted))

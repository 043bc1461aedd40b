"""Rules of what a release says about itself (SPT9xx)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.coco.values import plain, shown
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity
from spinetrack_synth.validation.rules import rule

DATE: Final = re.compile(
    r"(\d{4})[-/](\d{1,2})(?:[-/](\d{1,2}))?"
    r"(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
CARDS: Final = ("README.md", "DATASHEET.md", "dataset_card.md", "DATASET_CARD.md", "README.rst")
CHECKSUMS: Final = ("SHA256SUMS", "sha256sums.txt", "checksums.txt", "MD5SUMS", "manifest.json")


def info_of(dataset: Dataset) -> dict[str, Any]:
    """The file's ``info``, empty where there is none."""
    info = dataset.data.get("info")
    return info if isinstance(info, dict) else {}


@rule(
    "SPT901",
    "info-missing",
    family="metadata",
    severity=Severity.WARNING,
    reason="A file that was downloaded once is all that is left of a dataset: it says what it is.",
    example="no `info`, or one without a description",
    unless=("SPT101",),
)
def info_missing(dataset: Dataset) -> Iterator[Fault]:
    """The file does not say what it is."""
    if "info" in dataset.data and not isinstance(dataset.data["info"], dict):
        return
    description = info_of(dataset).get("description")
    if not (isinstance(description, str) and description.strip()):
        yield dataset.file_fault("no description of the dataset", place="info.description")


@rule(
    "SPT902",
    "version-missing",
    family="metadata",
    severity=Severity.WARNING,
    reason="Results are compared by version; without one nobody knows which labels were used.",
    example='an `info` without `"version"`',
    default=False,
)
def version_missing(dataset: Dataset) -> Iterator[Fault]:
    """The file does not say which version it is."""
    version = info_of(dataset).get("version")
    if version is None or not str(version).strip():
        yield dataset.file_fault("no version", place="info.version")


@rule(
    "SPT903",
    "licence-missing",
    family="metadata",
    severity=Severity.WARNING,
    reason="""Without a licence nobody may use a picture; a dataset with some such pictures cannot
    be passed on as a whole.""",
    example="37 of 50,962 images have no `license`",
)
def licence_missing(dataset: Dataset) -> Iterator[Fault]:
    """Some images have a licence and others have none."""
    ids = [r.get("id") for r in dataset.section("licenses") if isinstance(r, dict)]
    known = {value for value in ids if type(value) is int}
    without = [row for row, image in enumerate(dataset.images) if image and _unlicensed(image)]
    named = [image.get("license") for image in dataset.images]
    having = [value for value in named if type(value) is int and value in known]
    if len(without) > len(having) > 0:
        message = f"{len(without)} of {len(dataset.images)} images have no licence"
        yield dataset.file_fault(message, place="images", value=len(without))
    elif having:
        for row in without:
            yield dataset.image_fault(row, "no licence, other images have one", field=".license")


def _unlicensed(image: dict[str, Any]) -> bool:
    return image.get("license") in (None, "")


@rule(
    "SPT904",
    "no-licences",
    family="metadata",
    severity=Severity.WARNING,
    reason="A dataset without any licence may be looked at, but not used.",
    example="no `licenses`, and no image with a `license`",
    default=False,
)
def no_licences(dataset: Dataset) -> Iterator[Fault]:
    """No image has a licence."""
    if dataset.images and all(_unlicensed(image) for image in dataset.images):
        yield dataset.file_fault("no image has a licence", place="licenses")


@rule(
    "SPT905",
    "dataset-card-missing",
    family="metadata",
    severity=Severity.WARNING,
    reason="""A card tells who is in the pictures, who labelled them how, and what the data must
    not be used for. Nobody can guess it from the JSON.""",
    example="no README.md beside the annotations or in the folder above",
    default=False,
)
def dataset_card_missing(dataset: Dataset) -> Iterator[Fault]:
    """There is no dataset card beside the annotations."""
    if not _beside(dataset.path, CARDS):
        yield dataset.file_fault(f"no {CARDS[0]} beside the annotations or above")


@rule(
    "SPT906",
    "checksums-missing",
    family="metadata",
    severity=Severity.WARNING,
    reason="Downloads break off, mirrors age: only a checksum tells whether this is the release.",
    example="no SHA256SUMS beside the annotations or in the folder above",
    default=False,
)
def checksums_missing(dataset: Dataset) -> Iterator[Fault]:
    """There are no checksums or manifest beside the annotations."""
    if not _beside(dataset.path, CHECKSUMS):
        yield dataset.file_fault(f"no {CHECKSUMS[0]} beside the annotations or above")


def _beside(path: Path, names: tuple[str, ...]) -> bool:
    folders = (path.parent, path.parent.parent)
    return any((folder / name).is_file() for folder in folders for name in names)


@rule(
    "SPT907",
    "date",
    family="metadata",
    severity=Severity.WARNING,
    reason="""Dates order captures and releases. 31.12.2024 and 12/31/24 are read as other days or
    none.""",
    example='`"date_captured": "31.12.2024"`',
)
def date(dataset: Dataset) -> Iterator[Fault]:
    """A date is not written year-month-day, does not exist, or lies in the future."""
    problem = _wrong_date(info_of(dataset).get("date_created"))
    if problem:
        yield dataset.file_fault(problem, place="info.date_created")
    year = info_of(dataset).get("year")
    latest = datetime.date.today().year + 1
    if year not in (None, "") and not (type(year) is int and 1900 <= year <= latest):
        yield dataset.file_fault(f"{shown(year)}, expected a year", place="info.year")
    for row, image in enumerate(dataset.images):
        problem = _wrong_date(image.get("date_captured"))
        if problem:
            yield dataset.image_fault(row, problem, field=".date_captured")


def _wrong_date(value: object) -> str | None:
    if value is None or value in ("", 0):
        return None  # what tools write where they know of none
    match = DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return f"{shown(value)}, expected year-month-day"
    numbers = [int(number or (at < 3)) for at, number in enumerate(match.groups())]
    try:
        moment = datetime.datetime(*numbers)  # type: ignore[arg-type]
    except ValueError:
        return f"{shown(value)} is no day of the calendar"
    if moment > datetime.datetime.now() + datetime.timedelta(days=2):
        return f"{shown(value)} lies in the future"
    return None


@rule(
    "SPT908",
    "licence-incomplete",
    family="metadata",
    severity=Severity.WARNING,
    reason="A licence is named by its text: a number or an empty name can be anything.",
    example='`{"id": 1, "name": ""}`',
)
def licence_incomplete(dataset: Dataset) -> Iterator[Fault]:
    """A licence has no name, no id, or an address that is none."""
    for row, licence in enumerate(dataset.section("licenses")):
        if not isinstance(licence, dict):
            continue
        name, url, place = licence.get("name"), licence.get("url"), f"licenses[{row}]"
        if type(licence.get("id")) is not int:
            yield Fault(f"{place}.id", place, "no whole number: no image can name this licence")
        if not (isinstance(name, str) and name.strip()):
            message = "no name" if url else "no name and no address: a tool's placeholder"
            yield Fault(f"{place}.name", place, message)
        if url and not (isinstance(url, str) and re.match(r"https?://\S+$", url)):
            message = f"{plain(shown(url))} is no address of a licence"
            yield Fault(f"{place}.url", place, message)

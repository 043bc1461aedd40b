"""Datasets packaged for release: gated, described, with checksums, in one zip file."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.checksum import file_sha256
from spinetrack_synth.curation.cards import licence_id, write_release_card
from spinetrack_synth.curation.coco_source import open_coco
from spinetrack_synth.curation.folders import place, scratch_folder
from spinetrack_synth.curation.opening import READERS
from spinetrack_synth.curation.progress import ProgressBar, counter, silent
from spinetrack_synth.curation.samples import Split
from spinetrack_synth.curation.skeletons import declared_names
from spinetrack_synth.dataset.card import CARD, table
from spinetrack_synth.dataset.croissant import (
    CONTEXT,
    CROISSANT,
    IMAGE_TYPES,
    VERSION,
    picture_records,
)
from spinetrack_synth.dataset.croissant import field as croissant_field
from spinetrack_synth.dataset.layout import (
    CONTACT_SHEET,
    MANIFEST,
    annotations_path,
    ground_truth_path,
    images_folder,
    maps_folder,
)
from spinetrack_synth.dataset.licences import PUBLIC, PUBLIC_URL
from spinetrack_synth.errors import UserError
from spinetrack_synth.validation.release import keypoint_files

SUMS: Final = "SHA256SUMS"
LICENCES: Final = "LICENCES.md"
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The date of every file: the first that a zip file can hold."""
COMPRESSED: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".parquet", ".mp4"})
"""Endings of what does not grow smaller."""


@dataclass
class Packaged:
    """What came into a package: pictures and people by split, files, bytes of the zip file, and
    what has to be told."""

    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    files: int = 0
    size_bytes: int = 0
    remarks: list[str] = field(default_factory=list)


def package(
    dataset: Path, out: Path, images: Path | None = None, *, bar: ProgressBar = silent
) -> Packaged:
    """Package a COCO file or a folder of some, in SpineTrack's layout. Labels are byte for byte
    those that are there, and equal datasets give equal files. ``bar`` is told how far it is.

    Raises UserError, and writes nothing, where `validate` finds an error in what would be
    released, with the settings that it would take here, or where a picture is missing.
    """
    if out.suffix != ".zip":
        raise UserError(f"{out}: expected a name that ends in .zip")
    if out.exists():
        raise UserError(f"{out}: is there already; name a new file with --out")
    files, others = keypoint_files(dataset)
    if files[0].suffix in READERS or dataset.suffix in READERS:
        raise UserError(f"{dataset}: no COCO file; `spinetrack-synth convert` makes it one")
    made = Packaged(remarks=[f"{file}: left out, it holds no keypoints" for file in others])
    with contextlib.ExitStack() as opened, scratch_folder(out) as scratch:
        splits = []
        root = scratch / "content"
        for file in files:
            split = opened.enter_context(open_coco(file, images, bar))
            if not any(declared_names(split, category) for category in split.categories):
                made.remarks.append(f"{file}: left out, it holds no keypoints")
            elif split.name in made.counts:
                raise UserError(f"{file}: a second file of the split {split.name}")
            else:
                splits.append(split)
                made.counts[split.name] = _stage(root, split, bar)
        if not splits:
            raise UserError(f"{dataset}: no file in it holds keypoints")
        _gate(root, dataset, bar)
        _describe(root, splits, made, dataset, out.stem)
        _write_sums(root, bar)
        archive = scratch / out.name
        made.files = _write_zip(archive, root, bar)
        made.size_bytes = archive.stat().st_size
        os.replace(archive, out)
    return made


def _stage(root: Path, split: Split, bar: ProgressBar) -> tuple[int, int]:
    """Put a split's files below ``root``; returns how many pictures and people it has."""
    pictures = people = 0
    place(split.source, annotations_path(root, split.name), copy=False)
    with bar("pictures") as progress:
        for sample in counter(progress, split.pictures)(split.samples()):
            pictures, people = pictures + 1, people + len(sample.people)
            name = os.path.normpath(sample.image["file_name"])
            target = images_folder(root, split.name) / name
            if not target.exists():  # two records of one picture
                place(sample.picture, target, copy=False)
            for kind, file in sample.maps.items():
                beside = (maps_folder(root, kind, split.name) / name).with_suffix(".png")
                place(file, beside, copy=False)
    if split.truth is not None:
        place(split.truth, ground_truth_path(root, split.name), copy=False)
    return pictures, people


def _gate(root: Path, dataset: Path, bar: ProgressBar) -> None:
    """Raises UserError where the gate finds errors."""
    from spinetrack_synth.validation.baseline import Baseline
    from spinetrack_synth.validation.engine import validate
    from spinetrack_synth.validation.findings import Severity, Work
    from spinetrack_synth.validation.registry import all_rules, choose
    from spinetrack_synth.validation.release import read_release
    from spinetrack_synth.validation.settings import find_settings

    settings = find_settings(Path.cwd())
    rules = choose(all_rules(), settings.select, settings.extend_select, settings.ignore)
    judged, _ = read_release([root], pictures=root / "images", previous=settings.previous)
    with bar("records") as progress:
        report = validate(
            judged,
            rules,
            severities=settings.severity,
            baseline=Baseline.read(settings.baseline) if settings.baseline else None,
            work=Work(progress, os.cpu_count() or 1),
        )
    errors = [finding for finding in report.findings if finding.severity >= Severity.ERROR]
    if errors:
        codes = Counter(finding.code for finding in errors)
        told = ", ".join(f"{code} {times} times" for code, times in codes.items())
        first = errors[0]
        raise UserError(
            f"{dataset}: not packaged, for the gate finds errors ({told}); the first: "
            f"{first.file.name}: {first.place}: {first.message}; see `spinetrack-synth validate`"
        )


def _describe(
    root: Path, splits: Sequence[Split], made: Packaged, dataset: Path, name: str
) -> None:
    """Write card, metadata and licences; those of a dataset that `render` made are taken along."""
    _write_licences(root, splits)
    rendered = dataset.is_dir() and all(
        (dataset / each).is_file() for each in (MANIFEST, CARD, CROISSANT)
    )
    if rendered:
        for each in (MANIFEST, CARD, CROISSANT, CONTACT_SHEET):
            if (dataset / each).is_file():
                place(dataset / each, root / each, copy=False)
        return
    write_release_card(root, splits, made.counts, name)
    text = json.dumps(_croissant(root, splits, name), indent=2, ensure_ascii=False)
    (root / CROISSANT).write_text(text + "\n", encoding="utf-8")


def _write_licences(root: Path, splits: Sequence[Split]) -> None:
    """A table of licences and how many pictures of each split they are of."""
    rows = []
    for split in splits:
        named = {each.get("id"): each for each in split.licenses}
        counts = Counter(sample.image.get("license") for sample in split.samples())
        for number, pictures in sorted(counts.items(), key=lambda each: str(each[0])):
            licence = named.get(number, {})
            told = licence.get("name", "not told"), licence.get("url", "")
            rows.append((split.name, pictures, *told))
    lines = ["# Licences", *table(("split", "pictures", "licence", "where it stands"), rows)]
    (root / LICENCES).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _croissant(root: Path, splits: Sequence[Split], name: str) -> dict[str, Any]:
    """The metadata in Croissant: files with checksums, pictures, people."""
    distribution: list[Mapping[str, Any]] = []
    records = []
    for split in splits:
        labels = annotations_path(root, split.name).relative_to(root).as_posix()
        folder = f"images/{split.name}"
        patterns = _patterns(root, folder)
        kind = IMAGE_TYPES.get(patterns[0].rpartition(".")[2].lower(), "image/jpeg")
        distribution += [
            {
                "@type": "cr:FileObject",
                "@id": labels,
                "name": Path(labels).name,
                "contentUrl": labels,
                "encodingFormat": "application/json",
                "sha256": file_sha256(root / labels),
            },
            {
                "@type": "cr:FileSet",
                "@id": folder,
                "name": f"pictures of split {split.name}",
                "encodingFormat": kind,
                "includes": patterns,
            },
        ]
        records += [picture_records(split.name), _people_records(split.name, labels)]
    told = next((s.info["description"] for s in splits if s.info.get("description")), name)
    version = next((str(s.info["version"]) for s in splits if s.info.get("version")), "1.0.0")
    public = licence_id(splits) == PUBLIC.lower()
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": name,
        "description": str(told),
        "version": version,
        **({"license": PUBLIC_URL} if public else {}),
        "keywords": ["human pose", "keypoints"],
        "distribution": distribution,
        "recordSet": records,
    }


def _patterns(root: Path, folder: str) -> list[str]:
    """Patterns of the pictures in a folder and in folders below it."""
    found = {
        f"{folder}/{'*' if path.parent == root / folder else '**/*'}{path.suffix}"
        for path in (root / folder).rglob("*")
        if path.is_file()
    }
    return sorted(found)


def _people_records(split: str, labels: str) -> dict[str, Any]:
    """A record a person: ids, box and points out of the annotations."""
    record = f"{split}_people"
    fields = []
    for name, kind in (("id", "sc:Integer"), ("image_id", "sc:Integer")):
        path = {"jsonPath": f"$.annotations[*].{name}"}
        fields.append(croissant_field(record, name, kind, "fileObject", labels, path))
    for name in ("bbox", "keypoints"):
        path = {"jsonPath": f"$.annotations[*].{name}"}
        made = croissant_field(record, name, "sc:Float", "fileObject", labels, path)
        fields.append(made | {"repeated": True})
    return {"@type": "cr:RecordSet", "@id": record, "name": record, "field": fields}


def _write_sums(root: Path, bar: ProgressBar) -> None:
    files = _files(root)
    lines = []
    with bar("checksums") as progress:
        for name in files:
            lines.append(f"{file_sha256(root / name)}  {name}\n")
            progress(len(lines), len(files))
    (root / SUMS).write_text("".join(lines), encoding="utf-8")


def _files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def _write_zip(path: Path, root: Path, bar: ProgressBar) -> int:
    """Write all files below ``root``, sorted and without dates; returns how many."""
    files = _files(root)
    with bar("files packed") as progress, zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(files, 1):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            if Path(name).suffix.lower() not in COMPRESSED:
                entry.compress_type = zipfile.ZIP_DEFLATED
            entry.file_size = (root / name).stat().st_size  # decides on 64 bits
            with (root / name).open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            progress(number, len(files))
    return len(files)

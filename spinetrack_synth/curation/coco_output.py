"""Splits written as COCO files with their pictures, in the layout of `render` and SpineTrack."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.coco.writing import Record, encode, file_parts
from spinetrack_synth.curation.folders import FreeNames, place, plain_name
from spinetrack_synth.curation.samples import Sample
from spinetrack_synth.dataset.layout import annotations_path, images_folder, maps_folder
from spinetrack_synth.errors import UserError


@dataclass
class Written:
    """What came into a split."""

    pictures: int = 0
    people: int = 0
    renamed: int = 0


def write_coco(
    root: Path,
    name: str,
    samples: Iterable[Sample],
    *,
    categories: Sequence[Record],
    info: Mapping[str, Any],
    licenses: Sequence[Record],
    copy: bool,
) -> Written:
    """Write a split below ``root``: annotations, pictures and maps. File names that collide are
    told apart. Records pass one by one. Raises UserError or OSError where the disk refuses."""
    written, names = Written(), FreeNames()
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as people:

        def image_lines() -> Iterator[str]:
            for sample in samples:
                file_name = names.free(sample.image["file_name"])
                written.renamed += file_name != plain_name(sample.image["file_name"])
                place(sample.picture, images_folder(root, name) / file_name, copy=copy)
                for kind, file in sample.maps.items():
                    target = PurePosixPath(file_name).with_suffix(".png")
                    place(file, maps_folder(root, kind, name) / target, copy=copy)
                people.writelines(
                    _line(person, f"annotation {person.get('id')} of {file_name}") + "\n"
                    for person in sample.people
                )
                written.pictures += 1
                written.people += len(sample.people)
                yield _line({**sample.image, "file_name": file_name}, f"image {file_name}")

        def annotation_lines() -> Iterator[str]:
            people.seek(0)
            for line in people:
                yield line.removesuffix("\n")

        parts = file_parts(
            image_lines(), annotation_lines(), categories=categories, info=info, licenses=licenses
        )
        try:
            write_atomic(annotations_path(root, name), parts)
        except ValueError as error:  # half a character
            raise UserError(f"split {name}: a record cannot be written as JSON: {error}") from error
    return written


def _line(record: Record, place: str) -> str:
    """A record as JSON. Raises UserError where a number is NaN or infinite."""
    try:
        return encode(record)
    except ValueError as error:
        fields = [key for key, value in record.items() if not _is_json(value)]
        raise UserError(
            f"{place}: {', '.join(fields)}: NaN or infinity, which JSON cannot hold; mend the file"
        ) from error


def _is_json(value: Any) -> bool:
    try:
        encode({"": value})
    except ValueError:
        return False
    return True

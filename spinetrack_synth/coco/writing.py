"""COCO keypoint files written: equal records give the same bytes every time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from spinetrack_synth import skeleton

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
    return b"".join(
        file_parts(
            image_lines, annotation_lines, categories=categories, info=info, licenses=licenses
        )
    )


def file_parts(
    image_lines: Iterable[str],
    annotation_lines: Iterable[str],
    *,
    categories: Sequence[Record] = (PERSON,),
    info: Mapping[str, Any] | None = None,
    licenses: Sequence[Record] = (),
) -> Iterator[bytes]:
    """The same bytes record by record; all images are taken before the first annotation."""
    sections = {
        "licenses": map(encode, licenses),
        "categories": map(encode, categories),
        "images": image_lines,
        "annotations": annotation_lines,
    }
    yield f'{{"info":{encode(info or {})}'.encode()
    for name, lines in sections.items():
        yield f',\n"{name}":[\n'.encode()
        for number, line in enumerate(lines):
            yield (",\n" + line if number else line).encode()
        yield b"\n]"
    yield b"}\n"

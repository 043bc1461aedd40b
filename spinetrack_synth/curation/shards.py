"""WebDataset: tar files in which a picture and its JSON have one name but for the ending."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from spinetrack_synth.coco.writing import encode
from spinetrack_synth.curation.described import (
    SHARD_BYTES,
    read_description,
    split_of,
    write_description,
)
from spinetrack_synth.curation.folders import FreeNames
from spinetrack_synth.curation.samples import Remarks, Sample, Split, picture_bytes
from spinetrack_synth.errors import UserError

ENDINGS: Final = frozenset("bmp gif jpeg jpg png ppm tif tiff webp".split())
"""Endings of pictures in shards."""

_SHARD: Final = re.compile(r"(.+?)[-_.]?\d+\.tar")


def write_shards(
    root: Path, splits: Sequence[Split], remarks: Remarks, *, shard_bytes: int = SHARD_BYTES
) -> None:
    """Write splits as ``SPLIT-000000.tar`` and so on. Equal datasets give equal bytes."""
    counts = {}
    for split in splits:
        names, writer = FreeNames(flat=True), _Writer(root, split.name, shard_bytes)
        try:
            for sample in split.samples():
                writer.add(_members(sample, names))
        finally:
            writer.close()
        counts[split.name] = writer.samples
    write_description(root, splits, counts)
    remarks.say("keypoints' names, info and licences are in dataset.json beside the shards")


class _Writer:
    """Samples into as many tar files as they fill."""

    def __init__(self, root: Path, name: str, shard_bytes: int) -> None:
        self._root, self._name, self._shard_bytes = root, name, shard_bytes
        self._stream: tarfile.TarFile | None = None
        self._shards = self._filled = self.samples = 0

    def add(self, members: Iterable[tuple[str, bytes]]) -> None:
        """A sample's files, by name and content."""
        if self._filled >= self._shard_bytes:
            self.close()
        if self._stream is None:
            path = self._root / f"{self._name}-{self._shards:06d}.tar"
            self._stream = tarfile.TarFile(path, "w")
            self._shards += 1
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            self._stream.addfile(member, io.BytesIO(content))
            self._filled += len(content)
        self.samples += 1

    def close(self) -> None:
        """The next sample begins a file."""
        if self._stream is not None:
            self._stream.close()
        self._stream, self._filled = None, 0


def _members(sample: Sample, names: FreeNames) -> Iterator[tuple[str, bytes]]:
    """The picture and its JSON. A key ends at its first dot, so that it has none."""
    name = PurePosixPath(sample.image["file_name"])
    key = names.free(str(name.with_suffix("")).replace(".", "_"))
    yield f"{key}{name.suffix.lower() or '.jpg'}", picture_bytes(sample)
    told = {"image": sample.image, "annotations": list(sample.people)}
    yield f"{key}.json", encode(told).encode()


def read_shards(files: Sequence[Path]) -> list[Split]:
    """The splits of tar files, by what stands before their numbers. Raises UserError, as pictures
    are taken, where a file is damaged or a sample is no picture with COCO's records."""
    by_split: dict[str, list[Path]] = {}
    for file in sorted(files):
        match = _SHARD.fullmatch(file.name)
        by_split.setdefault(match[1] if match else file.stem, []).append(file)
    told = read_description(files[0].parent)
    return [
        split_of(
            name, shards[0], told.get(name, {}), _Samples(shards), sum(map(_pictures_in, shards))
        )
        for name, shards in by_split.items()
    ]


def _pictures_in(shard: Path) -> int:
    """Counted by the names in it. A damaged shard is told of when its samples are taken."""
    try:
        with tarfile.open(shard, "r:*") as stream:
            endings = (member.name.lower().rpartition(".")[2] for member in stream)
            return sum(ending in ENDINGS for ending in endings)
    except (tarfile.TarError, EOFError, OSError):
        return 0


@dataclass(frozen=True)
class _Samples:
    """The samples of some shards, read anew at every call."""

    shards: Sequence[Path]

    def __call__(self) -> Iterator[Sample]:
        for shard in self.shards:
            try:
                with tarfile.open(shard, "r:*") as stream:
                    yield from _samples(stream, shard)
            except (tarfile.TarError, EOFError) as error:
                raise UserError(f"{shard}: the shard is damaged or no tar file: {error}") from error
            except OSError as error:
                what = error.strerror or str(error)
                raise UserError(f"{shard}: cannot be read: {what}") from error


def _samples(stream: tarfile.TarFile, shard: Path) -> Iterator[Sample]:
    key = ""
    files: dict[str, bytes] = {}
    for member in stream:
        if not member.isfile():
            continue
        folder, _, base = member.name.rpartition("/")
        stem, _, ending = base.partition(".")
        if f"{folder}/{stem}" != key and files:
            yield _sample(files, shard, key)
            files = {}
        key = f"{folder}/{stem}"
        content = stream.extractfile(member)
        assert content is not None  # it is a file
        files[ending] = content.read()
    if files:
        yield _sample(files, shard, key)


def _sample(files: dict[str, bytes], shard: Path, key: str) -> Sample:
    where = f"{shard}: sample {key.strip('/')}"
    pictures = [ending for ending in files if ending.lower() in ENDINGS]
    if len(pictures) != 1 or "json" not in files:
        raise UserError(f"{where}: holds {', '.join(files)}; expected a picture and json")
    try:
        told: Any = json.loads(files["json"])
    except ValueError as error:
        raise UserError(f"{where}.json: not JSON: {error}") from error
    people = told.get("annotations") if isinstance(told, dict) else None
    image = told.get("image") if isinstance(told, dict) else None
    if not isinstance(people, list) or not isinstance(image, dict) or "file_name" not in image:
        raise UserError(f"{where}.json: expected COCO's records: image and annotations")
    if not all(isinstance(person, dict) for person in people):
        raise UserError(f"{where}.json: annotations: expected a list of objects")
    return Sample(image, people, files[pictures[0]])

"""Hugging Face's layout: Parquet files whose rows are pictures with their people as lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.coco.writing import Record, encode
from spinetrack_synth.curation.described import (
    SHARD_BYTES,
    read_description,
    split_of,
    write_description,
)
from spinetrack_synth.curation.samples import Remarks, Sample, Split, picture_bytes, picture_size
from spinetrack_synth.errors import UserError

ROWS: Final = 100
"""In a row group: Hugging Face's viewer reads one at a time."""

_TABLE: Final = re.compile(r"(.+?)-\d+(?:-of-\d+)?\.parquet")
_PERSON_HELD: Final = ("bbox", "area", "keypoints")
_FEATURES: Final = {"info": {"features": {"image": {"_type": "Image"}}}}
"""By this `datasets` and the viewer know which column is a picture."""


def write_tables(
    root: Path, splits: Sequence[Split], remarks: Remarks, *, shard_bytes: int = SHARD_BYTES
) -> dict[str, int]:
    """Write splits as ``data/SPLIT-00000-of-00001.parquet``; returns how many pictures each has.

    Columns are ``image``, ``file_name``, ``width``, ``height``, ``boxes`` (people x 4, x, y, width,
    height in px), ``areas``, ``keypoints`` (people x points x 3: x, y, v), and as JSON what other
    fields the picture (``image_fields``) and each person (``people_fields``) have.
    """
    (root / "data").mkdir(parents=True)
    counts = {}
    for split in splits:
        writer = _Writer(root / "data", split.name, _schema(split), shard_bytes)
        try:
            for sample in split.samples():
                writer.add(_row(sample))
        finally:
            writer.close()
        for file in writer.files:
            file.rename(file.with_stem(f"{file.stem}-of-{len(writer.files):05d}"))
        counts[split.name] = writer.rows
    write_description(root, splits, counts)
    remarks.say("info and licences are in dataset.json beside the tables")
    return counts


def split_name(name: str) -> str:
    """A split's name as Hugging Face allows it: letters, digits and underscores."""
    return re.sub(r"\W", "_", name)


class _Writer:
    """Rows into as many files as they fill."""

    def __init__(self, folder: Path, name: str, schema: Any, shard_bytes: int) -> None:
        self._folder, self._name, self._schema = folder, name, schema
        self._shard_bytes, self._filled = shard_bytes, 0
        self._batch: list[Record] = []
        self._file: Any = None
        self.files: list[Path] = []
        self.rows = 0

    def add(self, row: Record) -> None:
        self._batch.append(row)
        self.rows += 1
        self._filled += len(row["image"]["bytes"])
        if len(self._batch) == ROWS or self._filled >= self._shard_bytes:
            self._write()
        if self._filled >= self._shard_bytes:
            self.close()

    def _write(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._file is None:
            self.files.append(self._folder / f"{self._name}-{len(self.files):05d}.parquet")
            self._file = pq.ParquetWriter(self.files[-1], self._schema)
        self._file.write_table(pa.Table.from_pylist(self._batch, self._schema))
        self._batch = []

    def close(self) -> None:
        """Write what is left; the next row begins a file."""
        if self._batch:
            self._write()
        if self._file is not None:
            self._file.close()
        self._file, self._filled = None, 0


def _schema(split: Split) -> Any:
    import pyarrow as pa

    numbers = pa.list_(pa.float64())
    columns = {
        "image": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
        "file_name": pa.string(),
        "width": pa.int64(),
        "height": pa.int64(),
        "boxes": pa.list_(numbers),
        "areas": numbers,
        "keypoints": pa.list_(pa.list_(numbers)),
        "image_fields": pa.string(),
        "people_fields": pa.list_(pa.string()),
    }
    metadata = {
        "huggingface": json.dumps(_FEATURES),
        "keypoints": json.dumps(split.categories[0]["keypoints"]),
    }
    return pa.schema(list(columns.items()), metadata=metadata)


def _row(sample: Sample) -> Record:
    name = sample.image["file_name"]
    width, height = picture_size(sample)
    points = [person["keypoints"] for person in sample.people]
    return {
        "image": {"bytes": picture_bytes(sample), "path": name},
        "file_name": name,
        "width": width,
        "height": height,
        "boxes": [person["bbox"] for person in sample.people],
        "areas": [person["area"] for person in sample.people],
        "keypoints": [[each[at : at + 3] for at in range(0, len(each), 3)] for each in points],
        "image_fields": encode(_others(sample.image, ("file_name", "width", "height"))),
        "people_fields": [encode(_others(person, _PERSON_HELD)) for person in sample.people],
    }


def _others(record: Record, held: Sequence[str]) -> Record:
    return {field: value for field, value in record.items() if field not in held}


def read_tables(files: Sequence[Path]) -> list[Split]:
    """The splits of Parquet files. Raises UserError where a file is none or lacks ``image`` and
    ``keypoints``."""
    by_split: dict[str, list[Path]] = {}
    for file in sorted(files):
        match = _TABLE.fullmatch(file.name)
        by_split.setdefault(match[1] if match else file.stem, []).append(file)
    folder = files[0].parent
    told = read_description(folder.parent if folder.name == "data" else folder)
    splits = []
    for name, tables in by_split.items():
        named = _names_in(tables[0])
        category = {"id": 1, "name": "person", **({"keypoints": named} if named else {})}
        splits.append(
            split_of(name, tables[0], {"categories": [category], **told.get(name, {})},
                     _Samples(tables), sum(map(_rows_in, tables)))
        )  # fmt: skip
    return splits


def _names_in(file: Path) -> list[str]:
    """The keypoints' names in a file's metadata, none where they are not told."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(file)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{file}: no Parquet file that can be read: {error}") from error
    lacking = [column for column in ("image", "keypoints") if column not in schema.names]
    if lacking:
        raise UserError(
            f"{file}: no column {' and '.join(lacking)}; expected a picture a row, with lists of "
            f"keypoints; it has {', '.join(schema.names)}"
        )
    names: list[str] = json.loads((schema.metadata or {}).get(b"keypoints", b"[]"))
    return names


def _rows_in(file: Path) -> int:
    """As the file says. A damaged one is told of when its rows are taken."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: int = pq.read_metadata(file).num_rows
    except (OSError, pa.ArrowException):
        return 0
    return rows


@dataclass(frozen=True)
class _Samples:
    """The rows of some tables, read anew at every call."""

    tables: Sequence[Path]

    def __call__(self) -> Iterator[Sample]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        image_id, person_id = 0, 0
        for table in self.tables:
            try:
                with pq.ParquetFile(table) as file:
                    for batch in file.iter_batches(ROWS):
                        for row in batch.to_pylist():
                            image_id += 1
                            sample = _sample(row, image_id, person_id, table)
                            yield sample
                            person_id += len(sample.people)
            except pa.ArrowException as error:
                raise UserError(f"{table}: cannot be read: {error}") from error


def _sample(row: Mapping[str, Any], image_id: int, last_person: int, table: Path) -> Sample:
    where = f"{table}: row {image_id}"
    content = row["image"].get("bytes") if isinstance(row["image"], dict) else None
    if not isinstance(content, bytes):
        raise UserError(f"{where}: image: expected the content of a picture")
    image = {
        "id": image_id,
        "file_name": row.get("file_name") or row["image"].get("path") or f"{image_id:06d}.jpg",
        **{side: row[side] for side in ("width", "height") if row.get(side)},
        **_fields(row.get("image_fields"), where),
    }
    people = []
    everybody = row["keypoints"] or []
    if not isinstance(everybody, list) or not all(isinstance(each, list) for each in everybody):
        raise UserError(f"{where}: keypoints: expected a list of people, each a list of points")
    others = row.get("people_fields") or [None] * len(everybody)
    boxes, areas = row.get("boxes"), row.get("areas")
    for name, values in (("boxes", boxes), ("areas", areas), ("people_fields", others)):
        if values and len(values) != len(everybody):
            raise UserError(f"{where}: {name}: {len(values)}, for {len(everybody)} people")
    for number, points in enumerate(everybody):
        person = {
            "id": last_person + number + 1,
            "image_id": image["id"],
            "category_id": 1,
            "iscrowd": 0,
            "keypoints": _flat(points),
            **({"bbox": boxes[number]} if boxes else {}),
            **({"area": areas[number]} if areas else {}),
        }
        people.append(person | _fields(others[number], where))
    return Sample(image, people, content)


def _flat(points: Sequence[Any]) -> list[Any]:
    """Points as COCO's flat list; whole v are whole numbers again."""
    flat = [value for point in points for value in (point if isinstance(point, list) else [point])]
    if len(flat) == 3 * len(points):
        flat[2::3] = [int(v) if isinstance(v, float) and v.is_integer() else v for v in flat[2::3]]
    return flat


def _fields(text: str | None, where: str) -> Record:
    try:
        told = json.loads(text or "{}")
    except ValueError as error:
        raise UserError(f"{where}: other fields are no JSON: {error}") from error
    return told if isinstance(told, dict) else {}

"""The Parquet file of a split's ground truth, written row by row: little is held in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.anatomy.parts import PARTS
from spinetrack_synth.anatomy.spine import RegionalAngles
from spinetrack_synth.atomic import cannot_write
from spinetrack_synth.coco import Record
from spinetrack_synth.dataset.records import FILM_COLUMNS
from spinetrack_synth.dataset.skeleton_truth import NAMES, skeleton_columns
from spinetrack_synth.errors import UserError
from spinetrack_synth.shot import Face, Physique

GROUP: Final = 1024
"""Rows of a row group, which a reader holds at once."""
WINDOW: Final = 256
"""Pictures whose rows are sorted among those of the earlier file at once."""


class TruthFile:
    """A new file of ground truth, its rows sorted by annotation.

    ``earlier`` is the file that is extended: of it the rows of the first ``known`` pictures are
    kept, save those of pictures that are added anew or ``left_out``. The same rows make the same
    file, however it grew. Raises UserError where the earlier file is damaged, and where the disk is
    full.
    """

    def __init__(
        self,
        path: Path,
        earlier: Path | None = None,
        known: int = 0,
        left_out: Iterable[int] = (),
    ) -> None:
        self._path = path
        self._schema = _schema()
        self._kept = _Earlier(earlier, known, self._schema) if earlier else None
        self._file = path.open("wb")
        self._writer = pq.ParquetWriter(self._file, self._schema, compression="zstd")
        self._left_out = set(left_out)
        self._rows: list[Record] = []
        self._flushed = 0
        self._sorted: list[Any] = []

    def add(self, image_id: int, rows: Sequence[Record]) -> None:
        """Add the rows of a picture; pictures come by ascending ids."""
        self._rows += rows
        if image_id + 1 - self._flushed >= WINDOW:
            self._flush(image_id + 1)

    def _flush(self, until: int | None) -> None:
        """Sort in the rows of pictures below ``until``; None: of all."""
        table = pa.Table.from_pylist(self._rows, schema=self._schema)
        if self._kept is not None:
            kept = self._kept.until(until)
            gone = self._left_out.union(row["image_id"] for row in self._rows)
            values = pa.array(sorted(gone), pa.int64())
            kept = kept.filter(pc.invert(pc.is_in(kept["image_id"], value_set=values)))
            table = pa.concat_tables([kept, table]).sort_by("annotation_id")
        self._rows, self._flushed = [], until or self._flushed
        self._sorted.append(table)
        if sum(table.num_rows for table in self._sorted) >= GROUP:
            table = pa.concat_tables(self._sorted).combine_chunks()
            whole = table.num_rows // GROUP * GROUP
            self._writer.write_table(table.slice(0, whole), row_group_size=GROUP)
            self._sorted = [table.slice(whole)]

    def __enter__(self) -> TruthFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._file, self._writer:
                if error is None:
                    self._flush(None)
                    table = pa.concat_tables(self._sorted).combine_chunks()
                    self._writer.write_table(table, row_group_size=GROUP)
        except OSError as full:
            raise cannot_write(self._path, full) from full


class _Earlier:
    """The rows of a file, of the first so many pictures, taken from its beginning on."""

    def __init__(self, path: Path, known: int, schema: Any) -> None:
        self._known = known
        self._schema = schema
        self._tables = self._read(path)
        self._rest = schema.empty_table()

    def until(self, image_id: int | None) -> Any:
        """The rows of pictures below an id that have not been taken."""
        end = self._known if image_id is None else min(image_id, self._known)
        taken = []
        while True:
            here = int(np.searchsorted(self._rest["image_id"].to_numpy(), end))
            taken.append(self._rest.slice(0, here))
            self._rest = self._rest.slice(here)
            if self._rest.num_rows or (table := next(self._tables, None)) is None:
                return pa.concat_tables(taken)
            self._rest = table

    def _read(self, path: Path) -> Iterator[Any]:
        """The file group by group in our columns: those of earlier versions have fewer."""
        try:
            for batch in pq.ParquetFile(path).iter_batches(GROUP):
                columns = [
                    batch.column(field.name).cast(field.type)
                    if field.name in batch.schema.names
                    else pa.nulls(batch.num_rows, field.type)
                    for field in self._schema
                ]
                yield pa.Table.from_arrays(columns, schema=self._schema)
        except (OSError, pa.ArrowException) as error:
            raise UserError(
                f"{path}: damaged ({error}); delete it and run the same command again, which makes "
                "its pictures anew"
            ) from error


def _schema() -> Any:
    """Columns of the ground truth; the file's metadata names what the lists hold."""
    tree = fullbody()

    def numbers(length: int) -> pa.DataType:
        return pa.list_(pa.float64(), length)

    cover_types = {
        "visibility": pa.int8, "cover": pa.string, "cover_part": pa.string,
        "cover_person": pa.int64, "cover_mm": pa.float64,
    }  # fmt: skip
    columns = {
        "image_id": pa.int64(),
        "annotation_id": pa.int64(),
        "subject": pa.string(),
        "outfit": pa.int64(),
        "style": pa.string(),
        "pose": pa.string(),
        "clothes": pa.string(),
        "place": pa.string(),
        "variant": pa.int64(),
        "light": pa.string(),
        **{
            column.name: pa.string() if column.type == "str" else pa.float64()
            for column in fields(Physique)
        },
        **{column.name: pa.string() for column in fields(Face)},
        "keypoints_world": numbers(3 * len(skeleton.NAMES)),
        "coordinates": numbers(len(tree.coordinates)),
        "scale_factors": numbers(3 * len(tree.bodies)),
        "keypoint_offsets": numbers(3 * len(skeleton.NAMES)),
        "K": numbers(9),
        "world2cam": numbers(16),
        "distortion": numbers(5),
        "aperture_m": pa.float64(),
        "focus_m": pa.float64(),
        "shutter_s": pa.float64(),
        "exposure_stops": pa.float64(),
        **{
            name: pa.int64() if kind is int else pa.float64() for name, kind in FILM_COLUMNS.items()
        },
        **{angle.name: pa.float64() for angle in fields(RegionalAngles)},
        **skeleton_columns(),
        **{name: pa.list_(kind(), len(skeleton.NAMES)) for name, kind in cover_types.items()},
    }
    metadata = {
        "keypoints": json.dumps(skeleton.NAMES),
        "coordinates": json.dumps(tree.coordinates),
        "bodies": json.dumps(tree.bodies),
        **{key: json.dumps(names) for key, names in NAMES.items()},
        "parts": json.dumps(PARTS),
        "units": "metres and radians, world = OpenSim ground; columns *_deg in degrees",
    }
    return pa.schema(list(columns.items()), metadata=metadata)

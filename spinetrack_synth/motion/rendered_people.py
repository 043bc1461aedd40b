"""Rendered people as markers: the 3D keypoints in the ground truth of a dataset."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.anatomy.rest import with_rest_of
from spinetrack_synth.anatomy.scaling import scale_tree, with_marker_offsets
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RenderedPeople:
    """Rows of ground truth: ``markers`` with a frame a row, numbered 0, 1, ... in place of time;
    ``annotation_id`` and ``subject`` (F,); the model of each subject by name."""

    markers: MarkerMotion
    annotation_id: NDArray[np.int64]
    subject: tuple[str, ...]
    trees: dict[str, Tree]


def read_rendered_people(path: Path, tree: Tree) -> RenderedPeople:
    """Read ``ground_truth/<split>.parquet`` of a dataset, for the model that it was rendered with.

    Raises UserError where it is no such file or was rendered with other bodies.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    needed = ("annotation_id", "subject", "keypoints_world", "scale_factors", "keypoint_offsets")
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise UserError(f"{path}: has no column {', '.join(missing)}: give a rendered ground truth")
    metadata = {
        key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()
    }
    bodies = tuple(json.loads(metadata.get("bodies", "[]")))
    names = tuple(json.loads(metadata.get("keypoints", "[]")))
    if bodies != tree.bodies or any(name not in tree.marker_index for name in names):
        raise UserError(
            f"{path}: was rendered with another model than {tree.name}: leave out --model"
        )
    subject = tuple(table["subject"].to_pylist())
    if not subject:
        raise UserError(f"{path}: holds no people")

    def rows(column: str, *shape: int) -> Array:
        flat = table[column].combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return np.asarray(flat, dtype=float).reshape(len(subject), *shape)

    factors, offsets_m = (
        rows("scale_factors", len(bodies), 3),
        rows("keypoint_offsets", len(names), 3),
    )
    trees = {}
    for row, name in enumerate(subject):
        if name not in trees:
            own = dict(zip(names, offsets_m[row]))
            trees[name] = with_marker_offsets(scale_tree(tree, factors[row]), own)
            if {"body2world", "coordinates"} <= set(table.column_names):
                stood = rows("coordinates", len(tree.coordinates))[row]
                frames = rows("body2world", len(bodies), 4, 4)[row]
                trees[name] = with_rest_of(trees[name], stood, frames)
    markers = MarkerMotion(
        names,
        np.arange(len(subject), dtype=float),
        rows("keypoints_world", len(names), 3),
        str(path),
    )
    return RenderedPeople(markers, table["annotation_id"].to_numpy(), subject, trees)

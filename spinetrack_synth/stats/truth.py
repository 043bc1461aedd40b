"""What the ground truth says of people: from where they are seen, pose, spine, body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.spine import RegionalAngles
from spinetrack_synth.coco.document import Floats
from spinetrack_synth.errors import UserError
from spinetrack_synth.lengths import distance_m
from spinetrack_synth.stats.measures import JOINTS
from spinetrack_synth.stats.people import Column

if TYPE_CHECKING:
    import pyarrow as pa

BATCH: Final = 1024
"""Rows read at once."""

_NUMBERS: Final = (
    "age_years", "stature_m", "bmi", *(f.name for f in fields(RegionalAngles)),
)  # fmt: skip
_NAMES: Final = ("sex", "spine_condition", "pose")
_WORN: Final = ("clothes", "hair", "beard", "glasses", "headwear", "expression")
"""An empty one of these is none."""


def truth_batches(path: Path) -> Iterator[dict[str, Column]]:
    """The rows of a ground truth, many at a time, by the keys of `measures.TRUTH`, with
    ``annotation_id`` and ``image_id``. What the file has not is not there.

    Raises UserError where it is no ground truth of the 37 keypoints.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        metadata = file.schema_arrow.metadata or {}
        names = json.loads(metadata.get(b"coordinates", b"[]"))
        if tuple(json.loads(metadata.get(b"keypoints", b"[]"))) != skeleton.NAMES:
            raise UserError(f"{path}: is no ground truth of the 37 keypoints; move it away")
        for batch in file.iter_batches(BATCH):
            yield columns_of(batch, names)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise UserError(f"{path}: cannot be used: {error}; move it away") from error


def columns_of(batch: pa.RecordBatch, coordinates: list[str]) -> dict[str, Column]:
    """Values of some rows (N), whose coordinates are named."""
    there = set(batch.schema.names)

    def numbers(name: str, *shape: int) -> Floats:
        column: Any = batch.column(name)
        flat = column.flatten() if shape else column
        flat = flat.to_numpy(zero_copy_only=False)
        return np.asarray(flat, dtype=float).reshape(batch.num_rows, *shape)

    found: dict[str, Column] = {
        name: numbers(name) for name in ("annotation_id", "image_id", *_NUMBERS) if name in there
    }
    found |= {name: batch.column(name).to_pylist() for name in _NAMES if name in there}
    found |= {
        name: [value or "none" for value in batch.column(name).to_pylist()]
        for name in _WORN
        if name in there
    }
    if "clothes" in found:
        found["garments"] = [name for worn in found["clothes"] for name in str(worn).split(", ")]
    if "cobb_deg" in there:  # 0 stands for no curve
        found["cobb_deg"] = np.where((cobb := numbers("cobb_deg")) > 0, cobb, np.nan)
    if "pose" in found:
        found["pose_family"] = [_families().get(str(pose)) for pose in found["pose"]]
    if "keypoints_world" in there:
        points = numbers("keypoints_world", len(skeleton.NAMES), 3)
        found["library_distance_m"] = library_distance_m(points)
        if "world2cam" in there:
            found |= views(points, numbers("world2cam", 4, 4))
    if coordinates and "coordinates" in there:
        found |= joint_angles(numbers("coordinates", len(coordinates)), coordinates)
    return found


@lru_cache(maxsize=1)
def _families() -> dict[str, str]:
    from spinetrack_synth.poses.library import library

    return {name: pose.family for name, pose in library().items()}


def joint_angles(coordinates: Floats, names: list[str]) -> dict[str, Column]:
    """Angles of the limbs (2 N,) in degrees, right and left one after the other."""
    found: dict[str, Column] = {}
    for name in JOINTS:
        sides = [names.index(f"{name}_{side}") for side in "rl" if f"{name}_{side}" in names]
        if sides:
            found[f"{name}_deg"] = np.degrees(coordinates[:, sides]).ravel()
    return found


def trunk_frames(points: Floats) -> tuple[Floats, Floats]:
    """Middle (N, 3) of each trunk and its axes (N, 3, 3) as rows: forward, up, right.

    Up runs from between the hips to between the shoulders, right across both.
    """
    corner = {
        name: points[:, skeleton.INDEX[name]]
        for name in ("left_hip", "right_hip", "left_shoulder", "right_shoulder")
    }
    hips = (corner["left_hip"] + corner["right_hip"]) / 2
    shoulders = (corner["left_shoulder"] + corner["right_shoulder"]) / 2
    up = _unit(shoulders - hips)
    right = corner["right_hip"] - corner["left_hip"]
    right = right + corner["right_shoulder"] - corner["left_shoulder"]
    right = _unit(right - (right * up).sum(1, keepdims=True) * up)
    return (hips + shoulders) / 2, np.stack([np.cross(up, right), up, right], axis=1)


def _unit(vectors: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        unit: Floats = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit


def views(points: Floats, world2cam: Floats) -> dict[str, Column]:
    """From where cameras at (N, 4, 4) see people with keypoints (N, 37, 3) m in the world."""
    rotation, translation = world2cam[:, :3, :3], world2cam[:, :3, 3]
    camera = -np.einsum("nji,nj->ni", rotation, translation)
    middle, axes = trunk_frames(points)
    towards = camera - middle
    distance = np.linalg.norm(towards, axis=1)
    forward, up, right = np.einsum("nij,nj->in", axes, towards)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "azimuth_deg": np.degrees(np.arctan2(right, forward)),
            "elevation_deg": np.degrees(np.arcsin(np.clip(up / distance, -1, 1))),
            "above_horizon_deg": np.degrees(np.arcsin(np.clip(towards[:, 1] / distance, -1, 1))),
            "distance_m": distance,
        }


def library_distance_m(points: Floats) -> Floats:
    """Root mean square distance (N,) m of the 37 keypoints from those of the nearest pose of the
    library or its mirror image: trunks laid on one another, people scaled to one size."""
    own, known = _in_trunk(points), _library_points()
    square = (own**2).sum(1)[:, None] - 2 * own @ known.T + (known**2).sum(1)
    nearest: Floats = np.sqrt(np.maximum(square.min(1), 0) / len(skeleton.NAMES))
    return nearest


def _in_trunk(points: Floats) -> Floats:
    """Keypoints (N, 37 x 3) m in the trunk's frame, as large as the library's."""
    middle, axes = trunk_frames(points)
    local = np.einsum("nij,nkj->nki", axes, points - middle[:, None])
    local = local * (_MODEL_SIZE_M / _size_m(points))[:, None, None]
    flat: Floats = local.reshape(len(points), -1)
    return flat


_LIMBS: Final = tuple(
    (f"{side}_{a}", f"{side}_{b}")
    for side in ("left", "right")
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
)
_MODEL_SIZE_M: Final = sum(distance_m(a, b) for a, b in _LIMBS)


def _size_m(points: Floats) -> Floats:
    """Sum (N,) of the lengths of the limbs, which no posture changes."""
    lengths = [
        np.linalg.norm(points[:, skeleton.INDEX[a]] - points[:, skeleton.INDEX[b]], axis=1)
        for a, b in _LIMBS
    ]
    total: Floats = np.sum(lengths, axis=0)
    return total


@lru_cache(maxsize=1)
def _library_points() -> Floats:
    """The poses of the library and their mirror images, as ``_in_trunk``."""
    from spinetrack_synth.anatomy.kinematics import marker_positions
    from spinetrack_synth.anatomy.model import fullbody
    from spinetrack_synth.poses.library import library
    from spinetrack_synth.poses.sampling import pose_coordinates

    tree = fullbody()
    markers = [tree.marker_index[name] for name in skeleton.NAMES]
    poses = [pose_coordinates(tree, pose) for pose in library().values()]
    points = np.array([marker_positions(tree, q)[markers] for q in poses])
    mirrored = points[:, list(skeleton.MIRROR)] * [1.0, 1.0, -1.0]
    return _in_trunk(np.concatenate([points, mirrored]))

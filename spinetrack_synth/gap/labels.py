"""The labels of a dataset as arrays in SpineTrack order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.coco import CocoDataset, Document
from spinetrack_synth.coco.document import SEQUENCE_FIELDS
from spinetrack_synth.coco.keypoint_names import columns_of
from spinetrack_synth.coco.normalizing import read_normalized
from spinetrack_synth.coco.picture_paths import pictures_root, search_folders
from spinetrack_synth.errors import UserError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

K: Final = len(skeleton.NAMES)


@dataclass(frozen=True, eq=False)
class Labels:
    """The people of a COCO file, sorted by image id, in SpineTrack order.

    N annotations, I images (sorted by id). ``points`` (N, 37, 2) px; ``v`` (N, 37) in {0, 1, 2},
    0 wherever the file has no such keypoint; ``boxes`` (N, 4); ``areas`` (N,); ``crowd`` (N,);
    ``ids`` (N,); ``image`` (N,) number of the image among ``image_ids`` (I,); ``rows`` (N,) place
    of the annotation in the file; ``cluster`` (I,) number of the sequence or picture, which are
    resampled together (``clustered_by`` says which); ``defined`` (37,) which keypoints the file's
    category has, ``names`` its own names for them; ``numbers`` the image ids by those that the file
    itself gives, ``remarks`` what had to be made of the file.
    """

    path: Path
    coco: CocoDataset
    points: Floats
    v: Ints
    boxes: Floats
    areas: Floats
    crowd: Bools
    ids: Ints
    image: Ints
    rows: Ints
    image_ids: Ints
    cluster: Ints
    defined: Bools
    names: tuple[str, ...]
    clustered_by: str
    numbers: Mapping[Any, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @cached_property
    def people(self) -> Bools:
        """Who is judged (N,): no crowds, at least one labelled keypoint."""
        stated = [a.get("num_keypoints", 1) != 0 for a in self.coco.annotations]
        judged: Bools = ~self.crowd & (self.v > 0).any(1) & np.array(stated, dtype=bool)[self.rows]
        return judged

    @cached_property
    def document(self) -> Document:
        """The same file as columns, in the order of the file."""
        return self.coco.document(self.path, pictures_root(self.path))

    @property
    def title(self) -> str:
        return self.path.stem.removeprefix("person_keypoints_")


def read_labels(path: Path) -> Labels:
    """Read a COCO keypoint file of anybody. Raises UserError where it has no keypoints that are
    known by name or no people."""
    reading = read_normalized(path)
    labels = labels_of(reading.coco, path)
    return replace(labels, numbers=reading.image_ids, remarks=reading.remarks)


def labels_of(coco: CocoDataset, path: Path) -> Labels:
    """The arrays of a dataset that was read."""
    used = {annotation["category_id"] for annotation in coco.annotations}
    if not used:
        raise UserError(f"{path}: holds no annotations: nothing to compare with")
    if len(used) > 1:
        raise UserError(
            f"{path}: annotations of {len(used)} categories; keep those of the person alone"
        )
    category = next(c for c in coco.categories if c["id"] in used)
    columns = columns_of(category["keypoints"])
    if not columns:
        raise UserError(
            f"{path}: none of the keypoints ({', '.join(category['keypoints'][:4])}, ...) is one "
            "of SpineTrack's 37"
        )
    image_ids = np.array(sorted(image["id"] for image in coco.images), dtype=np.int64)
    of_annotation = np.array([a["image_id"] for a in coco.annotations], dtype=np.int64)
    rows = np.argsort(of_annotation, kind="stable")
    table = np.zeros((len(rows), K, 3))
    targets, sources = zip(*columns)
    table[:, targets] = coco.keypoints[rows][:, sources]
    cluster, clustered_by = _clusters(coco, image_ids)
    annotations = coco.annotations
    return Labels(
        path=path,
        coco=coco,
        points=np.ascontiguousarray(table[..., :2]),
        v=table[..., 2].astype(np.int64),
        boxes=coco.boxes[rows],
        areas=np.array([a["area"] for a in annotations], dtype=np.float64)[rows],
        crowd=np.array([bool(a.get("iscrowd", 0)) for a in annotations], dtype=bool)[rows],
        ids=np.array([a["id"] for a in annotations], dtype=np.int64)[rows],
        image=np.searchsorted(image_ids, of_annotation[rows]),
        rows=rows,
        image_ids=image_ids,
        cluster=cluster,
        defined=np.isin(np.arange(K), targets),
        names=tuple(category["keypoints"]),
        clustered_by=clustered_by,
    )


def _clusters(coco: CocoDataset, image_ids: Ints) -> tuple[Ints, str]:
    for name in SEQUENCE_FIELDS:
        values = [coco.image_of[int(n)].get(name) for n in image_ids]
        if values and all(isinstance(value, str | int) for value in values):
            _, cluster = np.unique([str(value) for value in values], return_inverse=True)
            return cluster.astype(np.int64), name
    return np.arange(len(image_ids)), "picture"


def pictures_folder(labels: Labels, given: Path | None) -> Path | None:
    """The folder from which the file's names lead to pictures; None where the first has none."""
    first = next(iter(labels.coco.images), {}).get("file_name", "")
    for folder in search_folders(labels.path, given):
        if (folder / first).is_file():
            return folder
    if given is not None:
        raise UserError(f"{given}: holds no picture {first}; name the folder of the pictures")
    return None

"""Sources: the people of COCO keypoint files, as networks learn from them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.coco import CocoDataset, Record
from spinetrack_synth.coco.document import split_named
from spinetrack_synth.coco.keypoint_names import canonical_name, columns_of
from spinetrack_synth.coco.listing import read_boxes, recorded_size
from spinetrack_synth.coco.normalizing import NoKeypointsError, read_normalized
from spinetrack_synth.coco.picture_paths import (
    locate,
    missing_remedy,
    picture_folders,
    pictures_root,
)
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap.labels import Labels, labels_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Size = tuple[int, int]

K: Final = len(skeleton.NAMES)

HEAD_TOPS: Final = frozenset({"head_top", "top_head"})
"""What LSP, MPII, CrowdPose, AI Challenger and PoseTrack call our ``head``. MPII's thorax and
pelvis, the middles of shoulders and hips, are none of our points: C7 and sacrum lie elsewhere."""

SMALLEST_PX: Final = 24
"""Of people with a shorter box (its longer side) a network of 256 x 192 sees a tenth at most."""


@dataclass(frozen=True)
class SourceConfig:
    """A COCO file to learn from: its ``annotations``, and the folder of its ``images`` where that
    is not beside them.

    ``weight`` is its share of every batch, beside the others' weights. ``labelled`` = false takes
    the boxes alone, for a teacher to label. ``ignore`` names keypoints of ours which this source
    means otherwise (Halpe's and LSP's ``neck`` is no C7). ``people`` takes so many of them, the
    same ones every time, the fewer among the more. ``exchange`` says whether backgrounds may be
    exchanged; where it does not, they are behind people whose mask is exact to the pixel (run
    lengths, as rendered ones have), not behind outlines drawn by hand. ``name`` and ``licence`` are
    for logs and the model card.
    """

    annotations: Path
    images: Path | None = None
    weight: float = 1.0
    labelled: bool = True
    ignore: tuple[str, ...] = ()
    people: int | None = None
    exchange: bool | None = None
    name: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        if not math.isfinite(self.weight) or self.weight < 0:
            raise ValueError(f"weight is {self.weight}, expected 0 or more")
        if self.people is not None and self.people < 1:
            raise ValueError(f"people is {self.people}, expected at least 1")
        unknown = next((name for name in self.ignore if name not in skeleton.INDEX), None)
        if unknown is not None:
            raise ValueError(f"ignore: {unknown!r} is none of SpineTrack's 37 keypoints")

    @property
    def title(self) -> str:
        """What logs call it: its name, or that of the file."""
        return self.name or split_named(self.annotations) or self.annotations.stem


@dataclass(frozen=True, eq=False)
class Source:
    """N people in M pictures.

    ``pictures`` (M) with their recorded ``sizes_wh``, ``picture`` (N,) each person's;
    ``boxes_xywh`` (N, 4) and ``points`` (N, 37, 2) in pixels of the picture; ``labelled`` (N, 37),
    all false in a source of boxes alone; ``segmentations`` (N) as the file has them, or None;
    ``exchanges`` (N,) who may be cut out by them; ``ids`` (N,) of the annotations; ``remarks`` what
    was left out or made up.
    """

    config: SourceConfig
    pictures: tuple[Path, ...]
    sizes_wh: tuple[Size | None, ...]
    picture: Ints
    boxes_xywh: Floats
    points: Floats
    labelled: Bools
    segmentations: tuple[Any, ...]
    exchanges: Bools
    ids: Ints
    remarks: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def counts(self) -> dict[str, int]:
        """How many people have each keypoint labelled, by its name."""
        return dict(zip(skeleton.NAMES, self.labelled.sum(0).tolist()))

    def taking(self, rows: Ints) -> Source:
        """The source with these people alone, and their pictures."""
        used, picture = np.unique(self.picture[rows], return_inverse=True)
        return replace(
            self,
            pictures=tuple(self.pictures[number] for number in used),
            sizes_wh=tuple(self.sizes_wh[number] for number in used),
            picture=picture.astype(np.int64),
            boxes_xywh=self.boxes_xywh[rows],
            points=self.points[rows],
            labelled=self.labelled[rows],
            segmentations=tuple(self.segmentations[row] for row in rows),
            exchanges=self.exchanges[rows],
            ids=self.ids[rows],
        )


def read_source(config: SourceConfig) -> Source:
    """Read the people of a source, sorted by picture; crowds, people without a known keypoint
    and those of a few pixels are left out, and points that the file does not label are false in
    ``labelled``.

    Raises UserError where the file cannot be used, nobody is left, or a picture is missing.
    """
    path = config.annotations
    whole = _labelled(config) if config.labelled else _boxes_alone(config)
    if not len(whole):
        remedy = "; look at v, num_keypoints and iscrowd" if config.labelled else ""
        raise UserError(
            f"{path}: nobody in it has {_wanted(config)}: nothing to learn from{remedy}"
        )
    kept = _large_enough(whole)
    if not kept.any():
        raise UserError(
            f"{path}: all of its {len(whole):,} people are outside of their pictures or smaller "
            f"than {SMALLEST_PX} pixels: are its boxes x, y, width, height in pixels?"
        )
    remarks = whole.remarks
    if not kept.all():
        lost = int((~kept).sum())
        remarks += (f"{lost:,} people smaller than {SMALLEST_PX} pixels or unseen are left out",)
    rows = np.flatnonzero(kept)
    if config.people is not None:
        if config.people > len(rows):
            raise UserError(f"{path}: has {len(rows):,} people to learn from, not {config.people}")
        drawn = np.random.default_rng(0).permutation(len(rows))[: config.people]
        rows = rows[np.sort(drawn)]
    source = replace(whole.taking(rows), remarks=remarks)
    return replace(source, pictures=_found(config, source.pictures))


def _wanted(config: SourceConfig) -> str:
    if not config.labelled:
        return "a box"
    return "a labelled keypoint" + (" but those to ignore" if config.ignore else "")


def _labelled(config: SourceConfig) -> Source:
    """The people with labelled keypoints; pictures by the names that the file has."""
    path = config.annotations
    try:
        reading = read_normalized(path)
    except NoKeypointsError as error:
        raise UserError(
            f"{path}: nobody in it has keypoints: nothing to learn from, but for a teacher "
            "(labelled = false takes its boxes alone)"
        ) from error
    labels = labels_of(_with_head(reading.coco), path)
    if labels.document.points_written is not None:
        raise UserError(
            f"{path}: keypoints are written as {labels.document.points_written}, expected pixels; "
            "`spinetrack-synth validate` says more"
        )
    known = labels.v > 0
    known[:, [skeleton.INDEX[name] for name in config.ignore]] = False
    people = labels.people & known.any(1)
    remarks = [*reading.remarks, *_keypoint_remarks(labels, known)]
    if labels.document.boxes_read.written is not None:
        remarks.append(
            f"boxes seem to be written as {labels.document.boxes_read.written}, and are taken for "
            "x, y, width, height in pixels; `spinetrack-synth validate` says more"
        )
    if unlabelled := int((~people & ~labels.crowd).sum()):
        remarks.append(f"{unlabelled:,} people without a labelled keypoint are left out")
    names, sizes = _pictures(labels)
    masks = [labels.coco.annotations[row].get("segmentation") for row in labels.rows]
    exact = np.array([isinstance(mask, dict) for mask in masks], bool)
    allowed = np.full(len(masks), config.exchange) if config.exchange is not None else exact
    source = Source(
        config=config,
        pictures=names,
        sizes_wh=sizes,
        picture=labels.image,
        boxes_xywh=labels.boxes,
        points=np.where(known[..., None], labels.points, 0.0),
        labelled=known,
        segmentations=tuple(masks),
        exchanges=allowed & np.array([bool(mask) for mask in masks], bool),
        ids=labels.ids,
        remarks=tuple(remarks),
    )
    return source.taking(np.flatnonzero(people))


def _keypoint_remarks(labels: Labels, known: Bools) -> Iterator[str]:
    """Which of the file's keypoints are none of ours, and which may be meant otherwise."""
    taken = {place for _, place in columns_of(labels.names)}
    others = [name for place, name in enumerate(labels.names) if place not in taken]
    if others:
        told = ", ".join(others[:8]) + (f" and {len(others) - 8} more" if others[8:] else "")
        yield f"none of SpineTrack's 37, so left out: {told}"
    spine = [skeleton.INDEX[f"spine_{number:02d}"] for number in (1, 2)]
    shared = [name for name in ("neck", "hip") if known[:, skeleton.INDEX[name]].any()]
    if shared and not labels.defined[spine].all():
        yield (
            f"{' and '.join(shared)} may mean another place than SpineTrack's (C7, the sacrum), as "
            f"Halpe's and LSP's do; ignore = {json.dumps(shared)} leaves them out"
        )


def _with_head(coco: CocoDataset) -> CocoDataset:
    """The same dataset, with the top of the head called as we call it."""

    def renamed(category: Record) -> Record:
        names = category["keypoints"]
        if "head" in map(canonical_name, names):
            return category
        ours = ["head" if canonical_name(name) in HEAD_TOPS else name for name in names]
        return {**category, "keypoints": ours}

    return replace(coco, categories=[renamed(category) for category in coco.categories])


def _pictures(labels: Labels) -> tuple[tuple[Path, ...], tuple[Size | None, ...]]:
    records = [labels.coco.image_of[int(number)] for number in labels.image_ids]
    names = tuple(Path(record.get("file_name") or "") for record in records)
    return names, tuple(recorded_size(record) for record in records)


def _boxes_alone(config: SourceConfig) -> Source:
    """The people of a file that has boxes, whatever else it has."""
    pictures = list(read_boxes(config.annotations).pictures.values())
    counts = [len(picture.boxes_xywh) for picture in pictures]
    boxes = np.concatenate([np.zeros((0, 4)), *(picture.boxes_xywh for picture in pictures)])
    links = [link for picture in pictures for link in picture.links]
    ids = [link.get("annotation_id") for link in links]
    if not all(isinstance(number, int) for number in ids):
        ids = list(range(len(links)))
    whole = Source(
        config=config,
        pictures=tuple(Path(picture.file_name) for picture in pictures),
        sizes_wh=tuple(picture.size_wh for picture in pictures),
        picture=np.repeat(np.arange(len(pictures)), counts),
        boxes_xywh=boxes,
        points=np.zeros((len(boxes), K, 2)),
        labelled=np.zeros((len(boxes), K), bool),
        segmentations=(None,) * len(boxes),
        exchanges=np.zeros(len(boxes), bool),
        ids=np.array(ids, np.int64),
    )
    return whole.taking(np.arange(len(boxes)))


def _large_enough(source: Source) -> Bools:
    """Who (N,) is large enough and in the picture."""
    endless = (np.inf, np.inf)  # where no size is told
    sizes = np.array([size or endless for size in source.sizes_wh]).reshape(-1, 2)
    low, wide = source.boxes_xywh[:, :2], source.boxes_xywh[:, 2:]
    end = np.minimum(low + wide, sizes[source.picture])
    large: Bools = (wide.max(1) >= SMALLEST_PX) & (end > low.clip(0)).all(1)
    return large


def _found(config: SourceConfig, names: Sequence[Path]) -> tuple[Path, ...]:
    """Where the pictures of these names lie. Raises UserError that names the first missing one."""
    path = config.annotations
    if config.images is not None and not config.images.is_dir():
        raise UserError(f"{config.images}: no such folder: expected the pictures of {path}")
    roots = (
        [config.images] if config.images else [pictures_root(path), path.parent.parent, path.parent]
    )
    empty = CocoDataset([], [])
    folders = tuple(
        folder for root in roots for folder in picture_folders(empty.document(path, root))
    )
    found = [locate(name.as_posix(), folders) for name in names]
    missing = [name for name, place in zip(names, found) if place is None]
    if missing:
        others = f" ({len(missing) - 1:,} more)" if len(missing) > 1 else ""
        if missing[0] == Path():
            raise UserError(f"{path}: images: file_name: missing{others}, expected a name")
        remedy = missing_remedy(missing[0].as_posix(), None if config.images else "in images")
        where = folders[0] if folders else roots[0]
        raise UserError(f"{path}: there is no picture {missing[0]}{others} in {where}{remedy}")
    return tuple(place for place in found if place is not None)

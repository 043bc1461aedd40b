"""Labels and predictions of one dataset as arrays in SpineTrack order, and who is whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.coco import CocoDataset, Document
from spinetrack_synth.coco.document import SEQUENCE_FIELDS
from spinetrack_synth.coco.pictures import PictureNames
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap.reading import ORDERS, columns_of, read_dataset, sound_result

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
        return ~self.crowd & (self.v > 0).any(1) & np.array(stated, dtype=bool)[self.rows]

    @cached_property
    def document(self) -> Document:
        """The same file as columns, in the order of the file."""
        return self.coco.document(self.path, pictures_root(self.path))

    @property
    def title(self) -> str:
        return self.path.stem.removeprefix("person_keypoints_")


@dataclass(frozen=True, eq=False)
class Predictions:
    """Detected people, by image and falling score.

    D detections: ``points`` (D, 37, 2) px, nan where the model has no such keypoint; ``scores``
    (D, 37); ``score`` (D,) of the person; ``image`` (D,) number of the image; ``annotation`` (D,)
    row among the labels whose box was used, -1 where a detector found the box; ``remarks`` what
    was left out.
    """

    points: Floats
    scores: Floats
    score: Floats
    image: Ints
    annotation: Ints
    defined: Bools
    remarks: tuple[str, ...] = ()


def read_labels(path: Path) -> Labels:
    """Read a COCO keypoint file of anybody. Raises UserError where it has no keypoints that are
    known by name or no people."""
    reading = read_dataset(path)
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


def pictures_root(path: Path) -> Path:
    """Where the pictures of an annotation file usually lie: in ``images`` beside it, or beside the
    folder it is in."""
    beside = path.parent / "images"
    return beside if beside.is_dir() else path.parent.parent / "images"


def pictures_folder(labels: Labels, given: Path | None) -> Path | None:
    """The folder from which the file's names lead to pictures; None where the first has none."""
    root = given or pictures_root(labels.path)
    first = next(iter(labels.coco.images), {}).get("file_name", "")
    for folder in (root, root / labels.title, root / "images" / labels.title):
        if (folder / first).is_file():
            return folder
    if given is not None:
        raise UserError(f"{given}: holds no picture {first}; name the folder of the pictures")
    return None


def predictions_of(results: Sequence[Any], labels: Labels, source: str) -> Predictions:
    """COCO results as arrays; those of other categories than the people's are left out, as
    pycocotools leaves them out. Raises UserError, beginning with ``source``, at the first that
    cannot be used."""
    kept, remarks = _usable(_linked(results, labels), labels, source)
    results = kept
    lengths = {len(result["keypoints"]) for result in results}
    if len(lengths) > 1:
        raise UserError(f"{source}: results of different lengths: {sorted(lengths)} numbers")
    count = lengths.pop() // 3 if lengths else K
    names = labels.names
    known = names if count == len(names) else ORDERS.get(count)
    if known is None:
        raise UserError(
            f"{source}: results of {count} keypoints; expected 37, 26 or 17, or {len(names)} as in "
            f"{labels.path.name} (or {', '.join(str(n) for n in ORDERS if n not in (37, 26, 17))})"
        )
    flat = np.array([r["keypoints"] for r in results], dtype=np.float64).reshape(-1, count, 3)
    written = set(np.flatnonzero(flat.any(axis=(0, 2))).tolist())  # 0, 0, 0 stands for none
    columns = [(ours, place) for ours, place in columns_of(known) if place in written]
    columns = columns or columns_of(known)
    targets, sources = (list(side) for side in zip(*columns))
    score = np.array([r["score"] for r in results], dtype=np.float64)
    image = np.searchsorted(
        labels.image_ids, np.array([r["image_id"] for r in results], dtype=np.int64)
    )
    row_of = {int(number): row for row, number in enumerate(labels.ids)}
    named = [r.get("annotation_id") for r in results]
    annotation = np.array(
        [row_of.get(n, -1) if isinstance(n, int) else -1 for n in named], dtype=np.int64
    )
    order = np.lexsort((-score, image))
    points = np.full((len(results), K, 2), np.nan)
    scores = np.full((len(results), K), np.nan)
    points[:, targets] = flat[order][:, sources, :2]
    scores[:, targets] = flat[order][:, sources, 2]
    return Predictions(
        points=points,
        scores=scores,
        score=score[order],
        image=image[order],
        annotation=annotation[order],
        defined=np.isin(np.arange(K), targets),
        remarks=tuple(remarks),
    )


def _usable(
    results: Sequence[Any], labels: Labels, source: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """The results of the dataset's people, with our numbers of their pictures, and what was left
    out; a file of which every result is of other pictures is refused."""
    numbers = labels.numbers or {int(number): int(number) for number in labels.image_ids}
    as_text = {str(given): number for given, number in numbers.items()}
    if len(as_text) == len(numbers):  # tools write 139 as "139", or the other way round
        numbers = as_text | dict(numbers)
    category = labels.coco.annotations[0]["category_id"]
    kept, elsewhere, first, others = [], 0, "", 0
    for place, result in enumerate(results):
        image = result.get("image_id") if isinstance(result, dict) else None
        number = numbers.get(image) if isinstance(image, int | float | str) else None
        number = numbers.get(str(image)) if number is None else number
        if isinstance(result, dict) and number is None:
            first = first or f"[{place}].image_id: {image!r} is no image of the dataset"
            elsewhere += 1
            continue
        sound, problem = sound_result(result)
        if problem:
            raise UserError(f"{source}: [{place}]{problem}")
        if sound.get("category_id", category) == category:
            kept.append({**sound, "image_id": number})
        else:
            others += 1
    if elsewhere and not kept and not others:
        raise UserError(f"{source}: {first}")
    if results and not kept:
        raise UserError(
            f"{source}: no result of category {category}, which the people of {labels.path} are of"
        )
    remark = (
        f"{elsewhere:,} of {len(results):,} results are of pictures that the labels do not have"
    )
    return kept, [f"{remark}: left out"] if elsewhere else []


def _linked(results: Sequence[Any], labels: Labels) -> Sequence[Any]:
    """Results that name their picture (``file_name``, as ``predict`` writes it; without its ending
    where a file of single pictures is named so) with the dataset's id of it, whatever they count
    themselves."""
    named = [r.get("file_name") if isinstance(r, dict) else None for r in results]
    if not any(isinstance(name, str) for name in named):
        return results
    ids = {image["file_name"]: image["id"] for image in labels.coco.images}
    of_number = {number: given for given, number in labels.numbers.items()}
    names = PictureNames(ids)
    of_stem = {str(Path(name).with_suffix("")): name for name in ids if name}
    stems = PictureNames(of_stem)
    fitting = [
        (names.fitting(name) or [of_stem[stem] for stem in stems.fitting(name)])
        if isinstance(name, str)
        else []
        for name in named
    ]
    if not any(fitting):
        return results
    linked = []
    for result, name, fits in zip(results, named, fitting):
        if isinstance(name, str):
            wanted = [of_number.get(ids[fit], ids[fit]) for fit in fits]
            if result.get("image_id") not in wanted:
                result = {**result, "image_id": wanted[0] if len(fits) == 1 else name}
        linked.append(result)
    return linked


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every label with the prediction that means the same person.

    N labels: ``found`` (N,) whether there is one; ``points`` (N, 37, 2) px and ``scores`` (N, 37)
    of it, nan where there is none; ``by_box`` whether predictions name the label whose box they
    were made in (else they are paired by similarity).
    """

    found: Bools
    points: Floats
    scores: Floats
    by_box: bool

"""A teacher whose answers were saved: COCO keypoint results for the people of the sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.coco.keypoint_names import ORDERS, columns_of
from spinetrack_synth.coco.parsing import read_json
from spinetrack_synth.coco.picture_paths import PictureNames
from spinetrack_synth.coco.results import read_results, sound_result
from spinetrack_synth.coco.writing import Record
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.keypoint_sets import keypoint_map
from spinetrack_synth.training.distillation import Crops, TeacherAnswer, as_labels, known_points

Floats = NDArray[np.float64]

LEAST_OVERLAP: Final = 0.5
"""Intersection over union of a result's box and a person's, for them to be the same."""


class File(Protocol):
    """Where a source is from: a COCO file."""

    @property
    def annotations(self) -> Path: ...


class People(Protocol):
    """N people of a source in M pictures: ``pictures`` (M), ``picture`` (N,) each person's,
    ``boxes_xywh`` (N, 4) in pixels and ``ids`` (N,) of the annotations."""

    @property
    def config(self) -> File: ...
    @property
    def pictures(self) -> Sequence[Path]: ...
    @property
    def picture(self) -> NDArray[np.int64]: ...
    @property
    def boxes_xywh(self) -> Floats: ...
    @property
    def ids(self) -> NDArray[np.int64]: ...


@dataclass(frozen=True, eq=False)
class SavedTeacher:
    """What was predicted for everybody of S sources: of each, ``points`` (N, 37, 2) in pixels of
    the picture, integers being pixel centres, and ``scores`` (N, 37), nan where there is nothing.

    It is as sure as ``least_score``, and knows the points ``names``.
    """

    names: tuple[str, ...]
    points: tuple[Floats, ...]
    scores: tuple[Floats, ...]
    least_score: float

    def answer(self, crops: Crops) -> TeacherAnswer:
        """The predictions as labels in the crops, wherever those were cut and turned."""
        height, width = crops.images.shape[1:3]
        whom = list(zip(crops.source, crops.person))
        points = np.stack([self.points[source][person] for source, person in whom])
        scores = np.stack([self.scores[source][person] for source, person in whom])
        turn, shift = crops.picture2crop[:, :, :2], crops.picture2crop[:, :, 2]
        seen = np.einsum("bij,bkj->bki", turn, points) + shift[:, None]
        mirrored = np.linalg.det(turn) < 0
        seen[mirrored] = seen[mirrored][:, list(skeleton.MIRROR)]
        scores[mirrored] = scores[mirrored][:, list(skeleton.MIRROR)]
        with np.errstate(invalid="ignore"):
            sure = scores >= self.least_score
        return as_labels(seen, sure, (width, height))


def read_saved_teacher(
    path: Path,
    sources: Sequence[People],
    *,
    least_score: float,
    ignore: Sequence[str] = (),
    names: Sequence[str] = (),
) -> SavedTeacher:
    """The results of a file for the people of the sources.

    Results are somebody's by the annotation that they name (``annotation_id``) if the picture that
    they name, if any, is of the same source, for others may have that number too; else by picture
    and box. ``names`` are those of the keypoints where their number does not tell. Raises UserError
    where results cannot be used, or none is anybody's.
    """
    results = []
    for place, each in enumerate(read_results(path)):
        sound, problem = sound_result(each)
        if problem:
            raise UserError(f"{path}: [{place}]{problem}")
        results.append(sound)
    columns = _columns(path, results, names, ignore)
    found_points, found_scores = [], []
    for people in sources:
        points = np.full((len(people.ids), len(skeleton.NAMES), 2), np.nan)
        scores = np.full((len(people.ids), len(skeleton.NAMES)), np.nan)
        for row, result in _whose(results, people).items():
            flat = np.asarray(result["keypoints"], np.float64).reshape(-1, 3)
            for ours, place in columns:
                if flat[place].any():  # 0, 0, 0 stands for none
                    points[row, ours], scores[row, ours] = flat[place, :2], flat[place, 2]
        found_points.append(points)
        found_scores.append(scores)
    if not any(np.isfinite(scores).any() for scores in found_scores):
        shown = ", ".join(people.config.annotations.name for people in sources)
        raise UserError(f"{path}: none of its {len(results):,} results is of anybody in {shown}")
    known = tuple(skeleton.NAMES[ours] for ours, _ in columns)
    return SavedTeacher(known, tuple(found_points), tuple(found_scores), least_score)


def _columns(
    path: Path, results: Sequence[Record], names: Sequence[str], ignore: Sequence[str]
) -> list[tuple[int, int]]:
    """(keypoint of ours, place in a result) of what the results hold and is not to be ignored."""
    lengths = sorted({len(result["keypoints"]) // 3 for result in results})
    if len(lengths) != 1:
        raise UserError(f"{path}: results of {lengths or 'no'} keypoints, expected one number")
    given = tuple(names) or ORDERS.get(lengths[0], ())
    if len(given) != lengths[0]:
        raise UserError(
            f"{path}: results of {lengths[0]} keypoints, expected "
            + (f"{len(given)} as named" if given else "37, 26 or 17; name them in keypoints")
        )
    known = known_points(str(path), keypoint_map(given), ignore, given)
    return [(ours, at) for ours, at in columns_of(given) if skeleton.NAMES[ours] in known]


def _whose(results: Sequence[Record], people: People) -> dict[int, Record]:
    """Rows of people, each with the best of the results that are of them."""
    row_of = {int(number): row for row, number in enumerate(people.ids)}
    best: dict[int, tuple[float, Record]] = {}

    def offer(row: int, fit: float, result: Record) -> None:
        if row not in best or fit > best[row][0]:
            best[row] = fit, result

    if all(isinstance(result.get("annotation_id"), int) for result in results):
        names = PictureNames(path.as_posix() for path in people.pictures)
        for result in results:
            row = row_of.get(result["annotation_id"])
            if row is not None and _in_picture(result, people, row, names):
                offer(row, float(result["score"]), result)
        return {row: result for row, (_, result) in best.items()}
    for picture, inside in _by_picture(results, people).items():
        rows = np.flatnonzero(people.picture == picture)
        for result in inside:
            overlaps = _overlaps(_box(result), people.boxes_xywh[rows])
            if overlaps.size and overlaps.max() >= LEAST_OVERLAP:
                offer(int(rows[overlaps.argmax()]), float(overlaps.max()), result)
    return {row: result for row, (_, result) in best.items()}


def _in_picture(result: Record, people: People, row: int, names: PictureNames) -> bool:
    """Whether the picture that a result names, if any, may be that of a person."""
    name = result.get("file_name")
    picture = people.pictures[int(people.picture[row])].as_posix()
    return not isinstance(name, str) or picture in names.fitting(name)


def _by_picture(results: Sequence[Record], people: People) -> dict[int, list[Record]]:
    """Results by the number of the source's picture that they name or count."""
    number_of = {path.as_posix(): number for number, path in enumerate(people.pictures)}
    names = PictureNames(number_of)
    images = read_json(people.config.annotations).get("images") or []
    of_id = {image.get("id"): image.get("file_name") for image in images if isinstance(image, dict)}
    found: dict[int, list[Record]] = {}
    for result in results:
        name = result.get("file_name") or of_id.get(result.get("image_id"))
        fitting = names.fitting(name) if isinstance(name, str) else []
        if len(fitting) == 1:
            found.setdefault(number_of[fitting[0]], []).append(result)
    return found


def _box(result: Record) -> Floats:
    """A result's box, else that of its keypoints."""
    box = result.get("bbox")
    if isinstance(box, list) and len(box) == 4:
        return np.asarray(box, np.float64)
    flat = np.asarray(result["keypoints"], np.float64).reshape(-1, 3)
    points = flat[flat.any(axis=1), :2]
    low, high = points.min(axis=0), points.max(axis=0)
    return np.concatenate([low, high - low])


def _overlaps(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of a box with boxes (P, 4), all x, y, width, height."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[:2] + box[2:], boxes[:, :2] + boxes[:, 2:])
    shared = np.maximum(high - low, 0).prod(axis=1)
    union = box[2:].prod() + boxes[:, 2:].prod(axis=1) - shared
    overlaps: Floats = shared / np.maximum(union, 1e-9)
    return overlaps

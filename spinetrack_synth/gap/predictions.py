"""The predictions for a dataset as arrays in SpineTrack order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spinetrack_synth.coco.keypoint_names import ORDERS, columns_of
from spinetrack_synth.coco.picture_paths import PictureNames
from spinetrack_synth.coco.results import sound_result
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap.labels import Bools, Floats, Ints, K, Labels


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

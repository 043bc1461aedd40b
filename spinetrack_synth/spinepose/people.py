"""Where the people in a picture are: boxes of a file, of a detector, or of the picture itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco import read_json
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.model import Estimate, PoseModel, estimate
from spinetrack_synth.spinepose.pictures import Picture

Floats = NDArray[np.float64]

CONFIDENT: Final = 0.3
"""Keypoints with this score show where a person is. No probability: scores are not calibrated."""

FEWEST: Final = 5
"""So many confident keypoints make a person."""

MARGIN: Final = 0.05
"""What a person's box has beyond the keypoints on each side, in parts of their larger extent (the
median on rendered people)."""


@dataclass(frozen=True)
class FileBoxes:
    """Boxes (P, 4) of a COCO file by its picture names, and the ids it gives to the pictures."""

    path: Path
    boxes_xywh: Mapping[str, Floats]
    image_ids: Mapping[str, int]

    def name_of(self, picture: Path) -> str:
        """The file's own name of a picture; raises UserError where it has none or several."""
        full = picture.resolve().as_posix()
        fitting = [name for name in self.boxes_xywh if full.endswith(f"/{name}")]
        fitting = fitting or [name for name in self.boxes_xywh if Path(name).name == picture.name]
        if len(fitting) != 1:
            found = "no picture" if not fitting else f"{len(fitting)} pictures"
            raise UserError(f"{self.path}: {found} named {picture.name}")
        return fitting[0]


def read_boxes(path: Path) -> FileBoxes:
    """Read the people's boxes of a COCO file, with or without keypoints; crowds are left out."""
    data = read_json(Path(path))
    if not isinstance(data, dict) or not all(
        isinstance(data.get(name), list) for name in ("images", "annotations")
    ):
        raise UserError(f"{path}: no COCO file: expected lists named images and annotations")
    for section in ("images", "annotations", "categories"):
        for place, record in enumerate(data.get(section) or []):
            if not isinstance(record, dict):
                kind = type(record).__name__
                raise UserError(f"{path}: {section}[{place}]: {kind}, expected an object")
    people = {
        category.get("id")
        for category in data.get("categories") or []
        if "keypoints" in category or category.get("name") == "person"
    } or {1}
    names: dict[int, str] = {}
    for place, image in enumerate(data["images"]):
        if not isinstance(image.get("id"), int):
            raise UserError(
                f"{path}: images[{place}].id: {image.get('id')!r}, expected a whole number"
            )
        names[image["id"]] = str(image.get("file_name"))
    boxes: dict[str, list[Any]] = {name: [] for name in names.values()}
    for place, annotation in enumerate(data["annotations"]):
        if annotation.get("category_id", 1) not in people or annotation.get("iscrowd"):
            continue
        box, image_id = annotation.get("bbox"), annotation.get("image_id")
        if not isinstance(image_id, int) or image_id not in names:
            raise UserError(
                f"{path}: annotations[{place}].image_id: {image_id!r} is no image of this file"
            )
        try:
            sound = np.isfinite(np.array(box, np.float64)).sum() == 4
        except (TypeError, ValueError):
            sound = False
        if not sound:
            raise UserError(
                f"{path}: annotations[{place}].bbox: {box!r}, expected x, y, width, height"
            )
        boxes[names[image_id]].append(box)
    return FileBoxes(
        Path(path),
        {name: np.array(rows, np.float64).reshape(-1, 4) for name, rows in boxes.items()},
        {name: number for number, name in names.items()},
    )


def box_of(
    points: NDArray[np.floating], scores: NDArray[np.floating], least: float = CONFIDENT
) -> Floats | None:
    """The box (4,) around a person's confident keypoints (K, 2); None where they are too few."""
    seen = points[scores >= least]
    if len(seen) < min(FEWEST, len(points)):
        return None
    low, high = seen.min(axis=0), seen.max(axis=0)
    margin = MARGIN * (high - low).max()
    return np.concatenate([low - margin, high - low + 2 * margin])


def whole(picture: Picture) -> Floats:
    """The picture as one box (1, 4)."""
    height, width = picture.shape[:2]
    return np.array([[0.0, 0.0, width, height]])


def only_person(model: PoseModel, picture: Picture, **options: Any) -> tuple[Estimate, Floats]:
    """The picture taken as one person, looked at once more in the box of what was found there.

    Returns the estimate of one person and the box (1, 4). ``options`` go to ``estimate``.
    """
    boxes = whole(picture)
    first = estimate(model, picture, boxes, image_order="bgr", **options)
    box = box_of(first.keypoints_px[0], first.scores[0])
    if box is None:
        return first, boxes
    return estimate(model, picture, box[None], image_order="bgr", **options), box[None]

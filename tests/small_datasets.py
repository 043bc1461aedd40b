"""Small COCO keypoint datasets with pictures, of any skeleton and with any fields."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from spinetrack_synth import skeleton

SIZE_WH = (40, 30)


def write_dataset(
    folder: Path,
    pictures: Sequence[Mapping[str, Any]],
    *,
    name: str = "train",
    people: Sequence[Sequence[Mapping[str, Any]]] | None = None,
    names: Sequence[str] = skeleton.NAMES,
    seed: int = 0,
    ending: str = "png",
    **head: Any,
) -> Path:
    """Write pictures, which may have fields of their own, with ``people`` in each (one where not
    said) in the layout of `render`; returns the file of annotations."""
    rng = np.random.default_rng(seed)
    people = people if people is not None else [[{}] for _ in pictures]
    images, annotations = [], []
    for number, (fields, persons) in enumerate(zip(pictures, people, strict=True)):
        file_name = f"{number:04d}.{ending}"
        image = {"id": number, "file_name": file_name, "width": 40, "height": 30, **fields}
        target = folder / "images" / name / image["file_name"]
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (image["width"], image["height"]), int(rng.integers(256))).save(target)
        images.append(image)
        annotations += [
            {**person_record(rng, names, number, 1 + len(annotations) + k), **own}
            for k, own in enumerate(persons)
        ]
    data = {
        "info": {"description": "made", "version": "1.0"},
        "licenses": [{"id": 1, "name": "CC0-1.0", "url": "https://example.org/cc0"}],
        "categories": [{"id": 1, "name": "person", "keypoints": list(names)}],
        "images": images,
        "annotations": annotations,
        **head,
    }
    path = folder / "annotations" / f"person_keypoints_{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


def person_record(
    rng: np.random.Generator, names: Sequence[str], image_id: Any, number: int
) -> dict[str, Any]:
    """An annotation with random points inside of the picture, one in five not labelled."""
    points = np.round(rng.uniform(0, SIZE_WH, (len(names), 2)), 3)
    v = rng.choice([0, 1, 2, 2, 2], len(names))
    points[v == 0] = 0
    keypoints: list[Any] = []
    for (x, y), seen in zip(points.tolist(), v.tolist()):
        keypoints += [x, y, seen]
    left, top, wide, high = np.round(rng.uniform(1, 14, 4), 2).tolist()
    return {
        "id": number,
        "image_id": image_id,
        "category_id": 1,
        "iscrowd": 0,
        "num_keypoints": int((v > 0).sum()),
        "keypoints": keypoints,
        "bbox": [left, top, wide, high],
        "area": round(0.5 * wide * high, 2),
    }


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))

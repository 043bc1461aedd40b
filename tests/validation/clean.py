"""A clean dataset to plant faults in: three images with two standing people each, and ways to
write it."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.camera import look_at
from spinetrack_synth.coco import PERSON

WIDTH, HEIGHT = 640, 480
SPINE = [skeleton.NAMES[index] for index in skeleton.SPINE]


@cache
def people() -> tuple[np.ndarray, ...]:
    """Six people (37, 2) px: the model in slightly different poses, seen from the front."""
    tree = load_model(fullbody_path())
    order = [tree.marker_names.index(name) for name in skeleton.NAMES]
    seen = []
    for number in range(6):
        q = tree.default_coordinates.copy()
        for name, value in {
            "arm_flex_l": 0.2 + 0.15 * number,
            "elbow_flex_r": 0.3 + 0.1 * number,
            "hip_flexion_r": 0.1 * number,
            "lumbar_bending": 0.05 * number,
            "pelvis_rotation": 0.1 * (number - 2),
        }.items():
            q[tree.coordinate_index[name]] = value
        points = marker_positions(tree, q)[order]
        middle = points.mean(0)
        camera = look_at(
            middle + np.array([4.0, 0.2 * number - 0.4, 0.3 * number - 0.6]),
            middle,
            focal_px=900,
            width=WIDTH,
            height=HEIGHT,
        )
        seen.append(camera.project(points) + np.array([150 if number % 2 else -150, 0]))
    return tuple(seen)


@cache
def _clean() -> dict[str, Any]:
    images, annotations = [], []
    for number, points in enumerate(people()):
        if number % 2 == 0:
            images.append(
                {
                    "id": 10 + number,
                    "file_name": f"{number:06d}.png",
                    "width": WIDTH,
                    "height": HEIGHT,
                    "license": 1,
                    "date_captured": "2024-05-17 10:30:00",
                }
            )
        annotations.append(_annotation(4711 + number, images[-1]["id"], points))
    return {
        "info": {
            "description": "people who stand",
            "version": "1.0",
            "year": 2024,
            "date_created": "2024/05/18",
        },
        "licenses": [{"id": 1, "name": "CC0 1.0", "url": "https://creativecommons.org/cc0"}],
        "categories": [PERSON],
        "images": images,
        "annotations": annotations,
    }


def _annotation(number: int, image: int, points: np.ndarray) -> dict[str, Any]:
    """A person whose mask is an ellipse around the points; one keypoint hidden, one absent."""
    points = points.round(2)
    v = np.full(37, 2)
    v[skeleton.INDEX["left_ear"]] = 1
    absent = skeleton.INDEX["right_latissimus"]
    v[absent], points[absent] = 0, 0
    there = points[v > 0]
    center, radius = (there.min(0) + there.max(0)) / 2, np.ptp(there, axis=0) * 0.75
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    mask = ((x - center[0]) / radius[0]) ** 2 + ((y - center[1]) / radius[1]) ** 2 < 1
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    encoded = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    keypoints = [n for (px, py), s in zip(points.tolist(), v.tolist()) for n in (px, py, s)]
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "keypoints": keypoints,
        "num_keypoints": 36,
        "bbox": [
            int(columns[0]),
            int(rows[0]),
            int(np.ptp(columns)) + 1,
            int(np.ptp(rows)) + 1,
        ],
        "area": int(mask.sum()),
        "segmentation": {"size": [HEIGHT, WIDTH], "counts": encoded["counts"].decode()},
        "subject": f"s1-{number}",
    }


def clean() -> dict[str, Any]:
    """A fresh copy of the clean file."""
    return copy.deepcopy(_clean())


def place(data: dict[str, Any], row: int, name: str) -> slice:
    """Where a named keypoint stands in an annotation's list."""
    index = 3 * skeleton.INDEX[name]
    return slice(index, index + 3)


def swap(data: dict[str, Any], row: int, a: str, b: str) -> None:
    """Exchange two keypoints of an annotation."""
    points = data["annotations"][row]["keypoints"]
    one, two = place(data, row, a), place(data, row, b)
    points[one], points[two] = points[two], points[one]


def write(path: Path, data: Any) -> Path:
    """Write data as JSON, NaN included."""
    path.write_text(json.dumps(data))
    return path


def write_pictures(folder: Path, data: dict[str, Any]) -> Path:
    """A different picture of coloured noise for every image."""
    from PIL import Image

    folder.mkdir(exist_ok=True)
    for number, image in enumerate(data["images"]):
        small = np.random.default_rng(number).integers(0, 255, (12, 16, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize((image["width"], image["height"]))
        picture.save(folder / image["file_name"])
    return folder

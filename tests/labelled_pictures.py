"""Tiny labelled pictures whose keypoints can be found in them again: each is a disc of its own
colour."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from spinetrack_synth import skeleton

COLOURS = {
    "nose": (255, 0, 0), "left_wrist": (0, 255, 0), "right_wrist": (0, 0, 255),
    "left_ankle": (255, 255, 0), "right_ankle": (0, 255, 255),
}  # fmt: skip
"""RGB of the discs."""

BODY = {
    "nose": (0.0, -0.4), "left_wrist": (0.25, -0.1), "right_wrist": (-0.2, 0.05),
    "left_ankle": (0.1, 0.4), "right_ankle": (-0.15, 0.35),
}  # fmt: skip
"""Where the discs are, from the middle of the body, in body heights."""


def write_set(
    folder: Path,
    heights_px: Sequence[float],
    *,
    size_wh: tuple[int, int] = (200, 160),
    middle: tuple[float, float] = (100.0, 80.0),
    names: Sequence[str] = skeleton.NAMES,
    per_picture: int = 1,
    grey: int = 120,
    **more: Any,
) -> Path:
    """A COCO file of people so high, each a rectangle (its mask) with discs, in pictures beside
    it."""
    import cv2

    images: list[dict[str, Any]] = []
    annotations = []
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for number, height in enumerate(heights_px):
        if number % per_picture == 0:
            picture = np.full((size_wh[1], size_wh[0], 3), grey, np.uint8)
            name = f"{len(images):03d}.png"
            images.append(
                {"id": len(images), "file_name": name, "width": size_wh[0], "height": size_wh[1]}
            )
        shift = [20.0 * (number % per_picture), number // per_picture % 3]
        centre = np.add(middle, shift)
        points = {name: centre + height * np.array(at) for name, at in BODY.items()}
        low, wide = centre - height * np.array([0.35, 0.5]), height * np.array([0.7, 1.0])
        corners = np.round([low, low + wide]).astype(int)
        cv2.rectangle(picture, corners[0].tolist(), (corners[1] - 1).tolist(), (90, 90, 90), -1)
        for name, point in points.items():
            at = np.round(point * 16).astype(int).tolist()
            radius = round(16 * max(height / 25, 2))
            cv2.circle(picture, at, radius, COLOURS[name][::-1], -1, cv2.LINE_8, 4)
        cv2.imwrite(str(folder / "images" / images[-1]["file_name"]), picture)
        keypoints = [[*points[n].tolist(), 2] if n in points else [0, 0, 0] for n in names]
        (left, top), (right, bottom) = corners.clip(0, size_wh).tolist()
        mask = np.zeros((size_wh[1], size_wh[0]), np.uint8, order="F")
        mask[top:bottom, left:right] = 1
        runs = coco_mask.encode(mask)
        annotations.append(
            {
                "id": 10 + number,
                "image_id": images[-1]["id"],
                "category_id": 1,
                "iscrowd": 0,
                "keypoints": np.ravel(keypoints).tolist(),
                "bbox": [*low.tolist(), *wide.tolist()],
                "area": float(wide.prod()),
                "segmentation": {"size": runs["size"], "counts": runs["counts"].decode()},
                **more,
            }
        )
    path = folder / "people.json"
    categories = [{"id": 1, "name": "person", "keypoints": list(names)}]
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return path


def found(image: np.ndarray, name: str) -> np.ndarray | None:
    """The middle (2,) of the disc of a keypoint in an image (H, W, 3) RGB; None where it is not
    seen."""
    rows, columns = np.nonzero(np.abs(image.astype(int) - COLOURS[name]).max(-1) < 110)
    return np.array([columns.mean(), rows.mean()]) if len(rows) >= 4 else None


def alter(path: Path, **sections: Any) -> None:
    """Change a written file: ``annotations`` and so on are functions of the old section."""
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {name: to(data[name]) for name, to in sections.items()}))

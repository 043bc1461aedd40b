"""Labels and predictions with known truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.camera import look_at
from spinetrack_synth.coco import PERSON, CocoDataset
from spinetrack_synth.gap.labels import Labels, labels_of
from spinetrack_synth.gap.predictions import Predictions, predictions_of
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import sample_pose

SIZE = 800
Array = np.ndarray
Alter = Callable[[Array, np.random.Generator], Array]


@cache
def project_people(count: int, seed: int, poses: tuple[str, ...] = ()) -> Array:
    """People (count, 37, 2) px in poses of the library, from all sides."""
    tree = load_model(fullbody_path())
    order = [tree.marker_names.index(name) for name in skeleton.NAMES]
    chosen = [pose for name, pose in library().items() if not poses or name in poses]
    rng = np.random.default_rng(seed)
    people = []
    for number in range(count):
        points = marker_positions(tree, sample_pose(tree, chosen[number % len(chosen)], rng))[order]
        middle = (points.min(0) + points.max(0)) / 2
        azimuth, elevation = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(-5, 30))
        toward = np.array(
            [
                np.cos(elevation) * np.cos(azimuth),
                np.sin(elevation),
                np.cos(elevation) * np.sin(azimuth),
            ]
        )
        camera = look_at(
            middle + rng.uniform(3, 7) * toward, middle, focal_px=900, width=SIZE, height=SIZE
        )
        people.append(camera.project(points))
    return np.array(people)


def make_coco(
    people: Array, v: Array | None = None, per_image: int = 1, size: int = SIZE
) -> CocoDataset:
    """One annotation a person, box around the points, area that of the box."""
    images: list[dict[str, Any]] = []
    annotations = []
    for number, points in enumerate(people):
        if number % per_image == 0:
            name = f"{len(images):06d}.png"
            images.append({"id": 3 * len(images), "file_name": name, "width": size, "height": size})
        seen = np.full(37, 2) if v is None else v[number]
        low, high = points.min(0) - 5, points.max(0) + 5
        annotations.append(
            {
                "id": 100 + number,
                "image_id": images[-1]["id"],
                "category_id": 1,
                "iscrowd": 0,
                "num_keypoints": int((seen > 0).sum()),
                "keypoints": np.column_stack([points, seen]).ravel().tolist(),
                "bbox": [*low.tolist(), *(high - low).tolist()],
                "area": float((high - low).prod()),
            }
        )
    return CocoDataset(images, annotations, [PERSON])


def make_labels(people: Array, **options: Any) -> Labels:
    return labels_of(make_coco(people, **options), Path("person_keypoints_made.json"))


def make_results(
    labels: Labels, points: Array, scores: Array | None = None, *, boxes: bool = True
) -> list[dict[str, Any]]:
    """COCO results with the points (N, 37, 2) in the order of the labels."""
    results = []
    for row in range(len(labels.ids)):
        score = np.ones(37) if scores is None else scores[row]
        results.append(
            {
                "image_id": int(labels.image_ids[labels.image[row]]),
                "category_id": 1,
                "keypoints": np.column_stack([points[row], score]).ravel().tolist(),
                "score": float(score.mean()),
                **({"annotation_id": int(labels.ids[row])} if boxes else {}),
            }
        )
    return results


def predict(labels: Labels, points: Array, scores: Array | None = None) -> Predictions:
    return predictions_of(make_results(labels, points, scores), labels, "made")


def jitter(labels: Labels, share: float, seed: int) -> Array:
    """The labels' points with normal errors of a share of the box's diagonal."""
    noise = np.random.default_rng(seed).normal(size=labels.points.shape)
    diagonal = np.hypot(labels.boxes[:, 2], labels.boxes[:, 3])
    return labels.points + share * diagonal[:, None, None] * noise


def write(path: Path, coco: CocoDataset, results: Sequence[Any] | None = None) -> Path:
    """The labels, or the results where there are some, as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(coco.to_bytes() if results is None else json.dumps(results).encode())
    return path


def paint(folder: Path, coco: CocoDataset, seed: int, alter: Alter = lambda x, rng: x) -> Path:
    """Pictures of the people as thick limbs before boxes of all colours, altered as asked."""
    from PIL import Image, ImageDraw

    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    of_image: dict[int, list[Array]] = {}
    for annotation in coco.annotations:
        points = np.array(annotation["keypoints"]).reshape(-1, 3)[:, :2]
        of_image.setdefault(annotation["image_id"], []).append(points)
    for image in coco.images:
        size = image["width"]
        canvas = Image.new("RGB", (2 * size, 2 * size), tuple(rng.integers(60, 200, 3).tolist()))
        draw = ImageDraw.Draw(canvas)
        for _ in range(30):
            corner = rng.uniform(0, 2 * size, 2)
            draw.rectangle(
                [*corner, *(corner + rng.uniform(20, size, 2))],
                fill=tuple(rng.integers(50, 210, 3).tolist()),
            )
        for points in of_image.get(image["id"], []):
            color = tuple(rng.integers(40, 220, 3).tolist())
            for a, b in skeleton.LINKS:
                line = [tuple(2 * points[a]), tuple(2 * points[b])]
                draw.line(line, fill=color, width=size // 40)
        small = canvas.resize((size, size), Image.Resampling.BOX)
        pixels = alter(np.asarray(small, dtype=np.float64), rng)
        Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)).save(
            folder / image["file_name"]
        )
    return folder

"""How a pose network does on real photos: its body points against labels, its spine by what can be
judged where nobody labelled one.

    python benchmarks/photos.py --lspe lsp --coco-mini COCO-MINI --model M.onnx --model B.onnx
    python benchmarks/photos.py --lspe lsp --coco-mini COCO-MINI --write FOLDER
    python benchmarks/photos.py --labels labels.json --images photos --model M.onnx --sheet s.png

``--sheet`` draws spines on the photos, ``--bare-sheet`` whole skeletons on the people's masks alone
(it may be shown where the photos may not). The folders are the user's (``real_photos.py`` says
where they come from); ``--write`` puts their people into COCO files for ``evaluate`` and for
training. True boxes; the mirror image is looked at too and averaged in (``--no-flip-test`` leaves
it out).

| column | what, over people |
|---|---|
| body | mean OKS over the labelled ones of COCO's 17 points, COCO's sigmas (95 % of resamples) |
| order | whose nine spine points follow each other, none going back |
| sure | the same of those of whose spine the network is sure, a mean score of 0.3 at least |
| trunk | whose points from L5 to T3 lie along the labelled trunk |
| mask | points from sacrum to C7 inside the person's mask |
| spacing | by how much gaps between spine points differ from the model's, in parts of these |
| flip, scale | how far spine points go when the picture is mirrored, or the box 15 % larger: the
median, in % of the box's diagonal |
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as masks
from real_photos import File, coco_mini, lspe

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.coco.keypoint_names import columns_of
from spinetrack_synth.coco.normalizing import read_normalized
from spinetrack_synth.drawing.predictions import draw_people
from spinetrack_synth.errors import UserError
from spinetrack_synth.lengths import SPINE_GAPS_M
from spinetrack_synth.skeleton import INDEX, MIRROR, NAMES, SIGMAS, SPINE
from spinetrack_synth.spinepose import PoseModel, estimate, open_pose_model
from spinetrack_synth.spinepose.image_files import read_picture

Floats = NDArray[np.float64]

LARGER_BOX = 1.15
RESAMPLES = 1000
ALONG, ASIDE = 0.1, 0.25
"""How far trunk points may lie beyond neck and hips, and beside the line between them, in parts of
that line: a flexed back bows out by a fifth of it."""

SURE = 0.3
"""The score from which `predict` draws a keypoint."""

TILE_PX = 180
MASK_GREY = 215

Sets = dict[str, tuple[File, Path]]
"""By name: people as a COCO file, and the folder of their pictures."""


@dataclass(frozen=True)
class Person:
    """A labelled person and the picture: labels (37, 3), box x, y, width, height."""

    picture: NDArray[np.uint8]
    labels: Floats
    box: Floats
    area: float
    throat: Floats | None
    segmentation: Any


@dataclass(frozen=True)
class Answers:
    """A network's points for one person and how sure it is, as judged, and its spine looked at in
    other ways."""

    points: Floats
    scores: Floats
    spine: Floats | None = None
    mirrored: Floats | None = None
    scaled: Floats | None = None


def people_of(file: File, images: Path) -> Iterator[Person]:
    """The people of a COCO file, picture by picture."""
    names = file["categories"][0]["keypoints"]
    throat = names.index("throat") if "throat" in names else None
    columns = columns_of(names)
    in_picture: dict[int, list[File]] = {}
    for person in file["annotations"]:
        in_picture.setdefault(person["image_id"], []).append(person)
    for image in file["images"]:
        picture = read_picture(images / image["file_name"])
        for person in in_picture.get(image["id"], ()):
            given = np.array(person["keypoints"], np.float64).reshape(-1, 3)
            labels = np.zeros((len(NAMES), 3))
            for ours, theirs in columns:
                labels[ours] = given[theirs]
            yield Person(
                picture,
                labels,
                np.array(person["bbox"], np.float64),
                float(person["area"]),
                given[throat, :2] if throat is not None and given[throat, 2] > 0 else None,
                person.get("segmentation"),
            )


def ask(model: PoseModel, person: Person, *, flip_test: bool) -> Answers:
    """The network's answers about a person."""

    def look(picture: NDArray[np.uint8], box: Floats) -> Floats:
        return estimate(model, picture, box[None], image_order="bgr").keypoints_px[0]

    judged = estimate(
        model, person.picture, person.box[None], image_order="bgr", flip_test=flip_test
    )
    points, scores = judged.keypoints_px[0], judged.scores[0]
    if model.keypoints < len(NAMES):
        return Answers(points, scores)
    spine = list(SPINE)
    width = person.picture.shape[1]
    other_side = [width - person.box[0] - person.box[2], *person.box[1:]]
    mirrored = look(np.ascontiguousarray(person.picture[:, ::-1]), np.array(other_side))
    mirrored = np.c_[width - 1 - mirrored[:, 0], mirrored[:, 1]][list(MIRROR)]
    growth = (LARGER_BOX - 1) * person.box[2:]
    larger = np.r_[person.box[:2] - growth / 2, person.box[2:] + growth]
    plain = look(person.picture, person.box)
    larger_box = look(person.picture, larger)
    return Answers(points, scores, plain[spine], mirrored[spine], larger_box[spine])


def body_oks(person: Person, points: Floats) -> float:
    """Mean similarity over the labelled body points; nan without any."""
    labelled = np.flatnonzero(person.labels[:17, 2] > 0)
    distance = np.linalg.norm(points[labelled] - person.labels[labelled, :2], axis=1)
    spread = 2 * person.area * (2 * np.array(SIGMAS)[labelled]) ** 2
    return float(np.exp(-(distance**2) / spread).mean()) if len(labelled) else np.nan


def in_order(spine: Floats) -> bool:
    """Whether nine points (9, 2) follow each other: every step goes the way that the points on
    both sides of it go. Of the model's own spines in 1,500 poses of the library, seen from anywhere
    around, 99.2 % do (the others are seen from an end); with two neighbours exchanged, 0.3 %."""
    steps = np.diff(spine, axis=0)
    around = np.vstack([spine[:1], spine, spine[-1:]])
    return bool(((steps * (around[3:] - around[:-3])).sum(axis=1) > 0).all())


def spacing(spine: Floats) -> float:
    """Mean of how far the gaps' shares of the spine are from the model's, in parts of these."""
    gaps = np.linalg.norm(np.diff(spine, axis=0), axis=1)
    share = gaps / max(gaps.sum(), 1e-9)
    expected = SPINE_GAPS_M / SPINE_GAPS_M.sum()
    return float(np.abs(share / expected - 1).mean())


def along_trunk(person: Person, spine: Floats) -> float:
    """1 where L5 to T3 lie along the labelled trunk, upwards, 0 where not; nan where it is not
    labelled."""
    hips = person.labels[[INDEX["left_hip"], INDEX["right_hip"]]]
    shoulders = person.labels[[INDEX["left_shoulder"], INDEX["right_shoulder"]]]
    neck = person.throat
    if neck is None and (shoulders[:, 2] > 0).all():
        neck = shoulders[:, :2].mean(axis=0)
    if neck is None or not (hips[:, 2] > 0).all():
        return np.nan
    low = hips[:, :2].mean(axis=0)
    trunk = neck - low
    length = max(float(np.linalg.norm(trunk)), 1e-9)
    away = (spine[1:6] - low) / length
    along = away @ (trunk / length)
    aside = np.abs(away @ np.array([-trunk[1], trunk[0]]) / length)
    near = (along > -ALONG) & (along < 1 + ALONG) & (aside < ASIDE)
    return float(near.all() and along[-1] > along[0])


def mask_of(person: Person) -> NDArray[np.bool_] | None:
    """The person's mask (H, W); None where there is none."""
    if not person.segmentation:
        return None
    height, width = person.picture.shape[:2]
    shape = person.segmentation
    if isinstance(shape, list):
        shape = masks.merge(masks.frPyObjects(shape, height, width))
    elif isinstance(shape["counts"], list):
        shape = masks.frPyObjects(shape, height, width)
    return np.asarray(masks.decode(shape), bool)


def inside_mask(person: Person, spine: Floats) -> float:
    """Share of the points from the sacrum to C7 inside the mask; nan where there is none."""
    mask = mask_of(person)
    if mask is None:
        return np.nan
    height, width = mask.shape
    x, y = np.rint(spine[:7]).astype(int).T
    there = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    inside = mask[y.clip(0, height - 1), x.clip(0, width - 1)]
    return float((there & inside).mean())


def interval(values: Floats) -> tuple[float, float, float]:
    """The mean, and where 95 % of the means of resampled people lie."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def row(people: list[Person], answers: list[Answers]) -> dict[str, str]:
    """The figures of a network on a set, told."""
    body = np.array([body_oks(p, a.points) for p, a in zip(people, answers)])
    mean, low, high = interval(body[np.isfinite(body)])
    told = {"people": str(len(people)), "body": f"{mean:.3f} ({low:.3f}-{high:.3f})"}
    if any(a.spine is None for a in answers):
        return told
    spines = [a.points[list(SPINE)] for a in answers]
    shares = {
        "order": [in_order(spine) for spine in spines],
        "sure": [
            in_order(spine) if a.scores[list(SPINE)].mean() >= SURE else np.nan
            for a, spine in zip(answers, spines)
        ],
        "trunk": [along_trunk(p, spine) for p, spine in zip(people, spines)],
        "mask": [inside_mask(p, spine) for p, spine in zip(people, spines)],
    }
    for name, values in shares.items():
        known = np.array(values, np.float64)
        known = known[np.isfinite(known)]
        told[name] = f"{100 * known.mean():.1f} % of {len(known)}" if len(known) else "-"
    told["spacing"] = f"{np.mean([spacing(spine) for spine in spines]):.2f}"
    for name in ("mirrored", "scaled"):
        moved = [
            np.linalg.norm(getattr(a, name) - a.spine, axis=1).mean() / np.hypot(*p.box[2:])
            for p, a in zip(people, answers)
        ]
        told[{"mirrored": "flip", "scaled": "scale"}[name]] = f"{100 * np.median(moved):.2f} %"
    return told


def sheet(
    people: list[Person], answers: list[Answers], columns: int = 10, *, bare: bool = False
) -> NDArray[np.uint8]:
    """People with their spines drawn, a tile each; ``bare`` has whole skeletons, as far as the
    network is sure of them, on masks alone."""
    tiles = []
    for person, answer in zip(people, answers):
        x, y, width, height = person.box
        side = 1.25 * max(width, height)
        corner = np.array([x + width / 2, y + height / 2]) - side / 2
        shrink = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]]]) * TILE_PX / side
        picture, mask = person.picture, mask_of(person)
        if bare:
            picture = np.full_like(picture, 255)
            if mask is not None:
                picture[mask] = MASK_GREY
        tile = cv2.warpAffine(
            picture,
            shrink,
            (TILE_PX, TILE_PX),
            flags=cv2.INTER_AREA,
            borderValue=(255, 255, 255) if bare else (0, 0, 0),
        )
        points = answer.points @ shrink[:, :2].T + shrink[:, 2]
        scores = answer.scores if bare else np.ones(len(points))
        tiles.append(draw_people(tile, points[None], scores[None], spine_only=not bare))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    lines = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    return np.vstack(lines)


def write(sets: Sets, folder: Path) -> None:
    """COCO files, one a set."""
    for name, (file, images) in sets.items():
        path = folder / f"{name}.json"
        write_atomic(path, json.dumps(file).encode())
        people, photos = (len(file[part]) for part in ("annotations", "images"))
        print(f"{path}: {people} people in {photos} photos of {images}")


def read(path: Path) -> File:
    """The labelled people of any COCO keypoint file; what is missing in it is made up for."""
    try:
        coco = read_normalized(path).coco
    except UserError as error:
        raise SystemExit(str(error)) from error
    people = [a for a in coco.annotations if not a.get("iscrowd") and any(a["keypoints"][2::3])]
    return {"images": coco.images, "annotations": people, "categories": coco.categories}


def table(rows: list[dict[str, str]]) -> str:
    """Rows under the columns that any of them has."""
    columns = list(dict.fromkeys(name for told in rows for name in told))
    lines = [
        columns,
        ["---"] * len(columns),
        *([told.get(c, "") for c in columns] for told in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lspe", type=Path, help="LSP extended: joints.mat and images/")
    parser.add_argument("--coco-mini", type=Path, help="COCO-MINI: annotations/, train2017/, ...")
    parser.add_argument("--labels", type=Path, help="any COCO keypoint file")
    parser.add_argument("--images", type=Path, help="the folder its names lead from")
    parser.add_argument("--model", type=Path, action="append", default=[])
    parser.add_argument("--write", type=Path, help="put the sets into COCO files of this folder")
    parser.add_argument("--sheet", type=Path, help="draw the spines of people of each set")
    parser.add_argument("--bare-sheet", type=Path, help="draw skeletons on masks, without photos")
    parser.add_argument("--tiles", type=int, default=60, help="so many of them")
    parser.add_argument("--no-flip-test", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    sets: Sets = {}
    for title, folder, take in (
        ("lspe", asked.lspe, lspe), ("coco-mini", asked.coco_mini, coco_mini)
    ):  # fmt: skip
        if folder:
            files = take(folder, for_training=bool(asked.write))
            sets |= {f"{title}-{name}": (file, folder) for name, file in files.items()}
    if asked.labels:
        sets[asked.labels.stem] = (read(asked.labels), asked.images or asked.labels.parent)
    if asked.write:
        write(sets, asked.write)
    rows = []
    for path in asked.model:
        model = open_pose_model(path, threads=asked.threads, spinning=False)
        for name, (file, images) in sets.items():
            if "train" in name:
                continue
            people = list(people_of(file, images))
            answers = [ask(model, p, flip_test=not asked.no_flip_test) for p in people]
            rows.append({"network": path.name, "set": name, **row(people, answers)})
            for where, bare in ((asked.sheet, False), (asked.bare_sheet, True)):
                if where and model.keypoints == len(NAMES):
                    place = where.with_stem(f"{where.stem}-{path.stem}-{name}")
                    shown = people[: asked.tiles], answers[: asked.tiles]
                    cv2.imwrite(str(place), sheet(*shown, bare=bare))
    if rows:
        print(table(rows))


if __name__ == "__main__":
    main()

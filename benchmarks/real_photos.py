"""People on real photos for judging: LSP extended and COCO-MINI as COCO keypoint files.

Nothing is downloaded: the user names folders. Both are public repositories on GitHub; their photos
are Flickr's, so they are for judging at home, and nothing of them is shipped:

    git clone --depth 1 https://github.com/axelcarlier/lsp               # LSPe; no terms are stated
    git clone --depth 1 https://github.com/Obmutescence/COCO-MINI        # labels CC BY 4.0

LSPe (Johnson and Everingham, CVPR 2011): 10,000 photos of gymnastics, parkour and athletics, one
person of about 150 px each, 14 points from crowd workers. Its neck lies at the throat, which is no
point of SpineTrack's, and is called so here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

LSP_NAMES = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist",
    "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "throat", "head",
)  # fmt: skip

RESERVED = 1000
"""Of the permutation of LSPe's photos; the judged people are among the first 700, and nobody among
these is ever trained on."""

CANDIDATES = 700
JUDGED = 300
FEWEST_LIMB_JOINTS = 8
BOX_MARGIN = 1.15
BOX_TO_AREA = 0.53
"""Share of the box that stands for the person's area, as the evaluation of CrowdPose has it."""

NEAR_COPY_BITS = 30
"""Photos whose hashes of 256 bits differ by less are taken for the same picture; unrelated ones
differ by 60 and more."""

COCO_FEWEST = 6
COCO_LEAST_SIDE_PX = 50
ATTRIBUTION = ("/by/", "/by-sa/")
"""Parts of the addresses of licences that allow changed works and commerce."""

File = dict[str, Any]


def lspe(folder: Path, *, for_training: bool = False) -> dict[str, File]:
    """``judge``: the 300 people. With ``for_training`` also ``train``: those outside the reserved
    photos and without a near copy among them; their photos may not go into what is shipped."""
    joints = _joints(folder / "joints.mat")
    count = len(joints)
    order = np.random.default_rng(0).permutation(count)
    enough = (joints[:, :12, 2] > 0).sum(axis=1) >= FEWEST_LIMB_JOINTS
    candidates = [row for row in order[:CANDIDATES] if enough[row]]
    chosen = np.random.default_rng(0).permutation(len(candidates))[:JUDGED]
    files = {"judge": _lsp_file(folder, joints, sorted(candidates[place] for place in chosen))}
    if for_training:
        hashes = np.array([_hash(_lsp_photo(folder, row)) for row in range(count)])
        signs = 2 * hashes.astype(np.float32) - 1
        rest = order[RESERVED:]
        apart = (hashes.shape[1] - signs[order[:RESERVED]] @ signs[rest].T).min(axis=0) / 2
        free = [row for row, bits in zip(rest, apart) if enough[row] and bits > NEAR_COPY_BITS]
        files["train"] = _lsp_file(folder, joints, sorted(free))
    return files


def coco_mini(folder: Path, *, for_training: bool = False) -> dict[str, File]:
    """``judge``: people with at least six points and a box over 50 px (113). With ``for_training``
    also ``train_by``: all labelled people on photos under CC BY and BY-SA, who are among the judged
    too, and ``judge_not_by``: the judged without them."""
    images, annotations = [], []
    for split in ("train2017", "val2017"):
        path = folder / "annotations" / f"person_keypoints_{split}.json"
        if not path.is_file():
            raise SystemExit(f"{path}: no such file; it comes with COCO-MINI (real_photos.py)")
        file = json.loads(path.read_bytes())
        images += [{**i, "file_name": f"{split}/{i['file_name']}"} for i in file["images"]]
        annotations += [a for a in file["annotations"] if a["num_keypoints"] and not a["iscrowd"]]
    allowed = {
        licence["id"] for licence in file["licenses"]
        if any(part in licence["url"] for part in ATTRIBUTION)
    }  # fmt: skip
    free = {image["id"] for image in images if image["license"] in allowed}
    judged = [
        a for a in annotations
        if a["num_keypoints"] >= COCO_FEWEST and max(a["bbox"][2:]) >= COCO_LEAST_SIDE_PX
    ]  # fmt: skip

    def part(people: Sequence[File]) -> File:
        shown = {person["image_id"] for person in people}
        kept = [image for image in images if image["id"] in shown]
        return {**file, "images": kept, "annotations": list(people)}

    files = {"judge": part(judged)}
    if for_training:
        files["judge_not_by"] = part([a for a in judged if a["image_id"] not in free])
        files["train_by"] = part([a for a in annotations if a["image_id"] in free])
    return files


def _joints(path: Path) -> NDArray[np.float64]:
    """LSPe's (N, 14, 3): x, y, visible."""
    if not path.is_file():
        raise SystemExit(f"{path}: no such file; it comes with LSP extended (real_photos.py)")
    joints = np.asarray(loadmat(path)["joints"], np.float64)
    if joints.ndim != 3 or joints.shape[:2] != (14, 3):
        raise SystemExit(f"{path}: joints {joints.shape}, expected (14, 3, N) as in LSP extended")
    return joints.transpose(2, 0, 1)


def _lsp_photo(folder: Path, row: int) -> NDArray[np.uint8]:
    path = folder / "images" / f"im{row + 1:05d}.jpg"
    photo = cv2.imread(str(path))
    if photo is None:
        raise SystemExit(f"{path}: no picture; the folder is to hold joints.mat and images/")
    return photo


def _lsp_file(folder: Path, joints: NDArray[np.float64], rows: Sequence[int]) -> File:
    images, annotations = [], []
    for row in map(int, rows):
        height, width = _lsp_photo(folder, row).shape[:2]
        seen = joints[row, :, 2] > 0
        low, high = (end(joints[row, seen, :2], axis=0) for end in (np.min, np.max))
        extent = BOX_MARGIN * (high - low)
        box = [*((low + high - extent) / 2).tolist(), *extent.tolist()]
        points = np.where(seen[:, None], np.c_[joints[row, :, :2], np.full(14, 2)], 0)
        images.append(
            {"id": row + 1, "file_name": f"images/im{row + 1:05d}.jpg", "width": width,
             "height": height}
        )  # fmt: skip
        annotations.append(
            {"id": row + 1, "image_id": row + 1, "category_id": 1, "iscrowd": 0,
             "bbox": [round(number, 2) for number in box],
             "area": round(BOX_TO_AREA * float(extent.prod()), 2),
             "keypoints": points.round(2).ravel().tolist(), "num_keypoints": int(seen.sum())}
        )  # fmt: skip
    category = {"id": 1, "name": "person", "keypoints": list(LSP_NAMES), "skeleton": []}
    return {"images": images, "annotations": annotations, "categories": [category]}


def _hash(photo: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each of 16 x 16 cells is brighter than its left neighbour (256,)."""
    grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
    cells = cv2.resize(grey, (17, 16), interpolation=cv2.INTER_AREA)
    brighter: NDArray[np.bool_] = (cells[:, 1:] > cells[:, :-1]).ravel()
    return brighter

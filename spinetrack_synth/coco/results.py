"""Anybody's saved keypoint results, made the records that COCO defines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from spinetrack_synth.coco.parsing import read_json
from spinetrack_synth.coco.values import flattened, is_id
from spinetrack_synth.coco.writing import Record
from spinetrack_synth.errors import UserError

LISTS: Final = ("annotations", "results", "predictions", "detections")
"""Where results lie in a file that is no list itself."""


def read_results(path: Path) -> list[Any]:
    """Read saved predictions: COCO results, a COCO file, OpenPose's files of single pictures, or
    those of mmpose's inferencer; a folder of such files is read whole.

    Results of files of single pictures carry the file's name as ``file_name``. Raises UserError
    where there is nothing of the kind.
    """
    if path.is_dir():
        files = sorted(path.glob("*.json"))
        if not files:
            raise UserError(f"{path}: no .json in this folder; expected one for every picture")
        return [result for file in files for result in _of_picture(read_json(file), file)]
    data = read_json(path)
    if isinstance(data, list):
        return data if not _lacks_picture(data) else _of_picture(data, path)
    if isinstance(data, dict):
        inside = [name for name in LISTS if isinstance(data.get(name), list)]
        if len(inside) == 1:
            return _of_dataset(data, inside[0])
        if isinstance(data.get("people"), list) or isinstance(data.get("instance_info"), list):
            return _of_picture(data, path)
    raise UserError(
        f"{path}: holds no list; expected COCO keypoint results, a COCO file, or a folder of "
        "OpenPose's or mmpose's files"
    )


def _lacks_picture(data: Sequence[Any]) -> bool:
    """Are these the people of one picture, as mmpose's inferencer writes them?"""
    return bool(data) and all(
        isinstance(each, dict) and "keypoint_scores" in each and "image_id" not in each
        for each in data
    )


def _of_dataset(data: Record, section: str) -> list[Any]:
    """The people of a COCO file as results, with the names of their pictures."""
    names = {
        image["id"]: image["file_name"]
        for image in data.get("images") or []
        if isinstance(image, dict) and is_id(image.get("id")) and image.get("file_name")
    }
    return [
        {**each, "file_name": names[each["image_id"]]}
        if isinstance(each, dict)
        and is_id(each.get("image_id"))
        and each["image_id"] in names
        and "file_name" not in each
        else each
        for each in data[section]
    ]


def _of_picture(data: Any, path: Path) -> list[Any]:
    """The people of a file that tells of one picture, which has the file's name."""
    name = path.stem.removesuffix("_keypoints")
    people: Iterable[Any] = data if isinstance(data, list) else ()
    if isinstance(data, dict) and isinstance(data.get("people"), list):
        people = [
            {"keypoints": each.get("pose_keypoints_2d") if isinstance(each, dict) else None}
            for each in data["people"]
        ]
    elif isinstance(data, dict) and isinstance(data.get("instance_info"), list):
        frames = data["instance_info"]
        if len(frames) != 1 or not isinstance(frames[0], dict):
            raise UserError(f"{path}: {len(frames)} frames of a video; expected those of pictures")
        people = frames[0].get("instances") or []
    elif not isinstance(data, list):
        raise UserError(f"{path}: no results of a picture, as OpenPose or mmpose write them")
    return [{**each, "file_name": name} if isinstance(each, dict) else each for each in people]


def sound_result(result: Any) -> tuple[Record, str]:
    """A result with its keypoints in one list and a score, and what is wrong with it ("" if
    nothing is)."""
    if not isinstance(result, dict):
        return {}, f": {type(result).__name__}, expected an object"
    keypoints = result.get("keypoints")
    if not isinstance(keypoints, list) or not keypoints:
        return {}, ".keypoints: expected x, y and score of every keypoint"
    scores = result.get("keypoint_scores", result.get("keypoints_scores"))
    nested = isinstance(keypoints[0], list)
    flat = flattened(keypoints)
    if isinstance(scores, list) and len(flat) == 2 * len(scores):
        flat = [
            number
            for place, score in enumerate(scores)
            for number in (*flat[2 * place : 2 * place + 2], score)
        ]
    elif nested and len(keypoints[0]) == 2:
        flat = [number for point in keypoints for number in (*point, 1.0)]
    if len(flat) % 3:
        return {}, ".keypoints: expected x, y and score of every keypoint"
    if not set(map(type, flat)) <= {int, float} or not all(map(math.isfinite, flat)):
        return {}, ": keypoints and score have to be finite numbers"
    score = result.get("score", result.get("bbox_score"))
    if score is None:
        score = sum(flat[2::3]) / (len(flat) // 3)
    if type(score) not in (int, float) or not math.isfinite(score):
        return {}, ": keypoints and score have to be finite numbers"
    return {**result, "keypoints": flat, "score": score}, ""

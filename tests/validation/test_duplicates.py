"""A person annotated twice, and what only looks like it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clean import clean

from spinetrack_synth import skeleton
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.engine import validate
from spinetrack_synth.validation.findings import Finding
from spinetrack_synth.validation.registry import builtin_rules

RULES = [rule for rule in builtin_rules() if rule.family == "duplicates"]


def told(data: dict[str, Any]) -> list[Finding]:
    return list(validate([Dataset(Path("person_keypoints_test.json"), data)], RULES).findings)


def coco(count: int = 17) -> dict[str, Any]:
    data = clean()
    data["categories"][0]["keypoints"] = list(skeleton.NAMES[:count])
    for annotation in data["annotations"]:
        annotation["keypoints"] = annotation["keypoints"][: 3 * count]
    return data


def again(data: dict[str, Any], keep: int, off_px: float, **fields: Any) -> None:
    """The person of annotation 2 once more: some of the points, a few pixels off, another box."""
    source = data["annotations"][2]
    points = np.array(source["keypoints"], dtype=float).reshape(-1, 3)
    rng = np.random.default_rng(keep)
    chosen = rng.permutation(np.flatnonzero(points[:, 2] > 0))[:keep]
    other = np.zeros_like(points)
    other[chosen] = points[chosen]
    angle = rng.uniform(0, 2 * np.pi, len(chosen))
    other[chosen, :2] += off_px * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    low, high = other[chosen, :2].min(0) - 12, other[chosen, :2].max(0) + 12
    box = [*low.round(1).tolist(), *(high - low).round(1).tolist()]
    data["annotations"].append(
        source
        | {"id": 9000, "keypoints": other.ravel().tolist(), "num_keypoints": len(chosen)}
        | {"bbox": box, "area": round(0.6 * box[2] * box[3], 1)}
        | fields
    )


@pytest.mark.parametrize("keep", [5, 9, 13])
@pytest.mark.parametrize("off_px", [0.0, 3.0, 6.0])
def test_a_person_labelled_again_with_fewer_points(keep: int, off_px: float):
    data = coco()
    again(data, keep, off_px)
    (finding,) = told(data)
    assert finding.code == "SPT705"
    assert finding.row == 6
    assert f"{keep} of {keep} labelled points are those of annotations[2]" in finding.message


def test_the_poorer_one_is_blamed_whichever_comes_first():
    data = coco()
    again(data, 9, 3.0)
    data["annotations"].insert(0, data["annotations"].pop())
    (finding,) = told(data)
    assert finding.row == 0
    assert "annotations[3]" in finding.message


def test_other_skeletons_have_a_usual_sigma():
    data = coco()
    again(data, 9, 3.0)
    data["categories"][0]["keypoints"] = [f"point {k}" for k in range(17)]
    assert [finding.code for finding in told(data)] == ["SPT705"]


def test_the_same_annotation_under_two_ids_is_an_error():
    data = coco()
    data["annotations"].append(data["annotations"][2] | {"id": 9000, "track_id": 7})
    assert [finding.code for finding in told(data)] == ["SPT701"]


def test_two_people_close_together_are_two_people():
    data = coco()
    source = data["annotations"][2]
    points = np.array(source["keypoints"], dtype=float).reshape(-1, 3)
    points[points[:, 2] > 0, 0] += 0.15 * source["bbox"][3]
    data["annotations"].append(source | {"id": 9000, "keypoints": points.ravel().tolist()})
    assert told(data) == []


def test_few_points_in_common_say_nothing():
    data = coco()
    again(data, 4, 1.0)
    assert told(data) == []


def test_a_person_who_keeps_still_in_a_video_is_no_copy():
    data = coco()
    data["annotations"] = [
        annotation | {"track_id": row // 2} for row, annotation in enumerate(data["annotations"])
    ]
    data["annotations"][2]["keypoints"] = data["annotations"][0]["keypoints"]
    assert [finding.code for finding in told(data)] == ["SPT704"]
    data["annotations"][2]["track_id"] = data["annotations"][0]["track_id"]
    assert told(data) == []
    for number, image in enumerate(data["images"]):
        image["vid_id"] = f"video {number}"
    assert [finding.code for finding in told(data)] == ["SPT704"]

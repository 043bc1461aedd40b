"""Files of other people: what is theirs is no fault, and the rules that can run do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clean import clean, write

from spinetrack_synth import skeleton
from spinetrack_synth.validation.engine import validate
from spinetrack_synth.validation.findings import Finding, Severity
from spinetrack_synth.validation.registry import builtin_rules, choose
from spinetrack_synth.validation.release import read

Data = dict[str, Any]

LIMBS = [
    f"{side}_{part}"
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
]
BODIES = {
    "CrowdPose-14": [*LIMBS, "top_head", "neck"],
    "AIC-14": [name.replace("_", " ").title() for name in LIMBS] + ["Head top", "Neck"],
    "OpenPose-18": [
        "Nose", "Neck",
        *(side + part for side in "RL" for part in ("Shoulder", "Elbow", "Wrist")),
        *(side + part for side in "RL" for part in ("Hip", "Knee", "Ankle")),
        "REye", "LEye", "REar", "LEar",
    ],
    "MPII-16": [
        *(f"r_{part}" for part in ("ankle", "knee", "hip")),
        *(f"l_{part}" for part in ("hip", "knee", "ankle")),
        "pelvis", "thorax", "upper_neck", "head_top",
        *(f"r_{part}" for part in ("wrist", "elbow", "shoulder")),
        *(f"l_{part}" for part in ("shoulder", "elbow", "wrist")),
    ],
}  # fmt: skip
NEAREST = {"top_head": "head", "head_top": "head", "thorax": "neck", "upper_neck": "neck_03",
           "pelvis": "hip", "head top": "head"}  # fmt: skip


def meant(name: str) -> int:
    """The keypoint of the clean file that stands for one of another skeleton."""
    from spinetrack_synth.coco.keypoint_names import canonical_name

    return skeleton.INDEX[NEAREST.get(name.lower(), canonical_name(name))]


def with_points(names: list[str], **category: Any) -> Data:
    """The clean file with these keypoints."""
    data = clean()
    data["categories"] = [{"id": 1, "name": "person", "keypoints": names, **category}]
    at = [meant(name) for name in names]
    for annotation in data["annotations"]:
        triples = np.reshape(annotation["keypoints"], (-1, 3))[at]
        annotation["keypoints"] = triples.ravel().tolist()
        annotation["num_keypoints"] = int((triples[:, 2] > 0).sum())
    return data


def found(data: Data, path: Path) -> tuple[Finding, ...]:
    return validate(
        [read(write(path / "a.json", data))], choose(builtin_rules(), (), (), ())
    ).findings


@pytest.mark.parametrize("body", BODIES)
def test_another_skeleton_is_no_fault_and_exchanged_hips_are_one(body: str, tmp_path: Path) -> None:
    names = BODIES[body]
    data = with_points(names)
    codes = {each.code for each in found(data, tmp_path)}
    assert not codes - {"SPT310"}  # two points of MPII stand for the neck of the clean file
    left, right = (3 * [meant(n) for n in names].index(skeleton.INDEX[f"{side}_hip"])
                   for side in ("left", "right"))  # fmt: skip
    points = data["annotations"][2]["keypoints"]
    points[left : left + 3], points[right : right + 3] = (
        points[right : right + 3], points[left : left + 3],
    )  # fmt: skip
    told = [each for each in found(data, tmp_path) if each.code in ("SPT502", "SPT403")]
    assert told and all("annotations[2]" in each.place for each in told)


@pytest.mark.parametrize("v", [1, 2])
def test_boxes_of_the_neighbour_are_found_whatever_v_is(v: int, tmp_path: Path) -> None:
    data = with_points(list(skeleton.NAMES[:17]))
    for annotation in data["annotations"]:
        triples = np.reshape(annotation["keypoints"], (-1, 3))
        triples[triples[:, 2] > 0, 2] = v
        annotation["keypoints"] = triples.ravel().tolist()
        del annotation["segmentation"]
    assert "SPT308" not in {each.code for each in found(data, tmp_path)}
    boxes = [annotation["bbox"] for annotation in data["annotations"]]
    data["annotations"][0]["bbox"], data["annotations"][1]["bbox"] = boxes[1], boxes[0]
    told = [each for each in found(data, tmp_path) if each.code == "SPT308"]
    assert len(told) == 2
    assert ("none in the file is marked visible" in told[0].message) == (v == 1)


def test_a_human_body_is_not_fitted_to_an_animal(tmp_path: Path) -> None:
    for category in ({"name": "cow"}, {"name": "x", "supercategory": "animal"}):
        data = with_points(list(skeleton.NAMES[:17]), **category)
        points = data["annotations"][0]["keypoints"]
        points[33:36], points[36:39] = points[36:39], points[33:36]  # hips
        assert not [e for e in found(data, tmp_path) if e.code.startswith(("SPT4", "SPT5"))]
    data["categories"][0] |= {"name": "athlete", "supercategory": "person"}
    assert [e for e in found(data, tmp_path) if e.code.startswith(("SPT4", "SPT5"))]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], "empty"),
        ([*skeleton.NAMES[:17], "left_hand", "right_hand"], "19 names, but"),
    ],
)
def test_names_that_mislead_nobody_are_a_warning(
    names: list[str], told: str, tmp_path: Path
) -> None:
    data = with_points(list(skeleton.NAMES[:17]))
    data["categories"][0]["keypoints"] = names
    odd = [each for each in found(data, tmp_path) if each.code == "SPT106"]
    assert [each.severity for each in odd] == [Severity.WARNING]
    assert told in odd[0].message
    data["categories"][0]["keypoints"] = list(skeleton.NAMES[:16])
    odd = [each for each in found(data, tmp_path) if each.code == "SPT106"]
    assert [each.severity for each in odd] == [Severity.ERROR]


def whole_body(*, in_one_list: bool) -> Data:
    """A person of COCO-WholeBody: 17 points of the body, 6 of the feet, 68 of the face, 2 x 21 of
    the hands, which ``num_keypoints`` does not count."""
    rng = np.random.default_rng(5)
    names, points = list(skeleton.NAMES[:17]), clean()["annotations"][0]["keypoints"][: 3 * 17]
    parts = {"foot_kpts": 6, "face_kpts": 68, "lefthand_kpts": 21, "righthand_kpts": 21}
    others = {
        name: [n for x, y in rng.uniform(150, 250, (count, 2)).tolist() for n in (x, y, 2)]
        for name, count in parts.items()
    }
    counted = sum(v > 0 for v in points[2::3])
    if in_one_list:
        names += [f"{name}_{place}" for name, count in parts.items() for place in range(count)]
        points = [*points, *(number for numbers in others.values() for number in numbers)]
    person = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 9e4,
              "bbox": [0, 0, 300, 300], "keypoints": points, "num_keypoints": counted}  # fmt: skip
    return {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 480}],
        "annotations": [person | ({} if in_one_list else others)],
        "categories": [{"id": 1, "name": "person", "keypoints": names}],
    }


@pytest.mark.parametrize("in_one_list", [True, False])
def test_whole_bodies_count_the_points_of_the_body(tmp_path: Path, in_one_list: bool) -> None:
    rules = choose(builtin_rules(), ("SPT353",), (), ())
    data = whole_body(in_one_list=in_one_list)
    assert validate([read(write(tmp_path / "a.json", data))], rules).findings == ()
    data["annotations"][0]["num_keypoints"] -= 1
    (finding,) = validate([read(write(tmp_path / "b.json", data))], rules).findings
    assert finding.place.startswith("annotations[0].num_keypoints")

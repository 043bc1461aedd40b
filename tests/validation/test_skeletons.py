"""Skeletons by name, people and other creatures, files without visible points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spinetrack_synth import skeleton
from spinetrack_synth.coco.keypoint_names import canonical_name
from spinetrack_synth.validation.dataset import Dataset

CROWDPOSE = [f"{s}_{p}" for p in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
             for s in ("left", "right")] + ["top_head", "neck"]  # fmt: skip


def dataset(names: list[str], v: int = 2, **category: Any) -> Dataset:
    points = [number for k in range(len(names)) for number in (10 + k, 20 + k, v)]
    return Dataset(Path("a.json"), {
        "images": [{"id": 1}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": points}],
        "categories": [{"id": 1, "name": "person", "keypoints": names, **category}],
    })  # fmt: skip


@pytest.mark.parametrize(
    "spelt", ["left shoulder", "l_shoulder", "LShoulder", "shoulder_left", "leftShoulder",
              "left_sho", "lshoulder", "Left-Shoulder", "L.Shoulder"],
)  # fmt: skip
def test_names_are_known_in_every_spelling(spelt: str) -> None:
    assert canonical_name(spelt) == "left_shoulder"


def test_another_skeleton_is_known_by_its_names() -> None:
    crowdpose = dataset(CROWDPOSE)
    assert crowdpose.known_skeleton == (None,)
    assert crowdpose.point("left_hip")[0].tolist() == [16, 26, 2]
    assert "names" not in crowdpose.lacks


def test_another_order_and_a_slip_are_still_of_the_known_skeleton() -> None:
    coco = list(skeleton.NAMES[:17])
    assert dataset(coco[::-1]).known_skeleton == ("COCO-17",)
    assert dataset(["noze", *coco[1:]]).known_skeleton == ("COCO-17",)
    posetrack = ["nose", "head_bottom", "head_top", *coco[3:]]
    assert dataset(posetrack).known_skeleton == (None,)


@pytest.mark.parametrize(
    ("names", "category"),
    [(list(skeleton.NAMES[:17]), {"name": "macaque"}),
     ([*CROWDPOSE, "root_of_tail"], {"name": "x"}),
     (CROWDPOSE, {"name": "okapi", "supercategory": "animal"}),
     (["left_eye", "right_eye", "nose"], {"name": "face"})],
)  # fmt: skip
def test_others_than_people_have_no_human_body(names: list[str], category: dict[str, str]) -> None:
    other = dataset(names, **category)
    assert not other.people.any()
    assert np.isnan(other.point("nose")).all()
    assert "names" in other.lacks


def test_labelled_points_count_where_none_is_visible() -> None:
    assert dataset(CROWDPOSE, v=1).seen.all()
    assert "labelled" in dataset(CROWDPOSE, v=1).seen_as
    assert dataset(CROWDPOSE, v=2).seen_as == "visible"


@pytest.mark.parametrize("name", ["athlete", "horse_rider", "Dog Walkers", "patient", "person"])
def test_people_by_other_names_are_people(name: str) -> None:
    assert dataset(CROWDPOSE, name=name).people.all()


@pytest.mark.parametrize("name", ["cattle", "Ponies", "dogs", "lab mice", "bobcat"])
def test_animals_by_other_names_are_animals(name: str) -> None:
    animal = dataset(CROWDPOSE, name=name)
    assert not animal.people.any()
    assert animal.anyones_point("left_hip")[0].tolist() == [16, 26, 2]

"""Skeletons by name, people and other creatures, files without visible points, places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spinetrack_synth import skeleton
from spinetrack_synth.coco import CocoDataset, Document
from spinetrack_synth.errors import UserError

CROWDPOSE = [f"{s}_{p}" for p in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
             for s in ("left", "right")] + ["top_head", "neck"]  # fmt: skip


def document(names: list[str], v: int = 2, **category: Any) -> Document:
    points = [number for k in range(len(names)) for number in (10 + k, 20 + k, v)]
    return Document(Path("a.json"), {
        "images": [{"id": 1}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "keypoints": points}],
        "categories": [{"id": 1, "name": "person", "keypoints": names, **category}],
    })  # fmt: skip


def test_another_order_and_a_slip_are_still_of_the_known_skeleton() -> None:
    coco = list(skeleton.NAMES[:17])
    assert document(coco[::-1]).known_skeleton == ("COCO-17",)
    assert document(["noze", *coco[1:]]).known_skeleton == ("COCO-17",)
    posetrack = ["nose", "head_bottom", "head_top", *coco[3:]]
    assert document(posetrack).known_skeleton == (None,)


def test_labelled_points_count_where_none_is_visible() -> None:
    assert document(CROWDPOSE, v=1).seen.all()
    assert "labelled" in document(CROWDPOSE, v=1).seen_as
    assert document(CROWDPOSE, v=2).seen_as == "visible"


@pytest.mark.parametrize("name", ["athlete", "horse_rider", "Dog Walkers", "patient", "person"])
def test_people_by_other_names_are_people(name: str) -> None:
    assert document(CROWDPOSE, name=name).people.all()


@pytest.mark.parametrize("name", ["cattle", "Ponies", "dogs", "lab mice", "bobcat"])
def test_animals_by_other_names_are_animals(name: str) -> None:
    animal = document(CROWDPOSE, name=name)
    assert not animal.people.any()
    assert animal.anyones_point("left_hip")[0].tolist() == [16, 26, 2]


def test_places_and_keys_name_records_that_are_broken_too() -> None:
    broken = Document(
        Path("a.json"),
        {
            "images": [{"id": 7, "file_name": "a\x07.jpg"}, None],
            "annotations": [{"id": 4711, "image_id": "7"}, {"image_id": 8}, 3],
            "categories": [{"name": "person"}],
        },
    )
    assert broken.place("annotations", 0, ".bbox", "nose") == (
        "annotations[0].bbox (id 4711, image a\\x07.jpg, nose)"
    )
    assert broken.place("annotations", 1) == "annotations[1]"
    assert broken.place("images", 0) == "images[0] (id 7, a\\x07.jpg)"
    assert broken.place("categories", 0, ".name") == "categories[0].name (person)"
    assert broken.key("annotations", 0) == "annotation:4711"
    assert broken.key("annotations", 2) == "annotations[2]"


def test_the_strict_view_has_the_numbers_of_the_document() -> None:
    lenient = document(list(skeleton.NAMES[:17]))
    with pytest.raises(UserError, match=r"a.json: images\[0\].file_name: None, expected a name"):
        CocoDataset.of(lenient)
    lenient.data["images"][0] |= {"file_name": "a.jpg", "width": 64, "height": 48}
    lenient.data["annotations"][0] |= {"bbox": [10, 20, 30, 40], "area": 9}
    strict = CocoDataset.of(lenient)
    assert strict.keypoints.tolist() == lenient.keypoints.tolist()
    assert strict.document(lenient.path).keypoints.tolist() == lenient.keypoints.tolist()

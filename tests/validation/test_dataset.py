"""What a file lacks for rules of people: another skeleton is enough, other creatures are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spinetrack_synth import skeleton
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


def test_another_skeleton_is_known_by_its_names() -> None:
    crowdpose = dataset(CROWDPOSE)
    assert crowdpose.known_skeleton == (None,)
    assert crowdpose.point("left_hip")[0].tolist() == [16, 26, 2]
    assert "names" not in crowdpose.lacks


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

"""COCO files: read with located errors, written deterministically."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth import skeleton
from spinetrack_synth.coco import PERSON, CocoDataset, encode
from spinetrack_synth.coco.dataset import find_problems
from spinetrack_synth.errors import UserError

REAL = Path(__file__).parents[3] / "shared/data/coco-real/person_keypoints_coco-real.json"


def small_file() -> dict:
    keypoints = [float(v) for k in range(37) for v in (10 + k, 20 + k, 2)]
    image = {"id": 0, "file_name": "000000.jpg", "width": 640, "height": 480}
    person = {
        "id": 1, "image_id": 0, "category_id": 1, "keypoints": keypoints,
        "bbox": [1.0, 2.0, 60.0, 70.0], "area": 3000.0,
    }  # fmt: skip
    return {"categories": [copy.deepcopy(PERSON)], "images": [image], "annotations": [person]}


def write(path: Path, data: object) -> Path:
    path.write_text(json.dumps(data))
    return path


def test_a_written_file_reads_back_equal(tmp_path: Path) -> None:
    data = small_file()
    path = write(tmp_path / "a.json", data)
    dataset = CocoDataset.read(path)
    (tmp_path / "b.json").write_bytes(dataset.to_bytes())
    again = CocoDataset.read(tmp_path / "b.json")
    assert again == dataset
    assert again.to_bytes() == dataset.to_bytes()
    assert json.loads(dataset.to_bytes())["annotations"] == data["annotations"]


def test_numbers_come_as_arrays(tmp_path: Path) -> None:
    dataset = CocoDataset.read(write(tmp_path / "a.json", small_file()))
    assert dataset.keypoints.shape == (1, 37, 3)
    np.testing.assert_array_equal(dataset.keypoints[0, 36], [46, 56, 2])
    np.testing.assert_array_equal(dataset.boxes, [[1, 2, 60, 70]])
    assert dataset.image_of[0]["file_name"] == "000000.jpg"


def test_an_empty_dataset_is_a_valid_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_bytes(CocoDataset(images=[], annotations=[]).to_bytes())
    assert CocoDataset.read(path).boxes.shape == (0, 4)


def test_the_category_counts_its_links_from_one() -> None:
    ends = np.array(PERSON["skeleton"])
    assert ends.min() == 1
    assert ends.max() == 37
    by_name = {
        (PERSON["keypoints"][a - 1], PERSON["keypoints"][b - 1]) for a, b in PERSON["skeleton"]
    }
    assert ("neck_02", "neck_03") in by_name
    assert len(PERSON["sigmas"]) == len(PERSON["keypoints"]) == len(skeleton.KEYPOINTS)


FAULTS = {
    "annotations[0].keypoints: 51 values, expected 111 (37 x 3)": (
        lambda d: d["annotations"][0].update(keypoints=[0] * 51)
    ),
    "annotations[0].keypoints[4]: nan, expected a finite number": (
        lambda d: d["annotations"][0]["keypoints"].__setitem__(4, float("nan"))
    ),
    "annotations[0].keypoints[0]: '3', expected a finite number": (
        lambda d: d["annotations"][0]["keypoints"].__setitem__(0, "3")
    ),
    "annotations[0].keypoints: None, expected 111 numbers (37 x 3)": (
        lambda d: d["annotations"][0].pop("keypoints")
    ),
    "annotations[0].image_id: 7 is no image of this file": (
        lambda d: d["annotations"][0].update(image_id=7)
    ),
    "annotations[0].image_id: [] is no image of this file": (
        lambda d: d["annotations"][0].update(image_id=[])
    ),
    "annotations[0].category_id: 5 is no category with keypoints": (
        lambda d: d["annotations"][0].update(category_id=5)
    ),
    "annotations[0].bbox: 2 values, expected 4": (
        lambda d: d["annotations"][0].update(bbox=[1, 2])
    ),
    "annotations[0].area: None, expected a number": lambda d: d["annotations"][0].pop("area"),
    "annotations[1].id: 1 is used twice": (
        lambda d: d["annotations"].append(dict(d["annotations"][0]))
    ),
    "images[1]: int, expected an object": lambda d: d["images"].append(3),
    "images[0].id: '0', expected a whole number": lambda d: d["images"][0].update(id="0"),
    "annotations[0].id: 9223372036854775808, expected a whole number of 64 bits": (
        lambda d: d["annotations"][0].update(id=2**63)
    ),
    "images[0].width: 0, expected a positive whole number": (
        lambda d: d["images"][0].update(width=0)
    ),
    "images[0].file_name: None, expected a name": lambda d: d["images"][0].pop("file_name"),
    "categories[0].keypoints: expected a list of names": (
        lambda d: d["categories"][0].update(keypoints=37)
    ),
    "categories[0].skeleton: [0, 5] is no pair of keypoints counted from 1": (
        lambda d: d["categories"][0].update(skeleton=[[0, 5]])
    ),
    "images: missing, expected a list": lambda d: d.pop("images"),
}  # fmt: skip


@pytest.mark.parametrize("message", FAULTS)
def test_a_fault_is_named_with_its_place(tmp_path: Path, message: str) -> None:
    data = small_file()
    FAULTS[message](data)
    path = write(tmp_path / "faulty.json", data)
    with pytest.raises(UserError) as error:
        CocoDataset.read(path)
    assert f"{path}: {message}" in str(error.value)


def test_further_faults_are_counted(tmp_path: Path) -> None:
    data = small_file()
    data["annotations"][0].update(bbox=[], area="large")
    with pytest.raises(UserError, match=r"bbox: 0 values, expected 4 \(1 more\)"):
        CocoDataset.read(write(tmp_path / "faulty.json", data))


def test_files_that_are_no_json_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.json: cannot be read"):
        CocoDataset.read(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"images": [')
    with pytest.raises(UserError, match=r"half\.json: not a JSON file: .*line 1"):
        CocoDataset.read(tmp_path / "half.json")
    with pytest.raises(UserError, match="the file holds a list, expected an object"):
        CocoDataset.read(write(tmp_path / "list.json", []))


def test_nan_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode({"area": float("nan")})


PLACES = [
    (section, 0, key)
    for section, key in [
        ("categories", "id"), ("categories", "keypoints"), ("categories", "skeleton"),
        ("images", "id"), ("images", "width"), ("images", "file_name"),
        ("annotations", "id"), ("annotations", "image_id"), ("annotations", "category_id"),
        ("annotations", "keypoints"), ("annotations", "bbox"), ("annotations", "area"),
    ]
] + [("images",), ("annotations",), ("categories",), ("images", 0), ("annotations", 0)]  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(PLACES), ANYTHING)
def test_no_value_anywhere_breaks_the_search_for_problems(place: tuple, value: object) -> None:
    data = small_file()
    holder = data
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    assert all(isinstance(problem, str) for problem in find_problems(data))


def test_a_real_coco_file_is_read() -> None:
    if not REAL.exists():
        pytest.skip("../shared/data/coco-real is not there")
    dataset = CocoDataset.read(REAL)
    assert dataset.keypoints.shape[1:] == (17, 3)
    assert len(dataset.images) == 7
    assert set(np.unique(dataset.keypoints[..., 2])) == {0, 1, 2}

"""What is counted of files: rendered ones with ground truth, foreign ones, broken ones."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import BallRenderer, ball_source
from made_people import make_coco, project_people
from pages import SCRIPT, check_page

from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.dataset.ground_truth import read_ground_truth
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap.labels import labels_of
from spinetrack_synth.gap.person_attributes import VIEWS, view
from spinetrack_synth.stats import counting
from spinetrack_synth.stats.counting import Statistics, count, source_of
from spinetrack_synth.stats.page import to_page
from spinetrack_synth.stats.text import to_json, to_text

SIZE = (96, 72)


@pytest.fixture(scope="module")
def balls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered dataset of people made of balls."""
    folder = tmp_path_factory.mktemp("balls")
    run_dataset(
        DatasetConfig(scene="balls", count=9, size=SIZE), folder,
        open_source=ball_source, open_renderer=lambda backend: BallRenderer(),
    )  # fmt: skip
    return folder / "annotations/person_keypoints_train.json"


def counted(*paths: Path) -> Statistics:
    return count([source_of(path) for path in paths])


def bars(statistics: Statistics, key: str) -> dict[str, int]:
    return {bar.label: bar.count for bar in statistics.tables[key].bars if bar.count}


def test_a_rendered_dataset_is_counted_as_its_records_say(balls: Path) -> None:
    data = json.loads(balls.read_text())
    truth = read_ground_truth(balls.parents[1], "train")
    found = counted(balls)
    people = data["annotations"]
    assert (found.pictures, found.people) == (len(data["images"]), len(people))
    in_picture = Counter(person["image_id"] for person in people)
    assert bars(found, "people_in_picture") == Counter(
        str(in_picture[image["id"]]) for image in data["images"]
    )
    assert bars(found, "place") == Counter(image["place"] for image in data["images"])
    assert bars(found, "pose") == Counter(truth["pose"])
    assert found.subjects == len({person["subject"] for person in people})
    heights = np.array([person["bbox"][3] for person in people])
    table = found.tables["box_height_px"]
    assert (table.least, table.greatest) == (heights.min(), heights.max())
    focal_mm = [image["K"][0][0] * 36 / max(SIZE) for image in data["images"]]
    assert found.tables["focal_mm"].greatest == pytest.approx(max(focal_mm))
    v = np.array([person["keypoints"][2::3] for person in people])
    names = data["categories"][0]["keypoints"]
    assert found.visibility == {
        name: tuple(int((v[:, k] == value).sum()) for value in (2, 1, 0))
        for k, name in enumerate(names)
    }
    lordosis = found.tables["lumbar_lordosis_deg"]
    assert lordosis.total == len(truth)
    assert lordosis.least == pytest.approx(truth["lumbar_lordosis_deg"].min())


def test_blocks_count_like_the_whole(balls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = counted(balls)
    monkeypatch.setattr(counting, "BLOCK", 3)
    assert to_json(counted(balls)) == to_json(whole)


def test_two_files_count_as_one(balls: Path) -> None:
    once, twice = counted(balls), counted(balls, balls)
    assert twice.people == 2 * once.people
    for key, table in once.tables.items():
        assert [b.count for b in twice.tables[key].bars] == [2 * b.count for b in table.bars]
    assert twice.subjects == once.subjects


def foreign(path: Path, **changes: Any) -> Path:
    """COCO's seventeen points of twelve people, two in a picture; categories stand last."""
    coco = make_coco(project_people(12, 3), per_image=2)
    people = [dict(a, keypoints=a["keypoints"][: 3 * 17]) for a in coco.annotations]
    people[0] |= {"iscrowd": 1}
    people[1]["keypoints"] = [0] * 51
    for name, value in changes.items():
        people[2][name] = value
    category = {"id": 1, "name": "person", "keypoints": coco.categories[0]["keypoints"][:17]}
    data = {"annotations": people, "images": coco.images, "categories": [category]}
    path.write_text(json.dumps(data))
    return path


def test_a_foreign_file_lacks_what_it_does_not_tell(tmp_path: Path) -> None:
    found = counted(foreign(tmp_path / "labels.json"))
    assert (found.people, found.pictures) == (10, 6)
    assert bars(found, "people_in_picture") == {"0": 1, "2": 5}
    assert len(found.visibility) == 17
    assert not {"pose", "azimuth_deg", "place", "focal_mm"} & set(found.tables)
    text = to_text(found)
    assert "2 annotations are left out" in text
    assert "no ground truth beside the labels, so nothing on: camera against the person" in text


def test_views_are_those_of_the_measures(tmp_path: Path) -> None:
    coco = make_coco(project_people(30, 5))
    path = tmp_path / "labels.json"
    path.write_text(
        json.dumps(
            {"images": coco.images, "annotations": coco.annotations, "categories": coco.categories}
        )
    )
    number = view(labels_of(coco, path))
    assert bars(counted(path), "view") == Counter(VIEWS[k] for k in number if k >= 0)


@pytest.mark.parametrize(
    "change",
    [
        {"bbox": None}, {"bbox": [1, 2]}, {"image_id": "x"}, {"image_id": [1]}, {"image_id": None},
        {"keypoints": "none"}, {"keypoints": [1, 2, 3]}, {"subject": 4}, {"category_id": 9},
        {"outfit": "red", "subject": "anna"},
    ],
)  # fmt: skip
def test_a_record_that_is_broken_does_not_stop_the_count(
    change: dict[str, Any], tmp_path: Path
) -> None:
    found = counted(foreign(tmp_path / "labels.json", **change))
    assert found.people in (9, 10)
    to_text(found), to_json(found), to_page(found)


def test_the_page_is_whole_and_escapes_names(balls: Path, tmp_path: Path) -> None:
    data = json.loads(balls.read_text())
    for image in data["images"]:
        image["place"] = SCRIPT
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(data))
    page = check_page(to_page(counted(path)))
    assert page.seen.count("svg") == len(counted(path).tables)


def test_who_knows_no_people_is_told_in_one_line(tmp_path: Path) -> None:
    path = foreign(tmp_path / "labels.json")
    data = json.loads(path.read_text())
    data["annotations"] = data["annotations"][:1]
    path.write_text(json.dumps(data))
    with pytest.raises(UserError, match="no person with a labelled keypoint"):
        counted(path)


def test_a_damaged_ground_truth_is_told_in_one_line(balls: Path, tmp_path: Path) -> None:
    for name in ("annotations", "ground_truth"):
        (tmp_path / name).mkdir()
    path = tmp_path / "annotations" / balls.name
    path.write_bytes(balls.read_bytes())
    (tmp_path / "ground_truth/train.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match=r"train.parquet: cannot be used"):
        counted(path)

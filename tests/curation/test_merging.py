"""Datasets merged into one."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Run, contents
from fakes import BallRenderer, ball_source
from small_datasets import person_record, read, write_dataset

from spinetrack_synth import skeleton
from spinetrack_synth.curation.merging import merge
from spinetrack_synth.curation.splitting import split_dataset
from spinetrack_synth.dataset import DatasetConfig, run_dataset
from spinetrack_synth.dataset.ground_truth import read_ground_truth
from spinetrack_synth.errors import UserError

LABELS = "annotations/person_keypoints_train.json"
COCO = skeleton.NAMES[:17]


def people(path: Path) -> list[tuple[bytes, list[float]]]:
    """Each person's picture and points, whatever ids and names are."""
    data = read(path)
    split = path.stem.removeprefix("person_keypoints_")
    files = {i["id"]: path.parents[1] / "images" / split / i["file_name"] for i in data["images"]}
    return [(files[a["image_id"]].read_bytes(), a["keypoints"]) for a in data["annotations"]]


def test_nothing_is_lost_and_names_are_told_apart(tmp_path: Path) -> None:
    a = write_dataset(tmp_path / "a", [{}, {}], people=[[{}], [{}, {}]], seed=1)
    b = write_dataset(tmp_path / "b", [{"file_name": "0000.PNG"}, {}, {}], seed=2)
    made, told = merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert (made["train"].pictures, made["train"].people) == (5, 6)
    assert told == ["2 pictures are renamed, for their names collide"]
    data = read(tmp_path / "out" / LABELS)
    assert [image["id"] for image in data["images"]] == [1, 2, 3, 4, 5]
    assert [person["id"] for person in data["annotations"]] == [1, 2, 3, 4, 5, 6]
    names = [image["file_name"] for image in data["images"]]
    assert names == ["0000.png", "0001.png", "0000_2.PNG", "0001_2.png", "0002.png"]
    assert people(tmp_path / "out" / LABELS) == people(a) + people(b)
    assert len(data["categories"]) == len(data["licenses"]) == 1


def test_files_keep_their_split_and_others_are_trained_on(tmp_path: Path) -> None:
    write_dataset(tmp_path / "a", [{}])
    write_dataset(tmp_path / "a", [{}], name="val")
    path = write_dataset(tmp_path / "b", [{}])
    other = path.rename(path.with_name("people.json"))
    made, _ = merge([tmp_path / "a", other], tmp_path / "out", [tmp_path / "a/images",
                    tmp_path / "b/images/train"])  # fmt: skip
    assert {name: written.pictures for name, written in made.items()} == {"train": 2, "val": 1}


def test_numbers_of_one_dataset_are_not_those_of_another(tmp_path: Path) -> None:
    fields = [{"moment": 0}, {"moment": 1}]
    persons = [[{"track_id": 0, "subject": "s1"}], [{"track_id": 4, "subject": "s1"}]]
    for name in "ab":
        write_dataset(tmp_path / name, fields, people=persons)
    merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    data = read(tmp_path / "out" / LABELS)
    assert [image["moment"] for image in data["images"]] == [0, 1, 2, 3]
    assert [person["track_id"] for person in data["annotations"]] == [0, 4, 5, 9]
    assert {person["subject"] for person in data["annotations"]} == {"s1"}


def test_categories_of_the_same_points_become_one_and_animals_stay_apart(tmp_path: Path) -> None:
    spelled = [name.replace("left_", "L ").replace("right_", "R ") for name in COCO]
    write_dataset(tmp_path / "a", [{}], names=COCO)
    write_dataset(
        tmp_path / "b", [{}], names=COCO,
        categories=[{"id": 1, "name": "human", "keypoints": spelled}],
    )  # fmt: skip
    merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert [c["name"] for c in read(tmp_path / "out" / LABELS)["categories"]] == ["person"]
    two = [{"id": 4, "name": "dog", "keypoints": COCO}, {"id": 1, "name": "cat", "keypoints": COCO}]
    write_dataset(tmp_path / "c", [{}], names=COCO, categories=two)
    merge([tmp_path / "a", tmp_path / "c"], tmp_path / "more")
    data = read(tmp_path / "more" / LABELS)
    assert [(c["id"], c["name"]) for c in data["categories"]] == [
        (1, "person"), (2, "dog"), (3, "cat")]  # fmt: skip
    assert [person["category_id"] for person in data["annotations"]] == [1, 3]


def test_licences_are_united(tmp_path: Path) -> None:
    mit = [{"id": 7, "name": "MIT"}, {"id": 8, "name": "CC0-1.0", "url": "https://example.org/cc0"}]
    write_dataset(tmp_path / "a", [{"license": 1}])
    write_dataset(tmp_path / "b", [{"license": 7}, {"license": 8}, {"license": 99}], licenses=mit)
    merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    data = read(tmp_path / "out" / LABELS)
    names = {licence["id"]: licence["name"] for licence in data["licenses"]}
    told = [names.get(image.get("license")) for image in data["images"]]
    assert told == ["CC0-1.0", "MIT", "CC0-1.0", None]


def test_skeletons_that_differ_are_refused_unless_one_is_named(tmp_path: Path, run: Run) -> None:
    a = write_dataset(tmp_path / "a", [{}])
    b = write_dataset(tmp_path / "b", [{}], names=COCO[::-1])
    code, out, err = run("merge", a, b, "--out", tmp_path / "out")
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert "another skeleton than" in err and "lacks head, neck, hip and 17 more" in err
    assert not (tmp_path / "out").exists()
    options = ("--skeleton", "coco-17", "--out", tmp_path / "out")
    code, out, err = run("merge", a, b, *options)
    assert (code, err) == (0, "") and "train: 2 pictures, 2 people" in out
    data = read(tmp_path / "out" / LABELS)
    points = [np.reshape(person["keypoints"], (17, 3)) for person in data["annotations"]]
    before = [read(path)["annotations"][0]["keypoints"] for path in (a, b)]
    np.testing.assert_array_equal(points[0], np.reshape(before[0], (37, 3))[:17])
    np.testing.assert_array_equal(points[1], np.reshape(before[1], (17, 3))[::-1])
    c = write_dataset(tmp_path / "c", [{}], names=COCO)
    with pytest.raises(UserError, match="the same keypoints in another order"):
        merge([b, c], tmp_path / "more")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of `render` with maps."""
    folder = tmp_path_factory.mktemp("rendered") / "OUT"
    config = DatasetConfig(scene="balls", count=3, size=(96, 72), maps=("depth",))
    run_dataset(
        config, folder, open_source=ball_source, open_renderer=lambda backend: BallRenderer()
    )
    return folder


def test_ground_truth_and_maps_go_along(rendered: Path, tmp_path: Path) -> None:
    merge([rendered, rendered], tmp_path / "both")
    before, both = read_ground_truth(rendered), read_ground_truth(tmp_path / "both")
    data = read(tmp_path / "both" / LABELS)
    assert both.index.tolist() == [person["id"] for person in data["annotations"]]
    assert both["image_id"].tolist() == [person["image_id"] for person in data["annotations"]]
    assert both["subject"].tolist() == [person["subject"] for person in data["annotations"]]
    assert both.attrs == before.attrs
    twice = np.concatenate([np.stack(before["keypoints_world"])] * 2)
    np.testing.assert_array_equal(np.stack(both["keypoints_world"]), twice)
    maps = contents(tmp_path / "both/depth")
    assert len(maps) == 6 and set(maps.values()) == set(contents(rendered / "depth").values())
    split_dataset(rendered, {"a": 0.5, "b": 0.5}, (), tmp_path / "apart")
    rows = []
    for name in "ab":
        truth = read_ground_truth(tmp_path / "apart", name)
        persons = read(tmp_path / f"apart/annotations/person_keypoints_{name}.json")["annotations"]
        assert truth.index.tolist() == [person["id"] for person in persons]
        rows += truth["keypoints_world"].tolist()
    assert len(rows) == len(before)


def test_ground_truth_of_some_is_left_out_and_told(rendered: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path / "a", [{}])
    _, told = merge([rendered, tmp_path / "a"], tmp_path / "out")
    assert any(line.startswith("ground truth is left out") for line in told)
    assert not (tmp_path / "out/ground_truth").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"images": [{"id": 0, "file_name": "gone.png"}]}, "there is no picture gone.png"),
        ({"images": [{"id": 0, "file_name": "../../x.png"}]}, "there is no picture ../../x.png"),
        ({"annotations": [[]]}, "annotations[0]: a list, expected an object"),
    ],
)
def test_a_dataset_that_cannot_be_used(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    write_dataset(tmp_path / "a", [{}])
    path = write_dataset(tmp_path / "b", [{}])
    path.write_text(json.dumps(read(path) | changes))
    with pytest.raises(UserError) as error:
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert told in str(error.value) and "\n" not in str(error.value)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "b"]
    with pytest.raises(UserError, match="1 folders of pictures for 2 datasets"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "out", [tmp_path / "a"])


def test_a_number_that_json_does_not_have_is_one_line(tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "a", [{"score": float("nan")}])
    with pytest.raises(UserError, match=r"image 0000\.png: score: NaN or infinity, which JSON"):
        merge([path], tmp_path / "out")
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def many(folder: Path, count: int) -> Path:
    """So many people, two in a picture of a byte."""
    (folder / "images/train").mkdir(parents=True)
    rng = np.random.default_rng(0)
    person = person_record(rng, skeleton.NAMES, 0, 1)
    images = [{"id": n, "file_name": f"{n:06d}.jpg", "K": [[1.5] * 3] * 3}
              for n in range(count // 2)]  # fmt: skip
    for image in images:
        (folder / "images/train" / image["file_name"]).write_bytes(b".")
    people_ = [{**person, "id": n + 1, "image_id": n // 2} for n in range(count)]
    categories = [{"id": 1, "name": "person", "keypoints": skeleton.NAMES}]
    path = folder / LABELS
    path.parent.mkdir()
    path.write_text(
        json.dumps({"images": images, "annotations": people_, "categories": categories})
    )
    return folder


@pytest.mark.exhaustive
def test_a_million_people_would_take_less_than_a_gigabyte(tmp_path: Path) -> None:
    peaks = []
    for count in (1000, 4000):
        folder = many(tmp_path / str(count), count)
        tracemalloc.start()
        merge([folder, folder], tmp_path / f"out{count}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    bytes_a_person = (peaks[1] - peaks[0]) / (2 * 3000)
    assert bytes_a_person < 1000

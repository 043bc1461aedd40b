"""Datasets in other formats: they load elsewhere, and come back."""

from __future__ import annotations

import errno
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Run, contents
from hypothesis import given, settings
from hypothesis import strategies as st
from small_datasets import read, write_dataset

from spinetrack_synth import skeleton
from spinetrack_synth.curation import shards, tables
from spinetrack_synth.curation.converting import FORMATS, convert
from spinetrack_synth.curation.opening import open_dataset
from spinetrack_synth.curation.samples import Remarks
from spinetrack_synth.curation.skeletons import sound_people
from spinetrack_synth.curation.yolo import flip_index
from spinetrack_synth.errors import UserError

LABELS = "annotations/person_keypoints_train.json"
OURS = [{"scene": "yoga", "K": [[1.5, 0, 2], [0, 1.5, 2], [0, 0, 1]]}, {"film": {"iso": 100.5}}, {}]
PEOPLE = [[{"subject": "s1"}, {"pose": "tree"}], [], [{"track_id": 3}]]


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    write_dataset(tmp_path / "OUT", OURS, people=PEOPLE)
    return tmp_path / "OUT"


def test_the_formats_of_the_command_are_those_of_the_room() -> None:
    from spinetrack_synth.cli import convert as command

    assert command.FORMATS == FORMATS


@pytest.mark.parametrize("to", ["webdataset", "huggingface"])
def test_shards_and_tables_come_back_whole(to: str, ours: Path, tmp_path: Path) -> None:
    convert(ours, to, tmp_path / "there")
    told = convert(tmp_path / "there", "spinetrack-37", tmp_path / "back")
    before, after = read(ours / LABELS), read(tmp_path / "back" / LABELS)
    category = after.pop("categories")[0]
    assert before.pop("categories")[0].items() <= category.items()
    assert before == after
    assert told == []
    pictures = contents(tmp_path / "back" / "images")
    assert pictures == contents(ours / "images")


def test_yolo_comes_back_as_far_as_it_goes(ours: Path, tmp_path: Path) -> None:
    pytest.importorskip("yaml", reason="pip install 'spinetrack-synth[convert]'")
    told = convert(ours, "yolo-pose", tmp_path / "there")
    assert "YOLO-pose has no place for these fields of pictures: scene, K, film" in told
    assert any("of people: area, subject, pose, track_id" in line for line in told)
    assert any("no split val" in line for line in told)
    assert "YOLO-pose has no place for info and licenses" in told
    convert(tmp_path / "there", "spinetrack-37", tmp_path / "back")
    before, after = read(ours / LABELS), read(tmp_path / "back" / LABELS)
    for section, fields in (
        ("images", ("file_name", "width", "height")),
        ("annotations", ("keypoints", "bbox", "num_keypoints", "iscrowd")),
    ):
        held = [[record[name] for name in fields] for record in before[section]]
        assert held == [[record[name] for name in fields] for record in after[section]]
    assert after["categories"][0]["keypoints"] == list(skeleton.NAMES)
    assert contents(tmp_path / "back" / "images") == contents(ours / "images")
    files = contents(tmp_path / "there" / "labels")
    assert [len(text.splitlines()) for text in files.values()] == [2, 0, 1]


@settings(max_examples=6)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 4_000_000).map(lambda x: x / 10_000),
            st.integers(0, 3_000_000).map(lambda y: y / 10_000),
            st.integers(0, 2),
        ),
        min_size=17,
        max_size=17,
    ),
    st.sampled_from(["yolo-pose", "webdataset", "huggingface"]),
)
def test_any_points_come_back(
    tmp_path_factory: pytest.TempPathFactory, points: list[tuple[float, float, int]], to: str
) -> None:
    pytest.importorskip("yaml", reason="pip install 'spinetrack-synth[convert]'")
    folder = tmp_path_factory.mktemp("large")
    flat = [value for point in points for value in point]
    path = write_dataset(
        folder / "in",
        [{"width": 400, "height": 300}],
        people=[[{"keypoints": flat, "bbox": [100.0125, 0, 299.9875, 123.4567]}]],
        names=skeleton.NAMES[:17],
    )
    convert(path, to, folder / "there")
    convert(folder / "there", "coco-17", folder / "back")
    (person,) = read(folder / "back" / LABELS)["annotations"]
    assert person["keypoints"] == flat
    assert person["bbox"] == [100.0125, 0, 299.9875, 123.4567]


@pytest.mark.parametrize(("to", "count"), [("coco-17", 17), ("halpe-26", 26)])
def test_smaller_skeletons_load_in_pycocotools(
    to: str, count: int, ours: Path, tmp_path: Path
) -> None:
    from pycocotools.coco import COCO

    told = convert(ours, to, tmp_path / "there")
    assert any("no place for these keypoints" in line and "spine_01" in line for line in told)
    coco = COCO(str(tmp_path / "there" / LABELS))
    for person in read(ours / LABELS)["annotations"]:
        (found,) = coco.loadAnns([person["id"]])
        assert found["keypoints"] == person["keypoints"][: 3 * count]
        assert found["num_keypoints"] == np.count_nonzero(found["keypoints"][2::3])
        assert found.get("subject") == person.get("subject")
    (category,) = coco.dataset["categories"]
    assert len(category["keypoints"]) == len(category["sigmas"]) == count
    assert max(max(link) for link in category["skeleton"]) <= count


def test_points_are_found_by_name_in_any_order(tmp_path: Path) -> None:
    names = ["RAnkle", "LAnkle", "nose", "left_hip", "right_hip", "tail"]
    path = write_dataset(tmp_path / "in", [{}], names=names)
    told = convert(path, "spinetrack-37", tmp_path / "out")
    (before,), (after,) = (read(file)["annotations"] for file in (path, tmp_path / "out" / LABELS))
    points = dict(zip(skeleton.NAMES, np.reshape(after["keypoints"], (37, 3)).tolist()))
    was = np.reshape(before["keypoints"], (6, 3)).tolist()
    assert [points[n] for n in ("right_ankle", "left_ankle", "nose", "left_hip")] == was[:4]
    assert points["spine_01"] == [0, 0, 0]
    assert "SpineTrack-37 has no place for these keypoints: tail" in told
    assert any(line.startswith("not labelled (v = 0)") and "spine_01" in line for line in told)


def test_what_others_leave_out_is_made_up_and_told(tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "in", [{}, {}], people=[[{}], [{"keypoints": []}]])
    data = read(path)
    del data["annotations"][0]["area"], data["annotations"][0]["bbox"]
    data["annotations"].append({"id": 9, "image_id": 0, "category_id": 7, "bbox": [1, 1, 2, 2]})
    data["categories"].append({"id": 7, "name": "ball"})
    path.write_text(json.dumps(data))
    told = convert(path, "coco-17", tmp_path / "out")
    assert "1 annotations without keypoints are left out" in told
    assert "1 annotations of other categories are left out" in told
    assert any("have no box" in line for line in told)
    (person,) = read(tmp_path / "out" / LABELS)["annotations"]
    assert person["bbox"][2] > 0 and person["area"] > 0


def test_boxes_and_points_outside_are_cut_for_yolo(tmp_path: Path) -> None:
    points = [50.0, 5.0, 2, 10.0, 10.0, 2] + [1.0, 1.0, 1] * 15
    people = [[
        {"keypoints": points, "bbox": [-5, 10, 20, 40]},
        {"bbox": [41, 0, 5, 5]},
        {"iscrowd": 1},
    ]]  # fmt: skip
    path = write_dataset(tmp_path / "in", [{}], people=people, names=skeleton.NAMES[:17])
    told = convert(path, "yolo-pose", tmp_path / "out")
    assert "1 boxes reach beyond their picture: cut at its edge" in told
    assert "1 points outside of their picture become not labelled" in told
    assert "1 people are left out: their box lies outside of the picture" in told
    assert "1 crowds are left out: YOLO-pose has none" in told
    (line,) = (tmp_path / "out/labels/train/0000.txt").read_text().splitlines()
    values = [float(word) for word in line.split()]
    wanted = [7.5 / 40, 20 / 30, 15 / 40, 20 / 30, 0, 0, 0, 0.25, 1 / 3, 2]
    np.testing.assert_allclose(values[1:11], wanted, atol=1e-11)


def test_mirror_twins_are_those_of_the_skeleton() -> None:
    assert flip_index(skeleton.NAMES) == list(skeleton.MIRROR)
    assert flip_index(["left_eye", "nose"]) == [0, 1]


def write_yolo(folder: Path, data: str, lines: str) -> Path:
    from PIL import Image

    (folder / "train/images").mkdir(parents=True)
    (folder / "train/labels").mkdir()
    Image.new("RGB", (40, 30)).save(folder / "train/images/a.b.jpg")
    (folder / "train/labels/a.b.txt").write_text(lines)
    (folder / "data.yaml").write_text(data)
    return folder


def test_a_yolo_dataset_as_roboflow_writes_it(tmp_path: Path) -> None:
    pytest.importorskip("yaml", reason="pip install 'spinetrack-synth[convert]'")
    data = "train: ../train/images\nkpt_shape: [17, 2]\nnc: 1\nnames: ['human']\n"
    points = " 0.5 0.25" * 16 + " 0 0"
    folder = write_yolo(tmp_path / "in", data, f"0 0.5 0.5 0.5 1{points}\n\n")
    convert(folder, "coco-17", tmp_path / "out")
    made = read(tmp_path / "out" / LABELS)
    (person,) = made["annotations"]
    assert person["keypoints"] == [20.0, 7.5, 2] * 16 + [0, 0, 0]
    assert person["bbox"] == [10, 0, 20, 30] and person["num_keypoints"] == 16
    assert made["images"][0] | {"id": 1} == {
        "id": 1, "file_name": "a.b.jpg", "width": 40, "height": 30,
    }  # fmt: skip
    assert made["categories"][0]["name"] == "human"


@pytest.mark.parametrize(
    ("data", "lines", "told"),
    [
        ("train: train/images\nkpt_shape: [17, 3]", "0 .5 .5 .1 .1", "a.b.txt:1: 5 values, expect"),
        ("train: train/images\nkpt_shape: [1, 2]", "", "1 keypoints whose order is not known"),
        ("train: train/images", "", "kpt_shape: None, expected"),
        ("train: nowhere\nkpt_shape: [17, 3]", "", "nowhere: no such folder"),
        ("train: [", "", "not a YAML file"),
        ("kpt_shape: [17, 3]", "", "names no pictures"),
        (
            "train: train/images\nkpt_shape: [2, 2]\nkpt_names: {0: [nose, neck]}",
            "3 .5 .5 .1 .1 .2 .2 .3 .3",
            "class 3, expected 0 to 0",
        ),
        (
            "train: train/images\nkpt_shape: [2, 2]\nkpt_names: [nose, neck]",
            "0 .5 .5 .1 .1 .2 .2 .3 x",
            "could not convert",
        ),
    ],
)
def test_a_yolo_dataset_that_cannot_be_used(
    data: str, lines: str, told: str, tmp_path: Path
) -> None:
    pytest.importorskip("yaml", reason="pip install 'spinetrack-synth[convert]'")
    folder = write_yolo(tmp_path / "in", data, lines)
    with pytest.raises(UserError) as error:
        convert(folder, "spinetrack-37", tmp_path / "out")
    assert told in str(error.value) and "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_what_fills_a_shard_goes_on_in_the_next(ours: Path, tmp_path: Path) -> None:
    with open_dataset(ours) as opened:
        splits = [sound_people(split, Remarks()) for split in opened]
        (tmp_path / "a").mkdir()
        shards.write_shards(tmp_path / "a", splits, Remarks(), shard_bytes=1)
        (tmp_path / "b").mkdir()
        tables.write_tables(tmp_path / "b", splits, Remarks(), shard_bytes=1)
    assert len(list((tmp_path / "a").glob("train-00000?.tar"))) == 3
    assert len(list((tmp_path / "b/data").glob("train-0000?-of-00003.parquet"))) == 3
    for folder in ("a", "b"):
        convert(tmp_path / folder, "spinetrack-37", tmp_path / f"{folder}-back")
        back = read(tmp_path / f"{folder}-back" / LABELS)
        assert back["annotations"] == read(ours / LABELS)["annotations"]


def test_shards_are_the_same_bytes_every_time(ours: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        convert(ours, "webdataset", tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_keys_of_shards_have_no_dots(tmp_path: Path) -> None:
    pictures = [{"file_name": "sub/a.1.png"}, {"file_name": "sub/a_1.PNG"}]
    path = write_dataset(tmp_path / "in", pictures)
    convert(path, "webdataset", tmp_path / "out")
    with tarfile.open(tmp_path / "out/train-000000.tar") as stream:
        assert stream.getnames() == ["sub_a_1.png", "sub_a_1.json", "sub_a_1_2.png",
                                     "sub_a_1_2.json"]  # fmt: skip
    convert(tmp_path / "out", "spinetrack-37", tmp_path / "back")
    names = [image["file_name"] for image in read(tmp_path / "back" / LABELS)["images"]]
    assert names == ["sub/a.1.png", "sub/a_1.PNG"]


def test_tables_tell_hugging_face_what_they_hold(ours: Path, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    convert(ours, "huggingface", tmp_path / "out")
    (file,) = (tmp_path / "out/data").iterdir()
    schema = pq.read_schema(file)
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert features == {"image": {"_type": "Image"}}
    rows = pq.read_table(file).to_pylist()
    assert np.shape(rows[0]["keypoints"]) == (2, 37, 3)
    assert rows[0]["image"]["bytes"] == (ours / "images/train/0000.png").read_bytes()
    card = (tmp_path / "out/README.md").read_text()
    assert "license: cc0-1.0" in card and "path: data/train-*" in card


def test_two_files_of_one_split_are_refused(tmp_path: Path) -> None:
    write_dataset(tmp_path / "in", [{}], name="a-b")
    write_dataset(tmp_path / "in", [{}], name="a_b")
    with pytest.raises(UserError, match=r"a_b\.json: is the split a_b, and so is .*a-b\.json"):
        convert(tmp_path / "in", "huggingface", tmp_path / "out")
    convert(tmp_path / "in", "webdataset", tmp_path / "out")
    assert len(list((tmp_path / "out").glob("*.tar"))) == 2


def test_pictures_are_linked_or_copied(ours: Path, tmp_path: Path) -> None:
    picture = ours / "images/train/0000.png"
    convert(ours, "coco-17", tmp_path / "linked")
    assert (tmp_path / "linked/images/train/0000.png").samefile(picture)
    convert(ours, "coco-17", tmp_path / "copied", copy=True)
    assert not (tmp_path / "copied/images/train/0000.png").samefile(picture)


def broken_labels(folder: Path, **changes: Any) -> Path:
    path = write_dataset(folder, [{}])
    path.write_text(json.dumps(read(path) | changes))
    return path


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"images": []}, "images: holds none"),
        ({"images": [{"id": 0}]}, "images[0].file_name: None, expected a name"),
        ({"images": [{"id": 0, "file_name": "gone.png"}]}, "there is no picture gone.png"),
        ({"images": ["a"]}, "images[0]: a text, expected an object"),
        ({"annotations": []}, "no annotation in it has keypoints"),
        ({"annotations": [{"id": 1, "image_id": 5}]}, "annotations[0].image_id: 5 is no image"),
        (
            {"annotations": [{"id": 4, "image_id": 0, "category_id": 1, "keypoints": ["a"] * 111}]},
            "annotation 4.keypoints[0]: 'a', expected a finite number",
        ),
        ({"categories": [{"id": 1, "keypoints": ["paw"] * 37}]}, "none of the keypoints"),
    ],
)
def test_a_file_that_cannot_be_used(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    path = broken_labels(tmp_path / "in", **changes)
    with pytest.raises(UserError) as error:
        convert(path, "coco-17", tmp_path / "out")
    assert told in str(error.value) and "\n" not in str(error.value)
    assert [each.name for each in tmp_path.iterdir()] == ["in"]


def test_damaged_shards_and_foreign_tables_are_one_line(
    ours: Path, tmp_path: Path, run: Run
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    convert(ours, "webdataset", tmp_path / "shards")
    shard = tmp_path / "shards/train-000000.tar"
    shard.write_bytes(shard.read_bytes()[:3000])
    (tmp_path / "table").mkdir()
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "table/a.parquet")
    (tmp_path / "nothing").mkdir()
    for name, told in (
        ("shards", "train-000000.tar: "),
        ("table", "no column image and keypoints"),
        ("nothing", "holds no annotation files"),
        ("gone", "No such file"),
    ):
        code, out, err = run("convert", tmp_path / name, "--to", "coco-17", "--out", tmp_path / "x")
        assert (code, out) == (2, "")
        assert err.startswith("Error: ") and told in err and err.count("\n") == 1, err
        assert not (tmp_path / "x").exists()


def test_a_folder_that_holds_something_is_left_alone(ours: Path, tmp_path: Path) -> None:
    before = contents(ours)
    with pytest.raises(UserError, match="OUT: is not empty; name a new folder"):
        convert(ours, "coco-17", ours)
    assert contents(ours) == before
    with pytest.raises(UserError, match="is no folder"):
        convert(ours, "coco-17", ours / LABELS)
    (tmp_path / "empty").mkdir()
    convert(ours, "coco-17", tmp_path / "empty")
    assert (tmp_path / "empty" / LABELS).is_file()


@pytest.mark.parametrize("to", FORMATS)
def test_a_disk_that_refuses_leaves_nothing(
    to: str, ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"File exists|Not a directory"):
        convert(ours, to, ours / LABELS / "below")

    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UserError, match="No space left on device"):
        convert(ours, to, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["OUT"]

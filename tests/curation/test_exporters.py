"""Datasets as other programs write them: Roboflow, CVAT, Label Studio, Ultralytics, COCO
Annotator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Run
from small_datasets import read, write_dataset

from spinetrack_synth import skeleton
from spinetrack_synth.curation.converting import convert
from spinetrack_synth.curation.merging import merge
from spinetrack_synth.curation.opening import open_dataset
from spinetrack_synth.curation.splitting import split_dataset
from spinetrack_synth.errors import UserError

LABELS = "annotations/person_keypoints_{}.json"
COCO = skeleton.NAMES[:17]
HALVES = {"train": 0.5, "val": 0.5}
HAND = ("wrist", *(f"finger{number}" for number in range(20)))


def written(folder: Path, split: str = "train") -> dict[str, Any]:
    return read(folder / LABELS.format(split))


def change(path: Path, **sections: Any) -> Path:
    """Change sections of a file: a function of what was there, or what is there instead."""
    data = read(path)
    for name, value in sections.items():
        data[name] = value(data[name]) if callable(value) else value
    path.write_text(json.dumps(data))
    return path


def roboflow(folder: Path) -> Path:
    """A folder of train and valid, pictures beside the labels, and a first category without
    keypoints, of the project's name."""
    for name in ("train", "valid"):
        made = write_dataset(folder / "made" / name, [{}, {}], name=name, names=COCO)
        people = {**read(made)["categories"][0], "id": 1}
        change(made, categories=[{"id": 0, "name": "person", "supercategory": "none"}, people])
        (folder / "RF" / name).mkdir(parents=True)
        made.rename(folder / "RF" / name / "_annotations.coco.json")
        for picture in (folder / "made" / name / "images" / name).iterdir():
            picture.rename(folder / "RF" / name / picture.name)
    return folder / "RF"


def test_roboflows_folders_are_splits_and_keep_the_names_of_keypoints(tmp_path: Path) -> None:
    source = roboflow(tmp_path)
    convert(source, "spinetrack-37", tmp_path / "converted")
    merge([source, source], tmp_path / "merged")
    split_dataset(source, HALVES, (), tmp_path / "split")
    for folder, pictures in (("converted", 2), ("merged", 4), ("split", 2)):
        for split in HALVES:
            made = written(tmp_path / folder, split)
            assert len(made["images"]) == len(made["annotations"]) == pictures
            (category,) = (c for c in made["categories"] if c.get("keypoints"))
            assert set(COCO) <= set(category["keypoints"])
            assert {person["category_id"] for person in made["annotations"]} == {category["id"]}


def test_cocos_captions_and_boxes_beside_its_keypoints_are_left_out_and_told(
    tmp_path: Path, run: Run
) -> None:
    path = write_dataset(tmp_path / "COCO", [{}, {}], names=COCO)
    data = read(path)
    boxes = [{k: v for k, v in each.items() if k != "keypoints"} for each in data["annotations"]]
    captions = [{"id": 1, "image_id": 0, "caption": "a person"}]
    for name, sections in (
        ("instances_train", {"annotations": boxes, "categories": [{"id": 1, "name": "person"}]}),
        ("captions_train", {"annotations": captions, "categories": []}),
    ):
        path.with_name(f"{name}.json").write_text(json.dumps({**data, **sections}))
    told = convert(tmp_path / "COCO", "halpe-26", tmp_path / "converted")
    assert [line.endswith("left out, it holds no keypoints") for line in told[:3]] == [
        True, True, False]  # fmt: skip
    assert [each.name for each in (tmp_path / "converted/annotations").iterdir()] == [path.name]
    made, _ = merge([tmp_path / "COCO"], tmp_path / "merged")
    assert {name: each.pictures for name, each in made.items()} == {"train": 2}
    code, out, err = run("stats", tmp_path / "COCO", "--json", "-")
    assert (code, json.loads(out)["pictures"], err.count("left out")) == (0, 2, 2)


def test_boxes_of_a_ball_do_not_become_people(tmp_path: Path) -> None:
    ball = write_dataset(tmp_path / "a", [{}], categories=[{"id": 1, "name": "ball"}])
    change(ball, annotations=lambda old: [{k: v for k, v in old[0].items() if k != "keypoints"}])
    people = write_dataset(tmp_path / "b", [{}], names=COCO)
    merge([ball, people], tmp_path / "out")
    made = written(tmp_path / "out")
    names = [(each["name"], "keypoints" in each) for each in made["categories"]]
    assert names == [("ball", False), ("person", True)]
    assert [each["category_id"] for each in made["annotations"]] == [1, 2]


def test_names_from_windows_lead_to_pictures(tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "in", [{"file_name": "sub/0000.png"}], names=COCO)
    change(path, images=lambda old: [{**old[0], "file_name": "sub\\0000.png"}])
    convert(path, "coco-17", tmp_path / "out")
    (image,) = written(tmp_path / "out")["images"]
    assert (tmp_path / "out/images/train" / image["file_name"]).is_file()
    change(path, images=lambda old: [{**old[0], "file_name": "..\\upload\\4\\0000.png"}])
    with pytest.raises(UserError, match=r"upload\\4\\0000\.png .*leads out of the folder"):
        convert(path, "coco-17", tmp_path / "more")


def test_names_are_told_apart_only_where_they_collide(tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "in", [{}, {}], names=COCO)
    change(
        path, images=lambda old: [{**each, "file_name": f"./{each['file_name']}"} for each in old]
    )
    assert convert(path, "coco-17", tmp_path / "out") == []
    names = [each["file_name"] for each in written(tmp_path / "out")["images"]]
    assert names == ["0000.png", "0001.png"]


def test_people_of_whom_nothing_is_labelled_and_texts_for_numbers(tmp_path: Path) -> None:
    from pycocotools.coco import COCO as CocoTools

    unseen = [9.0, 9.0, 0] * 17
    people = [[{"keypoints": unseen}, {"keypoints": [0] * 51}, {"iscrowd": "0"}, {"iscrowd": "1"}]]
    path = write_dataset(tmp_path / "in", [{}], names=COCO, people=people)
    change(path, annotations=lambda old: [
        {k: v for k, v in each.items() if k != "category_id"} for each in old
    ])  # fmt: skip
    told = convert(path, "coco-17", tmp_path / "out")
    assert [line for line in told if "no labelled keypoint" in line] == [
        "1 people have no labelled keypoint (v = 0 of all), though these have places"]  # fmt: skip
    coco = CocoTools(str(tmp_path / "out" / LABELS.format("train")))
    assert [each["iscrowd"] for each in coco.anns.values()] == [0, 0, 0, 1]


def yolo(folder: Path, data: str, lines: str | None, orientation: int = 1) -> Path:
    from PIL import Image

    pytest.importorskip("yaml", reason="pip install 'spinetrack-synth[convert]'")
    (folder / "train/images").mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (40, 30)).save(folder / "train/images/a.jpg", exif=exif)
    if lines is not None:
        (folder / "train/labels").mkdir()
        (folder / "train/labels/a.txt").write_text(lines)
    (folder / "data.yaml").write_text(f"train: train/images\n{data}\n")
    return folder


NOSE_AND_NECK = "kpt_shape: [2, 3]\nkpt_names: [nose, neck]"


def test_confidences_of_predictions_are_labels(tmp_path: Path) -> None:
    """Ultralytics' ``save_txt`` writes them in the place of v."""
    source = yolo(tmp_path / "in", NOSE_AND_NECK, "0 .5 .5 .5 .5 .5 .25 0.97 .5 .5 0\n")
    convert(source, "spinetrack-37", tmp_path / "out")
    (person,) = written(tmp_path / "out")["annotations"]
    assert person["keypoints"][:3] == [20, 7.5, 1]
    assert person["num_keypoints"] == 1


def test_labels_of_pictures_turned_by_exif_are_of_the_upright_ones(tmp_path: Path) -> None:
    source = yolo(tmp_path / "in", NOSE_AND_NECK, "0 .5 .5 .5 .5 .5 .25 2 .5 .5 0\n", orientation=6)
    convert(source, "spinetrack-37", tmp_path / "out")
    made = written(tmp_path / "out")
    assert (made["images"][0]["width"], made["images"][0]["height"]) == (30, 40)
    assert made["annotations"][0]["keypoints"][:3] == [15, 10, 2]


@pytest.mark.parametrize(
    ("data", "lines", "told"),
    [
        (NOSE_AND_NECK, "0 .5 .5 .5 .5 nan .25 2 .5 .5 2", "a.txt:1: nan, expected a finite"),
        (NOSE_AND_NECK, "0 .5 .5 .5 .5 .5 .25 inf .5 .5 2", "a.txt:1: inf, expected a finite"),
        (NOSE_AND_NECK, "0 20 15 10 9 20 15 2 20 15 2", "box 20 15 10 9, expected shares"),
        (NOSE_AND_NECK, None, "no picture has a text file of people; that of"),
        ("kpt_shape: [2, 3]\nkpt_names: [nose]", "", "kpt_names: 1 names, expected 2"),
        ("kpt_shape: [2, 3]\nkpt_names: {0: 5}", "", "kpt_names: 5, expected 2"),
        ("kpt_shape: [17, 3]\nnames: [tiger]", "", "17 keypoints whose order is not known"),
        (
            f"kpt_shape: [17, 3]\nflip_idx: {[1, 0, *range(2, 17)]}",
            "",
            "17 keypoints whose order is not known",
        ),
    ],
)
def test_yolo_labels_that_mean_something_else(
    data: str, lines: str | None, told: str, tmp_path: Path
) -> None:
    source = yolo(tmp_path / "in", data, lines)
    with pytest.raises(UserError) as error:
        convert(source, "spinetrack-37", tmp_path / "out")
    assert told in str(error.value) and "\n" not in str(error.value)


def test_what_a_yaml_file_does_not_say_is_told(tmp_path: Path) -> None:
    line = "0 .5 .5 .5 .5" + " .5 .5 2" * 17
    data = f"kpt_shape: [17, 3]\nflip_idx: {list(range(17))}\nnames: human\ntest: ../test/images"
    source = yolo(tmp_path / "in", data, line)
    (source / "data.yaml").rename(source / "coco8-pose.yaml")
    for told in (
        convert(source, "coco-17", tmp_path / "out"),
        merge([source], tmp_path / "merged")[1],
        split_dataset(source, {"train": 1.0}, (), tmp_path / "split")[1],
    ):
        assert any("its 17 keypoints have no names: taken for COCO-17" in each for each in told)
        assert any("test: ../test/images: no such folder" in each for each in told)
    assert written(tmp_path / "out")["categories"][0]["keypoints"] == list(COCO)
    with open_dataset(source) as (split,):
        assert split.categories[0]["name"] == "human"


def test_splits_of_other_formats_are_merged_apart(tmp_path: Path) -> None:
    for name in ("train", "val"):
        write_dataset(tmp_path / "in", [{}], name=name, names=COCO)
    convert(tmp_path / "in", "webdataset", tmp_path / "shards")
    made, _ = merge([tmp_path / "shards", tmp_path / "in"], tmp_path / "out")
    assert {name: each.pictures for name, each in made.items()} == {"train": 2, "val": 2}


@pytest.mark.parametrize("to", ["yolo-pose", "webdataset", "huggingface"])
def test_hands_go_into_formats_that_take_any_points(to: str, tmp_path: Path) -> None:
    pytest.importorskip("yaml", reason="pip install 'spinetrack-synth[convert]'")
    hand = [{"id": 1, "name": "hand", "keypoints": HAND}]
    path = write_dataset(tmp_path / "in", [{}, {}], names=HAND, categories=hand)
    convert(path, to, tmp_path / "there")
    merge([tmp_path / "there"], tmp_path / "back")
    before, after = read(path), written(tmp_path / "back")
    assert after["categories"][0]["keypoints"] == list(HAND)
    for was, now in zip(before["annotations"], after["annotations"], strict=True):
        np.testing.assert_allclose(now["keypoints"], was["keypoints"], atol=1e-5)
    with pytest.raises(UserError, match="none of the keypoints"):
        convert(path, "coco-17", tmp_path / "out")


def test_faces_whose_points_have_no_names_are_split_and_numbered(tmp_path: Path) -> None:
    names = list(map(str, range(68)))
    face = [{"id": 1, "name": "face", "keypoints": []}]
    path = write_dataset(tmp_path / "in", [{}, {}], names=names, categories=face)
    split_dataset(path, HALVES, (), tmp_path / "out")
    assert written(tmp_path / "out")["categories"][0]["keypoints"] == []
    told = convert(path, "webdataset", tmp_path / "shards")
    assert any("its 68 keypoints have no names: numbered" in line for line in told)
    other = write_dataset(tmp_path / "98", [{}], names=list(map(str, range(98))), categories=face)
    with pytest.raises(UserError, match="another skeleton"):
        merge([path, other], tmp_path / "merged")


def test_animals_of_several_skeletons_in_one_file_are_split(tmp_path: Path) -> None:
    mouse = {"id": 1, "name": "mouse", "keypoints": ["nose", "tail"]}
    fly = {"id": 2, "name": "fly", "keypoints": ["head", "left_wing", "right_wing"]}
    both = [[{}, {"category_id": 2, "keypoints": [1, 2, 2] * 3}]]
    path = write_dataset(
        tmp_path / "in", [{}, {}], names=mouse["keypoints"], people=both * 2,
        categories=[mouse, fly],
    )  # fmt: skip
    split_dataset(path, HALVES, (), tmp_path / "out")
    merge([path, path], tmp_path / "twice")
    for folder in ("out", "twice"):
        made = written(tmp_path / folder)
        assert [each["keypoints"] for each in made["categories"]] == [
            mouse["keypoints"], fly["keypoints"]]  # fmt: skip
        assert {each["category_id"] for each in made["annotations"]} == {1, 2}
    other = write_dataset(tmp_path / "b", [{}], names=["head"],
                          categories=[{"id": 1, "name": "bee", "keypoints": ["head"]}])  # fmt: skip
    with pytest.raises(UserError, match="another skeleton"):
        merge([path, other], tmp_path / "more")


def test_players_and_referees_are_people_and_hands_beside_them_are_not(tmp_path: Path) -> None:
    pytest.importorskip("yaml", reason="pip install 'spinetrack-synth[convert]'")
    kinds = [
        {"id": number, "name": name, "keypoints": COCO}
        for number, name in ((3, "player"), (8, "referee"))
    ]
    hand = {"id": 9, "name": "hand", "keypoints": HAND}
    for name, order in (("train", kinds), ("val", kinds[::-1])):
        write_dataset(
            tmp_path / "in", [{}], name=name, names=COCO, categories=[hand, *order],
            people=[[{"category_id": 3}, {"category_id": 8},
                     {"category_id": 9, "keypoints": [1, 2, 2] * 21}]],
        )  # fmt: skip
    told = convert(tmp_path / "in", "halpe-26", tmp_path / "halpe")
    assert "2 annotations of other categories are left out" in told
    made = written(tmp_path / "halpe", "val")
    assert {each["name"]: len(each["keypoints"]) for each in made["categories"]} == {
        "player": 26, "referee": 26}  # fmt: skip
    assert [person["category_id"] for person in made["annotations"]] == [3, 8]
    convert(tmp_path / "in", "yolo-pose", tmp_path / "yolo")
    for name in ("train", "val"):
        lines = (tmp_path / "yolo/labels" / name / "0000.txt").read_text().splitlines()
        assert [line.split()[0] for line in lines] == ["0", "1"]
    assert '0: "player"\n  1: "referee"' in (tmp_path / "yolo/data.yaml").read_text()


def test_ids_and_sizes_that_are_not_there_are_made_and_told(tmp_path: Path) -> None:
    from pycocotools.coco import COCO as CocoTools

    path = write_dataset(tmp_path / "in", [{}, {}], names=COCO)
    change(
        path,
        images=lambda old: [{k: v for k, v in image.items() if k != "width"} for image in old],
        annotations=lambda old: [{**person, "id": 7} for person in old],
    )
    told = convert(path, "coco-17", tmp_path / "out")
    assert any("used twice: all are numbered anew" in line for line in told)
    assert "2 pictures have no size recorded: that of their file stands for it" in told
    coco = CocoTools(str(tmp_path / "out" / LABELS.format("train")))
    assert sorted(coco.anns) == [1, 2]
    assert [image["width"] for image in coco.imgs.values()] == [40, 40]


def test_annotations_of_a_category_that_is_not_there_are_refused_with_their_place(
    tmp_path: Path,
) -> None:
    """Else they would be of whatever category has their number in the end."""
    path = write_dataset(tmp_path / "in", [{}], people=[[{"category_id": 4}]], names=COCO)
    with pytest.raises(UserError, match=r"annotation 1\.category_id: 4 is no category of this"):
        merge([path, path], tmp_path / "out")
    with pytest.raises(UserError, match=r"annotation 1\.category_id: 4 is no category with"):
        convert(path, "coco-17", tmp_path / "out")
    change(path, categories=[])
    merge([path, path], tmp_path / "out")
    assert {each["category_id"] for each in written(tmp_path / "out")["annotations"]} == {1}


def test_numbers_that_json_cannot_hold_are_told_with_their_place(tmp_path: Path) -> None:
    path = write_dataset(tmp_path / "in", [{}], people=[[{}, {"score": float("nan")}]])
    with pytest.raises(UserError, match=r"annotation 2 of 0000\.png: score: NaN or infinity"):
        merge([path], tmp_path / "out")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({"keypoints": [[1.0, 2.0]]}, "row 1: keypoints: expected a list of people"),
        ({"keypoints": [[[[1.0, 2.0, 2.0]]]], "boxes": [[[1.0], [2.0]]]}, "boxes: 2, for 1 people"),
    ],
)
def test_tables_of_another_layout(rows: dict[str, Any], told: str, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    image = {"bytes": b"", "path": "a.png"}
    pq.write_table(pa.table({"image": [image], **rows}), tmp_path / "train-0.parquet")
    with pytest.raises(UserError, match=told):
        convert(tmp_path / "train-0.parquet", "coco-17", tmp_path / "out")


def test_a_table_may_have_pictures_of_nobody_and_points_that_are_no_numbers(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    ours = write_dataset(tmp_path / "in", [{}], names=COCO)
    content = (tmp_path / "in/images/train/0000.png").read_bytes()
    points = np.reshape(read(ours)["annotations"][0]["keypoints"], (17, 3)).tolist()
    points[0] = [float("nan")] * 3
    rows = {"image": [{"bytes": content, "path": f"{n}.png"} for n in "ab"],
            "keypoints": [None, [points]]}  # fmt: skip
    metadata = {"keypoints": json.dumps(COCO)}
    table = pa.table(rows).replace_schema_metadata(metadata)
    pq.write_table(table, tmp_path / "train-0.parquet")
    told = convert(tmp_path / "train-0.parquet", "coco-17", tmp_path / "out")
    assert any("keypoints that are no numbers" in line for line in told)
    made = written(tmp_path / "out")
    assert len(made["images"]) == 2 and len(made["annotations"]) == 1
    assert made["annotations"][0]["keypoints"][:3] == [0, 0, 0]

"""What annotation tools write: no error where no reader stops at it, an error where one does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clean import clean, write

from spinetrack_synth.validation.engine import validate
from spinetrack_synth.validation.findings import Finding, Severity
from spinetrack_synth.validation.registry import builtin_rules, choose
from spinetrack_synth.validation.release import find_files, read, with_keypoints

Data = dict[str, Any]


def check(path: Path) -> tuple[Finding, ...]:
    rules = [rule for rule in choose(builtin_rules(), (), (), ()) if rule.family != "body"]
    return validate([read(path)], rules).findings


def placeholders(data: Data) -> None:
    """CVAT and Datumaro, where they know nothing."""
    data["info"] = dict.fromkeys(
        ("contributor", "date_created", "description", "url", "version", "year"), ""
    )
    data["licenses"] = [{"name": "", "id": 0, "url": ""}]
    for image in data["images"]:
        image |= {"license": 0, "flickr_url": "", "coco_url": "", "date_captured": 0}


def in_threes(data: Data) -> None:
    for annotation in data["annotations"]:
        flat = annotation["keypoints"]
        annotation["keypoints"] = [flat[at : at + 3] for at in range(0, len(flat), 3)]


def of_all(section: str, name: str, value: Any = None) -> Callable[[Data], None]:
    """Set a field of all records; None takes it away."""

    def plant(data: Data) -> None:
        for record in data[section]:
            record.pop(name)
            if value is not None:
                record[name] = value

    return plant


def without_masks(value: Any) -> Callable[[Data], None]:
    return lambda data: [a.update(segmentation=value) for a in data["annotations"]] and None


def areas_of_boxes(data: Data) -> None:
    for annotation in data["annotations"]:
        annotation["area"] = annotation["bbox"][2] * annotation["bbox"][3]


def links_from_zero(data: Data) -> None:
    links = data["categories"][0]["skeleton"]
    data["categories"][0]["skeleton"] = [[a - 1, b - 1] for a, b in links]


def another_category(data: Data) -> None:
    """A ball beside the people, in a category without keypoints."""
    data["categories"].append({"id": 2, "name": "ball", "supercategory": ""})
    ball = {"id": 9, "image_id": 10, "category_id": 2, "bbox": [1, 1, 20, 20]}
    data["annotations"].append(ball | {"area": 300, "iscrowd": 0})
    for annotation in data["annotations"]:
        annotation["segmentation"] = []


HARMLESS: list[tuple[str, Callable[[Data], None], set[str]]] = [
    ("placeholders", placeholders, {"SPT901", "SPT908"}),
    ("no licences", lambda d: d.update(licenses=[]), {"SPT204"}),
    ("licences a text", lambda d: (of_all("images", "license")(d), d.update(licenses="")), set()),
    ("empty info", lambda d: d.update(info={}), {"SPT901"}),
    ("points in threes", in_threes, {"SPT104"}),
    ("no iscrowd", of_all("annotations", "iscrowd"), {"SPT103"}),
    ("no area", of_all("annotations", "area"), {"SPT103"}),
    ("no num_keypoints", of_all("annotations", "num_keypoints"), {"SPT103"}),
    ("iscrowd false", of_all("annotations", "iscrowd", False), set()),
    ("num_keypoints 36.0", of_all("annotations", "num_keypoints", 36.0), set()),
    ("masks empty", without_masks([]), set()),
    ("masks null", without_masks(None), set()),
    ("masks one empty polygon", without_masks([[]]), set()),
    ("no links", lambda d: d["categories"][0].update(skeleton=[]), set()),
    ("links null", lambda d: d["categories"][0].update(skeleton=None), set()),
    ("links from 0", links_from_zero, {"SPT107"}),
    ("dates null", of_all("images", "date_captured", ""), set()),
    ("month only", of_all("images", "date_captured", "2022-06"), set()),
    ("areas of the boxes", areas_of_boxes, {"SPT325"}),
    ("a ball", another_category, set()),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "codes"), [case[1:] for case in HARMLESS],
                         ids=[case[0] for case in HARMLESS])  # fmt: skip
def test_what_harms_no_reader_is_no_error(
    tmp_path: Path, plant: Callable[[Data], None], codes: set[str]
) -> None:
    data = clean()
    plant(data)
    findings = check(write(tmp_path / "a.json", data))
    assert {f.code for f in findings} == codes
    assert all(f.severity < Severity.ERROR for f in findings)
    assert len(findings) == len(codes)


@pytest.mark.parametrize(
    ("plant", "code", "place"),
    [
        (lambda d: [a.update(id=str(a["id"])) for a in d["annotations"]], "SPT104",
         "annotations.id"),
        (of_all("annotations", "image_id"), "SPT103", "annotations[0]"),
        (of_all("annotations", "keypoints"), "SPT103", "annotations[0]"),
        (lambda d: d["annotations"][2].pop("iscrowd"), "SPT103", "annotations[2]"),
        (lambda d: d["annotations"][2].update(segmentation=[]), "SPT321", "annotations[2]"),
    ],
)  # fmt: skip
def test_what_stops_a_reader_stays_an_error(
    tmp_path: Path, plant: Callable[[Data], None], code: str, place: str
) -> None:
    data = clean()
    plant(data)
    errors = [f for f in check(write(tmp_path / "a.json", data)) if f.severity == Severity.ERROR]
    assert errors[0].code == code and errors[0].place.startswith(place)


def test_faults_are_found_in_points_in_threes(tmp_path: Path) -> None:
    data = clean()
    data["annotations"][2]["keypoints"][0] = 900.0
    in_threes(data)
    assert "SPT306" in {f.code for f in check(write(tmp_path / "a.json", data))}


def test_captions_and_boxes_beside_the_keypoints_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "annotations"
    folder.mkdir()
    data = clean()
    write(folder / "person_keypoints_train2017.json", data)
    captions = [{"id": 1, "image_id": 10, "caption": "two people stand"}]
    write(folder / "captions_train2017.json", data | {"annotations": captions, "categories": []})
    write(folder / "results.json", [])
    having, others = with_keypoints([read(path) for path in find_files(tmp_path)])
    assert [d.path.name for d in having] == ["person_keypoints_train2017.json"]
    assert [d.path.name for d in others] == ["captions_train2017.json"]


def test_a_file_of_captions_is_told_as_one(tmp_path: Path) -> None:
    data = clean()
    data["annotations"] = [{"id": 1, "image_id": 10, "caption": "two people stand"}]
    data["categories"] = [{"id": 1, "name": "person"}]
    found = [f for f in check(write(tmp_path / "a.json", data)) if f.code == "SPT103"]
    assert len(found) == 1 and "captions" in found[0].message


def test_boxes_that_reach_beyond_the_picture_are_a_warning(tmp_path: Path) -> None:
    data = clean()
    for annotation in data["annotations"]:
        del annotation["segmentation"]
    x, y, w, h = data["annotations"][2]["bbox"]
    data["annotations"][2]["bbox"] = [-20, y, w + x + 20, h]
    found = check(write(tmp_path / "a.json", data))
    assert [(f.code, f.severity) for f in found] == [("SPT302", Severity.WARNING)]

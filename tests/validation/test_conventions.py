"""Boxes and points written in another way than COCO's: told once, and judged as they are meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clean import HEIGHT, WIDTH, clean, write

from spinetrack_synth.validation.coordinates import other_coordinates
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.engine import validate
from spinetrack_synth.validation.findings import Finding
from spinetrack_synth.validation.registry import builtin_rules, choose
from spinetrack_synth.validation.release import read

Box = tuple[float, float, float, float]
Write = Callable[[float, float, float, float], list[float]]

WRITTEN: list[tuple[Write, str]] = [
    (lambda x, y, w, h: [x, y, x + w, y + h], "two corners, x1, y1, x2, y2"),
    (lambda x, y, w, h: [x + w / 2, y + h / 2, w, h], "middle and size, cx, cy"),
    (lambda x, y, w, h: [y, x, h, w], "y before x, y, x, height, width"),
    (lambda x, y, w, h: [y, x, y + h, x + w], "two corners with y before x"),
    (lambda x, y, w, h: [x, x + w, y, y + h], "two ranges, x1, x2, y1, y2"),
    (lambda x, y, w, h: [x / WIDTH, y / HEIGHT, w / WIDTH, h / HEIGHT],
     "shares of the image: x, y, width, height"),
    (lambda x, y, w, h: [(x + w / 2) / WIDTH, (y + h / 2) / HEIGHT, w / WIDTH, h / HEIGHT],
     "shares of the image: middle and size"),
    (lambda x, y, w, h: [x / WIDTH, y / HEIGHT, (x + w) / WIDTH, (y + h) / HEIGHT],
     "shares of the image: two corners, x1"),
    (lambda x, y, w, h: [100 * x / WIDTH, 100 * y / HEIGHT, 100 * w / WIDTH, 100 * h / HEIGHT],
     "percent of the image: x, y, width, height"),
    (lambda x, y, w, h: [1000 * y / HEIGHT, 1000 * x / WIDTH, 1000 * (y + h) / HEIGHT,
                         1000 * (x + w) / WIDTH],
     "thousandths of the image: two corners with y before x"),
]  # fmt: skip


def check(path: Path) -> tuple[Dataset, tuple[Finding, ...]]:
    rules = [rule for rule in choose(builtin_rules(), (), (), ()) if rule.family != "body"]
    dataset = read(path)
    return dataset, validate([dataset], rules).findings


def rewritten(how: Write, *, rows: range = range(6), masks: bool = True) -> dict[str, Any]:
    data = clean()
    for row, annotation in enumerate(data["annotations"]):
        if row in rows:
            annotation["bbox"] = how(*annotation["bbox"])
        if not masks:
            del annotation["segmentation"]
    return data


def shares_of_image(data: dict[str, Any]) -> None:
    for annotation in data["annotations"]:
        points = annotation["keypoints"]
        annotation["keypoints"] = [
            value / (WIDTH, HEIGHT, 1)[at % 3] for at, value in enumerate(points)
        ]


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize(("how", "name"), WRITTEN)
def test_boxes_in_another_convention_are_one_finding(
    tmp_path: Path, how: Write, name: str, masks: bool
) -> None:
    dataset, findings = check(write(tmp_path / "a.json", rewritten(how, masks=masks)))
    assert [(f.code, f.place) for f in findings] == [("SPT313", "annotations.bbox")]
    assert name in findings[0].message and "6 of 6" in findings[0].message
    for box, annotation in zip(dataset.boxes, clean()["annotations"]):
        assert box == pytest.approx(annotation["bbox"], abs=1e-6)


def test_a_mixture_is_one_finding_too(tmp_path: Path) -> None:
    data = rewritten(WRITTEN[6][0], rows=range(0, 6, 2), masks=False)
    _, findings = check(write(tmp_path / "a.json", data))
    assert [f.code for f in findings] == ["SPT313"]
    assert "3 of 6" in findings[0].message and "annotations[0]" in findings[0].message


@pytest.mark.parametrize(("how", "name"), WRITTEN)
def test_points_in_shares_are_told_with_their_boxes(tmp_path: Path, how: Write, name: str) -> None:
    data = rewritten(how)
    shares_of_image(data)
    dataset, findings = check(write(tmp_path / "a.json", data))
    assert [f.code for f in findings] == ["SPT311"]
    assert "shares of the image" in findings[0].message and name in findings[0].message
    wanted = clean()["annotations"][0]["keypoints"]
    assert dataset.keypoints[0].ravel() == pytest.approx(wanted)


def test_points_in_shares_beside_boxes_in_pixels(tmp_path: Path) -> None:
    data = clean()
    shares_of_image(data)
    _, findings = check(write(tmp_path / "a.json", data))
    assert [f.code for f in findings] == ["SPT311"]
    assert "the boxes are in pixels" in findings[0].message


def test_points_in_percent_beside_boxes_in_pixels(tmp_path: Path) -> None:
    data = clean()
    for annotation in data["annotations"]:
        points = annotation["keypoints"]
        annotation["keypoints"] = [
            value * (100 / WIDTH, 100 / HEIGHT, 1)[at % 3] for at, value in enumerate(points)
        ]
    dataset, findings = check(write(tmp_path / "a.json", data))
    assert [f.code for f in findings] == ["SPT311"]
    assert "percent of the image, 0 to 100; the boxes are in pixels" in findings[0].message
    assert dataset.keypoints[0].ravel() == pytest.approx(clean()["annotations"][0]["keypoints"])


def test_pixels_of_a_small_picture_are_no_percent(tmp_path: Path) -> None:
    data = clean()
    for image in data["images"]:
        image["width"], image["height"] = WIDTH // 5, HEIGHT // 5
    for annotation in data["annotations"]:
        del annotation["segmentation"]
        points = annotation["keypoints"]
        annotation["keypoints"] = [v / 5 if at % 3 < 2 else v for at, v in enumerate(points)]
        annotation["bbox"] = [value / 5 for value in annotation["bbox"]]
    dataset, _ = check(write(tmp_path / "a.json", data))
    assert dataset.points_written is None and dataset.boxes_read.written is None


@pytest.mark.parametrize("masks", [True, False])
@pytest.mark.parametrize("factor", [1.5, 2, 4])
def test_boxes_of_a_larger_picture_are_one_finding(
    tmp_path: Path, factor: float, masks: bool
) -> None:
    def larger(*box: float) -> list[float]:
        return [factor * number for number in box]

    dataset, findings = check(write(tmp_path / "a.json", rewritten(larger, masks=masks)))
    assert [f.code for f in findings] == ["SPT313"]
    assert f"but in pixels of a picture {factor} times as large" in findings[0].message
    assert dataset.boxes[0] == pytest.approx(clean()["annotations"][0]["bbox"])


@pytest.mark.parametrize("by", [-1, 1])
def test_a_pixel_more_or_less_is_no_convention(tmp_path: Path, by: int) -> None:
    data = rewritten(lambda x, y, w, h: [x + by, y + by, w + by, h + by])
    assert check(write(tmp_path / "a.json", data))[1] == ()


def test_areas_of_the_written_numbers_are_no_second_fault(tmp_path: Path) -> None:
    data = rewritten(WRITTEN[5][0], masks=False)
    for annotation in data["annotations"]:
        annotation["area"] = annotation["bbox"][2] * annotation["bbox"][3]
    _, findings = check(write(tmp_path / "a.json", data))
    assert [f.code for f in findings] == ["SPT313"]


def test_points_in_shares_of_the_box_are_not_taken_for_shares_of_the_image(
    tmp_path: Path,
) -> None:
    data = clean()
    for annotation in data["annotations"]:
        del annotation["segmentation"]
        x, y, w, h = annotation["bbox"]
        points = annotation["keypoints"]
        for at in range(0, len(points), 3):
            if points[at + 2]:
                points[at : at + 2] = [(points[at] - x) / w, (points[at + 1] - y) / h]
    _, findings = check(write(tmp_path / "a.json", data))
    assert [f.code for f in findings] == ["SPT311"]
    assert "shares of the box" in findings[0].message


def test_one_person_in_shares(tmp_path: Path) -> None:
    data = rewritten(WRITTEN[6][0], masks=False)
    shares_of_image(data)
    data["images"], data["annotations"] = data["images"][:1], data["annotations"][:1]
    _, findings = check(write(tmp_path / "a.json", data))
    assert [f.code for f in findings] == ["SPT311"]


BEHIND_A_TABLE = (
    (0, 13, 118, 2),
    (2, 13, 96, 1),
    (4, 1, 96, 2),
    (8, 76, 293, 2),
    (10, 123, 252, 2),
    (14, 69, 302, 1),
    (15, 28, 419, 1),
    (16, 78, 439, 1),
    (17, 10, 34, 2),
    (20, 67, 400, 1),
    (21, 104, 415, 1),
    (22, 41, 407, 1),
    (23, 117, 431, 1),
    (24, 20, 446, 1),
    (25, 70, 467, 1),
)
"""Point, x, y and v of a rendered person: all that is seen lies in the box, legs far below it."""


@pytest.mark.parametrize(("as_labelled", "codes"), [(True, []), (False, ["SPT311"])])
def test_hidden_points_below_the_box_of_what_is_seen(
    tmp_path: Path, as_labelled: bool, codes: list[str]
) -> None:
    """A picture 1.5 times as large would have them in the box too: told where all were seen."""
    data = clean()
    annotation = data["annotations"][0]
    data["annotations"] = [annotation]
    for image in data["images"]:
        image |= {"width": 640, "height": 480}
    annotation["bbox"] = [0.0, 12.0, 168.0, 299.0]
    points = [[0.0, 0.0, 0] for _ in range(len(annotation["keypoints"]) // 3)]
    for number, x, y, v in BEHIND_A_TABLE:
        points[number] = [float(x), float(y), v if as_labelled else 2]
    annotation["keypoints"] = [value for point in points for value in point]
    annotation["num_keypoints"] = len(BEHIND_A_TABLE)
    faults = list(other_coordinates.check(read(write(tmp_path / "a.json", data))))
    assert ["SPT311" for _ in faults] == codes

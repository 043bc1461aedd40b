"""Sources are the people of anybody's COCO file, in SpineTrack's order, with what is labelled."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from labelled_pictures import BODY, alter, write_set

from spinetrack_synth import skeleton
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.keypoint_sets import SETS
from spinetrack_synth.training.sources import Source, SourceConfig, read_source

pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")


def people(path: Path, **options: object) -> Source:
    return read_source(SourceConfig(path, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["spinetrack", "halpe", "coco", "lsp", "mpii", "crowdpose"])
def test_points_are_taken_by_name_and_those_that_a_skeleton_lacks_are_not_labelled(
    tmp_path: Path, kind: str
) -> None:
    names = SETS[kind]
    source = people(write_set(tmp_path, [60, 80], names=names))
    assert len(source) == 2
    for name, offset in BODY.items():
        column = skeleton.INDEX[name]
        assert source.labelled[:, column].all() == (name in names)
        if name in names:
            apart = source.points[:, column] - source.points[:, skeleton.INDEX["left_wrist"]]
            expected = np.array([[60], [80]]) * (np.array(offset) - BODY["left_wrist"])
            np.testing.assert_allclose(apart, expected)
    assert source.labelled.sum() == 2 * len(set(BODY) & set(names))


def test_the_top_of_the_head_has_many_names_and_middles_of_joints_are_no_vertebrae(
    tmp_path: Path,
) -> None:
    path = write_set(tmp_path, [60], names=SETS["mpii"])
    everywhere = [5.0, 6.0, 2.0] * 16
    alter(path, annotations=lambda old: [old[0] | {"keypoints": everywhere}])
    named = {name for name, count in people(path).counts().items() if count}
    assert "head" in named
    assert not named & {"neck", "hip"}
    limbs = {f"{s}_{p}" for s in ("left", "right") for p in ("wrist", "elbow", "hip", "ankle")}
    assert limbs <= named


def test_keypoints_to_ignore_take_no_part(tmp_path: Path) -> None:
    source = people(write_set(tmp_path, [60]), ignore=("nose", "left_ankle"))
    counts = source.counts()
    assert (counts["nose"], counts["left_ankle"], counts["right_ankle"]) == (0, 0, 1)


def test_a_number_of_people_is_part_of_any_larger_number(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60] * 9, per_picture=2)
    few, more = (people(path, people=count) for count in (3, 6))
    assert len(few) == 3
    assert set(few.ids) < set(more.ids)
    assert few.ids.tolist() == people(path, people=3).ids.tolist()
    assert (np.diff(few.picture) >= 0).all()
    with pytest.raises(UserError, match="has 9 people to learn from, not 10"):
        people(path, people=10)


def test_boxes_alone_are_people_without_labels(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60, 70])
    taken = people(path, labelled=False)
    assert (len(taken), taken.labelled.any()) == (2, False)
    for key in ("keypoints", "segmentation"):
        alter(
            path,
            annotations=lambda old, key=key: [
                {k: v for k, v in a.items() if k != key} for a in old
            ],
        )
    assert people(path, labelled=False).boxes_xywh.tolist() == taken.boxes_xywh.tolist()
    with pytest.raises(UserError, match=r"nobody in it has keypoints.*labelled = false"):
        people(path)


def test_who_cannot_be_learnt_from_is_left_out_and_told(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60] * 5)
    changes = [{}, {"iscrowd": 1}, {"keypoints": [0] * 111}, {"bbox": [5, 5, 9, 9]},
               {"bbox": [900, 5, 50, 50]}]  # fmt: skip
    alter(path, annotations=lambda old: [a | change for a, change in zip(old, changes)])
    source = people(path)
    assert source.ids.tolist() == [10]
    told = " ".join(source.remarks)
    assert "1 people without a labelled keypoint" in told
    assert "2 people smaller than 24 pixels or unseen" in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"keypoints": [0] * 111}, "nobody in it has a labelled keypoint"),
        ({"bbox": [0.1, 0.1, 0.2, 0.2]}, "smaller than 24 pixels.*in pixels"),
        ({"iscrowd": 1}, "nobody in it has a labelled keypoint"),
    ],
)
def test_a_source_that_nothing_can_be_learnt_from_is_refused_in_one_line(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    path = write_set(tmp_path, [60], **change)
    with pytest.raises(UserError, match=said) as refused:
        people(path)
    assert str(path) in str(refused.value) and "\n" not in str(refused.value)


def test_a_skeleton_that_shares_no_name_is_refused(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60])
    fins = [f"fin_{number}" for number in range(37)]
    alter(path, categories=lambda old: [old[0] | {"keypoints": fins}])
    with pytest.raises(UserError, match=r"none of the keypoints \(fin_0, .*SpineTrack's 37"):
        people(path)


def test_missing_pictures_are_named_with_the_remedy(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60, 70, 80])
    for number in (1, 2):
        (tmp_path / "images" / f"{number:03d}.png").unlink()
    with pytest.raises(UserError, match=r"no picture 001.png \(1 more\) in .*images"):
        people(path)
    with pytest.raises(UserError, match="elsewhere: no such folder"):
        people(path, images=tmp_path / "elsewhere")


def test_pictures_are_found_where_coco_has_them_and_where_the_user_says(tmp_path: Path) -> None:
    path = write_set(tmp_path / "made", [60])
    coco = tmp_path / "coco"
    (coco / "annotations").mkdir(parents=True)
    labels = coco / "annotations" / "person_keypoints_val2017.json"
    labels.write_text(path.read_text())
    (tmp_path / "made" / "images").rename(coco / "val2017")
    assert people(labels).pictures == (coco / "val2017" / "000.png",)
    assert people(path, images=coco / "val2017").pictures == (coco / "val2017" / "000.png",)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weight": float("nan")}, "weight is nan"),
        ({"weight": -1.0}, "weight is -1.0, expected 0 or more"),
        ({"people": 0}, "people is 0"),
        ({"ignore": ("tail",)}, "'tail' is none of"),
    ],
)
def test_values_that_mean_nothing_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SourceConfig(Path("a.json"), **options)  # type: ignore[arg-type]


def test_a_file_that_is_no_dataset_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps([{"image_id": 1, "score": 0.5, "keypoints": []}]))
    with pytest.raises(UserError, match="these are results"):
        people(path)


def test_what_is_none_of_our_keypoints_and_what_may_be_meant_otherwise_is_told(
    tmp_path: Path,
) -> None:
    path = write_set(tmp_path, [60], names=SETS["crowdpose"])
    everywhere = [5.0, 6.0, 2.0] * 14
    alter(
        path,
        annotations=lambda old: [old[0] | {"keypoints": everywhere}],
        categories=lambda old: [old[0] | {"keypoints": [*old[0]["keypoints"][:11], "tail", *"ab"]}],
    )
    assert people(path).remarks == ("none of SpineTrack's 37, so left out: tail, a, b",)
    alter(path, categories=lambda old: [old[0] | {"keypoints": list(SETS["crowdpose"])}])
    (told,) = people(path).remarks
    assert (
        told.startswith("neck may mean another place than SpineTrack's (C7")
        and 'ignore = ["neck"]' in told
    )
    assert people(path, ignore=("neck",)).remarks == ()
    assert people(write_set(tmp_path / "ours", [60])).remarks == ()


def test_keypoints_without_names_are_taken_for_known_ones_and_told(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60], names=SETS["coco"])
    alter(path, categories=lambda old: [{"id": 1, "name": "person"}])
    (told,) = people(path).remarks
    assert "its 17 keypoints have no names: taken for COCO-17, in that order" in told
    alter(path, categories=lambda old: [{"id": 1, "name": "tiger"}])
    with pytest.raises(UserError, match=r"17 keypoints, .*order is not known; name them"):
        people(path)


def test_people_of_several_categories_are_all_learnt_from(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60, 70, 80])
    kinds = ["boxer_red", "boxer_blue", "horse"]

    def numbered(old: list[dict[str, object]]) -> list[dict[str, object]]:
        return [record | {"category_id": number} for number, record in enumerate(old)]

    def named(old: list[dict[str, object]]) -> list[dict[str, object]]:
        return [{**old[0], "id": number, "name": name} for number, name in enumerate(kinds)]

    alter(path, annotations=numbered, categories=named)
    source = people(path)
    assert len(source) == 2
    assert "1 annotations of other categories are left out" in source.remarks


def test_boxes_are_those_of_people_whatever_these_are_called(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60, 70, 80])

    def called(*names: str) -> None:
        alter(
            path, categories=lambda old: [{"id": n, "name": name} for n, name in enumerate(names)]
        )

    alter(path, annotations=lambda old: [
        {"id": n, "image_id": a["image_id"], "category_id": n % 2, "bbox": a["bbox"]}
        for n, a in enumerate(old)
    ])  # fmt: skip
    for names, count in ((("ball", "Player"), 1), (("Person", "Player"), 2)):
        called(*names)
        assert len(people(path, labelled=False)) == count
    called("ball", "human face")
    with pytest.raises(UserError, match="none of ball, human face is called person"):
        people(path, labelled=False)
    alter(path, annotations=lambda old: [a | {"category_id": 1} for a in old])
    assert len(people(path, labelled=False)) == 3


def test_names_from_windows_and_none_at_all(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60])
    alter(path, images=lambda old: [old[0] | {"file_name": "images\\000.png"}])
    assert people(path).pictures == (tmp_path / "images" / "000.png",)
    assert people(path, labelled=False).pictures == (tmp_path / "images" / "000.png",)
    alter(path, images=lambda old: [old[0] | {"file_name": "C:\\shots\\000.png"}])
    with pytest.raises(UserError, match="leads out of the folder"):
        people(path)
    alter(path, images=lambda old: [{k: v for k, v in old[0].items() if k != "file_name"}])
    with pytest.raises(UserError, match="file_name: missing"):
        people(path)


def test_places_that_are_no_pixels_are_refused_and_odd_boxes_told(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60, 70, 80, 90])

    def percent(old: list[dict[str, object]]) -> list[dict[str, object]]:
        side = np.array([2.0, 1.6, 2.0, 1.6])
        return [a | {"bbox": (np.array(a["bbox"]) / side).tolist()} for a in old]

    alter(path, annotations=percent)
    assert any("boxes seem to be written as percent" in each for each in people(path).remarks)

    def shares(old: list[dict[str, object]]) -> list[dict[str, object]]:
        size = np.tile([200.0, 160.0, 1.0], 37)
        return [a | {"keypoints": (np.array(a["keypoints"]) / size).tolist()} for a in old]

    path = write_set(tmp_path, [60, 70, 80, 90])
    alter(path, annotations=shares)
    with pytest.raises(UserError, match="keypoints are written as shares of the image"):
        people(path)


def test_a_crowd_may_be_a_text(tmp_path: Path) -> None:
    path = write_set(tmp_path, [60, 70])
    alter(path, annotations=lambda old: [a | {"iscrowd": n} for a, n in zip(old, "01")])
    assert people(path).ids.tolist() == people(path, labelled=False).ids.tolist() == [10]

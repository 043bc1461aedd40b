"""Labels and results of other people's kinds: what both sides have is judged, the rest is told."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_people import jitter, make_coco, make_labels, make_results, project_people
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from spinetrack_synth import skeleton
from spinetrack_synth.coco.keypoint_names import ORDERS
from spinetrack_synth.coco.results import read_results
from spinetrack_synth.errors import UserError
from spinetrack_synth.gap.evaluation import Evaluation, evaluate
from spinetrack_synth.gap.labels import Labels, read_labels
from spinetrack_synth.gap.predictions import predictions_of
from spinetrack_synth.gap.running import with_notes
from spinetrack_synth.gap.tables import to_json, to_text

PEOPLE = project_people(12, 5)
Json = dict[str, Any]


@pytest.fixture(scope="module")
def labels() -> Labels:
    return make_labels(PEOPLE)


def records(names: Sequence[str] = skeleton.NAMES) -> Json:
    """A file with these keypoints; ones that SpineTrack does not know lie at the nose."""
    data = json.loads(make_coco(PEOPLE).to_bytes())
    at = [skeleton.INDEX.get(name, 0) for name in names]
    data["categories"][0]["keypoints"] = list(names)
    data["categories"][0].pop("skeleton", None)
    for annotation in data["annotations"]:
        triples = np.reshape(annotation["keypoints"], (-1, 3))[at]
        annotation["keypoints"] = triples.ravel().tolist()
        annotation["num_keypoints"] = int((triples[:, 2] > 0).sum())
    return data


def results_like(data: Json, labels: Labels, count: int = 17, share: float = 0.01) -> list[Any]:
    results = make_results(labels, jitter(labels, share, 0))
    at = [skeleton.INDEX.get(name, 0) for name in ORDERS[count]]
    ids = {old["id"]: new["id"] for old, new in zip(labels.coco.images, data["images"])}
    return [
        {
            "image_id": ids[each["image_id"]],
            "category_id": 1,
            "score": each["score"],
            "keypoints": np.reshape(each["keypoints"], (-1, 3))[at].ravel().tolist(),
        }
        for each in results
    ]


def save(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data))
    return path


def judged(data: Json, results: Any, folder: Path) -> Evaluation:
    labels = read_labels(save(folder / "labels.json", data))
    return evaluate(
        labels, predictions_of(read_results(save(folder / "r.json", results)), labels, "r.json")
    )


CROWDPOSE = (
    *(f"{side}_{part}" for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
      for side in ("left", "right")),
    "top_head", "neck",
)  # fmt: skip
BODIES = {
    "one point less": skeleton.NAMES[1:17],
    "CrowdPose": CROWDPOSE,
    "Human3.6M's feet": tuple(name.replace("ankle", "foot") for name in CROWDPOSE),
    "OpenPose": ORDERS[18],
}


@pytest.mark.parametrize("kind", BODIES)
def test_what_both_sides_have_is_judged_as_pycocotools_judges_it(
    kind: str, labels: Labels, tmp_path: Path
) -> None:
    named = tuple(name.replace("foot", "ankle") for name in BODIES[kind])
    data = records(named)
    data["categories"][0]["keypoints"] = list(BODIES[kind])
    results = results_like(data, labels, share=0.03)
    found = judged(data, results, tmp_path)
    both = [k for k in range(17) if skeleton.NAMES[k] in named]
    assert list(np.flatnonzero(found.judged)[: len(both)]) == both
    places = [named.index(skeleton.NAMES[k]) for k in both]
    truth, guessed = copy.deepcopy(data), copy.deepcopy(results)
    truth["categories"][0]["keypoints"] = [skeleton.NAMES[k] for k in both]
    for each, at in ((truth["annotations"], places), (guessed, both)):
        for record in each:
            record["keypoints"] = np.reshape(record["keypoints"], (-1, 3))[at].ravel().tolist()
    judge = COCO()
    judge.dataset = truth
    judge.createIndex()
    theirs = COCOeval(judge, judge.loadRes(guessed), "keypoints")
    theirs.params.kpt_oks_sigmas = np.array([skeleton.SIGMAS[k] for k in both])
    theirs.evaluate()
    theirs.accumulate()
    theirs.summarize()
    assert 0.3 < theirs.stats[0] < 1
    assert found.precision["body"]["AP"] == pytest.approx(theirs.stats[0], abs=1e-9)
    if len(both) < 17:
        assert f"body ({len(both)} of 17)" in to_text(found, "r.json")
        assert any(f"body is judged on {len(both)} of its 17" in r for r in found.remarks)
    assert len(to_json(found, "r")["group_keypoints"]["body"]) == len(both)


@pytest.mark.parametrize("area", [0, None, -1])
def test_a_missing_area_is_told_and_stood_in_for(
    area: float | None, labels: Labels, tmp_path: Path
) -> None:
    data = records()
    for annotation in data["annotations"]:
        annotation["area"] = area
        if area is None:
            del annotation["area"], annotation["iscrowd"], annotation["num_keypoints"]
    found = judged(data, results_like(data, labels, 37, 0.0), tmp_path)
    assert found.precision["all"]["AP"] == pytest.approx(1)
    assert any("12 of 12 people have no area" in remark for remark in found.remarks)
    box = found.labels.boxes
    assert found.labels.areas == pytest.approx(0.53 * box[:, 2] * box[:, 3])


def nested(data: Json) -> None:
    for annotation in data["annotations"]:
        annotation["keypoints"] = np.reshape(annotation["keypoints"], (-1, 3)).tolist()


def pairs(data: Json) -> None:
    for annotation in data["annotations"]:
        triples = np.reshape(annotation["keypoints"], (-1, 3))
        annotation["keypoints"] = triples[:, :2].tolist()


def text_ids(data: Json) -> None:
    for image in data["images"]:
        image["id"] = f"picture {image['id']}"
    for number, annotation in enumerate(data["annotations"]):
        annotation["image_id"] = f"picture {annotation['image_id']}"
        annotation["id"] = f"person {number}"


def without_boxes(data: Json) -> None:
    for annotation in data["annotations"]:
        del annotation["bbox"]


def unnamed(data: Json) -> None:
    del data["categories"]


def beside_a_dog(data: Json) -> None:
    data["categories"].append({"id": 7, "name": "dog", "keypoints": ["tail"]})
    data["categories"].append({"id": 8, "name": "car"})
    dog = {"id": 999, "image_id": data["images"][0]["id"], "category_id": 7}
    data["annotations"].append({**dog, "keypoints": [1, 1, 2], "bbox": [0, 0, 9, 9]})
    data["annotations"].append({**dog, "id": 1000, "category_id": 8, "bbox": [0, 0, 9, 9]})


def shares(data: Json) -> None:
    for annotation in data["annotations"]:
        triples = np.reshape(annotation["keypoints"], (-1, 3))
        triples[:, 2] *= 0.4
        annotation["keypoints"] = triples.ravel().tolist()


@pytest.mark.parametrize(
    "write", [nested, pairs, text_ids, without_boxes, unnamed, beside_a_dog, shares]
)
def test_other_ways_to_write_the_same_labels(
    write: Callable[[Json], None], labels: Labels, tmp_path: Path
) -> None:
    data = records()
    write(data)
    found = judged(data, results_like(data, labels, 37, 0.0), tmp_path)
    assert found.precision["all"]["AP"] == pytest.approx(1)
    assert int(found.labels.people.sum()) == 12
    assert found.labels.points == pytest.approx(labels.points)


def test_points_that_are_no_numbers_are_not_labelled(labels: Labels, tmp_path: Path) -> None:
    data = records()
    for annotation in data["annotations"]:
        annotation["keypoints"][3:6] = [None, None, 2]
    found = read_labels(save(tmp_path / "labels.json", data))
    assert not found.v[:, 1].any() and (found.v[:, 2] > 0).any()
    assert any("no numbers" in remark for remark in found.remarks)


def test_results_of_other_kinds(labels: Labels, tmp_path: Path) -> None:
    data = records()
    plain = results_like(data, labels, 37)
    expected = judged(data, plain, tmp_path).precision["all"]["AR"]
    names = {image["id"]: image["file_name"] for image in data["images"]}

    def alike(results: Any) -> None:
        assert judged(data, results, tmp_path).precision["all"]["AR"] == pytest.approx(expected)

    alike([{**r, "keypoints": np.reshape(r["keypoints"], (-1, 3)).tolist()} for r in plain])
    alike([{k: v for k, v in r.items() if k != "score"} for r in plain])
    alike([{**r, "image_id": str(r["image_id"])} for r in plain])
    alike({"results": plain})
    alike({**data, "annotations": plain})
    other = {**data, "images": [{**i, "id": i["id"] + 5000} for i in data["images"]]}
    other["annotations"] = [{**r, "image_id": r["image_id"] + 5000} for r in plain]
    alike(other)
    for kind in ("openpose", "mmpose"):
        folder = tmp_path / kind
        folder.mkdir()
        for number, name in names.items():
            people = [np.reshape(r["keypoints"], (-1, 3)) for r in plain if r["image_id"] == number]
            stem = Path(name).stem
            if kind == "openpose":
                each: Any = {"people": [{"pose_keypoints_2d": p.ravel().tolist()} for p in people]}
                save(folder / f"{stem}_keypoints.json", each)
            else:
                each = [
                    {"keypoints": p[:, :2].tolist(), "keypoint_scores": p[:, 2].tolist()}
                    for p in people
                ]
                save(folder / f"{stem}.json", each)
        read = predictions_of(read_results(folder), labels, kind)
        assert evaluate(labels, read).precision["all"]["AR"] == pytest.approx(expected)


def test_results_of_pictures_beyond_the_labels_are_counted(labels: Labels, tmp_path: Path) -> None:
    data = records()
    results = results_like(data, labels, 37)
    more = [*results, {**results[0], "image_id": 123456}]
    found = judged(data, more, tmp_path)
    assert any("1 of 13 results are of pictures that the labels do not" in r for r in found.remarks)
    with pytest.raises(UserError, match=r"\[0\].image_id: 123456 is no image"):
        judged(data, more[-1:], tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: [{"joints": [[1, 2]], "joints_vis": [1]}], "MPII's own kind"),
        (lambda d: results_of(d), "these are results"),
        (lambda d: {**d, "images": None}, "images: missing, expected a list"),
        (lambda d: {**d, "annotations": [{"id": 1}]}, "no annotation in it has keypoints"),
        (lambda d: {**d, "images": [*d["images"], d["images"][0]]}, "is used twice"),
        (lambda d: {**d, "images": d["images"][1:]}, "is no image of this file"),
        (lambda d: with_names(d, ["1", "2"]), "their order is not known"),
    ],
)
def test_what_cannot_be_judged_is_one_line(
    change: Callable[[Json], Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=told) as raised:
        read_labels(save(tmp_path / "labels.json", change(records())))
    assert "\n" not in str(raised.value)


def results_of(data: Json) -> list[Any]:
    return [{**annotation, "score": 1.0} for annotation in data["annotations"]]


def with_names(data: Json, names: list[str]) -> Json:
    for annotation in data["annotations"]:
        annotation["keypoints"] = annotation["keypoints"][:42]
    return {**data, "categories": [{"id": 1, "name": "person", "keypoints": names}]}


def test_a_remark_says_how_pictures_were_looked_at(labels: Labels) -> None:
    assert with_notes(labels, []) is labels
    one = with_notes(labels, ["a.jpg: looked at unturned"] * 2)  # by two models
    assert one.remarks[-1] == "a.jpg: looked at unturned"
    three = with_notes(labels, ["a.jpg: looked at unturned", "b.jpg: so too", "c.jpg: so too"])
    assert three.remarks[-1] == "a.jpg: looked at unturned; 2 more such pictures"

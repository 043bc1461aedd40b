"""The benchmark of real photos, on made ones: who is judged, and that its measures measure."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("onnx", reason="pip install onnx")

import json

import cv2
from pose_networks import blank, dot_network, draw_dots, scatter
from scipy.io import savemat

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import photos
import real_photos

from spinetrack_synth.coco import PERSON
from spinetrack_synth.gap.labels import read_labels
from spinetrack_synth.gap.oks import keypoint_similarity
from spinetrack_synth.lengths import SPINE_GAPS_M
from spinetrack_synth.skeleton import INDEX, NAMES, SIGMAS

RNG = np.random.default_rng(3)
ALONG = np.r_[0, np.cumsum(SPINE_GAPS_M)] / SPINE_GAPS_M.sum()


def bent(turn: float, curve: float, scale: float = 200.0) -> np.ndarray:
    """The model's spine as an arc of that many radians, turned."""
    angle = turn + curve * (ALONG - 0.5)
    steps = np.diff(ALONG)[:, None] * np.c_[np.cos(angle), np.sin(angle)][:-1]
    return scale * np.vstack([[0, 0], np.cumsum(steps, axis=0)]) + 300


def person(**known: object) -> photos.Person:
    given = {
        "picture": np.zeros((200, 300, 3), np.uint8), "labels": np.zeros((37, 3)),
        "box": np.array([50.0, 20, 100, 160]), "area": 9000.0, "throat": None,
        "segmentation": None,
    }  # fmt: skip
    return photos.Person(**{**given, **known})


def test_spines_of_any_turn_and_bend_are_in_order_and_disordered_ones_are_not() -> None:
    for turn in np.linspace(0, 6, 7):
        for curve in (-2.5, -1.0, 0.0, 1.5, 3.0):
            spine = bent(turn, curve)
            assert photos.in_order(spine)
            assert photos.spacing(spine) < 0.01
            assert photos.in_order(spine + RNG.normal(0, 0.8, (9, 2)))
            place = RNG.integers(0, 8)
            spine[[place, place + 1]] = spine[[place + 1, place]]
            assert not photos.in_order(spine)
    even = np.c_[np.arange(9.0), np.zeros(9)]
    expected = np.abs((1 / 8) / np.diff(ALONG) - 1).mean()
    assert photos.spacing(even) == pytest.approx(expected)
    assert not photos.in_order(np.zeros((9, 2)))


def test_points_lie_along_the_labelled_trunk_or_not() -> None:
    labels = np.zeros((37, 3))
    labels[[INDEX["left_hip"], INDEX["right_hip"]]] = [[90, 150, 2], [110, 150, 2]]
    spine = np.c_[np.full(9, 100.0), 150 - 100 * ALONG]
    assert np.isnan(photos.along_trunk(person(labels=labels), spine))
    known = person(labels=labels, throat=np.array([100.0, 50]))
    assert photos.along_trunk(known, spine) == 1
    assert photos.along_trunk(known, spine + np.array([30, 0])) == 0
    assert photos.along_trunk(known, spine[::-1]) == 0
    labels[[INDEX["left_shoulder"], INDEX["right_shoulder"]]] = [[80, 50, 1], [120, 50, 2]]
    assert photos.along_trunk(person(labels=labels), spine) == 1


def test_points_inside_masks_are_counted() -> None:
    spine = np.c_[np.full(9, 100.0), np.linspace(150, 70, 9)]
    square = [[60, 95, 140, 95, 140, 199, 60, 199]]
    inside = (spine[:7, 1] >= 95).mean()
    assert 0 < inside < 1
    assert photos.inside_mask(person(segmentation=square), spine) == pytest.approx(inside)
    counts = {"size": [200, 300], "counts": [200 * 60, 200 * 80, 200 * 160]}
    assert photos.inside_mask(person(segmentation=counts), spine) == 1
    assert np.isnan(photos.inside_mask(person(), spine))


def test_body_similarity_is_that_of_evaluate() -> None:
    labels = np.c_[RNG.uniform(50, 150, (37, 2)), np.full(37, 2)]
    labels[[0, 7], 2] = 0
    points = labels[:, :2] + RNG.normal(0, 6, (37, 2))
    theirs = keypoint_similarity(points[None], labels[None, :, :2], np.array([9000.0]))[0]
    body = np.setdiff1d(np.arange(17), [0, 7])
    expected = theirs[body].mean()
    assert photos.body_oks(person(labels=labels), points) == pytest.approx(expected)
    assert 0.1 < expected < 0.95
    assert np.isnan(photos.body_oks(person(), points))
    assert SIGMAS[16] == 0.089


def lsp_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Forty small photos; the joints (14, 3, 40)."""
    for name, number in {"RESERVED": 20, "CANDIDATES": 15, "JUDGED": 6}.items():
        monkeypatch.setattr(real_photos, name, number)
    (folder / "images").mkdir(parents=True)
    joints = np.concatenate(
        [RNG.uniform(10, 90, (14, 2, 40)), (RNG.random((14, 1, 40)) < 0.8)], axis=1
    )
    order = np.random.default_rng(0).permutation(40)
    for row in range(40):
        photo = RNG.integers(0, 255, (8, 8, 3), np.uint8)
        photo = cv2.resize(photo, (100, 120), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"images/im{row + 1:05d}.jpg"), photo)
    joints[:, 2, order[20]] = 1
    copied = cv2.imread(str(folder / f"images/im{order[0] + 1:05d}.jpg"))
    cv2.imwrite(str(folder / f"images/im{order[20] + 1:05d}.jpg"), copied[1:, 1:])
    savemat(folder / "joints.mat", {"joints": joints})
    return joints


def test_people_of_lsp_become_a_file_that_everybody_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joints = lsp_folder(tmp_path / "lsp", monkeypatch)
    files = real_photos.lspe(tmp_path / "lsp", for_training=True)
    order = np.random.default_rng(0).permutation(40)
    enough = np.flatnonzero(joints[:12, 2].sum(axis=0) >= 8)
    judged, free = ([p["id"] - 1 for p in files[name]["annotations"]] for name in files)
    assert len(judged) == 6
    assert set(judged) <= set(order[:15]) & set(enough)
    assert order[20] in enough
    assert set(free) == (set(order[20:]) & set(enough)) - {order[20]}, "a near copy is left out"
    path = tmp_path / "judge.json"
    path.write_text(json.dumps(files["judge"]))
    labels = read_labels(path)
    assert labels.people.all()
    assert [NAMES[k] for k in np.flatnonzero(labels.defined)] == [*NAMES[5:17], "head"]
    row = judged[0]
    seen = joints[:, 2, row] > 0
    extent = np.ptp(joints[seen, :2, row], axis=0)
    np.testing.assert_allclose(labels.boxes[0, 2:], 1.15 * extent, atol=0.02)
    middle = labels.boxes[0, :2] + labels.boxes[0, 2:] / 2
    ends = [edge(joints[seen, :2, row], axis=0) for edge in (np.min, np.max)]
    np.testing.assert_allclose(middle, np.mean(ends, axis=0), atol=0.02)
    assert labels.v[0, INDEX["right_ankle"]] == 2 * joints[0, 2, row]
    with pytest.raises(SystemExit, match=r"joints\.mat: no such file"):
        real_photos.lspe(tmp_path)


def test_a_network_with_known_answers_gets_the_table_it_deserves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    points = scatter(np.random.default_rng(5), 37, (150, 110)) + np.array([100.0, 60])
    picture = draw_dots(blank((288, 384)), points, radius=1)
    assert cv2.imwrite(str(tmp_path / "a.png"), picture[..., ::-1])
    image = {"id": 1, "file_name": "a.png", "width": 384, "height": 288}
    triples = np.c_[points, np.full(37, 2)].ravel().tolist()
    people = [{
        "id": 1, "image_id": 1, "category_id": 1, "keypoints": triples,
        "segmentation": [[100, 60, 250, 60, 250, 170, 100, 170]],
    }]  # fmt: skip
    labels = {"images": [image], "annotations": people, "categories": [PERSON]}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    model = dot_network(tmp_path / "M.onnx")
    monkeypatch.setattr(
        sys, "argv", ["photos.py", "--labels", str(tmp_path / "labels.json"), "--model", str(model),
                      "--sheet", str(tmp_path / "s.png"), "--bare-sheet", str(tmp_path / "b.png")],
    )  # fmt: skip
    photos.main()
    header, _, only = (line.split(" | ") for line in capsys.readouterr().out.splitlines())
    told = dict(zip((name.strip("| ") for name in header), (text.strip("| ") for text in only)))
    assert float(told["body"].split()[0]) > 0.95
    assert (told["order"], told["people"]) == ("0.0 % of 1", "1"), "dots are scattered"
    assert float(told["flip"].split()[0]) < 1.5
    assert (tmp_path / "s-M-labels.png").is_file()
    bare = cv2.imread(str(tmp_path / "b-M-labels.png"))
    tile = bare[: photos.TILE_PX, : photos.TILE_PX]
    assert (tile[:3] == 255).all(), "white, where the photo is not shown"
    assert ((tile == photos.MASK_GREY).all(axis=-1)).mean() > 0.2, "the mask"

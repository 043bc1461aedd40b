"""Networks of every kind that is known, made so that their answers are known too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("onnx", reason="pip install onnx")

from pose_networks import blank, constant_network, dot_network, draw_dots, scatter

from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.errors import UserError
from spinetrack_synth.skeleton import INDEX, NAMES
from spinetrack_synth.spinepose import estimate, open_pose_model, predict_dataset
from spinetrack_synth.spinepose.crops import RAW, UNIT
from spinetrack_synth.spinepose.keypoint_sets import BY_COUNT, SETS
from spinetrack_synth.spinepose.model import PoseModel

SIZE_HW = (256, 192)
HEIGHT, WIDTH = SIZE_HW
WHOLE = [0.1 * WIDTH, 0.1 * HEIGHT, WIDTH / 1.25, HEIGHT / 1.25]
"""The box whose crop is the picture."""

POINTS = np.random.default_rng(1).uniform(20, 170, (17, 2))
RNG = np.random.default_rng(2)


def answer(model: PoseModel, **wishes: bool) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints and scores of an empty picture that is the crop."""
    box = WHOLE if model.decoder.padding > 1 else [0, 0, model.input_size_hw[1], HEIGHT]
    picture = np.zeros((*model.input_size_hw, 3), np.uint8)
    found = estimate(model, picture, [box], **wishes)
    return found.keypoints_px[0], found.scores[0]


def dots(keypoints: int = 17) -> tuple[np.ndarray, np.ndarray]:
    points = scatter(np.random.default_rng(4), keypoints, SIZE_HW)
    return draw_dots(blank(SIZE_HW), points), points


@pytest.mark.parametrize("flip_test", [False, True])
@pytest.mark.parametrize("keypoints", [17, 37])
def test_heatmaps_find_dots_that_are_one_pixel(
    tmp_path: Path, keypoints: int, flip_test: bool
) -> None:
    """Every fourth pixel is seen alone, so mirror images have to meet the cells exactly."""
    image, points = dots(keypoints)
    model = open_pose_model(
        dot_network(tmp_path / "M.onnx", keypoints=keypoints, answers="heatmaps")
    )
    assert (model.kind, model.keypoints, model.input_size_hw) == ("heatmaps", keypoints, SIZE_HW)
    for sub_bin in (False, True):
        found = estimate(model, image, [WHOLE], flip_test=flip_test, sub_bin=sub_bin)
        assert np.abs(found.keypoints_px[0] - points).max() <= 1 + 1e-4
        assert (found.scores > 0.98).all()


@pytest.mark.parametrize("udp", [False, True])
@pytest.mark.parametrize("channels_last", [False, True])
def test_heatmaps_are_read_between_their_cells(
    tmp_path: Path, udp: bool, channels_last: bool
) -> None:
    y, x = np.mgrid[:64, :48]
    step = np.array([191 / 47, 255 / 63]) if udp else 4.0
    cells = (POINTS / step)[:, :, None, None]
    maps = np.exp(-((x - cells[:, 0]) ** 2 + (y - cells[:, 1]) ** 2) / 8)[None].astype(np.float32)
    if channels_last:
        maps = maps.transpose(0, 2, 3, 1)
    path = constant_network(tmp_path / "M.onnx", {"output": maps})
    model = open_pose_model(path, udp=udp)
    coarse, scores = answer(model)
    fine, _ = answer(model, sub_bin=True)
    np.testing.assert_allclose(fine, POINTS, atol=0.01)
    assert 0.2 < np.abs(coarse - POINTS).mean() < 0.8, "a quarter of a cell is a pixel"
    assert (scores > 0.9).all()


def test_of_several_stages_the_last_counts(tmp_path: Path) -> None:
    early, late = np.zeros((2, 1, 17, 64, 48), np.float32)
    early[..., 5, 5], late[..., 30, 20] = 1, 1
    path = constant_network(tmp_path / "M.onnx", {"a": early, "b": late})
    points, _ = answer(open_pose_model(path))
    np.testing.assert_array_equal(points, [[80, 120]] * 17)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("takes", ["bytes", "whole", "unit", "colours"])
def test_inputs_of_other_types_and_layouts(tmp_path: Path, takes: str, channels_last: bool) -> None:
    """A normalisation that the graph begins with is seen, and whole numbers are colours."""
    image, points = dots()
    model = open_pose_model(
        dot_network(tmp_path / "M.onnx", keypoints=17, takes=takes, channels_last=channels_last)
    )
    assert model.normalisation == (UNIT if takes == "unit" else RAW)
    np.testing.assert_array_equal(estimate(model, image, [WHOLE]).keypoints_px[0], points)


def test_a_normalisation_that_is_given_counts(tmp_path: Path) -> None:
    image, points = dots()
    notes = {"mean": "[0, 0, 0]", "std": "255, 255, 255", "color_order": "bgr"}
    path = dot_network(tmp_path / "M.onnx", keypoints=17, color_order="bgr", notes=notes)
    told = open_pose_model(path)
    assert (told.normalisation, told.color_order) == (UNIT, "bgr")
    given = open_pose_model(path, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    np.testing.assert_allclose(given.normalisation.mean_rgb, [123.675, 116.28, 103.53])
    np.testing.assert_array_equal(estimate(given, image, [WHOLE]).keypoints_px[0], points)
    with pytest.raises(ValueError, match="mean and std go together"):
        open_pose_model(path, mean=[0, 0, 0])
    for wrong in ({"mean": "1, 2", "std": "[1, 1, 1]"}, {"color_order": "grey"}):
        path = dot_network(tmp_path / "W.onnx", keypoints=17, notes=wrong)
        with pytest.raises(UserError, match=r"W\.onnx: its metadata says"):
            open_pose_model(path)


def test_free_sides_and_false_promises(tmp_path: Path) -> None:
    maps = np.zeros((1, 17, 96, 72), np.float32)
    shape = ("N", 3, "H", "W")
    path = constant_network(tmp_path / "M.onnx", {"maps": maps}, input_shape=shape)
    model = open_pose_model(path)  # 384 x 288 is the usual size that the answer fits
    assert (model.input_size_hw, model.batch) == ((384, 288), 1), "it answers once however many"
    with pytest.raises(UserError, match="no pose network of a kind that is known"):
        open_pose_model(path, input_size_hw=(256, 256))
    fixed = constant_network(tmp_path / "F.onnx", {"maps": maps}, input_shape=(1, 3, 384, 288))
    with pytest.raises(UserError, match=r"takes pictures of \(384, 288\), not of \(256, 192\)"):
        open_pose_model(fixed, input_size_hw=(256, 192))


def grids(points: np.ndarray, channels_last: bool) -> list[np.ndarray]:
    """MoveNet's heads for one person (K, 2) px in 192 x 192, and louder keypoints elsewhere."""
    cells = np.floor(points / 4).astype(int)
    centre, heights = np.full((1, 1, 48, 48), -9.0), np.full((1, 17, 48, 48), -9.0)
    ways, offsets = np.full((1, 17, 2, 48, 48), 7.0), np.zeros((1, 17, 2, 48, 48))
    centre[0, 0, 30, 20], centre[0, 0, 0, 0] = 2.0, 2.5  # one in the corner is somebody else's
    for k, (column, row) in enumerate(cells):
        heights[0, k, row, column], heights[0, k, 47 - row, 47 - column] = 1.0, 3.0
        ways[0, k, :, 30, 20] = column - 20, row - 30
        offsets[0, k, :, row, column] = (points[k] + 0.5) / 4 - cells[k]
    if channels_last:
        ways, offsets = ways[:, :, ::-1], offsets[:, :, ::-1]
    planes = [centre, heights, ways.reshape(1, 34, 48, 48), offsets.reshape(1, 34, 48, 48)]
    if channels_last:
        planes = [plane.transpose(0, 2, 3, 1) for plane in planes]
    return [np.ascontiguousarray(plane, np.float32) for plane in planes]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 2, 0), (1, 0, 3, 2)])
@pytest.mark.parametrize("channels_last", [False, True])
def test_the_grids_of_movenet(tmp_path: Path, channels_last: bool, order: tuple[int, ...]) -> None:
    points = RNG.uniform(70, 90, (17, 2)) + np.arange(17)[:, None]
    made = grids(points, channels_last)
    outputs = {f"output{i}": made[i] for i in order}
    shape = (1, 192, 192, 3) if channels_last else (1, 3, 192, 192)
    model = open_pose_model(constant_network(tmp_path / "M.onnx", outputs, input_shape=shape))
    assert (model.kind, model.normalisation, model.decoder.padding) == ("MoveNet's grids", RAW, 1)
    box = [[0, 0, 192, 192]]
    found = estimate(model, np.zeros((192, 192, 3), np.uint8), box)
    np.testing.assert_allclose(found.keypoints_px[0], points, atol=1e-4)
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp(-1.0)), rtol=1e-6)


def parts(points: np.ndarray) -> np.ndarray:
    """Pixels as parts of the crop, whose pixels have their middles at .5."""
    return (points + 0.5) / [WIDTH, HEIGHT]


def yolo_row(points: np.ndarray, score: float, box: list[float]) -> np.ndarray:
    triples = np.column_stack([points, np.full(17, 0.9)]).ravel()
    return np.concatenate([box, [score], triples])


def places() -> dict[str, tuple[dict[str, np.ndarray], float]]:
    """Answers of several kinds that mean POINTS, and the score they give."""
    other = POINTS[::-1] * 0.2
    ends = np.concatenate([POINTS.min(axis=0), POINTS.max(axis=0)])
    middle = [*((ends[:2] + ends[2:]) / 2), *(ends[2:] - ends[:2])]
    single = np.concatenate([parts(POINTS)[:, ::-1], np.full((17, 1), 0.7)], axis=1)
    stranger = np.concatenate([parts(other)[:, ::-1], np.full((17, 1), 0.9)], axis=1)
    both = np.zeros((1, 6, 56))
    top = parts(ends.reshape(2, 2))[:, ::-1].ravel()
    both[0, 0] = [*stranger.ravel(), 0.0, 0.0, 0.1, 0.1, 0.99]
    both[0, 1] = [*single.ravel(), *top, 0.6]
    raw = np.zeros((1, 56, 32 * 24 + 16 * 12 + 8 * 6))
    raw[0, :, 3] = yolo_row(other, 0.99, [10, 10, 15, 15])
    raw[0, :, 7] = yolo_row(POINTS, 0.8, middle)
    kept = np.zeros((1, 300, 57))
    kept[0, 0] = np.insert(yolo_row(other, 0.99, [0, 0, 20, 20]), 5, 0)
    kept[0, 1] = np.insert(yolo_row(POINTS, 0.8, ends.tolist()), 5, 0)
    dets = np.zeros((1, 2, 5))
    dets[0] = [[0, 0, 20, 20, 0.99], [*ends, 0.8]]
    triples = np.concatenate([np.stack([other, POINTS]), np.full((2, 17, 1), 0.4)], axis=2)
    rle = np.concatenate([parts(POINTS), np.full((17, 2), -np.log(3.0))], axis=1)
    return {
        "MoveNet": ({"a": single[None, None]}, 0.7),
        "MoveNet multipose": ({"a": both}, 0.7),
        "YOLO pose": ({"a": raw}, 0.9),
        "YOLO pose, suppressed": ({"a": kept}, 0.9),
        "RTMO": ({"a": triples[None], "b": dets}, 0.4),
        "coordinates": ({"a": parts(POINTS)[None]}, 1.0),
        "coordinates in pixels": ({"a": POINTS[None]}, 1.0),
        "coordinates with deviations": ({"a": rle[None]}, 0.75),
    }


@pytest.mark.parametrize("name", list(places()))
def test_answers_that_are_places(tmp_path: Path, name: str) -> None:
    outputs, score = places()[name]
    path = constant_network(
        tmp_path / "M.onnx", {k: v.astype(np.float32) for k, v in outputs.items()}
    )
    model = open_pose_model(path)
    assert name.startswith(model.kind)
    points, scores = answer(model)
    np.testing.assert_allclose(points, POINTS, atol=1e-3)
    np.testing.assert_allclose(scores, score, rtol=1e-5)
    if name in ("MoveNet", "coordinates"):
        both, _ = answer(model, flip_test=True)  # the mirror image gets the same answer
        twins = POINTS[model.keypoint_map.twins]
        np.testing.assert_allclose(both[:, 0], (POINTS[:, 0] + 191 - twins[:, 0]) / 2, atol=1e-3)
        np.testing.assert_allclose(both[:, 1], (POINTS + twins)[:, 1] / 2, atol=1e-3)


@pytest.mark.parametrize(("count", "kept"), [(133, 17), (136, 26), (23, 17), (16, 26)])
def test_bodies_within_larger_and_other_sets(tmp_path: Path, count: int, kept: int) -> None:
    maps = np.zeros((1, count, 64, 48), np.float32)
    for keypoint in range(count):
        maps[0, keypoint, keypoint % 60, 10] = 1
    model = open_pose_model(constant_network(tmp_path / "M.onnx", {"maps": maps}))
    assert model.names == NAMES[:kept]
    points, scores = answer(model)
    names = BY_COUNT[count]
    same = {"head": "head_top", "neck": "thorax", "hip": "pelvis"} if count == 16 else {}
    for place, name in enumerate(model.names):
        name = same.get(name, name)
        expected = [40, 4 * (names.index(name) % 60)] if name in names else [0, 0]
        assert np.abs(points[place] - expected).max() <= 1, name
        assert scores[place] == (name in names)


def test_names_come_from_the_file_or_the_caller(tmp_path: Path) -> None:
    maps = np.zeros((1, 14, 64, 48), np.float32)
    maps[0, np.arange(14), np.arange(14) * 4, 7] = 1
    path = constant_network(tmp_path / "M.onnx", {"maps": maps})
    for given, ankle in (("lsp", 0), ("crowdpose", 11), ("aic", 8)):
        points, _ = answer(open_pose_model(path, names=given))
        assert points[INDEX["right_ankle"], 1] == 16 * ankle
        assert sorted(SETS[given].index(name) for name in ("left_hip", "right_hip"))
    for notes in (
        {"names": json.dumps(SETS["lsp"])},
        {"keypoint_names": ",".join(SETS["lsp"])},
        {"metainfo": str({"keypoint_info": {i: {"name": n} for i, n in enumerate(SETS["lsp"])}})},
    ):
        told = constant_network(tmp_path / "N.onnx", {"maps": maps}, notes=notes)
        assert answer(open_pose_model(told))[0][INDEX["right_ankle"], 1] == 0
    coco = constant_network(
        tmp_path / "C.onnx",
        {"maps": np.zeros((1, 17, 64, 48), np.float32)},
        notes={"names": "{0: 'person'}"},
    )
    assert open_pose_model(coco).names == NAMES[:17], "names of classes are none of keypoints"
    with pytest.raises(UserError, match=r"names 'halpe' for 14 keypoints, expected 14 names or"):
        open_pose_model(path, names="halpe")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_answers_without_any_number_are_told_with_their_picture(
    tmp_path: Path, run: Callable, value: float
) -> None:
    import cv2

    outputs = {"maps": np.full((1, 17, 64, 48), value, np.float32)}
    path = constant_network(tmp_path / "M.onnx", outputs)
    picture = tmp_path / "a.png"
    cv2.imwrite(str(picture), blank(SIZE_HW))
    got = run("predict", picture, "--model", path, "-o", tmp_path / "out")
    told = got.err.splitlines()[-1]
    assert got.code == 2
    assert told.startswith(f"Error: {picture}: {path} answers no numbers (NaN or infinity)")
    assert not (tmp_path / "out" / "predictions.json").exists()
    person = {
        "id": 1, "image_id": 3, "category_id": 1, "bbox": WHOLE, "area": 1.0,
        "keypoints": [5.0, 5.0, 2.0] * 17,
    }  # fmt: skip
    coco = CocoDataset([{"id": 3, "file_name": "a.png", "width": 9, "height": 9}], [person])
    with pytest.raises(UserError, match=r"^a\.png: .* answers no numbers"):
        predict_dataset(open_pose_model(path), coco, tmp_path)

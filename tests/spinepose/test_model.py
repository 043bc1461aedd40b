"""Networks that answer known positions are decoded exactly; what is no pose network says so."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("onnx", reason="pip install onnx")

from pose_networks import blank, constant_network, dot_network, draw_dots, scatter

from spinetrack_synth.coco import CocoDataset
from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose import estimate, open_pose_model, predict_dataset
from spinetrack_synth.spinepose.model import PoseModel

SMALL, LARGE = (256, 192), (384, 288)


def exact_box(corner_xy: tuple[int, int], size_hw: tuple[int, int]) -> list[float]:
    """The box whose crop shows the picture pixel by pixel from that corner on."""
    height, width = size_hw
    x, y = corner_xy
    return [x + width * 0.1, y + height * 0.1, width / 1.25, height / 1.25]


def crowd(
    keypoints: int, size_hw: tuple[int, int], people: int = 3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture (RGB) of people side by side, their boxes and their keypoints."""
    rng = np.random.default_rng(people)
    height, width = size_hw
    image = blank((height + 20, width * people))
    boxes, points = [], []
    for place in range(people):
        corner = np.array([place * width, 7 + place])
        person = scatter(rng, keypoints, size_hw) + corner
        draw_dots(image, person)
        points.append(person)
        boxes.append(exact_box(tuple(corner), size_hw))
    return image, np.array(boxes), np.array(points)


@pytest.mark.parametrize("flip_test", [False, True])
@pytest.mark.parametrize("size_hw", [SMALL, LARGE])
@pytest.mark.parametrize("keypoints", [17, 26, 37])
def test_known_positions_are_decoded_exactly(
    tmp_path: Path, keypoints: int, size_hw: tuple[int, int], flip_test: bool
) -> None:
    path = dot_network(tmp_path / "dots.onnx", keypoints=keypoints, size_hw=size_hw)
    model = open_pose_model(path, provider="cpu", threads=1)
    assert (model.keypoints, model.input_size_hw, model.batch) == (keypoints, size_hw, None)
    image, boxes, points = crowd(keypoints, size_hw)
    answer = estimate(model, image, boxes, flip_test=flip_test, batch=2)
    np.testing.assert_array_equal(answer.keypoints_px, points)
    assert (answer.scores > 0.99).all()


@pytest.mark.parametrize(("batch", "half"), [(1, False), (4, False), ("N", True), (2, True)])
def test_fixed_batches_and_half_floats(tmp_path: Path, batch: int | str, half: bool) -> None:
    model = open_pose_model(dot_network(tmp_path / "dots.onnx", batch=batch, half=half))
    assert (model.batch, model.half) == (None if batch == "N" else batch, half)
    image, boxes, points = crowd(37, SMALL)
    answer = estimate(model, image, boxes, flip_test=True)
    np.testing.assert_array_equal(answer.keypoints_px, points)


def test_eight_bit_weights(tmp_path: Path) -> None:
    quantization = pytest.importorskip("onnxruntime.quantization")
    path = dot_network(tmp_path / "dots.onnx", batch=1)
    image, boxes, points = crowd(37, SMALL)
    rows = [np.zeros((1, 3, *SMALL), np.float32)]
    rows += [np.full((1, 3, *SMALL), value, np.float32) for value in (-2.2, 2.7)]

    class Rows(quantization.CalibrationDataReader):
        def get_next(self) -> dict[str, np.ndarray] | None:
            return {"input": rows.pop()} if rows else None

    small = tmp_path / "int8.onnx"
    quantization.quantize_static(
        str(path), str(small), Rows(), op_types_to_quantize=["Conv"], per_channel=True
    )
    answer = estimate(open_pose_model(small), image, boxes)
    np.testing.assert_array_equal(answer.keypoints_px, points)


@pytest.mark.parametrize("scale", [2, 3])
def test_large_boxes_come_back_to_the_picture(tmp_path: Path, scale: int) -> None:
    model = open_pose_model(dot_network(tmp_path / "dots.onnx"))
    corner = np.array([31, 17])
    points = corner + scale * scatter(np.random.default_rng(3), 37, SMALL)
    image = draw_dots(blank((800, 700)), points)
    size = np.array([192, 256]) * scale
    box = [*(corner + 0.1 * size), *(size / 1.25)]
    np.testing.assert_array_equal(estimate(model, image, [box]).keypoints_px[0], points)


def test_the_longer_side_decides_and_beyond_the_picture_is_black(tmp_path: Path) -> None:
    model = open_pose_model(dot_network(tmp_path / "dots.onnx"))
    points = scatter(np.random.default_rng(0), 37, SMALL)
    image = draw_dots(blank(SMALL), points)
    whole = exact_box((0, 0), SMALL)
    narrow = [whole[0] + 40, whole[1], whole[2] - 80, whole[3]]
    for box in (whole, narrow):
        np.testing.assert_array_equal(estimate(model, image, [box]).keypoints_px[0], points)
    shifted = [whole[0] - 500, *whole[1:]]
    assert estimate(model, image, [shifted]).scores.max() < 0.9


def test_colors_reach_the_network_in_its_order(tmp_path: Path) -> None:
    image, boxes, points = crowd(37, SMALL, people=1)
    for order in ("rgb", "bgr"):
        path = dot_network(tmp_path / f"{order}.onnx", color_order=order)
        right = open_pose_model(path, color_order=order)
        wrong = open_pose_model(path, color_order="bgr" if order == "rgb" else "rgb")
        answers = [
            estimate(right, image, boxes),
            estimate(right, np.ascontiguousarray(image[..., ::-1]), boxes, image_order="bgr"),
        ]
        for answer in answers:
            np.testing.assert_array_equal(answer.keypoints_px, points)
        assert (estimate(wrong, image, boxes).keypoints_px != points).any()


def test_scores_are_the_smaller_or_the_mean_of_the_two_maxima(tmp_path: Path) -> None:
    x, y = np.zeros((1, 37, 384), np.float32), np.zeros((1, 37, 512), np.float32)
    x[0, :, 100], y[0, :, 33] = 0.8, 0.4
    path = constant_network(tmp_path / "M.onnx", {"simcc_x": x, "simcc_y": y})
    image = np.zeros((*SMALL, 3), np.uint8)
    for score, expected in (("min", 0.4), ("mean", 0.6)):
        model = open_pose_model(path, score=score)
        answer = estimate(model, image, [exact_box((0, 0), SMALL)])
        np.testing.assert_allclose(answer.scores, expected, rtol=1e-6)
        np.testing.assert_array_equal(answer.keypoints_px[0, 0], [50.0, 16.5])


def test_sub_bin_finds_the_top_between_bins(tmp_path: Path) -> None:
    bins = np.arange(512)
    true = np.array([7.5, 100.3, 250.0, 401.7])
    heights = -((bins - np.resize(true, 37)[:, None]) ** 2) / 50
    outputs = {"simcc_x": heights[None, :, :384], "simcc_y": heights[None]}
    path = constant_network(
        tmp_path / "M.onnx", {k: v.astype(np.float32) for k, v in outputs.items()}
    )
    model = open_pose_model(path)
    image, box = np.zeros((*SMALL, 3), np.uint8), [exact_box((0, 0), SMALL)]
    coarse = estimate(model, image, box).keypoints_px[0, :4, 1]
    fine = estimate(model, image, box, sub_bin=True).keypoints_px[0, :4, 1]
    np.testing.assert_allclose(fine, true / 2, atol=1e-3)
    assert np.abs(coarse - true / 2).max() > 0.1


def test_outputs_in_another_order_and_with_other_names(tmp_path: Path) -> None:
    image, boxes, points = crowd(37, SMALL)
    path = dot_network(tmp_path / "other.onnx", names=("a", "b"))
    answer = estimate(open_pose_model(path), image, boxes)
    np.testing.assert_array_equal(answer.keypoints_px, points)
    turned = constant_network(tmp_path / "turned.onnx", dict(reversed(simcc().items())))
    assert open_pose_model(turned).outputs == ("simcc_x", "simcc_y")


@pytest.mark.parametrize("answer", [np.nan, np.inf])
def test_what_is_no_number_has_no_score(tmp_path: Path, answer: float) -> None:
    """Half floats overflow; files of results hold numbers alone."""
    outputs = simcc()
    outputs["simcc_x"][0, 5] = answer
    outputs["simcc_y"][0, [5, 6]] = answer
    for values in outputs.values():
        values[0, 7, 9] = 0.75
    model = open_pose_model(constant_network(tmp_path / "M.onnx", outputs))
    found = estimate(model, np.zeros((50, 60, 3), np.uint8), np.array([[0, 0, 60, 50]]))
    assert np.isfinite(found.keypoints_px).all()
    assert found.scores[0, [5, 6, 7]].tolist() == [0, 0, 0.75]


def test_nobody_in_the_picture(tmp_path: Path) -> None:
    model = open_pose_model(dot_network(tmp_path / "dots.onnx"))
    answer = estimate(model, np.zeros((50, 60, 3), np.uint8), np.empty((0, 4)))
    assert answer.keypoints_px.shape == (0, 37, 2)
    assert answer.scores.shape == (0, 37)


def simcc(keypoints: int = 37, width: int = 384, height: int = 512) -> dict[str, np.ndarray]:
    return {
        "simcc_x": np.zeros((1, keypoints, width), np.float32),
        "simcc_y": np.zeros((1, keypoints, height), np.float32),
    }


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (simcc(keypoints=21), "21 keypoints, expected 17 (COCO), 26 (Halpe), 37 (SpineTrack)"),
        (simcc(keypoints=14), "14 keypoints, expected 17 (COCO)"),
        (simcc(width=192), "it answers simcc_x (1, 37, 192)"),
        (simcc(width=512, height=384), "expected SimCC (N, K, 384) with (N, K, 512); heatmaps"),
        ({"maps": np.zeros((1, 17, 60, 48), np.float32)}, "it answers maps (1, 17, 60, 48)"),
        ({"logits": np.zeros((1, 1000), np.float32)}, "to a picture of 256 x 192"),
    ],
)
def test_other_outputs_are_told(tmp_path: Path, outputs: dict, message: str) -> None:
    path = constant_network(tmp_path / "M.onnx", outputs)
    with pytest.raises(UserError) as told:
        open_pose_model(path)
    assert str(told.value).startswith(f"{path}: ")
    assert message in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "shape", [(1, 37, 2), (1, 1, 256, 192), (1, 256, 192, 4), (1, 3, 256, 192, 1)]
)
def test_other_inputs_are_told(tmp_path: Path, shape: tuple) -> None:
    path = constant_network(tmp_path / "M.onnx", simcc(), input_shape=shape)
    with pytest.raises(UserError, match=r"the input is input .*, expected one picture"):
        open_pose_model(path)


def test_files_that_are_no_networks(tmp_path: Path) -> None:
    whole = dot_network(tmp_path / "dots.onnx").read_bytes()
    contents = {
        "missing.onnx": (None, "no such file"),
        "empty.onnx": (b"", "the file is empty"),
        "half.onnx": (whole[: len(whole) // 2], "no ONNX file, or only a part of one"),
        "text.onnx": (b"these are no weights " * 50, "no ONNX file, or only a part of one"),
    }
    for name, (content, message) in contents.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=message) as told:
            open_pose_model(tmp_path / name)
        assert "\n" not in str(told.value)


def test_a_provider_that_is_not_there_is_told(tmp_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(UserError, match=r"cuda: .* only .*cpu; pip install onnxruntime-gpu"):
        open_pose_model(dot_network(tmp_path / "dots.onnx"), provider="cuda")


def test_threads_are_set(tmp_path: Path) -> None:
    model: PoseModel = open_pose_model(
        dot_network(tmp_path / "dots.onnx"), threads=1, spinning=False
    )
    options = model.session.get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_predictions_of_a_dataset(tmp_path: Path) -> None:
    import cv2

    model = open_pose_model(dot_network(tmp_path / "dots.onnx"))
    images, annotations, truth = [], [], {}
    for number, people in enumerate((2, 1, 3)):
        image, boxes, points = crowd(37, SMALL, people)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image[..., ::-1])
        images.append(
            {
                "id": number,
                "file_name": f"{number}.png",
                "width": image.shape[1],
                "height": image.shape[0],
            }
        )
        for box, person in zip(boxes, points):
            record = {
                "id": 100 + len(annotations), "image_id": number, "category_id": 1,
                "bbox": box.tolist(), "area": 1.0,
                "keypoints": np.column_stack([person, np.full(37, 2)]).ravel().tolist(),
            }  # fmt: skip
            annotations.append(record)
            truth[record["id"]] = person
    crowded = annotations[0] | {"id": 900, "iscrowd": 1}
    unlabelled = annotations[0] | {"id": 901, "keypoints": [0] * 111}
    coco = CocoDataset(images, [*annotations, crowded, unlabelled])
    told: list[tuple[int, int]] = []
    results = predict_dataset(
        model, coco, tmp_path, flip_test=True, batch=2, progress=lambda *x: told.append(x)
    )
    assert [r["annotation_id"] for r in results] == [a["id"] for a in annotations]
    for record in results:
        triples = np.array(record["keypoints"]).reshape(37, 3)
        np.testing.assert_allclose(triples[:, :2], truth[record["annotation_id"]])
        assert record["score"] == pytest.approx(triples[:, 2].mean(), abs=1e-4)
    assert told[-1] == (6, 6)
    missing = dataclasses.replace(coco, images=[i | {"file_name": "none.png"} for i in images])
    with pytest.raises(UserError, match=r"none\.png: cannot be read"):
        predict_dataset(model, missing, tmp_path)


def test_pictures_of_another_size_than_recorded(tmp_path: Path) -> None:
    import cv2

    model = open_pose_model(dot_network(tmp_path / "dots.onnx"))
    image, boxes, points = crowd(37, SMALL, 1)
    height, width = image.shape[:2]
    cv2.imwrite(str(tmp_path / "a.png"), image[..., ::-1])
    person = {
        "id": 1, "image_id": 0, "category_id": 1, "bbox": (boxes[0] * 2).tolist(), "area": 1.0,
        "keypoints": np.column_stack([points[0] * 2, np.full(37, 2)]).ravel().tolist(),
    }  # fmt: skip
    record = {"id": 0, "file_name": "a.png", "width": 2 * width, "height": 2 * height}
    notes: list[str] = []
    (found,) = predict_dataset(model, CocoDataset([record], [person]), tmp_path, tell=notes.append)
    assert len(notes) == 1 and "looked at in that size" in notes[0]
    places = np.reshape(found["keypoints"], (37, 3))[:, :2]
    np.testing.assert_allclose(places, points[0] * 2, atol=3)
    other = CocoDataset([{**record, "height": height}], [person])
    with pytest.raises(UserError, match=rf"a\.png: {width} x {height}, but recorded as"):
        predict_dataset(model, other, tmp_path)

"""Detectors are recognised by their answers, and their boxes come back to the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("onnx", reason="pip install onnx")

import onnx
from pose_networks import constant_network, save

from spinetrack_synth.errors import UserError
from spinetrack_synth.spinepose.detector import detect, open_detector, overlap, suppress

PICTURE = np.zeros((200, 400, 3), np.uint8)
SIDE = 64
RATIO = 400 / SIDE
"""The picture lies in the upper half of a square input, this much smaller."""

BOXES = np.array([[40.0, 50.0, 100.0, 120.0], [250.0, 20.0, 80.0, 160.0]])


def yolox_rows(boxes: np.ndarray, scores: list[float]) -> np.ndarray:
    """What YOLOX answers for boxes in the picture: 80 classes, all else far below."""
    rows = np.zeros((1, 8 * 8 + 4 * 4 + 2 * 2, 85), np.float32)
    for box, score in zip(boxes, scores):
        inside = box / RATIO
        centre = inside[:2] + inside[2:] / 2
        x, y = (centre // 8).astype(int)
        row = y * 8 + x
        while rows[0, row, 4]:
            row += 1
            x += 1
        rows[0, row, :2] = centre / 8 - (x, y)
        rows[0, row, 2:4] = np.log(inside[2:] / 8)
        rows[0, row, 4], rows[0, row, 5], rows[0, row, 6] = score, 1.0, 0.1
    return rows


def test_yolox(tmp_path: Path) -> None:
    twin = BOXES[0] + [3, 3, 0, 0]
    rows = yolox_rows(np.array([BOXES[0], twin, BOXES[1]]), [0.9, 0.8, 0.95])
    path = constant_network(
        tmp_path / "yolox.onnx", {"output": rows}, input_shape=(1, 3, SIDE, SIDE)
    )
    detector = open_detector(path)
    assert detector.kind == "yolox"
    found = detect(detector, PICTURE)
    np.testing.assert_allclose(found.boxes_xywh, BOXES[::-1], atol=1e-3)
    np.testing.assert_allclose(found.scores, [0.95, 0.9], atol=1e-6)
    strict = open_detector(path, least_score=0.92)
    assert len(detect(strict, PICTURE).boxes_xywh) == 1


@pytest.mark.parametrize(
    ("weight", "kind"), [("head.w", "yolox with nms"), ("rtm_cls.0", "rtmdet")]
)
def test_boxes_with_scores_and_labels(tmp_path: Path, weight: str, kind: str) -> None:
    corners = np.column_stack([BOXES[:, :2], BOXES[:, :2] + BOXES[:, 2:]]) / RATIO
    dets = np.zeros((1, 4, 5), np.float32)
    dets[0, :2, :4], dets[0, :2, 4] = corners, [0.6, 0.9]
    dets[0, 2] = [0, 0, 9, 9, 0.99]  # a dog
    dets[0, 3] = [0, 0, 9, 9, 0.1]
    labels = np.array([[0, 0, 16, 0]], np.int64)
    for sides in ([SIDE, SIDE], ["H", "W"]):
        path = tmp_path / f"nms{sides[0]}.onnx"
        detector = open_detector(boxes_network(path, dets, labels, sides, weight))
        size = SIDE if sides[0] == SIDE else 640
        assert (detector.kind, detector.input_size_hw) == (kind, (size, size))
        found = detect(detector, PICTURE)
        np.testing.assert_allclose(found.boxes_xywh, BOXES[::-1] * SIDE / size, atol=1e-3)
        np.testing.assert_allclose(found.scores, [0.9, 0.6])


def boxes_network(
    path: Path, dets: np.ndarray, labels: np.ndarray, sides: list, weight: str
) -> Path:
    """A network that answers boxes and labels, with a weight of that name."""
    helper = onnx.helper
    nodes = [
        helper.make_node("Identity", [weight], ["dets"]),
        helper.make_node("Identity", ["kinds"], ["labels"]),
    ]
    graph = helper.make_graph(
        nodes,
        "nms",
        [helper.make_tensor_value_info("input", 1, [1, 3, *sides])],
        [
            helper.make_tensor_value_info("dets", 1, [1, "n", 5]),
            helper.make_tensor_value_info("labels", 7, [1, "n"]),
        ],
        [onnx.numpy_helper.from_array(dets, weight), onnx.numpy_helper.from_array(labels, "kinds")],
    )
    return save(graph, path)


@pytest.mark.parametrize("kind", ["yolov5", "yolov8", "yolo with nms"])
def test_yolo(tmp_path: Path, kind: str) -> None:
    """Three rows a cell, a column a cell, or rows after suppression; 80 classes."""
    inside = BOXES / RATIO
    middles = np.column_stack([inside[:, :2] + inside[:, 2:] / 2, inside[:, 2:]])
    cells = 8 * 8 + 4 * 4 + 2 * 2
    if kind == "yolov5":
        answer = np.zeros((1, 3 * cells, 85), np.float32)
        answer[0, 5:7, :4], answer[0, 5:7, 4], answer[0, 5:7, 5] = middles, [0.5, 1], 0.8
        answer[0, 9] = [30, 30, 9, 9, 1, 0, *[0.9] * 79]
    elif kind == "yolov8":
        answer = np.zeros((1, 84, cells), np.float32)
        answer[0, :4, 5:7], answer[0, 4, 5:7] = middles.T, [0.4, 0.8]
        answer[0, :, 9] = [30, 30, 9, 9, 0, *[0.9] * 79]
    else:
        answer = np.zeros((1, 300, 6), np.float32)
        corners = np.column_stack([inside[:, :2], inside[:, :2] + inside[:, 2:]])
        answer[0, :2] = np.column_stack([corners, [0.4, 0.8], [0, 0]])
        answer[0, 2] = [1, 1, 30, 30, 0.9, 16]
    path = constant_network(
        tmp_path / "yolo.onnx", {"output0": answer}, input_shape=(1, 3, SIDE, SIDE)
    )
    detector = open_detector(path)
    assert detector.kind == kind
    found = detect(detector, PICTURE)
    np.testing.assert_allclose(found.boxes_xywh, BOXES[::-1], atol=1e-3)
    np.testing.assert_allclose(found.scores, [0.8, 0.4], atol=1e-6)


@pytest.mark.parametrize("kind", [2, 6])
def test_pictures_of_whole_numbers_with_channels_last(tmp_path: Path, kind: int) -> None:
    """Bytes or 32-bit whole numbers: the colours of the picture as they are."""
    rows = yolox_rows(BOXES, [0.9, 0.8])
    path = constant_network(
        tmp_path / "yolox.onnx", {"output": rows}, input_shape=(1, SIDE, SIDE, 3), kind=kind
    )
    detector = open_detector(path)
    assert (detector.input.channels_last, detector.input.whole_numbers) == (True, True)
    np.testing.assert_allclose(detect(detector, PICTURE).boxes_xywh, BOXES, atol=1e-3)


def test_answers_without_any_number_are_told_with_their_picture(tmp_path: Path) -> None:
    path = constant_network(
        tmp_path / "yolox.onnx",
        {"output": np.full((1, 84, 85), np.nan, np.float32)},
        input_shape=(1, 3, SIDE, SIDE),
    )
    with pytest.raises(UserError, match=r"^a\.jpg: .*yolox\.onnx answers no numbers"):
        detect(open_detector(path), PICTURE, "a.jpg")


def test_rfdetr(tmp_path: Path) -> None:
    size = np.array([400, 200])
    dets = np.zeros((1, 300, 4), np.float32)
    dets[0, :2, :2] = (BOXES[:, :2] + BOXES[:, 2:] / 2) / size
    dets[0, :2, 2:] = BOXES[:, 2:] / size
    labels = np.full((1, 300, 91), -9, np.float32)
    labels[0, :2, 1] = [2.0, 1.0]
    labels[0, 2, 18], labels[0, 3, 0] = 5.0, 5.0  # a dog, nobody
    path = constant_network(
        tmp_path / "M.onnx", {"dets": dets, "labels": labels}, input_shape=(1, 3, 384, 384)
    )
    detector = open_detector(path)
    assert detector.kind == "rf-detr"
    found = detect(detector, PICTURE)
    np.testing.assert_allclose(found.boxes_xywh, BOXES, atol=1e-2)
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp([-2.0, -1.0])), atol=1e-6)


def test_boxes_end_at_the_picture(tmp_path: Path) -> None:
    rows = yolox_rows(np.array([[-30.0, 150.0, 100.0, 120.0]]), [0.9])
    path = constant_network(
        tmp_path / "yolox.onnx", {"output": rows}, input_shape=(1, 3, SIDE, SIDE)
    )
    found = detect(open_detector(path), PICTURE)
    np.testing.assert_allclose(found.boxes_xywh, [[0, 150, 70, 50]], atol=1e-3)


@pytest.mark.parametrize(
    "outputs",
    [
        {"logits": np.zeros((1, 1000), np.float32)},
        {"output": np.zeros((1, 99, 85), np.float32)},
        {"dets": np.zeros((1, 9, 6), np.float32), "labels": np.zeros((1, 9), np.int64)},
    ],
)
def test_other_networks_are_told(tmp_path: Path, outputs: dict[str, np.ndarray]) -> None:
    path = constant_network(tmp_path / "M.onnx", outputs, input_shape=(1, 3, SIDE, SIDE))
    with pytest.raises(UserError, match="no detector that is known here: it answers"):
        open_detector(path)


def test_overlap_and_suppression() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [100, 0, 1, 1]], float)
    np.testing.assert_allclose(overlap(boxes, boxes)[0], [1, 1 / 3, 0])
    assert suppress(boxes, most=0.3).tolist() == [0, 2]
    assert suppress(boxes, most=0.4).tolist() == [0, 1, 2]

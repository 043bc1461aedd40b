"""Networks that answer known positions are decoded exactly; what is no pose network says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("onnx", reason="pip install onnx")

from spinepose.networks import dot_network, draw_dots, scatter

from spinetrack_synth.spinepose import estimate, open_pose_model

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
    image = np.zeros((height + 20, width * people, 3), np.uint8)
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

"""MoveNet's finder of people against TensorFlow.js's run of the published graph, and its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

import cv2  # noqa: E402

from spinetrack_synth.cache import cache_folder  # noqa: E402
from spinetrack_synth.training.detector_file import detector_file  # noqa: E402
from spinetrack_synth.training.networks.movenet_package import (  # noqa: E402
    VERSION,
    read_movenet,
)
from spinetrack_synth.training.networks.person_detector import (  # noqa: E402
    MOST,
    PersonDetector,
)

TWO_PEOPLE = Path(__file__).parents[2] / "two_people.png"
"""Two rendered pictures of 320 x 240, side by side."""
TENSORFLOWS = [[229.57, 1.88, 279.33, 111.53, 0.94153], [74.39, 15.8, 121.66, 102.01, 0.87152]]
"""Boxes that TensorFlow.js's run of the published multipose graph answers to it, and
the heights of the middles' heatmap there."""


def test_the_published_network_finds_whom_tensorflow_does() -> None:
    folder = cache_folder() / f"movenet-{VERSION}"
    if not (folder / "movenet-multipose.bin").is_file():
        pytest.skip("MoveNet multipose is not in the cache: scripts/person_detector.py fetches it")
    net = PersonDetector().eval()
    net.load_state_dict(read_movenet(folder, "multipose"))
    filled = np.full((320, 320, 3), 114, np.uint8)
    filled[:120] = cv2.resize(cv2.imread(str(TWO_PEOPLE)), (320, 120))
    rgb = torch.from_numpy(filled[..., ::-1].transpose(2, 0, 1)[None] / np.float32(255))
    with torch.no_grad():
        rows = net(rgb)[0].numpy()
    assert rows.shape == (MOST, 6)
    assert np.allclose(rows[:2, :4], np.array(TENSORFLOWS)[:, :4], atol=0.02)
    assert np.allclose(rows[:2, 4], np.array(TENSORFLOWS)[:, 4], atol=1e-4)
    assert (rows[2:, 4] < 0.1).all()


def test_a_file_answers_what_the_network_does() -> None:
    torch.manual_seed(0)
    net = PersonDetector(0.25).eval()
    content = detector_file(net, side=64, accuracy="measured")
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    picture = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        ours = net(picture)[0].numpy()
    (theirs,) = session.run(None, {"input": picture.numpy()})
    assert theirs.shape == (1, MOST, 6)
    assert ours[:, 4].std() > 0.01
    # Weights are rounded, so peaks nearly as high may change places: look at the higher half.
    assert np.abs(np.sort(theirs[0, :, 4]) - np.sort(ours[:, 4])).max() < 0.02
    for row in ours[ours[:, 4] > 0.05][:5]:
        assert np.abs(theirs[0] - row).max(axis=1).min() < 1
    assert session.get_modelmeta().custom_metadata_map["accuracy"] == "measured"

"""Scripts of the ``spinepose`` package run with another import."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[spinepose]'")
pytest.importorskip("onnx", reason="pip install onnx")

import cv2
from pose_networks import blank, dot_network, draw_dots, marker_detector, scatter, stage_files

from spinetrack_synth.errors import UserError
from spinetrack_synth.skeleton import NAMES, SIGMAS
from spinetrack_synth.spinepose import PoseTracker, SpinePoseEstimator, zoo
from spinetrack_synth.spinepose.estimator import open_models

FRAME_HW = (288, 512)
COLOR = (255, 190, 60)
FIGURE = scatter(np.random.default_rng(5), 37, (150, 110)) + np.array([150, 60])


@pytest.fixture
def official(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Made networks in the place of the official ones; the names of those that were asked for."""
    asked: list[str] = []
    pose = dot_network(tmp_path / "nets" / "M.onnx")
    boxes = marker_detector(tmp_path / "nets" / "D.onnx", [COLOR], FRAME_HW)

    def obtain(model: zoo.Official, **how: Any) -> Path:
        asked.append(model.name)
        return boxes if model.name.startswith(zoo.DETECTORS) else pose

    monkeypatch.setattr(zoo, "obtain", obtain)
    monkeypatch.chdir(tmp_path)
    stage_files(tmp_path)
    cv2.imwrite("person.png", picture())
    return asked


def picture() -> np.ndarray:
    """One person of dots within a frame that the detector finds; blue, green, red."""
    image = blank(FRAME_HW)
    low, high = FIGURE.min(axis=0) - 6, FIGURE.max(axis=0) + 6
    cv2.rectangle(image, np.rint(low).astype(int), np.rint(high).astype(int), COLOR, 2)
    return np.ascontiguousarray(draw_dots(image, FIGURE, radius=1)[..., ::-1])


SCRIPTS = {
    "one picture, on a device": """
import cv2
from spinetrack_synth.spinepose import SpinePoseEstimator
pose = SpinePoseEstimator(device="cuda")
frame = cv2.imread("person.png")
points, confidence = pose(frame)
cv2.imwrite("shown.jpg", pose.visualize(frame, points, confidence))
assert points.shape == (1, 37, 2) and confidence.shape == (1, 37)
""",
    "in a line": """
from spinetrack_synth.spinepose.inference import infer_image, infer_video
one = infer_image("person.png", vis_path="shown.jpg")
film = infer_video("clip.mp4", vis_path="shown.mp4", use_smoothing=True)
assert one.shape == (1, 37, 3) and len(film) == 6
""",
    "all arguments of a line": """
from spinetrack_synth.spinepose.inference import infer_image, infer_video
one = infer_image("person.png", "small", True, "shown.jpg", "v1", "yolox", False, False)
assert one.shape == (1, 9, 3)
film = infer_video("clip.mp4", "medium", False, False, "shown.mp4", "latest", "rfdetr", 3, False)
assert len(film) == 6
""",
    "without an accelerator": """
from spinetrack_synth.spinepose import SpinePoseEstimator
pose = SpinePoseEstimator("large", "v2", "rfdetr", hardware_acceleration=False)
assert (pose.device, pose.backend, pose.version) == ("cpu", "onnxruntime", "v2")
pose.close()
""",
    "people with ids": """
import cv2
from spinetrack_synth.spinepose import PoseTracker, SpinePoseEstimator
follow = PoseTracker(
    SpinePoseEstimator, mode="medium", backend="onnxruntime", device="cpu", det_frequency=2,
    max_detections=4, tracking=True, smoothing=True, smoothing_freq=25.0, detector="yolox",
)
assert follow.track_ids_last_frame == []
for _ in range(3):
    points, confidence = follow(cv2.imread("person.png"))
    assert len(follow.track_ids_last_frame) == len(points) == 1
assert follow.solution.det_model(cv2.imread("person.png")).shape == (1, 4)
assert follow.solution.num_keypoints == 37 and follow.frame_cnt == 3
left, top, right, bottom = follow.bboxes_last_frame[0]
assert left < points[0, :, 0].min() < points[0, :, 0].max() < right
follow.reset()
assert follow.frame_cnt == 0
""",
}
"""What the package's README and its signatures show, in other words."""


@pytest.mark.parametrize("name", list(SCRIPTS))
def test_scripts_run_with_another_import(official: list[str], name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # there may be no such device
        exec(compile(SCRIPTS[name], name, "exec"), {})
    assert official, "networks of the package were asked for"
    if "shown.jpg" in SCRIPTS[name]:
        assert (cv2.imread("shown.jpg") != picture()).any()


def test_one_default_detector(official: list[str], tmp_path: Path) -> None:
    """The package's for its networks, YOLOX-nano for a network of one's own."""
    SpinePoseEstimator("small")
    open_models("medium", "v1", detector="YOLOX")
    assert official == ["small", "rfdetr-small", "medium-v1", "yolox-medium"]
    with pytest.warns(UserWarning, match="YOLOX-nano, Apache-2.0, finds the people from now on"):
        own = SpinePoseEstimator(model=tmp_path / "M.onnx")
    assert (own.detector is not None, official.pop()) == (True, "yolox-nano")
    one = SpinePoseEstimator(model=tmp_path / "M.onnx", detector="whole")
    assert (one.detector, one.det_model, len(official)) == (None, None, 4)
    with pytest.raises(
        UserError, match="yolo: no such detector: expected whole, rfdetr, yolox, yolox-nano"
    ):
        open_models("small", detector="yolo")
    assert len(official) == 4, "a name that is wrong is told before anything is fetched"


def test_what_is_ignored_is_told_and_what_cannot_be_is_refused(tmp_path: Path) -> None:
    model = dot_network(tmp_path / "M.onnx")
    with pytest.warns(UserWarning, match="backend='opencv' is ignored: onnxruntime computes"):
        SpinePoseEstimator(model=model, backend="opencv")
    with pytest.warns(UserWarning, match="camera_field_of_view, warmup_frames is ignored"):
        SpinePoseEstimator(model=model, warmup_frames=3, camera_field_of_view=60.0)
    with pytest.warns(UserWarning, match=r"smoothing_beta is ignored: it is in pixels"):
        PoseTracker(SpinePoseEstimator, model=model, smoothing_beta=0.1)
    with pytest.warns(UserWarning, match="tracking_thr is ignored"):
        PoseTracker(SpinePoseEstimator, model=model, tracking_thr=0.5)
    with pytest.raises(UserError, match="enable_lifting: lifting to 3D is not offered"):
        SpinePoseEstimator(model=model, enable_lifting=True)
    with pytest.raises(TypeError, match="unexpected arguments: colour"):
        SpinePoseEstimator(model=model, colour="red")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SpinePoseEstimator(
            model=model, device="auto", enable_lifting=False, backend="onnxruntime",
            detector="whole",
        )  # fmt: skip


def test_without_tracking_nobody_has_an_id(tmp_path: Path) -> None:
    model = dot_network(tmp_path / "M.onnx")
    tracker = PoseTracker(SpinePoseEstimator, model=model, detector="whole", tracking=False)
    keypoints, scores = tracker(picture())
    assert (len(keypoints), tracker.track_ids_last_frame) == (1, [])
    assert tracker.visualize(picture(), keypoints, scores).shape == picture().shape


def test_the_keypoints_are_described_as_mmpose_does(tmp_path: Path) -> None:
    info = SpinePoseEstimator(model=dot_network(tmp_path / "M.onnx"), detector="whole").metainfo
    assert [info["keypoint_info"][i]["name"] for i in range(37)] == list(NAMES)
    assert info["sigmas"] == list(SIGMAS)
    assert info["keypoint_info"][5]["swap"] == "right_shoulder"
    ends = {name for link in info["skeleton_info"].values() for name in link["link"]}
    assert ends <= set(NAMES)


def test_a_subclass_may_have_its_own_last_step(tmp_path: Path) -> None:
    class Shifted(SpinePoseEstimator):
        def postprocess(self, keypoints: np.ndarray, scores: np.ndarray) -> tuple:
            return keypoints + 1, scores

    model = dot_network(tmp_path / "M.onnx")
    plain, shifted = (
        kind(model=model, detector="whole")(picture())[0] for kind in (SpinePoseEstimator, Shifted)
    )
    np.testing.assert_array_equal(shifted, plain + 1)
    whole, _ = SpinePoseEstimator(model=model, detector="whole").pose_model(picture())
    assert whole.shape == (1, 37, 2)

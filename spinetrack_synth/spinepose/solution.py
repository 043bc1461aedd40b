"""The Python interface that users of the ``spinepose`` package know, on top of this room.

Pictures are as OpenCV reads them: (H, W, 3), blue, green, red. Lifting to 3D is not offered.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.errors import UserError
from spinetrack_synth.skeleton import SPINE
from spinetrack_synth.spinepose import zoo
from spinetrack_synth.spinepose.crops import ColorOrder
from spinetrack_synth.spinepose.detector import Detector, detect, open_detector
from spinetrack_synth.spinepose.drawing import draw_people
from spinetrack_synth.spinepose.following import Follower
from spinetrack_synth.spinepose.model import BATCH, PoseModel, estimate, open_pose_model
from spinetrack_synth.spinepose.people import only_person
from spinetrack_synth.spinepose.pictures import Picture, encode_picture, read_picture
from spinetrack_synth.spinepose.simcc import Score
from spinetrack_synth.spinepose.smoothing import OneEuro
from spinetrack_synth.spinepose.tracking import Tracked, Tracker
from spinetrack_synth.spinepose.video import VideoWriter, open_video

Floats = NDArray[np.floating]

WHOLE: Final = "whole"
"""The name of the detector that takes the picture as one person."""

OFFICIAL_DETECTOR: Final = "rfdetr"


def open_models(
    mode: str,
    model_version: str = "latest",
    model: Path | None = None,
    detector: str | Path = WHOLE,
    *,
    provider: str | None = None,
    threads: int | None = None,
    spinning: bool = True,
    mixed_precision: bool = False,
    color_order: ColorOrder = "rgb",
    score: Score = "min",
    detector_score: float | None = None,
    **fetching: Any,
) -> tuple[PoseModel, Detector | None]:
    """Open the pose network (``model``, or the official one of the mode) and the detector.

    ``detector`` is ``whole``, ``rfdetr`` or an ONNX file; ``fetching`` goes to ``zoo.obtain``.
    """
    computing: dict[str, Any] = {
        "provider": provider,
        "threads": threads,
        "spinning": spinning,
        "mixed_precision": mixed_precision,
    }
    path = model or zoo.obtain(zoo.by_mode(mode, model_version), **fetching)
    pose = open_pose_model(path, color_order=color_order, score=score, **computing)
    if str(detector) == WHOLE:
        return pose, None
    if str(detector) == OFFICIAL_DETECTOR:
        found = zoo.obtain(zoo.by_name(f"rfdetr-{mode}"), **fetching)
    else:
        found = Path(detector)
        if not found.is_file():
            raise UserError(
                f"{found}: no such detector: expected {WHOLE}, {OFFICIAL_DETECTOR} or an ONNX file"
            )
    return pose, open_detector(found, least_score=detector_score, **computing)


class SpinePoseEstimator:
    """Finds the people of a picture and their keypoints.

    The first five arguments are those of the ``spinepose`` package: the official model of a mode is
    fetched on first use, where ``accept_licence`` agrees to its licence. ``model`` names a file
    instead; ``detector`` is ``rfdetr``, a file, or ``whole`` for pictures of one person.
    """

    SPINE_IDS: Final = list(SPINE)

    def __init__(
        self,
        mode: str = "large",
        model_version: str = "latest",
        detector: str | Path = OFFICIAL_DETECTOR,
        hardware_acceleration: bool = True,
        mixed_precision: bool = False,
        *,
        model: str | Path | None = None,
        provider: str | None = None,
        threads: int | None = None,
        spinning: bool = True,
        color_order: ColorOrder = "rgb",
        score: Score = "min",
        detector_score: float | None = None,
        flip_test: bool = False,
        sub_bin: bool = False,
        batch: int = BATCH,
        offline: bool = False,
        accept_licence: bool = False,
    ) -> None:
        self.model, self.detector = open_models(
            mode,
            model_version,
            Path(model) if model else None,
            detector,
            provider=provider if hardware_acceleration else "cpu",
            threads=threads,
            spinning=spinning,
            mixed_precision=mixed_precision,
            color_order=color_order,
            score=score,
            detector_score=detector_score,
            offline=offline,
            accept=lambda text: accept_licence,
        )
        self.options: dict[str, Any] = {"flip_test": flip_test, "sub_bin": sub_bin, "batch": batch}

    def detect(self, image: Picture) -> NDArray[np.float64]:
        """Boxes of the people (P, 4): left, top, right, bottom."""
        if self.detector is None:
            height, width = image.shape[:2]
            return np.array([[0.0, 0.0, width, height]])
        boxes = detect(self.detector, image).boxes_xywh
        return np.column_stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])

    def estimate(self, image: Picture, bboxes: Floats) -> tuple[Floats, Floats]:
        """Keypoints (P, K, 2) and scores (P, K) of people in boxes: left, top, right, bottom."""
        corners = np.asarray(bboxes, np.float64).reshape(-1, 4)
        boxes = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        found = estimate(self.model, image, boxes, image_order="bgr", **self.options)
        return found.keypoints_px, found.scores

    def predict(self, image: Picture, bboxes: Floats | None = None) -> tuple[Floats, Floats]:
        """Keypoints (P, K, 2) px and scores (P, K) of the people found, or of those in boxes."""
        if bboxes is not None:
            return self.estimate(image, bboxes)
        if self.detector is None:
            alone, _ = only_person(self.model, image, **self.options)
            return alone.keypoints_px, alone.scores
        return self.estimate(image, self.detect(image))

    __call__ = predict

    def visualize(
        self, image: Picture, keypoints: Floats, scores: Floats, *, spine_only: bool = False
    ) -> Picture:
        """A copy of the picture with the skeletons drawn on it."""
        return draw_people(image, keypoints, scores, spine_only=spine_only)


class PoseTracker:
    """The people of a video, frame after frame, with ids that stay theirs.

    Calling it with a frame gives keypoints and scores, ``ids`` holds the people's ids of that
    frame; ``track`` gives all of it. Smoothing counts in boxes, not in pixels, so its settings are
    other numbers than those of the ``spinepose`` package. Further arguments go to ``solution``.
    """

    def __init__(
        self,
        solution: type[SpinePoseEstimator] = SpinePoseEstimator,
        mode: str = "large",
        det_frequency: int = 1,
        max_detections: int = 10,
        smoothing: bool = False,
        smoothing_freq: float = 30.0,
        smoothing_mincutoff: float = OneEuro.min_cutoff_hz,
        smoothing_beta: float = OneEuro.beta,
        smoothing_dcutoff: float = OneEuro.speed_cutoff_hz,
        model_version: str = "latest",
        detector: str | Path = OFFICIAL_DETECTOR,
        **others: Any,
    ) -> None:
        self.solution = solution(mode, model_version, detector, **others)
        self._rate_hz = smoothing_freq
        self._settings = (
            OneEuro(smoothing_mincutoff, smoothing_beta, smoothing_dcutoff) if smoothing else None
        )
        self._every, self._most = det_frequency, max_detections
        self.reset()

    def reset(self) -> None:
        """Begin a new video."""
        self.ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._frame = 0
        self._follower = Follower(
            self.solution.model,
            self.solution.detector,
            Tracker(self._settings),
            every=self._every,
            most=self._most,
            **self.solution.options,
        )

    def track(self, image: Picture, time_s: float | None = None) -> Tracked:
        """The people of the next frame; without a time frames come at ``smoothing_freq``."""
        people = self._follower(image, self._frame / self._rate_hz if time_s is None else time_s)
        self._frame += 1
        self.ids = people.ids
        return people

    def __call__(self, image: Picture) -> tuple[Floats, Floats]:
        people = self.track(image)
        return people.keypoints_px, people.scores

    def visualize(self, image: Picture, keypoints: Floats, scores: Floats) -> Picture:
        """A copy of the frame with the skeletons drawn on it, and the ids of the last frame."""
        ids = self.ids if len(self.ids) == len(keypoints) else None
        return draw_people(image, keypoints, scores, ids=ids)


def infer_image(
    input_path: str | Path,
    mode: str = "medium",
    spine_only: bool = False,
    vis_path: str | Path | None = None,
    model_version: str = "latest",
    detector: str | Path = OFFICIAL_DETECTOR,
    **others: Any,
) -> NDArray[np.float64]:
    """x, y and score (P, K, 3) of the people in a picture file; nine spine points on wish.

    ``vis_path`` is where the drawing goes; no window is opened. ``others`` go to
    ``SpinePoseEstimator``.
    """
    estimator = SpinePoseEstimator(mode, model_version, detector, **others)
    image = read_picture(Path(input_path))
    keypoints, scores = estimator(image)
    if vis_path is not None:
        drawn = estimator.visualize(image, keypoints, scores, spine_only=spine_only)
        path = Path(vis_path)
        write_atomic(path, encode_picture(drawn, path.suffix))
    return _stacked(keypoints, scores, spine_only)


def infer_video(
    input_path: str | Path,
    mode: str = "medium",
    spine_only: bool = False,
    use_smoothing: bool = True,
    vis_path: str | Path | None = None,
    model_version: str = "latest",
    detector: str | Path = OFFICIAL_DETECTOR,
    max_detections: int = 10,
    **others: Any,
) -> list[NDArray[np.float64]]:
    """x, y and score (P, K, 3) of the people in every frame of a video file, or of ``webcam``.

    ``vis_path`` is where the drawn video goes; no window is opened.
    """
    video = open_video(0 if str(input_path).lower() == "webcam" else Path(input_path))
    tracker = PoseTracker(
        mode=mode,
        max_detections=max_detections,
        smoothing=use_smoothing,
        smoothing_freq=video.rate_hz,
        model_version=model_version,
        detector=detector,
        **others,
    )
    if vis_path is None:
        tracked = (tracker.track(frame, time_s) for time_s, frame in video.timed())
        return [_stacked(people.keypoints_px, people.scores, spine_only) for people in tracked]
    results = []
    with VideoWriter(Path(vis_path), video.rate_hz, video.size_wh) as writer:
        for time_s, frame in video.timed():
            people = tracker.track(frame, time_s)
            results.append(_stacked(people.keypoints_px, people.scores, spine_only))
            writer.write(
                draw_people(
                    frame,
                    people.keypoints_px,
                    people.scores,
                    ids=people.ids,
                    spine_only=spine_only,
                ),
                time_s,
            )
    return results


def _stacked(keypoints: Floats, scores: Floats, spine_only: bool) -> NDArray[np.float64]:
    together = np.concatenate([keypoints, scores[..., None]], axis=-1, dtype=np.float64)
    return together[:, list(SPINE)] if spine_only else together

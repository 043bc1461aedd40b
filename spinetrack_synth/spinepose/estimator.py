"""The Python interface that users of the ``spinepose`` package know, on top of this room.

Pictures are as OpenCV reads them: (H, W, 3), blue, green, red. Lifting to 3D is not offered. What
other arguments of the package become is told in ``legacy``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.atomic import write_atomic
from spinetrack_synth.drawing.predictions import draw_people
from spinetrack_synth.errors import UserError
from spinetrack_synth.skeleton import SPINE
from spinetrack_synth.spinepose import legacy, zoo
from spinetrack_synth.spinepose.boxes import only_person
from spinetrack_synth.spinepose.crops import ColorOrder
from spinetrack_synth.spinepose.default_detector import default_detector, least_score
from spinetrack_synth.spinepose.detector import Detector, detect, open_detector
from spinetrack_synth.spinepose.image_files import Picture, encode_picture, read_picture
from spinetrack_synth.spinepose.model import BATCH, PoseModel, estimate, open_pose_model
from spinetrack_synth.spinepose.packaged import packaged_network
from spinetrack_synth.spinepose.session import PROVIDERS
from spinetrack_synth.spinepose.simcc import Score
from spinetrack_synth.spinepose.smoothing import OneEuro
from spinetrack_synth.spinepose.tracking import Tracked, Tracker
from spinetrack_synth.spinepose.video import VideoWriter, open_video
from spinetrack_synth.spinepose.video_pose_estimator import VideoPoseEstimator

Floats = NDArray[np.floating]

WHOLE: Final = "whole"
"""The name of the detector that takes the picture as one person."""

OFFICIAL_DETECTOR: Final = "rfdetr"
"""The detector of official networks where none is named; other networks get YOLOX-nano."""

USUAL_MODE: Final = "medium"


def warn(line: str) -> None:
    """Tell something as a warning."""
    warnings.warn(line, stacklevel=6)  # at the line that asks for an estimator


def open_models(
    mode: str | None = None,
    model_version: str | None = None,
    model: Path | None = None,
    detector: str | Path | None = None,
    *,
    provider: str | None = None,
    threads: int | None = None,
    spinning: bool = True,
    mixed_precision: bool = False,
    color_order: ColorOrder | None = None,
    score: Score = "min",
    detector_score: float | None = None,
    reading: Mapping[str, Any] | None = None,
    tell: Callable[[str], None] = warn,
    **fetching: Any,
) -> tuple[PoseModel, Detector | None]:
    """Open the pose network and the detector.

    The network is ``model``, else the official one of the mode and version. Where none of the three
    is given and the official one of ``USUAL_MODE`` was never accepted, it is the network inside the
    package, if there is one. ``detector`` is ``whole``, ``rfdetr``, ``yolox``, ``yolox-nano`` or an
    ONNX file; None is ``rfdetr`` for official networks and ``default_detector`` for others.
    ``reading`` goes to ``open_pose_model``, ``fetching`` to ``zoo.obtain``; ``tell`` hears what
    was taken where nothing was asked for.
    """
    computing: dict[str, Any] = {
        "provider": provider,
        "threads": threads,
        "spinning": spinning,
        "mixed_precision": mixed_precision,
    }
    name = None if detector is None else _detector_name(detector)
    if (model, mode, model_version) == (None,) * 3 and not zoo.accepted(zoo.by_mode(USUAL_MODE)):
        model = packaged_network(tell)
    if name is None and model is None:
        name = OFFICIAL_DETECTOR
    mode = mode or USUAL_MODE
    path = model or zoo.obtain(zoo.by_mode(mode, model_version or "latest"), **fetching)
    pose = open_pose_model(
        path, color_order=color_order, score=score, **computing, **(reading or {})
    )
    found = _detector_file(name, mode, tell, fetching)
    if found is None:
        return pose, None
    if detector_score is None and name in (None, zoo.YOLOX_NANO.name):
        detector_score = least_score(found)
    return pose, open_detector(found, least_score=detector_score, **computing)


def _detector_name(detector: str | Path) -> str:
    """A detector by its name, or the path of its file; raises UserError where it is neither."""
    names = (WHOLE, *zoo.DETECTORS, zoo.YOLOX_NANO.name)
    if str(detector).lower() in names:
        return str(detector).lower()
    if not Path(detector).is_file():
        known = ", ".join(names)
        raise UserError(f"{detector}: no such detector: expected {known} or an ONNX file")
    return str(detector)


def _detector_file(
    name: str | None, mode: str, tell: Callable[[str], None], fetching: Mapping[str, Any]
) -> Path | None:
    """The file of a detector (None: of the default one); None for ``WHOLE``."""
    if name is None:
        how = {key: fetching[key] for key in ("offline", "progress") if key in fetching}
        return default_detector(tell, **how)
    if name == WHOLE:
        return None
    if name in zoo.DETECTORS:
        name = f"{name}-{mode}"
    return zoo.obtain(zoo.by_name(name), **fetching) if name in zoo.OFFICIAL else Path(name)


class SpinePoseEstimator:
    """Finds the people of a picture and their keypoints.

    The official model of a mode is fetched on first use, where ``accept_licence`` agrees to its
    licence; ``model`` names a file instead. ``detector`` is ``rfdetr``, ``yolox``, a file, or
    ``whole`` for pictures of one person; see ``open_models`` for where it is not given.
    ``reading`` tells ``open_pose_model`` what a file does not: ``names``, ``mean``, ``std``,
    ``udp``, ``input_size_hw``. Further arguments of the ``spinepose`` package are taken, ignored
    or refused by ``legacy``.
    """

    SPINE_IDS: Final = list(SPINE)

    def __init__(
        self,
        mode: str = "large",
        model_version: str = "latest",
        detector: str | Path | None = None,
        hardware_acceleration: bool = True,
        mixed_precision: bool = False,
        *,
        model: str | Path | None = None,
        provider: str | None = None,
        threads: int | None = None,
        spinning: bool = True,
        color_order: ColorOrder | None = None,
        score: Score = "min",
        reading: Mapping[str, Any] | None = None,
        detector_score: float | None = None,
        flip_test: bool = False,
        sub_bin: bool = False,
        batch: int = BATCH,
        offline: bool = False,
        accept_licence: bool = False,
        **others: Any,
    ) -> None:
        provider = legacy.provider_of(provider, hardware_acceleration, others)
        legacy.drop_unserved(others)
        self.model, self.detector = open_models(
            mode,
            model_version,
            Path(model) if model else None,
            detector,
            provider=provider,
            threads=threads,
            spinning=spinning,
            mixed_precision=mixed_precision,
            color_order=color_order,
            score=score,
            reading=reading,
            detector_score=detector_score,
            offline=offline,
            accept=lambda text: accept_licence,
        )
        self.mode, self.version = mode, model_version
        self.options: dict[str, Any] = {"flip_test": flip_test, "sub_bin": sub_bin, "batch": batch}

    @property
    def num_keypoints(self) -> int:
        """Keypoints of a person."""
        return self.model.keypoints

    @property
    def metainfo(self) -> dict[str, Any]:
        """The keypoints as mmpose describes them."""
        return legacy.metainfo(self.model.keypoints)

    @property
    def backend(self) -> str:
        """What computes."""
        return "onnxruntime"

    @property
    def device(self) -> str:
        """What it computes on."""
        return next(name for name, full in PROVIDERS.items() if full == self.model.provider)

    @property
    def camera_intrinsics(self) -> None:
        """Of lifting to 3D, which there is none of."""
        return None

    @property
    def det_model(self) -> Callable[[Picture], NDArray[np.float64]] | None:
        """Boxes of the people in a picture; None where the picture is taken as one person."""
        return None if self.detector is None else self.detect

    def pose_model(
        self, image: Picture, bboxes: Floats | Sequence[Any] = ()
    ) -> tuple[Floats, Floats]:
        """``estimate``, with the whole picture where there are no boxes."""
        height, width = image.shape[:2]
        return self.estimate(image, bboxes if len(bboxes) else [[0, 0, width, height]])

    def postprocess(self, keypoints: Floats, scores: Floats) -> tuple[Floats, Floats]:
        """Nothing here; a subclass may have its own."""
        return keypoints, scores

    def close(self) -> None:
        """Nothing has to be closed."""

    def detect(self, image: Picture) -> NDArray[np.float64]:
        """Boxes of the people (P, 4): left, top, right, bottom."""
        if self.detector is None:
            height, width = image.shape[:2]
            return np.array([[0.0, 0.0, width, height]])
        boxes = detect(self.detector, image).boxes_xywh
        return np.column_stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])

    def estimate(self, image: Picture, bboxes: Floats | Sequence[Any]) -> tuple[Floats, Floats]:
        """Keypoints (P, K, 2) and scores (P, K) of people in boxes: left, top, right, bottom."""
        corners = np.asarray(bboxes, np.float64).reshape(-1, 4)
        boxes = np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
        found = estimate(self.model, image, boxes, image_order="bgr", **self.options)
        return self.postprocess(found.keypoints_px, found.scores)

    def predict(self, image: Picture, bboxes: Floats | None = None) -> tuple[Floats, Floats]:
        """Keypoints (P, K, 2) px and scores (P, K) of the people found, or of those in boxes."""
        if bboxes is not None:
            return self.estimate(image, bboxes)
        if self.detector is None:
            alone, _ = only_person(self.model, image, **self.options)
            return self.postprocess(alone.keypoints_px, alone.scores)
        return self.estimate(image, self.detect(image))

    __call__ = predict

    def visualize(
        self, image: Picture, keypoints: Floats, scores: Floats, *, spine_only: bool = False
    ) -> Picture:
        """A copy of the picture with the skeletons drawn on it."""
        return draw_people(image, keypoints, scores, spine_only=spine_only)


class PoseTracker:
    """The people of a video, frame after frame, with ids that stay theirs.

    Calling it with a frame gives keypoints and scores, ``ids`` and ``track_ids_last_frame`` hold
    the people's ids of that frame, ``bboxes_last_frame`` their boxes; ``track`` gives all of it.
    Without ``tracking`` nobody has an id, unless ``smoothing`` needs one. ``one_euro`` sets the
    smoothing. Further arguments go to ``solution``, and those of the ``spinepose`` package to
    ``legacy``.
    """

    def __init__(
        self,
        solution: Callable[..., SpinePoseEstimator] = SpinePoseEstimator,
        mode: str = "large",
        det_frequency: int = 1,
        max_detections: int = 10,
        tracking: bool = True,
        tracking_thr: float | None = None,
        smoothing: bool = False,
        smoothing_freq: float = 30.0,
        *,
        one_euro: OneEuro | None = None,
        model_version: str = "latest",
        detector: str | Path | None = None,
        **others: Any,
    ) -> None:
        pixels: dict[str, Any] = {
            name: others.pop(name) for name in legacy.SMOOTHING if name in others
        }
        if tracking_thr is not None:
            pixels["tracking_thr"] = tracking_thr
        legacy.drop_unserved(pixels)
        self.solution = solution(
            mode=mode, model_version=model_version, detector=detector, **others
        )
        self.tracking, self.smoothing = tracking or smoothing, smoothing
        self.det_frequency, self.max_detections = det_frequency, max_detections
        self._rate_hz = smoothing_freq
        self._settings = (one_euro or OneEuro()) if smoothing else None
        self.reset()

    def reset(self) -> None:
        """Begin a new video."""
        self.ids: NDArray[np.int64] = np.empty(0, np.int64)
        self.bboxes_last_frame: list[NDArray[np.float64]] = []
        self.frame_cnt = 0
        self._video_estimator = VideoPoseEstimator(
            self.solution.model,
            self.solution.detector,
            Tracker(self._settings),
            every=self.det_frequency,
            most=self.max_detections,
            **self.solution.options,
        )

    @property
    def track_ids_last_frame(self) -> list[int]:
        """The people's ids, in the order of their keypoints."""
        return [int(number) for number in self.ids]

    def close(self) -> None:
        """Nothing has to be closed."""

    def track(self, image: Picture, time_s: float | None = None) -> Tracked:
        """The people of the next frame; without a time frames come at ``smoothing_freq``."""
        people = self._video_estimator(
            image, self.frame_cnt / self._rate_hz if time_s is None else time_s
        )
        self.frame_cnt += 1
        self.ids = people.ids if self.tracking else np.empty(0, np.int64)
        boxes = people.boxes_xywh
        self.bboxes_last_frame = list(np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]))
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
    detector: str | Path | None = None,
    hardware_acceleration: bool = True,
    mixed_precision: bool = False,
    **others: Any,
) -> NDArray[np.float64]:
    """x, y and score (P, K, 3) of the people in a picture file; nine spine points on wish.

    ``vis_path`` is where the drawing goes; no window is opened. ``others`` go to
    ``SpinePoseEstimator``.
    """
    estimator = SpinePoseEstimator(
        mode, model_version, detector, hardware_acceleration, mixed_precision, **others
    )
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
    detector: str | Path | None = None,
    max_detections: int = 10,
    hardware_acceleration: bool = True,
    mixed_precision: bool = False,
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
        hardware_acceleration=hardware_acceleration,
        mixed_precision=mixed_precision,
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

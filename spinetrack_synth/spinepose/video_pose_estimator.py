"""Pose estimation over a video: its people detected, estimated and tracked frame by frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.spinepose.boxes import box_of, only_person
from spinetrack_synth.spinepose.detector import Detector, detect
from spinetrack_synth.spinepose.image_files import Picture
from spinetrack_synth.spinepose.model import Estimate, PoseModel, estimate
from spinetrack_synth.spinepose.tracking import Tracked, Tracker

Floats = NDArray[np.float64]


class VideoPoseEstimator:
    """Asks the detector every ``every`` frames and looks where people are expected in between.

    Without a detector the first frame is taken as one person, who is then followed; where that
    person is lost the whole frame is looked at again. ``most`` limits the people of a frame to the
    best detections. ``options`` go to ``estimate``.
    """

    def __init__(
        self,
        model: PoseModel,
        detector: Detector | None,
        tracker: Tracker,
        *,
        every: int = 1,
        most: int | None = None,
        **options: Any,
    ) -> None:
        self.model, self.detector, self.tracker = model, detector, tracker
        self.every, self.most, self.options = every, most, options
        self._frame = 0

    def __call__(self, picture: Picture, time_s: float, name: str = "") -> Tracked:
        """The people of the next frame (H, W, 3) of blue, green and red; errors tell its name."""
        options = {**self.options, "name": name}
        fresh = self._frame % self.every == 0
        self._frame += 1
        if self.detector is not None and fresh:
            boxes = detect(self.detector, picture, name).boxes_xywh[: self.most]
            people = estimate(self.model, picture, boxes, image_order="bgr", **options)
            return self.tracker.update(people, boxes, time_s)
        boxes = self.tracker.expected_boxes(time_s)[: self.most]
        people = estimate(self.model, picture, boxes, image_order="bgr", **options)
        people, boxes = _there(people, boxes)
        if self.detector is None and not len(people):
            people, boxes = _there(*only_person(self.model, picture, **options))
        if self.detector is None and len(people) > 1:  # where people were lost and found again
            best = int(people.scores.mean(axis=1).argmax())
            people, boxes = people.rows([best]), boxes[[best]]
        return self.tracker.update(people, boxes, time_s, detected=False)


def _there(people: Estimate, boxes: Floats) -> tuple[Estimate, Floats]:
    """Those in whose boxes somebody was."""
    rows = [
        row
        for row, (points, scores) in enumerate(zip(people.keypoints_px, people.scores))
        if box_of(points, scores) is not None
    ]
    return people.rows(rows), boxes[np.array(rows, np.intp)]

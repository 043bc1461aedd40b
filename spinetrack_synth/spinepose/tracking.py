"""Who is who from frame to frame: an id for every person, never given twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.spinepose.boxes import box_of
from spinetrack_synth.spinepose.model import Estimate
from spinetrack_synth.spinepose.smoothing import OneEuro, PoseFilter

Floats = NDArray[np.float64]

MEMORY_S: Final = 1.5
"""So long a person may be out of sight and keep the id."""

SAME: Final = 0.9
"""Largest difference of a person from where the track expects one, in boxes (``_differences``)."""

SPREAD: Final = 0.6
"""How much larger it may be after a second out of sight."""

FORBIDDEN: Final = 1e6
"""The difference of pairs that are none."""

VELOCITY_S: Final = 0.15
"""Time constant of the velocity with which people are expected to go on."""

LEAST_WEIGHT: Final = 1e-3
"""Scores may be zero or below; weights must not be."""

TWINS: Final = 0.04
"""Two estimates whose keypoints lie this near, in boxes, are of one person."""


@dataclass(frozen=True)
class Tracked:
    """The people of a frame: ids (P,), keypoints (P, K, 2) px, scores (P, K), boxes (P, 4)."""

    ids: NDArray[np.int64]
    keypoints_px: Floats
    scores: NDArray[np.float32]
    boxes_xywh: Floats

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class _Track:
    """What is known of one person: the raw keypoints of the last sight and how they move on."""

    id: int
    points: Floats
    scores: NDArray[np.float32]
    box: Floats
    velocity: Floats
    time_s: float
    smooth: PoseFilter | None

    def ahead(self, time_s: float) -> Floats:
        """The shift (2,) expected since the last sight, px."""
        return self.velocity * (time_s - self.time_s)


class Tracker:
    """Gives ids, and smooths where ``smoothing`` is given."""

    def __init__(self, smoothing: OneEuro | None = None, memory_s: float = MEMORY_S) -> None:
        self.smoothing = smoothing
        self.memory_s = memory_s
        self._tracks: list[_Track] = []
        self._next_id = 1

    def expected_boxes(self, time_s: float) -> Floats:
        """Where the known people should be now (P, 4): boxes for a frame without a detector."""
        self._forget(time_s)
        boxes = [
            np.concatenate([track.box[:2] + track.ahead(time_s), track.box[2:]])
            for track in self._tracks
        ]
        return np.array(boxes).reshape(-1, 4)

    def update(
        self,
        people: Estimate,
        boxes_xywh: NDArray[np.floating],
        time_s: float,
        *,
        detected: bool = True,
    ) -> Tracked:
        """Name the people of a frame; the boxes (P, 4) are those they were estimated in.

        Of two estimates of one person the better is kept; where a detector gave both boxes and both
        go on known ways, they are of two people who pass each other. The others return in the
        order given.
        """
        self._forget(time_s)
        boxes = np.asarray(boxes_xywh, np.float64).reshape(-1, 4)
        if not detected:
            boxes = _own_boxes(people, boxes)
        twins = _twins(people, boxes)
        everybody = list(range(len(people)))
        rows = everybody if detected else _without_twins(people, twins, everybody)
        matched = self._match(people, boxes, rows, time_s)
        if detected:
            known = sorted(matched)
            fresh = [row for row in rows if row not in matched and not twins[row, known].any()]
            rows = sorted([*known, *_without_twins(people, twins, fresh)])
        ids, points = [], []
        for row in rows:
            track = matched.get(row)
            if track is None:
                track = self._begin(people, boxes[row], row, time_s)
            else:
                _follow(track, people, boxes[row], row, time_s)
            ids.append(track.id)
            size = float(np.sqrt(boxes[row, 2] * boxes[row, 3]))
            points.append(
                track.smooth(people.keypoints_px[row], people.scores[row], size, time_s)
                if track.smooth
                else people.keypoints_px[row]
            )
        return Tracked(
            np.array(ids, np.int64),
            np.array(points).reshape(-1, *people.keypoints_px.shape[1:]),
            people.scores[rows],
            boxes[rows],
        )

    def _match(
        self, people: Estimate, boxes: Floats, rows: list[int], time_s: float
    ) -> dict[int, _Track]:
        """The tracks of those of the rows that go on one, so that the differences are least."""
        from scipy.optimize import linear_sum_assignment

        cost = self._differences(people, boxes, rows, time_s)
        most = SAME + SPREAD * np.array([time_s - track.time_s for track in self._tracks])
        allowed = cost <= most[:, None]
        pairs = zip(*linear_sum_assignment(np.where(allowed, cost, FORBIDDEN)))
        return {rows[c]: self._tracks[t] for t, c in pairs if allowed[t, c]}

    def _forget(self, time_s: float) -> None:
        self._tracks = [t for t in self._tracks if time_s - t.time_s <= self.memory_s]

    def _begin(self, people: Estimate, box: Floats, row: int, time_s: float) -> _Track:
        track = _Track(
            id=self._next_id,
            points=people.keypoints_px[row],
            scores=people.scores[row],
            box=box,
            velocity=np.zeros(2),
            time_s=time_s,
            smooth=PoseFilter(self.smoothing) if self.smoothing else None,
        )
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _differences(
        self, people: Estimate, boxes: Floats, rows: list[int], time_s: float
    ) -> Floats:
        """How much each of the people differs from each track (T, P): the way of the box from where
        it is expected, the change of the pose, both in boxes, and the change of size."""
        if not self._tracks or not rows:
            return np.empty((len(self._tracks), len(rows)))
        expected = np.array([_centre(track.box) + track.ahead(time_s) for track in self._tracks])
        before = np.array([track.points for track in self._tracks])
        scores = np.array([track.scores for track in self._tracks])
        sizes = _sizes(np.array([track.box for track in self._tracks]))[:, None]
        way = np.linalg.norm(_centre(boxes[rows]) - expected[:, None], axis=2)
        weight = np.minimum(scores[:, None], people.scores[rows]).clip(LEAST_WEIGHT)
        weight /= weight.sum(axis=2, keepdims=True)
        move = people.keypoints_px[rows] - before[:, None]
        move -= np.einsum("tpk,tpkc->tpc", weight, move)[:, :, None]
        shape = (weight * np.linalg.norm(move, axis=3)).sum(axis=2)
        cost: Floats = (way + shape) / sizes + np.abs(np.log(_sizes(boxes[rows]) / sizes))
        return cost


def _follow(track: _Track, people: Estimate, box: Floats, row: int, time_s: float) -> None:
    step_s = time_s - track.time_s
    if step_s > 0:
        velocity = (_centre(box) - _centre(track.box)) / step_s
        share = 1 - np.exp(-step_s / VELOCITY_S)
        track.velocity = track.velocity + share * (velocity - track.velocity)
    track.points, track.scores = people.keypoints_px[row], people.scores[row]
    track.box, track.time_s = box, time_s


def _own_boxes(people: Estimate, boxes: Floats) -> Floats:
    """Boxes around the keypoints (P, 4); those given where keypoints are too few."""
    own = [
        given if (found := box_of(points, scores)) is None else found
        for points, scores, given in zip(people.keypoints_px, people.scores, boxes)
    ]
    return np.array(own).reshape(-1, 4)


def _centre(boxes: Floats) -> Floats:
    """The middles (..., 2) of boxes (..., 4)."""
    return boxes[..., :2] + boxes[..., 2:] / 2


def _twins(people: Estimate, boxes: Floats) -> NDArray[np.bool_]:
    """Which pairs (P, P) of estimates look like the same person."""
    points = people.keypoints_px
    away = np.linalg.norm(points[:, None] - points[None], axis=3).mean(axis=2)
    alike: NDArray[np.bool_] = away < TWINS * _sizes(boxes)
    return alike


def _without_twins(people: Estimate, twins: NDArray[np.bool_], rows: list[int]) -> list[int]:
    """The rows, of twins only the one with the better scores."""
    if not twins[np.ix_(rows, rows)].sum() > len(rows):
        return rows
    kept: list[int] = []
    for row in sorted(rows, key=lambda row: -people.scores[row].mean()):
        if not twins[row, kept].any():
            kept.append(row)
    return sorted(kept)


def _sizes(boxes: Floats) -> Floats:
    """The roots of the areas of boxes (P, 4), px."""
    return np.sqrt(boxes[:, 2] * boxes[:, 3])

"""Who is who from frame to frame: an id for every person, never given twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.spinepose.model import Estimate
from spinetrack_synth.spinepose.people import box_of
from spinetrack_synth.spinepose.smoothing import OneEuro, PoseFilter

Floats = NDArray[np.float64]

MEMORY_S: Final = 1.5
"""So long a person may be out of sight and keep the id."""

SAME: Final = 0.9
"""Largest difference of a person from where the track expects one, in boxes (``_differences``)."""

SPREAD: Final = 0.6
"""How much larger it may be after a second out of sight."""

VELOCITY_S: Final = 0.15
"""Time constant of the velocity with which people are expected to go on."""

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

    def update(self, people: Estimate, boxes_xywh: NDArray[np.floating], time_s: float) -> Tracked:
        """Name the people of a frame; the boxes (P, 4) are those they were estimated in.

        Of two estimates of one person the better is kept. The others return in the order given.
        """
        from scipy.optimize import linear_sum_assignment

        self._forget(time_s)
        boxes = np.array(
            [
                given if (own := box_of(points, scores)) is None else own
                for points, scores, given in zip(people.keypoints_px, people.scores, boxes_xywh)
            ]
        ).reshape(-1, 4)
        rows = _apart(people, boxes)
        cost = self._differences(people, boxes, rows, time_s)
        most = SAME + SPREAD * np.array([time_s - track.time_s for track in self._tracks])
        matched: dict[int, _Track] = {}
        if cost.size:
            allowed = cost <= most[:, None]
            pairs = linear_sum_assignment(np.where(allowed, cost, 1e6))
            for t, c in zip(*pairs):
                if allowed[t, c]:
                    matched[rows[c]] = self._tracks[t]
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
        """How much each of the people differs from each track (T, P): the way of the keypoints
        from where they are expected, as a whole and by themselves, and the change of size."""
        cost = np.empty((len(self._tracks), len(rows)))
        for t, track in enumerate(self._tracks):
            size = np.sqrt(track.box[2] * track.box[3])
            shift = track.ahead(time_s)
            for c, row in enumerate(rows):
                weight = np.minimum(track.scores, people.scores[row]).clip(1e-3)
                move = people.keypoints_px[row] - track.points - shift
                whole = np.average(move, axis=0, weights=weight)
                own = np.linalg.norm(move - whole, axis=1)
                way = np.hypot(*whole) + np.average(own, weights=weight)
                growth = np.log(np.sqrt(boxes[row, 2] * boxes[row, 3]) / size)
                cost[t, c] = way / size + abs(growth)
        return cost


def _follow(track: _Track, people: Estimate, box: Floats, row: int, time_s: float) -> None:
    step_s = time_s - track.time_s
    points, scores = people.keypoints_px[row], people.scores[row]
    if step_s > 0:
        weight = np.minimum(track.scores, scores).clip(1e-3)
        velocity = np.average(points - track.points, axis=0, weights=weight) / step_s
        share = 1 - np.exp(-step_s / VELOCITY_S)
        track.velocity = track.velocity + share * (velocity - track.velocity)
    track.points, track.scores, track.box, track.time_s = points, scores, box, time_s


def _apart(people: Estimate, boxes: Floats) -> list[int]:
    """Rows of the people without second estimates of the same person."""
    means = people.scores.mean(axis=1) if len(people) else np.empty(0)
    kept: list[int] = []
    for row in np.argsort(-means, kind="stable"):
        size = np.sqrt(boxes[row, 2] * boxes[row, 3])
        away = np.linalg.norm(people.keypoints_px[kept] - people.keypoints_px[row], axis=2)
        if not (np.median(away, axis=1) < TWINS * size).any():
            kept.append(int(row))
    return sorted(kept)

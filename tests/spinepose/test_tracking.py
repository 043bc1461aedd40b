"""Ids and smoothing against people whose ways are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.spinepose.boxes import box_of
from spinetrack_synth.spinepose.model import Estimate
from spinetrack_synth.spinepose.smoothing import FULL_SCORE, SEEN, OneEuro, PoseFilter
from spinetrack_synth.spinepose.tracking import Tracked, Tracker

RATE_HZ = 30.0
KEYPOINTS = 37


def walker(
    start_xy: tuple[float, float],
    velocity_xy: tuple[float, float],
    frames: int,
    height_px: float = 200.0,
    seed: int = 0,
) -> np.ndarray:
    """Keypoints (F, 37, 2) of somebody who walks and swings: a figure of random points."""
    rng = np.random.default_rng(seed)
    figure = rng.uniform([-0.2, -0.5], [0.2, 0.5], (KEYPOINTS, 2)) * height_px
    figure[:2] = [[-0.2 * height_px, -0.5 * height_px], [0.2 * height_px, 0.5 * height_px]]
    times_s = np.arange(frames)[:, None, None] / RATE_HZ
    swing = np.zeros((frames, KEYPOINTS, 2))
    phase = rng.uniform(0, 2 * np.pi, KEYPOINTS)
    swing[..., 0] = 0.05 * height_px * np.sin(2 * np.pi * times_s[:, :, 0] + phase)
    return np.array(start_xy) + np.array(velocity_xy) * times_s + figure + swing


def follow(
    people: list[np.ndarray],
    hidden: list[set[int]] | None = None,
    *,
    noise_px: float = 1.0,
    smoothing: OneEuro | None = None,
    seed: int = 0,
) -> list[dict[int, int]]:
    """Person -> id in every frame; people come in another order each time."""
    rng = np.random.default_rng(seed)
    hidden = hidden or [set() for _ in people]
    tracker = Tracker(smoothing)
    ids = []
    for frame in range(len(people[0])):
        there = [p for p in range(len(people)) if frame not in hidden[p]]
        rng.shuffle(there)
        points = np.array([people[p][frame] for p in there]).reshape(-1, KEYPOINTS, 2)
        points = points + rng.normal(0, noise_px, points.shape)
        scores = rng.uniform(0.5, 0.9, points.shape[:2]).astype(np.float32)
        boxes = np.array([box_of(*pair) for pair in zip(points, scores)]).reshape(-1, 4)
        tracked = tracker.update(Estimate(points, scores), boxes, frame / RATE_HZ)
        ids.append(dict(zip(there, tracked.ids.tolist())))
    return ids


def ids_of(person: int, ids: list[dict[int, int]]) -> set[int]:
    return {frame[person] for frame in ids if person in frame}


@pytest.mark.parametrize("seeds", [(1, 2), (3, 3)], ids=["two figures", "one figure twice"])
@pytest.mark.parametrize("speed", [60.0, 150.0, 400.0])
def test_ids_stay_when_people_cross(seeds: tuple[int, int], speed: float) -> None:
    frames = int(2 * 300 / speed * RATE_HZ)
    first = walker((300, 200), (speed, 0), frames, seed=seeds[0])
    second = walker((900, 205), (-speed, 0), frames, seed=seeds[1])
    ids = follow([first, second])
    assert [len(ids_of(person, ids)) for person in (0, 1)] == [1, 1]
    assert not ids_of(0, ids) & ids_of(1, ids)


def test_who_is_hidden_while_crossing_gets_the_id_back() -> None:
    frames = 120
    first = walker((300, 200), (150, 0), frames, seed=1)
    second = walker((900, 205), (-150, 0), frames, seed=2)
    apart = np.abs(first[:, :, 0].mean(axis=1) - second[:, :, 0].mean(axis=1))
    behind = set(np.flatnonzero(apart < 70).tolist())
    assert len(behind) >= 10
    ids = follow([first, second], [set(), behind])
    assert [len(ids_of(person, ids)) for person in (0, 1)] == [1, 1]


def test_a_small_person_in_view_keeps_to_itself() -> None:
    frames = 60
    large = walker((400, 300), (40, 0), frames, height_px=400, seed=1)
    small = walker((440, 280), (0, 0), frames, height_px=25, seed=2)
    hidden = set(range(20, 26))
    ids = follow([small, large], [hidden, set()], noise_px=0.3)
    assert len(ids_of(1, ids)) == 1
    assert not ids_of(0, ids) & ids_of(1, ids)


def test_ids_are_never_given_twice() -> None:
    people = [walker((300, 200), (0, 0), 200, seed=1), walker((800, 200), (0, 0), 200, seed=2)]
    ids = follow(people, [set(range(20, 120)), set()])
    assert len(ids_of(0, ids)) == 2, "away for longer than the memory: somebody new"
    assert len(ids_of(1, ids)) == 1
    assert max(max(frame.values()) for frame in ids) == 3


def test_two_estimates_of_one_person_count_once() -> None:
    person = walker((300, 200), (0, 0), 1)[0]
    points = np.array([person, person + 1.0, person + 300])
    scores = np.array([[0.5], [0.9], [0.7]]) * np.ones((1, KEYPOINTS))
    boxes = np.array([box_of(p, s) for p, s in zip(points, scores)])
    tracked = Tracker().update(Estimate(points, scores.astype(np.float32)), boxes, 0.0)
    np.testing.assert_array_equal(tracked.keypoints_px, points[1:])


def test_frames_without_people() -> None:
    tracker = Tracker(OneEuro())
    nobody = Estimate(np.empty((0, KEYPOINTS, 2)), np.empty((0, KEYPOINTS), np.float32))
    for frame in range(3):
        found: Tracked = tracker.update(nobody, np.empty((0, 4)), frame / RATE_HZ)
        assert found.keypoints_px.shape == (0, KEYPOINTS, 2)
        assert len(found) == 0


def filtered(
    truth: np.ndarray, noise: float, scores: np.ndarray, scale: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Smoothed and raw places (F, K, 2) of points, in boxes; the picture is ``scale`` larger."""
    rng = np.random.default_rng(1)
    raw = truth + rng.normal(0, noise, truth.shape)
    smooth = PoseFilter()
    places = [
        smooth(points * scale * 200, score, 200 * scale, frame / RATE_HZ)
        for frame, (points, score) in enumerate(zip(raw, scores))
    ]
    return np.array(places) / (200 * scale), raw


def rms(error: np.ndarray) -> float:
    return float(np.sqrt((error[30:] ** 2).mean()))


def test_still_points_are_calmed_and_swinging_ones_not_delayed() -> None:
    times_s = np.arange(400) / RATE_HZ
    still = np.zeros((400, 8, 2))
    swinging = np.stack([0.25 * np.sin(2 * np.pi * times_s), 0 * times_s], -1)[:, None] + still
    full = np.full((400, 8), 1.0)
    smooth, raw = filtered(still, 0.008, full)
    assert rms(smooth) < 0.75 * rms(raw)
    smooth, raw = filtered(swinging, 0.008, full)
    assert rms(smooth - swinging) < 1.15 * rms(raw - swinging)


@given(scale=st.sampled_from([0.125, 0.5, 4.0]))
def test_smoothing_does_not_depend_on_the_picture_s_size(scale: float) -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 0.02, (30, 3, 2)).cumsum(axis=0)
    scores = rng.uniform(0.3, 1, (30, 3))
    np.testing.assert_allclose(
        filtered(truth, 0.01, scores, scale)[0], filtered(truth, 0.01, scores)[0], atol=1e-9
    )


def test_a_point_of_low_score_moves_less() -> None:
    moves = []
    for score in (FULL_SCORE, 0.5 * FULL_SCORE):
        smooth = PoseFilter()
        smooth(np.zeros((1, 2)), np.array([1.0]), 200, 0.0)
        moves.append(smooth(np.array([[10.0, 0]]), np.array([score]), 200, 1 / RATE_HZ)[0, 0])
    assert moves[1] == pytest.approx(0.5 * moves[0])
    assert 0 < moves[1] < moves[0] < 10


def test_what_comes_back_is_sharp() -> None:
    place = np.array([[100.0, 100.0]])
    smooth = PoseFilter()
    for frame, (x, score) in enumerate([(0, 0.9), (0, 0.9), (50, SEEN / 2), (100, 0.9)]):
        got = smooth(np.array([[x, 100.0]]), np.array([score]), 200, frame / RATE_HZ)
    np.testing.assert_array_equal(got, place)
    after_a_gap = smooth(place + 40, np.array([0.9]), 200, 2.0)
    np.testing.assert_array_equal(after_a_gap, place + 40)

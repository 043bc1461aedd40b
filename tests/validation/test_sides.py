"""Rules of left and right on labelled points, however a file uses v and whichever points it has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clean import clean

from spinetrack_synth import skeleton
from spinetrack_synth.validation import sides
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault

COCO = 17


def people(count: int, *, v: int | None = None, keypoints: int = COCO) -> np.ndarray:
    """So many people (count, K, 3) who face the camera; ``v`` for all labelled points."""
    points = np.array([a["keypoints"] for a in clean()["annotations"]]).reshape(6, 37, 3)
    points = points[np.arange(count) % 6, :keypoints].copy()
    labelled = points[..., 2] > 0
    points[..., :2] += np.random.default_rng(3).normal(0, 0.3, points[..., :2].shape)
    points[~labelled] = 0
    if v is not None:
        points[labelled, 2] = v
    return points


def mirrored(points: np.ndarray) -> np.ndarray:
    return points[:, [index for index in skeleton.MIRROR if index < points.shape[1]]]


def exchange(points: np.ndarray, part: str) -> None:
    """Left and right of a part of the first person."""
    pair = [skeleton.INDEX[f"left_{part}"], skeleton.INDEX[f"right_{part}"]]
    points[0, pair] = points[0, pair[::-1]]


def dataset(points: np.ndarray) -> Dataset:
    data: dict[str, Any] = clean()
    data["categories"][0]["keypoints"] = list(skeleton.NAMES[: points.shape[1]])
    data["annotations"] = [
        data["annotations"][row % 6] | {"id": row + 1, "keypoints": person.ravel().tolist()}
        for row, person in enumerate(points)
    ]
    return Dataset(Path("person_keypoints_test.json"), data)


def mirrored_faults(points: np.ndarray) -> list[Fault]:
    return list(sides.mirrored_person.check(dataset(points)))


@pytest.mark.parametrize("v", [None, 1, 2])
@pytest.mark.parametrize("keypoints", [17, 26, 37])
def test_twelve_people_who_face_the_camera_mirrored(v: int | None, keypoints: int):
    points = people(12, v=v, keypoints=keypoints)
    assert mirrored_faults(points) == []
    (fault,) = mirrored_faults(mirrored(points))
    assert fault.key == "annotations"
    assert "12 of 12 people" in fault.message
    assert len(fault.covers) == 12


def test_people_cut_off_above_the_hips_mirrored():
    points = people(12, v=2)
    points[:, 11:] = 0
    assert mirrored_faults(points) == []
    assert [fault.key for fault in mirrored_faults(mirrored(points))] == ["annotations"]


@pytest.mark.parametrize("v", [None, 1, 2])
def test_one_mirrored_person_among_many_who_are_not(v: int | None):
    points = people(20, v=v)
    points[4] = mirrored(points)[4]
    assert [fault.row for fault in mirrored_faults(points)] == [4]


def test_faces_that_are_labelled_from_behind_too_say_nothing():
    points = people(20, v=2)
    points[::2] = mirrored(points)[::2]  # as if from behind, and no v that tells
    assert mirrored_faults(points) == []
    assert not sides.face_seen(dataset(points)).any()


def test_a_stray_hidden_point_does_not_tell_what_is_visible():
    points = people(20, v=2)
    points[::2] = mirrored(points)[::2]
    points[0, 9, 2] = 1
    assert mirrored_faults(points) == []


def test_few_people_say_nothing_of_the_file():
    points = mirrored(people(sides.FEWEST_FACES - 1, v=2))
    assert not sides.mirrored_whole(dataset(points))
    assert mirrored_faults(points) == []


@pytest.mark.parametrize("v", [1, 2])
@pytest.mark.parametrize("part", ["shoulder", "hip"])
def test_a_crossed_trunk_without_a_face(v: int, part: str):
    points = people(6, v=v)
    points[:, :5] = 0
    exchange(points, part)
    (fault,) = sides.trunk_crossed.check(dataset(points))
    assert fault.row == 0


@pytest.mark.parametrize("v", [1, 2])
def test_eyes_against_ears_however_v_is_used(v: int):
    points = people(6, v=v)
    exchange(points, "eye")
    (fault,) = sides.eyes_against_ears.check(dataset(points))
    assert fault.row == 0

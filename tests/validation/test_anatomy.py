"""Rules of what a body can do: planted faults are found and told with their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clean import clean

from spinetrack_synth import skeleton
from spinetrack_synth.anatomy.fit2d.swaps import SWAPS, Swapped, whole_people
from spinetrack_synth.validation import anatomy, body_fits
from spinetrack_synth.validation.body_fits import bodies_of
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Work
from spinetrack_synth.validation.registry import builtin_rules

RULES = [rule for rule in builtin_rules() if rule.family == "body"]
PERSON = 3


def told(data: dict[str, Any]) -> dict[str, list[Any]]:
    """Faults by code, of the rules of the body alone: nothing is explained by other rules."""
    dataset = Dataset(Path("person_keypoints_test.json"), data)
    faults = {rule.code: list(rule.check(dataset, Work())) for rule in RULES}
    return {code: found for code, found in faults.items() if found}


def edited(edit: Callable[[np.ndarray], None], keypoints: int = 37) -> dict[str, Any]:
    """The clean dataset with the points (37, 3) of one person edited."""
    data = clean()
    for row, annotation in enumerate(data["annotations"]):
        points = np.array(annotation["keypoints"], dtype=float).reshape(-1, 3)
        if row == PERSON:
            edit(points)
        annotation["keypoints"] = points[:keypoints].ravel().tolist()
    for category in data["categories"]:
        category["keypoints"] = category["keypoints"][:keypoints]
    return data


def untouched(points: np.ndarray) -> None:
    pass


def torso(points: np.ndarray) -> float:
    hips = points[[skeleton.INDEX["left_hip"], skeleton.INDEX["right_hip"]], :2].mean(0)
    return float(np.linalg.norm(points[skeleton.INDEX["neck"], :2] - hips))


@pytest.mark.parametrize("keypoints", [37, 26, 17])
def test_nothing_is_told_of_clean_people(keypoints: int):
    assert told(edited(untouched, keypoints)) == {}


def test_six_rules_and_more_are_registered():
    assert {rule.code for rule in RULES} == {f"SPT40{k}" for k in range(1, 9)}
    assert all(rule.slow for rule in RULES)


@pytest.mark.parametrize("name", ["spine_02", "spine_04", "neck", "neck_02"])
def test_a_spine_point_beside_the_spine(name: str):
    def push(points: np.ndarray) -> None:
        points[skeleton.INDEX[name], 0] += 0.15 * torso(points)

    found = told(edited(push))
    assert list(found) == ["SPT401"]
    (fault,) = found["SPT401"]
    assert fault.row == PERSON
    assert fault.place.startswith(f"annotations[{PERSON}].keypoints")
    assert fault.message.startswith(f"{name} lies ")
    assert "beside where" in fault.message
    assert fault.value == pytest.approx(0.15, abs=0.05)
    assert fault.fitted is not None
    assert fault.fitted.shape == (37, 2)


def test_a_spine_point_along_the_spine():
    def raise_it(points: np.ndarray) -> None:
        points[skeleton.INDEX["spine_02"], 1] -= 0.2 * torso(points)

    (fault,) = told(edited(raise_it))["SPT401"]
    assert "towards the head from where" in fault.message


@pytest.mark.parametrize("keypoints", [37, 26, 17])
def test_a_hand_out_of_reach(keypoints: int):
    def pull(points: np.ndarray) -> None:
        points[skeleton.INDEX["left_wrist"], :2] += 2.0 * torso(points)

    found = told(edited(pull, keypoints))
    assert "left_wrist" in " ".join(fault.message for fault in found["SPT402"])
    assert all(fault.row == PERSON for faults in found.values() for fault in faults)


@pytest.mark.parametrize("part", ["hip", "knee", "ankle", "shoulder"])
def test_exchanged_joints(part: str):
    def exchange(points: np.ndarray) -> None:
        pair = [skeleton.INDEX[f"left_{part}"], skeleton.INDEX[f"right_{part}"]]
        points[pair] = points[pair[::-1]]

    (fault,) = told(edited(exchange))["SPT403"]
    assert fault.row == PERSON
    assert part in fault.message


def test_exchanged_arms():
    def exchange(points: np.ndarray) -> None:
        for part in ("shoulder", "elbow", "wrist"):
            pair = [skeleton.INDEX[f"left_{part}"], skeleton.INDEX[f"right_{part}"]]
            points[pair] = points[pair[::-1]]

    (fault,) = told(edited(exchange))["SPT403"]
    assert fault.row == PERSON
    assert "left and right of the arms are exchanged" in fault.message


def test_two_points_in_each_others_place_are_one_finding():
    def exchange(points: np.ndarray) -> None:
        pair = [skeleton.INDEX["left_knee"], skeleton.INDEX["left_ankle"]]
        points[pair] = points[pair[::-1]]

    (fault,) = told(edited(exchange))["SPT402"]
    assert fault.message == "left_knee and left_ankle are in each other's place"


def many(edit: Callable[[np.ndarray], None], keypoints: int, people: int) -> dict[str, Any]:
    """A file of so many people, each labelled a little differently, all edited."""
    data = edited(untouched, keypoints)
    rng = np.random.default_rng(7)
    annotations = []
    for number in range(people):
        annotation = data["annotations"][number % 6] | {"id": number + 1}
        points = np.array(annotation["keypoints"]).reshape(-1, 3)
        points[points[:, 2] > 0, :2] += rng.normal(0, 0.5, (int((points[:, 2] > 0).sum()), 2))
        edit(points)
        annotations.append(annotation | {"keypoints": points.ravel().tolist()})
    data["annotations"] = annotations
    return data


def mirror(points: np.ndarray) -> None:
    points[:] = points[[index for index in skeleton.MIRROR if index < len(points)]]


def test_a_file_that_is_mirrored_as_a_whole_is_one_finding_without_any_face():
    def no_face(points: np.ndarray) -> None:
        mirror(points)
        points[:5] = 0

    found = told(many(no_face, 37, 18))
    assert [fault.place for fault in found["SPT404"]] == ["annotations"]
    assert len(found["SPT404"][0].covers) == 18


def test_the_whole_file_is_judged_by_the_mean_gain():
    gain = 1.0 + np.linspace(-0.5, 0.5, 12)
    assert anatomy.mirrored_by_gains(gain)
    assert not anatomy.mirrored_by_gains(-gain)
    assert not anatomy.mirrored_by_gains(gain[: anatomy.FEWEST_PEOPLE - 1])
    giant = np.array([500.0] + 11 * [-1.0])
    assert not anatomy.mirrored_by_gains(giant)


def test_the_legs_of_everybody_are_no_mirrored_file():
    def exchange(points: np.ndarray) -> None:
        points[:5] = 0
        for part in ("hip", "knee", "ankle", "big_toe", "small_toe", "heel"):
            pair = [skeleton.INDEX[f"left_{part}"], skeleton.INDEX[f"right_{part}"]]
            points[pair] = points[pair[::-1]]

    found = told(many(exchange, 37, 12))
    assert len(found["SPT403"]) > 6
    assert "SPT404" not in found


def test_a_finding_of_a_limb_says_how_sure_it_is():
    def exchange(points: np.ndarray) -> None:
        pair = [skeleton.INDEX["left_hip"], skeleton.INDEX["right_hip"]]
        points[pair] = points[pair[::-1]]

    (fault,) = told(edited(exchange))["SPT403"]
    assert fault.sure is not None
    assert 0.9 < fault.sure <= 1
    assert f"({100 * fault.sure:.0f} % sure)" in fault.message
    assert anatomy.how_sure(12.0) == pytest.approx(0.34, abs=0.02)
    assert anatomy.how_sure(12.0) < anatomy.how_sure(20.0)


def test_a_gain_that_the_labels_only_missed_is_taken_back():
    """The people as labelled are searched again, as long as the exchanged ones."""
    found = bodies_of(Dataset(Path("a.json"), edited(untouched, 17)), Work())
    fits = found.fits
    poor = fits._replace(cost=fits.cost + 30.0)
    tried = Swapped(np.full(6, list(SWAPS).index("legs")), np.full(6, 30.0), np.zeros((6, 37, 2)))
    checked = body_fits._checked(found.model, found.sightings, poor, tried, found.noise, 1)
    assert (checked.gain < 15).all()


def test_arms_and_legs_without_a_face_are_the_whole_person():
    found = bodies_of(Dataset(Path("a.json"), edited(untouched, 17)), Work())
    swaps = np.full(6, list(SWAPS).index("arms and legs"))
    assert not whole_people(found.sightings, found.fits, swaps).any()
    found.sightings.visible[:, :5] = False
    assert whole_people(found.sightings, found.fits, swaps).all()
    legs = np.full(6, list(SWAPS).index("legs"))
    assert not whole_people(found.sightings, found.fits, legs).any()


def test_animals_are_not_fitted():
    dataset = Dataset(Path("a.json"), clean())
    humans = np.arange(6) != PERSON
    dataset.__dict__["people"] = humans
    assert bodies_of(dataset, Work()).rows.tolist() == np.flatnonzero(humans).tolist()


def test_hurried_people_are_fitted_in_their_order(monkeypatch: pytest.MonkeyPatch):
    """In a large file of hard people only some are searched for thoroughly."""

    def spoil(points: np.ndarray) -> None:
        points[skeleton.INDEX["left_wrist"], :2] += 2.0 * torso(points)

    data = edited(untouched)
    for annotation in data["annotations"]:
        points = np.array(annotation["keypoints"]).reshape(-1, 3)
        spoil(points)
        annotation["keypoints"] = points.ravel().tolist()
    calm = bodies_of(Dataset(Path("a.json"), data), Work())
    monkeypatch.setattr(body_fits, "MOST_HARD", 2)
    hurried = bodies_of(Dataset(Path("a.json"), data), Work())
    assert len(hurried.doubtful) == 2 < len(calm.doubtful)
    wrist = skeleton.INDEX["left_wrist"]
    assert hurried.fits.dropped[:, wrist].all()
    away = np.linalg.norm(hurried.fits.projected_px - calm.fits.projected_px, axis=2)
    assert np.median(away) < 0.1 * np.median(calm.fits.torso_px)


def test_two_people_in_one():
    other = np.array(clean()["annotations"][2]["keypoints"]).reshape(-1, 3)

    def mix(points: np.ndarray) -> None:
        points[::2] = other[::2]

    found = told(edited(mix))
    assert PERSON in {fault.row for faults in found.values() for fault in faults}


def test_points_at_one_place_are_not_fitted():
    def gather(points: np.ndarray) -> None:
        points[:, :2] = (300, 200)

    found = told(edited(gather))
    assert list(found) == ["SPT408"]
    assert found["SPT408"][0].row == PERSON


def test_few_points_are_not_worth_a_word():
    def hide(points: np.ndarray) -> None:
        points[2:] = 0

    assert told(edited(hide)) == {}


@pytest.mark.parametrize("value", [1e300, -1e300, 1e18, 0.0])
def test_numbers_beyond_pictures_never_stop_the_rules(value: float):
    def spoil(points: np.ndarray) -> None:
        points[5, 0] = value
        points[6, 1] = -value

    told(edited(spoil))


@pytest.mark.parametrize(
    "camera", [None, "K", [], [[1, 2], 3], [[0] * 3] * 3, [["a"] * 3] * 3, [[1e999] * 3] * 3]
)
def test_cameras_that_are_none_are_guessed(camera: Any):
    data = clean()
    for image in data["images"]:
        image["K"] = camera
    dataset = Dataset(Path("a.json"), data)
    found = bodies_of(dataset, Work())
    assert not found.sightings.focal_known.any()
    assert found.fits.fitted.all()


def test_images_without_a_size():
    data = clean()
    for image in data["images"]:
        image.pop("width")
        image.pop("K", None)
    assert told(data) == {}


def test_the_file_is_fitted_once():
    dataset = Dataset(Path("a.json"), clean())
    assert bodies_of(dataset, Work()) is bodies_of(dataset, Work())


def test_a_joint_beyond_its_limit_and_a_bone_out_of_proportion_are_told():
    # What the fit found is changed: whether labels lead there is the calibration's matter.
    dataset = Dataset(Path("a.json"), clean())
    found = bodies_of(dataset, Work())
    knee, forearm = found.names.index("knee_angle_r"), found.names.index("forearm")
    found.fits.columns[1, knee] = np.radians(-40)
    found.fits.columns[2, forearm] *= 1.5
    (fault,) = anatomy.joint_beyond_limit.check(dataset, Work())
    assert (fault.row, fault.value) == (1, 40.0)
    assert "knee_angle_r would be -40 degrees, 40 beyond its range of 0 to 160" in fault.message
    (fault,) = anatomy.bone_out_of_proportion.check(dataset, Work())
    assert fault.row == 2
    assert "forearm" in fault.message

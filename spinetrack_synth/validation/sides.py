"""Rules of left and right that need no body model (SPT50x).

Bodies are stiff across: the lines from right to left through eyes, ears, shoulders, clavicles,
latissimus and hips stay nearly parallel, and so do their projections where they are seen long.
The limits are measured on 4,000 projections of the pose library from all sides
(``benchmarks/validate.py --calibrate``), with room to spare.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco.document import Floats, rows_where
from spinetrack_synth.coco.proportions import pixels_per_metre
from spinetrack_synth.lengths import distance_m
from spinetrack_synth.validation.dataset import Dataset
from spinetrack_synth.validation.findings import Fault, Severity
from spinetrack_synth.validation.rules import rule

WIDTHS_M: Final = {
    name: distance_m(f"left_{name}", f"right_{name}")
    for name in ("eye", "ear", "shoulder", "clavicle", "latissimus", "hip")
}
"""Distance from left to right in the standing model, m."""
SEEN_LONG: Final = 0.6
"""Share of its width a pair must show. On clean poses the pairs of the trunk then never point
apart by more than 80 degrees, eyes and ears by more than 3."""
OPPOSED: Final = -0.5
"""Cosine of the angle between pairs that point opposite ways."""
LEAST_PX: Final = 4.0
"""Shorter pairs say nothing: labels are a pixel or two off."""
FEET_M: Final = 0.15
"""By so much the ankles must be nearer to the other feet's heels; on clean poses 0.10 at most."""

FACE: Final = ("nose", "left_eye", "right_eye")
FACING: Final = 0.5
"""Sine of the turn beyond which face or trunk are seen from the front; negative, from behind."""
LEAST_UP_M: Final = 0.25
"""A trunk that is seen shorter says nothing."""
HIDDEN: Final = 0.005
"""Where v tells what is hidden, more of the points than this have v = 1: 8 % in COCO."""
FEWEST_FACES: Final = 8
MOSTLY: Final = 0.9
"""So many people, and such a part of them, say something about the whole file: of 10 people seen
from anywhere, 9 or more lie the same way round by chance twice in a hundred times."""

BEFORE: Final = (
    "SPT306", "SPT307", "SPT308", "SPT309", "SPT310", "SPT311", "SPT351", "SPT355", "SPT704",
)  # fmt: skip
"""Rules that explain why a point is in an odd place."""


def across(dataset: Dataset, name: str) -> Floats:
    """From right to left (N, 2) px through a pair of keypoints; nan where it is seen short."""
    vector = (dataset.point(f"left_{name}") - dataset.point(f"right_{name}"))[:, :2]
    length = np.linalg.norm(vector, axis=1)
    least = np.fmax(SEEN_LONG * WIDTHS_M[name] * pixels_per_metre(dataset), LEAST_PX)
    vector[~(length > least)] = np.nan
    return vector


def cosine(a: Floats, b: Floats) -> Floats:
    """Cosine (N,) of the angle between vectors (N, 2)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        result: Floats = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return result


FEET: Final = (("ankle", "heel"), ("big_toe", "small_toe"))
"""Pairs of points of one foot that lie 7 cm apart."""


def feet_crossed_m(dataset: Dataset, a: str, b: str) -> Floats:
    """By how much (N,) a point of each foot is nearer to another point of the other foot."""

    def distance(a: str, b: str) -> Floats:
        apart: Floats = np.linalg.norm((dataset.point(a) - dataset.point(b))[:, :2], axis=1)
        return apart

    own = distance(f"left_{a}", f"left_{b}") + distance(f"right_{a}", f"right_{b}")
    other = distance(f"left_{a}", f"right_{b}") + distance(f"right_{a}", f"left_{b}")
    return (own - other) / pixels_per_metre(dataset)


@rule(
    "SPT501",
    "eyes-against-ears",
    family="left/right",
    severity=Severity.WARNING,
    reason="""Eyes and ears sit on one skull: if the left eye lies on one side of the right one,
    so does the left ear. One of the two pairs is exchanged.""",
    example="`left_eye` and `right_eye` exchanged in a frontal face",
    needs=("names",),
    unless=BEFORE,
)
def eyes_against_ears(dataset: Dataset) -> Iterator[Fault]:
    """Eyes and ears disagree about left and right."""
    for row in rows_where(cosine(across(dataset, "eye"), across(dataset, "ear")) < OPPOSED):
        message = "eyes and ears point opposite ways: one pair is exchanged, left for right"
        yield dataset.annotation_fault(row, message, field=".keypoints", part="eyes")


@rule(
    "SPT502",
    "trunk-crossed",
    family="left/right",
    severity=Severity.WARNING,
    reason="""The trunk turns by some 50 degrees between hips and shoulders. Pairs that point
    opposite ways are not twisted but exchanged.""",
    example="`left_hip` and `right_hip` exchanged",
    needs=("names",),
    unless=BEFORE,
)
def trunk_crossed(dataset: Dataset) -> Iterator[Fault]:
    """Shoulders, clavicles, latissimus and hips disagree about left and right."""
    names = ("shoulder", "clavicle", "latissimus", "hip")
    vectors = {name: across(dataset, name) for name in names}
    opposed = {
        name: sum(
            (cosine(vectors[name], vectors[other]) < OPPOSED).astype(int)
            for other in names
            if other != name
        )
        for name in names
    }
    counts = np.stack([opposed[name] for name in names], axis=1)
    for row in rows_where(counts.any(1)):
        most = counts[row].max()
        odd = [name for name, count in zip(names, counts[row]) if count == most]
        if len(odd) == 1:
            message = f"left_{odd[0]} and right_{odd[0]} are exchanged"
        else:
            message = f"{' and '.join(odd)} pairs point opposite ways: one of them is exchanged"
        yield dataset.annotation_fault(row, message, field=".keypoints", part=odd[0])


@rule(
    "SPT503",
    "feet-crossed",
    family="left/right",
    severity=Severity.WARNING,
    reason="""Ankle and heel, big and small toe are 7 cm apart. When both lie at the other foot's,
    one of the pairs is exchanged.""",
    example="`left_ankle` and `right_ankle` exchanged, the feet not",
    needs=("names",),
    unless=(*BEFORE, "SPT502"),
)
def feet_crossed(dataset: Dataset) -> Iterator[Fault]:
    """Points of one foot lie at the other foot."""
    least = np.fmax(FEET_M, LEAST_PX / pixels_per_metre(dataset))
    told: set[int] = set()
    for a, b in FEET:
        for row in rows_where(feet_crossed_m(dataset, a, b) > least):
            if row not in told:
                told.add(row)
                message = f"each {a} lies at the other foot's {b}: a pair is exchanged"
                yield dataset.annotation_fault(row, message, field=".keypoints", part=a)


@rule(
    "SPT504",
    "mirrored-person",
    family="left/right",
    severity=Severity.WARNING,
    reason="""Nose and both eyes are visible, so the face is seen from the front; but eyes,
    shoulders and hips lie as if seen from behind. The whole person is labelled in a mirror: the
    picture was flipped without exchanging left and right, or the annotator labelled his own
    sides.""",
    example="a flipped image whose keypoints kept their names",
    needs=("names",),
    unless=(*BEFORE, "SPT501", "SPT502", "SPT503"),
)
def mirrored_person(dataset: Dataset) -> Iterator[Fault]:
    """A person whose face is visible is labelled as if seen from behind."""
    behind = _oriented(dataset, -1)
    if mirrored_whole(dataset):
        rows = rows_where(behind)
        whole = len(rows) + int(_oriented(dataset, 1).sum())
        yield Fault(
            "annotations",
            "annotations",
            f"left and right are exchanged in the whole file: {len(rows)} of {whole} people whose "
            "face is labelled lie as if seen from behind",
            value=round(len(rows) / whole, 3),
            covers=tuple(dataset.key("annotations", row) for row in rows),
        )
        return
    for row in rows_where(behind & face_seen(dataset)):
        message = "the face is visible, but left and right lie as if seen from behind"
        yield dataset.annotation_fault(row, message, field=".keypoints")


def mirrored_whole(dataset: Dataset) -> bool:
    """Do (nearly) all people of a file whose face is labelled lie as if seen from behind?"""
    behind, front = (int(_oriented(dataset, way).sum()) for way in (-1, 1))
    return behind + front >= FEWEST_FACES and behind >= MOSTLY * (behind + front)


def face_seen(dataset: Dataset) -> NDArray[np.bool_]:
    """Whose face (N,) is visible, not only labelled: by v where v tells it. Where v is the same
    everywhere, faces are labelled only where they are seen if next to nobody lies as if seen from
    behind; else nobody's is known to be seen."""
    visible = _face_visible(dataset)
    if _v_tells(dataset):
        return visible
    behind, front = (int(_oriented(dataset, way).sum()) for way in (-1, 1))
    return visible & (front >= FEWEST_FACES and front >= MOSTLY * (behind + front))


def _v_tells(dataset: Dataset) -> bool:
    """Does a file tell hidden points from visible ones?"""
    v = dataset.keypoints[..., 2][dataset.labelled]
    return len(v) > 0 and bool(np.mean(v == 1) > HIDDEN < np.mean(v == 2))


def _face_visible(dataset: Dataset) -> NDArray[np.bool_]:
    """Whose face (N,) is labelled, and visible where v tells that."""
    v = np.stack([dataset.point(name)[:, 2] for name in FACE])
    return np.asarray((v == 2 if _v_tells(dataset) else v > 0).all(0))


def face_turn(dataset: Dataset) -> Floats:
    """Sine (N,) of the turn from nose to eyes to left eye: positive where, as labelled, the face
    is seen from the front."""
    nose, left, right = (dataset.point(name) for name in FACE)
    return _turn(((left + right) / 2 - nose)[:, :2], across(dataset, "eye"))


def _oriented(dataset: Dataset, way: int) -> NDArray[np.bool_]:
    """Who (N,) is labelled as if seen from the front (``way`` 1) or from behind (-1) by face and
    trunk alike, of those whose face is labelled, and visible where v tells that."""

    def measure() -> Floats:
        middle = {
            part: (dataset.point(f"left_{part}") + dataset.point(f"right_{part}"))[:, :2] / 2
            for part in ("eye", "shoulder", "hip")
        }
        up = middle["shoulder"] - middle["hip"]
        # A person cut off above the hips has the head above the shoulders.
        cut = ~np.isfinite(up).all(1)
        up[cut] = (middle["eye"] - middle["shoulder"])[cut]
        up[~(np.linalg.norm(up, axis=1) > LEAST_UP_M * pixels_per_metre(dataset))] = np.nan
        trunk = [_turn(up, across(dataset, part)) for part in ("shoulder", "hip")]
        trunk[1] = np.where(cut, trunk[0], trunk[1])
        return np.stack([face_turn(dataset), *trunk])

    turns = dataset.once("orientation", measure)
    return np.asarray((way * turns > FACING).all(0) & _face_visible(dataset))


def _turn(up: Floats, left: Floats) -> Floats:
    """Sine (N,) of the turn from up to left: positive where the front is seen (y is down)."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        lengths = np.linalg.norm(up, axis=1) * np.linalg.norm(left, axis=1)
        turn: Floats = (up[:, 0] * left[:, 1] - up[:, 1] * left[:, 0]) / lengths
    return turn

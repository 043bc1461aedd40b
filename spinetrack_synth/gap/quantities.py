"""What is measured of a person in the picture: angles of joints and spine, lengths.

All are of the projection. Angles between three points are the joint's own only where its plane
lies in the picture; turns of the spine are lordosis and kyphosis only from the side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.gap.labels import Bools, Floats
from spinetrack_synth.gap.spine_shape import SEEN_SHARE, SPINE, spine_length
from spinetrack_synth.spinepose.angles import REGIONS, spine_angles

LEAST_SEGMENT: Final = 0.03
"""A limb's segment labelled shorter than this share of the box's diagonal points to the camera: it
has no direction that the picture shows."""

TURN: Final = 360.0


@dataclass(frozen=True)
class Quantity:
    """Something measured: ``title`` in words, ``unit``, and ``period`` after which it is the same
    again (inf where it never is)."""

    name: str
    title: str
    unit: str
    period: float = float("inf")


JOINTS: Final[dict[str, tuple[str, str, str]]] = {
    f"{side}_{joint}": (f"{side}_{parts[0]}", f"{side}_{parts[1]}", f"{side}_{parts[2]}")
    for joint, parts in {
        "elbow": ("shoulder", "elbow", "wrist"),
        "shoulder": ("hip", "shoulder", "elbow"),
        "hip": ("shoulder", "hip", "knee"),
        "knee": ("hip", "knee", "ankle"),
        "ankle": ("knee", "ankle", "big_toe"),
    }.items()
    for side in ("left", "right")
}
"""The three points of every joint's angle, 0 to 180 degrees; 180 is straight."""

QUANTITIES: Final = {
    quantity.name: quantity
    for quantity in (
        *(Quantity(name, name.replace("_", " "), "°") for name in JOINTS),
        Quantity("trunk_lean", "trunk lean", "°", TURN),
        Quantity("neck", "neck against trunk", "°", TURN),
        *(Quantity(f"{region}_turn", f"{region} turn", "°", TURN) for region in REGIONS),
        Quantity("spine_lean", "spine lean, sacrum to C7", "°", TURN),
        Quantity("lordosis", "lumbar lordosis, from the side", "°", TURN),
        Quantity("kyphosis", "thoracic kyphosis, from the side", "°", TURN),
        Quantity("torso_length", "torso length", "% of box"),
        Quantity("shoulder_width", "shoulder width", "% of box"),
        Quantity("spine_length", "spine length", "% of box"),
    )
}
"""``trunk_lean``: from mid-hips to mid-shoulders against the picture's vertical, positive to the
right. ``neck``: from there on to the middle of the ears, clockwise against the trunk. Turns,
spine lean, lordosis and kyphosis as ``predict`` has them (``spinepose.angles``). Lengths in percent
of the labelled box's diagonal."""


def measure(
    labelled: Floats, found: Floats, known: Bools, diagonal: Floats
) -> dict[str, tuple[Floats, Floats]]:
    """Every quantity of labels and predictions, each (N,); nan where a point is missing on either
    side or where the labels show a segment end on.

    ``labelled``, ``found`` (N, 37, 2) px, ``known`` (N, 37) which points are labelled,
    ``diagonal`` (N,) px of the labelled boxes. From which side a person is seen is told by the
    labels, for both.
    """
    both = known & np.isfinite(found).all(-1)
    labelled, found = (np.where(both[..., None], points, np.nan) for points in (labelled, found))
    truth = spine_angles(labelled, both * 1.0, 0.5)
    own = spine_angles(found, both * 1.0, 0.5)
    result = {
        name: (_between(labelled, parts, LEAST_SEGMENT * diagonal), _between(found, parts))
        for name, parts in JOINTS.items()
    }
    limit = LEAST_SEGMENT * diagonal
    result["trunk_lean"] = (_lean(_trunk(labelled), limit), _lean(_trunk(found)))
    result["neck"] = (
        _turn(_trunk(labelled), _neck(labelled), limit),
        _turn(_trunk(found), _neck(found)),
    )
    for column, (name, segments) in enumerate(REGIONS.items()):
        seen = np.stack([_length(labelled, *segment) for segment in segments]).min(0)
        shown = seen > SEEN_SHARE * np.nan_to_num(spine_length(labelled[:, SPINE]))
        turns = (np.where(shown, truth.turn_deg[:, column], np.nan), own.turn_deg[:, column])
        result[f"{name}_turn"] = turns
        clinical = {"lumbar": ("lordosis", -1), "thoracic": ("kyphosis", 1)}.get(name)
        if clinical is not None:
            sign = np.where(truth.facing != 0, clinical[1] * truth.facing, np.nan)
            result[clinical[0]] = (sign * turns[0], sign * turns[1])
    result["spine_lean"] = (truth.lean_deg, own.lean_deg)
    for name, length in LENGTHS.items():
        result[name] = (100 * length(labelled) / diagonal, 100 * length(found) / diagonal)
    return {name: result[name] for name in QUANTITIES}


def _at(points: Floats, name: str) -> Floats:
    return points[:, skeleton.INDEX[name]]


def _middle(points: Floats, part: str) -> Floats:
    return (_at(points, f"left_{part}") + _at(points, f"right_{part}")) / 2


def _length(points: Floats, start: str, end: str) -> Floats:
    length: Floats = np.linalg.norm(_at(points, end) - _at(points, start), axis=-1)
    return length


def _trunk(points: Floats) -> Floats:
    return _middle(points, "shoulder") - _middle(points, "hip")


def _neck(points: Floats) -> Floats:
    return _middle(points, "ear") - _middle(points, "shoulder")


LENGTHS: Final[dict[str, Callable[[Floats], Floats]]] = {
    "torso_length": lambda points: np.asarray(np.linalg.norm(_trunk(points), axis=-1)),
    "shoulder_width": lambda points: _length(points, "left_shoulder", "right_shoulder"),
    "spine_length": lambda points: spine_length(points[:, SPINE]),
}


def _between(points: Floats, parts: tuple[str, str, str], least: Floats | float = 0) -> Floats:
    """The angle (N,) at the middle one of three points, 0 to 180 degrees."""
    start, joint, end = (_at(points, part) for part in parts)
    return np.abs(_turn(start - joint, end - joint, least))


def _lean(way: Floats, least: Floats | float = 0) -> Floats:
    return _turn(np.broadcast_to(np.array([0.0, -1.0]), way.shape), way, least, second_alone=True)


def _turn(
    first: Floats, second: Floats, least: Floats | float = 0, *, second_alone: bool = False
) -> Floats:
    """From one direction (N, 2) to the other in degrees, clockwise as seen; nan where one is not
    longer than ``least`` px."""
    shortest = np.linalg.norm(second, axis=-1)
    if not second_alone:
        shortest = np.minimum(shortest, np.linalg.norm(first, axis=-1))
    cross = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
    turn = np.degrees(np.arctan2(cross, (first * second).sum(-1)))
    return np.where(shortest > least, turn, np.nan)

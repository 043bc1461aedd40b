"""Hands on a thing: what holding it asks of the contact solver, and where the thing then is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.poses.equipment import GRIPS, Grip
from spinetrack_synth.poses.library import Hold
from spinetrack_synth.poses.meetings import PALM_GAP_M, PALM_SIDE, Meeting, palm_height_m
from spinetrack_synth.poses.skin import SkinProbe

Array = NDArray[np.float64]

GRASP_SIGMA_M: Final = 0.004
"""How exactly two hands agree on one thing."""

TO_KNUCKLES: Final = 0.48
BAND: Final = 0.06
"""Of a hand's length, from the wrist: where a bar crosses the palm, before the knuckles; and the
skin about there that it lies on."""

ACROSS: Final = np.array([0.0, 0.0, 1.0])
"""Of a hand's body: towards the right in the anatomical position, across the palm."""

BESIDE_SPINE_M: Final = 0.03
BACK_GAP_M: Final = 0.008
"""Where a bar on the back touches it: beside the midline, and the cloth and flesh between."""

_UPPER_BACK: Final = ("T2", "T1", "T3")


@dataclass(frozen=True)
class Grasp:
    """A hold as a posture begins it: where in each hand's frame the thing goes on to the other
    hand, (3,) each, and how far the hands are apart."""

    hold: Hold
    towards: tuple[Array, ...]
    apart_m: float

    @property
    def grip(self) -> Grip:
        return GRIPS[self.hold.thing]


def grasps(tree: Tree, q: Array, skin: SkinProbe, holds: Iterable[Hold]) -> tuple[Grasp, ...]:
    """What hands that are about to hold things at q (n,) reach for."""
    return tuple(_grasp(tree, body_transforms(tree, q), skin, hold) for hold in holds)


def _grasp(tree: Tree, body2world: Array, skin: SkinProbe, hold: Hold) -> Grasp:
    if len(hold.hands) == 1:
        return Grasp(hold, (), 0.0)
    grip = GRIPS[hold.thing]
    frames = [body2world[_body(tree, hand)] for hand in hold.hands]
    places = [
        frame[:3, :3] @ grip_place_m(skin, hand, grip) + frame[:3, 3]
        for hand, frame in zip(hold.hands, frames)
    ]
    way = places[1] - places[0]
    towards = []
    for frame, sign in zip(frames, (1.0, -1.0)):
        if grip.kind == "box":
            towards.append(PALM_SIDE)
        else:
            towards.append(ACROSS * np.sign(sign * way @ frame[:3, 2]))
    apart = grip.apart_m if grip.apart_m is not None else float(np.linalg.norm(way))
    return Grasp(hold, tuple(towards), apart)


def grasp_meetings(tree: Tree, skin: SkinProbe, grasp: Grasp) -> list[Meeting]:
    """What brings two hands onto one thing: each finds the other where the thing leads to, and the
    thing's middle where it lies against the back."""
    hold = grasp.hold
    bodies = [_body(tree, hand) for hand in hold.hands]
    places = [grip_place_m(skin, hand, grasp.grip) for hand in hold.hands]
    found = []
    for k in range(len(grasp.towards)):
        other = 1 - k
        there = places[k] + grasp.apart_m * grasp.towards[k]
        found.append(Meeting((bodies[k], bodies[other]), (there, places[other]), GRASP_SIGMA_M))
    if hold.against:
        trunk, back = _on_back_m(tree, skin, grasp.grip)
        for body, place, towards in zip(bodies, places, grasp.towards):
            middle = place + grasp.apart_m / 2 * towards
            found.append(Meeting((body, trunk), (middle, back), GRASP_SIGMA_M))
    return found


def grip_place_m(skin: SkinProbe, hand: str, grip: Grip) -> Array:
    """Where the middle of a thing lies in a hand, (3,) m in its frame: a bar where the fingers
    begin, a box on the balls of the palm."""
    side = hand.partition("_")[0]
    fingers = skin.offset_m[
        np.concatenate([skin.patches[f"{side}_palm_{part}"] for part in ("radial", "ulnar")])
    ]
    length = -float(skin.offset_m[skin.patches[f"{side}_fingertips"], 1].min())
    along = -TO_KNUCKLES * length
    out = palm_height_m(skin, hand) + PALM_GAP_M
    if grip.kind == "bar":
        mine = skin.offset_m[skin.body == skin.body[skin.patches[f"{side}_palm_heel"][0]]]
        low, high = np.percentile(fingers[:, 2], [10, 90])
        band = (np.abs(mine[:, 1] - along) < BAND * length) & (low < mine[:, 2])
        out = float(np.percentile(mine[band & (mine[:, 2] < high), 0], 90)) + PALM_GAP_M
    return np.array([out + grip.half_m[0], along, float(fingers[:, 2].mean())])


def thing_frame(tree: Tree, q: Array, skin: SkinProbe, hold: Hold) -> Array:
    """Where a held thing is at q (n,): its frame (4, 4) in the world, the grip at its origin.

    Between two hands its Z goes from the left to the right one; in one hand it is that hand's. Its
    Y is up in what hangs, else as in the hands, towards the wrists.
    """
    grip = GRIPS[hold.thing]
    frames = [body_transforms(tree, q)[_body(tree, hand)] for hand in hold.hands]
    places = [
        frame[:3, :3] @ grip_place_m(skin, hand, grip) + frame[:3, 3]
        for hand, frame in zip(hold.hands, frames)
    ]
    z = frames[0][:3, 2] if len(frames) == 1 else places[0] - places[1]
    plumb = grip.hangs and len(frames) == 1
    if plumb:  # it turns in the hand
        z = z * [1.0, 0.0, 1.0]
    z = z / np.linalg.norm(z)
    level = plumb or grip.kind == "box"
    up = np.array([0.0, 1.0, 0.0]) if level else np.mean([f[:3, 1] for f in frames], axis=0)
    y = up - (up @ z) * z
    y /= np.linalg.norm(y)
    frame = np.eye(4)
    frame[:3, :3] = np.stack([np.cross(y, z), y, z], axis=1)
    frame[:3, 3] = np.mean(places, axis=0)
    return frame


def _on_back_m(tree: Tree, skin: SkinProbe, grip: Grip) -> tuple[int, Array]:
    """Body of the upper back, and where a bar lies behind it, (3,) m in its frame."""
    for name in _UPPER_BACK:
        body = tree.body_index[name]
        near = np.abs(skin.offset_m[:, 2]) < BESIDE_SPINE_M
        points = skin.offset_m[(skin.body == body) & near & (skin.offset_m[:, 0] < 0.0)]
        if len(points):
            out = float(points[:, 0].min()) - grip.half_m[0] - BACK_GAP_M
            return body, np.array([out, float(points[:, 1].mean()), 0.0])
    raise ValueError("no skin on the upper back")


def _body(tree: Tree, hand: str) -> int:
    return tree.body_index[f"hand_{hand[0]}"]

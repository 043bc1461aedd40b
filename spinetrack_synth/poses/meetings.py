"""Places of the skin that come together: what a reach asks of the contact solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import points_world
from spinetrack_synth.poses.contact_solver.solver import (
    FACING_BACK_SIGMA_M,
    FACING_SIGMA_M,
    REACH_SIGMA_M,
)
from spinetrack_synth.poses.library import Reach
from spinetrack_synth.poses.regions import REGIONS
from spinetrack_synth.poses.skin import SkinProbe

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

HOLD_GAP_M: Final = 0.007
PALM_GAP_M: Final = 0.001
"""Between a palm and what it holds: cloth, and what stands out of the palm; and between palms."""

FACING_LEVER_M: Final = 0.06
"""Of the points before and behind a palm that turn it towards what it holds: with their sigma, they
let it be off by some 20 degrees."""

PALM_SIDE: Final = np.array([1.0, 0.0, 0.0])
"""Of a hand's body: the palm faces forward in the anatomical position."""

TO_FINGERS: Final = 0.35
"""Where a palm takes hold, from its heel to the middle of the fingers."""

_PALM: Final = ("palm_heel", "palm_radial", "palm_ulnar")

ABOUT_M: Final = 0.03
"""Skin this near counts for the direction that a place of it faces."""


@dataclass(frozen=True)
class Meeting:
    """Two places that come together within a sigma: on bodies (2,), at offsets (2, 3) m in them."""

    body: tuple[int, int]
    offset_m: tuple[Array, Array]
    sigma_m: float

    def distance_m(self, body2world: Array) -> float:
        places = points_world(body2world, np.array(self.body), np.array(self.offset_m))
        return float(np.linalg.norm(places[0] - places[1]))


def meetings(skin: SkinProbe, reach: Reach) -> list[Meeting]:
    """What a reach brings together: patch on patch where both regions have the same ones (palm on
    palm), else middle on middle. A hand that holds something also faces it."""
    ours, theirs = REGIONS[reach.region], REGIONS[reach.target]
    kinds = [[patch.partition("_")[2] for patch in patches] for patches in (ours, theirs)]
    if kinds[0] == kinds[1] and len(ours) > 1:
        pairs = [
            (_middle(skin, skin.patches[a]), _middle(skin, skin.patches[b]))
            for a, b in zip(ours, theirs, strict=True)
        ]
        offset_m = skin.offset_m
        if kinds[0] == list(_PALM):  # flat, whatever the hollows of its skin
            offset_m = offset_m.copy()
            for a, b in pairs:
                offset_m[[a, b], 0] = palm_height_m(skin, reach.region) + PALM_GAP_M
        return [
            Meeting(
                (int(skin.body[a]), int(skin.body[b])), (offset_m[a], offset_m[b]), REACH_SIGMA_M
            )
            for a, b in pairs
        ]
    whole = [np.concatenate([skin.patches[p] for p in patches]) for patches in (ours, theirs)]
    one, other = _middle(skin, whole[0]), _middle(skin, whole[1])
    bodies = (int(skin.body[one]), int(skin.body[other]))
    place, target = _place(skin, reach.region, one), _place(skin, reach.target, other)
    if not reach.holds:
        return [Meeting(bodies, (place, target), REACH_SIGMA_M)]
    outward = _facing(skin, other)
    back = reach.region.endswith("_hand_back")
    behind = (FACING_LEVER_M if back else -FACING_LEVER_M) * PALM_SIDE
    facing = (place + behind, target + FACING_LEVER_M * outward)
    return [
        Meeting(bodies, (place, target + HOLD_GAP_M * outward), REACH_SIGMA_M),
        Meeting(bodies, facing, FACING_BACK_SIGMA_M if back else FACING_SIGMA_M),
    ]


def _place(skin: SkinProbe, region: str, middle: int) -> Array:
    """Where a region meets another, (3,) m in its body's frame: the middle point of its skin; of a
    hand before the middle of the palm, level with its balls; behind its back, level with that."""
    side, _, part = region.partition("_")
    if part == "hand_back":
        back = skin.offset_m[skin.patches[region]]
        place: Array = back.mean(axis=0)
        place[0] = back[:, 0].min()
        return place
    if part != "hand":
        own: Array = skin.offset_m[middle]
        return own
    heel = skin.offset_m[skin.patches[f"{side}_palm_heel"]]
    fingers = skin.offset_m[
        np.concatenate([skin.patches[f"{side}_palm_{part}"] for part in ("radial", "ulnar")])
    ]
    place = (1.0 - TO_FINGERS) * heel.mean(axis=0) + TO_FINGERS * fingers.mean(axis=0)
    place[0] = palm_height_m(skin, region)
    return place


def palm_height_m(skin: SkinProbe, region: str) -> float:
    """How far the palm of a hand stands out before the middle of its body."""
    heel = skin.offset_m[skin.patches[f"{region.partition('_')[0]}_palm_heel"], 0]
    return float(np.percentile(heel, 97))


def _facing(skin: SkinProbe, point: int) -> Array:
    """Where the skin about a point faces, (3,) in its body's frame."""
    mine = np.flatnonzero(skin.body == skin.body[point])
    distance = np.linalg.norm(skin.offset_m[mine] - skin.offset_m[point], axis=1)
    normal: Array = skin.normal[mine[distance < ABOUT_M]].sum(axis=0)
    normal /= np.linalg.norm(normal)
    return normal


def _middle(skin: SkinProbe, points: Ints) -> int:
    """The point of a group nearest to its mean, on the body that most of the group belongs to."""
    bodies = skin.body[points]
    points = points[bodies == np.bincount(bodies).argmax()]
    offsets = skin.offset_m[points]
    return int(points[np.argmin(((offsets - offsets.mean(axis=0)) ** 2).sum(axis=1))])

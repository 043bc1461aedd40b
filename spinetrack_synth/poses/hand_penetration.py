"""Hands that penetrate other skin: which of their points, and which way is out."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.compiled import inner, njit
from spinetrack_synth.poses.library import Reach
from spinetrack_synth.poses.skin import SkinProbe

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

PENETRATION_M: Final = 0.002
"""Less than this is what a plane through the nearest point of skin misses of its curve."""

DEEPEST_M: Final = 0.03
"""Of a point that counts: farther in, the nearest skin no longer tells the way out."""

MOST_POINTS: Final = 6
SPACING_M: Final = 0.012
"""Most points of a hand that stand for all that penetrates, and how far apart they are."""

PALM: Final = 0.55
"""Share of a hand's length that is palm: the fingers of a hand that holds close later."""

_ARM: Final = ("hand", "radius", "ulna", "humerus")


@dataclass(frozen=True)
class Penetration:
    """A point of a hand in other skin, and the place where it comes out: on bodies (2,), at offsets
    (2, 3) m in them, and where the skin faces there, (3,) in the second. ``point`` is its index
    among those of the skin."""

    point: int
    body: tuple[int, int]
    offset_m: tuple[Array, Array]
    outward: Array


def hand_penetrations(
    tree: Tree,
    q: Array,
    skin: SkinProbe,
    reaches: tuple[Reach, ...],
    before: tuple[Penetration, ...] = (),
    gripping: Set[str] = frozenset(),
) -> tuple[Penetration, ...]:
    """Points of both hands in other skin at q (n,), the deepest of each hand first, then those of
    ``before`` that are still near other skin: they would go back in. Hands of the sides in
    ``gripping`` close on a thing."""
    body2world = body_transforms(tree, q)
    gripping = _gripping(reaches) | gripping
    found: list[Penetration] = []
    for side in ("right", "left"):
        hand = np.flatnonzero(skin.body == tree.body_index[f"hand_{side[0]}"])
        if side in gripping:
            along = skin.offset_m[hand, 1]
            hand = hand[along > PALM * along.min()]
        own = np.zeros(len(tree.bodies), dtype=np.bool_)
        own[[tree.body_index[f"{name}_{side[0]}"] for name in _ARM]] = True
        depth, at = _depths(body2world, skin.body, skin.offset_m, skin.normal, hand, own)
        deepest = _spread(skin.offset_m[hand], depth)
        kept = np.isin(hand, [penetration.point for penetration in before]) & (depth > -DEEPEST_M)
        for k in dict.fromkeys([*deepest, *np.flatnonzero(kept).tolist()]):
            mine, other = hand[k], at[k]
            found.append(
                Penetration(
                    int(mine),
                    (int(skin.body[mine]), int(skin.body[other])),
                    (skin.offset_m[mine], skin.offset_m[other]),
                    skin.normal[other],
                )
            )
    return tuple(found)


def _gripping(reaches: tuple[Reach, ...]) -> set[str]:
    """Sides whose fingers close, on a limb or on each other."""
    ends = [(reach, end) for reach in reaches for end in (reach.region, reach.target)]
    return {
        end.partition("_")[0]
        for reach, end in ends
        if end.endswith("_fingertips")
        or (reach.holds and end == reach.region and end.endswith("_hand"))
    }


def _spread(points: Array, depth: Array) -> list[int]:
    """The deepest points, some way apart from each other."""
    chosen: list[int] = []
    for k in np.argsort(-depth):
        if depth[k] < PENETRATION_M or len(chosen) == MOST_POINTS:
            break
        if all(np.linalg.norm(points[k] - points[c]) > SPACING_M for c in chosen):
            chosen.append(int(k))
    return chosen


@njit()
def _depths(
    body2world: Array, body: Ints, offset: Array, normal: Array, hand: Ints, own: NDArray[np.bool_]
) -> tuple[Array, Ints]:
    """Depth of a hand's points (H,) below the skin nearest to them, negative outside, and which
    point of the skin that is; the bodies of its ``own`` arm (B,) do not count."""
    mine = np.empty((len(hand), 3))
    for h in range(len(hand)):
        x, y, z = _turned(body2world, body[hand[h]], offset[hand[h]], 1.0)
        mine[h, 0], mine[h, 1], mine[h, 2] = x, y, z
    low, high = np.empty(3), np.empty(3)
    for i in range(3):
        low[i], high[i] = np.inf, -np.inf
        for h in range(len(hand)):
            low[i] = min(low[i], mine[h, i] - DEEPEST_M)
            high[i] = max(high[i], mine[h, i] + DEEPEST_M)
    other, place = np.empty(len(body), dtype=np.int64), np.empty((len(body), 3))
    count = 0
    for p in range(len(body)):
        if own[body[p]]:
            continue
        x, y, z = _turned(body2world, body[p], offset[p], 1.0)
        if low[0] < x < high[0] and low[1] < y < high[1] and low[2] < z < high[2]:
            place[count, 0], place[count, 1], place[count, 2] = x, y, z
            other[count] = p
            count += 1
    depth, at = np.empty(len(hand)), np.empty(len(hand), dtype=np.int64)
    for h in range(len(hand)):
        depth[h], at[h] = -DEEPEST_M, 0
        x, y, z = mine[h, 0], mine[h, 1], mine[h, 2]
        nearest, found = DEEPEST_M**2, -1
        for o in range(count):
            dx, dy, dz = place[o, 0] - x, place[o, 1] - y, place[o, 2] - z
            distance = dx * dx + dy * dy + dz * dz
            if distance < nearest:
                nearest, found = distance, o
        if found >= 0:
            p = at[h] = other[found]
            nx, ny, nz = _turned(body2world, body[p], normal[p], 0.0)
            dx, dy, dz = place[found, 0] - x, place[found, 1] - y, place[found, 2] - z
            depth[h] = dx * nx + dy * ny + dz * nz
    return depth, at


@inner()
def _turned(
    body2world: Array, body: int, offset: Array, shift: float
) -> tuple[float, float, float]:
    """A point of a body (shift 1) or a direction in it (shift 0) in the world."""
    frame = body2world[body]
    a, b, c = offset[0], offset[1], offset[2]
    return (
        frame[0, 0] * a + frame[0, 1] * b + frame[0, 2] * c + shift * frame[0, 3],
        frame[1, 0] * a + frame[1, 1] * b + frame[1, 2] * c + shift * frame[1, 3],
        frame[2, 0] * a + frame[2, 1] * b + frame[2, 2] * c + shift * frame[2, 3],
    )

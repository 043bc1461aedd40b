"""Fingers: they bend at the knuckles of the body data's rig, and close on what a hand holds.

The model's hands are single bodies; fingers are no coordinates of it and carry no keypoints. They
are bent in the shape at rest, before the skin follows the bodies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.assets import ARM_BONES, BodyData
from spinetrack_synth.avatars.body import RestBody, body_vertices
from spinetrack_synth.avatars.rig import Rig
from spinetrack_synth.compiled import apart, inner, njit

DIGITS: Final = 5
KNUCKLES: Final = 3

OPEN: Final = np.radians(
    [[-55, -10, -10], [-30, -8, -4], [-30, -8, -4], [-30, -8, -4], [-30, -8, -4]]
)
CLOSED: Final = np.radians([[35, 40, 45], [80, 85, 50], [80, 85, 50], [80, 85, 50], [80, 85, 50]])
"""Range of every knuckle from the shape at rest, rad, thumb first, from the palm outwards: a finger
is let bend back a little (passive extension 30-45 degrees) and curls as in a power grip."""

FLEXED_ALONE: Final = np.array([1.0, 0.0, 0.0])
"""Shares of the knuckles where only the first one bends."""

EASY: Final = np.radians([[0, 4, 6], [6, 10, 6], [9, 14, 8], [12, 17, 9], [14, 19, 10]])
"""A hand that does nothing."""

LOOSE: Final = 0.55
"""How far a digit closes that finds nothing to hold."""

FIRMNESS: Final = 3.0
"""A floor gives way so much less than flesh."""

STEPS: Final = 16
"""In which a digit closes."""

CLEARANCE_M: Final = 0.0025
"""Between fingers and what they hold: cloth."""

REACH_M: Final = 0.14
"""From the root of a digit to what it can meet."""

NEAR_M: Final = 0.05
"""Farther from a finger nothing is in its way."""

FAR_M: Final = 0.015
"""Skin that is farther from all points of other skin than this cannot have come through between
them: what lies about it is not looked at anew."""


@dataclass(frozen=True, eq=False)  # compared by identity: what follows from it can be cached
class Hand:
    """One hand of a body at rest, in the frame of its OpenSim body: x out of the palm, y towards
    the wrist.

    ``side`` r or l, ``body`` index of the OpenSim body, ``body2world`` (4, 4) at rest; ``vertex``
    (H,) the vertices of the base mesh that the digits move, ``points_m`` (H, 3),
    ``weight`` (H, 5, 3) their shares in the phalanges; ``knuckle_m`` and ``axis`` (5, 3, 3) centres
    and axes about which positive angles close the hand; ``pad`` (H,) is the digit of skin that can
    touch something, -1 else; ``palm_m`` the height of the palm's skin, x; ``arm_share`` (V,) how
    far every vertex of the base mesh belongs to this hand's arm.
    """

    side: str
    body: int
    body2world: Array
    vertex: Ints
    points_m: Array
    weight: Array
    knuckle_m: Array
    axis: Array
    pad: Ints
    palm_m: float
    arm_share: NDArray[np.float32]


def find_hands(data: BodyData, rest: RestBody, rig: Rig) -> tuple[Hand, Hand]:
    """The right and the left hand of a body."""
    return _find_hand(data, rest, rig, "r"), _find_hand(data, rest, rig, "l")


@dataclass(frozen=True, eq=False)
class _Shares:
    """What a hand has of the base mesh, the same for all bodies; as in ``Hand``, ``palm`` (S,)."""

    phalanges: list[list[int]]
    vertex: Ints
    weight: Array
    pad: Ints
    palm: NDArray[np.bool_]
    arm_share: NDArray[np.float32]


@lru_cache(maxsize=2)
def _shares(data: BodyData, side: str) -> _Shares:
    phalanges = [
        [data.bones.index(f"finger{digit}-{k}.{side.upper()}") for k in range(1, KNUCKLES + 1)]
        for digit in range(1, DIGITS + 1)
    ]
    dense = np.stack(
        [data.share_of([bone]) for digit in phalanges for bone in digit],
        axis=1,
    ).astype(float)
    total = data.weights.sum(axis=1)
    vertex = np.flatnonzero(dense.sum(axis=1) > 1e-4)
    weight = (dense[vertex] / total[vertex, None]).reshape(-1, DIGITS, KNUCKLES)
    count = body_vertices(data).stop
    moved = weight.sum(axis=2)
    pad = np.where((vertex < count) & (moved.max(axis=1) > 0.5), moved.argmax(axis=1), -1)
    metacarpals = [
        data.bones.index(f"{name}.{side.upper()}")
        for name in ("wrist", "finger1-1", *(f"metacarpal{k}" for k in range(1, 5)))
    ]
    return _Shares(
        phalanges=phalanges,
        vertex=vertex,
        weight=weight,
        pad=pad.astype(np.int64),
        palm=data.share_of(metacarpals)[:count] > 0.5,
        arm_share=data.share_of(data.bones_named(*ARM_BONES, ending=side.upper())) / total,
    )


def _find_hand(data: BodyData, rest: RestBody, rig: Rig, side: str) -> Hand:
    body = rig.tree.bodies.index(f"hand_{side}")
    body2world = rig.body2world[body]
    mine = _shares(data, side)
    world = rest.vertices_world

    def local(points: Array) -> Array:
        inside: Array = (points - body2world[:3, 3]) @ body2world[:3, :3]
        return inside

    head, tail = local(rest.bone_head[mine.phalanges]), local(rest.bone_tail[mine.phalanges])
    palm = local(world[: len(mine.palm)][mine.palm])
    return Hand(
        side=side,
        body=body,
        body2world=body2world,
        vertex=mine.vertex,
        points_m=local(world[mine.vertex]),
        weight=mine.weight,
        knuckle_m=head,
        axis=_axes(head, tail),
        pad=mine.pad,
        palm_m=float(np.percentile(palm[:, 0], 97)),
        arm_share=mine.arm_share,
    )


def _axes(head: Array, tail: Array) -> Array:
    """Axes of the knuckles (5, 3, 3): each turns its phalanx towards the palm's front; the thumb's
    last two turn it towards the little finger as well."""
    along = tail - head
    front = np.zeros_like(along)
    front[..., 0] = 1.0
    across = head[4, 0] - head[1, 0]
    across[0] = 0.0
    across /= np.linalg.norm(across)
    front[0, 1:] = 0.5 * front[0, 1:] + 0.85 * across
    axis = np.cross(along, front)
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
    return axis


def bend(hand: Hand, angles: Array) -> Array:
    """Where the vertices of a hand lie in the world of the body at rest (H, 3) m, its knuckles bent
    by ``angles`` (5, 3) rad."""
    points: Array = _bent(hand.points_m, hand.weight, hand.knuckle_m, hand.axis, angles)
    bent: Array = points @ hand.body2world[:3, :3].T + hand.body2world[:3, 3]
    return bent


@lru_cache(maxsize=256)
def flat(hand: Hand) -> Array:
    """Angles (5, 3) that lay every digit into the plane of the palm, as on a floor."""
    ground = np.array([-1.0, 0.0, 0.0, hand.palm_m])
    nothing = np.zeros((0, 3))
    # The ball of the thumb is part of the palm.
    return _closed(hand, nothing, nothing, ground, 0.0, FLEXED_ALONE, feeling=(1, 0, 0, 0, 0))


def grip(hand: Hand, obstacle_m: Array, normal: Array, floor: Array) -> Array:
    """Angles (5, 3) of digits that close until they touch.

    ``obstacle_m`` (N, 3) m and ``normal`` (N, 3) are points of other skin and where it faces,
    ``floor`` (4,) a plane ``n . x + d`` that is positive above, all in the hand's frame.
    """
    return _closed(hand, obstacle_m, normal, floor, CLEARANCE_M, np.ones(3))


def _closed(
    hand: Hand, obstacle: Array, normal: Array, floor: Array, clearance: float, flexed: Array,
    feeling: tuple[int, ...] = (0,) * DIGITS,
) -> Array:  # fmt: skip
    """Digits closed one by one, each feeling with its phalanges from ``feeling`` on; ``flexed`` are
    the shares of its knuckles."""
    angles = np.zeros((DIGITS, KNUCKLES))
    for digit in range(DIGITS):
        mine = hand.pad == digit
        away = np.linalg.norm(obstacle - hand.knuckle_m[digit, 0], axis=1)
        near = np.argsort(away)
        near = near[: np.searchsorted(away[near], REACH_M)]
        angles[digit] = _close_digit(
            np.ascontiguousarray(hand.points_m[mine]),
            np.ascontiguousarray(hand.weight[mine, digit]),
            hand.knuckle_m[digit],
            hand.axis[digit],
            OPEN[digit],
            OPEN[digit] + flexed * (CLOSED[digit] - OPEN[digit]),
            np.ascontiguousarray(obstacle[near]),
            np.ascontiguousarray(normal[near]),
            away[near],
            floor,
            clearance,
            feeling[digit],
        )
    return angles


@njit()
def _close_digit(
    points: Array, weight: Array, knuckle: Array, axis: Array, opened: Array, closed: Array,
    obstacle: Array, normal: Array, away: Array, floor: Array, clearance: float, base: int,
) -> Array:  # fmt: skip
    """Angles of a digit that closes with all knuckles until it touches, then with those beyond the
    phalanx that touches. Its phalanges from ``base`` on feel. The obstacles come in the order in
    which they are ``away`` (N,) m from the first knuckle."""
    angles, tried = np.empty(KNUCKLES), np.empty(KNUCKLES)
    for k in range(KNUCKLES):
        angles[k] = opened[k]
    # Where each point was when it last looked about, and the ball about it that was free.
    seen, free = np.zeros((len(points), 3)), np.zeros(len(points))
    # Something may be in the way of the open digit: then it starts where it has most room.
    most = -NEAR_M
    for step in range(STEPS // 2):
        for k in range(KNUCKLES):
            tried[k] = opened[k] + step / STEPS * (closed[k] - opened[k])
        room = _room(
            points, weight, base, knuckle, axis, tried, obstacle, normal, away, floor, seen, free
        )
        if room > most:
            most = room
            for k in range(KNUCKLES):
                angles[k] = tried[k]
        if room >= clearance:
            break
    touches = False
    for first in range(KNUCKLES):
        # Knuckles before `first` rest; the others close together until something is touched.
        below = max(first, base)
        for _ in range(STEPS):
            for k in range(KNUCKLES):
                tried[k] = angles[k]
                if k >= first:
                    tried[k] += (closed[k] - opened[k]) / STEPS
                    tried[k] = min(tried[k], max(closed[k], opened[k]))
            room = _room(
                points, weight, below, knuckle, axis, tried,
                obstacle, normal, away, floor, seen, free,
            )  # fmt: skip
            if room < clearance:
                touches = True
                break
            for k in range(KNUCKLES):
                angles[k] = tried[k]
        if not touches:
            for k in range(KNUCKLES):
                angles[k] = opened[k] + LOOSE * (closed[k] - opened[k])
            break
    return angles


@inner(apart=True)
def _room(
    points: Array, weight: Array, first: int, knuckle: Array, axis: Array, angles: Array,
    obstacle: Array, normal: Array, away: Array, floor: Array, seen: Array, free: Array,
) -> float:  # fmt: skip
    """Least distance of a bent digit, from its phalanx ``first`` on, to what is about it, negative
    inside; at a distance no more than it. ``seen`` (H, 3) and ``free`` (H,) keep what its points
    know of the room about them from one call to the next."""
    turn, shift = _phalanges(knuckle, axis, angles)
    least = NEAR_M
    for p in range(len(points)):
        share = 0.0
        for k in range(first, KNUCKLES):
            share += weight[p, k]
        if share < 0.5:
            continue
        x, y, z = _moved(points[p], weight[p], turn, shift)
        height = floor[0] * x + floor[1] * y + floor[2] * z + floor[3]
        least = min(least, height if height > 0.0 else FIRMNESS * height)
        dx, dy, dz = x - seen[p, 0], y - seen[p, 1], z - seen[p, 2]
        known = free[p] - np.sqrt(dx * dx + dy * dy + dz * dz)
        if known > FAR_M:
            least = min(least, known)
            continue
        seen[p, 0], seen[p, 1], seen[p, 2] = x, y, z
        free[p], at = _nearest(x, y, z, knuckle[0], obstacle, away)
        if at >= 0:
            above = (
                (x - obstacle[at, 0]) * normal[at, 0]
                + (y - obstacle[at, 1]) * normal[at, 1]
                + (z - obstacle[at, 2]) * normal[at, 2]
            )
            least = min(least, above)
            if above < 0.0:
                free[p] = 0.0
    return least


@apart()
def _nearest(
    x: float, y: float, z: float, root: Array, obstacle: Array, away: Array
) -> tuple[float, int]:
    """Distance to the nearest obstacle and its index, `NEAR_M` and -1 where none is so near.

    An obstacle is no nearer to the point than the two differ in their distance from the root.
    """
    dx, dy, dz = x - root[0], y - root[1], z - root[2]
    out = np.sqrt(dx * dx + dy * dy + dz * dz)
    nearest, at = NEAR_M, -1
    start, stop = 0, len(away)
    while start < stop:
        middle = (start + stop) // 2
        if away[middle] < out:
            start = middle + 1
        else:
            stop = middle
    for way in (-1, 1):
        o = start if way > 0 else start - 1
        while 0 <= o < len(away) and abs(away[o] - out) < nearest:
            dx, dy, dz = x - obstacle[o, 0], y - obstacle[o, 1], z - obstacle[o, 2]
            distance = np.sqrt(dx * dx + dy * dy + dz * dz)
            if distance < nearest:
                nearest, at = distance, o
            o += way
    return nearest, at


@inner(apart=True)
def _phalanges(knuckle: Array, axis: Array, angles: Array) -> tuple[Array, Array]:
    """Rotations (3, 3, 3) and shifts (3, 3) of a digit's phalanges from rest."""
    turn, shift = np.empty((KNUCKLES, 3, 3)), np.empty((KNUCKLES, 3))
    for k in range(KNUCKLES):
        c, s = np.cos(angles[k]), np.sin(angles[k])
        x, y, z = axis[k, 0], axis[k, 1], axis[k, 2]
        v = 1.0 - c
        r00, r01, r02 = c + x * x * v, x * y * v - z * s, x * z * v + y * s
        r10, r11, r12 = y * x * v + z * s, c + y * y * v, y * z * v - x * s
        r20, r21, r22 = z * x * v - y * s, z * y * v + x * s, c + z * z * v
        x, y, z = knuckle[k, 0], knuckle[k, 1], knuckle[k, 2]
        dx = x - (r00 * x + r01 * y + r02 * z)
        dy = y - (r10 * x + r11 * y + r12 * z)
        dz = z - (r20 * x + r21 * y + r22 * z)
        for i in range(3):
            # The phalanx before it; there is none before the first.
            x, y, z, to = 1.0 * (i == 0), 1.0 * (i == 1), 1.0 * (i == 2), 0.0
            if k > 0:
                x, y, z = turn[k - 1, i, 0], turn[k - 1, i, 1], turn[k - 1, i, 2]
                to = shift[k - 1, i]
            turn[k, i, 0] = x * r00 + y * r10 + z * r20
            turn[k, i, 1] = x * r01 + y * r11 + z * r21
            turn[k, i, 2] = x * r02 + y * r12 + z * r22
            shift[k, i] = x * dx + y * dy + z * dz + to
    return turn, shift


@inner()
def _moved(point: Array, weight: Array, turn: Array, shift: Array) -> tuple[float, float, float]:
    """A point (3,) after its shares (3,) in the motions of three phalanges."""
    a, b, c = point[0], point[1], point[2]
    x, y, z = a, b, c
    for k in range(KNUCKLES):
        w = weight[k]
        if w > 0.0:
            x += w * (turn[k, 0, 0] * a + turn[k, 0, 1] * b + turn[k, 0, 2] * c + shift[k, 0] - a)
            y += w * (turn[k, 1, 0] * a + turn[k, 1, 1] * b + turn[k, 1, 2] * c + shift[k, 1] - b)
            z += w * (turn[k, 2, 0] * a + turn[k, 2, 1] * b + turn[k, 2, 2] * c + shift[k, 2] - c)
    return x, y, z


@njit()
def _bent(points: Array, weight: Array, knuckle: Array, axis: Array, angles: Array) -> Array:
    bent = points.copy()
    for digit in range(DIGITS):
        turn, shift = _phalanges(knuckle[digit], axis[digit], angles[digit])
        for p in range(len(points)):
            x, y, z = _moved(points[p], weight[p, digit], turn, shift)
            bent[p, 0] += x - points[p, 0]
            bent[p, 1] += y - points[p, 1]
            bent[p, 2] += z - points[p, 2]
    return bent

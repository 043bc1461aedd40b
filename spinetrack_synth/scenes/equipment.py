"""What somebody rests on and holds: found for a settled posture, or found not to go with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.skinning import vertex_normals
from spinetrack_synth.poses.equipment import SUPPORTS, support_height_m
from spinetrack_synth.poses.grasp import thing_frame
from spinetrack_synth.poses.library import Hold, Rest
from spinetrack_synth.poses.regions import REGIONS
from spinetrack_synth.poses.skin import SkinProbe, refresh
from spinetrack_synth.scenes.props.held import CARTON_M, implement
from spinetrack_synth.scenes.props.supports import furniture, inside_m
from spinetrack_synth.scenes.shapes import Array, Rng, angles, rotation
from spinetrack_synth.shot import Thing

DEEPEST_IN_SUPPORT_M: Final = 0.02
DEEPEST_HELD_M: Final = 0.008
"""How far skin may be in what carries it, beyond what that gives, and in what hands hold."""

TOUCHING_M: Final = 0.015
"""Skin so near above a support lies on it."""

SPOTS: Final = 15
"""Places of a support that are tried under somebody."""

SKIN_STEP: Final = 2
"""Every so manieth skin vertex is looked at."""

WITHIN_M: Final = 0.13
"""Farther from all skin nothing can be in it: half a trunk's depth."""

_SMALLER: Final = ((1.0, 1.0), (0.85, 1.0), (0.85, 0.8), (0.7, 0.7), (0.6, 0.5))
"""Depth and height of cartons, as parts of the usual ones."""

_Body = tuple[Array, Array, NDArray[np.bool_]]
"""Skin (V, 3) m, its normals, and which of it is not the hands' that hold."""

Seat = tuple[str, tuple[str, ...]]
"""A support by name and the regions that rest on it."""


def choose_seats(rests: Iterable[Rest], rng: Rng) -> tuple[Seat, ...]:
    """One support for each rest of a pose."""
    return tuple(
        (
            rest.supports[0 if len(rest.supports) == 1 else int(rng.integers(len(rest.supports)))],
            rest.regions,
        )
        for rest in rests
    )


def levels_m(tree: Tree, seats: Iterable[Seat]) -> dict[str, float]:
    """Level to which each region sinks, m, on supports that suit the person."""
    return {
        region: support_height_m(support, tree) - SUPPORTS[support].sink_m
        for support, regions in seats
        for region in regions
    }


def find_supports(avatar: Avatar, skin: Array, seats: tuple[Seat, ...]) -> tuple[Thing, ...] | None:
    """The supports under a posture whose skin is (V, 3) m, styles open; None where its skin would
    be in them or what rests would not be on them."""
    things = []
    for name in dict.fromkeys(SUPPORTS[support].thing for support, _ in seats):
        mine = [seat for seat in seats if SUPPORTS[seat[0]].thing == name]
        thing = _under(avatar, skin, name, mine)
        if thing is None:
            return None
        things.append(thing)
    return tuple(things)


def _under(avatar: Avatar, skin: Array, name: str, seats: list[Seat]) -> Thing | None:
    what = furniture(name)
    stretch = support_height_m(seats[0][0], avatar.tree) / what.areas[seats[0][0]].y
    low, high = np.full(2, -np.inf), np.full(2, np.inf)
    for support, regions in seats:
        area = what.areas[support]
        for region in regions:
            points = np.concatenate([skin[avatar.probe.patches[p]] for p in REGIONS[region]])
            points = points[points[:, 1] < points[:, 1].min() + TOUCHING_M][:, [0, 2]]
            first, last = np.array([area.x, area.z]).T
            low = np.maximum(low, points.max(0) - last)
            high = np.minimum(high, points.min(0) - first)
    if (low > high).any():
        return None
    yaw = what.areas[seats[0][0]].yaw_rad
    sink = max(SUPPORTS[support].sink_m for support, _ in seats)
    boxes, turn = np.array(what.solids), rotation(yaw)
    body = skin[::SKIN_STEP]
    z = (low[1] + high[1]) / 2
    spots = np.linspace(low[0], high[0], SPOTS)
    order = spots[:: -1 if what.nearest > 0 else 1]
    if what.nearest == 0:
        order = spots[np.argsort(np.abs(spots - spots.mean()), kind="stable")]
    for x in order:
        local = ((body - [x, 0.0, z]) @ turn) / [1.0, stretch, 1.0]
        if inside_m(boxes, local).max() <= sink + DEEPEST_IN_SUPPORT_M:
            return Thing(f"support/{name}", (float(x), 0.0, float(z)), yaw, (1.0, stretch, 1.0))
    return None


def find_held(
    avatar: Avatar, q: NDArray[np.float64], skin: Array, holds: Iterable[Hold]
) -> tuple[Thing, ...] | None:
    """The things in the hands at q (n,), skin (V, 3) m, styles open; None where they would be in
    the body or in the floor."""
    holds = tuple(holds)
    if not holds:
        return ()
    probe = refresh(avatar.probe, avatar.tree, q, skin)
    faces = avatar.skin_faces
    triangles = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
    normals = vertex_normals(skin, triangles, np.arange(len(skin), dtype=np.int32))
    things = []
    for hold in holds:
        hands = [avatar.tree.body_index[f"hand_{hand[0]}"] for hand in hold.hands]
        other = ~np.isin(avatar.skin_body, hands)
        thing = _in_hands(avatar.tree, q, probe, hold, (skin, normals, other))
        if thing is None:
            return None
        things.append(thing)
    return tuple(things)


def _in_hands(
    tree: Tree, q: NDArray[np.float64], probe: SkinProbe, hold: Hold, body: _Body
) -> Thing | None:
    """The thing of one hold."""
    from scipy.spatial import KDTree

    skin, normals, other = body
    frame = thing_frame(tree, q, probe, hold)
    yaw, pitch, roll = angles(frame[:3, :3])
    sizes = [(1.0, 1.0, 1.0)]
    if hold.thing == "carton":
        width = _between_palms_m(tree, q, probe, hold) / CARTON_M[2]
        sizes = [(x, y, width) for x, y in _SMALLER]
    nearest = KDTree(skin)
    for scale in sizes:
        points = (implement(hold.thing).outline * scale) @ frame[:3, :3].T + frame[:3, 3]
        distance, near = nearest.query(points, distance_upper_bound=WITHIN_M)
        found = np.isfinite(distance)
        found[found] &= other[near[found]]
        above = np.einsum("ni,ni->n", points[found] - skin[near[found]], normals[near[found]])
        if points[:, 1].min() > -0.005 and above.min(initial=0.0) > -DEEPEST_HELD_M:
            x, y, z = (float(c) for c in frame[:3, 3])
            return Thing(f"held/{hold.thing}", (x, y, z), yaw, scale, pitch, roll)
    return None


def _between_palms_m(tree: Tree, q: NDArray[np.float64], probe: SkinProbe, hold: Hold) -> float:
    ends = [thing_frame(tree, q, probe, Hold(hold.thing, (hand,)))[:3, 3] for hand in hold.hands]
    return float(np.linalg.norm(ends[0] - ends[1]))


def restyled(thing: Thing, style: int) -> Thing:
    """A thing whose style is open in one of its styles."""
    return replace(thing, asset=f"{thing.asset}/{style}")

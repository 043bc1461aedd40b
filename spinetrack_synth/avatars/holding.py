"""What the fingers do in a pose: lie flat on a floor or a palm, hold a limb, or rest."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.avatar import Avatar, Fingers
from spinetrack_synth.avatars.fingers import EASY, Hand, flat, grip
from spinetrack_synth.avatars.skinning import inside_box, vertex_normals
from spinetrack_synth.poses.library import Reach

_FLAT = ("hand", "forearm")
"""Regions of a side that touch the floor, or another hand, with flat palms."""

_ARM = ("hand", "radius", "ulna", "humerus")

_ABOUT_M = 0.3
"""Skin farther from a wrist is out of a hand's reach."""


def open_fingers(avatar: Avatar, contacts: Iterable[str], reaches: Iterable[Reach]) -> Array:
    """Fingers (2, 5, 3) of a pose before the hands take hold."""
    reaches = tuple(reaches)
    palms = {reach.region for reach in reaches} | {reach.target for reach in reaches}
    fingers = np.empty((2, *EASY.shape))
    for k, (hand, side) in enumerate(zip(avatar.hands, ("right", "left"))):
        laid = any(f"{side}_{region}" in contacts for region in _FLAT) or f"{side}_hand" in palms
        tips = f"{side}_fingertips" in (*contacts, *palms)
        fingers[k] = flat(hand) if laid else 0.0 * EASY if tips else EASY
    return fingers


def held_fingers(
    avatar: Avatar,
    q: Array,
    skin: Array,
    fingers: Fingers,
    reaches: Iterable[Reach],
) -> Array:
    """The fingers (2, 5, 3) after those of holding hands closed on what they hold at q (n,), where
    the skin is (V, 3) m."""
    holding = {
        side
        for side in ("right", "left")
        for reach in reaches
        if (reach.holds and reach.region == f"{side}_hand")
        or f"{side}_fingertips" in (reach.region, reach.target)
    }
    if not holding:
        return fingers
    body2world = body_transforms(avatar.tree, q)
    faces = avatar.skin_faces
    triangles = np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]])
    normals = vertex_normals(skin, triangles, np.arange(len(skin), dtype=np.int32))
    closed = fingers.copy()
    for k, (hand, side) in enumerate(zip(avatar.hands, ("right", "left"))):
        if side in holding:
            closed[k] = _grip(avatar, hand, body2world[hand.body], skin, normals)
    return closed


def _grip(
    avatar: Avatar,
    hand: Hand,
    hand2world: Array,
    skin: Array,
    normals: NDArray[np.float32],
) -> Array:
    rotation, origin = hand2world[:3, :3], hand2world[:3, 3]
    arm = [avatar.tree.bodies.index(f"{name}_{hand.side}") for name in _ARM]
    other = inside_box(skin, origin - _ABOUT_M, origin + _ABOUT_M)
    other = other[~np.isin(avatar.skin_body[other], arm)]
    floor = np.append(rotation[1], origin[1])
    return grip(hand, (skin[other] - origin) @ rotation, normals[other] @ rotation, floor)

"""What the fingers do in a pose: lie flat on a floor or a palm, hold a limb, or rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.avatar import Avatar, Fingers
from spinetrack_synth.avatars.fingers import CLOSED, EASY, Hand, flat, grip
from spinetrack_synth.avatars.skinning import inside_box, vertex_normals
from spinetrack_synth.poses.equipment import GRIPS, Grip
from spinetrack_synth.poses.grasp import thing_frame
from spinetrack_synth.poses.library import Hold, Reach
from spinetrack_synth.poses.skin import refresh

_FLAT = ("hand", "forearm")
"""Regions of a side that touch the floor, or another hand, with flat palms."""

_ARM = ("hand", "radius", "ulna", "humerus")

FIST: Final = 0.95
"""How far a fist is closed."""

_ABOUT_M = 0.3
"""Skin farther from a wrist is out of a hand's reach."""


def open_fingers(
    avatar: Avatar,
    contacts: Iterable[str],
    reaches: Iterable[Reach],
    holds: Iterable[Hold] = (),
    *,
    fists: bool = False,
) -> Array:
    """Fingers (2, 5, 3) of a pose before the hands take hold; free hands may be ``fists``."""
    reaches = tuple(reaches)
    boxes = {h for hold in holds if GRIPS[hold.thing].kind == "box" for h in hold.hands}
    palms = {reach.region for reach in reaches} | {reach.target for reach in reaches}
    fingers = np.empty((2, *EASY.shape))
    for k, (hand, side) in enumerate(zip(avatar.hands, ("right", "left"))):
        laid = any(f"{side}_{region}" in contacts for region in _FLAT)
        laid = laid or f"{side}_hand" in palms | boxes
        tips = f"{side}_fingertips" in (*contacts, *palms)
        free = FIST * CLOSED if fists else EASY
        fingers[k] = flat(hand) if laid else 0.0 * EASY if tips else free
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


_AROUND: Final = 28
_ALONG_M: Final = np.linspace(-0.07, 0.07, 36)
"""Points of a bar that fingers feel: around it, and along it to both sides of a palm."""


def gripping_fingers(
    avatar: Avatar,
    q: NDArray[np.float64],
    skin: NDArray[np.float64],
    fingers: Fingers,
    holds: Iterable[Hold],
) -> NDArray[np.float64]:
    """The fingers (2, 5, 3) after those of hands that hold bars closed round them at q (n,), where
    the skin is (V, 3) m."""
    holds = tuple(holds)
    if not holds:
        return fingers
    closed = fingers.copy()
    body2world = body_transforms(avatar.tree, q)
    probe = refresh(avatar.probe, avatar.tree, q, skin)
    for hold in holds:
        shape = GRIPS[hold.thing]
        if shape.kind != "bar":
            continue
        bar = thing_frame(avatar.tree, q, probe, hold)
        for side in (hand.partition("_")[0] for hand in hold.hands):
            k = ("right", "left").index(side)
            hand = avatar.hands[k]
            mine = thing_frame(avatar.tree, q, probe, Hold(hold.thing, (f"{side}_hand",)))[:3, 3]
            place = bar[:3, 3] + ((mine - bar[:3, 3]) @ bar[:3, 2]) * bar[:3, 2]
            points, normals = _bar_surface(shape)
            rotation, origin = body2world[hand.body][:3, :3], body2world[hand.body][:3, 3]
            closed[k] = grip(
                hand,
                (points @ bar[:3, :3].T + place - origin) @ rotation,
                normals @ bar[:3, :3].T @ rotation,
                np.append(rotation[1], origin[1]),
            )
    return closed


def _bar_surface(shape: Grip) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (N, 3) m of a bar along Z about the origin, and where its surface faces there."""
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
    out = np.column_stack([np.cos(angle), np.sin(angle)])
    half = np.array(shape.half_m)
    if half[0] == half[1]:
        ring, facing = out * half, out
    else:  # flat: both faces and the edges
        y = np.linspace(-half[1], half[1], _AROUND)
        faces = [np.column_stack([np.full(_AROUND, s * half[0]), y]) for s in (-1, 1)]
        ring = np.concatenate([*faces, [[0, half[1]], [0, -half[1]]]])
        normal = [np.tile([s, 0.0], (_AROUND, 1)) for s in (-1, 1)]
        facing = np.concatenate([*normal, [[0, 1.0], [0, -1.0]]])
    count = len(ring)
    points = np.column_stack([np.tile(ring, (len(_ALONG_M), 1)), np.repeat(_ALONG_M, count)])
    normals = np.column_stack(
        [np.tile(facing, (len(_ALONG_M), 1)), np.zeros(count * len(_ALONG_M))]
    )
    return points, normals


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

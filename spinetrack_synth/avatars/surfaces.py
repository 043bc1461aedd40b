"""What is drawn of a posed avatar: skin under cloth, cloth on skin, what hangs, what is pressed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.avatar import Avatar, bone_motions
from spinetrack_synth.avatars.hanging import hang
from spinetrack_synth.avatars.heads import with_hanging_hair
from spinetrack_synth.avatars.paintings import FINEST, SIZES, Painting, painted
from spinetrack_synth.avatars.parts import Cover, Part
from spinetrack_synth.avatars.skinning import (
    deform,
    inside_box,
    vertex_normals,
)
from spinetrack_synth.avatars.styles import SPORTS
from spinetrack_synth.shot import PosedPerson, Surface

_CLOTH_M = 0.002


_PRESSED_M = 0.0005
"""Thickness of cloth under a hand, and how near it comes to the body."""


def surfaces_of(
    avatar: Avatar, vertices: Array, body2world: Array, texel_m: float = FINEST
) -> tuple[Surface, ...]:
    """Everything drawn of an avatar whose base mesh (V, 3) m is posed, in pictures with texels no
    longer than that."""
    motions = bone_motions(avatar, body2world)
    below = _Below.of(avatar, vertices, body2world) if _hangs(avatar) else None
    hands = _hand_points(avatar, vertices)
    surfaces = tuple(
        _surface(avatar, part, vertices, hands, motions, below, shares, texel_m)
        for part, shares in zip(avatar.parts, avatar.body_parts, strict=True)
    )
    return _with_hair(avatar, surfaces, motions, vertices)


def _hangs(avatar: Avatar) -> bool:
    return any(part.hanging is not None for part in avatar.parts)


@dataclass(frozen=True, eq=False)
class _Below:
    """What hanging cloth lies on, as `hanging.hang` wants it."""

    body: tuple[Array, Array]
    hands: tuple[Array, Array]
    floor_m: float
    seat: Array
    turned: Array | None

    @classmethod
    def of(cls, avatar: Avatar, vertices: Array, body2world: Array) -> _Below:
        """The body of a posed avatar; it sits where its thighs are level above the floor."""
        skin = vertices[: len(avatar.skin_body)]
        quads = avatar.skin_faces
        triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        normals = vertex_normals(skin, triangles, np.arange(len(skin), dtype=np.int32))
        sheet, distinct = avatar.draped_suit
        around = sheet.stencil @ vertices
        outward = vertex_normals(around, sheet.faces, sheet.weld)
        floor_m = min(0.0, float(skin[:, 1].min()) - avatar.sole_m)
        index = avatar.tree.body_index
        thighs = [
            body2world[index[f"tibia_{side}"], :3, 3] - body2world[index[f"femur_{side}"], :3, 3]
            for side in "rl"
        ]
        level = all(thigh[1] > -0.55 * np.linalg.norm(thigh) for thigh in thighs)
        x, _, z = body2world[index["pelvis"], :3, 3]
        up = body2world[index["pelvis"], :3, 1].copy()
        about = np.hypot(skin[:, 0] - x, skin[:, 2] - z) < _BUTTOCKS_M
        about &= np.isin(
            avatar.skin_body, [index[name] for name in ("pelvis", "femur_r", "femur_l")]
        )
        lowest = float(skin[about, 1].min()) if about.any() else floor_m
        seated = level and up[1] > 0 and lowest > floor_m + 0.1
        seat = np.array([x, z, _SEAT_M if seated else 0.0, lowest])
        hands, bare = avatar.draped_skin
        worn = skin[bare]
        if avatar.sole_m:  # shoes are thicker than feet
            shod = np.isin(avatar.skin_body[bare], avatar.feet)
            worn[shod] += _UPPER_M * normals[bare][shod]
        return cls(
            (
                np.concatenate([around[distinct], worn]),
                np.concatenate([outward[distinct], normals[bare]]).astype(np.float64),
            ),
            (skin[hands], normals[hands].astype(np.float64)),
            floor_m,
            seat,
            up if up[1] < -0.5 else None,
        )


_UPPER_M: Final = 0.014
"""How far the upper of a shoe stands off the foot."""


_SEAT_M: Final = 0.36


_BUTTOCKS_M: Final = 0.22
"""About the pelvis, a seat is so wide, and so much of it is sat on."""


_Cloud = tuple[Array, Array, Array]
"""Points (N, 3) m and the corners of the box about them."""


def _hand_points(avatar: Avatar, vertices: Array) -> tuple[_Cloud, ...]:
    """The skin of the right and of the left hand."""
    clouds = []
    for quads in avatar.hand_quads:
        corners = vertices[quads]
        points = np.concatenate([corners[:, 0], corners[:, 1], corners.mean(axis=1)])
        clouds.append((points, points.min(axis=0), points.max(axis=0)))
    return tuple(clouds)


def _pressed_m(
    avatar: Avatar, part: Part, placed: Array, hands: tuple[_Cloud, ...]
) -> NDArray[np.floating]:
    """How far cloth stands off its places on the body (P, 3): a hand on it presses it down."""
    from scipy.spatial import KDTree

    assert part.stencil is not None and part.offset_m is not None
    offset_m = part.offset_m
    if part.name == "skin":
        return offset_m
    loosest_m = float(offset_m.max()) + _CLOTH_M
    for hand, (points, low, high) in zip(avatar.hands, hands, strict=True):
        about = inside_box(placed, low - loosest_m, high + loosest_m)
        if len(about):  # the sleeve of a hand does not mind it
            sleeve = part.stencil[about] @ hand.arm_share
            about = about[sleeve < 0.5]
        if len(about):
            distance, _ = KDTree(points).query(placed[about], distance_upper_bound=loosest_m)
            room = np.maximum(distance - _CLOTH_M, _PRESSED_M)
            offset_m = offset_m.copy()
            offset_m[about] = np.minimum(offset_m[about], room)
    return offset_m


def _tucked_in_m(
    cover: Cover,
    vertices: Array,
    placed: Array,
    normals: NDArray[np.floating],
    offset_m: NDArray[np.floating],
) -> NDArray[np.floating]:
    """How far skin stands off its places (P, 3) where it stays under the cloth that covers it."""
    off = placed[cover.vertex] - cover.stencil @ vertices
    above = np.einsum("ij,ij->i", off, normals[cover.vertex]) + offset_m[cover.vertex]
    over = np.maximum(above - cover.cloth_m + _TUCKED_M, 0.0)
    offset_m = offset_m.copy()
    offset_m[cover.vertex] -= np.minimum(over, _MOST_TUCKED_M)
    return offset_m


_TUCKED_M: Final = 0.0015


_MOST_TUCKED_M: Final = 0.02
"""How far below cloth skin stays, and how far it is pushed for that at most."""


def _above_floor_m(
    placed: Array, normals: NDArray[np.floating], offset_m: NDArray[np.floating]
) -> NDArray[np.floating]:
    """How far cloth stands off (P,) where the floor y = 0 does not press it to the body."""
    floor_m = min(0.0, float(placed[:, 1].min()))  # who has no mat stands a little lower
    under = np.flatnonzero(
        (normals[:, 1] < 0) & (placed[:, 1] + normals[:, 1] * offset_m < floor_m)
    )
    if not len(under):
        return offset_m
    room = (placed[under, 1] - floor_m) / np.maximum(-normals[under, 1], 1e-3)
    offset_m = offset_m.copy()
    offset_m[under] = np.clip(room, _PRESSED_M, offset_m[under].clip(_PRESSED_M))
    return offset_m


def _with_hair(
    avatar: Avatar, surfaces: tuple[Surface, ...], motions: Array, vertices: Array
) -> tuple[Surface, ...]:
    """The surfaces with the hair as it hangs in this pose."""
    if avatar.looks is None:
        return surfaces
    floor_m = float(vertices[: len(avatar.skin_body), 1].min())
    motion = motions[avatar.tree.bodies.index("skull")]
    return with_hanging_hair(avatar.parts, surfaces, avatar.looks.hair.head, motion, floor_m)


def _surface(
    avatar: Avatar,
    part: Part,
    vertices: Array,
    hands: tuple[_Cloud, ...],
    motions: Array,
    below: _Below | None,
    shares: NDArray[np.uint8],
    texel_m: float,
) -> Surface:
    if part.body is not None:
        assert part.rest_world is not None
        body = avatar.tree.bodies.index(part.body)
        motion = motions[body]
        placed = part.rest_world @ motion[:3, :3].T + motion[:3, 3]
        normals = (part.rest_normals @ motion[:3, :3].T).astype(np.float32)
    elif part.binding is not None:
        placed = deform(part.binding, motions, avatar.bone_order)[0][part.weld]
        if part.hanging is not None:
            assert below is not None
            placed = hang(
                part.hanging,
                placed,
                below.body,
                below.hands,
                below.floor_m,
                below.seat,
                below.turned,
            )
        normals = vertex_normals(placed, part.faces, part.weld)
    else:
        assert part.stencil is not None
        placed = part.stencil @ vertices
        if part.lift_world is not None:
            placed = placed + _turned(avatar, part, motions)
            lowest = float(vertices[: len(avatar.skin_body), 1].min())
            placed[:, 1] = np.maximum(placed[:, 1], min(0.0, lowest))
        normals = vertex_normals(placed, part.faces, part.weld)
        if part.offset_m is not None and part.offset_m.any():
            pressed_m = _pressed_m(avatar, part, placed, hands)
            if part.cover is not None:
                pressed_m = _tucked_in_m(part.cover, vertices, placed, normals, pressed_m)
            placed = placed + normals * _above_floor_m(placed, normals, pressed_m)[:, None]
            normals = vertex_normals(placed, part.faces, part.weld)
    return Surface(
        key=_key(avatar, part, texel_m),
        vertices_world=placed.astype(np.float32),
        faces=part.faces,
        uv=part.uv,
        material=painted(part.material, texel_m),
        normals_world=normals,
        parts=shares,
    )


def _turned(avatar: Avatar, part: Part, motions: Array) -> Array:
    """How far (P, 3) m a part lies off the base mesh, turned as the bones there have turned."""
    assert part.stencil is not None and part.lift_world is not None
    weight = part.stencil @ avatar.bone_weights
    turn = np.asarray(weight @ motions[:, :3, :3].reshape(-1, 9)).reshape(-1, 3, 3)
    turned: Array = np.einsum("pij,pj->pi", turn, part.lift_world)
    # Blended rotations shorten what they turn.
    length, blended = (np.linalg.norm(v, axis=1) for v in (part.lift_world, turned))
    turned *= (length / np.maximum(blended, 1e-9))[:, None]
    return turned


def repainted(avatar: Avatar, person: PosedPerson, texel_m: float) -> PosedPerson:
    """The avatar, posed as this person, in pictures with texels no longer than that."""
    surfaces = (
        replace(
            surface,
            key=_key(avatar, part, texel_m),
            material=painted(part.material, texel_m),
        )
        for part, surface in zip(avatar.parts, person.surfaces, strict=True)
    )
    return replace(person, surfaces=tuple(surfaces))


def _key(avatar: Avatar, part: Part, texel_m: float) -> str:
    """What is the subject's own is the same in all clothes; smaller pictures are others."""
    name = avatar.subject.subject_id
    size = part.material.size(texel_m) if isinstance(part.material, Painting) else SIZES[-1]
    fine = "" if size == SIZES[-1] else f"@{size}"
    own = avatar.looks.own if avatar.looks else ()
    if not part.asset and any(part.name == mine.name for mine in own):
        return f"{name}/{part.name}{fine}"
    style = "" if avatar.style == SPORTS else f"{avatar.style}-"
    return f"{name}/{style}{avatar.outfit}/{part.name}{fine}"

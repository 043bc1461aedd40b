"""How well a skin deforms: its volume, the room at every joint, the stretch of its edges.

Independent checks, as ``inside`` is: nothing here knows how the skin was put where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Indices, Ints
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.inside import skin_triangles

FLOOR_M: Final = 0.001
"""Shorter edges at rest are not looked at: about nails, lips and lids the mesh has some of a tenth
of a millimetre, where a shift that no picture shows counts as a stretch."""

_JOINTS: Final = {
    "hip": ("femur", 0.13),
    "knee": ("tibia", 0.10),
    "shoulder": ("humerus", 0.10),
    "elbow": ("ulna", 0.07),
}
"""The body whose origin the joint is, and how far about it the joint's block reaches, at a stature
of 1.75 m."""
_BODIES: Final = {
    "hip": ("pelvis", "sacrum", "femur", "L5", "L4"),
    "knee": ("femur", "tibia"),
    "shoulder": ("humerus", "clavicle", "T", "C7"),
    "elbow": ("humerus", "ulna", "radius"),
    "belly": ("L", "T12", "T11", "T10"),
}
_ENDS: Final = {"hand": ("hand",), "foot": ("talus", "calcn", "toes"), "head": ("skull", "C")}


@dataclass(frozen=True)
class Skin:
    """A skin at rest, as it is measured.

    ``triangles`` (F, 3) close it; ``blocks`` the closed triangles about every joint and of the
    belly, ``hip_r`` and the like; ``edges`` (E, 2) its edges with ``length_m`` (E,) and ``region``
    (E,) of ``regions``, joints without their sides. ``volume_m3`` of the whole, ``block_m3`` of the
    blocks.
    """

    triangles: Ints
    blocks: dict[str, Ints]
    edges: Ints
    length_m: Array
    region: Ints
    regions: tuple[str, ...]
    volume_m3: float
    block_m3: dict[str, float]


@dataclass(frozen=True)
class Deformation:
    """What a pose does to a skin, as ratios to rest: of the whole ``volume``, of the joints'
    ``blocks``, and of its edges' lengths ``stretch`` (E,)."""

    volume: float
    blocks: dict[str, float]
    stretch: Array


def at_rest(data: BodyData, avatar: Avatar) -> Skin:
    """The bare skin of an avatar before it is deformed."""
    rest = avatar.skin_binding.rest_world
    triangles = skin_triangles(data)  # the mouth's inside is no part of the body
    chosen = {name: _block(avatar, rest, triangles, name) for name in _block_names()}
    blocks = {name: closed(triangles[block]) for name, block in chosen.items()}
    edges = np.concatenate([avatar.skin_faces[:, [i, (i + 1) % 4]] for i in range(4)])
    edges = np.unique(np.sort(edges, axis=1), axis=0).astype(np.int64)
    seen = np.zeros(len(rest), bool)
    seen[triangles] = True
    length_m = np.linalg.norm(rest[edges[:, 0]] - rest[edges[:, 1]], axis=1)
    edges = edges[seen[edges].all(axis=1) & (length_m > FLOOR_M)]
    region, regions = _regions(avatar, triangles, chosen, edges)
    whole = closed(triangles)
    return Skin(
        triangles=whole,
        blocks=blocks,
        edges=edges,
        length_m=np.linalg.norm(rest[edges[:, 0]] - rest[edges[:, 1]], axis=1),
        region=region,
        regions=regions,
        volume_m3=volume_m3(rest, whole),
        block_m3={name: volume_m3(rest, block) for name, block in blocks.items()},
    )


def measure(skin: Skin, vertices: Array) -> Deformation:
    """What became of a skin whose vertices are at (n, 3) m."""
    along = vertices[skin.edges[:, 1]] - vertices[skin.edges[:, 0]]
    return Deformation(
        volume=volume_m3(vertices, skin.triangles) / skin.volume_m3,
        blocks={
            name: volume_m3(vertices, block) / skin.block_m3[name]
            for name, block in skin.blocks.items()
        },
        stretch=np.linalg.norm(along, axis=1) / skin.length_m,
    )


def volume_m3(vertices: Array, triangles: Indices) -> float:
    """Signed volume of a ``closed`` surface: flesh that overlaps counts twice, what is turned
    inside out counts against it."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    for cap in np.unique(triangles[triangles[:, 2] < 0, 2]):
        rim = triangles[:, 2] == cap
        c[rim] = a[rim].mean(axis=0)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def closed(triangles: Indices) -> Ints:
    """Triangles with their holes closed: every rim gets a fan about its own middle, whose index is
    negative, one number a rim."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    size = int(triangles.max()) + 1
    key = sides[:, 0].astype(np.int64) * size + sides[:, 1]
    twin = sides[:, 1].astype(np.int64) * size + sides[:, 0]
    rim = sides[~np.isin(key, twin)]
    graph = coo_array((np.ones(len(rim)), (rim[:, 0], rim[:, 1])), shape=(size, size))
    _, piece = connected_components(graph, directed=False)
    _, number = np.unique(piece[rim[:, 0]], return_inverse=True)
    fans = np.column_stack([rim[:, 1], rim[:, 0], -1 - number])
    return np.concatenate([triangles, fans]).astype(np.int64)


def _block_names() -> tuple[str, ...]:
    return (*(f"{joint}_{side}" for joint in _JOINTS for side in "rl"), "belly")


def _block(avatar: Avatar, rest: Array, triangles: Indices, name: str) -> NDArray[np.bool_]:
    """Which triangles (F,) belong to the block of a joint, or of the belly."""
    joint, _, side = name.partition("_")
    tree = avatar.tree
    carried = np.array([_is_of(body, _BODIES[joint], side) for body in tree.bodies])
    middle = rest[triangles].mean(axis=1)
    mine = carried[avatar.skin_body[triangles]].all(axis=1)
    if joint == "belly":
        return np.asarray(mine)
    body, reach = _JOINTS[joint]
    origin = avatar.rig.body2world[tree.body_index[f"{body}_{side}"], :3, 3]
    reach_m = reach * avatar.subject.stature_m / 1.75
    return np.asarray(mine & (np.linalg.norm(middle - origin, axis=1) < reach_m))


def _is_of(body: str, stems: tuple[str, ...], side: str) -> bool:
    stem, _, own = body.partition("_")
    return (not own or not side or own == side) and any(
        stem == s or (len(s) == 1 and stem[0] == s and stem[1:].isdigit()) for s in stems
    )


def _regions(
    avatar: Avatar, triangles: Indices, chosen: dict[str, NDArray[np.bool_]], edges: Ints
) -> tuple[Ints, tuple[str, ...]]:
    names = (*_JOINTS, "belly", *_ENDS, "elsewhere")
    of_vertex = np.full(len(avatar.skin_body), len(names) - 1)
    for name, stems in _ENDS.items():
        carried = np.array([_is_of(body, stems, "") for body in avatar.tree.bodies])
        of_vertex[carried[avatar.skin_body]] = names.index(name)
    for name in ("belly", *(n for n in chosen if n != "belly")):
        of_vertex[triangles[chosen[name]]] = names.index(name.partition("_")[0])
    return np.minimum(of_vertex[edges[:, 0]], of_vertex[edges[:, 1]]), names

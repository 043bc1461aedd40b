"""Heads in a pose: hair that hangs, what a head wears and is told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.headwear import HATS, HEADWEAR
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.scalp import Head
from spinetrack_synth.avatars.skinning import vertex_normals
from spinetrack_synth.avatars.strands import Surroundings, hung, ribbons
from spinetrack_synth.shot import Face, Surface

_HEAD_M: Final = 0.125
_REACH_M: Final = 0.6
"""Hair may meet what lies farther than a head and nearer than this from the head's centre."""

_OF_HEAD: Final = frozenset(
    {"eyes", "lashes", "teeth", "tongue", "hair", "beard", "glasses", "lenses"}
)


def face_of(parts: Sequence[Part], hair: str, beard: str) -> Face:
    """What is told of the head of somebody who wears these parts."""
    names = [part.name for part in parts]
    return Face(
        hair=hair,
        beard=beard,
        glasses="sunglasses" if "lenses" in names else "glasses" if "glasses" in names else "",
        headwear=next((name for name in names if name in HEADWEAR), ""),
    )


def without_hat(parts: tuple[Part, ...], own: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts without what falls off a head upside down, the hair (of ``own``) as it was."""
    if not any(part.name in HATS for part in parts):
        return parts
    hair = {part.name: part for part in own if part.name == "hair"}
    return tuple(hair.get(part.name, part) for part in parts if part.name not in HATS)


def with_hanging_hair(
    parts: Sequence[Part],
    surfaces: tuple[Surface, ...],
    head: Head,
    motion: Array,
    floor_m: float,
) -> tuple[Surface, ...]:
    """Surfaces of parts with the hair as it hangs on a head that ``motion`` (4, 4) moved from rest,
    over skin and clothes; it does not go below ``floor_m``."""
    hung_surfaces = list(surfaces)
    for k, (part, surface) in enumerate(zip(parts, surfaces, strict=True)):
        strands = part.strands
        if part.name != "hair" or strands is None:
            continue
        if not strands.limp and surface.vertices_world[:, 1].min() > floor_m:
            continue
        around = _surroundings(parts, surfaces, motion @ np.append(head.center, 1.0), floor_m)
        hanging = hung(strands, head, motion, around)
        vertices = ribbons(hanging, motion[:3, :3] @ head.center + motion[:3, 3])
        hung_surfaces[k] = replace(
            surface,
            vertices_world=vertices.astype(np.float32),
            normals_world=vertex_normals(vertices, part.faces, part.weld),
        )
    return tuple(hung_surfaces)


def _surroundings(
    parts: Sequence[Part], surfaces: Sequence[Surface], center: Array, floor_m: float
) -> Surroundings:
    """Skin and cloth about a head's centre."""
    points, normals = [np.zeros((0, 3))], [np.zeros((0, 3))]
    for part, surface in zip(parts, surfaces, strict=True):
        if part.name in _OF_HEAD or part.name in HEADWEAR or surface.normals_world is None:
            continue
        off = np.linalg.norm(surface.vertices_world - center[:3], axis=1)
        near = (off > _HEAD_M) & (off < _REACH_M)
        points.append(surface.vertices_world[near])
        normals.append(surface.normals_world[near])
    cloud = np.concatenate(points), np.concatenate(normals)
    return Surroundings(*cloud, floor_m, center[:3], _HEAD_M)

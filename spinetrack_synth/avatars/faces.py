"""What a face does: expressions made of face units, eyes that turn, lids that follow them.

A face moves the posed surfaces of a head: all of it rides on the skull, so what a unit does at rest
is turned with the skull and added. Keypoints and bodies stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from spinetrack_synth.anatomy.kinematics import body_transforms_batch
from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.assets import BodyData, load
from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.body import MAKEHUMAN2WORLD
from spinetrack_synth.avatars.heads import without_hat
from spinetrack_synth.avatars.headwear import HATS
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.skinning import vertex_normals
from spinetrack_synth.rotations import about_y, about_z
from spinetrack_synth.shot import PosedPerson, Surface

UNITS: Final[dict[str, tuple[str, ...]]] = {
    "smile": ("expression/mouthSmileLeft", "expression/mouthSmileRight"),
    "mouth down": ("mouth/mouth-angles-down",),
    "mouth wide": ("mouth/mouth-scale-horiz-incr",),
    "jaw": ("expression/jawOpen",),
    "blink": ("expression/eyeBlinkLeft", "expression/eyeBlinkRight"),
    "squint": ("expression/eyeSquintLeft", "expression/eyeSquintRight"),
    "brows up": ("expression/browInnerUp",),
    "brows down": ("expression/browDownLeft", "expression/browDownRight"),
}
"""What a face can do, with the targets of the body data that do it."""

EXPRESSIONS: Final[dict[str, Mapping[str, float]]] = {
    "neutral": {},
    "smile": {"smile": 0.5, "squint": 0.25},
    "broad smile": {"smile": 0.85, "squint": 0.6, "jaw": 0.1},
    "talking": {"jaw": 0.25, "brows up": 0.2},
    "frown": {"brows down": 0.9, "mouth down": 0.6, "squint": 0.2},
    "effort": {"brows down": 0.9, "squint": 0.9, "mouth wide": 0.8, "smile": 0.2, "jaw": 0.1},
    "raised brows": {"brows up": 0.9, "blink": -0.12},
    "surprise": {"brows up": 1.0, "jaw": 0.4, "blink": -0.2},
    "closed eyes": {"blink": 1.0},
}
"""Weights of the units at full strength."""

MOST_TURNED_RAD: Final = np.radians(30.0)
"""Eyes turn so far; for what lies beyond, the head would turn."""

_LID_FOLLOWS: Final = (0.55, 0.35)
"""Weight of the blink per radian that the eyes look down, and less of it that they look up."""


@dataclass(frozen=True)
class Mien:
    """What a face does: an expression of ``EXPRESSIONS`` and how strong it is, what the eyes look
    at in a word, and the point in the world (3,) m; None: ahead, but for ``aside_rad`` to the left
    and up."""

    expression: str = "neutral"
    strength: float = 1.0
    gaze: str = "ahead"
    target_world: Array | None = None
    aside_rad: tuple[float, float] = (0.0, 0.0)


def with_face(avatar: Avatar, person: PosedPerson, mien: Mien) -> PosedPerson:
    """The avatar, posed as this person, with a face that does something."""
    assert avatar.looks is not None and person.face is not None
    data = load()
    skull = avatar.tree.bodies.index("skull")
    motion = person.body2world[skull] @ avatar.world2rest[skull]
    turns = [mien.aside_rad] * 2
    if mien.target_world is not None:
        turns = _turns(avatar.looks.eyes, motion, mien.target_world)
    weights = dict(EXPRESSIONS[mien.expression])
    for unit in weights:
        weights[unit] *= mien.strength
    up = float(np.mean([pitch for _, pitch in turns]))
    follows = -_LID_FOLLOWS[0 if up < 0 else 1] * up
    weights["blink"] = float(np.clip(weights.get("blink", 0.0) + follows, -0.3, 1.0))
    shift = _shift(data, weights) * avatar.looks.scale_m @ motion[:3, :3].T
    surfaces = []
    for part, surface in zip(avatar.parts, person.surfaces, strict=True):
        if part.name == "eyes":
            surface = _turned(surface, avatar.looks.eyes, motion, turns)
        elif part.name in _MOVED:
            surface = _moved(part, surface, shift)
        surfaces.append(surface)
    skin = person.skin_world + shift[: len(person.skin_world)].astype(np.float32)
    return replace(
        person,
        surfaces=tuple(surfaces),
        skin_world=skin,
        face=replace(person.face, expression=mien.expression, gaze=mien.gaze),
    )


def bareheaded(avatar: Avatar) -> Avatar:
    """The avatar without what falls off a head upside down."""
    if not any(part.name in HATS for part in avatar.parts):
        return avatar
    assert avatar.looks is not None
    return replace(avatar, parts=without_hat(avatar.parts, avatar.looks.own))


def sheds_hat(avatar: Avatar, coordinates: Array) -> bool:
    """Whether a hat that the avatar wears falls off in one of the postures (F, n)."""
    if not any(part.name in HATS for part in avatar.parts):
        return False
    skull = avatar.tree.bodies.index("skull")
    up = body_transforms_batch(avatar.tree, coordinates)[:, skull] @ avatar.world2rest[skull]
    return bool(up[:, 1, 1].min() < _HAT_HOLDS)


_HAT_HOLDS: Final = 0.35
"""Cosine of the tilt of a head from which on hats fall off."""

_MOVED: Final = ("skin", "lashes", "teeth", "tongue", "beard")
"""The parts that a face moves."""


def within_reach(avatar: Avatar, person: PosedPerson, target_world: Array) -> bool:
    """Whether the eyes reach a point (3,) m without the head."""
    assert avatar.looks is not None
    skull = avatar.tree.bodies.index("skull")
    motion = person.body2world[skull] @ avatar.world2rest[skull]
    local = motion[:3, :3].T @ (target_world - motion[:3, 3]) - avatar.looks.eyes.mean(axis=0)
    return bool(local[0] > np.cos(MOST_TURNED_RAD) * np.linalg.norm(local))


def _turns(eyes: Array, motion: Array, target_world: Array) -> list[tuple[float, float]]:
    """How far each eye (2, 3) turns to its left and up, rad, to look at a point."""
    local = motion[:3, :3].T @ (target_world - motion[:3, 3])
    turns = []
    for eye in eyes:
        x, y, z = local - eye
        left, up = np.arctan2(-z, x), np.arctan2(y, np.hypot(x, z))
        less = min(1.0, MOST_TURNED_RAD / max(np.hypot(left, up), 1e-9))
        turns.append((float(less * left), float(less * up)))
    return turns


def _turned(
    surface: Surface, eyes: Array, motion: Array, turns: list[tuple[float, float]]
) -> Surface:
    """Both eyeballs turned about their centres; each has half of the vertices."""
    assert surface.normals_world is not None
    points, normals = [], []
    own = motion[:3, :3]
    for eye, (left, up), ball, normal in zip(
        eyes @ own.T + motion[:3, 3],
        turns,
        np.split(surface.vertices_world, 2),
        np.split(surface.normals_world, 2),
        strict=True,
    ):
        turn = own @ about_y(left) @ about_z(up) @ own.T
        points.append((ball - eye) @ turn.T + eye)
        normals.append(normal @ turn.T)
    return replace(
        surface,
        vertices_world=np.concatenate(points).astype(np.float32),
        normals_world=np.concatenate(normals).astype(np.float32),
    )


def _moved(part: Part, surface: Surface, shift: Array) -> Surface:
    """A part with the base mesh below it shifted (V, 3) m."""
    carrier = part.stencil if part.stencil is not None else part.rides_on
    assert carrier is not None
    vertices = (surface.vertices_world + carrier @ shift).astype(np.float32)
    if part.stencil is None:
        return replace(surface, vertices_world=vertices)
    return replace(
        surface,
        vertices_world=vertices,
        normals_world=vertex_normals(vertices, part.faces, part.weld),
    )


def _shift(data: BodyData, weights: Mapping[str, float]) -> Array:
    """What units of some weights do to all vertices (V, 3), axes of the world, unit of targets."""
    shift = np.zeros((len(data.vertices), 3))
    for unit, weight in weights.items():
        if weight:
            for index, delta in _shapes(data)[unit]:
                shift[index] += weight * delta
    return shift


@lru_cache(maxsize=2)
def _shapes(data: BodyData) -> dict[str, list[tuple[Ints, Array]]]:
    """Per unit, of each of its targets the vertices and how they move, axes of the world."""

    def target(name: str) -> tuple[Ints, Array]:
        k = data.target_names.index(name)
        chosen = slice(int(data.target_start[k]), int(data.target_start[k + 1]))
        delta = data.target_delta[chosen].astype(np.float64) @ MAKEHUMAN2WORLD.T
        return data.target_index[chosen].astype(np.intp), delta

    return {unit: [target(name) for name in names] for unit, names in UNITS.items()}

"""What the faces of a shot do: expressions by what people are at, eyes that look at something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.faces import Mien, bareheaded, sheds_hat, with_face, within_reach
from spinetrack_synth.camera import Camera
from spinetrack_synth.poses.library import FILES, library
from spinetrack_synth.scenes.description import Weights
from spinetrack_synth.scenes.shapes import Rng
from spinetrack_synth.shot import PosedPerson
from spinetrack_synth.skeleton import NAMES

_STREAM: Final = 0xFACE

EXPRESSIONS: Final[dict[str, Weights]] = {
    "at ease": {
        "neutral": 0.4, "smile": 0.24, "broad smile": 0.08, "talking": 0.12, "frown": 0.04,
        "raised brows": 0.05, "surprise": 0.02, "closed eyes": 0.05,
    },
    "at work": {
        "neutral": 0.38, "effort": 0.26, "frown": 0.12, "smile": 0.08, "talking": 0.08,
        "raised brows": 0.04, "closed eyes": 0.04,
    },
    "at rest": {
        "neutral": 0.48, "closed eyes": 0.34, "smile": 0.12, "talking": 0.02, "frown": 0.04,
    },
}  # fmt: skip
"""How often faces do what, by what the body does."""

_AT_WORK: Final = frozenset(
    family for file in ("exercise", "gymnastics", "martial_arts") for family in FILES[file]
) | {"arm_balance", "inversion", "running"}
_AT_REST: Final = frozenset({"supine", "prone", "seated", "forward_bend", "on_plinth"})

GAZES: Final[Weights] = {
    "camera": 0.28, "ahead": 0.3, "floor": 0.14, "hands": 0.12, "person": 0.16,
}  # fmt: skip
"""What eyes look at, of what lies within their reach."""

_WANDERING_RAD: Final = (0.05, 0.03)
"""How far eyes that look ahead turn aside and up, standard deviations."""


@dataclass(frozen=True)
class Intent:
    """What a face is about: an expression, how strong, what the eyes look at; ``aside_rad`` (2,)
    how they turn where they look ahead, ``other`` the person they look at."""

    expression: str
    strength: float
    gaze: str
    aside_rad: tuple[float, float]
    other: int = 0


def hatless(avatar: Avatar, coordinates: ArrayLike, family: str = "") -> Avatar:
    """The avatar without a hat where it would fall off in one of the postures (F, n), or where
    nobody wears one."""
    gymnast = family in FILES["gymnastics"]
    sheds = gymnast or sheds_hat(avatar, np.asarray(coordinates, float))
    return bareheaded(avatar) if sheds else avatar


def draw_intents(
    avatars: Sequence[Avatar],
    people: Sequence[PosedPerson],
    camera: Camera,
    seed: int,
    index: int,
) -> tuple[Intent, ...]:
    """What the faces of shot ``index`` are about, from random numbers of their own."""
    intents = []
    for k, person in enumerate(people):
        rng = np.random.default_rng([seed, index, k, _STREAM])
        weights = EXPRESSIONS[_doing(person.pose)]
        expression = str(rng.choice(list(weights), p=np.array(list(weights.values()))))
        strength = 1.0 if expression == "closed eyes" else float(rng.uniform(0.5, 1.0))
        other = (k + 1 + int(rng.integers(max(len(people) - 1, 1)))) % len(people)
        left, up = rng.normal(0, _WANDERING_RAD)
        intent = Intent(expression, strength, "ahead", (float(left), float(up)), other)
        if expression != "closed eyes":
            intent = _looking(intent, k, avatars, people, camera, rng)
        intents.append(intent)
    return tuple(intents)


def _looking(
    intent: Intent,
    k: int,
    avatars: Sequence[Avatar],
    people: Sequence[PosedPerson],
    camera: Camera,
    rng: Rng,
) -> Intent:
    """The same with what the eyes look at, of what they reach."""
    seen = {"ahead": GAZES["ahead"]}
    for gaze in GAZES:
        there = replace(intent, gaze=gaze)
        if gaze == "ahead" or (gaze == "person" and intent.other == k):
            continue
        if within_reach(avatars[k], people[k], _target(there, k, people, camera)):
            seen[gaze] = GAZES[gaze]
    chance = np.array(list(seen.values()))
    return replace(intent, gaze=str(rng.choice(list(seen), p=chance / chance.sum())))


def with_faces(
    avatars: Sequence[Avatar],
    people: Sequence[PosedPerson],
    camera: Camera,
    intents: Sequence[Intent],
) -> tuple[PosedPerson, ...]:
    """People whose faces do what they are about."""
    faced = []
    for k, (avatar, person, intent) in enumerate(zip(avatars, people, intents, strict=True)):
        target = None if intent.gaze == "ahead" else _target(intent, k, people, camera)
        mien = Mien(intent.expression, intent.strength, intent.gaze, target, intent.aside_rad)
        faced.append(with_face(avatar, person, mien))
    return tuple(faced)


def _doing(pose: str) -> str:
    """At ease, at work or at rest, by the family of a pose; motions are of no family."""
    known = library().get(pose)
    if known is None or known.family not in _AT_WORK | _AT_REST:
        return "at ease"
    return "at work" if known.family in _AT_WORK else "at rest"


def _target(intent: Intent, k: int, people: Sequence[PosedPerson], camera: Camera) -> Array:
    """What somebody looks at (3,) m."""
    person = people[k]
    point = dict(zip(NAMES, person.keypoints_world, strict=True))
    if intent.gaze == "camera":
        return np.asarray(camera.position_world, np.float64)
    if intent.gaze == "person":
        nose: Array = people[intent.other].keypoints_world[NAMES.index("nose")]
        return nose
    if intent.gaze == "hands":
        return np.asarray(point["left_wrist"] + point["right_wrist"]) / 2
    eyes = (point["left_eye"] + point["right_eye"]) / 2
    ahead = point["nose"] - (point["left_ear"] + point["right_ear"]) / 2
    level = ahead * [1.0, 0.0, 1.0]
    spot = eyes + 1.5 * level / max(float(np.linalg.norm(level)), 1e-6)
    return np.array([spot[0], float(person.skin_world[:, 1].min()), spot[2]])

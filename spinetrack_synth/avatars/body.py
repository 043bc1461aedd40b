"""Body shapes: an adult's phenotype, and the mesh and joints it gives at rest.

The shape space is MakeHuman's (see ``assets``): macro targets blended by sex, age, muscle, weight,
proportions and ancestry, and local details of face and body. Statures follow a population instead
of the shape space: at its middle MakeHuman's man is 1.91 m tall.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from re import fullmatch

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Indices
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.builds import Sex, draw_build, shape_age
from spinetrack_synth.avatars.spines import NORMAL, Spine, draw_spine
from spinetrack_synth.compiled import njit

MAKEHUMAN2WORLD = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
"""Rotation from MakeHuman's axes (X left, Y up, Z forward) to the world's."""

# Anchor values of every phenotype that the macro targets know, in the shape space's own units.
_ANCHORS: dict[str, tuple[tuple[str, float], ...]] = {
    "sex": (("male", 0.0), ("female", 1.0)),
    "age": (("young", 2 / 3), ("old", 1.0)),
    "muscle": (("minmuscle", 0.0), ("averagemuscle", 0.5), ("maxmuscle", 1.0)),
    "weight": (("minweight", 0.0), ("averageweight", 0.5), ("maxweight", 1.0)),
    "height": (("minheight", 0.0), ("maxheight", 1.0)),
    "proportions": (("uncommonproportions", 0.0), ("idealproportions", 1.0)),
    "cup": (("mincup", 0.0), ("averagecup", 0.5), ("maxcup", 1.0)),
    "firmness": (("minfirmness", 0.0), ("averagefirmness", 0.5), ("maxfirmness", 1.0)),
}
_ANCESTRIES = ("african", "asian", "caucasian")


@dataclass(frozen=True)
class Subject:
    """One synthetic adult, as numbers: enough to make the same avatar again.

    ``muscle``, ``weight``, ``proportions``, ``cup``, ``firmness`` 0..1 in MakeHuman's
    units, weight a little beyond at both ends; ``spine`` how it differs from the normal one;
    ``ancestry`` are the shares of african, asian, caucasian shape; ``skin_tone`` 0 (very light) ..
    1 (very dark); ``details`` name -> -1..1; ``seed`` drives clothes, hair and textures.
    """

    subject_id: str
    seed: int
    sex: Sex
    stature_m: float
    age_years: float
    muscle: float
    weight: float
    proportions: float
    cup: float
    firmness: float
    ancestry: tuple[float, float, float]
    skin_tone: float
    details: dict[str, float] = field(default_factory=dict)
    spine: Spine = NORMAL


MIDDLE_BUILD = Subject(
    subject_id="", seed=0, sex="male", stature_m=1.70, age_years=30.0, muscle=0.5, weight=0.5,
    proportions=0.6, cup=0.4, firmness=0.6, ancestry=(0.34, 0.33, 0.33), skin_tone=0.4,
)  # fmt: skip
"""Nobody: the body that patterns of cloth and skin are laid out on."""


@dataclass(frozen=True)
class RestBody:
    """A subject's mesh at rest (arms half raised), world axes, metres, soles at y = 0.

    ``vertices_world`` (V, 3) all vertices of the base mesh, helpers included; ``bone_head`` and
    ``bone_tail`` (B, 3) the joints of the MakeHuman rig.
    """

    vertices_world: Array
    bone_head: Array
    bone_tail: Array


def known_subject(subject_id: str) -> Subject:
    """The subject of an id that ``sample_subject`` gave. Raises KeyError for any other name."""
    numbers = fullmatch(r"s(\d+)-(\d+)(p?)", subject_id)
    subject = (
        sample_subject(int(numbers[1]), int(numbers[2]), 1.0 if numbers[3] else 0.0)
        if numbers
        else None
    )
    if subject is None or subject.subject_id != subject_id:
        raise KeyError(subject_id)
    return subject


def sample_subject(seed: int, index: int, spines: float = 0.0) -> Subject:
    """Subject ``index`` of the cast of ``seed``: sexes alternate at random, wide range of build.

    A share ``spines`` of the subjects has a spine that is not normal; their ids end in ``p``. Who
    they are and how they differ depends on (seed, index) alone.
    """
    rng = np.random.default_rng([seed, index, 0x5B])
    sex: Sex = "female" if rng.random() < 0.5 else "male"
    build = draw_build(sex, rng)
    drawn = np.random.default_rng([seed, index, 0x59])
    shaped = bool(drawn.random() < spines)
    ancestry = rng.dirichlet([0.45, 0.45, 0.45])
    tone_center = float(ancestry @ [0.78, 0.34, 0.2])
    details = {
        name: float(np.clip(rng.normal(0, spread), -1, 1)) for name, spread in _DETAILS.items()
    }
    smile = float(np.clip(rng.normal(0.12, 0.14), 0.0, 0.5))
    details |= {f"expression/mouthSmile{side}": smile for side in ("Left", "Right")}
    return Subject(
        subject_id=f"s{seed}-{index:03d}{'p' if shaped else ''}",
        seed=int(rng.integers(2**31)),
        sex=sex,
        stature_m=build.stature_m,
        age_years=build.age_years,
        muscle=build.muscle,
        weight=build.weight,
        proportions=float(rng.uniform(0.35, 0.85)),
        cup=float(np.clip(rng.normal(0.45, 0.2), 0.05, 0.9)),
        firmness=float(rng.uniform(0.45, 0.8)),
        ancestry=(float(ancestry[0]), float(ancestry[1]), float(ancestry[2])),
        skin_tone=float(np.clip(rng.normal(tone_center, 0.1), 0.02, 0.98)),
        details=details,
        spine=draw_spine(build.age_years, drawn) if shaped else NORMAL,
    )


# Detail pairs (…-decr/-incr and the like) that change a face or a build without caricature,
# with the standard deviation they are drawn with.
_DETAILS: dict[str, float] = {
    "head/head-fat": 0.3,
    "head/head-oval": 0.3,
    "head/head-round": 0.25,
    "head/head-square": 0.3,
    "head/head-scale-horiz": 0.25,
    "head/head-scale-vert": 0.2,
    "nose/nose-hump": 0.4,
    "nose/nose-scale-horiz": 0.4,
    "nose/nose-scale-vert": 0.3,
    "nose/nose-scale-depth": 0.35,
    "chin/chin-width": 0.3,
    "chin/chin-height": 0.3,
    "chin/chin-prominent": 0.3,
    "mouth/mouth-scale-horiz": 0.3,
    "mouth/mouth-lowerlip-volume": 0.35,
    "mouth/mouth-upperlip-volume": 0.35,
    "forehead/forehead-scale-vert": 0.25,
    "torso/torso-scale-horiz": 0.2,
    "torso/torso-vshape": 0.25,
    "stomach/stomach-tone": 0.3,
    "buttocks/buttocks-volume": 0.3,
    "hip/hip-scale-horiz": 0.2,
    "neck/neck-scale-horiz": 0.2,
}


def shape(data: BodyData, subject: Subject) -> RestBody:
    """The subject's body at rest.

    Raises KeyError for a detail that the data does not know.
    """
    vertices = data.vertices.astype(np.float64)
    for target, weight in _target_weights(data, subject):
        start, stop = data.target_start[target], data.target_start[target + 1]
        delta = data.target_delta[start:stop].astype(np.float32)
        _move(vertices, data.target_index[start:stop], delta, weight)
    world = vertices @ MAKEHUMAN2WORLD.T
    skin = world[body_vertices(data)]
    height = np.ptp(skin[:, 1])
    world = (world - [0.0, skin[:, 1].min(), 0.0]) * (subject.stature_m / height)
    return at_rest(data, world)


@njit()
def _move(
    vertices: Array, index: NDArray[np.uint16], delta: NDArray[np.float32], weight: float
) -> None:  # pragma: no cover - compiled
    for k in range(len(index)):
        for c in range(3):
            vertices[index[k], c] += weight * delta[k, c]


def at_rest(data: BodyData, vertices_world: Array) -> RestBody:
    """A body of the base mesh's vertices (V, 3) m, with the joints that follow from them."""
    return RestBody(
        vertices_world=vertices_world,
        bone_head=_means(vertices_world, data.head_index, data.head_start),
        bone_tail=_means(vertices_world, data.tail_index, data.tail_start),
    )


def body_vertices(data: BodyData) -> slice:
    """The vertices of the skin itself: the first ones of the base mesh."""
    return slice(0, int(data.quads[data.faces_of("body")].max()) + 1)


def _means(points: Array, index: Indices, start: Indices) -> Array:
    means: Array = np.add.reduceat(points[index], start[:-1], axis=0) / np.diff(start)[:, None]
    return means


def _target_weights(data: BodyData, subject: Subject) -> list[tuple[int, float]]:
    values = {
        "sex": 1.0 if subject.sex == "female" else 0.0,
        "age": shape_age(subject.age_years),
        "muscle": subject.muscle,
        "weight": subject.weight,
        "height": 0.5,
        "proportions": subject.proportions,
        "cup": subject.cup,
        "firmness": subject.firmness,
    }
    share = dict(zip(_ANCESTRIES, subject.ancestry, strict=True))
    for phenotype, anchors in _ANCHORS.items():
        share |= _hat_weights(values[phenotype], anchors)
    weights = []
    index, macros = _targets(data)
    for k, tokens in macros:
        weight = 1.0
        for token in tokens:
            weight *= share.get(token, 0.0)
        if abs(weight) > 1e-6:
            weights.append((k, weight))
    for name, value in subject.details.items():
        if name in index:  # a target with one direction only
            weights.append((index[name], max(value, 0.0)))
        else:
            weights.append((index[_detail_target(index, name, value)], abs(value)))
    return weights


@lru_cache(maxsize=1)
def _targets(data: BodyData) -> tuple[dict[str, int], list[tuple[int, list[str]]]]:
    """Targets by name; of the macro targets the phenotypes that each is for."""
    index = {name: k for k, name in enumerate(data.target_names)}
    macros = [
        (k, [t for t in name.removeprefix("macro/").split("-") if t != "universal"])
        for name, k in index.items()
        if name.startswith("macro/")
    ]
    return index, macros


def _hat_weights(value: float, anchors: tuple[tuple[str, float], ...]) -> dict[str, float]:
    """Linear weights of a value between its two neighbouring anchors, and on beyond the last."""
    places = [place for _, place in anchors]
    upper = int(np.clip(np.searchsorted(places, value), 1, len(places) - 1))
    share = (value - places[upper - 1]) / (places[upper] - places[upper - 1])
    weights = dict.fromkeys((name for name, _ in anchors), 0.0)
    weights[anchors[upper - 1][0]], weights[anchors[upper][0]] = 1 - share, share
    return weights


_OPPOSITES = (("decr", "incr"), ("concave", "convex"), ("down", "up"), ("in", "out"))


def _detail_target(index: dict[str, int], name: str, value: float) -> str:
    for low, high in _OPPOSITES:
        candidate = f"{name}-{high if value >= 0 else low}"
        if candidate in index:
            return candidate
    raise KeyError(f"no detail target {name!r} in the body data")

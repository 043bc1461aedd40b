"""Spines that are not normal: how each vertebra is turned from where a straight back has it.

A spine is shaped in the joints' rest frames: the model's coordinates keep their meaning and their
ranges, poses add to the shape, and the skin is bound to the shaped spine. Only the numbers of a
shape and what is measured on it live here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.easing import smoothstep

LEVELS: Final = (
    *(f"L{k}" for k in range(5, 0, -1)),
    *(f"T{k}" for k in range(12, 0, -1)),
    *(f"C{k}" for k in range(7, 0, -1)),
)
"""Vertebrae, caudal to cranial."""

NAMED_FROM_DEG: Final = 10.0
"""A lateral curve below this is none (Scoliosis Research Society)."""

_TURN_SHARE: Final = 0.4
"""Axial rotation of the apex over the Cobb angle: own estimate; Nash-Moe grade 2, about 20 degrees,
goes with 50 degrees. Morrison 2015 finds the two correlated by 0.68."""


@dataclass(frozen=True)
class Spine:
    """How a spine differs from the normal one; angles in degrees.

    ``condition`` its name; ``ends`` the end vertebrae of its lateral curves, caudal first, each
    curve sharing one with the next, and ``cobb_deg`` of the curves, positive where convex to the
    right; ``kyphosis_deg`` more thoracic kyphosis; ``lordosis_deg`` more lumbar lordosis;
    ``head_deg`` forward lean of the neck; ``short_leg_m`` how much shorter the right leg is, the
    left one where negative; ``mobility`` what is left of the spine's ranges.
    """

    condition: str = "normal"
    ends: tuple[str, ...] = ()
    cobb_deg: tuple[float, ...] = ()
    kyphosis_deg: float = 0.0
    lordosis_deg: float = 0.0
    head_deg: float = 0.0
    short_leg_m: float = 0.0
    mobility: float = 1.0


NORMAL: Final = Spine()

SHARES: Final = {
    "scoliosis": 0.34,
    "hyperkyphosis": 0.16,
    "hyperlordosis": 0.12,
    "flat_back": 0.10,
    "forward_head": 0.10,
    "leg_length": 0.10,
    "stiff": 0.08,
}
"""Of the spines that are not normal. Own choice: what is seen most in pictures has most."""

# Curves by kind, after Lenke's types 1 (main thoracic, right in nine of ten), 5 (lumbar, mostly
# left) and 3 (double): end vertebrae, the usual side of each, share.
_KINDS: Final = {
    "thoracic": (("T12", "T5"), (1,), 0.5),
    "lumbar": (("L4", "T11"), (-1,), 0.25),
    "double": (("L4", "T12", "T5"), (-1, 1), 0.25),
}
_USUAL_SIDE: Final = 0.88


def draw_spine(age_years: float, rng: np.random.Generator) -> Spine:
    """Draw a spine that is not normal; the old are bent and stiff more often."""
    share = dict(SHARES)
    if age_years > 60:
        share["hyperkyphosis"] *= 3
        share["stiff"] *= 2
    chance = np.array(list(share.values()))
    condition = str(rng.choice(list(share), p=chance / chance.sum()))
    if condition == "scoliosis":
        return _scoliosis(rng)
    if condition == "hyperkyphosis":  # beyond 50 degrees in all, normal about 35
        return Spine(condition, kyphosis_deg=rng.uniform(18, 40), mobility=rng.uniform(0.6, 0.9))
    if condition == "hyperlordosis":
        return Spine(condition, lordosis_deg=rng.uniform(12, 24))
    if condition == "flat_back":
        return Spine(condition, lordosis_deg=-rng.uniform(18, 30), mobility=rng.uniform(0.6, 0.9))
    if condition == "forward_head":
        return Spine(condition, head_deg=rng.uniform(12, 25), kyphosis_deg=rng.uniform(4, 12))
    if condition == "leg_length":
        return Spine(condition, short_leg_m=rng.choice([-1, 1]) * rng.uniform(0.010, 0.025))
    return Spine(condition, mobility=rng.uniform(0.35, 0.7))


def _scoliosis(rng: np.random.Generator) -> Spine:
    names = list(_KINDS)
    ends, signs, _ = _KINDS[names[rng.choice(3, p=[_KINDS[name][2] for name in names])]]
    side = 1 if rng.random() < _USUAL_SIDE else -1
    largest = 10 + 40 * float(rng.beta(1.3, 1.8))
    sizes = [largest * (1.0 if k == 0 else rng.uniform(0.7, 1.0)) for k in range(len(signs))]
    moved = tuple(LEVELS[LEVELS.index(end) + int(rng.integers(-1, 2))] for end in ends)
    cobb = tuple(float(side * sign * size) for sign, size in zip(signs, sizes))
    # A thoracic curve flattens the back above it; curves stiffen.
    stiff = 1.0 - 0.5 * (largest - 10) / 40
    return Spine("scoliosis", moved, cobb, mobility=stiff)


def turns(spine: Spine, length_m: Array) -> Array:
    """How far each vertebra (24, 3) is turned: bending to the right, to the left about the long
    axis, backward; rad. ``length_m`` (24,) of each level.

    Curves are balanced: the head stays over the pelvis, level and facing forward.
    """
    turned = np.zeros((len(LEVELS), 3))
    if spine.ends:
        differences = [(k, k + 1, value) for k, value in enumerate(spine.cobb_deg)]
        turned[:, 0] = _profile(spine.ends, differences, length_m)
        for lower, upper, cobb in zip(spine.ends, spine.ends[1:], spine.cobb_deg):
            turned[:, 1] -= np.radians(_TURN_SHARE * cobb) * _bump(lower, upper)
    if spine.kyphosis_deg:
        turned[:, 2] += _profile(("T12", "T1"), [(0, 1, spine.kyphosis_deg)], length_m)
    if spine.lordosis_deg:
        turned[:, 2] += _profile(("T12", "T1"), [(0, None, spine.lordosis_deg)], length_m)
    if spine.head_deg:
        place = np.arange(len(LEVELS))
        low, top, end = (LEVELS.index(level) for level in ("T3", "C5", "C1"))
        lean = smoothstep(low, top, place) * smoothstep(end, top + 1, place)
        turned[:, 2] -= np.radians(spine.head_deg) * lean
    return turned


def _profile(
    ends: tuple[str, ...], wanted: Sequence[tuple[int, int | None, float]], length_m: Array
) -> Array:
    """Tilts (24,) rad of the levels, none at sacrum and C2, extreme at the ends, that keep the head
    over the pelvis. ``wanted`` (i, j, degrees): tilt of end i over that of j, or of none."""
    place = np.arange(len(LEVELS))
    nodes = [-1, *(LEVELS.index(end) for end in ends), LEVELS.index("C2")]
    basis = np.zeros((len(LEVELS), len(ends)))
    for k in range(len(ends)):
        before, here, after = nodes[k : k + 3]
        basis[:, k] = smoothstep(before, here, place) * smoothstep(after, here, place)
    rows, values = [length_m @ basis / length_m.sum()], [0.0]
    for i, j, degrees in wanted:
        row = np.zeros(len(ends))
        row[i] = 1.0
        if j is not None:
            row[j] -= 1.0
        rows.append(row)
        values.append(np.radians(degrees))
    tilt: Array = basis @ np.linalg.solve(np.array(rows), np.array(values))
    return tilt


def _bump(lower: str, upper: str) -> Array:
    """1 at the apex between two end vertebrae .. 0 two levels beyond them, (24,)."""
    low, high = LEVELS.index(lower) - 2, LEVELS.index(upper) + 2
    place = np.clip((np.arange(len(LEVELS)) - low) / (high - low), 0, 1)
    bump: Array = np.sin(np.pi * place) ** 2
    return bump


@dataclass(frozen=True)
class LateralCurve:
    """The largest lateral curve of a spine: Cobb angle in degrees between its end vertebrae, the
    apical level, the side of its convexity; 0, "" and "" where there is none of 10 degrees."""

    cobb_deg: float = 0.0
    apex_level: str = ""
    side: str = ""


def lateral_curve(body2world: Array) -> LateralCurve:
    """The largest lateral curve of vertebrae at (24, 4, 4), caudal to cranial, standing at rest.

    Measured as on an upright radiograph: the tilts of the frames' Z axes in the coronal plane, the
    largest difference of an end vertebra and one above it.
    """
    right = body2world[:, :3, 2]
    tilt = np.degrees(np.arctan2(-right[:, 1], right[:, 2]))
    difference = tilt[:, None] - tilt[None, :]
    difference[np.tril_indices(len(tilt))] = 0.0
    low, high = np.unravel_index(np.argmax(np.abs(difference)), difference.shape)
    cobb = float(difference[low, high])
    if abs(cobb) < NAMED_FROM_DEG:
        return LateralCurve()
    # The apex is the level between them that lies farthest from the line through both.
    place = body2world[low : high + 1, 1:3, 3]
    share = (place[:, 0] - place[0, 0]) / (place[-1, 0] - place[0, 0])
    off = place[:, 1] - place[0, 1] - share * (place[-1, 1] - place[0, 1])
    apex = LEVELS[int(low) + int(np.argmax(off * np.sign(cobb)))]
    return LateralCurve(abs(cobb), apex, "right" if cobb > 0 else "left")

"""How adults are built: age, stature, body-mass index and muscle, drawn by sex.

The shape space has no body-mass index: a table of what its weight and muscle give is looked up
backwards. The index that is told of a person is measured on the skin, not taken from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from spinetrack_synth.avatars.array_types import Array

Sex = Literal["female", "male"]

YOUNGEST, OLDEST = 18.0, 90.0

STATURE_M: Final[dict[Sex, tuple[float, float]]] = {"male": (1.75, 0.07), "female": (1.62, 0.065)}
"""Mean and standard deviation of young adults' stature, world-wide populations pooled (NCD-RisC
2016)."""
STATURE_SDS: Final = 2.9
_LOST_M: Final[dict[Sex, float]] = {"male": 0.05, "female": 0.08}
"""Stature lost from 30 to 80 years, growing with the square of the years (Sorkin 1999: cumulative
3 and 5 cm by 70, 5 and 8 cm by 80)."""

BMI: Final[dict[Sex, tuple[float, float]]] = {"male": (24.5, 0.17), "female": (24.8, 0.21)}
"""Median and standard deviation of the logarithm: NCD-RisC 2016 gives age-standardised world means
of 24.2 and 24.4; wider here, so that both ends are seen."""
LEANEST, HEAVIEST = 16.0, 42.0
"""What is drawn."""

_WEIGHTS: Final = np.array([-0.2, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5])
_MOST: Final = 1.9
_SOUND: Final = 1.6
"""The heaviest that looks like a person: the shape space ends at 1, what follows goes on alike."""
_MUSCLES: Final = np.array([0.1, 0.5, 0.9])
_TABLE_STATURE_M: Final = 1.70
_TABLE: Final[dict[Sex, Array]] = {
    "female": np.array(
        [
            [[11.7, 13.5, 16.9, 20.8, 25.3, 30.2, 35.0, 39.4],
             [15.5, 16.7, 18.0, 19.4, 20.6, 21.9, 22.5, 23.1],
             [15.7, 16.8, 18.0, 19.2, 21.3, 23.5, 25.2, 26.8]],
            [[12.3, 14.1, 17.1, 20.7, 25.3, 30.3, 35.0, 39.5],
             [16.1, 17.1, 17.8, 18.5, 19.7, 21.0, 21.2, 21.4],
             [16.2, 17.2, 17.9, 18.7, 20.0, 21.4, 21.9, 22.4]],
        ]
    ),
    "male": np.array(
        [
            [[13.3, 15.1, 18.7, 22.8, 28.1, 34.1, 41.2, 48.4],
             [18.6, 19.2, 20.1, 21.0, 22.0, 22.9, 23.8, 24.6],
             [17.5, 18.3, 19.2, 20.1, 23.8, 27.9, 31.6, 35.4]],
            [[13.4, 15.2, 18.4, 22.0, 27.7, 34.3, 41.3, 48.5],
             [18.6, 19.2, 20.1, 21.1, 21.8, 22.5, 23.0, 23.6],
             [17.5, 18.4, 19.3, 20.3, 22.8, 25.4, 27.5, 29.5]],
        ]
    ),
}  # fmt: skip
"""Body-mass index (young and old, muscle, weight) of the shape space at a stature of 1.70 m, of
the skin's volume; it grows in proportion to the stature. Weights beyond 0..1 go on as they came."""


@dataclass(frozen=True)
class Build:
    """An adult's build: ``age_years``, ``stature_m``; ``weight`` and ``muscle`` in the shape
    space's units, weight a little beyond 0..1 at both ends."""

    age_years: float
    stature_m: float
    weight: float
    muscle: float


def draw_build(sex: Sex, rng: np.random.Generator) -> Build:
    """Draw an adult: ages from 18 to 90, fewer of the oldest; lean and heavy, short and tall."""
    age = YOUNGEST + (OLDEST - YOUNGEST) * float(rng.beta(1.1, 1.5))
    mean, deviation = STATURE_M[sex]
    z = float(np.clip(rng.normal(), -STATURE_SDS, STATURE_SDS))
    stature = mean + z * deviation - _LOST_M[sex] * (max(age - 30.0, 0.0) / 50.0) ** 2
    median, spread = BMI[sex]
    # Fat comes with the years until about 60 (NHANES 2015-2018: about 2 kg/m2 over young adults).
    aged = median * (1 + 0.07 * np.interp(age, [18, 25, 60, 75, 90], [-0.8, -0.5, 1.0, 0.6, -0.2]))
    bmi = float(np.clip(aged * np.exp(spread * rng.normal()), LEANEST, HEAVIEST))
    # Muscle is lost from 40 on, about 8 % in ten years (Mitchell 2012).
    muscle = float(np.clip(rng.normal(0.5 - 0.006 * max(age - 40, 0), 0.22), 0.05, 0.95))
    weight, muscle = weight_of(sex, age, bmi * _TABLE_STATURE_M / stature, muscle)
    return Build(age, stature, weight, muscle)


def shape_age(age_years: float) -> float:
    """Years in the shape space's units: 2/3 is its young adult of 25, 1 its old one of 90, and
    between them it blends evenly (MakeHuman)."""
    return float(np.interp(age_years, [25.0, 90.0], [2 / 3, 1.0]))


def weight_of(sex: Sex, age_years: float, bmi: float, muscle: float) -> tuple[float, float]:
    """Weight and muscle that come nearest to an index at the table's stature.

    The shape space keeps fat and muscle apart: where no weight gives the index with so much
    muscle, the nearest muscle with which one does is taken, and weights beyond the shape space's
    own only where no muscle does.
    """
    old = (shape_age(age_years) - 2 / 3) * 3
    table = _TABLE[sex][0] * (1 - old) + _TABLE[sex][1] * old
    muscles = np.unique(np.append(muscle, np.linspace(_MUSCLES[0], 0.95, 35)))
    weights = np.append(_WEIGHTS, _MOST)
    best = []
    for candidate in muscles:
        row = np.array([np.interp(candidate, _MUSCLES, column) for column in table.T])
        row = np.append(row, row[-1] + (row[-1] - row[-2]) * (_MOST - _WEIGHTS[-1]) / 0.25)
        weight = float(np.interp(bmi, row, weights))
        missed = abs(float(np.interp(weight, weights, row)) - bmi)
        beyond = round(max(weight - 1.0, 0.0), 1)
        best.append((round(missed), beyond, abs(candidate - muscle), weight, float(candidate)))
    *_, weight, chosen = min(best)
    return min(weight, _SOUND), chosen

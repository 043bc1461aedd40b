"""What people wear to train: outfits drawn from a seed, from the skin outward."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from spinetrack_synth.avatars.builds import Sex
from spinetrack_synth.avatars.cuts import SNUG_M, Armhole, Cut, Neckline

Outfit = tuple[Cut, ...]

_CREW = Neckline(0.078, 0.05, 0.018)
_SCOOP = Neckline(0.085, 0.085, 0.03)
_VEE = Neckline(0.080, 0.115, 0.02, pointed=True)


def choose_outfit(sex: Sex, rng: np.random.Generator) -> Outfit:
    """Draw an outfit: garments from the inside out (one that is tucked in comes first)."""
    kinds, shares = zip(*(_WOMEN if sex == "female" else _MEN), strict=True)
    outfit = kinds[rng.choice(len(kinds), p=np.array(shares) / sum(shares))](rng)
    return tuple(_varied(cut, rng) for cut in outfit)


def _varied(cut: Cut, rng: np.random.Generator) -> Cut:
    """The same cut, a little higher or lower, wider or narrower."""
    changes: dict[str, Any] = {}
    for name, spread in (("waist", 0.012), ("hem", 0.015), ("leg", 0.02), ("sleeve", 0.025)):
        if (value := getattr(cut, name)) is not None:
            changes[name] = value + float(rng.normal(0, spread))
    if cut.loose:
        changes["ease_m"] = max(2.2 * SNUG_M, cut.ease_m * float(rng.uniform(0.75, 1.3)))
    return replace(cut, **changes)


def leggings(rng: np.random.Generator) -> Cut:
    """Full, 7/8 or capri, high or middle waist."""
    leg = rng.choice([1.93, 1.78, 1.5], p=[0.5, 0.32, 0.18])
    waist = rng.choice([0.41, 0.37, 0.31], p=[0.5, 0.35, 0.15])
    band = float(rng.uniform(0.03, 0.09))
    return Cut("leggings", waist=float(waist), leg=float(leg), band_m=band)


def biker_shorts(rng: np.random.Generator) -> Cut:
    """Tight shorts to mid thigh or above the knee."""
    return Cut("shorts", waist=float(rng.uniform(0.31, 0.41)), leg=float(rng.uniform(0.35, 0.8)),
               band_m=float(rng.uniform(0.03, 0.08)))  # fmt: skip


def loose_shorts(rng: np.random.Generator) -> Cut:
    """Running or board shorts."""
    return Cut("shorts", waist=float(rng.uniform(0.27, 0.33)), leg=float(rng.uniform(0.45, 0.92)),
               ease_m=0.013, hang=0.85, band_m=0.035)  # fmt: skip


def joggers(rng: np.random.Generator) -> Cut:
    """Loose trousers gathered at the ankle, or straight."""
    cuff = 0.05 if rng.random() < 0.75 else 0.0
    return Cut("joggers", waist=float(rng.uniform(0.28, 0.34)), leg=float(rng.choice([1.92, 1.6])),
               ease_m=0.014, hang=0.88, cuff_m=cuff, band_m=0.04)  # fmt: skip


def bra(rng: np.random.Generator) -> Cut:
    """Sports bra, straight or racer back."""
    neck = replace(_SCOOP, half_width_m=0.078, front_m=float(rng.uniform(0.085, 0.12)),
                   back_m=float(rng.uniform(0.05, 0.09)))  # fmt: skip
    back = float(rng.choice([0.0, 0.025]))
    return Cut("bra", hem=0.585, neck=neck, armhole=Armhole(0.032, 0.018, back), band_m=0.02)


def crop_top(rng: np.random.Generator) -> Cut:
    """Tight top that ends above the navel, with or without sleeves."""
    if rng.random() < 0.5:
        return Cut("crop top", hem=0.47, neck=_SCOOP, armhole=Armhole(0.034, 0.015))
    return Cut("crop top", hem=0.47, neck=_CREW, sleeve=float(rng.choice([0.35, 1.92])))


def tank(rng: np.random.Generator) -> Cut:
    """Tight or easy tank top."""
    ease = float(rng.choice([SNUG_M, 0.010]))
    return Cut("tank", hem=float(rng.uniform(0.10, 0.22)), neck=_SCOOP,
               armhole=Armhole(0.036, 0.02, float(rng.choice([0.0, 0.02]))), ease_m=ease,
               hang=0.75)  # fmt: skip


def tee(rng: np.random.Generator) -> Cut:
    """T-shirt, tight or loose."""
    ease = float(rng.choice([SNUG_M, 0.009, 0.014], p=[0.25, 0.4, 0.35]))
    neck = (_CREW, _CREW, _VEE, _SCOOP)[rng.integers(4)]
    return Cut("t-shirt", hem=float(rng.uniform(0.08, 0.18)), neck=neck,
               sleeve=float(rng.uniform(0.38, 0.6)), ease_m=ease, hang=0.88)  # fmt: skip


def long_sleeve(rng: np.random.Generator) -> Cut:
    """Long-sleeved top."""
    ease = float(rng.choice([SNUG_M, 0.009], p=[0.7, 0.3]))
    sleeve = float(rng.choice([1.93, 1.35], p=[0.8, 0.2]))
    return Cut("long sleeve", hem=float(rng.uniform(0.10, 0.18)), neck=_CREW, sleeve=sleeve,
               ease_m=ease, hang=0.8)  # fmt: skip


def sweatshirt(rng: np.random.Generator) -> Cut:
    """Loose sweatshirt with cuffs."""
    return Cut("sweatshirt", hem=0.12, neck=_CREW, sleeve=1.92, ease_m=0.015, hang=0.85,
               cuff_m=0.05)  # fmt: skip


def sneakers() -> Cut:
    """Flat training shoes."""
    return Cut("shoes", collar=1.9, ease_m=0.002)


def unitard(rng: np.random.Generator) -> Cut:
    """One piece from the shoulders to the legs."""
    return Cut("unitard", leg=float(rng.choice([1.9, 0.5])), neck=_SCOOP,
               armhole=Armhole(0.034, 0.015, 0.015))  # fmt: skip


_WOMEN = (
    (lambda rng: (leggings(rng), bra(rng)), 0.22),
    (lambda rng: (leggings(rng), tank(rng)), 0.22),
    (lambda rng: (leggings(rng), crop_top(rng)), 0.11),
    (lambda rng: (leggings(rng), tee(rng)), 0.10),
    (lambda rng: (leggings(rng), long_sleeve(rng)), 0.08),
    (lambda rng: (biker_shorts(rng), bra(rng)), 0.08),
    (lambda rng: (biker_shorts(rng), tank(rng)), 0.06),
    (lambda rng: (loose_shorts(rng), tee(rng)), 0.04),
    (lambda rng: (tank(rng), joggers(rng)), 0.04),
    (lambda rng: (unitard(rng),), 0.05),
)
_MEN = (
    (lambda rng: (loose_shorts(rng), tee(rng)), 0.32),
    (lambda rng: (loose_shorts(rng), tank(rng)), 0.13),
    (lambda rng: (loose_shorts(rng),), 0.10),
    (lambda rng: (joggers(rng), tee(rng)), 0.14),
    (lambda rng: (joggers(rng), sweatshirt(rng)), 0.06),
    (lambda rng: (joggers(rng),), 0.04),
    (lambda rng: (leggings(rng), tee(rng)), 0.07),
    (lambda rng: (biker_shorts(rng), tank(rng)), 0.06),
    (lambda rng: (joggers(rng), long_sleeve(rng)), 0.08),
)

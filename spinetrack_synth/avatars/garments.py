"""Garments of the wardrobe: cuts of a kind, drawn within what is worn of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spinetrack_synth.avatars.cuts import SNUG_M, Armhole, Cut, Neckline, Skirt

_CREW = Neckline(0.078, 0.05, 0.018)
_SCOOP = Neckline(0.085, 0.085, 0.03)
_VEE = Neckline(0.080, 0.115, 0.02, pointed=True)
_ROLL = Neckline(0.050, 0.018, 0.012)
_SHIRT = Neckline(0.066, 0.035, 0.010)
_OPEN = Neckline(0.074, 0.10, 0.012, pointed=True)
_WRAPPED = Neckline(0.080, 0.27, 0.012, pointed=True)
_LAPEL = Neckline(0.078, 0.21, 0.012, pointed=True)


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


def unitard(rng: np.random.Generator) -> Cut:
    """One piece from the shoulders to the legs."""
    return Cut("unitard", leg=float(rng.choice([1.9, 0.5])), neck=_SCOOP,
               armhole=Armhole(0.034, 0.015, 0.015))  # fmt: skip


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def polo(rng: np.random.Generator) -> Cut:
    """Knitted shirt with a collar and short sleeves."""
    return Cut("polo shirt", hem=_between(rng, 0.08, 0.15), neck=_SHIRT, trims=("collar",),
               sleeve=_between(rng, 0.45, 0.65), ease_m=0.010, hang=0.85)  # fmt: skip


def shirt(rng: np.random.Generator, tucked: bool = False) -> Cut:
    """Woven shirt with collar and cuffs, or short sleeves."""
    long = rng.random() < 0.75
    return Cut("shirt", hem=0.22 if tucked else _between(rng, 0.07, 0.12), neck=_SHIRT,
               trims=("collar",), sleeve=1.94 if long else _between(rng, 0.5, 0.7),
               ease_m=_between(rng, 0.008, 0.014), hang=0.85, cuff_m=0.05 if long else 0.0,
               buttoned=True, cloth="shirting")  # fmt: skip


def blouse(rng: np.random.Generator, tucked: bool = False) -> Cut:
    """Light and loose, with an open collar or a round neck."""
    open_ = rng.random() < 0.5
    sleeve = float(rng.choice([1.9, 1.4, 0.7], p=[0.5, 0.25, 0.25]))
    return Cut("blouse", hem=0.22 if tucked else _between(rng, 0.08, 0.14),
               neck=_OPEN if open_ else _CREW, trims=("collar",) if open_ else (), sleeve=sleeve,
               ease_m=_between(rng, 0.012, 0.018), hang=0.9, cuff_m=0.04 if sleeve > 1.5 else 0.0,
               buttoned=open_, cloth="shirting")  # fmt: skip


def jumper(rng: np.random.Generator) -> Cut:
    """Knitted, with a round, pointed or rolled neck."""
    neck = (_CREW, _CREW, _VEE, _ROLL)[rng.integers(4)]
    return Cut("jumper", hem=_between(rng, 0.08, 0.14), neck=neck, sleeve=1.94,
               ease_m=_between(rng, 0.012, 0.018), hang=0.8, cuff_m=0.05)  # fmt: skip


def hoodie(rng: np.random.Generator) -> Cut:
    """Sweatshirt with a hood, closed or with an open zip."""
    front = (_between(rng, 0.02, 0.07), _between(rng, 0.02, 0.05)) if rng.random() < 0.35 else None
    return Cut("hoodie", hem=_between(rng, 0.08, 0.14), neck=_CREW, sleeve=1.94, trims=("hood",),
               front=front, ease_m=0.017, hang=0.82, cuff_m=0.055)  # fmt: skip


def cardigan(rng: np.random.Generator) -> Cut:
    """Knitted jacket worn open."""
    return Cut("cardigan", hem=_between(rng, 0.06, 0.12), neck=_VEE, sleeve=1.92, ease_m=0.015,
               front=(_between(rng, 0.05, 0.10), 0.05), hang=0.85, cuff_m=0.04)  # fmt: skip


def blazer(rng: np.random.Generator) -> Cut:
    """Tailored jacket, buttoned or open."""
    half = _between(rng, 0.03, 0.07) if rng.random() < 0.5 else 0.0
    return Cut("blazer", hem=_between(rng, 0.05, 0.09), neck=_LAPEL, sleeve=1.95,
               front=(half, half) if half else None, trims=("lapels",), ease_m=0.015, hang=0.9,
               buttoned=not half, cloth="suiting")  # fmt: skip


def jacket(rng: np.random.Generator) -> Cut:
    """Short outdoor jacket, open or zipped, of denim, leather or light cloth."""
    front = (_between(rng, 0.03, 0.08), 0.04) if rng.random() < 0.5 else None
    cloth = str(rng.choice(["denim", "leather", "shell"]))
    return Cut("jacket", hem=_between(rng, 0.08, 0.14), neck=_SHIRT, sleeve=1.97, front=front,
               trims=("collar",), ease_m=0.018, hang=0.85, cuff_m=0.04, buttoned=True,
               cloth=cloth)  # fmt: skip


def puffer(rng: np.random.Generator) -> Cut:
    """Quilted winter jacket, with a hood or a standing collar."""
    hood = rng.random() < 0.5
    return Cut("puffer jacket", hem=_between(rng, 0.07, 0.12), neck=_CREW if hood else _ROLL,
               sleeve=1.96, trims=("hood",) if hood else (), ease_m=0.030, hang=0.85, cuff_m=0.05,
               quilt_m=0.009, buttoned=True, cloth="shell")  # fmt: skip


def parka(rng: np.random.Generator) -> Cut:
    """Hooded jacket over the hips."""
    front = (_between(rng, 0.03, 0.07), 0.04) if rng.random() < 0.4 else None
    return Cut("parka", hem=_between(rng, 0.05, 0.08), neck=_CREW, sleeve=1.97, front=front,
               trims=("hood",), ease_m=0.026, hang=0.95, cuff_m=0.03, buttoned=True,
               cloth="shell")  # fmt: skip


def gilet(rng: np.random.Generator) -> Cut:
    """Sleeveless, quilted or knitted, over a top."""
    quilted = rng.random() < 0.6
    return Cut("gilet", hem=_between(rng, 0.07, 0.13), neck=_VEE, armhole=Armhole(0.05, 0.02),
               ease_m=0.022 if quilted else 0.014, hang=0.8, quilt_m=0.007 if quilted else 0.0,
               buttoned=True, cloth="shell" if quilted else "")  # fmt: skip


def jeans(rng: np.random.Generator) -> Cut:
    """Slim, straight or wide."""
    ease, flare = ((0.0065, 0.0), (0.010, 0.004), (0.014, 0.022))[rng.choice(3, p=[0.4, 0.4, 0.2])]
    return Cut("jeans", waist=_between(rng, 0.27, 0.34), leg=_between(rng, 1.93, 2.0), ease_m=ease,
               flare_m=flare, hang=0.6 + 10 * ease, band_m=0.035, cloth="denim")  # fmt: skip


def trousers(rng: np.random.Generator) -> Cut:
    """Of a suit: straight, with a waistband."""
    return Cut("trousers", waist=_between(rng, 0.30, 0.37), leg=_between(rng, 1.95, 2.02),
               ease_m=_between(rng, 0.010, 0.014), flare_m=0.004, hang=0.9, band_m=0.035,
               cloth="suiting")  # fmt: skip


def chinos(rng: np.random.Generator) -> Cut:
    """Cotton trousers, slim to easy, sometimes short of the ankle."""
    return Cut("chinos", waist=_between(rng, 0.28, 0.34), leg=_between(rng, 1.82, 1.98),
               ease_m=_between(rng, 0.008, 0.013), hang=0.8, band_m=0.035,
               cloth="cotton")  # fmt: skip


def wide_trousers(rng: np.random.Generator) -> Cut:
    """Culottes and palazzo trousers, wide from the hips down."""
    return Cut("wide trousers", waist=_between(rng, 0.36, 0.42), leg=_between(rng, 1.6, 2.0),
               ease_m=0.018, flare_m=_between(rng, 0.02, 0.045), hang=0.95,
               band_m=0.04)  # fmt: skip


def cargo_trousers(rng: np.random.Generator) -> Cut:
    """Loose working trousers."""
    return Cut("cargo trousers", waist=_between(rng, 0.27, 0.32), leg=_between(rng, 1.93, 1.99),
               ease_m=0.017, flare_m=0.006, hang=0.9, cuff_m=0.02, band_m=0.04,
               cloth="cotton")  # fmt: skip


def walking_shorts(rng: np.random.Generator) -> Cut:
    """Cotton or denim shorts, short to the knee."""
    return Cut("shorts", waist=_between(rng, 0.27, 0.34), leg=_between(rng, 0.4, 0.95),
               ease_m=0.012, flare_m=0.01, hang=0.9, band_m=0.035,
               cloth=str(rng.choice(["denim", "cotton", "cotton"])))  # fmt: skip


def scrubs(rng: np.random.Generator) -> tuple[Cut, Cut]:
    """What hospitals wear: a loose top with a pointed neck, straight trousers."""
    top = Cut("scrub top", hem=_between(rng, 0.06, 0.10), neck=_VEE, sleeve=0.7, ease_m=0.018,
              hang=0.92, cloth="scrubs")  # fmt: skip
    return Cut("scrub trousers", waist=0.32, leg=1.97, ease_m=0.016, flare_m=0.006, hang=0.92,
               band_m=0.03, cloth="scrubs"), top  # fmt: skip


def gi(rng: np.random.Generator) -> tuple[Cut, Cut]:
    """The suit of judo and karate: wide trousers, a jacket wrapped over them, a belt."""
    jacket_ = Cut("gi jacket", hem=_between(rng, 0.04, 0.07), neck=_WRAPPED,
                  sleeve=_between(rng, 1.5, 1.85), trims=("band", "belt"), ease_m=0.022, hang=0.8,
                  cloth="gi")  # fmt: skip
    return Cut("gi trousers", waist=0.33, leg=_between(rng, 1.75, 1.93), ease_m=0.020,
               flare_m=0.012, hang=0.95, band_m=0.03, cloth="gi"), jacket_  # fmt: skip


def leotard(rng: np.random.Generator) -> Cut:
    """What gymnasts wear: with long sleeves or without."""
    brief = _between(rng, 0.06, 0.12)
    if rng.random() < 0.6:
        return Cut("leotard", brief=brief, neck=_CREW, sleeve=1.95, cloth="leotard")
    return Cut("leotard", brief=brief, neck=_SCOOP, armhole=Armhole(0.032, 0.015, 0.02),
               cloth="leotard")  # fmt: skip


def singlet(rng: np.random.Generator) -> Cut:
    """A gymnast's tight sleeveless shirt, tucked in."""
    return Cut("singlet", hem=0.02, neck=_SCOOP, armhole=Armhole(0.032, 0.025, 0.01),
               cloth="leotard")  # fmt: skip


def socks(rng: np.random.Generator, shaft: float | None = None) -> Cut:
    """To the ankle, the calf or below the knee."""
    high = rng.choice([1.88, 1.68, 1.35], p=[0.45, 0.4, 0.15]) if shaft is None else shaft
    return Cut("socks", shaft=float(high), pieces=2, ease_m=0.0035, cloth="knit")


def tights(rng: np.random.Generator) -> Cut:
    """Fine dark stockings from the waist to the toes."""
    return Cut("tights", waist=_between(rng, 0.3, 0.36), band_m=0.03, cloth="tights")


def briefs(rng: np.random.Generator) -> Cut:
    """What is worn below skirts and dresses without tights."""
    return Cut("briefs", waist=_between(rng, 0.25, 0.29), leg=0.42, cloth="knit")


def skirt(rng: np.random.Generator) -> Cut:
    """Short and flared, a pencil, pleated to the calf, or long."""
    waist = _between(rng, 0.33, 0.41)
    leg, flare, full, stiff = (
        (_between(rng, 0.4, 0.75), 0.22, 0.10, 0.5),
        (_between(rng, 0.75, 1.1), 0.0, 0.0, 0.7),
        (_between(rng, 0.9, 1.35), 0.30, 0.22, 0.3),
        (_between(rng, 1.45, 1.7), 0.40, 0.22, 0.2),
    )[rng.choice(4, p=[0.3, 0.25, 0.3, 0.15])]
    return Cut("skirt", waist=waist, hem=0.14, band_m=0.035, cloth="skirt",
               skirt=Skirt(waist - 0.06, leg, flare, full, stiff=stiff))  # fmt: skip


def dress(rng: np.random.Generator) -> Cut:
    """One piece to the knee, the calf or the ankle, with sleeves or without."""
    neck = (_CREW, _SCOOP, _VEE)[rng.integers(3)]
    leg = float(rng.choice([0.6, 0.95, 1.3, 1.6], p=[0.25, 0.35, 0.25, 0.15]))
    below = Skirt(0.36, leg + _between(rng, -0.1, 0.1), _between(rng, 0.12, 0.45),
                  _between(rng, 0.05, 0.25), stiff=_between(rng, 0.1, 0.5))  # fmt: skip
    if rng.random() < 0.45:
        return Cut("dress", hem=0.20, neck=neck, armhole=Armhole(0.034, 0.012), ease_m=0.005,
                   cloth="skirt", skirt=below)  # fmt: skip
    return Cut("dress", hem=0.20, neck=neck, sleeve=float(rng.choice([0.4, 0.8, 1.9])),
               ease_m=0.005, cloth="skirt", skirt=below)  # fmt: skip


def coat(rng: np.random.Generator) -> Cut:
    """Of wool, to above or below the knee, open or buttoned."""
    half = _between(rng, 0.03, 0.06) if rng.random() < 0.5 else 0.0
    below = Skirt(0.20, _between(rng, 0.65, 1.25), _between(rng, 0.05, 0.16), 0.04, ease_m=0.004,
                  gap_m=half, stiff=0.8)  # fmt: skip
    return Cut("coat", hem=0.11, neck=_LAPEL, sleeve=1.97, front=(half, half) if half else None,
               trims=("lapels",), ease_m=0.020, hang=0.95, buttoned=not half, cloth="wool",
               skirt=below)  # fmt: skip


def lab_coat(rng: np.random.Generator) -> Cut:
    """White, to the knee, mostly open."""
    half = _between(rng, 0.04, 0.08) if rng.random() < 0.7 else 0.0
    below = Skirt(0.20, _between(rng, 0.6, 1.05), 0.10, 0.03, gap_m=half, stiff=0.5)
    return Cut("lab coat", hem=0.11, neck=_LAPEL, sleeve=1.95, trims=("lapels",), ease_m=0.017,
               front=(half, half) if half else None, hang=0.95, buttoned=not half, cloth="lab",
               skirt=below)  # fmt: skip


def gown(rng: np.random.Generator) -> Cut:
    """What patients of a hospital wear: loose, to the knee."""
    return Cut("gown", hem=0.20, neck=_CREW, sleeve=0.7, ease_m=0.016, hang=0.9, cloth="scrubs",
               skirt=Skirt(0.33, _between(rng, 0.8, 1.05), 0.15, 0.08, stiff=0.3))  # fmt: skip

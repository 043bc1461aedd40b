"""What people wear: outfits of a style, drawn from a seed, from the skin outward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import numpy as np

from spinetrack_synth.avatars import garments as wear
from spinetrack_synth.avatars.builds import Sex
from spinetrack_synth.avatars.cuts import SNUG_M, Cut

Rng = np.random.Generator
_Choice = TypeVar("_Choice")


@dataclass(frozen=True)
class Outfit:
    """What somebody wears: garments from the inside out (one that is tucked in comes first), and
    the name of the shoes, None for bare feet or socks."""

    cuts: tuple[Cut, ...]
    shoes: str | None = None


def choose_outfit(style: str, sex: Sex, rng: Rng) -> Outfit:
    """Draw an outfit of one of the ``STYLES``."""
    if style == "sports":
        return Outfit(tuple(_varied(cut, rng) for cut in _pick(_SPORTS[sex], rng)(rng)))
    outfit = _STYLES[style](sex, rng)
    return replace(outfit, cuts=tuple(_varied(cut, rng) for cut in outfit.cuts))


def _varied(cut: Cut, rng: Rng) -> Cut:
    """The same cut, a little higher or lower, wider or narrower."""
    changes: dict[str, Any] = {}
    for name, spread in (("waist", 0.012), ("hem", 0.015), ("leg", 0.02), ("sleeve", 0.025)):
        if (value := getattr(cut, name)) is not None:
            changes[name] = value + float(rng.normal(0, spread))
    if cut.loose:
        changes["ease_m"] = max(2.2 * SNUG_M, cut.ease_m * float(rng.uniform(0.75, 1.3)))
    return replace(cut, **changes)


def _pick(choices: tuple[tuple[_Choice, float], ...], rng: Rng) -> _Choice:
    shares = np.array([share for _, share in choices])
    return choices[int(rng.choice(len(choices), p=shares / shares.sum()))][0]


_Wear = Callable[[Rng], tuple[Cut, ...]]

_SPORTS: Final[dict[Sex, tuple[tuple[_Wear, float], ...]]] = {
    "female": (
        (lambda rng: (wear.leggings(rng), wear.bra(rng)), 0.22),
        (lambda rng: (wear.leggings(rng), wear.tank(rng)), 0.22),
        (lambda rng: (wear.leggings(rng), wear.crop_top(rng)), 0.11),
        (lambda rng: (wear.leggings(rng), wear.tee(rng)), 0.10),
        (lambda rng: (wear.leggings(rng), wear.long_sleeve(rng)), 0.08),
        (lambda rng: (wear.biker_shorts(rng), wear.bra(rng)), 0.08),
        (lambda rng: (wear.biker_shorts(rng), wear.tank(rng)), 0.06),
        (lambda rng: (wear.loose_shorts(rng), wear.tee(rng)), 0.04),
        (lambda rng: (wear.tank(rng), wear.joggers(rng)), 0.04),
        (lambda rng: (wear.unitard(rng),), 0.05),
    ),
    "male": (
        (lambda rng: (wear.loose_shorts(rng), wear.tee(rng)), 0.32),
        (lambda rng: (wear.loose_shorts(rng), wear.tank(rng)), 0.13),
        (lambda rng: (wear.loose_shorts(rng),), 0.10),
        (lambda rng: (wear.joggers(rng), wear.tee(rng)), 0.14),
        (lambda rng: (wear.joggers(rng), wear.sweatshirt(rng)), 0.06),
        (lambda rng: (wear.joggers(rng),), 0.04),
        (lambda rng: (wear.leggings(rng), wear.tee(rng)), 0.07),
        (lambda rng: (wear.biker_shorts(rng), wear.tank(rng)), 0.06),
        (lambda rng: (wear.joggers(rng), wear.long_sleeve(rng)), 0.08),
    ),
}


def _training(sex: Sex, rng: Rng) -> Outfit:
    cuts = _pick(_SPORTS[sex], rng)(rng)
    if sex == "male" and len(cuts) == 1:  # in public with a shirt
        cuts = (*cuts, wear.tee(rng))
    if rng.random() < 0.15 and cuts[-1].name != "sweatshirt":
        cuts = (*cuts, wear.hoodie(rng))
    shoes = ("running shoes", "sneakers", "court shoes", "high-tops")
    return Outfit((wear.socks(rng), *cuts), shoes[rng.choice(4, p=[0.55, 0.2, 0.15, 0.1])])


def _legs(rng: Rng, bare: float) -> tuple[Cut, ...]:
    """Tights below skirts, or bare legs."""
    return (wear.briefs(rng),) if rng.random() < bare else (wear.tights(rng),)


def _skirted(rng: Rng, bare: float, tops: tuple[tuple[Callable[[Rng], Cut], float], ...]) -> Outfit:
    """A dress, or a skirt with a top tucked in."""
    if rng.random() < 0.5:
        return Outfit((*_legs(rng, bare), wear.dress(rng)))
    top = replace(_pick(tops, rng)(rng), hem=0.22)
    return Outfit((*_legs(rng, bare), top, wear.skirt(rng)))


def _casual(sex: Sex, rng: Rng) -> Outfit:
    if sex == "female" and rng.random() < 0.3:
        skirted = _skirted(rng, 0.5, ((wear.tee, 1), (wear.blouse, 1), (wear.long_sleeve, 1)))
        over_it = (wear.cardigan(rng),) if rng.random() < 0.3 else ()
        return Outfit((*skirted.cuts, *over_it), _shoes(sex, rng, "casual"))
    below: tuple[tuple[Callable[[Rng], Cut], float], ...] = (
        (wear.jeans, 0.45), (wear.chinos, 0.25), (wear.joggers, 0.08), (wear.cargo_trousers, 0.08),
        (wear.wide_trousers, 0.2 if sex == "female" else 0.02),
        (wear.leggings, 0.12 if sex == "female" else 0.0),
    )  # fmt: skip
    tops: tuple[tuple[Callable[[Rng], Cut], float], ...] = (
        (wear.tee, 0.28), (wear.shirt, 0.16 if sex == "male" else 0.08), (wear.polo, 0.08),
        (wear.jumper, 0.14), (wear.hoodie, 0.16), (wear.long_sleeve, 0.06), (wear.sweatshirt, 0.08),
        (wear.blouse, 0.2 if sex == "female" else 0.0),
    )  # fmt: skip
    top = _pick(tops, rng)(rng)
    cuts = [wear.socks(rng), _pick(below, rng)(rng), *_under(top, rng), top]
    if cuts[-1].name not in ("hoodie", "jumper", "sweatshirt") and rng.random() < 0.3:
        over: tuple[tuple[Callable[[Rng], Cut], float], ...] = (
            (wear.jacket, 0.5), (wear.cardigan, 0.3), (wear.gilet, 0.2)
        )  # fmt: skip
        cuts.append(_pick(over, rng)(rng))
    return Outfit(tuple(cuts), _shoes(sex, rng, "casual"))


def _under(top: Cut, rng: Rng) -> tuple[Cut, ...]:
    """What is worn under a top that is open in front."""
    return (wear.tee(rng),) if top.front is not None else ()


def _summer(sex: Sex, rng: Rng) -> Outfit:
    if sex == "female" and rng.random() < 0.45:
        skirted = _skirted(rng, 1.0, ((wear.tank, 1), (wear.tee, 1), (wear.blouse, 0.5)))
        return replace(skirted, shoes=_shoes(sex, rng, "summer"))
    below: tuple[tuple[Callable[[Rng], Cut], float], ...] = (
        (wear.walking_shorts, 0.6), (wear.chinos, 0.15), (wear.jeans, 0.1),
        (wear.wide_trousers, 0.2 if sex == "female" else 0.0),
    )  # fmt: skip
    tops: tuple[tuple[Callable[[Rng], Cut], float], ...] = (
        (wear.tee, 0.45), (wear.tank, 0.3 if sex == "female" else 0.1), (wear.polo, 0.15),
        (wear.shirt, 0.1), (wear.blouse, 0.15 if sex == "female" else 0.0),
    )  # fmt: skip
    shoes = _shoes(sex, rng, "summer")
    feet = () if shoes in ("sandals", "flats") else (wear.socks(rng, 1.9),)
    return Outfit((*feet, _pick(below, rng)(rng), _pick(tops, rng)(rng)), shoes)


def _winter(sex: Sex, rng: Rng) -> Outfit:
    below: tuple[tuple[Callable[[Rng], Cut], float], ...] = (
        (wear.jeans, 0.5), (wear.chinos, 0.15), (wear.trousers, 0.2), (wear.cargo_trousers, 0.15)
    )  # fmt: skip
    over: tuple[tuple[Callable[[Rng], Cut], float], ...] = (
        (wear.puffer, 0.35), (wear.parka, 0.25), (wear.coat, 0.3), (wear.jacket, 0.1)
    )  # fmt: skip
    inner = wear.jumper(rng) if rng.random() < 0.7 else wear.shirt(rng)
    cuts = (wear.socks(rng, 1.7), _pick(below, rng)(rng), inner, _pick(over, rng)(rng))
    return Outfit(cuts, _shoes(sex, rng, "winter"))


def _business(sex: Sex, rng: Rng) -> Outfit:
    below = wear.trousers(rng) if rng.random() < 0.75 else wear.chinos(rng)
    if sex == "female" and rng.random() < 0.55:
        top = wear.blouse(rng, tucked=True)
    else:
        top = wear.shirt(rng, tucked=True)
    if sex == "female" and rng.random() < 0.4:
        cuts = [*_legs(rng, 0.4), top, wear.skirt(rng)]
        if rng.random() < 0.35:
            cuts = [*_legs(rng, 0.4), wear.dress(rng)]
    else:
        cuts = [wear.socks(rng, 1.7), top, below]
    if rng.random() < 0.5:
        cuts.append(wear.blazer(rng))
    elif rng.random() < 0.25:
        cuts.append(wear.cardigan(rng))
    return Outfit(tuple(cuts), _shoes(sex, rng, "business"))


def _home(sex: Sex, rng: Rng) -> Outfit:
    below: tuple[tuple[Callable[[Rng], Cut], float], ...] = (
        (wear.joggers, 0.45), (wear.jeans, 0.2), (wear.loose_shorts, 0.15),
        (wear.leggings, 0.35 if sex == "female" else 0.0),
    )  # fmt: skip
    tops: tuple[tuple[Callable[[Rng], Cut], float], ...] = (
        (wear.tee, 0.4), (wear.sweatshirt, 0.2), (wear.hoodie, 0.15), (wear.long_sleeve, 0.15),
        (wear.jumper, 0.15),
    )  # fmt: skip
    top = _pick(tops, rng)(rng)
    cuts = (_pick(below, rng)(rng), *_under(top, rng), top)
    feet = rng.random()
    if feet < 0.3:
        return Outfit(cuts)
    if feet < 0.65:
        return Outfit((wear.socks(rng), *cuts))
    return Outfit(cuts, "slippers" if feet < 0.85 else "clogs")


def _medical(sex: Sex, rng: Rng) -> Outfit:
    chance = rng.random()
    if chance < 0.2:
        return Outfit((wear.briefs(rng), wear.gown(rng)))
    if chance < 0.55:
        return Outfit((wear.socks(rng, 1.85), *wear.scrubs(rng)), _shoes(sex, rng, "medical"))
    below = wear.chinos(rng) if rng.random() < 0.5 else wear.trousers(rng)
    top = wear.shirt(rng, tucked=True) if rng.random() < 0.6 else wear.polo(rng)
    cuts = (wear.socks(rng, 1.7), top, below, wear.lab_coat(rng))
    return Outfit(cuts, _shoes(sex, rng, "medical"))


def _martial_arts(sex: Sex, rng: Rng) -> Outfit:
    return Outfit(((wear.tee(rng),) if sex == "female" else ()) + wear.gi(rng))


def _gymnastics(sex: Sex, rng: Rng) -> Outfit:
    if sex == "female":
        return Outfit((wear.leotard(rng),))
    below = wear.biker_shorts(rng) if rng.random() < 0.5 else wear.loose_shorts(rng)
    return Outfit((wear.singlet(rng), below))


_STYLES: Final = {
    "training": _training,
    "casual": _casual,
    "summer": _summer,
    "winter": _winter,
    "business": _business,
    "home": _home,
    "medical": _medical,
    "martial_arts": _martial_arts,
    "gymnastics": _gymnastics,
}

_SHOES_BY_STYLE: Final[dict[str, dict[Sex, dict[str, float]]]] = {
    "casual": {
        "female": {"sneakers": 3, "running shoes": 1, "high-tops": 1, "ankle boots": 1.5,
                   "flats": 1.5, "chelsea boots": 1, "loafers": 0.7},
        "male": {"sneakers": 4, "running shoes": 1.5, "high-tops": 1, "court shoes": 1,
                 "ankle boots": 1, "loafers": 0.5, "derby shoes": 0.5},
    },
    "summer": {
        "female": {"sandals": 3, "sneakers": 2, "flats": 2, "court shoes": 1},
        "male": {"sneakers": 3, "sandals": 1.5, "court shoes": 1, "running shoes": 1},
    },
    "winter": {
        "female": {"ankle boots": 2, "boots": 1.5, "chelsea boots": 2, "sneakers": 1},
        "male": {"ankle boots": 3, "chelsea boots": 1, "sneakers": 1.5, "derby shoes": 0.7},
    },
    "business": {
        "female": {"flats": 3, "loafers": 2, "chelsea boots": 1, "derby shoes": 0.7},
        "male": {"derby shoes": 4, "loafers": 2, "chelsea boots": 1},
    },
    "medical": {
        "female": {"clogs": 3, "sneakers": 2, "running shoes": 1},
        "male": {"clogs": 3, "sneakers": 2, "running shoes": 1},
    },
}  # fmt: skip


def _shoes(sex: Sex, rng: Rng, style: str) -> str:
    shares = tuple(_SHOES_BY_STYLE[style][sex].items())
    return _pick(shares, rng)

"""A subject's hair: which style, of what colour, with what beard; grown, and painted beneath."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetrack_synth.avatars.array_types import Array, Color
from spinetrack_synth.avatars.beards import draw_beard, grow_beard
from spinetrack_synth.avatars.body import Subject
from spinetrack_synth.avatars.hairstyles import STYLES as SHORT
from spinetrack_synth.avatars.long_hair import LONG
from spinetrack_synth.avatars.parts import Bundle, Part
from spinetrack_synth.avatars.scalp import Head, clear_of_skin, survey_head
from spinetrack_synth.avatars.skin import Shade, tone_color
from spinetrack_synth.avatars.strands import ribbon_part, strand_tones, twisted
from spinetrack_synth.avatars.survey import Anatomy
from spinetrack_synth.easing import smoothstep

# Natural hair colours, sRGB, dark to light, then the uncommon ones.
_COLORS = {
    "black": (0.045, 0.038, 0.036), "dark brown": (0.105, 0.070, 0.052),
    "brown": (0.19, 0.125, 0.085), "light brown": (0.30, 0.205, 0.13),
    "dark blond": (0.43, 0.325, 0.21), "blond": (0.58, 0.46, 0.30),
    "auburn": (0.30, 0.12, 0.07), "grey": (0.47, 0.46, 0.45),
}  # fmt: skip

STYLES = {**SHORT, **LONG}

_WOMEN = {
    # style: weight at 25 and at 75 years
    "ponytail": (0.15, 0.04), "low ponytail": (0.09, 0.06), "bun": (0.09, 0.1),
    "top knot": (0.05, 0.01), "braid": (0.06, 0.02), "two braids": (0.03, 0.005),
    "half up": (0.06, 0.02), "bob": (0.07, 0.2), "long bob": (0.1, 0.1),
    "long straight": (0.14, 0.03), "long wavy": (0.1, 0.03), "chin length": (0.03, 0.1),
    "pixie": (0.04, 0.25), "buzz": (0.01, 0.005),
}  # fmt: skip
_MEN = {
    "crop": (0.32, 0.18), "side part": (0.2, 0.22), "buzz": (0.2, 0.1), "bald": (0.03, 0.12),
    "receding": (0.03, 0.2), "bald on top": (0.0, 0.16), "top knot": (0.04, 0.0),
    "chin length": (0.06, 0.01), "shoulder length": (0.05, 0.02), "low ponytail": (0.03, 0.01),
}  # fmt: skip
_CURLED = {
    "crop": "curls", "side part": "curls", "receding": "receding", "bob": "afro", "pixie": "curls",
    "long bob": "long curly", "long straight": "long curly", "long wavy": "long curly",
    "half up": "long curly", "ponytail": "puff", "top knot": "puff", "chin length": "afro",
    "shoulder length": "locs", "low ponytail": "locs",
}  # fmt: skip
"""What curly hair makes of a style."""


@dataclass(frozen=True, eq=False)
class Hairdo:
    """What a subject's hair adds: parts to draw, shades to paint, the colour of the brows, the
    names of the hairstyle and the beard, and the head it grows on."""

    parts: tuple[Part, ...]
    shades: tuple[Shade, ...]
    brow_color: Color
    style: str
    beard: str
    head: Head


def hairdo(anatomy: Anatomy, subject: Subject, rng: np.random.Generator) -> Hairdo:
    """Choose and grow a subject's hair."""
    old = smoothstep(25, 75, subject.age_years)
    styles = _WOMEN if subject.sex == "female" else _MEN
    weight = np.array([young + old * (aged - young) for young, aged in styles.values()])
    style = str(rng.choice(list(styles), p=weight / weight.sum()))
    if rng.random() < 0.85 * subject.ancestry[0] ** 0.7:
        style = _CURLED.get(style, style)
        if style == "curls" and rng.random() < 0.3:
            style = "afro"
    elif style.startswith("long") and rng.random() < 0.12:
        style = "long curly"
    return grow(anatomy, subject, style, rng)


def grow(
    anatomy: Anatomy,
    subject: Subject,
    style: str,
    rng: np.random.Generator,
    beard: str | None = None,
) -> Hairdo:
    """Hair of a named style, ``bald`` or one of ``STYLES``; a beard of `beards.BEARDS`, None: as
    likely as men have it."""
    color = _hair_color(subject, rng)
    brow = np.minimum(0.8 * color, 0.5 * tone_color(subject))
    head = survey_head(anatomy, subject, style, rng)
    thin = 0.45 * float(smoothstep(50, 85, subject.age_years)) * rng.random()
    density, dots = _SHADE.get(style, (0.97, 0.0))
    shades = [Shade(head.density * density * (1 - thin), tuple(color * 0.75), dots)]
    parts = []
    if style in STYLES:
        bundles = [_thinned(bundle, thin) for bundle in STYLES[style](head, rng)]
        bundles = [b._replace(paths=clear_of_skin(head, b.paths)) for b in bundles]
        strands = twisted(bundles, rng)
        parts.append(ribbon_part("hair", strands, head.center, strand_tones(color), rng))
    drawn = (
        draw_beard(subject, np.random.default_rng([subject.seed, 0xBEA]))
        if beard is None
        else beard
    )
    if drawn:
        grown = grow_beard(head, drawn, color, rng)
        shades.append(grown.shade)
        parts += grown.parts
    return Hairdo(
        tuple(parts), tuple(shades), (float(brow[0]), float(brow[1]), float(brow[2])),
        style, drawn, head,
    )  # fmt: skip


def _thinned(bundle: Bundle, share: float) -> Bundle:
    """Without a share of its strands."""
    kept = len(bundle.paths) - int(share * len(bundle.paths))
    return bundle._replace(paths=bundle.paths[:kept], widths=bundle.widths[:kept])


# How densely a style's scalp is painted, and how dotted, where not fully.
_SHADE = {
    "bald": (0.25, 0.7), "buzz": (0.8, 0.35), "crop": (0.92, 0.1), "side part": (0.95, 0.0),
    "receding": (0.85, 0.15), "bald on top": (0.8, 0.2), "curls": (0.95, 0.1), "locs": (0.9, 0.0),
}  # fmt: skip


def _hair_color(subject: Subject, rng: np.random.Generator) -> Array:
    light = subject.ancestry[2] * np.clip(1.3 - 2.2 * subject.skin_tone, 0, 1)
    if rng.random() < 0.8 * light:
        names = ["dark brown", "brown", "light brown", "dark blond", "blond", "auburn"]
        name = names[rng.choice(6, p=[0.18, 0.24, 0.2, 0.17, 0.13, 0.08])]
    else:
        name = "black" if rng.random() < 0.7 else "dark brown"
    color = np.array(_COLORS[name]) * rng.uniform(0.85, 1.2)
    # Half of all have some grey at 50, nearly all at 70 (Panhard 2012: 74 % at 45 to 65).
    greying = rng.normal(52, 9)
    grey = float(smoothstep(greying - 12, greying + 16, subject.age_years))
    return color * (1 - 0.9 * grey) + 0.9 * grey * np.array(_COLORS["grey"]) * rng.uniform(
        0.8, 1.45
    )

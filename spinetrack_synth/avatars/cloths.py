"""What garments of a kind are made of: denim is blue, scrubs match, a gi is white."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from spinetrack_synth.avatars.array_types import Color
from spinetrack_synth.avatars.patterns import Fabric

MATCHING: Final = {"suiting": 0.75, "scrubs": 0.85, "gi": 0.95}
"""How often garments of such a cloth, worn together, are of one piece."""

_COLORS: Final[dict[str, tuple[Color, ...]]] = {
    "denim": ((0.10, 0.14, 0.24), (0.16, 0.22, 0.35), (0.27, 0.36, 0.50), (0.45, 0.53, 0.63),
              (0.07, 0.07, 0.08), (0.36, 0.37, 0.39)),
    "suiting": ((0.05, 0.05, 0.055), (0.09, 0.10, 0.14), (0.16, 0.17, 0.19), (0.30, 0.30, 0.31),
                (0.11, 0.15, 0.25), (0.27, 0.22, 0.18), (0.45, 0.41, 0.35)),
    "cotton": ((0.55, 0.47, 0.35), (0.40, 0.36, 0.27), (0.12, 0.15, 0.24), (0.25, 0.27, 0.20),
               (0.33, 0.33, 0.33), (0.08, 0.08, 0.085), (0.66, 0.61, 0.53), (0.42, 0.24, 0.16)),
    "leather": ((0.05, 0.045, 0.045), (0.05, 0.045, 0.045), (0.22, 0.13, 0.08), (0.33, 0.21, 0.13)),
    "scrubs": ((0.17, 0.33, 0.42), (0.22, 0.40, 0.36), (0.12, 0.17, 0.31), (0.42, 0.56, 0.62),
               (0.33, 0.12, 0.19), (0.44, 0.45, 0.46)),
    "gi": ((0.84, 0.84, 0.82), (0.82, 0.82, 0.81), (0.85, 0.84, 0.80), (0.13, 0.20, 0.42),
           (0.06, 0.06, 0.065)),
    "knit": ((0.83, 0.82, 0.80), (0.80, 0.80, 0.79), (0.07, 0.07, 0.075), (0.08, 0.08, 0.09),
             (0.42, 0.42, 0.43), (0.12, 0.14, 0.22)),
    "tights": ((0.05, 0.05, 0.055), (0.06, 0.06, 0.065), (0.14, 0.12, 0.12), (0.11, 0.12, 0.17)),
    "wool": ((0.50, 0.37, 0.24), (0.06, 0.06, 0.065), (0.28, 0.28, 0.29), (0.12, 0.14, 0.21),
             (0.40, 0.16, 0.15), (0.33, 0.34, 0.28)),
    "lab": ((0.86, 0.86, 0.85), (0.84, 0.85, 0.86)),
}  # fmt: skip
_LIGHT: Final[tuple[Color, ...]] = (
    (0.85, 0.85, 0.84), (0.84, 0.85, 0.86), (0.62, 0.71, 0.82), (0.77, 0.80, 0.84),
    (0.80, 0.70, 0.69),
)  # fmt: skip

_BELTS: Final[tuple[Color, ...]] = (
    (0.84, 0.84, 0.82), (0.72, 0.58, 0.12), (0.68, 0.33, 0.08), (0.15, 0.36, 0.17),
    (0.11, 0.19, 0.45), (0.27, 0.15, 0.09), (0.05, 0.05, 0.055), (0.05, 0.05, 0.055),
)  # fmt: skip

# Patterns that each cloth may keep; others become plain, and nothing is printed on them.
_PATTERNS: Final[dict[str, tuple[str, ...]]] = {
    "denim": ("denim",),
    "suiting": ("swatch",),
    "cotton": ("camouflage",),
    "shirting": ("stripes", "print", "swatch"),
    "shell": ("camouflage",),
    "leotard": ("blocks", "panel", "print", "fade", "dye"),
    "knit": ("stripes", "heather"),
    "wool": (),
    "skirt": ("swatch",),
}
_SUIT_SWATCHES: Final = ("pinstripes", "windowpane", "houndstooth", "herringbone")
_ROUGHNESS: Final = {"leather": 0.42, "leotard": 0.45, "shell": 0.6, "tights": 0.6}


def of_cloth(fabric: Fabric, cloth: str, rng: np.random.Generator) -> Fabric:
    """A fabric that was drawn for no special use, made into a cloth ("" leaves it)."""
    if not cloth:
        return fabric
    main = fabric.main
    if cloth in _COLORS:
        main = _near(_COLORS[cloth], rng)
    elif cloth == "shirting" and rng.random() < 0.6:
        main = _near(_LIGHT, rng)
    pattern = fabric.pattern if fabric.pattern in _PATTERNS.get(cloth, ()) else "unprinted"
    swatch = fabric.swatch if pattern == "swatch" else ""
    if cloth == "denim":
        pattern = "denim"
    if cloth == "suiting" and swatch not in _SUIT_SWATCHES:
        pattern, swatch = "unprinted", ""
    trim = main if main != fabric.main else fabric.trim
    roughness = _ROUGHNESS.get(cloth, fabric.roughness)
    shade = float(rng.uniform(0.88, 0.97))
    trim = (trim[0] * shade, trim[1] * shade, trim[2] * shade)
    return replace(
        fabric, main=main, pattern=pattern, trim=trim, roughness=roughness, swatch=swatch
    )


def belt_color(rng: np.random.Generator) -> Color:
    """The colour of a grade."""
    return _near(_BELTS, rng)


def _near(colors: tuple[Color, ...], rng: np.random.Generator) -> Color:
    color = np.array(colors[rng.integers(len(colors))])
    r, g, b = np.clip(color * rng.uniform(0.9, 1.1) + rng.normal(0, 0.008, 3), 0.02, 0.9)
    return float(r), float(g), float(b)

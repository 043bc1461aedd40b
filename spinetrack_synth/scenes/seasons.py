"""What the year does outdoors: colours of grass and leaves, bare trees, snow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.scenes import floorings, greenery
from spinetrack_synth.scenes.place import Prop
from spinetrack_synth.scenes.props import plants
from spinetrack_synth.scenes.shapes import Rng
from spinetrack_synth.scenes.textures import Finish

Color = tuple[float, float, float]
Palette = tuple[Color, Color, Color, Color]


@dataclass(frozen=True)
class Season:
    """Colours dark to light of the grass and of two kinds of leaves; whether the trees are ``bare``
    and whether there is ``snow`` on the ground."""

    grass: Palette
    leaf: Palette
    leaf2: Palette
    bare: bool = False
    snow: bool = False


_GREEN: Final = ((0.11, 0.18, 0.07), (0.18, 0.28, 0.10), (0.28, 0.39, 0.15), (0.40, 0.49, 0.22))
_DEEP: Final = ((0.09, 0.16, 0.09), (0.14, 0.24, 0.13), (0.21, 0.33, 0.17), (0.31, 0.42, 0.22))
_FRESH: Final = ((0.20, 0.27, 0.09), (0.30, 0.40, 0.13), (0.43, 0.52, 0.20), (0.56, 0.62, 0.30))
_BLOSSOM: Final = ((0.52, 0.36, 0.38), (0.72, 0.54, 0.56), (0.84, 0.70, 0.71), (0.90, 0.82, 0.82))
_GOLD: Final = ((0.32, 0.22, 0.06), (0.50, 0.36, 0.09), (0.64, 0.47, 0.13), (0.74, 0.60, 0.22))
_RUST: Final = ((0.26, 0.12, 0.06), (0.42, 0.19, 0.08), (0.55, 0.28, 0.11), (0.62, 0.40, 0.18))
_TWIGS: Final = ((0.20, 0.17, 0.14), (0.27, 0.23, 0.19), (0.34, 0.29, 0.24), (0.42, 0.37, 0.31))

SPRING: Final = Season(
    ((0.22, 0.32, 0.11), (0.29, 0.42, 0.15), (0.38, 0.50, 0.21), (0.48, 0.58, 0.30)),
    _FRESH,
    _BLOSSOM,
)
SUMMER: Final = Season(
    ((0.20, 0.27, 0.11), (0.27, 0.35, 0.15), (0.35, 0.43, 0.20), (0.45, 0.50, 0.28)), _GREEN, _DEEP
)
DRY: Final = Season(
    ((0.32, 0.29, 0.19), (0.42, 0.38, 0.25), (0.51, 0.46, 0.32), (0.60, 0.55, 0.40)), _DEEP, _GREEN
)
AUTUMN: Final = Season(
    ((0.23, 0.24, 0.11), (0.31, 0.32, 0.15), (0.40, 0.39, 0.20), (0.50, 0.46, 0.26)), _GOLD, _RUST
)
LATE: Final = Season(
    ((0.24, 0.23, 0.13), (0.31, 0.31, 0.18), (0.38, 0.37, 0.23), (0.46, 0.44, 0.29)),
    _TWIGS, _RUST, bare=True,
)  # fmt: skip
SNOW: Final = Season(
    ((0.72, 0.74, 0.78), (0.80, 0.82, 0.85), (0.86, 0.87, 0.89), (0.90, 0.91, 0.92)),
    _TWIGS, _DEEP, bare=True, snow=True,
)  # fmt: skip


def finishes(rng: Rng, season: Season) -> dict[str, Finish]:
    """``grass``, ``grass2`` (mown the other way), ``leaf``, ``leaf2`` and ``bark`` of a season."""
    grass = np.array(season.grass)
    ground = floorings.sand(rng, grass[2]) if season.snow else floorings.turf(rng, grass)
    image = np.asarray(ground.material.base_color)
    mown = image if season.snow else _darker(image, (0.90, 0.93, 0.92))
    return {
        "grass": ground,
        "grass2": replace(ground, material=replace(ground.material, base_color=mown)),
        "leaf": greenery.foliage(rng, season.leaf, side=256),
        "leaf2": greenery.foliage(rng, season.leaf2, side=256),
        "bark": greenery.bark(rng, np.array([0.33, 0.28, 0.24]) * rng.uniform(0.85, 1.15)),
    }


def _darker(image: NDArray[np.uint8], factors: Color) -> NDArray[np.uint8]:
    """An image (H, W, 3) with each channel dimmed by its factor."""
    dimmed = np.empty_like(image)
    for channel, factor in enumerate(factors):
        dimmed[..., channel] = (np.arange(256) * factor).astype(np.uint8)[image[..., channel]]
    return dimmed


def trees(rng: Rng, season: Season, count: int, *, tall: tuple[float, float],
          leaves: int = 1200, leaf_m: float = 0.24) -> list[Prop]:  # fmt: skip
    """So many different trees of a season, standing on y = 0."""
    grown: list[Prop] = []
    for k in range(count):
        height = float(rng.uniform(*tall))
        if season.bare:
            grown.append(plants.bare_tree(rng, height))
        else:
            finish = "leaf" if k % 2 == 0 else "leaf2"
            grown.append(
                plants.tree(rng, height, leaf_m=leaf_m, count=leaves, crowns=3, finish=finish)
            )
    return grown


def wood_edge(
    rng: Rng, season: Season, haze: float, *, around_m: float, height_m: float
) -> greenery.Woods:
    """A wood's edge far off, ``haze`` 0..1 of it the air's colour; see ``greenery.woods``."""
    air = np.array([0.66, 0.73, 0.80])
    colors = np.array(season.leaf) * (1 - haze) + air * haze
    return greenery.woods(rng, colors, around_m=around_m, height_m=height_m, columns=896)

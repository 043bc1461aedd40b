"""The look of clothes: cloth is chosen, patterned, sewn with bands and seams, and creased."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Color, Floats
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.cloth_colors import denim_color, draw_color, draw_second
from spinetrack_synth.avatars.clothes import Garment
from spinetrack_synth.avatars.flat_cloth import TEXEL_M, ClothTexels, laid_flat
from spinetrack_synth.avatars.paintings import Painting
from spinetrack_synth.avatars.patterns import SQUASHED, Fabric, paint_cloth
from spinetrack_synth.avatars.textures import grain, lay, noise, to_bytes
from spinetrack_synth.avatars.wrinkles import VARIANTS, wrinkles
from spinetrack_synth.easing import smoothstep
from spinetrack_synth.shot import Material

# How often a garment of a kind has a pattern; the rest are plain.
_TIGHT: Final = {
    "plain": 0.46, "heather": 0.08, "blocks": 0.08, "panel": 0.10, "print": 0.05, "fade": 0.04,
    "dye": 0.03, "camouflage": 0.03, "swatch": 0.13,
}  # fmt: skip
_LOOSE: Final = {
    "plain": 0.46, "heather": 0.14, "blocks": 0.05, "panel": 0.03, "print": 0.02, "fade": 0.02,
    "dye": 0.03, "camouflage": 0.03, "swatch": 0.22,
}  # fmt: skip
_BELOW: Final = {
    "plain": 0.52, "denim": 0.20, "heather": 0.08, "panel": 0.06, "camouflage": 0.03, "dye": 0.01,
    "swatch": 0.10,
}  # fmt: skip
_SEAM_M: Final = 0.03
"""Cloth is painted so far beyond its edges."""
_WIDE_M: Final = 0.0115
"""From this ease on a garment hangs in folds."""

_WEAR_SWATCHES: Final = {
    "stripes": 0.26, "tartan": 0.12, "gingham": 0.06, "dots": 0.09, "flowers": 0.13, "leaves": 0.05,
    "confetti": 0.05, "leopard": 0.03, "zigzag": 0.05, "triangles": 0.04, "fair isle": 0.03,
    "argyle": 0.02, "pinstripes": 0.03, "windowpane": 0.02, "houndstooth": 0.01,
    "herringbone": 0.01,
}  # fmt: skip
_SUIT_SWATCHES: Final = {
    "pinstripes": 0.3, "windowpane": 0.15, "houndstooth": 0.15, "herringbone": 0.2, "tartan": 0.2,
}  # fmt: skip


def choose_fabric(
    rng: np.random.Generator, loose: bool, skin: Array, below: bool = False
) -> Fabric:
    """Draw the cloth of a garment, ``below`` the waist or above it.

    A cloth of the colour of the wearer's ``skin`` (3,) would look like none, and is not drawn.
    """
    main = draw_color(rng)
    while _looks_like_skin(main, skin):
        main = draw_color(rng)
    shares = _BELOW if below and loose else _LOOSE if loose else _TIGHT
    pattern = str(rng.choice(list(shares), p=list(shares.values())))
    if pattern == "denim":
        main = denim_color(rng)
        while _looks_like_skin(main, skin):
            main = denim_color(rng)
    second, *others = (_other(rng, main, skin) for _ in range(3))
    trim = tuple(np.array(main) * rng.uniform(0.7, 0.95)) if rng.random() < 0.75 else second
    roughness = rng.uniform(0.75, 0.95) if loose else rng.uniform(0.5, 0.8)
    kinds = _SUIT_SWATCHES if below and loose and rng.random() < 0.5 else _WEAR_SWATCHES
    swatch = str(rng.choice(list(kinds), p=list(kinds.values()))) if pattern == "swatch" else ""
    return Fabric(pattern, main, second, trim, float(roughness), tuple(others), swatch)


def _other(rng: np.random.Generator, main: Color, skin: Array) -> Color:
    second = draw_second(rng, main)
    while _looks_like_skin(second, skin):
        second = draw_second(rng, main)
    return second


_SHADES: Final = np.linspace(0.4, 1.0, 13)[:, None]
"""Of the brightness of skin in the sun, what is left in the shade."""


def _looks_like_skin(color: Color, skin: Array) -> bool:
    """Near in colour (3,), or as muted and of the same tone, lighter or darker as if in the sun."""
    cloth = np.array(color)
    tint, tone = cloth - cloth.mean(), skin - skin.mean()
    chroma = np.linalg.norm(tint)
    alike = tint @ tone > 0.75 * chroma * np.linalg.norm(tone)
    muted = 0.1 < chroma / cloth.mean() < 0.5
    lit_alike = abs(cloth.max() - skin.max()) < 0.55
    apart = np.abs(cloth - _SHADES * skin).max(axis=1)
    near = apart[-1] < 0.2 or apart.min() < 0.05
    return bool(near or (alike and muted and lit_alike))


def weave(
    data: BodyData, garment: Garment, fabric: Fabric, seed: int, hidden_m: Array | None = None
) -> Painting:
    """What a garment is made of; nothing is painted where ``hidden_m`` (P,) tells that others cover
    it by more than a seam."""

    def paint(size: int) -> Material:
        return _paint(data, garment, fabric, np.random.default_rng(seed), hidden_m, size)

    return Painting(paint, Material(fabric.main, fabric.roughness, 0.2), TEXEL_M)


def _paint(
    data: BodyData,
    garment: Garment,
    fabric: Fabric,
    rng: np.random.Generator,
    hidden_m: Array | None,
    size: int,
) -> Material:
    """The garment's material, its image painted over the suit's uv."""
    flat = laid_flat(data, size)
    near = np.minimum.reduce(list(garment.fields.values())) > -_SEAM_M
    if hidden_m is not None:
        near &= hidden_m < _SEAM_M
    ours = flat.texels.touching(near)
    painted = ClothTexels(flat, garment, ours)
    color = _trimmed(painted, garment, fabric, paint_cloth(painted, fabric, rng))
    shade = 1 + 0.05 * noise(painted.points * SQUASHED, 0.05, rng, 2)
    if garment.cut.loose:  # creases: narrow valleys where slow noise crosses zero
        valley = np.abs(noise(painted.points * SQUASHED, 0.09, rng))
        shade *= 1 - 0.05 * smoothstep(0.25, 0.0, valley)
    shade += 0.025 * painted.left(TEXEL_M) * grain(len(ours), rng)
    shade *= 1 - (0.8 if garment.cut.loose else 1.0) * flat.crease[ours]
    color *= shade[:, None]
    full = np.empty((len(flat.texels.texel), 3), np.uint8)
    full[:] = to_bytes(np.array(fabric.main))
    full[ours] = to_bytes(color)
    folds = int(rng.integers(VARIANTS))
    normals = wrinkles(data, _softness(garment, fabric), folds, max(256, size // 2))
    return Material(
        flat.texels.spread(full), roughness=fabric.roughness, specular=0.2, normals=normals
    )


def _softness(garment: Garment, fabric: Fabric) -> str:
    """How a garment folds: tight ones hardly, firm and easy ones less than wide ones."""
    if not garment.cut.loose:
        return "tight"
    firm = fabric.pattern == "denim" or garment.cut.ease_m < _WIDE_M
    return "easy" if firm else "loose"


def _trimmed(place: ClothTexels, garment: Garment, fabric: Fabric, color: Floats) -> Floats:
    """Waistband, bindings, hem stitching and seams."""
    trim = np.array(fabric.trim, np.float32)
    stitch = np.zeros(len(color), np.float32)
    edge = place.wider(0.001)

    def sew(share: float, distance: Floats, half_m: float) -> None:
        wide = place.wider(half_m)
        np.maximum(stitch, share * half_m / wide * _line(distance, wide), out=stitch)

    for name, distance in place.field.items():
        if name == "waist":
            width = garment.cut.band_m
            lay(color, trim, smoothstep(width + edge, width - edge, distance))
            sew(1.0, distance - width, 0.0016)
        elif name in ("neck", "armhole") or (name in ("leg", "sleeve") and garment.cut.cuff_m):
            width = garment.cut.cuff_m if name in ("leg", "sleeve") else 0.012
            lay(color, trim, smoothstep(width + edge, width - edge, distance))
            sew(1.0, distance - width, 0.0014)
        else:
            sew(0.7, distance - 0.018, 0.0013)
    far = place.points[:, 1] >= place.figure.armpit_y - 0.01
    sew(0.6, place.side_m + far, 0.0014)
    if "waist" in place.field or place.legs:
        above = place.points[:, 1] >= place.figure.height(0.3)
        sew(0.5, np.abs(place.points[:, 2]) + above, 0.0014)
    if "sleeve" in place.field:
        sew(0.6, (place.arm - 0.5) * 0.09, 0.0012)
    color *= 1 - 0.25 * stitch[:, None]
    return color


def _line(distance: Floats, half_m: float) -> NDArray[np.float32]:
    return smoothstep(2 * half_m, 0.5 * half_m, np.abs(distance)).astype(np.float32)

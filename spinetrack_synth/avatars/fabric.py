"""The look of cloth: palettes, knits and prints, painted on the suit in rest-pose metres."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Color, Floats, Ints
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import MIDDLE_BUILD, shape
from spinetrack_synth.avatars.clothes import Garment
from spinetrack_synth.avatars.figure import Figure, along_limb, measure, suit
from spinetrack_synth.avatars.textures import TexelMap, grain, lay, mix, noise, texel_map, to_bytes
from spinetrack_synth.easing import smoothstep
from spinetrack_synth.shot import Material

SIZE = 1024

_SQUASHED = np.array([1, 0.6, 1], np.float32)
"""Folds run down the cloth."""

# Colours people train in, sRGB: blacks and neutrals, muted tones, a few bright ones.
NEUTRALS = (
    (0.07, 0.07, 0.08), (0.11, 0.115, 0.13), (0.20, 0.21, 0.23), (0.38, 0.38, 0.39),
    (0.60, 0.60, 0.59), (0.74, 0.73, 0.71), (0.77, 0.75, 0.71), (0.12, 0.14, 0.22),
    (0.17, 0.19, 0.16),
)  # fmt: skip
MUTED = (
    (0.30, 0.38, 0.33), (0.22, 0.33, 0.38), (0.45, 0.33, 0.36), (0.52, 0.40, 0.34),
    (0.60, 0.50, 0.44), (0.42, 0.46, 0.54), (0.40, 0.40, 0.32), (0.58, 0.54, 0.43),
    (0.47, 0.30, 0.26), (0.52, 0.58, 0.54), (0.68, 0.60, 0.57), (0.20, 0.24, 0.33),
)  # fmt: skip
BRIGHT = (
    (0.53, 0.17, 0.20), (0.66, 0.36, 0.24), (0.72, 0.58, 0.32), (0.19, 0.38, 0.37),
    (0.17, 0.28, 0.47), (0.39, 0.21, 0.38), (0.68, 0.42, 0.46), (0.27, 0.40, 0.28),
    (0.30, 0.49, 0.58),
)  # fmt: skip

PATTERNS = ("plain", "heather", "stripes", "blocks", "panel", "print", "fade", "dye")
_SHARES = {
    "tight": (0.50, 0.12, 0.00, 0.10, 0.12, 0.10, 0.04, 0.02),
    "loose": (0.48, 0.26, 0.10, 0.05, 0.03, 0.04, 0.02, 0.02),
}


@dataclass(frozen=True)
class Fabric:
    """A garment's cloth: main, second and trim colours (sRGB), a pattern, and how it shines."""

    pattern: str
    main: Color
    second: Color
    trim: Color
    roughness: float


def choose_fabric(rng: np.random.Generator, loose: bool, skin: Array) -> Fabric:
    """Draw a cloth; tight sports wear is often dark and plain, loose cotton often heathered.

    A cloth of the colour of the wearer's ``skin`` (3,) would look like none, and is not drawn.
    """
    main = _draw(rng, (0.48, 0.36, 0.16))
    while _looks_like_skin(main, skin):
        main = _draw(rng, (0.48, 0.36, 0.16))
    pattern = str(rng.choice(PATTERNS, p=_SHARES["loose" if loose else "tight"]))
    second = _draw(rng, (0.5, 0.3, 0.2))
    while _looks_like_skin(second, skin) or np.abs(np.subtract(main, second)).max() < 0.12:
        second = _draw(rng, (0.5, 0.3, 0.2))
    trim = tuple(np.array(main) * rng.uniform(0.7, 0.95)) if rng.random() < 0.75 else second
    roughness = rng.uniform(0.75, 0.95) if loose else rng.uniform(0.5, 0.8)
    return Fabric(pattern, main, second, trim, float(roughness))


def _looks_like_skin(color: Color, skin: Array) -> bool:
    """Near in colour (3,), or as muted and of the same tone, lighter or darker as if in the sun."""
    cloth = np.array(color)
    tint, tone = cloth - cloth.mean(), skin - skin.mean()
    chroma = np.linalg.norm(tint)
    alike = tint @ tone > 0.75 * chroma * np.linalg.norm(tone)
    muted = 0.1 < chroma / cloth.mean() < 0.5
    lit_alike = abs(cloth.max() - skin.max()) < 0.55
    return bool(np.abs(cloth - skin).max() < 0.2 or (alike and muted and lit_alike))


@dataclass(frozen=True, eq=False)
class Flat:
    """The suit laid flat, once for all bodies: where on a body of middle build its texels lie.

    Patterns are painted in this body's metres, edges of garments in the wearer's. All float32 over
    the N covered texels: ``points`` and ``normals`` (N, 3); ``leg`` and ``along_arm`` 0 .. 2 along
    the limbs; ``arm`` 0..1; ``fore`` m before the middle line of trunk and leg; ``side_m`` m from
    the line down the outer side; ``crease`` darkening where cloth folds.
    """

    figure: Figure
    texels: TexelMap
    points: NDArray[np.float32]
    normals: NDArray[np.float32]
    leg: NDArray[np.float32]
    along_arm: NDArray[np.float32]
    arm: NDArray[np.float32]
    fore: NDArray[np.float32]
    side_m: NDArray[np.float32]
    crease: NDArray[np.float32]


@lru_cache(maxsize=1)
def laid_flat(data: BodyData) -> Flat:
    """The suit of a base mesh laid flat."""
    figure, pattern = measure(data, shape(data, MIDDLE_BUILD)), suit(data)
    leg = along_limb(figure.points, figure.hips, figure.knees, figure.ankles, pattern.side)
    arm = along_limb(figure.points, figure.shoulders, figure.elbows, figure.wrists, pattern.side)
    axis_x = _limb_axis_x(figure, leg, pattern.side)
    outward = figure.normals[:, 2] * np.sign(figure.points[:, 2])
    columns = [figure.points, figure.normals, leg, arm, pattern.arm]
    columns += [figure.points[:, 0] - axis_x, outward]
    texels = texel_map(pattern.sheet, SIZE)
    at = texels.at(np.concatenate([np.reshape(c, (len(leg), -1)) for c in columns], axis=1))
    points, normals, fore = (
        np.ascontiguousarray(part) for part in (at[:, :3], at[:, 3:6], at[:, 9])
    )
    return Flat(
        figure=figure,
        texels=texels,
        points=points,
        normals=normals,
        leg=at[:, 6].copy(),
        along_arm=at[:, 7].copy(),
        arm=at[:, 8].copy(),
        fore=fore,
        side_m=np.where(at[:, 10] > 0.2, np.abs(fore), 1.0).astype(np.float32),
        crease=_creases(figure, points, normals),
    )


def _creases(
    figure: Figure, points: NDArray[np.float32], normals: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Darkening where cloth folds: crotch, armpits, behind the knees."""
    crotch = np.array([0.0, figure.crotch_y, 0.0])
    dark = 0.22 * _spot(points - crotch, 0.035) * (np.abs(points[:, 2]) < 0.1)
    for knee in figure.knees:
        bands = 0.5 + 0.5 * np.sin(points[:, 1] * 2 * np.pi / 0.022 + 30 * points[:, 2])
        behind = _spot(points - knee, 0.045) * (normals[:, 0] < 0)
        dark = dark + 0.16 * behind * bands
    for shoulder in figure.shoulders:
        pit = np.array([shoulder[0], figure.armpit_y, shoulder[2]])
        dark = dark + 0.18 * _spot(points - pit, 0.03)
    creases: NDArray[np.float32] = np.clip(dark, 0, 0.4).astype(np.float32)
    return creases


def weave(data: BodyData, garment: Garment, fabric: Fabric, rng: np.random.Generator) -> Material:
    """The garment's material, its image painted over the suit's uv."""
    flat = laid_flat(data)
    inside = np.minimum.reduce(list(garment.fields.values()))
    ours = flat.texels.touching(inside > -0.03)
    painted = _Place(flat, garment, ours)
    color = _trimmed(painted, garment, fabric, _pattern(painted, fabric, rng))
    shade = 1 + 0.05 * noise(painted.points * _SQUASHED, 0.05, rng, 2)
    if garment.cut.loose:  # creases: narrow valleys where slow noise crosses zero
        valley = np.abs(noise(painted.points * _SQUASHED, 0.09, rng))
        shade *= 1 - 0.05 * smoothstep(0.25, 0.0, valley)
    shade += 0.025 * grain(len(ours), rng)
    shade *= 1 - (0.8 if garment.cut.loose else 1.0) * flat.crease[ours]
    color *= shade[:, None]
    full = np.empty((len(flat.texels.texel), 3), np.uint8)
    full[:] = to_bytes(np.array(fabric.main))
    full[ours] = to_bytes(color)
    return Material(flat.texels.spread(full), roughness=fabric.roughness, specular=0.2)


class _Place:
    """The painted texels of a garment, chosen from all that are laid flat; all arrays (N, ...)."""

    def __init__(self, flat: Flat, garment: Garment, ours: Ints) -> None:
        self.points, self.normals = flat.points[ours], flat.normals[ours]
        self.leg, self.along_arm, self.arm = flat.leg[ours], flat.along_arm[ours], flat.arm[ours]
        self.fore, self.side_m = flat.fore[ours], flat.side_m[ours]
        edges = flat.texels.at(np.stack(list(garment.fields.values()), axis=1), ours)
        self.field = dict(zip(garment.fields, np.ascontiguousarray(edges.T)))
        self.figure = flat.figure
        self.legs = garment.cut.leg is not None

    def arms(self) -> NDArray[np.float32]:
        """1 on the sleeves."""
        return smoothstep(0.42, 0.58, self.arm)


def _limb_axis_x(figure: Figure, leg: Array, side: Array) -> Array:
    """X of the middle line of trunk and legs at each vertex of the suit."""
    row = (side > 0).astype(int)
    joints = np.stack([figure.hips[:, 0], figure.knees[:, 0], figure.ankles[:, 0]])[:, row]
    place = np.clip(leg, 0, 2)
    first = np.minimum(place.astype(int), 1)
    column = np.arange(len(leg))
    low, high = joints[first, column], joints[first + 1, column]
    axis_x: Array = low + (high - low) * (place - first)
    return axis_x


def _spot(offset: Floats, spread_m: float) -> Floats:
    spot: Floats = np.exp(-(offset**2).sum(axis=1) / (2 * spread_m**2))
    return spot


def _draw(rng: np.random.Generator, shares: tuple[float, ...]) -> Color:
    palette = (NEUTRALS, MUTED, BRIGHT)[rng.choice(3, p=shares)]
    color = np.array(palette[rng.integers(len(palette))])
    color = color + (color.mean() - color) * rng.uniform(0.0, 0.4)
    return tuple(np.clip(color * rng.uniform(0.85, 1.15) + rng.normal(0, 0.012, 3), 0.02, 0.92))


def _pattern(place: _Place, fabric: Fabric, rng: np.random.Generator) -> Floats:
    main, second = (np.array(c, np.float32) for c in (fabric.main, fabric.second))
    points = place.points
    plain = np.broadcast_to(main, (len(points), 3)).astype(np.float32, order="C")
    if fabric.pattern == "heather":
        fleck = noise(points * _SQUASHED, 0.004, rng) + 0.7 * grain(len(points), rng)
        light = np.minimum(main * 1.1 + 0.045, 0.95)
        return mix(main * 0.92, light, np.clip(0.5 + 0.3 * fleck, 0, 1).astype(np.float32))
    if fabric.pattern == "stripes":
        pitch, share = rng.uniform(0.025, 0.09), rng.uniform(0.15, 0.5)
        upper = np.linalg.norm(place.figure.elbows[0] - place.figure.shoulders[0])
        run = np.where(place.arm > 0.5, place.along_arm * upper, points[:, 1])
        wave = np.abs((run / pitch) % 1.0 - 0.5) * 2
        soft = 0.0025 / pitch
        lay(plain, second, smoothstep(1 - share - soft, 1 - share + soft, wave))
    if fabric.pattern == "blocks":
        if place.legs:
            cut = rng.uniform(0.85, 1.3)
            line = place.leg + rng.choice([0.0, 2.0]) * place.fore - cut
            lay(plain, second, smoothstep(-0.004, 0.004, line))
            return plain
        cut = place.figure.height(rng.uniform(0.62, 0.75))
        high = smoothstep(-0.0015, 0.0015, points[:, 1] - cut)
        lay(plain, second, np.maximum(high, place.arms()))
    if fabric.pattern == "panel":
        width = rng.uniform(0.012, 0.04)
        lay(plain, second, smoothstep(width + 0.0015, width - 0.0015, place.side_m))
    if fabric.pattern == "print":
        size = rng.uniform(0.03, 0.09)
        value = noise(points, size, rng, 2)
        lines = rng.random() < 0.4
        hit = smoothstep(0.09, 0.05, np.abs(value)) if lines else smoothstep(0.12, 0.18, value)
        ink = main + (second - main) * rng.uniform(0.4, 1.0)
        lay(plain, ink, hit)
    if fabric.pattern == "fade":
        y = points[:, 1]
        start, stop = (float(np.quantile(y, share)) for share in (0.2, 0.8))
        lay(plain, second, smoothstep(start, stop, y))
    if fabric.pattern == "dye":
        value = noise(points, 0.12, rng, 3)
        lay(plain, np.minimum(main * 1.6 + 0.15, 0.95), smoothstep(-0.5, 0.7, value))
    return plain


def _trimmed(place: _Place, garment: Garment, fabric: Fabric, color: Floats) -> Floats:
    """Waistband, bindings, hem stitching and seams."""
    trim = np.array(fabric.trim, np.float32)
    stitch = np.zeros(len(color), np.float32)
    for name, distance in place.field.items():
        if name == "waist":
            width = garment.cut.band_m
            lay(color, trim, smoothstep(width + 0.001, width - 0.001, distance))
            stitch = np.maximum(stitch, _line(distance - width, 0.0016))
        elif name in ("neck", "armhole") or (name in ("leg", "sleeve") and garment.cut.cuff_m):
            width = garment.cut.cuff_m if name in ("leg", "sleeve") else 0.012
            lay(color, trim, smoothstep(width + 0.001, width - 0.001, distance))
            stitch = np.maximum(stitch, _line(distance - width, 0.0014))
        else:
            stitch = np.maximum(stitch, 0.7 * _line(distance - 0.018, 0.0013))
    free = place.points[:, 1] < place.figure.armpit_y - 0.01
    stitch = np.maximum(stitch, 0.6 * _line(place.side_m, 0.0014) * free)
    if "waist" in place.field or place.legs:
        below = place.points[:, 1] < place.figure.height(0.3)
        stitch = np.maximum(stitch, 0.5 * _line(place.points[:, 2], 0.0014) * below)
    if "sleeve" in place.field:
        stitch = np.maximum(stitch, 0.6 * _line((place.arm - 0.5) * 0.09, 0.0012))
    color *= 1 - 0.25 * stitch[:, None]
    return color


def _line(distance: Floats, half_m: float) -> NDArray[np.float32]:
    return smoothstep(2 * half_m, 0.5 * half_m, np.abs(distance)).astype(np.float32)

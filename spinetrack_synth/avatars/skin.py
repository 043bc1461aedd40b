"""The colour of skin, painted in the rest pose: tone, flush, lips, nails, brows, stubble, moles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spinetrack_synth.avatars.ageing import paint_age
from spinetrack_synth.avatars.array_types import Array, Color, Floats, Ints
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.body import MIDDLE_BUILD, Subject, shape
from spinetrack_synth.avatars.paintings import SIZES
from spinetrack_synth.avatars.survey import Anatomy, skin_sheet
from spinetrack_synth.avatars.textures import TexelMap, grain, mix, noise, texel_map
from spinetrack_synth.easing import smoothstep

TEXEL_M: Final = 0.0016
"""How long a texel of the largest picture is: skin of middle build has 1.74 m2, 654,000 of them."""

# Diffuse albedo of skin, sRGB, for skin_tone 0, .2 .. 1.
_TONES = np.array(
    [
        (0.87, 0.71, 0.64), (0.82, 0.65, 0.565), (0.73, 0.555, 0.46), (0.585, 0.42, 0.33),
        (0.40, 0.275, 0.215), (0.25, 0.17, 0.135),
    ]
)  # fmt: skip
_FLUSH = np.array([1.05, 0.80, 0.78])
"""What blood near the surface does to a tone, at full strength."""

_POLISH = ((0.45, 0.05, 0.09), (0.70, 0.35, 0.38), (0.12, 0.12, 0.20), (0.75, 0.60, 0.55))


@dataclass(frozen=True, eq=False)
class Shade:
    """Hair too short or too dense for strands, painted on the skin.

    ``weight`` (P,) 0..1 over the skin sheet, ``color`` sRGB, ``grain`` 0 (even) .. 1 (dots).
    """

    weight: Array
    color: Color
    grain: float


def tone_color(subject: Subject) -> Array:
    """Mean colour (3,) of a subject's skin, sRGB."""
    places = np.linspace(0, 1, len(_TONES))
    color = np.array([np.interp(subject.skin_tone, places, _TONES[:, c]) for c in range(3)])
    warm = np.random.default_rng([subject.seed, 0x7E]).normal(0, 0.018)
    return color * (1 + warm * np.array([0.3, 0.2, -1.6]))


@dataclass(frozen=True, eq=False)
class _Canvas:
    """The skin laid flat: its texels, where on a body of middle build they lie, (N, 3) m, and over
    how much of it one stands for more than one of the largest picture does."""

    texels: TexelMap
    points: NDArray[np.float32]
    blur_m: float

    def left(self, size_m: float) -> np.float32:
        """How much is left of the contrast of what is so small."""
        return np.float32(size_m / np.hypot(size_m, self.blur_m))


@lru_cache(maxsize=len(SIZES))
def _canvas(data: BodyData, size: int) -> _Canvas:
    sheet = skin_sheet(data)
    texels = texel_map(sheet, size)
    points = texels.at(sheet.stencil @ shape(data, MIDDLE_BUILD).vertices_world)
    return _Canvas(texels, points, TEXEL_M * float(np.sqrt((SIZES[-1] / size) ** 2 - 1)))


def paint_skin(
    data: BodyData,
    anatomy: Anatomy,
    subject: Subject,
    shades: tuple[Shade, ...],
    brow_color: Color,
    rng: np.random.Generator,
    base: NDArray[np.uint8] | Color | None = None,
    size: int = SIZES[-1],
) -> NDArray[np.uint8]:
    """The skin's image (size, size, 3) sRGB; brows and short hair alone on a ``base``.

    In any size it is the same skin: all draw the same numbers.
    """
    canvas = _canvas(data, size)
    texels, points = canvas.texels, canvas.points
    if base is not None:
        paint = _laid_under(base, texels)
        for shade in shades:
            pores = grain(len(paint), rng)
            _paint_shade(paint, canvas, shade, pores, rng)
        _paint_brows(paint, canvas, anatomy, brow_color, subject, rng)
        return texels.image(paint)
    color = tone_color(subject)
    dark = subject.skin_tone

    blotch = noise(anatomy.points, 0.06, rng, 2)
    flush = _flush(anatomy) * rng.uniform(0.6, 1.1) + 0.10 * blotch
    shadow = 0.05 * noise(anatomy.points, 0.12, rng, 2) - 0.13 * np.clip(anatomy.cavity, 0, 1)
    shadow = shadow - _dark_places(anatomy, subject)
    blood = (_FLUSH - 1) * (0.75 - 0.35 * dark)
    broad: Floats = color * (1 + shadow[:, None]) * (1 + blood * flush[:, None])
    palm = np.minimum(color * np.array([1.25, 1.28, 1.3]) + 0.06, [0.85, 0.66, 0.57])
    broad = mix(broad, palm, _pale_places(anatomy) * np.clip(1.4 * dark - 0.2, 0.0, 0.8))
    paint = texels.at(broad)
    pores = grain(len(points), rng)
    mottle = noise(points, 0.012, rng)
    fine = 1 + 0.018 * canvas.left(TEXEL_M) * pores
    fine += 0.03 * canvas.left(0.004) * noise(points, 0.004, rng)
    for channel in range(3):
        paint[:, channel] *= fine * (1 + np.float32(0.05 * blood[channel]) * mottle)
    _paint_features(paint, data, texels, color, subject, rng)
    spots = np.random.default_rng([subject.seed, 0x5B07])
    _paint_spots(paint, anatomy, canvas, color, subject, spots)
    years = np.random.default_rng([subject.seed, 0xA6E])
    paint_age(paint, texels, anatomy, subject, years, canvas.blur_m)
    for shade in shades:
        _paint_shade(paint, canvas, shade, pores, rng)
    _paint_brows(paint, canvas, anatomy, brow_color, subject, rng)
    return texels.image(paint)


def _laid_under(base: NDArray[np.uint8] | Color, texels: TexelMap) -> Floats:
    """A picture over the same uv, or one colour, at the texels (N, 3)."""
    if isinstance(base, tuple):
        return np.tile(np.array(base, np.float32), (len(texels.texel), 1))
    row, column = np.divmod(texels.texel, texels.size)
    if min(base.shape[:2]) >= 2 * texels.size:
        small = Image.fromarray(base).resize((texels.size,) * 2, Image.Resampling.BOX)
        base = np.asarray(small)
    height, width = base.shape[:2]
    taken = base[row * height // texels.size, column * width // texels.size]
    paint: Floats = (taken / 255).astype(np.float32)
    return paint


def _near(points: Array, centers: list[Array], spread_m: float) -> Array:
    """Strongest of round spots of standard deviation ``spread_m`` about the centres, (P,)."""
    from scipy.spatial.distance import cdist

    squared = cdist(points, np.array(centers), "sqeuclidean").min(axis=1)
    spot: Array = np.exp(-squared / (2 * spread_m**2))
    return spot


def _both(anatomy: Anatomy, bone: str) -> list[Array]:
    return [anatomy.joint[bone + ".L"], anatomy.joint[bone + ".R"]]


def _nose(anatomy: Anatomy) -> Array:
    eye = anatomy.eyes.mean(axis=0)
    points = anatomy.points
    middle = (np.abs(points[:, 2]) < 0.004) & (np.abs(points[:, 1] - eye[1] + 0.035) < 0.025)
    nose = points[middle]
    tip: Array = nose[np.argmax(nose[:, 0])]
    return tip


def _flush(anatomy: Anatomy) -> Array:
    """Where blood shows: cheeks, nose, ears, knuckles, elbows, knees, heels; (P,) 0..1."""
    points, normals = anatomy.points, anatomy.normals
    cheeks = [eye + np.array([0.0, -0.042, 0.014 * np.sign(eye[2])]) for eye in anatomy.eyes]
    flush = 0.55 * _near(points, cheeks, 0.018)
    flush = np.maximum(flush, 0.55 * _near(points, [_nose(anatomy)], 0.013))
    flush = np.maximum(flush, 0.5 * anatomy.masks["ears"])
    knuckles = [j for f in range(2, 6) for p in (1, 2, 3) for j in _both(anatomy, f"finger{f}-{p}")]
    flush = np.maximum(flush, 0.5 * _near(points, knuckles, 0.008))
    front, back = np.clip(normals[:, 0], 0, 1), np.clip(-normals[:, 0], 0, 1)
    flush = np.maximum(flush, 0.45 * front * _near(points, _both(anatomy, "lowerleg01"), 0.05))
    flush = np.maximum(flush, 0.5 * back * _near(points, _both(anatomy, "lowerarm01"), 0.04))
    flush = np.maximum(flush, 0.45 * _near(points, _both(anatomy, "foot"), 0.05) * back)
    toes = [j for f in range(1, 6) for j in _both(anatomy, f"toe{f}-1")]
    flush = np.maximum(flush, 0.3 * _near(points, toes, 0.02))
    return np.maximum(flush, 0.3 * anatomy.hand)


def _dark_places(anatomy: Anatomy, subject: Subject) -> Array:
    """How much darker (P,): eyelids, under the eyes, armpits; knees and elbows of dark skin."""
    points = anatomy.points
    below = [eye + np.array([0.02, -0.017, 0.0]) for eye in anatomy.eyes]
    around = [eye + np.array([0.015, 0.004, 0.0]) for eye in anatomy.eyes]
    dark = 0.07 * _near(points, below, 0.010) + 0.10 * _near(points, around, 0.013)
    joints = _both(anatomy, "lowerarm01") + _both(anatomy, "lowerleg01")
    dark += 0.14 * subject.skin_tone * _near(points, joints, 0.04)
    armpits = [j + np.array([0, -0.06, 0]) for j in _both(anatomy, "upperarm01")]
    return dark + 0.06 * _near(points, armpits, 0.03)


def _pale_places(anatomy: Anatomy) -> Array:
    """Palms and soles, (P,) 0..1."""
    low = smoothstep(0.03, 0.015, anatomy.points[:, 1])
    pale: Array = smoothstep(0.35, 0.8, -anatomy.normals[:, 1]) * low
    for side, sign in (("L", 1.0), ("R", -1.0)):
        wrist = anatomy.joint[f"wrist.{side}"]
        index = anatomy.joint[f"finger2-1.{side}"] - wrist
        little = anatomy.joint[f"finger5-1.{side}"] - wrist
        palm = sign * np.cross(index, little)
        palm /= np.linalg.norm(palm)
        near = (anatomy.points[:, 2] * wrist[2] > 0) * anatomy.hand
        pale = np.maximum(pale, smoothstep(0.1, 0.6, anatomy.normals @ palm) * near)
    return pale


def _paint_features(
    paint: Floats,
    data: BodyData,
    texels: TexelMap,
    color: Array,
    subject: Subject,
    rng: np.random.Generator,
) -> None:
    """Lips, nails, eyelids, areolae and the inside of the mouth, by their masks."""

    def tint(name: str, tone: Array, share: float) -> None:
        where = _masked_texels(data, name, texels.size)
        weight = share * _resized(data, name, texels.size)[texels.texel[where]]
        paint[where] = mix(paint[where], tone.astype(np.float32), weight)

    lip_red = rng.uniform(0.75, 1.05) if subject.sex == "female" else rng.uniform(0.55, 0.8)
    lips = color * np.array([0.86, 0.60, 0.63]) * (0.97 + 0.1 * subject.skin_tone)
    tint("lips", lips, 0.75 * lip_red)
    tint("aureolae", color * np.array([0.80, 0.62, 0.60]), 0.8)
    bare = np.minimum(color * np.array([1.08, 1.0, 1.0]) + 0.04, 0.9)
    polish = np.array(_POLISH[rng.integers(len(_POLISH))])
    polished = subject.sex == "female" and rng.random() < 0.3
    tint("toenails", polish if polished else bare, 1.0 if polished else 0.7)
    polished = polished and rng.random() < 0.5
    tint("fingernails", polish if polished else bare, 1.0 if polished else 0.8)
    tint("eyelids", color * np.array([0.82, 0.74, 0.74]), 0.35)
    tint("inside-mouth", np.array([0.36, 0.15, 0.14]), 1.0)


@lru_cache(maxsize=64)
def _masked_texels(data: BodyData, name: str, size: int) -> Ints:
    """The covered texels that a mask touches."""
    return np.flatnonzero(_resized(data, name, size)[_canvas(data, size).texels.texel])


@lru_cache(maxsize=64)
def _resized(data: BodyData, name: str, size: int) -> NDArray[np.float32]:
    image = Image.fromarray(data.masks[name]).resize((size, size), Image.Resampling.BILINEAR)
    return (np.asarray(image).ravel() / 255).astype(np.float32)


def _paint_spots(
    paint: Floats,
    anatomy: Anatomy,
    canvas: _Canvas,
    color: Array,
    subject: Subject,
    rng: np.random.Generator,
) -> None:
    """Freckles of some light faces and shoulders, and a few moles anywhere."""
    texels = canvas.texels
    mole = (color * np.array([0.45, 0.36, 0.34])).astype(np.float32)
    row, column = (rng.random((2, rng.integers(10, 35))) * texels.size).astype(int)
    place = row * texels.size + column
    chosen = texels.nearest[place]
    chosen = chosen[texels.texel[chosen] == place]
    paint[chosen] += 0.65 * canvas.left(TEXEL_M) ** 2 * (mole - paint[chosen])
    if subject.skin_tone < 0.3 and rng.random() < 0.35:
        cheeks = [eye + np.array([0.0, -0.03, 0.0]) for eye in anatomy.eyes]
        where = _near(anatomy.points, [*cheeks, _nose(anatomy)], 0.022)
        shoulders = _near(anatomy.points, _both(anatomy, "upperarm01"), 0.09)
        density = 0.16 * where + 0.05 * shoulders
        there = texels.touching(density > 0.001)
        mean = texels.at(density, there)
        freckled = (rng.random(len(there)) < mean).astype(np.float32)
        share = mean + canvas.left(TEXEL_M) * (freckled - mean)
        paint[there] *= 1 - share[:, None] * np.array([0.14, 0.24, 0.30], np.float32)


def _paint_shade(
    paint: Floats,
    canvas: _Canvas,
    shade: Shade,
    pores: NDArray[np.float32],
    rng: np.random.Generator,
) -> None:
    hairy = canvas.texels.touching(shade.weight > 0.01)
    weight = canvas.texels.at(shade.weight, hairy)
    # Single hairs break up the edge.
    broken = noise(canvas.points[hairy] * np.array([1.0, 0.4, 1.0], np.float32), 0.0022, rng)
    weight = weight + 1.3 * canvas.left(0.0022) * weight * (1 - weight) * broken
    dots = np.clip(0.5 + 0.9 * canvas.left(TEXEL_M) * pores[hairy], 0, 1)
    weight = np.clip(weight * (1 - shade.grain + shade.grain * dots), 0, 1)
    paint[hairy] = mix(paint[hairy], np.array(shade.color, np.float32), weight)


def _paint_brows(
    paint: Floats,
    canvas: _Canvas,
    anatomy: Anatomy,
    brow_color: Color,
    subject: Subject,
    rng: np.random.Generator,
) -> None:
    """Eyebrows along the arches of the brow bones, fuller and lower in men."""
    man = subject.sex == "male"
    strength = rng.uniform(0.75, 0.95) if man else rng.uniform(0.6, 0.85)
    half_m = rng.uniform(0.0042, 0.0056) if man else rng.uniform(0.0026, 0.0040)
    color, texels = np.array(brow_color, np.float32), canvas.texels
    wide_m = float(np.hypot(half_m, 0.5 * canvas.blur_m))
    strength *= half_m / wide_m
    for side, sign in (("L", -1.0), ("R", 1.0)):
        inner, peak = anatomy.tail[f"oculi01.{side}"], anatomy.joint[f"oculi01.{side}"]
        outer = anatomy.joint[f"oculi02.{side}"]
        close = texels.touching((np.abs(anatomy.points - peak) < [0.045, 0.03, 0.045]).all(axis=1))
        local = texels.at(anatomy.points, close)
        across = local[:, 2] * sign
        z = np.array([inner[2], peak[2], outer[2]]) * sign
        arch = np.polyfit(z, [inner[1] - 0.006, peak[1] - 0.0015, outer[1] + 0.005], 2)
        along = (across - z[0] + 0.003) / (z[2] - z[0] + 0.004)
        width = wide_m * np.interp(along, [0, 0.15, 0.6, 1.0], [0.7, 1.0, 0.85, 0.25])
        off = (local[:, 1] - np.polyval(arch, across)) / width
        weight = smoothstep(1.25, 0.45, np.abs(off))
        weight *= smoothstep(-0.06, 0.12, along) * smoothstep(1.05, 0.85, along)
        hairs = 0.85 + 0.3 * canvas.left(0.0016) * noise(local * [1.0, 1.0, 0.5], 0.0016, rng)
        weight = np.clip(weight * hairs * strength, 0, 1) * (local[:, 0] > peak[0] - 0.05)
        paint[close] = mix(paint[close], color, weight.astype(np.float32))

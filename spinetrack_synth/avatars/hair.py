"""Hair as thousands of thin ribbons grown from the scalp, and the shade painted beneath them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Color
from spinetrack_synth.avatars.body import Subject
from spinetrack_synth.avatars.hairstyles import STYLES, Bundle
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.scalp import Head, clear_of_skin, survey_head
from spinetrack_synth.avatars.skin import Anatomy, Shade, tone_color
from spinetrack_synth.easing import smoothstep
from spinetrack_synth.shot import Material

# Natural hair colours, sRGB, dark to light, then the uncommon ones.
_COLORS = {
    "black": (0.045, 0.038, 0.036), "dark brown": (0.105, 0.070, 0.052),
    "brown": (0.19, 0.125, 0.085), "light brown": (0.30, 0.205, 0.13),
    "dark blond": (0.43, 0.325, 0.21), "blond": (0.58, 0.46, 0.30),
    "auburn": (0.30, 0.12, 0.07), "grey": (0.47, 0.46, 0.45),
}  # fmt: skip

WOMEN = {
    "ponytail": 0.24, "low ponytail": 0.2, "bun": 0.2, "top knot": 0.12, "braid": 0.12,
    "bob": 0.1, "pixie": 0.05,
}  # fmt: skip
MEN = {
    "crop": 0.34, "side part": 0.22, "buzz": 0.2, "bald": 0.08, "receding": 0.1, "top knot": 0.06,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Hairdo:
    """What a subject's hair adds: parts to draw, shades to paint, the colour of the brows."""

    parts: tuple[Part, ...]
    shades: tuple[Shade, ...]
    brow_color: Color


def hairdo(anatomy: Anatomy, subject: Subject, rng: np.random.Generator) -> Hairdo:
    """Choose and grow a subject's hair."""
    styles = WOMEN if subject.sex == "female" else MEN
    style = str(rng.choice(list(styles), p=np.array(list(styles.values())) / sum(styles.values())))
    curly = rng.random() < 0.85 * subject.ancestry[0] ** 0.7
    if curly and style in ("crop", "side part", "receding", "bob", "pixie"):
        style = "afro" if style in ("bob", "pixie") or rng.random() < 0.35 else "curls"
    return grow(anatomy, subject, style, rng)


def grow(anatomy: Anatomy, subject: Subject, style: str, rng: np.random.Generator) -> Hairdo:
    """Hair of a named style (see ``WOMEN``, ``MEN``, and ``curls``, ``afro``)."""
    color = _hair_color(subject, rng)
    brow = np.minimum(0.8 * color, 0.5 * tone_color(subject))
    head = survey_head(anatomy, subject, style, rng)
    shades = [Shade(head.density * _SHADE[style][0], tuple(color * 0.75), _SHADE[style][1])]
    parts = []
    if style in STYLES:
        parts.append(_ribbons(STYLES[style](head, rng), head, color, rng))
    if subject.sex == "male":
        shades += _beard_shade(head, color, rng)
    return Hairdo(tuple(parts), tuple(shades), (float(brow[0]), float(brow[1]), float(brow[2])))


# How densely a style's scalp is painted, and how dotted.
_SHADE = {
    "bald": (0.25, 0.7), "buzz": (0.8, 0.35), "crop": (0.92, 0.1), "side part": (0.95, 0.0),
    "pixie": (0.97, 0.0),
    "receding": (0.85, 0.15), "curls": (0.95, 0.1), "afro": (0.97, 0.0), "bob": (0.97, 0.0),
    "ponytail": (0.97, 0.0), "low ponytail": (0.97, 0.0), "bun": (0.97, 0.0),
    "top knot": (0.97, 0.0), "braid": (0.97, 0.0),
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


def _ribbons(bundles: list[Bundle], head: Head, color: Array, rng: np.random.Generator) -> Part:
    """Tapered ribbons along paths, each turned a little at random about its own run."""
    points, faces, uv = [], [], []
    start = 0
    for path, width in bundles:
        path = clear_of_skin(head, path)
        count, steps = path.shape[:2]
        ahead = np.gradient(path, axis=1)
        ahead /= np.maximum(np.linalg.norm(ahead, axis=2, keepdims=True), 1e-9)
        outward = path - head.center
        across = np.cross(ahead, outward)
        across /= np.maximum(np.linalg.norm(across, axis=2, keepdims=True), 1e-9)
        other = np.cross(across, ahead)
        tilt = rng.normal(0, 0.45, (count, 1, 1))
        across = across * np.cos(tilt) + other * np.sin(tilt)
        place = np.linspace(0, 1, steps)
        half = 0.5 * width[:, None] * np.interp(place, [0, 0.3, 0.75, 1], [0.8, 1, 0.85, 0.12])
        edge = across * half[..., None]
        points.append(np.stack([path - edge, path + edge], axis=2).reshape(-1, 3))
        row = start + 2 * (np.arange(count)[:, None] * steps + np.arange(steps - 1)).ravel()
        faces.append(np.stack([row, row + 1, row + 3], 1))
        faces.append(np.stack([row, row + 3, row + 2], 1))
        tone = rng.beta(2.5, 2.5, (count, 1, 1))
        u = np.broadcast_to(0.02 + 0.96 * tone, (count, steps, 2))
        v = np.broadcast_to(1 - place[None, :, None], (count, steps, 2))
        uv.append(np.stack([u, v], axis=-1).reshape(-1, 2))
        start += 2 * count * steps
    rest_world = np.concatenate(points)
    return Part(
        name="hair",
        faces=np.concatenate(faces).astype(np.int32),
        uv=np.concatenate(uv).astype(np.float32),
        material=Material(_strand_tones(color), roughness=0.55, specular=0.25),
        weld=np.arange(len(rest_world), dtype=np.int32),
        body="skull",
        rest_world=rest_world.astype(np.float32),
    )


def _strand_tones(color: Array) -> NDArray[np.uint8]:
    """Tones of single strands (columns) from root (top row) to tip."""
    size = 32
    tone = np.linspace(-1, 1, size)[None, :, None]
    tip = np.linspace(0, 1, size)[:, None, None]
    contrast = 0.42 - 0.4 * float(color.mean())  # pale strands differ less
    image = color * (1 + contrast * tone) * (0.72 + 0.42 * tip)
    image = image * (1 + 0.10 * tone * np.array([1.0, 0.2, -0.8]))
    tones: NDArray[np.uint8] = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return tones


def _beard_shade(head: Head, color: Array, rng: np.random.Generator) -> list[Shade]:
    """Stubble or a beard shadow of some men."""
    kind = rng.random()
    if kind < 0.3:
        return []
    strength = rng.uniform(0.12, 0.3) if kind < 0.7 else rng.uniform(0.45, 0.8)
    weight = _beard_region(head) * strength
    return [Shade(weight, tuple(np.minimum(color, 0.3) * 0.7), 0.6)]


def _beard_region(head: Head) -> Array:
    """Where a beard grows, (P,) 0..1: jaw, chin, above the lip; not on the lips."""
    anatomy, unit = head.anatomy, head.unit
    points, eye = anatomy.points, anatomy.eyes.mean(axis=0)
    azimuth = np.degrees(np.arctan2(np.abs(points[:, 2]), points[:, 0] - head.center[0]))
    y = (points[:, 1] - eye[1]) / unit
    mouth = float(np.average(points[:, 1], weights=anatomy.masks["lips"]) - eye[1]) / unit
    upper = np.interp(
        azimuth,
        [0, 12, 20, 28, 45, 65, 74],
        [mouth + 0.016, mouth + 0.016, mouth + 0.008, mouth - 0.002, mouth + 0.004, -0.03, -0.005],
    )
    lower = np.interp(azimuth, [0, 30, 60, 80], [mouth - 0.062, mouth - 0.06, mouth - 0.035, -0.05])
    region = smoothstep(0.006, -0.004, y - upper) * smoothstep(-0.006, 0.008, y - lower)
    region *= smoothstep(84, 74, azimuth)
    away = np.linalg.norm(points - head.center, axis=1) < 0.22 * unit
    bearded: Array = region * away * (1 - np.clip(1.5 * anatomy.masks["lips"], 0, 1))
    return bearded

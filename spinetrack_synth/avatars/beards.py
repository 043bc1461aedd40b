"""Beards: which men have one, where it grows, its shade and its strands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.body import Subject
from spinetrack_synth.avatars.hairstyles import Rng
from spinetrack_synth.avatars.parts import Bundle, Part
from spinetrack_synth.avatars.scalp import Head, scatter
from spinetrack_synth.avatars.skin import Shade
from spinetrack_synth.avatars.strands import ribbon_part, strand_tones, twisted
from spinetrack_synth.easing import smoothstep

_STEPS: Final = 4


@dataclass(frozen=True)
class Cut:
    """A kind of beard: how many men have it, how it shades the skin, how many strands of what
    lengths m it has, where: 0 nowhere, 1 fully above the lip, at the chin, on the cheeks."""

    share: float
    shade: tuple[float, float]
    strands: int = 0
    length_m: tuple[float, float] = (0.0, 0.0)
    lip: float = 1.0
    chin: float = 1.0
    cheeks: float = 1.0


BEARDS: Final[dict[str, Cut]] = {
    "shadow": Cut(0.18, (0.1, 0.28)),
    "stubble": Cut(0.18, (0.4, 0.7)),
    "moustache": Cut(0.05, (0.5, 0.7), 500, (0.007, 0.011), chin=0.0, cheeks=0.0),
    "goatee": Cut(0.06, (0.5, 0.7), 800, (0.008, 0.02), cheeks=0.0),
    "short beard": Cut(0.14, (0.6, 0.85), 1700, (0.005, 0.012)),
    "full beard": Cut(0.09, (0.75, 0.9), 2000, (0.02, 0.05)),
}
"""Kinds of beard; the rest of the men is shaven. Of men in Britain 37 % have a beard, 5 % a
moustache alone (YouGov 2017); shares of the kinds are ours."""


@dataclass(frozen=True, eq=False)
class Beard:
    """What is painted, and drawn, of a beard."""

    shade: Shade
    parts: tuple[Part, ...]


def draw_beard(subject: Subject, rng: Rng) -> str:
    """The kind of beard that a subject has, "" for none."""
    if subject.sex != "male":
        return ""
    shares = [cut.share for cut in BEARDS.values()]
    return str(rng.choice([*BEARDS, ""], p=[*shares, 1 - sum(shares)]))


def grow_beard(head: Head, kind: str, color: Array, rng: Rng) -> Beard:
    """A beard of a kind on a head, for hair of a colour."""
    cut = BEARDS[kind]
    region = _region(head, cut)
    tone = np.minimum(color, 0.55) * np.array([0.85, 0.75, 0.7])
    tone = tone * rng.uniform(0.85, 1.1)
    shade = Shade(region * rng.uniform(*cut.shade), tuple(tone * 0.8), 0.2 if cut.strands else 0.6)
    if not cut.strands:
        return Beard(shade, ())
    grown = region * (head.anatomy.masks["lips"] < 0.02)
    corner, share = scatter(head.anatomy, grown, cut.strands, rng)
    paths = _paths(head, corner, share, rng.uniform(*cut.length_m), rng)
    widths = rng.uniform(0.0010, 0.0018, len(paths)) * (1.5 if cut.length_m[1] > 0.03 else 1.0)
    strands = twisted([Bundle(paths, widths)], rng)
    part = ribbon_part("beard", strands, head.center, strand_tones(tone), rng)
    return Beard(shade, (replace(part, rides_on=_rides_on(head, corner, share)),))


def _paths(head: Head, corner: Ints, share: Array, length_m: float, rng: Rng) -> Array:
    """Strands (n, K, 3) that leave the skin and turn down, aside above the lip."""
    anatomy = head.anatomy
    root = (anatomy.points[corner] * share[:, :, None]).sum(axis=1)
    normal = (anatomy.normals[corner] * share[:, :, None]).sum(axis=1)
    mouth_y = np.average(anatomy.points[:, 1], weights=anatomy.masks["lips"])
    above = smoothstep(0.0, 0.006, root[:, 1] - mouth_y)
    above *= smoothstep(0.035, 0.028, np.abs(root[:, 2]))
    down = np.array([0.0, -1.0, 0.0]) + above[:, None] * [0.0, 0.35, 0.0]
    down[:, 2] += above * np.sign(root[:, 2]) * 0.9
    jitter = 0.25 * rng.standard_normal(root.shape)
    # Shorter above the lip, at the cheeks and towards the ears; longest at the chin.
    ahead_of = smoothstep(-0.01, 0.07, root[:, 0] - head.center[0])
    length = length_m * rng.uniform(0.7, 1.1, len(root)) * (0.35 + 0.65 * ahead_of)
    length = np.where(above > 0.3, np.minimum(length, 0.009), length)
    path = [root - 0.0008 * normal]
    for k in range(1, _STEPS):
        place = k / (_STEPS - 1)
        ahead = normal * (0.75 - 0.55 * place) + down * (0.35 + 0.65 * place) + jitter
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        path.append(path[-1] + ahead * (length / (_STEPS - 1))[:, None])
    return np.stack(path, axis=1)


def _rides_on(head: Head, corner: Ints, share: Array) -> csr_array:
    """What of the base mesh the ribbons of strands ride on: the places of their roots."""
    sheet = head.anatomy.sheet
    row = np.repeat(np.arange(len(corner)), 3)
    shape = (len(corner), sheet.stencil.shape[0])
    roots = csr_array((share.ravel(), (row, corner.ravel())), shape=shape) @ sheet.stencil
    return csr_array(roots[np.repeat(np.arange(len(corner)), 2 * _STEPS)])


def _region(head: Head, cut: Cut) -> Array:
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
    middle = smoothstep(27, 19, azimuth)
    above = middle * smoothstep(-0.004, 0.004, y - mouth)
    region *= cut.lip * above + cut.chin * middle * (1 - above) + cut.cheeks * (1 - middle)
    away = np.linalg.norm(points - head.center, axis=1) < 0.22 * unit
    bearded: Array = region * away * (1 - np.clip(1.5 * anatomy.masks["lips"], 0, 1))
    return bearded

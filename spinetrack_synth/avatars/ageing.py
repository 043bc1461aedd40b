"""What years leave on a skin, painted: wrinkles of the face, spots on face and hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from spinetrack_synth.avatars.array_types import Array, Floats, Ints
from spinetrack_synth.avatars.body import Subject
from spinetrack_synth.avatars.textures import TexelMap
from spinetrack_synth.easing import smoothstep

if TYPE_CHECKING:
    from spinetrack_synth.avatars.skin import Anatomy

_FIRST_YEARS, _LAST_YEARS = 34.0, 82.0
"""Ages at which wrinkles begin to be seen and are as deep as they get, on average."""

_WIDTH_M: Final = 0.0011
_FACE_M: Final = 0.13


def paint_age(
    paint: Floats, texels: TexelMap, anatomy: Anatomy, subject: Subject, rng: np.random.Generator
) -> None:
    """Paint wrinkles and spots on texels (N, 3), as many as a subject's years give."""
    lived = subject.age_years + rng.normal(0, 5)
    age = float(smoothstep(_FIRST_YEARS, _LAST_YEARS, lived))
    if age < 0.02:
        return
    eye = anatomy.eyes.mean(axis=0)
    front = np.linalg.norm(anatomy.points - eye, axis=1) < _FACE_M
    face = texels.touching(front)
    local = texels.at(anatomy.points, face).astype(np.float64)
    shade = np.zeros(len(face))
    surface = anatomy.points[front & (anatomy.normals[:, 0] > -0.2)]
    for line, depth in _lines(anatomy, rng):
        strength = depth * age * rng.uniform(0.55, 1.25)
        _fold(shade, local, _on_skin(line, surface), strength)
    paint[face] *= (1 + np.clip(shade, -0.45, 0.12)[:, None] * [0.85, 1.0, 1.05]).astype(np.float32)
    _paint_spots(paint, texels, anatomy, age, rng)


def _lines(anatomy: Anatomy, rng: np.random.Generator) -> list[tuple[Array, float]]:
    """Wrinkles as lines of (y, z) m (K, 2) before the face, and how dark the deepest are."""
    lips = anatomy.points[anatomy.masks["lips"] > 0.5]
    mouth_y, corner_z = float(lips[:, 1].mean()), float(np.abs(lips[:, 2]).max())
    eye_y, eye_z = float(anatomy.eyes[:, 1].mean()), float(np.abs(anatomy.eyes[:, 2]).mean())
    wing_y = eye_y + 0.62 * (mouth_y - eye_y)
    brow_y = eye_y + 0.022
    lines: list[tuple[Array, float]] = []

    def wave(line: Array, size_m: float) -> Array:
        bent: Array = line + rng.normal(0, size_m, (len(line), 2))
        return bent

    for up in (0.014, 0.024, 0.034, 0.043)[: rng.integers(2, 5)]:
        z = np.linspace(-0.042, 0.042, 9) * rng.uniform(0.75, 1.05)
        arch = brow_y + up + rng.normal(0, 0.0015) - 6.0 * np.abs(z) ** 2 * (1 - 20 * np.abs(z))
        lines.append((wave(np.stack([arch, z], axis=1), 0.0007), 0.17))
    for side in (-1.0, 1.0):
        frown = np.array([[brow_y - 0.008, 0.0065], [brow_y, 0.007], [brow_y + 0.012, 0.0075]])
        fold = np.array(
            [
                [wing_y + 0.004, 0.0175], [wing_y - 0.006, 0.024],
                [mouth_y + 0.008, corner_z + 0.005], [mouth_y - 0.004, corner_z + 0.008],
            ]
        )  # fmt: skip
        droop = np.array(
            [
                [mouth_y - 0.003, corner_z + 0.001], [mouth_y - 0.012, corner_z + 0.003],
                [mouth_y - 0.025, corner_z + 0.002],
            ]
        )  # fmt: skip
        turn = np.radians([200, 225, 250, 280, 310, 335])
        bag = np.stack([eye_y - 0.003 + 0.017 * np.sin(turn), eye_z + 0.018 * np.cos(turn)], 1)
        for line, depth in ((frown, 0.16), (fold, 0.34), (droop, 0.24), (bag, 0.2)):
            lines.append((wave(line, 0.0006) * [1.0, side], depth))
        for slope in rng.uniform(-0.9, 0.7, rng.integers(2, 5)):
            out = np.linspace(0.0, rng.uniform(0.012, 0.02), 4)
            feet = np.stack([eye_y - 0.002 + slope * out, eye_z + 0.0195 + out], axis=1)
            lines.append((wave(feet, 0.0005) * [1.0, side], 0.2))
    for z in np.linspace(-0.014, 0.014, 6):
        lip = np.array([[mouth_y + 0.016, z * 1.1], [mouth_y + 0.008, z]])
        lines.append((wave(lip, 0.0005), 0.12))
    return lines


def _on_skin(line: Array, surface: Array) -> Array:
    """The line (K, 2) of (y, z) on the face (K, 3), twice as finely."""
    place = np.linspace(0, len(line) - 1, 2 * len(line) - 1)
    fine = np.stack([np.interp(place, np.arange(len(line)), c) for c in line.T], axis=1)
    off = ((surface[:, None, 1:] - fine) ** 2).sum(axis=2)
    near = np.argpartition(off, 3, axis=0)[:3]
    weight = 1 / (np.take_along_axis(off, near, axis=0) + 1e-6)
    x = (surface[near, 0] * weight).sum(axis=0) / weight.sum(axis=0)
    return np.column_stack([x, fine])


def _fold(shade: Array, local: Array, line: Array, strength: float) -> None:
    """Darken points (N, 3) at a line (K, 3), the more in its middle, and light its lower lip."""
    low, high = line.min(axis=0) - 0.005, line.max(axis=0) + 0.005
    low[0], high[0] = low[0] - 0.008, high[0] + 0.008
    about: Ints = np.flatnonzero(((local > low) & (local < high)).all(axis=1))
    if not len(about):
        return
    # Seen from the front: how deep a crease lies is not known well.
    flatten = np.array([0.3, 1.0, 1.0])
    points, line = local[about] * flatten, line * flatten
    best = np.full(len(about), np.inf)
    place = np.zeros(len(about))
    for k, (a, b) in enumerate(zip(line[:-1], line[1:])):
        share = np.clip((points - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-12), 0, 1)
        off = np.linalg.norm(points - a - share[:, None] * (b - a), axis=1)
        nearer = off < best
        best[nearer], place[nearer] = off[nearer], (k + share[nearer]) / (len(line) - 1)
    depth = strength * np.sin(np.pi * np.clip(0.06 + 0.88 * place, 0, 1)) ** 0.6
    shade[about] -= depth * np.exp(-((best / _WIDTH_M) ** 2))
    shade[about] += 0.3 * depth * np.exp(-(((best - 2.4 * _WIDTH_M) / (1.4 * _WIDTH_M)) ** 2))


def _paint_spots(
    paint: Floats, texels: TexelMap, anatomy: Anatomy, age: float, rng: np.random.Generator
) -> None:
    """Brown spots where the sun came for years: forehead, temples, cheeks, backs of the hands."""
    weight = anatomy.hand * 0.5 + (
        np.linalg.norm(anatomy.points - anatomy.eyes.mean(axis=0), axis=1) < _FACE_M
    )
    count = int(rng.poisson(16 * age**2))
    if not count:
        return
    centers = anatomy.points[rng.choice(len(weight), count, p=weight / weight.sum())]
    reach = np.linalg.norm(anatomy.points[:, None] - centers, axis=2)
    spots = texels.touching(reach.min(axis=1) < 0.012)
    local = texels.at(anatomy.points, spots)
    size = rng.uniform(0.001, 0.0032, count)
    off = np.linalg.norm(local[:, None] - centers, axis=2) / size
    dark = (0.22 * np.exp(-(off**2))).max(axis=1)
    paint[spots] *= (1 - dark[:, None] * [0.7, 1.0, 1.1]).astype(np.float32)

"""Glasses: frames that sit on nose and ears, dark lenses; clear ones reflect nothing."""

from __future__ import annotations

import colorsys
from typing import Final

import numpy as np

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.body import Subject
from spinetrack_synth.avatars.hairstyles import Rng
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.scalp import Head
from spinetrack_synth.avatars.solids import Solid, joined, part_of, tube
from spinetrack_synth.easing import smoothstep
from spinetrack_synth.shot import Material

# Half width and half height of a lens, m; the power of its outline, 2 an ellipse; how much wider
# at the top.
_SHAPES: Final = {
    "round": (0.0225, 0.0215, 2.0, 0.0),
    "oval": (0.0255, 0.0175, 2.3, 0.03),
    "rectangular": (0.0265, 0.0165, 4.0, 0.04),
    "square": (0.0260, 0.0205, 3.4, 0.10),
}
_TILT: Final = 0.12
"""Lenses lean towards the cheeks, rad."""
_POINTS: Final = 26


def wears_glasses(subject: Subject, rng: Rng) -> bool:
    """Whether somebody wears glasses: one in five of the young, three in five of the old."""
    return bool(rng.random() < 0.2 + 0.4 * smoothstep(38, 62, subject.age_years))


def glasses(head: Head, rng: Rng, dark: bool = False) -> tuple[Part, ...]:
    """A pair of glasses as parts ``glasses`` and, for ``dark`` ones, ``lenses``."""
    width, height, power, wider = _SHAPES[str(rng.choice(list(_SHAPES)))]
    if dark:
        width, height = 1.06 * width, 1.08 * height
    thin = bool(rng.random() < 0.5)
    radius = rng.uniform(0.0006, 0.0010) if thin else rng.uniform(0.0011, 0.0018)
    outlines = _outlines(head, width, height, power, wider)
    solids = [tube(outline, radius, closed=True) for outline in outlines]
    solids.append(tube(_bridge(head, outlines), radius))
    for outline in outlines:
        path = _temple(head, outline)
        solids.append(tube(path, np.array([0.7, 1.0 if thin else 1.6]) * radius))
    tone = _metal(rng) if thin else _horn(rng)
    material = Material(tone, roughness=0.3, specular=0.6)
    parts = [part_of("glasses", joined(solids), material)]
    if dark:
        tint = (0.02, 0.02, 0.022) if rng.random() < 0.7 else (0.06, 0.03, 0.015)
        lenses = joined([_lens(outline) for outline in outlines])
        parts.append(part_of("lenses", lenses, Material(tint, roughness=0.08, specular=0.8)))
    return tuple(parts)


def _outlines(head: Head, width: float, height: float, power: float, wider: float) -> list[Array]:
    """The rims (K, 3) of the left and the right lens, before face and brows, clear of the nose."""
    turn = np.arange(_POINTS) * 2 * np.pi / _POINTS
    cos, sin = np.cos(turn), np.sin(turn)
    aside = width * np.sign(cos) * np.abs(cos) ** (2 / power)
    up = height * np.sign(sin) * np.abs(sin) ** (2 / power)
    aside = aside * (1 + wider * up / height)
    points, normals = head.anatomy.points, head.anatomy.normals
    outlines = []
    eyes = head.anatomy.eyes
    for side, eye in zip((-1.0, 1.0), eyes, strict=True):
        # Frames are as wide as the face: their middle lies a little outside the pupils.
        middle_z = side * max(abs(eye[2]) + 0.001, width + 0.0075)
        outline = np.stack(
            [np.zeros(_POINTS), eye[1] - 0.004 + up, middle_z + side * aside], axis=1
        )
        near = (np.abs(points[:, 1] - eye[1] + 0.002) < height + 0.003) & (
            np.abs(points[:, 2] - middle_z) < width + 0.002
        )
        near &= (normals[:, 0] > 0.1) & (points[:, 0] > eye[0] - 0.01)
        wrapped = points[near] + [1, 0, 0] * _back(points[near], eye, side)[:, None]
        front = max(float(np.quantile(wrapped[:, 0], 0.985)), float(eye[0] + 0.020)) + 0.0015
        outline[:, 0] = front
        outline[:, 0] -= _back(outline, eye, side)
        outlines.append(outline)
    front = np.mean([outline[:, 0].max() for outline in outlines])
    return [outline + (front - outline[:, 0].max()) * np.eye(3)[0] for outline in outlines]


def _back(points: Array, eye: Array, side: float) -> Array:
    """How far a lens lies behind its foremost plane (n,): it leans, and wraps round the face."""
    wrapped = 0.10 * np.maximum(side * points[:, 2] - 0.012, 0)
    behind: Array = wrapped - _TILT * (points[:, 1] - eye[1])
    return behind


def _bridge(head: Head, outlines: list[Array]) -> Array:
    """From lens to lens over the nose."""
    inner = [
        outline[np.argmin(np.abs(outline[:, 2]) - 0.6 * outline[:, 1])] for outline in outlines
    ]
    place = np.linspace(0, 1, 9)[:, None]
    path = inner[0] * (1 - place) + inner[1] * place
    path[:, 1] += 0.003 * np.sin(np.pi * place[:, 0])
    points = head.anatomy.points
    over = (np.abs(points[:, 2]) < 0.006) & (np.abs(points[:, 1] - path[4, 1]) < 0.004)
    nose = float(points[over & (points[:, 0] > head.center[0])][:, 0].max()) + 0.002
    path[:, 0] += np.maximum(nose - path[4, 0], 0) * np.sin(np.pi * place[:, 0])
    return np.asarray(path)


def _temple(head: Head, outline: Array) -> Array:
    """From the outer end of a lens along the temple, over the ear and down behind it."""
    side = float(np.sign(outline[0, 2]))
    hinge = outline[np.argmax(side * outline[:, 2] + 0.5 * outline[:, 1])] + [-0.001, 0, 0]
    anatomy = head.anatomy
    ear = anatomy.points[(anatomy.masks["ears"] > 0.5) & (anatomy.points[:, 2] * side > 0)]
    top_y = float(np.quantile(ear[:, 1], 0.9))
    middle_x = float(ear[:, 0].mean())
    corners = np.array(
        [
            hinge,
            [0.75 * hinge[0] + 0.25 * middle_x, 0.8 * hinge[1] + 0.2 * top_y, hinge[2]],
            [middle_x + 0.012, top_y - 0.001, hinge[2]],
            [middle_x - 0.008, top_y - 0.006, hinge[2]],
            [middle_x - 0.015, top_y - 0.016, hinge[2]],
            [middle_x - 0.018, top_y - 0.025, hinge[2]],
        ]
    )
    place = np.linspace(0, 5, 21)
    path = np.stack([np.interp(place, np.arange(6), column) for column in corners.T], axis=1)
    path[:, 2] = _beside(head, path, side)
    path[0] = hinge
    return path


def _beside(head: Head, path: Array, side: float) -> Array:
    """Where a path (K, 3) runs beside the head: straight back from the hinge, but off the skin."""
    z = np.full(len(path), side * 0.08)
    flat = path[:, :2] - head.center[:2]
    for _ in range(3):
        arm = np.column_stack([flat, z])
        reach = head.surface_m(arm / np.linalg.norm(arm, axis=1, keepdims=True)) + 0.003
        z = side * np.sqrt(np.maximum(reach**2 - (flat**2).sum(axis=1), 1e-6))
    least = np.abs(z)
    behind = smoothstep(path[0, 0], path[10, 0], path[:, 0])
    straight = abs(path[0, 2]) + behind * (least[9:13].max() - abs(path[0, 2]))
    beside: Array = side * np.maximum(least, straight)
    return beside


def _lens(outline: Array) -> Solid:
    """A fan over a rim, bulging a little."""
    middle = outline.mean(axis=0) + 0.002 * np.eye(3)[0]
    ring = np.concatenate([middle[None], 0.5 * (outline + middle) + [0.0008, 0, 0], outline])
    k = np.arange(_POINTS)
    after = np.roll(k, -1)
    inner = np.stack([np.zeros(_POINTS, int), 1 + k, 1 + after], axis=1)
    first, second = 1 + k, 1 + _POINTS + k
    outer = np.concatenate(
        [
            np.stack([first, second, 1 + _POINTS + after], axis=1),
            np.stack([first, 1 + _POINTS + after, 1 + after], axis=1),
        ]
    )
    return Solid(ring, np.concatenate([inner, outer]), np.full((len(ring), 2), 0.5))


def _metal(rng: Rng) -> tuple[float, float, float]:
    tones = ((0.55, 0.55, 0.56), (0.62, 0.52, 0.33), (0.08, 0.08, 0.09), (0.45, 0.36, 0.33))
    return tones[rng.integers(len(tones))]


def _horn(rng: Rng) -> tuple[float, float, float]:
    if rng.random() < 0.7:
        tones = ((0.02, 0.02, 0.02), (0.09, 0.05, 0.03), (0.20, 0.11, 0.05))
        return tones[rng.integers(len(tones))]
    return colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.3, 0.8), rng.uniform(0.1, 0.6))

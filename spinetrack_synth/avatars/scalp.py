"""A head to grow hair on: where scalp hair grows, and how far out the skin is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.body import Subject
from spinetrack_synth.avatars.survey import Anatomy
from spinetrack_synth.avatars.textures import noise
from spinetrack_synth.easing import smoothstep

# The hairline: height above the eyes (m, on a head whose top is 0.11 m above them) by azimuth from
# the nose (degrees): forehead, temple, sideburn, over the ear, behind it, nape.
_HAIRLINE_DEG = np.array([0, 20, 38, 50, 60, 68, 72, 79, 82, 90, 106, 113, 125, 150, 180])
_HAIRLINE_M = np.array(
    [66, 67, 62, 47, 30, 14, -8, -12, 14, 18, 16, -14, -46, -58, -62]
) / 1000  # fmt: skip
_HEAD_M = 0.11


@dataclass(frozen=True, eq=False)
class Head:
    """A head to grow hair on.

    ``center`` (3,) m and ``unit`` (head size over the usual one); ``density`` (P,) 0..1 of scalp
    hair over the skin sheet; ``radius`` (rows, columns) m of the skull and neck without ears by
    direction from the centre.
    """

    anatomy: Anatomy
    center: Array
    unit: float
    density: Array
    radius: Array

    def surface_m(self, direction: Array) -> Array:
        """Distance of the skin from the centre along unit directions (..., 3)."""
        from scipy.ndimage import map_coordinates

        rows, columns = self.radius.shape
        polar = np.arccos(np.clip(direction[..., 1], -1, 1)) / np.pi * (rows - 1)
        turn = (np.arctan2(direction[..., 2], direction[..., 0]) / (2 * np.pi) % 1.0) * columns
        surface: Array = map_coordinates(self.radius, [polar, turn], order=1, mode="grid-wrap")
        return surface

    def outside(self, points: Array, clearance_m: float | Array) -> Array:
        """Points (..., 3) moved out of the head."""
        arm = points - self.center
        length = np.linalg.norm(arm, axis=-1, keepdims=True)
        direction = arm / np.maximum(length, 1e-9)
        least = self.surface_m(direction)[..., None] + np.asarray(clearance_m)[..., None]
        moved: Array = self.center + direction * np.maximum(length, least)
        return moved


def scatter(
    anatomy: Anatomy, density: Array, count: int, rng: np.random.Generator
) -> tuple[Ints, Array]:
    """Random places on the skin, as dense as ``density`` (P,) says: vertices (n, 3) of the sheet
    and their shares (n, 3)."""
    faces, points = anatomy.sheet.faces, anatomy.points
    grown = faces[density[faces].min(axis=1) > 0.02]
    a, b, c = (points[grown[:, k]] for k in range(3))
    weight = np.linalg.norm(np.cross(b - a, c - a), axis=1) * density[grown].mean(axis=1)
    face = rng.choice(len(grown), size=count, p=weight / weight.sum())
    share = rng.dirichlet([1, 1, 1], count)
    return grown[face], share


def clear_of_skin(head: Head, points: Array, clearance_m: float = 0.002) -> Array:
    """Points (..., 3) below the eyes moved out of neck and shoulders, along the skin's normals."""
    from scipy.spatial import KDTree

    anatomy = head.anatomy
    about = np.linalg.norm(anatomy.points - head.center, axis=1) < 0.45 * head.unit
    skin, normals = anatomy.points[about], anatomy.normals[about]
    tree = KDTree(skin)
    flat = points.reshape(-1, 3).copy()
    low = np.flatnonzero(flat[:, 1] < anatomy.eyes[0, 1])
    for _ in range(3):
        near = tree.query(flat[low])[1]
        out = np.einsum("ij,ij->i", flat[low] - skin[near], normals[near])
        short = np.maximum(clearance_m - out, 0.0)
        flat[low] += short[:, None] * normals[near]
        low = low[short > 0]
        if not len(low):
            break
    return flat.reshape(points.shape)


def survey_head(anatomy: Anatomy, subject: Subject, style: str, rng: np.random.Generator) -> Head:
    """The head of a subject, with the hairline of a style."""
    points = anatomy.points
    eye = anatomy.eyes.mean(axis=0)
    skull = points[points[:, 1] > eye[1]]
    unit = float((skull[:, 1].max() - eye[1]) / _HEAD_M)
    middle = (skull[:, 0].min() + skull[:, 0].max()) / 2
    center = np.array([middle, eye[1] + 0.03 * unit, 0.0])
    arm = points - center
    azimuth = np.degrees(np.arctan2(np.abs(arm[:, 2]), arm[:, 0]))
    line = np.interp(azimuth, _HAIRLINE_DEG, _HAIRLINE_M) + rng.normal(0, 0.003)
    line = line + rng.normal(0, 0.002) * (azimuth < 25)
    if style == "receding":
        line = line + 0.055 * smoothstep(62, 40, azimuth) - 0.012 * smoothstep(14, 0, azimuth)
    elif subject.sex == "male":
        line = line + 0.012 * np.exp(-(((azimuth - 42) / 10) ** 2)) * rng.uniform(0.3, 1.5)
    above = (points[:, 1] - eye[1]) / unit - line + 0.004 * noise(points, 0.02, rng)
    density = smoothstep(-0.005, 0.013, above) * (np.linalg.norm(arm, axis=1) < 0.2 * unit)
    density = density * (anatomy.masks["ears"] < 0.3) * (anatomy.masks["inside-mouth"] < 0.5)
    if style == "bald on top":
        side = smoothstep(0.062, 0.03, (points[:, 1] - eye[1]) / unit)
        density = density * side * smoothstep(45, 70, azimuth)
    if style == "receding":
        crown = center + np.array([-0.035, 0.09, 0.0]) * unit
        bare = np.exp(-((points - crown) ** 2).sum(axis=1) / (2 * (0.035 * unit) ** 2))
        density = density * (1 - 0.9 * bare)
    return Head(anatomy, center, unit, density, _radius_map(anatomy, center))


def _radius_map(anatomy: Anatomy, center: Array) -> Array:
    from scipy.spatial import KDTree

    arm = anatomy.points - center
    length = np.linalg.norm(arm, axis=1)
    skin = (length < 0.22) & (anatomy.masks["ears"] < 0.2) & (anatomy.masks["inside-mouth"] < 0.3)
    skin &= np.einsum("ij,ij->i", arm, anatomy.normals) > 0
    rows, columns = 48, 96
    polar = np.linspace(0, np.pi, rows)[:, None]
    turn = np.arange(columns) * 2 * np.pi / columns
    direction = np.stack(
        [
            np.sin(polar) * np.cos(turn),
            np.broadcast_to(np.cos(polar), (rows, columns)),
            np.sin(polar) * np.sin(turn),
        ],
        axis=-1,
    )
    distance, near = KDTree(arm[skin] / length[skin, None]).query(direction, k=6)
    weight = 1 / (distance + 0.02)
    radius: Array = (length[skin][near] * weight).sum(axis=-1) / weight.sum(axis=-1)
    return radius

"""How far cloth lies off the body: snug where it is held, eased and hanging where it is free.

Loose cloth hangs from the widest place above instead of following every hollow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array
from spinetrack_synth.avatars.cuts import SNUG_M, Cut
from spinetrack_synth.avatars.figure import Figure, Suit, along_limb, smoothed
from spinetrack_synth.avatars.textures import noise
from spinetrack_synth.easing import smoothstep


def cloth_offsets(
    pattern: Suit,
    figure: Figure,
    cut: Cut,
    fields: dict[str, Array],
    rng: np.random.Generator,
) -> Array:
    """Distance of the cloth from the suit (P,): snug where it is held, eased where it is free."""
    snug = figure.clearance_m + SNUG_M
    if not cut.loose:
        return smoothed(pattern, snug, 2)
    points, normals = figure.points, figure.normals
    free = _freedom(pattern, figure, cut)
    for name in ("neck", "armhole"):  # these edges lie on the body
        if name in fields:
            free = free * smoothstep(0.0, 0.08, fields[name])
    ease = (cut.ease_m - SNUG_M) * free
    ease = ease + _hang(pattern, figure, cut) * free
    if cut.flare_m and "leg" in fields:
        joints = (figure.hips, figure.knees, figure.ankles)
        down = along_limb(points, *joints, pattern.side) / (cut.leg or 2.0)
        ease = ease + cut.flare_m * smoothstep(0.0, 1.0, down) * free
    if cut.quilt_m:
        ease = ease + cut.quilt_m * np.abs(np.sin(np.pi * _down_the_cloth(pattern, figure) / 0.055))
    if cut.cuff_m:
        for name in ("leg", "sleeve"):
            if name in fields:
                gather = smoothstep(0.35 * cut.cuff_m, cut.cuff_m * 1.6, fields[name])
                ease = ease * gather
    room = np.full(len(points), np.inf)
    if cut.leg is not None:
        # Between the thighs the two legs of the garment share the room there is.
        toward = np.clip(-normals[:, 2] * np.sign(points[:, 2]), 0.2, None)
        room = np.clip(np.abs(points[:, 2]) / toward - 0.006, 0.002, None)
    ease = np.minimum(ease, room)
    ease = smoothed(pattern, np.clip(ease, 0.0, 0.07), 3)
    # Folds run down the cloth, as deep as it is loose.
    folds = noise(points * [1.0, 0.25, 1.0], 0.07, rng) + 0.5 * noise(points, 0.12, rng)
    ease = np.minimum(ease + 0.9 * folds * np.minimum(ease, 0.012), room)
    cloth: Array = ease + smoothed(pattern, snug, 2)
    return cloth


def _down_the_cloth(pattern: Suit, figure: Figure) -> Array:
    """Metres (P,) down the trunk, or along the sleeve: where the seams of padding run round it."""
    place = along_limb(figure.points, figure.shoulders, figure.elbows, figure.wrists, pattern.side)
    upper = np.linalg.norm(figure.elbows - figure.shoulders, axis=1).mean()
    return np.where(pattern.arm > 0.5, place * upper, figure.points[:, 1])


def _freedom(pattern: Suit, figure: Figure, cut: Cut) -> Array:
    """0 where the garment is held (shoulders, waistband) .. 1 at its free edges, (P,)."""
    points, y = figure.points, figure.points[:, 1]
    free: Array = np.ones(len(points))
    if cut.neck is not None:
        top = figure.shoulders[:, 1].mean()
        trunk = smoothstep(top + 0.03, figure.armpit_y - 0.10, y)
        place = along_limb(points, figure.shoulders, figure.elbows, figure.wrists, pattern.side)
        sleeve = smoothstep(-0.1, 0.5, place)
        free = np.where(pattern.arm > 0.5, np.maximum(trunk * 0.5, sleeve), trunk)
    if cut.waist is not None:
        waist = figure.height(cut.waist)
        free = smoothstep(waist - cut.band_m, waist - cut.band_m - 0.12, y)
    return free


def _hang(pattern: Suit, figure: Figure, cut: Cut) -> Array:
    """Room (P,) under cloth that falls from the widest place above."""
    hollow = np.zeros(len(figure.points))
    if cut.hem is not None:
        trunk = (pattern.arm < 0.5) & (figure.points[:, 1] < figure.armpit_y + 0.02)
        trunk &= figure.points[:, 1] > figure.crotch_y - 0.05
        axis = np.array([figure.nape[0], 0.0, 0.0])
        hollow += _hollow(figure, trunk, figure.points - axis, np.array([0.0, 1.0, 0.0]), cut.hang)
    if cut.leg is not None:
        joints = (figure.hips, figure.knees, figure.ankles)
        place = along_limb(figure.points, *joints, pattern.side)
        for k, sign in enumerate((-1.0, 1.0)):
            leg = (pattern.side == sign) & (pattern.arm < 0.5)
            leg &= figure.points[:, 1] < figure.crotch_y + 0.04
            up = figure.hips[k] - figure.ankles[k]
            bone = np.empty_like(figure.points)  # the bone beside each vertex
            for c in range(3):
                bone[:, c] = np.interp(place, [0, 1, 2], [joint[k, c] for joint in joints])
            hollow += _hollow(figure, leg, figure.points - bone, up / np.linalg.norm(up), cut.hang)
    return hollow


def _hollow(
    figure: Figure, chosen: NDArray[np.bool_], arms: Array, up: Array, hang: float
) -> Array:
    """How far (P,) the chosen points lie inside the cloth that hangs over them.

    ``arms`` (P, 3) vectors from the axis of trunk or limb, ``up`` (3,) along it.
    """
    from scipy.ndimage import gaussian_filter, map_coordinates

    across = arms - np.outer(arms @ up, up)
    height = figure.points @ up
    radius = np.linalg.norm(across, axis=1)
    side = np.array([1.0, 0.0, 0.0]) - up[0] * up
    side /= np.linalg.norm(side)
    angle = np.arctan2(across @ np.cross(up, side), across @ side)
    low, high = height[chosen].min(), height[chosen].max()
    step = 0.02
    rows, columns = int((high - low) / step) + 2, 32
    row = np.clip((high - height) / step, 0, rows - 1)
    column = (angle / (2 * np.pi) % 1.0) * columns
    total, count = np.zeros((2, rows, columns))
    cell = (np.rint(row[chosen]).astype(int), np.rint(column[chosen]).astype(int) % columns)
    np.add.at(total, cell, radius[chosen])
    np.add.at(count, cell, 1.0)
    mode = ("nearest", "wrap")
    profile = gaussian_filter(total, 1.0, mode=mode) / np.maximum(
        gaussian_filter(count, 1.0, mode=mode), 1e-6
    )
    cloth = profile.copy()
    cling = (1 - hang) * step  # how fast the cloth comes back to the body
    for k in range(1, rows):
        cloth[k] = np.maximum(profile[k], cloth[k - 1] - cling)
    room = gaussian_filter(cloth - profile, 1.2, mode=mode)
    away = across / np.maximum(radius, 1e-6)[:, None]
    facing = np.clip(np.einsum("ij,ij->i", away, figure.normals), 0.5, 1.0)
    sampled = map_coordinates(room, [row, column], order=1, mode="grid-wrap")
    return np.where(chosen, np.clip(sampled, 0.0, None) / facing, 0.0)

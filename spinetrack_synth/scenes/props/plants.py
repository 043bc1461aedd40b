"""Plants: in pots, bushes, trees."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.rotations import about_y, about_z
from spinetrack_synth.scenes.place import Part, Prop
from spinetrack_synth.scenes.shapes import (
    Array,
    Mesh,
    Rng,
    cylinder,
    joined,
    lathe,
    leaves,
    moved,
    sphere,
    tube,
    tubes,
    with_smooth_normals,
)


def _broad_leaves(
    length: Array, width: Array, rise: Array, turns: Array, start: Array, rng: Rng
) -> Mesh:
    """Curved leaves from the origin along +X, made of strips with a folded midrib, of lengths,
    widths and rises (N,), each turned (N, 3, 3) and moved to its start (N, 3)."""
    count = len(length)
    t = np.linspace(0, 1, 8)
    outline = width[:, None] / 2 * np.sin(np.pi * np.clip(t, 0.02, 0.98) ** 0.8) ** 0.8
    bend = rise[:, None] * np.sin(t * np.pi * rng.uniform(0.55, 0.8, (count, 1)))
    middle = np.stack([length[:, None] * t * (1 - 0.1 * t), length[:, None] * bend, 0 * bend], 2)
    left = middle + np.stack([0 * outline, 0.18 * outline, outline], 2)
    right = middle + np.stack([0 * outline, 0.18 * outline, -outline], 2)
    vertices = np.concatenate([left, middle, right], 1)
    uv = vertices[..., [0, 2]] * 0.2 + rng.uniform(0, 1, (count, 1, 2))
    k, n = np.arange(7), 8
    strip = np.concatenate(
        [np.stack(q, 1) for low in (0, n) for q in (
            (low + k, low + k + 1, low + n + k + 1), (low + k, low + n + k + 1, low + n + k))]
    )  # fmt: skip
    faces = strip + 3 * n * np.arange(count)[:, None, None]
    vertices = np.einsum("nab,nkb->nka", turns, vertices) + start[:, None]
    return with_smooth_normals(
        vertices.reshape(-1, 3), faces.reshape(-1, 3).astype(np.int32), uv.reshape(-1, 2)
    )


def pot(radius: float, height: float, finish: str = "pot") -> Prop:
    """A flower pot with soil."""
    r, h = radius, height
    profile = [(0, 0), (0.72 * r, 0), (0.72 * r, 0), (0.74 * r, 0.01), (0.98 * r, h - 0.02), (r, h),
               (r, h), (0.92 * r, h), (0.92 * r, h), (0.9 * r, h - 0.05)]  # fmt: skip
    earth = [(0.91 * r, h - 0.04), (0, h - 0.03)]
    return ((finish, lathe(profile, 32)), ("soil", lathe(earth, 24)))


def house_plant(rng: Rng, height: float = 1.2) -> Prop:
    """A potted plant with long bowed leaves (strelitzia, palm or snake plant, by chance)."""
    radius = rng.uniform(0.14, 0.2)
    pot_height = rng.uniform(0.26, 0.36)
    parts: list[Part] = list(pot(radius, pot_height))
    kind = rng.integers(0, 3)
    count = (16, 26, 18)[kind]
    share = (np.arange(count) + 1) / count
    yaw = _each(about_y, 2.4 * np.arange(count) + rng.uniform(-0.3, 0.3, count))
    soil = np.array([0, pot_height - 0.03, 0])
    if kind == 2:  # sword leaves from the soil
        length = height * rng.uniform(0.45, 0.75, count)
        turns = yaw @ _each(about_z, np.pi / 2 - 0.28 * share)
        start = yaw @ [0.3 * radius, 0, 0] + soil
        width, rise = np.full(count, 0.07), np.full(count, 0.06)
    else:
        tall = (height - pot_height) * (1.05 - 0.75 * share) * rng.uniform(0.8, 1.0, count)
        lean = 0.1 + 0.55 * share
        stems = tall[:, None, None] * np.array([[0, 0, 0], [0.25, 0.6, 0], [1, 1, 0]])
        stems[..., 0] *= lean[:, None]
        stems = np.einsum("nab,nkb->nka", yaw, stems) + soil
        parts.append(("leaf", tubes(stems, np.tile([0.009, 0.007, 0.004], (count, 1)), 5)))
        length = rng.uniform(0.75, 1.1, count) * (0.42 if kind == 0 else 0.34)
        turns = yaw @ _each(about_z, 0.9 - 1.2 * share)
        start = stems[:, -1]
        width, rise = length * (0.36 if kind == 0 else 0.2), np.full(count, 0.3)
    parts.append(("leaf", _broad_leaves(length, width, rise, turns, start, rng)))
    return tuple(parts)


def _each(turn: Callable[[float], Array], angles: Array) -> Array:
    """Rotations (N, 3, 3) by so many angles."""
    return np.stack([turn(angle) for angle in angles.tolist()])


def _crown(
    rng: Rng, half: ArrayLike, leaf_m: float, count: int, *, segments: int, droop: float = 0.3
) -> tuple[Mesh, Mesh]:
    """A lumpy ellipsoid of half axes (3,) m around the origin, and leaves standing out of it."""
    size = np.asarray(half, float)
    lumps = rng.normal(size=(int(rng.integers(12, 18)), 3))
    lumps /= np.linalg.norm(lumps, axis=1, keepdims=True)
    heights = rng.uniform(0.35, 0.9, len(lumps))

    def reach(unit: Array) -> Array:
        """Distance of the surface along directions (N, 3), 1 for the plain ellipsoid's swell."""
        near = np.exp(-9.0 * (1 - unit @ lumps.T))
        return 0.66 + np.tanh(1.4 * near @ heights) / 2.4

    ball = _ball(segments)
    vertices = ball.vertices * reach(ball.vertices)[:, None] * size
    core = with_smooth_normals(vertices, ball.faces, ball.uv * float(size.mean()) / 2.5)
    core = Mesh(core.vertices, core.faces, core.uv, _seamless(core.normals, segments))
    unit = rng.normal(size=(count, 3))
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    positions = unit * (reach(unit) * rng.uniform(0.8, 1.06, count))[:, None] * size
    outward = unit / size
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    core = Mesh(0.84 * core.vertices, core.faces, core.uv, core.normals)
    return core, leaves(positions, outward, leaf_m, rng, droop=droop)


@cache
def _ball(segments: int) -> Mesh:
    return sphere(1.0, segments)


def _seamless(normals: Array, segments: int) -> Array:
    """Normals of a turned mesh with the first and the last meridian made alike."""
    grid = normals.reshape(-1, segments + 1, 3).copy()
    seam = grid[:, 0] + grid[:, -1]
    grid[:, 0] = grid[:, -1] = seam / np.linalg.norm(seam, axis=1, keepdims=True)
    return grid.reshape(-1, 3)


def bush(
    rng: Rng, size: ArrayLike, *, leaf_m: float = 0.07, count: int = 500, finish: str = "leaf"
) -> Prop:
    """A bush of ``size`` (3,) m with ``count`` leaves, standing on y = 0."""
    half = np.asarray(size, float) / 2
    core, foliage = _crown(rng, half, leaf_m, count, segments=18)
    rise = (0.0, 0.85 * half[1], 0.0)
    return ((finish, moved(core, rise)), (finish, moved(foliage, rise)))


def tree(
    rng: Rng, height: float, *, leaf_m: float, count: int, crowns: int = 3, finish: str = "leaf"
) -> Prop:
    """A broad-leaved tree: trunk, boughs, ``crowns`` overlapping crowns, ``count`` leaves."""
    bare = height * rng.uniform(0.2, 0.32)
    half = np.array([0.30, 0.5 * (1 - bare / height), 0.30]) * height * rng.uniform(0.85, 1.1)
    center = np.array([0.0, bare + half[1], 0.0])
    parts: list[Part] = []
    spots = []
    for k in range(crowns):
        turn = 2 * np.pi * (k + rng.uniform(-0.25, 0.25)) / crowns
        away = 0.5 * np.array([np.cos(turn), rng.uniform(-0.5, 0.5), np.sin(turn)]) * half
        scale = rng.uniform(0.55, 0.8) if crowns > 1 else 1.0
        core, foliage = _crown(rng, half * scale, leaf_m, count // crowns, segments=14)
        spot = center + (away if crowns > 1 else 0)
        spots.append(spot)
        parts += [(finish, moved(core, spot)), (finish, moved(foliage, spot))]
    bow = rng.normal(0, 0.03 * height, 3) * [1, 0, 1]
    girth = 0.02 * height + 0.03
    trunk = tube(
        np.stack([[0, -0.1, 0], [0, 0.25, 0], center * 0.45 + bow, center]),
        [1.6 * girth, girth, 0.8 * girth, 0.35 * girth],
        9,
    )
    fork = 0.8 * center * [0, 0.6, 0] + bow
    boughs = tubes(
        [[fork, (center * [0, 0.8, 0] + spot) / 2, spot] for spot in spots],
        np.tile([0.5 * girth, 0.35 * girth, 0.15 * girth], (len(spots), 1)),
        6,
    )
    return (*parts, ("bark", joined([trunk, boughs])))


def cypress(rng: Rng, height: float, *, count: int, finish: str = "leaf") -> Prop:
    """A slender evergreen."""
    half = np.array([0.09, 0.5, 0.09]) * height * rng.uniform(0.85, 1.15)
    core, foliage = _crown(rng, half, 0.3, count, segments=14, droop=-1.2)
    taper = np.clip(1.15 - 0.75 * (core.vertices[:, 1:2] / (2 * half[1]) + 0.5), 0.2, 1)
    narrow = np.concatenate([taper, np.ones_like(taper), taper], axis=1)
    core = Mesh(core.vertices * narrow, core.faces, core.uv, core.normals)
    taper = np.clip(1.15 - 0.75 * (foliage.vertices[:, 1:2] / (2 * half[1]) + 0.5), 0.2, 1)
    narrow = np.concatenate([taper, np.ones_like(taper), taper], axis=1)
    foliage = Mesh(foliage.vertices * narrow, foliage.faces, foliage.uv, foliage.normals)
    rise = (0, half[1] * 0.98, 0)
    trunk = cylinder(0.12, 1.2, segments=8)
    return ((finish, moved(core, rise)), (finish, moved(foliage, rise)), ("bark", trunk))


def bare_tree(rng: Rng, height: float) -> Prop:
    """A broad-leaved tree in winter: trunk, boughs, twigs."""
    limbs: tuple[list[Array], list[Array]] = ([], [])  # boughs, twigs
    girths: tuple[list[Array], list[Array]] = ([], [])

    def grow(start: Array, heading: Array, length: float, girth: float, level: int) -> None:
        bend = rng.normal(0, 0.10, 3) * length
        end = start + heading * length
        limbs[level > 1].append(np.stack([start, (start + end) / 2 + bend, end]))
        girths[level > 1].append(girth * np.array([1, 0.8, 0.55]))
        if level == 4:
            return
        for k in range(3 if level else 5):
            along = rng.uniform(0.55, 1.0) if level else rng.uniform(0.7, 1.0)
            fork = start + (end - start) * along + bend * 2 * along * (1 - along)
            turn = 2 * np.pi * (k + rng.uniform(0, 0.6)) / (3 if level else 5)
            aside = np.array([np.cos(turn), rng.uniform(-0.05, 0.5), np.sin(turn)])
            way = heading + rng.uniform(0.6, 1.1) * aside
            way /= np.linalg.norm(way)
            grow(fork, way, length * rng.uniform(0.5, 0.72), 0.5 * girth, level + 1)

    girth = 0.014 * height + 0.03
    bole = tube(
        np.array([[0, -0.1, 0], [0, 0.3, 0], [0, 0.5, 0]]), [1.7 * girth, 1.1 * girth, girth], 9
    )
    grow(np.array([0, 0.45, 0]), np.array([0, 1.0, 0]), 0.38 * height, girth, 0)
    boughs, twigs = (tubes(paths, radii, n) for paths, radii, n in zip(limbs, girths, (6, 3)))
    return (("bark", joined([bole, boughs, twigs])),)

"""Plants: in pots, bushes, trees."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

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
    turned,
    with_smooth_normals,
)


def _broad_leaf(length: float, width: float, rise: float, rng: Rng) -> Mesh:
    """One curved leaf from the origin along +X, made of a strip with a folded midrib."""
    t = np.linspace(0, 1, 8)
    outline = width / 2 * np.sin(np.pi * np.clip(t, 0.02, 0.98) ** 0.8) ** 0.8
    bend = rise * np.sin(t * np.pi * rng.uniform(0.55, 0.8))
    middle = np.column_stack([length * t * (1 - 0.1 * t), length * bend, np.zeros_like(t)])
    fold = 0.18 * outline
    left = middle + np.column_stack([np.zeros_like(t), fold, outline])
    right = middle + np.column_stack([np.zeros_like(t), fold, -outline])
    vertices = np.concatenate([left, middle, right])
    k, n = np.arange(7), 8
    faces = np.concatenate(
        [np.stack(q, 1) for low in (0, n) for q in (
            (low + k, low + k + 1, low + n + k + 1), (low + k, low + n + k + 1, low + n + k))]
    )  # fmt: skip
    patch = rng.uniform(0, 1, 2)
    return with_smooth_normals(vertices, faces.astype(np.int32), vertices[:, [0, 2]] * 0.2 + patch)


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
    foliage: list[Mesh] = []
    stems: list[Mesh] = []
    count = (16, 26, 18)[kind]
    for k in range(count):
        yaw = 2.4 * k + rng.uniform(-0.3, 0.3)
        share = (k + 1) / count
        if kind == 2:  # sword leaves from the soil
            leaf = turned(_broad_leaf(height * rng.uniform(0.45, 0.75), 0.07, 0.06, rng),
                          pitch=np.pi / 2 - 0.28 * share)  # fmt: skip
            start = np.array([0.3 * radius, pot_height - 0.03, 0])
            foliage.append(turned(moved(leaf, start), yaw=yaw))
            continue
        tall = (height - pot_height) * (1.05 - 0.75 * share) * rng.uniform(0.8, 1.0)
        lean = 0.1 + 0.55 * share
        path = [
            np.zeros(3),
            np.array([0.25 * lean * tall, 0.6 * tall, 0]),
            np.array([lean * tall, tall, 0]),
        ]
        stems.append(
            turned(moved(tube(path, [0.009, 0.007, 0.004], 5), (0, pot_height - 0.03, 0)), yaw=yaw)
        )
        size = rng.uniform(0.75, 1.1) * (0.42 if kind == 0 else 0.34)
        leaf = turned(_broad_leaf(size, 0.36 * size if kind == 0 else 0.2 * size, 0.3, rng),
                      pitch=0.9 - 1.2 * share)  # fmt: skip
        foliage.append(turned(moved(leaf, path[-1] + [0, pot_height - 0.03, 0]), yaw=yaw))
    parts.append(("leaf", joined(foliage)))
    if stems:
        parts.append(("leaf", joined(stems)))
    return tuple(parts)


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

    ball = sphere(1.0, segments)
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
    boughs = [
        tube(
            np.stack([0.8 * center * [0, 0.6, 0] + bow, (center * [0, 0.8, 0] + spot) / 2, spot]),
            [0.5 * girth, 0.35 * girth, 0.15 * girth],
            6,
        )
        for spot in spots
    ]
    return (*parts, ("bark", joined([trunk, *boughs])))


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
    limbs: list[Mesh] = []

    def grow(start: Array, heading: Array, length: float, girth: float, level: int) -> None:
        bend = rng.normal(0, 0.10, 3) * length
        end = start + heading * length
        middle = (start + end) / 2 + bend
        taper = [girth, 0.8 * girth, 0.55 * girth]
        limbs.append(tube(np.stack([start, middle, end]), taper, 6 if level < 2 else 3))
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
    return (("bark", joined([bole, *limbs])),)

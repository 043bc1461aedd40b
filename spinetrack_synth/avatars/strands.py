"""Strands of hair as thin ribbons, and how they hang in a pose.

What hair is grown on a head at rest keeps its length and its lift off the scalp. Where the head is
not upright, each piece of a limp strand turns from where it ran at rest towards the ground, the
more the farther it is from the root; what it then runs into, head, body, clothes or floor, holds it
off. There is no memory: hair hangs as it would after a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.avatars.array_types import Array, Floats, Ints
from spinetrack_synth.avatars.parts import Bundle, Part, Strands
from spinetrack_synth.avatars.scalp import Head
from spinetrack_synth.easing import smoothstep
from spinetrack_synth.shot import Material

_OFF_BODY_M = 0.003
_PLAIT_OFF_BODY_M = 0.014
_DEEPEST_M = 0.05
"""Strands are held so far off skin and cloth; what is deeper inside is not seen."""
_SPREADS = 0.5
"""How much strands on their way round fall away from the head."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What hair may lie on: ``points`` (N, 3) m and ``normals`` (N, 3) of skin and cloth about a
    head, world, and the height ``floor_m`` of what carries the body; nearer than ``head_m`` to the
    head's ``center`` (3,) there is none of it."""

    points: Floats
    normals: Floats
    floor_m: float
    center: Array = field(default_factory=lambda: np.zeros(3))
    head_m: float = 0.0


def ribbons(strands: Strands, center: Array) -> Array:
    """Vertices (P, 3) of all ribbons about paths: tapered, facing away from a centre (3,)."""
    points = []
    for (path, width, *_), tilt in zip(strands.bundles, strands.tilts, strict=True):
        ahead = np.gradient(path, axis=1)
        ahead /= np.maximum(np.linalg.norm(ahead, axis=2, keepdims=True), 1e-9)
        across = np.cross(ahead, path - center)
        across /= np.maximum(np.linalg.norm(across, axis=2, keepdims=True), 1e-9)
        other = np.cross(across, ahead)
        across = across * np.cos(tilt)[:, None, None] + other * np.sin(tilt)[:, None, None]
        place = np.linspace(0, 1, path.shape[1])
        half = 0.5 * width[:, None] * np.interp(place, [0, 0.3, 0.75, 1], [0.8, 1, 0.85, 0.12])
        edge = across * half[..., None]
        points.append(np.stack([path - edge, path + edge], axis=2).reshape(-1, 3))
    return np.concatenate(points)


def twisted(bundles: Sequence[Bundle], rng: np.random.Generator) -> Strands:
    """Bundles as ribbons, each turned a little at random about its own run."""
    return Strands(tuple(bundles), tuple(rng.normal(0, 0.45, len(b.paths)) for b in bundles))


def ribbon_part(
    name: str,
    strands: Strands,
    center: Array,
    tones: NDArray[np.uint8],
    rng: np.random.Generator,
) -> Part:
    """Strands at rest as a part that the skull carries; ``tones`` (H, W, 3) as ``strand_tones``."""
    uv = []
    for bundle in strands.bundles:
        count, steps = bundle.paths.shape[:2]
        tone = rng.beta(2.5, 2.5, (count, 1, 1))
        u = np.broadcast_to(0.02 + 0.96 * tone, (count, steps, 2))
        v = np.broadcast_to(1 - np.linspace(0, 1, steps)[None, :, None], (count, steps, 2))
        uv.append(np.stack([u, v], axis=-1).reshape(-1, 2))
    rest_world = ribbons(strands, center).astype(np.float32)
    return Part(
        name=name,
        faces=ribbon_faces(strands.bundles),
        uv=np.concatenate(uv).astype(np.float32),
        material=Material(tones, roughness=0.55, specular=0.25),
        weld=np.arange(len(rest_world), dtype=np.int32),
        body="skull",
        rest_world=rest_world,
        strands=strands,
    )


def strand_tones(color: Array) -> NDArray[np.uint8]:
    """Tones of single strands (columns) from root (top row) to tip."""
    size = 32
    tone = np.linspace(-1, 1, size)[None, :, None]
    tip = np.linspace(0, 1, size)[:, None, None]
    contrast = 0.42 - 0.4 * float(color.mean())  # pale strands differ less
    image = color * (1 + contrast * tone) * (0.72 + 0.42 * tip)
    image = image * (1 + 0.10 * tone * np.array([1.0, 0.2, -0.8]))
    tones: NDArray[np.uint8] = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return tones


def ribbon_faces(bundles: Sequence[Bundle]) -> NDArray[np.int32]:
    """The triangles (F, 3) of ``ribbons``."""
    faces, start = [], 0
    for bundle in bundles:
        count, steps = bundle.paths.shape[:2]
        row = start + 2 * (np.arange(count)[:, None] * steps + np.arange(steps - 1)).ravel()
        faces.append(np.stack([row, row + 1, row + 3], 1))
        faces.append(np.stack([row, row + 3, row + 2], 1))
        start += 2 * count * steps
    return np.concatenate(faces).astype(np.int32)


def hung(strands: Strands, head: Head, motion: Array, around: Surroundings) -> Strands:
    """The strands as they hang, in the world, on a head that ``motion`` (4, 4) moved from rest."""
    down = -motion[1, :3]
    bundles = []
    for bundle in strands.bundles:
        own = bundle.paths if bundle.run is None else bundle.run[None]
        paths = own if bundle.limp is None else _fallen(bundle._replace(paths=own), head, down)
        paths = paths @ motion[:3, :3].T + motion[:3, 3]
        if bundle.limp is not None:
            paths = _off(paths, around, _OFF_BODY_M if bundle.run is None else _PLAIT_OFF_BODY_M)
        if bundle.run is not None:
            paths = _about(paths[0], bundle.paths - bundle.run, bundle.run, motion[:3, :3])
        paths[..., 1] = np.maximum(paths[..., 1], around.floor_m + 0.001)
        bundles.append(bundle._replace(paths=paths))
    return replace(strands, bundles=tuple(bundles))


def _fallen(bundle: Bundle, head: Head, down: Array) -> Array:
    """Paths (n, K, 3) on the head at rest where ``down`` (3,) is the way to the ground."""
    assert bundle.limp is not None
    paths = bundle.paths
    steps = np.diff(paths, axis=1)
    length = np.linalg.norm(steps, axis=2, keepdims=True)
    heading = steps / np.maximum(length, 1e-9)
    arm = paths - head.center
    distance = np.linalg.norm(arm, axis=2)
    lift = np.clip(distance - head.surface_m(arm / distance[..., None]), 0.001, 0.012)
    change = down - np.array([0.0, -1.0, 0.0])
    limp = smoothstep(*bundle.limp, np.linspace(0, 1, paths.shape[1]))
    spread = _SPREADS * 0.5 * np.linalg.norm(change)
    here = paths[:, 0]
    fallen = [here]
    for k in range(steps.shape[1]):
        outward = here - head.center
        outward = outward / np.linalg.norm(outward, axis=1, keepdims=True)
        ahead = heading[:, k] + limp[k + 1] * change
        ahead = ahead + 4 * limp[k + 1] * (1 - limp[k + 1]) * spread * outward
        ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
        here = head.outside(here + ahead * length[:, k], lift[:, k + 1])
        fallen.append(here)
    return np.stack(fallen, axis=1)


def _about(run: Array, offsets: Array, run_at_rest: Array, turn: Array) -> Array:
    """Paths (n, K, 3) that lie about a run (K, 3) as ``offsets`` (n, K, 3) do about it at rest,
    which ``turn`` (3, 3) brought into the world; they turn with its way."""
    ways = [np.gradient(points, axis=0) for points in (run_at_rest @ turn.T, run)]
    before, after = (w / np.maximum(np.linalg.norm(w, axis=1, keepdims=True), 1e-9) for w in ways)
    axis = np.cross(before, after)
    share = 1 / np.maximum(1 + (before * after).sum(axis=1), 0.1)
    turned = offsets @ turn.T
    once = np.cross(axis, turned)
    paths: Array = run + turned + once + share[:, None] * np.cross(axis, once)
    return paths


def _off(paths: Array, around: Surroundings, off_m: float) -> Array:
    """Paths (n, K, 3) held so far off what they run into."""
    from scipy.spatial import KDTree

    flat = paths.reshape(-1, 3)
    if not len(around.points):
        return paths
    low, high = around.points.min(axis=0) - _DEEPEST_M, around.points.max(axis=0) + _DEEPEST_M
    free = np.linalg.norm(flat - around.center, axis=1) >= around.head_m
    inside: Ints = np.flatnonzero(free & ((flat > low) & (flat < high)).all(axis=1))
    tree = KDTree(around.points)  # a near point serves as well as the nearest
    for _ in range(2):
        distance, near = tree.query(flat[inside], eps=0.5, distance_upper_bound=1.5 * _DEEPEST_M)
        close = np.isfinite(distance)
        inside, near = inside[close], near[close]
        out = np.einsum("ij,ij->i", flat[inside] - around.points[near], around.normals[near])
        short = np.maximum(off_m - out, 0.0)
        flat[inside] += short[:, None] * around.normals[near]
        inside = inside[short > 0]
        if not len(inside):
            break
    return flat.reshape(paths.shape)

"""Where a fit begins: postures seen from all sides, the ones that look most like the points.

Turning in the picture, size and place are solved in closed form, so a bank needs only postures and
directions of view. Each stands beside its exact mirror image.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.fit2d.body import Body, column_names
from spinetrack_synth.anatomy.fit2d.solver import place, workspace
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.compiled import assign, by_reference, inner, njit
from spinetrack_synth.skeleton import MIRROR

Array = NDArray[np.float64]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_CANDIDATES = 48
_BLOCK = 512
_APART_M = 0.12
"""Starts differ by so much in depth, root mean square over the points."""


@by_reference
class Bank(NamedTuple):
    """E starts: ``columns`` (P, K) of the postures, ``posture`` (E,) which of them, ``root``
    (E, 3, 3) pelvis to camera, and the orthographic view of the 37 markers from the pelvis:
    ``across``, ``down``, ``depth``, ``square`` (37, E) m."""

    columns: Array
    posture: Ints
    root: Array
    across: Floats
    down: Floats
    depth: Floats
    square: Floats


def make_bank(tree: Tree, body: Body, postures: Iterable[Array]) -> Bank:
    """A bank of postures q (n,) and their mirrors; how their pelvis stands has no meaning."""
    names = column_names(tree)
    index = [tree.coordinate_index.get(name, -1) for name in names]
    known = np.array(index) >= 0
    columns = np.array([np.where(known, np.asarray(q, float)[index], body.mean) for q in postures])
    twin, sign = mirror_of(names)
    views = _directions()
    points = np.array([_from_pelvis(body, x) for x in columns])
    seen = np.einsum("vij,pmj->pvmi", views, points).reshape(-1, 37, 3)
    root = np.tile(views, (len(columns), 1, 1))
    seen = np.concatenate([seen, seen[:, list(MIRROR)] * (-1.0, 1.0, 1.0)])
    root = np.concatenate([root, _mirrored_root(root)])
    flat = seen.astype(np.float32)
    posture = np.repeat(np.arange(len(columns)), len(views))
    return Bank(
        columns=np.concatenate([columns, columns[:, twin] * sign]),
        posture=np.concatenate([posture, posture + len(columns)]),
        root=root,
        across=np.ascontiguousarray(flat[:, :, 0].T),
        down=np.ascontiguousarray(flat[:, :, 1].T),
        depth=np.ascontiguousarray(flat[:, :, 2].T),
        square=np.ascontiguousarray((flat[:, :, 0] ** 2 + flat[:, :, 1] ** 2).T),
    )


def mixed(tree: Tree, postures: Sequence[Array], count: int) -> list[Array]:
    """Postures q (n,) whose trunk, neck, legs and arms come each from another of the given ones."""
    rng = np.random.default_rng(0)
    parts: dict[str, list[int]] = {}
    for k, name in enumerate(tree.coordinates):
        limb = "arm" if name.startswith(("clavicle", "arm", "elbow")) else "leg"
        neck = name.startswith(("cervical_", "upper_cervical_", "C")) and name[-2] != "_"
        part = limb + name[-1] if name.endswith(("_r", "_l")) else "neck" if neck else "trunk"
        parts.setdefault(part, []).append(k)
    mixtures: list[Array] = []
    for _ in range(count if len(postures) else 0):
        q = np.array(postures[int(rng.integers(len(postures)))], dtype=float)
        for columns in parts.values():
            q[columns] = postures[int(rng.integers(len(postures)))][columns]
        mixtures.append(q)
    return mixtures


def mirror_of(names: tuple[str, ...]) -> tuple[Ints, Array]:
    """For each column its twin in the mirror and the sign it takes there."""
    index = {name: k for k, name in enumerate(names)}
    swapped = {"_r": "_l", "_l": "_r"}
    twin = [index[name[:-2] + swapped[name[-2:]]] if name[-2:] in swapped else index[name]
            for name in names]  # fmt: skip
    flips = ("_bending", "_rotation", "turn_y", "turn_z", "image_x")
    sign = [-1.0 if name.endswith(flips) else 1.0 for name in names]
    return np.array(twin), np.array(sign)


def _mirrored_root(root: Array) -> Array:
    mirrored: Array = root * np.array([-1.0, 1.0, 1.0])[:, None] * np.array([1.0, 1.0, -1.0])
    return mirrored


def _from_pelvis(body: Body, x: Array) -> Array:
    """Markers (37, 3) m from the pelvis, in its frame."""
    work = workspace(body)
    place(body, np.append(x[:-6], np.zeros(6)), np.eye(3), work, False)
    markers_m: Array = work.points - work.origin[0]
    return markers_m


def _directions() -> Array:
    """Rotations (V, 3, 3) from the pelvis to cameras on all sides: an icosahedron with the middles
    of its edges, 42 directions about 32 degrees apart, symmetric about the sagittal plane."""
    golden = (1 + 5**0.5) / 2
    corners = np.array(
        [np.roll([0, a, b * golden], k) for a in (-1, 1) for b in (-1, 1) for k in range(3)]
    )
    distance = np.linalg.norm(corners[:, None] - corners[None], axis=2)
    middles = [
        (corners[i] + corners[j]) / 2 for i in range(12) for j in range(i) if distance[i, j] < 2.1
    ]
    forward = np.concatenate([corners, middles])
    forward = forward / np.linalg.norm(forward, axis=1, keepdims=True)
    helper = np.where(np.abs(forward[:, 1:2]) < 0.9, [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])
    right = np.cross(forward, helper)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    return np.stack([right, np.cross(forward, right), forward], axis=1)


def choose_starts(bank: Bank, seen: Array, count: int) -> Ints:
    """The entries (N, count) that look most like points seen (N, 37, 3), best first, each unlike
    the ones before it in depth; -1 where there are no more."""
    center = _center(seen)
    points = (seen - center) * (seen[:, :, 2:] > 0)
    points[:, :, 2] = seen[:, :, 2] > 0
    single = points.astype(np.float32)
    score = np.empty((len(seen), len(bank.posture)), dtype=np.float32)
    _explained(bank, single, score)
    chosen: Ints = _unlike(_best(score), bank.depth, single[:, :, 2], count)
    return chosen


def _center(seen: Array) -> Array:
    weight = (seen[:, :, 2:] > 0).astype(float)
    center = (seen * weight).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
    in_plane: Array = center * (1.0, 1.0, 0.0)
    return in_plane


@njit(fastmath=True)
def _explained(bank: Bank, points: Floats, score: Floats) -> None:
    """How much of the points' spread about their middle each view explains:
    |<b, u>|^2 / (|b|^2 - |sum b|^2 / n), the points as complex numbers."""
    size = score.shape[1]
    real, imaginary = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32)
    across, down = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.float32)
    square = np.empty(_BLOCK, np.float32)
    for start in range(0, size, _BLOCK):
        width = min(_BLOCK, size - start)
        for n in range(len(points)):
            for e in range(width):
                real[e] = imaginary[e] = across[e] = down[e] = square[e] = np.float32(0)
            total = np.float32(0)
            for m in range(points.shape[1]):
                if points[n, m, 2] > 0:
                    total += points[n, m, 2]
                    u, v = points[n, m, 0], points[n, m, 1]
                    a = bank.across[m, start : start + width]
                    d = bank.down[m, start : start + width]
                    s = bank.square[m, start : start + width]
                    for e in range(width):
                        real[e] += a[e] * u + d[e] * v
                        imaginary[e] += a[e] * v - d[e] * u
                        across[e] += a[e]
                        down[e] += d[e]
                        square[e] += s[e]
            row = score[n, start : start + width]
            for e in range(width):
                spread = square[e] - (across[e] * across[e] + down[e] * down[e]) / total
                spread = max(spread, np.float32(1e-3) * total)
                row[e] = (real[e] * real[e] + imaginary[e] * imaginary[e]) / spread


@njit()
def _best(score: Floats) -> Ints:
    """The entries (N, C) with the highest scores, best first."""
    width = min(_CANDIDATES, score.shape[1])
    best = np.empty((len(score), width), dtype=np.int64)
    high = np.empty(width, dtype=np.float32)
    for n in range(len(score)):
        have = 0
        for e in range(score.shape[1]):
            value = score[n, e]
            if have == width and not value > high[width - 1]:
                continue
            k = have if have < width else width - 1
            while k > 0 and value > high[k - 1]:
                high[k] = high[k - 1]
                best[n, k] = best[n, k - 1]
                k -= 1
            high[k] = value
            best[n, k] = e
            have = min(have + 1, width)
    return best


@njit()
def _unlike(best: Ints, depth: Floats, weight: Floats, count: int) -> Ints:
    chosen = np.empty((len(best), count), dtype=np.int64)
    for n in range(len(best)):
        have = 0
        for e in best[n]:
            if have == count:
                break
            new = True
            for c in range(have):
                total, first, second = 0.0, 0.0, 0.0
                for m in range(weight.shape[1]):
                    if weight[n, m] > 0:
                        d = depth[m, e] - depth[m, chosen[n, c]]
                        total += 1.0
                        first += d
                        second += d * d
                if second / total - (first / total) ** 2 < _APART_M**2:
                    new = False
                    break
            if new:
                chosen[n, have] = e
                have += 1
        for c in range(have, count):
            chosen[n, c] = -1
    return chosen


@inner()
def begin(
    body: Body, bank: Bank, entry: int, seen: Array, focal_px: float, x: Array, root: Array
) -> float:
    """Set x (K,) and root (3, 3) to an entry laid over the points; its pixels per metre."""
    n, bu, bv, uu, vv = 0.0, 0.0, 0.0, 0.0, 0.0
    for m in range(seen.shape[0]):
        if seen[m, 2] > 0:
            n += 1.0
            bu += bank.across[m, entry]
            bv += bank.down[m, entry]
            uu += seen[m, 0]
            vv += seen[m, 1]
    bu, bv, uu, vv = bu / n, bv / n, uu / n, vv / n
    real, imaginary, spread = 0.0, 0.0, 1e-3 * n
    for m in range(seen.shape[0]):
        if seen[m, 2] > 0:
            b, d = bank.across[m, entry] - bu, bank.down[m, entry] - bv
            u, v = seen[m, 0] - uu, seen[m, 1] - vv
            real += b * u + d * v
            imaginary += b * v - d * u
            spread += b * b + d * d
    scale: float = max(np.sqrt(real * real + imaginary * imaginary) / spread, 1e-9)
    cos, sin = real / spread / scale, imaginary / spread / scale
    assign(x, bank.columns[bank.posture[entry]])
    x[body.focal] = 0.0
    first = body.root
    for k in range(3):
        x[first + k] = 0.0
    # The pelvis is the view's origin.
    x[first + 3] = (uu - scale * (cos * bu - sin * bv)) / focal_px
    x[first + 4] = (vv - scale * (sin * bu + cos * bv)) / focal_px
    x[first + 5] = np.log(focal_px / scale)
    spun = np.empty((3, 3))
    for j in range(3):
        a, b = bank.root[entry, 0, j], bank.root[entry, 1, j]
        spun[0, j] = cos * a - sin * b
        spun[1, j] = sin * a + cos * b
        spun[2, j] = bank.root[entry, 2, j]
    # What is seen beside the middle of the picture is seen from another side.
    rx, ry = uu / focal_px, vv / focal_px
    norm = np.sqrt(1.0 + rx * rx + ry * ry)
    tilt = 1.0 / norm
    ax, ay = -ry / norm, rx / norm
    side = 1.0 - tilt
    sine2 = max(ax * ax + ay * ay, 1e-12)
    turn = np.array(
        [
            [tilt + ax * ax / sine2 * side, ax * ay / sine2 * side, ay],
            [ax * ay / sine2 * side, tilt + ay * ay / sine2 * side, -ax],
            [-ay, ax, tilt],
        ]
    )
    for i in range(3):
        for j in range(3):
            root[i, j] = turn[i, 0] * spun[0, j] + turn[i, 1] * spun[1, j] + turn[i, 2] * spun[2, j]
    return scale

"""Cloth that hangs: a grid of points held at its upper edge that falls, folds and lies on a body.

Extended position-based dynamics (Macklin, Müller & Chentanez 2016) with the damping of thick
cloth, run until it hardly moves. Compiled with numba; the same pose gives the same folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.compiled import njit

Surface = tuple[Array, Array]
"""Points (V, 3) m of a surface, close to each other, and its outward normals there."""

STEPS: Final = 48
STEP_S: Final = 0.022


@dataclass(frozen=True, eq=False)
class Hanging:
    """A grid of rows x columns of cloth, row after row from its held edge.

    ``link`` (E, 2) of points and their ``length_m`` (E,) at rest, ``slack`` (E,) 1 where a link
    only resists stretching, ``soft`` (E,) compliance m/N of one point's weight; the first ``held``
    points are where the body takes them; ``clear_m`` (N,) how far each keeps from the skin.
    """

    link: Ints
    length_m: Array
    slack: Array
    soft: Array
    held: int
    clear_m: Array


def hang(
    cloth: Hanging,
    start: Array,
    below: Surface,
    hands: Surface,
    floor_m: float,
    seat: Array,
) -> Array:
    """Where the points (N, 3) of cloth come to lie.

    ``start`` (N, 3) is where the body would carry them; the body ``below`` keeps them out, and so
    do the ``hands`` as far as that lets them, the ground at ``floor_m`` and what the person sits
    on: ``seat`` is x, z, radius and level of it, radius 0 for none.
    """
    points: Array = start.copy()
    _settle(
        points, cloth.link, cloth.length_m, cloth.slack, cloth.soft, cloth.held, cloth.clear_m,
        *_by_height(below), *_by_height(hands), floor_m, seat, STEPS, STEP_S,
    )  # fmt: skip
    return points


def _by_height(surface: Surface) -> Surface:
    points, normals = surface
    order = np.argsort(points[:, 1], kind="stable")
    return points[order], normals[order]


@njit(fastmath=True)
def _settle(
    x: Array, link: Ints, length: Array, slack: Array, soft: Array, held: int, clear: Array,
    skin: Array, normals: Array, hands: Array, hand_normals: Array, floor: float, seat: Array,
    steps: int, step: float,
) -> None:  # fmt: skip # pragma: no cover - compiled
    count = len(x)
    before = x.copy()
    near, near_hand = np.zeros(count, np.int64), np.zeros(count, np.int64)
    fall = -9.81 * step * step
    for s in range(steps):
        drag = 0.95 if s < steps * 2 // 3 else 0.80
        for i in range(held, count):
            for c in range(3):
                v = (x[i, c] - before[i, c]) * drag
                v = min(max(v, -0.03), 0.03)
                before[i, c] = x[i, c]
                x[i, c] += v
            x[i, 1] += fall
        if s % 4 == 0:  # skin moves little against cloth between searches
            _nearest(x, skin, near, held)
            _nearest(x, hands, near_hand, held)
        for _ in range(3):
            _pull(x, link, length, slack, soft, held)
            _keep_off(x, before, hands, hand_normals, near_hand, clear, held)
            _keep_off(x, before, skin, normals, near, clear, held)
            _keep_above(x, before, held, floor, seat)


@njit(fastmath=True)
def _nearest(x: Array, skin: Array, near: Ints, held: int) -> None:  # pragma: no cover - compiled
    """The nearest of skin that is sorted by height: up and down from the point's own."""
    last = len(skin)
    for i in range(held, len(x)):
        a, b, c = x[i, 0], x[i, 1], x[i, 2]
        low, high = 0, last
        while low < high:
            middle = (low + high) // 2
            if skin[middle, 1] < b:
                low = middle + 1
            else:
                high = middle
        v = near[i]  # that of before is likely still near
        dx, dy, dz = skin[v, 0] - a, skin[v, 1] - b, skin[v, 2] - c
        best, which = dx * dx + dy * dy + dz * dz, v
        up, down = low, low - 1
        while up < last or down >= 0:
            if up < last:
                dy = skin[up, 1] - b
                if dy * dy >= best:
                    up = last
                else:
                    dx, dz = skin[up, 0] - a, skin[up, 2] - c
                    d = dx * dx + dy * dy + dz * dz
                    if d < best:
                        best, which = d, up
                    up += 1
            if down >= 0:
                dy = skin[down, 1] - b
                if dy * dy >= best:
                    down = -1
                else:
                    dx, dz = skin[down, 0] - a, skin[down, 2] - c
                    d = dx * dx + dy * dy + dz * dz
                    if d < best:
                        best, which = d, down
                    down -= 1
        near[i] = which


@njit(fastmath=True)
def _pull(
    x: Array, link: Ints, length: Array, slack: Array, soft: Array, held: int
) -> None:  # pragma: no cover - compiled
    for e in range(len(link)):
        i, j = link[e, 0], link[e, 1]
        wi = 0.0 if i < held else 1.0
        wj = 0.0 if j < held else 1.0
        if wi + wj == 0.0:
            continue
        dx, dy, dz = x[j, 0] - x[i, 0], x[j, 1] - x[i, 1], x[j, 2] - x[i, 2]
        d = np.sqrt(dx * dx + dy * dy + dz * dz) + 1e-12
        off = d - length[e]
        if off < 0.0:
            off *= 1.0 - slack[e]
        share = off / (d * (wi + wj + soft[e]))
        x[i, 0] += wi * share * dx
        x[i, 1] += wi * share * dy
        x[i, 2] += wi * share * dz
        x[j, 0] -= wj * share * dx
        x[j, 1] -= wj * share * dy
        x[j, 2] -= wj * share * dz


@njit(fastmath=True)
def _keep_off(
    x: Array, before: Array, skin: Array, normals: Array, near: Ints, clear: Array, held: int
) -> None:  # pragma: no cover - compiled
    for i in range(held, len(x)):
        v = near[i]
        dx, dy, dz = x[i, 0] - skin[v, 0], x[i, 1] - skin[v, 1], x[i, 2] - skin[v, 2]
        # Skin farther away pushes no cloth: it may be another limb's back.
        if dx * dx + dy * dy + dz * dz < 0.16 * 0.16:
            nx, ny, nz = normals[v, 0], normals[v, 1], normals[v, 2]
            deep = clear[i] - (dx * nx + dy * ny + dz * nz)
            if deep > 0.0:
                x[i, 0] += deep * nx
                x[i, 1] += deep * ny
                x[i, 2] += deep * nz
                for c in range(3):  # friction
                    before[i, c] += 0.4 * (x[i, c] - before[i, c])


@njit(fastmath=True)
def _keep_above(
    x: Array, before: Array, held: int, floor: float, seat: Array
) -> None:  # pragma: no cover - compiled
    for i in range(held, len(x)):
        if seat[2] > 0.0:
            ax, az = x[i, 0] - seat[0], x[i, 2] - seat[1]
            if x[i, 1] < seat[3] and ax * ax + az * az < seat[2] * seat[2]:
                x[i, 1] = seat[3]
        if x[i, 1] < floor + 0.003:
            x[i, 1] = floor + 0.003
            for c in range(3):
                before[i, c] += 0.6 * (x[i, c] - before[i, c])

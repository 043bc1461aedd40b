"""Parked cars, vans and bicycles: simple bodies of the right size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetrack_synth.scenes.place import Prop
from spinetrack_synth.scenes.shapes import (
    Array,
    Mesh,
    box,
    joined,
    lathe,
    moved,
    tube,
    turned,
    with_smooth_normals,
)


@dataclass(frozen=True)
class CarShape:
    """Side view along X, front at +X, as knots (x, y) m: the body's upper edge (bonnet, belt, boot)
    and the cabin's roof line; ``width`` m and where the axles are."""

    length: float
    width: float
    body: tuple[tuple[float, float], ...]
    cabin: tuple[tuple[float, float], ...]
    axles: tuple[float, float]
    wheel: float = 0.31


HATCHBACK = CarShape(
    4.0,
    1.74,
    (
        (-2.0, 0.55),
        (-1.97, 0.86),
        (-1.85, 0.93),
        (0.75, 0.92),
        (0.95, 0.90),
        (1.75, 0.74),
        (1.95, 0.60),
        (2.0, 0.45),
    ),
    ((-1.88, 0.92), (-1.55, 1.36), (-1.2, 1.45), (0.0, 1.46), (0.35, 1.38), (1.02, 0.90)),
    (-1.22, 1.28),
)
SALOON = CarShape(
    4.6,
    1.80,
    (
        (-2.3, 0.60),
        (-2.27, 0.86),
        (-2.15, 0.93),
        (-1.5, 0.94),
        (0.7, 0.92),
        (0.95, 0.90),
        (1.95, 0.76),
        (2.22, 0.62),
        (2.3, 0.45),
    ),
    ((-1.72, 0.92), (-1.0, 1.36), (-0.6, 1.43), (0.1, 1.43), (0.4, 1.36), (1.08, 0.89)),
    (-1.4, 1.38),
)
ESTATE = CarShape(
    4.6,
    1.82,
    (
        (-2.3, 0.60),
        (-2.28, 0.90),
        (-2.2, 1.00),
        (0.7, 0.98),
        (1.0, 0.96),
        (1.95, 0.86),
        (2.22, 0.70),
        (2.3, 0.50),
    ),
    ((-2.22, 0.98), (-2.0, 1.50), (-1.6, 1.62), (0.05, 1.62), (0.4, 1.55), (1.1, 0.95)),
    (-1.38, 1.40),
    0.34,
)
VAN = CarShape(
    5.0,
    1.95,
    (
        (-2.5, 0.60),
        (-2.5, 1.20),
        (-2.48, 1.25),
        (1.2, 1.22),
        (1.6, 1.18),
        (2.2, 1.00),
        (2.45, 0.80),
        (2.5, 0.50),
    ),
    ((-2.49, 1.22), (-2.45, 2.02), (-2.3, 2.12), (0.6, 2.12), (0.95, 2.04), (1.75, 1.14)),
    (-1.55, 1.55),
    0.34,
)


def _at(knots: tuple[tuple[float, float], ...], x: Array) -> Array:
    points = np.array(knots)
    found: Array = np.interp(x, points[:, 0], points[:, 1])
    return found


def _loft(xs: Array, low: Array, high: Array, foot: Array, brow: Array, power: float) -> Mesh:
    """A skin along X: at every x a section from ``low`` to ``high``, half as wide as ``foot`` at
    its foot and as ``brow`` at its top, its shoulders as square as ``power`` says.
    """
    t = np.linspace(0, 1, 9)
    # Up one side, over the top, down the other.
    bow = 1 - (2 * np.abs(t - 0.5)) ** power
    ring_y = np.concatenate([np.linspace(0, 0.8, 5), 0.8 + 0.2 * bow[1:-1], np.linspace(0.8, 0, 5)])
    across = np.concatenate([np.full(5, 1.0), np.cos(np.pi * t[1:-1]), np.full(5, -1.0)])
    share = np.concatenate([np.linspace(0, 0.8, 5), np.full(7, 1.0), np.linspace(0.8, 0, 5)])
    y = low[:, None] + (high - low)[:, None] * ring_y
    half = foot[:, None] + (brow - foot)[:, None] * share
    z = half * across
    x = np.broadcast_to(xs[:, None], y.shape)
    points = np.stack([x, y, z], -1).reshape(-1, 3)
    rows, columns = y.shape
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (
        v.ravel() for v in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])
    )
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([a, d, c], 1)])
    skin = with_smooth_normals(points, faces.astype(np.int32), points[:, [0, 1]])
    if float((skin.normals[:, 2] * points[:, 2]).mean()) < 0:
        skin = with_smooth_normals(points, faces[:, ::-1].astype(np.int32), points[:, [0, 1]])
    caps = []
    for row, way in ((0, -1.0), (rows - 1, 1.0)):
        ring = points[index[row]]
        k = np.arange(columns // 2)
        # The ring is the same on both sides: rungs from one to the other fill it.
        rungs = np.concatenate(
            [
                np.stack([k, k + 1, columns - 2 - k], 1),
                np.stack([k, columns - 2 - k, columns - 1 - k], 1),
            ]
        )
        outward = np.tile([way, 0.0, 0.0], (columns, 1))
        caps.append(Mesh(ring, rungs.astype(np.int32), ring[:, [2, 1]], outward))
    return joined([skin, *caps])


def car(shape: CarShape, finish: str) -> Prop:
    """A car along X on y = 0, in the paint of a finish."""
    half = shape.width / 2
    xs = np.linspace(-shape.length / 2, shape.length / 2, 24)
    ends = (np.abs(xs) / (shape.length / 2)) ** 6
    body = _loft(xs, 0.24 + 0.12 * ends, _at(shape.body, xs), half - 0.14 * ends - 0.03,
                 (half - 0.06) - 0.16 * ends, 2.6)  # fmt: skip
    first, last = shape.cabin[0][0], shape.cabin[-1][0]
    cx = np.linspace(first, last, 16)
    belt = np.full_like(cx, 0.0) + np.minimum(_at(shape.body, cx), _at(shape.cabin, cx)) - 0.03
    roof = np.maximum(_at(shape.cabin, cx), belt + 0.02)
    narrow = half - 0.10 - 0.30 * np.maximum(roof - belt, 0) / 1.0
    glass = _loft(cx, belt, roof, np.full_like(cx, half - 0.09), narrow, 2.2)
    top = roof > roof.max() - 0.12
    tx = np.linspace(cx[top][0] - 0.1, cx[top][-1] + 0.12, 9)
    peak = _at(shape.cabin, tx)
    lid = _loft(tx, peak - 0.05, peak + 0.012, np.interp(tx, cx, narrow) + 0.02,
                np.interp(tx, cx, narrow), 2.2)  # fmt: skip
    pillars = []
    for s in (-1, 1):
        for x in (
            cx[top][0] + 0.02,
            0.5 * (cx[top][0] + cx[top][-1]),
        ):
            i = int(np.abs(cx - x).argmin())
            line = [
                [x, belt[i] + 0.02, s * (half - 0.075)],
                [x, roof[i] - 0.03, s * (narrow[i] + 0.01)],
            ]
            pillars.append(tube(line, 0.035, 6))
        for knots in (shape.cabin[-2:], shape.cabin[:2]):
            (x0, _), (x1, _) = knots
            i, j = int(np.abs(cx - x0).argmin()), int(np.abs(cx - x1).argmin())
            pillars.append(
                tube(
                    [
                        [
                            x0,
                            max(roof[i], belt[i]) - 0.015,
                            s * (narrow[i] if roof[i] > belt[i] + 0.1 else half - 0.1),
                        ],
                        [
                            x1,
                            max(roof[j], belt[j]) - 0.015,
                            s * (narrow[j] if roof[j] > belt[j] + 0.1 else half - 0.1),
                        ],
                    ],
                    0.035,
                    6,
                )
            )
    dark, light, red = _fittings(shape)
    return (
        (finish, joined([body, lid, *pillars])),
        ("car_glass", glass),
        ("car_dark", joined(dark)),
        ("car_light", joined(light)),
        ("car_red", joined(red)),
        *((n, m) for x in shape.axles for s in (-1, 1) for n, m in _wheel(shape, x, s)),
    )


def _fittings(shape: CarShape) -> tuple[list[Mesh], list[Mesh], list[Mesh]]:
    """Dark trim, lamps in front and lamps behind."""
    half, front = shape.width / 2, shape.length / 2
    y = _at(shape.body, np.array([front - 0.12, -front + 0.06]))
    dark = [
        box((0.06, 0.16, 0.9), (front - 0.03, 0.46, 0), edge=0.02),
        box((0.05, 0.12, 1.2), (-front + 0.03, 0.42, 0), edge=0.02),
        box(
            (shape.axles[1] - shape.axles[0] - 2 * shape.wheel - 0.1, 0.09, 2 * half - 0.1),
            (0.03, 0.27, 0),
        ),
    ]
    for x in shape.axles:  # the arches
        arch = lathe([(0, 0), (shape.wheel + 0.05, 0), (shape.wheel + 0.05, 0.02), (0, 0.02)], 18)
        for s in (-1, 1):
            dark.append(
                moved(turned(arch, roll=s * np.pi / 2), (x, shape.wheel + 0.02, s * (half - 0.035)))
            )
    for s in (-1, 1):
        mirror = box(
            (0.12, 0.11, 0.17),
            (0.62, _at(shape.body, np.array([0.62]))[0] + 0.09, s * (half + 0.05)),
            edge=0.03,
        )
        dark.append(mirror)
        dark += [
            box((0.14, 0.02, 0.012), (x, y[1] - 0.16, s * (half - 0.028))) for x in (-0.75, 0.15)
        ]
    light = [
        box((0.16, 0.11, 0.34), (front - 0.14, y[0] - 0.10, s * (half - 0.33)), edge=0.03)
        for s in (-1, 1)
    ]
    light += [box((0.012, 0.11, 0.5), (x, 0.5, 0)) for x in (front + 0.003, -front - 0.003)]
    red = [
        box((0.08, 0.16, 0.24), (-front + 0.08, y[1] - 0.12, s * (half - 0.26)), edge=0.03)
        for s in (-1, 1)
    ]
    return dark, light, red


def _wheel(shape: CarShape, x: float, side: float) -> Prop:
    r = shape.wheel
    tyre = lathe(
        [(0.62 * r, 0), (0.92 * r, 0), (r, 0.03), (r, 0.17), (0.92 * r, 0.2), (0.62 * r, 0.2)], 14
    )
    rim = lathe(
        [(0, 0.165), (0.2 * r, 0.185), (0.3 * r, 0.16), (0.55 * r, 0.175), (0.66 * r, 0.195)], 14
    )
    z = side * (shape.width / 2 - 0.18)
    tilt = side * np.pi / 2
    return tuple(
        (n, moved(turned(m, roll=tilt), (x, r, z))) for n, m in (("tyre", tyre), ("rim", rim))
    )


def bicycle() -> Prop:
    """A city bicycle along X on y = 0, leaning a little on its stand."""
    wheels, frame = [], []
    turn = np.linspace(0, 2 * np.pi, 25)
    for x in (-0.52, 0.52):
        ring = np.column_stack([x + 0.33 * np.cos(turn), 0.345 + 0.33 * np.sin(turn), 0 * turn])
        wheels.append(tube(ring, 0.018, 6))
        frame += [
            tube([[x, 0.345, 0], [x + 0.32 * np.cos(a), 0.345 + 0.32 * np.sin(a), 0]], 0.0025, 3)
            for a in np.linspace(0, 2 * np.pi, 15)[:-1]
        ]
    hub, seat, head, back = [0.0, 0.29, 0], [-0.17, 0.80, 0], [0.36, 0.83, 0], [-0.52, 0.345, 0]
    for a, b in ((hub, seat), (hub, head), (seat, head), (hub, back), (seat, back)):
        frame.append(tube([a, b], 0.016, 6))
    frame.append(tube([[0.52, 0.345, 0], [0.40, 0.72, 0], [0.33, 1.0, 0]], 0.016, 6))
    frame.append(
        tube(
            [[0.18, 1.05, -0.28], [0.32, 1.03, -0.1], [0.32, 1.03, 0.1], [0.18, 1.05, 0.28]],
            0.012,
            6,
        )
    )
    frame.append(tube([[-0.17, 0.80, 0], [-0.2, 0.92, 0]], 0.013, 6))
    frame.append(tube([hub, [-0.05, 0.0, 0.2]], 0.01, 5))
    saddle = box((0.27, 0.06, 0.15), (-0.21, 0.94, 0), edge=0.025)
    lean = 0.08
    return tuple((n, turned(m, roll=lean)) for n, m in
                 (("tyre", joined([*wheels, saddle])), ("cycle", joined(frame))))  # fmt: skip

"""Yoga gear: blocks, mats, bolsters, blankets, bottles."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.scenes.place import Part, Prop
from spinetrack_synth.scenes.shapes import box, lathe, moved, turned, with_smooth_normals


def block(finish: str = "gear") -> Prop:
    """A yoga block lying on its broad side, 23 x 15 x 7.5 cm."""
    return ((finish, box((0.23, 0.075, 0.15), (0, 0.0375, 0), edge=0.008)),)


def rolled_mat(finish: str = "gear2", length: float = 0.64) -> Prop:
    """A rolled mat lying along X, with the loose end and the turns to be seen at its ends."""
    turn = np.linspace(0, 2 * np.pi * 6, 150)
    radius = 0.012 + 0.0075 * turn / (2 * np.pi)
    outer = radius[-1]
    spiral = np.column_stack([radius * np.cos(turn), radius * np.sin(turn) + outer])
    thick = 0.0045
    inner = np.column_stack(
        [(radius - thick) * np.cos(turn), (radius - thick) * np.sin(turn) + outer]
    )
    count = len(turn)
    half = length / 2
    rings = [
        np.column_stack([np.full(count, x), edge[:, 1], edge[:, 0]])
        for x, edge in ((-half, spiral), (half, spiral), (half, inner), (-half, inner))
    ]
    vertices = np.concatenate([*rings, rings[0], rings[3], rings[1], rings[2]])
    k = np.arange(count - 1)
    faces = []
    for a, b in ((0, 1), (2, 3), (5, 4), (6, 7)):
        low, high = a * count, b * count
        faces += [
            np.stack([low + k, high + k, high + k + 1], 1),
            np.stack([low + k, high + k + 1, low + k + 1], 1),
        ]
    return ((finish, with_smooth_normals(vertices, np.concatenate(faces).astype(np.int32),
                                         vertices[:, [0, 1]])),)  # fmt: skip


def bolster(finish: str = "cloth") -> Prop:
    """A round bolster along X, 66 cm long."""
    end = np.linspace(0, np.pi / 2, 5)
    profile = [(0, 0), (0.06, 0.004)]
    profile += [(0.06 + 0.055 * np.sin(a), 0.055 * (1 - np.cos(a)) + 0.004) for a in end]
    profile += [(r, 0.66 - h) for r, h in profile[::-1]]
    return ((finish, moved(turned(lathe(profile, 28), pitch=-np.pi / 2), (-0.33, 0.115, 0))),)


def cushion(finish: str = "cloth2") -> Prop:
    """A round meditation cushion, 15 cm high."""
    edge = np.linspace(-np.pi / 2, np.pi / 2, 9)
    profile = [(0, 0), *((0.13 + 0.05 * np.cos(a), 0.075 + 0.075 * np.sin(a)) for a in edge),
               (0.02, 0.142), (0, 0.138)]  # fmt: skip
    return ((finish, lathe(profile, 28)),)


def bottle(finish: str = "frame") -> Prop:
    """A steel drinking bottle, 26 cm."""
    body = [(0, 0), (0.033, 0), (0.033, 0), (0.036, 0.004), (0.036, 0.19), (0.03, 0.212),
            (0.021, 0.222), (0.021, 0.23)]  # fmt: skip
    cap = [(0.024, 0.23), (0.024, 0.23), (0.024, 0.257), (0.02, 0.262), (0.02, 0.262), (0, 0.262)]
    return ((finish, lathe(body, 20)), ("metal", lathe(cap, 20)))


def folded(finish: str = "cloth", layers: int = 3) -> Prop:
    """A folded blanket or towel."""
    return tuple(
        (finish, turned(box((0.52 - 0.012 * k, 0.035, 0.36 - 0.01 * k),
                            (0.006 * k, 0.0175 + 0.034 * k, 0), edge=0.016), yaw=0.03 * (-1) ** k))
        for k in range(layers)
    )  # fmt: skip


def bowl() -> Prop:
    """A metal singing bowl on a small cushion."""
    profile = [(0, 0.055), (0.05, 0.058), (0.085, 0.1), (0.09, 0.13), (0.086, 0.13), (0.08, 0.1),
               (0.045, 0.065), (0, 0.063)]  # fmt: skip
    pillow = [(0, 0), (0.07, 0), (0.085, 0.02), (0.07, 0.05), (0, 0.055)]
    return (("metal", lathe(profile, 28)), ("cloth2", lathe(pillow, 24)))


def basket(finish: str = "wood") -> Prop:
    """A round basket with mats standing in it."""
    ribs = [(0.2 + 0.004 * (k % 2), 0.018 * k) for k in range(25)]
    parts: list[Part] = [
        (finish, lathe([(0, 0), *ribs, (0.19, 0.43), (0.188, 0.02), (0, 0.02)], 28))
    ]
    for k, (x, z) in enumerate(((0.06, 0.05), (-0.07, 0.03), (0.0, -0.08))):
        mat = turned(
            rolled_mat(f"gear{'2' if k % 2 else ''}")[0][1], pitch=np.pi / 2 - 0.08 * (k - 1)
        )
        low = mat.vertices.mean(0)
        parts.append(("gear2" if k % 2 else "gear", moved(mat, (x - low[0], 0.36, z - low[2]))))
    return tuple(parts)

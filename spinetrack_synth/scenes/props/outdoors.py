"""What stands outdoors: railings, park benches, lamps, pergolas, the edge of a wood."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.scenes.greenery import Woods
from spinetrack_synth.scenes.place import Prop
from spinetrack_synth.scenes.shapes import Mesh, box, joined, lathe, moved, sphere, tube, turned


def railing(length: float, height: float = 1.0, kind: str = "bars") -> Prop:
    """A railing along X from 0 to length: posts, handrail, and bars, wires or boards between."""
    posts = max(2, round(length / 1.6) + 1)
    places = np.linspace(0.03, length - 0.03, posts)
    wood = [box((0.05, height, 0.05), (x, height / 2, 0)) for x in places]
    wood.append(box((length, 0.04, 0.09), (length / 2, height + 0.02, 0), edge=0.01))
    metal: list[Mesh] = []
    if kind == "bars":
        metal += [box((0.014, height - 0.12, 0.014), (x, height / 2 + 0.04, 0), edge=0.002)
                  for x in np.arange(0.12, length - 0.05, 0.115)]  # fmt: skip
        metal.append(box((length, 0.03, 0.03), (length / 2, 0.11, 0)))
    elif kind == "wires":
        metal += [tube([[0, y, 0], [length / 2, y, 0], [length, y, 0]], 0.004, 5)
                  for y in np.linspace(0.12, height - 0.1, 7)]  # fmt: skip
    else:
        wood += [
            box((length, 0.11, 0.022), (length / 2, y, 0))
            for y in np.linspace(0.16, height - 0.16, 4)
        ]
    return (("wood", joined(wood)), *((("metal", joined(metal)),) if metal else ()))


def park_bench() -> Prop:
    """A park bench along X with a back, on iron feet."""
    slats = [box((1.7, 0.035, 0.09), (0, 0.44, -0.17 + 0.11 * k), edge=0.006) for k in range(4)]
    back = [
        moved(
            turned(box((1.7, 0.09, 0.03), edge=0.006), roll=-0.2),
            (0, 0.58 + 0.125 * k, -0.25 - 0.025 * k),
        )
        for k in range(3)
    ]
    iron = []
    for x in (-0.68, 0.68):
        iron.append(tube([[x, 0, 0.2], [x, 0.22, 0.17], [x, 0.42, 0.18]], 0.022, 6))
        iron.append(
            tube([[x, 0, -0.28], [x, 0.25, -0.2], [x, 0.45, -0.22], [x, 0.88, -0.33]], 0.022, 6)
        )
        iron.append(tube([[x, 0.42, 0.19], [x, 0.42, 0], [x, 0.42, -0.22]], 0.02, 6))
    return (("wood", joined([*slats, *back])), ("metal", joined(iron)))


def lamp_post() -> Prop:
    """A park lamp, 3.6 m high."""
    mast = lathe(
        [(0.1, 0), (0.1, 0.12), (0.06, 0.2), (0.045, 0.6), (0.035, 3.2), (0.05, 3.22), (0.02, 3.3)],
        14,
    )
    globe = moved(sphere(0.16, 18), (0, 3.42, 0))
    return (("metal", mast), ("white", globe))


def forest(woods: Woods, distance_m: float, height_m: float, finish: str, repeats: int = 1) -> Prop:
    """The edge of a wood all around at a distance, its picture that often side by side.

    The normals look inwards and up, as a canopy does on average.
    """
    points, count = woods.points, len(woods.points)
    u = ((points[:, 0] + np.arange(repeats)[:, None]) / repeats).ravel()
    v = np.tile(points[:, 1], repeats)
    ring = np.column_stack([np.cos(2 * np.pi * u), np.zeros_like(u), np.sin(2 * np.pi * u)])
    vertices = distance_m * ring + np.column_stack([0 * v, height_m * v - 0.4, 0 * v])
    normals = (-ring + [0, 0.7, 0]) / np.hypot(1, 0.7)
    faces = woods.faces + count * np.arange(repeats, dtype=np.int32)[:, None, None]
    uv = np.column_stack([u * repeats, np.clip(v, 0.004, 0.996)])
    return ((finish, Mesh(vertices, faces.reshape(-1, 3), uv, normals)),)


def pergola(length: float, depth: float, height: float = 2.5) -> Prop:
    """A wooden pergola: four posts, two beams along X, rafters across."""
    posts = [
        box((0.12, height, 0.12), (x, height / 2, z))
        for x in (-length / 2 + 0.2, length / 2 - 0.2)
        for z in (-depth / 2 + 0.15, depth / 2 - 0.15)
    ]
    beams = [
        box((length, 0.17, 0.08), (0, height + 0.085, z))
        for z in (-depth / 2 + 0.15, depth / 2 - 0.15)
    ]
    rafters = [
        box((0.06, 0.13, depth + 0.4), (x, height + 0.23, 0))
        for x in np.arange(-length / 2 + 0.1, length / 2, 0.42)
    ]
    return (("wood", joined([*posts, *beams, *rafters])),)

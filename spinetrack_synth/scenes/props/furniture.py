"""Furniture and what hangs on walls: benches, shelves, doors, windows, curtains, lamps."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.scenes.place import Part, Prop, placed
from spinetrack_synth.scenes.props.gear import block, bowl, folded, rolled_mat
from spinetrack_synth.scenes.shapes import (
    Mesh,
    Rng,
    box,
    cylinder,
    joined,
    moved,
    rectangle,
    sphere,
    tube,
    turned,
    with_smooth_normals,
)


def bench(length: float = 1.3, finish: str = "wood") -> Prop:
    """A plain wooden bench along X, 44 cm high."""
    legs = [box((0.06, 0.4, 0.3), (x, 0.2, 0)) for x in (-length / 2 + 0.14, length / 2 - 0.14)]
    rail = box((length - 0.34, 0.07, 0.03), (0, 0.33, 0))
    seat = box((length, 0.045, 0.36), (0, 0.4225, 0), edge=0.008)
    return ((finish, joined([*legs, rail, seat])),)


def stool(finish: str = "wood") -> Prop:
    """A round stool, 45 cm."""
    legs = [
        tube([[0.15 * c, 0, 0.15 * s], [0.11 * c, 0.43, 0.11 * s]], 0.016)
        for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))
    ]
    seat = moved(cylinder(0.17, 0.035, segments=28, edge=0.008), (0, 0.42, 0))
    return ((finish, joined([*legs, seat])),)


def shelf(rng: Rng, columns: int = 4, rows: int = 2) -> Prop:
    """Open shelves along X with rolled mats, blocks, blankets and a bolster or two in them."""
    cell, depth, board = 0.4, 0.38, 0.024
    length = columns * cell + board
    boards = [box((length, board, depth), (0, board / 2 + k * cell, 0)) for k in range(rows + 1)]
    boards += [
        box(
            (board, rows * cell, depth - 0.004),
            (-length / 2 + board / 2 + k * cell, rows * cell / 2, 0),
        )
        for k in range(columns + 1)
    ]
    boards.append(box((length, rows * cell, 0.01), (0, rows * cell / 2 + 0.01, -depth / 2 + 0.006)))
    parts: list[Part] = [("wood", joined(boards))]
    for column in range(columns):
        for row in range(rows):
            x, y = -length / 2 + board / 2 + (column + 0.5) * cell, board + row * cell
            kind = rng.integers(0, 5)
            if kind == 0:
                for k, (dx, dy) in enumerate(
                    ((-0.12, 0), (0.0, 0), (0.12, 0), (-0.06, 0.1), (0.06, 0.1))
                ):
                    roll = rolled_mat("gear2" if k % 2 else "gear", 0.34)
                    parts += placed(placed(roll, (0, 0, 0), yaw=np.pi / 2), (x + dx, y + dy, 0.01))
            elif kind == 1:
                for k in range(int(rng.integers(2, 5))):
                    parts += placed(block("gear" if k % 2 else "gear2"), (x, y + 0.076 * k, 0.05),
                                    yaw=rng.uniform(-0.1, 0.1))  # fmt: skip
            elif kind == 2:
                for k in range(2):
                    name = "cloth" if k else "cloth2"
                    stack = [turned(m, yaw=np.pi / 2) for _, m in folded(name, 3)]
                    parts.append((name, moved(joined(stack), (x, y + 0.105 * k, 0.0))))
            elif kind == 3:
                parts += placed(folded("cloth", 2), (x, y, 0), yaw=np.pi / 2)
                parts += placed(bowl(), (x, y + 0.07, 0.05))
    return tuple(parts)


def sofa_table(finish: str = "wood") -> Prop:
    """A low round table, 40 cm."""
    top = moved(cylinder(0.32, 0.03, segments=36, edge=0.008), (0, 0.37, 0))
    return ((finish, joined([top, *(m for _, m in placed(stool(finish), (0, -0.05, 0)))])),)


def lounger() -> Prop:
    """A sun lounger along X with a raised back and a mattress."""
    slats = [box((0.07, 0.02, 0.62), (-0.35 + 0.085 * k, 0.3, 0)) for k in range(16)]
    rails = [box((1.95, 0.05, 0.04), (0.03, 0.27, z)) for z in (-0.31, 0.31)]
    legs = [box((0.05, 0.27, 0.05), (x, 0.135, z)) for x in (-0.6, 0.85) for z in (-0.29, 0.29)]
    lying = box((1.36, 0.07, 0.58), (0.33, 0.345, 0), edge=0.025)
    back = moved(turned(box((0.66, 0.07, 0.58), (-0.33, 0, 0), edge=0.025), pitch=-0.75),
                 (-0.34, 0.35, 0))  # fmt: skip
    stay = moved(turned(box((0.66, 0.02, 0.62), (-0.33, 0, 0)), pitch=-0.75), (-0.34, 0.305, 0))
    return (("wood", joined([*slats, *rails, *legs, stay])), ("cloth", joined([lying, back])))


def parasol(finish: str = "cloth") -> Prop:
    """An open sunshade, 2.5 m high and 2.6 m across."""
    angles = np.linspace(0, 2 * np.pi, 9)
    rim = np.column_stack([1.3 * np.cos(angles), np.full(9, 2.12), 1.3 * np.sin(angles)])
    panels = []
    for a, b in zip(rim, rim[1:]):
        top = np.array([0, 2.55, 0])
        points = np.stack([top, a, b, b - [0, 0.16, 0], a - [0, 0.16, 0]])
        faces = np.array([[0, 2, 1], [1, 2, 3], [1, 3, 4]], np.int32)
        out = (a + b) / 2 * [1, 0, 1]
        slope = np.arctan2(2.55 - 2.12, 1.3)
        normal = np.sin(slope) * out / np.linalg.norm(out) + [0, np.cos(slope), 0]
        normals = np.tile(normal, (5, 1))
        panels.append(Mesh(points, faces, points[:, [0, 2]], normals))
    pole = cylinder(0.025, 2.6)
    foot = cylinder(0.24, 0.06, segments=28, edge=0.01)
    return ((finish, joined(panels)), ("wood", pole), ("metal", foot))


def painting(width: float, height: float) -> Prop:
    """A framed painting against the plane z = 0, its middle at y = 0."""
    bars = [
        box((width + 0.05, 0.025, 0.03), (0, s * (height / 2 + 0.0125), 0.015)) for s in (-1, 1)
    ]
    bars += [box((0.025, height, 0.03), (s * (width / 2 + 0.0125), 0, 0.015)) for s in (-1, 1)]
    face = rectangle((-width / 2, -height / 2, 0.02), (width, 0, 0), (0, height, 0))
    unit = Mesh(face.vertices, face.faces, face.uv / np.array([width, height]), face.normals)
    return (("picture", unit), ("frame", joined(bars)))


def door(width: float = 0.95, height: float = 2.1) -> Prop:
    """A panelled door with its frame against the plane z = 0, standing on the floor."""
    leaf = [box((width, height, 0.03), (0, height / 2, 0.012))]
    for low, high in ((0.12, 0.85), (0.98, height - 0.12)):
        for x in (-0.25, 0.25):
            panel = ((0.36, high - low, 0.012), (x * width * 0.9, (low + high) / 2, 0.031))
            leaf.append(box(*panel, edge=0.006))
    frame = [box((0.09, height + 0.09, 0.045), (s * (width / 2 + 0.045), (height + 0.09) / 2, 0.02))
             for s in (-1, 1)]  # fmt: skip
    frame.append(box((width + 0.18, 0.09, 0.045), (0, height + 0.045, 0.02)))
    knob = tube(
        [[0.4, 1.03, 0.03], [0.4, 1.03, 0.08], [0.38, 1.03, 0.085], [0.28, 1.03, 0.085]], 0.01
    )
    return (("white", joined(leaf)), ("frame", joined(frame)), ("metal", knob))


def window(width: float, height: float, depth: float, panes: tuple[int, int]) -> Prop:
    """The reveal, sill and bars of a window opening of a wall whose face is z = 0.

    The opening goes from x = 0 to width and y = 0 to height, and ``depth`` m back.
    """
    w, h, d = width, height, depth
    reveal = [
        rectangle((0, 0, 0), (0, 0, -d), (0, h, 0)),
        rectangle((w, 0, -d), (0, 0, d), (0, h, 0)),
        rectangle((0, h, 0), (0, 0, -d), (w, 0, 0)),
        rectangle((0, 0, -d), (0, 0, d), (w, 0, 0)),
    ]
    z, bar = -0.65 * d, 0.055
    bars = [box((w, bar, bar), (w / 2, y, z)) for y in (bar / 2, h - bar / 2)]
    bars += [box((bar, h, bar), (x, h / 2, z)) for x in (bar / 2, w - bar / 2)]
    columns, rows = panes
    bars += [box((0.035, h, 0.04), (w * k / columns, h / 2, z)) for k in range(1, columns)]
    bars += [box((w, 0.03, 0.036), (w / 2, h * k / rows, z)) for k in range(1, rows)]
    sill = box((w + 0.12, 0.03, 0.1), (w / 2, -0.015, 0.045), edge=0.006)
    return (("wall", joined(reveal)), ("frame", joined([*bars, sill])))


def curtain(width: float, height: float, rng: Rng, finish: str = "cloth") -> Prop:
    """A curtain in folds along X, hanging from y = height down to the floor, 6 cm off z = 0."""
    columns, rows = 60, 8
    x = np.linspace(0, width, columns)
    y = np.linspace(0.02, height, rows)
    phase = np.cumsum(rng.uniform(0.5, 1.0, columns))
    depth = 0.035 * np.sin(phase)[None, :] * (0.75 + 0.25 * (1 - y / height))[:, None] + 0.07
    points = np.stack(np.broadcast_arrays(x[None, :], y[:, None], depth), -1).reshape(-1, 3)
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (
        v.ravel() for v in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])
    )
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    return ((finish, with_smooth_normals(points, faces, points[:, :2])),)


def paper_lamp(drop: float, radius: float = 0.24) -> Prop:
    """A paper globe lamp that hangs ``drop`` m under y = 0."""
    ball = moved(sphere(radius, 28), (0, -drop - radius, 0))
    cord = tube(np.linspace([0.0, 0.0, 0.0], [0.0, -drop, 0.0], 3), 0.004, 5)
    return (("white", ball), ("frame", cord))

"""What stands in sports halls and on running tracks: wall bars, boxes, mats, hoops, hurdles."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.scenes.place import Part, Prop
from spinetrack_synth.scenes.shapes import (
    Array,
    Mesh,
    box,
    cylinder,
    joined,
    moved,
    rectangle,
    sphere,
    tube,
    turned,
)


def wall_bars(fields: int = 3, height: float = 2.6) -> Prop:
    """Swedish ladders along X against z = 0, each field 0.9 m wide, 14 rungs."""
    wide = 0.9
    posts = [box((0.05, height, 0.14), ((k - fields / 2) * wide, height / 2, 0.075))
             for k in range(fields + 1)]  # fmt: skip
    rungs = []
    levels = np.linspace(0.16, height - 0.08, 14)
    for k, y in enumerate(levels):
        z = 0.15 if k == len(levels) - 1 else 0.11
        line = [[-fields * wide / 2, y, z], [0, y, z], [fields * wide / 2, y, z]]
        rungs.append(tube(line, 0.018, 8))
    return (("wood", joined([*posts, *rungs])),)


def vaulting_box(parts_high: int = 5) -> Prop:
    """A vaulting box along X, narrowing upwards, with a padded top."""
    layers, lines = [], []
    y = 0.0
    for k in range(parts_high):
        share = k / 5
        size = (1.5 - 0.08 * share, 0.178, 0.75 - 0.3 * share)
        layers.append(box(size, (0, y + 0.09, 0), edge=0.006))
        lines.append(box((0.22, 0.05, size[2] + 0.004), (0, y + 0.11, 0), edge=0.002))
        y += 0.184
    top = box((1.46, 0.13, 0.42), (0, y + 0.055, 0), edge=0.05)
    return (("wood", joined(layers)), ("dark", joined(lines)), ("leather", top))


def mat_stack(count: int, finish: str = "gymmat") -> Prop:
    """Gymnastic mats of 2 x 1 m and 6 cm on each other."""
    mats = []
    for k in range(count):
        shift = 0.02 * np.sin(2.3 * k)
        mats.append(box((2.0, 0.058, 1.0), (shift, 0.03 + 0.06 * k, 0.7 * shift), edge=0.012))
    return ((finish, joined(mats)),)


def crash_mat(finish: str = "gymmat2") -> Prop:
    """A soft mat of 3 x 2 x 0.3 m lying."""
    return ((finish, box((3.0, 0.3, 2.0), (0, 0.15, 0), edge=0.04)),)


def leaning_mat(finish: str = "gymmat2") -> Prop:
    """A soft mat on its long edge that leans on the plane z = 0."""
    mat = moved(turned(box((3.0, 1.9, 0.3), edge=0.04), roll=-0.10), (0, 0.97, 0.27))
    return ((finish, mat),)


def long_bench(length: float = 3.6) -> Prop:
    """A gymnastic bench along X, 34 cm high."""
    seat = box((length, 0.04, 0.25), (0, 0.32, 0), edge=0.008)
    beam = box((length - 0.3, 0.09, 0.06), (0, 0.10, 0))
    feet = [box((0.05, 0.3, 0.22), (x, 0.15, 0)) for x in (-length / 2 + 0.3, 0, length / 2 - 0.3)]
    rubber = [
        box((0.07, 0.02, 0.3), (x, 0.01, 0)) for x in (-length / 2 + 0.3, 0, length / 2 - 0.3)
    ]
    return (("wood", joined([seat, beam, *feet])), ("dark", joined(rubber)))


def hoop() -> Prop:
    """A basketball board with its ring, against z = 0, the ring 3.05 m up."""
    arms = [box((0.06, 0.06, 1.1), (x, 3.2, 0.55)) for x in (-0.3, 0.3)]
    arms += [tube([[x, 2.5, 0.02], [x, 2.9, 0.5], [x, 3.2, 1.05]], 0.02, 6) for x in (-0.3, 0.3)]
    board = box((1.8, 1.05, 0.03), (0, 3.42, 1.12))
    lines = _frame(0.59, 0.45, 0.05, (0, 3.42 - 0.15, 1.137))
    lines += _frame(1.76, 1.01, 0.04, (0, 3.42, 1.137))
    turn = np.linspace(0, 2 * np.pi, 25)
    ring = np.column_stack(
        [0.225 * np.cos(turn), 3.05 + 0 * turn, 1.135 + 0.15 + 0.225 + 0.225 * np.sin(turn)]
    )
    rim = [tube(ring, 0.009, 7), box((0.12, 0.05, 0.16), (0, 3.04, 1.2))]
    net = []
    for a in np.linspace(0, 2 * np.pi, 13)[:-1]:
        for s in (-1, 1):
            low = a + s * 0.5
            net.append(
                tube(
                    [
                        [0.225 * np.cos(a), 3.05, 1.51 + 0.225 * np.sin(a)],
                        [0.17 * np.cos(a + s * 0.25), 2.85, 1.51 + 0.17 * np.sin(a + s * 0.25)],
                        [0.12 * np.cos(low), 2.66, 1.51 + 0.12 * np.sin(low)],
                    ],
                    0.004,
                    4,
                )
            )
    return (
        ("metal", joined(arms)),
        ("white", joined([board, *net])),
        ("dark", joined(lines)),
        ("signal", joined(rim)),
    )


def _frame(
    width: float, height: float, bar: float, center: tuple[float, float, float]
) -> list[Mesh]:
    """Four flat bars around a rectangle that faces +Z."""
    x, y, z = center
    bars = []
    for s in (-1, 1):
        bars.append(
            rectangle((x - width / 2, y + s * height / 2 - bar / 2, z), (width, 0, 0), (0, bar, 0))
        )
        bars.append(
            rectangle((x + s * width / 2 - bar / 2, y - height / 2, z), (bar, 0, 0), (0, height, 0))
        )
    return bars


def handball_goal() -> Prop:
    """A goal of 3 x 2 m, its back to z = 0, the posts in two colours."""
    blocks: dict[str, list[Mesh]] = {"signal": [], "white": []}
    for x in (-1.54, 1.54):
        for k in range(10):
            name = "signal" if k % 2 else "white"
            blocks[name].append(box((0.08, 0.208, 0.08), (x, 0.104 + 0.208 * k, 1.0)))
    for k in range(15):
        name = "white" if k % 2 else "signal"
        blocks[name].append(box((0.2, 0.08, 0.08), (-1.4 + 0.2 * k, 2.04, 1.0)))
    stays = [tube([[x, 2.04, 0.98], [x, 1.9, 0.5], [x, 0.02, 0.1]], 0.02, 6) for x in (-1.54, 1.54)]
    stays.append(tube([[-1.54, 0.03, 0.1], [0, 0.03, 0.1], [1.54, 0.03, 0.1]], 0.02, 6))
    net = [tube([[x, 2.02, 0.98], [x, 1.6, 0.42], [x, 0.05, 0.12]], 0.004, 4)
           for x in np.linspace(-1.4, 1.4, 20)]  # fmt: skip
    for t in np.linspace(0.1, 1, 12):
        y, z = 2.02 - 1.97 * t, 0.98 - 0.86 * t
        y, z = (
            (2.02 - 0.84 * t, 0.98 - 1.12 * t)
            if t < 0.5
            else (1.6 - 1.55 * (2 * t - 1), 0.42 - 0.3 * (2 * t - 1))
        )
        net.append(tube([[-1.54, y, z], [0, y, z], [1.54, y, z]], 0.004, 4))
    return (*((name, joined(meshes)) for name, meshes in blocks.items()),
            ("metal", joined(stays)), ("net", joined(net)))  # fmt: skip


def floor_line(path: Array, width: float, y: float = 0.0006) -> Mesh:
    """A painted line through points (N, 2) x, z m, flat at a height."""
    points = np.asarray(path, float)
    along = np.gradient(points, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.column_stack([-along[:, 1], along[:, 0]]) * width / 2
    rim = np.concatenate([points - side, points + side])
    count = len(points)
    k = np.arange(count - 1)
    faces = np.concatenate([np.stack([k, k + count, k + count + 1], 1),
                            np.stack([k, k + count + 1, k + 1], 1)])  # fmt: skip
    vertices = np.column_stack([rim[:, 0], np.full(2 * count, y), rim[:, 1]])
    a, b, c = vertices[faces[0]]
    if np.cross(b - a, c - a)[1] < 0:
        faces = faces[:, ::-1]
    return Mesh(vertices, faces.astype(np.int32), vertices[:, [0, 2]],
                np.tile([0.0, 1.0, 0.0], (2 * count, 1)))  # fmt: skip


def hurdle() -> Prop:
    """A hurdle along X, 84 cm high."""
    feet = [box((0.05, 0.04, 0.7), (x, 0.02, 0.25)) for x in (-0.55, 0.55)]
    posts = [box((0.035, 0.8, 0.035), (x, 0.42, 0)) for x in (-0.55, 0.55)]
    bar = box((1.18, 0.07, 0.02), (0, 0.805, 0.01))
    ends = [box((0.3, 0.072, 0.022), (x, 0.805, 0.01)) for x in (-0.44, 0.44)]
    return (("metal", joined([*feet, *posts])), ("white", bar), ("dark", joined(ends)))


def landing_mat() -> Prop:
    """The mat, the posts and the bar of a high jump, front to +Z."""
    mat = box((5.0, 0.7, 3.0), (0, 0.35, -1.6), edge=0.05)
    cover = box((5.02, 0.06, 3.02), (0, 0.70, -1.6), edge=0.02)
    posts = [box((0.04, 2.3, 0.06), (x, 1.15, 0)) for x in (-2.05, 2.05)]
    feet = [box((0.1, 0.03, 0.7), (x, 0.015, 0)) for x in (-2.05, 2.05)]
    bar = tube([[-2.0, 1.75, 0.04], [0, 1.735, 0.04], [2.0, 1.75, 0.04]], 0.015, 8)
    return (
        ("gymmat2", mat),
        ("gymmat", cover),
        ("metal", joined([*posts, *feet])),
        ("signal", bar),
    )


def stand(length: float, steps: int, *, roof: bool) -> Prop:
    """Rows of benches on concrete steps along X, the lowest in front at z = 0, rising to -Z."""
    concrete, seats = [], []
    for k in range(steps):
        high = 0.42 * (k + 1)
        concrete.append(box((length, high, 0.85), (0, high / 2, -0.425 - 0.85 * k), edge=0.01))
        seats.append(box((length - 0.6, 0.05, 0.35), (0, high + 0.30, -0.55 - 0.85 * k), edge=0.01))
        seats += [box((0.05, 0.28, 0.25), (x, high + 0.14, -0.55 - 0.85 * k))
                  for x in np.arange(-length / 2 + 0.6, length / 2, 2.4)]  # fmt: skip
    parts: list[Part] = [("concrete", joined(concrete)), ("seat", joined(seats))]
    back = -0.85 * steps
    if roof:
        high = 0.42 * steps + 3.2
        posts = [box((0.16, high, 0.16), (x, high / 2, back + 0.1), edge=0.01)
                 for x in np.arange(-length / 2 + 0.3, length / 2, 5.0)]  # fmt: skip
        sheet = moved(turned(box((length + 0.4, 0.12, -back + 1.6), edge=0.02), roll=-0.10),
                      (0, high + 0.3, back / 2 + 0.6))  # fmt: skip
        parts += [("metal", joined(posts)), ("roof", sheet)]
        parts.append(("concrete", box((length, high, 0.12), (0, high / 2, back - 0.06))))
    else:
        rail = [tube([[-length / 2, y, back], [0, y, back], [length / 2, y, back]], 0.025, 6)
                for y in (0.42 * steps + 0.5, 0.42 * steps + 1.0)]  # fmt: skip
        rail += [
            box((0.04, 1.0, 0.04), (x, 0.42 * steps + 0.5, back))
            for x in np.arange(-length / 2, length / 2 + 1, 2.0)
        ]
        parts.append(("metal", joined(rail)))
    return tuple(parts)


def floodlight(height: float) -> Prop:
    """A mast with four lamps at its top, facing +Z."""
    mast = [tube(np.outer([0, 0.5, 1], [0, height, 0]), [0.16, 0.12, 0.09], 12),
            box((1.7, 0.1, 0.1), (0, height, 0.1))]  # fmt: skip
    heads = [moved(turned(box((0.36, 0.3, 0.2), edge=0.02), roll=0.6), (x, height + 0.1, 0.25))
             for x in (-0.66, -0.22, 0.22, 0.66)]  # fmt: skip
    base = cylinder(0.3, 0.25, segments=16)
    return (("metal", joined([*mast, *heads])), ("concrete", base))


def fence(length: float, height: float = 1.1) -> Prop:
    """A rail on posts along X from 0, as around a running track."""
    posts = [
        moved(cylinder(0.03, height, segments=8), (x, 0, 0))
        for x in np.arange(0, length + 0.1, 2.5)
    ]
    rails = [tube([[0, y, 0], [length / 2, y, 0], [length, y, 0]], 0.024, 7) for y in (0.5, height)]
    return (("metal", joined([*posts, *rails])),)


def ball_cart() -> Prop:
    """A cage on wheels with balls."""
    bars = [box((1.0, 0.03, 0.03), (0, y, z)) for y in (0.16, 0.85) for z in (-0.3, 0.3)]
    bars += [box((0.03, 0.03, 0.6), (x, y, 0)) for y in (0.16, 0.85) for x in (-0.5, 0.5)]
    bars += [
        box((0.012, 0.7, 0.012), (x, 0.5, z))
        for x in np.linspace(-0.5, 0.5, 9)
        for z in (-0.3, 0.3)
    ]
    bars += [
        box((0.012, 0.7, 0.012), (x, 0.5, z))
        for z in np.linspace(-0.2, 0.2, 4)
        for x in (-0.5, 0.5)
    ]
    wheels = [
        box((0.04, 0.14, 0.14), (x, 0.07, z), edge=0.05)
        for x in (-0.45, 0.45)
        for z in (-0.27, 0.27)
    ]
    floor = box((1.0, 0.02, 0.6), (0, 0.16, 0))
    balls = [moved(sphere(0.12, 14), (-0.36 + 0.24 * k, 0.29 + 0.2 * level, 0.24 * row - 0.12))
             for k in range(4) for row in range(2) for level in range(2)]  # fmt: skip
    return (("metal", joined([*bars, floor])), ("dark", joined(wheels)), ("signal", joined(balls)))


def padding(span: float, height: float = 2.0) -> Prop:
    """Boards that soften a wall, along X from 0 against z = 0."""
    count = max(1, round(span / 2.0))
    wide = span / count
    boards = [
        box((wide - 0.012, height, 0.05), ((k + 0.5) * wide, height / 2 + 0.05, 0.03), edge=0.01)
        for k in range(count)
    ]
    return (("padding", joined(boards)),)

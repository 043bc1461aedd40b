"""Things that stand about: yoga gear, furniture, plants, windows, railings, trees.

Each function returns a prop around the origin, standing on y = 0, its front towards +Z. Finishes
are names (``wood``, ``frame``, ``metal``, ``white``, ``gear``, ``cloth``, ``pot``, ``soil``,
``leaf``, ``bark``, ...); a place says what each of them looks like.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.scenes.place import Part, Prop, placed
from spinetrack_synth.scenes.shapes import (
    Array,
    Mesh,
    Rng,
    box,
    cylinder,
    joined,
    lathe,
    leaves,
    moved,
    rectangle,
    sphere,
    tube,
    turned,
    with_smooth_normals,
)

# Yoga gear


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


# Furniture


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


# Plants


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


# Outdoors


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


def forest(distance_m: float, height_m: float, finish: str) -> Prop:
    """A wall all around at a distance, to carry the picture of a wood's edge (``textures.woods``).

    uv runs once around and once up. The normals look inwards and up, as a canopy does on average.
    """
    angle = np.linspace(0, 2 * np.pi, 97)
    ring = np.column_stack([np.cos(angle), np.zeros_like(angle), np.sin(angle)])
    foot = distance_m * ring - [0, 0.4, 0]
    points = np.concatenate([foot, foot + np.array([0, height_m, 0])])
    up = np.repeat([0.0, 1.0], len(angle))
    uv = np.column_stack([np.tile(angle / (2 * np.pi), 2), np.clip(up, 0.004, 0.996)])
    k, n = np.arange(len(angle) - 1), len(angle)
    faces = np.concatenate([np.stack([k, k + 1, n + k + 1], 1), np.stack([k, n + k + 1, n + k], 1)])
    normals = np.tile((-ring + [0, 0.7, 0]) / np.hypot(1, 0.7), (2, 1))
    return ((finish, Mesh(points, faces.astype(np.int32), uv, normals)),)


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

"""Furniture of offices and clinics: desks, screens, swivel chairs, plinths, cabinets, charts."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.scenes.place import Part, Prop, placed
from spinetrack_synth.scenes.shapes import (
    Rng,
    box,
    cylinder,
    joined,
    lathe,
    moved,
    rectangle,
    tube,
    turned,
    with_smooth_normals,
)


def desk(rng: Rng, length: float = 1.6, *, screens: int = 1, pedestal: bool = True) -> Prop:
    """A desk along X at 73 cm with screens, keyboard and papers; one sits at +Z."""
    deep = 0.8
    top = box((length, 0.028, deep), (0, 0.716, 0), edge=0.004)
    legs = [box((0.06, 0.70, 0.06), (x, 0.35, z)) for x in (-length / 2 + 0.06, length / 2 - 0.06)
            for z in (-deep / 2 + 0.06, deep / 2 - 0.06)]  # fmt: skip
    legs.append(box((length - 0.2, 0.05, 0.03), (0, 0.66, -deep / 2 + 0.06)))
    parts: list[Part] = [("desk", top), ("metal", joined(legs))]
    if pedestal:
        side = rng.choice([-1, 1])
        x = side * (length / 2 - 0.32)
        drawers = [
            box((0.4, 0.17, 0.018), (x, 0.14 + 0.185 * k, 0.29), edge=0.003) for k in range(3)
        ]
        parts += [
            ("cabinet", box((0.42, 0.56, 0.56), (x, 0.31, 0.0))),
            ("cabinet", joined(drawers)),
        ]
    for k in range(screens):
        x = (k - (screens - 1) / 2) * 0.58
        parts += placed(monitor(), (x, 0.73, -0.16), yaw=-0.35 * (k - (screens - 1) / 2))
    keyboard = box((0.44, 0.02, 0.14), (0, 0.741, 0.14), edge=0.006)
    mouse = box((0.06, 0.03, 0.1), (0.33, 0.745, 0.15), edge=0.014)
    parts.append(("dark", joined([keyboard, mouse])))
    sheets = [
        moved(
            turned(box((0.21, 0.004 + 0.01 * rng.random(), 0.297)), yaw=rng.uniform(-0.4, 0.4)),
            (s * (length / 2 - 0.28), 0.735, rng.uniform(-0.1, 0.15)),
        )
        for s in (-1, 1)
    ]
    mug = moved(cylinder(0.04, 0.095, segments=16), (-0.4, 0.73, 0.02))
    return (*parts, ("white", joined(sheets)), ("mug", mug))


def monitor() -> Prop:
    """A 24 inch screen on its foot, facing +Z."""
    case = box((0.55, 0.33, 0.03), (0, 0.29, 0), edge=0.006)
    foot = [box((0.24, 0.012, 0.18), (0, 0.006, 0)), box((0.05, 0.2, 0.03), (0, 0.1, -0.03))]
    face = rectangle((-0.262, 0.14, 0.016), (0.524, 0, 0), (0, 0.3, 0))
    return (("dark", joined([case, *foot])), ("screen", face))


def office_chair(finish: str = "chair") -> Prop:
    """A swivel chair, seat 47 cm, front to +Z."""
    spokes = []
    for k in range(5):
        a = 2 * np.pi * k / 5
        tip = [0.3 * np.cos(a), 0.07, 0.3 * np.sin(a)]
        spokes.append(tube([[0, 0.11, 0], tip], 0.02, 6))
        spokes.append(
            moved(
                turned(cylinder(0.028, 0.04, segments=10), roll=np.pi / 2),
                (tip[0], 0.028, tip[2] - 0.02),
            )
        )
    column = moved(cylinder(0.025, 0.34, segments=10), (0, 0.1, 0))
    seat = box((0.48, 0.08, 0.46), (0, 0.46, 0), edge=0.032)
    back = moved(turned(box((0.44, 0.55, 0.06), edge=0.028), roll=-0.14), (0, 0.82, -0.24))
    stay = tube([[0, 0.43, -0.1], [0, 0.44, -0.27], [0, 0.7, -0.27]], 0.02, 6)
    arms = []
    for s in (-1, 1):
        arms.append(tube([[s * 0.2, 0.45, 0], [s * 0.28, 0.47, 0], [s * 0.28, 0.66, 0]], 0.016, 6))
        arms.append(box((0.06, 0.03, 0.26), (s * 0.28, 0.67, 0.02), edge=0.01))
    return ((finish, joined([seat, back])), ("dark", joined([*spokes, column, stay, *arms])))


def stool() -> Prop:
    """A round padded stool on castors, 50 cm."""
    spokes = []
    for k in range(5):
        a = 2 * np.pi * k / 5
        tip = [0.24 * np.cos(a), 0.06, 0.24 * np.sin(a)]
        spokes += [
            tube([[0, 0.1, 0], tip], 0.016, 6),
            box((0.03, 0.05, 0.05), (tip[0], 0.025, tip[2]), edge=0.012),
        ]
    column = moved(cylinder(0.022, 0.36, segments=10), (0, 0.08, 0))
    seat = moved(cylinder(0.18, 0.075, segments=28, edge=0.022), (0, 0.43, 0))
    return (("pad", seat), ("chrome", joined([*spokes, column])))


def plinth(rng: Rng, height: float = 0.62, *, raised: bool = False) -> Prop:
    """A treatment table along X, 1.95 x 0.68 m, on a lifting frame; the head end at -X."""
    y = height
    pads = [box((1.28, 0.08, 0.68), (0.33, y - 0.04, 0), edge=0.028)]
    head = box((0.64, 0.08, 0.68), (-0.32, 0, 0), edge=0.028)
    head = moved(turned(head, pitch=-0.5 if raised else 0.0), (-0.325, y - 0.04, 0))
    frame = [box((1.7, 0.05, 0.05), (0, y - 0.11, z)) for z in (-0.24, 0.24)]
    frame += [box((1.5, 0.06, 0.06), (0, 0.09, z)) for z in (-0.25, 0.25)]
    frame += [box((0.06, 0.06, 0.56), (x, 0.09, 0)) for x in (-0.72, 0.72)]
    frame += [tube([[-0.55, 0.1, z], [0.5, y - 0.11, z]], 0.025, 6) for z in (-0.2, 0.2)]
    frame += [tube([[0.55, 0.1, z], [-0.5, y - 0.11, z]], 0.025, 6) for z in (-0.16, 0.16)]
    feet = [
        moved(cylinder(0.035, 0.07, segments=12), (x, 0, z))
        for x in (-0.72, 0.72)
        for z in (-0.25, 0.25)
    ]
    roll = moved(
        turned(cylinder(0.09, 0.6, segments=20, edge=0.02), roll=np.pi / 2), (0.75, y + 0.09, -0.3)
    )
    parts: list[Part] = [
        ("pad", joined([*pads, head])),
        ("metal", joined(frame)),
        ("dark", joined(feet)),
    ]
    if rng.random() < 0.6:
        parts.append(("pad2", roll))
    if rng.random() < 0.5:
        sheet = box((1.3, 0.004, 0.6), (0.3, y + 0.002, 0), edge=0.001)
        parts.append(("white", sheet))
    return tuple(parts)


def cabinet(width: float, height: float, finish: str = "cabinet", *, glazed: bool = False) -> Prop:
    """A cupboard along X with two doors, its back at z = -0.21."""
    body = box((width, height, 0.4), (0, height / 2, -0.01), edge=0.005)
    wide = width / 2
    doors = [
        box((wide - 0.006, height - 0.1, 0.018), (s * wide / 2, height / 2 + 0.02, 0.2), edge=0.003)
        for s in (-1, 1)
    ]
    grips = [box((0.014, 0.16, 0.025), (s * 0.05, 0.55 * height, 0.22)) for s in (-1, 1)]
    parts: list[Part] = [(finish, joined([body, *doors])), ("metal", joined(grips))]
    if glazed:
        panes = [
            rectangle(
                (s * wide / 2 - wide / 2 + 0.06, 0.5 * height, 0.2095),
                (wide - 0.12, 0, 0),
                (0, 0.43 * height, 0),
            )
            for s in (-1, 1)
        ]
        parts.append(("glass", joined(panes)))
    return tuple(parts)


def filing(rng: Rng, columns: int, rows: int) -> Prop:
    """Open shelves along X full of files and boxes, their back at z = -0.19."""
    cell_w, cell_h, depth, board = 0.8, 0.38, 0.36, 0.02
    width, height = columns * cell_w + board, rows * cell_h + board + 0.06
    boards = [
        box((width, board, depth), (0, 0.06 + board / 2 + k * cell_h, 0)) for k in range(rows + 1)
    ]
    boards += [
        box((board, height, depth), (-width / 2 + board / 2 + k * cell_w, height / 2, 0))
        for k in range(columns + 1)
    ]
    boards.append(box((width, height, 0.01), (0, height / 2, -depth / 2)))
    parts: list[Part] = [("cabinet", joined(boards))]
    for column in range(columns):
        for row in range(rows):
            left, y = -width / 2 + board + column * cell_w, 0.06 + board + row * cell_h
            x = 0.0
            while x < cell_w - 0.12:
                if rng.random() < 0.12:
                    x += float(rng.uniform(0.08, 0.25))
                    continue
                wide = 0.078 if rng.random() < 0.8 else 0.26
                if x + wide > cell_w - 0.03:
                    break
                name = f"file{int(rng.integers(1, 4))}"
                tall = 0.31 if wide < 0.1 else 0.22
                parts.append(
                    (
                        name,
                        box(
                            (wide - 0.003, tall, 0.28),
                            (left + x + wide / 2, y + tall / 2, 0.02),
                            edge=0.004,
                        ),
                    )
                )
                x += wide
    return tuple(parts)


def board(width: float, height: float, finish: str = "white") -> Prop:
    """A board or screen on a wall, its middle at y = 0 and its back in z = 0."""
    face = box((width, height, 0.02), (0, 0, 0.012), edge=0.004)
    rim = [box((width + 0.03, 0.02, 0.03), (0, s * height / 2, 0.015)) for s in (-1, 1)]
    rim += [box((0.02, height, 0.03), (s * width / 2, 0, 0.015)) for s in (-1, 1)]
    return ((finish, face), ("metal", joined(rim)))


def chart(rng: Rng, width: float = 0.5, height: float = 0.7) -> Prop:
    """A printed sheet on a wall with a column of marks and lines of text, its middle at y = 0."""
    sheet = box((width, height, 0.006), (0, 0, 0.004), edge=0.001)
    marks, lines = [], []
    for k in range(14):
        y = 0.36 * height - k * 0.05 * height
        x = -0.2 * width + 0.05 * width * np.sin(0.45 * k)
        half = 0.05 * width * (0.6 + 0.05 * k)
        marks.append(rectangle((x - half, y, 0.0085), (2 * half, 0, 0), (0, 0.032 * height, 0)))
        long = 0.3 * width * rng.uniform(0.4, 1.0)
        lines.append(
            rectangle((0.1 * width, y + 0.01, 0.0085), (long, 0, 0), (0, 0.008 * height, 0))
        )
    return (("white", sheet), ("mark", joined(marks)), ("dark", joined(lines)))


def privacy_curtain(rng: Rng, length: float, height: float = 2.05) -> Prop:
    """A curtain on a rail along X from 0, hanging clear of the floor."""
    count = int(length / 0.05)
    x = np.linspace(0, length, count)
    z = 0.04 * np.sin(np.cumsum(rng.uniform(0.5, 1.1, count)))
    top, low = (
        np.column_stack([x, np.full(count, height), 0.6 * z]),
        np.column_stack([x, np.full(count, 0.3), z]),
    )
    points = np.concatenate([low, top])
    k = np.arange(count - 1)
    faces = np.concatenate(
        [np.stack([k, k + 1, k + count + 1], 1), np.stack([k, k + count + 1, k + count], 1)]
    )
    cloth = with_smooth_normals(points, faces.astype(np.int32), points[:, :2])
    rail = box((length + 0.1, 0.03, 0.03), (length / 2, height + 0.03, 0))
    return (("curtain", cloth), ("metal", rail))


def basin() -> Prop:
    """A wash basin against z = 0 with its tap, and a mirrorless splashback of tiles."""
    bowl = lathe(
        [
            (0.05, 0.66),
            (0.2, 0.72),
            (0.27, 0.85),
            (0.27, 0.87),
            (0.24, 0.87),
            (0.17, 0.76),
            (0, 0.74),
        ],
        28,
    )
    bowl = moved(bowl, (0, 0, 0.27))
    shelf = box((0.54, 0.05, 0.16), (0, 0.845, 0.08), edge=0.012)
    stem = moved(cylinder(0.05, 0.66, segments=16), (0, 0, 0.2))
    tap = tube([[0, 0.87, 0.07], [0, 1.0, 0.07], [0, 1.02, 0.13], [0, 0.99, 0.19]], 0.012, 8)
    splash = box((0.8, 0.55, 0.008), (0, 1.15, 0.004))
    return (("white", joined([bowl, shelf, stem])), ("chrome", tap), ("splash", splash))


def partition(length: float, height: float = 1.25) -> Prop:
    """A cloth-covered screen between desks, along X."""
    return (
        (
            "partition",
            box((length, height - 0.06, 0.045), (0, 0.06 + (height - 0.06) / 2, 0), edge=0.01),
        ),
        (
            "metal",
            joined(
                [
                    box((0.05, 0.03, 0.4), (x, 0.015, 0))
                    for x in (-length / 2 + 0.1, length / 2 - 0.1)
                ]
            ),
        ),
    )


def blinds(width: float, height: float, share: float, slat: float = 0.05) -> Prop:
    """Horizontal blinds that hang ``share`` of the way down in front of a window, from x = 0; the
    window's top at y = 0, the wall's face in z = 0."""
    count = max(2, int(share * height / slat))
    slats = [
        moved(
            turned(box((width, 0.003, slat * 0.8), edge=0.001), roll=0.5),
            (width / 2, -0.04 - slat * k, -0.06),
        )
        for k in range(count)
    ]
    box_ = box((width, 0.04, 0.06), (width / 2, -0.02, -0.06))
    return (("blind", joined([*slats, box_])),)


def water_cooler() -> Prop:
    """A water dispenser with its bottle, 1.35 m."""
    case = box((0.32, 0.98, 0.34), (0, 0.49, 0), edge=0.02)
    bottle = lathe([(0.06, 0.98), (0.135, 1.04), (0.135, 1.3), (0.11, 1.36), (0, 1.38)], 24)
    tray = box((0.22, 0.18, 0.02), (0, 0.72, 0.17))
    return (("white", case), ("water", bottle), ("dark", tray))

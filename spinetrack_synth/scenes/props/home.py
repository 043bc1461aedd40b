"""Furniture of homes: sofas, tables, chairs, bookshelves, kitchens, toys on the floor."""

from __future__ import annotations

from collections.abc import Callable

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
    sphere,
    tube,
    turned,
)


def sofa(rng: Rng, seats: int = 3, *, chaise: bool = False) -> Prop:
    """A sofa along X, its front to +Z, seat 44 cm; with ``chaise`` the last seat is a lounger."""
    arm, wide, depth = rng.uniform(0.12, 0.22), 0.72, 0.92
    inner = seats * wide
    body = [box((inner + 2 * arm, 0.24, depth), (0, 0.2, 0), edge=0.03),
            box((inner + 2 * arm, 0.72, 0.2), (0, 0.46, -depth / 2 + 0.1), edge=0.05)]  # fmt: skip
    body += [box((arm, 0.5, depth), (s * (inner + arm) / 2, 0.38, 0), edge=0.045) for s in (-1, 1)]
    pads = []
    for k in range(seats):
        x = (k - (seats - 1) / 2) * wide
        long = 0.66 if not (chaise and k == seats - 1) else 1.36
        pads.append(box((wide - 0.015, 0.17, long), (x, 0.385, -0.2 + long / 2 - 0.05), edge=0.05))
        back = turned(box((wide - 0.03, 0.42, 0.17), edge=0.06), roll=-0.16)
        pads.append(moved(back, (x, 0.64, -0.22)))
    if chaise:
        x = (seats - 1) / 2 * wide
        body.append(box((wide, 0.24, 0.75), (x, 0.2, depth / 2 + 0.32), edge=0.03))
    feet = [moved(cylinder(0.022, 0.085, segments=10), (x, 0, z))
            for x in (-inner / 2, inner / 2) for z in (-0.36, 0.36)]  # fmt: skip
    parts: list[Part] = [("sofa", joined([*body, *pads])), ("wood", joined(feet))]
    for k in range(int(rng.integers(1, 4))):
        x = rng.uniform(-0.42, 0.42) * inner
        cushion = turned(
            box((0.42, 0.40, 0.14), edge=0.065), roll=-0.35, yaw=rng.uniform(-0.3, 0.3)
        )
        parts.append(("cloth" if k % 2 else "cloth2", moved(cushion, (x, 0.66, -0.04))))
    return tuple(parts)


def armchair(rng: Rng) -> Prop:
    """An armchair, front to +Z."""
    frame = [box((0.06, 0.56, 0.06), (x, 0.28, z)) for x in (-0.33, 0.33) for z in (-0.3, 0.3)]
    frame += [box((0.07, 0.04, 0.72), (x, 0.575, 0), edge=0.012) for x in (-0.33, 0.33)]
    frame += [box((0.66, 0.05, 0.05), (0, 0.27, z)) for z in (-0.3, 0.3)]
    seat = box((0.6, 0.15, 0.62), (0, 0.37, 0.02), edge=0.05)
    back = moved(turned(box((0.6, 0.62, 0.15), edge=0.06), roll=-0.28), (0, 0.70, -0.30))
    return (("wood", joined(frame)), ("cloth2", joined([seat, back])))


def pouffe(finish: str = "cloth") -> Prop:
    """A round padded stool, 40 cm."""
    edge = np.linspace(-np.pi / 2, np.pi / 2, 9)
    profile = [(0, 0), *((0.24 + 0.06 * np.cos(a), 0.2 + 0.2 * np.sin(a)) for a in edge), (0, 0.4)]
    return ((finish, lathe(profile, 28)),)


def coffee_table(rng: Rng) -> Prop:
    """A low table along X with a book, a bowl or a cup on it; 42 cm."""
    long, wide = rng.uniform(0.9, 1.25), rng.uniform(0.5, 0.65)
    if rng.random() < 0.4:
        top = moved(cylinder(wide * 0.72, 0.03, segments=36, edge=0.008), (0, 0.39, 0))
        legs = [tube([[0.3 * c, 0, 0.3 * s], [0.2 * c, 0.39, 0.2 * s]], 0.016, 8)
                for c, s in ((0.7, 0.7), (-0.7, 0.7), (-0.7, -0.7), (0.7, -0.7))]  # fmt: skip
    else:
        top = box((long, 0.035, wide), (0, 0.4025, 0), edge=0.008)
        legs = [
            box((0.045, 0.385, 0.045), (x, 0.1925, z))
            for x in (-long / 2 + 0.06, long / 2 - 0.06)
            for z in (-wide / 2 + 0.06, wide / 2 - 0.06)
        ]
    books = [box((0.28, 0.025, 0.2), (-0.14, 0.4325 + 0.026 * k, 0.05)) for k in range(2)]
    cup = moved(
        lathe([(0, 0), (0.03, 0), (0.04, 0.085), (0.035, 0.085), (0.03, 0.01), (0, 0.01)], 18),
        (0.2, 0.42, -0.08),
    )
    return (
        ("wood", joined([top, *legs])),
        ("book1", books[0]),
        ("book2", books[1]),
        ("white", cup),
    )


def dining_table(length: float, width: float, finish: str = "wood") -> Prop:
    """A table along X, 74 cm."""
    top = box((length, 0.035, width), (0, 0.7225, 0), edge=0.008)
    x, z = length / 2 - 0.08, width / 2 - 0.08
    legs = [box((0.065, 0.705, 0.065), (a, 0.3525, b)) for a in (-x, x) for b in (-z, z)]
    rails = [box((2 * x, 0.08, 0.025), (0, 0.66, b)) for b in (-z, z)]
    rails += [box((0.025, 0.08, 2 * z), (a, 0.66, 0)) for a in (-x, x)]
    return ((finish, joined([top, *legs, *rails])),)


def round_table(radius: float, finish: str = "wood") -> Prop:
    """A round table on one foot, 74 cm."""
    top = moved(cylinder(radius, 0.03, segments=44, edge=0.008), (0, 0.71, 0))
    foot = lathe(
        [(0.28, 0), (0.28, 0.02), (0.06, 0.05), (0.045, 0.2), (0.045, 0.6), (0.1, 0.71)], 24
    )
    return ((finish, joined([top, foot])),)


def chair(kind: int, finish: str = "wood") -> Prop:
    """A chair, seat 45 cm, front to +Z: slats (0), a shell on wire legs (1), padded (2)."""
    legs = [tube([[x, 0, z], [0.9 * x, 0.44, 0.9 * z]], 0.017 if kind != 1 else 0.01, 8)
            for x in (-0.2, 0.2) for z in (-0.2, 0.2)]  # fmt: skip
    if kind == 1:
        seat = box((0.44, 0.03, 0.42), (0, 0.45, 0), edge=0.014)
        back = moved(turned(box((0.42, 0.38, 0.025), edge=0.011), roll=-0.2), (0, 0.66, -0.235))
        return (("chair", joined([seat, back])), ("metal", joined(legs)))
    posts = [
        tube([[x, 0.43, -0.19], [x, 0.66, -0.22], [x, 0.90, -0.28]], 0.016, 8)
        for x in (-0.18, 0.18)
    ]
    if kind == 2:
        seat = box((0.45, 0.07, 0.43), (0, 0.435, 0), edge=0.028)
        back = moved(turned(box((0.42, 0.42, 0.055), edge=0.025), roll=-0.14), (0, 0.70, -0.225))
        return (("chair", joined([seat, back])), (finish, joined(legs)))
    seat = box((0.43, 0.035, 0.42), (0, 0.4325, 0), edge=0.012)
    slats = [
        moved(turned(box((0.36, 0.07, 0.016)), roll=-0.2), (0, y, -0.21 - 0.28 * (y - 0.64)))
        for y in (0.64, 0.75, 0.86)
    ]
    return ((finish, joined([seat, *legs, *posts, *slats])),)


def around(table: Prop, seat: Prop, spots: list[tuple[float, float, float]]) -> list[Prop]:
    """A table and chairs at points x, z with the way they face, rad from +Z."""
    return [table, *(placed(seat, (x, 0, z), yaw=yaw) for x, z, yaw in spots)]


def books(rng: Rng, span: float, height: float, depth: float) -> list[Part]:
    """Books upright along X from 0, of ``book1`` to ``book4``."""
    parts: list[Part] = []
    x = 0.0
    while x < span - 0.05:
        thick = float(rng.uniform(0.018, 0.045))
        tall = height * float(rng.uniform(0.68, 0.95))
        deep = depth * float(rng.uniform(0.7, 0.92))
        if rng.random() < 0.08:
            x += float(rng.uniform(0.05, 0.15))
            continue
        name = f"book{int(rng.integers(1, 5))}"
        spine = box(
            (thick - 0.002, tall, deep),
            (x + thick / 2, tall / 2, deep / 2 - depth / 2 + 0.02),
            edge=0.003,
        )
        parts.append((name, spine))
        x += thick
    return parts


def bookshelf(rng: Rng, width: float, shelves: int, *, back: bool = True) -> Prop:
    """A bookcase along X, its back at z = -0.15, with books and some things."""
    depth, step, board = 0.3, 0.36, 0.022
    high = shelves * step + board
    boards = [box((width, board, depth), (0, board / 2 + k * step, 0)) for k in range(shelves + 1)]
    boards += [
        box((board, high, depth), (s * (width / 2 - board / 2), high / 2, 0)) for s in (-1, 1)
    ]
    parts: list[Part] = [("shelf", joined(boards))]
    if back:
        parts.append(
            ("shelf", rectangle((-width / 2, 0, -depth / 2 + 0.005), (width, 0, 0), (0, high, 0)))
        )
    for k in range(shelves):
        y = board + k * step
        kind = rng.random()
        inner = width - 2 * board
        if kind < 0.6:
            full = inner * rng.uniform(0.6, 1.0)
            parts += placed(tuple(books(rng, full, step - board - 0.03, depth)), (-inner / 2, y, 0))
        elif kind < 0.85:
            few = tuple(books(rng, 0.4 * inner, step - board - 0.03, depth))
            parts += placed(few, (-inner / 2, y, 0))
            vase = lathe(
                [
                    (0, 0),
                    (0.05, 0),
                    (0.075, 0.09),
                    (0.04, 0.18),
                    (0.05, 0.21),
                    (0.045, 0.21),
                    (0, 0.05),
                ],
                20,
            )
            parts.append(("pot", moved(vase, (0.25 * inner, y, 0))))
        else:
            for s in (-0.25, 0.25):
                parts.append(
                    (
                        "basket",
                        box((0.42 * inner, 0.22, 0.26), (s * inner, y + 0.112, 0.01), edge=0.02),
                    )
                )
    return tuple(parts)


def sideboard(
    length: float, height: float = 0.75, finish: str = "wood", *, legs: bool = True
) -> Prop:
    """A low cupboard along X with doors, its back at z = -0.21."""
    foot = 0.14 if legs else 0.04
    body = box((length, height - foot, 0.42), (0, foot + (height - foot) / 2, 0), edge=0.006)
    doors = []
    count = max(2, round(length / 0.48))
    wide = length / count
    knobs = []
    for k in range(count):
        x = (k + 0.5) * wide - length / 2
        doors.append(
            box(
                (wide - 0.008, height - foot - 0.03, 0.018),
                (x, foot + (height - foot) / 2, 0.216),
                edge=0.004,
            )
        )
        side = 1 if k % 2 else -1
        knobs.append(box((0.012, 0.1, 0.02), (x - side * (wide / 2 - 0.05), height - 0.16, 0.232)))
    feet = [
        box((0.04, foot, 0.04), (x, foot / 2, z))
        for x in (-length / 2 + 0.08, length / 2 - 0.08)
        for z in (-0.15, 0.15)
    ]
    return (
        (finish, joined([body, *(feet if legs else [])])),
        ("front", joined(doors)),
        ("metal", joined(knobs)),
    )


def television(width: float = 1.1) -> Prop:
    """A flat screen on its feet along X."""
    tall = width * 9 / 16
    case = box((width + 0.02, tall + 0.02, 0.035), (0, tall / 2 + 0.07, 0), edge=0.006)
    face = rectangle((-width / 2, 0.07, 0.0185), (width, 0, 0), (0, tall, 0))
    feet = [box((0.03, 0.07, 0.22), (x, 0.035, 0)) for x in (-width / 3, width / 3)]
    return (("dark", joined([case, *feet])), ("screen", face))


def toys(rng: Rng) -> Prop:
    """Building blocks, a ball and a toy car strewn about the origin."""
    parts: list[Part] = []
    for _ in range(14):
        size = rng.uniform(0.035, 0.07)
        x, z = rng.uniform(-0.4, 0.4, 2)
        block = turned(
            box((size, size, size * rng.choice([1, 1, 2])), edge=0.004), yaw=rng.uniform(0, 6)
        )
        parts.append((f"book{int(rng.integers(1, 5))}", moved(block, (x, size / 2, z))))
    for k in range(3):
        cube = box((0.05, 0.05, 0.05), (0.05, 0.025 + 0.05 * k, -0.1), edge=0.004)
        parts.append((f"book{k + 1}", cube))
    parts.append(("toy", moved(sphere(0.09, 20), (-0.34, 0.09, 0.22))))
    car = [
        box((0.18, 0.045, 0.085), (0.3, 0.05, 0.25), edge=0.012),
        box((0.09, 0.04, 0.075), (0.29, 0.09, 0.25), edge=0.012),
    ]
    wheels = [
        moved(
            turned(cylinder(0.024, 0.02, segments=12), roll=np.pi / 2), (0.3 + s * 0.055, 0.024, z)
        )
        for s in (-1, 1)
        for z in (0.195, 0.285)
    ]
    return (*parts, ("toy", joined(car)), ("dark", joined(wheels)))


def stairs(rise: int = 12) -> Prop:
    """A flight of wooden stairs that climbs along X from 0, 0.95 m wide, its wall side at z = 0."""
    treads, risers = [], []
    for k in range(rise):
        treads.append(
            box((0.29, 0.04, 0.95), (0.125 + 0.25 * k, 0.18 * (k + 1) - 0.02, 0.475), edge=0.006)
        )
        risers.append(box((0.02, 0.16, 0.93), (0.02 + 0.25 * k, 0.18 * k + 0.08, 0.475)))
    slope = np.arctan2(0.18, 0.25)
    long = float(np.hypot(0.25, 0.18)) * rise
    string = moved(
        turned(box((long, 0.28, 0.035), (long / 2, 0, 0)), pitch=slope), (0.02, 0.02, 0.96)
    )
    posts = [
        box((0.03, 0.9, 0.03), (0.12 + 0.25 * k, 0.18 * (k + 1) + 0.45, 0.94)) for k in range(rise)
    ]
    rail = moved(
        turned(box((long, 0.05, 0.06), (long / 2, 0, 0), edge=0.015), pitch=slope),
        (0.1, 1.06, 0.94),
    )
    return (("wood", joined([*treads, rail])), ("white", joined([*risers, string, *posts])))


# Long as a list of things is: one after another, nothing nested.
def counter(rng: Rng, length: float, *, sink: bool, hob: bool) -> Prop:
    """Base units along X with a worktop at 90 cm, their back at z = -0.3."""
    base = box((length, 0.76, 0.56), (0, 0.48, -0.02), edge=0.004)
    plinth = box((length - 0.02, 0.1, 0.5), (0, 0.05, -0.04))
    top = box((length + 0.02, 0.035, 0.63), (0, 0.8825, 0.005), edge=0.006)
    fronts, handles = [], []
    count = max(1, round(length / 0.58))
    wide = length / count
    for k in range(count):
        x = (k + 0.5) * wide - length / 2
        drawers = 3 if rng.random() < 0.35 else 1
        for d in range(drawers):
            tall = 0.74 / drawers
            y = 0.11 + (d + 0.5) * tall
            fronts.append(box((wide - 0.006, tall - 0.006, 0.02), (x, y, 0.27), edge=0.003))
            handles.append(box((0.14, 0.012, 0.022), (x, y + tall / 2 - 0.05, 0.292)))
    parts: list[Part] = [
        ("unit", base),
        ("dark", plinth),
        ("worktop", top),
        ("front", joined(fronts)),
        ("metal", joined(handles)),
    ]
    if sink:
        bowl = [
            rectangle((-0.27, 0.9005, 0.2), (0.54, 0, 0), (0, 0, -0.38)),
            box((0.6, 0.006, 0.02), (0, 0.902, 0.21)),
            box((0.6, 0.006, 0.02), (0, 0.902, -0.19)),
            box((0.02, 0.006, 0.42), (-0.29, 0.902, 0.01)),
            box((0.02, 0.006, 0.42), (0.29, 0.902, 0.01)),
        ]
        tap = tube(
            [
                [0, 0.9, -0.24],
                [0, 1.12, -0.24],
                [0, 1.2, -0.18],
                [0, 1.18, -0.08],
                [0, 1.12, -0.06],
            ],
            0.012,
            8,
        )
        at = (-0.25 * length, 0, 0)
        parts += [("metal", moved(joined([*bowl[1:], tap]), at)), ("basin", moved(bowl[0], at))]
    if hob:
        at = (0.25 * length, 0, 0)
        plate = box((0.58, 0.006, 0.5), (0, 0.903, 0), edge=0.002)
        rings = [
            moved(cylinder(0.085, 0.002, segments=24), (x, 0.906, z))
            for x in (-0.14, 0.14)
            for z in (-0.11, 0.12)
        ]
        oven = [box((0.56, 0.52, 0.02), (0, 0.46, 0.285)), box((0.56, 0.1, 0.02), (0, 0.79, 0.285))]
        pane = rectangle((-0.22, 0.28, 0.2965), (0.44, 0, 0), (0, 0.32, 0))
        bar = box((0.46, 0.02, 0.03), (0, 0.69, 0.31))
        pan = lathe(
            [(0, 0.908), (0.1, 0.908), (0.11, 0.98), (0.105, 0.98), (0.09, 0.915), (0, 0.915)], 24
        )
        parts += [
            ("screen", moved(joined([plate, pane]), at)),
            ("oven", moved(joined(oven), at)),
            ("metal", moved(joined([bar, *rings, moved(pan, (-0.14, 0, 0.12))]), at)),
        ]
    return tuple(parts)


def wall_units(length: float, *, hood_at: float | None = None) -> Prop:
    """Wall cupboards along X from 1.45 to 2.15 m, their back at z = -0.3; a hood where there is a
    hob."""
    fronts, bodies, handles = [], [], []
    count = max(1, round(length / 0.58))
    wide = length / count
    parts: list[Part] = []
    for k in range(count):
        x = (k + 0.5) * wide - length / 2
        if hood_at is not None and abs(x - hood_at) < 0.6 * wide:
            continue
        bodies.append(box((wide, 0.7, 0.33), (x, 1.8, -0.135), edge=0.003))
        fronts.append(box((wide - 0.006, 0.694, 0.02), (x, 1.8, 0.04), edge=0.003))
        handles.append(box((0.012, 0.12, 0.022), (x + (0.4 if k % 2 else -0.4) * wide, 1.55, 0.06)))
    if hood_at is not None:
        flue = [
            box((0.28, 0.75, 0.26), (hood_at, 1.95, -0.17)),
            box((0.6, 0.07, 0.46), (hood_at, 1.58, -0.07), edge=0.01),
        ]
        parts.append(("oven", joined(flue)))
    if bodies:
        parts += [("unit", joined(bodies)), ("front", joined(fronts)), ("metal", joined(handles))]
    return tuple(parts)


def fridge(height: float = 1.85, finish: str = "fridge") -> Prop:
    """A fridge with a freezer below, front to +Z."""
    body = box((0.6, height, 0.6), (0, height / 2, 0), edge=0.01)
    low = 0.34 * height
    doors = [
        box((0.596, low - 0.06, 0.045), (0, low / 2 + 0.03, 0.32), edge=0.012),
        box((0.596, height - low - 0.01, 0.045), (0, (height + low) / 2, 0.32), edge=0.012),
    ]
    grips = [box((0.02, 0.4, 0.03), (-0.26, y, 0.36), edge=0.006) for y in (low - 0.3, low + 0.32)]
    return ((finish, joined([body, *doors])), ("metal", joined(grips)))


def worktop_things(rng: Rng, length: float) -> Prop:
    """Kettle, jars, a board, a bowl of fruit along X at y = 0.9."""
    parts: list[Part] = []
    makers: tuple[Callable[[], list[Part]], ...] = (
        lambda: [
            (
                "metal",
                lathe(
                    [(0, 0), (0.075, 0), (0.085, 0.05), (0.06, 0.2), (0.03, 0.23), (0, 0.235)], 22
                ),
            )
        ],
        lambda: [
            ("pot", moved(cylinder(0.05, 0.16 - 0.03 * k, segments=20), (0.12 * k, 0, 0)))
            for k in range(3)
        ],
        lambda: [("wood", moved(turned(box((0.28, 0.4, 0.02)), roll=-0.18), (0, 0.2, -0.2)))],
        lambda: [
            (
                "white",
                lathe(
                    [(0, 0), (0.06, 0), (0.13, 0.08), (0.125, 0.08), (0.05, 0.012), (0, 0.012)], 24
                ),
            ),
            *(
                ("toy", moved(sphere(0.038, 12), (0.05 * np.cos(a), 0.07, 0.05 * np.sin(a))))
                for a in (0.2, 2.2, 4.2)
            ),
        ],
        lambda: [("oven", box((0.3, 0.18, 0.18), (0, 0.09, 0), edge=0.03))],
    )
    order = rng.permutation(len(makers))
    for k, x in enumerate(np.linspace(-0.4, 0.4, 4) * length):
        made = makers[int(order[k])]()
        parts += placed(tuple(made), (float(x + rng.uniform(-0.1, 0.1)), 0.9, -0.05))
    return tuple(parts)

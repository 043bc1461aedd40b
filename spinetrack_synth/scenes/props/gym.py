"""What stands in gyms: racks, plates, dumbbells, benches, cables, machines."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.scenes.place import Part, Prop, placed
from spinetrack_synth.scenes.shapes import (
    Mesh,
    Rng,
    box,
    cylinder,
    joined,
    lathe,
    moved,
    sphere,
    tube,
    turned,
)

_PLATES_M = ((0.225, 0.062), (0.225, 0.045), (0.18, 0.032), (0.14, 0.025), (0.10, 0.02))
"""Radius and thickness of bumper and iron plates, from 20 kg down (IWF: 450 mm across)."""


def _plate(radius: float, thick: float) -> Mesh:
    """A disc along X from x = 0, with a hub and a raised rim."""
    r, t = radius, thick
    profile = [(0, 0.12 * t), (0.8 * r, 0.12 * t), (0.85 * r, 0), (0.97 * r, 0), (r, 0.15 * t),
               (r, 0.85 * t), (0.97 * r, t), (0.85 * r, t), (0.8 * r, 0.88 * t),
               (0, 0.88 * t)]  # fmt: skip
    return turned(lathe(profile, 22), pitch=-np.pi / 2)


def loaded_bar(rng: Rng, plates: int) -> Prop:
    """A 2.2 m barbell along X at y = 0 with so many plates a side."""
    parts: list[Part] = [
        (
            "chrome",
            moved(turned(cylinder(0.014, 1.32, segments=12), pitch=-np.pi / 2), (-0.66, 0, 0)),
        )
    ]
    first = int(rng.integers(0, 2))
    for side in (-1.0, 1.0):
        sleeve = turned(cylinder(0.025, 0.43, segments=12), pitch=-np.pi / 2)
        collar = turned(cylinder(0.036, 0.03, segments=16), pitch=-np.pi / 2)
        x = 0.0
        discs = []
        for k in range(plates):
            radius, thick = _PLATES_M[min(first + k, 4)]
            discs.append((k, moved(_plate(radius, thick), (0.03 + x, 0, 0))))
            x += thick + 0.002
        yaw = 0.0 if side > 0 else np.pi
        half: list[Part] = [("chrome", joined([sleeve, collar]))]
        half += [("plate" if k % 2 == 0 else "plate2", disc) for k, disc in discs]
        parts += placed(placed(tuple(half), (0.66, 0, 0)), (0, 0, 0), yaw=yaw)
    return tuple(parts)


def rack(rng: Rng, *, deep: bool, plates: int) -> Prop:
    """A power rack (``deep``) or a squat stand, 2.3 m high, with a bar on its hooks, along X."""
    depth, wide, high = (1.2 if deep else 0.0), 1.1, rng.uniform(2.15, 2.35)
    posts, holes = [], []
    fronts = (0.0, -depth) if deep else (0.0,)
    for x in (-wide / 2, wide / 2):
        for z in fronts:
            posts.append(box((0.07, high, 0.07), (x, high / 2, z)))
            holes += [box((0.022, 0.022, 0.072), (x, y, z), edge=0.002)
                      for y in np.arange(0.3, high - 0.15, 0.16)]  # fmt: skip
        if deep:
            posts += [box((0.07, 0.07, depth), (x, y, -depth / 2)) for y in (0.035, high - 0.035)]
        else:
            posts.append(box((0.07, 0.07, 1.1), (x, 0.035, -0.1)))
    posts += [box((wide, 0.07, 0.07), (0, y, fronts[-1])) for y in (0.2, high - 0.035)]
    bar_up = 1.42
    grip = moved(turned(cylinder(0.016, wide, segments=12), pitch=-np.pi / 2),
                 (-wide / 2, high - 0.06, 0))  # fmt: skip
    hooks = [box((0.05, 0.12, 0.13), (x, bar_up - 0.07, 0.06)) for x in (-wide / 2, wide / 2)]
    parts: list[Part] = [("frame", joined([*posts])), ("dark", joined([*holes, *hooks])),
                         ("chrome", grip)]  # fmt: skip
    if deep:
        safety = [box((0.05, 0.06, depth), (x, 0.62, -depth / 2)) for x in (-wide / 2, wide / 2)]
        parts.append(("dark", joined(safety)))
    parts += placed(loaded_bar(rng, plates), (0, bar_up, 0.085))
    return tuple(parts)


def plate_tree(rng: Rng) -> Prop:
    """An upright stand with plates on its pegs."""
    frame = [box((0.06, 1.25, 0.06), (0, 0.625, 0)), box((0.6, 0.06, 0.08), (0, 0.03, 0)),
             box((0.08, 0.06, 0.6), (0, 0.03, 0))]  # fmt: skip
    parts: list[Part] = []
    for level, y in enumerate((0.32, 0.78, 1.14)):
        radius, thick = _PLATES_M[2 * level if level else int(rng.integers(0, 2))]
        for side in (0.0, np.pi):
            count = int(rng.integers(1, 4))
            discs = [moved(_plate(radius, thick), (0.035 + k * thick, 0, 0)) for k in range(count)]
            peg = turned(cylinder(0.024, 0.22, segments=10), pitch=-np.pi / 2)
            finish = "plate" if level == 0 else "plate2"
            parts += placed(((finish, joined(discs)), ("chrome", peg)), (0, y, 0), yaw=side)
    return (("frame", joined(frame)), *parts)


def dumbbell(weight: float, finish: str = "plate") -> Prop:
    """A hexagonal dumbbell along X on y = 0; ``weight`` 0..1 from 2 to 40 kg."""
    r = 0.04 + 0.05 * weight
    long = 0.06 + 0.07 * weight
    head = turned(
        lathe(
            [
                (0, 0),
                (0.8 * r, 0),
                (0.8 * r, 0),
                (r, 0.012),
                (r, long - 0.012),
                (0.8 * r, long),
                (0.8 * r, long),
                (0, long),
            ],
            6,
        ),
        pitch=-np.pi / 2,
    )
    rise = (0.0, r * 0.87, 0.0)
    heads = [moved(head, (0.065, *rise[1:])), moved(head, (-0.065 - long, *rise[1:]))]
    grip = moved(tube(np.outer([-0.07, 0, 0.07], [1, 0, 0]), 0.016, 7), rise)
    return ((finish, joined(heads)), ("chrome", grip))


def dumbbell_rack(length: float = 2.2, tiers: int = 3) -> Prop:
    """Dumbbells on sloping shelves along X, the light ones on top."""
    frame, parts = [], []
    for x in (-length / 2 + 0.05, length / 2 - 0.05):
        frame.append(turned(box((0.06, 0.36 * tiers + 0.15, 0.08)), roll=-0.28))
        frame[-1] = moved(frame[-1], (x, 0.18 * tiers + 0.07, -0.06))
        frame.append(box((0.06, 0.06, 0.6), (x, 0.03, 0)))
    for tier in range(tiers):
        y, z = 0.24 + 0.36 * tier, 0.12 - 0.11 * tier
        tray = moved(turned(box((length, 0.02, 0.30)), roll=0.22), (0, y, z))
        lip = box((length, 0.05, 0.02), (0, y - 0.015, z + 0.15))
        frame += [tray, lip]
        weight = 1.0 - tier / max(1, tiers - 1) * 0.75
        step = 0.13 + 0.07 * weight
        count = int((length - 0.15) / step)
        for k in range(count):
            x = (k - (count - 1) / 2) * step
            one = dumbbell(max(0.0, weight - 0.2 * k / count))
            lying = placed(one, (0, 0, 0), yaw=np.pi / 2)
            parts += [(n, moved(turned(m, roll=0.22), (x, y + 0.012, z))) for n, m in lying]
    return (("frame", joined(frame)), *parts)


def flat_bench(rng: Rng, *, incline: bool = False) -> Prop:
    """A padded bench along X, 44 cm high, its back flat or raised."""
    pitch = 0.75 if incline else 0.0
    seat = box((0.36, 0.07, 0.29), (0.42, 0.405, 0), edge=0.02)
    back = turned(box((0.82, 0.07, 0.29), (-0.41, 0, 0), edge=0.02), pitch=-pitch)
    back = moved(back, (0.225, 0.405, 0))
    frame = [box((1.15, 0.06, 0.06), (0, 0.2, 0)), box((0.06, 0.17, 0.06), (-0.3, 0.28, 0)),
             box((0.06, 0.17, 0.06), (0.42, 0.28, 0)), box((0.06, 0.2, 0.06), (-0.5, 0.12, 0)),
             box((0.06, 0.2, 0.06), (0.5, 0.12, 0)), box((0.08, 0.05, 0.56), (-0.5, 0.025, 0)),
             box((0.08, 0.05, 0.42), (0.5, 0.025, 0))]  # fmt: skip
    if incline:
        frame.append(tube([[-0.28, 0.2, 0], [-0.18, 0.5, 0], [-0.12, 0.68, 0]], 0.02, 6))
    return (("pad", joined([seat, back])), ("frame", joined(frame)))


def cable_tower(rng: Rng) -> Prop:
    """A cable machine 2.2 m high: two posts, a stack of weights, a pulley, a handle on its rope."""
    high, wide = rng.uniform(2.05, 2.3), 0.46
    frame = [box((0.08, high, 0.08), (x, high / 2, 0)) for x in (-wide / 2, wide / 2)]
    frame += [
        box((wide, 0.09, 0.1), (0, high - 0.045, 0)),
        box((wide + 0.2, 0.06, 0.7), (0, 0.03, 0.1)),
        box((0.1, 0.1, 0.3), (0, high - 0.05, 0.2)),
    ]
    blocks = [
        box((wide - 0.12, 0.042, 0.11), (0, 0.09 + 0.046 * k, 0), edge=0.003) for k in range(16)
    ]
    rods = [moved(cylinder(0.012, high - 0.1, segments=8), (x, 0.05, 0)) for x in (-0.09, 0.09)]
    wheel = moved(
        turned(cylinder(0.055, 0.03, segments=20), roll=np.pi / 2), (-0.0, high - 0.12, 0.32)
    )
    rope = tube([[0, high - 0.12, 0.37], [0, 1.9, 0.37], [0, 1.62, 0.37]], 0.004, 5)
    handle = [
        tube([[0, 1.62, 0.37], [-0.07, 1.5, 0.37]], 0.006, 5),
        tube([[0, 1.62, 0.37], [0.07, 1.5, 0.37]], 0.006, 5),
        moved(turned(cylinder(0.015, 0.15, segments=10), pitch=-np.pi / 2), (-0.075, 1.5, 0.37)),
    ]
    return (("frame", joined(frame)), ("plate", joined(blocks)), ("chrome", joined(rods)),
            ("dark", joined([wheel, rope, *handle])))  # fmt: skip


def treadmill(rng: Rng) -> Prop:
    """A treadmill along Z, its front with the console at -Z."""
    deck = box((0.74, 0.16, 1.75), (0, 0.10, 0), edge=0.02)
    belt = box((0.5, 0.012, 1.62), (0, 0.184, 0.02), edge=0.004)
    hood = box((0.76, 0.14, 0.34), (0, 0.22, -0.74), edge=0.04)
    rails = []
    for x in (-0.36, 0.36):
        rails.append(tube([[x, 0.15, -0.62], [x, 0.7, -0.72], [x, 1.12, -0.76]], 0.028, 8))
        rails.append(tube([[x, 0.95, -0.74], [x, 0.97, -0.4], [x, 0.96, -0.12]], 0.02, 8))
    panel = moved(turned(box((0.74, 0.34, 0.06), edge=0.02), roll=-0.45), (0, 1.22, -0.78))
    screen = moved(turned(box((0.44, 0.22, 0.012)), roll=-0.45), (0, 1.235, -0.748))
    return (("shell", joined([deck, hood, panel])), ("dark", joined([belt])), ("screen", screen),
            ("frame", joined(rails)))  # fmt: skip


def bicycle(rng: Rng) -> Prop:
    """An exercise bicycle along Z, handlebars at -Z."""
    disc = moved(
        turned(cylinder(0.24, 0.05, segments=28, edge=0.01), pitch=np.pi / 2), (0.025, 0.36, -0.38)
    )
    feet = [box((0.5, 0.05, 0.07), (0, 0.025, z)) for z in (-0.5, 0.5)]
    frame = [
        tube([[0, 0.06, -0.5], [0, 0.12, 0.0], [0, 0.06, 0.5]], 0.03, 8),
        tube([[0, 0.12, 0.05], [0, 0.5, 0.12], [0, 0.92, 0.24]], 0.03, 8),
        tube([[0, 0.36, -0.38], [0, 0.8, -0.36], [0, 1.1, -0.42]], 0.03, 8),
        tube([[0, 0.36, -0.38], [0, 0.40, -0.1], [0, 0.42, 0.1]], 0.035, 8),
    ]
    bars = tube(
        [[-0.23, 1.15, -0.2], [-0.2, 1.14, -0.42], [0.2, 1.14, -0.42], [0.23, 1.15, -0.2]], 0.016, 8
    )
    saddle = moved(box((0.2, 0.07, 0.26), edge=0.03), (0, 0.95, 0.26))
    console = moved(turned(box((0.2, 0.14, 0.03)), roll=-0.5), (0, 1.22, -0.46))
    crank = [
        tube(
            [
                [s * 0.07, 0.38, 0.0],
                [s * 0.08, 0.38 - s * 0.1, 0.0],
                [s * 0.08, 0.38 - s * 0.17, 0.0],
            ],
            0.012,
            6,
        )
        for s in (-1, 1)
    ]
    pedals = [box((0.1, 0.02, 0.08), (s * 0.13, 0.38 - s * 0.17, 0.0)) for s in (-1, 1)]
    return (("frame", joined([*feet, *frame])), ("shell", disc),
            ("dark", joined([bars, saddle, *crank, *pedals])), ("screen", console))  # fmt: skip


def press_machine(rng: Rng) -> Prop:
    """A machine with a seat, a stack of weights behind it and two levers, its front to +Z."""
    high = rng.uniform(1.5, 1.75)
    frame = [box((0.07, high, 0.07), (x, high / 2, -0.45)) for x in (-0.25, 0.25)]
    frame += [
        box((0.57, 0.07, 0.07), (0, high - 0.035, -0.45)),
        box((0.07, 0.07, 1.25), (0, 0.035, 0.1)),
        box((0.6, 0.06, 0.07), (0, 0.03, 0.65)),
        box((0.62, 0.06, 0.09), (0, 0.03, -0.45)),
        box((0.07, 0.75, 0.07), (0, 0.75, -0.16)),
        box((0.07, 0.4, 0.07), (0, 0.22, 0.2)),
        box((0.07, 0.07, 0.35), (0, 0.85, -0.3)),
    ]
    stack = [box((0.36, 0.04, 0.1), (0, 0.1 + 0.044 * k, -0.45), edge=0.003) for k in range(14)]
    pads = [
        box((0.36, 0.08, 0.38), (0, 0.46, 0.2), edge=0.025),
        moved(turned(box((0.34, 0.62, 0.08), edge=0.025), roll=-0.12), (0, 0.86, -0.08)),
    ]
    levers = []
    for s in (-1, 1):
        levers.append(
            tube(
                [[s * 0.3, high - 0.05, -0.4], [s * 0.44, 1.25, -0.1], [s * 0.42, 0.98, 0.22]],
                0.024,
                8,
            )
        )
        levers.append(
            tube([[s * 0.42, 0.98, 0.2], [s * 0.34, 0.98, 0.3], [s * 0.24, 0.98, 0.3]], 0.018, 8)
        )
    shroud = box((0.44, 0.75, 0.02), (0, 0.45, -0.52))
    return (("frame", joined(frame)), ("plate", joined(stack)), ("pad", joined(pads)),
            ("dark", joined([*levers, shroud])))  # fmt: skip


def kettlebell(size: float = 1.0) -> Prop:
    """A kettlebell, about 28 cm high."""
    ball = moved(sphere(0.1 * size, 20), (0, 0.095 * size, 0))
    angle = np.linspace(-0.55, np.pi + 0.55, 13)
    path = size * np.column_stack([0.055 * np.cos(angle), 0.2 + 0.055 * np.sin(angle), 0 * angle])
    return (("plate", joined([ball, tube(path, 0.017 * size, 8)])),)


def kettlebells(rng: Rng, count: int) -> Prop:
    """A row of kettlebells along X, the big ones last."""
    parts: list[Part] = []
    for k in range(count):
        bell = kettlebell(0.75 + 0.35 * k / count)
        parts += placed(bell, (0.26 * (k - (count - 1) / 2), 0, rng.uniform(-0.02, 0.02)),
                        yaw=rng.uniform(-0.4, 0.4))  # fmt: skip
    return tuple(parts)


def jump_box(height: float) -> Prop:
    """A plywood box to jump on."""
    return (("wood", box((0.76, height, 0.6), (0, height / 2, 0), edge=0.006)),)


def ball(radius: float, finish: str = "ball") -> Prop:
    """A ball on the floor."""
    return ((finish, moved(sphere(radius, 28), (0, radius, 0))),)


def punch_bag(drop: float) -> Prop:
    """A leather bag that hangs ``drop`` m under y = 0 on its chains."""
    bag = moved(cylinder(0.18, 1.1, segments=24, edge=0.04), (0, -drop - 1.1, 0))
    chains = [
        tube(np.outer([1, 0.5, 0], [0.13 * c, -drop, 0.13 * s]), 0.008, 5)
        for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))
    ]
    return (("pad", bag), ("chrome", joined(chains)))

"""What stands in streets: lamps, bins, bollards, signs, planters, tables of cafes, shelters."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.scenes.place import Part, Prop, placed
from spinetrack_synth.scenes.props import plants
from spinetrack_synth.scenes.shapes import (
    Array,
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
from spinetrack_synth.shot import AreaLight


def street_lamp(height: float = 6.5, reach: float = 1.2) -> tuple[Prop, AreaLight]:
    """A mast with an arm to +Z, and its light, which shines down."""
    turn = np.linspace(0, np.pi / 2, 7)
    arm = np.column_stack(
        [0 * turn, height - reach + reach * np.sin(turn), reach * (1 - np.cos(turn))]
    )
    mast = [lathe([(0.11, 0), (0.11, 1.0), (0.08, 1.1), (0.06, height - reach)], 14),
            tube(np.vstack([arm, [[0, height, reach + 0.25]]]), 0.045, 8)]  # fmt: skip
    head = box((0.26, 0.11, 0.62), (0, height - 0.02, reach + 0.45), edge=0.03)
    lamp = AreaLight((0, height - 0.09, reach + 0.45), (0.11, 0, 0), (0, 0, 0.26), (1.0, 1.0, 1.0))
    return (("metal", joined([*mast, head])),), lamp


def lantern(height: float = 3.8) -> tuple[Prop, AreaLight]:
    """An old lamp with a glass lantern under a hood, and its light, which shines down."""
    mast = lathe([(0.16, 0), (0.16, 0.2), (0.09, 0.35), (0.055, 0.9), (0.045, height - 0.7),
                  (0.08, height - 0.66), (0.05, height - 0.6)], 14)  # fmt: skip
    y = height - 0.6
    glass = lathe([(0.11, y), (0.19, y + 0.42), (0.19, y + 0.42), (0, y + 0.43)], 6)
    hood = lathe([(0.23, y + 0.42), (0.23, y + 0.44), (0.07, y + 0.60), (0, y + 0.68)], 6)
    bars = [
        tube(
            [
                [0.115 * np.cos(a), y, 0.115 * np.sin(a)],
                [0.195 * np.cos(a), y + 0.42, 0.195 * np.sin(a)],
            ],
            0.012,
            4,
        )
        for a in np.linspace(0, 2 * np.pi, 7)[:-1]
    ]
    lamp = AreaLight((0, y - 0.02, 0), (0.24, 0, 0), (0, 0, 0.24), (0.8, 0.8, 0.8))
    return (("metal", joined([mast, hood, *bars])), ("lamp_glass", glass)), lamp


def set_down(lamp: AreaLight, at: tuple[float, float, float], yaw: float) -> AreaLight:
    """A lamp's light turned about Y and moved with its mast."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    about = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    center, u, v = (
        about @ np.array(side) for side in (lamp.center_world, lamp.half_u_world, lamp.half_v_world)
    )
    return AreaLight(_xyz(center + np.array(at)), _xyz(u), _xyz(v), lamp.radiance)


def _xyz(vector: Array) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in vector)
    return x, y, z


def bin_(finish: str = "bin") -> Prop:
    """A litter bin on a post, 95 cm high."""
    pot = lathe(
        [(0, 0.2), (0.17, 0.2), (0.2, 0.85), (0.2, 0.85), (0.17, 0.85), (0.15, 0.3), (0, 0.3)], 20
    )
    post = box((0.06, 0.95, 0.06), (0, 0.475, -0.2))
    lid = moved(cylinder(0.22, 0.03, segments=20), (0, 0.95, 0))
    return ((finish, joined([pot, lid])), ("metal", post))


def wheelie_bins(rng: Rng) -> Prop:
    """Three wheeled bins beside each other, 1.07 m high."""
    parts: list[Part] = []
    for k, name in enumerate(rng.permutation(["bin", "bin2", "car_dark"]).tolist()):
        x = 0.66 * (k - 1)
        body = lathe([(0, 0.06), (0.25, 0.06), (0.33, 0.95), (0.33, 0.95), (0, 0.96)], 4)
        body = moved(turned(body, yaw=np.pi / 4), (x, 0, 0))
        lid = moved(turned(box((0.56, 0.06, 0.6), edge=0.02), roll=-0.06), (x, 1.0, 0.0))
        wheels = [box((0.05, 0.2, 0.2), (x + s * 0.24, 0.1, -0.22), edge=0.06) for s in (-1, 1)]
        parts += [(name, joined([body, lid])), ("tyre", joined(wheels))]
    return tuple(parts)


def bollard() -> Prop:
    """A bollard, 90 cm."""
    return (("metal", lathe([(0.07, 0), (0.07, 0.78), (0.09, 0.8), (0.06, 0.86), (0, 0.9)], 14)),)


def sign(kind: str) -> Prop:
    """A traffic sign, 2.6 m: ``round`` or ``square``, front to +Z."""
    post = cylinder(0.03, 2.6, segments=10)
    if kind == "round":
        face = moved(
            turned(cylinder(0.3, 0.015, segments=32, edge=0.003), roll=np.pi / 2), (0, 2.3, 0.03)
        )
        inner = moved(
            turned(cylinder(0.22, 0.004, segments=32, edge=0.001), roll=np.pi / 2), (0, 2.3, 0.046)
        )
        return (("metal", post), ("sign_red", face), ("sign_white", inner))
    face = box((0.6, 0.6, 0.015), (0, 2.25, 0.04), edge=0.005)
    inner = box((0.36, 0.36, 0.004), (0, 2.25, 0.05), edge=0.001)
    return (("metal", post), ("sign_blue", face), ("sign_white", inner))


def planter(rng: Rng, length: float = 1.4) -> Prop:
    """A trough with a low hedge along X."""
    trough = box((length, 0.5, 0.5), (0, 0.25, 0), edge=0.012)
    green = plants.bush(rng, (length - 0.1, 0.75, 0.55), leaf_m=0.06, count=420, finish="leaf2")
    return (("stone", trough), *placed(green, (0, 0.42, 0)))


def cafe_table(rng: Rng, chairs: int = 2) -> Prop:
    """A round table with chairs around it."""
    top = moved(cylinder(0.34, 0.025, segments=28), (0, 0.71, 0))
    leg = [cylinder(0.03, 0.71, segments=10), cylinder(0.22, 0.02, segments=20)]
    parts: list[Part] = [("wood", top), ("metal", joined(leg))]
    for k in range(chairs):
        yaw = 2 * np.pi * k / chairs + rng.uniform(-0.3, 0.3)
        seat = placed(bistro_chair(), (0, 0, 0.62), yaw=np.pi)
        parts += placed(seat, (0, 0, 0), yaw=yaw)
    return tuple(parts)


def bistro_chair() -> Prop:
    """A light chair, seat 45 cm, front to +Z."""
    legs = [
        tube([[x, 0, z], [0.85 * x, 0.44, 0.85 * z]], 0.012, 6)
        for x in (-0.19, 0.19)
        for z in (-0.19, 0.19)
    ]
    back = [
        tube(
            [[-0.17, 0.44, -0.17], [-0.17, 0.85, -0.24], [0.17, 0.85, -0.24], [0.17, 0.44, -0.17]],
            0.012,
            6,
        )
    ]
    slats = [box((0.38, 0.015, 0.06), (0, 0.452, z)) for z in np.linspace(-0.16, 0.16, 5)]
    slats += [
        moved(turned(box((0.33, 0.06, 0.012)), roll=-0.15), (0, y, -0.225)) for y in (0.66, 0.76)
    ]
    return (("wood", joined(slats)), ("metal", joined([*legs, *back])))


def shelter() -> Prop:
    """A bus stop: roof, glass on three sides, a bench; along X, open to +Z."""
    posts = [box((0.07, 2.4, 0.07), (x, 1.2, z)) for x in (-1.9, 1.9) for z in (-0.65, 0.55)]
    roof = box((4.2, 0.1, 1.6), (0, 2.45, 0), edge=0.03)
    seat = box((2.4, 0.05, 0.35), (0, 0.46, -0.35))
    feet = [box((0.05, 0.44, 0.3), (x, 0.22, -0.35)) for x in (-0.9, 0.9)]
    panel = box((0.9, 1.5, 0.08), (1.4, 1.25, -0.6))
    rails = [box((3.8, 0.05, 0.05), (0, y, -0.65)) for y in (0.25, 1.2, 2.1)]
    return (("metal", joined([*posts, roof, *feet, *rails])), ("wood", seat), ("sign", panel))


def fountain() -> Prop:
    """A round stone basin with a column, 4.4 m across."""
    basin = lathe(
        [
            (2.2, 0),
            (2.2, 0.5),
            (2.25, 0.55),
            (2.25, 0.6),
            (1.95, 0.6),
            (1.95, 0.6),
            (1.95, 0.3),
            (0, 0.3),
        ],
        40,
    )
    column = lathe(
        [
            (0.5, 0.2),
            (0.5, 0.5),
            (0.25, 0.7),
            (0.2, 1.5),
            (0.3, 1.6),
            (0.9, 1.75),
            (0.95, 1.85),
            (0.8, 1.85),
            (0.2, 1.75),
            (0.16, 2.3),
            (0.25, 2.45),
            (0, 2.6),
        ],
        28,
    )
    water = moved(cylinder(1.96, 0.01, segments=40), (0, 0.44, 0))
    return (("stone", joined([basin, column])), ("water", water))


def statue() -> Prop:
    """An obelisk on steps, 6 m."""
    steps = [
        box((2.6 - 0.5 * k, 0.25, 2.6 - 0.5 * k), (0, 0.125 + 0.25 * k, 0), edge=0.02)
        for k in range(3)
    ]
    base = box((0.95, 1.1, 0.95), (0, 1.3, 0), edge=0.03)
    shaft = turned(lathe([(0.48, 1.85), (0.34, 5.4), (0.34, 5.4), (0, 5.9)], 4), yaw=np.pi / 4)
    return (
        ("stone", joined([*steps, base, shaft])),
        ("metal", moved(sphere(0.16, 14), (0, 6.0, 0))),
    )


def cycle_stand(count: int) -> Prop:
    """Bent tubes to lock bicycles to, along X."""
    hoops = []
    for k in range(count):
        x = 0.8 * (k - (count - 1) / 2)
        turn = np.linspace(0, np.pi, 9)
        bow = np.column_stack([0 * turn + x, 0.55 + 0.25 * np.sin(turn), 0.35 * np.cos(turn)])
        hoops.append(tube(np.vstack([[[x, 0, 0.35]], bow, [[x, 0, -0.35]]]), 0.024, 8))
    return (("metal", joined(hoops)),)

"""Lamps under ceilings, with the rectangle of each that shines."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.scenes.place import Part, Prop
from spinetrack_synth.scenes.shapes import (
    Mesh,
    box,
    cylinder,
    joined,
    lathe,
    moved,
    rectangle,
    tube,
)
from spinetrack_synth.shot import AreaLight


def _down(x: float, y: float, z: float, long: float, wide: float) -> AreaLight:
    return AreaLight((x, y, z), (long / 2, 0.0, 0.0), (0.0, 0.0, wide / 2), (1.0, 1.0, 1.0))


def grid(length: float, width: float, columns: int, rows: int) -> list[tuple[float, float]]:
    """Points x, z of ``columns`` by ``rows`` lamps spread over a ceiling about the origin."""
    xs = (np.arange(columns) + 0.5) / columns * length - length / 2
    zs = (np.arange(rows) + 0.5) / rows * width - width / 2
    return [(float(x), float(z)) for x in xs for z in zs]


def strips(
    points: list[tuple[float, float]], height: float, *, long: float = 1.25, wide: float = 0.16,
    drop: float = 0.0, turned: bool = False,
) -> tuple[list[Part], list[AreaLight]]:  # fmt: skip
    """Straight lamps under a ceiling or hung ``drop`` m from it, along X or ``turned`` along Z."""
    cases: list[Mesh] = []
    lamps = []
    sx, sz = (wide, long) if turned else (long, wide)
    for x, z in points:
        y = height - drop - 0.03
        cases.append(box((sx, 0.06, sz), (x, y, z)))
        lamps.append(_down(x, y - 0.035, z, sx - 0.03, sz - 0.03))
        if drop:
            dx, dz = 0.4 * (sx - 0.1), 0.4 * (sz - 0.1)
            for s in (-1, 1):
                line = [[x + s * dx, y, z + s * dz], [x + s * dx, y + drop, z + s * dz]]
                cases.append(tube(line, 0.004, 5))
    return [("frame", joined(cases))], lamps


def panels(
    points: list[tuple[float, float]], height: float, side: float = 0.6
) -> tuple[list[Part], list[AreaLight]]:
    """Square panels flush with a ceiling of boards."""
    rims = []
    lamps = []
    for x, z in points:
        h, w = side / 2, 0.02
        for s in (-1, 1):
            rims.append(
                box((side + 2 * w, 0.012, w), (x, height - 0.006, z + s * (h + w / 2)), edge=0.002)
            )
            rims.append(box((w, 0.012, side), (x + s * (h + w / 2), height - 0.006, z), edge=0.002))
        lamps.append(_down(x, height - 0.004, z, side, side))
    return [("white", joined(rims))], lamps


def bells(
    points: list[tuple[float, float]], height: float, drop: float, radius: float = 0.22
) -> tuple[list[Part], list[AreaLight]]:
    """Bell-shaped shades on cords, ``drop`` m under the ceiling to their rim."""
    shades, cords, lamps = [], [], []
    r = radius
    profile = [(0.98 * r, 0), (r, 0), (0.75 * r, 0.5 * r), (0.28 * r, 0.9 * r), (0.2 * r, 1.15 * r),
               (0, 1.2 * r)]  # fmt: skip
    for x, z in points:
        y = height - drop
        shades.append(moved(lathe(profile, 24), (x, y, z)))
        cords.append(
            tube([[x, y + 1.1 * r, z], [x, y + drop / 2 + 0.5 * r, z], [x, height, z]], 0.005, 5)
        )
        lamps.append(_down(x, y + 0.02, z, 1.2 * r, 1.2 * r))
    return [("shade", joined(shades)), ("frame", joined(cords))], lamps


def spots(
    points: list[tuple[float, float]], height: float, radius: float = 0.07
) -> tuple[list[Part], list[AreaLight]]:
    """Round lamps let into a ceiling."""
    rims, lamps = [], []
    r = radius
    for x, z in points:
        ring = lathe([(r, 0.0), (1.25 * r, 0.0), (1.25 * r, 0.0), (1.3 * r, 0.01)], 20)
        rims.append(moved(ring, (x, height - 0.01, z)))
        lamps.append(_down(x, height - 0.006, z, 1.7 * r, 1.7 * r))
    return [("white", joined(rims))], lamps


def high_bays(
    points: list[tuple[float, float]], height: float, drop: float = 0.6
) -> tuple[list[Part], list[AreaLight]]:
    """Round lamps of halls, half a metre across, on rods."""
    cases, lamps = [], []
    for x, z in points:
        y = height - drop
        cases.append(moved(cylinder(0.25, 0.12, segments=24, edge=0.02), (x, y, z)))
        cases.append(moved(cylinder(0.02, drop - 0.1, segments=8), (x, y + 0.1, z)))
        lamps.append(_down(x, y - 0.01, z, 0.4, 0.4))
    return [("frame", joined(cases))], lamps


def floor_lamp(height: float = 1.6) -> Prop:
    """A standing lamp with a drum shade; nothing of it shines by itself."""
    foot = cylinder(0.14, 0.025, segments=28, edge=0.006)
    pole = moved(cylinder(0.012, height - 0.2, segments=10), (0, 0.02, 0))
    shade = moved(
        lathe([(0.2, 0), (0.16, 0.28), (0.16, 0.28), (0, 0.28)], 28), (0, height - 0.3, 0)
    )
    return (("frame", joined([foot, pole])), ("shade", shade))


def coffers(length: float, width: float, height: float, step: float, drop: float) -> Prop:
    """Beams across X under a ceiling, ``step`` m apart."""
    beams = [box((0.16, drop, width), (x, height - drop / 2, 0), edge=0.01)
             for x in np.arange(-length / 2 + step / 2, length / 2, step)]  # fmt: skip
    return (("beam", joined(beams)),)


def ducts(length: float, z: float, height: float, radius: float = 0.2) -> Prop:
    """A round air duct along X under a ceiling, with its flanges and outlets."""
    pipe = tube(np.linspace([-length / 2, height, z], [length / 2, height, z], 3), radius, 20)
    rings = [
        tube([[x - 0.02, height, z], [x, height, z], [x + 0.02, height, z]], radius + 0.015, 20)
        for x in np.arange(-length / 2 + 0.7, length / 2, 1.4)
    ]
    grilles = [rectangle((x, height - radius - 0.003, z + 0.1), (0.5, 0, 0), (0, 0, -0.2))
               for x in np.arange(-length / 2 + 1.2, length / 2 - 1, 2.8)]  # fmt: skip
    return (("duct", joined([pipe, *rings])), ("dark", joined(grilles)))

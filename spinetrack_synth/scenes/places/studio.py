"""A yoga studio: wooden floor, windows on one or two sides, gear along the walls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.rotations import about_y
from spinetrack_synth.scenes import greenery, textures
from spinetrack_synth.scenes.place import Part, Place, Prop, assembled, bounds, placed
from spinetrack_synth.scenes.props import furniture, gear, plants
from spinetrack_synth.scenes.shapes import Array, Rng, box, moved, rectangle, wall
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import AreaLight

FLOOR_M = -0.005  # mats are 5 mm thick and their top is y = 0
WALL_DEPTH_M = 0.24

_FLOORS = (  # light and dark tone of the boards, roughness
    ((0.80, 0.64, 0.46), (0.58, 0.40, 0.24), 0.45),
    ((0.70, 0.50, 0.32), (0.42, 0.26, 0.15), 0.40),
    ((0.86, 0.76, 0.62), (0.70, 0.57, 0.42), 0.55),
    ((0.52, 0.36, 0.24), (0.30, 0.19, 0.12), 0.38),
    ((0.66, 0.60, 0.52), (0.46, 0.40, 0.33), 0.55),
)
_WALLS = (
    (0.93, 0.91, 0.87), (0.90, 0.87, 0.80), (0.84, 0.85, 0.83), (0.86, 0.80, 0.74),
    (0.80, 0.83, 0.86), (0.91, 0.89, 0.90),
)  # fmt: skip
_ACCENTS = (
    (0.55, 0.62, 0.55), (0.72, 0.55, 0.46), (0.42, 0.50, 0.56), (0.76, 0.68, 0.55),
    (0.62, 0.50, 0.55), (0.36, 0.42, 0.38),
)  # fmt: skip
_CLOTHS = (
    (0.45, 0.32, 0.52), (0.24, 0.42, 0.48), (0.72, 0.42, 0.32), (0.80, 0.75, 0.66),
    (0.30, 0.36, 0.55), (0.58, 0.60, 0.42), (0.62, 0.25, 0.30), (0.35, 0.35, 0.37),
)  # fmt: skip
_RUGS = (
    (0.50, 0.20, 0.17), (0.80, 0.72, 0.60), (0.20, 0.25, 0.36), (0.62, 0.46, 0.30),
    (0.33, 0.38, 0.33), (0.42, 0.30, 0.24), (0.70, 0.66, 0.60),
)  # fmt: skip
_GREENS = ((0.10, 0.19, 0.08), (0.16, 0.30, 0.12), (0.25, 0.42, 0.17), (0.38, 0.52, 0.24))


def _pick(rng: Rng, options: Sequence[ArrayLike]) -> Array:
    return np.asarray(options[int(rng.integers(len(options)))], float)


def _finishes(rng: Rng, length: float, width: float, height: float) -> dict[str, Finish]:
    light, dark, roughness = _FLOORS[int(rng.integers(len(_FLOORS)))]
    plain = _pick(rng, _WALLS)
    accent_kind = rng.integers(0, 4)
    span = max(length, width)
    accent = (
        textures.bricks(rng, (0.60, 0.36, 0.27), (0.68, 0.64, 0.58))
        if accent_kind == 0
        else textures.bricks(rng, (0.88, 0.87, 0.84), (0.80, 0.79, 0.76), variety=0.15)
        if accent_kind == 1
        else textures.concrete(rng, (0.66, 0.65, 0.63), size_m=(span, height))
        if accent_kind == 2
        else textures.plaster(rng, _pick(rng, _ACCENTS), size_m=(span, height))
    )
    frame = paint((0.93, 0.92, 0.90)) if rng.random() < 0.6 else paint((0.13, 0.13, 0.14))
    woods = (((0.80, 0.64, 0.46), (0.60, 0.43, 0.27)), ((0.55, 0.38, 0.25), (0.36, 0.23, 0.14)),
             ((0.90, 0.83, 0.72), (0.76, 0.65, 0.50)))  # fmt: skip
    cloths = rng.permutation(len(_CLOTHS))
    pot = _pick(
        rng, ((0.75, 0.45, 0.33), (0.92, 0.91, 0.88), (0.30, 0.31, 0.33), (0.62, 0.58, 0.50))
    )
    return {
        "floor": textures.planks(rng, (length, width), light, dark, roughness=roughness,
                                 plank_m=(rng.uniform(1.2, 2.2), rng.choice([0.09, 0.12, 0.18])),
                                 variety=rng.uniform(0.25, 0.7)),
        "wall": textures.plaster(rng, plain, size_m=(span, height)),
        "accent": accent,
        "ceiling": textures.plaster(rng, (0.94, 0.93, 0.91), size_m=(length, width), rough=0.5),
        "trim": paint((0.92, 0.91, 0.88) if rng.random() < 0.7 else dark),
        "frame": frame,
        "wood": textures.wood(rng, *woods[int(rng.integers(len(woods)))]),
        "metal": Finish(paint((0.62, 0.60, 0.57), roughness=0.3, specular=0.8).material),
        "white": paint((0.92, 0.91, 0.88), roughness=0.6),
        "gear": paint(_CLOTHS[cloths[0]], roughness=0.8, specular=0.2),
        "gear2": paint(_CLOTHS[cloths[1]], roughness=0.8, specular=0.2),
        "cloth": textures.cloth(rng, _CLOTHS[cloths[2]]),
        "cloth2": textures.cloth(rng, _CLOTHS[cloths[3]], (0.85, 0.82, 0.76), stripes=3),
        "curtain": textures.cloth(rng, (0.90, 0.88, 0.84)),
        "pot": paint(pot, roughness=0.6),
        "soil": paint((0.20, 0.15, 0.11), roughness=1.0, specular=0.1),
        "leaf": greenery.foliage(rng, _GREENS),
        "picture": textures.picture(rng),
        "rug": textures.rug(rng, np.array(_RUGS)[rng.permutation(len(_RUGS))[:4]], (1.6, 2.3)),
    }  # fmt: skip


def _windowed_wall(
    rng: Rng, length: float, height: float, finish: str
) -> tuple[list[Part], list[tuple[Array, Array, Array]]]:
    """A wall along X from 0 with evenly spaced windows; also the panes (centre, half u, half v)."""
    tall = rng.random() < 0.5
    sill = 0.12 if tall else rng.uniform(0.7, 0.95)
    top = min(height - 0.25, rng.uniform(2.3, 2.8))
    count = int(rng.integers(2, 5))
    span = length / count
    wide = min(span - 0.5, rng.uniform(1.1, 2.2))
    panes = (int(rng.integers(2, 4)), int(rng.integers(1, 4)))
    openings = [
        ((k + 0.5) * span - wide / 2, (k + 0.5) * span + wide / 2, sill, top) for k in range(count)
    ]
    parts: list[Part] = [(finish, wall((0, 0, 0), (length, 0, 0), height, openings))]
    glass = []
    curtains = rng.random() < 0.45
    for x0, x1, y0, y1 in openings:
        parts += placed(furniture.window(x1 - x0, y1 - y0, WALL_DEPTH_M, panes), (x0, y0, 0))
        glass.append(
            (
                np.array([(x0 + x1) / 2, (y0 + y1) / 2, -WALL_DEPTH_M + 0.005]),
                np.array([(x1 - x0) / 2, 0, 0]),
                np.array([0, (y1 - y0) / 2, 0]),
            )
        )
        if curtains:
            for x in (x0 - 0.3, x1 - 0.08):
                parts += placed(furniture.curtain(0.38, top + 0.12, rng, "curtain"), (x, 0, 0))
    if curtains:
        rod = box((length - 0.5, 0.022, 0.022), (length / 2, top + 0.13, 0.07), edge=0.008)
        parts.append(("metal", rod))
    return parts, glass


def _furnished(rng: Rng, length: float) -> list[Prop]:
    """What stands or hangs along one wall of a length, in its frame (X along, Z into the room)."""
    things: list[Prop] = []
    x = rng.uniform(0.3, 0.9)
    while x < length - 0.8:
        kind = rng.choice(["shelf", "bench", "plant", "gear", "door", "art", "nothing"],
                          p=[0.18, 0.14, 0.2, 0.16, 0.1, 0.14, 0.08])  # fmt: skip
        room = length - x - 0.3
        if kind == "shelf" and room > 1.8:
            columns = int(rng.integers(2, min(5, int(room / 0.42))))
            rack = furniture.shelf(rng, columns, int(rng.integers(1, 4)))
            wide = columns * 0.4
            things.append(placed(rack, (x + wide / 2, 0, 0.22)))
            x += wide + 0.4
        elif kind == "bench" and room > 1.6:
            seat = furniture.bench(rng.uniform(1.1, 1.5))
            things.append(placed(seat, (x + 0.75, 0, 0.26)))
            if rng.random() < 0.6:
                things.append(placed(gear.folded("cloth"), (x + 0.5, 0.445, 0.26)))
            x += 1.9
        elif kind == "plant":
            green = plants.house_plant(rng, rng.uniform(0.9, 1.8))
            things.append(placed(green, (x + 0.35, 0, 0.5)))
            x += 0.95
        elif kind == "gear":
            choice = rng.integers(0, 3)
            if choice == 0:
                things.append(placed(gear.basket(), (x + 0.3, 0, 0.3)))
            elif choice == 1:
                for k in range(int(rng.integers(2, 5))):
                    name = "gear2" if k % 2 else "gear"
                    things.append(placed(gear.block(name), (x + 0.3, 0.076 * k, 0.22),
                                         yaw=rng.uniform(-0.12, 0.12)))  # fmt: skip
            else:
                for k in range(2):
                    name = "cloth2" if k else "cloth"
                    things.append(placed(gear.bolster(name), (x + 0.4, 0, 0.2 + 0.25 * k)))
            x += 1.0
        elif kind == "door" and room > 1.4:
            things.append(placed(furniture.door(), (x + 0.6, 0, 0)))
            x += 1.5
        elif kind == "art":
            wide, tall = rng.uniform(0.6, 1.1), rng.uniform(0.6, 1.0)
            things.append(placed(furniture.painting(wide, tall), (x + 0.6, 1.55, 0)))
            if rng.random() < 0.5:
                things.append(placed(gear.cushion(), (x + 0.5, 0, 0.3)))
            x += 1.4
        else:
            x += 0.8
    return things


def build(variant: int) -> Place:
    """One of the studios; the same number gives the same studio."""
    rng = np.random.default_rng([71, variant])
    length, width = rng.uniform(9.0, 10.8), rng.uniform(7.8, 9.2)
    height = rng.uniform(2.9, 3.5)
    half_x, half_z = length / 2, width / 2
    finishes = _finishes(rng, length, width, height)
    parts: list[Part] = [
        ("floor", rectangle((-half_x, 0, half_z), (length, 0, 0), (0, 0, -width))),
        ("ceiling", rectangle((-half_x, height, -half_z), (length, 0, 0), (0, 0, width))),
    ]
    # Each wall in its own frame: X along it, Z into the room.
    walls = (
        ((-half_x, 0, -half_z), 0.0, length),
        ((half_x, 0, -half_z), -np.pi / 2, width),
        ((half_x, 0, half_z), np.pi, length),
        ((-half_x, 0, half_z), np.pi / 2, width),
    )
    accent = int(rng.integers(1, 4))
    windowed = {0} if rng.random() < 0.5 else {0, int(rng.choice([1, 3]))}
    panes: list[AreaLight] = []
    bulky: list[Array] = []
    for number, (start, yaw, span) in enumerate(walls):
        finish = "accent" if number == accent else "wall"
        local: list[Part] = [("trim", box((span, 0.09, 0.016), (span / 2, 0.045, 0.008)))]
        if number in windowed:
            built, glass = _windowed_wall(rng, span, height, finish)
            local += built
            for center, half_u, half_v in glass:
                panes.append(_turned_light(center, half_u, half_v, start, yaw))
            stock = [placed(plants.house_plant(rng, rng.uniform(0.8, 1.5)),
                            (rng.choice([0.45, span - 0.45]), 0, 0.5))]  # fmt: skip
        else:
            local.append((finish, wall((0, 0, 0), (span, 0, 0), height)))
            stock = _furnished(rng, span)
        for thing in stock:
            standing = placed(placed(thing, (0, 0, 0), yaw=yaw), start)
            extent = bounds(standing)
            if np.ptp(extent[:, 1]) > 0.3 and extent[0, 1] < 1:
                bulky.append(extent)
            parts += standing
        parts += placed(placed(tuple(local), (0, 0, 0), yaw=yaw), start)
    lamps, hanging, globes = _lamps(rng, length, width, height)
    parts += hanging
    bulky += globes
    parts += _rug(rng, half_x, half_z)
    parts = [(name, moved(mesh, (0, FLOOR_M, 0))) for name, mesh in parts]
    return Place(
        name="studio",
        variant=variant,
        surfaces=assembled(f"studio/{variant}", finishes, parts),
        mat_area=np.array([[-half_x + 2.0, -half_z + 1.9], [half_x - 2.0, half_z - 1.9]]),
        camera_room=np.array(
            [[-half_x + 0.8, 0.1, -half_z + 0.8], [half_x - 0.8, height - 0.5, half_z - 0.8]]
        ),
        obstacles=np.array(bulky).reshape(-1, 2, 3),
        windows=tuple(panes),
        lamps=tuple(lamps),
    )


def _lamps(
    rng: Rng, length: float, width: float, height: float
) -> tuple[list[AreaLight], list[Part], list[Array]]:
    """Four lamps under the ceiling: as lights where they shine, as parts, and the bounds (2, 3) of
    those that hang down."""
    lamps: list[AreaLight] = []
    parts: list[Part] = []
    globes: list[Array] = []
    drop = rng.uniform(0.25, 0.5)
    for x in (-length / 4, length / 4):
        for z in (-width / 5, width / 5):
            if drop < 0.4:
                parts.append(("frame", box((1.25, 0.05, 0.22), (x, height - 0.03, z))))
                lamps.append(AreaLight((x, height - 0.07, z), (0.6, 0, 0), (0, 0, 0.09), (1, 1, 1)))
            else:
                globe = placed(furniture.paper_lamp(drop), (x, height, z))
                globes.append(bounds(globe))
                parts += globe
    return lamps, parts, globes


def _rug(rng: Rng, half_x: float, half_z: float) -> list[Part]:
    """A rug in a corner, in every second studio."""
    if rng.random() >= 0.5:
        return []
    carpet = rectangle((-0.8, 0.006, 1.15), (1.6, 0, 0), (0, 0, -2.3))
    corner = np.array([half_x - 1.1, 0, rng.choice([-1, 1]) * (half_z - 1.5)])
    return [("rug", moved(carpet, corner))]


def _turned_light(
    center: Array, half_u: Array, half_v: Array, start: ArrayLike, yaw: float
) -> AreaLight:
    """A pane of radiance 1 given in a wall's frame, in the world; it shines into the room."""
    turn = about_y(yaw)
    middle = turn @ center + np.asarray(start, float) + np.array([0, FLOOR_M, 0])
    return AreaLight(_xyz(middle), _xyz(turn @ half_u), _xyz(turn @ half_v), (1.0, 1.0, 1.0))


def _xyz(vector: Array) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in vector)
    return x, y, z

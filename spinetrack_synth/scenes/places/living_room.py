"""A living room: sofa, table, rug, books, curtains, pictures, plants, toys on the floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetrack_synth.scenes import floorings, greenery, textures
from spinetrack_synth.scenes.place import Part, Place, Prop, placed
from spinetrack_synth.scenes.places.room import Room, Window, place_of, windows_by_wall
from spinetrack_synth.scenes.props import furniture, home, lamps, plants
from spinetrack_synth.scenes.shapes import Array, Rng, box, rectangle
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import AreaLight

Color = tuple[float, float, float]


@dataclass(frozen=True)
class _Style:
    """One room: size, layout, colours of walls, accent, sofa, cloths and wood, kind of floor,
    windows by wall as (count, width, sill, top), whether there are curtains and a rug, lamps."""

    size: Color
    layout: str
    plain: Color
    accent: Color
    sofa: Color
    cloths: tuple[Color, Color]
    wood: tuple[Color, Color]
    floor: tuple[str, Color]
    windows: dict[int, tuple[int, float, float, float]]
    curtains: Color | None
    rug: bool
    lamps: str


_OAK = ((0.80, 0.64, 0.46), (0.60, 0.43, 0.27))
_WALNUT = ((0.48, 0.33, 0.22), (0.31, 0.20, 0.13))
_BIRCH = ((0.90, 0.83, 0.72), (0.76, 0.65, 0.50))

_STYLES = (
    _Style((7.2, 6.0, 2.6), "facing", (0.90, 0.88, 0.84), (0.52, 0.58, 0.54), (0.46, 0.47, 0.49),
           ((0.72, 0.52, 0.34), (0.30, 0.40, 0.44)), _OAK, ("boards", (0.74, 0.57, 0.40)),
           {0: (2, 1.5, 0.8, 2.15)}, (0.88, 0.85, 0.80), True, "globe"),
    _Style((8.4, 6.6, 3.2), "old", (0.84, 0.80, 0.72), (0.36, 0.44, 0.42), (0.34, 0.20, 0.16),
           ((0.66, 0.30, 0.22), (0.70, 0.64, 0.52)), _WALNUT, ("herring", (0.60, 0.42, 0.27)),
           {1: (3, 1.1, 0.5, 2.7)}, (0.62, 0.40, 0.32), True, "bells"),
    _Style((6.6, 5.8, 2.5), "corner", (0.92, 0.91, 0.90), (0.78, 0.72, 0.64), (0.72, 0.66, 0.57),
           ((0.44, 0.52, 0.42), (0.84, 0.80, 0.74)), _BIRCH, ("carpet", (0.60, 0.57, 0.52)),
           {3: (1, 2.8, 0.1, 2.2)}, (0.90, 0.89, 0.86), False, "spots"),
    _Style((9.0, 6.4, 2.8), "stairs", (0.88, 0.88, 0.87), (0.24, 0.32, 0.42), (0.24, 0.30, 0.38),
           ((0.80, 0.64, 0.24), (0.74, 0.72, 0.68)), _OAK, ("boards", (0.82, 0.72, 0.58)),
           {2: (2, 1.8, 0.1, 2.3), 0: (1, 1.4, 0.9, 2.2)}, None, True, "globe"),
    _Style((7.6, 6.8, 3.6), "loft", (0.82, 0.81, 0.79), (0.60, 0.36, 0.27), (0.40, 0.30, 0.22),
           ((0.26, 0.34, 0.30), (0.60, 0.56, 0.50)), _WALNUT, ("concrete", (0.58, 0.57, 0.55)),
           {0: (3, 1.8, 0.6, 3.1)}, None, True, "bells"),
    _Style((7.0, 6.2, 2.4), "nursery", (0.90, 0.87, 0.80), (0.62, 0.70, 0.76), (0.56, 0.44, 0.40),
           ((0.76, 0.62, 0.30), (0.36, 0.50, 0.60)), _BIRCH, ("boards", (0.70, 0.54, 0.38)),
           {1: (2, 1.2, 0.9, 2.0), 2: (1, 1.2, 0.9, 2.0)}, (0.74, 0.80, 0.78), True, "globe"),
)  # fmt: skip


def build(variant: int) -> Place:
    """One of the living rooms; the same number gives the same room."""
    rng = np.random.default_rng([79, variant])
    style = _STYLES[variant]
    room = Room(*style.size)
    windows = windows_by_wall(
        rng, room, style.windows, lambda sill, top: (2, 2 if sill > 0.3 else 1)
    )
    free = next(n for n in (2, 3, 0, 1) if n not in windows)
    walls = tuple("accent" if n == free else "wall" for n in range(4))
    parts, panes = room.shell(walls, windows)
    if style.curtains:
        parts += _curtains(rng, room, windows)
    lamp_parts, lit = _lamps(style, room)
    parts += lamp_parts
    things, mat_area = _LAYOUTS[style.layout](rng, room)
    if style.rug:
        low, high = mat_area
        x, z = (low + high) / 2
        parts.append(("rug", rectangle((x - 1.2, 0.0004, z + 0.85), (2.4, 0, 0), (0, 0, -1.7))))
    return place_of(
        "living_room",
        variant,
        _finishes(rng, style),
        parts,
        things,
        mat_area=mat_area,
        camera_room=room.camera_room(0.3),
        windows=panes,
        lamps=lit,
    )


# Long as a list of things is: one after another, nothing nested.
def _finishes(rng: Rng, style: _Style) -> dict[str, Finish]:
    kind, tone = style.floor
    light, dark = style.wood
    board = (1.8, 0.16) if kind == "boards" else (0.45, 0.075)
    return {
        "floor": floorings.carpet(rng, tone, tile_m=0.0)
        if kind == "carpet"
        else floorings.screed(rng, tone)
        if kind == "concrete"
        else textures.planks(
            rng,
            (5.4, 2.7),
            np.multiply(tone, 1.06),
            np.multiply(tone, 0.74),
            plank_m=board,
            variety=0.5,
            most=900,
        ),
        "wall": textures.plaster(rng, style.plain, size_m=(4.0, 3.0)),
        "accent": textures.bricks(rng, style.accent, (0.66, 0.62, 0.56), size_m=(2.88, 1.8))
        if style.layout == "loft"
        else textures.plaster(rng, style.accent, size_m=(4.0, 3.0)),
        "ceiling": textures.plaster(rng, (0.92, 0.91, 0.89), size_m=(4.0, 4.0), rough=0.5),
        "trim": paint((0.90, 0.89, 0.86)),
        "frame": paint((0.14, 0.14, 0.15) if style.layout == "loft" else (0.90, 0.89, 0.87)),
        "white": paint((0.90, 0.89, 0.86)),
        "metal": paint((0.52, 0.48, 0.40), roughness=0.3, specular=0.7),
        "dark": paint((0.09, 0.09, 0.10), roughness=0.55),
        "wood": textures.wood(rng, light, dark, size_m=(1.2, 0.6)),
        "shelf": textures.wood(rng, light, dark, size_m=(1.2, 0.6))
        if rng.random() < 0.5
        else paint((0.88, 0.87, 0.84)),
        "front": textures.wood(rng, np.multiply(light, 0.95), dark, size_m=(1.2, 0.6))
        if rng.random() < 0.5
        else paint((0.86, 0.85, 0.82)),
        "sofa": textures.cloth(rng, style.sofa),
        "cloth": textures.cloth(
            rng, style.cloths[0], (0.86, 0.82, 0.74), stripes=int(rng.integers(0, 4))
        ),
        "cloth2": textures.cloth(rng, style.cloths[1]),
        "chair": textures.cloth(rng, style.cloths[1]),
        "curtain": textures.cloth(rng, style.curtains or (0.9, 0.9, 0.9)),
        "rug": textures.rug(
            rng,
            np.array([style.cloths[0], (0.80, 0.74, 0.64), style.cloths[1], style.accent]),
            (2.4, 1.7),
        ),
        "picture": textures.picture(rng),
        "screen": paint((0.035, 0.04, 0.05), roughness=0.1, specular=0.7),
        "book1": paint((0.55, 0.20, 0.16), roughness=0.7),
        "book2": paint((0.18, 0.28, 0.42), roughness=0.7),
        "book3": paint((0.78, 0.70, 0.52), roughness=0.7),
        "book4": paint((0.24, 0.36, 0.26), roughness=0.7),
        "basket": paint((0.64, 0.54, 0.40), roughness=0.95),
        "toy": paint((0.72, 0.24, 0.12), roughness=0.4),
        "shade": paint((0.86, 0.82, 0.72) if style.lamps != "bells" else (0.15, 0.15, 0.16)),
        "pot": paint(
            rng.choice([(0.72, 0.44, 0.32), (0.86, 0.85, 0.82), (0.30, 0.32, 0.34)]), roughness=0.6
        ),
        "soil": paint((0.20, 0.15, 0.11), roughness=1.0, specular=0.1),
        "leaf": greenery.foliage(
            rng, ((0.10, 0.19, 0.08), (0.18, 0.32, 0.13), (0.32, 0.46, 0.20)), side=256
        ),
    }


def _curtains(rng: Rng, room: Room, windows: dict[int, list[Window]]) -> list[Part]:
    """A curtain on each side of every window, and their rods."""
    parts: list[Part] = []
    for number, openings in windows.items():
        for w in openings:
            for x in (w.low - 0.42, w.high - 0.06):
                hung = furniture.curtain(0.48, w.top + 0.14, rng, "curtain")
                parts += room.at_wall(number, hung, float(x))
            rod = box((w.high - w.low + 1.1, 0.022, 0.022), (0, 0, 0), edge=0.008)
            parts += room.at_wall(
                number, (("metal", rod),), (w.low + w.high) / 2, 0.07, w.top + 0.15
            )
    return parts


def _lamps(style: _Style, room: Room) -> tuple[list[Part], list[AreaLight]]:
    length, width, height = style.size
    if style.lamps == "spots":
        return lamps.spots(lamps.grid(length, width, 3, 3), height, 0.07)
    if style.lamps == "bells":
        return lamps.bells(
            lamps.grid(length, width, 2, 2), height, 0.75 if height > 3 else 0.4, 0.26
        )
    return lamps.bells(
        [(0.0, 0.0), (-length / 4, width / 4)], height, 0.3 if height < 2.7 else 0.4, 0.36
    )


def _pictures(rng: Rng, room: Room, number: int, xs: tuple[float, ...]) -> list[Prop]:
    return [
        room.at_wall(
            number, furniture.painting(rng.uniform(0.45, 0.9), rng.uniform(0.45, 0.8)), x, 0.0, 1.6
        )
        for x in xs
    ]


def _facing(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """A sofa across from the television, shelves at the side."""
    x, z = room.length / 2, room.width / 2
    things = [
        room.at_wall(2, home.sofa(rng, 3), room.length / 2, 0.52),
        room.at_wall(2, lamps.floor_lamp(1.6), room.length / 2 - 1.75, 0.35),
        room.at_wall(0, home.sideboard(1.8, 0.5), room.length / 2, 0.25),
        room.at_wall(0, placed(home.television(1.15), (0, 0.5, 0)), room.length / 2, 0.27),
        room.at_wall(1, home.bookshelf(rng, 1.2, 6), 2.0, 0.17),
        room.at_wall(1, home.bookshelf(rng, 0.8, 6), 3.2, 0.17),
        room.at_wall(3, home.sideboard(1.4, 0.8), 3.6, 0.25),
        room.at_wall(3, furniture.door(0.9, 2.02), 1.4),
        room.at_wall(3, plants.house_plant(rng, 1.4), room.width - 0.55, 0.55),
        placed(home.toys(rng), (x - 1.0, 0, z - 0.75)),
        *_pictures(rng, room, 2, (2.6, 3.8, 4.7)),
    ]
    return things, np.array([[-x + 1.1, -z + 0.95], [x - 0.9, z - 1.25]])


def _old(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """High walls, a wall of books, two armchairs, a dining table at the end."""
    x, z = room.length / 2, room.width / 2
    seat = home.chair(0)
    table = home.around(
        home.round_table(0.55),
        seat,
        [(0.0, 0.75, np.pi), (0.0, -0.75, 0.0), (0.75, 0.0, -np.pi / 2)],
    )
    things = [
        *(placed(thing, (x - 1.5, 0, -z + 1.3)) for thing in table),
        *(room.at_wall(2, home.bookshelf(rng, 1.1, 7), 1.2 + 1.12 * k, 0.17) for k in range(4)),
        placed(home.armchair(rng), (-x + 0.85, 0, -z + 1.1), yaw=0.9),
        placed(home.armchair(rng), (-x + 0.85, 0, 0.9), yaw=1.9),
        placed(home.coffee_table(rng), (-x + 0.8, 0, -0.2), yaw=np.pi / 2),
        room.at_wall(0, home.sofa(rng, 2), 3.6, 0.5),
        room.at_wall(0, lamps.floor_lamp(1.7), 5.0, 0.35),
        room.at_wall(2, furniture.door(0.95, 2.2), 7.0),
        room.at_wall(2, plants.house_plant(rng, 1.6), room.length - 0.6, 0.55),
        *_pictures(rng, room, 0, (3.0, 4.1)),
        *_pictures(rng, room, 3, (1.6, 3.0, 4.6)),
    ]
    return things, np.array([[-x + 1.9, -z + 1.2], [x - 2.5, z - 0.7]])


def _corner(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """A corner sofa, a low table, hanging shelves, a light carpet."""
    x, z = room.length / 2, room.width / 2
    things = [
        room.at_wall(0, home.sofa(rng, 3, chaise=True), room.length - 1.75, 0.5),
        placed(home.coffee_table(rng), (x - 0.75, 0, 0.9), yaw=np.pi / 2),
        room.at_wall(2, home.sideboard(2.4, 0.45, legs=False), room.length / 2, 0.24),
        room.at_wall(2, placed(home.television(1.3), (0, 0.45, 0)), room.length / 2, 0.26),
        room.at_wall(1, home.bookshelf(rng, 0.9, 3), 4.8, 0.17),
        room.at_wall(0, furniture.door(0.9, 2.02), 0.9),
        placed(home.pouffe(), (-x + 0.55, 0, z - 0.6)),
        room.at_wall(0, plants.house_plant(rng, 1.5), 2.0, 0.5),
        placed(home.toys(rng), (x - 0.85, 0, z - 1.5)),
        *_pictures(rng, room, 1, (1.3, 2.3, 3.3)),
    ]
    return things, np.array([[-x + 0.9, -z + 1.2], [x - 1.5, z - 0.8]])


def _stairs(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """A flight of stairs along a wall, a sofa under the windows, a table for four."""
    x, z = room.length / 2, room.width / 2
    seat = home.chair(1)
    table = home.around(
        home.dining_table(1.4, 0.8),
        seat,
        [(-0.35, 0.6, np.pi), (0.35, 0.62, np.pi), (-0.35, -0.6, 0.0), (0.35, -0.6, 0.0)],
    )
    climb = int((room.height - 0.25) / 0.18)
    things = [
        room.at_wall(1, home.stairs(climb), 1.2),
        *(placed(thing, (-x + 1.2, 0, -z + 1.25), yaw=np.pi / 2) for thing in table),
        room.at_wall(2, home.sofa(rng, 2), 4.4, 0.52),
        room.at_wall(2, plants.house_plant(rng, 1.3), 6.2, 0.5),
        room.at_wall(3, home.bookshelf(rng, 1.4, 5), 1.6, 0.17),
        room.at_wall(0, home.sideboard(1.6, 0.8), 5.2, 0.25),
        placed(home.toys(rng), (-x + 1.3, 0, z - 1.2)),
        *_pictures(rng, room, 3, (4.0,)),
    ]
    return things, np.array([[-x + 2.1, -z + 0.95], [x - 1.5, z - 1.25]])


def _loft(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """Big windows, bricks, a leather sofa, a shelf as a screen, a bicycle's worth of space."""
    x, z = room.length / 2, room.width / 2
    things = [
        room.at_wall(2, home.sofa(rng, 3), 3.0, 0.52),
        placed(home.armchair(rng), (x - 0.9, 0, z - 1.0), yaw=-2.3),
        placed(home.coffee_table(rng), (x - 2.2, 0, z - 0.8)),
        room.at_wall(3, home.bookshelf(rng, 1.8, 4), 2.2, 0.17),
        room.at_wall(3, plants.house_plant(rng, 1.8), 4.4, 0.55),
        room.at_wall(1, home.sideboard(2.0, 0.7), 3.4, 0.25),
        room.at_wall(1, lamps.floor_lamp(1.75), 1.8, 0.35),
        room.at_wall(1, furniture.door(), 5.6),
        room.at_wall(0, plants.house_plant(rng, 1.2), 0.6, 0.5),
        *_pictures(rng, room, 1, (3.0, 4.0)),
    ]
    return things, np.array([[-x + 1.0, -z + 0.8], [x - 1.0, z - 1.5]])


def _nursery(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """Toys, low shelves, a children's table, a sofa by the wall."""
    x, z = room.length / 2, room.width / 2
    things = [
        room.at_wall(0, home.sofa(rng, 2), 2.2, 0.5),
        room.at_wall(3, home.bookshelf(rng, 1.6, 2), 2.0, 0.17),
        room.at_wall(3, home.bookshelf(rng, 0.8, 4), 3.6, 0.17),
        placed(home.dining_table(1.1, 0.7), (x - 0.75, 0, z - 1.5), yaw=np.pi / 2),
        placed(home.chair(0), (x - 1.3, 0, z - 1.5), yaw=np.pi / 2),
        placed(home.toys(rng), (x - 0.75, 0, -z + 1.9)),
        placed(home.toys(rng), (-x + 0.9, 0, z - 0.8)),
        placed(home.pouffe("cloth2"), (-x + 0.5, 0, z - 1.7)),
        room.at_wall(0, furniture.door(0.9, 2.02), 5.4),
        room.at_wall(0, plants.house_plant(rng, 1.1), 4.3, 0.5),
        *_pictures(rng, room, 0, (1.8, 2.7)),
        *_pictures(rng, room, 3, (2.0, 5.0)),
    ]
    return things, np.array([[-x + 0.95, -z + 1.15], [x - 1.65, z - 1.0]])


_LAYOUTS = {
    "facing": _facing,
    "old": _old,
    "corner": _corner,
    "stairs": _stairs,
    "loft": _loft,
    "nursery": _nursery,
}

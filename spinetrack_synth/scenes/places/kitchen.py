"""A kitchen: counter, cupboards, fridge, a table with chairs, tiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetrack_synth.scenes import floorings, greenery, textures
from spinetrack_synth.scenes.place import Part, Place, Prop, placed
from spinetrack_synth.scenes.places.room import Room, place_of, windows_by_wall
from spinetrack_synth.scenes.props import furniture, home, lamps, plants
from spinetrack_synth.scenes.shapes import Array, Rng, cylinder, joined, moved, rectangle, tube
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import AreaLight, Material

Color = tuple[float, float, float]


@dataclass(frozen=True)
class _Style:
    """One kitchen: size, layout (``line``, ``corner``, ``galley``, ``island``, ``farm``), colours
    of wall, fronts, worktop, tiles and floor, kind of floor, fridge, windows, lamps."""

    size: Color
    layout: str
    plain: Color
    front: Color
    worktop: Color
    splash: tuple[Color, float]
    floor: tuple[str, Color, float]
    fridge: Color
    windows: dict[int, tuple[int, float, float, float]]
    lamps: str


_STYLES = (
    _Style((6.2, 5.2, 2.6), "line", (0.91, 0.90, 0.87), (0.88, 0.88, 0.86), (0.62, 0.46, 0.30),
           ((0.88, 0.89, 0.90), 0.15), ("tiles", (0.66, 0.63, 0.58), 0.4), (0.88, 0.88, 0.87),
           {1: (2, 1.2, 0.95, 2.15)}, "globe"),
    _Style((6.0, 5.6, 2.5), "corner", (0.88, 0.84, 0.74), (0.36, 0.46, 0.42), (0.80, 0.78, 0.74),
           ((0.78, 0.70, 0.56), 0.1), ("boards", (0.66, 0.48, 0.32), 0.0), (0.62, 0.63, 0.65),
           {2: (2, 1.1, 0.9, 2.1)}, "spots"),
    _Style((6.8, 5.0, 2.8), "galley", (0.90, 0.91, 0.92), (0.24, 0.28, 0.34), (0.86, 0.86, 0.85),
           ((0.84, 0.85, 0.86), 0.2), ("checker", (0.84, 0.83, 0.80), 0.4), (0.24, 0.25, 0.26),
           {3: (1, 2.0, 0.9, 2.3)}, "strips"),
    _Style((8.0, 6.4, 3.0), "island", (0.92, 0.91, 0.89), (0.74, 0.60, 0.44), (0.24, 0.24, 0.25),
           ((0.52, 0.56, 0.56), 0.3), ("concrete", (0.62, 0.61, 0.59), 0.0), (0.60, 0.61, 0.62),
           {2: (3, 1.7, 0.1, 2.4)}, "bells"),
    _Style((6.6, 6.2, 2.4), "farm", (0.86, 0.80, 0.68), (0.60, 0.66, 0.70), (0.52, 0.38, 0.26),
           ((0.70, 0.46, 0.34), 0.12), ("terracotta", (0.66, 0.42, 0.30), 0.3), (0.84, 0.82, 0.74),
           {0: (1, 1.0, 1.1, 2.0), 1: (2, 1.0, 0.9, 2.0)}, "globe"),
)  # fmt: skip


def build(variant: int) -> Place:
    """One of the kitchens; the same number gives the same kitchen."""
    rng = np.random.default_rng([80, variant])
    style = _STYLES[variant]
    room = Room(*style.size)
    windows = windows_by_wall(
        rng, room, style.windows, lambda sill, top: (2, 2 if sill > 0.3 else 1)
    )
    parts, panes = room.shell(("wall",) * 4, windows)
    lamp_parts, lit = _lamps(style, room)
    things, mat_area = _LAYOUTS[style.layout](rng, room)
    return place_of(
        "kitchen",
        variant,
        _finishes(rng, style),
        [*parts, *lamp_parts],
        things,
        mat_area=mat_area,
        camera_room=room.camera_room(0.3),
        windows=panes,
        lamps=lit,
    )


def _finishes(rng: Rng, style: _Style) -> dict[str, Finish]:
    splash, side = style.splash
    return {
        "floor": _floor(rng, *style.floor),
        "wall": textures.plaster(rng, style.plain, size_m=(4.0, 3.0)),
        "splash": textures.tiles(
            rng,
            (8 * side, 4 * side),
            splash,
            tile_m=(side, side / 2 if side > 0.12 else side),
            grout=np.multiply(splash, 0.8),
            shift="half" if side > 0.12 else "none",
            variety=0.3,
            most=256,
        ),
        "ceiling": textures.plaster(rng, (0.92, 0.91, 0.89), size_m=(4.0, 4.0), rough=0.5),
        "trim": paint((0.88, 0.87, 0.84)),
        "frame": paint((0.90, 0.90, 0.88)),
        "white": paint((0.90, 0.89, 0.87), roughness=0.3),
        "unit": paint(np.multiply(style.front, 0.92), roughness=0.5),
        "front": textures.wood(rng, style.front, np.multiply(style.front, 0.78), size_m=(1.2, 0.6))
        if style.layout == "island"
        else paint(style.front, roughness=0.4),
        "worktop": textures.wood(
            rng,
            np.multiply(style.worktop, 1.12),
            np.multiply(style.worktop, 0.8),
            size_m=(1.2, 0.6),
        )
        if style.worktop[0] - style.worktop[2] > 0.15
        else floorings.linoleum(rng, style.worktop, size_m=(1.5, 1.5), contrast=1.6),
        "wood": textures.wood(rng, (0.76, 0.58, 0.40), (0.56, 0.40, 0.25), size_m=(1.2, 0.6)),
        "chair": paint(
            rng.choice(
                [(0.72, 0.32, 0.20), (0.22, 0.36, 0.42), (0.86, 0.85, 0.82), (0.16, 0.16, 0.17)]
            )
        ),
        "metal": paint((0.62, 0.62, 0.62), roughness=0.28, specular=0.8),
        "basin": paint((0.36, 0.36, 0.37), roughness=0.35, specular=0.7),
        "oven": paint((0.52, 0.53, 0.54), roughness=0.3, specular=0.7),
        "screen": paint((0.035, 0.035, 0.04), roughness=0.08, specular=0.7),
        "dark": paint((0.12, 0.12, 0.125), roughness=0.6),
        "fridge": paint(style.fridge, roughness=0.35, specular=0.5),
        "picture": textures.picture(rng),
        "toy": paint((0.66, 0.22, 0.10), roughness=0.35),
        "shade": paint(rng.choice([(0.84, 0.80, 0.70), (0.20, 0.22, 0.24), (0.62, 0.34, 0.22)])),
        "shelf": textures.wood(rng, (0.76, 0.58, 0.40), (0.56, 0.40, 0.25), size_m=(1.2, 0.6)),
        "book1": paint((0.55, 0.20, 0.16), roughness=0.7),
        "book2": paint((0.18, 0.28, 0.42), roughness=0.7),
        "book3": paint((0.78, 0.70, 0.52), roughness=0.7),
        "book4": paint((0.24, 0.36, 0.26), roughness=0.7),
        "basket": paint((0.64, 0.54, 0.40), roughness=0.95),
        "pot": paint((0.74, 0.48, 0.36), roughness=0.6),
        "soil": paint((0.20, 0.15, 0.11), roughness=1.0, specular=0.1),
        "leaf": greenery.foliage(
            rng, ((0.10, 0.19, 0.08), (0.18, 0.32, 0.13), (0.32, 0.46, 0.20)), side=256
        ),
    }


def _floor(rng: Rng, kind: str, tone: Color, side: float) -> Finish:
    if kind == "boards":
        return textures.planks(rng, (4.8, 2.4), np.multiply(tone, 1.06), np.multiply(tone, 0.76),
                               plank_m=(1.6, 0.14), most=800)  # fmt: skip
    if kind == "concrete":
        return floorings.screed(rng, tone)
    if kind == "checker":
        plain = textures.tiles(rng, (3.2, 3.2), tone, tile_m=(side, side), variety=0.2, most=560)
        image = np.array(plain.material.base_color)
        rows, columns = (np.arange(s) * 8 // s for s in image.shape[:2])
        dark = (rows[:, None] + columns) % 2 == 1
        image[dark] = image[dark] // 5 + 8
        return Finish(Material(image, 0.35, 0.4), plain.size_m)
    return textures.tiles(
        rng,
        (3.6, 3.6),
        tone,
        tile_m=(side, side),
        variety=0.7 if kind == "terracotta" else 0.35,
        grout=np.multiply(tone, 0.8),
        most=600,
    )


def _lamps(style: _Style, room: Room) -> tuple[list[Part], list[AreaLight]]:
    length, width, height = style.size
    if style.lamps == "spots":
        return lamps.spots(lamps.grid(length, width, 3, 3), height, 0.08)
    if style.lamps == "strips":
        return lamps.strips(lamps.grid(length, width, 2, 1), height, long=1.5, wide=0.18)
    if style.lamps == "bells":
        return lamps.bells(lamps.grid(length, width, 3, 2), height, 0.45, 0.2)
    return lamps.bells([(-length / 5, 0.0), (length / 5, 0.0)], height, 0.28, 0.3)


def _fitted(rng: Rng, room: Room, number: int, start: float, length: float, *, sink: bool = True,
            hob: bool = True, upper: bool = True) -> list[Prop]:  # fmt: skip
    """Base and wall units along a wall from a point on, with tiles between them."""
    middle = start + length / 2
    things = [
        room.at_wall(number, home.counter(rng, length, sink=sink, hob=hob), middle, 0.31),
        room.at_wall(number, home.worktop_things(rng, length), middle, 0.31),
        room.at_wall(
            number,
            (("splash", rectangle((-length / 2, 0.9, 0.004), (length, 0, 0), (0, 0.56, 0))),),
            middle,
        ),
    ]
    if upper:
        hood = 0.25 * length if hob else None
        things.append(room.at_wall(number, home.wall_units(length, hood_at=hood), middle, 0.31))
    return things


def _table(
    rng: Rng, chairs: int, kind: int, *, long: float = 1.2, round_: bool = False
) -> list[Prop]:
    spots = [(-0.3, 0.62, np.pi), (0.3, -0.62, 0.0), (0.3, 0.62, np.pi), (-0.3, -0.62, 0.0)][
        :chairs
    ]
    spots = [
        (x + rng.uniform(-0.05, 0.05), z * rng.uniform(0.95, 1.15), yaw + rng.normal(0, 0.12))
        for x, z, yaw in spots
    ]
    table = home.round_table(0.5) if round_ else home.dining_table(long, 0.75)
    return home.around(table, home.chair(kind), spots)


def _line(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """All along one wall, the table across from it."""
    x, z = room.length / 2, room.width / 2
    group = [placed(t, (-x + 0.95, 0, z - 1.25), yaw=np.pi / 2) for t in _table(rng, 3, 0)]
    things = [*_fitted(rng, room, 0, 1.0, 3.6), room.at_wall(0, home.fridge(), 0.62, 0.34),
              *group, room.at_wall(2, furniture.door(0.9, 2.02), 1.2),
              room.at_wall(3, furniture.painting(0.5, 0.6), 1.6, 0.0, 1.55),
              room.at_wall(1, plants.house_plant(rng, 1.0), room.width - 0.5, 0.45)]  # fmt: skip
    return things, np.array([[-x + 1.85, -z + 1.0], [x - 0.8, z - 0.7]])


def _corner(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """Along two walls, a round table by the window."""
    x, z = room.length / 2, room.width / 2
    group = [placed(t, (x - 0.95, 0, z - 1.05)) for t in _table(rng, 2, 1, round_=True)]
    things = [
        *_fitted(rng, room, 0, 0.05, 4.2, hob=False),
        *_fitted(rng, room, 3, 2.0, 3.0, sink=False),
        room.at_wall(0, home.fridge(1.75), 4.65, 0.34),
        *group,
        room.at_wall(1, furniture.door(0.9, 2.02), 2.6),
    ]
    return things, np.array([[-x + 1.05, -z + 1.05], [x - 1.75, z - 0.75]])


def _galley(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """Units on both long sides of a wide aisle."""
    x, z = room.length / 2, room.width / 2
    things = [
        *_fitted(rng, room, 0, 0.9, 4.8),
        *_fitted(rng, room, 2, 1.6, 3.0, sink=False, hob=False),
        room.at_wall(2, home.fridge(2.0), 5.1, 0.34),
        room.at_wall(1, furniture.door(0.9, 2.02), 2.5),
        room.at_wall(2, home.bookshelf(rng, 0.8, 5), 6.0, 0.17),
    ]
    return things, np.array([[-x + 0.7, -z + 1.0], [x - 0.7, z - 1.0]])


def _island(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """A wall of units with an island before it, the rest of the room open."""
    x, z = room.length / 2, room.width / 2
    island = placed(
        home.counter(rng, 2.2, sink=False, hob=False), (x - 2.6, 0, -z + 1.95), yaw=np.pi
    )
    stools = [placed(_bar_stool(), (x - 3.2 + 0.6 * k, 0, -z + 2.6)) for k in range(3)]
    things = [
        *_fitted(rng, room, 0, 3.3, 4.4),
        room.at_wall(0, home.fridge(2.0), 2.9, 0.34),
        island,
        *stools,
        *(placed(t, (-x + 1.1, 0, -z + 1.2)) for t in _table(rng, 4, 2, long=1.5)),
        room.at_wall(1, plants.house_plant(rng, 1.5), 5.4, 0.55),
        room.at_wall(3, furniture.door(), 1.6),
        room.at_wall(1, furniture.painting(0.9, 0.7), 4.0, 0.0, 1.6),
    ]
    return things, np.array([[-x + 0.9, -z + 2.95], [x - 1.0, z - 0.6]])


def _farm(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """Low ceiling, a stove, a long table with a bench, open shelves."""
    x, z = room.length / 2, room.width / 2
    table = placed(home.dining_table(1.9, 0.8), (-x + 0.75, 0, 0.5), yaw=np.pi / 2)
    seats = [placed(furniture.bench(1.5), (-x + 1.4, 0, 0.5), yaw=np.pi / 2),
             placed(home.chair(0), (-x + 0.75, 0, 1.75), yaw=np.pi)]  # fmt: skip
    things = [
        *_fitted(rng, room, 0, 1.6, 4.2, upper=False),
        room.at_wall(0, home.fridge(1.6), 1.1, 0.34),
        table,
        *seats,
        room.at_wall(2, home.bookshelf(rng, 1.2, 5), 4.2, 0.17),
        room.at_wall(2, home.sideboard(1.3, 0.9), 2.6, 0.25),
        room.at_wall(2, furniture.door(0.9, 2.02), 0.9),
        room.at_wall(1, plants.house_plant(rng, 1.1), 0.55, 0.5),
    ]
    return things, np.array([[-x + 1.85, -z + 1.05], [x - 0.75, z - 0.85]])


def _bar_stool() -> Prop:
    """A high stool, 65 cm."""
    legs = [tube([[0.17 * c, 0, 0.17 * s], [0.11 * c, 0.63, 0.11 * s]], 0.014, 7)
            for c, s in ((1, 1), (-1, 1), (-1, -1), (1, -1))]  # fmt: skip
    rest = [
        tube([[0.15, 0.22, 0.15], [0.15, 0.22, -0.15]], 0.01, 6),
        tube([[-0.15, 0.22, 0.15], [-0.15, 0.22, -0.15]], 0.01, 6),
    ]
    seat = moved(cylinder(0.17, 0.035, segments=28, edge=0.01), (0, 0.615, 0))
    return (("wood", seat), ("metal", joined([*legs, *rest])))


_LAYOUTS = {"line": _line, "corner": _corner, "galley": _galley, "island": _island, "farm": _farm}

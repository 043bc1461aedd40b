"""An office: desks with screens, shelves, blinds, carpet, ceiling panels, a free floor between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetrack_synth.scenes import floorings, greenery, textures
from spinetrack_synth.scenes.place import Part, Place, Prop, placed
from spinetrack_synth.scenes.places.room import Room, place_of, windows_by_wall
from spinetrack_synth.scenes.props import furniture, home, lamps, plants, workplace
from spinetrack_synth.scenes.shapes import Array, Rng
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import AreaLight

Color = tuple[float, float, float]


@dataclass(frozen=True)
class _Style:
    """One office: size, how it is laid out (``open``, ``single``, ``meeting``, ``cells``), colours
    of walls, chairs and floor, kind of floor, windows by wall as (count, width, sill, top, blinds),
    lamps."""

    size: Color
    layout: str
    plain: Color
    accent: Color
    chair: Color
    floor: tuple[str, Color]
    desk: tuple[Color, Color]
    windows: dict[int, tuple[int, float, float, float, float]]
    lamps: str


_STYLES = (
    _Style((12.0, 9.0, 2.8), "open", (0.90, 0.90, 0.89), (0.34, 0.46, 0.54), (0.14, 0.15, 0.17),
           ("tiles", (0.36, 0.38, 0.42)), ((0.86, 0.85, 0.83), (0.80, 0.79, 0.77)),
           {0: (5, 2.0, 0.85, 2.35, 0.45)}, "panels"),
    _Style((7.0, 6.0, 3.1), "single", (0.86, 0.83, 0.77), (0.40, 0.32, 0.26), (0.24, 0.16, 0.12),
           ("boards", (0.56, 0.40, 0.27)), ((0.48, 0.32, 0.21), (0.32, 0.20, 0.13)),
           {1: (2, 1.3, 0.8, 2.5, 0.0)}, "bells"),
    _Style((9.5, 7.5, 3.6), "meeting", (0.88, 0.88, 0.88), (0.58, 0.36, 0.28), (0.30, 0.34, 0.38),
           ("concrete", (0.56, 0.55, 0.54)), ((0.74, 0.60, 0.42), (0.58, 0.44, 0.29)),
           {0: (3, 2.4, 0.1, 2.9, 0.0), 3: (2, 2.4, 0.1, 2.9, 0.0)}, "strips"),
    _Style((13.0, 8.5, 2.6), "cells", (0.84, 0.84, 0.80), (0.60, 0.62, 0.52), (0.20, 0.26, 0.36),
           ("tiles", (0.46, 0.43, 0.38)), ((0.80, 0.74, 0.64), (0.70, 0.63, 0.52)),
           {}, "panels"),
    _Style((10.5, 8.0, 2.9), "open", (0.92, 0.91, 0.88), (0.82, 0.66, 0.24), (0.55, 0.56, 0.58),
           ("carpet", (0.30, 0.36, 0.34)), ((0.84, 0.72, 0.55), (0.70, 0.56, 0.39)),
           {2: (4, 1.5, 0.9, 2.4, 0.8), 1: (2, 1.5, 0.9, 2.4, 0.8)}, "rings"),
)  # fmt: skip


def build(variant: int) -> Place:
    """One of the offices; the same number gives the same office."""
    rng = np.random.default_rng([78, variant])
    style = _STYLES[variant]
    room = Room(*style.size)
    windows = windows_by_wall(rng, room, style.windows, lambda sill, top: (2, 1))
    walls = (
        ("wall", "wall", "accent", "wall")
        if 2 not in windows
        else ("wall", "wall", "wall", "accent")
    )
    parts, panes = room.shell(walls, windows)
    lamp_parts, lit = _lamps(style, room)
    parts += lamp_parts
    for number, openings in windows.items():
        share = style.windows[number][4]
        for w in openings if share else ():
            low = float(np.clip(share + rng.normal(0, 0.2), 0.15, 0.95))
            hung = workplace.blinds(w.high - w.low - 0.04, w.top - w.sill, low)
            parts += room.at_wall(number, hung, w.low + 0.02, 0.0, w.top - 0.02)
    things, mat_area = _LAYOUTS[style.layout](rng, room)
    return place_of(
        "office",
        variant,
        _finishes(rng, style),
        parts,
        things,
        mat_area=mat_area,
        camera_room=room.camera_room(0.35),
        windows=panes,
        lamps=lit,
    )


# Long as a list of things is: one after another, nothing nested.
def _finishes(rng: Rng, style: _Style) -> dict[str, Finish]:
    kind, tone = style.floor
    light, dark = style.desk
    return {
        "floor": floorings.carpet(rng, tone)
        if kind == "tiles"
        else floorings.carpet(rng, tone, tile_m=0.0)
        if kind == "carpet"
        else floorings.screed(rng, tone)
        if kind == "concrete"
        else textures.planks(
            rng,
            (4.8, 2.4),
            np.multiply(tone, 1.08),
            np.multiply(tone, 0.75),
            plank_m=(1.6, 0.14),
            most=800,
        ),
        "wall": textures.plaster(rng, style.plain, size_m=(4.0, 3.0)),
        "accent": textures.plaster(rng, style.accent, size_m=(4.0, 3.0)),
        "ceiling": textures.tiles(
            rng,
            (2.4, 2.4),
            (0.90, 0.90, 0.89),
            tile_m=(0.6, 0.6),
            variety=0.08,
            grout=(0.76, 0.76, 0.76),
            most=400,
        )
        if style.lamps == "panels"
        else textures.plaster(rng, (0.90, 0.90, 0.89), size_m=(4.0, 4.0)),
        "trim": paint(np.multiply(style.plain, 0.6)),
        "frame": paint((0.30, 0.31, 0.33) if style.layout == "meeting" else (0.88, 0.88, 0.87)),
        "white": paint((0.90, 0.90, 0.89)),
        "metal": paint((0.56, 0.57, 0.58), roughness=0.35, specular=0.6),
        "dark": paint((0.09, 0.09, 0.10), roughness=0.55),
        "desk": textures.wood(rng, light, dark, size_m=(1.2, 0.6)),
        "wood": textures.wood(rng, light, dark, size_m=(1.2, 0.6)),
        "cabinet": paint((0.80, 0.81, 0.81), roughness=0.45)
        if style.layout != "single"
        else textures.wood(rng, light, dark, size_m=(1.2, 0.6)),
        "shelf": textures.wood(rng, light, dark, size_m=(1.2, 0.6)),
        "front": paint((0.84, 0.84, 0.82), roughness=0.45),
        "chair": textures.cloth(rng, style.chair),
        "cloth": textures.cloth(rng, np.clip(np.multiply(style.accent, 0.9), 0, 1)),
        "cloth2": textures.cloth(rng, (0.62, 0.60, 0.56)),
        "sofa": textures.cloth(rng, np.clip(np.multiply(style.accent, 0.8), 0, 1)),
        "partition": textures.cloth(rng, np.clip(np.multiply(style.accent, 0.95), 0, 1)),
        "screen": paint((0.05, 0.065, 0.09), roughness=0.12, specular=0.6),
        "blind": paint((0.84, 0.84, 0.82), roughness=0.6),
        "mark": paint(style.accent),
        "mug": paint(rng.uniform(0.2, 0.75, 3)),
        "file1": paint((0.12, 0.12, 0.13), roughness=0.6),
        "file2": paint(rng.uniform(0.15, 0.6, 3), roughness=0.6),
        "file3": paint((0.78, 0.77, 0.74), roughness=0.6),
        "book1": paint((0.55, 0.20, 0.16), roughness=0.7),
        "book2": paint((0.18, 0.28, 0.42), roughness=0.7),
        "book3": paint((0.78, 0.72, 0.60), roughness=0.7),
        "book4": paint((0.22, 0.34, 0.24), roughness=0.7),
        "basket": paint((0.66, 0.58, 0.46), roughness=0.9),
        "shade": paint((0.16, 0.16, 0.17)),
        "water": paint((0.56, 0.68, 0.76), roughness=0.08, specular=0.7),
        "picture": textures.picture(rng),
        "pot": paint((0.80, 0.79, 0.76)),
        "soil": paint((0.20, 0.15, 0.11), roughness=1.0, specular=0.1),
        "leaf": greenery.foliage(
            rng, ((0.10, 0.19, 0.08), (0.18, 0.32, 0.13), (0.32, 0.46, 0.20)), side=256
        ),
        "rug": textures.rug(
            rng, ((0.36, 0.16, 0.14), (0.70, 0.62, 0.50), (0.20, 0.24, 0.32)), (1.7, 2.4)
        ),
    }


def _lamps(style: _Style, room: Room) -> tuple[list[Part], list[AreaLight]]:
    length, width, height = style.size
    if style.lamps == "panels":
        return lamps.panels(lamps.grid(length, width, 4, 2), height)
    if style.lamps == "bells":
        return lamps.bells(lamps.grid(length, width, 2, 2), height, 0.5, 0.2)
    if style.lamps == "rings":
        return lamps.spots(lamps.grid(length, width, 4, 2), height, 0.2)
    return lamps.strips(lamps.grid(length, width, 2, 3), height, long=2.0, wide=0.1, drop=0.75)


def _workplace(rng: Rng, length: float = 1.6, screens: int = 1) -> Prop:
    """A desk and the chair at it."""
    seat = placed(
        workplace.office_chair(),
        (rng.uniform(-0.25, 0.25), 0, 0.68 + rng.uniform(-0.05, 0.15)),
        yaw=np.pi + rng.normal(0, 0.5),
    )
    return (*workplace.desk(rng, length, screens=screens, pedestal=bool(rng.random() < 0.6)), *seat)


def _on_walls(rng: Rng, room: Room, number: int) -> list[Prop]:
    """A door and a board or pictures."""
    span = room.spans[number]
    found = [room.at_wall(number, furniture.door(), span - 1.2)]
    if rng.random() < 0.5:
        found.append(room.at_wall(number, workplace.board(1.8, 1.2), span * 0.4, 0.0, 1.5))
    else:
        for x in (0.32, 0.52):
            found.append(room.at_wall(number, furniture.painting(0.8, 0.6), span * x, 0.0, 1.55))
    return found


def _open(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """Rows of desks along two walls that face each other's backs, the middle free."""
    x, z = room.length / 2, room.width / 2
    things: list[Prop] = []
    count = int((room.length - 3.0) / 1.75)
    for k in range(count):
        at = (k - (count - 1) / 2) * 1.75
        screens = int(rng.integers(1, 3))
        things.append(placed(_workplace(rng, 1.6, screens), (at, 0, -z + 0.75)))
        if k % 2 == 0:
            things.append(placed(workplace.partition(1.5), (at, 0, -z + 0.32)))
    for k in range(max(1, count - 3)):
        at = x - 1.2 - 1.75 * k
        things.append(placed(_workplace(rng), (at, 0, z - 0.6), yaw=np.pi))
    things.append(
        room.at_wall(2, workplace.filing(rng, 3, int(rng.integers(2, 5))), room.length - 1.7, 0.2)
    )
    things.append(room.at_wall(3, workplace.filing(rng, 2, 2), 0.8 + rng.uniform(0.2, 0.5), 0.2))
    things.append(room.at_wall(3, plants.house_plant(rng, 1.4), room.width - 0.7, 0.5))
    things.append(room.at_wall(1, workplace.water_cooler(), 0.8, 0.25))
    things += _on_walls(rng, room, 1 if room.length > 11 else 3)
    return things, np.array([[-x + 1.3, -z + 2.3], [x - 1.3, z - 2.1]])


def _single(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """One desk before a wall of books, chairs for visitors, an armchair."""
    x, z = room.length / 2, room.width / 2
    table = placed(_workplace(rng, 1.8), (-x + 1.5, 0, -0.2), yaw=np.pi / 2)
    things = [
        placed(table, (0, 0, 0)),
        room.at_wall(0, home.bookshelf(rng, 2.4, 6), 2.4, 0.17),
        room.at_wall(0, home.bookshelf(rng, 1.2, 6), 4.4, 0.17),
        placed(home.armchair(rng), (x - 0.8, 0, -z + 0.8), yaw=-0.8),
        room.at_wall(2, home.sideboard(1.6), 4.6, 0.24),
        room.at_wall(2, plants.house_plant(rng, 1.5), 0.8, 0.5),
        *_on_walls(rng, room, 2),
    ]
    return things, np.array([[-x + 2.6, -z + 1.4], [x - 1.35, z - 0.9]])


def _meeting(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """A long table with chairs at one side of the room, a screen on the wall, a sofa."""
    x, z = room.length / 2, room.width / 2
    table = home.dining_table(3.0, 1.1, "desk")
    seat = workplace.office_chair()
    spots = [
        (-1.0, 0.95, np.pi),
        (0.0, 0.98, np.pi),
        (1.0, 0.95, np.pi),
        (-1.0, -0.95, 0.0),
        (0.0, -0.97, 0.0),
        (1.0, -0.95, 0.0),
    ]
    group = [
        placed(thing, (x - 1.9, 0, 0.2), yaw=np.pi / 2) for thing in home.around(table, seat, spots)
    ]
    things = [
        *group,
        room.at_wall(1, workplace.board(2.0, 1.15, "screen"), z, 0.0, 1.5),
        room.at_wall(2, home.sofa(rng, 3), 6.8, 0.52),
        room.at_wall(2, home.sideboard(1.8), 4.3, 0.24),
        room.at_wall(2, plants.house_plant(rng, 1.7), 9.0, 0.5),
        placed(home.coffee_table(rng), (-x + 2.7, 0, z - 1.55)),
        room.at_wall(2, furniture.door(), 1.4),
    ]
    return things, np.array([[-x + 1.2, -z + 1.0], [x - 3.7, z - 2.1]])


def _cells(rng: Rng, room: Room) -> tuple[list[Prop], Array]:
    """Desks in cells of cloth-covered screens on both sides of an aisle."""
    x, z = room.length / 2, room.width / 2
    things: list[Prop] = []
    count = int((room.length - 2.4) / 2.1)
    for side, turn in ((-1, 0.0), (1, np.pi)):
        for k in range(count):
            at = (k - (count - 1) / 2) * 2.1
            things.append(placed(_workplace(rng, 1.7), (at, 0, side * (z - 0.55)), yaw=turn))
        for k in range(count + 1):
            at = (k - count / 2) * 2.1
            wing = placed(workplace.partition(1.7, 1.35), (0, 0, 0), yaw=np.pi / 2)
            things.append(placed(wing, (at, 0, side * (z - 0.9))))
    things.append(room.at_wall(1, workplace.filing(rng, 2, 4), room.width / 2 + 0.3, 0.2))
    things.append(room.at_wall(3, furniture.door(), room.width / 2))
    things.append(room.at_wall(3, workplace.water_cooler(), room.width / 2 + 1.2, 0.25))
    return things, np.array([[-x + 1.1, -z + 2.15], [x - 1.1, z - 2.15]])


_LAYOUTS = {"open": _open, "single": _single, "meeting": _meeting, "cells": _cells}

"""A sports hall: high, a springy floor with the lines of its games, wall bars, boxes, mats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from spinetrack_synth.scenes import floorings, textures
from spinetrack_synth.scenes.place import Part, Place, Prop, bounds
from spinetrack_synth.scenes.places.room import Room, place_of, windows_by_wall
from spinetrack_synth.scenes.props import furniture, lamps, sports
from spinetrack_synth.scenes.shapes import Array, Rng, box
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import AreaLight

Color = tuple[float, float, float]


@dataclass(frozen=True)
class _Style:
    """One hall: its size, the floor (``parquet`` or ``vinyl``) and its colour, the walls' colours,
    what they are, windows by wall as (count, width, sill, top), lamps, beams, stock by wall."""

    size: Color
    floor: str
    tone: Color
    walls: tuple[str, str, str, str]
    plain: Color
    padding: Color | None
    windows: dict[int, tuple[int, float, float, float]]
    lamps: str
    stock: tuple[tuple[str, ...], ...]


_STYLES = (
    _Style(
        (24.0, 14.0, 6.5),
        "parquet",
        (0.80, 0.62, 0.42),
        ("plaster", "plaster", "wood", "plaster"),
        (0.90, 0.89, 0.85),
        None,
        {0: (5, 3.0, 3.4, 5.6)},
        "bays",
        (("bars", "box", "bench"), ("hoop",), ("mats", "bars", "door", "bench"), ("hoop",)),
    ),
    _Style(
        (20.0, 12.0, 5.5),
        "vinyl",
        (0.32, 0.50, 0.44),
        ("block", "block", "block", "block"),
        (0.84, 0.84, 0.82),
        (0.25, 0.38, 0.60),
        {0: (4, 2.6, 2.9, 4.8), 2: (4, 2.6, 2.9, 4.8)},
        "strips",
        (("crash", "bench", "cart"), ("goal",), ("door", "bench", "mats"), ("goal",)),
    ),
    _Style(
        (16.0, 10.0, 4.6),
        "parquet",
        (0.66, 0.46, 0.29),
        ("brick", "plaster", "brick", "plaster"),
        (0.86, 0.82, 0.74),
        None,
        {2: (5, 1.6, 1.9, 4.0)},
        "bells",
        (("bars", "bars"), ("leaning", "box"), ("bench", "mats"), ("door", "box")),
    ),
    _Style(
        (26.0, 15.0, 7.5),
        "vinyl",
        (0.62, 0.47, 0.30),
        ("wood", "plaster", "wood", "plaster"),
        (0.82, 0.84, 0.86),
        (0.50, 0.42, 0.33),
        {1: (4, 3.0, 3.2, 6.6), 3: (4, 3.0, 3.2, 6.6)},
        "bays",
        (("bench", "cart", "bench"), ("hoop",), ("bars", "door", "crash"), ("hoop",)),
    ),
    _Style(
        (18.0, 11.0, 5.0),
        "vinyl",
        (0.36, 0.46, 0.62),
        ("plaster", "accent", "plaster", "accent"),
        (0.88, 0.88, 0.87),
        None,
        {},
        "strips",
        (("bars", "leaning"), ("box", "mats"), ("crash", "bench", "door"), ("mats", "cart")),
    ),
)


def build(variant: int) -> Place:
    """One of the halls; the same number gives the same hall."""
    rng = np.random.default_rng([75, variant])
    style = _STYLES[variant]
    room = Room(*style.size)
    x, z = room.length / 2, room.width / 2
    windows = windows_by_wall(rng, room, style.windows, lambda sill, top: (3, 2))
    parts, panes = room.shell(style.walls, windows)
    lamp_parts, lit = _lamps(style, room)
    parts += [*lamp_parts, *_lines(x - 1.6, z - 1.6)]
    things = [thing for number in range(4) for thing in _along(rng, room, number, style)]
    return place_of(
        "sports_hall",
        variant,
        _finishes(rng, style, room),
        parts,
        things,
        mat_area=np.array([[-x + 4.0, -z + 3.0], [x - 4.0, z - 3.0]]),
        camera_room=room.camera_room(0.4, 3.6),
        windows=panes,
        lamps=lit,
    )


def _finishes(rng: Rng, style: _Style, room: Room) -> dict[str, Finish]:
    padding = style.padding or (0.5, 0.5, 0.5)
    tone = np.array(style.tone)
    return {
        "floor": textures.planks(rng, (6.0, 3.0), tone * 1.08, tone * 0.78, plank_m=(1.0, 0.065),
                                 variety=0.5, roughness=0.3, most=1000)
        if style.floor == "parquet"
        else floorings.linoleum(rng, tone, contrast=0.4),
        "wall": textures.plaster(rng, style.plain, size_m=(4.0, 3.0)),
        "plaster": textures.plaster(rng, style.plain, size_m=(4.0, 3.0)),
        "accent": textures.plaster(rng, (0.30, 0.40, 0.58), size_m=(4.0, 3.0)),
        "block": textures.tiles(rng, (2.4, 1.6), style.plain, tile_m=(0.4, 0.2), shift="half",
                                grout=np.multiply(style.plain, 0.86), variety=0.15),
        "brick": textures.bricks(rng, (0.66, 0.45, 0.34), (0.70, 0.66, 0.60), size_m=(2.88, 1.8)),
        "wood": textures.planks(rng, (4.0, 2.0), (0.80, 0.64, 0.45), (0.62, 0.46, 0.30),
                                plank_m=(2.0, 0.1), variety=0.3, most=800),
        "ceiling": textures.plaster(rng, (0.84, 0.84, 0.82), size_m=(4.0, 4.0)),
        "beam": textures.wood(rng, (0.76, 0.60, 0.42), (0.58, 0.43, 0.28), size_m=(1.2, 0.6)),
        "trim": paint((0.36, 0.30, 0.24)),
        "frame": paint((0.78, 0.79, 0.80)),
        "white": paint((0.90, 0.90, 0.88)),
        "metal": paint((0.50, 0.51, 0.53), roughness=0.4, specular=0.6),
        "net": paint((0.82, 0.82, 0.80), roughness=0.9),
        "dark": paint((0.10, 0.10, 0.11), roughness=0.6),
        "signal": paint(rng.choice([(0.72, 0.26, 0.10), (0.60, 0.10, 0.10), (0.15, 0.25, 0.5)])),
        "leather": paint((0.42, 0.26, 0.15), roughness=0.5),
        "gymmat": paint(rng.choice([(0.20, 0.34, 0.55), (0.22, 0.42, 0.30)]), roughness=0.7),
        "gymmat2": paint(rng.choice([(0.16, 0.30, 0.52), (0.50, 0.16, 0.15)]), roughness=0.65),
        "padding": paint(padding, roughness=0.7),
        "shade": paint((0.80, 0.80, 0.78)),
        "line1": paint((0.88, 0.88, 0.86), roughness=0.4),
        "line2": paint((0.12, 0.14, 0.20), roughness=0.4),
        "line3": paint((0.66, 0.16, 0.13), roughness=0.4),
        "line4": paint((0.84, 0.68, 0.16), roughness=0.4),
    }  # fmt: skip


def _lamps(style: _Style, room: Room) -> tuple[list[Part], list[AreaLight]]:
    length, width, height = style.size
    beams = lamps.coffers(length, width, height, length / 6, 0.5)
    points = lamps.grid(length, width, 3, 2)
    if style.lamps == "bays":
        parts, lit = lamps.high_bays(points, height, 0.9)
    elif style.lamps == "bells":
        parts, lit = lamps.bells(points, height, 1.0, 0.28)
    else:
        parts, lit = lamps.strips(points, height, long=2.8, wide=0.3, drop=0.7)
    return [*parts, *beams], lit


# Long as a list of things is: one after another, nothing nested.
def _lines(x: float, z: float) -> list[Part]:
    """Lines of several games on each other, for a court that reaches to +-x, +-z."""

    def rectangle(a: float, b: float) -> Array:
        return np.array([[-a, -b], [a, -b], [a, b], [-a, b], [-a, -b]], float)

    def arc(center: float, radius: float, start: float, stop: float) -> Array:
        t = np.linspace(start, stop, 33)
        return np.column_stack([center + radius * np.cos(t), radius * np.sin(t)])

    def sides(outline: Array, width: float, y: float) -> list[Part]:
        return [("", sports.floor_line(np.stack([a, b]), width, y))
                for a, b in zip(outline, outline[1:])]  # fmt: skip

    parts: list[Part] = []
    half_turn = np.pi / 2
    key = min(5.8, 0.45 * x)
    for finish, found in (
        (
            "line1",
            [
                *sides(rectangle(x, z), 0.05, 0.0007),
                *sides(np.array([[0.0, -z], [0, z]]), 0.05, 0.0007),
                ("", sports.floor_line(arc(0, 1.8, 0, 2 * np.pi), 0.05, 0.0007)),
                *(
                    (
                        "",
                        sports.floor_line(
                            arc(s * (x - 1.4), min(6.2, z - 0.6), *turn), 0.05, 0.0007
                        ),
                    )
                    for s, turn in ((1, (half_turn, 3 * half_turn)), (-1, (-half_turn, half_turn)))
                ),
            ],
        ),
        (
            "line2",
            [
                *sides(rectangle(min(9.0, x - 0.6), min(4.5, z - 0.5)), 0.05, 0.0005),
                *sides(
                    np.array([[-3.0, -min(4.5, z - 0.5)], [-3.0, min(4.5, z - 0.5)]]), 0.05, 0.0005
                ),
                *sides(
                    np.array([[3.0, -min(4.5, z - 0.5)], [3.0, min(4.5, z - 0.5)]]), 0.05, 0.0005
                ),
            ],
        ),
        (
            "line3",
            [
                line
                for s in (-1, 1)
                for line in sides(
                    np.array(
                        [
                            [s * x, -2.45],
                            [s * (x - key), -2.45],
                            [s * (x - key), 2.45],
                            [s * x, 2.45],
                        ]
                    ),
                    0.05,
                    0.0009,
                )
            ],
        ),
        ("line4", sides(rectangle(min(6.7, x - 1.2), min(3.05, z - 0.8)), 0.04, 0.0003)),
    ):
        parts += [(finish, mesh) for _, mesh in found]
    return parts


def _along(rng: Rng, room: Room, number: int, style: _Style) -> list[Prop]:
    """Padding and what stands along a wall."""
    span = room.spans[number]
    found: list[Prop] = []
    if style.padding:
        found.append(room.at_wall(number, sports.padding(span), 0.0))
    made = [(name, _STOCK[name](rng)) for name in style.stock[number]]
    widths = [float(np.ptp(bounds(thing)[:, 0])) for _, thing in made]
    gap = (span - 3.0 - sum(widths)) / len(made)
    x = 1.5 + gap / 2
    for (name, thing), wide in zip(made, widths):
        low = bounds(thing)
        out = 0.06 if style.padding else 0.0
        if name not in _AT_THE_WALL:
            out += 0.12 - float(low[0, 2]) + float(rng.uniform(0, 0.3))
        found.append(room.at_wall(number, thing, x + wide / 2, out))
        x += wide + gap
    return found


_AT_THE_WALL = ("bars", "hoop", "goal", "door", "leaning")

_STOCK: dict[str, Callable[[Rng], Prop]] = {
    "bars": lambda rng: sports.wall_bars(int(rng.integers(3, 6))),
    "box": lambda rng: sports.vaulting_box(int(rng.integers(3, 6))),
    "bench": lambda rng: sports.long_bench(),
    "mats": lambda rng: sports.mat_stack(int(rng.integers(4, 10))),
    "crash": lambda rng: sports.crash_mat(),
    "leaning": lambda rng: sports.leaning_mat(),
    "hoop": lambda rng: sports.hoop(),
    "goal": lambda rng: sports.handball_goal(),
    "cart": lambda rng: sports.ball_cart(),
    "door": lambda rng: _double_door(),
}


def _double_door() -> Prop:
    """Two leaves beside each other, 2.1 m high."""
    leaf = partial(furniture.door, 0.95, 2.1)
    found: list[Part] = []
    for x in (-0.52, 0.52):
        found += Room(0, 0, 0).at_wall(0, leaf(), x)
    bar = box((0.7, 0.05, 0.05), (-0.52, 1.0, 0.08))
    return (*found, ("metal", bar))

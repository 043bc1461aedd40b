"""A treatment room: light walls, linoleum, a plinth, wall bars, a stool, cabinets, a curtain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spinetrack_synth.scenes import floorings, greenery, textures
from spinetrack_synth.scenes.place import Part, Place, Prop, bounds, placed
from spinetrack_synth.scenes.places.room import Room, Window, place_of, windows_by_wall
from spinetrack_synth.scenes.props import furniture, gym, lamps, plants, sports, workplace
from spinetrack_synth.scenes.shapes import Rng, box, moved
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import AreaLight

Color = tuple[float, float, float]


@dataclass(frozen=True)
class _Style:
    """One room: size, colours of wall, of the wall behind the plinth and of the floor, the kind of
    floor, windows by wall as (count, width, sill, top, share of the blinds), lamps, and what stands
    along each wall."""

    size: Color
    plain: Color
    accent: Color
    pad: Color
    floor: tuple[str, Color]
    windows: dict[int, tuple[int, float, float, float, float]]
    lamps: str
    stock: tuple[tuple[str, ...], ...]


_STYLES = (
    _Style(
        (7.4, 6.0, 2.8),
        (0.91, 0.91, 0.89),
        (0.68, 0.78, 0.76),
        (0.16, 0.34, 0.42),
        ("linoleum", (0.62, 0.66, 0.64)),
        {0: (3, 1.4, 0.9, 2.2, 0.5)},
        "panels",
        (("desk", "plant"), ("bars", "ball"), ("plinth", "cabinet"), ("door", "basin")),
    ),
    _Style(
        (9.5, 7.0, 3.0),
        (0.90, 0.88, 0.84),
        (0.80, 0.70, 0.56),
        (0.46, 0.20, 0.20),
        ("boards", (0.76, 0.62, 0.45)),
        {1: (2, 2.0, 0.35, 2.4, 0.0)},
        "strips",
        (
            ("bars", "mats", "ball"),
            ("weights", "plant"),
            ("plinth", "screen", "plinth"),
            ("door", "cabinet"),
        ),
    ),
    _Style(
        (6.8, 5.8, 2.6),
        (0.88, 0.90, 0.92),
        (0.56, 0.66, 0.78),
        (0.20, 0.22, 0.26),
        ("linoleum", (0.45, 0.55, 0.66)),
        {},
        "panels",
        (("cabinet", "chart", "basin"), ("plinth", "chart"), ("desk", "door"), ("glazed", "chair")),
    ),
    _Style(
        (11.0, 7.5, 3.3),
        (0.92, 0.91, 0.90),
        (0.40, 0.55, 0.46),
        (0.24, 0.40, 0.32),
        ("linoleum", (0.70, 0.64, 0.54)),
        {0: (4, 1.6, 0.8, 2.6, 0.3), 3: (2, 1.6, 0.8, 2.6, 0.3)},
        "spots",
        (
            ("ball", "weights"),
            ("treadmill", "bars"),
            ("plinth", "screen", "plinth", "glazed"),
            ("plant", "chair"),
        ),
    ),
    _Style(
        (7.0, 6.4, 2.9),
        (0.87, 0.84, 0.79),
        (0.64, 0.52, 0.46),
        (0.72, 0.66, 0.56),
        ("tiles", (0.72, 0.69, 0.64)),
        {2: (2, 1.2, 1.0, 2.3, 0.0), 1: (1, 1.2, 1.0, 2.3, 0.0)},
        "bells",
        (("plinth", "chart", "door"), ("chair", "plant"), ("desk", "cabinet"), ("bars", "chart")),
    ),
)


def build(variant: int) -> Place:
    """One of the treatment rooms; the same number gives the same room."""
    rng = np.random.default_rng([77, variant])
    style = _STYLES[variant]
    room = Room(*style.size)
    windows = windows_by_wall(rng, room, style.windows, lambda sill, top: (2, 1))
    walls = (
        "wall",
        "accent" if variant % 2 else "wall",
        "wall" if variant % 2 else "accent",
        "wall",
    )
    parts, panes = room.shell(walls, windows)
    lamp_parts, lit = _lamps(style, room)
    parts += lamp_parts
    for number, openings in windows.items():
        share = style.windows[number][4]
        for w in openings if share else ():
            hung = workplace.blinds(w.high - w.low - 0.04, w.top - w.sill, share)
            parts += room.at_wall(number, hung, w.low + 0.02, 0.0, w.top - 0.02)
    things = [thing for number in range(4)
              for thing in _along(rng, room, number, style, windows.get(number, []))]  # fmt: skip
    return place_of(
        "clinic",
        variant,
        _finishes(rng, style),
        parts,
        things,
        mat_area=room.open_middle(1.45, 1.45, 1.35, 1.35),
        camera_room=room.camera_room(0.35),
        windows=panes,
        lamps=lit,
    )


def _finishes(rng: Rng, style: _Style) -> dict[str, Finish]:
    kind, tone = style.floor
    return {
        "floor": floorings.linoleum(rng, tone)
        if kind == "linoleum"
        else textures.planks(
            rng,
            (4.8, 2.4),
            np.multiply(tone, 1.06),
            np.multiply(tone, 0.8),
            plank_m=(1.2, 0.15),
            variety=0.4,
            most=800,
        )
        if kind == "boards"
        else textures.tiles(rng, (3.6, 3.6), tone, tile_m=(0.6, 0.6), variety=0.3, most=600),
        "wall": textures.plaster(rng, style.plain, size_m=(4.0, 3.0)),
        "accent": textures.plaster(rng, style.accent, size_m=(4.0, 3.0)),
        "ceiling": textures.plaster(rng, (0.92, 0.92, 0.91), size_m=(4.0, 4.0), rough=0.5),
        "trim": paint(np.multiply(style.plain, 0.7)),
        "frame": paint((0.90, 0.90, 0.89)),
        "white": paint((0.90, 0.90, 0.89)),
        "metal": paint((0.60, 0.61, 0.62), roughness=0.35, specular=0.6),
        "chrome": paint((0.66, 0.66, 0.67), roughness=0.2, specular=0.8),
        "dark": paint((0.11, 0.11, 0.12), roughness=0.6),
        "pad": paint(style.pad, roughness=0.45, specular=0.35),
        "pad2": paint(np.clip(np.multiply(style.pad, 1.5), 0, 0.85), roughness=0.5),
        "chair": textures.cloth(rng, np.clip(np.multiply(style.accent, 0.7), 0, 1)),
        "cabinet": paint((0.86, 0.87, 0.87), roughness=0.4),
        "desk": textures.wood(rng, (0.82, 0.70, 0.54), (0.68, 0.54, 0.38), size_m=(1.2, 0.6)),
        "wood": textures.wood(rng, (0.80, 0.63, 0.44), (0.62, 0.46, 0.30), size_m=(1.2, 0.6)),
        "curtain": textures.cloth(rng, np.clip(np.multiply(style.accent, 1.15), 0, 0.92)),
        "glass": paint((0.20, 0.23, 0.24), roughness=0.08, specular=0.8),
        "screen": paint((0.04, 0.05, 0.065), roughness=0.12, specular=0.7),
        "blind": paint((0.86, 0.86, 0.84), roughness=0.6),
        "splash": textures.tiles(
            rng, (1.2, 1.2), (0.84, 0.86, 0.87), tile_m=(0.15, 0.15), variety=0.1, most=256
        ),
        "mark": paint((0.62, 0.30, 0.24)),
        "mug": paint(rng.uniform(0.2, 0.7, 3)),
        "ball": paint(
            rng.choice([(0.20, 0.42, 0.60), (0.62, 0.22, 0.20), (0.36, 0.50, 0.28)]), roughness=0.5
        ),
        "gymmat": paint((0.22, 0.38, 0.52), roughness=0.75),
        "plate": paint((0.14, 0.14, 0.15), roughness=0.55),
        "shell": paint((0.72, 0.73, 0.74), roughness=0.4),
        "shade": paint((0.84, 0.82, 0.76)),
        "pot": paint((0.78, 0.77, 0.74)),
        "soil": paint((0.20, 0.15, 0.11), roughness=1.0, specular=0.1),
        "leaf": greenery.foliage(
            rng, ((0.10, 0.19, 0.08), (0.18, 0.32, 0.13), (0.32, 0.46, 0.20)), side=256
        ),
    }


def _lamps(style: _Style, room: Room) -> tuple[list[Part], list[AreaLight]]:
    length, width, height = style.size
    points = lamps.grid(length, width, 3, 2)
    if style.lamps == "panels":
        return lamps.panels(points, height)
    if style.lamps == "spots":
        return lamps.spots(points, height, 0.14)
    if style.lamps == "bells":
        return lamps.bells(lamps.grid(length, width, 2, 2), height, 0.32, 0.22)
    return lamps.strips(points, height, long=1.5, wide=0.2)


def _along(rng: Rng, room: Room, number: int, style: _Style, windows: list[Window]) -> list[Prop]:
    """Things along a wall, evenly apart; what hangs stays clear of the windows."""
    span = room.spans[number]
    made = [(name, _STOCK[name](rng)) for name in style.stock[number]]
    widths = [float(np.ptp(bounds(thing)[:, 0])) for _, thing in made]
    margin = 0.9
    gap = (span - 2 * margin - sum(widths)) / len(made)
    x = margin + gap / 2
    found = []
    for (name, thing), wide in zip(made, widths):
        low = bounds(thing)
        middle = x + wide / 2 - float(low.mean(0)[0])
        x += wide + gap
        glazed = any(w.low - wide / 2 < middle < w.high + wide / 2 for w in windows)
        if name in _HANGING:
            if not glazed:
                found.append(room.at_wall(number, thing, middle, 0.0, _HANGING[name]))
            continue
        if glazed and float(low[1, 1]) > 1.0 and name != "plant":
            continue
        out = (
            0.03
            - float(low[0, 2])
            + (0.0 if name in ("cabinet", "glazed") else rng.uniform(0.02, 0.1))
        )
        found.append(room.at_wall(number, thing, middle, out))
    return found


_HANGING = {"chart": 1.55, "door": 0.0, "basin": 0.0, "bars": 0.0}


def _desk(rng: Rng) -> Prop:
    """A desk against a wall with its chair before it."""
    table = workplace.desk(rng, rng.uniform(1.2, 1.5))
    seat = placed(
        workplace.office_chair(), (rng.uniform(-0.1, 0.1), 0, 0.62), yaw=np.pi + rng.normal(0, 0.3)
    )
    return (*table, *seat)


def _plinth(rng: Rng) -> Prop:
    """A plinth along the wall and a stool at its foot."""
    table = workplace.plinth(rng, rng.uniform(0.55, 0.75), raised=bool(rng.random() < 0.4))
    return (*placed(table, (0, 0, 0.2)), *placed(workplace.stool(), (1.25, 0, 0.25)))


def _weights(rng: Rng) -> Prop:
    """Small dumbbells on a shelf."""
    return tuple((n if n != "frame" else "metal", m) for n, m in gym.dumbbell_rack(1.3, 2))


def _screen(rng: Rng) -> Prop:
    """A curtain across the room, between two plinths."""
    hung = placed(workplace.privacy_curtain(rng, 1.7), (0, 0, 0), yaw=-np.pi / 2)
    return tuple((n, moved(m, (0, 0, 0))) for n, m in hung)


def _chair(rng: Rng) -> Prop:
    """A chair for those who wait."""
    legs = [box((0.03, 0.44, 0.03), (x, 0.22, z)) for x in (-0.21, 0.21) for z in (-0.2, 0.2)]
    seat = box((0.48, 0.06, 0.46), (0, 0.43, 0), edge=0.02)
    back = box((0.46, 0.4, 0.05), (0, 0.70, -0.22), edge=0.02)
    return (("chair", seat), ("chair", back), *(("metal", leg) for leg in legs))


_STOCK: dict[str, Callable[[Rng], Prop]] = {
    "desk": _desk,
    "plinth": _plinth,
    "screen": _screen,
    "bars": lambda rng: sports.wall_bars(int(rng.integers(1, 3)), 2.3),
    "ball": lambda rng: gym.ball(float(rng.uniform(0.28, 0.34))),
    "mats": lambda rng: sports.mat_stack(int(rng.integers(2, 5))),
    "weights": _weights,
    "treadmill": gym.treadmill,
    "cabinet": lambda rng: workplace.cabinet(rng.uniform(0.8, 1.1), rng.uniform(0.9, 1.9)),
    "glazed": lambda rng: workplace.cabinet(0.95, 1.85, glazed=True),
    "basin": lambda rng: workplace.basin(),
    "chart": workplace.chart,
    "door": lambda rng: furniture.door(),
    "chair": _chair,
    "plant": lambda rng: plants.house_plant(rng, rng.uniform(1.0, 1.5)),
}

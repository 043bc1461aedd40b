"""A gym: rubber floor, racks and machines along the walls, free weights, room in the middle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spinetrack_synth.scenes import floorings, greenery, textures
from spinetrack_synth.scenes.place import Part, Place, Prop, bounds
from spinetrack_synth.scenes.places.room import Room, Window, place_of, windows_by_wall
from spinetrack_synth.scenes.props import furniture, gym, lamps, plants
from spinetrack_synth.scenes.shapes import Rng, box
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import AreaLight

Color = tuple[float, float, float]


@dataclass(frozen=True)
class _Style:
    """One gym: its size, what its walls are (``plaster``, ``brick``, ``block``, ``concrete``), the
    floor, windows by wall as (count, width, sill, top), lamps, and what stands along each wall."""

    size: Color
    walls: tuple[str, str, str, str]
    plain: Color
    accent: Color
    floor: tuple[Color, Color, float, float]  # rubber, fleck, share, tile; no tile: boards
    frame: Color
    pad: Color
    windows: dict[int, tuple[int, float, float, float]]
    lamps: str
    stock: tuple[tuple[str, ...], ...]


_RACKS = ("rack", "gap", "rack", "tree", "rack")
_WEIGHTS = ("dumbbells", "bench", "dumbbells", "tree", "incline")
_CARDIO = ("treadmill", "treadmill", "treadmill", "bike", "bike", "plant")
_CROSS = ("boxes", "kettlebells", "balls", "stand", "tree", "bag")
_MACHINES = ("press", "cable", "press", "press", "cable", "door")

_STYLES = (
    _Style(
        (13.5, 10.5, 3.8),
        ("brick", "plaster", "plaster", "accent"),
        (0.84, 0.83, 0.80),
        (0.16, 0.17, 0.19),
        ((0.13, 0.13, 0.14), (0.42, 0.44, 0.47), 0.03, 1.0),
        (0.12, 0.12, 0.13),
        (0.10, 0.10, 0.11),
        {1: (3, 2.2, 0.9, 3.0)},
        "strips",
        (_RACKS, ("bike", "bike", "plant", "bike"), _WEIGHTS, ("door", "kettlebells", "boxes")),
    ),
    _Style(
        (15.0, 11.0, 4.6),
        ("block", "block", "concrete", "block"),
        (0.80, 0.80, 0.79),
        (0.62, 0.14, 0.12),
        ((0.17, 0.17, 0.175), (0.17, 0.17, 0.175), 0.0, 1.25),
        (0.55, 0.13, 0.11),
        (0.12, 0.12, 0.12),
        {},
        "bays",
        (
            ("stand", "stand", "tree", "stand", "stand"),
            _CROSS,
            ("rack", "boxes", "rack", "tree"),
            ("door", "kettlebells", "balls", "bag"),
        ),
    ),
    _Style(
        (12.0, 10.0, 3.0),
        ("plaster", "accent", "plaster", "plaster"),
        (0.90, 0.89, 0.86),
        (0.24, 0.42, 0.46),
        ((0.30, 0.33, 0.36), (0.62, 0.66, 0.70), 0.09, 0.0),
        (0.75, 0.76, 0.77),
        (0.70, 0.24, 0.15),
        {0: (5, 1.9, 0.05, 2.7)},
        "panels",
        (_CARDIO, ("door", "balls", "plant"), _MACHINES, ("dumbbells", "incline", "kettlebells")),
    ),
    _Style(
        (10.5, 9.0, 2.75),
        ("plaster", "plaster", "wood", "plaster"),
        (0.78, 0.80, 0.82),
        (0.55, 0.56, 0.58),
        ((0.66, 0.52, 0.38), (0.46, 0.33, 0.22), 0.0, -1.0),
        (0.85, 0.85, 0.84),
        (0.20, 0.30, 0.44),
        {3: (4, 1.3, 0.8, 2.2)},
        "spots",
        (
            ("dumbbells", "bench", "balls", "plant"),
            ("press", "cable", "bike", "bike"),
            ("treadmill", "bike", "door"),
            ("kettlebells", "plant"),
        ),
    ),
    _Style(
        (16.0, 12.0, 5.2),
        ("block", "concrete", "block", "block"),
        (0.70, 0.71, 0.70),
        (0.85, 0.66, 0.13),
        ((0.12, 0.12, 0.125), (0.75, 0.60, 0.16), 0.035, 1.0),
        (0.88, 0.68, 0.10),
        (0.14, 0.14, 0.15),
        {0: (5, 2.0, 2.9, 4.4), 2: (5, 2.0, 2.9, 4.4)},
        "bays",
        (_RACKS, _WEIGHTS, ("cable", "press", "cable", "press", "stand"), _CROSS),
    ),
    _Style(
        (11.5, 9.5, 3.3),
        ("accent", "plaster", "brick", "plaster"),
        (0.88, 0.86, 0.82),
        (0.30, 0.27, 0.34),
        ((0.20, 0.21, 0.22), (0.30, 0.45, 0.60), 0.08, 0.0),
        (0.90, 0.90, 0.90),
        (0.16, 0.16, 0.17),
        {1: (2, 2.6, 0.4, 2.6), 3: (2, 1.4, 0.9, 2.5)},
        "rings",
        (
            ("press", "press", "cable", "bike"),
            ("dumbbells", "plant"),
            ("rack", "tree", "rack", "bench"),
            ("door", "treadmill"),
        ),
    ),
)


def build(variant: int) -> Place:
    """One of the gyms; the same number gives the same gym."""
    rng = np.random.default_rng([74, variant])
    style = _STYLES[variant]
    room = Room(*style.size)
    windows = windows_by_wall(
        rng, room, style.windows, lambda sill, top: (2, 1 if top > 2.8 else 2)
    )
    parts, panes = room.shell(style.walls, windows)
    lamp_parts, lit = _lamps(style, room)
    things = [
        thing
        for number, names in enumerate(style.stock)
        for thing in _along(rng, room, number, names, windows.get(number, []))
    ]
    x, z = room.length / 2, room.width / 2
    free = 2.35
    return place_of(
        "gym",
        variant,
        _finishes(rng, style),
        [*parts, *lamp_parts, *_markings(style, x - free, z - free)],
        things,
        mat_area=np.array([[-x + free, -z + free], [x - free, z - free]]),
        camera_room=room.camera_room(0.4, 2.6),
        windows=panes,
        lamps=lit,
    )


def _finishes(rng: Rng, style: _Style) -> dict[str, Finish]:
    rubber, fleck, share, tile = style.floor
    frame_tone = paint(style.frame, roughness=0.4, specular=0.5)
    return {
        "floor": textures.planks(rng, (4.8, 2.4), rubber, fleck, plank_m=(1.2, 0.12), most=800)
        if tile < 0
        else floorings.rubber(rng, rubber, fleck, share=share, tile_m=tile),
        "wall": textures.plaster(rng, style.plain, size_m=(4.0, 3.0)),
        "plaster": textures.plaster(rng, style.plain, size_m=(4.0, 3.0)),
        "accent": textures.plaster(rng, style.accent, size_m=(4.0, 3.0)),
        "brick": textures.bricks(rng, (0.58, 0.36, 0.28), (0.66, 0.62, 0.56), size_m=(2.88, 1.8)),
        "block": textures.tiles(rng, (2.4, 1.6), style.plain, tile_m=(0.4, 0.2), shift="half",
                                grout=np.multiply(style.plain, 0.86), variety=0.12),
        "concrete": textures.concrete(rng, (0.60, 0.60, 0.59), size_m=(5.0, 2.5)),
        "wood": textures.wood(rng, (0.74, 0.58, 0.40), (0.55, 0.40, 0.26), size_m=(1.2, 0.6)),
        "ceiling": textures.plaster(rng, (0.90, 0.90, 0.88), size_m=(4.0, 4.0), rough=0.5)
        if style.size[2] < 4
        else textures.concrete(rng, (0.50, 0.50, 0.50), size_m=(5.0, 5.0)),
        "trim": paint(np.multiply(style.plain, 0.55)),
        "frame": frame_tone,
        "dark": paint((0.07, 0.07, 0.075), roughness=0.6, specular=0.3),
        "chrome": paint((0.66, 0.66, 0.67), roughness=0.25, specular=0.8),
        "plate": paint((0.09, 0.09, 0.095), roughness=0.55),
        "plate2": paint(rng.choice([(0.55, 0.12, 0.11), (0.13, 0.24, 0.47), (0.20, 0.21, 0.22)]),
                        roughness=0.6),
        "pad": paint(style.pad, roughness=0.45, specular=0.35),
        "shell": paint((0.30, 0.31, 0.33), roughness=0.4),
        "screen": paint((0.03, 0.035, 0.045), roughness=0.12, specular=0.7),
        "ball": paint(rng.uniform(0.2, 0.65, 3), roughness=0.6),
        "line": paint(style.accent, roughness=0.8),
        "white": paint((0.88, 0.88, 0.86)),
        "metal": paint((0.55, 0.55, 0.56), roughness=0.35, specular=0.7),
        "shade": paint((0.12, 0.12, 0.12)),
        "duct": paint((0.60, 0.61, 0.62), roughness=0.35, specular=0.6),
        "beam": paint((0.30, 0.31, 0.33), roughness=0.6),
        "pot": paint((0.30, 0.30, 0.31)),
        "soil": paint((0.18, 0.14, 0.10), roughness=1.0, specular=0.1),
        "leaf": greenery.foliage(rng, ((0.10, 0.19, 0.08), (0.18, 0.32, 0.13), (0.32, 0.46, 0.20))),
        "picture": paint(np.clip(np.multiply(style.accent, 1.3), 0, 0.9)),
    }  # fmt: skip


def _markings(style: _Style, x: float, z: float) -> list[Part]:
    """A coloured line on the floor around the free middle, where the rubber is in tiles."""
    if style.floor[3] <= 0:
        return []
    bars = [box((2 * x, 0.0012, 0.06), (0, 0, s * z), edge=0.0003) for s in (-1, 1)]
    bars += [box((0.06, 0.0012, 2 * z + 0.06), (s * x, 0, 0), edge=0.0003) for s in (-1, 1)]
    return [("line", bar) for bar in bars]


def _lamps(style: _Style, room: Room) -> tuple[list[Part], list[AreaLight]]:
    length, width, height = style.size
    if style.lamps == "bays":
        parts, lit = lamps.high_bays(lamps.grid(length, width, 3, 2), height, 0.9)
        parts += lamps.coffers(length, width, height, 3.0, 0.35)
        parts += lamps.ducts(length - 0.2, -width / 2 + 1.6, height - 0.65)
        return parts, lit
    if style.lamps == "panels":
        return lamps.panels(lamps.grid(length, width, 4, 2), height)
    if style.lamps == "spots":
        return lamps.spots(lamps.grid(length, width, 4, 3), height, 0.11)
    if style.lamps == "rings":
        return lamps.bells(lamps.grid(length, width, 3, 3), height, 0.55, 0.3)
    parts, lit = lamps.strips(lamps.grid(length, width, 3, 3), height, long=1.6, drop=0.35)
    parts += lamps.ducts(length - 0.2, width / 2 - 1.4, height - 0.45)
    return parts, lit


def _along(
    rng: Rng, room: Room, number: int, names: tuple[str, ...], windows: list[Window]
) -> list[Prop]:
    """Things set down along a wall from one corner to the other, evenly apart."""
    span = room.spans[number]
    made = [(name, _STOCK[name](rng)) for name in names if name != "gap"]
    widths = [float(np.ptp(bounds(thing)[:, 0])) for _, thing in made]
    # The corners are left to the walls beside.
    inner = span - 3.6
    while sum(widths) + 0.25 * len(widths) > inner and len(made) > 1:
        made.pop()
        widths.pop()
    gap = (inner - sum(widths)) / max(1, len(made))
    x = 1.8 + gap / 2
    found = []
    for (name, thing), wide in zip(made, widths):
        low = bounds(thing)
        middle = x + wide / 2
        if name == "door":
            behind_glass = any(w.low - 0.6 < middle < w.high + 0.6 for w in windows)
            if not behind_glass:
                found.append(room.at_wall(number, thing, middle))
        elif name == "bag":
            found.append(room.at_wall(number, thing, middle, 1.1, room.height))
        else:
            back = 0.08 - float(low[0, 2]) + float(rng.uniform(0, 0.12))
            found.append(room.at_wall(number, thing, middle - float(low[:, 0].mean()), back))
        x += wide + gap
    return found


def _turned(prop: Prop, yaw: float) -> Prop:
    return Room(0, 0, 0).at_wall(0, prop, 0.0, yaw=yaw)


def _boxes(rng: Rng) -> Prop:
    """Jump boxes of three heights beside each other."""
    parts: list[Part] = []
    for k, height in enumerate(rng.permutation([0.5, 0.6, 0.75]).tolist()):
        parts += [(n, m) for n, m in Room(0, 0, 0).at_wall(0, gym.jump_box(height), 0.82 * k)]
    return tuple(parts)


def _balls(rng: Rng) -> Prop:
    """A big ball and some small heavy ones."""
    parts: list[Part] = list(gym.ball(0.32))
    for k in range(3):
        small = gym.ball(0.15, "dark" if k % 2 else "pad")
        parts += Room(0, 0, 0).at_wall(0, small, 0.5 + 0.34 * k, float(rng.uniform(-0.1, 0.1)))
    return tuple(parts)


_STOCK: dict[str, Callable[[Rng], Prop]] = {
    "rack": lambda rng: gym.rack(rng, deep=True, plates=int(rng.integers(0, 4))),
    "stand": lambda rng: gym.rack(rng, deep=False, plates=int(rng.integers(1, 4))),
    "tree": gym.plate_tree,
    "dumbbells": lambda rng: gym.dumbbell_rack(rng.uniform(1.9, 2.4), int(rng.integers(2, 4))),
    "bench": lambda rng: _turned(gym.flat_bench(rng), np.pi / 2),
    "incline": lambda rng: _turned(gym.flat_bench(rng, incline=True), np.pi / 2),
    "cable": gym.cable_tower,
    "press": gym.press_machine,
    "treadmill": lambda rng: gym.treadmill(rng),
    "bike": gym.bicycle,
    "boxes": _boxes,
    "kettlebells": lambda rng: gym.kettlebells(rng, int(rng.integers(5, 9))),
    "balls": _balls,
    "bag": lambda rng: gym.punch_bag(rng.uniform(1.6, 1.9)),
    "plant": lambda rng: plants.house_plant(rng, rng.uniform(1.1, 1.6)),
    "door": lambda rng: furniture.door(),
}

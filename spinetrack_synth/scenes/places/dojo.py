"""A dojo: straw mats, wooden walls, paper windows, a raised alcove, racks with wooden weapons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spinetrack_synth.scenes import floorings, greenery, textures
from spinetrack_synth.scenes.place import Part, Place, Prop
from spinetrack_synth.scenes.places.room import Room, Window, light, place_of
from spinetrack_synth.scenes.props import furniture, gym, lamps, plants, sports
from spinetrack_synth.scenes.shapes import Mesh, Rng, box, joined, moved, rectangle, tube, turned
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import AreaLight

Color = tuple[float, float, float]


@dataclass(frozen=True)
class _Style:
    """One dojo: size, floor (``straw`` mats, ``boards``, ``foam`` tiles of two colours), colours of
    the mats, the walls and the wood, walls with paper windows, lamps, what stands along walls 2
    and 3."""

    size: Color
    floor: str
    mats: tuple[Color, Color]
    plain: Color
    wood: tuple[Color, Color]
    paper: tuple[int, ...]
    lamps: str
    stock: tuple[tuple[str, ...], tuple[str, ...]]


_CEDAR = ((0.66, 0.48, 0.32), (0.48, 0.32, 0.20))
_CYPRESS = ((0.84, 0.70, 0.52), (0.68, 0.52, 0.36))
_DARK = ((0.36, 0.25, 0.17), (0.22, 0.15, 0.10))

_STYLES = (
    _Style((10.9, 9.1, 3.0), "straw", ((0.72, 0.68, 0.46), (0.16, 0.24, 0.18)), (0.86, 0.81, 0.70),
           _CEDAR, (1, 3), "lanterns", (("alcove", "rack"), ("rack",))),
    _Style((12.7, 9.1, 3.6), "boards", ((0.70, 0.54, 0.36), (0.52, 0.38, 0.24)), (0.88, 0.86, 0.80),
           _CYPRESS, (0, 1), "strips", (("rack", "alcove"), ("posts", "bench"))),
    _Style((14.0, 11.0, 4.2), "foam", ((0.20, 0.38, 0.54), (0.62, 0.20, 0.17)), (0.85, 0.85, 0.84),
           _CYPRESS, (), "bays", (("bag", "mats", "rack"), ("bag", "bench"))),
    _Style((9.1, 9.1, 2.7), "straw", ((0.62, 0.58, 0.38), (0.14, 0.13, 0.13)), (0.74, 0.68, 0.58),
           _DARK, (0, 1, 3), "spots", (("alcove",), ("bench",))),
    _Style((12.0, 10.0, 3.2), "foam", ((0.30, 0.46, 0.30), (0.62, 0.54, 0.26)), (0.90, 0.89, 0.85),
           _CEDAR, (0,), "panels", (("mats", "rack", "bag"), ("posts", "bench"))),
)  # fmt: skip


def build(variant: int) -> Place:
    """One of the dojos; the same number gives the same dojo."""
    rng = np.random.default_rng([81, variant])
    style = _STYLES[variant]
    room = Room(*style.size)
    parts, panes = _walls(style, room)
    lamp_parts, lit = _lamps(style, room)
    parts += [*lamp_parts, *_mats(style, room)]
    things: list[Prop] = []
    for number, names in zip((2, 3), style.stock):
        step = room.spans[number] / len(names)
        for k, name in enumerate(names):
            things += _stock(rng, room, number, name, (k + 0.5) * step)
    if 1 not in style.paper:
        things.append(room.at_wall(1, furniture.door(0.95, 2.02), room.width - 1.6))
    return place_of(
        "dojo",
        variant,
        _finishes(rng, style),
        parts,
        things,
        mat_area=room.open_middle(1.4, 1.4, 1.2, 1.6),
        camera_room=room.camera_room(0.35),
        windows=panes,
        lamps=lit,
    )


def _finishes(rng: Rng, style: _Style) -> dict[str, Finish]:
    light_wood, dark_wood = style.wood
    first, second = style.mats
    return {
        "floor": textures.planks(
            rng,
            (6.0, 3.0),
            light_wood,
            dark_wood,
            plank_m=(2.0, 0.15),
            variety=0.4,
            roughness=0.25,
            most=900,
        ),
        "straw": floorings.straw(rng, first),
        "border": paint(second, roughness=0.9, specular=0.1),
        "foam1": floorings.rubber(rng, first, first, share=0.0, tile_m=0.0),
        "foam2": floorings.rubber(rng, second, second, share=0.0, tile_m=0.0),
        "wall": textures.plaster(rng, style.plain, size_m=(4.0, 3.0), rough=2.5),
        "wood": textures.wood(rng, light_wood, dark_wood, size_m=(2.4, 0.6)),
        "panel": textures.planks(
            rng, (2.4, 2.4), light_wood, dark_wood, plank_m=(2.4, 0.2), variety=0.35, most=640
        ),
        "ceiling": textures.planks(
            rng,
            (4.8, 2.4),
            np.multiply(light_wood, 1.06),
            light_wood,
            plank_m=(4.8, 0.3),
            variety=0.25,
            most=640,
        )
        if style.floor != "foam"
        else textures.plaster(rng, (0.88, 0.88, 0.86), size_m=(4.0, 4.0), rough=0.5),
        "beam": textures.wood(rng, light_wood, dark_wood, size_m=(2.4, 0.6)),
        "paper": paint((0.88, 0.86, 0.80), roughness=0.9, specular=0.1),
        "trim": textures.wood(rng, dark_wood, np.multiply(dark_wood, 0.75), size_m=(2.4, 0.6)),
        "frame": paint(np.multiply(dark_wood, 0.8)),
        "white": paint((0.88, 0.87, 0.82)),
        "ink": paint((0.06, 0.06, 0.06), roughness=0.9),
        "cloth": textures.cloth(rng, (0.46, 0.15, 0.13)),
        "dark": paint((0.10, 0.09, 0.09), roughness=0.6),
        "metal": paint((0.36, 0.34, 0.32), roughness=0.4, specular=0.6),
        "chrome": paint((0.62, 0.62, 0.63), roughness=0.25, specular=0.8),
        "pad": paint(rng.choice([(0.12, 0.12, 0.13), (0.45, 0.10, 0.09)]), roughness=0.45),
        "gymmat": paint(first, roughness=0.75),
        "rope": textures.cloth(rng, (0.70, 0.62, 0.46)),
        "shade": paint((0.86, 0.82, 0.72)),
        "pot": paint((0.26, 0.28, 0.30)),
        "soil": paint((0.20, 0.15, 0.11), roughness=1.0, specular=0.1),
        "leaf": greenery.foliage(
            rng, ((0.10, 0.19, 0.08), (0.18, 0.32, 0.13), (0.32, 0.46, 0.20)), side=256
        ),
    }


def _walls(style: _Style, room: Room) -> tuple[list[Part], list[AreaLight]]:
    """Plaster over a wainscot of boards between posts; paper windows in wooden lattices."""
    windows: dict[int, list[Window]] = {}
    if not style.paper and style.floor == "foam":
        windows = {0: [Window(1.5 + 3.0 * k, 3.5 + 3.0 * k, 2.2, 3.4, (3, 1)) for k in range(4)]}
    parts, panes = room.shell(("wall",) * 4, windows, skirting=False)
    for number, span in enumerate(room.spans):
        if number in style.paper:
            made, glow = _paper_wall(span, room.height)
            parts += room.at_wall(number, made, 0.0)
            for x, y, wide, tall in glow:
                face = rectangle((x, y, 0.022), (wide, 0, 0), (0, tall, 0))
                (_, placed_face), *_ = room.at_wall(number, (("", face),), 0.0)
                a, b, _, d = placed_face.vertices
                panes.append(light((b + d) / 2, (b - a) / 2, (d - a) / 2))
        else:
            board = box((span, 1.0, 0.03), (span / 2, 0.5, 0.016), edge=0.004)
            rail = box((span, 0.06, 0.05), (span / 2, 1.02, 0.025))
            parts += room.at_wall(number, (("panel", board), ("trim", rail)), 0.0)
        posts = [box((0.12, room.height, 0.10), (x, room.height / 2, 0.045))
                 for x in np.linspace(0.06, span - 0.06, 1 + round(span / 1.82))]  # fmt: skip
        lintel = box((span, 0.12, 0.08), (span / 2, 2.12 if room.height < 3.4 else 2.5, 0.04))
        parts += room.at_wall(number, (("wood", joined([*posts, lintel])),), 0.0)
    return parts, panes


def _paper_wall(span: float, height: float) -> tuple[Prop, list[tuple[float, float, float, float]]]:
    """Sliding doors of paper along X, and where they glow: corner, width and height of two lights
    for each wall."""
    count = round(span / 0.91)
    wide, tall, low = span / count, 1.94, 0.1
    lattice: list[Mesh] = []
    foot: list[Mesh] = []
    for k in range(count):
        x = (k + 0.5) * wide
        foot.append(box((wide - 0.05, 0.36, 0.02), (x, low + 0.18, 0.03)))
        for s in (-1, 1):
            lattice.append(
                box((0.035, tall, 0.035), (x + s * (wide / 2 - 0.018), low + tall / 2, 0.035))
            )
        lattice += [
            box((0.014, tall - 0.4, 0.02), (x + s * wide / 6, low + 0.4 + (tall - 0.4) / 2, 0.032))
            for s in (-1, 1)
        ]
        lattice += [
            box((wide, 0.014 if 0 < j < 5 else 0.035, 0.02), (x, y, 0.032))
            for j, y in enumerate(np.linspace(low + 0.38, low + tall - 0.02, 6))
        ]
    rail = box((span, 0.1, 0.08), (span / 2, 0.05, 0.03))
    half = span / 2 - 0.08
    glow = [(0.06, low + 0.38, half, tall - 0.4), (span / 2 + 0.02, low + 0.38, half, tall - 0.4)]
    return (("frame", joined(lattice)), ("panel", joined(foot)), ("trim", rail)), glow


def _lamps(style: _Style, room: Room) -> tuple[list[Part], list[AreaLight]]:
    length, width, height = style.size
    beams = lamps.coffers(length, width, height, 1.82, 0.16)
    points = lamps.grid(length, width, 2, 2)
    if style.lamps == "lanterns":
        parts, lit = _lanterns(points, height)
    elif style.lamps == "strips":
        parts, lit = lamps.strips(lamps.grid(length, width, 3, 2), height, long=1.3, drop=0.4)
    elif style.lamps == "bays":
        parts, lit = lamps.high_bays(lamps.grid(length, width, 3, 2), height, 0.7)
    elif style.lamps == "spots":
        parts, lit = lamps.strips(points, height, long=0.6, wide=0.6)
    else:
        parts, lit = lamps.strips(
            lamps.grid(length, width, 3, 2), height, long=1.3, wide=0.3, drop=0.2
        )
    return [*parts, *beams], lit


def _lanterns(
    points: list[tuple[float, float]], height: float
) -> tuple[list[Part], list[AreaLight]]:
    """Square paper lanterns under the ceiling."""
    parts: list[Part] = []
    lit = []
    for x, z in points:
        y = height - 0.34
        parts.append(("paper", box((0.44, 0.24, 0.44), (x, y, z), edge=0.004)))
        bars = [
            box((0.02, 0.3, 0.02), (x + a * 0.225, y, z + b * 0.225))
            for a in (-1, 1)
            for b in (-1, 1)
        ]
        bars += [
            box((0.47, 0.02, 0.02), (x, y + s * 0.12, z + b * 0.225))
            for s in (-1, 1)
            for b in (-1, 1)
        ]
        bars += [
            box((0.02, 0.02, 0.47), (x + b * 0.225, y + s * 0.12, z))
            for s in (-1, 1)
            for b in (-1, 1)
        ]
        parts.append(("frame", joined(bars)))
        lit.append(AreaLight((x, y - 0.135, z), (0.2, 0, 0), (0, 0, 0.2), (1.0, 1.0, 1.0)))
    return parts, lit


def _mats(style: _Style, room: Room) -> list[Part]:
    """Mats laid over the floor; they lie a hair above it, the floor itself shows at the rim."""
    x, z = room.length / 2, room.width / 2
    if style.floor == "boards":
        return []
    if style.floor == "foam":
        return _foam(x - 1.0, z - 1.0)
    straw: list[Mesh] = []
    border: list[Mesh] = []
    rows, columns = int((2 * z - 0.4) / 1.82), int((2 * x - 0.4) / 1.82)
    y = 0.0004
    for i in range(columns):
        for j in range(rows):
            cx, cz = (i - (columns - 1) / 2) * 1.82, (j - (rows - 1) / 2) * 1.82
            # Two mats side by side, crosswise to those of the next square.
            for s in (-0.5, 0.5):
                mat = rectangle((-0.455, y, 0.91), (0.91, 0, 0), (0, 0, -1.82))
                hems = [
                    rectangle((a, y + 0.0003, 0.91), (0.028, 0, 0), (0, 0, -1.82))
                    for a in (-0.455, 0.427)
                ]
                turn = np.pi / 2 if (i + j) % 2 else 0.0
                shift = (cx, 0, cz + s * 0.91) if turn else (cx + s * 0.91, 0, cz)
                straw.append(moved(turned(mat, yaw=turn), shift))
                border += [moved(turned(hem, yaw=turn), shift) for hem in hems]
    return [("straw", joined(straw)), ("border", joined(border))]


def _foam(x: float, z: float) -> list[Part]:
    """Square foam tiles of two colours: a field within a rim."""
    tiles: dict[str, list[Mesh]] = {"foam1": [], "foam2": []}
    columns, rows = int(2 * x), int(2 * z)
    for i in range(columns):
        for j in range(rows):
            rim = min(i, j, columns - 1 - i, rows - 1 - j) < 2
            corner = (i - columns / 2 + 0.003, 0.0004, j - rows / 2 + 0.997)
            tiles["foam2" if rim else "foam1"].append(
                rectangle(corner, (0.994, 0, 0), (0, 0, -0.994))
            )
    return [(name, joined(meshes)) for name, meshes in tiles.items()]


def _stock(rng: Rng, room: Room, number: int, name: str, along: float) -> list[Prop]:
    """What stands or hangs at one spot of a wall."""
    if name == "alcove":
        return [
            room.at_wall(number, _alcove(), along),
            room.at_wall(number, plants.house_plant(rng, 0.8), along + 0.75, 0.4, 0.2),
        ]
    if name == "rack":
        return [room.at_wall(number, _weapon_rack(rng), along, 0.06, 0.9)]
    if name == "posts":
        return [room.at_wall(number, _striking_post(), along + s, 0.6) for s in (-0.5, 0.5)]
    if name == "bench":
        return [room.at_wall(number, furniture.bench(1.6), along, 0.3)]
    if name == "mats":
        return [room.at_wall(number, sports.mat_stack(int(rng.integers(3, 7))), along, 0.65)]
    return [
        room.at_wall(
            number,
            gym.punch_bag(room.height - 2.1 if room.height > 3.0 else 0.8),
            along,
            0.75,
            room.height,
        )
    ]


def _alcove() -> Prop:
    """A raised alcove with a scroll, 2.2 m wide."""
    step = box((2.2, 0.2, 0.7), (0, 0.1, 0.36), edge=0.01)
    posts = [box((0.13, 2.1, 0.13), (s * 1.1, 1.05, 0.65), edge=0.01) for s in (-1, 1)]
    lintel = box((2.35, 0.14, 0.12), (0, 2.1, 0.65), edge=0.01)
    scroll = rectangle((-0.24, 0.75, 0.11), (0.48, 0, 0), (0, 1.15, 0))
    rods = [tube([[-0.29, y, 0.11], [0, y, 0.11], [0.29, y, 0.11]], 0.014, 8) for y in (0.75, 1.9)]
    strokes = []
    for k in range(3):  # brush strokes of three signs
        for x, y, long, thick, lean in ((0, 0.06, 0.18, 0.03, 0.1), (0.01, -0.02, 0.16, 0.028, 1.7),
                                        (-0.03, -0.03, 0.12, 0.022, -0.5)):  # fmt: skip
            stroke = rectangle((-long / 2, -thick / 2, 0), (long, 0, 0), (0, thick, 0))
            strokes.append(moved(turned(stroke, pitch=lean), (x, 1.6 - 0.26 * k + y, 0.112)))
    return (
        ("wood", joined([step, *posts, lintel, *rods])),
        ("paper", scroll),
        ("ink", joined(strokes)),
    )


def _weapon_rack(rng: Rng) -> Prop:
    """Wooden swords and staffs on pegs of a wall, along X around the origin."""
    stands = [box((0.06, 1.1, 0.04), (s * 0.5, 0.4, 0.0)) for s in (-1, 1)]
    pegs = [box((0.03, 0.03, 0.12), (s * 0.5, 0.15 * k, 0.07)) for k in range(6) for s in (-1, 1)]
    arms = []
    for k in range(6):
        if rng.random() < 0.15:
            continue
        long = 1.8 if k > 3 else 1.02
        bow = 0.0 if k > 3 else 0.02
        line = [
            [-long / 2, 0.03 + 0.15 * k, 0.09],
            [0, 0.03 + bow + 0.15 * k, 0.09],
            [long / 2, 0.03 + 0.15 * k, 0.09],
        ]
        arms.append(tube(line, 0.0135, 8))
    return (("trim", joined([*stands, *pegs])), ("wood", joined(arms)))


def _striking_post() -> Prop:
    """A board to strike, wound with rope near its top."""
    post = box((0.1, 1.35, 0.06), (0, 0.675, 0), edge=0.008)
    foot = box((0.5, 0.12, 0.5), (0, 0.06, 0), edge=0.01)
    rope = box((0.12, 0.3, 0.085), (0, 1.15, 0), edge=0.02)
    return (("wood", joined([post, foot])), ("rope", rope))

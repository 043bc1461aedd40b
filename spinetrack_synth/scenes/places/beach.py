"""A beach: sand, the sea to the horizon, dunes with grass, chairs and sunshades, a boat, a hut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spinetrack_synth.easing import smoothstep
from spinetrack_synth.scenes import floorings, greenery, seasons, textures
from spinetrack_synth.scenes.landscape import Field, hazed, noise_field, polar_ground
from spinetrack_synth.scenes.place import Part, Place, Prop, placed
from spinetrack_synth.scenes.places.room import place_of
from spinetrack_synth.scenes.props import furniture, outdoors, plants, street
from spinetrack_synth.scenes.seasons import Season
from spinetrack_synth.scenes.shapes import (
    Array,
    Mesh,
    Rng,
    box,
    joined,
    moved,
    terrain,
    tube,
    turned,
    with_smooth_normals,
)
from spinetrack_synth.scenes.textures import Finish, in_planes, mix, paint
from spinetrack_synth.shot import AreaLight

GROUND_M = -0.004
SHORE_M = 13.0
"""Where the water begins, along +Z."""

Color = tuple[float, float, float]


@dataclass(frozen=True)
class _Style:
    """One beach: colours of sand and sea, the season of what grows, height of the dunes, how the
    slopes behind are (``dunes``, ``palms``, ``pines``, ``promenade``), and what stands about."""

    sand: Color
    sea: Color
    season: Season
    dunes_m: float
    behind: str
    gear: tuple[str, ...]


_STYLES = (
    _Style(
        (0.80, 0.72, 0.57), (0.10, 0.30, 0.40), seasons.SUMMER, 3.5, "dunes", ("loungers", "boat")
    ),
    _Style(
        (0.79, 0.75, 0.66), (0.14, 0.42, 0.46), seasons.SUMMER, 1.2, "palms", ("loungers", "hut")
    ),
    _Style((0.66, 0.60, 0.50), (0.16, 0.24, 0.28), seasons.LATE, 5.0, "pines", ("boat", "posts")),
    _Style(
        (0.74, 0.66, 0.53), (0.09, 0.25, 0.36), seasons.DRY, 0.9, "promenade", ("hut", "loungers")
    ),
)


def build(variant: int) -> Place:
    """One of the beaches; the same number gives the same beach."""
    rng = np.random.default_rng([83, variant])
    style = _STYLES[variant]
    swell, dune = noise_field(rng, 60, 4, 2.0), noise_field(rng, 240, 16, 2.0)

    def height(x: Array, z: Array) -> Array:
        r = np.hypot(x, z)
        bumps = (0.05 * swell(x, z) - 0.04) * smoothstep(6.5, 11.0, r)
        fall = -0.9 * smoothstep(SHORE_M - 6.0, SHORE_M + 10.0, z)
        rise = style.dunes_m * smoothstep(-12.0, -26.0, z) * (1 + 0.35 * dune(x, z))
        far = 0.4 * style.dunes_m * smoothstep(60, 200, -z) * (1 + 0.5 * dune(0.3 * x, 0.3 * z))
        level: Array = (
            GROUND_M
            + 0.002 * np.clip(swell(4 * x, 4 * z), -1, 1) * (r < 7)
            + bumps
            + fall
            + rise
            + far
        )
        return level

    def color(x: Array, z: Array, away: Array, grain: Array) -> Array:
        patches = smoothstep(0.1, 0.8, dune(2 * x, 2 * z) + 0.4 * grain) * smoothstep(-14, -24, z)
        wet = smoothstep(SHORE_M - 3.2, SHORE_M - 1.2, z + 0.4 * swell(2 * x, 2 * z))
        sand = in_planes(style.sand) * ((1 + 0.05 * grain) * (1 - 0.36 * wet))
        green = in_planes(style.season.grass[1]) * (1 + 0.2 * grain)
        return hazed(mix(sand, green, patches), away, 900.0)

    land, land_finish = polar_ground(
        5.98, 420.0, height, color, rng, rings=44, sectors=128, texture=(256, 1024)
    )
    sea, sea_finish = _sea(rng, style)
    parts: list[Part] = [("sand", _near(height)), ("land", land), ("sea", sea), *_surf(rng, height)]
    finishes = {
        **_finishes(rng, style),
        **seasons.finishes(rng, style.season),
        "land": land_finish,
        "sea": sea_finish,
    }
    if style.behind in ("pines", "palms"):
        wood = seasons.wood_edge(rng, seasons.SUMMER, 0.35, around_m=136, height_m=16)
        finishes["wood_edge"] = wood.finish
        parts += _ridge(wood, 130.0, 16.0)
    things, lamps = _things(rng, style, height)
    return place_of(
        "beach",
        variant,
        finishes,
        parts,
        things,
        mat_area=np.array([[-4.5, -4.0], [4.5, 4.0]]),
        camera_room=np.array([[-11.0, 0.35, -9.5], [11.0, 5.0, 9.5]]),
        lamps=lamps,
        floor_m=0.0,
        outdoors=True,
    )


def _finishes(rng: Rng, style: _Style) -> dict[str, Finish]:
    cloth = np.clip(rng.uniform(0.2, 0.8, 3), 0, 1)
    return {
        "sand": floorings.sand(rng, style.sand, size_m=(12.2, 12.2)),
        "foam": paint((0.86, 0.88, 0.88), roughness=0.9),
        "reed": greenery.foliage(
            rng, np.clip(np.array(style.season.grass) * [1.05, 1.05, 1.0], 0, 1), side=256
        ),
        "needle": greenery.foliage(
            rng, ((0.08, 0.14, 0.09), (0.13, 0.21, 0.12), (0.20, 0.29, 0.16)), side=256
        ),
        "wood": textures.wood(rng, (0.66, 0.56, 0.44), (0.46, 0.37, 0.28), size_m=(1.2, 0.6)),
        "cloth": textures.cloth(rng, cloth, (0.90, 0.88, 0.84), stripes=int(rng.integers(2, 7))),
        "cloth2": textures.cloth(rng, (0.88, 0.86, 0.80)),
        "boat": paint(
            rng.choice([(0.30, 0.46, 0.56), (0.84, 0.82, 0.76), (0.56, 0.20, 0.15)]), roughness=0.4
        ),
        "hut": textures.planks(
            rng, (2.4, 2.4), (0.76, 0.80, 0.80), (0.62, 0.66, 0.66), plank_m=(2.4, 0.14), most=480
        ),
        "roof": paint((0.42, 0.36, 0.30), roughness=0.9),
        "door": paint((0.20, 0.36, 0.46)),
        "metal": paint((0.40, 0.41, 0.42), roughness=0.45, specular=0.5),
        "lamp_glass": paint((0.86, 0.85, 0.80), roughness=0.2),
        "stone": textures.concrete(rng, (0.66, 0.63, 0.57), size_m=(4.0, 2.5)),
        "white": paint((0.88, 0.87, 0.84)),
    }


def _near(height: Field) -> Mesh:
    radius = np.concatenate([[0.01], np.linspace(0.4, 6.0, 22)])
    angles = np.linspace(0, 2 * np.pi, 97)
    level = height(radius[:, None] * np.cos(angles), radius[:, None] * np.sin(angles))
    return terrain(radius, 96, level)


def _sea(rng: Rng, style: _Style) -> tuple[Mesh, Finish]:
    """The water: level at the shore, rising far off to eye height, where the horizon is."""

    def level(x: Array, z: Array) -> Array:
        return -0.42 + 2.9 * smoothstep(300, 6000, np.hypot(x, z))

    def water(x: Array, z: Array, away: Array, grain: Array) -> Array:
        tone = mix(style.sea, (0.30, 0.42, 0.40), smoothstep(60, SHORE_M, z))
        waves = 0.10 * np.sin(1.9 * z + 0.3 * np.sin(0.21 * x) + 2.0 * grain)
        waves *= smoothstep(90, 20, away)
        return hazed(tone * (1 + 0.08 * grain + waves), away, 4000.0)

    return polar_ground(
        6.2, 6000.0, level, water, rng, rings=40, sectors=96, texture=(128, 768), roughness=0.22
    )


def _surf(rng: Rng, height: Field) -> list[Part]:
    """Lines of foam where waves run out, along X."""
    parts: list[Part] = []
    for z0, wide in (
        (SHORE_M + 1.4, 0.35),
        (SHORE_M + 5.5, 0.5),
        (SHORE_M + 12.0, 0.7),
        (SHORE_M + 21.0, 0.8),
    ):
        x = np.linspace(-70, 70, 141)
        ripple = 0.5 * np.sin(0.31 * x + rng.uniform(0, 6)) + 0.25 * np.sin(
            0.83 * x + rng.uniform(0, 6)
        )
        half = 0.5 * wide * np.clip(0.6 + 0.6 * np.sin(0.23 * x + rng.uniform(0, 6)), 0.05, 1)
        rim = np.concatenate(
            [np.column_stack([x, z0 + ripple - half]), np.column_stack([x, z0 + ripple + half])]
        )
        y = np.maximum(height(rim[:, 0], rim[:, 1]), -0.40) + 0.015
        k, n = np.arange(140), 141
        faces = np.concatenate(
            [np.stack([k, n + k, n + k + 1], 1), np.stack([k, n + k + 1, k + 1], 1)]
        )
        points = np.column_stack([rim[:, 0], y, rim[:, 1]])
        up = np.tile([0.0, 1.0, 0.0], (2 * n, 1))
        parts.append(("foam", Mesh(points, faces.astype(np.int32), rim, up)))
    return parts


def _ridge(wood: greenery.Woods, distance_m: float, height_m: float) -> Prop:
    """The edge of a wood behind the beach: the half of a ring away from the sea."""
    ((name, mesh),) = outdoors.forest(wood, distance_m, height_m, "wood_edge", repeats=6)
    keep = mesh.vertices[mesh.faces][:, :, 2].max(axis=1) < -20
    return ((name, moved(replace(mesh, faces=mesh.faces[keep]), (0, 2.0, 0))),)


# Long as a list of things is: one after another, nothing nested.
def _things(rng: Rng, style: _Style, height: Field) -> tuple[list[Prop], list[AreaLight]]:
    things: list[Prop] = []

    def stand(
        thing: Prop, x: float, z: float, yaw: float = 0.0, sunk: float = 0.02
    ) -> tuple[float, float, float]:
        y = float(height(np.array([x]), np.array([z]))[0]) - sunk
        things.append(placed(thing, (x, y, z), yaw=yaw))
        return x, y, z

    lamps: list[AreaLight] = []
    for _ in range(46 if style.behind != "promenade" else 12):
        tuft = _tuft(rng, rng.uniform(0.5, 0.9))
        stand(tuft, rng.uniform(-34, 34), -rng.uniform(13.5, 30), 0.0, 0.05)
    if style.behind == "palms":
        for k in range(7):
            stand(
                _palm(rng, rng.uniform(5, 8)),
                -24 + 8 * k + rng.uniform(-2, 2),
                -rng.uniform(12.5, 20),
            )
    elif style.behind == "pines":
        for k in range(10):
            pine = plants.tree(
                rng, rng.uniform(6, 9), leaf_m=0.26, count=900, crowns=3, finish="needle"
            )
            stand(pine, -36 + 8 * k + rng.uniform(-2, 2), -rng.uniform(20, 30))
    elif style.behind == "promenade":
        wall = (("stone", box((80, 1.5, 0.5), (0, 0.4, 0), edge=0.02)),)
        stand(wall, 0, -14.0)
        for x in (-18.0, -6.0, 6.0, 18.0):
            prop, shining = street.lantern(4.6)
            at = stand(prop, x, -13.4, 0.0, 0.0)
            lamps.append(street.set_down(shining, at, 0.0))
    for name in style.gear:
        if name == "loungers":
            for x in (-7.4, 7.2):
                stand(
                    furniture.lounger(),
                    x,
                    rng.uniform(2.0, 5.0),
                    np.pi / 2 + rng.uniform(-0.3, 0.3),
                )
                stand(furniture.parasol(), x + 1.1, rng.uniform(0.0, 1.0))
        elif name == "boat":
            stand(_boat(), rng.choice([-1, 1]) * 8.2, -5.5, rng.uniform(0.4, 1.2), 0.1)
        elif name == "hut":
            stand(_hut(), rng.choice([-1, 1]) * 7.0, -9.0, 0.0, 0.0)
        else:
            groyne = [
                (
                    ("wood", moved(box((0.22, 1.7, 0.22), (0, 0.2, 0), edge=0.05), (0, 0, 0))),
                    9.0 + 0.5 * k,
                )
                for k in range(34)
            ]
            for post, z in groyne:
                stand(
                    (post,),
                    9.6 + rng.uniform(-0.04, 0.04),
                    z,
                    rng.uniform(0, 1.5),
                    rng.uniform(0.0, 0.25),
                )
    return things, lamps


def _tuft(rng: Rng, tall: float) -> Prop:
    """A tuft of dune grass: bowed blades from one root."""
    blades = []
    count = 34
    for _ in range(count):
        a, lean = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.7)
        long = tall * rng.uniform(0.6, 1.0)
        out = np.array([np.cos(a), 0, np.sin(a)])
        side = 0.008 * np.array([-out[2], 0, out[0]])
        root = 0.12 * rng.uniform(0, 1) * out
        mid = root + 0.5 * long * (out * lean * 0.6 + [0, 1, 0])
        tip = root + long * (out * lean + [0, 0.85 - 0.3 * lean, 0])
        points = np.stack([root - side, root + side, mid + side, mid - side, tip])
        normal = np.tile(
            (out * 0.3 + [0, 0.95, 0]) / np.linalg.norm(out * 0.3 + [0, 0.95, 0]), (5, 1)
        )
        faces = np.array([[0, 1, 2], [0, 2, 3], [3, 2, 4]], np.int32)
        blades.append(Mesh(points, faces, rng.uniform(0, 1, 2) + 0.05 * points[:, [0, 1]], normal))
    return (("reed", joined(blades)),)


def _palm(rng: Rng, height: float) -> Prop:
    """A palm: a leaning trunk and feathered leaves."""
    lean = rng.normal(0, 0.08, 2) * height
    t = np.linspace(0, 1, 7)
    trunk = tube(
        np.column_stack([lean[0] * t**2, height * t, lean[1] * t**2]), np.linspace(0.2, 0.11, 7), 9
    )
    top = np.array([lean[0], height, lean[1]])
    fans = []
    for k in range(24):
        a = 2.4 * k
        droop = rng.uniform(0.2, 1.3)
        s = np.linspace(0, 1, 9)
        long = rng.uniform(2.1, 3.0)
        rib = np.column_stack([long * s, 0.7 * long * s * (0.7 - droop * s), np.zeros(9)])
        half = 0.42 * np.sin(np.pi * np.clip(s, 0.03, 0.97)) ** 0.7
        left, right = (
            rib + np.column_stack([0 * s, -0.35 * half, half]),
            rib + np.column_stack([0 * s, -0.35 * half, -half]),
        )
        points = np.concatenate([left, rib, right])
        i = np.arange(0, 8)
        faces = np.concatenate(
            [np.stack([i, i + 1, 9 + i], 1), np.stack([18 + i, 9 + i, 18 + i + 1], 1)]
        )
        up = np.tile([0.1, 0.99, 0.0], (27, 1)) / np.hypot(0.1, 0.99)
        fans.append(
            moved(
                turned(Mesh(points, faces.astype(np.int32), points[:, [0, 2]] * 0.3, up), yaw=a),
                top,
            )
        )
    return (("bark", trunk), ("leaf", joined(fans)))


def _boat() -> Prop:
    """A rowing boat along X on the sand, tipped to one side, 3.6 m."""
    t = np.linspace(-1, 1, 21)
    beam = 0.68 * np.sqrt(np.clip(1 - np.where(t > 0, t**2, 0.55 * t**2), 0.001, 1))
    sheer = 0.52 + 0.16 * t**2
    keel = 0.02 + 0.22 * np.clip(t, 0, 1) ** 3
    angles = np.linspace(-np.pi / 2, np.pi / 2, 9)
    rings = []
    for x, b, s, k in zip(1.8 * t, beam, sheer, keel):
        y = s - (s - k) * np.cos(angles) ** 0.8
        rings.append(np.column_stack([np.full(9, x), y, b * np.sin(angles)]))
    grid = np.stack(rings)
    index = np.arange(21 * 9).reshape(21, 9)
    a, b_, c, d = (
        v.ravel() for v in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])
    )
    faces = np.concatenate([np.stack([a, b_, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    outer = with_smooth_normals(grid.reshape(-1, 3), faces, grid.reshape(-1, 3)[:, [0, 1]])
    inner_points = grid.reshape(-1, 3) * [0.97, 1, 0.94] + [0, 0.025, 0]
    inner = with_smooth_normals(inner_points, faces[:, ::-1], inner_points[:, [0, 1]])
    thwarts = [box((0.22, 0.03, 1.0), (x, 0.40, 0)) for x in (-0.8, 0.2)]
    gunwales = [tube(np.column_stack([1.8 * t, sheer, s * beam]), 0.025, 6) for s in (-1, 1)]
    stern = box((0.04, 0.5, 0.9), (-1.78, 0.42, 0), edge=0.01)
    made = (("boat", outer), ("wood", joined([inner, *thwarts, *gunwales, stern])))
    return tuple((n, moved(turned(m, roll=0.22), (0, 0.06, 0))) for n, m in made)


def _hut() -> Prop:
    """A wooden hut on posts, 2.4 x 2 m, its door to +Z."""
    posts = [box((0.14, 0.7, 0.14), (x, 0.15, z)) for x in (-1.1, 1.1) for z in (-0.9, 0.9)]
    deck = box((2.9, 0.08, 2.9), (0, 0.5, 0.25), edge=0.01)
    body = box((2.3, 2.1, 1.9), (0, 1.58, -0.05), edge=0.01)
    slopes = [
        moved(turned(box((2.7, 0.06, 1.35)), roll=s * 0.55), (0, 2.86, -0.05 + s * 0.52))
        for s in (-1, 1)
    ]
    ends = box((2.28, 0.5, 0.6), (0, 2.7, -0.05), edge=0.01)
    door = box((0.8, 1.85, 0.05), (0.4, 1.48, 0.91))
    steps = [box((0.9, 0.05, 0.28), (0.4, 0.14 + 0.17 * k, 2.0 - 0.26 * k)) for k in range(2)]
    return (
        ("wood", joined([*posts, deck, *steps])),
        ("hut", joined([body, ends])),
        ("roof", joined(slopes)),
        ("door", door),
    )

"""A running track: lanes around a lawn, stands, floodlights, trees; in all seasons, at night."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spinetrack_synth.scenes import floorings, seasons, textures
from spinetrack_synth.scenes.place import Part, Place, Prop, placed
from spinetrack_synth.scenes.places.room import place_of
from spinetrack_synth.scenes.props import outdoors, sports, street
from spinetrack_synth.scenes.seasons import Season
from spinetrack_synth.scenes.shapes import Array, Mesh, Rng, rectangle
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import AreaLight

LANE_M = 1.22
"""Width of a lane (World Athletics, Track and Field Facilities Manual)."""
LINE_M = 0.05
STRAIGHT_M = 84.39
INNER_RADIUS_M = 36.5
LANES = 6

Color = tuple[float, float, float]


@dataclass(frozen=True)
class _Style:
    """One track: colours of the lanes, the season, where the people are (on the ``lanes`` or the
    ``lawn`` inside), rows of the stands (0 for a bank of grass) and whether they have a roof, how
    many trees, and what equipment stands about."""

    rubber: Color
    season: Season
    where: str
    rows: int
    roof: bool
    trees: int
    gear: tuple[str, ...]


_STYLES = (
    _Style((0.56, 0.21, 0.15), seasons.SUMMER, "lanes", 6, True, 8, ("hurdles", "bench")),
    _Style((0.20, 0.34, 0.50), seasons.SPRING, "lanes", 3, False, 14, ("jump", "bench")),
    _Style((0.52, 0.25, 0.18), seasons.AUTUMN, "lawn", 0, False, 18, ("goal", "bench")),
    _Style((0.46, 0.24, 0.20), seasons.LATE, "lanes", 0, False, 16, ("hurdles",)),
    _Style((0.50, 0.20, 0.15), seasons.SNOW, "lanes", 4, False, 14, ("bench",)),
    _Style((0.30, 0.42, 0.34), seasons.DRY, "lawn", 8, True, 6, ("jump", "hurdles")),
)


def build(variant: int) -> Place:
    """One of the tracks; the same number gives the same track."""
    rng = np.random.default_rng([82, variant])
    style = _STYLES[variant]
    # The straight runs along X; z = 0 is the middle of the lanes, or of a strip of lawn inside.
    middle = 0.0 if style.where == "lanes" else -7.5
    parts = [*_lawn(middle), *_lanes(style, middle)]
    wood = seasons.wood_edge(rng, style.season, 0.3, around_m=124, height_m=15)
    parts += outdoors.forest(wood, 118.0, 15.0, "wood_edge", repeats=6)
    things, lamps = _things(rng, style, middle)
    half = LANES * LANE_M / 2
    area = (
        [[-5.5, -half + 0.4], [5.5, half - 0.4]]
        if style.where == "lanes"
        else [[-5.5, -2.8], [5.5, 3.6]]
    )
    return place_of(
        "track",
        variant,
        {**_finishes(rng, style), **seasons.finishes(rng, style.season),
         "wood_edge": wood.finish},
        parts,
        things,
        mat_area=np.array(area, float),
        camera_room=np.array([[-12.0, 0.1, middle - half - 1.4], [12.0, 5.0, 9.5]]),
        lamps=lamps,
        outdoors=True,
    )  # fmt: skip


def _finishes(rng: Rng, style: _Style) -> dict[str, Finish]:
    track = floorings.rubber(
        rng, style.rubber, np.multiply(style.rubber, 0.75), share=0.3, tile_m=0.0
    )
    return {
        # Snow is cleared from the lanes, and some of it lies on.
        "track": _dusted(rng, track) if style.season.snow else track,
        "line": paint((0.86, 0.86, 0.84), roughness=0.8),
        "concrete": textures.concrete(rng, (0.62, 0.61, 0.58), size_m=(4.0, 2.5)),
        "seat": paint(
            rng.choice([(0.24, 0.36, 0.52), (0.60, 0.18, 0.14), (0.70, 0.62, 0.30)]), roughness=0.5
        ),
        "roof": paint((0.52, 0.54, 0.56), roughness=0.5),
        "metal": paint((0.58, 0.59, 0.60), roughness=0.4, specular=0.6),
        "white": paint((0.88, 0.88, 0.86)),
        "dark": paint((0.10, 0.10, 0.11), roughness=0.6),
        "signal": paint((0.74, 0.30, 0.10)),
        "net": paint((0.80, 0.80, 0.78), roughness=0.9),
        "gymmat": paint((0.16, 0.30, 0.52), roughness=0.7),
        "gymmat2": paint((0.20, 0.36, 0.58), roughness=0.7),
        "wood": textures.wood(rng, (0.55, 0.40, 0.27), (0.36, 0.25, 0.16), size_m=(1.2, 0.6)),
        "kerb": paint((0.72, 0.72, 0.70), roughness=0.8),
        "bin": paint((0.24, 0.32, 0.28), roughness=0.5),
    }


def _dusted(rng: Rng, finish: Finish) -> Finish:
    bare = np.asarray(finish.material.base_color).transpose(2, 0, 1) / np.float32(255)
    drift = np.clip(0.8 * textures.noise(rng, bare.shape[1:], 90, 2.2) - 0.1, 0, 1)
    covered = textures.image_bytes(
        textures.mix(bare, np.array([205, 208, 214]) / 255, 0.85 * drift)
    )
    return replace(finish, material=replace(finish.material, base_color=covered))


def _oval(offset: float, middle: float) -> Array:
    """A closed line (N, 2) x, z that runs ``offset`` m outside the kerb, the near straight along X;
    the lawn is at +Z."""
    half = LANES * LANE_M / 2
    inner = middle + half  # z of the kerb on the near straight
    center = inner + INNER_RADIUS_M
    radius = INNER_RADIUS_M + offset
    turn = np.linspace(-np.pi / 2, np.pi / 2, 25)
    right = np.column_stack(
        [STRAIGHT_M / 2 + radius * np.cos(turn), center + radius * np.sin(turn)]
    )
    left = np.column_stack(
        [-STRAIGHT_M / 2 - radius * np.cos(turn[::-1]), center + radius * np.sin(turn[::-1])]
    )
    return np.concatenate([right, left, right[:1]])


def _between(inner: Array, outer: Array, y: float) -> Mesh:
    """The level band between two closed lines of as many points."""
    count = len(inner)
    k = np.arange(count - 1)
    faces = np.concatenate(
        [np.stack([k, k + 1, count + k + 1], 1), np.stack([k, count + k + 1, count + k], 1)]
    )
    points = np.concatenate([inner, outer])
    vertices = np.column_stack([points[:, 0], np.full(2 * count, y), points[:, 1]])
    a, b, c = vertices[faces[0]]
    if np.cross(b - a, c - a)[1] < 0:
        faces = faces[:, ::-1]
    up = np.tile([0.0, 1.0, 0.0], (2 * count, 1))
    return Mesh(vertices, faces.astype(np.int32), vertices[:, [0, 2]], up)


def _lanes(style: _Style, middle: float) -> list[Part]:
    """The rubber, the lines between the lanes, the start of a race and the kerb inside."""
    width = LANES * LANE_M
    parts: list[Part] = [("track", _between(_oval(-0.3, middle), _oval(width + 0.6, middle), 0.0))]
    for k in range(LANES + 1):
        parts.append(("line", sports.floor_line(_oval(k * LANE_M, middle), LINE_M, 0.0006)))
    near = middle + width / 2
    for x in (-9.0, 7.0):
        parts.append(("line", rectangle((x, 0.0007, near), (LINE_M, 0, 0), (0, 0, -width))))
    for k in range(LANES):
        z = near - (k + 0.5) * LANE_M
        for bar in _digit(k + 1, x=-7.9, z=z):
            parts.append(("line", bar))
    return parts


def _digit(number: int, x: float, z: float) -> list[Mesh]:
    """The number of a lane, 0.6 m high, in bars, to be read by a runner who comes from -X."""
    on = {1: "cf", 2: "acdeg", 3: "acdfg", 4: "bcdf", 5: "abdfg", 6: "abdefg"}[number]
    h, w, t = 0.3, 0.26, 0.06
    bars = {
        "a": (2 * h, 0, t, w),
        "d": (h, 0, t, w),
        "g": (0, 0, t, w),
        "b": (h, 0, h, t),
        "e": (0, 0, h, t),
        "c": (h, w - t, h, t),
        "f": (0, w - t, h, t),
    }
    return [
        rectangle((x + up, 0.0007, z - w / 2 + across + wide), (tall, 0, 0), (0, 0, -wide))
        for up, across, tall, wide in (bars[name] for name in on)
    ]


def _lawn(middle: float) -> list[Part]:
    """The lawn inside, mown in stripes, and grass outside to the trees."""
    inner = middle + LANES * LANE_M / 2
    parts: list[Part] = [("grass", rectangle((-170, -0.02, 170), (340, 0, 0), (0, 0, -340)))]
    for k in range(18):
        x = -STRAIGHT_M / 2 + k * STRAIGHT_M / 18
        name = "grass" if k % 2 else "grass2"
        parts.append(
            (
                name,
                rectangle(
                    (x, -0.0012, inner + 2 * INNER_RADIUS_M),
                    (STRAIGHT_M / 18, 0, 0),
                    (0, 0, -2 * INNER_RADIUS_M),
                ),
            )
        )
    return parts


def _things(rng: Rng, style: _Style, middle: float) -> tuple[list[Prop], list[AreaLight]]:
    half = LANES * LANE_M / 2
    outside = middle - half
    things: list[Prop] = []
    if style.rows:
        stand = sports.stand(34.0, style.rows, roof=style.roof)
        things.append(placed(stand, (rng.uniform(-6, 6), 0, outside - 4.2)))
    for k in range(16):
        things.append(placed(sports.fence(5.0), (-40 + 5.0 * k, 0, outside - 2.4)))
    grown = seasons.trees(rng, style.season, 3, tall=(7, 12), leaves=1100, leaf_m=0.32)
    for k in range(style.trees):
        x = -55 + 110 * (k + rng.uniform(0.2, 0.8)) / style.trees
        back = outside - (
            rng.uniform(10, 22) if not style.rows or abs(x) > 26 else rng.uniform(18, 26)
        )
        z = back if k % 3 else middle + half + 2 * INNER_RADIUS_M + rng.uniform(14, 24)
        things.append(placed(grown[k % 3], (x, -0.02, z), yaw=rng.uniform(0, 6)))
    masts: list[tuple[float, float, float]] = [
        (-24.0, outside - 3.4, 0.0),
        (24.0, outside - 3.4, 0.0),
        (-20.0, middle + half + 2 * INNER_RADIUS_M + 12, np.pi),
        (20.0, middle + half + 2 * INNER_RADIUS_M + 12, np.pi),
    ]
    lamps = []
    for x, z, yaw in masts:
        things.append(placed(sports.floodlight(13.0), (x, 0, z), yaw=yaw))
        # Down, and somewhat towards the lawn.
        heads = AreaLight((0, 13.0, 0.45), (0.9, 0, 0), (0, 0.22, 0.26), (4.0, 4.0, 4.0))
        lamps.append(street.set_down(heads, (x, 0.0, z), yaw))
    for name in style.gear:
        things += _gear(rng, name, middle, half)
    return things, lamps


def _gear(rng: Rng, name: str, middle: float, half: float) -> list[Prop]:
    """Equipment at the end of the free floor or beside it."""
    if name == "hurdles":
        return [
            placed(
                sports.hurdle(),
                (8.4 + rng.uniform(-0.1, 0.1), 0, middle + half - (k + 0.5) * LANE_M),
                yaw=np.pi / 2,
            )
            for k in range(LANES)
            if rng.random() < 0.8
        ]
    if name == "jump":
        return [
            placed(
                sports.landing_mat(),
                (-3.0 if middle else 4.0, 0, middle + half + 8.0 + (2 if middle else 0)),
                yaw=np.pi,
            )
        ]
    if name == "goal":
        return [placed(sports.handball_goal(), (9.5, 0, 5.0), yaw=-np.pi / 2)]
    beside = middle + half + 1.6 if not middle else middle + half + 12.0
    return [
        placed(outdoors.park_bench(), (-6.8, 0, beside), yaw=np.pi),
        placed(street.bin_(), (-5.2, 0, beside)),
    ]

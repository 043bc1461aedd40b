"""A sunlit terrace of a house on a slope: deck, railing, plants, and hills or the sea beyond."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.easing import smoothstep
from spinetrack_synth.scenes import greenery, textures
from spinetrack_synth.scenes.landscape import (
    Field,
    hazed,
    noise_field,
    polar_ground,
    relief_field,
)
from spinetrack_synth.scenes.place import Part, Place, Prop, assembled, bounds, placed
from spinetrack_synth.scenes.props import furniture, gear, outdoors, plants
from spinetrack_synth.scenes.shapes import Array, Mesh, Rng, box, joined, moved, rectangle, wall
from spinetrack_synth.scenes.textures import Finish, in_planes, mix, paint

FLOOR_M = -0.005
SEA_M = -55.0

_HOUSES = (
    (0.90, 0.87, 0.81), (0.86, 0.74, 0.60), (0.92, 0.91, 0.89), (0.80, 0.62, 0.50),
    (0.83, 0.80, 0.72),
)  # fmt: skip
_SHUTTERS = ((0.28, 0.42, 0.48), (0.34, 0.42, 0.30), (0.45, 0.30, 0.20), (0.55, 0.58, 0.60))
_CLOTHS = (
    (0.86, 0.82, 0.74), (0.35, 0.48, 0.58), (0.78, 0.50, 0.32), (0.55, 0.60, 0.52),
    (0.90, 0.90, 0.88),
)  # fmt: skip
_GREENS = ((0.12, 0.20, 0.08), (0.19, 0.30, 0.12), (0.29, 0.40, 0.17), (0.42, 0.50, 0.24))


def _pick(rng: Rng, options: Sequence[ArrayLike]) -> Array:
    return np.asarray(options[int(rng.integers(len(options)))], float)


def _finishes(rng: Rng, length: float, width: float) -> dict[str, Finish]:
    size = (length, width)
    deck = (
        textures.planks(rng, size, (0.70, 0.55, 0.40), (0.46, 0.33, 0.22), plank_m=(3.0, 0.14),
                        gap_m=0.007, variety=0.5, roughness=0.6)
        if (kind := rng.integers(0, 4)) == 0
        else textures.planks(rng, size, (0.66, 0.63, 0.58), (0.46, 0.44, 0.41), plank_m=(3.0, 0.14),
                             gap_m=0.007, variety=0.5, roughness=0.7)
        if kind == 1
        else textures.tiles(rng, size, (0.74, 0.68, 0.58), tile_m=(0.6, 0.4), shift="half",
                            variety=0.7)
        if kind == 2
        else textures.tiles(rng, size, (0.72, 0.52, 0.40), tile_m=(0.32, 0.32),
                            grout=(0.66, 0.60, 0.52), variety=0.8)
    )  # fmt: skip
    shutter = _pick(rng, _SHUTTERS)
    cloth = _pick(rng, _CLOTHS)
    return {
        "deck": deck,
        "house": textures.plaster(rng, _pick(rng, _HOUSES), size_m=(12, 6), rough=2.0)
        if rng.random() < 0.7
        else textures.bricks(rng, (0.72, 0.64, 0.52), (0.66, 0.60, 0.52), variety=0.4),
        "wall": textures.plaster(rng, (0.88, 0.85, 0.79), rough=2.0),
        "stone": textures.concrete(rng, (0.70, 0.67, 0.61), size_m=(3, 3)),
        "frame": paint(shutter),
        "wood": textures.wood(rng, (0.66, 0.50, 0.35), (0.42, 0.29, 0.19)),
        "metal": paint((0.18, 0.18, 0.19), roughness=0.45),
        "glass": paint((0.05, 0.06, 0.07), roughness=0.08, specular=0.9),
        "white": paint((0.92, 0.91, 0.88)),
        "cloth": textures.cloth(rng, cloth, (0.93, 0.91, 0.86), stripes=int(rng.integers(0, 6))),
        "cloth2": textures.cloth(rng, _pick(rng, _CLOTHS)),
        "gear": paint((0.60, 0.45, 0.32), roughness=0.9),
        "gear2": paint(rng.uniform(0.2, 0.6, 3), roughness=0.8),
        "pot": paint(
            _pick(rng, ((0.72, 0.42, 0.29), (0.80, 0.77, 0.70), (0.40, 0.42, 0.44))), roughness=0.8
        ),
        "soil": paint((0.22, 0.16, 0.11), roughness=1.0, specular=0.1),
        "leaf": greenery.foliage(rng, _GREENS),
        "bark": greenery.bark(rng, (0.36, 0.29, 0.23)),
    }


def _country(rng: Rng) -> tuple[list[Part], dict[str, Finish]]:
    """Slope, hills and sea around the terrace, with trees on the near slopes."""
    hills, rough = relief_field(rng, 5, 3200, 0.55), relief_field(rng, 5, 3200, 0.12)
    woods, dry = noise_field(rng, 420, 50, 1.6), noise_field(rng, 1500, 160, 2.0)
    seaward = rng.uniform(0, np.pi)  # the house stands at -Z, the open view lies at +Z
    open_sea = rng.random() < 0.65
    drop = rng.uniform(3.5, 6.0)
    grassy, dried, bushy = (
        in_planes(c) for c in ((0.52, 0.50, 0.30), (1.0, 0.4, 0.1), (0.24, 0.31, 0.15))
    )

    def height(x: Array, z: Array) -> Array:
        r, angle = np.hypot(x, z), np.arctan2(z, x)
        off = np.abs((angle - seaward + np.pi) % (2 * np.pi) - np.pi)
        land = smoothstep(0.75, 1.7, off) if open_sea else np.ones_like(off)
        fall = -drop - 0.16 * r * (1 - 0.6 * land) * smoothstep(0, 40, r)
        fall = np.maximum(fall, -75 + 30 * land)
        high = np.maximum(0.045 + 0.035 * hills(x, z) + 0.006 * rough(x, z), 0.004)
        relief = smoothstep(90, 1100, r) * r * land * high
        ground: Array = fall + relief + 0.006 * np.minimum(r, 300) * rough(x, z)
        return ground

    def color(x: Array, z: Array, away: Array, grain: Array) -> Array:
        wooded = smoothstep(-0.25, 0.35, woods(x, z) + 0.25 * grain)
        field = (grassy + 0.06 * dry(x, z) * dried) * (1 + 0.10 * grain)
        return hazed(mix(field, bushy * (1 + 0.28 * grain), wooded), away, 1900.0)

    parts: list[Part] = []
    land, finish = polar_ground(5.0, 3200.0, height, color, rng, rings=60, sectors=160)
    finishes = {"land": finish}
    parts.append(("land", land))
    if open_sea:
        sea, finishes["sea"] = _sea(rng)
        parts.append(("sea", sea))
    parts += _slope_trees(rng, height)
    return parts, finishes


def _sea(rng: Rng) -> tuple[Mesh, Finish]:
    def level(x: Array, z: Array) -> Array:
        # The last stretch rises to eye height: the horizon of a round earth without the gap.
        return SEA_M + (2.5 - SEA_M) * smoothstep(1200, 9000, np.hypot(x, z))

    def water(x: Array, z: Array, away: Array, grain: Array) -> Array:
        return hazed(in_planes((0.10, 0.24, 0.34)) * (1 + 0.10 * grain), away, 6000.0)

    return polar_ground(
        60.0, 9000.0, level, water, rng, rings=30, sectors=96, texture=(256, 1024), roughness=0.3
    )


def _slope_trees(rng: Rng, height: Field) -> list[Part]:
    parts: list[Part] = []
    for _ in range(26):
        r, angle = 12 * 10 ** rng.uniform(0.05, 0.75), rng.uniform(0, 2 * np.pi)
        x, z = r * np.cos(angle), r * np.sin(angle)
        y = float(height(np.array([x]), np.array([z]))[0])
        kind = rng.random()
        if kind < 0.3:
            thing = plants.cypress(rng, rng.uniform(7, 12), count=350)
        elif kind < 0.7:
            thing = plants.tree(rng, rng.uniform(4.5, 8), leaf_m=0.3, count=450, crowns=2)
        else:
            thing = plants.bush(rng, rng.uniform(1.2, 3.0, 3) * [1, 0.7, 1], leaf_m=0.16, count=220)
        parts += placed(thing, (x, y - 0.1, z))
    return parts


def _house(rng: Rng, length: float) -> Prop:
    """A house front along X, its face in z = 0: door, dark windows with shutters, eaves."""
    wide, tall = length + 5.0, rng.uniform(3.4, 6.2)
    gap = rng.uniform(2.3, 3.2)
    count = int(length / gap)
    door = int(rng.integers(count))
    openings: list[tuple[float, float, float, float]] = []
    parts: list[Part] = []
    for k in range(count):
        x = (k - (count - 1) / 2) * gap + wide / 2
        w = 1.5 if k == door else 1.05
        low, high = (0.02, 2.25) if k == door else (0.9, 2.2)
        openings.append((x - w / 2, x + w / 2, low, high))
        parts += placed(
            furniture.window(w, high - low, 0.2, (2, 2 if k == door else 3)), (x - w / 2, low, 0)
        )
        glass = rectangle((x - w / 2, low, -0.13), (w, 0, 0), (0, high - low, 0))
        parts.append(("glass", glass))
        if k != door:
            for side in (-1, 1):
                leaf_x = x + side * (w / 2 + w / 4 + 0.03)
                slats = [box((w / 2 - 0.08, 0.035, 0.012), (leaf_x, y, 0.045), edge=0.004)
                         for y in np.arange(low + 0.08, high - 0.05, 0.05)]  # fmt: skip
                frame = box((w / 2, high - low, 0.03), (leaf_x, (low + high) / 2, 0.02))
                parts.append(("frame", joined([frame, *slats])))
    parts.append(("house", wall((0, 0, 0), (wide, 0, 0), tall, openings)))
    for x, sign in ((0.0, 1), (wide, -1)):  # the sides of the house
        edge = (0, 0, 4.0 * sign)
        parts.append(("house", wall((x, -4, -4.0 if sign > 0 else 0), edge, tall + 4)))
    parts.append(("house", rectangle((0, -6, 0), (wide, 0, 0), (0, 6, 0))))
    roof = box((wide + 0.8, 0.16, 4.9), (wide / 2, tall + 0.05, -1.9), edge=0.02)
    beams = [box((0.09, 0.12, 0.5), (x, tall - 0.08, 0.25)) for x in np.arange(0.2, wide, 0.75)]
    parts += [("stone", roof), ("wood", joined(beams))]
    return tuple((name, moved(mesh, (-wide / 2, 0, 0))) for name, mesh in parts)


def build(variant: int) -> Place:
    """One of the terraces; the same number gives the same terrace."""
    rng = np.random.default_rng([72, variant])
    length, width = rng.uniform(10.0, 12.0), rng.uniform(8.5, 10.0)
    finishes = _finishes(rng, length, width)
    country, far_finishes = _country(rng)
    finishes |= far_finishes
    half_x, half_z = length / 2, width / 2
    parts: list[Part] = [
        ("deck", rectangle((-half_x, 0, half_z), (length, 0, 0), (0, 0, -width))),
        *((("stone", rectangle((a[0], -8, a[1]), (b[0] - a[0], 0, b[1] - a[1]), (0, 8, 0))))
          for a, b in (((-half_x, half_z), (half_x, half_z)), ((half_x, half_z), (half_x, -half_z)),
                       ((-half_x, -half_z), (-half_x, half_z)))),
    ]  # fmt: skip
    parts += placed(_house(rng, length), (0, 0, -half_z))
    parts += _fence(rng, half_x, half_z)
    planted = _pots(rng, half_x, half_z)
    furnishing, in_the_way = _furnishing(rng, half_x, half_z)
    parts += [part for thing in (*planted, *furnishing) for part in thing]
    bulky = [*_tall(planted), *in_the_way]
    parts = [(name, moved(mesh, (0, FLOOR_M, 0))) for name, mesh in (*parts, *country)]
    return Place(
        name="terrace",
        variant=variant,
        surfaces=assembled(f"terrace/{variant}", finishes, parts),
        mat_area=np.array([[-half_x + 2.4, -half_z + 2.0], [half_x - 2.4, half_z - 2.0]]),
        camera_room=np.array(
            [[-half_x + 0.8, 0.1, -half_z + 0.8], [half_x - 0.8, 2.5, half_z - 0.8]]
        ),
        obstacles=np.array(bulky).reshape(-1, 2, 3),
        outdoors=True,
    )


def _fence(rng: Rng, half_x: float, half_z: float) -> list[Part]:
    """A parapet or a railing on the three open sides."""
    fence = rng.choice(["parapet", "bars", "wires", "boards"])
    sides = (((-half_x, half_z), 0.0, 2 * half_x), ((half_x, half_z), np.pi / 2, 2 * half_z),
             ((-half_x, -half_z), -np.pi / 2, 2 * half_z))  # fmt: skip
    parts: list[Part] = []
    for (x, z), yaw, span in sides:
        if fence == "parapet":
            low = rng.uniform(0.45, 0.85)
            body = box((span, low, 0.22), (span / 2, low / 2, 0), edge=0.01)
            cap = box((span + 0.06, 0.05, 0.3), (span / 2, low + 0.02, 0), edge=0.012)
            parts += placed((("wall", body), ("stone", cap)), (x, 0, z), yaw=yaw)
        else:
            parts += placed(outdoors.railing(span, 1.0, str(fence)), (x, 0, z), yaw=yaw)
    return parts


def _pots(rng: Rng, half_x: float, half_z: float) -> list[Prop]:
    """Plants along the fence and the house."""
    found = []
    for _ in range(int(rng.integers(5, 9))):
        side = rng.integers(0, 3)
        along = rng.uniform(-0.9, 0.9)
        x, z = (
            (along * half_x, half_z - 0.5),
            (half_x - 0.5, along * half_z),
            (-half_x + 0.5, along * half_z),
        )[side]
        if rng.random() < 0.5:
            pot: Prop = plants.house_plant(rng, rng.uniform(0.8, 1.7))
        else:
            radius, tall = rng.uniform(0.18, 0.3), rng.uniform(0.3, 0.5)
            shrub = plants.bush(
                rng, (2.3 * radius, rng.uniform(0.5, 1.0), 2.3 * radius), leaf_m=0.06, count=420
            )
            pot = (*plants.pot(radius, tall), *placed(shrub, (0, tall - 0.12, 0)))
        found.append(placed(pot, (x, 0, z)))
    return found


def _furnishing(rng: Rng, half_x: float, half_z: float) -> tuple[list[Prop], list[Array]]:
    """Loungers, a pergola, a table or a bench, and the bounds (2, 3) of what is in the way."""
    corner = (half_x - 1.3) * rng.choice([-1, 1])
    outward = np.sign(corner)
    kind = rng.integers(0, 4)
    if kind == 0:
        yaw = rng.uniform(-0.3, 0.3) + np.pi / 2
        things = [
            placed(furniture.lounger(), (corner, 0, half_z - 1.2), yaw=yaw),
            placed(furniture.parasol(), (outward * (half_x - 0.7), 0, half_z - 0.7)),
        ]
    elif kind == 1:
        pergola = outdoors.pergola(3.4, 2 * half_z - 0.4)
        posts = [  # only these are in the way
            np.array([[x - 0.3, 0, z - 0.2], [x + 0.3, 2.5, z + 0.2]])
            for x in (corner - 1.95, corner + 1.05)
            for z in (-half_z + 0.35, half_z - 0.35)
        ]
        return [placed(pergola, (outward * (half_x - 1.75), 0, 0))], posts
    elif kind == 2:
        things = [
            placed(furniture.sofa_table(), (corner, 0, -half_z + 1.2)),
            placed(furniture.stool(), (corner - 0.55, 0, -half_z + 1.0)),
            placed(furniture.stool(), (corner + 0.5, 0, -half_z + 1.35)),
        ]
    else:
        things = [
            placed(furniture.bench(), (corner, 0, -half_z + 0.5)),
            placed(gear.basket(), (corner - outward * 1.1, 0, -half_z + 0.5)),
        ]
    return things, _tall(things)


def _tall(things: list[Prop]) -> list[Array]:
    """The bounds (2, 3) of the things that are higher than a step."""
    return [extent for extent in map(bounds, things) if np.ptp(extent[:, 1]) > 0.3]

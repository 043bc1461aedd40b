"""A lawn in a park: mown grass with real blades, a gravel path, bench and lamp, trees around."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.easing import smoothstep
from spinetrack_synth.scenes import greenery, textures
from spinetrack_synth.scenes.landscape import HAZE, Field, noise_field, polar_ground
from spinetrack_synth.scenes.place import Part, Place, Prop, assembled, bounds, placed
from spinetrack_synth.scenes.props import outdoors, plants
from spinetrack_synth.scenes.shapes import Array, Mesh, Rng, terrain
from spinetrack_synth.scenes.textures import Finish, in_planes, mix, paint
from spinetrack_synth.shot import AreaLight, Material

NEAR_M = 5.5  # radius of the finely drawn lawn
GROUND_M = -0.022  # mats (top y = 0) lie on the tips of the blades

_LAWNS = (  # dark to light
    ((0.22, 0.26, 0.12), (0.29, 0.36, 0.16), (0.37, 0.44, 0.21), (0.46, 0.52, 0.28)),
    ((0.19, 0.26, 0.13), (0.25, 0.36, 0.17), (0.33, 0.44, 0.22), (0.42, 0.52, 0.29)),
    ((0.26, 0.29, 0.15), (0.34, 0.39, 0.20), (0.43, 0.47, 0.26), (0.52, 0.55, 0.33)),
)
_DRYNESS = (0.09, 0.05, 0.01)  # how a dry patch differs, by channel
_FLOOR = (0.20, 0.21, 0.11)  # under the trees of the wood
_CROWNS = (
    ((0.10, 0.17, 0.06), (0.17, 0.27, 0.09), (0.26, 0.38, 0.14), (0.38, 0.48, 0.20)),
    ((0.13, 0.18, 0.07), (0.22, 0.28, 0.10), (0.33, 0.39, 0.15), (0.47, 0.50, 0.22)),
    ((0.09, 0.16, 0.09), (0.14, 0.24, 0.13), (0.21, 0.33, 0.17), (0.31, 0.42, 0.22)),
    ((0.30, 0.20, 0.07), (0.45, 0.30, 0.09), (0.58, 0.40, 0.13), (0.68, 0.52, 0.20)),
)


@dataclass(frozen=True, eq=False)
class _Grounds:
    """What one park lies on: colours of the grass, dark to light, and their mean; how patchy and
    how hilly it is; the path, a wide arc about ``center`` (2,) of the radius ``bend`` m that passes
    the lawn at a few metres; where the wood around begins and how high it is."""

    lawn: Array
    mean: Array
    patchy: Field
    swell: Field
    bend: float
    bearing: float
    center: Array
    half_path: float
    gravel: Array
    wood_from: float
    wood_high: float

    def path(self, x: Array, z: Array) -> Array:
        """Distance m from the edge of the path, negative on it."""
        wavy = 0.12 * self.patchy(3 * x, 3 * z)
        across, along = x - np.float32(self.center[0]), z - np.float32(self.center[1])
        off = np.abs(np.sqrt(across * across + along * along) - np.float32(self.bend))
        distance: Array = off - self.half_path + wavy
        return distance

    def height(self, x: Array, z: Array) -> Array:
        """Height m of the ground."""
        r = np.hypot(x, z)
        soft = 0.004 * np.clip(self.patchy(5 * x, 5 * z), -1, 1)
        height: Array = GROUND_M + soft + 0.25 * self.swell(x, z) * smoothstep(5, 30, r)
        return height

    def color(self, x: Array, z: Array, away: Array, grain: Array) -> Array:
        """The sRGB in planes of the ground from places (H, W), ``away`` (H, 1) m from the middle,
        and a grain (H, W)."""
        dry = np.clip(self.patchy(x, z), -1.6, 1.6)
        rough = 0.10 + 0.14 * smoothstep(30, NEAR_M, away)  # blades melt together with distance
        green = in_planes(0.97 * self.mean) * (1 + in_planes(_DRYNESS) * dry) * (1 + rough * grain)
        gravel = in_planes(self.gravel) * (1 + 0.08 * grain)
        ground = mix(gravel, green, smoothstep(-0.08, 0.10, self.path(x, z)))
        floor = in_planes(_FLOOR) * (1 + 0.2 * grain)
        return mix(ground, floor, smoothstep(self.wood_from - 6, self.wood_from, away))

    def standing(self, thing: Prop, x: float, z: float, yaw: float = 0.0) -> tuple[float, Prop]:
        """A thing set down on the ground, and how far from the middle that is, m."""
        y = float(self.height(np.array([x]), np.array([z]))[0])
        return float(np.hypot(x, z)), placed(thing, (x, y, z), yaw=yaw)


def build(variant: int) -> Place:
    """One of the lawns; the same number gives the same lawn."""
    rng = np.random.default_rng([73, variant])
    lawn = np.array(_LAWNS[int(rng.integers(len(_LAWNS)))])
    crowns = rng.permutation(len(_CROWNS) - (rng.random() < 0.7))[:2]
    grounds = _grounds(rng, lawn)
    far, far_finish = polar_ground(
        NEAR_M - 0.02, 260.0, grounds.height, grounds.color, rng, rings=34, sectors=120
    )
    lawn_finish = _lawn(rng, grounds)
    blades = _blades(rng, grounds.height, 32_000, grounds.path)
    near_wood = greenery.woods(
        rng,
        0.95 * np.array(_CROWNS[crowns[0]]) + 0.05 * HAZE,
        around_m=6.28 * grounds.wood_from,
        height_m=grounds.wood_high,
    )
    far_wood = greenery.woods(
        rng,
        0.75 * np.array(_CROWNS[crowns[1]]) + 0.25 * HAZE,
        around_m=12 * grounds.wood_from,
        height_m=2.2 * grounds.wood_high,
    )
    finishes = {
        "lawn": lawn_finish,
        "land": far_finish,
        **_finishes(rng, grounds, crowns),
        "wood_edge": near_wood.finish,
        "far_wood": far_wood.finish,
    }
    things = [*_beside_path(rng, grounds), *_trees(rng, grounds), *_bushes(rng, grounds)]
    parts: list[Part] = [("lawn", _near_ground(grounds)), ("land", far), ("blades", blades)]
    parts += [part for _, thing in things for part in thing]
    parts += outdoors.forest(near_wood, grounds.wood_from, grounds.wood_high, "wood_edge")
    parts += outdoors.forest(far_wood, 1.9 * grounds.wood_from, 2.2 * grounds.wood_high, "far_wood")
    bulky = [bounds(thing) for away_m, thing in things if away_m < 16]
    return Place(
        name="park",
        variant=variant,
        surfaces=assembled(f"park/{variant}", finishes, parts),
        mat_area=np.array([[-3.0, -3.0], [3.0, 3.0]]),
        camera_room=np.array([[-10.0, 0.1, -10.0], [10.0, 8.5, 10.0]]),
        obstacles=np.array(bulky).reshape(-1, 2, 3),
        lamps=tuple(_shining(thing) for _, thing in things if thing[-1][0] == "white"),
        outdoors=True,
    )


def _grounds(rng: Rng, lawn: Array) -> _Grounds:
    mean = lawn[1] * 0.45 + lawn[2] * 0.37
    patchy, swell = noise_field(rng, 60, 5, 1.8), noise_field(rng, 120, 14, 2.5)
    bend, bearing = rng.uniform(14, 40), rng.uniform(0, 2 * np.pi)
    passing = rng.uniform(5.6, 8.0)
    center = (bend + passing) * np.array([np.cos(bearing), np.sin(bearing)])
    half_path = rng.uniform(0.7, 1.1)
    gravel = np.array([0.66, 0.60, 0.50]) * rng.uniform(0.85, 1.05)
    wood_from, wood_high = rng.uniform(60, 85), rng.uniform(11, 15)
    return _Grounds(
        lawn, mean, patchy, swell, bend, bearing, center, half_path, gravel, wood_from, wood_high
    )


def _near_ground(grounds: _Grounds) -> Mesh:
    radius = np.concatenate([[0.01], np.linspace(0.4, NEAR_M, 24)])
    angles = np.linspace(0, 2 * np.pi, 73)
    level = grounds.height(radius[:, None] * np.cos(angles), radius[:, None] * np.sin(angles))
    near = terrain(radius, 72, level)
    return replace(near, uv=near.vertices[:, [0, 2]] * [1, -1] / (2 * NEAR_M) + 0.5)


def _finishes(rng: Rng, grounds: _Grounds, crowns: NDArray[np.int64]) -> dict[str, Finish]:
    """What stands on the grounds, with leaves of two kinds ``crowns`` (2,)."""
    return {
        "blades": greenery.foliage(rng, grounds.lawn * [1.05, 1.08, 1.0], side=256),
        "leaf": greenery.foliage(rng, _CROWNS[crowns[0]], side=256),
        "leaf2": greenery.foliage(rng, _CROWNS[crowns[1]], side=256),
        "bark": greenery.bark(rng, np.array([0.36, 0.30, 0.25]) * rng.uniform(0.8, 1.15)),
        "wood": textures.wood(rng, (0.55, 0.40, 0.27), (0.36, 0.25, 0.16)),
        "metal": paint((0.12, 0.15, 0.13), roughness=0.5),
        "white": paint((0.90, 0.89, 0.85)),
    }


def _beside_path(rng: Rng, grounds: _Grounds) -> list[tuple[float, Prop]]:
    """A bench and a lamp beside the path, their fronts to it."""
    found = []
    for thing, along in (
        (outdoors.park_bench(), rng.uniform(-0.25, 0.25)),
        (outdoors.lamp_post(), rng.uniform(0.3, 0.45)),
    ):
        turn = grounds.bearing + np.pi + along * min(1.0, 10 / grounds.bend)
        reach = grounds.bend + (grounds.half_path + 0.6)
        x, z = grounds.center + reach * np.array([np.cos(turn), np.sin(turn)])
        if np.hypot(x, z) > 4.6:
            found.append(grounds.standing(thing, x, z, yaw=np.pi / 2 - turn + np.pi))
    return found


def _shining(lamp: Prop) -> AreaLight:
    """The light of a lamp post: what its globe sends down."""
    (x, y, z), (to_x, _, to_z) = bounds(lamp[-1:])
    center = (float(x + to_x) / 2, float(y) - 0.01, float(z + to_z) / 2)
    return AreaLight(center, (0.14, 0.0, 0.0), (0.0, 0.0, 0.14), (1.0, 1.0, 1.0))


def _trees(rng: Rng, grounds: _Grounds) -> list[tuple[float, Prop]]:
    found = []
    count = int(rng.integers(22, 32))
    for k in range(count):
        close = k < 5
        spread = rng.uniform(13, 20) if close else rng.uniform(0.05, 1.0)
        r = spread if close else 20 * (grounds.wood_from / 20) ** spread
        angle = 2 * np.pi * (k * 0.618 + rng.uniform(-0.06, 0.06))
        x, z = r * np.cos(angle), r * np.sin(angle)
        if grounds.path(np.array([x]), np.array([z]))[0] < 0.8:
            continue
        tall = rng.uniform(6, 10) if close else rng.uniform(7, 14)
        name = "leaf" if rng.random() < 0.6 else "leaf2"
        leaf_m, leaf_count, crowns = (
            (0.3, 2000, 4) if close else (0.45, 800, 3) if r < 36 else (0.7, 400, 2)
        )
        thing = plants.tree(rng, tall, leaf_m=leaf_m, count=leaf_count, crowns=crowns, finish=name)
        found.append(grounds.standing(thing, x, z, rng.uniform(0, 6.28)))
    return found


def _bushes(rng: Rng, grounds: _Grounds) -> list[tuple[float, Prop]]:
    found = []
    for _ in range(14):
        r, angle = rng.uniform(11, 45), rng.uniform(0, 2 * np.pi)
        x, z = r * np.cos(angle), r * np.sin(angle)
        if grounds.path(np.array([x]), np.array([z]))[0] > 1.2:
            size = rng.uniform(1.0, 2.6, 3) * [1.2, 0.6, 1.2]
            leaf_m, count = (0.15, 500) if r < 20 else (0.3, 160)
            bush = plants.bush(rng, size, leaf_m=leaf_m, count=count)
            found.append(grounds.standing(bush, x, z))
    return found


def _blades(rng: Rng, ground: Field, count: int, path: Field) -> Mesh:
    """Blades of grass as single triangles, dense near the middle, tips below the mats there."""
    radius = NEAR_M * 1.3 * rng.uniform(0, 1, count) ** 0.7
    angle = rng.uniform(0, 2 * np.pi, count)
    x, z = radius * np.cos(angle), radius * np.sin(angle)
    free = path(x, z) > 0.1
    x, z, radius = x[free], z[free], radius[free]
    count = len(x)
    y = ground(x, z)
    tall = rng.uniform(0.45, 1.0, count) * np.where(
        radius < 4.5, 0.018, 0.018 + 0.03 * smoothstep(4.5, 7, radius)
    )
    turn = rng.uniform(0, 2 * np.pi, count)
    half = (
        0.5
        * rng.uniform(0.003, 0.006, count)[:, None]
        * np.column_stack([np.cos(turn), np.zeros(count), np.sin(turn)])
    )
    lean = rng.normal(0, 0.55, (count, 2)) * tall[:, None]
    root = np.column_stack([x, y - 0.004, z])
    tip = np.column_stack([x + lean[:, 0], y + tall, z + lean[:, 1]])
    vertices = np.stack([root - half, root + half, tip], 1)
    up = np.column_stack([lean[:, 0] / tall * 0.25, np.ones(count), lean[:, 1] / tall * 0.25])
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    patch = rng.uniform(0, 1, (count, 1, 2))
    uv = patch + np.array([[0, 0], [0.004, 0], [0.002, 0.03]])
    return Mesh(
        vertices.reshape(-1, 3),
        np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
        uv.reshape(-1, 2),
        np.repeat(up, 3, axis=0),
    )


def _lawn(rng: Rng, grounds: _Grounds) -> Finish:
    """The near lawn as one image of a square of 2 * NEAR_M, the path painted in.

    Towards its edge it takes on the mean colour that the ground beyond begins with.
    """
    blades = greenery.grass(rng, 2 * NEAR_M, grounds.lawn)
    pixels = blades.shape[1]
    # What changes slowly over the ground is worked out for every fourth pixel.
    coarse = 4
    steps = (np.arange(0, pixels, coarse) + coarse / 2) / pixels * 2 * NEAR_M - NEAR_M
    x, z = np.broadcast_arrays(steps[None, :], steps[:, None])

    middle = blades[:, ::4].mean(axis=(1, 2)) / 255
    balance = in_planes(grounds.mean / middle)
    fade = (0.6 * smoothstep(3.5, NEAR_M, np.hypot(x, z))).astype(np.float32)
    dry = np.clip(grounds.patchy(x, z), -1.6, 1.6).astype(np.float32)
    off = (1 - smoothstep(-0.08, 0.10, grounds.path(x, z))).astype(np.float32)
    grit = 1 + 0.13 * textures.noise(rng, (256, 256), 2.0, 0.8)
    gravel = in_planes(grounds.gravel) * np.tile(grit, pixels // 256)

    def paint_rows(band: slice) -> textures.Image:
        def spread(field: Array) -> Array:
            rows = np.arange(pixels)[band] // coarse
            return np.repeat(field[rows], coarse, 1)

        part = mix(blades[:, band] / np.float32(255), middle, spread(fade))
        part *= balance * (1 + in_planes(_DRYNESS) * spread(dry))
        return mix(part, gravel[:, np.arange(pixels)[band] % 256], spread(off))

    return Finish(Material(textures.in_bands((pixels, pixels), paint_rows), 0.9, 0.1))

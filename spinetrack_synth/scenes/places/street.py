"""Streets: avenues, squares, a lane, a road of single houses; by day and lit by lamps at night."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from spinetrack_synth.scenes import floorings, seasons, textures
from spinetrack_synth.scenes.place import Part, Place, Prop, placed
from spinetrack_synth.scenes.places.room import light, place_of
from spinetrack_synth.scenes.props import houses, outdoors, plants, street, vehicles
from spinetrack_synth.scenes.seasons import Season
from spinetrack_synth.scenes.shapes import Array, Rng, box, rectangle
from spinetrack_synth.scenes.textures import Finish, paint
from spinetrack_synth.shot import AreaLight, Material

ROAD_M = -0.12
MOST_LAMPS = 16
"""More would ask the renderer for another kernel."""

Box = tuple[float, float, float, float]


@dataclass
class _Site:
    """What has been built so far: ground and far things, things in reach, lights."""

    rng: Rng
    season: Season
    parts: list[Part] = field(default_factory=list)
    things: list[Prop] = field(default_factory=list)
    lamps: list[AreaLight] = field(default_factory=list)
    panes: list[AreaLight] = field(default_factory=list)

    def ground(self, finish: str, area: Box, y: float) -> None:
        """A level stretch (x0, z0, x1, z1) m."""
        x0, z0, x1, z1 = area
        self.parts.append((finish, rectangle((x0, y, z1), (x1 - x0, 0, 0), (0, 0, z0 - z1))))

    def kerb(self, x0: float, x1: float, z: float) -> None:
        """A kerb along X whose top is level with the pavement."""
        stone = box((x1 - x0, 0.25, 0.14), ((x0 + x1) / 2, -0.122, z), edge=0.012)
        self.parts.append(("kerb", stone))

    def stand(self, thing: Prop, x: float, z: float, yaw: float = 0.0, y: float = 0.0) -> None:
        """Set a thing down."""
        self.things.append(placed(thing, (x, y, z), yaw=yaw))

    def lamp(self, made: tuple[Prop, AreaLight], x: float, z: float, yaw: float) -> None:
        """Set a lamp down, and its light."""
        prop, shining = made
        self.stand(prop, x, z, yaw)
        self.lamps.append(street.set_down(shining, (x, 0.0, z), yaw))

    def row(self, styles: Sequence[houses.Front], at: tuple[float, float], yaw: float,
            gap: float = 0.0) -> None:  # fmt: skip
        """Houses beside each other from a point on, along X turned by ``yaw``."""
        along = 0.0
        for style in styles:
            made, middles = houses.front(self.rng, style)
            x = at[0] + np.cos(yaw) * along
            z = at[1] - np.sin(yaw) * along
            self.stand(made, x, z, yaw)
            if len(middles):
                self._shining(style, middles[int(self.rng.integers(len(middles)))], x, z, yaw)
            along += style.width + gap

    def _shining(self, style: houses.Front, middle: Array, x: float, z: float, yaw: float) -> None:
        """A window behind which somebody has light at night."""
        wide, tall = style.window
        pane = light(middle, (0.42 * wide, 0, 0), (0, 0.44 * tall, 0))
        pane = replace(pane, radiance=(0.035, 0.03, 0.025))
        self.panes.append(street.set_down(pane, (x, 0.0, z), yaw))


def build(variant: int) -> Place:
    """One of the streets; the same number gives the same street."""
    rng = np.random.default_rng([76, variant])
    season, lay_out = _LAYOUTS[variant]
    site = _Site(rng, season)
    mat_area, camera_room, paving = lay_out(site)
    wood = seasons.wood_edge(rng, season, 0.25, around_m=98, height_m=12)
    site.parts += outdoors.forest(wood, 62.0, 12.0, "wood_edge", repeats=4)
    site.ground("grass", (-90, -90, 90, 90), ROAD_M - 0.03)
    free = max(0, MOST_LAMPS - len(site.lamps))
    return place_of(
        "street",
        variant,
        {**_finishes(rng), **seasons.finishes(rng, season), **paving,
         "wood_edge": wood.finish},
        site.parts,
        site.things,
        mat_area=np.array(mat_area, float),
        camera_room=np.array(camera_room, float),
        lamps=[*site.lamps[:MOST_LAMPS], *site.panes[:free]],
        outdoors=True,
    )  # fmt: skip


def _finishes(rng: Rng) -> dict[str, Finish]:
    plasters = rng.permutation(
        [(0.86, 0.80, 0.68), (0.80, 0.66, 0.54), (0.74, 0.77, 0.76), (0.84, 0.74, 0.56),
         (0.87, 0.86, 0.83), (0.66, 0.70, 0.66), (0.72, 0.56, 0.50)]
    )  # fmt: skip
    cars = rng.permutation(
        [(0.62, 0.63, 0.65), (0.10, 0.10, 0.11), (0.80, 0.80, 0.79), (0.42, 0.07, 0.07),
         (0.10, 0.17, 0.33), (0.28, 0.30, 0.32), (0.16, 0.25, 0.20)]
    )  # fmt: skip
    brick = rng.choice([(0.58, 0.34, 0.26), (0.66, 0.50, 0.38), (0.50, 0.33, 0.28)])
    size_m = (4.0, 4.0)
    return {
        "front1": textures.plaster(rng, plasters[0], size_m=size_m, rough=1.8),
        "front2": textures.plaster(rng, plasters[1], size_m=size_m, rough=1.8),
        "front3": textures.plaster(rng, plasters[2], size_m=size_m, rough=1.8),
        "brick": textures.bricks(rng, brick, (0.64, 0.60, 0.54), size_m=(2.4, 1.5)),
        "stone": textures.concrete(rng, (0.66, 0.63, 0.57), size_m=(3.0, 2.5)),
        "kerb": paint((0.56, 0.55, 0.52), roughness=0.85, specular=0.2),
        "glass": paint((0.06, 0.075, 0.085), roughness=0.08, specular=0.9),
        "display": _shop_window(rng),
        "sash": paint(rng.choice([(0.88, 0.87, 0.84), (0.24, 0.22, 0.20), (0.86, 0.85, 0.82)])),
        "blind": paint((0.80, 0.77, 0.70), roughness=0.9),
        "door": paint(rng.choice([(0.16, 0.26, 0.20), (0.36, 0.14, 0.10), (0.15, 0.20, 0.32),
                                  (0.34, 0.23, 0.14)]), roughness=0.4),
        "shutter": paint(rng.choice([(0.28, 0.38, 0.30), (0.30, 0.36, 0.44), (0.44, 0.28, 0.18)])),
        "sign": paint(rng.choice([(0.14, 0.20, 0.26), (0.42, 0.14, 0.12), (0.20, 0.30, 0.24)])),
        "awning": textures.cloth(rng, (0.84, 0.80, 0.70), rng.uniform(0.15, 0.5, 3), stripes=6),
        "roof": floorings.setts(rng, (0.50, 0.28, 0.21), stone_m=(0.24, 0.3), size_m=(3.6, 3.6),
                                joint=(0.28, 0.17, 0.13), variety=0.8),
        "slate": floorings.setts(rng, (0.30, 0.31, 0.34), stone_m=(0.24, 0.3), size_m=(3.6, 3.6),
                                 joint=(0.18, 0.19, 0.2)),
        "metal": paint((0.20, 0.21, 0.22), roughness=0.45, specular=0.5),
        "lamp_glass": paint((0.86, 0.85, 0.80), roughness=0.2),
        "wood": textures.wood(rng, (0.50, 0.37, 0.25), (0.34, 0.24, 0.16), size_m=(1.2, 0.6)),
        "mark": paint((0.82, 0.82, 0.79), roughness=0.8),
        "car1": paint(cars[0], roughness=0.22, specular=0.6),
        "car2": paint(cars[1], roughness=0.22, specular=0.6),
        "car3": paint(cars[2], roughness=0.22, specular=0.6),
        "car_glass": paint((0.045, 0.055, 0.06), roughness=0.06, specular=0.8),
        "car_dark": paint((0.06, 0.06, 0.065), roughness=0.6),
        "car_light": paint((0.78, 0.79, 0.80), roughness=0.12, specular=0.8),
        "car_red": paint((0.48, 0.05, 0.04), roughness=0.15, specular=0.6),
        "tyre": paint((0.06, 0.06, 0.06), roughness=0.9, specular=0.1),
        "rim": paint((0.58, 0.59, 0.60), roughness=0.3, specular=0.7),
        "cycle": paint(rng.uniform(0.1, 0.5, 3), roughness=0.35),
        "bin": paint((0.24, 0.30, 0.26), roughness=0.5),
        "bin2": paint((0.20, 0.24, 0.36), roughness=0.5),
        "sign_red": paint((0.62, 0.08, 0.07)),
        "sign_blue": paint((0.10, 0.24, 0.52)),
        "sign_white": paint((0.88, 0.88, 0.86)),
        "water": paint((0.16, 0.24, 0.26), roughness=0.05, specular=0.8),
        "soil": paint((0.22, 0.17, 0.12), roughness=1.0, specular=0.1),
        "white": paint((0.88, 0.87, 0.84)),
        "pot": paint((0.60, 0.38, 0.28), roughness=0.8),
    }  # fmt: skip


def _shop_window(rng: Rng) -> Finish:
    """What one sees behind the glass of a shop: dim goods on shelves, some lamps; 2 x 2.4 m."""
    image = np.full((192, 160, 3), (0.07, 0.07, 0.075), np.float32)
    image *= np.linspace(1.5, 0.8, 192, dtype=np.float32)[:, None, None]
    for shelf in (70, 115, 165):
        image[shelf : shelf + 3] = (0.16, 0.14, 0.12)
        x = int(rng.integers(2, 12))
        while x < 150:
            wide, tall = int(rng.integers(5, 16)), int(rng.integers(10, 34))
            image[shelf - tall : shelf, x : x + wide] = rng.uniform(0.05, 0.34) * rng.uniform(
                0.5, 1, 3
            )
            x += wide + int(rng.integers(1, 14))
    for x in range(18, 160, 40):
        image[14:18, x : x + 10] = (0.80, 0.74, 0.60)
    return Finish(Material(textures.image_bytes(image.transpose(2, 0, 1)), 0.08, 0.9), (2.0, 2.4))


def _town_house(rng: Rng, storeys: tuple[int, int], grounds: Sequence[str]) -> houses.Front:
    """A house of a closed row."""
    finish = str(rng.choice(["front1", "front2", "front3", "brick"]))
    return houses.Front(
        width=float(rng.uniform(7.0, 10.5)),
        storeys=int(rng.integers(*storeys)),
        storey=float(rng.uniform(3.0, 3.5)),
        step=float(rng.uniform(1.9, 2.5)),
        window=(float(rng.uniform(0.95, 1.2)), float(rng.uniform(1.5, 1.8))),
        ground=str(rng.choice(grounds)),
        roof="pitched" if rng.random() < 0.75 else "flat",
        wall=finish,
        plinth="stone",
        tiles="roof" if rng.random() < 0.6 else "slate",
        shutters=bool(rng.random() < 0.3),
        balconies=bool(rng.random() < 0.25),
    )


def _modern(rng: Rng, width: float) -> houses.Front:
    """An office building: rows of wide windows, a flat roof."""
    return houses.Front(
        width=width, storeys=int(rng.integers(3, 6)), storey=3.5, step=float(rng.uniform(2.2, 2.6)),
        window=(float(rng.uniform(1.8, 2.1)), 2.1), ground="shop", roof="flat",
        wall=str(rng.choice(["stone", "front3", "brick"])), plinth="kerb", tiles="slate",
    )  # fmt: skip


def _cottage(rng: Rng) -> houses.Front:
    """A house that stands by itself."""
    return houses.Front(
        width=float(rng.uniform(9.0, 11.5)), storeys=int(rng.integers(1, 3)), storey=2.8,
        step=float(rng.uniform(2.4, 3.0)), window=(1.3, 1.25), ground="door", roof="pitched",
        wall=str(rng.choice(["front1", "front2", "brick"])), plinth="stone",
        tiles=str(rng.choice(["roof", "slate"])), shutters=bool(rng.random() < 0.4),
    )  # fmt: skip


_SHAPES = (vehicles.HATCHBACK, vehicles.SALOON, vehicles.ESTATE, vehicles.VAN)


def _cars(site: _Site, spots: Sequence[tuple[float, float, float]]) -> None:
    """Parked cars, three of different make, at points x, z with a yaw."""
    kinds = site.rng.permutation(len(_SHAPES))[:3]
    made = [vehicles.car(_SHAPES[int(kind)], f"car{k + 1}") for k, kind in enumerate(kinds)]
    for k, (x, z, yaw) in enumerate(spots):
        slip = site.rng.uniform(-0.12, 0.12)
        site.stand(made[k % 3], x + slip, z + 0.3 * slip, yaw + site.rng.normal(0, 0.015), ROAD_M)


def _avenue(site: _Site, storeys: tuple[int, int], grounds: Sequence[str]
            ) -> tuple[list[list[float]], list[list[float]], dict[str, Finish]]:  # fmt: skip
    """A wide pavement between houses and parked cars, the road, and houses across it."""
    rng = site.rng
    far = 38.0
    site.ground("pavement", (-far, -4.6, far, 2.9), 0.0)
    site.ground("road", (-far, 2.9, far, 11.4), ROAD_M)
    site.ground("pavement", (-far, 11.4, far, 15.0), 0.0)
    site.kerb(-far, far, 2.9)
    site.kerb(-far, far, 11.4)
    for x in np.arange(-far + 2, far, 5.0):
        site.parts.append(("mark", rectangle((x, ROAD_M + 0.003, 7.3), (2.6, 0, 0), (0, 0, -0.12))))
    for z, yaw, start in ((-4.6, 0.0, -far), (15.0, np.pi, far)):
        row, width = [], 0.0
        while width < 2 * far:
            row.append(_town_house(rng, storeys, grounds))
            width += row[-1].width
        site.row(row, (start, z), yaw)
    for x, yaw in ((-far - 1, np.pi / 2), (far + 1, -np.pi / 2)):
        ends = [_town_house(rng, storeys, grounds) for _ in range(3)]
        site.row(ends, (x, 22.0 if yaw > 0 else -10.0), yaw)
    near = [x for x in np.arange(-25.0, 26.0, 5.6) if rng.random() < 0.7]
    _cars(site, [(x, 4.1, 0.0 if rng.random() < 0.8 else np.pi) for x in near])
    _cars(site, [(x + 2, 10.3, np.pi) for x in near if rng.random() < 0.5])
    grown = seasons.trees(rng, site.season, 3, tall=(5.5, 7.5))
    for k, x in enumerate(np.arange(-18.0, 19.0, 9.0)):
        site.stand(grown[k % 3], x, 2.1, rng.uniform(0, 6))
        if not site.season.snow:
            site.parts.append(("soil", rectangle((x - 0.6, 0.002, 2.7), (1.2, 0, 0), (0, 0, -1.2))))
    for x in (-22.5, -4.5, 13.5, 31.5):
        site.lamp(street.street_lamp(rng.uniform(5.8, 6.8)), x, 2.4, 0.0)
    for x in (-13.5, 22.0):
        site.lamp(street.street_lamp(6.2), x, 11.9, np.pi)
    site.stand(outdoors.park_bench(), rng.uniform(6.0, 7.2), 2.2, np.pi)
    site.stand(street.bin_(), 8.2, 2.3)
    site.stand(street.wheelie_bins(rng), rng.uniform(-9.5, -7.5), -3.9)
    site.stand(street.cycle_stand(4), -8.6, 2.1)
    for k in range(2):
        site.stand(vehicles.bicycle(), -8.6 + 0.8 * k, 2.0, np.pi / 2)
    site.stand(street.sign("round"), 10.6, 2.5, -np.pi / 2)
    if rng.random() < 0.6:
        site.stand(street.cafe_table(rng), -5.6, -3.3)
        site.stand(street.planter(rng), -3.7, -3.9)
    else:
        site.stand(street.shelter(), -4.6, 1.9 - 4.9)
    return [[-4.6, -2.2], [5.0, 1.2]], [[-11, 0.1, -3.6], [11, 4.0, 10.4]], _avenue_paving(site)


def _avenue_paving(site: _Site) -> dict[str, Finish]:
    rng = site.rng
    if site.season.snow:
        slush = floorings.sand(rng, (0.62, 0.63, 0.65))
        return {"pavement": floorings.sand(rng, (0.80, 0.81, 0.84)), "road": slush}
    return {
        "pavement": floorings.setts(rng, (0.58, 0.56, 0.53), stone_m=(0.5, 0.5), size_m=(6.0, 6.0),
                                    variety=0.4),
        "road": floorings.asphalt(rng),
    }  # fmt: skip


def _avenue_of_shops(site: _Site) -> tuple[list[list[float]], list[list[float]], dict[str, Finish]]:
    return _avenue(site, (3, 6), ("shop", "shop", "door"))


def _terraced(site: _Site) -> tuple[list[list[float]], list[list[float]], dict[str, Finish]]:
    return _avenue(site, (2, 3), ("door",))


def _square(site: _Site) -> tuple[list[list[float]], list[list[float]], dict[str, Finish]]:
    """A paved square with houses on four sides, a fountain or an obelisk, cafes and trees."""
    rng = site.rng
    half_x, half_z = 19.0, 15.0
    site.ground("pavement", (-half_x - 5, -half_z - 5, half_x + 5, half_z + 5), 0.0)
    for (x, z), yaw, span in (
        ((-half_x, -half_z), 0.0, 2 * half_x),
        ((half_x, half_z), np.pi, 2 * half_x),
        ((half_x, -half_z), -np.pi / 2, 2 * half_z),
        ((-half_x, half_z), np.pi / 2, 2 * half_z),
    ):
        row, width = [], 0.0
        while width < span - 4:
            row.append(_town_house(rng, (2, 5), ("shop", "door", "shop")))
            width += row[-1].width
        row = [replace(style, width=style.width * span / width) for style in row]
        site.row(row, (x, z), yaw)
    site.stand(street.fountain() if rng.random() < 0.5 else street.statue(), 9.5, -5.5)
    grown = seasons.trees(rng, site.season, 2, tall=(5.5, 7.5))
    for k, (x, z) in enumerate(((-11.5, -8), (-11.5, 0.5), (-11.5, 8.5), (12, 7.5))):
        site.stand(grown[k % 2], x, z, rng.uniform(0, 6))
        site.stand(outdoors.park_bench(), x + 2.0, z, np.pi / 2)
    for x, z in ((-7.5, -7.5), (7.5, 7.5), (-7.5, 7.5), (6.5, -8.5)):
        site.lamp(street.lantern(rng.uniform(3.6, 4.2)), x, z, rng.uniform(0, 6))
    for x in np.arange(-3.0, 5.0, 2.6):
        site.stand(street.cafe_table(rng, int(rng.integers(2, 4))), x, -10.2)
    for x in (-5.2, 5.8):
        site.stand(street.planter(rng), x, -9.9)
    site.stand(street.bin_(), -9.2, 5.6)
    for k in range(5):
        site.stand(street.bollard(), -4 + 2.2 * k, 10.5)
    site.stand(street.cycle_stand(5), 8.5, 10.8)
    for k in range(3):
        site.stand(vehicles.bicycle(), 7.0 + 0.8 * k, 10.8, np.pi / 2 + rng.normal(0, 0.05))
    return [[-5.0, -4.5], [5.0, 4.5]], [[-11, 0.1, -11], [11, 4.5, 11]], _square_paving(site)


def _square_paving(site: _Site) -> dict[str, Finish]:
    rng = site.rng
    if site.season.snow:
        return {"pavement": floorings.sand(rng, (0.82, 0.83, 0.86))}
    color = rng.choice([(0.52, 0.50, 0.47), (0.60, 0.53, 0.45), (0.50, 0.45, 0.42)])
    return {"pavement": floorings.setts(rng, color, stone_m=(0.2, 0.13), size_m=(7.8, 7.8))}


def _lane(site: _Site) -> tuple[list[list[float]], list[list[float]], dict[str, Finish]]:
    """A narrow lane of an old town, without cars."""
    rng = site.rng
    far, half = 24.0, 3.6
    site.ground("pavement", (-far - 6, -half - 2, far + 6, half + 2), 0.0)
    for z, yaw, start in ((-half, 0.0, -far), (half, np.pi, far)):
        row, width = [], 0.0
        while width < 2 * far:
            row.append(replace(_town_house(rng, (2, 4), ("door", "shop")), balconies=False))
            row[-1] = replace(
                row[-1], width=row[-1].width * 0.8, wall=_old_wall(rng), shutters=True
            )
            width += row[-1].width
        site.row(row, (start, z), yaw)
    for x, yaw in ((-far - 3, np.pi / 2), (far + 3, -np.pi / 2)):
        ends = [_town_house(rng, (3, 5), ("door",)) for _ in range(2)]
        site.row(ends, (x, 9.0 if yaw > 0 else -9.0), yaw)
    for x, z in ((-9.0, -2.9), (0.5, 2.9), (9.5, -2.9), (-17, 2.9)):
        site.lamp(street.lantern(3.6), x, z, 0.0)
    for x, z in ((-6.4, -2.9), (6.9, 2.9), (-11.5, 2.9)):
        site.stand(street.planter(rng, rng.uniform(0.9, 1.4)), x, z)
    for x, z in ((5.6, -2.9), (-4.8, 2.8), (11.0, 2.6)):
        site.stand(plants.house_plant(rng, rng.uniform(0.9, 1.3)), x, z)
    site.stand(street.cafe_table(rng), 8.2, -2.5)
    site.stand(vehicles.bicycle(), -7.9, 2.75, rng.normal(0, 0.04))
    site.stand(vehicles.bicycle(), 12.6, -2.7, np.pi + rng.normal(0, 0.04))
    finish = floorings.setts(rng, (0.50, 0.46, 0.42), stone_m=(0.13, 0.11), size_m=(5.2, 5.28))
    return [[-3.9, -1.9], [4.3, 1.9]], [[-13, 0.1, -2.6], [13, 2.6, 2.6]], {"pavement": finish}


def _old_wall(rng: Rng) -> str:
    return str(rng.choice(["front1", "front2", "front3"]))


def _suburb(site: _Site) -> tuple[list[list[float]], list[list[float]], dict[str, Finish]]:
    """A quiet road between gardens with single houses."""
    rng = site.rng
    far = 40.0
    site.ground("road", (-far - 20, -3.3, far + 20, 3.3), 0.0)
    for s in (-1, 1):
        a, b = sorted((s * 3.3, s * 5.0))
        site.ground("pavement", (-far - 20, a, far + 20, b), 0.03)
        site.parts.append(
            ("kerb", box((2 * far + 40, 0.2, 0.14), (0, -0.068, s * 3.35), edge=0.012))
        )
        a, b = sorted((s * 5.0, s * 34.0))
        site.ground("grass", (-far - 20, a, far + 20, b), 0.025)
    for z, yaw, start in ((-12.0, 0.0, -far), (12.0, np.pi, far)):
        row = [_cottage(rng) for _ in range(6)]
        site.row(row, (start + rng.uniform(-3, 3), z), yaw, gap=rng.uniform(3.5, 5))
    shrubs = [
        plants.bush(rng, (2.3, rng.uniform(1.1, 1.5), 1.3), leaf_m=0.12, count=190, finish=name)
        for name in ("leaf2", "leaf")
    ]
    for s in (-1, 1):
        for k, x in enumerate(np.arange(-20.0, 21.0, 1.45)):
            # Gaps where drives and garden paths are.
            if not site.season.bare and int((x + 40) / 5.8) % 3:
                site.stand(shrubs[int(x / 11) % 2], x, s * 6.0, rng.uniform(0, 6) if k else 0)
    grown = seasons.trees(rng, site.season, 3, tall=(5.5, 8.5))
    for k in range(8):
        x, s = -28 + 8.0 * k + rng.uniform(-1, 1), 1 if k % 2 else -1
        site.stand(grown[k % 3], x, s * rng.uniform(7.0, 9.5), rng.uniform(0, 6))
    _cars(
        site,
        [
            (x, s * 2.3, 0.0 if s < 0 else np.pi)
            for x, s in ((-15, 1), (-9, -1), (8.5, 1), (14.5, -1), (21, 1), (-24, -1))
        ],
    )
    for x in (-20.0, 2.5, 24.0):
        site.lamp(street.street_lamp(5.2, 0.8), x, -4.4, 0.0)
    site.stand(street.wheelie_bins(rng), 5.2, 4.4, np.pi)
    site.stand(street.sign("square"), -6.5, 4.3, np.pi / 2)
    snow = site.season.snow
    road = (
        floorings.sand(rng, (0.70, 0.71, 0.73))
        if snow
        else floorings.asphalt(rng, (0.33, 0.33, 0.33))
    )
    slabs = floorings.setts(
        rng, (0.56, 0.55, 0.53), stone_m=(0.4, 0.4), size_m=(4.8, 4.8), variety=0.3
    )
    return ([[-4.5, -1.9], [4.5, 1.9]], [[-11, 0.1, -4.6], [11, 4.5, 4.6]],
            {"road": road, "pavement": _snowed(site, slabs)})  # fmt: skip


def _snowed(site: _Site, finish: Finish) -> Finish:
    """A finish, or snow in a season that has it."""
    return floorings.sand(site.rng, (0.80, 0.81, 0.84)) if site.season.snow else finish


def _plaza(site: _Site) -> tuple[list[list[float]], list[list[float]], dict[str, Finish]]:
    """A place between office buildings: large slabs, trees in boxes, long benches of stone."""
    rng = site.rng
    half_x, half_z = 20.0, 17.0
    site.ground("pavement", (-60, -60, 60, 60), 0.0)
    for (x, z), yaw, span in (
        ((-half_x, -half_z), 0.0, 2 * half_x),
        ((half_x, half_z), np.pi, 2 * half_x),
        ((half_x + 4, -half_z), -np.pi / 2, 2 * half_z),
    ):
        widths = [span * 0.56, span * 0.40]
        site.row([_modern(rng, w) for w in widths], (x, z), yaw, gap=span * 0.04)
    site.row([_modern(rng, 26.0)], (-half_x - 12, 13.0), np.pi / 2)
    grown = seasons.trees(rng, site.season, 2, tall=(5.0, 6.5))
    for k, (x, z) in enumerate(((-8, -9), (0, -9), (8, -9), (-8, 9), (8, 9), (-15, 4), (15, -3))):
        bed = (("stone", box((2.0, 0.46, 2.0), (0, 0.23, 0), edge=0.015)),
               ("soil", rectangle((-0.85, 0.462, 0.85), (1.7, 0, 0), (0, 0, -1.7))))  # fmt: skip
        site.stand(bed, x, z)
        site.stand(grown[k % 2], x, z, rng.uniform(0, 6), 0.45)
    for x, z, yaw in ((-3.9, -9, 0.0), (3.9, 9, 0.0), (8.5, 0, np.pi / 2), (-9.5, 1, np.pi / 2)):
        site.stand((("stone", box((2.6, 0.45, 0.55), (0, 0.225, 0), edge=0.015)),), x, z, yaw)
    for x, z in ((-11, -5), (11, 5), (-5.5, 11), (5.5, -11.5)):
        site.lamp(street.street_lamp(4.6, 0.5), x, z, float(np.arctan2(-x, -z)))
    site.stand(street.cycle_stand(6), -1, 11.5)
    for k in range(4):
        site.stand(vehicles.bicycle(), -2.6 + 0.8 * k, 11.5, np.pi / 2)
    site.stand(street.bin_(), 6.6, 8.5)
    for k in range(6):
        site.stand(street.bollard(), -13.5, -8 + 2.4 * k)
    slabs = floorings.setts(rng, (0.60, 0.59, 0.57), stone_m=(1.2, 0.6), size_m=(7.2, 7.2),
                            variety=0.3)  # fmt: skip
    return (
        [[-5.0, -5.0], [5.0, 5.0]],
        [[-11, 0.1, -10.5], [11, 4.5, 10.5]],
        {"pavement": _snowed(site, slabs)},
    )


_LAYOUTS = (
    (seasons.SUMMER, _avenue_of_shops),
    (seasons.SPRING, _square),
    (seasons.DRY, _lane),
    (seasons.AUTUMN, _suburb),
    (seasons.LATE, _plaza),
    (seasons.SNOW, _terraced),
    (seasons.SUMMER, _plaza),
    (seasons.AUTUMN, _square),
)

"""Shoes: an upper cut from the suit's foot, given a toe box, on a sole that a foot stands on.

A shoe is shaped at rest, where feet are flat, and rides on the bones as its own mesh. Its sole lies
under the bare one: whoever wears it stands higher by ``Shoe.sole_m``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from spinetrack_synth.avatars.array_types import Array, Color, Indices, Ints
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.clothes import Garment, sew
from spinetrack_synth.avatars.cuts import INSIDE_M, SNUG_M, Cut, limb_plane
from spinetrack_synth.avatars.figure import Figure, smoothed, suit
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.skinning import vertex_normals
from spinetrack_synth.avatars.textures import to_bytes
from spinetrack_synth.easing import smoothstep
from spinetrack_synth.shot import Material

Rim = tuple[tuple[float, float], ...]
"""Height (m) of the upper's edge by place along the foot, 0 heel .. 1 toes."""

STATIONS: Final = 30
_OPEN: Final = ((0.0, 1.0), (1.0, 1.0))


@dataclass(frozen=True)
class Shoe:
    """A kind of shoe. Lengths in m, places along the foot from 0 (heel) to 1 (toes).

    ``rim`` is the edge of a low upper, ``shaft`` that of a boot (1 knee, 2 ankle), ``straps``
    (place, half width) stand for an upper; ``back`` where an upper without a heel begins.
    ``toe_m`` is room before the toes, ``box_m`` above them, ``pointed`` how much the tip narrows;
    ``spring_m`` lifts the tip of the sole, ``arch_m`` its waist before the heel. ``leather``: it
    shines, and upper and sole have calm colours.
    """

    name: str
    sole_m: float
    rim: Rim = _OPEN
    shaft: float | None = None
    straps: tuple[tuple[float, float], ...] = ()
    back: float = -1.0
    ease_m: float = 0.004
    toe_m: float = 0.008
    box_m: float = 0.010
    pointed: float = 0.0
    spring_m: float = 0.003
    arch_m: float = 0.0
    welt_m: float = 0.003
    leather: bool = False
    laced: bool = True


_LOW: Final = ((0.0, 0.080), (0.12, 0.074), (0.3, 0.058), (0.42, 0.090), (0.5, 1.0))
_TOWN: Final = ((0.0, 0.066), (0.12, 0.062), (0.3, 0.050), (0.42, 0.084), (0.5, 1.0))
_SLIP_ON: Final = (
    (0.0, 0.062), (0.12, 0.057), (0.3, 0.046), (0.5, 0.050), (0.62, 0.060), (0.7, 1.0),
)  # fmt: skip
_FLAT: Final = (
    (0.0, 0.055), (0.12, 0.050), (0.3, 0.034), (0.62, 0.028), (0.76, 0.040), (0.84, 1.0),
)  # fmt: skip

SHOES: Final = {
    shoe.name: shoe
    for shoe in (
        Shoe("sneakers", 0.024, _LOW),
        Shoe("running shoes", 0.030, _LOW, toe_m=0.012, box_m=0.008, spring_m=0.010, welt_m=0.006),
        Shoe("high-tops", 0.024, shaft=1.86),
        Shoe("court shoes", 0.020, _LOW, welt_m=0.002),
        Shoe("derby shoes", 0.022, _TOWN, toe_m=0.018, box_m=0.004, pointed=0.30, arch_m=0.011,
             leather=True),
        Shoe("loafers", 0.020, _SLIP_ON, toe_m=0.014, box_m=0.004, pointed=0.22, arch_m=0.009,
             leather=True, laced=False),
        Shoe("flats", 0.012, _FLAT, box_m=0.002, pointed=0.18, ease_m=0.002, spring_m=0.0,
             arch_m=0.004, welt_m=0.0015, leather=True, laced=False),
        Shoe("ankle boots", 0.028, shaft=1.76, toe_m=0.014, box_m=0.008, arch_m=0.010,
             leather=True),
        Shoe("chelsea boots", 0.024, shaft=1.72, toe_m=0.016, box_m=0.004, pointed=0.25,
             arch_m=0.009, leather=True, laced=False),
        Shoe("boots", 0.030, shaft=1.28, ease_m=0.008, toe_m=0.012, box_m=0.008, arch_m=0.010,
             leather=True, laced=False),
        Shoe("sandals", 0.020, straps=((0.30, 0.014), (0.72, 0.020)), toe_m=0.004, box_m=0.0,
             ease_m=0.001, leather=True, laced=False),
        Shoe("clogs", 0.028, back=0.30, box_m=0.012, ease_m=0.006, laced=False),
        Shoe("slippers", 0.012, back=0.42, ease_m=0.004, box_m=0.008, spring_m=0.0, laced=False),
    )
}  # fmt: skip
"""Kinds of shoes by name."""

_CANVAS: Final = (
    (0.86, 0.85, 0.82), (0.80, 0.80, 0.80), (0.07, 0.07, 0.08), (0.14, 0.14, 0.15),
    (0.30, 0.31, 0.33), (0.12, 0.17, 0.30), (0.50, 0.12, 0.13), (0.18, 0.30, 0.24),
    (0.62, 0.56, 0.46), (0.20, 0.38, 0.55), (0.75, 0.42, 0.20), (0.47, 0.50, 0.24),
    (0.62, 0.30, 0.45), (0.42, 0.42, 0.30),
)  # fmt: skip
_LEATHER: Final = (
    (0.05, 0.045, 0.045), (0.06, 0.055, 0.06), (0.20, 0.11, 0.07), (0.33, 0.20, 0.11),
    (0.45, 0.29, 0.17), (0.24, 0.08, 0.07), (0.52, 0.44, 0.35), (0.12, 0.13, 0.17),
)  # fmt: skip
_SOLES: Final = ((0.84, 0.83, 0.80), (0.80, 0.80, 0.79), (0.09, 0.09, 0.09), (0.55, 0.40, 0.26))


@dataclass(frozen=True, eq=False)
class _Foot:
    """A foot at rest on its axis: ``origin`` (3,) its heel on the floor, ``ahead`` and ``aside``
    (3,) level unit vectors, ``length_m``; ``side`` -1 left, 1 right."""

    side: float
    origin: Array
    ahead: Array
    aside: Array
    length_m: float

    def local(self, points: Array) -> Array:
        """Place along the foot, m aside and height m of points (N, 3)."""
        off = points - self.origin
        return np.stack([off @ self.ahead / self.length_m, off @ self.aside, points[:, 1]], axis=1)

    def world(self, local: Array) -> Array:
        """The points (N, 3) of such places."""
        level = self.origin + (local[:, :1] * self.length_m) * self.ahead
        points: Array = level + local[:, 1:2] * self.aside
        points[:, 1] = local[:, 2]
        return points


def _feet(data: BodyData, figure: Figure) -> tuple[_Foot, _Foot]:
    pattern = suit(data)
    feet = []
    for side, ankle in zip((-1.0, 1.0), figure.ankles):
        low = figure.points[(pattern.side == side) & (figure.points[:, 1] < 0.6 * ankle[1])]
        level = low[:, [0, 2]]
        middle = level.mean(axis=0)
        x, z = np.linalg.svd(level - middle, full_matrices=False)[2][0]
        ahead = np.array([x, 0.0, z]) * np.sign(x)
        along = (low - [middle[0], 0, middle[1]]) @ ahead
        origin = np.array([middle[0], 0.0, middle[1]]) + along.min() * ahead
        aside = np.array([-ahead[2], 0.0, ahead[0]])  # to the right
        feet.append(_Foot(side, origin, ahead, aside, float(np.ptp(along))))
    return feet[0], feet[1]


def fit_shoes(data: BodyData, figure: Figure, shoe: Shoe) -> Garment:
    """A pair of shoes laid on the suit: what it covers of skin and how far it stands off."""
    pattern = suit(data)
    field = np.full(len(figure.points), -INSIDE_M)
    for foot in _feet(data, figure):
        mine = (pattern.side == foot.side) & (pattern.arm < 0.5)
        mine &= figure.points[:, 1] < figure.knees[:, 1].max()
        place, _, height = foot.local(figure.points[mine]).T
        field[mine] = _upper_field(shoe, foot, figure, figure.points[mine], place, height)
    snug = figure.clearance_m + SNUG_M + shoe.ease_m
    cut = Cut(shoe.name, pieces=2 * max(len(shoe.straps), 1))
    depth = field if not shoe.straps else np.full(len(field), -INSIDE_M)  # toes show in sandals
    return Garment(cut, {"rim": field}, depth, smoothed(pattern, snug, 6))


def _upper_field(
    shoe: Shoe, foot: _Foot, figure: Figure, points: Array, place: Array, height: Array
) -> Array:
    if shoe.shaft is not None:
        side = np.full(len(points), foot.side)
        return -limb_plane(points, side, figure.hips, figure.knees, figure.ankles, shoe.shaft)
    if shoe.straps:
        bands = [half - np.abs(place - at) * foot.length_m for at, half in shoe.straps]
        low: Array = np.minimum(np.maximum.reduce(bands), 0.105 - height)
        return low
    at, edge = np.array(shoe.rim).T
    rim = np.interp(place, at, edge)
    field: Array = np.minimum(rim - height, 0.3 - height)
    if shoe.back >= 0:
        # The edge of a slipper runs from low at the sides to high on the instep.
        field = np.minimum(field, (place - shoe.back) * foot.length_m - 0.6 * (height - 0.03))
    return np.minimum(field, 0.14 - height)


def shoe_part(
    data: BodyData,
    figure: Figure,
    shoe: Shoe,
    garment: Garment,
    rng: np.random.Generator,
) -> Part:
    """The pair as a part that rides on the bones: uppers and soles in one mesh."""
    upper = sew(data, figure, garment)
    points = upper.carry @ figure.points
    normals = vertex_normals(points, upper.faces, upper.weld).astype(np.float64)
    points = points + normals * upper.offset_m[:, None]
    side = np.sign(points[:, 2])
    uv = np.zeros((len(points), 2))
    stencil, rest, uvs = [upper.stencil], [], []
    faces: list[Indices] = [upper.faces]
    welds: list[Indices] = [upper.weld]
    for foot in _feet(data, figure):
        mine = side == foot.side
        local = _boxed(shoe, foot.local(points[mine]))
        points[mine] = foot.world(local)
        uv[mine] = _upper_uv(shoe, local)
    rest.append(points)
    uvs.append(uv)
    for foot in _feet(data, figure):
        bare = figure.points[(suit(data).side == foot.side) & (figure.points[:, 1] < 0.05)]
        outline = _boxed(shoe, foot.local(bare))
        if not shoe.straps:
            worn = foot.local(points[side == foot.side])
            outline = np.concatenate([outline, worn[worn[:, 2] < 0.03]])
        ring, slab_faces, slab_uv = _sole(shoe, outline)
        world = foot.world(ring)
        start = sum(map(len, rest))
        stencil.append(_beside(data, figure, world, foot.side))
        rest.append(world)
        faces.append(slab_faces + start)
        welds.append(np.arange(len(world)) + 1 + max(int(weld.max()) for weld in welds))
        uvs.append(slab_uv)
    return Part(
        name=shoe.name,
        faces=np.concatenate(faces).astype(np.int32),
        uv=np.concatenate(uvs).astype(np.float32),
        material=_shoe_material(shoe, rng),
        weld=np.concatenate(welds).astype(np.int32),
        stencil=csr_array(vstack(stencil)),
        rest_world=np.concatenate(rest).astype(np.float32),
    )


def _boxed(shoe: Shoe, local: Array) -> Array:
    """Places on the foot moved to where the upper has them: room before and above the toes."""
    place, aside, height = local.T
    ahead = smoothstep(0.62, 1.0, place)
    middle = float(np.median(aside))
    narrow = 1 - shoe.pointed * smoothstep(0.76, 1.04, place)
    return np.stack(
        [
            place + ahead * shoe.toe_m / 0.25,
            middle + (aside - middle) * narrow,
            height + shoe.box_m * smoothstep(0.58, 0.92, place) * smoothstep(0.006, 0.02, height),
        ],
        axis=1,
    )


def _upper_uv(shoe: Shoe, local: Array) -> Array:
    """The side view: u along the foot, v from the welt (0.3) to the top there (1)."""
    place, _, height = local.T
    top = np.interp(place, [0.0, 0.3, 0.45, 0.7, 0.9, 1.05], [0.09, 0.1, 0.095, 0.06, 0.045, 0.03])
    if shoe.shaft is not None:
        top = np.where(place < 0.45, 0.30, top)
    share = np.clip(height / top, 0.0, 1.0)
    return np.stack([np.clip(place / 1.06, 0.005, 0.995), 0.3 + 0.69 * share], axis=1)


def _sole(shoe: Shoe, outline: Array) -> tuple[Array, Indices, Array]:
    """A sole under points (N, 3) of a foot's places: its own points, faces (F, 3), uv."""
    place, aside, _ = outline.T
    start, stop = place.min() - 0.008, place.max() + 0.006
    t = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, STATIONS))
    station = start + (stop - start) * t
    cell = np.clip(((place - start) / (stop - start) * 18).astype(int), 0, 17)
    low, high = np.full(18, np.inf), np.full(18, -np.inf)
    np.minimum.at(low, cell, aside)
    np.maximum.at(high, cell, aside)
    inner = np.arange(2, 16)
    middles = start + (stop - start) * (inner + 0.5) / 18
    left, right = _eased(low[inner]), _eased(high[inner])
    left, right = np.interp(station, middles, left), np.interp(station, middles, right)
    middle = 0.5 * (left + right)
    heel, toe = np.clip(t / 0.17, 0, 1), np.clip((1 - t) / 0.26, 0, 1)
    round_ = np.sqrt(np.clip(1 - (1 - heel) ** 2, 0, 1) * np.clip(1 - (1 - toe) ** 2, 0, 1))
    half = 0.5 * (right - left) * round_
    lift = shoe.spring_m * smoothstep(0.78, 1.0, station)
    waist = smoothstep(0.27, 0.33, station) * smoothstep(0.62, 0.48, station)
    bottom = lift + shoe.arch_m * waist - shoe.sole_m
    ring = []
    # (share of the half width, m beyond it, share of the height from bottom to top)
    for edge, beyond, rise in ((0.85, 0.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.7), (1.0, 1.0, 0.2),
                               (1.0, 0.2, 0.0), (0.6, 0.0, 0.0)):  # fmt: skip
        reach = half * edge + beyond * shoe.welt_m * np.minimum(1.0, half / 0.01)
        height = bottom + rise * (0.006 - bottom)
        ring.append((middle - reach, middle + reach, height))
    columns = [ring[k][0] for k in range(6)] + [ring[5 - k][1] for k in range(6)]
    heights = [ring[k][2] for k in range(6)] + [ring[5 - k][2] for k in range(6)]
    across = len(columns)
    points = np.stack(
        [np.repeat(station, across), np.stack(columns, 1).ravel(), np.stack(heights, 1).ravel()],
        axis=1,
    )
    v = np.array([0.26, 0.25, 0.2, 0.12, 0.06, 0.02])
    uv = np.stack(
        [np.repeat(0.01 + 0.98 * t, across), np.tile(np.concatenate([v, v[::-1]]), STATIONS)],
        axis=1,
    )
    return points, _lofted(STATIONS, across), uv


def _eased(values: Array) -> Array:
    padded = np.pad(values, 1, mode="edge")
    eased: Array = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    return eased


def _lofted(rows: int, across: int) -> Indices:
    """Faces (F, 3) between closed rings of points, facing outwards, without the ends."""
    a = (np.arange(rows - 1)[:, None] * across + np.arange(across)).ravel()
    b = (np.arange(rows - 1)[:, None] * across + (np.arange(across) + 1) % across).ravel()
    c, d = b + across, a + across
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])


def _beside(data: BodyData, figure: Figure, points: Array, side: float) -> csr_array:
    """Rows (N, V) of the base mesh that points beside a foot follow: those of the suit nearby."""
    from scipy.spatial import KDTree

    mine: Ints = np.flatnonzero((suit(data).side == side) & (figure.points[:, 1] < 0.06))
    distance, near = KDTree(figure.points[mine]).query(points, k=6)
    weight = 1 / (distance + 0.004)
    weight /= weight.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(points)), near.shape[1])
    shape = (len(points), len(figure.points))
    chosen = csr_array((weight.ravel(), (rows, mine[near].ravel())), shape=shape)
    return csr_array(chosen @ suit(data).sheet.stencil)


def _shoe_material(shoe: Shoe, rng: np.random.Generator) -> Material:
    """A side view of upper and sole, painted."""
    palette = _LEATHER if shoe.leather else _CANVAS
    main = _tinted(palette[rng.integers(len(palette))], rng)
    second = _tinted(palette[rng.integers(len(palette))], rng)
    sole = _tinted(_SOLES[rng.integers(2) if not shoe.leather else 2 + rng.integers(2)], rng)
    if shoe.name == "running shoes" and rng.random() < 0.4:
        sole = second
    v = (np.arange(128)[::-1, None] + 0.5) / 128
    u = (np.arange(256)[None, :] + 0.5) / 256
    color = np.broadcast_to(main, (128, 256, 3)).copy()

    def lay(tone: Array, share: NDArray[Any]) -> None:
        color[:] += (tone - color) * np.clip(share, 0.0, 1.0)[..., None]

    if not shoe.leather:
        if rng.random() < 0.5:  # toe cap and heel counter
            lay(second, smoothstep(0.84, 0.85, u) * (v < 0.72) + smoothstep(0.13, 0.12, u))
        if rng.random() < 0.6:  # slanted stripes on the side
            slant = (u + 0.22 * v) / 0.045
            lay(second, (np.abs(u + 0.1 * v - 0.5) < 0.1) * (v < 0.75) * (slant % 1 < 0.5))
    elif shoe.laced:
        lay(main * 0.7, np.abs(u - 0.80 + 0.04 * np.cos(9 * v)) < 0.004)
    if shoe.laced:
        tongue = (v > 0.86) * (u > 0.38) * (u < 0.66)
        lay(main * 0.8, 1.0 * tongue)
        lace = main * 0.6 if shoe.leather else np.full(3, 0.85)
        lay(lace, tongue * (np.abs(((u - 0.38) / 0.04) % 1 - 0.5) < 0.22))
    lay(main * 0.75, smoothstep(0.34, 0.31, v))  # dirt and shade above the welt
    lay(sole, 1.0 * (v < 0.28) + 0 * u)
    lay(sole * 0.55, (v < 0.10) + 0 * u)
    color *= 1 + 0.02 * rng.standard_normal((128, 256, 1))
    return Material(
        to_bytes(np.clip(color, 0, 1)),
        roughness=0.42 if shoe.leather else 0.8,
        specular=0.4 if shoe.leather else 0.25,
    )


def _tinted(color: Color, rng: np.random.Generator) -> Array:
    tinted: Array = np.clip(
        np.array(color) * rng.uniform(0.85, 1.12) + rng.normal(0, 0.01, 3), 0.02, 0.93
    )
    return tinted

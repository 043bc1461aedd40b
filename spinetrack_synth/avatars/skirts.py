"""Skirts, and the skirts of dresses and coats: one tube of cloth about both legs.

Cut at rest over the hull of trunk and legs, it rides on hips and thighs, and hangs from there in
every pose (`hanging`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.avatars.clothes import Garment
from spinetrack_synth.avatars.cuts import Cut, Skirt
from spinetrack_synth.avatars.figure import Figure, suit
from spinetrack_synth.avatars.hanging import Hanging
from spinetrack_synth.avatars.paintings import SIZES, Look, Painting
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.patterns import Fabric
from spinetrack_synth.avatars.swatches import draw_swatch
from spinetrack_synth.avatars.textures import to_bytes
from spinetrack_synth.easing import smoothstep
from spinetrack_synth.shot import Material

_CLEAR_M: Final = 0.007
"""Off what is below, so that what is round does not come through between two points."""
_PIXELS: Final = 512
COLUMNS: Final = 72
HELD_ROWS: Final = 2
ROW_M: Final = 0.028
"""Height of a row of cloth."""


def skirt_part(
    data: BodyData,
    figure: Figure,
    skirt: Skirt,
    garments: tuple[Garment, ...],
    fabric: Fabric,
    rng: np.random.Generator,
) -> Part:
    """The tube as a part that rides on the bones and hangs, sewn to the last of the garments that
    are worn below it, of its ``fabric``."""
    cloth = draw_cloth(fabric, rng)
    worn = [np.where(garment.depth_m > 0, garment.offset_m, 0.0) for garment in garments]
    below_m: Array = np.maximum.reduce([figure.clearance_m, *worn])
    top, hem = figure.height(skirt.top), _hem(figure, skirt.leg)
    rows = max(round((top - hem) / ROW_M), 4) + 1
    heights = np.linspace(top, hem, rows)
    points = _tube(figure, suit(data).arm < 0.5, skirt, below_m, heights, rng)
    if garments[-1].cut.waist is not None:  # a waistband sits a little higher at the back
        points[0, :, 1] -= 0.10 * (points[0, :, 0] - points[0, :, 0].mean())
    closed = skirt.gap_m == 0.0
    faces = _grid_faces(rows, closed)
    u, v = np.meshgrid(np.linspace(0, 1, COLUMNS), np.linspace(1, 0, rows))
    girth = float(np.linalg.norm(np.diff(points[rows // 2], axis=0), axis=1).sum())
    flat = points.reshape(-1, 3)
    carriers = _carriers(data, figure, flat)
    return Part(
        name=hem_name(garments[-1].cut),
        faces=faces,
        uv=np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float32),
        material=cloth(girth, top - hem),
        weld=np.arange(len(flat), dtype=np.int32),
        stencil=csr_array(carriers @ suit(data).sheet.stencil),
        rest_world=flat.astype(np.float32),
        hanging=_cloth(points, skirt, closed, _CLEAR_M + skirt.ease_m + carriers @ below_m),
    )


def draw_cloth(fabric: Fabric, rng: np.random.Generator) -> Callable[[float, float], Look]:
    """What makes the look of a piece of cloth, so many metres wide and long.

    The first numbers drawn are those that the garment's own pattern takes.
    """
    plain = Material(fabric.main, fabric.roughness, 0.2)
    if fabric.pattern != "swatch":
        return lambda wide, long: plain
    swatch = draw_swatch(fabric.swatch, (fabric.main, fabric.second, *fabric.others), rng)

    def piece(wide: float, long: float) -> Look:
        texel_m = max(wide, long) / _PIXELS

        def paint(size: int) -> Material:
            side = _PIXELS * size // SIZES[-1]
            blur_m = texel_m * float(np.sqrt((_PIXELS / side) ** 2 - 1))
            across, along = np.meshgrid(np.linspace(0, wide, side), np.linspace(long, 0, side))
            places = np.stack([across.ravel(), along.ravel()], axis=1).astype(np.float32)
            image = to_bytes(swatch.smeared(blur_m).at(places)).reshape(side, side, 3)
            return Material(image, fabric.roughness, 0.2)

        return Painting(paint, plain, texel_m)

    return piece


def hem_name(cut: Cut) -> str:
    """The name of the part that hangs from a garment."""
    return f"{cut.name} hem"


def _hem(figure: Figure, leg: float) -> float:
    places = [figure.hips[:, 1].mean(), figure.knees[:, 1].mean(), figure.ankles[:, 1].mean()]
    return float(np.interp(leg, [0.0, 1.0, 2.0], places))


def _tube(
    figure: Figure,
    trunk: NDArray[np.bool_],
    skirt: Skirt,
    below_m: Array,
    heights: Array,
    rng: np.random.Generator,
) -> Array:
    """Points (rows, columns, 3), the columns from the front to the right."""
    gap = 0.0
    angle = np.linspace(0, 2 * np.pi, COLUMNS, endpoint=False)
    body = figure.points + figure.normals * (below_m[:, None] + skirt.ease_m)
    body = body[trunk]
    center_x = np.array([_middle(body, y) for y in heights])
    radius = np.stack([_hull(body, y, x, angle) for y, x in zip(heights, center_x)])
    for k in range(1, len(radius)):  # cloth falls from the widest place above
        radius[k] = np.maximum(radius[k], radius[k - 1] - (0.004 if skirt.flare < 0.05 else 0.0))
    down = (heights[0] - heights) / (heights[0] - heights[-1])
    below_hips = smoothstep(0.0, 1.0, down)[:, None]
    girth = radius.mean()
    radius = radius + girth * skirt.flare * below_hips
    waves = int(rng.integers(9, 14))
    phase, size = rng.uniform(0, 2 * np.pi), 0.35 * skirt.fullness * girth
    ripple = np.sin(waves * angle + phase + 0.8 * np.sin(2 * angle + rng.uniform(0, 6)))
    radius = radius + size * below_hips * (1 + ripple)
    if skirt.gap_m:
        gap = skirt.gap_m / float(radius.mean())
        open_angle = np.linspace(gap, 2 * np.pi - gap, COLUMNS)
        wrapped = np.concatenate([angle, [2 * np.pi]])
        radius = np.stack([np.interp(open_angle, wrapped, np.append(r, r[0])) for r in radius])
        angle = open_angle
    x = center_x[:, None] + radius * np.cos(angle)
    z = radius * np.sin(angle)
    y = heights[:, None] * np.ones_like(x)
    return np.stack([x, y, z], axis=-1)


def _middle(body: Array, y: float) -> float:
    near = body[np.abs(body[:, 1] - y) < 0.02, 0]
    return float(0.5 * (near.min() + near.max()))


def _hull(body: Array, y: float, center_x: float, angle: Array) -> Array:
    """Distances (A,) of the hull of a level section of the body from its middle."""
    near = body[np.abs(body[:, 1] - y) < 0.02]
    off = np.stack([near[:, 0] - center_x, near[:, 2]], axis=1)
    direction = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    support = (off @ direction.T).max(axis=0)
    turn = angle[:, None] - angle[None, :]
    facing = np.cos(turn)
    reach = np.where(facing > 0.05, support[None, :] / np.maximum(facing, 0.05), np.inf)
    hull: Array = reach.min(axis=1)
    return hull


def _grid_faces(rows: int, closed: bool) -> NDArray[np.int32]:
    around = COLUMNS if closed else COLUMNS - 1
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(around), indexing="ij")
    a = (row * COLUMNS + column).ravel()
    b = (row * COLUMNS + (column + 1) % COLUMNS).ravel()
    c, d = b + COLUMNS, a + COLUMNS
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    grid: NDArray[np.int32] = faces.astype(np.int32)
    return grid


def _carriers(data: BodyData, figure: Figure, points: Array) -> csr_array:
    """Rows (N, P) of the suit that carry the cloth before it falls: those of the nearest
    suit, spread widely, so that between the legs it goes with both."""
    from scipy.spatial import KDTree

    trunk = np.flatnonzero((suit(data).arm < 0.3) & (figure.points[:, 1] > 0.12))
    near = 60
    distance, index = KDTree(figure.points[trunk] * [1, 2, 1]).query(points * [1, 2, 1], k=near)
    # Points between the legs take from both: the reach grows with the distance to the nearest. The
    # upper edge goes with the skin right below it.
    reach = np.where(np.arange(len(points)) < HELD_ROWS * COLUMNS, 0.015, 0.06)
    weight = np.exp(-((distance / (distance[:, :1] + reach[:, None])) ** 2))
    weight /= weight.sum(axis=1, keepdims=True)
    rows: Ints = np.repeat(np.arange(len(points)), near)
    shape = (len(points), len(figure.points))
    return csr_array((weight.ravel(), (rows, trunk[index].ravel())), shape=shape)


def _cloth(points: Array, skirt: Skirt, closed: bool, clear_m: Array) -> Hanging:
    """The links of the grid: along rows and columns, across, and over two against bending."""
    rows, columns = points.shape[:2]
    number = np.arange(rows * columns).reshape(rows, columns)
    links, slack, soft = [], [], []

    def join(step_row: int, step_column: int, loose: float, compliance: float) -> None:
        first = number[: rows - step_row]
        second = np.roll(number, -step_column, axis=1)[step_row:]
        if not closed and step_column:
            keep = slice(None, -step_column) if step_column > 0 else slice(-step_column, None)
            first, second = first[:, keep], second[:, keep]
        links.append(np.stack([first.ravel(), second.ravel()], axis=1))
        slack.append(np.full(first.size, loose))
        soft.append(np.full(first.size, compliance))

    bend = 60.0 * (1 - skirt.stiff) ** 2 + 4.0
    join(1, 0, 0.6, 0.0)
    join(0, 1, 0.6, 0.0)
    join(1, 1, 0.8, 0.5)
    join(1, -1, 0.8, 0.5)
    join(2, 0, 0.0, bend)
    join(0, 2, 0.0, bend)
    link = np.concatenate(links).astype(np.int64)
    flat = points.reshape(-1, 3)
    length = np.linalg.norm(flat[link[:, 0]] - flat[link[:, 1]], axis=1)
    return Hanging(
        link=np.ascontiguousarray(link),
        length_m=length,
        slack=np.concatenate(slack),
        soft=np.concatenate(soft),
        held=HELD_ROWS * columns,
        clear_m=clear_m,
    )

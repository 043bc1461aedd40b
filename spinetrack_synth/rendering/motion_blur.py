"""What a picture shows of movement: the light of one moment, spread along the way that everything
takes while the shutter is open.

The light is drawn once, in the middle of the shutter's time. Which surface each pixel shows is
known, so every pixel's way is that of its point in the scene, and what hides what is decided anew
at every part of the time. What comes to light behind a thing that moves on is guessed from beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, map_coordinates

from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.anatomy.parts import CORES
from spinetrack_synth.compiled import njit
from spinetrack_synth.hits import drawn_surfaces, patches
from spinetrack_synth.shot import Hits, Shot

Image = NDArray[np.float32]
Ways = NDArray[np.float64]
Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

LEAST_PX: Final = 0.5
"""Who moves less is not blurred, and what moves so little against its neighbour goes with it."""
LEAST_SHAKE_PX: Final = 1.0
"""A camera that shakes less is taken to be still."""
SLOW_PX: Final = 5.0
"""Those parts of the picture where nothing moves farther take few steps."""
STEPS_A_PX: Final = 1.25
FEWEST_STEPS, MOST_STEPS = 12, 64
"""Parts of the time by the longest way; on longer ones they lie more than a pixel apart."""
GRID_PX: Final = 16
"""How far apart the points are at which a camera's turn is worked out."""
BRIGHTEST: Final = 4.0
"""Times white: light above it is cut, or a moment before a window would outshine all of a limb."""
FAR_M: Final = 1e4
"""The depth of what is infinitely far away."""
GOLDEN: Final = 0.6180339887498949
"""Whose multiples fill 0..1 evenly, wherever they end."""
NEARER, MUCH_NEARER = 0.997, 0.98
"""Of another depth: one is in front of the other, and is so even where they move nearly alike."""
CLEAN_PX: Final = 4.0
"""So near to an edge pure colours of both its sides have to be, to tell them apart in it."""
EDGE_OFFSETS: Final = tuple(
    (dy, dx) for reach in (3, 1) for dy in (-reach, 0, reach) for dx in (-reach, 0, reach)
    if (dy, dx) != (0, 0)
)  # fmt: skip
"""Neighbours, rows and columns, against which a pixel is held."""


def ways_px(shot: Shot, hits: Hits, depth_m: Image) -> Ways:
    """How far (H, W, 2) px the point that each pixel shows moves in the picture from the opening
    of the shutter to its closing."""
    assert shot.shutter is not None
    ways = _still_ways(shot, depth_m)
    end = shot.shutter.camera if ways.any() else shot.camera
    rows, columns = np.nonzero(np.isin(hits.surface, _moving_surfaces(shot)))
    moves = _part_moves(shot)
    for patch in patches(shot, shot.camera, hits, depth_m, rows, columns):
        assert patch.surface.parts is not None
        row, column = rows[patch.which], columns[patch.which]
        of_corners = patch.surface.parts[patch.vertices].astype(float)
        shares = np.einsum("nk,nkp->np", patch.weights, of_corners)
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
        motion = np.einsum("np,pij->nij", shares, moves[patch.owner])
        pixels = np.stack([column, row], axis=-1) + 0.5
        points = shot.camera.unproject(pixels, depth_m[row, column])
        points = np.einsum("nij,nj->ni", motion[:, :, :3], points) + motion[..., 3]
        ways[row, column] = 2 * (end.project(points) - pixels)
    return np.where(np.isfinite(ways), ways, 0.0)


def _still_ways(shot: Shot, depth_m: Image) -> Ways:
    """The ways (H, W, 2) px of what stands still, by the camera's own movement; nothing where that
    takes nothing farther than ``LEAST_SHAKE_PX``."""
    assert shot.shutter is not None
    camera, end = shot.camera, shot.shutter.camera
    if end is camera:
        return np.zeros((*depth_m.shape, 2))
    x, y = (np.linspace(0, side, side // GRID_PX + 2) for side in (camera.width, camera.height))
    grid = np.stack(np.meshgrid(x, y), axis=-1)

    def to_the_end(pixels: Ways, depth: Ways | float) -> Ways:
        depths = np.broadcast_to(depth, pixels.shape[:-1])
        return np.asarray(2 * (end.project(camera.unproject(pixels, depths)) - pixels))

    far = to_the_end(grid, FAR_M)
    if np.allclose(
        camera.position_world, end.position_world, atol=1e-9
    ):  # it turns: depth is all one
        if np.nanmax(np.abs(far)) < LEAST_SHAKE_PX:
            return np.zeros((*depth_m.shape, 2))
        rows, columns = np.indices(depth_m.shape) + 0.5
        at = np.stack([rows / (y[1] - y[0]), columns / (x[1] - x[0])])
        return np.stack([map_coordinates(far[..., k], at, order=1) for k in (0, 1)], axis=-1)
    depth = np.where(np.isfinite(depth_m), depth_m, FAR_M).astype(float)
    near = to_the_end(grid, float(depth.min()))
    if np.nanmax(np.abs([far, near])) < LEAST_SHAKE_PX:
        return np.zeros((*depth_m.shape, 2))
    rows, columns = np.indices(depth_m.shape) + 0.5
    return to_the_end(np.stack([columns, rows], axis=-1), depth)


def _part_moves(shot: Shot) -> dict[int, NDArray[np.float64]]:
    """Of each person who moves, by number, the motions (17, 3, 4) of the parts of the body in the
    world, from the middle to the closing."""
    assert shot.shutter is not None
    cores = [fullbody().bodies.index(name) for name in CORES]
    return {
        number: (end[cores] @ np.linalg.inv(person.body2world[cores]))[:, :3]
        for number, (person, end) in enumerate(zip(shot.people, shot.shutter.bodies), start=1)
        if end is not None
    }


def _moving_surfaces(shot: Shot) -> list[int]:
    """The numbers of the surfaces of people who move."""
    assert shot.shutter is not None
    return [
        number
        for number, (owner, surface) in enumerate(drawn_surfaces(shot))
        if owner and shot.shutter.bodies[owner - 1] is not None and surface.parts is not None
    ]


def blurred(light: Image, ways: Ways, depth_m: Image) -> Image:
    """The light (H, W, 3) of an open shutter, white at about 1, from that of its middle and the
    ways (H, W, 2) px."""
    longest = float(np.abs(ways).max())
    if longest < LEAST_PX:
        return light
    light = np.minimum(light, np.float32(BRIGHTEST))
    out = light.copy()
    parts = [(LEAST_PX / 2, min(longest, SLOW_PX)), (SLOW_PX, longest)]
    for least, most in parts if longest > SLOW_PX else parts[:1]:
        window = _window(ways, least, longest)
        out[window] = _spread(light[window], ways[window], depth_m[window], longest, _steps(most))
    return out


def _steps(longest: float) -> int:
    return int(np.clip(np.ceil(STEPS_A_PX * longest), FEWEST_STEPS, MOST_STEPS))


def _window(ways: Ways, least: float, longest: float) -> tuple[slice, slice]:
    """The part of the picture that shows something which moves so much at least, at any time."""
    moving = np.abs(ways).max(axis=-1) >= least
    reach = int(np.ceil(longest / 2)) + 3
    spans = []
    for axis in (1, 0):
        where = np.flatnonzero(moving.any(axis=axis))
        spans.append(slice(max(0, int(where[0]) - reach), int(where[-1]) + 1 + reach))
    return spans[0], spans[1]


@dataclass(frozen=True)
class _Layers:
    """The pixels of a window as they move.

    ``ways`` (P, 2) px and ``order`` (P,), from the nearest to the farthest; ``share`` (P,) of each
    pixel that its layer covers, below 1 on an edge, which goes with what is in front;
    ``colors`` (P, 3) of that layer alone; ``beside`` (P,) the pixel that stands in for what is
    behind.
    """

    ways: Ways
    order: Ints
    share: NDArray[np.float64]
    colors: Image
    beside: Ints


def _spread(light: Image, ways: Ways, depth_m: Image, longest: float, steps: int) -> Image:
    layers = _layers(light, ways, depth_m, longest)
    plain = np.ascontiguousarray(light.reshape(-1, 3))
    total = _accumulate(
        layers.ways,
        layers.order,
        layers.share,
        layers.colors.astype(float),
        plain[layers.beside].astype(float),
        steps,
        light.shape[1],
    )
    spread: Image = (total / steps).astype(np.float32).reshape(light.shape)
    return spread


@njit()
def _accumulate(
    ways: Ways,
    order: Ints,
    share: NDArray[np.float64],
    colors: NDArray[np.float64],
    behind: NDArray[np.float64],
    steps: int,
    width: int,
) -> NDArray[np.float64]:  # pragma: no cover - compiled
    """The sum over the steps of the colours (P, 3) that all pixels show.

    In each step every point lands in a pixel, where the nearest wins. A pixel of an edge is there
    in as many steps as it is covered. A hole shows what is behind, unless it is a mere crack.
    """
    count = len(order)
    height = count // width
    pixel = np.empty(count + 1, np.int64)
    pixel[count] = -1
    for p in range(count):
        pixel[order[p]] = p
    total = np.zeros((count, 3))
    seen, nearest = np.empty(count, np.int64), np.empty(count, np.int64)
    for step in range(steps):
        time = (step + 0.5) / steps - 0.5
        threshold = (step * GOLDEN) % 1.0
        nearest[:] = count
        for y in range(height):
            for x in range(width):
                p = y * width + x
                if share[p] > threshold:
                    column = int(np.floor(x + 0.5 + time * ways[p, 0]))
                    row = int(np.floor(y + 0.5 + time * ways[p, 1]))
                    if 0 <= column < width and 0 <= row < height:
                        there = row * width + column
                        nearest[there] = min(order[p], nearest[there])
        for p in range(count):
            seen[p] = pixel[nearest[p]]
        for p in range(count):
            point = seen[p]
            if point < 0 and width <= p < count - width and 0 < p % width < width - 1:
                point = _bridge(seen[p - 1], seen[p + 1], ways, width)
                if point < 0:
                    point = _bridge(seen[p - width], seen[p + width], ways, width)
            for c in range(3):
                total[p, c] += colors[point, c] if point >= 0 else behind[p, c]
    return total


@njit()
def _bridge(a: int, b: int, ways: Ways, width: int) -> int:  # pragma: no cover - compiled
    """The first of two points on both sides of a hole if they are neighbours on one surface that
    stretches, else -1."""
    if a < 0 or b < 0 or abs(a % width - b % width) > 2 or abs(a // width - b // width) > 2:
        return -1
    apart = max(abs(ways[a, 0] - ways[b, 0]), abs(ways[a, 1] - ways[b, 1]))
    return a if apart < LEAST_PX else -1


def _layers(light: Image, ways: Ways, depth_m: Image, longest: float) -> _Layers:
    depth = np.where(np.isfinite(depth_m), depth_m, FAR_M).astype(np.float32)
    edges = _edges(ways, depth)
    colors = light.reshape(-1, 3).copy()
    behind, far = _nearest(edges.far & ~edges.rim & ~edges.edge)
    inner, deep = _nearest(edges.near & ~edges.rim & ~edges.edge)
    mixed = (edges.rim | edges.edge).ravel()
    share = np.where(edges.rim.ravel(), 0.0, 1.0)
    known = np.flatnonzero(mixed & (far <= CLEAN_PX) & (deep <= CLEAN_PX))
    front, back = colors[inner[known]], colors[behind[known]]
    across = front - back
    length2 = np.maximum((across**2).sum(axis=1), 1e-12)
    share[known] = np.clip(((colors[known] - back) * across).sum(axis=1) / length2, 0, 1)
    colors[known] = front
    order = np.empty(depth.size, dtype=np.int64)
    order[np.argsort(edges.depth.ravel(), kind="stable")] = np.arange(depth.size)
    reach = longest / 2 + CLEAN_PX
    beside = np.where(far <= reach, behind, np.arange(depth.size))
    return _Layers(edges.ways.reshape(-1, 2), order, share, colors, beside)


@dataclass(frozen=True)
class _Edges:
    """Where things move apart (H, W): ``rim`` and ``edge`` are the pixels on the farther and on the
    nearer side of such a place, whose colours are mixed; ``far`` and ``near`` all that are a few
    pixels from it. ``ways`` and ``depth`` are those of what is in front, on the rim too."""

    rim: Mask
    edge: Mask
    far: Mask
    near: Mask
    ways: Ways
    depth: NDArray[np.float32]


def _edges(ways: Ways, depth: NDArray[np.float32]) -> _Edges:
    height, width = depth.shape
    across, down = (np.ascontiguousarray(ways[..., k], dtype=np.float32) for k in (0, 1))
    way, place = ways.copy(), depth.copy()
    rim, edge, far, near = (np.zeros(depth.shape, dtype=bool) for _ in range(4))
    for dy, dx in EDGE_OFFSETS:
        rows, columns = _shifted(dy, height), _shifted(dx, width)
        own, other = (rows[0], columns[0]), (rows[1], columns[1])
        reach = max(abs(dy), abs(dx))  # a surface that only stretches is not torn
        apart = np.maximum(np.abs(across[own] - across[other]), np.abs(down[own] - down[other]))
        if not (apart >= LEAST_PX).any():
            continue
        nearer = np.where(apart >= LEAST_PX * reach, np.float32(NEARER), np.float32(MUCH_NEARER))
        behind = (apart >= LEAST_PX) & (depth[other] < nearer * depth[own])
        before = (apart >= LEAST_PX) & (depth[own] < nearer * depth[other])
        far[own] |= behind
        near[own] |= before
        if reach == 1:
            rim[own] |= behind
            edge[own] |= before
            take = behind & (depth[other] < place[own])
            way[own][take] = ways[other][take]
            place[own][take] = depth[other][take]
    return _Edges(rim, edge, far, near, way, place)


def _shifted(by: int, size: int) -> tuple[slice, slice]:
    """Rows that have one ``by`` rows on, and those."""
    return (
        slice(max(0, -by), size - max(0, by)),
        slice(max(0, by), size - max(0, -by)),
    )


def _nearest(of: Mask) -> tuple[Ints, NDArray[np.float64]]:
    """For each pixel (P,) the nearest one of some, and how far that is, px."""
    own = np.arange(of.size).reshape(of.shape)
    if not of.any():
        return own.ravel(), np.full(of.size, np.inf)
    away, (rows, columns) = distance_transform_edt(~of, return_indices=True)
    return own[rows, columns].ravel(), np.asarray(away.ravel())

"""A rectangular room: floor, ceiling, walls with windows, lamps, and things set down along them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.scenes.place import Part, Place, Prop, assembled, bounds, placed
from spinetrack_synth.scenes.props import furniture
from spinetrack_synth.scenes.shapes import Array, Rng, box, moved, rectangle, wall
from spinetrack_synth.scenes.textures import Finish
from spinetrack_synth.shot import AreaLight

FLOOR_M = -0.001
"""Feet stand on y = 0, and mats have their top there: the floor is just below."""
WALL_DEPTH_M = 0.24
CAMERA_ROOM_TOP_M = 2.4
CLEAR_M = 0.05
"""Between the free floor and what stands beside it."""


@dataclass(frozen=True)
class Window:
    """An opening from ``low`` to ``high`` m along a wall and ``sill`` to ``top`` m up, in panes
    (columns, rows)."""

    low: float
    high: float
    sill: float
    top: float
    panes: tuple[int, int] = (2, 2)


@dataclass(frozen=True)
class Room:
    """A room about the origin: ``length`` along X, ``width`` along Z, ``height``, m.

    Walls are numbered 0 at -Z, 1 at +X, 2 at +Z, 3 at -X; each has its own frame, X along it from
    its left end as seen from inside, Z into the room.
    """

    length: float
    width: float
    height: float

    @property
    def spans(self) -> tuple[float, float, float, float]:
        """Lengths m of the walls."""
        return self.length, self.width, self.length, self.width

    def at_wall(
        self, number: int, thing: Prop, along: float, out: float = 0.0, up: float = 0.0,
        yaw: float = 0.0,
    ) -> Prop:  # fmt: skip
        """A thing at a wall, in the world: ``along`` it, ``out`` from it and ``up``, m."""
        start, turn = self._frame(number)
        return placed(placed(placed(thing, (along, up, out), yaw=yaw), (0, 0, 0), yaw=turn), start)

    def _frame(self, number: int) -> tuple[tuple[float, float, float], float]:
        x, z = self.length / 2, self.width / 2
        return (
            ((-x, 0.0, -z), 0.0),
            ((x, 0.0, -z), -np.pi / 2),
            ((x, 0.0, z), np.pi),
            ((-x, 0.0, z), np.pi / 2),
        )[number]

    def shell(
        self,
        finishes: Sequence[str] = ("wall",) * 4,
        windows: Mapping[int, Sequence[Window]] | None = None,
        *,
        skirting: bool = True,
    ) -> tuple[list[Part], list[AreaLight]]:
        """Floor, ceiling and walls of the named finishes, and the panes of the windows as lights
        of radiance 1."""
        x, z = self.length / 2, self.width / 2
        parts: list[Part] = [
            ("floor", rectangle((-x, 0, z), (self.length, 0, 0), (0, 0, -self.width))),
            ("ceiling", rectangle((-x, self.height, -z), (self.length, 0, 0), (0, 0, self.width))),
        ]
        panes = []
        for number, span in enumerate(self.spans):
            openings = list((windows or {}).get(number, ()))
            holes = [(w.low, w.high, w.sill, w.top) for w in openings]
            face = wall((0, 0, 0), (span, 0, 0), self.height, holes)
            local: list[Part] = [(finishes[number], face)]
            if skirting:
                board = box((span, 0.08, 0.016), (span / 2, 0.04, 0.008))
                local.append(("trim", board))
            for w in openings:
                wide, tall = w.high - w.low, w.top - w.sill
                sash = furniture.window(wide, tall, WALL_DEPTH_M, w.panes)
                local += placed(sash, (w.low, w.sill, 0))
                panes.append(self._pane(number, w))
            parts += self.at_wall(number, tuple(local), 0.0)
        return parts, panes

    def _pane(self, number: int, w: Window) -> AreaLight:
        start, turn = self._frame(number)
        cos, sin = np.cos(turn), np.sin(turn)
        about_y = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
        middle = ((w.low + w.high) / 2, (w.sill + w.top) / 2, 0.005 - WALL_DEPTH_M)
        return light(
            about_y @ middle + start,
            about_y @ (0.5 * (w.high - w.low), 0.0, 0.0),
            (0.0, 0.5 * (w.top - w.sill), 0.0),
        )

    def open_middle(self, left: float, right: float, back: float, front: float) -> Array:
        """The floor (2, 2) x, z that is so many m from walls 3, 1, 0 and 2."""
        x, z = self.length / 2, self.width / 2
        return np.array([[-x + left, -z + back], [x - right, z - front]])

    def camera_room(self, inset: float = 0.4, top: float = CAMERA_ROOM_TOP_M) -> Array:
        """The box (2, 3) so many m from the walls, and under ``top`` and the ceiling."""
        x, z = self.length / 2 - inset, self.width / 2 - inset
        return np.array([[-x, 0.1, -z], [x, min(top, self.height - 0.3), z]])


def light(center: ArrayLike, half_u: ArrayLike, half_v: ArrayLike) -> AreaLight:
    """A glowing rectangle of radiance 1 that shines along half_u x half_v."""
    return AreaLight(_xyz(center), _xyz(half_u), _xyz(half_v), (1.0, 1.0, 1.0))


def downlight(x: float, y: float, z: float, long: float, wide: float) -> AreaLight:
    """A lamp of radiance 1 that shines down, ``long`` along X and ``wide`` along Z."""
    return light((x, y, z), (long / 2, 0.0, 0.0), (0.0, 0.0, wide / 2))


def evenly(rng: Rng, span: float, sill: float, top: float, count: int, wide: float,
           panes: tuple[int, int] = (2, 2)) -> list[Window]:  # fmt: skip
    """``count`` windows of one width along a wall of a span, their middles evenly apart."""
    step = span / count
    wide = min(wide, step - 0.3)
    shift = rng.uniform(-0.5, 0.5) * min(0.4, step - wide - 0.3)
    middles = (np.arange(count) + 0.5) * step + shift
    return [Window(m - wide / 2, m + wide / 2, sill, top, panes) for m in middles.tolist()]


def windows_by_wall(
    rng: Rng,
    room: Room,
    rows: Mapping[int, tuple[float, ...]],
    panes: Callable[[float, float], tuple[int, int]],
) -> dict[int, list[Window]]:
    """The windows of each wall that has some. ``rows`` by wall: how many, how wide, sill and top, m
    (more is another's); ``panes`` of a window by its sill and top."""
    return {
        number: evenly(rng, room.spans[number], sill, top, int(count), wide, panes(sill, top))
        for number, (count, wide, sill, top, *_) in rows.items()
    }


def place_of(
    name: str,
    variant: int,
    finishes: Mapping[str, Finish],
    parts: Iterable[Part],
    things: Iterable[Prop],
    *,
    mat_area: Array,
    camera_room: Array,
    windows: Iterable[AreaLight] = (),
    lamps: Iterable[AreaLight] = (),
    floor_m: float = FLOOR_M,
    outdoors: bool = False,
) -> Place:
    """A place whose floor is y = 0 in the frame of its parts: all of it is set down to ``floor_m``.

    ``parts`` are the shell, ``things`` what stands, hangs or lies in it: those that reach into the
    camera room become obstacles, and ``mat_area`` is cut back to where none of them is.
    """
    standing = list(things)
    down = np.array([0.0, floor_m, 0.0])
    bulky = [
        extent
        for thing in standing
        if _reaches(bounds(thing), camera_room)
        for extent in storeys(thing)
        if _reaches(extent, camera_room)
    ]
    obstacles = np.array(bulky).reshape(-1, 2, 3)
    everything = [*parts, *(part for thing in standing for part in thing)]
    return Place(
        name=name,
        variant=variant,
        surfaces=assembled(
            f"{name}/{variant}",
            finishes,
            [(finish, moved(mesh, down)) for finish, mesh in everything],
        ),
        mat_area=clear_floor(mat_area, obstacles),
        camera_room=camera_room,
        obstacles=obstacles,
        windows=tuple(_lowered(pane, floor_m) for pane in windows),
        lamps=tuple(_lowered(lamp, floor_m) for lamp in lamps),
        outdoors=outdoors,
    )


def clear_floor(area: Array, obstacles: Array) -> Array:
    """What is left of a floor (2, 2) x, z m without the ground of boxes (N, 2, 3), cut back from
    its sides, always at the side where that costs least."""
    left = np.array(area, float)
    boxes = obstacles[:, :, [0, 2]] + np.array([[-CLEAR_M], [CLEAR_M]])
    while True:
        inside = ((boxes[:, 0] < left[1]) & (boxes[:, 1] > left[0])).all(axis=1)
        if not inside.any():
            return left
        # Share of the floor that goes with a cut at the near or the far side along x or z.
        cuts = np.stack([boxes[inside, 1] - left[0], left[1] - boxes[inside, 0]], 1)
        share = cuts / (left[1] - left[0])
        cheapest = share.reshape(len(cuts), 4).argmin(axis=1)
        cost = share.reshape(len(cuts), 4).min(axis=1)
        worst = int(cost.argmax())
        side, axis = divmod(int(cheapest[worst]), 2)
        left[side, axis] += (1, -1)[side] * cuts[worst, side, axis]


def storeys(thing: Prop) -> list[Array]:
    """Boxes (2, 3) m around what a thing has between certain heights: narrow around a trunk or a
    mast, wide around what it bears."""
    whole = bounds(thing)
    if whole[1, 1] < _STOREYS_M[2]:
        return [whole]
    corners = np.concatenate([mesh.vertices[mesh.faces] for _, mesh in thing])
    low, high = corners.min(axis=1), corners.max(axis=1)
    found = []
    for floor, top in zip(_STOREYS_M, _STOREYS_M[1:]):
        inside = (low[:, 1] < top) & (high[:, 1] > floor)
        if inside.any():
            box = np.stack([low[inside].min(0), high[inside].max(0)])
            box[:, 1] = np.clip(box[:, 1], floor, top)
            found.append(box)
    return found


_STOREYS_M = (-1.0, 1.0, 1.9, 2.8, 4.0, 30.0)


def _reaches(extent: Array, room: Array) -> bool:
    return bool(((extent[0] < room[1]) & (extent[1] > room[0])).all())


def _lowered(lamp: AreaLight, by: float) -> AreaLight:
    x, y, z = lamp.center_world
    return replace(lamp, center_world=(x, y + by, z))


def _xyz(vector: ArrayLike) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in np.asarray(vector, float))
    return x, y, z

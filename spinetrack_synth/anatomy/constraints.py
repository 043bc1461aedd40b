"""What holds a model together besides its joints: points on points, lines and rods, closed loops.

Every constraint is written as ties, scalars that are zero where it holds (m, rad): how far a point
of one body lies from a point of another along a direction fixed in the latter, by how much two
points are too far apart, or a quantity that is to be zero.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.compiled import assign, by_reference, inner, njit

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

ALONG, APART, QUANTITY = range(3)
"""Kinds of ties."""

WELD_ARM_M: Final = 0.1
"""Two frames are welded by three points: the origin, and one so far along two of the axes."""


class Tie(NamedTuple):
    """One scalar of a constraint, by names. ``point_a`` (3,) and ``direction`` (3,) are fixed in
    ``body_a``, ``point_b`` in ``body_b``, m."""

    constraint: str
    kind: int
    body_a: str = "ground"
    point_a: tuple[float, ...] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (0.0, 0.0, 0.0)
    body_b: str = "ground"
    point_b: tuple[float, ...] = (0.0, 0.0, 0.0)
    distance_m: float = 0.0
    quantity: str = ""


@by_reference
class Ties(NamedTuple):
    """Ties as flat arrays, T of them; bodies and quantities by index."""

    kind: Ints
    body_a: Ints
    point_a: Array
    direction: Array
    body_b: Ints
    point_b: Array
    distance_m: Array
    quantity: Ints


Frame = tuple[str, Array]
"""A body and a transform (4, 4) in it."""


def _at(frame: Frame, point: Array) -> tuple[float, ...]:
    return tuple((frame[1][:3, :3] @ point + frame[1][:3, 3]).tolist())


def point_on_point(name: str, a: Frame, at_a: Array, b: Frame, at_b: Array) -> list[Tie]:
    """Two points in one place."""
    return [
        Tie(name, ALONG, a[0], _at(a, at_a), tuple(axis), b[0], _at(b, at_b))
        for axis in np.eye(3).tolist()
    ]


def weld(name: str, a: Frame, b: Frame) -> list[Tie]:
    """Two frames in one place."""
    arms = WELD_ARM_M * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=float)
    return [tie for arm in arms for tie in point_on_point(name, a, arm, b, arm)]


def point_on_line(
    name: str, line: Frame, at: Array, direction: Array, follower: Frame, point: Array
) -> list[Tie]:
    """A point on a line of another body."""
    along = line[1][:3, :3] @ direction / np.linalg.norm(direction)
    across = np.linalg.svd(along[None])[2][1:]
    return [
        Tie(name, ALONG, line[0], _at(line, at), tuple(axis), follower[0], _at(follower, point))
        for axis in across.tolist()
    ]


def rod(name: str, a: Frame, at_a: Array, b: Frame, at_b: Array, distance_m: float) -> list[Tie]:
    """Two points at a distance."""
    return [
        Tie(
            name, APART, a[0], _at(a, at_a), body_b=b[0], point_b=_at(b, at_b),
            distance_m=distance_m,
        )
    ]  # fmt: skip


def as_arrays(ties: tuple[Tie, ...], body: dict[str, int], quantity: dict[str, int]) -> Ties:
    """Ties with bodies and quantities by their indices; ground is -1."""

    def points(rows: list[tuple[float, ...]]) -> Array:
        return np.array(rows, dtype=float).reshape(-1, 3)

    return Ties(
        kind=np.array([tie.kind for tie in ties], dtype=np.int64),
        body_a=np.array([body.get(tie.body_a, -1) for tie in ties], dtype=np.int64),
        point_a=points([tie.point_a for tie in ties]),
        direction=points([tie.direction for tie in ties]),
        body_b=np.array([body.get(tie.body_b, -1) for tie in ties], dtype=np.int64),
        point_b=points([tie.point_b for tie in ties]),
        distance_m=np.array([tie.distance_m for tie in ties], dtype=float),
        quantity=np.array([quantity.get(tie.quantity, -1) for tie in ties], dtype=np.int64),
    )


@inner(error_model="numpy")
def _to_world(body2world: Array, body: int, point: Array, as_direction: bool, out: Array) -> None:
    for i in range(3):
        if body < 0:
            out[i] = point[i]
        else:
            out[i] = 0.0 if as_direction else body2world[body, i, 3]
            for j in range(3):
                out[i] += body2world[body, i, j] * point[j]


@inner(error_model="numpy")
def pull(
    ties: Ties, q: Array, body2world: Array, error: Array, point: Array, direction: Array
) -> None:
    """Fill what each tie is off by, ``error`` (T,), and the world's ``direction`` (T, 3) and
    ``point`` (T, 3) of which the velocity of body b over that of body a changes it."""
    far, near = np.empty(3), np.empty(3)
    for t in range(len(ties.kind)):
        if ties.kind[t] == QUANTITY:
            error[t] = q[ties.quantity[t]]
            continue
        _to_world(body2world, ties.body_b[t], ties.point_b[t], False, far)
        _to_world(body2world, ties.body_a[t], ties.point_a[t], False, near)
        assign(point[t], far)
        if ties.kind[t] == ALONG:
            _to_world(body2world, ties.body_a[t], ties.direction[t], True, direction[t])
            error[t] = 0.0
            for i in range(3):
                error[t] += direction[t, i] * (far[i] - near[i])
        else:
            apart = np.sqrt(
                (far[0] - near[0]) ** 2 + (far[1] - near[1]) ** 2 + (far[2] - near[2]) ** 2
            )
            error[t] = apart - ties.distance_m[t]
            for i in range(3):
                direction[t, i] = (far[i] - near[i]) / apart if apart > 0 else 0.0


@njit(error_model="numpy")
def tie_errors(ties: Ties, q: Array, body2world: Array) -> Array:
    """What each tie is off by (F, T) at F frames of quantities q and bodies (F, B, 4, 4)."""
    error = np.empty((len(q), len(ties.kind)))
    point, direction = np.empty((len(ties.kind), 3)), np.empty((len(ties.kind), 3))
    for frame in range(len(q)):
        pull(ties, q[frame], body2world[frame], error[frame], point, direction)
    return error

"""Forward kinematics, compiled: from coordinates to bodies, markers and their derivatives.

Every function takes a `Tree` and the full coordinate vector q (n,), in rad and m. World = OpenSim
ground: metres, X forward, Y up, Z right.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.model import Chain, Tree
from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]


@njit(cache=True, nogil=True)
def _amount(chain: Chain, axis: int, q: Array) -> tuple[float, float]:
    """How far an axis moves at q, and its derivative by the coordinate."""
    first = chain.piece_start[axis]
    coordinate = chain.axis_coordinate[axis]
    if coordinate < 0:
        return chain.piece_coefficient[first, 0], 0.0
    x = q[coordinate]
    piece = chain.piece_start[axis + 1] - 1
    while piece > first and x < chain.piece_knot[piece]:
        piece -= 1
    x -= chain.piece_knot[piece]
    value = 0.0
    slope = 0.0
    for power in range(chain.piece_coefficient.shape[1] - 1, -1, -1):
        slope = slope * x + value
        value = value * x + chain.piece_coefficient[piece, power]
    return value, slope


@njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
def forward(
    chain: Chain, q: Array, body2world: Array, axis_world: Array, origin_world: Array, slope: Array
) -> None:
    """Fill ``body2world`` (B, 4, 4) at q (n,), and for each of the A joint axes its direction
    (A, 3) and a point on it (A, 3) in the world and d amount / d coordinate (A,).

    For compiled callers; the others below wrap it. Written without views of arrays, which are
    counted references and would take most of the time.
    """
    frame = np.empty((3, 4))
    base, moved = chain.joint_in_parent, chain.child_in_joint
    for body in range(len(chain.parent)):
        parent = chain.parent[body]
        for i in range(3):
            if parent < 0:
                for j in range(4):
                    frame[i, j] = base[body, i, j]
            else:
                x, y, z = (
                    body2world[parent, i, 0],
                    body2world[parent, i, 1],
                    body2world[parent, i, 2],
                )
                for j in range(4):
                    frame[i, j] = x * base[body, 0, j] + y * base[body, 1, j] + z * base[body, 2, j]
                frame[i, 3] += body2world[parent, i, 3]
        for axis in range(chain.axis_start[body], chain.axis_start[body + 1]):
            amount, slope[axis] = _amount(chain, axis, q)
            x = chain.axis_direction[axis, 0]
            y = chain.axis_direction[axis, 1]
            z = chain.axis_direction[axis, 2]
            for i in range(3):
                axis_world[axis, i] = frame[i, 0] * x + frame[i, 1] * y + frame[i, 2] * z
            if not chain.axis_is_rotation[axis]:
                for i in range(3):
                    frame[i, 3] += axis_world[axis, i] * amount
                continue
            s, c = np.sin(amount), np.cos(amount)
            v = 1.0 - c
            r00, r01, r02 = c + x * x * v, x * y * v - z * s, x * z * v + y * s
            r10, r11, r12 = y * x * v + z * s, c + y * y * v, y * z * v - x * s
            r20, r21, r22 = z * x * v - y * s, z * y * v + x * s, c + z * z * v
            for i in range(3):
                origin_world[axis, i] = frame[i, 3]  # final: translations come first
                x, y, z = frame[i, 0], frame[i, 1], frame[i, 2]
                frame[i, 0] = x * r00 + y * r10 + z * r20
                frame[i, 1] = x * r01 + y * r11 + z * r21
                frame[i, 2] = x * r02 + y * r12 + z * r22
        for i in range(3):
            x, y, z = frame[i, 0], frame[i, 1], frame[i, 2]
            for j in range(4):
                body2world[body, i, j] = (
                    x * moved[body, 0, j] + y * moved[body, 1, j] + z * moved[body, 2, j]
                )
            body2world[body, i, 3] += frame[i, 3]
            body2world[body, 3, i] = 0.0
        body2world[body, 3, 3] = 1.0


@njit(cache=True, nogil=True)
def _body_transforms(chain: Chain, q: Array) -> Array:
    frames, bodies, axes = len(q), len(chain.parent), len(chain.axis_coordinate)
    body2world = np.empty((frames, bodies, 4, 4))
    axis_world, origin_world, slope = np.empty((axes, 3)), np.empty((axes, 3)), np.empty(axes)
    for frame in range(frames):
        forward(chain, q[frame], body2world[frame], axis_world, origin_world, slope)
    return body2world


@njit(cache=True, nogil=True)
def _points(body2world: Array, bodies: Array, offsets_m: Array) -> Array:
    points = np.empty((len(bodies), 3))
    for p in range(len(bodies)):
        body = bodies[p]
        for i in range(3):
            if body < 0:
                points[p, i] = offsets_m[p, i]
            else:
                points[p, i] = (
                    body2world[body, i, 0] * offsets_m[p, 0]
                    + body2world[body, i, 1] * offsets_m[p, 1]
                    + body2world[body, i, 2] * offsets_m[p, 2]
                    + body2world[body, i, 3]
                )
    return points


@njit(cache=True, nogil=True)
def _point_jacobian(chain: Chain, q: Array, bodies: Array, offsets_m: Array) -> Array:
    axes = len(chain.axis_coordinate)
    body2world = np.empty((len(chain.parent), 4, 4))
    axis_world, origin_world, slope = np.empty((axes, 3)), np.empty((axes, 3)), np.empty(axes)
    forward(chain, q, body2world, axis_world, origin_world, slope)
    points = _points(body2world, bodies, offsets_m)
    jacobian = np.zeros((len(bodies), 3, len(q)))
    for p in range(len(bodies)):
        body = bodies[p]
        while body >= 0:
            for axis in range(chain.axis_start[body], chain.axis_start[body + 1]):
                coordinate = chain.axis_coordinate[axis]
                if coordinate < 0:
                    continue
                a, s = axis_world[axis], slope[axis]
                if chain.axis_is_rotation[axis]:
                    x = points[p, 0] - origin_world[axis, 0]
                    y = points[p, 1] - origin_world[axis, 1]
                    z = points[p, 2] - origin_world[axis, 2]
                    jacobian[p, 0, coordinate] += s * (a[1] * z - a[2] * y)
                    jacobian[p, 1, coordinate] += s * (a[2] * x - a[0] * z)
                    jacobian[p, 2, coordinate] += s * (a[0] * y - a[1] * x)
                else:
                    for i in range(3):
                        jacobian[p, i, coordinate] += s * a[i]
            body = chain.parent[body]
    return jacobian


def body_transforms(tree: Tree, q: ArrayLike) -> Array:
    """Body to world (B, 4, 4) at q (n,)."""
    return _body_transforms(tree.chain, np.ascontiguousarray(q, dtype=float)[None])[0]


def body_transforms_batch(tree: Tree, q: ArrayLike) -> Array:
    """Body to world (F, B, 4, 4) at F coordinate vectors q (F, n)."""
    return _body_transforms(tree.chain, np.ascontiguousarray(q, dtype=float))


def points_world(body2world: Array, bodies: ArrayLike, offsets_m: ArrayLike) -> Array:
    """World positions (P, 3) m of points fixed to bodies (P,) at ``offsets_m`` (P, 3)."""
    return _points(
        body2world,
        np.ascontiguousarray(bodies, dtype=np.int64),
        np.ascontiguousarray(offsets_m, dtype=float),
    )


def marker_positions(tree: Tree, q: ArrayLike) -> Array:
    """World positions (M, 3) m of the model's markers at q (n,)."""
    return points_world(body_transforms(tree, q), tree.marker_body, tree.marker_offset_m)


def point_jacobian(tree: Tree, q: ArrayLike, bodies: ArrayLike, offsets_m: ArrayLike) -> Array:
    """d point / d q, (P, 3, n), of points fixed to bodies (P,) at ``offsets_m`` (P, 3).

    Couplers are not applied: ``point_jacobian(...) @ tree.coupling`` is d point / d z.
    """
    return _point_jacobian(
        tree.chain,
        np.ascontiguousarray(q, dtype=float),
        np.ascontiguousarray(bodies, dtype=np.int64),
        np.ascontiguousarray(offsets_m, dtype=float),
    )


def all_coordinates(tree: Tree, z: ArrayLike) -> Array:
    """q (n,) from the free coordinates z (k,): what the couplers drive is added."""
    q = tree.coupling @ np.asarray(z, dtype=float) + tree.offset
    for curve in tree.curves:
        q[curve.driven] = curve.function(q[curve.driver])
    return q


def coordinates_from(tree: Tree, values: Mapping[str, float]) -> Array:
    """q (n,) from free coordinates by name, in rad and m; the others keep their default.

    What couplers drive follows.
    Raises UserError for a name that the model does not have or that is not free.
    """
    z = tree.default_coordinates[tree.free_index]
    column = {name: i for i, name in enumerate(tree.free)}
    for name, value in values.items():
        if name not in column:
            raise UserError(_not_free(tree, name))
        z[column[name]] = value
    return all_coordinates(tree, z)


def _not_free(tree: Tree, name: str) -> str:
    if name not in tree.coordinate_index:
        near = difflib.get_close_matches(name, tree.free, n=1, cutoff=0.0)
        return f"coordinate '{name}': not in the model {tree.name}, did you mean '{near[0]}'?"
    row = tree.coupling[tree.coordinate_index[name]]
    masters = [tree.free[i] for i in np.flatnonzero(row)]
    masters += [
        tree.coordinates[c.driver] for c in tree.curves if c.driven == tree.coordinate_index[name]
    ]
    if masters:
        return f"coordinate '{name}': is driven by a coupler, set {' and '.join(masters)} instead"
    return f"coordinate '{name}': is locked in the model {tree.name}"

"""Forward kinematics, compiled: from coordinates to bodies, markers and their derivatives.

Every function takes a `Tree` and the full coordinate vector q (n,), in rad and m. World = OpenSim
ground: metres, X forward, Y up, Z right.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.amounts import followed, quantity_slopes
from spinetrack_synth.anatomy.constraints import as_arrays, tie_errors
from spinetrack_synth.anatomy.model import Chain, Tree
from spinetrack_synth.compiled import apart, njit
from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]


# In one piece: what a joint's axes do to the moving frame stays in registers.
@apart(fastmath={"contract"}, error_model="numpy")
def forward(
    chain: Chain, q: Array, body2world: Array, axis_world: Array, origin_world: Array, slope: Array
) -> None:
    """Fill ``body2world`` (B, 4, 4) at q (n,), and for each of the A joint axes its direction
    (A, 3) and a point on it (A, 3) in the world and d amount / d coordinate (A,).

    For compiled callers, who give q as long as the model has quantities (`amounts.follow`); the
    others below wrap it. The moving frame stands in twelve numbers and
    the arrays are taken out of ``chain`` once: views and fields of arrays are counted references,
    and counting them would take six times as long as the arithmetic.
    """
    parents, base, moved = chain.parent, chain.joint_in_parent, chain.child_in_joint
    axis_start, is_rotation, direction = (
        chain.axis_start,
        chain.axis_is_rotation,
        chain.axis_direction,
    )
    coordinate_of, piece_start = chain.axis_coordinate, chain.piece_start
    knot, coefficient = chain.piece_knot, chain.piece_coefficient
    powers = coefficient.shape[1]
    for body in range(len(parents)):
        parent = parents[body]
        b00, b01, b02, b03 = base[body, 0, 0], base[body, 0, 1], base[body, 0, 2], base[body, 0, 3]
        b10, b11, b12, b13 = base[body, 1, 0], base[body, 1, 1], base[body, 1, 2], base[body, 1, 3]
        b20, b21, b22, b23 = base[body, 2, 0], base[body, 2, 1], base[body, 2, 2], base[body, 2, 3]
        if parent < 0:
            f00, f01, f02, f03 = b00, b01, b02, b03
            f10, f11, f12, f13 = b10, b11, b12, b13
            f20, f21, f22, f23 = b20, b21, b22, b23
        else:
            x, y, z = body2world[parent, 0, 0], body2world[parent, 0, 1], body2world[parent, 0, 2]
            f00, f01 = x * b00 + y * b10 + z * b20, x * b01 + y * b11 + z * b21
            f02, f03 = x * b02 + y * b12 + z * b22, x * b03 + y * b13 + z * b23
            x, y, z = body2world[parent, 1, 0], body2world[parent, 1, 1], body2world[parent, 1, 2]
            f10, f11 = x * b00 + y * b10 + z * b20, x * b01 + y * b11 + z * b21
            f12, f13 = x * b02 + y * b12 + z * b22, x * b03 + y * b13 + z * b23
            x, y, z = body2world[parent, 2, 0], body2world[parent, 2, 1], body2world[parent, 2, 2]
            f20, f21 = x * b00 + y * b10 + z * b20, x * b01 + y * b11 + z * b21
            f22, f23 = x * b02 + y * b12 + z * b22, x * b03 + y * b13 + z * b23
            f03 += body2world[parent, 0, 3]
            f13 += body2world[parent, 1, 3]
            f23 += body2world[parent, 2, 3]
        for axis in range(axis_start[body], axis_start[body + 1]):
            # How far the axis moves, and the derivative of that by its coordinate.
            first, coordinate = piece_start[axis], coordinate_of[axis]
            if coordinate < 0:
                amount, slope[axis] = coefficient[first, 0], 0.0
            else:
                x = q[coordinate]
                piece = piece_start[axis + 1] - 1
                while piece > first and x < knot[piece]:
                    piece -= 1
                x -= knot[piece]
                amount, derivative = 0.0, 0.0
                for power in range(powers - 1, -1, -1):
                    derivative = derivative * x + amount
                    amount = amount * x + coefficient[piece, power]
                slope[axis] = derivative
            x, y, z = direction[axis, 0], direction[axis, 1], direction[axis, 2]
            w0 = f00 * x + f01 * y + f02 * z
            w1 = f10 * x + f11 * y + f12 * z
            w2 = f20 * x + f21 * y + f22 * z
            axis_world[axis, 0], axis_world[axis, 1], axis_world[axis, 2] = w0, w1, w2
            if not is_rotation[axis]:
                f03 += w0 * amount
                f13 += w1 * amount
                f23 += w2 * amount
                continue
            # Translations after it in a joint that is turned round turn about it as well.
            origin_world[axis, 0], origin_world[axis, 1], origin_world[axis, 2] = f03, f13, f23
            s, c = np.sin(amount), np.cos(amount)
            v = 1.0 - c
            r00, r01, r02 = c + x * x * v, x * y * v - z * s, x * z * v + y * s
            r10, r11, r12 = y * x * v + z * s, c + y * y * v, y * z * v - x * s
            r20, r21, r22 = z * x * v - y * s, z * y * v + x * s, c + z * z * v
            x, y, z = f00, f01, f02
            f00, f01 = x * r00 + y * r10 + z * r20, x * r01 + y * r11 + z * r21
            f02 = x * r02 + y * r12 + z * r22
            x, y, z = f10, f11, f12
            f10, f11 = x * r00 + y * r10 + z * r20, x * r01 + y * r11 + z * r21
            f12 = x * r02 + y * r12 + z * r22
            x, y, z = f20, f21, f22
            f20, f21 = x * r00 + y * r10 + z * r20, x * r01 + y * r11 + z * r21
            f22 = x * r02 + y * r12 + z * r22
        for j in range(4):
            m0, m1, m2 = moved[body, 0, j], moved[body, 1, j], moved[body, 2, j]
            body2world[body, 0, j] = f00 * m0 + f01 * m1 + f02 * m2
            body2world[body, 1, j] = f10 * m0 + f11 * m1 + f12 * m2
            body2world[body, 2, j] = f20 * m0 + f21 * m1 + f22 * m2
            body2world[body, 3, j] = 0.0
        body2world[body, 0, 3] += f03
        body2world[body, 1, 3] += f13
        body2world[body, 2, 3] += f23
        body2world[body, 3, 3] = 1.0


@njit()
def _body_transforms(chain: Chain, q: Array) -> Array:
    frames, bodies, axes = len(q), len(chain.parent), len(chain.axis_coordinate)
    body2world = np.empty((frames, bodies, 4, 4))
    axis_world, origin_world, slope = np.empty((axes, 3)), np.empty((axes, 3)), np.empty(axes)
    for frame in range(frames):
        forward(chain, q[frame], body2world[frame], axis_world, origin_world, slope)
    return body2world


@njit()
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


@njit()
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
    body2world: Array = body_transforms_batch(tree, np.asarray(q)[None])[0]
    return body2world


def body_transforms_batch(tree: Tree, q: ArrayLike) -> Array:
    """Body to world (F, B, 4, 4) at F coordinate vectors q (F, n)."""
    body2world: Array = _body_transforms(tree.chain, quantities(tree, q))
    return body2world


def quantities(tree: Tree, q: ArrayLike) -> Array:
    """All quantities that axes follow (F, ...), the coordinates first, at F vectors q (F, n)."""
    q = np.ascontiguousarray(q, dtype=float)
    return followed(tree.program, q) if tree.steps else q


def points_world(body2world: Array, bodies: ArrayLike, offsets_m: ArrayLike) -> Array:
    """World positions (P, 3) m of points fixed to bodies (P,) at ``offsets_m`` (P, 3)."""
    points: Array = _points(
        body2world,
        np.ascontiguousarray(bodies, dtype=np.int64),
        np.ascontiguousarray(offsets_m, dtype=float),
    )
    return points


def marker_positions(tree: Tree, q: ArrayLike) -> Array:
    """World positions (M, 3) m of the model's markers at q (n,)."""
    return points_world(body_transforms(tree, q), tree.marker_body, tree.marker_offset_m)


def point_jacobian(tree: Tree, q: ArrayLike, bodies: ArrayLike, offsets_m: ArrayLike) -> Array:
    """d point / d q, (P, 3, n), of points fixed to bodies (P,) at ``offsets_m`` (P, 3).

    Couplers are not applied: ``point_jacobian(...) @ tree.coupling`` is d point / d z.
    """
    q = np.asarray(q, dtype=float)
    jacobian: Array = _point_jacobian(
        tree.chain,
        quantities(tree, q[None])[0],
        np.ascontiguousarray(bodies, dtype=np.int64),
        np.ascontiguousarray(offsets_m, dtype=float),
    )
    if tree.steps:
        jacobian = jacobian @ quantity_slopes(tree.program, q)
    return jacobian


def all_coordinates(tree: Tree, z: ArrayLike) -> Array:
    """q (n,) from the free coordinates z (k,): what the couplers drive is added."""
    q: Array = tree.coupling @ np.asarray(z, dtype=float) + tree.offset
    q = quantities(tree, q[None])[0, : len(q)]
    return q


def constraint_errors(tree: Tree, q: ArrayLike) -> dict[str, Array]:
    """How far each constraint that is no coupler is off (F,) at F vectors q (F, n), by name: the
    largest of what it ties, m or rad."""
    if not tree.ties:
        return {}
    ties = as_arrays(tree.ties, tree.body_index, tree.quantity_index)
    off = np.abs(tie_errors(ties, quantities(tree, q), body_transforms_batch(tree, q)))
    names = np.array([tie.constraint for tie in tree.ties])
    return {name: off[:, names == name].max(axis=1) for name in dict.fromkeys(names.tolist())}


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
    masters = [tree.free[i] for i in np.flatnonzero(tree.depends[tree.coordinate_index[name]])]
    if masters:
        return f"coordinate '{name}': is driven by a coupler, set {' and '.join(masters)} instead"
    return f"coordinate '{name}': is locked in the model {tree.name}, or held as if it were"

"""Levenberg-Marquardt on the fitted body, compiled: one person, one start.

Camera frame: x right, y down, z forward; metres. A motion of column k moves a point p of a body by
``turn[body, k] x p - shift[body, k]``, which adds up along the chain: joints, segments and the root
are all written so.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.fit2d.body import Body
from spinetrack_synth.compiled import apart, assign, by_reference, inner

Array = NDArray[np.float64]

_REAL = {"contract", "reassoc", "arcp", "nsz"}  # fast, yet nan and inf keep their meaning

MARKERS = 37
TOO_NEAR = 0.05
"""Part of the person's depth that every point keeps from the camera."""
LARGEST_STEP = 0.7
"""rad, or relative."""


@by_reference
class Work(NamedTuple):
    """What one thread needs, made once: see `workspace`."""

    rotation: Array  # (B, 3, 3) bodies in the camera
    origin: Array  # (B, 3)
    turn: Array  # (B, K, 3)
    shift: Array  # (B, K, 3)
    points: Array  # (M, 3) markers in the camera
    jacobian: Array  # (M, 2, K) of the pixels
    residual: Array  # (M, 2) px
    weight: Array  # (M,) robust weight / variance
    normal: Array  # (K, K) lower half
    factor: Array  # (K, K) its Cholesky factor
    gradient: Array  # (K,)
    step: Array  # (K,)
    trial: Array  # (K,)
    trial_root: Array  # (3, 3)


def workspace(body: Body) -> Work:
    """Empty arrays for one thread."""
    bodies, k = len(body.parent), len(body.mean)
    return Work(
        np.empty((bodies, 3, 3)), np.empty((bodies, 3)), np.zeros((bodies, k, 3)),
        np.zeros((bodies, k, 3)), np.empty((MARKERS, 3)), np.zeros((MARKERS, 2, k)),
        np.zeros((MARKERS, 2)), np.zeros(MARKERS), np.zeros((k, k)), np.zeros((k, k)),
        np.zeros(k), np.zeros(k), np.zeros(k), np.eye(3),
    )  # fmt: skip


@inner(fastmath=_REAL)
def _turned(frame: Array, direction: Array, angle: float) -> None:
    """Turn a frame (3, 3) in place about an axis of its own."""
    x, y, z = direction[0], direction[1], direction[2]
    s, c = np.sin(angle), np.cos(angle)
    v = 1.0 - c
    r00, r01, r02 = c + x * x * v, x * y * v - z * s, x * z * v + y * s
    r10, r11, r12 = y * x * v + z * s, c + y * y * v, y * z * v - x * s
    r20, r21, r22 = z * x * v - y * s, z * y * v + x * s, c + z * z * v
    for i in range(3):
        a, b, d = frame[i, 0], frame[i, 1], frame[i, 2]
        frame[i, 0] = a * r00 + b * r10 + d * r20
        frame[i, 1] = a * r01 + b * r11 + d * r21
        frame[i, 2] = a * r02 + b * r12 + d * r22


# In one piece: what a column does to a body follows from what it does to its parent.
@apart(fastmath=_REAL)
def place(body: Body, x: Array, root: Array, work: Work, derivatives: bool) -> None:
    """Fill the bodies' frames and the markers' points at the columns' values x (K,) and the root's
    rotation (3, 3); and what each column does to them."""
    rotation, origin, turn, shift = work.rotation, work.origin, work.turn, work.shift
    first = body.root
    depth = np.exp(x[first + 5])
    origin[0, 0] = depth * x[first + 3]
    origin[0, 1] = depth * x[first + 4]
    origin[0, 2] = depth
    assign(rotation[0], root)
    if derivatives:
        for k in range(first, first + 6):
            for i in range(3):
                turn[0, k, i] = 0.0
                shift[0, k, i] = 0.0
        px, py, pz = origin[0, 0], origin[0, 1], origin[0, 2]
        turn[0, first, 0] = 1.0
        turn[0, first + 1, 1] = 1.0
        turn[0, first + 2, 2] = 1.0
        shift[0, first, 1], shift[0, first, 2] = -pz, py
        shift[0, first + 1, 0], shift[0, first + 1, 2] = pz, -px
        shift[0, first + 2, 0], shift[0, first + 2, 1] = -py, px
        shift[0, first + 3, 0] = -depth
        shift[0, first + 4, 1] = -depth
        shift[0, first + 5, 0], shift[0, first + 5, 1], shift[0, first + 5, 2] = -px, -py, -pz
    for b in range(1, len(body.parent)):
        p = body.parent[b]
        if derivatives:
            for e in range(body.column_start[b], body.column_start[b + 1]):
                k = body.columns[e]
                for i in range(3):
                    turn[b, k, i] = 0.0
                    shift[b, k, i] = 0.0
            for e in range(body.column_start[p], body.column_start[p + 1]):
                k = body.columns[e]
                for i in range(3):
                    turn[b, k, i] = turn[p, k, i]
                    shift[b, k, i] = shift[p, k, i]
        for i in range(3):
            origin[b, i] = origin[p, i]
        for j in range(3):
            length = body.translation[b, j]
            if length != 0.0:
                k = body.translation_segment[b, j]
                scale = x[k] if k >= 0 else 1.0
                for i in range(3):
                    along = rotation[p, i, j] * length
                    origin[b, i] += along * scale
                    if derivatives and k >= 0:
                        shift[b, k, i] -= along
        for i in range(3):
            for j in range(3):
                rotation[b, i, j] = (
                    rotation[p, i, 0] * body.rotation[b, 0, j]
                    + rotation[p, i, 1] * body.rotation[b, 1, j]
                    + rotation[p, i, 2] * body.rotation[b, 2, j]
                )
        ox, oy, oz = origin[b, 0], origin[b, 1], origin[b, 2]
        for a in range(body.axis_start[b], body.axis_start[b + 1]):
            k = body.axis_column[a]
            slope = body.axis_slope[a]
            direction = body.axis_direction[a]
            if derivatives:
                wx, wy, wz = 0.0, 0.0, 0.0
                for j in range(3):
                    wx += rotation[b, 0, j] * direction[j] * slope
                    wy += rotation[b, 1, j] * direction[j] * slope
                    wz += rotation[b, 2, j] * direction[j] * slope
                turn[b, k, 0] += wx
                turn[b, k, 1] += wy
                turn[b, k, 2] += wz
                shift[b, k, 0] += wy * oz - wz * oy
                shift[b, k, 1] += wz * ox - wx * oz
                shift[b, k, 2] += wx * oy - wy * ox
            _turned(rotation[b], direction, slope * x[k])
    for m in range(MARKERS):
        b = body.marker_body[m]
        for i in range(3):
            work.points[m, i] = origin[b, i]
        for j in range(3):
            length = body.marker_offset[m, j]
            k = body.marker_segment[m, j]
            if k >= 0:
                length *= x[k]
            for i in range(3):
                work.points[m, i] += rotation[b, i, j] * length


@apart(fastmath=_REAL)
def cost_of(
    body: Body, x: Array, focal_px: float, seen: Array, variance: Array, soft: float, work: Work
) -> float:
    """Robust cost of the placed markers against the points seen (M, 3) (x, y px from the principal
    point; 0 where not seen); fills ``residual`` and ``weight``. Infinite behind the camera."""
    focal = focal_px * np.exp(x[body.focal])
    nearest = TOO_NEAR * np.exp(x[body.root + 5])
    cost = 0.0
    for m in range(MARKERS):
        depth = work.points[m, 2]
        if depth < nearest:
            return np.inf
        u = focal * work.points[m, 0] / depth - seen[m, 0]
        v = focal * work.points[m, 1] / depth - seen[m, 1]
        work.residual[m, 0] = u
        work.residual[m, 1] = v
        work.weight[m] = 0.0
        if seen[m, 2] > 0.0:
            square = (u * u + v * v) / variance[m] / (soft * soft)
            cost += soft * soft * np.log1p(square)
            work.weight[m] = 1.0 / (variance[m] * (1.0 + square))
    return cost + prior_of(body, x)  # type: ignore[no-any-return]  # compiled


@inner(fastmath=_REAL)
def prior_of(body: Body, x: Array) -> float:
    """Cost of the posture and the proportions alone."""
    cost = 0.0
    for k in range(body.root):
        off = x[k] - body.mean[k]
        cost += body.precision[k] * off * off
        beyond = max(x[k] - body.upper[k], body.lower[k] - x[k])
        if beyond > 0.0:
            cost += body.limit_precision * beyond * beyond
    return cost


# In one piece: all rows of a marker are added while they are at hand.
@apart(fastmath=_REAL)
def linearise(body: Body, x: Array, focal_px: float, known: bool, seen: Array, work: Work) -> None:
    """Fill ``jacobian``, ``normal`` (lower half) and ``gradient`` at the placed body."""
    normal, gradient, jacobian = work.normal, work.gradient, work.jacobian
    size = len(x)
    focal = focal_px * np.exp(x[body.focal])
    for k in range(size):
        for j in range(body.first[k], k + 1):
            normal[k, j] = 0.0
        gradient[k] = 0.0
    for k in range(body.root):
        off = x[k] - body.mean[k]
        normal[k, k] = body.precision[k]
        gradient[k] = body.precision[k] * off
        over, under = x[k] - body.upper[k], body.lower[k] - x[k]
        if over > 0.0:
            normal[k, k] += body.limit_precision
            gradient[k] += body.limit_precision * over
        elif under > 0.0:
            normal[k, k] += body.limit_precision
            gradient[k] -= body.limit_precision * under
    if known:  # the focal length stays
        normal[body.focal, body.focal] = 1e12
    for m in range(MARKERS):
        weight = work.weight[m]
        if seen[m, 2] == 0.0:
            continue
        b = body.marker_body[m]
        px, py, pz = work.points[m, 0], work.points[m, 1], work.points[m, 2]
        scale = focal / pz
        sx, sy = px / pz, py / pz
        start, stop = body.marker_column_start[m], body.marker_column_start[m + 1]
        for e in range(start, stop):
            k = body.marker_columns[e]
            dx, dy, dz = 0.0, 0.0, 0.0
            if k != body.focal:
                tx, ty, tz = work.turn[b, k, 0], work.turn[b, k, 1], work.turn[b, k, 2]
                dx = ty * pz - tz * py - work.shift[b, k, 0]
                dy = tz * px - tx * pz - work.shift[b, k, 1]
                dz = tx * py - ty * px - work.shift[b, k, 2]
            jacobian[m, 0, k] = scale * (dx - sx * dz)
            jacobian[m, 1, k] = scale * (dy - sy * dz)
        for j in range(3):
            k = body.marker_segment[m, j]
            if k >= 0:
                length = body.marker_offset[m, j]
                dx = work.rotation[b, 0, j] * length
                dy = work.rotation[b, 1, j] * length
                dz = work.rotation[b, 2, j] * length
                jacobian[m, 0, k] += scale * (dx - sx * dz)
                jacobian[m, 1, k] += scale * (dy - sy * dz)
        if not known:
            jacobian[m, 0, body.focal] = focal * sx
            jacobian[m, 1, body.focal] = focal * sy
        if weight <= 0.0:
            continue
        u, v = work.residual[m, 0], work.residual[m, 1]
        for e in range(start, stop):
            k = body.marker_columns[e]
            a, c = weight * jacobian[m, 0, k], weight * jacobian[m, 1, k]
            gradient[k] += a * u + c * v
            for d in range(start, e + 1):
                j = body.marker_columns[d]
                normal[k, j] += a * jacobian[m, 0, j] + c * jacobian[m, 1, j]


@apart(fastmath=_REAL)
def factorise(body: Body, damping: float, work: Work) -> bool:
    """Cholesky factor of the damped normal matrix, within its envelope; False where it has none."""
    normal, factor = work.normal, work.factor
    for i in range(len(work.step)):
        for j in range(body.first[i], i + 1):
            total = normal[i, j]
            if i == j:
                total += damping * normal[i, i] + 1e-12
            for k in range(max(body.first[i], body.first[j]), j):
                total -= factor[i, k] * factor[j, k]
            if i == j:
                if not total > 0.0:
                    return False
                factor[i, i] = np.sqrt(total)
            else:
                factor[i, j] = total / factor[j, j]
    return True


@inner(fastmath=_REAL)
def _descend(body: Body, work: Work) -> None:
    """step = -(L L^T)^-1 gradient."""
    size = len(work.step)
    for i in range(size):
        total = -work.gradient[i]
        for k in range(body.first[i], i):
            total -= work.factor[i, k] * work.step[k]
        work.step[i] = total / work.factor[i, i]
    for i in range(size - 1, -1, -1):
        work.step[i] /= work.factor[i, i]
        for k in range(body.first[i], i):
            work.step[k] -= work.factor[i, k] * work.step[i]


@inner(fastmath=_REAL)
def _spun(root: Array, turn: Array, out: Array) -> None:
    """out = exp(turn) @ root."""
    angle = np.sqrt(turn[0] ** 2 + turn[1] ** 2 + turn[2] ** 2)
    spin = np.eye(3)
    if angle > 1e-12:
        _turned(spin, turn / angle, angle)
    for i in range(3):
        for j in range(3):
            out[i, j] = spin[i, 0] * root[0, j] + spin[i, 1] * root[1, j] + spin[i, 2] * root[2, j]


# In one piece: the damped steps share a dozen numbers, which compiled code cannot hand back.
@apart(fastmath=_REAL)
def descend(
    body: Body,
    x: Array,
    root: Array,
    focal_px: float,
    known: bool,
    seen: Array,
    variance: Array,
    soft: float,
    steps: int,
    tolerance: float,
    work: Work,
) -> float:
    """Improve x (K,) and root (3, 3) in place; the cost reached, infinite where none was finite.

    Leaves ``work`` placed and linearised at the result.
    """
    place(body, x, root, work, True)
    cost: float = cost_of(body, x, focal_px, seen, variance, soft, work)
    if not np.isfinite(cost):
        return np.inf
    linearise(body, x, focal_px, known, seen, work)
    damping = 1e-2
    first = body.root
    for _ in range(steps):
        if not factorise(body, damping, work):
            damping = max(10.0 * damping, 1e-3)
            if damping > 1e6:
                break
            continue
        _descend(body, work)
        largest = 0.0
        for k in range(len(x)):
            largest = max(largest, abs(work.step[k]))
        shorten = min(1.0, LARGEST_STEP / largest) if largest > 0.0 else 1.0
        for k in range(len(x)):
            work.trial[k] = x[k] + shorten * work.step[k]
        for k in range(first, first + 3):
            work.trial[k] = shorten * work.step[k]
        _spun(root, work.trial[first : first + 3], work.trial_root)
        for k in range(first, first + 3):
            work.trial[k] = 0.0
        place(body, work.trial, work.trial_root, work, True)
        found = cost_of(body, work.trial, focal_px, seen, variance, soft, work)
        if found < cost:
            assign(x, work.trial)
            assign(root, work.trial_root)
            gained = cost - found
            cost = found
            linearise(body, x, focal_px, known, seen, work)
            damping = max(0.2 * damping, 1e-7)
            if gained < tolerance * (1.0 + cost):
                return cost
        else:
            damping *= 8.0
            if damping > 1e5 or largest < 1e-6:
                break
    place(body, x, root, work, True)
    cost = cost_of(body, x, focal_px, seen, variance, soft, work)
    linearise(body, x, focal_px, known, seen, work)
    return cost


@inner(fastmath=_REAL)
def own_residuals(
    body: Body, seen: Array, variance: Array, work: Work, off: Array, surprise: Array
) -> None:
    """What each point is off where all others predict it, from the linearised fit.

    Fills ``off`` (M, 2) px, point minus prediction, and ``surprise`` (M,) its length in standard
    deviations of the prediction; nan where no point is seen or nothing is predicted.
    """
    size = len(work.step)
    for m in range(MARKERS):
        off[m, 0] = off[m, 1] = surprise[m] = np.nan
    if not factorise(body, 0.0, work):
        return
    half = np.zeros((2, size))
    for m in range(MARKERS):
        if seen[m, 2] == 0.0:
            continue
        half[:, :] = 0.0
        begin = size
        for e in range(body.marker_column_start[m], body.marker_column_start[m + 1]):
            k = body.marker_columns[e]
            half[0, k], half[1, k] = work.jacobian[m, 0, k], work.jacobian[m, 1, k]
            begin = min(begin, k)
        for i in range(begin, size):
            a, c = half[0, i], half[1, i]
            for k in range(max(begin, body.first[i]), i):
                a -= work.factor[i, k] * half[0, k]
                c -= work.factor[i, k] * half[1, k]
            half[0, i] = a / work.factor[i, i]
            half[1, i] = c / work.factor[i, i]
        g00, g01, g11 = 0.0, 0.0, 0.0
        for i in range(begin, size):
            g00 += half[0, i] * half[0, i]
            g01 += half[0, i] * half[1, i]
            g11 += half[1, i] * half[1, i]
        w = work.weight[m] if seen[m, 2] > 0.0 else 0.0
        # Without this point the prediction's covariance is (I - w G)^-1 G, its residual
        # (I - w G)^-1 r.
        a, b, d = 1.0 - w * g00, -w * g01, 1.0 - w * g11
        determinant = a * d - b * b
        if not determinant > 1e-9:
            continue
        u, v = work.residual[m, 0], work.residual[m, 1]
        ru, rv = (d * u - b * v) / determinant, (a * v - b * u) / determinant
        v00 = (d * g00 - b * g01) / determinant + variance[m]
        v01 = (d * g01 - b * g11) / determinant
        v11 = (a * g11 - b * g01) / determinant + variance[m]
        spread = v00 * v11 - v01 * v01
        off[m, 0], off[m, 1] = -ru, -rv
        surprise[m] = np.sqrt(
            max((v11 * ru * ru - 2.0 * v01 * ru * rv + v00 * rv * rv) / spread, 0.0)
        )

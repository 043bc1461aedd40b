"""The compiled heart of inverse kinematics: one frame's weighted least squares on the tree.

What is minimised over the free coordinates z, as OpenSim's tool does:

    sum_m w_m |x_m(q) - y_m|^2 / sum_m w_m  +  sum_t w_t (q_t - v_t)^2  +  sum_k p_k (z_k - c_k)^2

over the markers that are seen, the coordinate tasks and a prior, with q = C z + d (and steps for
what follows coordinates otherwise), z within its bounds and all ties at zero. Ties are kept by
augmented Lagrangians (Nocedal and Wright 2006, chapter 17.3).

The Gauss-Newton matrix J'WJ is the joint-space mass matrix of a tree that carries a point mass w_m
at every marker. So it is built as robot dynamics build that matrix (composite rigid bodies,
Featherstone 2008, chapter 6), without ever writing down J: the work grows with the depth of the
tree and not with the number of markers. Columns stand leaves first, so that the Cholesky factor of
a tree without couplers has no fill-in (ibid., chapter 6.5).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.amounts import Program, follow
from spinetrack_synth.anatomy.constraints import QUANTITY, Ties, pull
from spinetrack_synth.anatomy.kinematics import forward
from spinetrack_synth.anatomy.model import Chain
from spinetrack_synth.compiled import apart, assign, by_reference, inner, njit

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEWTON_TOLERANCE: Final = 5e-4
"""A full Newton step (rad, m) after which a frame is done: its square is left, about 1e-6."""

STEP_TOLERANCE: Final = 5e-5
"""Any other step after which it is done: a few per cent of it are left."""

RELEASE_TOLERANCE: Final = 1e-6
"""What a column at its bound must want to move inward, were it alone, for the frame to go on: with
the others it moves up to a hundred times as far."""

COST_FLOOR_M2: Final = 1e-14
"""A cost that needs no further step: markers met to 0.1 micrometres."""

EXACT_COST_M2: Final = 1e-8
"""A cost (markers met to 0.1 mm) at which the residuals' curvature plays no part."""

RELATIVE_GAIN: Final = 1e-6
"""A step that gains less of the cost than this is the last one."""

NEWTON_BELOW: Final = 0.3
"""Steps (rad, m) below which the residuals' curvature is trusted."""

NEWTON_GAIN: Final = 1e-4
"""The same for a full Newton step: the next one would gain the square of it."""

LONGEST_STEP: Final = 1.0
WILD_DAMPING: Final = 1e-3
"""A longer step (rad, m) is taken only when it is as long with this damping: two axes that have
come to lie on one another may turn any number of times."""

ITERATIONS: Final = 60
FIRST_DAMPING: Final = 1e-6
LARGEST_DAMPING: Final = 1e6
AT_BOUND: Final = 1e-12

TIE_WEIGHT: Final = 1e3
"""What the square of a tie counts for, the markers together counting for 1."""

TIE_TOLERANCE: Final = 1e-9
TIE_ROUNDS: Final = 8
"""How far a tie (m, rad) may be off, and how often its force is reckoned anew until it is not."""


@by_reference
class Problem(NamedTuple):
    """What is fitted, the same for all frames. Columns are the free coordinates, leaves first.

    ``marker_body``, ``marker_offset_m`` and ``marker_weight`` of P markers. Coupling: quantity i
    has the entries ``entry_start[i]:entry_start[i + 1]`` of ``entry_column`` and ``entry_slope``,
    and ``offset``. The ``program`` sets quantities that are no lines; the slopes of their entries
    are sums of terms: ``term_entry``'s grows by that of source ``term_source`` in its step times
    that of ``term_from``. A motion is what one column does to one body:
    ``motion_body``, ``motion_column`` (Q,) and the joint axes that bring it about,
    ``part_axis[part_start[i]:part_start[i + 1]]`` with their coupling entries ``part_entry``;
    ``above`` lists the motions that move what motion i moves, itself included.
    ``ties`` are changed by the motions ``tied_motion[tied_start[t]:tied_start[t + 1]]``, each
    with the sign ``tied_sign``. ``lower``, ``upper`` (k,), ``prior_center``, ``prior_weight`` (k,)
    for one marker; ``task_coordinate``, ``task_weight`` (T,).
    """

    chain: Chain
    marker_body: Ints
    marker_offset_m: Array
    marker_weight: Array
    entry_start: Ints
    entry_column: Ints
    entry_slope: Array
    offset: Array
    program: Program
    term_entry: Ints
    term_source: Ints
    term_from: Ints
    motion_body: Ints
    motion_column: Ints
    part_start: Ints
    part_axis: Ints
    part_entry: Ints
    above_start: Ints
    above: Ints
    ties: Ties
    tied_start: Ints
    tied_motion: Ints
    tied_sign: Array
    lower: Array
    upper: Array
    prior_center: Array
    prior_weight: Array
    task_coordinate: Ints
    task_weight: Array


@by_reference
class Scratch(NamedTuple):
    """Memory that one thread uses again and again; ``kept`` are the weights in force, (P,)."""

    q: Array
    slope_of_entry: Array
    slope_of_source: Array
    body2world: Array
    axis_world: Array
    origin_world: Array
    axis_slope: Array
    points: Array
    kept: Array
    reference: Array
    mass: Array
    twist: Array
    hessian: Array
    factor: Array
    gradient: Array
    step: Array
    put: Array
    free_step: Array
    force: Array
    response: Array
    between: Array
    stopped: Ints
    held: Bools
    tie_error: Array
    tie_force: Array
    tie_point: Array
    tie_direction: Array
    tie_row: Array


def make_scratch(problem: Problem) -> Scratch:
    """Scratch for a problem."""
    ties = len(problem.ties.kind)
    bodies, axes = len(problem.chain.parent), len(problem.chain.axis_coordinate)
    markers, columns = len(problem.marker_body), len(problem.lower)
    return Scratch(
        np.zeros(len(problem.offset)),
        problem.entry_slope.copy(),
        np.zeros(len(problem.program.source)),
        np.zeros((bodies, 4, 4)),
        np.zeros((axes, 3)),
        np.zeros((axes, 3)),
        np.zeros(axes),
        np.zeros((markers, 3)),
        np.zeros(markers),
        np.zeros(3),
        np.zeros((bodies, 25)),
        np.zeros((len(problem.motion_body), 6)),
        np.zeros((columns, columns)),
        np.zeros((columns, columns)),
        np.zeros(columns),
        np.zeros(columns),
        np.zeros(columns),
        np.zeros(columns),
        np.zeros(columns),
        np.zeros((columns, columns)),
        np.zeros((columns, columns)),
        np.zeros(columns, dtype=np.int64),
        np.zeros(columns, dtype=np.bool_),
        np.zeros(ties),
        np.zeros(ties),
        np.zeros((ties, 3)),
        np.zeros((ties, 3)),
        np.zeros(columns),
    )


@njit(error_model="numpy")
def coordinates(problem: Problem, z: Array, scratch: Scratch) -> None:
    """Fill ``scratch.q``, all quantities, from the free coordinates, and the slopes of those that
    are no lines."""
    q, slope = scratch.q, scratch.slope_of_entry
    offset, entry_start = problem.offset, problem.entry_start
    entry_slope, entry_column = problem.entry_slope, problem.entry_column
    for i in range(len(q)):
        value = offset[i]
        for entry in range(entry_start[i], entry_start[i + 1]):
            value += entry_slope[entry] * z[entry_column[entry]]
        q[i] = value
    if len(problem.program.kind):
        follow(problem.program, q, scratch.slope_of_source)
        term_entry, term_source = problem.term_entry, problem.term_source
        for term in range(len(term_entry)):
            slope[term_entry[term]] = 0.0
        for term in range(len(term_entry)):
            by_source = scratch.slope_of_source[term_source[term]]
            slope[term_entry[term]] += by_source * slope[problem.term_from[term]]


@njit(error_model="numpy")
def weigh(problem: Problem, target_m: Array, counted: Bools, scratch: Scratch) -> int:
    """Set the weights in force for a frame: of markers seen and counted, with sum 1.

    Returns how many of them are on bodies: those on ground say nothing.
    """
    kept, marker_weight = scratch.kept, problem.marker_weight
    total, count = 0.0, 0
    for p in range(len(target_m)):
        seen = np.isfinite(target_m[p, 0] + target_m[p, 1] + target_m[p, 2])
        kept[p] = marker_weight[p] if seen and counted[p] else 0.0
        total += kept[p]
        if kept[p] > 0 and problem.marker_body[p] >= 0:
            count += 1
    if total > 0:
        for p in range(len(target_m)):
            kept[p] /= total
    return count


@apart(error_model="numpy", fastmath={"contract"})
def evaluate(
    problem: Problem, z: Array, target_m: Array, task_values: Array, seen: int, scratch: Scratch
) -> tuple[float, float]:
    """The objective at z, and the part of it that the markers make; fills the kinematics.

    Where there are ties, the objective is their augmented Lagrangian.
    """
    coordinates(problem, z, scratch)
    forward(
        problem.chain, scratch.q, scratch.body2world,
        scratch.axis_world, scratch.origin_world, scratch.axis_slope,
    )  # fmt: skip
    body2world, kept, points = scratch.body2world, scratch.kept, scratch.points
    marker_body, offset_m = problem.marker_body, problem.marker_offset_m
    of_markers = 0.0
    for p in range(len(target_m)):
        body = marker_body[p]
        if kept[p] == 0:
            continue
        u, v, w = offset_m[p, 0], offset_m[p, 1], offset_m[p, 2]
        squared = 0.0
        for i in range(3):
            if body < 0:
                x = offset_m[p, i]
            else:
                x = body2world[body, i, 0] * u + body2world[body, i, 1] * v
                x += body2world[body, i, 2] * w + body2world[body, i, 3]
            points[p, i] = x
            squared += (x - target_m[p, i]) ** 2
        of_markers += kept[p] * squared
    cost = of_markers
    for t in range(len(problem.task_coordinate)):
        away = scratch.q[problem.task_coordinate[t]] - task_values[t]
        cost += problem.task_weight[t] * away * away
    if len(problem.ties.kind):
        error, force = scratch.tie_error, scratch.tie_force
        pull(problem.ties, scratch.q, body2world, error, scratch.tie_point, scratch.tie_direction)
        for t in range(len(error)):
            cost += TIE_WEIGHT * error[t] * (error[t] + 2.0 * force[t])
    share, center, prior_weight = 1.0 / max(seen, 1), problem.prior_center, problem.prior_weight
    for k in range(len(z)):
        away = z[k] - center[k]
        cost += share * prior_weight[k] * away * away
    return cost, of_markers


@inner(error_model="numpy", fastmath={"contract"})
def _gather_masses(problem: Problem, target_m: Array, scratch: Scratch) -> None:
    """Per body and all it carries: mass, first and second moments, force and torque of residuals,
    and their moment sum of w x r'.

    Moments are about ``reference``, so that a body far from the origin loses no digits.
    """
    mass, reference = scratch.mass, scratch.reference
    kept, points = scratch.kept, scratch.points
    marker_body, parents = problem.marker_body, problem.chain.parent
    reference[:] = 0.0
    for p in range(len(target_m)):
        if kept[p] > 0:
            assign(reference, target_m[p])
            break
    mass[:] = 0.0
    for p in range(len(target_m)):
        body, w = marker_body[p], kept[p]
        if w == 0 or body < 0:
            continue
        fx = w * (points[p, 0] - target_m[p, 0])
        fy = w * (points[p, 1] - target_m[p, 1])
        fz = w * (points[p, 2] - target_m[p, 2])
        x = points[p, 0] - reference[0]
        y = points[p, 1] - reference[1]
        z = points[p, 2] - reference[2]
        mass[body, 0] += w
        mass[body, 1] += w * x
        mass[body, 2] += w * y
        mass[body, 3] += w * z
        # The inertia tensor, sum of w (|x|^2 I - x x').
        mass[body, 4] += w * (y * y + z * z)
        mass[body, 5] += w * (x * x + z * z)
        mass[body, 6] += w * (x * x + y * y)
        mass[body, 7] -= w * x * y
        mass[body, 8] -= w * x * z
        mass[body, 9] -= w * y * z
        mass[body, 10] += fx
        mass[body, 11] += fy
        mass[body, 12] += fz
        mass[body, 13] += y * fz - z * fy
        mass[body, 14] += z * fx - x * fz
        mass[body, 15] += x * fy - y * fx
        mass[body, 16] += x * fx
        mass[body, 17] += x * fy
        mass[body, 18] += x * fz
        mass[body, 19] += y * fx
        mass[body, 20] += y * fy
        mass[body, 21] += y * fz
        mass[body, 22] += z * fx
        mass[body, 23] += z * fy
        mass[body, 24] += z * fz
    for body in range(len(mass) - 1, 0, -1):
        parent = parents[body]
        if parent >= 0:
            for i in range(25):
                mass[parent, i] += mass[body, i]


@inner(error_model="numpy", fastmath={"contract"})
def _gather_twists(problem: Problem, scratch: Scratch) -> None:
    """Velocity of each motion as a twist about the reference point: angular, then linear."""
    twist, reference = scratch.twist, scratch.reference
    axis_slope, slope_of_entry = scratch.axis_slope, scratch.slope_of_entry
    axis_world, origin_world = scratch.axis_world, scratch.origin_world
    part_start, part_axis, part_entry = problem.part_start, problem.part_axis, problem.part_entry
    is_rotation = problem.chain.axis_is_rotation
    twist[:] = 0.0
    for motion in range(len(twist)):
        for part in range(part_start[motion], part_start[motion + 1]):
            axis = part_axis[part]
            s = axis_slope[axis] * slope_of_entry[part_entry[part]]
            a0 = s * axis_world[axis, 0]
            a1 = s * axis_world[axis, 1]
            a2 = s * axis_world[axis, 2]
            if is_rotation[axis]:
                twist[motion, 0] += a0
                twist[motion, 1] += a1
                twist[motion, 2] += a2
                x = origin_world[axis, 0] - reference[0]
                y = origin_world[axis, 1] - reference[1]
                z = origin_world[axis, 2] - reference[2]
                twist[motion, 3] += y * a2 - z * a1
                twist[motion, 4] += z * a0 - x * a2
                twist[motion, 5] += x * a1 - y * a0
            else:
                twist[motion, 3] += a0
                twist[motion, 4] += a1
                twist[motion, 5] += a2


@apart(error_model="numpy", fastmath={"contract"})
def differentiate(
    problem: Problem,
    z: Array,
    target_m: Array,
    task_values: Array,
    seen: int,
    newton: bool,
    scratch: Scratch,
) -> None:
    """Half the gradient and half the Hessian (upper triangle) where `evaluate` was.

    Without ``newton`` the Hessian is Gauss and Newton's, positive wherever the markers are. With
    it the residuals' curvature is added, which costs nothing here: motion i turns the velocity of
    all that a motion j further out moves, d2x/dqi dqj = w_i x dx/dqj.
    """
    _gather_masses(problem, target_m, scratch)
    _gather_twists(problem, scratch)
    hessian, gradient = scratch.hessian, scratch.gradient
    mass, twist = scratch.mass, scratch.twist
    motion_body, motion_column = problem.motion_body, problem.motion_column
    above_start, above = problem.above_start, problem.above
    hessian[:] = 0.0
    gradient[:] = 0.0
    for motion in range(len(twist)):
        body = motion_body[motion]
        if mass[body, 0] == 0:
            continue
        v0, v1, v2 = twist[motion, 0], twist[motion, 1], twist[motion, 2]
        v3, v4, v5 = twist[motion, 3], twist[motion, 4], twist[motion, 5]
        column = motion_column[motion]
        gradient[column] += (
            v0 * mass[body, 13]
            + v1 * mass[body, 14]
            + v2 * mass[body, 15]
            + v3 * mass[body, 10]
            + v4 * mass[body, 11]
            + v5 * mass[body, 12]
        )
        # Momentum of the composite body in this motion.
        f0 = (
            mass[body, 4] * v0
            + mass[body, 7] * v1
            + mass[body, 8] * v2
            + mass[body, 2] * v5
            - mass[body, 3] * v4
        )
        f1 = (
            mass[body, 7] * v0
            + mass[body, 5] * v1
            + mass[body, 9] * v2
            + mass[body, 3] * v3
            - mass[body, 1] * v5
        )
        f2 = (
            mass[body, 8] * v0
            + mass[body, 9] * v1
            + mass[body, 6] * v2
            + mass[body, 1] * v4
            - mass[body, 2] * v3
        )
        f3 = mass[body, 0] * v3 + v1 * mass[body, 3] - v2 * mass[body, 2]
        f4 = mass[body, 0] * v4 + v2 * mass[body, 1] - v0 * mass[body, 3]
        f5 = mass[body, 0] * v5 + v0 * mass[body, 2] - v1 * mass[body, 1]
        if newton:
            trace = mass[body, 16] + mass[body, 20] + mass[body, 24]
            f0 += (
                mass[body, 12] * v4
                - mass[body, 11] * v5
                + mass[body, 16] * v0
                + mass[body, 17] * v1
                + mass[body, 18] * v2
            )
            f1 += (
                mass[body, 10] * v5
                - mass[body, 12] * v3
                + mass[body, 19] * v0
                + mass[body, 20] * v1
                + mass[body, 21] * v2
            )
            f2 += (
                mass[body, 11] * v3
                - mass[body, 10] * v4
                + mass[body, 22] * v0
                + mass[body, 23] * v1
                + mass[body, 24] * v2
            )
            f0 -= trace * v0
            f1 -= trace * v1
            f2 -= trace * v2
        for index in range(above_start[motion], above_start[motion + 1]):
            other = above[index]
            value = (
                twist[other, 0] * f0
                + twist[other, 1] * f1
                + twist[other, 2] * f2
                + twist[other, 3] * f3
                + twist[other, 4] * f4
                + twist[other, 5] * f5
            )
            second = motion_column[other]
            if second == column:
                hessian[column, column] += value if other == motion else 2.0 * value
            elif second > column:
                hessian[column, second] += value
            else:
                hessian[second, column] += value
    for t in range(len(problem.task_coordinate)):
        i, w = problem.task_coordinate[t], problem.task_weight[t]
        away = scratch.q[i] - task_values[t]
        first, last = problem.entry_start[i], problem.entry_start[i + 1]
        for e in range(first, last):
            column, slope = problem.entry_column[e], scratch.slope_of_entry[e]
            gradient[column] += w * slope * away
            for d in range(first, last):
                if problem.entry_column[d] >= column:
                    hessian[column, problem.entry_column[d]] += (
                        w * slope * scratch.slope_of_entry[d]
                    )
    for t in range(len(problem.ties.kind)):
        _add_tie(problem, t, scratch)
    share, center, prior_weight = 1.0 / max(seen, 1), problem.prior_center, problem.prior_weight
    for k in range(len(z)):
        hessian[k, k] += share * prior_weight[k]
        gradient[k] += share * prior_weight[k] * (z[k] - center[k])


@inner(error_model="numpy")
def _add_tie(problem: Problem, t: int, scratch: Scratch) -> None:
    """Add a tie to the gradient and the Hessian, by Gauss and Newton."""
    row, hessian, gradient = scratch.tie_row, scratch.hessian, scratch.gradient
    row[:] = 0.0
    if problem.ties.kind[t] == QUANTITY:
        i = problem.ties.quantity[t]
        for entry in range(problem.entry_start[i], problem.entry_start[i + 1]):
            row[problem.entry_column[entry]] += scratch.slope_of_entry[entry]
    else:
        n, at, reference = scratch.tie_direction[t], scratch.tie_point[t], scratch.reference
        x, y, z = at[0] - reference[0], at[1] - reference[1], at[2] - reference[2]
        for index in range(problem.tied_start[t], problem.tied_start[t + 1]):
            motion = problem.tied_motion[index]
            w0, w1, w2 = (
                scratch.twist[motion, 0],
                scratch.twist[motion, 1],
                scratch.twist[motion, 2],
            )
            v0 = scratch.twist[motion, 3] + w1 * z - w2 * y
            v1 = scratch.twist[motion, 4] + w2 * x - w0 * z
            v2 = scratch.twist[motion, 5] + w0 * y - w1 * x
            along = n[0] * v0 + n[1] * v1 + n[2] * v2
            row[problem.motion_column[motion]] += problem.tied_sign[index] * along
    pulled = TIE_WEIGHT * (scratch.tie_error[t] + scratch.tie_force[t])
    for k in range(len(row)):
        if row[k] != 0.0:
            gradient[k] += pulled * row[k]
            for j in range(k, len(row)):
                hessian[k, j] += TIE_WEIGHT * row[k] * row[j]


@inner(error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def _factorise(matrix: Array, size: int) -> bool:
    """Cholesky's factor U of a matrix U'U in its place; False where it is not positive.

    ``matrix`` holds the upper triangle in its first ``size`` rows and columns. Zeros are skipped:
    with the leaves first, the rows of other limbs stay zero throughout. Four rows at a time are
    taken off the rest, two rows of it at once, which spares most of the loads and stores (and
    touches an element below the diagonal, which nobody reads).
    """
    for first in range(0, size, 4):
        last = min(first + 4, size)
        for j in range(first, last):
            for i in range(first, j):
                factor = matrix[i, j]
                if factor != 0.0:
                    for k in range(j, size):
                        matrix[j, k] -= factor * matrix[i, k]
            if not matrix[j, j] > 0.0:
                return False
            inverse = 1.0 / np.sqrt(matrix[j, j])
            for k in range(j, size):
                matrix[j, k] *= inverse
        if last - first < 4:
            break
        b, c, d = first + 1, first + 2, first + 3
        i = last
        while i < size:
            n = min(i + 1, size - 1)
            ai, bi, ci, di = matrix[first, i], matrix[b, i], matrix[c, i], matrix[d, i]
            an, bn, cn, dn = matrix[first, n], matrix[b, n], matrix[c, n], matrix[d, n]
            here = ai != 0.0 or bi != 0.0 or ci != 0.0 or di != 0.0
            there = n > i and (an != 0.0 or bn != 0.0 or cn != 0.0 or dn != 0.0)
            if here and there:
                for k in range(i, size):
                    ak, bk, ck, dk = matrix[first, k], matrix[b, k], matrix[c, k], matrix[d, k]
                    matrix[i, k] -= ai * ak + bi * bk + ci * ck + di * dk
                    matrix[n, k] -= an * ak + bn * bk + cn * ck + dn * dk
            elif here or there:
                row = i if here else n
                ai, bi, ci, di = matrix[first, row], matrix[b, row], matrix[c, row], matrix[d, row]
                for k in range(row, size):
                    matrix[row, k] -= (
                        ai * matrix[first, k]
                        + bi * matrix[b, k]
                        + ci * matrix[c, k]
                        + di * matrix[d, k]
                    )
            i += 2
    return True


@inner(error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def _substitute(matrix: Array, size: int, right: Array) -> None:
    """Solve U'U x = right in place of ``right``, U as `_factorise` leaves it."""
    for j in range(size):
        right[j] /= matrix[j, j]
        value = right[j]
        if value != 0.0:
            for i in range(j + 1, size):
                right[i] -= value * matrix[j, i]
    for j in range(size - 1, -1, -1):
        value = right[j]
        for i in range(j + 1, size):
            value -= matrix[j, i] * right[i]
        right[j] = value / matrix[j, j]


def spread(scratch: Scratch) -> Array:
    """Diagonal (k,) of the inverse of the Hessian that `differentiate` left, infinite where it is
    not positive: the variance of each column for markers of unit error, up to their number."""
    upper = np.triu(scratch.hessian)
    hessian = upper + np.triu(upper, 1).T
    diagonal = np.diag(hessian)
    # Equal diagonals let a turn and a length be weighed together; the floor is for what is unseen.
    scale = 1.0 / np.sqrt(np.where(diagonal > 0.0, diagonal, 1.0))
    scaled = hessian * scale[:, None] * scale + 1e-14 * np.eye(len(scale))
    try:
        factor = np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        return np.full(len(scale), np.inf)
    half = np.linalg.solve(factor, np.eye(len(scale)))
    return np.sum(half**2, axis=0) * scale**2


@apart(error_model="numpy")
def _step(problem: Problem, z: Array, movable: Bools, damping: float, scratch: Scratch) -> bool:
    """Fill ``scratch.step`` with the damped Gauss-Newton step that stays within the bounds.

    Columns that would leave their bounds are put on them and the others solved again, given that:
    not by a new factor but by the forces that hold them there, each at the price of one
    substitution; one that those forces would hold off its bound is let go again. ``scratch.put`` is
    how far the columns go that end at a bound.
    Returns False where the matrix is not positive.
    """
    hessian, gradient, step, held = scratch.hessian, scratch.gradient, scratch.step, scratch.held
    factor, size, put, stopped = scratch.factor, len(z), scratch.put, scratch.stopped
    lower, upper = problem.lower, problem.upper
    largest = 0.0
    for k in range(size):
        largest = max(largest, hessian[k, k])
        below = z[k] <= lower[k] + AT_BOUND and gradient[k] > 0
        above = z[k] >= upper[k] - AT_BOUND and gradient[k] < 0
        held[k] = not movable[k] or below or above
        put[k] = 0.0
    for k in range(size):
        step[k] = 0.0 if held[k] else -gradient[k]
        for j in range(k, size):
            factor[k, j] = 0.0 if held[k] or held[j] else hessian[k, j]
        # The floor keeps columns that nothing observes where they are.
        floor = damping * (hessian[k, k] + 1e-3 * largest) + 1e-15 * largest
        factor[k, k] = 1.0 if held[k] else factor[k, k] + floor
    if not _factorise(factor, size):
        return False
    _substitute(factor, size, step)
    response, force, between = scratch.response, scratch.force, scratch.between
    free_step = scratch.free_step
    assign(free_step, step)
    count, released = 0, 0
    while True:
        before = count
        for k in range(size):
            if held[k]:
                continue
            if z[k] + step[k] < lower[k]:
                put[k] = lower[k] - z[k]
            elif z[k] + step[k] > upper[k]:
                put[k] = upper[k] - z[k]
            else:
                continue
            held[k] = True
            stopped[count] = k
            for j in range(size):
                response[count, j] = 0.0
            response[count, k] = 1.0
            _substitute(factor, size, response[count])
            count += 1
        if count == before:
            return True
        while True:
            for i in range(count):
                force[i] = put[stopped[i]] - free_step[stopped[i]]
                for j in range(i, count):
                    between[i, j] = response[i, stopped[j]]
            if not _factorise(between, count):
                return False
            _substitute(between, count, force)
            # Those that the others' bounds hold inside of their own are let go, one at a time.
            worst, most = -1, 0.0
            for i in range(count):
                k = stopped[i]
                pulled = force[i] if put[k] == upper[k] - z[k] else -force[i]
                if pulled > most:
                    worst, most = i, pulled
            if worst < 0 or released >= size:
                break
            released += 1
            count -= 1
            held[stopped[worst]] = False
            put[stopped[worst]] = 0.0
            stopped[worst] = stopped[count]
            assign(response[worst], response[count])
        assign(step, free_step)
        for i in range(count):
            for j in range(size):
                step[j] += force[i] * response[i, j]
        for i in range(count):
            step[stopped[i]] = put[stopped[i]]


@inner(error_model="numpy")
def _would_leave(problem: Problem, z: Array, movable: Bools, scratch: Scratch) -> bool:
    """Whether a column that the last step held at its bound would now leave it."""
    hessian, step = scratch.hessian, scratch.step
    for k in range(len(z)):
        if not (scratch.held[k] and movable[k]):
            continue
        slope = scratch.gradient[k]
        for j in range(len(z)):
            slope += (hessian[j, k] if j < k else hessian[k, j]) * step[j]
        away = -slope / hessian[k, k] if hessian[k, k] > 0 else 0.0
        inward = away if z[k] <= problem.lower[k] + AT_BOUND else -away
        if inward > RELEASE_TOLERANCE:
            return True
    return False


@apart(error_model="numpy")
def solve_frame(
    problem: Problem,
    target_m: Array,
    counted: Bools,
    task_values: Array,
    movable: Bools,
    z: Array,
    damping: float,
    scratch: Scratch,
) -> tuple[float, int]:
    """Bring z (k,) in place to the least squares of one frame; Levenberg-Marquardt within bounds.

    ``target_m`` (P, 3), NaN where missing; only ``counted`` (P,) markers count and only
    ``movable`` (k,) columns move. ``damping`` 0 begins with an undamped step, right near the
    solution. Returns the objective and the number of steps.
    """
    for k in range(len(z)):
        if movable[k]:
            z[k] = min(max(z[k], problem.lower[k]), problem.upper[k])
    seen = weigh(problem, target_m, counted, scratch)
    error, force = scratch.tie_error, scratch.tie_force
    force[:] = 0.0
    cost, steps = _minimise(problem, target_m, task_values, movable, z, seen, damping, scratch)
    for _ in range(TIE_ROUNDS if len(error) else 0):
        cost, _ = evaluate(problem, z, target_m, task_values, seen, scratch)
        largest = 0.0
        for t in range(len(error)):
            largest = max(largest, abs(error[t]))
            force[t] += error[t]
        if largest < TIE_TOLERANCE:
            break
        cost, more = _minimise(problem, target_m, task_values, movable, z, seen, 0.0, scratch)
        steps += more
    force[:] = 0.0
    return cost, steps


@inner(error_model="numpy")
def _minimise(
    problem: Problem,
    target_m: Array,
    task_values: Array,
    movable: Bools,
    z: Array,
    seen: int,
    damping: float,
    scratch: Scratch,
) -> tuple[float, int]:
    """`solve_frame` for markers that are weighed and forces of the ties that are known."""
    cost, _ = evaluate(problem, z, target_m, task_values, seen, scratch)
    trial = np.empty_like(z)
    largest = np.inf
    for iteration in range(ITERATIONS):
        newton = largest < NEWTON_BELOW
        differentiate(problem, z, target_m, task_values, seen, newton, scratch)
        while True:
            largest = np.inf
            trial_cost = np.inf
            if _step(problem, z, movable, damping, scratch):
                largest = 0.0
                for k in range(len(z)):
                    largest = max(largest, abs(scratch.step[k]))
                    trial[k] = min(max(z[k] + scratch.step[k], problem.lower[k]), problem.upper[k])
                    if not movable[k]:
                        trial[k] = z[k]
                if largest > LONGEST_STEP and damping < WILD_DAMPING:
                    damping = WILD_DAMPING
                    continue
                trial_cost, _ = evaluate(problem, trial, target_m, task_values, seen, scratch)
            if trial_cost <= cost:
                damping = damping / 10 if damping > FIRST_DAMPING else 0.0
                break
            if largest < STEP_TOLERANCE or damping > LARGEST_DAMPING:
                return cost, iteration
            if newton:
                newton = False
                evaluate(problem, z, target_m, task_values, seen, scratch)
                differentiate(problem, z, target_m, task_values, seen, newton, scratch)
            else:
                damping = max(10 * damping, FIRST_DAMPING)
        gain = cost - trial_cost
        cost = trial_cost
        assign(z, trial)
        # Where markers are met exactly, Gauss and Newton's step is as good as Newton's.
        quadratic = (newton or cost < EXACT_COST_M2) and len(scratch.tie_error) == 0
        full = quadratic and damping == 0.0 and not np.any(scratch.put)
        near = largest < (NEWTON_TOLERANCE if full else STEP_TOLERANCE)
        flat = gain < (NEWTON_GAIN if full else RELATIVE_GAIN) * cost
        if cost < COST_FLOOR_M2:
            return cost, iteration + 1
        if (near or flat) and not _would_leave(problem, z, movable, scratch):
            return cost, iteration + 1
    return cost, ITERATIONS

"""The objective of one frame, compiled: marker residuals, its value, gradient and Hessian.

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

from spinetrack_synth.anatomy.amounts import follow
from spinetrack_synth.anatomy.constraints import QUANTITY, pull
from spinetrack_synth.anatomy.ik.problem import Problem
from spinetrack_synth.anatomy.kinematics import forward
from spinetrack_synth.compiled import apart, assign, by_reference, inner, njit

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TIE_WEIGHT: Final = 1e3
"""What the square of a tie counts for, the markers together counting for 1."""


@by_reference
class Scratch(NamedTuple):
    """Memory that one thread uses again and again, for B bodies, A axes, P markers, k columns.

    `coordinates` fills the quantities ``q`` and slopes, `weigh` the weights in force, ``kept``,
    `evaluate` the places in the world, m, and the ties' errors, `differentiate` the masses of
    composite bodies about the ``reference``, the twists of motions, ``hessian`` and ``gradient``.
    The rest is the step's: its ``factor``, where columns are ``held``, ``stopped`` at their bounds
    and by how much ``put`` there, and the ``force`` that holds them.
    """

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
    markers, columns = len(problem.markers.body), len(problem.lower)
    return Scratch(
        q=np.zeros(len(problem.coupling.offset)),
        slope_of_entry=problem.coupling.slope.copy(),
        slope_of_source=np.zeros(len(problem.coupling.program.source)),
        body2world=np.zeros((bodies, 4, 4)),
        axis_world=np.zeros((axes, 3)),
        origin_world=np.zeros((axes, 3)),
        axis_slope=np.zeros(axes),
        points=np.zeros((markers, 3)),
        kept=np.zeros(markers),
        reference=np.zeros(3),
        mass=np.zeros((bodies, 25)),
        twist=np.zeros((len(problem.motions.body), 6)),
        hessian=np.zeros((columns, columns)),
        factor=np.zeros((columns, columns)),
        gradient=np.zeros(columns),
        step=np.zeros(columns),
        put=np.zeros(columns),
        free_step=np.zeros(columns),
        force=np.zeros(columns),
        response=np.zeros((columns, columns)),
        between=np.zeros((columns, columns)),
        stopped=np.zeros(columns, dtype=np.int64),
        held=np.zeros(columns, dtype=np.bool_),
        tie_error=np.zeros(ties),
        tie_force=np.zeros(ties),
        tie_point=np.zeros((ties, 3)),
        tie_direction=np.zeros((ties, 3)),
        tie_row=np.zeros(columns),
    )


@njit(error_model="numpy")
def coordinates(problem: Problem, z: Array, scratch: Scratch) -> None:
    """Write all quantities into ``scratch.q``, from the free coordinates z (k,), rad and m, and the
    slopes of those that are no lines."""
    q, slope = scratch.q, scratch.slope_of_entry
    offset, entry_start = problem.coupling.offset, problem.coupling.start
    entry_slope, entry_column = problem.coupling.slope, problem.coupling.column
    for i in range(len(q)):
        value = offset[i]
        for entry in range(entry_start[i], entry_start[i + 1]):
            value += entry_slope[entry] * z[entry_column[entry]]
        q[i] = value
    if len(problem.coupling.program.kind):
        follow(problem.coupling.program, q, scratch.slope_of_source)
        term_entry, term_source = problem.coupling.term_entry, problem.coupling.term_source
        for term in range(len(term_entry)):
            slope[term_entry[term]] = 0.0
        for term in range(len(term_entry)):
            by_source = scratch.slope_of_source[term_source[term]]
            slope[term_entry[term]] += by_source * slope[problem.coupling.term_from[term]]


@njit(error_model="numpy")
def weigh(problem: Problem, target_m: Array, counted: Bools, scratch: Scratch) -> int:
    """Write the weights in force for a frame into scratch: of the markers of ``target_m`` (P, 3)
    that are seen and ``counted`` (P,), with sum 1.

    Returns how many of them are on bodies: those on ground say nothing.
    """
    kept, marker_weight = scratch.kept, problem.markers.weight
    total, count = 0.0, 0
    for p in range(len(target_m)):
        seen = np.isfinite(target_m[p, 0] + target_m[p, 1] + target_m[p, 2])
        kept[p] = marker_weight[p] if seen and counted[p] else 0.0
        total += kept[p]
        if kept[p] > 0 and problem.markers.body[p] >= 0:
            count += 1
    if total > 0:
        for p in range(len(target_m)):
            kept[p] /= total
    return count


@apart(error_model="numpy", fastmath={"contract"})
def evaluate(
    problem: Problem, z: Array, target_m: Array, task_values: Array, seen: int, scratch: Scratch
) -> tuple[float, float]:
    """The objective at z (k,), m^2, and the part of it that the marker residuals make.

    Where there are ties, the objective is their augmented Lagrangian. ``target_m`` (P, 3), NaN
    where missing; ``task_values`` (T,); ``seen`` as `weigh` counts, which comes first. Writes the
    quantities, bodies, axes, ties and the places of markers that count (``points``) into scratch.
    """
    coordinates(problem, z, scratch)
    forward(
        problem.chain, scratch.q, scratch.body2world,
        scratch.axis_world, scratch.origin_world, scratch.axis_slope,
    )  # fmt: skip
    body2world, kept, points = scratch.body2world, scratch.kept, scratch.points
    marker_body, offset_m = problem.markers.body, problem.markers.offset_m
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
    for t in range(len(problem.tasks.coordinate)):
        away = scratch.q[problem.tasks.coordinate[t]] - task_values[t]
        cost += problem.tasks.weight[t] * away * away
    if len(problem.ties.kind):
        error, force = scratch.tie_error, scratch.tie_force
        pull(problem.ties, scratch.q, body2world, error, scratch.tie_point, scratch.tie_direction)
        for t in range(len(error)):
            cost += TIE_WEIGHT * error[t] * (error[t] + 2.0 * force[t])
    share, center, prior_weight = 1.0 / max(seen, 1), problem.prior.center, problem.prior.weight
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
    marker_body, parents = problem.markers.body, problem.chain.parent
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
    part_start, part_axis, part_entry = (
        problem.motions.part_start,
        problem.motions.part_axis,
        problem.motions.part_entry,
    )
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
    """Write half the gradient and half the Hessian (upper triangle) where `evaluate` was into
    scratch.

    Without ``newton`` the Hessian is Gauss and Newton's, positive wherever the markers are. With
    it the residuals' curvature is added, which costs nothing here: motion i turns the velocity of
    all that a motion j further out moves, d2x/dqi dqj = w_i x dx/dqj.
    """
    # Long, so that a motion's six velocities and forces stay in registers.
    _gather_masses(problem, target_m, scratch)
    _gather_twists(problem, scratch)
    hessian, gradient = scratch.hessian, scratch.gradient
    mass, twist = scratch.mass, scratch.twist
    motion_body, motion_column = problem.motions.body, problem.motions.column
    above_start, above = problem.motions.above_start, problem.motions.above
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
    for t in range(len(problem.tasks.coordinate)):
        i, w = problem.tasks.coordinate[t], problem.tasks.weight[t]
        away = scratch.q[i] - task_values[t]
        first, last = problem.coupling.start[i], problem.coupling.start[i + 1]
        for e in range(first, last):
            column, slope = problem.coupling.column[e], scratch.slope_of_entry[e]
            gradient[column] += w * slope * away
            for d in range(first, last):
                if problem.coupling.column[d] >= column:
                    hessian[column, problem.coupling.column[d]] += (
                        w * slope * scratch.slope_of_entry[d]
                    )
    for t in range(len(problem.ties.kind)):
        _add_tie(problem, t, scratch)
    share, center, prior_weight = 1.0 / max(seen, 1), problem.prior.center, problem.prior.weight
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
        for entry in range(problem.coupling.start[i], problem.coupling.start[i + 1]):
            row[problem.coupling.column[entry]] += scratch.slope_of_entry[entry]
    else:
        n, at, reference = scratch.tie_direction[t], scratch.tie_point[t], scratch.reference
        x, y, z = at[0] - reference[0], at[1] - reference[1], at[2] - reference[2]
        for index in range(problem.tied.start[t], problem.tied.start[t + 1]):
            motion = problem.tied.motion[index]
            w0, w1, w2 = (
                scratch.twist[motion, 0],
                scratch.twist[motion, 1],
                scratch.twist[motion, 2],
            )
            v0 = scratch.twist[motion, 3] + w1 * z - w2 * y
            v1 = scratch.twist[motion, 4] + w2 * x - w0 * z
            v2 = scratch.twist[motion, 5] + w0 * y - w1 * x
            along = n[0] * v0 + n[1] * v1 + n[2] * v2
            row[problem.motions.column[motion]] += problem.tied.sign[index] * along
    pulled = TIE_WEIGHT * (scratch.tie_error[t] + scratch.tie_force[t])
    for k in range(len(row)):
        if row[k] != 0.0:
            gradient[k] += pulled * row[k]
            for j in range(k, len(row)):
                hessian[k, j] += TIE_WEIGHT * row[k] * row[j]

"""The least squares of one frame, compiled: Levenberg-Marquardt within bounds, by Newton's method
near the end.

Bounds are kept by an active set, ties by augmented Lagrangians (Nocedal and Wright 2006, chapter
17.3).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.ik.objective import (
    Scratch,
    differentiate,
    evaluate,
    weigh,
)
from spinetrack_synth.anatomy.ik.problem import Problem
from spinetrack_synth.compiled import apart, assign, inner

Array = NDArray[np.float64]
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

TIE_TOLERANCE: Final = 1e-9
TIE_ROUNDS: Final = 8
"""How far a tie (m, rad) may be off, and how often its force is reckoned anew until it is not."""


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


@apart(error_model="numpy")
def _step(problem: Problem, z: Array, movable: Bools, damping: float, scratch: Scratch) -> bool:
    """Fill ``scratch.step`` with the damped Gauss-Newton step that stays within the bounds.

    Columns that would leave their bounds are put on them and the others solved again, given that:
    not by a new factor but by the forces that hold them there, each at the price of one
    substitution; one that those forces would hold off its bound is let go again. ``scratch.put`` is
    how far the columns go that end at a bound.
    Returns False where the matrix is not positive.
    """
    # Long, since what is held, let go and held again is told by one set of arrays.
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
    """Bring z (k,), rad and m, in place to the least squares of one frame, within bounds.

    ``target_m`` (P, 3), NaN where missing; only ``counted`` (P,) markers count and only
    ``movable`` (k,) columns move. ``damping`` 0 begins with an undamped step, right near the
    solution. Returns the objective, m^2, and the number of steps; writes to scratch.
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

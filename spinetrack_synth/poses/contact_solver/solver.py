"""The contact solver: Gauss-Newton steps of the free coordinates, within their ranges."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import forward
from spinetrack_synth.anatomy.model import Chain
from spinetrack_synth.compiled import inner, njit
from spinetrack_synth.poses.contact_solver.problem import (
    Contacts,
    FreeCoordinates,
    Kinematics,
    LimbCapsules,
    Masses,
    Residuals,
    Rows,
    SolverState,
)
from spinetrack_synth.poses.contact_solver.residuals import (
    MOST_PAIRS,
    balance_residual,
    collision_residuals,
    height_jacobian,
    penetration_residuals,
    reach_residuals,
)

Array = NDArray[np.float64]

CONTACT_SIGMA_M: Final = 0.002
FLOOR_SIGMA_M: Final = 0.003
REACH_SIGMA_M: Final = 0.012
FACING_SIGMA_M: Final = 0.012
FACING_BACK_SIGMA_M: Final = 0.02
BALANCE_SIGMA_M: Final = 0.02
COLLISION_SIGMA_M: Final = 0.006
PENETRATION_SIGMA_M: Final = 0.003
"""How exactly each residual is pursued, against the others and against the posture as given."""

MOST_FLOOR_POINTS: Final = 96
"""Most points of the skin that are watched for going below the floor."""

ITERATIONS: Final = 40
LARGEST_STEP: Final = 0.2
"""Of a coordinate in one iteration, rad or m."""

CONVERGED_STEP: Final = 1e-3
"""Below this the posture counts as found."""

SLOWEST: Final = 0.02
"""Least share of a step that is taken."""

NEARLY_CONVERGED_STEP: Final = 0.02
"""From here on limbs are kept apart."""

EXCHANGES: Final = 6
"""Tries in one iteration to find which one-sided residuals and limits matter."""

DAMPING: Final = 0.05
"""Of a step, as a share of every coordinate's stiffness."""


def solve(
    chain: Chain,
    free: FreeCoordinates,
    masses: Masses,
    contacts: Contacts,
    capsules: LimbCapsules,
    given: Array,
    *,
    balanced: bool = True,
) -> Array:
    """The free coordinates (k,), rad and m, nearest to ``given`` that bring the residuals to
    nothing; that of the balance only where it is asked for."""
    bodies, axes, k = len(chain.parent), len(chain.axis_coordinate), len(given)
    kinematics = Kinematics(
        np.empty((bodies, 4, 4)), np.empty((axes, 3)), np.empty((axes, 3)), np.empty(axes)
    )
    rows = _rows(contacts)
    most = rows.watched + MOST_FLOOR_POINTS
    residuals = Residuals(
        np.zeros((most, k)),
        np.zeros(most),
        np.empty(most),
        np.zeros(most, dtype=np.int64),
        np.zeros(most, dtype=np.int64),
    )
    residuals.sigma[: rows.reaches] = CONTACT_SIGMA_M
    residuals.sigma[rows.reaches : rows.balance] = np.repeat(contacts.meeting_sigma_m, 3)
    residuals.sigma[rows.balance] = BALANCE_SIGMA_M if balanced else np.inf
    residuals.sigma[rows.collisions : rows.penetrations] = COLLISION_SIGMA_M
    residuals.sigma[rows.penetrations : rows.watched] = PENETRATION_SIGMA_M
    residuals.sigma[rows.watched :] = FLOOR_SIGMA_M
    residuals.active[: rows.balance] = 1
    residuals.one_sided[rows.balance] = -1
    residuals.one_sided[rows.collisions :] = 1
    state = SolverState(
        z=given.copy(),
        anchor=given.copy(),
        step=np.zeros(k),
        last=np.zeros(k),
        q=np.empty(len(free.offset)),
        heights=np.empty(len(contacts.body)),
        touching=np.empty(len(contacts.start) - 1, dtype=np.int64),
        body_lowest=np.empty(bodies, dtype=np.int64),
        watched=np.empty(MOST_FLOOR_POINTS, dtype=np.int64),
        watched_sunk=np.empty(MOST_FLOOR_POINTS),
        normal=np.empty((k, k)),
        gradient=np.empty(k),
        row=np.empty(k),
        held=np.empty(k, dtype=np.bool_),
        stop=np.empty(k),
    )
    _iterate(chain, free, masses, contacts, capsules, kinematics, residuals, rows, state)
    return state.z


def _rows(contacts: Contacts) -> Rows:
    reaches = len(contacts.start) - 1
    balance = reaches + 3 * len(contacts.meeting_body)
    penetrations = balance + 1 + MOST_PAIRS
    watched = penetrations + len(contacts.penetrating_body)
    return Rows(reaches, balance, balance + 1, penetrations, watched)


@njit()
def _iterate(
    chain: Chain, free: FreeCoordinates, masses: Masses, contacts: Contacts,
    capsules: LimbCapsules, kinematics: Kinematics, residuals: Residuals, rows: Rows,
    state: SolverState,
) -> None:  # fmt: skip
    z, step, last, touching = state.z, state.step, state.last, state.touching
    heights, watched = state.heights, state.watched
    watching = 0
    # Limbs are kept apart only once hands are where they reach, else they stop on the wrong side.
    keep_apart = False
    pace = 1.0
    for iteration in range(ITERATIONS):
        _forward_kinematics(chain, free, state, kinematics)
        _skin_heights(contacts, kinematics, state)
        if iteration == 0:
            _lift_to_floor(free, kinematics, state)
        for row in range(len(residuals.jacobian)):
            for i in range(len(z)):
                residuals.jacobian[row, i] = 0.0
        for patch in range(len(touching)):
            height_jacobian(chain, free, kinematics, contacts, touching[patch], residuals, patch)
            residuals.value[patch] = heights[touching[patch]]
        reach_residuals(chain, free, kinematics, contacts, residuals, rows.reaches)
        balance_residual(chain, free, kinematics, masses, contacts, state, residuals, rows.balance)
        for pair in range(rows.collisions, rows.penetrations):
            residuals.value[pair], residuals.active[pair] = 1.0, 0
        if keep_apart:
            collision_residuals(chain, free, kinematics, capsules, residuals, rows.collisions)
        penetration_residuals(chain, free, kinematics, contacts, residuals, rows.penetrations)
        watching = _watch_floor(contacts, state, watching)
        for i in range(watching):
            row = rows.watched + i
            height_jacobian(chain, free, kinematics, contacts, watched[i], residuals, row)
            residuals.value[row] = heights[watched[i]] + state.watched_sunk[i]

        _gauss_newton_step(residuals, rows.watched + watching, free, state)
        # Where steps turn back on themselves residuals change sides: shorter ones end in between.
        along = 0.0
        for i in range(len(z)):
            along += step[i] * last[i]
        pace = max(0.5 * pace, SLOWEST) if along < 0.0 else min(1.5 * pace, 1.0)
        largest = 0.0
        for i in range(len(z)):
            last[i] = step[i]
            largest = max(largest, abs(pace * step[i]))
        share = pace * LARGEST_STEP / largest if largest > LARGEST_STEP else pace
        for i in range(len(z)):
            z[i] = min(max(z[i] + share * step[i], free.lower[i]), free.upper[i])
        if keep_apart and largest < CONVERGED_STEP:
            break
        nearly = largest < NEARLY_CONVERGED_STEP or iteration >= ITERATIONS // 4
        keep_apart = keep_apart or nearly


@inner(apart=True)
def _forward_kinematics(
    chain: Chain, free: FreeCoordinates, state: SolverState, kinematics: Kinematics
) -> None:
    for i in range(len(free.offset)):
        state.q[i] = free.offset[i]
        if free.column[i] >= 0:
            state.q[i] += free.factor[i] * state.z[free.column[i]]
    forward(
        chain, state.q, kinematics.body2world, kinematics.axis_world, kinematics.origin_world,
        kinematics.slope,
    )  # fmt: skip


@inner(apart=True)
def _skin_heights(contacts: Contacts, kinematics: Kinematics, state: SolverState) -> None:
    """Fill the height of every skin point above what is under it, and the lowest of every patch and
    of every body."""
    body2world, heights, lowest = kinematics.body2world, state.heights, state.body_lowest
    for b in range(len(lowest)):
        lowest[b] = -1
    for p in range(len(contacts.body)):
        b = contacts.body[p]
        heights[p] = (
            body2world[b, 1, 0] * contacts.offset_m[p, 0]
            + body2world[b, 1, 1] * contacts.offset_m[p, 1]
            + body2world[b, 1, 2] * contacts.offset_m[p, 2]
            + body2world[b, 1, 3]
            - contacts.level_m[b]
        )
        if lowest[b] < 0 or heights[p] < heights[lowest[b]]:
            lowest[b] = p
    for patch in range(len(state.touching)):
        lowest_point = contacts.points[contacts.start[patch]]
        for i in range(contacts.start[patch], contacts.start[patch + 1]):
            if heights[contacts.points[i]] < heights[lowest_point]:
                lowest_point = contacts.points[i]
        state.touching[patch] = lowest_point


@inner(apart=True)
def _lift_to_floor(free: FreeCoordinates, kinematics: Kinematics, state: SolverState) -> None:
    """Lift everything so that contacts are at the floor on average, or the lowest point on it."""
    rise, lowest = 0.0, state.heights[0]
    for patch in range(len(state.touching)):
        rise -= state.heights[state.touching[patch]]
    if len(state.touching) > 0:
        rise /= len(state.touching)
    else:
        for p in range(len(state.heights)):
            lowest = min(lowest, state.heights[p])
        rise = -lowest
    state.z[free.height] += rise
    state.anchor[free.height] = state.z[free.height]
    for p in range(len(state.heights)):
        state.heights[p] += rise
    for body in range(len(kinematics.body2world)):
        kinematics.body2world[body, 1, 3] += rise
    for axis in range(len(kinematics.origin_world)):
        kinematics.origin_world[axis, 1] += rise


@inner(apart=True)
def _watch_floor(contacts: Contacts, state: SolverState, watching: int) -> int:
    """Add points that touch or are below the floor to those watched, and return how many there are.

    They stay watched, else the posture would swing between them.
    """
    watched, patches = state.watched, len(state.touching)
    for candidate in range(patches + len(state.body_lowest)):
        if candidate < patches:
            p, sunk = state.touching[candidate], 0.0
        else:
            b = candidate - patches
            p, sunk = state.body_lowest[b], contacts.allowed_depth_m[b]
            if p < 0 or state.heights[p] > 0.0:
                continue
        known = watching == len(watched)
        for i in range(watching):
            known = known or watched[i] == p
        if not known:
            watched[watching] = p
            state.watched_sunk[watching] = sunk
            watching += 1
    return watching


@inner(apart=True)
def _gauss_newton_step(
    residuals: Residuals, count: int, free: FreeCoordinates, state: SolverState
) -> None:
    """Fill the Gauss-Newton step (k,) towards the first ``count`` residuals.

    One-sided residuals take part only where the step would break them, and coordinates that would
    pass a limit stop at it: both are found by a few exchanges (an active set). ``residuals.active``
    carries the choice to the next iteration.
    """
    z, step, held, stop = state.z, state.step, state.held, state.stop
    k = len(z)
    for i in range(k):
        held[i], stop[i] = False, 0.0
    for _ in range(EXCHANGES):
        _normal_equations(residuals, count, free, state)
        _fix_held(state.normal, state.gradient, held, stop)
        _solve_cholesky(state.normal, state.gradient, step)
        changed = False
        for i in range(k):
            if not held[i] and (z[i] + step[i] < free.lower[i] or z[i] + step[i] > free.upper[i]):
                held[i] = True
                stop[i] = min(max(z[i] + step[i], free.lower[i]), free.upper[i]) - z[i]
                changed = True
        for r in range(count):
            if residuals.one_sided[r] != 0:
                after = residuals.value[r]
                for i in range(k):
                    after += residuals.jacobian[r, i] * step[i]
                broken = 1 if after * residuals.one_sided[r] < 0.0 else 0
                if broken != residuals.active[r]:
                    residuals.active[r] = broken
                    changed = True
        if not changed:
            break


@inner(apart=True)
def _normal_equations(
    residuals: Residuals, count: int, free: FreeCoordinates, state: SolverState
) -> None:
    """Fill the normal matrix and the gradient of the active residuals."""
    normal, gradient, row, k = state.normal, state.gradient, state.row, len(state.z)
    for i in range(k):
        softness = free.stiffness[i] ** 2
        gradient[i] = softness * (state.z[i] - state.anchor[i])
        for j in range(i):
            normal[i, j] = 0.0
        normal[i, i] = softness * (1.0 + DAMPING)
    for r in range(count):
        if residuals.active[r] == 0:
            continue
        wanted = residuals.value[r] / residuals.sigma[r]
        for i in range(k):
            row[i] = residuals.jacobian[r, i] / residuals.sigma[r]
            if row[i] != 0.0:
                gradient[i] += row[i] * wanted
                for j in range(i + 1):
                    normal[i, j] += row[i] * row[j]


@inner()
def _fix_held(normal: Array, gradient: Array, held: NDArray[np.bool_], stop: Array) -> None:
    """Let held coordinates move to where they stop, and the others reckon with that."""
    for i in range(len(stop)):
        if held[i]:
            for j in range(len(stop)):
                gradient[j] += normal[max(i, j), min(i, j)] * stop[i]
    for i in range(len(stop)):
        if held[i]:
            for j in range(len(stop)):
                normal[max(i, j), min(i, j)] = 1.0 if i == j else 0.0
            gradient[i] = -stop[i]


@inner(apart=True)
def _solve_cholesky(matrix: Array, gradient: Array, step: Array) -> None:
    """Fill ``step`` (k,) = -matrix^-1 gradient by Cholesky's factor, which replaces the matrix."""
    for i in range(len(step)):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = np.sqrt(total) if i == j else total / matrix[j, j]
    for i in range(len(step)):
        total = -gradient[i]
        for k in range(i):
            total -= matrix[i, k] * step[k]
        step[i] = total / matrix[i, i]
    for i in range(len(step) - 1, -1, -1):
        step[i] /= matrix[i, i]
        for k in range(i):
            step[k] -= matrix[i, k] * step[i]

"""The compiled heart of `ground`: aims, their slopes, and the Gauss-Newton steps towards them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import forward
from spinetrack_synth.anatomy.model import Chain
from spinetrack_synth.compiled import apart, by_reference, inner, njit
from spinetrack_synth.poses.collision import pair_gaps

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

CONTACT_SIGMA_M: Final = 0.002
FLOOR_SIGMA_M: Final = 0.003
REACH_SIGMA_M: Final = 0.012
FACING_SIGMA_M: Final = 0.012
FACING_BACK_SIGMA_M: Final = 0.02
BALANCE_SIGMA_M: Final = 0.02
APART_SIGMA_M: Final = 0.006
OUT_SIGMA_M: Final = 0.003
"""How exactly each aim is pursued, against the others and against the posture as it was given."""

SUPPORT_MARGIN_M: Final = 0.01
"""How far inside its support the centre of mass is wanted."""

SUPPORT_M: Final = 0.012
"""Skin this close above the lowest point of a touching patch carries weight."""

NEAR_FLOOR: Final = 96
"""Most points of the skin that are watched for going below the floor."""

NEAR_PAIRS: Final = 32
NEAR_M: Final = 0.03
"""Most pairs of capsules kept apart at a time, and how near they come before they count."""

ITERATIONS: Final = 40
LARGEST_STEP: Final = 0.2
"""Of a coordinate in one iteration, rad or m."""

SETTLED_STEP: Final = 1e-3
"""Below this the posture has settled."""

SLOWEST: Final = 0.02
"""Least share of a step that is taken."""

NEARLY_SETTLED_STEP: Final = 0.02
"""From here on limbs are kept apart."""

EXCHANGES: Final = 6
"""Tries in one iteration to find which one-sided aims and limits matter."""

DAMPING: Final = 0.05
"""Of a step, as a share of every coordinate's stiffness."""


@by_reference
class Drive(NamedTuple):
    """How the k free coordinates drive all n: ``q[i] = factor[i] * z[column[i]] + offset[i]``, the
    range of each, and its ``stiffness`` (1 / how readily it gives way, rad or m). ``height`` is the
    free coordinate that lifts the whole posture."""

    column: Ints
    factor: Array
    offset: Array
    lower: Array
    upper: Array
    stiffness: Array
    height: int


@by_reference
class Masses(NamedTuple):
    """Mass of every body, (B,) kg, and its centre in the body, (B, 3) m."""

    kg: Array
    center_m: Array


@by_reference
class Touch(NamedTuple):
    """Skin points (V,) on bodies; patches that touch the floor, ``points[start[i]:start[i + 1]]``;
    R pairs of points that meet, on the bodies ``meeting_body`` (R, 2) at ``meeting_m`` (R, 2, 3)
    in these, within ``meeting_sigma_m`` (R,); E points that entered other skin, with the place they
    are to come out at, on the bodies ``entered_body`` (E, 2) at ``entered_m`` (E, 2, 3) in these,
    and where the skin faces there, ``outward`` (E, 3) in the second body; depth to which each
    body's skin may sink (B,) m."""

    body: Ints
    offset_m: Array
    start: Ints
    points: Ints
    meeting_body: Ints
    meeting_m: Array
    meeting_sigma_m: Array
    entered_body: Ints
    entered_m: Array
    outward: Array
    sunk_m: Array


@by_reference
class Limbs(NamedTuple):
    """Capsules kept apart, as in `collision.Capsules`."""

    body: Ints
    start_m: Array
    end_m: Array
    radius_m: Array
    pairs: Ints
    slack_m: Array


@by_reference
class Motion(NamedTuple):
    """Where the bodies and the joint axes are, as `kinematics.forward` fills them."""

    body2world: Array
    axis_world: Array
    origin_world: Array
    slope: Array


@by_reference
class Aims(NamedTuple):
    """What a step should do: ``rows @ step + residual = 0`` within ``sigma``.

    ``one_sided`` is 1 where the aim may stay positive, -1 negative, 0 neither; ``needed`` tells
    which aims take part at present.
    """

    rows: Array
    residual: Array
    sigma: Array
    one_sided: Ints
    needed: Ints


@by_reference
class State(NamedTuple):
    """Where the solver stands: the free coordinates ``z`` (k,), where they would rather be, the
    step and the one before; all coordinates ``q``; height of every skin point, the lowest point of
    every patch and of every body (-1 for a body without skin), and points watched, with the depth
    that each may sink to. What a step is found with: the normal matrix, its lower half, and the
    gradient, and which coordinates are held and where they ``stop``."""

    z: Array
    anchor: Array
    step: Array
    last: Array
    q: Array
    heights: Array
    touching: Ints
    body_lowest: Ints
    watched: Ints
    watched_sunk: Array
    normal: Array
    gradient: Array
    row: Array
    held: NDArray[np.bool_]
    stop: Array


@by_reference
class Rows(NamedTuple):
    """Where the aims of each kind begin: contacts at 0, then ``reaches``, the ``balance``,
    ``pairs`` of limbs kept apart, points that ``entered`` other skin and are on their way out, and
    a growing list of ``watched`` points that came to the floor and must not go below."""

    reaches: int
    balance: int
    pairs: int
    entered: int
    watched: int


def settled_coordinates(
    chain: Chain, drive: Drive, masses: Masses, touch: Touch, limbs: Limbs, given: Array
) -> Array:
    """The free coordinates (k,) nearest to ``given`` that reach the aims."""
    bodies, axes, k = len(chain.parent), len(chain.axis_coordinate), len(given)
    motion = Motion(
        np.empty((bodies, 4, 4)), np.empty((axes, 3)), np.empty((axes, 3)), np.empty(axes)
    )
    rows = _rows(touch)
    most = rows.watched + NEAR_FLOOR
    aims = Aims(
        np.zeros((most, k)),
        np.zeros(most),
        np.empty(most),
        np.zeros(most, dtype=np.int64),
        np.zeros(most, dtype=np.int64),
    )
    aims.sigma[: rows.reaches] = CONTACT_SIGMA_M
    aims.sigma[rows.reaches : rows.balance] = np.repeat(touch.meeting_sigma_m, 3)
    aims.sigma[rows.balance] = BALANCE_SIGMA_M
    aims.sigma[rows.pairs : rows.entered] = APART_SIGMA_M
    aims.sigma[rows.entered : rows.watched] = OUT_SIGMA_M
    aims.sigma[rows.watched :] = FLOOR_SIGMA_M
    aims.needed[: rows.balance] = 1
    aims.one_sided[rows.balance] = -1
    aims.one_sided[rows.pairs :] = 1
    state = State(
        z=given.copy(),
        anchor=given.copy(),
        step=np.zeros(k),
        last=np.zeros(k),
        q=np.empty(len(drive.offset)),
        heights=np.empty(len(touch.body)),
        touching=np.empty(len(touch.start) - 1, dtype=np.int64),
        body_lowest=np.empty(bodies, dtype=np.int64),
        watched=np.empty(NEAR_FLOOR, dtype=np.int64),
        watched_sunk=np.empty(NEAR_FLOOR),
        normal=np.empty((k, k)),
        gradient=np.empty(k),
        row=np.empty(k),
        held=np.empty(k, dtype=np.bool_),
        stop=np.empty(k),
    )
    _settle(chain, drive, masses, touch, limbs, motion, aims, rows, state)
    return state.z


def _rows(touch: Touch) -> Rows:
    reaches = len(touch.start) - 1
    balance = reaches + 3 * len(touch.meeting_body)
    entered = balance + 1 + NEAR_PAIRS
    return Rows(reaches, balance, balance + 1, entered, entered + len(touch.entered_body))


@njit()
def _settle(
    chain: Chain, drive: Drive, masses: Masses, touch: Touch, limbs: Limbs, motion: Motion,
    aims: Aims, rows: Rows, state: State,
) -> None:  # fmt: skip
    z, step, last, touching = state.z, state.step, state.last, state.touching
    heights, watched = state.heights, state.watched
    watching = 0
    # Limbs are kept apart only once hands are where they reach, else they stop on the wrong side.
    apart = False
    pace = 1.0
    for iteration in range(ITERATIONS):
        _move(chain, drive, state, motion)
        _feel(touch, motion, state)
        if iteration == 0:
            _rise_to_floor(drive, motion, state)
        for row in range(len(aims.rows)):
            for i in range(len(z)):
                aims.rows[row, i] = 0.0
        for patch in range(len(touching)):
            _height_aim(chain, drive, motion, touch, touching[patch], aims, patch)
            aims.residual[patch] = heights[touching[patch]]
        _reach_aims(chain, drive, motion, touch, aims, rows.reaches)
        _balance_aim(chain, drive, motion, masses, touch, state, aims, rows.balance)
        for pair in range(rows.pairs, rows.entered):
            aims.residual[pair], aims.needed[pair] = 1.0, 0
        if apart:
            _apart_aims(chain, drive, motion, limbs, aims, rows.pairs)
        _out_aims(chain, drive, motion, touch, aims, rows.entered)
        watching = _watch(touch, state, watching)
        for i in range(watching):
            _height_aim(chain, drive, motion, touch, watched[i], aims, rows.watched + i)
            aims.residual[rows.watched + i] = heights[watched[i]] + state.watched_sunk[i]

        _step(aims, rows.watched + watching, drive, state)
        # Where steps turn back on themselves the aims change sides: shorter ones settle between.
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
            z[i] = min(max(z[i] + share * step[i], drive.lower[i]), drive.upper[i])
        if apart and largest < SETTLED_STEP:
            break
        apart = apart or largest < NEARLY_SETTLED_STEP or iteration >= ITERATIONS // 4


@inner(apart=True)
def _move(chain: Chain, drive: Drive, state: State, motion: Motion) -> None:
    for i in range(len(drive.offset)):
        state.q[i] = drive.offset[i]
        if drive.column[i] >= 0:
            state.q[i] += drive.factor[i] * state.z[drive.column[i]]
    forward(chain, state.q, motion.body2world, motion.axis_world, motion.origin_world, motion.slope)


@inner(apart=True)
def _feel(touch: Touch, motion: Motion, state: State) -> None:
    """Fill the height of every skin point, and the lowest of every patch and of every body."""
    body2world, heights, lowest = motion.body2world, state.heights, state.body_lowest
    for b in range(len(lowest)):
        lowest[b] = -1
    for p in range(len(touch.body)):
        b = touch.body[p]
        heights[p] = (
            body2world[b, 1, 0] * touch.offset_m[p, 0]
            + body2world[b, 1, 1] * touch.offset_m[p, 1]
            + body2world[b, 1, 2] * touch.offset_m[p, 2]
            + body2world[b, 1, 3]
        )
        if lowest[b] < 0 or heights[p] < heights[lowest[b]]:
            lowest[b] = p
    for patch in range(len(state.touching)):
        lowest_point = touch.points[touch.start[patch]]
        for i in range(touch.start[patch], touch.start[patch + 1]):
            if heights[touch.points[i]] < heights[lowest_point]:
                lowest_point = touch.points[i]
        state.touching[patch] = lowest_point


@inner(apart=True)
def _rise_to_floor(drive: Drive, motion: Motion, state: State) -> None:
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
    state.z[drive.height] += rise
    state.anchor[drive.height] = state.z[drive.height]
    for p in range(len(state.heights)):
        state.heights[p] += rise
    for body in range(len(motion.body2world)):
        motion.body2world[body, 1, 3] += rise
    for axis in range(len(motion.origin_world)):
        motion.origin_world[axis, 1] += rise


@inner(apart=True)
def _watch(touch: Touch, state: State, watching: int) -> int:
    """Add points that touch or are below the floor to those watched, and return how many there are.

    They stay watched, else the posture would swing between them.
    """
    watched, patches = state.watched, len(state.touching)
    for candidate in range(patches + len(state.body_lowest)):
        if candidate < patches:
            p, sunk = state.touching[candidate], 0.0
        else:
            b = candidate - patches
            p, sunk = state.body_lowest[b], touch.sunk_m[b]
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
def _height_aim(
    chain: Chain, drive: Drive, motion: Motion, touch: Touch, p: int, aims: Aims, row: int
) -> None:
    point = _at(motion.body2world, touch.body[p], touch.offset_m[p])
    _add_slope(chain, drive, motion, touch.body[p], point, (0.0, 1.0, 0.0), aims, row)


@inner(apart=True)
def _reach_aims(
    chain: Chain, drive: Drive, motion: Motion, touch: Touch, aims: Aims, first: int
) -> None:
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    for pair in range(len(touch.meeting_body)):
        one, other = touch.meeting_body[pair, 0], touch.meeting_body[pair, 1]
        a = _at(motion.body2world, one, touch.meeting_m[pair, 0])
        b = _at(motion.body2world, other, touch.meeting_m[pair, 1])
        for i in range(3):
            row = first + 3 * pair + i
            x, y, z = axes[i]
            _add_slope(chain, drive, motion, one, a, (x, y, z), aims, row)
            _add_slope(chain, drive, motion, other, b, (-x, -y, -z), aims, row)
            aims.residual[row] = a[i] - b[i]


@inner(apart=True)
def _balance_aim(
    chain: Chain, drive: Drive, motion: Motion, masses: Masses, touch: Touch, state: State,
    aims: Aims, row: int,
) -> None:  # fmt: skip
    heights, touching = state.heights, state.touching
    patches = len(touching)
    if patches == 0:
        aims.residual[row] = -1.0
        return
    support = np.empty((len(touch.points), 2))
    count = 0
    for patch in range(patches):
        for i in range(touch.start[patch], touch.start[patch + 1]):
            p = touch.points[i]
            if heights[p] < heights[touching[patch]] + SUPPORT_M:
                point = _at(motion.body2world, touch.body[p], touch.offset_m[p])
                support[count, 0], support[count, 1] = point[0], point[2]
                count += 1
    center = center_of_mass(motion.body2world, masses)
    beyond, outward = beyond_support(hull(support[:count]), center, SUPPORT_MARGIN_M)
    aims.residual[row] = beyond
    total = 0.0
    for b in range(len(masses.kg)):
        total += masses.kg[b]
    for b in range(len(masses.kg)):
        share = masses.kg[b] / total
        direction = (share * outward[0], 0.0, share * outward[1])
        point = _at(motion.body2world, b, masses.center_m[b])
        _add_slope(chain, drive, motion, b, point, direction, aims, row)
    # The support moves along with the patches that stand on the floor.
    for patch in range(patches):
        p = touching[patch]
        direction = (-outward[0] / patches, 0.0, -outward[1] / patches)
        point = _at(motion.body2world, touch.body[p], touch.offset_m[p])
        _add_slope(chain, drive, motion, touch.body[p], point, direction, aims, row)


@inner(apart=True)
def _apart_aims(
    chain: Chain, drive: Drive, motion: Motion, limbs: Limbs, aims: Aims, first: int
) -> None:
    gaps, closest = np.empty(len(limbs.pairs)), np.empty((len(limbs.pairs), 2, 3))
    pair_gaps(
        motion.body2world, limbs.body, limbs.start_m, limbs.end_m, limbs.radius_m,
        limbs.pairs, limbs.slack_m, gaps, closest,
    )  # fmt: skip
    order = _ascending(gaps)
    row = first
    for n in range(min(len(order), NEAR_PAIRS)):
        pair = order[n]
        if gaps[pair] > NEAR_M:
            break
        a = (closest[pair, 0, 0], closest[pair, 0, 1], closest[pair, 0, 2])
        b = (closest[pair, 1, 0], closest[pair, 1, 1], closest[pair, 1, 2])
        x, y, z = a[0] - b[0], a[1] - b[1], a[2] - b[2]
        distance = np.sqrt(x * x + y * y + z * z)
        if distance < 1e-6:
            continue
        x, y, z = x / distance, y / distance, z / distance
        one, other = limbs.body[limbs.pairs[pair, 0]], limbs.body[limbs.pairs[pair, 1]]
        _add_slope(chain, drive, motion, one, a, (x, y, z), aims, row)
        _add_slope(chain, drive, motion, other, b, (-x, -y, -z), aims, row)
        aims.residual[row] = gaps[pair]
        aims.needed[row] = 1 if gaps[pair] < 0.0 else 0
        row += 1


@inner(apart=True)
def _out_aims(
    chain: Chain, drive: Drive, motion: Motion, touch: Touch, aims: Aims, first: int
) -> None:
    for e in range(len(touch.entered_body)):
        one, other = touch.entered_body[e, 0], touch.entered_body[e, 1]
        a = _at(motion.body2world, one, touch.entered_m[e, 0])
        b = _at(motion.body2world, other, touch.entered_m[e, 1])
        x, y, z = _at(motion.body2world, other, touch.outward[e])
        x -= motion.body2world[other, 0, 3]
        y -= motion.body2world[other, 1, 3]
        z -= motion.body2world[other, 2, 3]
        _add_slope(chain, drive, motion, one, a, (x, y, z), aims, first + e)
        _add_slope(chain, drive, motion, other, b, (-x, -y, -z), aims, first + e)
        aims.residual[first + e] = (a[0] - b[0]) * x + (a[1] - b[1]) * y + (a[2] - b[2]) * z


@inner(apart=True)
def _step(aims: Aims, count: int, drive: Drive, state: State) -> None:
    """Fill the Gauss-Newton step (k,) towards the first ``count`` aims.

    One-sided aims take part only where the step would break them, and coordinates that would pass a
    limit stop at it: both are found by a few exchanges. ``aims.needed`` carries the choice to the
    next iteration.
    """
    z, step, held, stop = state.z, state.step, state.held, state.stop
    k = len(z)
    for i in range(k):
        held[i], stop[i] = False, 0.0
    for _ in range(EXCHANGES):
        _gather(aims, count, drive, state)
        _hold(state.normal, state.gradient, held, stop)
        _solve(state.normal, state.gradient, step)
        changed = False
        for i in range(k):
            if not held[i] and (z[i] + step[i] < drive.lower[i] or z[i] + step[i] > drive.upper[i]):
                held[i] = True
                stop[i] = min(max(z[i] + step[i], drive.lower[i]), drive.upper[i]) - z[i]
                changed = True
        for r in range(count):
            if aims.one_sided[r] != 0:
                after = aims.residual[r]
                for i in range(k):
                    after += aims.rows[r, i] * step[i]
                broken = 1 if after * aims.one_sided[r] < 0.0 else 0
                if broken != aims.needed[r]:
                    aims.needed[r] = broken
                    changed = True
        if not changed:
            break


@inner(apart=True)
def _gather(aims: Aims, count: int, drive: Drive, state: State) -> None:
    """Fill the normal matrix and the gradient of the needed aims."""
    normal, gradient, row, k = state.normal, state.gradient, state.row, len(state.z)
    for i in range(k):
        softness = drive.stiffness[i] ** 2
        gradient[i] = softness * (state.z[i] - state.anchor[i])
        for j in range(i):
            normal[i, j] = 0.0
        normal[i, i] = softness * (1.0 + DAMPING)
    for r in range(count):
        if aims.needed[r] == 0:
            continue
        wanted = aims.residual[r] / aims.sigma[r]
        for i in range(k):
            row[i] = aims.rows[r, i] / aims.sigma[r]
            if row[i] != 0.0:
                gradient[i] += row[i] * wanted
                for j in range(i + 1):
                    normal[i, j] += row[i] * row[j]


@inner()
def _hold(normal: Array, gradient: Array, held: NDArray[np.bool_], stop: Array) -> None:
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
def _solve(matrix: Array, gradient: Array, step: Array) -> None:
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


@inner(apart=True)
def _at(body2world: Array, body: int, offset: Array) -> tuple[float, float, float]:
    a, b, c = offset[0], offset[1], offset[2]
    return (
        body2world[body, 0, 0] * a
        + body2world[body, 0, 1] * b
        + body2world[body, 0, 2] * c
        + body2world[body, 0, 3],
        body2world[body, 1, 0] * a
        + body2world[body, 1, 1] * b
        + body2world[body, 1, 2] * c
        + body2world[body, 1, 3],
        body2world[body, 2, 0] * a
        + body2world[body, 2, 1] * b
        + body2world[body, 2, 2] * c
        + body2world[body, 2, 3],
    )


@inner(apart=True)
def _add_slope(
    chain: Chain, drive: Drive, motion: Motion, body: int, point: tuple[float, float, float],
    direction: tuple[float, float, float], aims: Aims, row: int,
) -> None:  # fmt: skip
    """rows[row] += d (direction . point) / d z for a point (3,) m in the world that rides on a
    body."""
    rows = aims.rows
    dx, dy, dz = direction
    while body >= 0:
        for axis in range(chain.axis_start[body], chain.axis_start[body + 1]):
            coordinate = chain.axis_coordinate[axis]
            if coordinate < 0 or drive.column[coordinate] < 0:
                continue
            a0 = motion.axis_world[axis, 0]
            a1 = motion.axis_world[axis, 1]
            a2 = motion.axis_world[axis, 2]
            s = motion.slope[axis] * drive.factor[coordinate]
            if chain.axis_is_rotation[axis]:
                x = point[0] - motion.origin_world[axis, 0]
                y = point[1] - motion.origin_world[axis, 1]
                z = point[2] - motion.origin_world[axis, 2]
                slope = dx * (a1 * z - a2 * y) + dy * (a2 * x - a0 * z) + dz * (a0 * y - a1 * x)
            else:
                slope = dx * a0 + dy * a1 + dz * a2
            rows[row, drive.column[coordinate]] += s * slope
        body = chain.parent[body]


@apart()
def center_of_mass(body2world: Array, masses: Masses) -> Array:
    """Centre of mass of the whole model seen from above, x and z (2,) m."""
    center = np.zeros(2)
    total = 0.0
    for b in range(len(masses.kg)):
        x, _, z = _at(body2world, b, masses.center_m[b])
        center[0] += masses.kg[b] * x
        center[1] += masses.kg[b] * z
        total += masses.kg[b]
    center[0] /= total
    center[1] /= total
    return center


@apart()
def hull(points: Array) -> Array:
    """Corners of the convex hull of points (P, 2), counterclockwise (Andrew's monotone chain)."""
    along = np.empty(len(points))
    for p in range(len(points)):
        along[p] = points[p, 0] + 1e-9 * points[p, 1]
    order = _ascending(along)
    corners = np.empty((2 * len(order) + 1, 2))
    size = 0
    for sweep in range(2):
        least = size + 1
        for i in range(len(order)):
            p = order[i] if sweep == 0 else order[len(order) - 1 - i]
            x, y = points[p, 0], points[p, 1]
            while size > least:
                # The corner before stays where the point lies to the left of the line through it.
                ax, ay = corners[size - 2, 0], corners[size - 2, 1]
                bx, by = corners[size - 1, 0], corners[size - 1, 1]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0.0:
                    break
                size -= 1
            corners[size, 0], corners[size, 1] = x, y
            size += 1
        size -= 1
    return corners[: max(size, 1)]


@inner(apart=True)
def _ascending(values: Array) -> Ints:
    """Indices that sort values (Shell's sort: numba's own takes a second to compile)."""
    order = np.empty(len(values), dtype=np.int64)
    for i in range(len(values)):
        order[i] = i
    gap = len(values) // 2
    while gap > 0:
        for i in range(gap, len(values)):
            moved, j = order[i], i
            while j >= gap and values[order[j - gap]] > values[moved]:
                order[j] = order[j - gap]
                j -= gap
            order[j] = moved
        gap //= 2
    return order


@apart()
def beyond_support(corners: Array, point: Array, margin: float) -> tuple[float, Array]:
    """How far a point (2,) lies outside a convex polygon (P, 2) drawn in by a margin, negative
    inside, and the direction (2,) outward. Where the polygon is thinner than the margin its middle
    counts."""
    count = len(corners)
    cx, cy = 0.0, 0.0
    for i in range(count):
        cx += corners[i, 0] / count
        cy += corners[i, 1] / count
    x, y = point[0] - cx, point[1] - cy
    nearest = np.sqrt(x * x + y * y) + 1e-9
    to_nearest = (x / nearest, y / nearest)
    farthest, outward = -np.inf, to_nearest
    for i in range(count):
        ax, ay = corners[i, 0], corners[i, 1]
        ex, ey = corners[(i + 1) % count, 0] - ax, corners[(i + 1) % count, 1] - ay
        length = np.sqrt(ex * ex + ey * ey)
        if length < 1e-9:
            continue
        nx, ny = ey / length, -ex / length
        x, y = point[0] - ax, point[1] - ay
        beyond = x * nx + y * ny + min(margin, 0.9 * max(0.0, (ax - cx) * nx + (ay - cy) * ny))
        if beyond > farthest:
            farthest, outward = beyond, (nx, ny)
        along = min(max((x * ex + y * ey) / length**2, 0.0), 1.0)
        x, y = point[0] - (ax + along * ex), point[1] - (ay + along * ey)
        distance = np.sqrt(x * x + y * y)
        if distance < nearest:
            nearest, to_nearest = distance, (x / (distance + 1e-9), y / (distance + 1e-9))
    if farthest > margin or farthest == -np.inf:
        farthest, outward = nearest + margin, to_nearest
    direction = np.empty(2)
    direction[0], direction[1] = outward
    return farthest, direction

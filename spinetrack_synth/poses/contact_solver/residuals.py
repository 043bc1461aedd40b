"""The residuals of the contact solver with their gradients along the free coordinates."""

from __future__ import annotations

from typing import Final

import numpy as np

from spinetrack_synth.anatomy.model import Chain
from spinetrack_synth.compiled import inner
from spinetrack_synth.poses.collision import pair_gaps
from spinetrack_synth.poses.contact_solver.problem import (
    Contacts,
    FreeCoordinates,
    Kinematics,
    LimbCapsules,
    Masses,
    Residuals,
    SolverState,
)
from spinetrack_synth.poses.contact_solver.support_polygon import (
    ascending,
    beyond_support,
    center_of_mass,
    hull,
    point_world,
)

SUPPORT_MARGIN_M: Final = 0.01
"""How far inside its support the centre of mass is wanted."""

SUPPORT_M: Final = 0.012
"""Skin this close above the lowest point of a touching patch carries weight."""

MOST_PAIRS: Final = 32
NEAR_M: Final = 0.03
"""Most pairs of capsules kept apart at a time, and how near they come before they count."""


@inner(apart=True)
def height_jacobian(
    chain: Chain, free: FreeCoordinates, kinematics: Kinematics, contacts: Contacts, p: int,
    residuals: Residuals, row: int,
) -> None:  # fmt: skip
    """Add the gradient of the height of skin point ``p`` to a row."""
    point = point_world(kinematics.body2world, contacts.body[p], contacts.offset_m[p])
    add_gradient(chain, free, kinematics, contacts.body[p], point, (0.0, 1.0, 0.0), residuals, row)


@inner(apart=True)
def reach_residuals(
    chain: Chain, free: FreeCoordinates, kinematics: Kinematics, contacts: Contacts,
    residuals: Residuals, first: int,
) -> None:  # fmt: skip
    """Fill from row ``first`` on how far the points that meet are apart, along X, Y and Z."""
    axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    for pair in range(len(contacts.meeting_body)):
        one, other = contacts.meeting_body[pair, 0], contacts.meeting_body[pair, 1]
        a = point_world(kinematics.body2world, one, contacts.meeting_m[pair, 0])
        b = point_world(kinematics.body2world, other, contacts.meeting_m[pair, 1])
        for i in range(3):
            row = first + 3 * pair + i
            x, y, z = axes[i]
            add_gradient(chain, free, kinematics, one, a, (x, y, z), residuals, row)
            add_gradient(chain, free, kinematics, other, b, (-x, -y, -z), residuals, row)
            residuals.value[row] = a[i] - b[i]


@inner(apart=True)
def balance_residual(
    chain: Chain, free: FreeCoordinates, kinematics: Kinematics, masses: Masses, contacts: Contacts,
    state: SolverState, residuals: Residuals, row: int,
) -> None:  # fmt: skip
    """Fill how far the centre of mass lies outside its support, drawn in by a margin."""
    heights, touching = state.heights, state.touching
    patches = len(touching)
    if patches == 0:
        residuals.value[row] = -1.0
        return
    support = np.empty((len(contacts.points), 2))
    count = 0
    for patch in range(patches):
        for i in range(contacts.start[patch], contacts.start[patch + 1]):
            p = contacts.points[i]
            if heights[p] < heights[touching[patch]] + SUPPORT_M:
                point = point_world(kinematics.body2world, contacts.body[p], contacts.offset_m[p])
                support[count, 0], support[count, 1] = point[0], point[2]
                count += 1
    center = center_of_mass(kinematics.body2world, masses)
    beyond, outward = beyond_support(hull(support[:count]), center, SUPPORT_MARGIN_M)
    residuals.value[row] = beyond
    total = 0.0
    for b in range(len(masses.kg)):
        total += masses.kg[b]
    for b in range(len(masses.kg)):
        share = masses.kg[b] / total
        direction = (share * outward[0], 0.0, share * outward[1])
        point = point_world(kinematics.body2world, b, masses.center_m[b])
        add_gradient(chain, free, kinematics, b, point, direction, residuals, row)
    # The support moves along with the patches that stand on the floor.
    for patch in range(patches):
        p = touching[patch]
        direction = (-outward[0] / patches, 0.0, -outward[1] / patches)
        point = point_world(kinematics.body2world, contacts.body[p], contacts.offset_m[p])
        add_gradient(chain, free, kinematics, contacts.body[p], point, direction, residuals, row)


@inner(apart=True)
def collision_residuals(
    chain: Chain, free: FreeCoordinates, kinematics: Kinematics, capsules: LimbCapsules,
    residuals: Residuals, first: int,
) -> None:  # fmt: skip
    """Fill from row ``first`` on the room between the capsules of the pairs that are nearest."""
    gaps, closest = np.empty(len(capsules.pairs)), np.empty((len(capsules.pairs), 2, 3))
    pair_gaps(
        kinematics.body2world, capsules.body, capsules.start_m, capsules.end_m, capsules.radius_m,
        capsules.pairs, capsules.slack_m, gaps, closest,
    )  # fmt: skip
    order = ascending(gaps)
    row = first
    for n in range(min(len(order), MOST_PAIRS)):
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
        one, other = capsules.body[capsules.pairs[pair, 0]], capsules.body[capsules.pairs[pair, 1]]
        add_gradient(chain, free, kinematics, one, a, (x, y, z), residuals, row)
        add_gradient(chain, free, kinematics, other, b, (-x, -y, -z), residuals, row)
        residuals.value[row] = gaps[pair]
        residuals.active[row] = 1 if gaps[pair] < 0.0 else 0
        row += 1


@inner(apart=True)
def penetration_residuals(
    chain: Chain, free: FreeCoordinates, kinematics: Kinematics, contacts: Contacts,
    residuals: Residuals, first: int,
) -> None:  # fmt: skip
    """Fill from row ``first`` on how far penetrating points stand outside the skin again."""
    for e in range(len(contacts.penetrating_body)):
        one, other = contacts.penetrating_body[e, 0], contacts.penetrating_body[e, 1]
        a = point_world(kinematics.body2world, one, contacts.penetrating_m[e, 0])
        b = point_world(kinematics.body2world, other, contacts.penetrating_m[e, 1])
        x, y, z = point_world(kinematics.body2world, other, contacts.outward[e])
        x -= kinematics.body2world[other, 0, 3]
        y -= kinematics.body2world[other, 1, 3]
        z -= kinematics.body2world[other, 2, 3]
        add_gradient(chain, free, kinematics, one, a, (x, y, z), residuals, first + e)
        add_gradient(chain, free, kinematics, other, b, (-x, -y, -z), residuals, first + e)
        residuals.value[first + e] = (a[0] - b[0]) * x + (a[1] - b[1]) * y + (a[2] - b[2]) * z


@inner(apart=True)
def add_gradient(
    chain: Chain, free: FreeCoordinates, kinematics: Kinematics, body: int,
    point: tuple[float, float, float], direction: tuple[float, float, float],
    residuals: Residuals, row: int,
) -> None:  # fmt: skip
    """jacobian[row] += d (direction . point) / d z for a point (3,) m in the world that rides on
    a body."""
    jacobian = residuals.jacobian
    dx, dy, dz = direction
    while body >= 0:
        for axis in range(chain.axis_start[body], chain.axis_start[body + 1]):
            coordinate = chain.axis_coordinate[axis]
            if coordinate < 0 or free.column[coordinate] < 0:
                continue
            a0 = kinematics.axis_world[axis, 0]
            a1 = kinematics.axis_world[axis, 1]
            a2 = kinematics.axis_world[axis, 2]
            s = kinematics.slope[axis] * free.factor[coordinate]
            if chain.axis_is_rotation[axis]:
                x = point[0] - kinematics.origin_world[axis, 0]
                y = point[1] - kinematics.origin_world[axis, 1]
                z = point[2] - kinematics.origin_world[axis, 2]
                slope = dx * (a1 * z - a2 * y) + dy * (a2 * x - a0 * z) + dz * (a0 * y - a1 * x)
            else:
                slope = dx * a0 + dy * a1 + dz * a2
            jacobian[row, free.column[coordinate]] += s * slope
        body = chain.parent[body]

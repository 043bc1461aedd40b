"""Putting a posture on the floor (y = 0): hands, feet, seat where they rest, nothing below it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms, forward
from spinetrack_synth.anatomy.model import Chain, Tree
from spinetrack_synth.poses.collision import Capsules, pair_gaps
from spinetrack_synth.poses.library import Reach
from spinetrack_synth.poses.placement import ROTATION, indices, rotation_zxy, turned
from spinetrack_synth.poses.regions import REGIONS
from spinetrack_synth.poses.skin import SkinProbe, skin_points

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

CONTACT_SIGMA_M: Final = 0.002
FLOOR_SIGMA_M: Final = 0.003
REACH_SIGMA_M: Final = 0.012
BALANCE_SIGMA_M: Final = 0.02
APART_SIGMA_M: Final = 0.006
"""How exactly each aim is pursued against the others and against the posture as it was given."""

SUNK_M: Final = 0.003
SUNK_HAND_M: Final = 0.012
"""Depth under the floor that is let be: soft skin flattens; the thumb, which stands out from the palm
of the fingerless hand, gives way."""

SUPPORT_MARGIN_M: Final = 0.01
"""How far inside its support the centre of mass is wanted."""

GIVE_DEG: Final[dict[str, float]] = {
    "pelvis_tilt": 9, "pelvis_list": 6, "pelvis_rotation": 6,
    "lumbar_extension": 5, "lumbar_bending": 3, "lumbar_rotation": 2,
    "thoracic_extension": 4, "thoracic_bending": 3, "thoracic_rotation": 4,
    "cervical_extension": 9, "cervical_bending": 4, "cervical_rotation": 5,
    "upper_cervical_extension": 6, "upper_cervical_bending": 2, "upper_cervical_rotation": 5,
    "hip_flexion": 9, "hip_adduction": 6, "hip_rotation": 8, "knee_angle": 9,
    "ankle_angle": 12, "subtalar_angle": 12, "mtp_angle": 15,
    "clavicle_elevation": 5, "clavicle_protraction": 5,
    "arm_flex": 12, "arm_add": 12, "arm_rot": 15, "elbow_flex": 12,
    "pro_sup": 20, "wrist_flex": 15, "wrist_dev": 10,
}  # fmt: skip
"""How readily each coordinate gives way, degrees: own estimate, distal joints more than the trunk."""

GIVE_OF_PLACE_M: Final = 3.0
GIVE_ELSE_DEG: Final = 6.0

ITERATIONS: Final = 40
LARGEST_STEP: Final = 0.2
"""Of a coordinate in one iteration, rad or m."""

SETTLED_STEP: Final = 1e-3
"""Below this the posture has settled."""

NEARLY_SETTLED_STEP: Final = 0.02
"""From here on limbs are kept apart."""

EXCHANGES: Final = 6
"""Tries in one iteration to find which one-sided aims and limits matter."""

DAMPING: Final = 0.05
"""Of a step, as a share of every coordinate's stiffness."""

NEAR_FLOOR: Final = 96
"""Most points of the skin that are watched for going below the floor."""

NEAR_PAIRS: Final = 32
NEAR_M: Final = 0.03
"""Most pairs of capsules that are kept apart at a time, and how near they come before they count."""

SUPPORT_M: Final = 0.012
"""Skin this close above the lowest point of a touching patch carries weight."""


@dataclass(frozen=True)
class Settled:
    """A posture on the floor and how well it stands.

    ``q`` (n,); ``contact_m`` the signed height of every patch that should touch; ``lowest_m`` the
    height of the lowest point of the skin; ``reach_m`` the distance left of every reach;
    ``balance_m`` how far the centre of mass lies outside its support, 0 inside.
    """

    q: Array
    contact_m: Mapping[str, float]
    lowest_m: float
    reach_m: Mapping[Reach, float]
    balance_m: float

    @property
    def worst_contact_m(self) -> float:
        """Largest distance of a contact from the floor."""
        return max((abs(height) for height in self.contact_m.values()), default=0.0)


def settle(
    tree: Tree,
    q: ArrayLike,
    contacts: Iterable[str],
    skin: SkinProbe,
    reaches: Iterable[Reach] = (),
    capsules: Capsules | None = None,
) -> Settled:
    """The posture nearest to q (n,) in which the contacts touch the floor and the reaches meet.

    Every patch of the regions in ``contacts`` touches y = 0 with its lowest point, no point of the
    skin goes below, the centre of mass lies over the support, and where ``capsules`` are given they
    are kept apart; joint limits hold. Gauss-Newton over
    the free coordinates, where every aim counts in units of its sigma and every coordinate may give
    way by ``GIVE_DEG``. Raises KeyError for an unknown region and ValueError for a model whose
    couplers are not lines of one coordinate.
    """
    contacts, reaches = tuple(contacts), tuple(reaches)
    q = np.array(q, dtype=float)
    yaw = _yaw_off_gimbal_lock(tree, q)
    q = turned(tree, q, yaw)

    patches = tuple(dict.fromkeys(patch for region in contacts for patch in REGIONS[region]))
    start, points = _packed([skin.patches[patch] for patch in patches])
    ends = [pair for reach in reaches for pair in _meeting_points(skin, reach)]
    meeting = np.array(ends, dtype=np.int64).reshape(-1, 2)
    column, factor = _masters(tree)
    z = q[tree.free_index]
    give = _give(tree)
    lower, upper = _bounds(tree)
    z = _settle(
        tree.chain, column, factor, tree.offset, np.clip(z, lower, upper), lower, upper, 1.0 / give,
        tree.mass_kg, tree.mass_center_m,
        skin.body, skin.offset_m, start, points, meeting,
        np.where([body.startswith("hand") for body in tree.bodies], SUNK_HAND_M, SUNK_M),
        *_packed_capsules(capsules),
        tree.free.index("pelvis_ty"),
    )  # fmt: skip
    q = turned(tree, tree.coupling @ z + tree.offset, -yaw)
    return _report(tree, q, patches, reaches, skin)


def _yaw_off_gimbal_lock(tree: Tree, q: Array) -> float:
    """The turn about the vertical after which the pelvis has no list, where it has much of it."""
    trunk = rotation_zxy(q[indices(tree, ROTATION)])[:, 1]
    if abs(trunk[2]) < 0.8:
        return 0.0
    return float(np.arctan2(trunk[2], trunk[0]))


def _packed(groups: list[Ints]) -> tuple[Ints, Ints]:
    """Groups of indices as starts (G + 1,) into one array."""
    starts = np.cumsum([0, *map(len, groups)], dtype=np.int64)
    return starts, np.concatenate([np.zeros(0, dtype=np.int64), *groups])


def _meeting_points(skin: SkinProbe, reach: Reach) -> list[tuple[int, int]]:
    """Pairs of skin points that a reach brings together: patch on patch where both regions have
    the same ones (palm on palm), else middle on middle."""
    ours, theirs = REGIONS[reach.region], REGIONS[reach.target]
    kinds = [[patch.partition("_")[2] for patch in patches] for patches in (ours, theirs)]
    if kinds[0] == kinds[1] and len(ours) > 1:
        return [
            (_middle(skin, skin.patches[a]), _middle(skin, skin.patches[b]))
            for a, b in zip(ours, theirs)
        ]
    whole = [np.concatenate([skin.patches[p] for p in patches]) for patches in (ours, theirs)]
    return [(_middle(skin, whole[0]), _middle(skin, whole[1]))]


def _packed_capsules(capsules: Capsules | None) -> tuple[Ints, Array, Array, Array, Ints, Array]:
    if capsules is None:
        none = np.zeros(0, dtype=np.int64)
        return none, np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros((0, 2), np.int64), np.zeros(0)
    c = capsules
    return c.body, c.start_m, c.end_m, c.radius_m, c.pairs, c.slack_m


def _middle(skin: SkinProbe, points: Ints) -> int:
    """The point of a group nearest to its mean, on the body that most of the group belongs to."""
    bodies = skin.body[points]
    points = points[bodies == np.bincount(bodies).argmax()]
    offsets = skin.offset_m[points]
    return int(points[np.argmin(((offsets - offsets.mean(axis=0)) ** 2).sum(axis=1))])


def _masters(tree: Tree) -> tuple[Ints, Array]:
    """For every coordinate the free one that drives it (-1 for none) and the factor."""
    if tree.curves or (np.count_nonzero(tree.coupling, axis=1) > 1).any():
        raise ValueError(f"{tree.name}: only linear couplers of one coordinate are supported")
    column = np.argmax(tree.coupling != 0, axis=1)
    factor = tree.coupling[np.arange(len(column)), column]
    return np.where(factor != 0, column, -1).astype(np.int64), factor


def _give(tree: Tree) -> Array:
    """Give of every free coordinate, rad or m."""
    rotational = tree.rotational[tree.free_index]
    stems = [name.removesuffix("_r").removesuffix("_l") for name in tree.free]
    degrees = np.array([GIVE_DEG.get(stem, GIVE_ELSE_DEG) for stem in stems])
    return np.where(rotational, np.radians(degrees), GIVE_OF_PLACE_M)


def _bounds(tree: Tree) -> tuple[Array, Array]:
    """Range of every free coordinate."""
    return tree.lower[tree.free_index], tree.upper[tree.free_index]


def _report(
    tree: Tree, q: Array, patches: tuple[str, ...], reaches: tuple[Reach, ...], skin: SkinProbe
) -> Settled:
    points = skin_points(tree, q, skin)
    heights = points[:, 1]
    support = np.concatenate([np.zeros(0, dtype=np.int64), *(skin.patches[p] for p in patches)])
    return Settled(
        q=q,
        contact_m={patch: float(heights[skin.patches[patch]].min()) for patch in patches},
        lowest_m=float(heights.min()),
        reach_m={
            reach: float(
                max(np.linalg.norm(points[a] - points[b]) for a, b in _meeting_points(skin, reach))
            )
            for reach in reaches
        },
        balance_m=_out_of_balance_m(tree, q, points[support]),
    )


def _out_of_balance_m(tree: Tree, q: Array, support: Array) -> float:
    near_floor = support[support[:, 1] < SUPPORT_M]
    if len(near_floor) == 0:
        return 0.0
    body2world = body_transforms(tree, q)
    centers = np.einsum("bij,bj->bi", body2world[:, :3, :3], tree.mass_center_m)
    center = np.average(centers + body2world[:, :3, 3], axis=0, weights=tree.mass_kg)
    beyond, _ = _beyond(_hull(near_floor[:, ::2].copy()), center[::2].copy(), 0.0)
    return max(0.0, float(beyond))


# -- compiled -----------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _hull(points: Array) -> Array:
    """Corners of the convex hull of points (P, 2), counterclockwise (Andrew's monotone chain)."""
    order = np.argsort(points[:, 0] + 1e-9 * points[:, 1])
    count = len(order)
    hull = np.empty((2 * count + 1, 2))
    size = 0
    for sweep in range(2):
        floor = size + 1 if sweep == 1 else 1
        for step in range(count):
            p = points[order[step] if sweep == 0 else order[count - 1 - step]]
            while size > floor and (
                (hull[size - 1, 0] - hull[size - 2, 0]) * (p[1] - hull[size - 2, 1])
                - (hull[size - 1, 1] - hull[size - 2, 1]) * (p[0] - hull[size - 2, 0])
            ) <= 0:
                size -= 1
            hull[size] = p
            size += 1
        size -= 1
    return hull[: max(size, 1)].copy()


@njit(cache=True, nogil=True)
def _beyond(hull: Array, point: Array, margin: float) -> tuple[float, Array]:
    """How far a point lies outside a convex polygon drawn in by a margin (negative inside), and the
    direction (2,) outward. Where the polygon is thinner than the margin its middle counts."""
    center = np.zeros(2)
    for corner in hull:
        center += corner / len(hull)
    away = point - center
    distance = np.sqrt(away @ away) + 1e-9
    farthest, outward = -1e9, away / distance
    nearest, nearest_outward = distance, away / distance
    for i in range(len(hull)):
        a = hull[i]
        edge = hull[(i + 1) % len(hull)] - a
        length = np.sqrt(edge @ edge)
        if length < 1e-9:
            continue
        normal = np.array([edge[1], -edge[0]]) / length
        to_point = point - a
        drawn_in = min(margin, 0.9 * max(0.0, (a - center) @ normal))
        beyond = to_point @ normal + drawn_in
        if beyond > farthest:
            farthest, outward = beyond, normal
        along = min(max((to_point @ edge) / length**2, 0.0), 1.0)
        away = point - (a + along * edge)
        distance = np.sqrt(away @ away)
        if distance < nearest:
            nearest, nearest_outward = distance, away / (distance + 1e-9)
    if farthest <= margin and farthest > -1e9:
        return farthest, outward
    return nearest + margin, nearest_outward


@njit(cache=True, nogil=True)
def _at(body2world: Array, body: int, offset: Array) -> Array:
    point = np.empty(3)
    for i in range(3):
        point[i] = (
            body2world[body, i, 0] * offset[0]
            + body2world[body, i, 1] * offset[1]
            + body2world[body, i, 2] * offset[2]
            + body2world[body, i, 3]
        )
    return point


@njit(cache=True, nogil=True)
def _add_slope(
    chain: Chain, axis_world: Array, origin_world: Array, slope: Array, column: Ints, factor: Array,
    body: int, point: Array, dx: float, dy: float, dz: float, row: Array,
) -> None:  # fmt: skip
    """row += d (direction . point) / d z for a point fixed to a body."""
    while body >= 0:
        for axis in range(chain.axis_start[body], chain.axis_start[body + 1]):
            coordinate = chain.axis_coordinate[axis]
            if coordinate < 0 or column[coordinate] < 0:
                continue
            a = axis_world[axis]
            s = slope[axis] * factor[coordinate]
            if chain.axis_is_rotation[axis]:
                x = point[0] - origin_world[axis, 0]
                y = point[1] - origin_world[axis, 1]
                z = point[2] - origin_world[axis, 2]
                row[column[coordinate]] += s * (
                    dx * (a[1] * z - a[2] * y)
                    + dy * (a[2] * x - a[0] * z)
                    + dz * (a[0] * y - a[1] * x)
                )
            else:
                row[column[coordinate]] += s * (dx * a[0] + dy * a[1] + dz * a[2])
        body = chain.parent[body]


@njit(cache=True, nogil=True)
def _lowest_points(
    body2world: Array, skin_body: Ints, skin_offset: Array, heights: Array, body_lowest: Ints
) -> None:
    """Fill the height of every point of the skin, and for each body its lowest point or -1."""
    body_lowest[:] = -1
    for p in range(len(skin_body)):
        b = skin_body[p]
        heights[p] = (
            body2world[b, 1, 0] * skin_offset[p, 0]
            + body2world[b, 1, 1] * skin_offset[p, 1]
            + body2world[b, 1, 2] * skin_offset[p, 2]
            + body2world[b, 1, 3]
        )
        if body_lowest[b] < 0 or heights[p] < heights[body_lowest[b]]:
            body_lowest[b] = p


@njit(cache=True, nogil=True)
def _step(
    rows: Array, residual: Array, sigma: Array, one_sided: Ints, count: int, needed: Ints,
    pull: Array, stiffness: Array, z: Array, lower: Array, upper: Array,
) -> Array:  # fmt: skip
    """The Gauss-Newton step (k,) for the aims ``rows @ step + residual = 0``.

    One-sided aims (1: may be positive, -1: may be negative) take part only where the step would
    break them, and coordinates that would pass a limit stop at it: both are found by a few
    exchanges. ``needed`` carries the choice of aims to the next iteration.
    """
    k = len(z)
    step = np.zeros(k)
    held = np.zeros(k, dtype=np.bool_)
    stop = np.zeros(k)
    for exchange in range(EXCHANGES):
        weighted = np.empty((count, k))
        wanted = np.empty(count)
        active = 0
        for r in range(count):
            if needed[r] != 0:
                weighted[active] = rows[r] / sigma[r]
                wanted[active] = residual[r] / sigma[r]
                active += 1
        chosen = weighted[:active]
        normal = chosen.T @ chosen
        gradient = pull + chosen.T @ wanted[:active]
        for i in range(k):
            normal[i, i] += stiffness[i] ** 2 * (1.0 + DAMPING)
        for i in range(k):
            if held[i]:
                gradient += normal[:, i] * stop[i]
        for i in range(k):
            if held[i]:
                normal[i, :] = 0.0
                normal[:, i] = 0.0
                normal[i, i] = 1.0
                gradient[i] = -stop[i]
        step = np.linalg.solve(normal, -gradient)
        changed = False
        for i in range(k):
            if not held[i] and (z[i] + step[i] < lower[i] or z[i] + step[i] > upper[i]):
                held[i] = True
                stop[i] = min(max(z[i] + step[i], lower[i]), upper[i]) - z[i]
                changed = True
        for r in range(count):
            if one_sided[r] != 0:
                broken = 1 if (rows[r] @ step + residual[r]) * one_sided[r] < 0.0 else 0
                if broken != needed[r]:
                    needed[r] = broken
                    changed = True
        if not changed:
            break
    return step


@njit(cache=True, nogil=True)
def _settle(
    chain, column, factor, offset, z, lower, upper, stiffness, mass, mass_center,
    skin_body, skin_offset, patch_start, patch_points, meeting, sunk_of_body,
    capsule_body, capsule_start, capsule_end, capsule_radius, pairs, slack, height,
):  # fmt: skip
    """The free coordinates of the settled posture; arguments as `settle` packs them."""
    bodies, axes, k = len(chain.parent), len(chain.axis_coordinate), len(z)
    body2world = np.empty((bodies, 4, 4))
    axis_world, origin_world, slope = np.empty((axes, 3)), np.empty((axes, 3)), np.empty(axes)
    q = np.empty(len(column))
    given = z.copy()
    patches = len(patch_start) - 1
    touching = np.empty(patches, dtype=np.int64)
    body_lowest = np.empty(bodies, dtype=np.int64)
    heights = np.empty(len(skin_body))
    total_mass = mass.sum()
    identity = np.eye(3)

    # The aims: contacts, then reaches, the balance, limbs kept apart, and a growing list of points
    # that came to the floor and must not go below.
    reached = patches + 3 * len(meeting)
    fixed = reached + 1 + NEAR_PAIRS
    most = fixed + NEAR_FLOOR
    gaps, closest = np.empty(len(pairs)), np.empty((len(pairs), 2, 3))
    # Limbs are kept apart only once hands are where they reach, else they stop on the wrong side.
    apart = False
    rows, residual, sigma = np.zeros((most, k)), np.zeros(most), np.ones(most)
    one_sided, needed = np.zeros(most, dtype=np.int64), np.zeros(most, dtype=np.int64)
    watched, watched_sunk = np.empty(NEAR_FLOOR, dtype=np.int64), np.empty(NEAR_FLOOR)
    watching = 0
    needed[:reached] = 1
    one_sided[reached] = -1
    one_sided[reached + 1 :] = 1
    sigma[:patches] = CONTACT_SIGMA_M
    sigma[patches:reached] = REACH_SIGMA_M
    sigma[reached] = BALANCE_SIGMA_M
    sigma[reached + 1 : fixed] = APART_SIGMA_M
    sigma[fixed:] = FLOOR_SIGMA_M

    for iteration in range(ITERATIONS):
        for i in range(len(column)):
            q[i] = offset[i] + (factor[i] * z[column[i]] if column[i] >= 0 else 0.0)
        forward(chain, q, body2world, axis_world, origin_world, slope)
        _lowest_points(body2world, skin_body, skin_offset, heights, body_lowest)
        for patch in range(patches):
            touching[patch] = patch_points[patch_start[patch]]
            for i in range(patch_start[patch], patch_start[patch + 1]):
                if heights[patch_points[i]] < heights[touching[patch]]:
                    touching[patch] = patch_points[i]
        if iteration == 0:
            # Begin with the contacts at the floor on average, or the lowest point on it.
            rise = -heights.min()
            if patches > 0:
                rise = 0.0
                for patch in range(patches):
                    rise -= heights[touching[patch]] / patches
            z[height] += rise
            given[height] = z[height]
            heights += rise
            body2world[:, 1, 3] += rise
            origin_world[:, 1] += rise

        rows[:] = 0.0
        for patch in range(patches):
            p = touching[patch]
            point = _at(body2world, skin_body[p], skin_offset[p])
            _add_slope(chain, axis_world, origin_world, slope, column, factor,
                       skin_body[p], point, 0.0, 1.0, 0.0, rows[patch])  # fmt: skip
            residual[patch] = heights[p]

        for pair in range(len(meeting)):
            one, other = meeting[pair, 0], meeting[pair, 1]
            a = _at(body2world, skin_body[one], skin_offset[one])
            b = _at(body2world, skin_body[other], skin_offset[other])
            for i in range(3):
                dx, dy, dz = identity[i]
                r = patches + 3 * pair + i
                _add_slope(chain, axis_world, origin_world, slope, column, factor,
                           skin_body[one], a, dx, dy, dz, rows[r])  # fmt: skip
                _add_slope(chain, axis_world, origin_world, slope, column, factor,
                           skin_body[other], b, -dx, -dy, -dz, rows[r])  # fmt: skip
                residual[r] = a[i] - b[i]

        residual[reached] = -1.0
        if patches > 0:
            support = np.empty((len(patch_points), 2))
            standing = 0
            for patch in range(patches):
                for i in range(patch_start[patch], patch_start[patch + 1]):
                    p = patch_points[i]
                    if heights[p] < heights[touching[patch]] + SUPPORT_M:
                        point = _at(body2world, skin_body[p], skin_offset[p])
                        support[standing, 0] = point[0]
                        support[standing, 1] = point[2]
                        standing += 1
            center = np.zeros(3)
            for b in range(bodies):
                center += mass[b] / total_mass * _at(body2world, b, mass_center[b])
            middle = np.array([center[0], center[2]])
            beyond, outward = _beyond(_hull(support[:standing].copy()), middle, SUPPORT_MARGIN_M)
            residual[reached] = beyond
            for b in range(bodies):
                share = mass[b] / total_mass
                point = _at(body2world, b, mass_center[b])
                _add_slope(chain, axis_world, origin_world, slope, column, factor, b, point,
                           share * outward[0], 0.0, share * outward[1], rows[reached])  # fmt: skip
            # The support moves along with the patches that stand on the floor.
            for patch in range(patches):
                p = touching[patch]
                point = _at(body2world, skin_body[p], skin_offset[p])
                _add_slope(chain, axis_world, origin_world, slope, column, factor, skin_body[p], point,
                           -outward[0] / patches, 0.0, -outward[1] / patches, rows[reached])  # fmt: skip

        pair_gaps(body2world, capsule_body, capsule_start, capsule_end, capsule_radius,
                  pairs, slack, gaps, closest)  # fmt: skip
        residual[reached + 1 : fixed] = 1.0
        needed[reached + 1 : fixed] = 0
        near = 0
        for pair in np.argsort(gaps)[:NEAR_PAIRS]:
            if gaps[pair] > NEAR_M or not apart:
                break
            a, b = closest[pair, 0], closest[pair, 1]
            between = a - b
            distance = np.sqrt(between @ between)
            if distance < 1e-6:
                continue
            dx, dy, dz = between / distance
            r = reached + 1 + near
            _add_slope(chain, axis_world, origin_world, slope, column, factor,
                       capsule_body[pairs[pair, 0]], a, dx, dy, dz, rows[r])  # fmt: skip
            _add_slope(chain, axis_world, origin_world, slope, column, factor,
                       capsule_body[pairs[pair, 1]], b, -dx, -dy, -dz, rows[r])  # fmt: skip
            residual[r] = gaps[pair]
            needed[r] = 1 if gaps[pair] < 0.0 else 0
            near += 1

        # Points that touched or went below stay watched, else the posture would swing between them.
        for candidate in range(patches + bodies):
            if candidate < patches:
                p, sunk = touching[candidate], 0.0
            else:
                p, sunk = body_lowest[candidate - patches], sunk_of_body[candidate - patches]
            if p < 0 or (candidate >= patches and heights[p] > 0.0):
                continue
            known = False
            for i in range(watching):
                known = known or watched[i] == p
            if not known and watching < NEAR_FLOOR:
                watched[watching] = p
                watched_sunk[watching] = sunk
                watching += 1
        for i in range(watching):
            p = watched[i]
            point = _at(body2world, skin_body[p], skin_offset[p])
            _add_slope(chain, axis_world, origin_world, slope, column, factor,
                       skin_body[p], point, 0.0, 1.0, 0.0, rows[fixed + i])  # fmt: skip
            residual[fixed + i] = heights[p] + watched_sunk[i]

        pull = stiffness**2 * (z - given)
        step = _step(rows, residual, sigma, one_sided, fixed + watching, needed,
                     pull, stiffness, z, lower, upper)  # fmt: skip
        largest = np.abs(step).max()
        if largest > LARGEST_STEP:
            step *= LARGEST_STEP / largest
        for i in range(k):
            z[i] = min(max(z[i] + step[i], lower[i]), upper[i])
        if apart and largest < SETTLED_STEP:
            break
        apart = apart or largest < NEARLY_SETTLED_STEP or iteration >= ITERATIONS // 4
    return z

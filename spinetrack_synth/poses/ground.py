"""Putting a posture on the floor (y = 0): hands, feet, seat where they rest, nothing below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms, points_world
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.poses.collision import Capsules
from spinetrack_synth.poses.contact_solver.problem import (
    Contacts,
    FreeCoordinates,
    LimbCapsules,
    Masses,
)
from spinetrack_synth.poses.contact_solver.residuals import SUPPORT_M
from spinetrack_synth.poses.contact_solver.solver import (
    FACING_BACK_SIGMA_M,
    FACING_SIGMA_M,
    REACH_SIGMA_M,
    solve,
)
from spinetrack_synth.poses.contact_solver.support_polygon import (
    beyond_support,
    center_of_mass,
    hull,
)
from spinetrack_synth.poses.hand_penetration import Penetration, hand_penetrations
from spinetrack_synth.poses.library import Reach
from spinetrack_synth.poses.placement import ROTATION, angles_zxy, indices, rotation_zxy, turned
from spinetrack_synth.poses.regions import REGIONS
from spinetrack_synth.poses.skin import SkinProbe, refresh

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

SUNK_M: Final = 0.003
"""Depth under the floor that is let be: soft skin flattens."""

HOLD_GAP_M: Final = 0.007
PALM_GAP_M: Final = 0.001
"""Between a palm and what it holds: cloth, and what stands out of the palm; and between palms."""

FACING_LEVER_M: Final = 0.06
"""Of the points before and behind a palm that turn it towards what it holds: with their sigma, they
let it be off by some 20 degrees."""

PALM_SIDE: Final = np.array([1.0, 0.0, 0.0])
"""Of a hand's body: the palm faces forward in the anatomical position."""

TO_FINGERS: Final = 0.35
"""Where a palm takes hold, from its heel to the middle of the fingers."""

_PALM: Final = ("palm_heel", "palm_radial", "palm_ulnar")

ABOUT_M: Final = 0.03
"""Skin this near counts for the direction that a place of it faces."""

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
"""How readily each coordinate gives way, degrees: own estimate, the limbs' ends most."""

GIVE_ELSE_DEG: Final = 6.0
GIVE_OF_PLACE_M: Final = 3.0

LEANING: Final = 0.5
"""Sine of the trunk's angle against the vertical from which on it leans."""

DEFORMING_ROUNDS: Final = 2
"""How often a deformed skin is felt for anew. Of 1,092 sampled postures on 14 bodies the farthest
contact was 9 mm off the floor or less after one round, 6 mm after two."""


@dataclass(frozen=True)
class ContactSolution:
    """A posture on the floor and how well it stands.

    ``q`` (n,) and its skin (V, 3) m; ``contact_m`` the signed height of every patch that should
    touch; ``lowest_m`` the height of the lowest point of the skin; ``reach_m`` the distance left of
    every reach; ``balance_m`` how far the centre of mass lies outside its support, 0 inside.
    """

    q: Array
    skin_world: Array
    contact_m: Mapping[str, float]
    lowest_m: float
    reach_m: Mapping[Reach, float]
    balance_m: float

    @property
    def worst_contact_m(self) -> float:
        """Largest distance of a contact from the floor."""
        return max((abs(height) for height in self.contact_m.values()), default=0.0)


def solve_contacts(
    tree: Tree,
    q: ArrayLike,
    contacts: Iterable[str],
    skin: SkinProbe,
    reaches: Iterable[Reach] = (),
    capsules: Capsules | None = None,
) -> ContactSolution:
    """The posture nearest to q (n,) in which the contacts touch the floor and the reaches meet.

    Every patch of the regions in ``contacts`` touches y = 0 with its lowest point, no point of the
    skin goes below, the centre of mass lies over the support, and where ``capsules`` are given they
    are kept apart; joint limits hold. Gauss-Newton over the free coordinates, where every residual
    counts in units of its sigma and every coordinate may give way by ``GIVE_DEG``.
    Raises KeyError for an unknown region and ValueError for a model whose couplers are not lines of
    one coordinate.
    """
    contacts, reaches = tuple(contacts), tuple(reaches)
    solved = _solved(_solver_model(tree, capsules), q, skin, contacts, reaches)
    return measured(tree, solved, contacts, skin, reaches)


def solve_contacts_deforming(
    tree: Tree,
    q: ArrayLike,
    contacts: Iterable[str],
    skin: SkinProbe,
    deform: Callable[[Array], ArrayLike],
    reaches: Iterable[Reach] = (),
    capsules: Capsules | None = None,
) -> ContactSolution:
    """As `solve_contacts`, for a skin that changes shape with the posture.

    ``deform`` gives the skin (V, 3) m of a posture q (n,), point for point that of ``skin``. What
    is reported of the result is measured on its own deformed skin.
    """
    contacts, reaches = tuple(contacts), tuple(reaches)
    model = _solver_model(tree, capsules)
    solved = _solved(model, q, skin, contacts, reaches)
    penetrations: tuple[Penetration, ...] = ()
    for _ in range(DEFORMING_ROUNDS):
        skin = refresh(skin, tree, solved, deform(solved))
        penetrations = hand_penetrations(tree, solved, skin, reaches, penetrations)
        solved = _solved(model, solved, skin, contacts, reaches, penetrations)
    skin = refresh(skin, tree, solved, deform(solved))
    return measured(tree, solved, contacts, skin, reaches)


def measured(
    tree: Tree,
    q: ArrayLike,
    contacts: Iterable[str],
    skin: SkinProbe,
    reaches: Iterable[Reach] = (),
) -> ContactSolution:
    """How well a posture q (n,) stands as it is."""
    q = np.asarray(q, dtype=float)
    body2world = body_transforms(tree, q)
    points = points_world(body2world, skin.body, skin.offset_m)
    heights = points[:, 1]
    patches = _patches(contacts)
    support = np.concatenate([np.zeros(0, dtype=np.int64), *(skin.patches[p] for p in patches)])
    return ContactSolution(
        q=q,
        skin_world=points,
        contact_m={patch: float(heights[skin.patches[patch]].min()) for patch in patches},
        lowest_m=float(heights.min()),
        reach_m={
            reach: max(
                meeting.distance_m(body2world)
                for meeting in _meetings(skin, reach)
                if meeting.sigma_m == REACH_SIGMA_M
            )
            for reach in reaches
        },
        balance_m=_out_of_balance_m(tree, q, points[support]),
    )


def _patches(contacts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(patch for region in contacts for patch in REGIONS[region]))


def _heading_to_solve_in(tree: Tree, q: Array) -> float:
    """The turn about the vertical into the heading in which contacts are solved.

    A leaning trunk leans along X, where the pelvis has no list and is far from gimbal lock; an
    upright one faces X. So the heading in which a posture is given makes no difference.
    """
    pelvis = rotation_zxy(q[indices(tree, ROTATION)])
    front, trunk = pelvis[:, 0], pelvis[:, 1]
    along = trunk if np.hypot(trunk[0], trunk[2]) > LEANING else front
    yaw = float(np.arctan2(along[2], along[0]))
    return yaw if along is front else yaw - np.pi * round(yaw / np.pi)


def _out_of_balance_m(tree: Tree, q: Array, support: Array) -> float:
    near_floor = support[support[:, 1] < SUPPORT_M]
    if len(near_floor) == 0:
        return 0.0
    center = center_of_mass(body_transforms(tree, q), _masses(tree))
    beyond, _ = beyond_support(hull(near_floor[:, ::2].copy()), center, 0.0)
    return max(0.0, float(beyond))


# -- what the compiled solver takes ---------------------------------------------------------------


@dataclass(frozen=True)
class _SolverModel:
    """What the solver needs of somebody, whatever the posture and the skin."""

    tree: Tree
    free: FreeCoordinates
    masses: Masses
    capsules: LimbCapsules


def _solver_model(tree: Tree, capsules: Capsules | None) -> _SolverModel:
    return _SolverModel(tree, _free_coordinates(tree), _masses(tree), _limb_capsules(capsules))


def _solved(
    model: _SolverModel,
    q: ArrayLike,
    skin: SkinProbe,
    contacts: tuple[str, ...],
    reaches: tuple[Reach, ...],
    penetrations: tuple[Penetration, ...] = (),
) -> Array:
    """The coordinates (n,) of the posture in which contacts hold."""
    tree, free = model.tree, model.free
    given = np.array(q, dtype=float)
    yaw = _heading_to_solve_in(tree, given)
    z = solve(
        tree.chain,
        free,
        model.masses,
        _contacts(tree, skin, contacts, reaches, penetrations),
        model.capsules,
        np.clip(turned(tree, given, yaw)[tree.free_index], free.lower, free.upper),
    )
    solved = turned(tree, tree.coupling @ z + tree.offset, -yaw)
    angles = indices(tree, ROTATION)
    solved[angles] = angles_zxy(rotation_zxy(solved[angles]), near_rad=given[angles])
    return solved


def _free_coordinates(tree: Tree) -> FreeCoordinates:
    if tree.steps or (np.count_nonzero(tree.coupling, axis=1) > 1).any():
        raise ValueError(f"{tree.name}: only linear couplers of one coordinate are supported")
    column = np.argmax(tree.coupling != 0, axis=1)
    factor = tree.coupling[np.arange(len(column)), column]
    stems = [name.removesuffix("_r").removesuffix("_l") for name in tree.free]
    give = np.radians([GIVE_DEG.get(stem, GIVE_ELSE_DEG) for stem in stems])
    return FreeCoordinates(
        column=np.where(factor != 0, column, -1).astype(np.int64),
        factor=factor,
        offset=tree.offset,
        lower=tree.lower[tree.free_index],
        upper=tree.upper[tree.free_index],
        stiffness=1.0 / np.where(tree.rotational[tree.free_index], give, GIVE_OF_PLACE_M),
        height=tree.free.index("pelvis_ty"),
    )


def _masses(tree: Tree) -> Masses:
    return Masses(kg=tree.mass_kg, center_m=tree.mass_center_m)


def _contacts(
    tree: Tree,
    skin: SkinProbe,
    contacts: tuple[str, ...],
    reaches: tuple[Reach, ...],
    penetrations: tuple[Penetration, ...],
) -> Contacts:
    groups = [skin.patches[patch] for patch in _patches(contacts)]
    meetings = [meeting for reach in reaches for meeting in _meetings(skin, reach)]
    return Contacts(
        body=skin.body,
        offset_m=skin.offset_m,
        start=np.cumsum([0, *map(len, groups)], dtype=np.int64),
        points=np.concatenate([np.zeros(0, dtype=np.int64), *groups]),
        meeting_body=np.array([m.body for m in meetings], dtype=np.int64).reshape(-1, 2),
        meeting_m=np.array([m.offset_m for m in meetings], dtype=float).reshape(-1, 2, 3),
        meeting_sigma_m=np.array([m.sigma_m for m in meetings], dtype=float),
        penetrating_body=np.array([e.body for e in penetrations], dtype=np.int64).reshape(-1, 2),
        penetrating_m=np.array([e.offset_m for e in penetrations], dtype=float).reshape(-1, 2, 3),
        outward=np.array([e.outward for e in penetrations], dtype=float).reshape(-1, 3),
        allowed_depth_m=np.full(len(tree.bodies), SUNK_M),
    )


def _limb_capsules(capsules: Capsules | None) -> LimbCapsules:
    if capsules is None:
        no, nowhere = np.zeros(0, dtype=np.int64), np.zeros((0, 3))
        return LimbCapsules(no, nowhere, nowhere, np.zeros(0), no.reshape(0, 2), np.zeros(0))
    c = capsules
    return LimbCapsules(c.body, c.start_m, c.end_m, c.radius_m, c.pairs, c.slack_m)


@dataclass(frozen=True)
class _Meeting:
    """Two places that come together within a sigma: on bodies (2,), at offsets (2, 3) m in them."""

    body: tuple[int, int]
    offset_m: tuple[Array, Array]
    sigma_m: float

    def distance_m(self, body2world: Array) -> float:
        places = points_world(body2world, np.array(self.body), np.array(self.offset_m))
        return float(np.linalg.norm(places[0] - places[1]))


def _meetings(skin: SkinProbe, reach: Reach) -> list[_Meeting]:
    """What a reach brings together: patch on patch where both regions have the same ones (palm on
    palm), else middle on middle. A hand that holds something also faces it."""
    ours, theirs = REGIONS[reach.region], REGIONS[reach.target]
    kinds = [[patch.partition("_")[2] for patch in patches] for patches in (ours, theirs)]
    if kinds[0] == kinds[1] and len(ours) > 1:
        pairs = [
            (_middle(skin, skin.patches[a]), _middle(skin, skin.patches[b]))
            for a, b in zip(ours, theirs, strict=True)
        ]
        offset_m = skin.offset_m
        if kinds[0] == list(_PALM):  # flat, whatever the hollows of its skin
            offset_m = offset_m.copy()
            for a, b in pairs:
                offset_m[[a, b], 0] = _palm_height_m(skin, reach.region) + PALM_GAP_M
        return [
            _Meeting(
                (int(skin.body[a]), int(skin.body[b])), (offset_m[a], offset_m[b]), REACH_SIGMA_M
            )
            for a, b in pairs
        ]
    whole = [np.concatenate([skin.patches[p] for p in patches]) for patches in (ours, theirs)]
    one, other = _middle(skin, whole[0]), _middle(skin, whole[1])
    bodies = (int(skin.body[one]), int(skin.body[other]))
    place, target = _place(skin, reach.region, one), _place(skin, reach.target, other)
    if not reach.holds:
        return [_Meeting(bodies, (place, target), REACH_SIGMA_M)]
    outward = _facing(skin, other)
    back = reach.region.endswith("_hand_back")
    behind = (FACING_LEVER_M if back else -FACING_LEVER_M) * PALM_SIDE
    facing = (place + behind, target + FACING_LEVER_M * outward)
    return [
        _Meeting(bodies, (place, target + HOLD_GAP_M * outward), REACH_SIGMA_M),
        _Meeting(bodies, facing, FACING_BACK_SIGMA_M if back else FACING_SIGMA_M),
    ]


def _place(skin: SkinProbe, region: str, middle: int) -> Array:
    """Where a region meets another, (3,) m in its body's frame: the middle point of its skin; of a
    hand before the middle of the palm, level with its balls; behind its back, level with that."""
    side, _, part = region.partition("_")
    if part == "hand_back":
        back = skin.offset_m[skin.patches[region]]
        place: Array = back.mean(axis=0)
        place[0] = back[:, 0].min()
        return place
    if part != "hand":
        own: Array = skin.offset_m[middle]
        return own
    heel = skin.offset_m[skin.patches[f"{side}_palm_heel"]]
    fingers = skin.offset_m[
        np.concatenate([skin.patches[f"{side}_palm_{part}"] for part in ("radial", "ulnar")])
    ]
    place = (1.0 - TO_FINGERS) * heel.mean(axis=0) + TO_FINGERS * fingers.mean(axis=0)
    place[0] = _palm_height_m(skin, region)
    return place


def _palm_height_m(skin: SkinProbe, region: str) -> float:
    """How far the palm of a hand stands out before the middle of its body."""
    heel = skin.offset_m[skin.patches[f"{region.partition('_')[0]}_palm_heel"], 0]
    return float(np.percentile(heel, 97))


def _facing(skin: SkinProbe, point: int) -> Array:
    """Where the skin about a point faces, (3,) in its body's frame."""
    mine = np.flatnonzero(skin.body == skin.body[point])
    distance = np.linalg.norm(skin.offset_m[mine] - skin.offset_m[point], axis=1)
    normal: Array = skin.normal[mine[distance < ABOUT_M]].sum(axis=0)
    normal /= np.linalg.norm(normal)
    return normal


def _middle(skin: SkinProbe, points: Ints) -> int:
    """The point of a group nearest to its mean, on the body that most of the group belongs to."""
    bodies = skin.body[points]
    points = points[bodies == np.bincount(bodies).argmax()]
    offsets = skin.offset_m[points]
    return int(points[np.argmin(((offsets - offsets.mean(axis=0)) ** 2).sum(axis=1))])

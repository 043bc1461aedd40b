"""Putting a posture on the floor (y = 0), or on what it rests on: hands, feet, seat where they lie,
nothing below; hands on one thing agree about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
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
from spinetrack_synth.poses.contact_solver.solver import REACH_SIGMA_M, solve
from spinetrack_synth.poses.contact_solver.support_polygon import (
    beyond_support,
    center_of_mass,
    hull,
)
from spinetrack_synth.poses.grasp import Grasp, grasp_meetings, grasps
from spinetrack_synth.poses.hand_penetration import Penetration, hand_penetrations
from spinetrack_synth.poses.library import Hold, Reach
from spinetrack_synth.poses.meetings import meetings
from spinetrack_synth.poses.placement import ROTATION, angles_zxy, indices, rotation_zxy, turned
from spinetrack_synth.poses.regions import REGIONS
from spinetrack_synth.poses.skin import SkinProbe, refresh

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

SUNK_M: Final = 0.003
"""Depth under the floor that is let be: soft skin flattens."""

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
class Demands:
    """What a posture is to do: regions in ``contacts`` touch the floor, or the level (m) that
    ``levels_m`` has for them; ``reaches`` meet; ``holds`` are held; who is ``balanced`` has the
    centre of mass over the support."""

    contacts: tuple[str, ...] = ()
    reaches: tuple[Reach, ...] = ()
    levels_m: Mapping[str, float] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    balanced: bool = True


@dataclass(frozen=True)
class ContactSolution:
    """A posture on the floor and how well it stands.

    ``q`` (n,) and its skin (V, 3) m; ``contact_m`` the signed height of every patch that should
    touch, above what it should touch; ``lowest_m`` the height of the lowest point of the skin above
    what is under it; ``reach_m`` the distance left of every reach, ``hold_m`` of every hold between
    where its hands have the thing; ``balance_m`` how far the centre of mass lies outside its
    support, 0 inside and where balance is not asked for.
    """

    q: Array
    skin_world: Array
    contact_m: Mapping[str, float]
    lowest_m: float
    reach_m: Mapping[Reach, float]
    balance_m: float
    hold_m: Mapping[Hold, float] = field(default_factory=dict)

    @property
    def worst_contact_m(self) -> float:
        """Largest distance of a contact from what it should touch."""
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
    return meet_demands(tree, q, Demands(tuple(contacts), tuple(reaches)), skin, capsules)


def meet_demands(
    tree: Tree, q: ArrayLike, demands: Demands, skin: SkinProbe, capsules: Capsules | None = None
) -> ContactSolution:
    """As `solve_contacts`, for all that a posture may be asked."""
    begun = grasps(tree, np.asarray(q, dtype=float), skin, demands.holds)
    solved = _solved(_solver_model(tree, capsules), q, skin, demands, begun)
    return _measured(tree, solved, skin, demands, begun)


def solve_contacts_deforming(
    tree: Tree,
    q: ArrayLike,
    demands: Demands,
    skin: SkinProbe,
    deform: Callable[[Array], ArrayLike],
    capsules: Capsules | None = None,
) -> ContactSolution:
    """As `meet_demands`, for a skin that changes shape with the posture.

    ``deform`` gives the skin (V, 3) m of a posture q (n,), point for point that of ``skin``. What
    is reported of the result is measured on its own deformed skin.
    """
    model = _solver_model(tree, capsules)
    begun = grasps(tree, np.asarray(q, dtype=float), skin, demands.holds)
    solved = _solved(model, q, skin, demands, begun)
    penetrations: tuple[Penetration, ...] = ()
    gripping = {hand.partition("_")[0] for hold in demands.holds for hand in hold.hands}
    for _ in range(DEFORMING_ROUNDS):
        skin = refresh(skin, tree, solved, deform(solved))
        penetrations = hand_penetrations(
            tree, solved, skin, demands.reaches, penetrations, gripping
        )
        solved = _solved(model, solved, skin, demands, begun, penetrations)
    skin = refresh(skin, tree, solved, deform(solved))
    return _measured(tree, solved, skin, demands, begun)


def measured(
    tree: Tree,
    q: ArrayLike,
    contacts: Iterable[str],
    skin: SkinProbe,
    reaches: Iterable[Reach] = (),
) -> ContactSolution:
    """How well a posture q (n,) stands on the floor as it is."""
    demands = Demands(tuple(contacts), tuple(reaches))
    return _measured(tree, np.asarray(q, dtype=float), skin, demands, ())


def _measured(
    tree: Tree, q: Array, skin: SkinProbe, demands: Demands, begun: tuple[Grasp, ...]
) -> ContactSolution:
    body2world = body_transforms(tree, q)
    points = points_world(body2world, skin.body, skin.offset_m)
    heights = points[:, 1] - _levels_m(tree, skin, demands.levels_m)[skin.body]
    patches = _patches(demands.contacts)
    support = np.concatenate([np.zeros(0, dtype=np.int64), *(skin.patches[p] for p in patches)])
    above = points[support]
    above[:, 1] = heights[support]
    return ContactSolution(
        q=q,
        skin_world=points,
        contact_m={patch: float(heights[skin.patches[patch]].min()) for patch in patches},
        lowest_m=float(heights.min()),
        reach_m={
            reach: max(
                meeting.distance_m(body2world)
                for meeting in meetings(skin, reach)
                if meeting.sigma_m == REACH_SIGMA_M
            )
            for reach in demands.reaches
        },
        balance_m=_out_of_balance_m(tree, q, above) if demands.balanced else 0.0,
        hold_m={
            grasp.hold: max(
                (m.distance_m(body2world) for m in grasp_meetings(tree, skin, grasp)), default=0.0
            )
            for grasp in begun
        },
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
    demands: Demands,
    begun: tuple[Grasp, ...],
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
        _contacts(tree, skin, demands, begun, penetrations),
        model.capsules,
        np.clip(turned(tree, given, yaw)[tree.free_index], free.lower, free.upper),
        balanced=demands.balanced,
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
    demands: Demands,
    begun: tuple[Grasp, ...],
    penetrations: tuple[Penetration, ...],
) -> Contacts:
    groups = [skin.patches[patch] for patch in _patches(demands.contacts)]
    met = [meeting for reach in demands.reaches for meeting in meetings(skin, reach)]
    met += [meeting for grasp in begun for meeting in grasp_meetings(tree, skin, grasp)]
    return Contacts(
        body=skin.body,
        offset_m=skin.offset_m,
        start=np.cumsum([0, *map(len, groups)], dtype=np.int64),
        points=np.concatenate([np.zeros(0, dtype=np.int64), *groups]),
        meeting_body=np.array([m.body for m in met], dtype=np.int64).reshape(-1, 2),
        meeting_m=np.array([m.offset_m for m in met], dtype=float).reshape(-1, 2, 3),
        meeting_sigma_m=np.array([m.sigma_m for m in met], dtype=float),
        penetrating_body=np.array([e.body for e in penetrations], dtype=np.int64).reshape(-1, 2),
        penetrating_m=np.array([e.offset_m for e in penetrations], dtype=float).reshape(-1, 2, 3),
        outward=np.array([e.outward for e in penetrations], dtype=float).reshape(-1, 3),
        allowed_depth_m=np.full(len(tree.bodies), SUNK_M),
        level_m=_levels_m(tree, skin, demands.levels_m),
    )


def _levels_m(tree: Tree, skin: SkinProbe, levels_m: Mapping[str, float]) -> Array:
    """Height of what is under each body, (B,) m: the level of the regions whose skin it carries, or
    of the two bodies between which it hangs; else the floor."""
    under = np.zeros(len(tree.bodies))
    for region, level in levels_m.items():
        carriers = [skin.body[skin.patches[patch]] for patch in REGIONS[region]]
        under[np.unique(np.concatenate(carriers))] = level
    for body in np.flatnonzero(under):
        between, above = [], int(tree.chain.parent[body])
        while above >= 0 and under[above] == 0.0:
            between.append(above)
            above = int(tree.chain.parent[above])
        if above >= 0 and under[above] == under[body]:
            under[between] = under[body]
    return under


def _limb_capsules(capsules: Capsules | None) -> LimbCapsules:
    if capsules is None:
        no, nowhere = np.zeros(0, dtype=np.int64), np.zeros((0, 3))
        return LimbCapsules(no, nowhere, nowhere, np.zeros(0), no.reshape(0, 2), np.zeros(0))
    c = capsules
    return LimbCapsules(c.body, c.start_m, c.end_m, c.radius_m, c.pairs, c.slack_m)

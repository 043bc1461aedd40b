"""People on the floor: each posed and settled, turned, and set down where nobody is in the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.avatars.avatar import Avatar, Fingers, pose_avatar, pose_skin
from spinetrack_synth.avatars.holding import held_fingers, open_fingers
from spinetrack_synth.motion.performance import Moment, Performance, choose_moment
from spinetrack_synth.poses.collision import self_intersection_m
from spinetrack_synth.poses.ground import solve_contacts_deforming
from spinetrack_synth.poses.library import Pose, either_side, library
from spinetrack_synth.poses.placement import moved, turned
from spinetrack_synth.poses.sampling import sample_pose
from spinetrack_synth.rotations import yaw_xz
from spinetrack_synth.scenes.description import PeopleRules, Weights
from spinetrack_synth.scenes.mats import Mat, mat_for
from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.shapes import Array, Rng
from spinetrack_synth.shot import PosedPerson

FARTHEST_CONTACT_M: Final = 0.01
DEEPEST_BELOW_FLOOR_M: Final = 0.015
DEEPEST_OVERLAP_M: Final = 0.02
FARTHEST_OFF_BALANCE_M: Final = 0.06
"""What a posture may have and still be drawn."""

NEAR_FLOOR_M: Final = 0.05
"""Skin up to this height wants mat under it."""

TRIES_A_POSE: Final = 4
POSES_TRIED: Final = 12
SPOTS_TRIED: Final = 80

_AXES: Final = np.stack(
    [np.cos(np.arange(12) * np.pi / 12), np.sin(np.arange(12) * np.pi / 12)]
)  # (2, 12) directions across the floor


class Present(Protocol):
    """The subjects that a shot takes its people from."""

    @property
    def size(self) -> int:
        """How many they are."""
        ...

    def avatar(self, k: int) -> Avatar:
        """Avatar of the k-th of them, 0 <= k < size, in the clothes of the shot."""
        ...


class Cast(Protocol):
    """The subjects a dataset is made of."""

    def present(self, index: int, count: int, spines: float) -> Present:
        """Those that shot ``index`` of ``count`` people may choose from, a share ``spines`` of them
        with a spine that is not normal."""
        ...


@dataclass(frozen=True)
class Stance:
    """A settled posture about the world's origin: coordinates q (n,), the angles of the fingers
    (2, 5, 3), None for those at rest, and the skin (V, 3) m."""

    avatar: Avatar
    pose: Pose | Moment
    q: Array
    skin: Array
    fingers: Fingers | None = None


@dataclass(frozen=True)
class Footprint:
    """The floor that a person and the mat take: extents along 12 directions, (12,) low and high."""

    low: Array
    high: Array

    @classmethod
    def of(cls, points: ArrayLike) -> Footprint:
        """Of points (N, 2), x, z m."""
        along = np.asarray(points, float) @ _AXES
        return cls(along.min(0), along.max(0))

    def moved(self, offset: Array) -> Footprint:
        """Elsewhere by x, z m."""
        shift = offset @ _AXES
        return Footprint(self.low + shift, self.high + shift)

    def clear_of(self, other: Footprint, gap_m: float) -> bool:
        """Whether a straight lane at least so wide runs between the two."""
        apart = np.maximum(self.low - other.high, other.low - self.high)
        return bool(apart.max() >= gap_m)

    @property
    def box(self) -> Array:
        """Lowest and highest x, z m, (2, 2)."""
        return np.stack([self.low[[0, 6]], self.high[[0, 6]]])


@dataclass(frozen=True)
class Placed:
    """People where they stand, and the mat of each."""

    people: tuple[PosedPerson, ...]
    mats: tuple[Mat, ...]
    footprints: tuple[Footprint, ...]


def pick(rng: Rng, weights: Weights) -> str:
    """A name by weight."""
    chance = np.array(list(weights.values()))
    return list(weights)[int(rng.choice(len(chance), p=chance / chance.sum()))]


def choose_pose(families: Weights, rng: Rng) -> Pose:
    """A pose of the library: the family by weight, within it all as likely."""
    family = pick(rng, families)
    poses = [pose for pose in library().values() if pose.family == family]
    return poses[int(rng.integers(len(poses)))]


def take_stance(avatar: Avatar, pose: Pose, rng: Rng) -> Stance | None:
    """The avatar in its own variation of a pose, resting on y = 0, the fingers closed on what they
    hold; None where no try came out well."""
    tree = avatar.tree
    for _ in range(TRIES_A_POSE):
        chosen = either_side(pose, rng)
        q = sample_pose(tree, chosen, rng)
        fingers = open_fingers(avatar, chosen.contacts, chosen.reaches)
        settled = solve_contacts_deforming(
            tree,
            q,
            chosen.contacts,
            avatar.probe,
            partial(pose_skin, avatar, fingers=fingers),
            chosen.reaches,
            avatar.capsules,
        )
        good = (
            settled.worst_contact_m <= FARTHEST_CONTACT_M
            and settled.lowest_m >= -DEEPEST_BELOW_FLOOR_M
            and settled.balance_m <= FARTHEST_OFF_BALANCE_M
            and self_intersection_m(tree, settled.q, avatar.capsules) <= DEEPEST_OVERLAP_M
        )
        if good:
            held = held_fingers(avatar, settled.q, settled.skin_world, fingers, chosen.reaches)
            skin = settled.skin_world if held is fingers else pose_skin(avatar, settled.q, held)
            return Stance(avatar, chosen, settled.q, skin, held)
    return None


def hold_moment(avatar: Avatar, moment: Moment) -> Stance | None:
    """The avatar in a moment of a motion, lifted or lowered until it rests on y = 0; None where
    its limbs run into each other."""
    tree = avatar.tree
    index = [tree.coordinate_index[name] for name in ("pelvis_tx", "pelvis_tz")]
    q = moment.q.copy()
    q[index] = 0.0
    skin = pose_skin(avatar, q)
    rise = np.array([0.0, -skin[:, 1].min(), 0.0])
    q = moved(tree, q, rise)
    if self_intersection_m(tree, q, avatar.capsules) > DEEPEST_OVERLAP_M:
        return None
    return Stance(avatar, moment, q, skin + rise)


def gather(
    place: Place,
    cast: Present,
    subjects: Sequence[int],
    families: Weights,
    rules: PeopleRules,
    rng: Rng,
    performances: tuple[Performance, ...] = (),
) -> Placed | None:
    """The subjects of a shot in poses, each on a mat; None where the floor cannot hold them so.

    Where there are ``performances``, people hold moments of them instead of poses.
    """

    def choose() -> Pose | Moment:
        return choose_moment(performances, rng) if performances else choose_pose(families, rng)

    together = len(subjects) > 1 and rng.random() < rules.same_pose
    shared = choose() if together else None
    stances = []
    for subject in subjects:
        avatar = cast.avatar(int(subject))
        stance = None
        for attempt in range(POSES_TRIED):
            pose = shared if shared is not None and attempt == 0 else choose()
            if isinstance(pose, Moment):
                stance = hold_moment(avatar, pose)
            else:
                stance = take_stance(avatar, pose, rng)
            if stance is not None:
                break
        if stance is None:
            return None
        stances.append(stance)
    class_heading = rng.uniform(-np.pi, np.pi)
    spread = 0.15 if together and rng.random() < 0.6 else np.pi
    people: list[PosedPerson] = []
    mats: list[Mat] = []
    footprints: list[Footprint] = []
    for stance in stances:
        heading = class_heading + rng.uniform(-spread, spread)
        q = turned(stance.avatar.tree, stance.q, heading)
        # The skin turns with it.
        floor = stance.skin[:, [0, 2]] @ yaw_xz(heading).T
        mat = mat_for(floor[stance.skin[:, 1] < NEAR_FLOOR_M], heading)
        taken = Footprint.of(np.concatenate([floor[::3], mat.corners()]))
        offset = _free_spot(place, taken, footprints, rules.gap_m, rng)
        if offset is None:
            return None
        q = moved(stance.avatar.tree, q, (offset[0], 0.0, offset[1]))
        people.append(replace(pose_avatar(stance.avatar, q, stance.fingers), pose=stance.pose.name))
        mats.append(replace(mat, center=mat.center + offset))
        footprints.append(taken.moved(offset))
    return Placed(tuple(people), tuple(mats), tuple(footprints))


def _free_spot(
    place: Place, taken: Footprint, others: Sequence[Footprint], gap_m: float, rng: Rng
) -> Array | None:
    """An offset (2,) x, z m that sets a footprint down on free floor, or None."""
    low, high = place.mat_area - taken.box
    if (low > high).any():
        return None
    middle = -taken.box.mean(0)
    walls = place.obstacles[:, :, [0, 2]]
    for attempt in range(SPOTS_TRIED):
        # The search widens: a first person stands about the middle, the others as near as they can.
        reach = 0.5 + (2.8 * attempt / SPOTS_TRIED if others else 0.0)
        offset: Array = np.clip(middle + rng.uniform(-reach, reach, 2), low, high)
        here = taken.moved(offset)
        bumps = (here.box[0] < walls[:, 1]) & (here.box[1] > walls[:, 0])
        if bumps.all(axis=1).any():
            continue
        if all(here.clear_of(other, gap_m) for other in others):
            return offset
    return None

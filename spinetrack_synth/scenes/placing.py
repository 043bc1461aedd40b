"""People on the floor: each posed and settled, turned, and set down where nobody is in the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike

from spinetrack_synth.avatars.avatar import Avatar, Fingers, pose_skin
from spinetrack_synth.avatars.holding import gripping_fingers, held_fingers, open_fingers
from spinetrack_synth.avatars.paintings import UNSEEN
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.motion.performance import Moment, Performance, choose_moment
from spinetrack_synth.poses.collision import self_intersection_m
from spinetrack_synth.poses.ground import ContactSolution, Demands, solve_contacts_deforming
from spinetrack_synth.poses.library import Pose, either_side, library
from spinetrack_synth.poses.placement import moved, turned
from spinetrack_synth.poses.sampling import sample_pose
from spinetrack_synth.rotations import yaw_xz
from spinetrack_synth.scenes.description import PeopleRules, Weights
from spinetrack_synth.scenes.equipment import (
    choose_seats,
    find_held,
    find_supports,
    levels_m,
    restyled,
)
from spinetrack_synth.scenes.faces import hatless
from spinetrack_synth.scenes.mats import THICKNESS_M, Mat, mat_for
from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.props import held, supports
from spinetrack_synth.scenes.shapes import Array, Rng
from spinetrack_synth.scenes.things import thing_points
from spinetrack_synth.shot import PosedPerson, Thing

FARTHEST_CONTACT_M: Final = 0.01
DEEPEST_BELOW_FLOOR_M: Final = 0.015
DEEPEST_OVERLAP_M: Final = 0.02
FARTHEST_OFF_BALANCE_M: Final = 0.06
FARTHEST_HOLD_M: Final = 0.03
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

    @property
    def changing(self) -> bool:
        """Whether faces are others in every shot."""
        ...

    def avatar(self, k: int) -> Avatar:
        """Avatar of the k-th of them, 0 <= k < size, in the clothes of the shot."""
        ...


class Cast(Protocol):
    """The subjects a dataset is made of."""

    def present(self, index: int, count: int, spines: float, clothes: Weights) -> Present:
        """Those that shot ``index`` of ``count`` people may choose from, a share ``spines`` of them
        with a spine that is not normal, in clothes of styles by weight."""
        ...


@dataclass(frozen=True)
class Stance:
    """A settled posture about the world's origin: coordinates q (n,), the angles of the fingers
    (2, 5, 3), None for those at rest, and the skin (V, 3) m; and what it rests on and holds, its
    styles open."""

    avatar: Avatar
    pose: Pose | Moment
    q: Array
    skin: Array
    fingers: Fingers | None = None
    things: tuple[Thing, ...] = ()


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
    """People where they stand, the mat of each who has one, what they rest on and hold;
    ``stances`` are those of the people, there."""

    people: tuple[PosedPerson, ...]
    mats: tuple[Mat | None, ...]
    footprints: tuple[Footprint, ...]
    things: tuple[Thing, ...] = ()
    stances: tuple[Stance, ...] = ()


def pick(rng: Rng, weights: Weights) -> str:
    """A name by weight."""
    chance = np.array(list(weights.values()))
    return list(weights)[int(rng.choice(len(chance), p=chance / chance.sum()))]


def choose_pose(
    families: Weights, rng: Rng, suits: Callable[[Pose], bool] = lambda pose: True
) -> Pose:
    """A pose of the library that suits: the family by weight, within it all as likely."""
    suiting = [pose for pose in library().values() if suits(pose)]
    known = {pose.family for pose in suiting}
    family = pick(rng, {name: weight for name, weight in families.items() if name in known})
    poses = [pose for pose in suiting if pose.family == family]
    return poses[int(rng.integers(len(poses)))]


def take_stance(avatar: Avatar, pose: Pose, rng: Rng) -> Stance | None:
    """The avatar in its own variation of a pose, resting on y = 0 or its supports, the fingers
    closed on what they hold; None where no try came out well."""
    for _ in range(TRIES_A_POSE):
        chosen = either_side(pose, rng)
        q = sample_pose(avatar.tree, chosen, rng)
        seats = choose_seats(chosen.rests, rng)
        levels = levels_m(avatar.tree, seats)
        fingers = open_fingers(
            avatar, chosen.contacts, chosen.reaches, chosen.holds, fists=chosen.fists
        )
        settled = solve_contacts_deforming(
            avatar.tree,
            q,
            Demands(chosen.contacts, chosen.reaches, levels, chosen.holds, chosen.balanced),
            avatar.probe,
            partial(pose_skin, avatar, fingers=fingers),
            avatar.capsules,
        )
        if not _good(avatar, settled):
            continue
        q, skin = settled.q, settled.skin_world
        carriers = find_supports(avatar, skin, seats)
        implements = find_held(avatar, q, skin, chosen.holds)
        if carriers is None or implements is None:
            continue
        closed = held_fingers(avatar, q, skin, fingers, chosen.reaches)
        closed = gripping_fingers(avatar, q, skin, closed, chosen.holds)
        if chosen.flight_m:
            rise = chosen.flight_m * rng.uniform(0.5, 1.4)
            q = moved(avatar.tree, q, (0.0, rise, 0.0))
        if chosen.flight_m or closed is not fingers:
            skin = pose_skin(avatar, q, closed)
        return Stance(avatar, chosen, q, skin, closed, (*carriers, *implements))
    return None


def _good(avatar: Avatar, settled: ContactSolution) -> bool:
    """Whether a settled posture can be drawn."""
    return (
        settled.worst_contact_m <= FARTHEST_CONTACT_M
        and settled.lowest_m >= -DEEPEST_BELOW_FLOOR_M
        and settled.balance_m <= FARTHEST_OFF_BALANCE_M
        and max(settled.hold_m.values(), default=0.0) <= FARTHEST_HOLD_M
        and self_intersection_m(avatar.tree, settled.q, avatar.capsules) <= DEEPEST_OVERLAP_M
    )


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


# Long, for it draws in one order who does what and where: that order is the picture.
def gather(
    place: Place,
    cast: Present,
    subjects: Sequence[int],
    families: Weights,
    rules: PeopleRules,
    rng: Rng,
    performances: tuple[Performance, ...] = (),
    suits: Callable[[Pose], bool] = lambda pose: True,
) -> Placed | None:
    """The subjects of a shot in poses that suit, some on mats, with what they rest on and hold;
    None where the floor cannot hold them so: it lies as far below y = 0 as mats are thick.

    Where there are ``performances``, people hold moments of them instead of poses.
    """

    def choose() -> Pose | Moment:
        if performances:
            return choose_moment(performances, rng)
        return choose_pose(families, rng, suits)

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
    mats: list[Mat | None] = []
    footprints: list[Footprint] = []
    things: list[Thing] = []
    settled: list[Stance] = []
    for stance in stances:
        heading = class_heading + rng.uniform(-spread, spread)
        q = turned(stance.avatar.tree, stance.q, heading)
        # The skin turns with it.
        floor = stance.skin[:, [0, 2]] @ yaw_xz(heading).T
        carried = [_turned(thing, heading) for thing in stance.things]
        low = floor[stance.skin[:, 1] < NEAR_FLOOR_M]
        mat = mat_for(low, heading) if _wants_mat(stance, low, rules, rng) else None
        corners = [thing_points(restyled(thing, 0))[:, [0, 2]] for thing in carried]
        corners += [mat.corners()] if mat else []
        taken = Footprint.of(np.concatenate([floor[::3], *corners]))
        offset = _free_spot(place, taken, footprints, rules.gap_m, rng)
        if offset is None:
            return None
        there = np.array([offset[0], 0.0 if mat else -THICKNESS_M, offset[1]])
        q = moved(stance.avatar.tree, q, there)
        avatar = hatless(stance.avatar, q[None], getattr(stance.pose, "family", ""))
        person = pose_avatar(avatar, q, stance.fingers, UNSEEN)  # nobody knows yet how near
        people.append(replace(person, pose=stance.pose.name))
        settled.append(replace(stance, avatar=avatar, q=q, skin=people[-1].skin_world))
        mats.append(replace(mat, center=mat.center + offset) if mat else None)
        things += [_styled(thing, there, rng) for thing in carried]
        footprints.append(taken.moved(offset))
    return Placed(tuple(people), tuple(mats), tuple(footprints), tuple(things), tuple(settled))


def _wants_mat(stance: Stance, low: Array, rules: PeopleRules, rng: Rng) -> bool:
    """Who rests on something, holds something or is in the air has no mat; where not everybody has
    one, who stands on the feet alone has none."""
    if stance.things or not len(low) or rules.mats == 0.0:
        return False
    if rules.mats == 1.0:
        return True
    contacts = stance.pose.contacts if isinstance(stance.pose, Pose) else ()
    lies = any(contact.partition("_")[2] not in _FEET for contact in contacts)
    return lies and rng.random() < rules.mats


_FEET: Final = ("foot", "toes", "heel")


def _turned(thing: Thing, heading: float) -> Thing:
    """A thing turned with whom it belongs to."""
    cos, sin = np.cos(heading), np.sin(heading)
    x, y, z = thing.position_world
    place = (float(x * cos + z * sin), y, float(z * cos - x * sin))
    return replace(thing, position_world=place, yaw_rad=thing.yaw_rad + heading)


def _styled(thing: Thing, offset: Array, rng: Rng) -> Thing:
    """A thing moved by (3,) m, in one of its styles."""
    x, y, z = (float(c) for c in np.asarray(thing.position_world) + offset)
    styles = held.STYLES if thing.asset.startswith("held/") else supports.STYLES
    return restyled(replace(thing, position_world=(x, y, z)), int(rng.integers(styles)))


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

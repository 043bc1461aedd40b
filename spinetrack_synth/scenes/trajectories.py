"""How a person moves through a clip: from pose to pose, or as somebody was recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.avatars.avatar import Avatar, Fingers, pose_skin
from spinetrack_synth.motion.performance import Performance, moment_name
from spinetrack_synth.poses.collision import self_intersection_m
from spinetrack_synth.poses.ground import Demands, solve_contacts_deforming
from spinetrack_synth.poses.library import Pose, library, mirrored
from spinetrack_synth.poses.pinning import pinned
from spinetrack_synth.poses.placement import (
    ROTATION,
    TRANSLATION,
    indices,
    moved,
    rotation_zxy,
    turned,
)
from spinetrack_synth.poses.regions import REGIONS
from spinetrack_synth.poses.sampling import blend, pose_coordinates, within_limits
from spinetrack_synth.rotations import yaw_xz
from spinetrack_synth.scenes.description import Weights
from spinetrack_synth.scenes.placing import (
    DEEPEST_BELOW_FLOOR_M,
    FARTHEST_CONTACT_M,
    FARTHEST_OFF_BALANCE_M,
    Stance,
    take_stance,
)
from spinetrack_synth.scenes.shapes import Array, Rng

KNOTS: Final = 9
"""Where between two poses the body is settled on the floor; between these it is interpolated."""
FARTHEST_SLIDE_M: Final = 0.06
"""How far what stays on the floor may move over a whole transition."""
FARTHEST_FROM_PLACE_M: Final = 0.3
"""How far from them they may be before the limbs reach for them; nearer than ``NEAR_ENOUGH_M`` they
are there."""
NEAR_ENOUGH_M: Final = 0.01
FARTHEST_OFF_FLOOR_M: Final = 0.03
DEEPEST_OVERLAP_M: Final = 0.03
"""On the way from pose to pose, not in the poses."""
FARTHEST_TURN_DEG: Final = 150.0
"""Of any coordinate: beyond it people go by way of another pose."""
NEAR_DEG: Final = 60.0
"""Poses this much farther away in their largest coordinate are e times rarer as the next one."""
POSES_TRIED: Final = 10
SHIFTS_TRIED: Final = 3
AGAIN: Final = 0.6
"""How often a movement goes back where it came from, as exercises do; else on to another pose."""

PEAK_DEG_S: Final = (60.0, 130.0)
"""Largest speed of the fastest coordinate in a transition, slow to quick: own estimate."""
FASTEST_DEG_S: Final = 400.0
"""No coordinate of a transition ever turns faster, whatever settles it."""
PEAK_OF_MEAN: Final = 1.875
"""Peak over mean speed of a minimum-jerk movement (Flash and Hogan 1985)."""
SHORTEST_S: Final = 0.7
HOLD_S: Final = (0.2, 1.2)
"""How long a pose is held before the next movement starts."""

BREATH_HZ: Final = (0.2, 0.3)
BREATH_DEG: Final = 0.8
GAZE_DEG: Final = 2.0
"""Rise of the chest in each breath, and how much a head that is free wanders: own estimates."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A person at all frames: coordinates q (F, n), fingers (F, 2, 5, 3) rad or None for those at
    rest, and the poses' names (F,)."""

    avatar: Avatar
    q: Array
    fingers: Fingers | None
    poses: tuple[str, ...]

    def skin(self, frame: int) -> Array:
        """The bare skin (V, 3) m at a frame."""
        fingers = None if self.fingers is None else self.fingers[frame]
        return pose_skin(self.avatar, self.q[frame], fingers)


@dataclass(frozen=True, eq=False)
class Transition:
    """A way from one stance to another in the world: q at the share s (0..1) of it."""

    start: Stance
    end: Stance
    correction: Callable[[float], Array]
    shared: tuple[str, ...]
    duration_s: float

    def at(self, s: float) -> Array:
        tree = self.start.avatar.tree
        q: Array = blend(tree, self.start.q, self.end.q, s) + self.correction(s)
        return q

    def back(self) -> Transition:
        """The same way from its end to its start."""
        return Transition(
            self.end, self.start, lambda s: self.correction(1 - s), self.shared, self.duration_s
        )


def minimum_jerk(t: float) -> float:
    """The share of the way at a share of the time (Flash and Hogan 1985)."""
    t = min(max(t, 0.0), 1.0)
    return t**3 * (10 - 15 * t + 6 * t * t)


def pose_to_pose(
    stance: Stance,
    families: Weights,
    times_s: Array,
    fits: Callable[[Array], bool],
    rng: Rng,
) -> Trajectory:
    """From a stance in the world on, by as many poses as there is time for.

    What two poses have on the floor in common stays where it is. ``fits`` says whether skin
    (V, 3) m may be where it is. Where no next pose is found the stance is held, breathing.
    """
    avatar = stance.avatar
    plan: list[tuple[float, float, Transition]] = []
    now = -rng.uniform(0.0, HOLD_S[1])
    here = stance
    while now < times_s[-1]:
        now += rng.uniform(*HOLD_S)
        step = None
        if not plan or rng.random() >= AGAIN:
            step = _next(here, families, fits, rng)
        if step is None and plan:
            step = plan[-1][2].back()
        if step is None:
            break
        begin = max(now, 0.0) if not plan else now
        plan.append((begin, begin + step.duration_s, step))
        now, here = begin + step.duration_s, step.end
    sway = _alive(stance, [step.end for _, _, step in plan], rng)
    rest = np.zeros((2, 5, 3))
    q, fingers, poses = [], [], []
    for time_s in times_s:
        frame = _frame(stance, plan, float(time_s))
        q.append(_grounded(avatar, limited(avatar.tree, frame.q + sway(float(time_s))), frame))
        fingers.append(frame.fingers if frame.fingers is not None else rest)
        poses.append(frame.pose)
    return Trajectory(avatar, np.array(q), np.array(fingers), tuple(poses))


@dataclass(frozen=True, eq=False)
class _Frame:
    """``on_floor`` are regions and where the middle of their patches is kept, (P, 2) x, z m."""

    q: Array
    fingers: Fingers | None
    pose: str
    on_floor: tuple[str, ...]
    kept: Array


def _frame(
    stance: Stance, plan: Sequence[tuple[float, float, Transition]], time_s: float
) -> _Frame:
    here = stance
    for begin, end, step in plan:
        if time_s <= begin:
            break
        if time_s < end:
            s = minimum_jerk((time_s - begin) / (end - begin))
            rest = np.zeros((2, 5, 3))
            a, b = (f if f is not None else rest for f in (step.start.fingers, step.end.fingers))
            start, finish = (_floor_points(x.avatar, x.skin, step.shared) for x in (here, step.end))
            return _Frame(
                step.at(s),
                (1 - s) * a + s * b,
                " to ".join(dict.fromkeys((step.start.pose.name, step.end.pose.name))),
                step.shared,
                (1 - s) * start + s * finish,
            )
        here = step.end
    assert isinstance(here.pose, Pose)
    kept = _floor_points(here.avatar, here.skin, here.pose.contacts)
    return _Frame(here.q, here.fingers, here.pose.name, here.pose.contacts, kept)


def limited(tree: Tree, q: Array) -> Array:
    """The posture within the limits of its joints, the pelvis where it is."""
    within = within_limits(tree, q)
    pelvis = indices(tree, (*ROTATION, *TRANSLATION))
    within[pelvis] = q[pelvis]
    return within


def _grounded(avatar: Avatar, q: Array, frame: _Frame) -> Array:
    """The posture moved so that what is on the floor stays there and nothing is below it."""
    skin = pose_skin(avatar, q, frame.fingers)
    x, z = (frame.kept - _floor_points(avatar, skin, frame.on_floor)).mean(axis=0)
    return moved(avatar.tree, q, (x, -skin[:, 1].min(), z))


def _floor_points(avatar: Avatar, skin: Array, regions: Sequence[str]) -> Array:
    """The middles (P, 2) x, z m of the patches of regions."""
    return _middles(avatar, skin, regions)[:, [0, 2]]


def _next(
    here: Stance, families: Weights, fits: Callable[[Array], bool], rng: Rng
) -> Transition | None:
    """A transition to another pose that keeps something of this one on the floor."""
    assert isinstance(here.pose, Pose)
    tree = here.avatar.tree
    written = pose_coordinates(tree, here.pose)
    angles = np.array([not name.startswith("pelvis_t") for name in tree.coordinates])
    poses, chance = [], []
    for pose in library().values():
        wanted = pose.stays and families.get(pose.family, 0.0) > 0
        if wanted and _may_follow(pose, here.pose):
            apart = np.degrees(np.abs(pose_coordinates(tree, pose) - written)[angles].max())
            poses.append(pose)
            chance.append(families[pose.family] * np.exp(-apart / NEAR_DEG))
    order = []
    if poses:
        share = np.array(chance) / sum(chance)
        order = rng.choice(len(poses), min(POSES_TRIED, len(poses)), False, share).tolist()
    # Where nothing follows, people shift about in the pose that they hold.
    for pose in (*(poses[number] for number in order), *(here.pose,) * SHIFTS_TRIED):
        there = take_stance(here.avatar, pose, rng)
        step = None if there is None else _lead(here, there, fits, rng)
        if step is not None:
            return step
    return None


def _may_follow(pose: Pose, other: Pose) -> bool:
    """Whether a pose, or its mirror image, has all on the floor that another has, or the other way
    round."""
    there = set(other.contacts)
    return pose.name != other.name and any(
        (here <= there or there <= here) and here & there
        for here in (set(pose.contacts), set(mirrored(pose).contacts))
    )


def _lead(
    here: Stance, there: Stance, fits: Callable[[Array], bool], rng: Rng
) -> Transition | None:
    """The way from one stance to another, brought to where it has the same places on the floor."""
    tree = here.avatar.tree
    assert isinstance(here.pose, Pose)
    assert isinstance(there.pose, Pose)
    mine, theirs = set(here.pose.contacts), set(there.pose.contacts)
    shared = tuple(sorted(mine & theirs))
    if not shared or not (mine <= theirs or theirs <= mine):
        return None
    there = _aligned(here, there, shared)
    angles = np.array([not name.startswith("pelvis_t") for name in tree.coordinates])
    if _slide_m(here, there, shared) > FARTHEST_FROM_PLACE_M:
        return None
    brought = _brought(here, there, shared)
    if brought is None or not fits(brought.skin):
        return None
    turn = np.degrees(np.abs(brought.q - here.q)[angles].max())
    if turn > FARTHEST_TURN_DEG or _slide_m(here, brought, shared) > FARTHEST_SLIDE_M:
        return None
    duration_s = max(SHORTEST_S, PEAK_OF_MEAN * turn / rng.uniform(*PEAK_DEG_S))
    for settle in (False, True):
        way = _on_the_way(here, brought, shared, settle=settle)
        step = Transition(here, brought, way, shared, duration_s)
        if _sound(step, fits):
            return step
    return None


def _aligned(here: Stance, there: Stance, shared: tuple[str, ...]) -> Stance:
    """A stance turned and moved onto the places that another has on the floor."""
    avatar = here.avatar
    to = _floor_points(avatar, here.skin, shared)
    of = _floor_points(avatar, there.skin, shared)
    a, b = to - to.mean(axis=0), of - of.mean(axis=0)
    # Least squares of a - yaw_xz(heading) b.
    heading = float(np.arctan2((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum(), (a * b).sum()))
    x, z = to.mean(axis=0) - yaw_xz(heading) @ of.mean(axis=0)
    q = moved(avatar.tree, turned(avatar.tree, there.q, heading), (x, 0.0, z))
    return replace(there, q=q, skin=pose_skin(avatar, q, there.fingers))


def _slide_m(here: Stance, there: Stance, shared: tuple[str, ...]) -> float:
    """How far the places of two stances on the floor are apart, at worst."""
    a, b = (_floor_points(stance.avatar, stance.skin, shared) for stance in (here, there))
    return float(np.linalg.norm(a - b, axis=1).max())


def _brought(here: Stance, there: Stance, shared: tuple[str, ...]) -> Stance | None:
    """A stance with limbs that reach to the places another has on the floor; None where it does
    not come out well."""
    avatar, tree = there.avatar, there.avatar.tree
    if _slide_m(here, there, shared) < NEAR_ENOUGH_M:
        return there
    assert isinstance(there.pose, Pose)
    bodies, offsets_m = _pins(there, shared)
    places = _middles(avatar, there.skin, shared)
    places[:, [0, 2]] = _floor_points(avatar, here.skin, shared)
    settled = solve_contacts_deforming(
        tree,
        pinned(tree, there.q, bodies, offsets_m, places),
        Demands(there.pose.contacts, there.pose.reaches, balanced=there.pose.balanced),
        avatar.probe,
        partial(pose_skin, avatar, fingers=there.fingers),
        avatar.capsules,
    )
    good = (
        settled.worst_contact_m <= FARTHEST_CONTACT_M
        and settled.lowest_m >= -DEEPEST_BELOW_FLOOR_M
        and settled.balance_m <= FARTHEST_OFF_BALANCE_M
    )
    return replace(there, q=settled.q, skin=settled.skin_world) if good else None


def _middles(avatar: Avatar, skin: Array, regions: Sequence[str]) -> Array:
    """The middles (P, 3) m of the patches of regions."""
    patches = [avatar.probe.patches[patch] for region in regions for patch in REGIONS[region]]
    return np.array([skin[patch].mean(axis=0) for patch in patches])


def _pins(stance: Stance, regions: Sequence[str]) -> tuple[NDArray[np.int64], Array]:
    """The middles of patches as points on bodies: these (P,), and where in them (P, 3) m."""
    avatar = stance.avatar
    bodies = np.array(
        [
            np.bincount(avatar.probe.body[avatar.probe.patches[patch]]).argmax()
            for region in regions
            for patch in REGIONS[region]
        ]
    )
    frames = body_transforms(avatar.tree, stance.q)[bodies]
    apart = _middles(avatar, stance.skin, regions) - frames[:, :3, 3]
    return bodies, np.einsum("pji,pj->pi", frames[:, :3, :3], apart)


def _on_the_way(
    here: Stance, there: Stance, shared: tuple[str, ...], *, settle: bool
) -> Callable[[float], Array]:
    """What has to be added to the blend of two stances so that shared places stay where they are;
    ``settle`` first brings everything else above the floor."""
    avatar, tree = here.avatar, here.avatar.tree
    knots = np.linspace(0.0, 1.0, KNOTS)
    (bodies, start), (_, end) = _pins(here, shared), _pins(there, shared)
    first, last = (_middles(avatar, stance.skin, shared) for stance in (here, there))
    added = []
    for s in knots:
        q = blended = blend(tree, here.q, there.q, float(s))
        if settle:
            q = solve_contacts_deforming(
                tree,
                q,
                Demands(contacts=shared),
                avatar.probe,
                partial(pose_skin, avatar),
                avatar.capsules,
            ).q
        places = (1 - s) * first + s * last
        added.append(pinned(tree, q, bodies, (1 - s) * start + s * end, places) - blended)
    corrections = np.array(added)
    # Nothing at both ends: these are settled, with all that they have on the floor.
    corrections -= np.outer(1 - knots, corrections[0]) + np.outer(knots, corrections[-1])
    spline = CubicSpline(knots, corrections, bc_type="clamped")
    return lambda s: np.asarray(spline(s), dtype=float)


def _sound(step: Transition, fits: Callable[[Array], bool]) -> bool:
    """Whether nobody slides, floats, hurries, leaves the limits or runs through the own body."""
    avatar, tree = step.start.avatar, step.start.avatar.tree
    start, end = (_floor_points(avatar, x.skin, step.shared) for x in (step.start, step.end))
    shares = np.linspace(0.0, 1.0, 2 * KNOTS - 1)
    patches = [avatar.probe.patches[p] for r in step.shared for p in REGIONS[r]]
    for s in shares:
        kept = (1 - s) * start + s * end
        frame = _Frame(step.at(float(s)), None, "", step.shared, kept)
        q = _grounded(avatar, frame.q, frame)
        skin = pose_skin(avatar, q)
        off = np.linalg.norm(_floor_points(avatar, skin, step.shared) - kept, axis=1).max()
        floating = max(float(skin[patch, 1].min()) for patch in patches)
        if off > FARTHEST_SLIDE_M or floating > FARTHEST_OFF_FLOOR_M or not fits(skin):
            return False
        if self_intersection_m(tree, q, avatar.capsules) > DEEPEST_OVERLAP_M:
            return False
    angles = np.array([not name.startswith("pelvis_t") for name in tree.coordinates])
    free = np.zeros(len(tree.coordinates), dtype=bool)
    free[tree.free_index] = True
    fine = np.linspace(0.0, 1.0, 61)
    q = np.array([step.at(minimum_jerk(float(t))) for t in fine])[:, angles & free]
    speed = np.degrees(np.abs(np.diff(q, axis=0))).max() / (step.duration_s * (fine[1] - fine[0]))
    return bool(speed <= FASTEST_DEG_S)


def _alive(stance: Stance, ends: Sequence[Stance], rng: Rng) -> Callable[[float], Array]:
    """What breath and gaze add to the coordinates at a time; nothing where head or arms rest."""
    tree = stance.avatar.tree
    contacts = " ".join(
        region for x in (stance, *ends) if isinstance(x.pose, Pose) for region in x.pose.contacts
    )
    breath = 2 * np.pi * rng.uniform(*BREATH_HZ)
    gaze = 2 * np.pi * np.array([0.13, 0.09]) * rng.uniform(0.8, 1.2, 2)
    phase = rng.uniform(0, 2 * np.pi, 3)
    laid = any(name in contacts for name in ("hand", "arm", "finger", "elbow", "back", "chest"))
    laid |= any(x.pose.reaches for x in (stance, *ends) if isinstance(x.pose, Pose))
    lying = any(name in contacts for name in ("head", "occiput", "crown", "shoulder", "back"))
    added = np.zeros((3, len(tree.free)))
    for row, (name, deg, still) in enumerate(
        (
            ("thoracic_extension", BREATH_DEG, laid),
            ("cervical_rotation", GAZE_DEG, lying),
            ("cervical_extension", GAZE_DEG / 2, lying),
        )
    ):
        added[row, tree.free.index(name)] = 0.0 if still else np.radians(deg)
    through = added @ tree.coupling.T

    def at(time_s: float) -> Array:
        waves = np.sin(np.array([breath, *gaze]) * time_s + phase) - np.sin(phase)
        return np.asarray(0.5 * waves @ through, dtype=float)

    return at


# Recorded motion


def cut(
    performances: Sequence[Performance], length_s: float, rng: Rng, tries: int
) -> tuple[dict[str, tuple[Performance, float]], tuple[Performance, ...]]:
    """Moments of motions about which there is so much time, by name: motion and start, s; and the
    same as performances of one frame each, that people can be set down by."""
    long_enough = [p for p in performances if p.times_s[-1] - p.times_s[0] >= length_s]
    found, moments = {}, []
    for performance in long_enough:
        times = performance.times_s
        for _ in range(tries):
            start = float(rng.uniform(times[0], times[-1] - length_s))
            middle = int(np.argmin(np.abs(times - (start + length_s / 2))))
            found[moment_name(performance, middle)] = (performance, start)
            moments.append(
                Performance(
                    performance.name,
                    times[middle : middle + 1],
                    performance.coordinates[middle : middle + 1],
                    performance.weight,
                )
            )
    return found, tuple(moments)


def performed(
    stance: Stance, performance: Performance, start_s: float, times_s: Array
) -> Trajectory:
    """A motion from a time on, such that its moment in the middle of the clip is the stance.

    The floor, y = 0, is where the lowest skin of the whole clip is.
    """
    avatar, tree, middle_q = stance.avatar, stance.avatar.tree, stance.q
    recorded = performance.times_s
    middle = int(np.argmin(np.abs(recorded - (start_s + times_s[-1] / 2))))
    place = indices(tree, TRANSLATION)
    there = performance.coordinates[middle]
    angles = indices(tree, ROTATION)
    turn = rotation_zxy(middle_q[angles]) @ rotation_zxy(there[angles]).T
    heading = float(np.arctan2(turn[0, 2], turn[0, 0]))
    q = []
    for time_s in start_s + times_s:
        after = int(np.clip(np.searchsorted(recorded, time_s), 1, len(recorded) - 1))
        before = after - 1
        share = (time_s - recorded[before]) / (recorded[after] - recorded[before])
        row = blend(
            tree,
            performance.coordinates[before],
            performance.coordinates[after],
            float(np.clip(share, 0.0, 1.0)),
        )
        row[place] -= there[place] * (1.0, 0.0, 1.0)
        row = turned(tree, row, heading)
        q.append(moved(tree, row, middle_q[place] * (1.0, 0.0, 1.0)))
    lowest = min(pose_skin(avatar, row)[:, 1].min() for row in q)
    path = np.array([moved(tree, row, (0.0, -lowest, 0.0)) for row in q])
    names = tuple(f"{performance.name} {start_s + t:.3f} s" for t in times_s)
    return Trajectory(avatar, path, None, names)

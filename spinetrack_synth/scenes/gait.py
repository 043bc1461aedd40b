"""Walking and running: through the phases of the pose library, on feet that stay where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.avatars.avatar import Avatar, pose_skin
from spinetrack_synth.poses.library import Pose, library
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
from spinetrack_synth.poses.sampling import mirror, pose_coordinates
from spinetrack_synth.scenes.placing import Stance
from spinetrack_synth.scenes.shapes import Array, Rng
from spinetrack_synth.scenes.trajectories import Trajectory, limited

GRAVITY_M_S2: Final = 9.81
SAMPLES: Final = 48
"""Moments of a cycle at which the feet are set on the floor; between these it is interpolated."""
PRESSED_M: Final = 0.003
"""How far from the floor skin still carries, e times less."""
CLEARANCE_M: Final = 0.01
"""Least height of a foot that swings, once it is well off the floor."""
UNEVEN: Final = 0.15
"""How far the speed at most departs from its mean, as a part of it."""
SWAY_M: Final = 0.02
"""How far the pelvis goes to either side: 4 cm in all are usual (Perry and Burnfield 2010)."""
LEAST_OF_MEAN: Final = 0.25
"""No phase is passed quicker than its mean speed over this."""
SIDES: Final = ("right", "left")


@dataclass(frozen=True)
class Gait:
    """The first half of a cycle, from the right foot's contact to the left one's.

    ``phases``: a pose of the library, the share of the cycle (0 to 0.5) that it stands for, and
    whether it is taken in the mirror. ``stance``: the share during which a foot is on the floor,
    below 0.5 there is a flight between. ``cycle_s``: shortest and longest duration.
    """

    phases: tuple[tuple[str, float, bool], ...]
    stance: float
    cycle_s: tuple[float, float]


WALKING: Final = Gait(
    (
        ("walk_initial_contact", 0.0, False),
        ("walk_loading", 0.06, False),
        ("walk_toe_off", 0.11, True),
        ("walk_mid_stance", 0.19, False),
        ("walk_late_mid_stance", 0.31, False),
        ("walk_terminal_stance", 0.43, False),
    ),
    stance=0.555,
    cycle_s=(0.98, 1.25),
)
"""Shares of the cycle: Perry and Burnfield, Gait Analysis (2010); 1.03 s are usual there. Toes
leave at 0.62 there, here sooner: the library's phases lift them between loading and toe-off."""
RUNNING: Final = Gait(
    (
        ("run_foot_strike", 0.0, False),
        ("run_mid_stance", 0.16, False),
        ("run_toe_off", 0.34, False),
        ("run_flight_early", 0.40, False),
        ("run_flight_late", 0.45, False),
    ),
    stance=0.36,
    cycle_s=(0.66, 0.78),
)
"""Novacheck, The biomechanics of running (1998), at 3.2 m/s."""

_BY_POSE: Final = {
    name: (gait, share + 0.5 * mirrored)
    for gait in (WALKING, RUNNING)
    for name, share, mirrored in gait.phases
}


def goes_on(pose: Pose) -> bool:
    """Whether a pose is a phase of a gait, so that somebody in it walks or runs on."""
    return pose.name in _BY_POSE


def walk_on(stance: Stance, times_s: Array, rng: Rng) -> Trajectory:
    """From steps before to steps after a stance, which is where the middle of the clip is.

    Feet on the floor stay where they are, rolling from heel to toe; whoever runs falls freely
    between the steps. The way goes straight on, and nothing is asked about what stands in it.
    """
    assert isinstance(stance.pose, Pose)
    gait, share = _BY_POSE[stance.pose.name]
    if stance.pose != library()[stance.pose.name]:
        share += 0.5  # the other side
    avatar = stance.avatar
    cycle_s = float(rng.uniform(*gait.cycle_s))
    cycle = _cycle(avatar, gait, _own(stance), cycle_s)
    place, rotation = (indices(avatar.tree, names) for names in (TRANSLATION, ROTATION))
    middle_s = times_s[-1] / 2
    start = cycle.time(share)
    middle = cycle.at(start)
    turn = rotation_zxy(stance.q[rotation]) @ rotation_zxy(middle[rotation]).T
    heading = float(np.arctan2(turn[0, 2], turn[0, 0]))
    q, names = [], []
    for time_s in times_s:
        now = float(start + (time_s - middle_s) / cycle_s)
        row = moved(avatar.tree, cycle.at(now), -middle[place] * (1.0, 0.0, 1.0))
        row = turned(avatar.tree, row, heading)
        q.append(moved(avatar.tree, row, stance.q[place] * (1.0, 0.0, 1.0)))
        names.append(_name(gait, cycle.share(now)))
    fingers = None
    if stance.fingers is not None:
        fingers = np.broadcast_to(stance.fingers, (len(times_s), *stance.fingers.shape))
    return Trajectory(avatar, np.array(q), fingers, tuple(names))


def _own(stance: Stance) -> Array:
    """What is this person's own in a stance, the same on both sides: added to every phase."""
    tree = stance.avatar.tree
    assert isinstance(stance.pose, Pose)
    apart = stance.q - pose_coordinates(tree, stance.pose)
    apart[indices(tree, (*ROTATION, *TRANSLATION))] = 0.0
    own: Array = (apart + mirror(tree, apart)) / 2
    return own


@dataclass(frozen=True, eq=False)
class _Cycle:
    """One cycle of one person along X: coordinates by time, ``ahead`` m from each to the next;
    times are parts of a cycle, ``shares`` (SAMPLES,) the phases at even ones."""

    tree: Tree
    coordinates: CubicSpline
    ahead: float
    shares: Array

    def at(self, time: float) -> Array:
        """The coordinates (n,); a time of 1 and more is farther on the way."""
        row = limited(self.tree, self.coordinates(time % 1.0))
        row[self.tree.coordinate_index["pelvis_tx"]] += self.ahead * time
        return row

    def share(self, time: float) -> float:
        """The phase at a time."""
        return float(np.interp(time % 1.0, self._times, [*self.shares, 1.0]))

    def time(self, share: float) -> float:
        """When a phase is reached."""
        return float(np.interp(share % 1.0, [*self.shares, 1.0], self._times))

    @property
    def _times(self) -> Array:
        return np.arange(SAMPLES + 1) / SAMPLES


def _cycle(avatar: Avatar, gait: Gait, own: Array, cycle_s: float) -> _Cycle:
    """The cycle of a person on the own feet."""
    tree = avatar.tree
    place = indices(tree, TRANSLATION)
    shares = _evened(avatar, gait, own)
    postures = _postures(avatar, gait, own, shares)
    feet = [_Foot.of(avatar, postures, side) for side in SIDES]
    loaded = _loaded(gait, shares)
    way, ahead = _way(feet, loaded, cycle_s)
    offsets = [_kept(foot, on, way, ahead) for foot, on in zip(feet, loaded)]
    # The pelvis is held too: what feet need comes out of the legs.
    pelvis = tree.body_index["pelvis"]
    bodies = np.concatenate([*(foot.bodies for foot in feet), [pelvis]])
    pins_m = np.concatenate([*(foot.pins_m for foot in feet), np.zeros((1, 3))])
    rows: list[Array] = []
    for k, posture in enumerate(postures):
        row = moved(tree, posture, way[k])
        held = body_transforms(tree, row)[pelvis, None, :3, 3]
        there = [foot.pins[k] + way[k] + offset[k] for foot, offset in zip(feet, offsets)]
        places = np.concatenate([*there, held])
        rows.append(pinned(tree, row, bodies, pins_m, places))
    values = np.array(rows)
    times = np.arange(SAMPLES + 1) / SAMPLES
    values[:, place[0]] -= ahead * times[:-1]
    return _Cycle(tree, CubicSpline(times, [*values, values[0]], bc_type="periodic"), ahead, shares)


def _evened(avatar: Avatar, gait: Gait, own: Array) -> Array:
    """The shares (SAMPLES,) of the phases at even times, for which the feet on the floor move back
    evenly: whole bodies do not stop and hurry within a step."""
    shares = np.arange(SAMPLES) / SAMPLES
    feet = [_Foot.of(avatar, _postures(avatar, gait, own, shares), side) for side in SIDES]
    steps, known = _steps(feet, _loaded(gait, shares))
    speed = np.interp(np.arange(SAMPLES), known, steps[known, 0], period=SAMPLES)
    speed = np.maximum(speed, LEAST_OF_MEAN * speed.mean())
    done = np.concatenate([[0.0], np.cumsum(speed)]) / speed.sum()
    evened: Array = np.interp(shares, done, np.arange(SAMPLES + 1) / SAMPLES)
    return evened


def _loaded(gait: Gait, shares: Array) -> NDArray[np.bool_]:
    """Which foot is on the floor (2, N)."""
    return np.array([(shares - 0.5 * k) % 1 < gait.stance for k in range(2)])


def _steps(feet: list[_Foot], loaded: NDArray[np.bool_]) -> tuple[Array, NDArray[np.int64]]:
    """How far a body gets from each sample to the next, forward and sideways (SAMPLES, 2) m, on
    feet that stay where they are; and the samples at which it has any."""
    standing = np.array([on & np.roll(on, -1) for on in loaded])
    count = standing.sum(axis=0)
    rolled = np.array([foot.rolled() for foot in feet])
    steps = -(rolled * standing[..., None]).sum(axis=0)[:, [0, 2]]
    known = np.flatnonzero(count)
    steps[known] /= count[known, None]
    return steps, known


def _postures(avatar: Avatar, gait: Gait, own: Array, shares: Array) -> list[Array]:
    """The coordinates (n,) at shares of the cycle, the pelvis at the origin."""
    tree = avatar.tree
    keys, at = [], []
    for half in (False, True):
        for name, share, mirrored in gait.phases:
            q = pose_coordinates(tree, library()[name])
            keys.append(mirror(tree, q) if mirrored != half else q)
            at.append(share + 0.5 * half)
    values = np.array([*keys, keys[0]]) + own
    values[:, indices(tree, TRANSLATION)] = 0.0
    between = CubicSpline([*at, 1.0], values, bc_type="periodic")(shares)
    return [limited(tree, q) for q in between]


@dataclass(frozen=True, eq=False)
class _Foot:
    """A foot through the cycle, seen from the pelvis: its sole (SAMPLES, V, 3) m, and three points
    of it ``pins`` (SAMPLES, 3, 3) m, fixed to ``bodies`` (3,) at ``pins_m`` (3, 3)."""

    sole: Array
    pins: Array
    bodies: NDArray[np.int64]
    pins_m: Array

    @classmethod
    def of(cls, avatar: Avatar, postures: list[Array], side: str) -> _Foot:
        patches = avatar.probe.patches
        vertices = [
            patches[patch] for part in ("foot", "toes") for patch in REGIONS[f"{side}_{part}"]
        ]
        skins = np.array([pose_skin(avatar, q) for q in postures])
        points = [patches[f"{side}_{name}"] for name in ("heel", "ball_medial", "ball_lateral")]
        heel_bone = avatar.tree.body_index[f"calcn_{side[0]}"]
        frames = np.array([body_transforms(avatar.tree, q)[heel_bone] for q in postures])
        first = np.array([skins[0][patch].mean(axis=0) for patch in points])
        pins_m = (first - frames[0, :3, 3]) @ frames[0, :3, :3]
        pins = np.einsum("kij,pj->kpi", frames[:, :3, :3], pins_m) + frames[:, None, :3, 3]
        return cls(
            skins[:, np.unique(np.concatenate(vertices))], pins, np.full(3, heel_bone), pins_m
        )

    @property
    def low(self) -> Array:
        lowest: Array = self.sole[..., 1].min(axis=1)
        return lowest

    def rolled(self) -> Array:
        """How what carries moves from each sample to the next (SAMPLES, 3) m, a last one to the
        first of the next cycle."""
        weights = np.exp((self.low[:, None] - self.sole[..., 1]) / PRESSED_M)
        both = np.sqrt(weights * np.roll(weights, -1, axis=0))[..., None]
        moves = np.roll(self.sole, -1, axis=0) - self.sole
        rolled: Array = (both * moves).sum(axis=1) / both.sum(axis=1)
        return rolled


def _way(feet: list[_Foot], loaded: NDArray[np.bool_], cycle_s: float) -> tuple[Array, float]:
    """Where the pelvis is (SAMPLES, 3) m, and how far a cycle leads: by the feet on the floor, as
    smooth as a body moves."""
    steps, known = _steps(feet, loaded)
    # Twice a cycle the body slows down and hurries, once it sways to either side.
    forward = _waves(known, steps[known, 0], (2,))
    uneven = np.abs(forward / forward.mean() - 1).max()
    forward = forward.mean() + (forward - forward.mean()) * min(1.0, UNEVEN / uneven)
    sway = np.cumsum(_waves(known, steps[known, 1], (1,), level=True))
    sway -= sway.mean()
    sway *= min(1.0, SWAY_M / max(float(np.abs(sway).max()), 1e-9))
    heights = np.array([np.where(on, -foot.low, -np.inf) for foot, on in zip(feet, loaded)]).max(0)
    grounded = np.asarray(loaded.any(axis=0))
    if grounded.all():
        up = _waves(np.arange(SAMPLES), heights, (2, 4))
    else:
        up = _bouncing_m(grounded, cycle_s)
        up += (heights - up)[grounded].mean()
    way = np.stack([np.cumsum(forward) - forward, up, sway], axis=1)
    return way, float(forward.sum())


def _waves(
    samples: NDArray[np.int64], values: Array, times: tuple[int, ...], *, level: bool = False
) -> Array:
    """The mean and the waves of so many ``times`` a cycle that fit the values best, (SAMPLES,);
    without the mean where the sum is to be ``level``."""
    angle = 2 * np.pi * np.arange(SAMPLES) / SAMPLES
    waves = np.stack(
        [np.ones(SAMPLES), *(f(n * angle) for n in times for f in (np.cos, np.sin))], axis=1
    )
    factors = np.linalg.lstsq(waves[samples], values)[0]
    if level:
        factors[0] = 0.0
    found: Array = waves @ factors
    return found


def _kept(foot: _Foot, on: NDArray[np.bool_], way: Array, ahead: float) -> Array:
    """What has to be added (SAMPLES, 3) m to where a foot would be, so that it stays on the floor
    while it stands, and does not touch it while it swings."""
    begin = int(np.flatnonzero(on & ~np.roll(on, 1))[0])
    order = (begin + np.arange(SAMPLES)) % SAMPLES  # stance first, then swing
    stance = int(on.sum())
    onward = np.roll(way, -1, axis=0) - way
    onward[-1, 0] += ahead
    slides = (foot.rolled() + onward)[order[: stance - 1]]
    added = np.zeros((SAMPLES, 3))
    added[1:stance] = -np.cumsum(slides, axis=0)
    added[:stance] -= added[:stance].mean(axis=0)
    low = foot.low[order] + way[order, 1]
    added[:stance, 1] = -low[:stance]
    t = np.linspace(0, 1, SAMPLES - stance + 2)[1:-1, None]
    eased = t * t * (3 - 2 * t)
    added[stance:] = (1 - eased) * added[stance - 1] + eased * added[0]
    clear = CLEARANCE_M * np.sin(np.pi * t[:, 0])
    added[stance:, 1] = np.maximum(added[stance:, 1], clear - low[stance:])
    kept = np.empty_like(added)
    kept[order] = added
    return kept


def _bouncing_m(grounded: NDArray[np.bool_], cycle_s: float) -> Array:
    """The pelvis of somebody who runs (SAMPLES,) m about its mean: a mass on a spring, twice a
    cycle, which falls freely at its highest, in the middle of the flights."""
    angle = 4 * np.pi * np.arange(SAMPLES) / SAMPLES
    highest = np.angle(np.exp(1j * angle[~grounded]).sum())
    rise_m = GRAVITY_M_S2 * (cycle_s / (4 * np.pi)) ** 2
    bouncing: Array = rise_m * np.cos(angle - highest)
    return bouncing


def _name(gait: Gait, share: float) -> str:
    """The phases before and after."""
    names = [name for name, _, _ in gait.phases]
    before = int(np.searchsorted([s for _, s, _ in gait.phases], share % 0.5, side="right")) - 1
    return f"{names[before]} to {names[(before + 1) % len(names)]}"

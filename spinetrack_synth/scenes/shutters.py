"""How people and cameras move while a shutter is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.camera import Camera
from spinetrack_synth.motion.performance import Moment
from spinetrack_synth.poses.movements import later, moves
from spinetrack_synth.poses.placement import ROTATION, TRANSLATION, indices, rotation_zxy, turned
from spinetrack_synth.poses.sampling import blend
from spinetrack_synth.scenes.description import CameraRules
from spinetrack_synth.scenes.optics import draw_evenly
from spinetrack_synth.scenes.placing import Stance
from spinetrack_synth.scenes.shapes import Rng
from spinetrack_synth.scenes.trajectories import Trajectory
from spinetrack_synth.shot import Shutter

Array = NDArray[np.float64]

_STREAM: Final = 0x5407


def draw_shutter(
    rules: CameraRules,
    seed: int,
    index: int,
    stances: Sequence[Stance],
    cameras: Sequence[Camera],
) -> Shutter | None:
    """The shutter of a shot of people and of all its cameras; None where the rules ask for none.

    Its random numbers are a stream of their own.
    """
    rng = np.random.default_rng([seed, index, _STREAM])
    open_s = draw_evenly(rules.shutter_s, rng)
    shake = rules.shake_deg_s
    rates = np.radians(rng.uniform(shake.low, shake.high, len(cameras)))
    if open_s == 0.0:
        return None
    ends = [_shaken(c, rate * open_s / 2, rng) for c, rate in zip(cameras, rates)]
    bodies = tuple(_bodies_later(stance, open_s / 2) for stance in stances)
    return Shutter(open_s, bodies, ends[0], tuple(ends[1:]))


def clip_shutter(
    open_s: float,
    trajectories: Sequence[Trajectory],
    paths: Sequence[Sequence[Camera]],
    step_s: float,
    frame: int,
) -> Shutter:
    """The shutter of a frame of a clip, open no longer than the ``step_s`` to the next: people and
    cameras go on to that one, in the last one as they came to it."""
    open_s = min(open_s, step_s)
    here, there, share = frame, frame + 1, open_s / 2 / step_s
    if there == len(paths[0]):
        here, there, share = frame - 1, frame, 1 + share
    bodies = tuple(
        body_transforms(t.avatar.tree, blend(t.avatar.tree, t.q[here], t.q[there], share))
        for t in trajectories
    )
    first, *further = (_between(path[here], path[there], share) for path in paths)
    return Shutter(open_s, bodies, first, tuple(further))


def _bodies_later(stance: Stance, seconds: float) -> Array | None:
    """The frames (B, 4, 4) of a person's bodies a moment later; None for who stands still."""
    tree = stance.avatar.tree
    after: Array | None = None
    if isinstance(stance.pose, Moment):
        after = _performed_later(stance, stance.pose, seconds)
    elif moves(stance.pose):
        after = later(tree, stance.pose, np.asarray(stance.q, dtype=np.float64), seconds)
    return None if after is None else body_transforms(tree, after)


def _performed_later(stance: Stance, moment: Moment, seconds: float) -> Array | None:
    """A recorded person goes on as recorded, from the place and heading of the stance."""
    if moment.rate is None:
        return None
    tree, q = stance.avatar.tree, stance.q
    angles, place = indices(tree, ROTATION), indices(tree, TRANSLATION)
    turn = rotation_zxy(q[angles]) @ rotation_zxy(moment.q[angles]).T
    heading = float(np.arctan2(turn[0, 2], turn[0, 0]))
    there = turned(tree, moment.q + seconds * moment.rate, heading)
    here = turned(tree, moment.q, heading)
    after: Array = q + there - here
    after[place] = q[place] + there[place] - here[place]
    return after


def _shaken(camera: Camera, angle_rad: float, rng: Rng) -> Camera:
    """The camera turned by an angle, about any axis; itself where the angle is nothing."""
    if angle_rad == 0.0:
        return camera
    axis = rng.normal(size=3)
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_rotvec(angle_rad * axis / np.linalg.norm(axis)).as_matrix()
    return replace(camera, world2cam=motion @ camera.world2cam)


def _between(here: Camera, there: Camera, share: float) -> Camera:
    """A share of the way from one camera to another, in the frame of the first; the first itself
    where they are the same."""
    if here is there:
        return here
    motion = there.world2cam @ np.linalg.inv(here.world2cam)
    turn = Rotation.from_matrix(motion[:3, :3]).as_rotvec()
    part = np.eye(4)
    part[:3, :3] = Rotation.from_rotvec(share * turn).as_matrix()
    part[:3, 3] = share * motion[:3, 3]
    return replace(there, world2cam=part @ here.world2cam)

"""Clips: the same people in the same place and light through frames that follow one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from spinetrack_synth.avatars.paintings import FINEST
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.camera import Camera
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.performance import Moment, Performance
from spinetrack_synth.poses.collision import self_intersection_m
from spinetrack_synth.poses.library import Pose, library
from spinetrack_synth.poses.placement import moved
from spinetrack_synth.scenes.camera_paths import film
from spinetrack_synth.scenes.closeness import texel_on_m
from spinetrack_synth.scenes.description import Scene
from spinetrack_synth.scenes.faces import Intent, draw_intents, hatless, with_faces
from spinetrack_synth.scenes.gait import goes_on, walk_on
from spinetrack_synth.scenes.mats import THICKNESS_M, Mat, mat_for
from spinetrack_synth.scenes.mesh_props import MeshProp
from spinetrack_synth.scenes.place import Place
from spinetrack_synth.scenes.placing import NEAR_FLOOR_M, Cast, Footprint, Placed, Stance
from spinetrack_synth.scenes.shapes import Array, Rng
from spinetrack_synth.scenes.shots import make_shot
from spinetrack_synth.scenes.shutters import clip_shutter
from spinetrack_synth.scenes.trajectories import (
    DEEPEST_OVERLAP_M,
    Trajectory,
    cut,
    performed,
    pose_to_pose,
)
from spinetrack_synth.scenes.viewpoints import SKIN_STEP, stands_clear
from spinetrack_synth.shot import PosedPerson, Shot

KEY_FRAMES: Final = 7
"""Frames, evenly through a clip, that stand for it where floor and cameras are chosen."""
WINDOWS: Final = 8
"""Parts of each motion from which a clip's people take theirs."""
LEAST_IN_VIEW: Final = 0.97
"""Of the first person's skin that the first frame's camera shows, a moving camera keeps."""

_STREAM: Final = 0xC119


@dataclass(frozen=True, eq=False)
class Clip:
    """What a sequence of pictures shows. ``cameras`` are by view, then by frame; ``motions`` are
    what those of each view do; ``step_s`` from frame to frame; ``intents`` what the faces are
    about, none: nothing; ``texels_m`` how long those on each of the people may be."""

    shot: Shot
    trajectories: tuple[Trajectory, ...]
    cameras: tuple[tuple[Camera, ...], ...]
    motions: tuple[str, ...]
    step_s: float
    intents: tuple[Intent, ...] = ()
    texels_m: tuple[float, ...] = ()

    def moment(self, frame: int) -> Shot:
        """The shot of a frame, with all views."""
        people = []
        texels_m = self.texels_m or (FINEST,) * len(self.trajectories)
        for trajectory, texel_m in zip(self.trajectories, texels_m, strict=True):
            fingers = None if trajectory.fingers is None else trajectory.fingers[frame]
            person = pose_avatar(trajectory.avatar, trajectory.q[frame], fingers, texel_m)
            people.append(replace(person, pose=trajectory.poses[frame]))
        first, *further = (path[frame] for path in self.cameras)
        if self.intents:
            avatars = [trajectory.avatar for trajectory in self.trajectories]
            people = list(with_faces(avatars, people, first, self.intents))
        shutter = self.shot.shutter
        if shutter is not None:
            shutter = clip_shutter(
                shutter.open_s, self.trajectories, self.cameras, self.step_s, frame
            )
        return replace(
            self.shot,
            people=tuple(people),
            camera=first,
            further=tuple(further),
            shutter=shutter,
        )


def make_clip(
    scene: Scene,
    seed: int,
    number: int,
    cast: Cast,
    size: tuple[int, int],
    subjects: tuple[int, int],
    times_s: Array,
    performances: tuple[Performance, ...] = (),
    props: tuple[MeshProp, ...] = (),
    views: int = 1,
) -> Clip:
    """Clip ``number`` of a seed at some times (F,) s from 0 on: a pure function of its arguments,
    which are those of `make_shot`.

    Motions that are too short for it are left out. Raises UserError as `make_shot`.
    """
    rng = np.random.default_rng([seed, number, _STREAM])
    windows, moments = cut(performances, float(times_s[-1]), rng, WINDOWS)
    stage = _Stage(scene, times_s, windows, rng)
    if not moments and not any(_moves(p) for p in library().values() if p.family in scene.poses):
        raise UserError(
            f"scene {scene.name!r} has no pose to stay in on the floor with empty hands, which "
            "sequences are made of; give --motion"
        )
    shot = make_shot(
        scene, seed, number, cast, size, subjects, moments, props, views, stage.act, _moves
    )
    bodies = [np.asarray(person.skin_world[::SKIN_STEP], float) for person in shot.people]
    paths = [
        film(camera, bodies[0].mean(axis=0), times_s, stage.keeps(camera, bodies), rng)
        for camera in (shot.camera, *shot.further)
    ]
    clip = Clip(
        shot,
        stage.trajectories,
        tuple(path for _, path in paths),
        tuple(kind for kind, _ in paths),
        float(times_s[1] - times_s[0]),
        texels_m=tuple(_texel_m(person, [path for _, path in paths]) for person in shot.people),
    )
    count, rules = len(shot.people), scene.people
    if not cast.present(number, count, rules.spines, rules.clothes).changing:
        return clip
    avatars = [trajectory.avatar for trajectory in stage.trajectories]
    people = clip.moment(0).people
    return replace(clip, intents=draw_intents(avatars, people, shot.camera, seed, number))


def _texel_m(person: PosedPerson, paths: Sequence[Sequence[Camera]]) -> float:
    """How long texels may be on whose skin is that of all key frames together."""
    keys = np.unique(np.linspace(0, len(paths[0]) - 1, KEY_FRAMES).round().astype(int))
    return texel_on_m(person, [path[frame] for path in paths for frame in keys])


def _moves(pose: Pose) -> bool:
    """Whether somebody can go on from a pose: to another one, or walking."""
    return pose.stays or goes_on(pose)


class _Stage:
    """Where a clip's people move; knows how they did the last time that they were set down."""

    def __init__(
        self,
        scene: Scene,
        times_s: Array,
        windows: dict[str, tuple[Performance, float]],
        rng: Rng,
    ) -> None:
        self._scene = scene
        self._times_s = times_s
        self._windows = windows
        self._rng = rng
        self._place: Place | None = None
        self.trajectories: tuple[Trajectory, ...] = ()

    def act(self, placed: Placed, place: Place) -> Placed | None:
        """Those who were set down as they are through the whole clip: skin, mats and footprints of
        all key frames together. None where somebody leaves the floor or runs into another."""
        taken = list(placed.footprints)
        people: list[PosedPerson] = []
        mats: list[Mat] = []
        trajectories = []
        for k, (person, stance) in enumerate(zip(placed.people, placed.stances, strict=True)):
            others = taken[:k] + taken[k + 1 :]
            trajectory = self._move(stance, _room(place, others, self._scene.people.gap_m))
            if trajectory is None:
                return None
            trajectory = replace(trajectory, avatar=hatless(trajectory.avatar, trajectory.q))
            leaves = isinstance(stance.pose, Moment) or goes_on(stance.pose)
            mat = None if leaves else placed.mats[k]
            if mat is None:  # who moves about has none, and stands on the floor below them
                trajectory = _lowered(trajectory)
            keys = np.linspace(0, len(self._times_s) - 1, KEY_FRAMES).round().astype(int)
            skin = np.concatenate([trajectory.skin(int(frame)) for frame in np.unique(keys)])
            corners = []
            if mat is not None:
                low = skin[skin[:, 1] < NEAR_FLOOR_M][:, [0, 2]]
                mats.append(mat_for(low, mat.heading_rad))
                corners.append(mats[-1].corners())
            taken[k] = Footprint.of(np.concatenate([skin[::3, [0, 2]], *corners]))
            if not all(taken[k].clear_of(other, 0.0) for other in others):
                return None
            people.append(replace(person, skin_world=skin.astype(np.float32), face=None))
            trajectories.append(trajectory)
        self._place, self.trajectories = place, tuple(trajectories)
        return replace(placed, people=tuple(people), mats=tuple(mats), footprints=tuple(taken))

    def keeps(self, first: Camera, bodies: list[Array]) -> Callable[[Camera], bool]:
        """Whether a camera stands clear and shows the first person as the first one does."""
        assert self._place is not None
        place, rules = self._place, self._scene.camera
        wanted = LEAST_IN_VIEW * _in_view(first, bodies[0])
        return lambda camera: (
            _in_view(camera, bodies[0]) >= wanted and stands_clear(camera, place, rules, bodies)
        )

    def _move(self, stance: Stance, fits: Callable[[Array], bool]) -> Trajectory | None:
        if isinstance(stance.pose, Moment):
            performance, start_s = self._windows[stance.pose.name]
            trajectory = performed(stance, performance, start_s, self._times_s)
        elif goes_on(stance.pose):
            trajectory = walk_on(stance, self._times_s, self._rng)
        else:
            families = self._scene.poses
            return pose_to_pose(stance, families, self._times_s, fits, self._rng)
        frames = np.linspace(0, len(trajectory.q) - 1, KEY_FRAMES).round().astype(int)
        sound = all(
            fits(trajectory.skin(int(f))) and _overlap_m(trajectory, int(f)) <= DEEPEST_OVERLAP_M
            for f in frames
        )
        return trajectory if sound else None


def _overlap_m(trajectory: Trajectory, frame: int) -> float:
    """How deep limbs are in each other."""
    avatar = trajectory.avatar
    return self_intersection_m(avatar.tree, trajectory.q[frame], avatar.capsules)


def _lowered(trajectory: Trajectory) -> Trajectory:
    """The same from the top of a mat down to the floor."""
    tree, floor = trajectory.avatar.tree, (0.0, -THICKNESS_M, 0.0)
    return replace(trajectory, q=np.array([moved(tree, row, floor) for row in trajectory.q]))


def _room(place: Place, others: list[Footprint], gap_m: float) -> Callable[[Array], bool]:
    """Whether skin (V, 3) m is over floor that is free."""
    walls = place.obstacles[:, :, [0, 2]]
    low, high = place.mat_area

    def fits(skin: Array) -> bool:
        here = Footprint.of(skin[::3, [0, 2]])
        inside = (low <= here.box[0]).all() and (here.box[1] <= high).all()
        bumps = (here.box[0] < walls[:, 1]) & (here.box[1] > walls[:, 0])
        free = all(here.clear_of(other, gap_m) for other in others)
        return bool(inside and free and not bumps.all(axis=1).any())

    return fits


def _in_view(camera: Camera, points: Array) -> float:
    """The share of points (N, 3) that a camera has in its picture."""
    pixels = camera.project(points)
    with np.errstate(invalid="ignore"):
        inside = (pixels >= 0) & (pixels < [camera.width, camera.height])
    return float(inside.all(axis=1).mean())

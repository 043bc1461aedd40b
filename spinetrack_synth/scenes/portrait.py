"""One person in one pose on a plain floor: how the pose library shows its poses."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from spinetrack_synth.avatars.avatar import Avatar
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.camera import Camera, look_at
from spinetrack_synth.poses.library import Pose
from spinetrack_synth.scenes.equipment import restyled
from spinetrack_synth.scenes.placing import take_stance
from spinetrack_synth.scenes.shapes import Array, Rng, rectangle
from spinetrack_synth.scenes.things import thing_surfaces
from spinetrack_synth.shot import Ambient, AreaLight, Material, PosedPerson, Shot, Surface

FOCAL_PER_HEIGHT: Final = 2.0
"""Focal length over the picture's height: a short telephoto lens."""
MARGIN: Final = 1.15
AZIMUTH_RAD: Final = np.radians(50.0)
ELEVATION_RAD: Final = np.radians(14.0)
"""Where the camera stands, seen from the person's front and from the floor."""


def portrait(pose: Pose, avatar: Avatar, rng: Rng, size: tuple[int, int]) -> Shot | None:
    """The avatar in its own variation of a pose; None where no try came out well."""
    stance = take_stance(avatar, pose, rng)
    if stance is None:
        return None
    person = replace(pose_avatar(avatar, stance.q, stance.fingers), pose=pose.name)
    things = tuple(restyled(thing, 0) for thing in stance.things)
    middle = (person.skin_world.min(0) + person.skin_world.max(0)) / 2
    return Shot(
        index=0,
        seed=0,
        scene="portrait",
        place="plain floor",
        camera=_camera(person, middle, size),
        people=(person,),
        surroundings=(_floor(), *(part for thing in things for part in thing_surfaces(thing))),
        lights=(Ambient((0.8, 0.85, 0.9)), _softbox(middle)),
        things=things,
    )


def _camera(person: PosedPerson, middle: Array, size: tuple[int, int]) -> Camera:
    """From the front and the right, so far away that the whole person is in the picture."""
    width, height = size
    level = np.cos(ELEVATION_RAD)
    direction = np.array(
        [np.cos(AZIMUTH_RAD) * level, np.sin(ELEVATION_RAD), np.sin(AZIMUTH_RAD) * level]
    )
    reach = np.linalg.norm(person.skin_world - middle, axis=1).max()
    distance = MARGIN * reach * 2 * FOCAL_PER_HEIGHT * height / min(size)
    return look_at(
        middle + distance * direction,
        middle,
        focal_px=FOCAL_PER_HEIGHT * height,
        width=width,
        height=height,
    )


def _softbox(middle: Array) -> AreaLight:
    """A large lamp above and to the left of the camera, facing the person."""
    offset = np.array([3.0, 3.5, -1.0])
    facing = -offset / np.linalg.norm(offset)
    half_u = 1.5 * np.cross(facing, [0.0, 1.0, 0.0])
    half_v = np.cross(facing, half_u)
    (cx, cy, cz), (ux, uy, uz), (vx, vy, vz) = (middle + offset).tolist(), half_u, half_v
    return AreaLight(
        center_world=(cx, cy, cz),
        half_u_world=(float(ux), float(uy), float(uz)),
        half_v_world=(float(vx), float(vy), float(vz)),
        radiance=(5.0, 4.8, 4.5),
    )


def _floor() -> Surface:
    plane = rectangle([-20, 0, -20], [0, 0, 40], [40, 0, 0])
    return Surface(
        key="portrait/floor",
        vertices_world=plane.vertices.astype(np.float32),
        faces=plane.faces,
        uv=plane.uv.astype(np.float32),
        material=Material((0.62, 0.62, 0.64), roughness=0.9),
        normals_world=plane.normals.astype(np.float32),
    )

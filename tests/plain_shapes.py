"""Small shots made of plain shapes."""

from __future__ import annotations

import numpy as np

from spinetrack_synth.camera import Camera, look_at
from spinetrack_synth.shot import Light, Material, PosedPerson, Shot, Surface

GREY = Material((0.5, 0.5, 0.5))


def triangles(key, corners, material=GREY, uv=None) -> Surface:
    """Loose triangles (F, 3, 3), flat shaded."""
    corners = np.asarray(corners, dtype=np.float32)
    count = len(corners)
    if uv is None:
        uv = np.tile([[0, 0], [1, 0], [0, 1]], (count, 1))
    return Surface(
        key=key,
        vertices_world=corners.reshape(-1, 3),
        faces=np.arange(3 * count, dtype=np.int32).reshape(-1, 3),
        uv=np.asarray(uv, dtype=np.float32).reshape(-1, 2),
        material=material,
    )


def rectangle(key, center, half_u, half_v, material=GREY, repeat=1.0) -> Surface:
    """A rectangle that faces along u x v, its texture upright along v."""
    c, u, v = (np.asarray(value, dtype=float) for value in (center, half_u, half_v))
    corners = np.array([c - u - v, c + u - v, c + u + v, c - u + v], dtype=np.float32)
    return Surface(
        key=key,
        vertices_world=corners,
        faces=np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32),
        uv=np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32) * repeat,
        material=material,
    )


def ball(key, center, radius, material=GREY, rings=24) -> Surface:
    """A smooth sphere."""
    v, u = np.meshgrid(
        np.linspace(0, 1, rings + 1), np.linspace(0, 1, 2 * rings + 1), indexing="ij"
    )
    theta, phi = np.pi * (1 - v), 2 * np.pi * u
    normals = np.stack(
        [np.sin(theta) * np.cos(phi), np.cos(theta), -np.sin(theta) * np.sin(phi)], axis=-1
    ).reshape(-1, 3)
    row = 2 * rings + 1
    first = (np.arange(rings)[:, None] * row + np.arange(2 * rings)).ravel()
    faces = np.concatenate(
        [
            np.stack([first, first + 1, first + row + 1], axis=1),
            np.stack([first, first + row + 1, first + row], axis=1),
        ]
    )
    return Surface(
        key=key,
        vertices_world=(np.asarray(center) + radius * normals).astype(np.float32),
        faces=faces.astype(np.int32),
        uv=np.stack([u, v], axis=-1).reshape(-1, 2).astype(np.float32),
        material=material,
        normals_world=normals.astype(np.float32),
    )


def person(*surfaces: Surface) -> PosedPerson:
    """Somebody who consists of these surfaces."""
    skin = np.concatenate([surface.vertices_world for surface in surfaces])
    return PosedPerson(
        subject_id="shape",
        pose="",
        coordinates=np.zeros(1),
        scale_factors=np.ones((1, 3)),
        body2world=np.eye(4)[None],
        keypoints_world=np.zeros((37, 3)),
        skin_world=skin,
        skin_body=np.zeros(len(skin), dtype=np.int32),
        surfaces=surfaces,
    )


def make_shot(
    people=(),
    surroundings=(),
    lights: tuple[Light, ...] = (),
    camera: Camera | None = None,
    index=0,
) -> Shot:
    """A shot, by default seen from 3 m along +X with a 60 x 40 px camera."""
    if camera is None:
        camera = look_at((3, 1, 0), (0, 1, 0), focal_px=60, width=60, height=40)
    return Shot(
        index=index,
        seed=5,
        scene="shapes",
        place="nowhere",
        camera=camera,
        people=tuple(people),
        surroundings=tuple(surroundings),
        lights=lights,
    )

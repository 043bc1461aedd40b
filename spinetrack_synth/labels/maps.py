"""Depth and surface normals of a frame as pictures."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.hits import Patch, drawn_surfaces, patches
from spinetrack_synth.shot import AreaLight, Frame, Shot

FARTHEST_MM: Final = 65535
"""What is farther than 16 bits hold counts as nothing."""


def depth_map(shot: Shot, frame: Frame) -> NDArray[np.uint16]:
    """Depth along the optical axis (H, W), mm; 0 where nothing is drawn or it is too far."""
    depth_mm = np.rint(1000 * frame.depth_m.astype(float))
    drawn = _drawn(shot, frame) & (depth_mm <= FARTHEST_MM)
    return np.where(drawn, depth_mm, 0).astype(np.uint16)


def normal_map(shot: Shot, frame: Frame) -> NDArray[np.uint8]:
    """Surface normals (H, W, 3): 0..255 for -1..1 to the right, up and towards the camera.

    128, 128, 128 where nothing is drawn. They are those of the meshes with their smooth shading,
    turned towards the camera. The renderer must tell hits.
    """
    assert frame.hits is not None
    rows, columns = np.nonzero(_drawn(shot, frame))
    normals = np.zeros((*frame.ids.shape, 3))
    camera = shot.camera
    to_picture = np.array([[1.0], [-1.0], [-1.0]]) * camera.world2cam[:3, :3]
    for patch in patches(shot, camera, frame.hits, frame.depth_m, rows, columns):
        row, column = rows[patch.which], columns[patch.which]
        normal = _smooth_normals(patch) @ to_picture.T
        rays = camera.rays(np.stack([column, row], axis=-1) + 0.5) * [1, -1, -1]
        away = (normal * rays).sum(axis=1) > 0
        normals[row, column] = np.where(away[:, None], -normal, normal)
    lamps = [light for light in shot.lights if isinstance(light, AreaLight)]
    for number, lamp in enumerate(lamps, start=len(drawn_surfaces(shot))):
        facing = np.cross(lamp.half_u_world, lamp.half_v_world) @ to_picture.T
        normals[frame.hits.surface == number] = facing / np.linalg.norm(facing)
    return np.rint(127.5 * (normals + 1)).astype(np.uint8)


def _drawn(shot: Shot, frame: Frame) -> NDArray[np.bool_]:
    """Where something is that was drawn: the ground before a photograph only takes shadows."""
    drawn: NDArray[np.bool_] = np.isfinite(frame.depth_m)
    if shot.backdrop is not None and frame.hits is not None:
        drawn &= frame.hits.surface != 0
    return drawn


def _smooth_normals(patch: Patch) -> NDArray[np.float64]:
    """Unit normals (N, 3) in the world; those of the triangles where a surface has no others."""
    surface = patch.surface
    if surface.normals_world is None:
        corners = surface.vertices_world[patch.vertices].astype(float)
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    else:
        of_corners = surface.normals_world[patch.vertices]
        normals = np.einsum("nk,nkc->nc", patch.weights, of_corners)
    unit: NDArray[np.float64] = normals / np.maximum(
        np.linalg.norm(normals, axis=1, keepdims=True), 1e-12
    )
    return unit

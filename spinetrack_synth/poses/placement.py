"""Where a posture stands in the world: turning and moving it as a whole."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.rotations import about_x, about_y, about_z

Array = NDArray[np.float64]

ROTATION: Final = ("pelvis_tilt", "pelvis_list", "pelvis_rotation")
TRANSLATION: Final = ("pelvis_tx", "pelvis_ty", "pelvis_tz")


def rotation_zxy(angles_rad: ArrayLike) -> Array:
    """Rotation matrix (3, 3) of angles about Z, then X, then Y of the turned frame."""
    z, x, y = np.asarray(angles_rad, dtype=float)
    rotation: Array = about_z(z) @ about_x(x) @ about_y(y)
    return rotation


def angles_zxy(rotation: ArrayLike, near_rad: ArrayLike = (0.0, 0.0, 0.0)) -> Array:
    """Angles (3,) rad about Z, X, Y of a rotation matrix, of all equivalent ones those nearest to
    ``near_rad``; where the X angle is +-90 degrees, Y keeps its value of ``near_rad``."""
    r = np.asarray(rotation, dtype=float)
    near = np.asarray(near_rad, dtype=float)
    x = np.arcsin(np.clip(r[2, 1], -1.0, 1.0))
    if abs(r[2, 1]) > 1.0 - 1e-9:
        z = np.arctan2(r[1, 0], r[0, 0]) - np.sign(x) * near[2]
        candidates = np.array([[z, x, near[2]]])
    else:
        z, y = np.arctan2(-r[0, 1], r[1, 1]), np.arctan2(-r[2, 0], r[2, 2])
        candidates = np.array([[z, x, y], [z + np.pi, np.pi - x, y + np.pi]])
    candidates = candidates - 2 * np.pi * np.round((candidates - near) / (2 * np.pi))
    nearest: Array = candidates[np.argmin(np.abs(candidates - near).sum(axis=1))]
    return nearest


def indices(tree: Tree, names: tuple[str, ...]) -> NDArray[np.int64]:
    """Where coordinates stand in q."""
    return np.array([tree.coordinate_index[name] for name in names], dtype=np.int64)


def turned(tree: Tree, q: ArrayLike, yaw_rad: float) -> Array:
    """The posture turned to the left about the vertical through the world's origin."""
    q = np.array(q, dtype=float)
    angles, place = indices(tree, ROTATION), indices(tree, TRANSLATION)
    turn = rotation_zxy((0.0, 0.0, yaw_rad))
    q[angles] = angles_zxy(turn @ rotation_zxy(q[angles]), near_rad=q[angles])
    q[place] = turn @ q[place]
    return q


def moved(tree: Tree, q: ArrayLike, offset_m: ArrayLike) -> Array:
    """The posture moved by (3,) m in the world."""
    q = np.array(q, dtype=float)
    q[indices(tree, TRANSLATION)] += offset_m
    return q

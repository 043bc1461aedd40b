"""Rotations as matrices and quaternions (x, y, z, w), right-handed, angles in rad.

Not by scipy's `Rotation`, but for parts of a rotation and Euler angles of files: it turns by way of
quaternions, so pictures, meshes and coordinates that come of these would change in their last bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def about_x(angle_rad: float) -> Array:
    """Rotation (3, 3) about X."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])


def about_y(angle_rad: float) -> Array:
    """Rotation (3, 3) about Y."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])


def about_z(angle_rad: float) -> Array:
    """Rotation (3, 3) about Z."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])


def yaw_xz(angle_rad: float) -> Array:
    """What a rotation about Y does to x, z: (2, 2)."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cos, sin], [-sin, cos]])


def quaternion_matrix(quaternions: ArrayLike) -> Array:
    """Rotations (..., 3, 3) of quaternions (..., 4) of any length but zero."""
    q = np.asarray(quaternions, dtype=float)
    x, y, z, w = np.moveaxis(q / np.linalg.norm(q, axis=-1, keepdims=True), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def matrix_quaternion(rotations: ArrayLike) -> Array:
    """Unit quaternions (..., 4), w >= 0, of rotations (..., 3, 3)."""
    m = np.asarray(rotations, dtype=float)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    # Four times each product of two components; the row of the largest one is exact enough.
    x_w, y_w, z_w = (
        m[..., 2, 1] - m[..., 1, 2],
        m[..., 0, 2] - m[..., 2, 0],
        m[..., 1, 0] - m[..., 0, 1],
    )
    x_y, x_z, y_z = (
        m[..., 1, 0] + m[..., 0, 1],
        m[..., 0, 2] + m[..., 2, 0],
        m[..., 2, 1] + m[..., 1, 2],
    )
    products = np.stack(
        [
            np.stack([1 + xx - yy - zz, x_y, x_z, x_w], axis=-1),
            np.stack([x_y, 1 - xx + yy - zz, y_z, y_w], axis=-1),
            np.stack([x_z, y_z, 1 - xx - yy + zz, z_w], axis=-1),
            np.stack([x_w, y_w, z_w, 1 + xx + yy + zz], axis=-1),
        ],
        axis=-2,
    )
    largest = np.argmax(np.diagonal(products, axis1=-2, axis2=-1), axis=-1)
    q = np.take_along_axis(products, largest[..., None, None], axis=-2)[..., 0, :]
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    return np.asarray(np.where(q[..., 3:] < 0, -q, q))

"""Between OpenSim's world and Unreal's: lengths, axes, handedness, rotations, cameras.

World = OpenSim ground: metres, X forward, Y up, Z right, right-handed. Unreal: centimetres, X
forward, Y right, Z up, left-handed; rotators are pitch (up), yaw (right), roll (clockwise) in
degrees. The two differ by a swap of the last two axes, which is its own inverse. In either world a
quaternion stands for the matrix of the usual formula.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.camera import Camera
from spinetrack_synth.rotations import matrix_quaternion, quaternion_matrix

Array = NDArray[np.float64]

CM_PER_M: Final = 100.0

SWAP: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
"""Takes vectors of the one world to the other's axes."""

_CAMERA_AXES: Final = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
"""Takes Unreal's camera axes (forward, right, up) to OpenCV's (right, down, forward)."""


def to_unreal(points_world: ArrayLike) -> Array:
    """Points (..., 3) m of the world in Unreal's cm."""
    return axes_swapped(points_world) * CM_PER_M


def to_world(points_unreal: ArrayLike) -> Array:
    """Points (..., 3) cm of Unreal in the world's m."""
    return axes_swapped(points_unreal) / CM_PER_M


def axes_swapped(vectors: ArrayLike) -> Array:
    """Directions or scale factors (..., 3) of either world along the other's axes."""
    return np.asarray(vectors, dtype=float)[..., [0, 2, 1]]


def rotations_swapped(rotations: ArrayLike) -> Array:
    """Rotation matrices (..., 3, 3) of either world in the other."""
    swapped: Array = SWAP @ np.asarray(rotations, dtype=float) @ SWAP
    return swapped


def yaw_deg(yaw_rad: float) -> float:
    """Unreal's yaw (towards the right) of a turn about the world's Y (towards the left)."""
    return float(-np.degrees(yaw_rad))


def yaw_rad(yaw_deg: float) -> float:
    """The turn about the world's Y of Unreal's yaw."""
    return float(-np.radians(yaw_deg))


def rotator_deg(yaw_rad: float, pitch_rad: float, roll_rad: float) -> tuple[float, float, float]:
    """Unreal's pitch, yaw and roll of turns about the world's X (roll), Z (pitch) and Y (yaw): the
    same turns in the same order, but for the sense of yaw."""
    return float(np.degrees(pitch_rad)), yaw_deg(yaw_rad), float(np.degrees(roll_rad))


def pitch_rad(pitch_deg: float) -> float:
    """The turn about the world's Z of Unreal's pitch."""
    return float(np.radians(pitch_deg))


def roll_rad(roll_deg: float) -> float:
    """The turn about the world's X of Unreal's roll."""
    return float(np.radians(roll_deg))


# Rotators, in closed form: scipy turns by way of quaternions, which changes the last bits of files


def rotator_matrix(rotator_deg: ArrayLike) -> Array:
    """Rotations (..., 3, 3) of rotators (..., 3), Unreal's axes: columns are the turned axes."""
    angles = np.radians(np.asarray(rotator_deg, dtype=float))
    pitch, yaw, roll = angles[..., 0], angles[..., 1], angles[..., 2]
    sp, sy, sr = np.sin(pitch), np.sin(yaw), np.sin(roll)
    cp, cy, cr = np.cos(pitch), np.cos(yaw), np.cos(roll)
    forward = np.stack([cp * cy, cp * sy, sp], axis=-1)
    right = np.stack([sr * sp * cy - cr * sy, sr * sp * sy + cr * cy, -sr * cp], axis=-1)
    up = np.stack([-cr * sp * cy - sr * sy, cy * sr - cr * sp * sy, cr * cp], axis=-1)
    return np.stack([forward, right, up], axis=-1)


def matrix_rotator(rotations: ArrayLike) -> Array:
    """Rotators (..., 3), pitch -90..90 and the others -180..180 degrees, of (..., 3, 3).

    Looking straight up or down, where yaw and roll are one turn, yaw takes what the forward axis
    leaves of it and roll the rest.
    """
    matrix = np.asarray(rotations, dtype=float)
    forward, right, up = matrix[..., 0], matrix[..., 1], matrix[..., 2]
    pitch = np.arctan2(forward[..., 2], np.hypot(forward[..., 0], forward[..., 1]))
    yaw = np.arctan2(forward[..., 1], forward[..., 0])
    level_right = np.stack([-np.sin(yaw), np.cos(yaw), np.zeros_like(yaw)], axis=-1)
    roll = np.arctan2((up * level_right).sum(-1), (right * level_right).sum(-1))
    rotators: Array = np.degrees(np.stack([pitch, yaw, roll], axis=-1))
    return rotators


# Frames


def frames_to_unreal(frames_world: ArrayLike) -> tuple[Array, Array]:
    """Frames (..., 4, 4), local to world in m: locations (..., 3) cm and quaternions (..., 4)."""
    frames = np.asarray(frames_world, dtype=float)
    return to_unreal(frames[..., :3, 3]), matrix_quaternion(rotations_swapped(frames[..., :3, :3]))


def frames_to_world(locations_unreal: ArrayLike, quaternions_unreal: ArrayLike) -> Array:
    """Frames (..., 4, 4), local to world in m: the way back."""
    places = to_world(locations_unreal)
    frames = np.zeros((*places.shape[:-1], 4, 4))
    frames[..., :3, :3] = rotations_swapped(quaternion_matrix(quaternions_unreal))
    frames[..., :3, 3] = places
    frames[..., 3, 3] = 1.0
    return frames


# Cameras


@dataclass(frozen=True)
class UnrealCamera:
    """A camera as Unreal knows it: location (3,) cm, rotator (3,) degrees, field of view, size.

    ``fov_deg`` spans the larger side of the picture; the principal point is its middle.
    """

    location: Array
    rotator_deg: Array
    fov_deg: float
    width: int
    height: int


def camera_to_unreal(camera: Camera) -> UnrealCamera:
    """The camera in Unreal's terms; its principal point must be the middle, its pixels square."""
    cam2world = camera.world2cam[:3, :3].T @ _CAMERA_AXES
    return UnrealCamera(
        location=to_unreal(camera.position_world),
        rotator_deg=matrix_rotator(SWAP @ cam2world),
        fov_deg=float(
            np.degrees(2 * np.arctan(max(camera.width, camera.height) / 2 / camera.K[0, 0]))
        ),
        width=camera.width,
        height=camera.height,
    )


def camera_to_world(camera: UnrealCamera) -> Camera:
    """The pinhole camera of Unreal's location, rotator, field of view and size."""
    cam2world = SWAP @ rotator_matrix(camera.rotator_deg) @ _CAMERA_AXES.T
    world2cam = np.eye(4)
    world2cam[:3, :3] = cam2world.T
    world2cam[:3, 3] = -cam2world.T @ to_world(camera.location)
    width, height = camera.width, camera.height
    focal_px = max(width, height) / (2 * np.tan(np.radians(camera.fov_deg) / 2))
    K = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1]], dtype=float)
    return Camera(K=K, world2cam=world2cam, width=width, height=height)

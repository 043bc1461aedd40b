"""The camera, in OpenCV's convention: x right, y down, z forward, pixel centres at .5."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.distortion import Distortion

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera, or one with a lens.

    ``K`` (3, 3) in pixels; ``world2cam`` (4, 4), metres, world = OpenSim ground (X forward, Y up,
    Z right); ``width`` and ``height`` in pixels; ``distortion`` of the lens, None for none;
    ``aperture_m`` the diameter of its opening, 0 for a pinhole, ``focus_m`` the depth along the
    optical axis that is sharp. The aperture blurs pictures; points are projected through the
    middle of the lens. Raises ValueError where the distortion folds inside the picture.
    """

    K: Array
    world2cam: Array
    width: int
    height: int
    distortion: Distortion | None = None
    aperture_m: float = 0.0
    focus_m: float = np.inf

    def __post_init__(self) -> None:
        if self.distortion is not None:
            x, y = self.width * np.array([0, 0.5, 1]), self.height * np.array([0, 0.5, 1])
            if np.isnan(self.rays(np.stack(np.meshgrid(x, y), axis=-1))).any():
                raise ValueError(
                    f"distortion {self.distortion.coefficients} folds inside the picture"
                )

    @property
    def position_world(self) -> Array:
        """Optical centre in the world, (3,) m."""
        rotation = self.world2cam[:3, :3]
        return -rotation.T @ self.world2cam[:3, 3]

    def pinhole(self) -> Camera:
        """The same camera without its lens."""
        return Camera(self.K, self.world2cam, self.width, self.height)

    def to_camera(self, points_world: ArrayLike) -> Array:
        """Points (..., 3) m from the world into the camera frame."""
        points = np.asarray(points_world, dtype=float)
        return points @ self.world2cam[:3, :3].T + self.world2cam[:3, 3]

    def project(self, points_world: ArrayLike) -> Array:
        """Pixels (..., 2) of world points (..., 3) m; points at or behind the camera become nan,
        and those so far aside that the distortion's model does not hold for them."""
        points_cam = self.to_camera(points_world)
        depth = points_cam[..., 2:3]
        with np.errstate(divide="ignore", invalid="ignore"):
            flat = points_cam / np.where(depth > 0, depth, np.nan)
        if self.distortion is not None:
            flat[..., :2] = self.distortion.distort(flat[..., :2])
        return (flat @ self.K.T)[..., :2]

    def rays(self, pixels: ArrayLike) -> Array:
        """Directions (..., 3) through pixels (..., 2) in the camera frame, of depth 1 along the
        optical axis; nan outside the picture where nothing lands."""
        uv = np.asarray(pixels, dtype=float)
        homogeneous = np.concatenate([uv, np.ones_like(uv[..., :1])], axis=-1)
        rays: Array = homogeneous @ np.linalg.inv(self.K).T
        if self.distortion is not None:
            rays[..., :2] = self.distortion.undistort(rays[..., :2])
        return rays

    def unproject(self, pixels: ArrayLike, depth_m: ArrayLike) -> Array:
        """World points (..., 3) m at pixels (..., 2) and depth along the optical axis (...) m."""
        points_cam = self.rays(pixels) * np.asarray(depth_m, dtype=float)[..., None]
        points_world: Array = (points_cam - self.world2cam[:3, 3]) @ self.world2cam[:3, :3]
        return points_world


def look_at(
    position_world: ArrayLike,
    target_world: ArrayLike,
    *,
    focal_px: float,
    width: int,
    height: int,
    roll_rad: float = 0.0,
) -> Camera:
    """A camera at a place that looks at a target, principal point in the middle, up near world +Y.

    Raises ValueError where the view is straight up or down.
    """
    position = np.asarray(position_world, dtype=float)
    forward = np.asarray(target_world, dtype=float) - position
    forward /= np.linalg.norm(forward)
    right = np.array([-forward[2], 0.0, forward[0]])  # forward x up
    if np.linalg.norm(right) < 1e-6:
        raise ValueError("the camera looks straight up or down: it has no up direction")
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    cos, sin = np.cos(roll_rad), np.sin(roll_rad)
    rotation = np.stack([cos * right + sin * down, cos * down - sin * right, forward])
    world2cam = np.eye(4)
    world2cam[:3, :3] = rotation
    world2cam[:3, 3] = -rotation @ position
    K = np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1]], dtype=float)
    return Camera(K=K, world2cam=world2cam, width=width, height=height)

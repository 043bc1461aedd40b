"""The skin as the poses feel it: points that ride on the bodies, sorted into patches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms, points_world
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.compiled import njit
from spinetrack_synth.poses.patches import midline_patches, side_patches
from spinetrack_synth.poses.regions import PATCHES

NEEDED: Final = (
    "pelvis",
    "skull",
    *(
        f"{body}_{side}"
        for body in ("femur", "tibia", "calcn", "toes", "humerus", "ulna", "hand")
        for side in "rl"
    ),
)
"""Bodies that must carry skin for the patches to be found."""


@dataclass(frozen=True)
class SkinProbe:
    """Points of the skin, each fixed to a body.

    ``body`` (V,) index into ``Tree.bodies``; ``offset_m`` (V, 3) in that body and ``normal``
    (V, 3), the skin's outward direction there; ``patches`` maps every patch of
    ``regions.PATCHES`` to the indices of its points.
    """

    body: NDArray[np.int64]
    offset_m: NDArray[np.float64]
    normal: NDArray[np.float64]
    patches: dict[str, NDArray[np.int64]]


def skin_points(tree: Tree, q: ArrayLike, skin: SkinProbe) -> NDArray[np.float64]:
    """Points of the probe in the world, (V, 3) m."""
    return points_world(body_transforms(tree, q), skin.body, skin.offset_m)


def refresh(skin: SkinProbe, tree: Tree, q: ArrayLike, skin_world: ArrayLike) -> SkinProbe:
    """The same points where the deformed skin ``skin_world`` (V, 3) m has them at q (n,)."""
    return replace(skin, offset_m=offsets_m(tree, q, skin.body, skin_world))


def probe_from_skin(
    tree: Tree,
    q_rest: ArrayLike,
    skin_world: ArrayLike,
    skin_body: ArrayLike,
    faces: NDArray[np.integer],
) -> SkinProbe:
    """A probe of a closed skin, its patches found by anatomy.

    ``skin_world`` (V, 3) m is the skin in the posture ``q_rest``, ``skin_body`` (V,) the body each
    point moves with; ``faces`` (F, 3) or (F, 4) turn counterclockwise seen from outside. The
    patches are cut in the anatomical position (all coordinates zero).
    Raises ValueError where a body of ``NEEDED`` has no skin or a patch stays empty.
    """
    body = np.asarray(skin_body, dtype=np.int64)
    bare = [name for name in NEEDED if tree.body_index[name] not in body]
    if bare:
        raise ValueError(f"no skin on the bodies {', '.join(bare)}")
    offset_m = offsets_m(tree, q_rest, body, skin_world)
    rest2world = body_transforms(tree, np.asarray(q_rest, dtype=float))[body, :3, :3]
    outward = np.einsum("vji,vj->vi", rest2world, _normals(np.asarray(skin_world), faces))
    anatomical = np.zeros(len(tree.coordinates))
    body2world = body_transforms(tree, anatomical)
    probe = SkinProbe(body, offset_m, outward, {})
    points = skin_points(tree, anatomical, probe)
    joints = {name: body2world[index, :3, 3] for index, name in enumerate(tree.bodies)}
    found = {
        **midline_patches(points, tree.bodies, body, joints),
        **side_patches(points, tree.bodies, body, joints, "right"),
        **side_patches(points, tree.bodies, body, joints, "left"),
    }
    patches = {patch: np.flatnonzero(found[patch]) for patch in PATCHES}
    empty = [patch for patch, indices in patches.items() if not len(indices)]
    if empty:
        raise ValueError(f"no skin points in the patches {', '.join(empty)}")
    return replace(probe, patches=patches)


def offsets_m(
    tree: Tree, q: ArrayLike, body: NDArray[np.int64], skin_world: ArrayLike
) -> NDArray[np.float64]:
    """Points (V, 3) m of the world in the frames of their bodies (V,) at q (n,)."""
    points = np.ascontiguousarray(skin_world, dtype=float)
    offsets: NDArray[np.float64] = _offsets(body_transforms(tree, q), body, points)
    return offsets


@njit()
def _offsets(
    body2world: NDArray[np.float64], body: NDArray[np.int64], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    offsets = np.empty_like(points)
    for p in range(len(points)):
        frame = body2world[body[p]]
        x, y, z = points[p, 0] - frame[0, 3], points[p, 1] - frame[1, 3], points[p, 2] - frame[2, 3]
        for i in range(3):
            offsets[p, i] = frame[0, i] * x + frame[1, i] * y + frame[2, i] * z
    return offsets


def _normals(points: NDArray[np.float64], faces: NDArray[np.integer]) -> NDArray[np.float64]:
    """Unit normals (V, 3) by the area of the faces about each point; 0 where there are none."""
    corner = points[faces]
    across = np.cross(corner[:, 2] - corner[:, 0], corner[:, -1] - corner[:, 1])
    total = np.zeros_like(points, dtype=float)
    for k in range(faces.shape[1]):
        np.add.at(total, faces[:, k], across)
    total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    return total

"""People of other skeletons in an engine: a mannequin or a MetaHuman, labelled by its bones.

Their bones are read as UnrealCV lists them, mapped by the tables of ``motion.skeletons``, and the
model is fitted to them by inverse kinematics. Nobody here is posed: they stand as the engine has
them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms, marker_positions
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.anatomy.scaling import scale_tree
from spinetrack_synth.camera import Camera
from spinetrack_synth.motion.data import JointMotion, MarkerMotion
from spinetrack_synth.motion.retargeting import fit_skeleton
from spinetrack_synth.motion.skeletons import Skeleton
from spinetrack_synth.rendering.unreal import axes
from spinetrack_synth.rendering.unreal.errors import EngineError
from spinetrack_synth.shot import PosedPerson
from spinetrack_synth.skeleton import NAMES

Array = NDArray[np.float64]
Bones = Mapping[str, Array]
"""Bone name -> its frame (4, 4) in the world, m."""


def parse_bones(reply: str) -> dict[str, Array]:
    """The frames of ``vget /object/NAME/bones world``, scales left out. Raises EngineError."""
    try:
        entries = [(str(bone["bone_name"]), bone["transform"]) for bone in json.loads(reply)]
        places = np.array([[t[key] for key in ("X", "Y", "Z")] for _, t in entries], float)
        rotators = np.array([[t[key] for key in ("Pitch", "Yaw", "Roll")] for _, t in entries])
    except (ValueError, TypeError, KeyError):
        raise EngineError(f"'vget /object/.../bones world' answered {reply[:60]!r}") from None
    if not entries:
        return {}
    frames = np.tile(np.eye(4), (len(entries), 1, 1))
    frames[:, :3, :3] = axes.rotations_swapped(axes.rotator_matrix(rotators))
    frames[:, :3, 3] = axes.to_world(places)
    return {name: frame for (name, _), frame in zip(entries, frames)}


def people_of_bones(
    poses: Sequence[Bones],
    tree: Tree,
    subject_id: str,
    *,
    rest: Bones | None = None,
    skeleton: Skeleton | None = None,
) -> tuple[PosedPerson, ...]:
    """One foreign person in several poses, as the model fitted to their bones.

    All poses are fitted as one body, so give many of the same person. ``rest`` are their bones in
    the pose of rest: with it the bones' rotations count as well, which tells the spine apart.
    ``skeleton`` the table; None recognises it by the bones' names. The people have no skin yet
    (see ``with_seen_skin``). Raises UserError where no table fits.
    """
    names = tuple(name for name in poses[0] if all(name in pose for pose in poses))
    frames = np.array([[pose[name] for name in names] for pose in poses])
    times_s = np.arange(len(poses), dtype=float)
    motion: MarkerMotion | JointMotion
    if rest is None:
        motion = MarkerMotion(names, times_s, frames[..., :3, 3], subject_id)
    else:
        still = np.array([rest[name] for name in names])
        turns = frames[..., :3, :3] @ np.swapaxes(still[:, :3, :3], -1, -2)
        motion = JointMotion(names, times_s, frames[..., :3, 3], turns, still[:, :3, 3], subject_id)
    fitted = fit_skeleton(motion, tree, skeleton)
    body = scale_tree(tree, fitted.factors)
    rows = [tree.marker_index[name] for name in NAMES]
    return tuple(
        PosedPerson(
            subject_id=subject_id,
            pose="",
            coordinates=q,
            scale_factors=fitted.factors,
            body2world=body_transforms(body, q),
            keypoints_world=marker_positions(body, q)[rows],
            skin_world=np.zeros((0, 3), np.float32),
            skin_body=np.zeros(0, np.int32),
            surfaces=(),
        )
        for q in fitted.motion.values
    )


def with_seen_skin(
    person: PosedPerson,
    tree: Tree,
    camera: Camera,
    mask: NDArray[np.bool_],
    depth_m: NDArray[np.float32],
) -> PosedPerson:
    """The person with the skin that a picture shows of them: what visibility needs to know.

    Every pixel of the ``mask`` (H, W) becomes a point of the skin, and moves with the body whose
    bone, from its own origin to those of its children, is nearest.
    """
    rows, columns = np.nonzero(mask & np.isfinite(depth_m))
    pixels = np.stack([columns, rows], axis=-1) + 0.5
    points = camera.unproject(pixels, depth_m[rows, columns])
    origins = person.body2world[:, :3, 3]
    parents = tree.chain.parent
    nearest = np.full(len(points), np.inf)
    body = np.zeros(len(points), np.int32)
    for child, parent in enumerate(parents):
        owner = child if parent < 0 else int(parent)
        distance = _distance(points, origins[owner], origins[child])
        closer = distance < nearest
        nearest[closer], body[closer] = distance[closer], owner
    for leaf in set(range(len(parents))) - set(parents.tolist()):
        distance = np.linalg.norm(points - origins[leaf], axis=-1)
        closer = distance < nearest
        nearest[closer], body[closer] = distance[closer], leaf
    return replace(person, skin_world=points.astype(np.float32), skin_body=body)


def _distance(points: Array, start: Array, end: Array) -> Array:
    """Distances (P,) of points to the line between two."""
    along = end - start
    share = (points - start) @ along / max(float(along @ along), 1e-12)
    return np.asarray(
        np.linalg.norm(points - start - np.clip(share, 0, 1)[:, None] * along, axis=-1)
    )

"""An avatar as a file: its drawn parts bound to the bodies of its own OpenSim model.

Other programs move vertices by linear blending, the embedded renderer by dual quaternions and a
smoothing; both start from the same weights and the same skeleton, whose bones are the model's
bodies and the twist-free helpers of `avatars.rig`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms_batch
from spinetrack_synth.avatars.avatar import Avatar, bone_motions, pose_avatar, pose_skin
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.rig import TWIST_FREE, bone_names
from spinetrack_synth.export.glb import Clip, Skeleton, Skin, to_glb
from spinetrack_synth.motion.performance import Performance
from spinetrack_synth.poses.placement import moved
from spinetrack_synth.skeleton import NAMES

Array = NDArray[np.float64]

INFLUENCES: Final = 8
"""Bones that may move a vertex: two sets of glTF."""


def avatar_glb(avatar: Avatar, clip: Clip | None = None) -> bytes:
    """The avatar at rest as binary glTF, with its motion where there is one.

    The mesh is named after the subject, bones after bodies. The scene's ``extras`` hold under
    ``spinetrack_synth`` the subject, the coordinates at rest and where the keypoints lie.
    """
    rest = pose_avatar(avatar, avatar.rig.coordinates)
    return to_glb(
        avatar.subject.subject_id,
        rest.surfaces,
        skeleton(avatar),
        tuple(linear_skin(avatar, part) for part in avatar.parts),
        clip,
        {"spinetrack_synth": _about(avatar)},
    )


def skeleton(avatar: Avatar) -> Skeleton:
    """The bones: every body under its parent, every twist-free one beside the body it helps."""
    tree = avatar.tree
    helped = np.array([tree.bodies.index(name) for name in TWIST_FREE])
    parent = np.maximum(np.asarray(tree.chain.parent), -1)
    return Skeleton(
        names=bone_names(tree),
        parent=np.concatenate([parent, parent[helped]]).astype(np.int32),
        rest_world=_with_helpers(avatar, avatar.rig.body2world),
    )


def bones_world(avatar: Avatar, body2world: Array) -> Array:
    """Frames (S, 4, 4) of all bones where the bodies are at ``body2world`` (B, 4, 4)."""
    return bone_motions(avatar, body2world) @ _with_helpers(avatar, avatar.rig.body2world)


def linear_skin(avatar: Avatar, part: Part) -> Skin:
    """The strongest bones of a part's vertices, for linear blending."""
    if part.body is not None:
        bone = np.zeros((len(part.uv), INFLUENCES), np.int32)
        bone[:, 0] = avatar.tree.bodies.index(part.body)
        return Skin(bone, np.eye(1, INFLUENCES).repeat(len(bone), axis=0))
    binding = avatar.binding
    dense = np.zeros((len(binding.weight), len(bone_names(avatar.tree))))
    np.add.at(dense, (np.arange(len(dense))[:, None], binding.bone), binding.weight)
    assert part.stencil is not None
    mixed = part.stencil @ dense
    strongest = np.argsort(-mixed, axis=1, kind="stable")[:, :INFLUENCES]
    weight = np.take_along_axis(mixed, strongest, axis=1)
    return Skin(strongest.astype(np.int32), weight / weight.sum(axis=1, keepdims=True))


def perform(avatar: Avatar, performance: Performance, fps: float) -> Clip:
    """A motion of the model by this avatar at a frame rate, its lowest point on the floor.

    Coordinates are interpolated between the recorded moments.
    """
    start, stop = performance.times_s[[0, -1]]
    count = int(np.floor((stop - start) * fps + 1e-6)) + 1
    times_s = np.arange(count) / fps
    tree = avatar.tree
    recorded = performance.coordinates.copy()
    recorded[:, tree.rotational] = np.unwrap(recorded[:, tree.rotational], axis=0)
    q = np.stack([np.interp(start + times_s, performance.times_s, c) for c in recorded.T], axis=1)
    lowest = min(pose_skin(avatar, frame)[:, 1].min() for frame in q[:: max(1, count // 60)])
    rise = np.array([0.0, -lowest, 0.0])
    bodies = body_transforms_batch(tree, np.array([moved(tree, frame, rise) for frame in q]))
    frames = np.array([bones_world(avatar, body2world) for body2world in bodies])
    return Clip(performance.name, times_s, frames)


def _with_helpers(avatar: Avatar, body2world: Array) -> Array:
    helped = [avatar.tree.bodies.index(name) for name in TWIST_FREE]
    return np.concatenate([body2world, body2world[helped]])


def _about(avatar: Avatar) -> dict[str, Any]:
    tree = avatar.tree
    markers = [tree.marker_index[name] for name in NAMES]
    return {
        "subject": asdict(avatar.subject),
        "rest_coordinates": dict(zip(tree.coordinates, avatar.rig.coordinates.tolist())),
        "keypoints": [
            {
                "name": tree.marker_names[m],
                "body": tree.bodies[tree.marker_body[m]],
                "offset_m": tree.marker_offset_m[m].tolist(),
            }
            for m in markers
        ],
    }

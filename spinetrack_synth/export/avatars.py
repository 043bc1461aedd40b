"""An avatar as a file: its drawn parts bound to the bodies of its own OpenSim model.

Other programs move vertices by linear blending, the embedded renderer by dual quaternions and a
smoothing; both start from the same weights and the same skeleton, whose bones are the model's
bodies, the twist-free helpers of `avatars.rig` and the phalanges of `avatars.fingers`. Files have
four bones a vertex, fitted to move it as all of its bones do (`influences`).
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms_batch
from spinetrack_synth.avatars.avatar import Avatar, bone_frames, pose_skin
from spinetrack_synth.avatars.fingers import CLOSED, DIGITS, KNUCKLES, OPEN, Hand
from spinetrack_synth.avatars.parts import Part
from spinetrack_synth.avatars.posing import pose_avatar
from spinetrack_synth.avatars.rig import bone_names
from spinetrack_synth.export.glb import Clip, Skeleton, Skin, to_glb
from spinetrack_synth.export.influences import fitted, spread
from spinetrack_synth.motion.performance import Performance
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.placement import moved
from spinetrack_synth.poses.sampling import mirror, pose_coordinates
from spinetrack_synth.rotations import about_z
from spinetrack_synth.skeleton import NAMES

Array = NDArray[np.float64]

PHALANGES: Final = tuple(
    f"finger{digit}_{knuckle}_{side}"
    for side in ("r", "l")
    for digit in range(1, DIGITS + 1)
    for knuckle in range(1, KNUCKLES + 1)
)
"""Names of the finger bones, thumb first, from the palm outwards. Each starts at its knuckle, its
z axis is the one about which positive angles close the hand."""


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
        linear_skins(avatar),
        clip,
        {"spinetrack_synth": _about(avatar)},
    )


def skeleton(avatar: Avatar) -> Skeleton:
    """The bones: every body under its parent, every twist-free one beside the body it helps,
    fingers under their hands."""
    tree = avatar.tree
    hangs, _ = avatar.limbs
    parent = [*tree.chain.parent, *hangs[:, 0]]
    for hand in avatar.hands:
        first = len(parent)
        for phalanx in range(DIGITS * KNUCKLES):
            parent.append(hand.body if phalanx % KNUCKLES == 0 else first + phalanx - 1)
    return Skeleton(
        names=(*bone_names(tree), *PHALANGES),
        parent=np.array(parent, dtype=np.int32),
        rest_world=bones_world(avatar, avatar.rig.body2world),
    )


def bones_world(avatar: Avatar, body2world: Array, fingers_rad: Array | None = None) -> Array:
    """Frames (S, 4, 4) of all bones where the bodies are at ``body2world`` (B, 4, 4).

    ``fingers_rad`` (2, 5, 3) bend the knuckles of the right and the left hand from rest.
    """
    bends = np.zeros((2, DIGITS, KNUCKLES)) if fingers_rad is None else fingers_rad
    fingers = [
        body2world[hand.body] @ phalanx
        for hand, angles in zip(avatar.hands, bends, strict=True)
        for digit in range(DIGITS)
        for phalanx in _digit(hand, digit, angles[digit])
    ]
    return np.concatenate([bone_frames(avatar, body2world), fingers])


def linear_skins(avatar: Avatar) -> tuple[Skin, ...]:
    """The four bones that move each vertex of every part, for linear blending."""
    rest = pose_avatar(avatar, avatar.rig.coordinates)
    moving = spread(exercise(avatar))
    return tuple(
        fitted(bone_weights(avatar, part), surface.vertices_world.astype(float), moving)
        for part, surface in zip(avatar.parts, rest.surfaces, strict=True)
    )


def bone_weights(avatar: Avatar, part: Part) -> Array:
    """Weights (P, S) of a part's vertices on all bones, rows sum to 1."""
    if part.body is not None:
        weight = np.zeros((len(part.uv), len(bone_names(avatar.tree)) + len(PHALANGES)))
        weight[:, avatar.tree.bodies.index(part.body)] = 1.0
        return weight
    assert part.stencil is not None
    weight = part.stencil @ _dense_weights(avatar)
    return np.asarray(weight)


def exercise(avatar: Avatar) -> Array:
    """Motions (F, S, 4, 4) from rest of all bones in what an avatar is made for: every pose of the
    library and its mirror image, the fingers anywhere in their range."""
    tree, rng = avatar.tree, np.random.default_rng(0)
    poses = [pose_coordinates(tree, pose) for pose in library("yoga").values()]
    bodies = body_transforms_batch(tree, np.array(poses + [mirror(tree, q) for q in poses]))
    frames = [bones_world(avatar, b, rng.uniform(OPEN, CLOSED, (2, *OPEN.shape))) for b in bodies]
    return np.array(frames) @ np.linalg.inv(bones_world(avatar, avatar.rig.body2world))


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


def _digit(hand: Hand, digit: int, angles_rad: Array) -> list[Array]:
    """Frames (4, 4) of a digit's phalanges in the hand, bent by (3,) angles."""
    frames, bent = [], np.eye(4)
    for knuckle_m, axis, angle in zip(hand.knuckle_m[digit], hand.axis[digit], angles_rad):
        rest, turn = np.eye(4), np.eye(4)
        rest[:3, :3] = _frame_about(axis)
        rest[:3, 3] = knuckle_m
        turn[:3, :3] = about_z(angle)
        bent = bent @ rest @ turn @ np.linalg.inv(rest)
        frames.append(bent @ rest)
    return frames


def _frame_about(axis: Array) -> Array:
    """A rotation (3, 3) whose z axis is the given one."""
    x = np.cross(np.eye(3)[np.argmin(np.abs(axis))], axis)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(axis, x), axis], axis=1)


def _dense_weights(avatar: Avatar) -> Array:
    """Weights (V, S) of the base mesh on all bones: fingers take their shares from the hands."""
    binding, limbs = avatar.binding, len(bone_names(avatar.tree))
    dense = np.zeros((len(binding.weight), limbs + len(PHALANGES)))
    np.add.at(dense, (np.arange(len(dense))[:, None], binding.bone), binding.weight)
    for number, hand in enumerate(avatar.hands):
        first = limbs + number * DIGITS * KNUCKLES
        whole = dense[hand.vertex, hand.body]
        shares = hand.weight.reshape(len(hand.vertex), -1)
        dense[hand.vertex, first : first + DIGITS * KNUCKLES] = shares * whole[:, None]
        dense[hand.vertex, hand.body] = whole * (1 - shares.sum(axis=1))
    return dense


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

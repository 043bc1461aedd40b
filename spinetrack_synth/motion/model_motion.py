"""A model's own motion as points and as a hierarchy of joints."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import (
    all_coordinates,
    body_transforms,
    body_transforms_batch,
    marker_positions,
)
from spinetrack_synth.anatomy.model import GROUND, Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.axes import metres, to_world
from spinetrack_synth.motion.bvh import NO_PARENT, POSITIONS, Bvh, Joint
from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion

Array = NDArray[np.float64]

ORDER: Final = ("Zrotation", "Xrotation", "Yrotation")
"""The order in which the model's three-axis joints turn, and most BVH files."""


def full_coordinates(tree: Tree, motion: CoordinateMotion) -> Array:
    """All coordinates q (F, n) of a motion that names free ones; others keep their default.

    Coordinates that couplers drive follow their masters, whatever the motion says of them.
    Raises UserError where the motion has none of the model's free coordinates.
    """
    known = {name: i for i, name in enumerate(motion.names)}
    used = [name for name in tree.free if name in known]
    if not used:
        raise UserError(
            f"{motion.source or 'motion'}: has no free coordinate of the model {tree.name}"
        )
    z = np.tile(tree.default_coordinates[tree.free_index], (len(motion.times_s), 1))
    for k, name in enumerate(tree.free):
        if name in known:
            z[:, k] = motion.values[:, known[name]]
    return np.array([all_coordinates(tree, row) for row in z])


def marker_motion(tree: Tree, motion: CoordinateMotion) -> MarkerMotion:
    """The model's markers through a motion."""
    q = full_coordinates(tree, motion)
    positions_m = np.array([marker_positions(tree, row) for row in q])
    return MarkerMotion(tree.marker_names, motion.times_s, positions_m, motion.source, motion.notes)


def as_bvh(tree: Tree, motion: CoordinateMotion, unit: str = "cm") -> Bvh:
    """The model's bodies as joints that turn from the position with all coordinates zero.

    Y is up and the figure looks along Z. A body whose joint slides has position channels.
    """
    world = to_world("y-up-facing-z").T  # its inverse: from the world to the file
    scale = 1.0 / metres(unit)
    frames = body_transforms_batch(tree, full_coordinates(tree, motion))
    rest = body_transforms(tree, all_coordinates(tree, np.zeros(len(tree.free))))
    turns = frames[:, :, :3, :3] @ rest[:, :3, :3].transpose(0, 2, 1)
    turns = world @ turns @ world.T
    origins, rest_origins = (m[..., :3, 3] @ world.T * scale for m in (frames, rest))
    joints: list[Joint] = []
    columns: list[Array] = []
    roots = [body for body, parent in enumerate(tree.chain.parent) if parent == GROUND]
    if len(roots) != 1:
        raise UserError(f"the model {tree.name} has {len(roots)} roots, a BVH file has one")
    for body, name in enumerate(tree.bodies):
        parent = int(tree.chain.parent[body])
        if parent == GROUND:
            offset, local, turn = np.zeros(3), origins[:, body], turns[:, body]
            parent = NO_PARENT
        else:
            back = turns[:, parent].transpose(0, 2, 1)
            offset = rest_origins[body] - rest_origins[parent]
            local = np.einsum("fij,fj->fi", back, origins[:, body] - origins[:, parent])
            turn = back @ turns[:, body]
        slides = parent == NO_PARENT or bool(np.abs(local - offset).max() > 1e-6 * scale)
        joints.append(
            Joint(name, parent, _triple(offset), (*POSITIONS, *ORDER) if slides else ORDER)
        )
        columns += [local] if slides else []
        columns.append(np.degrees(_angles_zxy(turn)))
    for body in range(len(tree.bodies)):
        if body not in tree.chain.parent:
            tip = rest[body, :3, :3] @ _tip(tree, body) @ world.T * scale
            joints.append(Joint(f"{tree.bodies[body]}_end", body, _triple(tip), ()))
    step = float(np.mean(np.diff(motion.times_s))) if len(motion.times_s) > 1 else 1 / 30
    return Bvh(tuple(joints), step, np.concatenate(columns, axis=1))


def _triple(vector: Array) -> tuple[float, float, float]:
    x, y, z = (float(v) for v in vector)
    return x, y, z


def _tip(tree: Tree, body: int) -> Array:
    """The farthest marker of a body from its origin, else its centre of mass."""
    offsets_m = tree.marker_offset_m[tree.marker_body == body]
    lengths_m = np.linalg.norm(offsets_m, axis=1)
    tip_m: Array = tree.mass_center_m[body]
    if len(offsets_m) and lengths_m.max() > 0:
        tip_m = offsets_m[int(np.argmax(lengths_m))]
    return tip_m


def _angles_zxy(turns: Array) -> Array:
    """Angles (F, 3) rad about Z, X, Y of rotations (F, 3, 3), without jumps over time: those of
    `poses.placement.angles_zxy` are of one posture, nearest to given ones."""
    r = turns
    x = np.arcsin(np.clip(r[:, 2, 1], -1.0, 1.0))
    z = np.arctan2(-r[:, 0, 1], r[:, 1, 1])
    y = np.arctan2(-r[:, 2, 0], r[:, 2, 2])
    locked = np.abs(r[:, 2, 1]) > 1 - 1e-12
    z = np.where(locked, np.arctan2(r[:, 1, 0], r[:, 0, 0]), z)
    y = np.where(locked, 0.0, y)
    return np.unwrap(np.stack([z, x, y], axis=1), axis=0)

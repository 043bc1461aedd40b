"""Postures from the library: as written, with natural variation, mirrored, between two poses."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.poses.library import Pose, mirror_sign, mirrored_coordinate
from spinetrack_synth.poses.placement import ROTATION, angles_zxy, indices, rotation_zxy

Array = NDArray[np.float64]

VARIATION_DEG: Final[dict[str, float]] = {
    "pelvis_tilt": 2.5, "pelvis_list": 1, "pelvis_rotation": 1.5,
    "lumbar_extension": 3, "lumbar_bending": 1.5, "lumbar_rotation": 1,
    "thoracic_extension": 3, "thoracic_bending": 1.5, "thoracic_rotation": 2.5,
    "cervical_extension": 5, "cervical_bending": 3, "cervical_rotation": 4,
    "upper_cervical_extension": 3, "upper_cervical_bending": 1, "upper_cervical_rotation": 4,
    "hip_flexion": 4, "hip_adduction": 3, "hip_rotation": 4, "knee_angle": 4,
    "ankle_angle": 3, "subtalar_angle": 2, "mtp_angle": 4,
    "clavicle_elevation": 3, "clavicle_protraction": 3,
    "arm_flex": 5, "arm_add": 5, "arm_rot": 6, "elbow_flex": 5,
    "pro_sup": 8, "wrist_flex": 5, "wrist_dev": 3,
}  # fmt: skip
"""Standard deviation between people in the same pose, degrees: own estimate."""

FAMILY_SCALE: Final[dict[str, float]] = {"inversion": 0.6, "arm_balance": 0.6, "supine": 1.2}
"""Balances leave less freedom, lying more; 1 for other families."""

SHARED_BY_SIDES: Final = 0.6
"""Share of a limb's variance that left and right have in common."""

LEVEL: Final = 0.4
"""Share of the usual sideways variation where both hands are on one thing: it is held level."""

STRAIGHT_BELOW_DEG: Final = 8.0
"""Knees and elbows written this straight are meant straight: they vary less."""

RHYTHM: Final = 0.2
"""Clavicle elevation per arm elevation above 30 degrees: of the third that the shoulder girdle adds
(Inman 1944) the clavicle shows about 30 degrees at full elevation (Ludewig 2009 gives less)."""


def pose_coordinates(tree: Tree, pose: Pose) -> Array:
    """The pose as written, q (n,), the pelvis at the world's origin, the shoulder girdle in rhythm
    with the arms, all within the limits."""
    z = np.zeros(len(tree.free))
    for index, name in enumerate(tree.free):
        z[index] = pose.coordinates.get(name, 0.0)
    q = tree.coupling @ z + tree.offset
    for side in "rl":
        given = f"clavicle_elevation_{side}" in pose.coordinates
        _hang_arm_on_clavicle(tree, q, side, in_rhythm=not given)
    return within_limits(tree, q)


def sample_pose(tree: Tree, pose: Pose, rng: np.random.Generator) -> Array:
    """The pose as one of many people does it, q (n,): natural variation, within the limits.

    Left and right vary together for the most part. To sample the other side of an asymmetric pose,
    and its contacts, give ``library.either_side(pose, rng)``.
    """
    written = pose_coordinates(tree, pose)[tree.free_index]
    stems = [name.removesuffix("_r").removesuffix("_l") for name in tree.free]
    scale = FAMILY_SCALE.get(pose.family, 1.0)
    sd = np.radians([scale * VARIATION_DEG.get(stem, 0.0) for stem in stems])
    sd = np.array([pose.variation.get(name, default) for name, default in zip(tree.free, sd)])
    straight = np.isin(stems, ("knee_angle", "elbow_flex"))
    sd[straight & (written < np.radians(STRAIGHT_BELOW_DEG))] *= 0.5
    own = rng.standard_normal(len(stems))
    shared = dict(zip(sorted(set(stems)), rng.standard_normal(len(set(stems)))))
    paired = np.array([name.endswith(("_r", "_l")) for name in tree.free])
    common = np.where(paired, SHARED_BY_SIDES, 0.0)
    if any(len(hold.hands) == 2 for hold in pose.holds):
        common[paired] = 1.0
        sd[np.isin(stems, tuple(name for name in stems if mirror_sign(name) < 0))] *= LEVEL
    deviation = np.sqrt(common) * np.array([shared[stem] for stem in stems])
    deviation += np.sqrt(1.0 - common) * own
    z = written + sd * np.clip(deviation, -2.5, 2.5)
    return within_limits(tree, tree.coupling @ z + tree.offset)


def blend(tree: Tree, a: ArrayLike, b: ArrayLike, t: float) -> Array:
    """The posture at t (0..1) on the way from a to b: the pelvis turns along the shortest arc, all
    else goes straight. Within the limits where both ends are."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    q = (1.0 - t) * a + t * b
    angles = indices(tree, ROTATION)
    start, end = rotation_zxy(a[angles]), rotation_zxy(b[angles])
    turn = start @ _fraction(start.T @ end, t)
    q[angles] = angles_zxy(turn, near_rad=q[angles])
    return q


def mirror(tree: Tree, q: ArrayLike) -> Array:
    """The posture in the mirror of the world's X-Y plane: left and right exchanged."""
    q = np.asarray(q, dtype=float)
    twins = [tree.coordinate_index[mirrored_coordinate(name)] for name in tree.coordinates]
    signs = np.array([mirror_sign(name) for name in tree.coordinates])
    mirrored: Array = signs * q[twins]
    return mirrored


def within_limits(tree: Tree, q: ArrayLike) -> Array:
    """The posture with every free coordinate brought into its range."""
    z = np.clip(
        np.asarray(q, dtype=float)[tree.free_index],
        tree.lower[tree.free_index],
        tree.upper[tree.free_index],
    )
    within: Array = tree.coupling @ z + tree.offset
    return within


def _hang_arm_on_clavicle(tree: Tree, q: Array, side: str, in_rhythm: bool) -> None:
    """Turn arm angles against the thorax into the model's against the clavicle, in place; in rhythm
    the clavicle first rises with the arm."""
    girdle = indices(tree, (f"clavicle_elevation_{side}", f"clavicle_protraction_{side}"))
    arm = indices(tree, tuple(f"arm_{motion}_{side}" for motion in ("flex", "add", "rot")))
    sign = 1.0 if side == "r" else -1.0
    thorax2arm = rotation_zxy(q[arm] * (1.0, sign, sign))
    if in_rhythm:
        elevation = np.arccos(np.clip(thorax2arm[1, 1], -1.0, 1.0))
        q[girdle[0]] = RHYTHM * max(0.0, elevation - np.pi / 6)
    clavicle = rotation_zxy((0.0, -sign * q[girdle[0]], sign * q[girdle[1]]))
    angles = angles_zxy(clavicle.T @ thorax2arm, near_rad=q[arm] * (1.0, sign, sign))
    q[arm] = angles * (1.0, sign, sign)


def _fraction(rotation: Array, t: float) -> Array:
    """A part of a rotation, about its own axis."""
    from scipy.spatial.transform import Rotation

    part = Rotation.from_rotvec(t * Rotation.from_matrix(rotation).as_rotvec())
    matrix: Array = part.as_matrix()
    return matrix

"""The angles by which clinicians describe a spine, measured between vertebral endplates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]

ENDPLATES: Final[dict[str, tuple[str, str]]] = {
    "lumbar": ("sacrum/superior_endplate", "L1/superior_endplate"),
    "thoracic": ("T12/inferior_endplate", "T3/superior_endplate"),
    "cervical": ("C7/inferior_endplate", "C2/inferior_endplate"),
}
"""Lower and upper endplate of each regional (Cobb) angle: L1-S1, T3-T12, C2-C7."""


@dataclass(frozen=True)
class RegionalAngles:
    """Shape of the spine by region, in degrees.

    Lordosis L1-S1 and C2-C7 and kyphosis T3-T12 are positive where the spine is curved as in
    standing. Bending is positive to the right, rotation to the left, each of the upper endplate of
    the region against the lower one.
    """

    lumbar_lordosis_deg: float
    thoracic_kyphosis_deg: float
    cervical_lordosis_deg: float
    lumbar_bending_deg: float
    thoracic_bending_deg: float
    cervical_bending_deg: float
    lumbar_rotation_deg: float
    thoracic_rotation_deg: float
    cervical_rotation_deg: float


def regional_angles(tree: Tree, q: ArrayLike) -> RegionalAngles:
    """The regional angles of a model with endplate frames, at q (n,).

    Raises UserError where the model has no endplate frames.
    """
    return angles_between(tree, body_transforms(tree, q))


def angles_between(tree: Tree, body2world: Array) -> RegionalAngles:
    """The same of bodies at (B, 4, 4), whatever the shape of their spine at rest."""
    angles = {}
    for region, (lower, upper) in ENDPLATES.items():
        lower_world = _orientation(tree, body2world, lower)
        upper_world = _orientation(tree, body2world, upper)
        angles[region] = np.degrees(_extension_bending_rotation(lower_world.T @ upper_world))
    return RegionalAngles(
        lumbar_lordosis_deg=float(angles["lumbar"][0]),
        thoracic_kyphosis_deg=float(-angles["thoracic"][0]),
        cervical_lordosis_deg=float(angles["cervical"][0]),
        lumbar_bending_deg=float(angles["lumbar"][1]),
        thoracic_bending_deg=float(angles["thoracic"][1]),
        cervical_bending_deg=float(angles["cervical"][1]),
        lumbar_rotation_deg=float(angles["lumbar"][2]),
        thoracic_rotation_deg=float(angles["thoracic"][2]),
        cervical_rotation_deg=float(angles["cervical"][2]),
    )


def _orientation(tree: Tree, body2world: Array, frame: str) -> Array:
    if frame not in tree.frame_index:
        raise UserError(
            f"the model {tree.name} has no frame {frame}: regional angles need the endplate frames "
            "of spinetrack_fullbody.osim"
        )
    index = tree.frame_index[frame]
    return body2world[tree.frame_body[index], :3, :3] @ tree.frame_in_body[index, :3, :3]


def _extension_bending_rotation(rotation: Array) -> Array:
    """A rotation (3, 3) as angles (3,) rad about Z, X and Y.

    The sagittal angle a is laid half before and half after the rest, which turns about one axis in
    the X-Y plane: R = Rz(a / 2) exp(b X + c Y) Rz(a / 2). So bending and rotation are measured in
    the middle of the region, whatever its curve, and reading the region from above gives the same.
    """
    w, x, y, z = _quaternion(rotation)
    sagittal, swing = np.hypot(w, z), np.hypot(x, y)
    angle = 2 * np.arctan2(swing, sagittal)
    scale = angle / swing if swing > 1e-12 else 2.0
    return np.array([2 * np.arctan2(z, w), scale * x, scale * y])


def _quaternion(rotation: Array) -> Array:
    """Unit quaternion (w, x, y, z) with w >= 0 of a rotation matrix (3, 3)."""
    # Not scipy's Rotation, which raises on nan (people without coordinates have it), nor that of
    # `rotations`, whose last bits are others: regional angles are written to the ground truth.
    r = rotation
    # The largest component is found first, so that no division is by a small number.
    squares = np.array(
        [
            1 + r[0, 0] + r[1, 1] + r[2, 2],
            1 + r[0, 0] - r[1, 1] - r[2, 2],
            1 - r[0, 0] + r[1, 1] - r[2, 2],
            1 - r[0, 0] - r[1, 1] + r[2, 2],
        ]
    )
    products = np.array(
        [
            [squares[0], r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]],
            [r[2, 1] - r[1, 2], squares[1], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0]],
            [r[0, 2] - r[2, 0], r[0, 1] + r[1, 0], squares[2], r[1, 2] + r[2, 1]],
            [r[1, 0] - r[0, 1], r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], squares[3]],
        ]
    )
    quaternion: Array = products[np.argmax(squares)]
    quaternion = quaternion / np.linalg.norm(quaternion)
    return quaternion if quaternion[0] >= 0 else -quaternion

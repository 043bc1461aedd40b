"""Bodies of other sizes: a model scaled body by body, as OpenSim's scaling does it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.model import Chain, Tree
from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]


def scale_tree(tree: Tree, factors: ArrayLike) -> Tree:
    """The model with each body stretched along its own axes by ``factors`` (B, 3).

    Joint frames move by the factors of the body they are fixed to, so do markers, named frames and
    centres of mass; orientations stay, and so do masses and ranges. Translations within a joint
    that follow from another motion (a knee's gliding) grow with the joint's parent body, free
    translations (the pelvis in the world) do not. A marker on a frame turned within its body is
    stretched along the body's axes, where OpenSim takes the frame's.

    Raises ValueError where the factors have another shape or are not positive.
    """
    factors = np.asarray(factors, dtype=float)
    if factors.shape != (len(tree.bodies), 3) or not np.all(factors > 0):
        raise ValueError(f"factors: expected ({len(tree.bodies)}, 3) positive numbers")
    of_body = np.vstack([factors, np.ones(3)])  # the last row, index -1, is ground's
    return dataclasses.replace(
        tree,
        marker_offset_m=tree.marker_offset_m * of_body[tree.marker_body],
        frame_in_body=_stretched(tree.frame_in_body, of_body[tree.frame_body]),
        mass_center_m=tree.mass_center_m * factors,
        chain=_scaled_chain(tree.chain, of_body),
    )


def with_marker_offsets(tree: Tree, offsets_m: Mapping[str, ArrayLike]) -> Tree:
    """The model with some markers moved: name to offset (3,) m in the marker's body.

    Raises UserError for a marker that the model does not have.
    """
    moved = tree.marker_offset_m.copy()
    for name, offset_m in offsets_m.items():
        if name not in tree.marker_index:
            raise UserError(f"marker '{name}': not in the model {tree.name}")
        moved[tree.marker_index[name]] = offset_m
    return dataclasses.replace(tree, marker_offset_m=moved)


def _stretched(transforms: Array, factors: Array) -> Array:
    """Rigid transforms (N, 4, 4) with their translations multiplied by factors (N, 3)."""
    stretched = transforms.copy()
    stretched[:, :3, 3] *= factors
    return stretched


def _inverse(transforms: Array) -> Array:
    """Inverses of rigid transforms (N, 4, 4)."""
    inverse = transforms.copy()
    inverse[:, :3, :3] = transforms[:, :3, :3].transpose(0, 2, 1)
    inverse[:, :3, 3] = -np.einsum("nij,nj->ni", inverse[:, :3, :3], transforms[:, :3, 3])
    return inverse


def _scaled_chain(chain: Chain, of_body: Array) -> Chain:
    of_parent = of_body[chain.parent]
    body_of_axis = np.repeat(np.arange(len(chain.parent)), np.diff(chain.axis_start))
    # OpenSim's rule for a translation's axis: the factors weighted by the axis' components.
    of_axis = np.where(chain.turned[:, None], of_body[:-1], of_parent)[body_of_axis]
    along_axis = np.sum(np.abs(chain.axis_direction) * of_axis, axis=1)
    coefficient = chain.piece_coefficient.copy()
    for axis in range(len(along_axis)):
        if not chain.axis_is_rotation[axis] and not _is_identity(
            chain, axis, turned=bool(chain.turned[body_of_axis[axis]])
        ):
            pieces = slice(chain.piece_start[axis], chain.piece_start[axis + 1])
            coefficient[pieces] *= along_axis[axis]
    return chain._replace(
        joint_in_parent=_stretched(chain.joint_in_parent, of_parent),
        child_in_joint=_inverse(_stretched(_inverse(chain.child_in_joint), of_body[:-1])),
        piece_coefficient=coefficient,
    )


def _is_identity(chain: Chain, axis: int, turned: bool) -> bool:
    """Whether an axis moves by its coordinate itself: then it is a degree of freedom of its own."""
    first, last = chain.piece_start[axis], chain.piece_start[axis + 1]
    if chain.axis_coordinate[axis] < 0 or last - first > 1 or chain.piece_knot[first] != 0.0:
        return False
    identity = np.zeros(chain.piece_coefficient.shape[1])
    identity[1] = -1.0 if turned else 1.0
    return bool(np.array_equal(chain.piece_coefficient[first], identity))

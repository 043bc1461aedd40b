"""Bodies of other sizes: a model scaled body by body, as OpenSim's scaling does it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinetrack_synth.anatomy.constraints import Tie
from spinetrack_synth.anatomy.model import GROUND, Chain, Tree
from spinetrack_synth.errors import UserError

Array = NDArray[np.float64]


def scale_tree(tree: Tree, factors: ArrayLike) -> Tree:
    """The model with each body stretched along its own axes by ``factors`` (B, 3).

    Joint frames move by the factors of the body they are fixed to, so do markers, named frames and
    centres of mass; orientations stay, and so do masses and ranges. Translations within a joint
    that follow from another motion (a knee's gliding, a scapula's on the thorax) grow as
    ``tree.stretch`` says, free translations (the pelvis in the world) do not. A body that stands
    for another in a loop grows with it. A marker on a frame turned within its body is
    stretched along the body's axes, where OpenSim takes the frame's.

    Raises ValueError where the factors have another shape or are not positive.
    """
    factors = np.asarray(factors, dtype=float)
    if factors.shape != (len(tree.bodies), 3) or not np.all(factors > 0):
        raise ValueError(f"factors: expected ({len(tree.bodies)}, 3) positive numbers")
    ground = np.ones((1, 3))  # the last row, index -1
    factors = np.vstack([factors, ground])[tree.stands_for]
    of_body = np.vstack([factors, ground])
    return dataclasses.replace(
        tree,
        marker_offset_m=tree.marker_offset_m * of_body[tree.marker_body],
        frame_in_body=_stretched(tree.frame_in_body, of_body[tree.frame_body]),
        mass_center_m=tree.mass_center_m * factors,
        ties=tuple(_scaled_tie(tie, tree.body_index, of_body) for tie in tree.ties),
        chain=_scaled_chain(tree, of_body),
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


def _scaled_tie(tie: Tie, body: dict[str, int], of_body: Array) -> Tie:
    """A constraint whose points moved with their bodies; distances stay, as in OpenSim."""
    a, b = (
        tuple((np.array(point) * of_body[body.get(name, GROUND)]).tolist())
        for point, name in ((tie.point_a, tie.body_a), (tie.point_b, tie.body_b))
    )
    return tie._replace(point_a=a, point_b=b)


def _scaled_chain(tree: Tree, of_body: Array) -> Chain:
    chain, stretch = tree.chain, tree.stretch
    grows = stretch.weight.any(axis=1) & ~chain.axis_is_rotation
    factor = np.where(grows, np.sum(stretch.weight * of_body[stretch.body], axis=1), 1.0)
    of_piece = np.repeat(factor, np.diff(chain.piece_start))
    return chain._replace(
        joint_in_parent=_stretched(chain.joint_in_parent, of_body[chain.parent]),
        child_in_joint=_inverse(_stretched(_inverse(chain.child_in_joint), of_body[:-1])),
        piece_coefficient=chain.piece_coefficient * of_piece[:, None],
    )

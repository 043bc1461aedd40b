"""The shape of a body at rest, told from how its bodies stand: spines that are not normal are
turned in their joints' rest frames, which no coordinate tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import Tree

Array = NDArray[np.float64]

SAME: Final = 1e-5
"""Frames that differ by less are the tree's own; files round them to 1e-7."""


def with_rest_of(tree: Tree, coordinates: Array, body2world: Array) -> Tree:
    """The tree with its joints turned so that at coordinates (n,) its bodies stand as at
    (B, 4, 4).

    Where they already do, and where either is not known (nan), it is the tree itself. Lengths stay
    the tree's.
    """
    if not np.isfinite(coordinates).all() or not np.isfinite(body2world).all():
        return tree
    own = body_transforms(tree, coordinates)
    if np.abs(own[:, :3, :3] - body2world[:, :3, :3]).max() < SAME:
        return tree
    joints = tree.chain.joint_in_parent.copy()
    for body, parent in enumerate(tree.chain.parent):
        if parent < 0:
            continue
        moved = joints[body, :3, :3].T @ own[parent, :3, :3].T @ own[body, :3, :3]
        turned = body2world[parent, :3, :3].T @ body2world[body, :3, :3] @ moved.T
        left, _, right = np.linalg.svd(turned)
        joints[body, :3, :3] = left @ right
    return replace(tree, chain=tree.chain._replace(joint_in_parent=joints))

"""The posture nearest to another in which some points of the body are at given places."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import body_transforms, point_jacobian, points_world
from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.poses.ground import GIVE_DEG, GIVE_ELSE_DEG, GIVE_OF_PLACE_M
from spinetrack_synth.poses.placement import ROTATION, TRANSLATION

Array = NDArray[np.floating]

PIN_M: Final = 0.003
"""How exactly a pin holds, against how readily coordinates give way."""
ROUNDS: Final = 6


def pinned(
    tree: Tree, q: Array, bodies: NDArray[np.int64], offsets_m: Array, places_world: Array
) -> Array:
    """The posture near q (n,) with points fixed to bodies (P,) at ``offsets_m`` (P, 3) brought to
    ``places_world`` (P, 3) m, within the limits.

    Least squares by Gauss and Newton: it changes smoothly with everything that is given.
    """
    free = tree.free_index
    stems = [name.removesuffix("_r").removesuffix("_l") for name in tree.free]
    give = np.radians([GIVE_DEG.get(stem, GIVE_ELSE_DEG) for stem in stems])
    give[~tree.rotational[free]] = GIVE_OF_PLACE_M
    placed = np.isin(tree.free, (*ROTATION, *TRANSLATION))
    low = np.where(placed, -np.inf, tree.lower[free])
    high = np.where(placed, np.inf, tree.upper[free])
    wanted = np.asarray(q, dtype=float)[free]
    z = wanted.copy()
    for _ in range(ROUNDS):
        there = tree.coupling @ z + tree.offset
        points = points_world(body_transforms(tree, there), bodies, offsets_m)
        slopes = point_jacobian(tree, there, bodies, offsets_m) @ tree.coupling
        system = np.concatenate([slopes.reshape(-1, len(z)) / PIN_M, np.diag(1 / give)])
        off = np.concatenate([(places_world - points).ravel() / PIN_M, (wanted - z) / give])
        z = np.clip(z + np.linalg.lstsq(system, off)[0], low, high)
    found: Array = tree.coupling @ z + tree.offset
    return found

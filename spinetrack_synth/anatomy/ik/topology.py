"""Which of a model's free coordinates moves which of its bodies, and what hangs on what."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.model import GROUND, Tree

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def ancestors(tree: Tree) -> list[list[int]]:
    """For each body, all bodies that it hangs on, from the root on, and itself."""
    chains: list[list[int]] = []
    for body, parent in enumerate(tree.chain.parent):
        chains.append([body] if parent == GROUND else [*chains[parent], body])
    return chains


def moved_bodies(tree: Tree) -> list[tuple[int, int]]:
    """Which free coordinate moves which body directly, as pairs (body, index in ``free``)."""
    chain = tree.chain
    pairs = []
    for body in range(len(tree.bodies)):
        for axis in range(chain.axis_start[body], chain.axis_start[body + 1]):
            i = int(chain.axis_coordinate[axis])
            if i >= 0:
                pairs += [(body, int(k)) for k in np.flatnonzero(tree.depends[i])]
    return pairs


def leaves_first(tree: Tree) -> Ints:
    """Order (k,) of the free coordinates in which those that move less of the body come first."""
    root_most = np.full(len(tree.free), len(tree.bodies))
    for body, column in moved_bodies(tree):
        root_most[column] = min(root_most[column], body)
    return np.argsort(-root_most, kind="stable")


def is_base(tree: Tree) -> Bools:
    """Free coordinates (k,) of joints that carry the model freely through the world."""
    base = np.zeros(len(tree.free), dtype=np.bool_)
    moves = moved_bodies(tree)
    slides = ~tree.rotational[tree.free_index]
    for body in np.flatnonzero(tree.chain.parent == GROUND):
        columns = [k for b, k in moves if b == body]
        if slides[columns].any():
            base[columns] = True
    return base


def limb_roots(tree: Tree, carries: Bools) -> list[int]:
    """Bodies at which a limb begins: where the model branches between bodies that carry markers,
    by ``carries`` (B, P)."""
    parent = tree.chain.parent
    roots = []
    for body in range(len(tree.bodies)):
        if parent[body] == GROUND or not carries[body].any():
            continue
        twins = [b for b in np.flatnonzero(parent == parent[body]) if carries[b].any()]
        if len(twins) > 1:
            roots.append(body)
    return roots

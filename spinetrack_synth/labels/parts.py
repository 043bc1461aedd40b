"""Which part of the body a pixel shows, whatever is worn over it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.hits import Patch, patches
from spinetrack_synth.shot import Frame, Shot

FLESH: Final = frozenset({"skin", "eyes", "lashes", "brows", "teeth", "hair", "beard"})
"""Surfaces of a person that are no clothes, by the last word of their keys."""


def is_flesh(patch: Patch) -> bool:
    """Whether a surface is of the body itself: skin, eyes or hair."""
    return patch.surface.key.rpartition("/")[2] in FLESH


def patch_parts(patch: Patch) -> NDArray[np.uint8]:
    """The numbers (N,) of the parts that the pixels of a patch show, 0 for none."""
    if patch.owner == 0 or patch.surface.parts is None:
        return np.zeros(len(patch.which), dtype=np.uint8)
    shares = np.einsum("nk,nkp->np", patch.weights, patch.surface.parts[patch.vertices])
    return np.asarray(shares.argmax(axis=1) + 1, dtype=np.uint8)


def part_map(shot: Shot, frame: Frame) -> NDArray[np.uint8]:
    """The parts (H, W) that a frame shows: numbers of `anatomy.parts.PARTS` from 1 on, 0 where
    nobody is. The renderer must tell hits."""
    assert frame.hits is not None
    rows, columns = np.nonzero(frame.ids)
    parts = np.zeros(frame.ids.shape, dtype=np.uint8)
    for patch in patches(shot, shot.camera, frame.hits, frame.depth_m, rows, columns):
        parts[rows[patch.which], columns[patch.which]] = patch_parts(patch)
    return parts

"""Shape of the nine-point spine in the picture: length, levels and curvature."""

from __future__ import annotations

from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.gap.labels import Bools, Floats

SPINE: Final = list(skeleton.SPINE)
"""Caudal to cranial: hip (sacrum), L5, L3, T12/L1, T8, T3, C7, C3/C4, C1."""
SEEN_SHARE: Final = 0.03
"""A segment shorter than this share of the spine is seen end on: it has no direction that a
picture shows, and its neighbouring levels cannot be told apart."""

CURVES: Final = {"lumbar": ((0, 1), (2, 3)), "thoracic": ((3, 4), (5, 6))}
"""Between which segments a curvature is measured: L1-S1 from sacrum-L5 to L3-L1, T3-T12 from T12-T8
to T3-C7, as ``predict`` has them. The nine points have no endplates: these are the nearest
tangents, in the picture."""


def spine_length(spine: Floats) -> Floats:
    """Length (...) px of the way through spine points (..., 9, 2); nan where one is missing."""
    length: Floats = np.linalg.norm(np.diff(spine, axis=-2), axis=-1).sum(-1)
    return length


def curvatures(spine: Floats) -> dict[str, Floats]:
    """Signed turn (...) in degrees of each region; nan where a segment is seen end on."""
    length = spine_length(spine)
    angles = {}
    for name, ((a, b), (c, d)) in CURVES.items():
        below, above = spine[..., b, :] - spine[..., a, :], spine[..., d, :] - spine[..., c, :]
        short = np.minimum(np.linalg.norm(below, axis=-1), np.linalg.norm(above, axis=-1))
        cross = below[..., 0] * above[..., 1] - below[..., 1] * above[..., 0]
        turn = np.degrees(np.arctan2(cross, (below * above).sum(-1)))
        angles[name] = np.where(short > SEEN_SHARE * length, turn, np.nan)
    return angles


def level_slips(found: Floats, truth: Floats, labelled: Bools) -> tuple[Bools, Bools]:
    """Which spine points (..., 9) lie nearer to a neighbouring level's label than to their own,
    and which could: those whose neighbouring levels can be told apart in the picture.

    ``found``, ``truth`` (..., 9, 2), ``labelled`` (..., 9).
    """
    truth = np.where(labelled[..., None], truth, np.nan)
    own = np.linalg.norm(found - truth, axis=-1)
    least = SEEN_SHARE * spine_length(truth)[..., None]
    slipped, possible = np.zeros(own.shape, bool), np.zeros(own.shape, bool)
    for step in (-1, 1):
        neighbour = np.roll(truth, -step, axis=-2)
        neighbour[..., -1 if step == 1 else 0, :] = np.nan
        apart = np.linalg.norm(neighbour - truth, axis=-1) > least
        possible |= apart
        slipped |= apart & (np.linalg.norm(found - neighbour, axis=-1) < own)
    return slipped, possible & np.isfinite(own)

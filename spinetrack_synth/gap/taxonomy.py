"""What kind of error each keypoint is (after Ronchi & Perona 2017, for 37 points)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth import skeleton
from spinetrack_synth.gap.labels import Labels
from spinetrack_synth.gap.oks import keypoint_similarity
from spinetrack_synth.gap.pairing import Pairs
from spinetrack_synth.gap.spine_shape import SPINE, level_slips

KINDS: Final = ("good", "jitter", "level slip", "inversion", "swap", "miss")
GOOD, JITTER, SLIP, INVERSION, SWAP, MISS = range(len(KINDS))
NONE: Final = -1
"""Not labelled, or the person was not found."""
GOOD_SIMILARITY: Final = 0.85
LEAST_SIMILARITY: Final = 0.5


def classify(labels: Labels, pairs: Pairs) -> NDArray[np.int8]:
    """The kind (N, 37) of every keypoint's error.

    Good from a similarity of .85 on, jitter from .5 on. Below: inversion where the point fits its
    mirror twin's label, swap where it fits this or the twin's label of another person of the
    picture, whichever fits best; else a miss. A spine point that is nearer to a neighbouring
    level's label than to its own, and fits that one, is a level slip however similar it is: the
    spine's sigmas forgive a whole level.
    """
    judged = (labels.v > 0) & labels.people[:, None] & pairs.found[:, None]
    judged &= np.isfinite(pairs.points[..., 0])
    truth = np.where((labels.v > 0)[..., None], labels.points, np.nan)
    mirror = list(skeleton.MIRROR)
    own = keypoint_similarity(pairs.points, truth, labels.areas)
    twin = keypoint_similarity(pairs.points, truth[:, mirror], labels.areas)
    twin[:, [k for k, other in enumerate(mirror) if k == other]] = np.nan
    other = _others(labels, pairs, truth)
    kinds = np.full(own.shape, MISS, dtype=np.int8)
    twin, other = (np.nan_to_num(values, nan=-1.0) for values in (twin, other))
    kinds[other >= LEAST_SIMILARITY] = SWAP
    kinds[(twin >= LEAST_SIMILARITY) & (twin >= other)] = INVERSION
    kinds[own >= LEAST_SIMILARITY] = JITTER
    kinds[own >= GOOD_SIMILARITY] = GOOD
    kinds[:, SPINE] = np.where(_slipped(labels, pairs, truth), SLIP, kinds[:, SPINE])
    kinds[~judged] = NONE
    return kinds


def _slipped(labels: Labels, pairs: Pairs, truth: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Level slips (N, 9) that fit the neighbouring level."""
    spine, found = truth[:, SPINE], pairs.points[:, SPINE]
    slipped, _ = level_slips(found, spine, labels.v[:, SPINE] > 0)
    fits = np.zeros(slipped.shape, bool)
    for step in (-1, 1):
        neighbour = truth.copy()
        neighbour[:, SPINE] = np.roll(spine, -step, axis=1)
        neighbour[:, SPINE[-1] if step == 1 else SPINE[0]] = np.nan
        near = keypoint_similarity(pairs.points, neighbour, labels.areas)[:, SPINE]
        fits |= np.nan_to_num(near) >= LEAST_SIMILARITY
    return slipped & fits


def _others(labels: Labels, pairs: Pairs, truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Best similarity (N, 37) to this keypoint, or its twin, of any other person in the picture.

    The other's own area counts: the point is held against their label.
    """
    best = np.full(labels.v.shape, np.nan)
    mirror = list(skeleton.MIRROR)
    lag = 1
    # Annotations are sorted by picture: neighbours at every distance that occurs.
    while lag < len(labels.image) and (same := labels.image[lag:] == labels.image[:-lag]).any():
        first = np.flatnonzero(same)
        for rows, others in ((first, first + lag), (first + lag, first)):
            for points in (truth[others], truth[others][:, mirror]):
                near = keypoint_similarity(pairs.points[rows], points, labels.areas[others])
                best[rows] = np.fmax(best[rows], near)
        lag += 1
    return best

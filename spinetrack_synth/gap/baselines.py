"""What a model scores that knows nothing of the spine between its ends."""

from __future__ import annotations

from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.gap.labels import Floats
from spinetrack_synth.lengths import SPINE_GAPS_M, distance_m

SPINE: Final = list(skeleton.SPINE)
HIP, NECK, HEAD = (skeleton.INDEX[name] for name in ("hip", "neck", "head"))
HEAD_M: Final = distance_m("neck_03", "head")
"""From C1 to the top of the head in the standing model, m."""
INNER: Final = tuple(index for index in skeleton.SPINE if index not in (HIP, NECK))
"""The spine points that are interpolated."""


def interpolated(points: Floats) -> Floats:
    """The people (..., 37, 2) with all spine points between hip, neck and head interpolated: each
    at its share of the way along the parabola through the three."""
    way = np.concatenate([[0.0], np.cumsum([*SPINE_GAPS_M, HEAD_M])])
    t = way / way[-1]
    neck = t[SPINE.index(NECK)]
    ends = [points[..., index, :] for index in (HIP, NECK, HEAD)]
    result = points.copy()
    for place, index in enumerate(SPINE):
        if index in INNER:
            s = t[place]
            shares = (
                (s - neck) * (s - 1) / neck,
                s * (s - 1) / (neck * (neck - 1)),
                s * (s - neck) / (1 - neck),
            )
            result[..., index, :] = sum(share * end for share, end in zip(shares, ends))
    return result


def straight(points: Floats) -> Floats:
    """The people with all spine points on the straight line from the hip to C1."""
    share = np.concatenate([[0.0], np.cumsum(SPINE_GAPS_M)]) / SPINE_GAPS_M.sum()
    result = points.copy()
    low, high = points[..., SPINE[0], :], points[..., SPINE[-1], :]
    for t, index in zip(share, SPINE):
        result[..., index, :] = low + t * (high - low)
    return result


def one_level_off(points: Floats) -> Floats:
    """The people with every inner spine point at the place of the next level up."""
    result = points.copy()
    result[..., SPINE[1:-1], :] = points[..., SPINE[2:], :]
    return result


BASELINES: Final = {
    "interpolated from hip, neck and head": interpolated,
    "straight line": straight,
    "one level off": one_level_off,
}

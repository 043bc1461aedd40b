"""Lengths of the model as it stands, unscaled: what people in pictures are measured against.

They follow from the places of its keypoints, a table that the model's builder writes; the model
itself is not loaded.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.standing_keypoints import STANDING_M


def distance_m(a: str, b: str) -> float:
    """Distance in m from one keypoint to another, both by name, to the table's micrometre."""
    return round(math.dist(STANDING_M[a], STANDING_M[b]), 6)


STATURE_M: Final = STANDING_M["head"][1]
"""Height of the vertex above the floor, m."""

SPINE_GAPS_M: Final = np.array(
    [distance_m(skeleton.NAMES[a], skeleton.NAMES[b]) for a, b in pairwise(skeleton.SPINE)]
)
"""From each spine point to the next (8,), caudal to cranial, m."""

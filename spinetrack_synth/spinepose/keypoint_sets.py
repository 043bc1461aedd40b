"""Keypoints of networks: what their places in an answer are called, and which of ours they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.coco.keypoint_names import canonical_name
from spinetrack_synth.skeleton import INDEX, NAMES

LIMBS_MPII: Final = (
    "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis",
    "thorax", "upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder",
    "left_shoulder", "left_elbow", "left_wrist",
)  # fmt: skip

LANDMARKS_BLAZEPOSE: Final = (
    "nose", "", "left_eye", "", "", "right_eye", "", "left_ear", "right_ear", "", "",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "", "", "", "", "", "", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle", "left_heel", "right_heel", "left_big_toe", "right_big_toe", *[""] * 6,
)  # fmt: skip
"""With the points that are none of ours left out: corners of eyes and mouth, fingers."""

SETS: Final[dict[str, tuple[str, ...]]] = {
    "coco": NAMES[:17],
    "halpe": NAMES[:26],
    "spinetrack": NAMES,
    "mpii": LIMBS_MPII,
    "crowdpose": (*NAMES[5:17], "head_top", "neck"),
    "lsp": (
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle",
        "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow",
        "left_wrist", "neck", "head_top",
    ),
    "aic": (
        "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
        "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee",
        "left_ankle", "head_top", "neck",
    ),
}  # fmt: skip
"""Names and order of published sets (mmpose's ``configs/_base_/datasets``)."""

BY_COUNT: Final[dict[int, tuple[str, ...]]] = {
    17: SETS["coco"],
    26: SETS["halpe"],
    37: SETS["spinetrack"],
    16: SETS["mpii"],
    23: (*SETS["coco"], *[""] * 6),
    133: (*SETS["coco"], *[""] * 116),
    136: (*SETS["halpe"], *[""] * 110),
    39: LANDMARKS_BLAZEPOSE,
}
"""Sets that are told by their number alone. 23, 133 (COCO-WholeBody) and 136 (Halpe) begin with
the body; feet, face and hands are left out. Sets of 14 are in several orders."""

SAME: Final = {
    "head_top": "head", "top_head": "head", "thorax": "neck", "pelvis": "hip", "mid_hip": "hip",
}  # fmt: skip
"""Other sets' names of our points."""

SIZES: Final = (17, 26, 37)


@dataclass(frozen=True, eq=False)
class KeypointMap:
    """From a network's keypoints to ours: the first ``count`` (17, 26 or 37) of the skeleton.

    ``places`` (count,) says where in the answer each is, -1 where the network has none; ``twins``
    is each keypoint's mirror twin in the answer.
    """

    count: int
    places: NDArray[np.intp]
    twins: NDArray[np.intp]

    @cached_property
    def as_it_stands(self) -> bool:
        """Whether answers need not be rearranged."""
        return len(self.twins) == self.count and np.array_equal(self.places, np.arange(self.count))


def keypoint_map(names: Sequence[str]) -> KeypointMap | None:
    """The map for a network's names, which may be empty or unknown; None where none is known."""
    canonical = [canonical_name(name) for name in names]
    known = [INDEX.get(SAME.get(name, name), -1) for name in canonical]
    if max(known, default=-1) < 0:
        return None
    count = next(size for size in SIZES if max(known) < size)
    places = np.full(count, -1, np.intp)
    for place, index in enumerate(known):
        if index >= 0 and places[index] < 0:
            places[index] = place
    where = {name: place for place, name in enumerate(canonical) if name}
    other = {"left": "right", "right": "left"}
    twins = np.arange(len(names), dtype=np.intp)
    for place, name in enumerate(canonical):
        side, _, rest = name.partition("_")
        if side in other:
            twins[place] = where.get(f"{other[side]}_{rest}", place)
    return KeypointMap(count, places, twins)

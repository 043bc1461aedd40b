"""The body in seventeen parts, as pictures are segmented: which bodies of the model make each."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

PARTS: Final = (
    "head", "neck", "chest", "abdomen", "pelvis",
    "left_upper_arm", "right_upper_arm", "left_forearm", "right_forearm", "left_hand", "right_hand",
    "left_thigh", "right_thigh", "left_lower_leg", "right_lower_leg", "left_foot", "right_foot",
)  # fmt: skip
"""Parts by number, from 1 on; 0 is nobody. Left is the subject's left."""

CORES: Final = (
    "skull", "C4", "T6", "L3", "pelvis", "humerus_l", "humerus_r", "ulna_l", "ulna_r", "hand_l",
    "hand_r", "femur_l", "femur_r", "tibia_l", "tibia_r", "calcn_l", "calcn_r",
)  # fmt: skip
"""The body that each part moves with, where one has to do."""

_MIDLINE: Final = {
    "skull": "head", "pelvis": "pelvis", "sacrum": "pelvis", "clavicle": "chest",
}  # fmt: skip
_REGIONS: Final = {"C": "neck", "T": "chest", "L": "abdomen"}
_LIMBS: Final = {
    "humerus": "upper_arm", "ulna": "forearm", "radius": "forearm", "hand": "hand",
    "femur": "thigh", "tibia": "lower_leg", "talus": "foot", "calcn": "foot", "toes": "foot",
}  # fmt: skip
_SIDES: Final = {"l": "left", "r": "right"}


def part_of(body: str) -> str:
    """The part of a body of the model: ``femur_l`` is of the ``left_thigh``."""
    stem, _, side = body.partition("_")
    if stem in _MIDLINE:
        return _MIDLINE[stem]
    return f"{_SIDES[side]}_{_LIMBS[stem]}" if side else _REGIONS[stem[0]]


@cache
def part_rows(bodies: tuple[str, ...]) -> NDArray[np.int64]:
    """The parts (B,) of bodies, from 0 on."""
    return np.array([PARTS.index(part_of(body)) for body in bodies])

"""The colours that people are drawn in: contact sheets, predictions, reports."""

from __future__ import annotations

from typing import Final

from spinetrack_synth.skeleton import NAMES, SPINE

Color = tuple[int, int, int]
"""Red, green, blue, 0..255."""

SPINE_COLOR: Final = (255, 214, 10)
LEFT_COLOR: Final = (64, 196, 255)
RIGHT_COLOR: Final = (255, 92, 138)
MIDLINE_COLOR: Final = (235, 235, 235)
OUTLINE: Final = (20, 20, 24)
MASK_COLOR: Final = (160, 110, 255)
VEIL: Final = 0.4
"""How much of a mask's colour covers the picture."""
BOX_COLOR: Final = (200, 200, 200)
FITTED_COLOR: Final = (125, 255, 155)
RING_COLOR: Final = (255, 59, 48)

_SPINE: Final = frozenset(NAMES[keypoint] for keypoint in SPINE)


def keypoint_color(name: str) -> Color:
    """The colour of a keypoint: the spine's, the subject's side's, or the midline's."""
    if name in _SPINE:
        return SPINE_COLOR
    if name.startswith("left_"):
        return LEFT_COLOR
    return RIGHT_COLOR if name.startswith("right_") else MIDLINE_COLOR


def link_color(a: str, b: str) -> Color:
    """The spine's colour between spine points, the midline's from left to right, else the colour
    of the end that is off the spine."""
    if {keypoint_color(a), keypoint_color(b)} == {LEFT_COLOR, RIGHT_COLOR}:
        return MIDLINE_COLOR
    return keypoint_color(b) if a in _SPINE else keypoint_color(a)


def is_spine(*names: str) -> bool:
    """Whether all the keypoints are of the spine."""
    return _SPINE.issuperset(names)


def hexadecimal(color: Color) -> str:
    """The colour as web pages write it, ``#ffd60a``."""
    return "#" + bytes(color).hex()

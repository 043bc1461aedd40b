"""The colours that skeletons are drawn in: contact sheets, predictions, reports."""

from __future__ import annotations

from typing import Final

from spinetrack_synth.skeleton import KEYPOINTS, SPINE

Color = tuple[int, int, int]
"""Red, green, blue, 0..255."""

SPINE_COLOR: Final = (255, 214, 10)
LEFT_COLOR: Final = (64, 196, 255)
RIGHT_COLOR: Final = (255, 92, 138)
MIDLINE_COLOR: Final = (235, 235, 235)
OUTLINE: Final = (20, 20, 24)


def keypoint_color(keypoint: int) -> Color:
    """The colour of a keypoint of the 37: the spine's, the subject's side's, or the midline's."""
    name = KEYPOINTS[keypoint].name
    if keypoint in SPINE:
        return SPINE_COLOR
    if name.startswith("left_"):
        return LEFT_COLOR
    return RIGHT_COLOR if name.startswith("right_") else MIDLINE_COLOR


def link_color(a: int, b: int) -> Color:
    """The spine's colour between spine points, else the colour of the end that is off the spine."""
    return keypoint_color(b) if a in SPINE else keypoint_color(a)


def hexadecimal(color: Color) -> str:
    """The colour as web pages write it, ``#ffd60a``."""
    return "#" + bytes(color).hex()

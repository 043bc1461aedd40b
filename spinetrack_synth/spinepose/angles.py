"""Angles of the spine as the picture shows it, from the nine spine points.

They are angles of projections. Seen from the side they come near to lordosis and kyphosis, seen
from the front to lateral bending; in between they are a mixture, and no view makes them Cobb
angles. docs/spinepose.md has the definitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.skeleton import INDEX, SPINE

Floats = NDArray[np.float64]

REGIONS: Final = {
    "lumbar": (("hip", "spine_01"), ("spine_02", "spine_03")),
    "thoracic": (("spine_03", "spine_04"), ("spine_05", "neck")),
    "cervical": (("neck", "neck_02"), ("neck_02", "neck_03")),
}
"""The lowest and the highest segment of every region; its turn is the angle between them."""

FROM_THE_SIDE: Final = 0.35
"""Shoulders this near to each other, over the trunk's length, show a person from the side. From the
front it is about 0.75, so the shoulders' line then stands within 28 degrees of the camera's."""

FOOT: Final = ("knee", "ankle", "heel", "big_toe")
"""The shank, then the foot: whichever way a leg lies, its foot points to the front of the shank."""


@dataclass(frozen=True)
class SpineAngles:
    """Degrees (P,); nan where a point that counts is missing.

    ``turn_deg`` (P, 3): lumbar, thoracic, cervical: how far the spine turns clockwise in the
    picture from the lowest to the highest segment of the region, going up. ``lean_deg``: the line
    from the sacrum to C7 against the picture's vertical, positive to the right. ``facing``: 1 for a
    person who is seen from the side and looks to the right of the picture, -1 to the left, 0 for
    others.
    """

    turn_deg: Floats
    lean_deg: Floats
    facing: NDArray[np.int64]

    @property
    def lordosis_deg(self) -> Floats:
        """Lumbar lordosis in the picture, positive hollow-backed; nan where not seen from the
        side."""
        return np.where(self.facing != 0, -self.facing * self.turn_deg[:, 0], np.nan)

    @property
    def kyphosis_deg(self) -> Floats:
        """Thoracic kyphosis in the picture, positive round-backed; nan where not seen from the
        side."""
        return np.where(self.facing != 0, self.facing * self.turn_deg[:, 1], np.nan)


def spine_angles(
    points_px: NDArray[np.floating], scores: NDArray[np.floating], least_score: float
) -> SpineAngles:
    """Angles of people with the 37 keypoints (P, 37, 2); points of lower scores are missing."""
    points = np.where(scores[..., None] >= least_score, points_px, np.nan).astype(np.float64)
    turns = [_turn_deg(_way(points, *low), _way(points, *high)) for low, high in REGIONS.values()]
    trunk = points[:, INDEX["neck"]] - points[:, SPINE[0]]
    up = np.broadcast_to(np.array([0.0, -1.0]), trunk.shape)
    return SpineAngles(np.stack(turns, axis=-1), _turn_deg(up, trunk), _facing(points, trunk))


def _way(points: Floats, start: str, end: str) -> Floats:
    return points[:, INDEX[end]] - points[:, INDEX[start]]


def _turn_deg(first: Floats, second: Floats) -> Floats:
    """From one direction (P, 2) to the other, clockwise as seen (y runs down)."""
    cross = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    turn: Floats = np.degrees(np.arctan2(cross, (first * second).sum(axis=1)))
    return turn


def _facing(points: Floats, trunk: Floats) -> NDArray[np.int64]:
    """The side of the trunk that the nose and the feet are on, each against its own neighbour."""
    length = np.linalg.norm(trunk, axis=1)
    across = np.stack([-trunk[:, 1], trunk[:, 0]], axis=1) / np.maximum(length, 1e-9)[:, None]
    shoulders = _way(points, "left_shoulder", "right_shoulder")
    width = np.abs((shoulders * across).sum(axis=1))
    signs = []
    for side in ("left", "right"):
        knee, ankle, heel, toe = (f"{side}_{part}" for part in FOOT)
        signs.append(_sine(_way(points, ankle, knee), _way(points, heel, toe)))
        signs.append(_sine(_way(points, "neck", "neck_03"), _way(points, f"{side}_ear", "nose")))
    ahead = np.nansum(signs, axis=0)
    return np.where(width < FROM_THE_SIDE * length, np.sign(ahead), 0).astype(np.int64)


def _sine(first: Floats, second: Floats) -> Floats:
    """Sine of the turn from one direction (P, 2) to the other, clockwise as seen."""
    cross = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    sine: Floats = cross / np.maximum(lengths, 1e-9)
    return sine

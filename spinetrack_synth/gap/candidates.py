"""A difference between two sets that may be a cause of the gap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from spinetrack_synth.gap.appearance import Picture
from spinetrack_synth.gap.displacement import Displacement
from spinetrack_synth.gap.distances import Shift
from spinetrack_synth.gap.labels import Floats

LEVEL: Final = 0.035
"""Of all causes together, after Holm's correction."""
LEAST_EFFECT: Final = 0.25
"""Standard deviations: a smaller difference is real perhaps, but no cause of anything seen."""

Change = Callable[[Picture], Picture]


@dataclass(frozen=True, eq=False)
class Cause:
    """A difference that was found: ``name`` (pose, scale, occlusion, boxes, swapped sides,
    coordinates, occluders, JPEG, blur, colour, noise, or the displaced keypoints), in words, its
    size, and the chance of it by accident.

    ``change`` makes a picture of the set ``of`` (synthetic or real) look like the other's, so that
    the model can be asked what it costs; ``displaced`` the keypoints; ``mended`` the predictions
    (N, 37, 2) of the set ``of`` without the difference, ``factor`` by what errors of real people
    are larger with boxes as on synthetic ones.
    """

    name: str
    told: str
    effect: float
    p: float
    change: Change | None = None
    of: str = "synthetic"
    displaced: Displacement | None = None
    mended: Floats | None = None
    factor: float | None = None


@dataclass(frozen=True)
class Candidate:
    """A cause that was looked for, and whether it is large enough for anybody to see."""

    cause: Cause
    large: bool


def candidate(
    name: str,
    told: str,
    shift: Shift,
    enough: bool,
    change: Change | None = None,
    of: str = "synthetic",
) -> Candidate:
    """``enough`` tells whether the difference is one that anybody could see."""
    cause = Cause(name, told, shift.effect, shift.p, change, of)
    return Candidate(cause, bool(enough and abs(shift.effect) >= LEAST_EFFECT))

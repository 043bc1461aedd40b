"""What people rest on beside the floor, and what they hold: as far as a posture feels it.

Lengths in metres. What such things look like is the scenes' matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from spinetrack_synth.anatomy.kinematics import body_transforms
from spinetrack_synth.anatomy.model import Tree


@dataclass(frozen=True)
class Support:
    """A level surface to rest on: of which ``thing``, how high, and how far skin sinks into it.

    ``height_m`` suits somebody of 1.75 m; ``lowest_m`` and ``highest_m`` are the heights in which
    such things are made or set.
    """

    thing: str
    height_m: float
    lowest_m: float
    highest_m: float
    sink_m: float = 0.0


SUPPORTS: Final[dict[str, Support]] = {
    "chair": Support("chair", 0.45, 0.41, 0.48, 0.004),
    "stool": Support("stool", 0.45, 0.41, 0.48, 0.004),
    "office_chair": Support("office_chair", 0.46, 0.40, 0.53, 0.02),
    "sofa": Support("sofa", 0.43, 0.40, 0.45, 0.05),
    "weight_bench": Support("weight_bench", 0.43, 0.40, 0.45, 0.01),
    "plinth": Support("plinth", 0.60, 0.50, 0.75, 0.012),
    "plinth_edge": Support("plinth", 0.45, 0.41, 0.50, 0.012),
    "plinth_high": Support("plinth", 0.72, 0.65, 0.80, 0.012),
    "step": Support("step", 0.20, 0.15, 0.25),
    "plyo_box": Support("plyo_box", 0.45, 0.36, 0.51),
    "stairs_1": Support("stairs", 0.17, 0.16, 0.18),
    "stairs_2": Support("stairs", 0.34, 0.32, 0.36),
    "stairs_3": Support("stairs", 0.51, 0.48, 0.54),
    "stairs_down_1": Support("stairs", 0.17, 0.16, 0.18),
    "stairs_down_2": Support("stairs", 0.34, 0.32, 0.36),
    "stairs_down_3": Support("stairs", 0.51, 0.48, 0.54),
    "desk": Support("desk", 0.73, 0.66, 0.80),
    "counter": Support("counter", 0.90, 0.85, 0.95),
}
"""Surfaces by name. Heights: seats 400-510 (office chairs, EN 1335-1), desks 650-850 (EN 527-1),
worktops 850-950 (EN 1116), stairs 150-190 (DIN 18065), competition benches 420-450 (IPF)."""

REFERENCE_HIP_M: Final = 0.90
"""Hip height, from the soles, of the person for whom ``height_m`` is right: 1.75 m tall."""


def hip_height_m(tree: Tree) -> float:
    """Height of the hips above the heels of somebody who stands."""
    heights = body_transforms(tree, np.zeros(len(tree.coordinates)))[:, 1, 3]
    heel = heights[tree.body_index["calcn_r"]]
    return float(heights[tree.body_index["femur_r"]] - heel) + 0.03


def support_height_m(support: str, tree: Tree) -> float:
    """The height of a support that suits a person, within what there is."""
    known = SUPPORTS[support]
    wanted = known.height_m * hip_height_m(tree) / REFERENCE_HIP_M
    return float(np.clip(wanted, known.lowest_m, known.highest_m))


@dataclass(frozen=True)
class Grip:
    """How a thing lies in a hand.

    A ``bar`` crosses the palm, the fingers close round its ``half_m``, across the palm's plane and
    along the fingers; a ``box`` stands between two flat palms. ``apart_m`` is the distance of two
    hands on it, None where the posture decides. A box keeps its Y up, and so does what ``hangs``
    from one hand.
    """

    kind: Literal["bar", "box"]
    half_m: tuple[float, float]
    apart_m: float | None = None
    hangs: bool = False


GRIPS: Final[dict[str, Grip]] = {
    "barbell": Grip("bar", (0.014, 0.014)),
    "stick": Grip("bar", (0.014, 0.014)),
    "dumbbell": Grip("bar", (0.016, 0.016)),
    "kettlebell": Grip("bar", (0.017, 0.017), apart_m=0.092, hangs=True),
    "bag": Grip("bar", (0.011, 0.011), hangs=True),
    "phone": Grip("bar", (0.0045, 0.036)),
    "carton": Grip("box", (0.0, 0.0), apart_m=0.38),
}
"""Things to hold by name. Bars: 28 mm (IWF), dumbbells 32, kettlebells 33-35 (IUKL)."""

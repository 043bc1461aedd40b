"""What the ground truth tells of a person's skeleton beside the keypoints: every body's frame, the
vertebrae, the spinous processes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from spinetrack_synth.anatomy.kinematics import points_world
from spinetrack_synth.anatomy.model import fullbody
from spinetrack_synth.avatars.rig import VERTEBRAE, vertebral_centres
from spinetrack_synth.coco import Record
from spinetrack_synth.shot import PosedPerson

SPINOUS: Final = ("S2", *VERTEBRAE)
"""Levels of the model's second marker set, on the spinous processes."""

NAMES: Final = {"vertebrae": VERTEBRAE, "spinous": SPINOUS}
"""What the rows of two columns are, by the name under which the file's metadata has it."""

DECIMALS: Final = 7
"""A tenth of a micrometre, 0.00001 degrees."""


def skeleton_row(person: PosedPerson) -> Record:
    """The columns of one person: frames of the bodies (bodies, 4, 4), centres of the vertebral
    bodies (24, 3) m, tips of the spinous processes (25, 3) m."""
    values = {
        "body2world": person.body2world,
        "vertebrae_world": vertebral_centres(fullbody(), person.body2world),
        "spinous_world": _spinous_world(person),
    }
    return {name: _flat(value) for name, value in values.items()}


def skeleton_columns() -> dict[str, Any]:
    """The columns' types."""
    import pyarrow as pa

    lengths = {
        "body2world": 16 * len(fullbody().bodies),
        "vertebrae_world": 3 * len(VERTEBRAE),
        "spinous_world": 3 * len(SPINOUS),
    }
    return {name: pa.list_(pa.float64(), length) for name, length in lengths.items()}


def _spinous_world(person: PosedPerson) -> NDArray[np.float64]:
    """The second marker set: where the model has it, scaled with the bodies as OpenSim scales."""
    tree = fullbody()
    rows = [tree.marker_index[f"{level}_spinous"] for level in SPINOUS]
    bodies = tree.marker_body[rows]
    offsets_m = tree.marker_offset_m[rows] * person.scale_factors[bodies]
    return np.asarray(points_world(person.body2world, bodies, offsets_m))


def _flat(values: NDArray[np.float64]) -> list[float]:
    flat: list[float] = values.ravel().round(DECIMALS).tolist()
    return flat

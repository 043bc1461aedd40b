"""How replies are written: numbers, JSON, bones, in UnrealCV's manner."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def three(values: Sequence[float]) -> str:
    """A location, a rotator or a scale."""
    return " ".join(f"{value:.3f}" for value in values)


def compact_json(data: object) -> str:
    """Without spaces, which end an argument."""
    return json.dumps(data, separators=(",", ":"))


def bone_json(name: str, location: NDArray[np.float64], rotator_deg: NDArray[np.float64]) -> str:
    """A bone at a location (3,) cm, turned by a rotator (3,), as JSON."""
    keys = ("Pitch", "Yaw", "Roll", "X", "Y", "Z", "ScaleX", "ScaleY", "ScaleZ")
    values = (*rotator_deg, *location, 1.0, 1.0, 1.0)
    listed = ",".join(f'"{key}":{value:.6f}' for key, value in zip(keys, values))
    return f'{{"bone_name":"{name}","transform":{{{listed}}}}}'

"""Styles of clothes by name, and who wears which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

SPORTS: Final = "sports"

STYLES: Final = (
    SPORTS, "training", "casual", "summer", "winter", "business", "home", "medical",
    "martial_arts", "gymnastics",
)  # fmt: skip
"""What people may wear. ``sports`` is barefoot, ``training`` the same in shoes."""

_STREAM: Final = 0x57


def draw_style(weights: Mapping[str, float], numbers: list[int]) -> str:
    """A style by weight, the same for the same numbers; ``SPORTS`` where there are no weights."""
    if not weights:
        return SPORTS
    share = np.array(list(weights.values()))
    rng = np.random.default_rng([*numbers, _STREAM])
    return list(weights)[int(rng.choice(len(share), p=share / share.sum()))]

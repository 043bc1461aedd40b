"""What image records say of a picture: place, light, lens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from spinetrack_synth.coco.document import Floats
from spinetrack_synth.coco.values import as_float

FILM_WIDTH_MM: Final = 36.0
"""Of the longer side of a picture, as the scenes have it."""

_NAMES: Final = ("scene", "place", "light", "background")


def facts(image: Mapping[str, Any]) -> dict[str, str | float]:
    """The values of one picture by the keys of `measures.PICTURES`; what it does not say is not
    there."""
    found: dict[str, str | float] = {}
    for name in _NAMES:
        if isinstance(value := image.get(name), str):
            found[name] = value
    if "place" in found and isinstance(variant := image.get("variant"), int):
        found["place_variant"] = f"{found['place']} {variant}"
    width, height = as_float(image.get("width")), as_float(image.get("height"))
    focal_px = _focal_px(image.get("K"))
    if focal_px > 0 and max(width, height) > 0:
        found["focal_mm"] = focal_px * FILM_WIDTH_MM / max(width, height)
        bent, wide = "distortion" in image, as_float(image.get("aperture_m")) > 0
        found["lens"] = {
            (False, False): "pinhole", (True, False): "distortion", (False, True): "aperture",
            (True, True): "distortion and aperture",
        }[bent, wide]  # fmt: skip
    if isinstance(film := image.get("film"), dict):
        for name in ("iso", "exposure_stops"):
            if np.isfinite(value := as_float(film.get(name))):
                found[name] = value
    return found


def _focal_px(K: object) -> float:
    try:
        matrix: Floats = np.array(K, dtype=float)
    except (TypeError, ValueError):
        return np.nan
    return float(matrix[0, 0]) if matrix.shape == (3, 3) else np.nan

"""How large a person is in the picture, from the bones that are seen longest."""

from __future__ import annotations

from typing import Final

import numpy as np

from spinetrack_synth.coco.document import Document, Floats
from spinetrack_synth.lengths import distance_m

_BONES: Final = (
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    *(
        (f"{side}_{a}", f"{side}_{b}")
        for a, b in (
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("hip", "knee"),
            ("knee", "ankle"),
            ("shoulder", "hip"),
        )
        for side in ("left", "right")
    ),
)
BONES_M: Final[dict[tuple[str, str], float]] = {bone: distance_m(*bone) for bone in _BONES}
"""Lengths in the standing model, m; the trunk's from shoulder to hip."""


def bone_scales(document: Document) -> Floats:
    """Pixels a metre (N, bones) that each bone shows: foreshortened bones show less."""

    def measure() -> Floats:
        ratios = [
            np.linalg.norm(document.point(a)[:, :2] - document.point(b)[:, :2], axis=1) / length
            for (a, b), length in BONES_M.items()
        ]
        return np.stack(ratios, axis=1)

    return document.once("bone scales", measure)


def pixels_per_metre(document: Document) -> Floats:
    """Scale of each person (N,): the second largest of its bones', so that one misplaced joint
    does not make a giant; nan where fewer than three bones are labelled."""

    def measure() -> Floats:
        scales = bone_scales(document)
        ordered = np.sort(np.nan_to_num(scales, nan=-1.0), axis=1)
        return np.where(np.isfinite(scales).sum(1) >= 3, ordered[:, -2], np.nan)

    return document.once("pixels per metre", measure)

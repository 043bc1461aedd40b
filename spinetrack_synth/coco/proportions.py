"""How large a person is in the picture, from the bones that are seen longest."""

from __future__ import annotations

from typing import Final

import numpy as np

from spinetrack_synth.coco.document import Document, Floats

BONES_M: Final[dict[tuple[str, str], float]] = {
    ("left_shoulder", "right_shoulder"): 0.352,
    ("left_hip", "right_hip"): 0.170,
    ("left_shoulder", "left_elbow"): 0.300,
    ("right_shoulder", "right_elbow"): 0.300,
    ("left_elbow", "left_wrist"): 0.250,
    ("right_elbow", "right_wrist"): 0.250,
    ("left_hip", "left_knee"): 0.420,
    ("right_hip", "right_knee"): 0.420,
    ("left_knee", "left_ankle"): 0.415,
    ("right_knee", "right_ankle"): 0.415,
    ("left_shoulder", "left_hip"): 0.490,
    ("right_shoulder", "right_hip"): 0.490,
}
"""Lengths in the unscaled model (1.75 m tall), metres; shoulder to hip along the upright trunk."""


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

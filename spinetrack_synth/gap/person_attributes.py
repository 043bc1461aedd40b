"""Attributes of people in the picture, from their labels alone: scale, view, occlusion, pose.

Everything needs no more than the twelve limb joints and the nose, which every keypoint dataset of
people has.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from spinetrack_synth import skeleton
from spinetrack_synth.coco.proportions import pixels_per_metre
from spinetrack_synth.gap.labels import Bools, Floats, Ints, Labels
from spinetrack_synth.lengths import STATURE_M, distance_m

SHOULDERS_M: Final = distance_m("left_shoulder", "right_shoulder")
"""Width of the shoulders in the standing model."""

SEGMENTS: Final = (
    ("shoulders", ("right_shoulder",), ("left_shoulder",)),
    ("hips", ("right_hip",), ("left_hip",)),
    ("torso", ("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")),
    ("head", ("left_shoulder", "right_shoulder"), ("nose",)),
    *(
        (f"{side} {name}", (f"{side}_{a}",), (f"{side}_{b}",))
        for side in ("left", "right")
        for name, a, b in (
            ("upper arm", "shoulder", "elbow"),
            ("forearm", "elbow", "wrist"),
            ("thigh", "hip", "knee"),
            ("shank", "knee", "ankle"),
        )
    ),
)
"""Segments whose directions in the picture are a pose: name, from the mean of, to the mean of."""
LEAST_SEGMENTS: Final = 6
"""Of fewer than half of the segments no pose is told."""
SIDE_DEG: Final = 65.0
"""Turned further than this from the camera's axis, a trunk is seen from the side."""
END_ON_M: Final = 0.216
"""A torso that shows less than this, 44 % of the standing model's .487 m from hips to shoulders, is
seen from above, below or lying along the view."""


def segment_vectors(labels: Labels) -> Floats:
    """The segments (N, S, 2) in metres at the person's own scale, as the picture shows them: short
    where they point to the camera; nan where an end is not labelled or the scale is not known."""
    return segments(np.where((labels.v > 0)[..., None], labels.points, np.nan), scale(labels))


def segments(points: Floats, pixels_a_metre: Floats) -> Floats:
    """The same of points (N, 37, 2) px, nan where not labelled, at scales (N,)."""

    def mean(names: tuple[str, ...]) -> Floats:
        middle: Floats = points[:, [skeleton.INDEX[name] for name in names]].mean(1)
        return middle

    vectors = np.stack([mean(end) - mean(start) for _, start, end in SEGMENTS], axis=1)
    return vectors / pixels_a_metre[:, None, None]


def scale(labels: Labels) -> Floats:
    """Pixels a metre (N,) from the bones that are seen longest; nan where few are labelled."""
    return pixels_per_metre(labels.document)[labels.rows]


def height_px(labels: Labels) -> Floats:
    """How high (N,) px each person would be, standing upright where they are."""
    return scale(labels) * STATURE_M


def poses(labels: Labels) -> Floats:
    """Poses (N, 2 S) as the segments' vectors, metres; rows with too few of them are nan."""
    vectors = segment_vectors(labels)
    enough = np.isfinite(vectors).all(2).sum(1) >= LEAST_SEGMENTS
    flat = vectors.reshape(len(vectors), -1)
    return np.where((enough & labels.people)[:, None], flat, np.nan)


def fill_in(poses: Floats) -> Floats:
    """Poses with what is missing put at what is expected given the rest (a normal distribution of
    all poses); rows without anything stay nan."""
    known = np.isfinite(poses)
    rows = known.any(1)
    if not rows.any():
        return poses
    mean = np.where(known, poses, 0.0).sum(0) / np.maximum(known.sum(0), 1)
    centred = np.where(known, poses - mean, 0.0)
    pairs = known.astype(float).T @ known
    covariance = centred.T @ centred / np.maximum(pairs, 1) + 1e-3 * np.eye(poses.shape[1])
    filled = poses.copy()
    for pattern in np.unique(known[rows & ~known.all(1)], axis=0):
        same = (known == pattern).all(1)
        there, gone = np.flatnonzero(pattern), np.flatnonzero(~pattern)
        regression = np.linalg.solve(
            covariance[np.ix_(there, there)], covariance[np.ix_(there, gone)]
        )
        filled[np.ix_(same, gone)] = mean[gone] + centred[np.ix_(same, there)] @ regression
    return filled


VIEWS: Final = ("front", "back", "side", "end on")


def view(labels: Labels) -> Ints:
    """From where each trunk (N,) is seen, as a number of ``VIEWS``; -1 where it cannot be told."""
    return np.where(labels.people, turned(segment_vectors(labels)), -1)


def turned(vectors: Floats) -> Ints:
    """The same of the segments (N, S, 2) of people.

    The shoulders' and hips' width across the trunk says how far it is turned, and which side is
    left whether towards the camera or away from it.
    """
    names = [name for name, _, _ in SEGMENTS]
    torso, shoulders = vectors[:, names.index("torso")], vectors[:, names.index("shoulders")]
    length = np.linalg.norm(torso, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        # y points down: a trunk upright with its left to the picture's right faces the camera.
        across = (torso[:, 0] * shoulders[:, 1] - torso[:, 1] * shoulders[:, 0]) / length
        angle_deg = np.degrees(np.arccos(np.clip(np.abs(across) / SHOULDERS_M, 0, 1)))
        result = np.where(angle_deg > SIDE_DEG, 2, np.where(across > 0, 0, 1))
        result = np.where(length < END_ON_M, 3, result)
    return np.where(np.isfinite(across), result, -1).astype(np.int64)


def occlusion(labels: Labels, judged: Bools) -> Floats:
    """Share (N,) of the judged keypoints that are hidden or not labelled."""
    share = (labels.v[:, judged] != 2).mean(1)
    return np.where(labels.people, share, np.nan)


SCALE_EDGES_PX: Final = (64.0, 128.0, 256.0)
OCCLUSION_EDGES: Final = (0.15, 0.5)


def scale_strata(labels: Labels) -> tuple[tuple[str, ...], Ints]:
    """Names and the number of each person's stratum (N,), -1 where the scale is not known."""
    edges = [f"{edge:g}" for edge in SCALE_EDGES_PX]
    names = (
        f"under {edges[0]} px", *(f"{a} to {b} px" for a, b in zip(edges, edges[1:])),
        f"over {edges[-1]} px",
    )  # fmt: skip
    height = height_px(labels)
    number = np.digitize(np.nan_to_num(height), SCALE_EDGES_PX)
    return names, np.where(np.isfinite(height), number, -1)


def occlusion_strata(labels: Labels, judged: Bools) -> tuple[tuple[str, ...], Ints]:
    """Clear, partly and mostly hidden."""
    share = occlusion(labels, judged)
    names = (
        f"up to {OCCLUSION_EDGES[0]:.0%} hidden",
        f"{OCCLUSION_EDGES[0]:.0%} to {OCCLUSION_EDGES[1]:.0%}",
        f"over {OCCLUSION_EDGES[1]:.0%} hidden",
    )
    number = np.searchsorted(OCCLUSION_EDGES, np.nan_to_num(share), side="left")
    return names, np.where(np.isfinite(share), number, -1)

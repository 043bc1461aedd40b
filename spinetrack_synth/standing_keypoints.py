"""Keypoints of the standing, unscaled model; written by python -m opensim_models.build.

The model's default pose: upright, arms hanging, soles on the floor.
"""

from __future__ import annotations

from typing import Final

STANDING_M: Final[dict[str, tuple[float, float, float]]] = {
    "nose": (0.06431, 1.611314, 0.0),
    "left_eye": (0.02631, 1.648314, -0.031),
    "right_eye": (0.02631, 1.648314, 0.031),
    "left_ear": (-0.04969, 1.625314, -0.073),
    "right_ear": (-0.04969, 1.625314, 0.073),
    "left_shoulder": (-0.076019, 1.401404, -0.176),
    "right_shoulder": (-0.076019, 1.401404, 0.176),
    "left_elbow": (-0.076019, 1.101404, -0.176),
    "right_elbow": (-0.076019, 1.101404, 0.176),
    "left_wrist": (-0.076019, 0.851404, -0.176),
    "right_wrist": (-0.076019, 0.851404, 0.176),
    "left_hip": (-0.056, 0.915, -0.085),
    "right_hip": (-0.056, 0.915, 0.085),
    "left_knee": (-0.056, 0.495, -0.085),
    "right_knee": (-0.056, 0.495, 0.085),
    "left_ankle": (-0.056, 0.08, -0.085),
    "right_ankle": (-0.056, 0.08, 0.085),
    "head": (-0.05769, 1.753314, 0.0),
    "neck": (-0.086346, 1.482152, 0.0),
    "hip": (-0.1016, 1.0005, 0.0),
    "left_big_toe": (0.152, 0.012, -0.065),
    "right_big_toe": (0.152, 0.012, 0.065),
    "left_small_toe": (0.114, 0.01, -0.127),
    "right_small_toe": (0.114, 0.01, 0.127),
    "left_heel": (-0.106, 0.025, -0.085),
    "right_heel": (-0.106, 0.025, 0.085),
    "spine_01": (-0.075775, 1.045807, 0.0),
    "spine_02": (-0.069234, 1.110648, 0.0),
    "spine_03": (-0.087137, 1.186038, 0.0),
    "spine_04": (-0.11746, 1.309606, 0.0),
    "spine_05": (-0.107594, 1.428414, 0.0),
    "left_latissimus": (-0.092621, 1.312436, -0.143),
    "right_latissimus": (-0.092621, 1.312436, 0.143),
    "left_clavicle": (-0.038019, 1.423404, -0.024),
    "right_clavicle": (-0.038019, 1.423404, 0.024),
    "neck_02": (-0.064209, 1.545976, 0.0),
    "neck_03": (-0.057969, 1.595319, 0.0),
}
"""Place of each keypoint in the world (x forward, y up, z right), m."""

"""A short motion of the project's own model: some steps with a turning, bending trunk."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.motion.data import CoordinateMotion

FRAMES = 12


@pytest.fixture(scope="session")
def tree() -> Tree:
    return load_model(fullbody_path())


@pytest.fixture(scope="session")
def steps(tree: Tree) -> CoordinateMotion:
    swing = np.sin(np.linspace(0, 2 * np.pi, FRAMES))
    moving = {
        "pelvis_tx": 0.05 * np.arange(FRAMES),
        "pelvis_ty": 0.99 + 0.02 * swing,
        "pelvis_rotation": 0.4 * swing,
        "lumbar_extension": -0.25 + 0.2 * swing,
        "lumbar_bending": 0.1 * swing,
        "thoracic_rotation": 0.3 * swing,
        "cervical_extension": 0.2 * swing,
        "hip_flexion_r": 0.3 + 0.5 * swing,
        "hip_flexion_l": 0.3 - 0.5 * swing,
        "knee_angle_r": 0.5 - 0.4 * swing,
        "knee_angle_l": 0.5 + 0.4 * swing,
        "arm_flex_l": 0.4 * swing,
        "arm_add_r": -0.6 + 0.4 * swing,
        "elbow_flex_r": 1.0 + 0.3 * swing,
        "elbow_flex_l": 0.8 + 0.0 * swing,
        "pro_sup_r": 1.2 + 0.2 * swing,
    }
    values = np.zeros((FRAMES, len(tree.free)))
    for name, column in moving.items():
        values[:, tree.free.index(name)] = column
    rotational = tree.rotational[tree.free_index]
    return CoordinateMotion(tree.free, np.arange(FRAMES) / 30, values, rotational, "steps")

"""Short motions of the project's own model, a recording of one, and the command ik."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.cli.ik import command
from spinetrack_synth.motion.data import CoordinateMotion, MarkerMotion
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import blend, pose_coordinates
from spinetrack_synth.skeleton import NAMES

FRAMES = 12


@pytest.fixture(scope="session")
def tree() -> Tree:
    return load_model(fullbody_path())


@pytest.fixture(scope="session")
def steps(tree: Tree) -> CoordinateMotion:
    """Some steps with a turning, bending trunk."""
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


@pytest.fixture(scope="module")
def truth(tree: Tree) -> np.ndarray:
    poses = library()
    a, b = (pose_coordinates(tree, poses[name]) for name in ("tadasana", "virabhadrasana_2"))
    return np.array([blend(tree, a, b, s) for s in np.linspace(0.2, 0.7, 12)])


@pytest.fixture(scope="module")
def recording(tree: Tree, truth: np.ndarray) -> MarkerMotion:
    rows = [tree.marker_index[name] for name in NAMES]
    positions = np.array([marker_positions(tree, q)[rows] for q in truth])
    return MarkerMotion(tuple(NAMES), np.arange(len(truth)) / 50, positions)


@pytest.fixture
def run_ik(tmp_path: Path) -> Callable[..., str]:
    def call(*arguments: object) -> str:
        result = CliRunner().invoke(command, [*map(str, arguments)])
        if result.exception:
            raise result.exception
        return result.output

    return call

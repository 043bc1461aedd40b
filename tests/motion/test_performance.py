"""Motions as avatars perform them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from ranges import within_ranges

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import CoordinateMotion
from spinetrack_synth.motion.files import write_motion
from spinetrack_synth.motion.model_motion import full_coordinates
from spinetrack_synth.motion.performance import (
    choose_moment,
    load_performance,
    load_performances,
)


@pytest.fixture
def path(tmp_path: Path, tree: Tree, steps: CoordinateMotion) -> Path:
    write_motion(tmp_path / "steps.mot", steps, tree)
    return tmp_path / "steps.mot"


def test_a_performance_is_the_motion(path: Path, tree: Tree, steps: CoordinateMotion) -> None:
    performance = load_performance(tree, path)
    assert performance.name == "steps"
    expected = full_coordinates(tree, steps)
    np.testing.assert_allclose(performance.coordinates, expected, atol=1e-7)


def test_foreign_files_are_retargeted(tmp_path: Path, tree: Tree, steps: CoordinateMotion) -> None:
    write_motion(tmp_path / "steps.bvh", steps, tree)
    performance = load_performance(tree, tmp_path / "steps.bvh")
    expected = full_coordinates(tree, steps)
    np.testing.assert_allclose(performance.coordinates, expected, atol=1e-4)


def test_joints_stay_within_their_ranges(
    tmp_path: Path, tree: Tree, steps: CoordinateMotion
) -> None:
    values = steps.values.copy()
    values[:, tree.free.index("knee_angle_r")] = 4.0
    write_motion(tmp_path / "far.mot", dataclasses.replace(steps, values=values), tree)
    performance = load_performance(tree, tmp_path / "far.mot")
    assert within_ranges(tree, performance.coordinates)


def test_moments_depend_on_the_seed_alone(path: Path, tree: Tree) -> None:
    performances = load_performances(tree, {str(path): 1.0})
    twice = [choose_moment(performances, np.random.default_rng(5)) for _ in range(2)]
    assert twice[0].name == twice[1].name
    assert twice[0].name.startswith("steps 0.")
    rng = np.random.default_rng(5)
    assert len({choose_moment(performances, rng).name for _ in range(40)}) > 6


def test_weights_choose_the_motion(path: Path, tree: Tree) -> None:
    once = load_performance(tree, path, weight=1.0)
    never = dataclasses.replace(once, name="never", weight=0.0)
    rng = np.random.default_rng(0)
    moments = [choose_moment((never, once), rng).name for _ in range(10)]
    assert not any(name.startswith("never") for name in moments)


def test_an_absent_file_is_told(tree: Tree) -> None:
    with pytest.raises(UserError, match=r"gone\.mot: no such file"):
        load_performances(tree, {"gone.mot": 1.0})

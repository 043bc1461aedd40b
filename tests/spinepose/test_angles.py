"""Angles of the spine in the picture, on spines bent by hand and on the body model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import fullbody_path, load_model
from spinetrack_synth.anatomy.spine import regional_angles
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import sample_pose
from spinetrack_synth.skeleton import INDEX, NAMES, SPINE
from spinetrack_synth.spinepose.angles import spine_angles


def spine(turns_deg: list[float], lean_deg: float = 0.0) -> np.ndarray:
    """Keypoints (37, 2) whose spine goes up and turns clockwise by so much at each inner point."""
    headings = np.radians(lean_deg + np.cumsum([0.0, *turns_deg]))
    steps = 30 * np.column_stack([np.sin(headings), -np.cos(headings)])
    points = np.full((37, 2), 500.0)
    start = np.array([200.0, 600.0])
    points[list(SPINE)] = np.vstack([start, start + np.cumsum(steps, axis=0)])
    return points


def angles(points: np.ndarray, **missing: float) -> object:
    scores = np.ones((1, 37))
    for name, score in missing.items():
        scores[0, INDEX[name]] = score
    return spine_angles(points[None], scores, 0.3)


@given(st.lists(st.floats(-20, 20), min_size=7, max_size=7), st.floats(-60, 60))
def test_turns_are_those_of_each_region(turns: list[float], lean: float) -> None:
    found = angles(spine(turns, lean))
    # Points: 0 hip .. 2 L3, 3 T12/L1, 4 T8, 5 T3, 6 C7, 7 C3/4, 8 C1; turn k is at point k + 1.
    expected = [sum(turns[:2]), sum(turns[3:5]), turns[6]]
    np.testing.assert_allclose(found.turn_deg[0], expected, atol=1e-6)


@given(st.floats(-170, 170))
def test_lean_is_against_the_vertical(lean: float) -> None:
    np.testing.assert_allclose(angles(spine([0] * 7, lean)).lean_deg[0], lean, atol=1e-6)


def test_a_missing_point_leaves_out_what_needs_it() -> None:
    found = angles(spine([5] * 7), spine_01=0.1)
    assert np.isnan(found.turn_deg[0, 0])
    np.testing.assert_allclose(found.turn_deg[0, 1:], [10, 5])


def test_lordosis_and_kyphosis_are_told_from_the_side_only() -> None:
    tree = load_model(fullbody_path())
    rows = [tree.marker_index[name] for name in NAMES]
    markers = marker_positions(tree, tree.default_coordinates)[rows]
    truth = regional_angles(tree, tree.default_coordinates)
    # Seen from the person's right (they look to the right), from the left, and from the front.
    views = {1: markers[:, [0, 1]] * [1, -1], -1: markers[:, [0, 1]] * [-1, -1]}
    for facing, points in views.items():
        found = angles(500 + 300 * points)
        assert found.facing[0] == facing
        assert found.lordosis_deg[0] == pytest.approx(truth.lumbar_lordosis_deg, abs=12)
        assert found.kyphosis_deg[0] == pytest.approx(truth.thoracic_kyphosis_deg, abs=12)
    front = angles(500 + 300 * markers[:, [2, 1]] * [1, -1])
    assert front.facing[0] == 0
    assert np.isnan([front.lordosis_deg[0], front.kyphosis_deg[0]]).all()
    np.testing.assert_allclose(front.turn_deg, 0, atol=3)


def test_the_side_is_told_in_every_pose() -> None:
    tree = load_model(fullbody_path())
    rows = [tree.marker_index[name] for name in NAMES]
    rng = np.random.default_rng(0)
    told = 0
    for pose in list(library("yoga").values())[::4]:
        markers = marker_positions(tree, sample_pose(tree, pose, rng))[rows]
        turn = rng.uniform(0, 2 * np.pi)
        x = markers[:, 0] * np.cos(turn) + markers[:, 2] * np.sin(turn)
        depth = markers[:, 2] * np.cos(turn) - markers[:, 0] * np.sin(turn)
        found = angles(300 * np.column_stack([x, -markers[:, 1]]))
        if found.facing[0]:
            told += 1
            # Who looks to the right shows the right shoulder; depth grows towards the viewer.
            nearer = depth[INDEX["right_shoulder"]] - depth[INDEX["left_shoulder"]]
            assert found.facing[0] == np.sign(nearer), pose
    assert told >= 5

"""Gaps of points: filled where neighbours tell, left where they do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from spinetrack_synth.anatomy.model import Tree
from spinetrack_synth.motion.data import CoordinateMotion
from spinetrack_synth.motion.gaps import fill_gaps
from spinetrack_synth.motion.model_motion import marker_motion
from spinetrack_synth.skeleton import NAMES

FRAMES = 80


@pytest.fixture(scope="module")
def heads() -> np.ndarray:
    """Seven points (80, 7, 3) of a body that turns and goes, with 1 mm of noise."""
    rng = np.random.default_rng(3)
    shape_m = rng.normal(0, 0.1, (7, 3))
    turns = Rotation.from_euler("zxy", np.linspace(0, 1, FRAMES)[:, None] * [0.5, 0.3, 1.2])
    positions_m = np.einsum("fij,pj->fpi", turns.as_matrix(), shape_m)
    positions_m[..., 0] += np.linspace(0, 2, FRAMES)[:, None]
    return positions_m + rng.normal(0, 0.001, positions_m.shape)


def names(count: int) -> tuple[str, ...]:
    return tuple(f"P{k}" for k in range(count))


@pytest.mark.parametrize("gap", [slice(10, 14), slice(0, 30), slice(50, 80), slice(None, None, 2)])
def test_a_point_of_a_rigid_body_is_found(heads: np.ndarray, gap: slice) -> None:
    positions_m = heads.copy()
    positions_m[gap, 2] = np.nan
    filled = fill_gaps(names(7), positions_m)
    np.testing.assert_allclose(filled.positions_m, heads, atol=0.006)
    hidden = np.zeros((FRAMES, 7), dtype=bool)
    hidden[gap, 2] = True
    np.testing.assert_array_equal(filled.filled, hidden)
    assert "gaps filled from neighbouring points: P2" in filled.notes[0]


def test_nothing_missing_is_nothing_done(heads: np.ndarray) -> None:
    filled = fill_gaps(names(7), heads)
    np.testing.assert_array_equal(filled.positions_m, heads)
    assert filled.notes == ()


def test_a_point_that_moves_by_itself_stays_missing(heads: np.ndarray) -> None:
    wave_m = 0.3 * np.sin(np.arange(FRAMES))[:, None] * [0, 1, 0]
    positions_m = np.concatenate([heads, heads[:, :1] + wave_m[:, None]], axis=1)
    positions_m[20:40, 7] = np.nan
    filled = fill_gaps(names(8), positions_m)
    assert np.isnan(filled.positions_m[20:40, 7]).all()
    assert not filled.filled.any()


def test_frames_without_any_point_stay_so(heads: np.ndarray) -> None:
    positions_m = heads.copy()
    positions_m[30:35] = np.nan
    assert np.isnan(fill_gaps(names(7), positions_m).positions_m[30:35]).all()


def test_a_point_hardly_ever_seen_is_left_out(heads: np.ndarray) -> None:
    positions_m = heads.copy()
    positions_m[3:, 1] = np.nan
    filled = fill_gaps(names(7), positions_m)
    assert np.isnan(filled.positions_m[:, 1]).all()
    assert filled.notes == ("seen in fewer than 5 frames, left out: P1",)


def test_points_at_zero_in_some_frames_are_missing(heads: np.ndarray) -> None:
    positions_m = heads.copy()
    positions_m[5:9, 3] = 0.0
    filled = fill_gaps(names(7), positions_m)
    np.testing.assert_allclose(filled.positions_m, heads, atol=0.006)
    assert filled.notes[0] == "at 0 0 0 in up to 4 frames, taken for missing: P3"
    at_origin = heads - heads[:, :1]  # always there: the origin of a body's own frame
    assert fill_gaps(names(7), at_origin).notes == ()


def test_neighbours_along_a_line_tell_nothing() -> None:
    line_m = np.zeros((FRAMES, 4, 3))
    line_m[:, :, 0] = [0.0, 0.1, 0.2, 0.35]
    line_m[::2, 3] = np.nan
    assert not fill_gaps(names(4), line_m).filled.any()


def test_points_of_a_spine_are_found(tree: Tree, steps: CoordinateMotion) -> None:
    slow = np.repeat(np.arange(len(steps.times_s)), 6)
    markers = marker_motion(tree, steps)
    columns = [markers.names.index(name) for name in NAMES]
    exact_m = markers.positions_m[slow][:, columns]
    positions_m = exact_m.copy()
    positions_m[::3, NAMES.index("spine_04")] = np.nan
    filled = fill_gaps(NAMES, positions_m)
    np.testing.assert_allclose(filled.positions_m, exact_m, atol=0.002)

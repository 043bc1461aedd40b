"""Coordinates over time: what a noisy recording says about a spine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from spinetrack_synth.anatomy.ik import Solution, solve
from spinetrack_synth.anatomy.ik.setup_files import CoordinateTask, Tasks
from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.anatomy.spine import regional_angles
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.coordinate_trajectories import trajectory_goals
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.fitting import fit
from spinetrack_synth.motion.smoothing import smooth
from spinetrack_synth.motion.trc import write_trc
from spinetrack_synth.motion.trial import Request, prepare
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import blend, pose_coordinates
from spinetrack_synth.skeleton import NAMES

NOISE_M = 0.005


@pytest.fixture(scope="module")
def tree() -> Tree:
    return load_model(fullbody_path())


@pytest.fixture(scope="module")
def yoga(tree: Tree) -> np.ndarray:
    """Coordinates (F, n) at 100 Hz through poses, two seconds from each to the next."""
    names = ("tadasana", "balasana", "ustrasana", "parivrtta_trikonasana")
    keys = [pose_coordinates(tree, library()[name]) for name in names]
    shares = np.linspace(0, 1, 200, endpoint=False)
    return np.array(
        [blend(tree, a, b, s * s * (3 - 2 * s)) for a, b in zip(keys, keys[1:]) for s in shares]
    )


def recorded(tree: Tree, q: np.ndarray, names: Sequence[str], noise_m: float) -> MarkerMotion:
    rows = [tree.marker_index[name] for name in names]
    positions_m = np.array([marker_positions(tree, row)[rows] for row in q])
    positions_m += np.random.default_rng(1).normal(0, noise_m, positions_m.shape)
    return MarkerMotion(tuple(names), np.arange(len(q)) / 100, positions_m)


def angles_deg(tree: Tree, q: np.ndarray) -> np.ndarray:
    return np.array([astuple(regional_angles(tree, row)) for row in q[::5]])


def fitted(path: Path, filter_hz: object) -> Solution:
    request = Request(fullbody_path(), path, filter_hz=filter_hz)  # type: ignore[arg-type]
    return fit(prepare(request))


@pytest.mark.slow
@pytest.mark.parametrize("markers", ["all", "keypoints"])
def test_regional_angles_come_out_within_a_degree(
    tree: Tree, yoga: np.ndarray, markers: str, tmp_path: Path
) -> None:
    names = tree.marker_names if markers == "all" else NAMES
    write_trc(tmp_path / "m.trc", recorded(tree, yoga, names, NOISE_M))
    truth = angles_deg(tree, yoga)

    def error_deg(filter_hz: str | None) -> np.ndarray:
        found = fitted(tmp_path / "m.trc", filter_hz)
        apart = angles_deg(tree, found.coordinates) - truth
        return np.sqrt((apart**2).mean(axis=0))

    known = slice(None) if markers == "all" else slice(-1)  # 37 points hardly show a neck's turning
    assert np.all(error_deg("auto")[known] < 0.95)
    assert np.all(error_deg(None)[known] > 1.0)  # what single frames leave unknown


@pytest.mark.slow
def test_both_kinds_of_smoothing_are_better_than_one(tree: Tree, yoga: np.ndarray) -> None:
    markers = recorded(tree, yoga, tree.marker_names, NOISE_M)
    smoothed = smooth(markers)
    fits = (solve(tree, markers.names, m.positions_m) for m in (markers, smoothed.markers))
    goals = trajectory_goals(tree, *fits, smoothed, taken=("lumbar_bending",))
    chosen = [goal.coordinate for goal in goals]
    assert "lumbar_extension" in chosen and "lumbar_bending" not in chosen
    exact_m = np.array([marker_positions(tree, row) for row in yoga])

    def error_m(tasks: Sequence) -> float:
        found = solve(tree, markers.names, smoothed.markers.positions_m, goals=tasks)
        there_m = np.array([marker_positions(tree, row) for row in found.coordinates])
        return float(np.sqrt(np.mean((there_m - exact_m) ** 2)))

    assert error_m(goals) < 0.95 * error_m(())


def test_a_recording_without_noise_stays_what_it_is(
    tree: Tree, yoga: np.ndarray, tmp_path: Path
) -> None:
    write_trc(tmp_path / "m.trc", recorded(tree, yoga[:150], tree.marker_names, 0.0))
    as_it_is, smoothed = (fitted(tmp_path / "m.trc", how) for how in (None, "auto"))
    apart = angles_deg(tree, smoothed.coordinates) - angles_deg(tree, as_it_is.coordinates)
    assert np.abs(apart).max() < 0.05


def test_short_recordings_are_fitted_as_they_are(
    tree: Tree, yoga: np.ndarray, tmp_path: Path
) -> None:
    write_trc(tmp_path / "m.trc", recorded(tree, yoga[:10], tree.marker_names, NOISE_M))
    trial = prepare(Request(fullbody_path(), tmp_path / "m.trc", filter_hz="auto"))
    assert "too few frames to smooth" in " ".join(trial.remarks)
    as_it_is, smoothed = (fitted(tmp_path / "m.trc", how) for how in (None, "auto"))
    np.testing.assert_array_equal(smoothed.coordinates, as_it_is.coordinates)


def test_frames_that_do_not_follow_one_another_are_not_smoothed(
    tree: Tree, yoga: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "m.trc"
    shuffled = np.random.default_rng(0).permutation(yoga)[:60]
    write_trc(path, recorded(tree, shuffled, tree.marker_names, 0.0))
    with pytest.raises(UserError, match="do not seem to follow one another"):
        prepare(Request(fullbody_path(), path, filter_hz="auto"))
    remarks = " ".join(prepare(Request(fullbody_path(), path)).remarks)
    assert "do not seem to follow one another" in remarks
    assert "--filter auto" not in remarks


@pytest.mark.filterwarnings("error")
def test_a_recording_without_any_marker_is_one_line(
    tree: Tree, yoga: np.ndarray, tmp_path: Path
) -> None:
    markers = recorded(tree, yoga[:30], tree.marker_names, NOISE_M)
    nothing = MarkerMotion(
        markers.names, markers.times_s, np.full_like(markers.positions_m, np.nan)
    )
    write_trc(tmp_path / "m.trc", nothing)
    with pytest.raises(UserError, match="every marker is missing in every frame"):
        prepare(Request(fullbody_path(), tmp_path / "m.trc", filter_hz="auto"))


@pytest.mark.slow
def test_missing_time_parts_a_trajectory(tree: Tree, yoga: np.ndarray, tmp_path: Path) -> None:
    markers = recorded(tree, yoga, tree.marker_names, NOISE_M)
    kept = np.r_[0:150, 330:600]
    write_trc(
        tmp_path / "m.trc",
        MarkerMotion(markers.names, markers.times_s[kept], markers.positions_m[kept]),
    )
    found = fitted(tmp_path / "m.trc", "auto")
    there_m = np.array([marker_positions(tree, row) for row in found.coordinates[140:160]])
    exact_m = np.array([marker_positions(tree, row) for row in yoga[kept][140:160]])
    assert np.sqrt(np.mean((there_m - exact_m) ** 2)) < 0.005


def test_tasks_that_were_given_are_kept(tree: Tree, yoga: np.ndarray, tmp_path: Path) -> None:
    write_trc(tmp_path / "m.trc", recorded(tree, yoga[:100], tree.marker_names, NOISE_M))
    tasks = Tasks({}, (CoordinateTask("lumbar_extension", 5.0, "manual_value", 0.1),))
    request = Request(fullbody_path(), tmp_path / "m.trc", tasks=tasks, filter_hz="auto")
    goals = fit(prepare(request)).goals
    mine = [goal for goal in goals if goal.coordinate == "lumbar_extension"]
    assert [goal.weight for goal in mine] == [5.0]
    assert len(goals) > 10

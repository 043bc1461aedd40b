"""Walking and running, measured on the skin: feet that stay, free fall, even speed."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.avatars.cast import Cast
from spinetrack_synth.poses.library import library
from spinetrack_synth.scenes.gait import _BY_POSE, RUNNING, WALKING, goes_on, walk_on
from spinetrack_synth.scenes.placing import take_stance
from spinetrack_synth.scenes.trajectories import Trajectory

pytestmark = pytest.mark.slow

TIMES_S = np.arange(80) / 40


def moving(name: str, person: int = 0, seed: int = 1) -> Trajectory:
    rng = np.random.default_rng(seed)
    stance = take_stance(Cast(3).avatar(person), library()[name], rng)
    assert stance is not None
    return walk_on(stance, TIMES_S, rng)


@pytest.fixture(scope="module", autouse=True)
def cheap() -> None:
    """Nobody is a mannequin here: feet are what counts."""


@pytest.fixture(scope="module")
def walking() -> Trajectory:
    return moving("walk_mid_stance")


@pytest.fixture(scope="module")
def running() -> Trajectory:
    return moving("run_toe_off")


def pelvis_m(trajectory: Trajectory) -> np.ndarray:
    index = trajectory.avatar.tree.coordinate_index
    return trajectory.q[:, [index[f"pelvis_t{axis}"] for axis in "xyz"]]


def soles_m(trajectory: Trajectory) -> np.ndarray:
    """By frame and side the heel and the ball of the foot (F, 2, 2, V, 3), the lowest ten each."""
    patches = trajectory.avatar.probe.patches
    skins = [trajectory.skin(frame) for frame in range(len(TIMES_S))]
    few = min(len(patches[f"{s}_{p}"]) for s in ("left", "right") for p in ("heel", "ball_medial"))
    return np.array(
        [
            [
                [skin[patches[f"{side}_{part}"][:few]] for part in ("heel", "ball_medial")]
                for side in ("left", "right")
            ]
            for skin in skins
        ]
    )


def test_speeds_are_those_of_people(walking: Trajectory, running: Trajectory) -> None:
    for trajectory, low, high in ((walking, 0.9, 1.6), (running, 2.4, 4.0)):
        steps = np.diff(pelvis_m(trajectory), axis=0)[:, [0, 2]] / np.diff(TIMES_S)[:, None]
        speed = np.linalg.norm(steps, axis=1)
        assert low < speed.mean() < high
        assert np.abs(speed / speed.mean() - 1).max() < 0.2


def test_who_walks_has_the_lowest_skin_on_the_floor(walking: Trajectory) -> None:
    lowest = np.array([walking.skin(frame)[:, 1].min() for frame in range(len(TIMES_S))])
    assert np.abs(lowest).max() < 0.005


@pytest.mark.parametrize("of", ["walking", "running"])
def test_what_stands_stays_where_it_is(of: str, request: pytest.FixtureRequest) -> None:
    """Sole that is within 3 mm of the floor from one frame to the next and does not rise."""
    soles = soles_m(request.getfixturevalue(of)).reshape(len(TIMES_S), -1, 3)
    moves = np.diff(soles, axis=0)
    stands = (soles[:-1, :, 1] < 0.003) & (soles[1:, :, 1] < 0.003)
    assert stands.any(axis=1).mean() > 0.3
    slid = np.linalg.norm(moves[stands][:, [0, 2]], axis=1)
    assert np.median(slid) < 0.003
    assert np.percentile(slid, 95) < 0.01


def test_who_runs_flies_and_falls(running: Trajectory) -> None:
    lowest = np.array([running.skin(frame)[:, 1].min() for frame in range(len(TIMES_S))])
    flying = lowest > 0.01
    assert 0.05 < flying.mean() < 0.5
    assert lowest.min() > -0.006
    height = pelvis_m(running)[:, 1]
    fall = np.diff(height, 2) / (TIMES_S[1] ** 2)
    inside = flying[:-2] & flying[1:-1] & flying[2:]
    assert -14.0 < np.median(fall[inside]) < -5.0


def test_both_sides_take_turns(walking: Trajectory) -> None:
    knees = [walking.avatar.tree.coordinate_index[f"knee_angle_{side}"] for side in "rl"]
    bent = np.degrees(walking.q[:, knees])
    assert (bent.max(axis=0) > 45).all()
    assert np.corrcoef(bent.T)[0, 1] < 0


def test_the_middle_of_the_clip_is_the_stance() -> None:
    rng = np.random.default_rng(1)
    stance = take_stance(Cast(3).avatar(0), library()["walk_mid_stance"], rng)
    assert stance is not None
    trajectory = walk_on(stance, np.arange(81) / 40, rng)
    index = [stance.avatar.tree.coordinate_index[f"pelvis_t{axis}"] for axis in "xz"]
    np.testing.assert_allclose(trajectory.q[40][index], stance.q[index], atol=1e-6)
    assert np.linalg.norm(trajectory.skin(40) - stance.skin, axis=1).mean() < 0.08
    assert "walk_mid_stance" in trajectory.poses[40]


def test_a_single_frame_is_a_walk_too() -> None:
    rng = np.random.default_rng(1)
    stance = take_stance(Cast(3).avatar(0), library()["walk_mid_stance"], rng)
    assert stance is not None
    assert walk_on(stance, np.zeros(1), rng).q.shape[0] == 1


def test_all_phases_are_poses_of_the_library() -> None:
    for gait in (WALKING, RUNNING):
        shares = [share for _, share, _ in gait.phases]
        assert shares == sorted(shares)
        assert shares[0] >= 0 and shares[-1] < 0.5
    assert all(goes_on(library()[name]) for name in _BY_POSE)
    assert not goes_on(library()["tadasana"])

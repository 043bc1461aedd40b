"""Markers over time without their noise."""

from __future__ import annotations

import numpy as np
import pytest

from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.smoothing import (
    SHORTEST,
    jitter_m,
    low_pass,
    pieces,
    smooth,
    smooth_trajectory,
)

NOISE_M = 0.005


def swinging(noise_m: float = NOISE_M) -> tuple[np.ndarray, MarkerMotion]:
    """A marker that swings at 0.5 Hz, without noise (F, 1, 3), and with noise and a gap."""
    times = np.arange(400) / 100
    slow = np.sin(2 * np.pi * 0.5 * times)[:, None, None] * np.ones((1, 1, 3))
    seen = slow + np.random.default_rng(0).normal(0, noise_m, slow.shape)
    seen[100:110] = np.nan
    return slow, MarkerMotion(("a",), times, seen)


def test_the_filter_takes_noise_and_leaves_motion() -> None:
    slow, markers = swinging()
    out = low_pass(markers, 6.0).positions_m
    assert np.isnan(out[100:110]).all()
    left = np.nanstd((out - slow)[20:90])
    assert 0.001 < left < 0.0025
    with pytest.raises(UserError, match="needs more than 120 frames a second"):
        low_pass(markers, 60.0)


def test_smoothing_finds_its_own_frequency() -> None:
    slow, markers = swinging()
    found = smooth(markers)
    assert np.isnan(found.markers.positions_m[100:110]).all()
    left_m = np.nanstd(found.markers.positions_m - slow)
    assert left_m < 0.3 * NOISE_M
    assert found.left_m[0] == pytest.approx(left_m, rel=0.5)
    assert 0.5 < found.cutoff_hz[0] < 6


def test_smoothing_leaves_what_has_no_noise() -> None:
    slow, markers = swinging(noise_m=0.0)
    np.testing.assert_allclose(
        smooth(markers).markers.positions_m[110:], slow[110:], atol=1e-5, equal_nan=True
    )


def test_short_stretches_stay() -> None:
    _, markers = swinging()
    short = MarkerMotion(
        ("a",), markers.times_s[: SHORTEST - 1], markers.positions_m[: SHORTEST - 1]
    )
    found = smooth(short)
    np.testing.assert_array_equal(found.markers.positions_m, short.positions_m)
    assert np.isinf(found.cutoff_hz[0])
    assert np.isnan(found.left_m[0])


def test_jitter_is_the_noise_and_not_the_motion() -> None:
    assert jitter_m(swinging()[1]) == pytest.approx(NOISE_M, rel=0.1)
    assert jitter_m(swinging(noise_m=0.0)[1]) < 1e-7


def test_a_course_loses_its_noise_and_knows_what_is_left() -> None:
    times = np.arange(400) / 100
    truth = 0.3 * np.sin(2 * np.pi * 0.4 * times)
    values = truth + np.random.default_rng(2).normal(0, 0.05, len(times))
    trajectory, left = smooth_trajectory(values, times)
    error = np.std(trajectory - truth)
    assert error < 0.02
    assert left == pytest.approx(error, rel=0.5)


@pytest.mark.parametrize("missing", [0.1, 0.3, 0.5])
def test_short_gaps_are_bridged_and_stay_gaps(missing: float) -> None:
    slow, _ = swinging()
    rng = np.random.default_rng(3)
    seen = slow + rng.normal(0, NOISE_M, slow.shape)
    seen[rng.random(len(seen)) < missing] = np.nan
    found = smooth(MarkerMotion(("a",), np.arange(len(seen)) / 100, seen))
    np.testing.assert_array_equal(np.isnan(found.markers.positions_m), np.isnan(seen))
    left_m = np.nanstd(found.markers.positions_m - slow)
    assert left_m < 0.4 * NOISE_M
    assert found.left_m[0] == pytest.approx(left_m, rel=0.5)


def test_nothing_is_smoothed_across_missing_time() -> None:
    slow, markers = swinging(noise_m=0.001)
    kept = np.r_[0:100, 180:400]
    cut = MarkerMotion(("a",), markers.times_s[kept], slow[kept])
    assert [(p.start, p.stop) for p in pieces(cut.times_s)] == [(0, 100), (100, 320)]
    np.testing.assert_allclose(smooth(cut).markers.positions_m, slow[kept], atol=1e-4)
    trajectory, _ = smooth_trajectory(slow[kept, 0, 0], cut.times_s)
    np.testing.assert_allclose(trajectory, slow[kept, 0, 0], atol=1e-4)


def test_a_quick_moment_in_a_quiet_recording_is_kept() -> None:
    times = np.arange(6000) / 100
    kick = 0.4 * np.exp(-(((times - 30) / 0.06) ** 2))[:, None, None] * np.ones((1, 1, 3))
    seen = kick + np.random.default_rng(5).normal(0, NOISE_M, kick.shape)
    found = smooth(MarkerMotion(("a",), times, seen)).markers.positions_m
    assert np.abs(found - kick)[2900:3100].max() < 0.02
    assert np.std((found - kick)[:2000]) < 0.2 * NOISE_M

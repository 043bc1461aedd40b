"""Markers over time without their noise."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from spinetrack_synth.anatomy.ik import solve
from spinetrack_synth.anatomy.kinematics import marker_positions
from spinetrack_synth.anatomy.model import Tree, fullbody_path, load_model
from spinetrack_synth.anatomy.spine import regional_angles
from spinetrack_synth.errors import UserError
from spinetrack_synth.motion.data import MarkerMotion
from spinetrack_synth.motion.smoothing import SHORTEST, jitter_m, low_pass, smooth
from spinetrack_synth.poses.library import library
from spinetrack_synth.poses.sampling import blend, pose_coordinates

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
    out, cutoff_hz = smooth(markers)
    assert np.isnan(out.positions_m[100:110]).all()
    assert np.nanstd(out.positions_m - slow) < 0.3 * NOISE_M
    assert 0.5 < cutoff_hz[0] < 6


def test_smoothing_leaves_what_has_no_noise() -> None:
    slow, markers = swinging(noise_m=0.0)
    np.testing.assert_allclose(
        smooth(markers)[0].positions_m[110:], slow[110:], atol=1e-5, equal_nan=True
    )


def test_short_stretches_stay() -> None:
    _, markers = swinging()
    short = MarkerMotion(
        ("a",), markers.times_s[: SHORTEST - 1], markers.positions_m[: SHORTEST - 1]
    )
    out, cutoff_hz = smooth(short)
    np.testing.assert_array_equal(out.positions_m, short.positions_m)
    assert np.isinf(cutoff_hz[0])


def test_jitter_is_the_noise_and_not_the_motion() -> None:
    assert jitter_m(swinging()[1]) == pytest.approx(NOISE_M, rel=0.1)
    assert jitter_m(swinging(noise_m=0.0)[1]) < 1e-7


def yoga(tree: Tree, seconds: float) -> np.ndarray:
    """Coordinates (F, n) at 100 Hz through poses, ``seconds`` from each to the next."""
    names = ("tadasana", "balasana", "ustrasana", "virabhadrasana_2")
    keys = [pose_coordinates(tree, library()[name]) for name in names]
    shares = np.linspace(0, 1, int(100 * seconds), endpoint=False)
    return np.array(
        [blend(tree, a, b, s * s * (3 - 2 * s)) for a, b in zip(keys, keys[1:]) for s in shares]
    )


def test_regional_angles_come_out_within_a_degree() -> None:
    tree = load_model(fullbody_path())
    q = yoga(tree, 2.0)
    exact_m = np.array([marker_positions(tree, row) for row in q])
    noisy_m = exact_m + np.random.default_rng(1).normal(0, NOISE_M, exact_m.shape)
    markers = MarkerMotion(tree.marker_names, np.arange(len(q)) / 100, noisy_m)

    def angles_deg(rows: np.ndarray) -> np.ndarray:
        regional = [regional_angles(tree, row) for row in rows[::10]]
        return np.array([[getattr(r, f.name) for f in fields(r)] for r in regional])

    def error_deg(positions_m: np.ndarray) -> np.ndarray:
        found = solve(tree, tree.marker_names, positions_m)
        return np.sqrt(np.mean((angles_deg(found.coordinates) - angles_deg(q)) ** 2, axis=0))

    assert np.all(error_deg(smooth(markers)[0].positions_m) < 1.0)
    assert np.all(error_deg(noisy_m) > 1.0)  # what single frames leave unknown

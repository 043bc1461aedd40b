"""The curves of a run's page."""

from __future__ import annotations

import re

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'spinetrack-synth[train]'")
pytest.importorskip("cv2", reason="pip install 'spinetrack-synth[train]'")

from spinetrack_synth.training.page import MOST_POINTS, curves, stretches, ticks


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.61, 0.67), (0, 5e-4), (-3, 170), (0, 12), (1e-9, 2e-9), (0, 1e6)]
)
def test_ticks_are_few_and_round(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 3 <= len(found) <= 6
    assert all(low - 1e-12 <= each <= high * (1 + 1e-9) + 1e-12 for each in found)
    steps = np.diff(found)
    assert np.allclose(steps, steps[0])
    assert float(f"{steps[0]:.0e}"[0]) in (1, 2, 5) or f"{steps[0]:.1e}".startswith("2.5")


def test_a_long_curve_is_drawn_by_its_means() -> None:
    steps = np.arange(1.0, 10_001)
    x, y = stretches(steps, 3 * steps)
    assert len(x) == len(y) == MOST_POINTS
    np.testing.assert_allclose(y, 3 * np.array(x))
    assert np.mean(x) == pytest.approx(steps.mean())


def test_curves_lie_in_their_plot_and_leave_gaps_out() -> None:
    nan = float("nan")
    drawn = str(curves([("red", [1, 2, 3], [0.2, nan, 0.9]), ("blue", [2], [0.5])], "figure"))
    (line, dot) = re.findall(r'points="([^"]*)"', drawn)
    places = [tuple(map(float, pair.split(","))) for pair in line.split()]
    assert len(places) == 2 and len(dot.split()) == 1 and "<circle" in drawn
    assert places[0][1] > places[1][1]  # the higher value lies higher
    assert all(0 < x < 340 and 0 < y < 230 for x, y in places)


def test_nothing_to_draw_is_an_empty_plot() -> None:
    assert "polyline" not in curves([("red", [1.0], [float("nan")])], "figure")

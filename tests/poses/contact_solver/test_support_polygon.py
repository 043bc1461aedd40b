import numpy as np
import pytest

from spinetrack_synth.poses.contact_solver.support_polygon import beyond_support, hull


def test_hull_and_support():
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5], [0.2, 0.9]], dtype=float)
    corners = hull(square)
    assert len(corners) == 4
    inside, _ = beyond_support(corners, np.array([0.5, 0.4]), 0.0)
    outside, direction = beyond_support(corners, np.array([1.3, 0.5]), 0.0)
    drawn_in, _ = beyond_support(corners, np.array([0.95, 0.5]), 0.1)
    corner, _ = beyond_support(corners, np.array([1.3, 1.4]), 0.0)
    assert inside == pytest.approx(-0.4)
    assert outside == pytest.approx(0.3) and direction == pytest.approx([1, 0])
    assert drawn_in == pytest.approx(0.05)
    assert corner == pytest.approx(0.5)

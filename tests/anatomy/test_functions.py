"""Functions of one coordinate, turned round."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinetrack_synth.anatomy.functions import Piecewise, polyline, polynomial, simm_spline

X = [-1.0, -0.4, 0.1, 0.7, 1.1]
FUNCTIONS = {
    "line": polynomial([2.0, -0.5]),
    "parabola": polynomial([1.0, 0.0, 0.25]),
    "polyline": polyline(X, [0.2, 0.35, -0.1, 0.0, 0.4]),
    "spline": simm_spline(X, [0.2, 0.35, -0.1, 0.0, 0.4]),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())
@given(x=st.floats(-3, 3))
def test_every_place_that_reaches_a_value_is_found(function: Piecewise, x: float) -> None:
    y = function(x)
    places = function.reaches(y)
    np.testing.assert_allclose([function(place) for place in places], y, atol=1e-6)
    # Where the function turns, its value is reached nearly at many places.
    assert (
        np.abs(places - x).min() < 1e-3
        or min(abs(function(x + step) - y) for step in (-1e-3, 1e-3)) < 1e-5
    )
    assert np.all(np.diff(places) >= 0)


def test_what_is_never_reached() -> None:
    assert len(polynomial([1.0, 0.0, 0.25]).reaches(0.2)) == 0
    np.testing.assert_allclose(polynomial([1.0, 0.0, 0.25]).reaches(0.5), [-0.5, 0.5])


def test_constants() -> None:
    assert simm_spline(X, [0.3] * 5).constant == 0.3
    assert polynomial([0.3]).constant == 0.3
    assert all(function.constant is None for function in FUNCTIONS.values())


def test_a_curve_that_only_touches_a_value_reaches_it() -> None:
    touching = Piecewise(np.zeros(1), np.array([[0.51, -0.2, 1.0]]))  # least, 0.5, at 0.1
    np.testing.assert_allclose(touching.reaches(0.5), 0.1, atol=1e-6)
    assert len(touching.reaches(0.5)) >= 1
    assert len(touching.reaches(0.49)) == 0

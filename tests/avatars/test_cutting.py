"""Cloth cut out of sheets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array, eye_array

from spinetrack_synth.avatars.cutting import (
    Cloth,
    carry,
    clip,
    largest_pieces,
    lay_out,
    open_edges,
    used_points,
)
from spinetrack_synth.avatars.mesh import Sheet

N = 6


def square() -> Cloth:
    """A flat unit square of N x N vertices; its values are where they lie."""
    x, y = np.meshgrid(np.linspace(0, 1, N), np.linspace(0, 1, N), indexing="ij")
    a = (np.arange(N - 1)[:, None] * N + np.arange(N - 1)).ravel()
    faces = np.concatenate([np.stack([a, a + N, a + N + 1], 1), np.stack([a, a + N + 1, a + 1], 1)])
    place = np.stack([x.ravel(), y.ravel()], axis=1)
    weld = np.arange(N * N, dtype=np.int32)
    sheet = Sheet(csr_array(eye_array(N * N)), faces.astype(np.int32), place, weld)
    return lay_out(sheet, place, np.ones(len(faces), bool))


def areas(cloth: Cloth) -> np.ndarray:
    a, b, c = (cloth.values[cloth.faces[:, k]] for k in range(3))
    u, v = b - a, c - a
    return (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / 2


@given(st.floats(0, 2 * np.pi), st.floats(-0.4, 0.4), st.floats(0, 2 * np.pi))
def test_clip_splits_the_area_along_straight_lines(angle, shift, second):
    """Twice, and what is known of corners is where they lie in the square."""
    cloth = square()
    parts = []
    for way in (1, -1):
        field = way * ((cloth.values - 0.5) @ [np.cos(angle), np.sin(angle)] - shift)
        half = clip(cloth, field)
        for other in (1, -1):
            across = other * (half.values - 0.5) @ [np.cos(second), np.sin(second)]
            parts.append(used_points(clip(half, across)))
            assert (
                (parts[-1].values - 0.5) @ [np.cos(second), np.sin(second)] * other > -1e-8
            ).all()
    assert sum(areas(part).sum() for part in parts) == pytest.approx(1.0)
    for part in parts:
        assert (areas(part) > -1e-12).all()
        carried = carry(part.corner, part.share, N * N)
        assert np.abs(carried.sum(axis=1) - 1).max(initial=0) < 1e-12
        assert np.abs(carried @ cloth.values - part.values).max(initial=0) < 1e-9


def test_points_that_stay_keep_their_number():
    cloth = square()
    cut = clip(cloth, cloth.values[:, 0] - 0.5)
    assert np.array_equal(cut.values[: N * N], cloth.values)
    assert np.abs(cut.values[N * N :, 0] - 0.5).max() < 1e-9


def test_largest_pieces_drops_the_small_one():
    cloth = square()
    both = clip(cloth, np.abs(cloth.values[:, 0] - 0.3) - 0.11)
    assert areas(largest_pieces(both, 2)).sum() == pytest.approx(areas(both).sum())
    large = used_points(largest_pieces(both))
    assert large.values[:, 0].min() > 0.3


def test_open_edges_of_a_cut_run_along_it():
    cloth = square()
    cut = used_points(clip(cloth, cloth.values[:, 0] - 0.5))
    edges = open_edges(cut, np.abs(cut.values[:, 0] - 0.5) < 1e-9)
    ends = cut.values[edges]
    assert np.abs(ends[..., 0] - 0.5).max() < 1e-9
    assert np.abs(ends[:, 0, 1] - ends[:, 1, 1]).sum() == pytest.approx(1.0)

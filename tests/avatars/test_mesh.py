import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array, eye_array

from spinetrack_synth.avatars.mesh import (
    Sheet,
    averaging,
    clip,
    kept_vertices,
    largest_pieces,
    open_edges,
    smooth_sheet,
)


def grid(n: int = 6) -> Sheet:
    """A flat unit square of n x n vertices."""
    x, y = np.meshgrid(np.linspace(0, 1, n), np.linspace(0, 1, n), indexing="ij")
    a = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    faces = np.concatenate([np.stack([a, a + n, a + n + 1], 1), np.stack([a, a + n + 1, a + 1], 1)])
    uv = np.stack([x.ravel(), y.ravel()], axis=1)
    index = np.arange(n * n)
    return Sheet(csr_array(eye_array(n * n)), faces.astype(np.int32), uv, index.astype(np.int32))


def area(sheet: Sheet) -> float:
    a, b, c = (sheet.uv[sheet.faces[:, k]] for k in range(3))
    u, v = b - a, c - a
    return float((u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sum() / 2)


@given(st.floats(0, 2 * np.pi), st.floats(-0.4, 0.4))
def test_clip_splits_the_area_along_a_straight_line(angle, shift):
    sheet = grid()
    field = (sheet.uv - 0.5) @ [np.cos(angle), np.sin(angle)] - shift
    inside, carry = clip(sheet, field)
    outside, _ = clip(sheet, -field)
    assert area(inside) + area(outside) == pytest.approx(1.0)
    assert np.abs(carry.sum(axis=1) - 1).max() < 1e-12
    assert (carry @ field > -1e-8).all()
    cut = kept_vertices(carry) < 0
    assert np.abs((carry @ field)[cut]).max(initial=0) < 1e-8


def test_clip_keeps_orientation():
    sheet = grid()
    piece, _ = clip(sheet, sheet.uv[:, 0] * 0.7 + sheet.uv[:, 1] - 0.63)
    a, b, c = (piece.uv[piece.faces[:, k]] for k in range(3))
    u, v = b - a, c - a
    assert (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0] > 0).all()


def test_largest_pieces_drops_the_small_one():
    sheet = grid()
    both, _ = clip(sheet, np.abs(sheet.uv[:, 0] - 0.3) - 0.11)
    assert area(largest_pieces(both, 2)[0]) == pytest.approx(area(both))
    large, _ = largest_pieces(both)
    assert large.uv[:, 0].min() > 0.3


def test_open_edges_of_a_square_are_its_border():
    sheet = grid()
    on_border = ((sheet.uv == 0) | (sheet.uv == 1)).any(axis=1)
    edges = open_edges(sheet)
    assert len(edges) == 4 * 5
    assert on_border[edges].all()


def test_averaging_keeps_constants_and_rims():
    sheet = grid()
    smooth = averaging(sheet)
    assert np.allclose(smooth @ np.ones(36), 1)
    rim = np.unique(open_edges(sheet))
    assert np.allclose((smooth @ sheet.uv)[rim], sheet.uv[rim])


def test_smooth_sheet_stays_close_to_the_mesh_it_refines(body_data):
    sheet = smooth_sheet(body_data, "helper-tights")
    assert np.abs(sheet.stencil.sum(axis=1) - 1).max() < 1e-9
    assert not np.isnan(sheet.uv).any()
    quads = body_data.quads[body_data.faces_of("helper-tights")]
    assert len(sheet.faces) == 8 * len(quads)
    points = sheet.stencil @ body_data.vertices.astype(float)
    coarse = body_data.vertices[np.unique(quads)]
    assert np.abs(points.min(axis=0) - coarse.min(axis=0)).max() < 0.1  # decimetres
    assert np.abs(points.max(axis=0) - coarse.max(axis=0)).max() < 0.1

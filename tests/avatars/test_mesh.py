import numpy as np
from scipy.sparse import csr_array, eye_array

from spinetrack_synth.avatars.mesh import (
    Sheet,
    averaging,
    largest_areas,
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


def test_open_edges_of_a_square_are_its_border():
    sheet = grid()
    on_border = ((sheet.uv == 0) | (sheet.uv == 1)).any(axis=1)
    edges = open_edges(sheet)
    assert len(edges) == 4 * 5
    assert on_border[edges].all()


def test_the_largest_area_is_the_one_with_most_faces():
    sheet = grid()
    column = np.rint(5 * sheet.uv[:, 0]).astype(int)
    chosen = np.isin(column, [0, 2, 3])
    assert np.array_equal(largest_areas(sheet, chosen), np.isin(column, [2, 3]))
    assert np.array_equal(largest_areas(sheet, chosen, 2), chosen)


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

"""Sheets of triangles over the base mesh: subdivided and smoothed as linear combinations.

Every vertex of a sheet is a combination of base-mesh vertices, so a sheet follows every body shape
and every pose. Topology alone lives here; nothing knows what a sheet is worn as.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from spinetrack_synth.avatars.array_types import Array, Indices, Ints
from spinetrack_synth.avatars.assets import BodyData
from spinetrack_synth.compiled import njit


@dataclass(frozen=True, eq=False)
class Sheet:
    """Triangles whose P vertices are ``stencil`` (P, V) times the base-mesh vertices.

    ``faces`` (F, 3), ``uv`` (P, 2); ``weld`` (P,) numbers the distinct points (uv seams merged).
    """

    stencil: csr_array
    faces: NDArray[np.int32]
    uv: Array
    weld: NDArray[np.int32]


def group_sheet(data: BodyData, *groups: str) -> Sheet:
    """The quads of the named groups, triangulated as they are."""
    quads, corner_uv = _group(data, groups)
    vertices, uv_index, corner, weld = _pair_corners(quads, corner_uv)
    stencil = _selection(vertices, len(data.vertices))
    return Sheet(stencil, _triangles(corner), data.uv[uv_index].astype(np.float64), weld)


def smooth_sheet(data: BodyData, *groups: str) -> Sheet:
    """The quads of the named groups after one Catmull-Clark subdivision."""
    quads, corner_uv = _group(data, groups)
    points, local = np.unique(quads, return_inverse=True)
    rows, fine = _catmull_clark(local.reshape(quads.shape), len(points))
    rows_uv, fine_uv = _linear_subdivision(corner_uv, len(data.uv))
    uv = rows_uv @ data.uv.astype(np.float64)
    vertices, uv_index, corner, weld = _pair_corners(fine, fine_uv)
    stencil = csr_array(rows[vertices] @ _selection(points, len(data.vertices)))
    return Sheet(stencil, _triangles(corner), uv[uv_index], weld)


def mask_at(data: BodyData, name: str, sheet: Sheet) -> Array:
    """A part mask of the body data at a sheet's vertices (P,), 0..1."""
    return data.mask_at(name, sheet.uv) / 255.0


def largest_areas(sheet: Sheet, chosen: NDArray[np.bool_], count: int = 1) -> NDArray[np.bool_]:
    """Of the ``chosen`` vertices (P,) those in the ``count`` connected areas that touch most
    faces."""
    corner = sheet.weld[sheet.faces]
    inside = np.zeros(int(sheet.weld.max()) + 1, bool)
    inside[sheet.weld] = chosen
    area = joined(corner, inside)
    a, b, c = corner[corners_in(inside, corner) > 0].T
    area_of_face = area[np.where(inside[a], a, np.where(inside[b], b, c))]
    largest = np.argsort(-np.bincount(area_of_face), kind="stable")[:count]
    worn: NDArray[np.bool_] = np.isin(area[sheet.weld], largest) & chosen
    return worn


def corners_in(inside: NDArray[np.bool_], faces: Indices) -> NDArray[np.int8]:
    """How many corners (F,) of ``faces`` (F, 3) are ``inside`` (P,)."""
    one = inside.view(np.int8)
    a, b, c = faces.T
    count: NDArray[np.int8] = one[a] + one[b] + one[c]
    return count


@njit()
def joined(
    faces: NDArray[np.int32], inside: NDArray[np.bool_]
) -> NDArray[np.int64]:  # pragma: no cover - compiled
    """For each of W points one that stands for all that it hangs together with, along edges of
    ``faces`` (F, 3) with both ends ``inside`` (W,)."""
    root = np.arange(len(inside))
    for face in faces:
        for k in range(3):
            a, b = face[k], face[(k + 1) % 3]
            if inside[a] and inside[b]:
                while root[a] != a:
                    root[a] = root[root[a]]
                    a = root[a]
                while root[b] != b:
                    root[b] = root[root[b]]
                    b = root[b]
                root[max(a, b)] = min(a, b)
    for a in range(len(root)):
        root[a] = root[root[a]]  # lower ones are final
    return root


def open_edges(sheet: Sheet) -> NDArray[np.int32]:
    """Vertex pairs (E, 2) of the edges that only one face uses, uv seams counted as closed."""
    edges = np.concatenate([sheet.faces[:, [0, 1]], sheet.faces[:, [1, 2]], sheet.faces[:, [2, 0]]])
    welded = np.sort(sheet.weld[edges], axis=1).astype(np.int64)
    _, index, uses = np.unique(
        welded[:, 0] * len(sheet.weld) + welded[:, 1], return_inverse=True, return_counts=True
    )
    rim: NDArray[np.int32] = edges[uses[index] == 1]
    return rim


def subset(sheet: Sheet, keep: NDArray[np.bool_]) -> tuple[Sheet, csr_array]:
    """The faces of ``keep`` (F,), and the matrix that carries vertex data over."""
    return _compact(sheet, identity(len(sheet.weld)), sheet.faces[keep], sheet.weld)


def identity(size: int) -> csr_array:
    """The matrix that carries vertex data over unchanged."""
    return csr_array(diags_array(np.ones(size)))


def averaging(sheet: Sheet, strength: float = 0.5) -> csr_array:
    """Matrix (W, W) over the distinct points: one step of uniform smoothing; open rims stay."""
    corner = sheet.weld[sheet.faces]
    count = int(sheet.weld.max()) + 1
    edges = np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]], corner[:, [2, 0]]])
    edges = np.sort(edges, axis=1)
    links, uses = np.unique(edges, axis=0, return_counts=True)
    rim = np.zeros(count, bool)
    rim[links[uses == 1]] = True
    both = np.concatenate([links, links[:, ::-1]])
    near = csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(count, count))
    degree = np.maximum(near.sum(axis=1), 1)
    share = np.where(rim, 0.0, strength)
    return csr_array(diags_array(1 - share) + diags_array(share / degree) @ near)


def _group(data: BodyData, groups: tuple[str, ...]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    chosen = data.faces_of(*groups)
    return data.quads[chosen], data.quads_uv[chosen]


def _selection(rows: Indices, columns: int) -> csr_array:
    index = np.arange(len(rows))
    return csr_array((np.ones(len(rows)), (index, rows)), shape=(len(rows), columns))


def _stack_rows(above: csr_array, below: csr_array) -> csr_array:
    from scipy.sparse import vstack

    return csr_array(vstack([above, below]))


def _triangles(quads: Indices) -> NDArray[np.int32]:
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    distinct = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    triangles: NDArray[np.int32] = faces[distinct].astype(np.int32)
    return triangles


def _pair_corners(quads: Indices, quads_uv: Indices) -> tuple[Ints, Ints, Ints, NDArray[np.int32]]:
    """Distinct (vertex, uv) pairs: their vertex, their uv, the quads over them, their weld."""
    size = int(quads_uv.max()) + 1
    keys, corner = np.unique(quads.astype(np.int64) * size + quads_uv, return_inverse=True)
    vertices, uv = keys // size, keys % size
    weld = np.unique(vertices, return_inverse=True)[1].astype(np.int32)
    return vertices, uv, corner.reshape(quads.shape), weld


def _edges_of(quads: Indices, size: int) -> tuple[Ints, Ints, Ints]:
    """Distinct edges (E, 2), edge of each quad side (F, 4), number of quads at each edge (E,)."""
    sides = np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1)
    sides = np.sort(sides, axis=-1).astype(np.int64)
    keys, index, uses = np.unique(
        sides[..., 0] * size + sides[..., 1], return_inverse=True, return_counts=True
    )
    return np.stack([keys // size, keys % size], axis=1), index.reshape(quads.shape), uses


def _split(quads: Indices, side: Ints, edge_start: int, face_start: int) -> Ints:
    """Four quads for each: corner, edge point, face point, edge point."""
    middle = np.arange(len(quads)) + face_start
    children = [
        np.stack([quads[:, k], side[:, k] + edge_start, middle, side[:, k - 1] + edge_start], 1)
        for k in range(4)
    ]
    return np.concatenate(children)


def _linear_subdivision(quads: Indices, size: int) -> tuple[csr_array, Ints]:
    edges, side, _ = _edges_of(quads, size)
    count = len(edges)
    rows = _stack_rows(
        _stack_rows(identity(size), _edge_middles(edges, size)), _face_points(quads, size)
    )
    return rows, _split(quads, side, size, size + count)


def _edge_middles(edges: Ints, size: int) -> csr_array:
    count = len(edges)
    return csr_array(
        (np.full(2 * count, 0.5), (np.repeat(np.arange(count), 2), edges.ravel())),
        shape=(count, size),
    )


def _face_points(quads: Indices, size: int) -> csr_array:
    count = len(quads)
    return csr_array(
        (np.full(4 * count, 0.25), (np.repeat(np.arange(count), 4), quads.ravel())),
        shape=(count, size),
    )


def _catmull_clark(quads: Indices, size: int) -> tuple[csr_array, Ints]:
    edges, side, uses = _edges_of(quads, size)
    count = len(edges)
    ends = _edge_middles(edges, size)
    face = _face_points(quads, size)
    around = csr_array(
        (np.full(side.size, 0.5), (side.ravel(), np.repeat(np.arange(len(quads)), 4))),
        shape=(count, len(quads)),
    )
    inner = (uses == 2).astype(np.float64)
    edge_points = diags_array(1 - 0.5 * inner) @ ends + diags_array(0.5 * inner) @ (around @ face)
    vertex_points = _vertex_rule(quads, edges, uses, size, face, ends)
    rows = _stack_rows(_stack_rows(vertex_points, csr_array(edge_points)), face)
    return rows, _split(quads, side, size, size + count)


def _vertex_rule(
    quads: Indices, edges: Ints, uses: Ints, size: int, face: csr_array, ends: csr_array
) -> csr_array:
    rim = np.zeros(size, bool)
    rim[edges[uses == 1]] = True
    corner = csr_array(
        (np.ones(quads.size), (quads.ravel(), np.repeat(np.arange(len(quads)), 4))),
        shape=(size, len(quads)),
    )
    valence = np.maximum(corner.sum(axis=1), 1)
    touch = csr_array(
        (np.ones(edges.size), (edges.ravel(), np.repeat(np.arange(len(edges)), 2))),
        shape=(size, len(edges)),
    )
    inner = (
        diags_array(1 / valence**2) @ (corner @ face)
        + diags_array(2 / valence / np.maximum(touch.sum(axis=1), 1)) @ (touch @ ends)
        + diags_array((valence - 3) / valence)
    )
    rim_touch = touch @ diags_array((uses == 1).astype(np.float64))
    # (a + 6 v + b) / 8: half the vertex and a quarter of each rim edge's middle.
    outer = diags_array(np.full(size, 0.5)) + 0.25 * (rim_touch @ ends)
    return csr_array(diags_array(1.0 - rim) @ inner + diags_array(1.0 * rim) @ outer)


def _compact(
    sheet: Sheet, carry: csr_array, faces: Indices, weld: Indices
) -> tuple[Sheet, csr_array]:
    used, local = numbered(faces, carry.shape[0])
    carry = csr_array(carry[used])
    compact = Sheet(
        stencil=csr_array(carry @ sheet.stencil),
        faces=local.astype(np.int32),
        uv=carry @ sheet.uv,
        weld=numbered(weld[used], int(weld.max()) + 1)[1].astype(np.int32),
    )
    return compact, carry


def numbered(values: Indices, size: int) -> tuple[Ints, Ints]:
    """The distinct values below ``size``, ascending, and where each value stands among them."""
    there = np.zeros(size, bool)
    there[values] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[values]

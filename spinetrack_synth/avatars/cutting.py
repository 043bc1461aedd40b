"""Cloth cut out of a sheet along lines, piece by piece, hems turned in.

Whatever is cut, every point of it lies in one triangle of the sheet: three vertices and their
weights say where, and carry over what is known of the vertices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spinetrack_synth.avatars.array_types import Array, Ints
from spinetrack_synth.avatars.mesh import Sheet, corners_in, joined, numbered


@dataclass(frozen=True, eq=False)
class Cloth:
    """Triangles out of a sheet of P vertices.

    ``corner`` (Q, 3) are the vertices of the sheet about each point and ``share`` (Q, 3) their
    weights, which sum to 1; ``values`` (Q, C) is what is known of the points. ``faces`` (F, 3);
    ``weld`` (Q,) numbers the distinct points, as in the sheet.
    """

    corner: NDArray[np.int32]
    share: Array
    values: Array
    faces: NDArray[np.int32]
    weld: NDArray[np.int32]


def lay_out(sheet: Sheet, values: Array, chosen: NDArray[np.bool_]) -> Cloth:
    """The ``chosen`` faces (F,) of a sheet, with ``values`` (P, C) known at its vertices."""
    used, faces = numbered(sheet.faces[chosen], len(sheet.weld))
    share = np.zeros((len(used), 3))
    share[:, 0] = 1.0
    corner = np.repeat(used[:, None], 3, axis=1).astype(np.int32)
    return Cloth(corner, share, values[used], faces.astype(np.int32), sheet.weld[used])


def clip(cloth: Cloth, field: Array) -> Cloth:
    """The part of the cloth where a ``field`` (Q,) is positive, cut along its zero line.

    Its points are those that there were, in their order, and those of the line.
    """
    field = np.where(np.abs(field) < 1e-9, 1e-9, field)
    inside = field > 0
    count = corners_in(inside, cloth.faces)
    one, two = cloth.faces[count == 1], cloth.faces[count == 2]
    one, two = _first_turned(one, inside[one]), _first_turned(two, ~inside[two])
    edges = np.concatenate([one[:, [0, 1]], one[:, [0, 2]], two[:, [0, 1]], two[:, [0, 2]]])
    edges = np.sort(edges, axis=1).astype(np.int64)
    size = len(cloth.weld)
    keys, edge_of = np.unique(edges[:, 0] * size + edges[:, 1], return_inverse=True)
    a, b = keys // size, keys % size
    t = (field[a] / (field[a] - field[b]))[:, None]
    n1, n2 = len(one), len(two)
    one_a, one_b, two_a, two_b = np.split(edge_of + size, [n1, 2 * n1, 2 * n1 + n2])
    faces = np.concatenate(
        [
            cloth.faces[count == 3],
            np.stack([one[:, 0], one_a, one_b], axis=1),
            np.stack([two_a, two[:, 1], two[:, 2]], axis=1),
            np.stack([two_a, two[:, 2], two_b], axis=1),
        ]
    )
    welded = np.sort(cloth.weld[np.stack([a, b], axis=1)], axis=1).astype(np.int64)
    reach = int(cloth.weld.max(initial=0)) + 1
    cut = np.unique(welded[:, 0] * reach + welded[:, 1], return_inverse=True)[1] + reach
    corner, share = _between(cloth, a, b, t)
    return Cloth(
        corner=np.concatenate([cloth.corner, corner]),
        share=np.concatenate([cloth.share, share]),
        values=np.concatenate([cloth.values, (1 - t) * cloth.values[a] + t * cloth.values[b]]),
        faces=faces.astype(np.int32),
        weld=np.concatenate([cloth.weld, cut]).astype(np.int32),
    )


def _first_turned(faces: NDArray[np.int32], wanted: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Faces turned so that their first corner is the ``wanted`` (F, 3) one."""
    first = np.argmax(wanted, axis=1)
    return np.take_along_axis(faces, (first[:, None] + np.arange(3)) % 3, axis=1)


def _between(cloth: Cloth, a: Ints, b: Ints, t: Array) -> tuple[NDArray[np.int32], Array]:
    """Corners and shares (N, 3) of points that lie ``t`` (N, 1) of the way from ``a`` to ``b``."""
    corner = np.concatenate([cloth.corner[a], cloth.corner[b]], axis=1)
    share = np.concatenate([(1 - t) * cloth.share[a], t * cloth.share[b]], axis=1)
    order = np.argsort(corner, axis=1)
    corner, share = (np.take_along_axis(each, order, axis=1) for each in (corner, share))
    for k in range(5, 0, -1):
        same = corner[:, k] == corner[:, k - 1]
        share[same, k - 1] += share[same, k]
        share[same, k] = 0.0
    # Both lie in one triangle of the sheet: no more than three are left.
    largest = np.argsort(-share, axis=1, kind="stable")[:, :3]
    return np.take_along_axis(corner, largest, 1), np.take_along_axis(share, largest, 1)


def largest_pieces(cloth: Cloth, count: int = 1) -> Cloth:
    """The ``count`` connected pieces with most faces."""
    corner = cloth.weld[cloth.faces]
    piece = joined(corner, np.ones(int(cloth.weld.max(initial=0)) + 1, bool))[corner[:, 0]]
    largest = np.argsort(-np.bincount(piece), kind="stable")[:count]
    return replace(cloth, faces=cloth.faces[np.isin(piece, largest)])


def used_points(cloth: Cloth) -> Cloth:
    """The same without points that no face has."""
    used, faces = numbered(cloth.faces, len(cloth.weld))
    weld = numbered(cloth.weld[used], int(cloth.weld.max(initial=0)) + 1)[1]
    return Cloth(
        cloth.corner[used],
        cloth.share[used],
        cloth.values[used],
        faces.astype(np.int32),
        weld.astype(np.int32),
    )


def open_edges(cloth: Cloth, on_line: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Pairs (E, 2) of points ``on_line`` (Q,), of the edges that only one face uses; seams of the
    uv count as closed."""
    faces = cloth.faces[corners_in(on_line, cloth.faces) > 1]
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = edges[on_line[edges].all(axis=1)]
    welded = np.sort(cloth.weld[edges], axis=1).astype(np.int64)
    _, index, uses = np.unique(
        welded[:, 0] * len(cloth.weld) + welded[:, 1], return_inverse=True, return_counts=True
    )
    rim: NDArray[np.int32] = edges[uses[index] == 1]
    return rim


def carry(corner: NDArray[np.int32], share: Array, size: int) -> csr_array:
    """The matrix (Q, ``size``) that carries what is known of a sheet's vertices over to points."""
    there = share != 0
    start = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
    return csr_array((share[there], corner[there], start), shape=(len(share), size))
